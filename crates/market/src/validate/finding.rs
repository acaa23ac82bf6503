//! What the validator has to say about a row, a day or a whole series.

mod kind;
mod name;

mod rule;
mod sentence;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use kind::FindingKind;
pub(super) use name::Names;

use super::decision::{FindingId, Verdict};

/// One observation of the validator, as data: the report, the page and the audit log show the same.
///
/// Its [`fmt::Display`] is one sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Its name, by which a person decides about it; all zeros in reports that were written before
    /// findings had names.
    #[serde(default)]
    pub id: FindingId,
    /// The time stamp of the row it is about; `None` when it is about a day without a row, or about
    /// the whole series.
    pub opened_at: Option<Timestamp>,
    /// The day it is about; `None` when it is about the whole series, or the day is not known.
    pub day: Option<Date>,
    /// What was decided about it, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Verdict>,
    /// Whether it is about a row or day that can only be checked in part and counts for nothing:
    /// the years before [`super::ValidationPolicy::learned_from`], and coarse prices.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unverifiable: bool,
    /// What was found, with its numbers.
    #[serde(flatten)]
    pub kind: FindingKind,
}

impl Finding {
    /// How bad it is, whatever was decided.
    pub fn severity(&self) -> Severity {
        self.kind.severity()
    }

    /// Whether it keeps a row out of the accepted bars: its kind does and nobody accepted the row,
    /// or somebody rejected it. Never for a row that is left out as unverifiable anyway.
    pub fn quarantines(&self) -> bool {
        let about_a_row = self.opened_at.is_some() || self.kind.quarantines();
        !self.unverifiable
            && match self.decision {
                Some(Verdict::Accept) => false,
                Some(Verdict::Reject) => about_a_row,
                None => self.kind.quarantines(),
            }
    }

    /// Whether it costs its row or day a part of the score: nobody accepted it, and it can be
    /// verified.
    pub fn counts(&self) -> bool {
        !self.unverifiable && self.decision != Some(Verdict::Accept)
    }

    /// Whether its row or day is lost: kept out, or missing.
    pub fn costs(&self) -> bool {
        self.quarantines() || (self.counts() && self.severity() == Severity::Error)
    }
}

/// Something found outside the validator, such as by comparing two sources, that is to be reported
/// with its findings and to weigh like them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remark {
    /// The time stamp of the row it is about; `None` when `day` says it, or it is about the series.
    pub opened_at: Option<Timestamp>,
    /// The day it is about; for daily bars as good as the time stamp.
    pub day: Option<Date>,
    /// What was found.
    #[serde(flatten)]
    pub kind: FindingKind,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know; nothing is wrong.
    Info,
    /// The row is kept and deserves a look.
    Warning,
    /// The row is quarantined, or a session is missing: it counts against the score.
    Error,
}

impl Severity {
    /// The word used in the store, the API and on the terminal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which of the prices of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceField {
    /// The first price.
    Open,
    /// The highest price.
    High,
    /// The lowest price.
    Low,
    /// The last price.
    Close,
}

impl PriceField {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
        }
    }
}

impl fmt::Display for PriceField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What the rows after an impossible move say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveOutcome {
    /// The close was possible and only the high or the low was not, or the next row is back where
    /// the move began: one bad row, and returns may be computed across it.
    CameBack,
    /// The next row stays at the new level: an event that nobody told us of. No return may be
    /// computed across it.
    StayedThere,
    /// No row follows, so nothing more can be said.
    LastRow,
}

/// Where an intraday bar outside the session lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OffHours {
    /// Before the first phase of the day.
    BeforeSession,
    /// In the break between two sessions.
    Break,
    /// After the last phase of the day.
    AfterSession,
}

impl fmt::Display for OffHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::BeforeSession => "before the session",
            Self::Break => "in the break between the sessions",
            Self::AfterSession => "after the session",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.day {
            Some(day) => write!(f, "{day}: {}", self.kind),
            None => self.kind.fmt(f),
        }
    }
}
