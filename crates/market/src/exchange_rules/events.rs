//! Days on which the market did not run as its rules foresee.

use jiff::civil::{Date, date};
use serde::Serialize;

/// Something that happened on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MarketEvent {
    /// The day.
    pub day: Date,
    /// What happened.
    pub text: &'static str,
    /// Where it was read.
    pub source: &'static str,
}

const EVENTS: &[MarketEvent] = &[
    MarketEvent {
        day: date(2003, 11, 20),
        text: "halted in the morning after bombs in Istanbul; the trades made until then stood",
        source: "agency report in O Estado de São Paulo of that day",
    },
    MarketEvent {
        day: date(2018, 9, 26),
        text: "system fault; trading resumed at 14:00, trades valid, resting orders cancelled",
        source: "a secondary source",
    },
    MarketEvent {
        day: date(2023, 2, 8),
        text: "index breaker at 10:12:01 and 10:42:31; halted at about 11:00, all trades cancelled",
        source: "exchange announcements, carried by a news agency",
    },
    MarketEvent {
        day: date(2025, 3, 19),
        text: "index breaker triggered",
        source: "exchange announcements, carried by a news agency",
    },
    MarketEvent {
        day: date(2025, 3, 21),
        text: "index breaker triggered",
        source: "exchange announcements, carried by a news agency",
    },
];

/// What happened on `day`.
pub(super) fn on(day: Date) -> Vec<MarketEvent> {
    EVENTS.iter().filter(|event| event.day == day).copied().collect()
}
