//! The rows of a bulletin that are no shares: warrants, funds, rights, certificates, averages.

use std::collections::BTreeMap;

use crate::rows::shortened;

/// The group, the market and the suffix of the code of a share.
const GROUP: &str = "EQT";
const MARKET: &str = "MSPOT";
const SUFFIX: &str = "E";

/// Kinds that are counted one by one; what comes after them is counted together.
const KINDS_MAX: usize = 24;

/// How many rows of each kind there were.
#[derive(Debug, Default)]
pub(super) struct OtherRows {
    counts: BTreeMap<String, u64>,
    more_count: u64,
}

impl OtherRows {
    /// Counts the row if it is no share, and says whether it is none. What the file has no column
    /// for is not asked.
    pub(super) fn takes(&mut self, code: &str, group: Option<&str>, market: Option<&str>) -> bool {
        let suffix = code.rsplit_once('.').map_or("", |(_, suffix)| suffix);
        let kind = if let Some(group) = group.filter(|group| *group != GROUP) {
            format!("of group {}", named(group))
        } else if let Some(market) = market.filter(|market| *market != MARKET) {
            format!("of market {}", named(market))
        } else if suffix != SUFFIX {
            format!("with suffix {}", named(suffix))
        } else {
            return false;
        };
        if self.counts.len() < KINDS_MAX || self.counts.contains_key(&kind) {
            *self.counts.entry(kind).or_default() += 1;
        } else {
            self.more_count += 1;
        }
        true
    }

    /// One sentence for the report; `None` when every row was a share.
    pub(super) fn note(&self, rows_read: u64) -> Option<String> {
        let total = self.counts.values().sum::<u64>() + self.more_count;
        if total == 0 {
            return None;
        }
        let mut kinds: Vec<String> =
            self.counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        if self.more_count > 0 {
            kinds.push(format!("{} of other kinds", self.more_count));
        }
        let kinds = kinds.join(", ");
        Some(format!("{total} of {rows_read} rows are no shares of the equity market: {kinds}"))
    }
}

fn named(text: &str) -> String {
    if text.is_empty() { "none".to_owned() } else { shortened(text) }
}
