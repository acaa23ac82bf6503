//! The quality of one series: counts, findings and the score.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::bar::Interval;
use crate::instrument::Symbol;
use crate::validate::finding::Finding;

/// What the validator made of one series.
///
/// `accepted_count + quarantined_count + unverifiable_count == received_count`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataQuality {
    /// Whose bars.
    pub symbol: Symbol,
    /// What each bar covers.
    pub interval: Interval,
    /// Rows received: bars, and rows that the reader refused.
    pub received_count: u64,
    /// Rows that became bars.
    pub accepted_count: u64,
    /// Rows kept out because something is wrong with them.
    pub quarantined_count: u64,
    /// Rows about which nothing can be said: outside the calendar, or too coarse.
    pub unverifiable_count: u64,
    /// Sessions between the first and the last verifiable row without any row. Always zero for
    /// intraday bars.
    pub missing_sessions_count: u64,
    /// The day of the first accepted bar.
    pub first_day: Option<Date>,
    /// The day of the last accepted bar.
    pub last_day: Option<Date>,
    /// What was found: about the series first, then by day.
    pub findings: Vec<Finding>,
}

impl DataQuality {
    /// Accepted rows as a share of what should be there: accepted and quarantined rows and missing
    /// sessions. In 0..=1; zero when nothing could be verified, so that an empty or wholly
    /// unverifiable series never passes.
    pub fn score_share(&self) -> f64 {
        share(self.accepted_count, self.expected_count())
    }

    /// The denominator of the score.
    pub(crate) fn expected_count(&self) -> u64 {
        self.accepted_count + self.quarantined_count + self.missing_sessions_count
    }
}

/// `part` of `whole`, zero when there is no whole.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
