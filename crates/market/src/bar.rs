//! Bars: as received from a source, and as they are once they have been checked.

use std::fmt;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::instrument::Symbol;
use crate::price::Price;
use crate::quantity::Shares;

/// The length of time that a bar covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Interval {
    /// One session.
    Daily,
    /// This many minutes, at least one and less than a day.
    Minutes(u16),
}

/// Why a text is not an interval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an interval: expected 1d, or minutes such as 60m")]
pub struct IntervalError(String);

impl Interval {
    /// One hour.
    pub const HOURLY: Self = Self::Minutes(60);

    /// Reads `1d` or minutes such as `60m`.
    ///
    /// # Errors
    ///
    /// [`IntervalError`] for anything else, for zero minutes and for a day or more of minutes.
    pub fn parse(text: &str) -> Result<Self, IntervalError> {
        if text == "1d" {
            return Ok(Self::Daily);
        }
        match text.strip_suffix('m').and_then(|digits| digits.parse().ok()) {
            Some(minutes @ 1..1440) => Ok(Self::Minutes(minutes)),
            _ => Err(IntervalError(text.to_owned())),
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daily => f.write_str("1d"),
            Self::Minutes(minutes) => write!(f, "{minutes}m"),
        }
    }
}

impl TryFrom<String> for Interval {
    type Error = IntervalError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> Self {
        interval.to_string()
    }
}

/// One bar as a source gave it: numbers, but not yet believed.
///
/// Prices are in units of 0.0001 TRY and may be nonsense (zero, negative, low above high); saying
/// so is the work of [`crate::validate()`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RawBar {
    /// The beginning of the bar; for a daily bar, midnight in Istanbul ([`midnight_of`]).
    pub opened_at: Timestamp,
    /// First price, units of 0.0001 TRY; `None` when the source has none, and none is made up.
    pub open_units: Option<i64>,
    /// Highest price, units of 0.0001 TRY.
    pub high_units: i64,
    /// Lowest price, units of 0.0001 TRY.
    pub low_units: i64,
    /// Last price, units of 0.0001 TRY.
    pub close_units: i64,
    /// The vendor's close adjusted for splits and dividends, lira, if it gave one. Only its ratio
    /// to the close is ever used; it is a statistic and not a price anyone paid, hence a float.
    pub adjusted_close: Option<f64>,
    /// Shares traded, if the source says; may be negative in bad data.
    pub volume_shares: Option<i64>,
}

impl RawBar {
    /// The day in Istanbul on which the bar began.
    pub fn day(&self) -> Date {
        day_of(self.opened_at)
    }
}

/// One bar that passed the checks: `low <= open, close <= high`, all positive.
///
/// Made by [`crate::validate()`] only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// The day in Istanbul on which the bar began.
    pub day: Date,
    /// The beginning of the bar; for a daily bar, midnight in Istanbul.
    pub opened_at: Timestamp,
    /// First price; `None` when the source has none.
    pub open: Option<Price>,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// The vendor's adjusted close, lira; positive.
    pub adjusted_close: Option<f64>,
    /// Shares traded; `None` when the source did not say.
    pub volume: Option<Shares>,
}

impl Bar {
    /// The time in Istanbul at which the bar began; midnight for a daily bar.
    pub fn opening_time(&self) -> Time {
        istanbul().to_datetime(self.opened_at).time()
    }

    /// The bar with each price as far below `anchor` lira as it was above, in proportion, and another
    /// volume; as it is where such a price is beyond all prices.
    pub(crate) fn mirrored(&self, anchor: f64) -> Self {
        self.try_mirrored(anchor).unwrap_or(*self)
    }

    fn try_mirrored(&self, anchor: f64) -> Option<Self> {
        let mirror = |price: Price| Price::nearest(anchor * anchor / price.lira());
        let open = match self.open {
            Some(open) => Some(mirror(open)?),
            None => None,
        };
        let close = mirror(self.close)?;
        let factor = close.lira() / self.close.lira();
        Some(Self {
            open,
            high: mirror(self.low)?,
            low: mirror(self.high)?,
            close,
            adjusted_close: self.adjusted_close.map(|adjusted| adjusted * factor),
            volume: self.volume.map(|shares| Shares(shares.0.saturating_mul(2).saturating_add(1))),
            ..*self
        })
    }
}

/// The bars of one symbol as received, in no promised order.
#[derive(Clone, Debug, PartialEq)]
pub struct BarSeries {
    /// Whose bars these are.
    pub symbol: Symbol,
    /// What each bar covers.
    pub interval: Interval,
    /// The bars.
    pub bars: Vec<RawBar>,
}

/// The exchange's time zone, Europe/Istanbul.
///
/// # Panics
///
/// Never: the database of time zones is compiled into the binary.
pub fn istanbul() -> &'static TimeZone {
    static ISTANBUL: OnceLock<TimeZone> = OnceLock::new();
    ISTANBUL.get_or_init(|| {
        TimeZone::get("Europe/Istanbul").expect("the bundled time zone database has Istanbul")
    })
}

/// The day in Istanbul at `at`.
pub fn day_of(at: Timestamp) -> Date {
    istanbul().to_datetime(at).date()
}

/// Midnight in Istanbul at the beginning of `day`: the instant that stands for a daily bar.
///
/// # Panics
///
/// When `day` is at the very end of the years that time stamps can hold (-9999 to 9999).
pub fn midnight_of(day: Date) -> Timestamp {
    istanbul()
        .to_timestamp(day.to_datetime(Time::midnight()))
        .expect("a trading day is within the range of time")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_survives_the_way_to_an_instant_and_back() {
        // Summer time before 2016, its late end in 2015, and the fixed offset since.
        for day in [
            date(2010, 3, 28),
            date(2015, 11, 8),
            date(2016, 3, 27),
            date(2017, 1, 2),
            date(2026, 11, 24),
        ] {
            assert_eq!(day_of(midnight_of(day)), day);
        }
        assert_eq!(midnight_of(date(2026, 11, 24)).to_string(), "2026-11-23T21:00:00Z");
    }

    #[test]
    fn intervals_are_read_and_written_alike() {
        for text in ["1d", "1m", "60m"] {
            assert_eq!(Interval::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "0m", "1440m", "1h", "d"] {
            assert!(Interval::parse(text).is_err(), "{text:?}");
        }
    }
}
