//! Something that has happened, with its number.

use std::sync::OnceLock;

use bist_market::{Origin, Price, Source, Symbol};
use bist_store::SignalRecord;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::topic::Topic;
use crate::jobs::JobView;
use crate::symbols::age_s;

/// Something that has happened.
#[derive(Debug)]
pub struct Event {
    /// Its number, from one; there is none between it and the next.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// To what.
    pub topic: Topic,
    /// What.
    pub change: Change,
    text: OnceLock<Bytes>,
}

/// How something is from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// The price of a symbol.
    Price(PriceNow),
    /// The signal of a symbol.
    Signal(Box<SignalRecord>),
    /// A run of a job.
    Job(Box<JobView>),
    /// The quality of the data.
    Quality(QualityNow),
    /// The place of the newest record.
    Audit(i64),
    /// The number of the newest change of what belongs to one person.
    Personal(i64),
    /// There is no such thing any more.
    Gone,
}

/// The price of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriceNow {
    /// Whose.
    pub symbol: Symbol,
    /// Whether it is real.
    pub origin: Origin,
    /// The session of the last bar; `None` without one.
    pub as_of: Option<Date>,
    /// The close of that bar; of a session that goes on or is replayed, its last price so far.
    pub last_close: Option<Price>,
    /// The close of the bar before it.
    pub previous_close: Option<Price>,
    /// Return from the one to the other; `None` across a break in the series.
    pub change_share: Option<f64>,
    /// When it was the price: at the end of the session, or when a live source says; `None` while a
    /// session is replayed, and where the hours of the session are not known.
    pub priced_at: Option<Timestamp>,
    /// Whether it is older than it should be; `None` where that is not known.
    pub is_stale: Option<bool>,
    /// Which live source says so; `None` for what is stored or replayed.
    pub live_source: Option<Source>,
    /// Where a replay is; `None` for what the database says.
    pub replay: Option<ReplayMoment>,
}

impl PriceNow {
    /// How old the price is at `at`, whole seconds; `None` where that is not known.
    pub fn age_s(&self, at: Timestamp) -> Option<u64> {
        Some(age_s(self.priced_at?, at))
    }
}

/// How far a session is replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayMoment {
    /// The time of the session, in Istanbul.
    pub time: Time,
}

/// The quality of all that models may see.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct QualityNow {
    /// The overall score, 0..=1; `None` when nothing was validated.
    pub score_share: Option<f64>,
    /// When the validator ran last.
    pub validated_at: Option<Timestamp>,
}

impl Event {
    pub(super) fn new(seq: u64, at: Timestamp, topic: Topic, change: Change) -> Self {
        Self { seq, at, topic, change, text: OnceLock::new() }
    }

    /// The event as it is sent: written by `write` for the first who sends it, and shared by all after.
    pub fn text(&self, write: impl FnOnce(&Self) -> Bytes) -> &Bytes {
        self.text.get_or_init(|| write(self))
    }

    /// The price of this moment that it tells.
    pub(super) fn quote(&self) -> Option<&PriceNow> {
        match &self.change {
            Change::Price(now) => now.live_source.is_some().then_some(now),
            Change::Signal(_)
            | Change::Job(_)
            | Change::Quality(_)
            | Change::Audit(_)
            | Change::Personal(_)
            | Change::Gone => None,
        }
    }

    /// Whether it is of a replay.
    pub fn is_replay(&self) -> bool {
        matches!(self.change, Change::Price(PriceNow { replay: Some(_), .. }))
    }
}
