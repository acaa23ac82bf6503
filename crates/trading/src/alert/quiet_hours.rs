//! Hours in which nobody is disturbed, by the clock on the wall in Istanbul.

use bist_market::bar::istanbul;
use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

/// From one time of the day to another, past midnight where the second is not the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct QuietHours {
    from: Time,
    to: Time,
}

/// Hours that begin when they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("quiet_hours begin and end at the same time; give two times, or no quiet hours")]
pub struct QuietHoursError;

impl QuietHours {
    /// From `from` on until before `to`.
    ///
    /// # Errors
    ///
    /// [`QuietHoursError`] when both are the same.
    pub fn new(from: Time, to: Time) -> Result<Self, QuietHoursError> {
        if from == to { Err(QuietHoursError) } else { Ok(Self { from, to }) }
    }

    /// When they begin.
    pub const fn from(self) -> Time {
        self.from
    }

    /// When they end.
    pub const fn to(self) -> Time {
        self.to
    }

    /// When the quiet hours end that hold at `now`; `None` while none do.
    pub fn end(self, now: Timestamp) -> Option<Timestamp> {
        let local = istanbul().to_datetime(now);
        let time = local.time();
        let is_over_midnight = self.to <= self.from;
        let is_quiet = if is_over_midnight {
            time >= self.from || time < self.to
        } else {
            (self.from..self.to).contains(&time)
        };
        if !is_quiet {
            return None;
        }
        let ends_tomorrow = is_over_midnight && time >= self.from;
        let day = if ends_tomorrow { local.date().tomorrow().ok()? } else { local.date() };
        istanbul().to_timestamp(day.to_datetime(self.to)).ok()
    }
}

/// Hours as they were written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    from: Time,
    to: Time,
}

impl TryFrom<Unchecked> for QuietHours {
    type Error = QuietHoursError;

    fn try_from(written: Unchecked) -> Result<Self, Self::Error> {
        Self::new(written.from, written.to)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    #[track_caller]
    fn check(from: i8, to: i8, now: &str, ends: Option<&str>) {
        let hours = QuietHours::new(time(from, 0, 0, 0), time(to, 0, 0, 0)).unwrap();
        let expected = ends.map(|text| text.parse::<Timestamp>().unwrap());
        assert_eq!(hours.end(now.parse().unwrap()), expected, "{from}-{to} at {now}");
    }

    #[test]
    fn hours_are_those_of_istanbul_and_go_past_midnight() {
        // Istanbul is three hours ahead of UTC.
        check(22, 8, "2026-11-24T18:59:59Z", None);
        check(22, 8, "2026-11-24T19:00:00Z", Some("2026-11-25T05:00:00Z"));
        check(22, 8, "2026-11-24T22:00:00Z", Some("2026-11-25T05:00:00Z"));
        check(22, 8, "2026-11-25T04:59:59Z", Some("2026-11-25T05:00:00Z"));
        check(22, 8, "2026-11-25T05:00:00Z", None);
        check(12, 13, "2026-11-24T09:30:00Z", Some("2026-11-24T10:00:00Z"));
        check(12, 13, "2026-11-24T10:00:00Z", None);
        // Until 2016 Istanbul had summer time: midnight was at 22:00 UTC in January.
        check(22, 8, "2015-01-10T20:00:00Z", Some("2015-01-11T06:00:00Z"));
        assert_eq!(QuietHours::new(Time::midnight(), Time::midnight()), Err(QuietHoursError));
    }

    #[test]
    fn hours_that_begin_when_they_end_are_not_read() {
        let read = |to: &str| {
            let document = format!(r#"{{"from":"22:00:00","to":"{to}"}}"#);
            serde_json::from_str::<QuietHours>(&document)
        };
        let hours = QuietHours::new(time(22, 0, 0, 0), time(8, 0, 0, 0)).unwrap();
        assert_eq!(read("08:00:00").unwrap(), hours);
        let error = read("22:00:00").unwrap_err().to_string();
        assert_eq!(error, QuietHoursError.to_string());
    }
}
