//! The quality of one series: counts, findings and the score.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::bar::Interval;
use crate::instrument::Symbol;
use crate::source::{PriceBasis, Source};
use crate::validate::ValidationPolicy;
use crate::validate::finding::Finding;

/// What the validator made of one series of one source.
///
/// `accepted_count + quarantined_count + unverifiable_count == received_count`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataQuality {
    /// Whose bars.
    pub symbol: Symbol,
    /// What each bar covers.
    pub interval: Interval,
    /// Which source they are of.
    #[serde(default = "unnamed_source")]
    pub source: Source,
    /// What its prices mean.
    #[serde(default = "unknown_basis")]
    pub basis: PriceBasis,
    /// Rows received: bars, and rows that the reader refused.
    pub received_count: u64,
    /// Rows that became bars.
    pub accepted_count: u64,
    /// Rows kept out because something is wrong with them.
    pub quarantined_count: u64,
    /// Rows that count for nothing: outside the calendar, before
    /// [`ValidationPolicy::learned_from`], of coarse prices, or accepted by a person although no
    /// bar can be made of them.
    pub unverifiable_count: u64,
    /// Sessions between the first and the last verifiable row without any row, and not accepted by
    /// a person. Always zero for intraday bars and rates of exchange.
    pub missing_sessions_count: u64,
    /// Accepted rows about which something deserves a look and was not accepted by a person.
    #[serde(default)]
    pub warning_rows_count: u64,
    /// The share of a row that such a row costs, 0..=1: [`ValidationPolicy::warning_weight`].
    #[serde(default)]
    pub warning_weight: f64,
    /// The same counts by month, oldest first; months in which nothing is expected do not appear.
    #[serde(default)]
    pub months: Vec<MonthQuality>,
    /// The day of the first accepted bar.
    pub first_day: Option<Date>,
    /// The day of the last accepted bar.
    pub last_day: Option<Date>,
    /// What was found: about the series first, then by day.
    pub findings: Vec<Finding>,
}

/// The source of reports that were written before sources had names: files of text.
fn unnamed_source() -> Source {
    Source::CSV
}

fn unknown_basis() -> PriceBasis {
    PriceBasis::Unknown
}

/// The quality of one month of a series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MonthQuality {
    /// The first day of the month.
    pub month: Date,
    /// Accepted and quarantined rows and missing sessions. Rows that were refused and whose day is
    /// not known belong to no month.
    pub expected_count: u64,
    /// Quarantined rows and missing sessions.
    pub error_rows_count: u64,
    /// Accepted rows with a warning.
    pub warning_rows_count: u64,
    /// The score of the month, 0..=1, by the formula of [`DataQuality::score_share`].
    pub score_share: f64,
}

/// What a score means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualityBand {
    /// Below the gate: not learned from.
    Refused,
    /// Learned from, and worth a look.
    Warning,
    /// Good.
    Good,
}

impl QualityBand {
    /// The band of a score, 0..=1.
    pub fn of(score_share: f64, policy: ValidationPolicy) -> Self {
        if score_share < policy.accepted_share_min {
            Self::Refused
        } else if score_share < policy.good_share_min {
            Self::Warning
        } else {
            Self::Good
        }
    }

    /// The word used in the store, the API and on the terminal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Warning => "warning",
            Self::Good => "good",
        }
    }
}

impl DataQuality {
    /// The score: `1 - cost / expected`, where each expected row (accepted, quarantined or missing)
    /// costs 1 when it is quarantined or missing, [`ValidationPolicy::warning_weight`] when its
    /// worst finding is a warning, and nothing otherwise; what a person accepted costs nothing.
    ///
    /// In 0..=1; zero when nothing could be verified, so that an empty or wholly unverifiable
    /// series never passes.
    pub fn score_share(&self) -> f64 {
        score_share(self.expected_count(), self.error_rows_count(), self.warning_cost())
    }

    /// Which band the score is in.
    pub fn band(&self, policy: ValidationPolicy) -> QualityBand {
        QualityBand::of(self.score_share(), policy)
    }

    /// The denominator of the score: accepted and quarantined rows and missing sessions.
    pub fn expected_count(&self) -> u64 {
        self.accepted_count + self.quarantined_count + self.missing_sessions_count
    }

    /// Rows that cost the whole of themselves.
    pub fn error_rows_count(&self) -> u64 {
        self.quarantined_count + self.missing_sessions_count
    }

    /// What the warnings cost, rows.
    pub(crate) fn warning_cost(&self) -> f64 {
        self.warning_weight * as_float(self.warning_rows_count)
    }
}

/// The score of so many expected rows, of which some cost the whole of themselves, and warnings
/// `warning_cost` together; zero when there are none. 0..=1.
pub fn score_share(expected_count: u64, error_rows_count: u64, warning_cost: f64) -> f64 {
    match expected_count {
        0 => 0.0,
        // Written so that no cost gives exactly one.
        _ => 1.0 - (as_float(error_rows_count) + warning_cost) / as_float(expected_count),
    }
}

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
pub(super) fn as_float(count: u64) -> f64 {
    count as f64
}
