//! The hours of one session, cut into bars of an hour.
//!
//! Nothing is supposed of the minute at which a source begins its hours: the bar that holds the
//! beginning of the session's last phase is the last of the session, so that the closing auction
//! belongs to it, and bars are counted back and forth from there in steps of an hour.

use jiff::civil::{Date, Time};

use crate::calendar::{Calendar, DayKind};
use crate::exchange_rules::{ExchangeRules, PhaseKind};

/// Minutes that a bar covers.
const BAR_MINUTES: i32 = 60;

/// When a session begins and ends, Istanbul time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionHours {
    opens: Time,
    last_phase_begins: Time,
    ends: Time,
}

impl SessionHours {
    /// The hours of the session on `day`; `None` when there is none, or its hours are not known.
    pub fn on(day: Date, calendar: &Calendar, rules: &ExchangeRules) -> Option<Self> {
        let DayKind::Session { session } = calendar.day(day) else { return None };
        let phases = rules.timetable(day, session)?.phases;
        let continuous = phases.iter().find(|phase| phase.phase == PhaseKind::Continuous)?;
        let last = phases.last()?;
        Some(Self { opens: continuous.begins, last_phase_begins: last.begins, ends: last.ends })
    }

    /// How many bars follow the one that opens at `time` in the session; zero for the last of it and
    /// for times after it.
    pub fn bars_after(&self, time: Time) -> u8 {
        hours(minutes(self.last_phase_begins) - minutes(time))
    }

    /// The number of the bar that opens at `time`, one for the first of continuous trading; zero for
    /// times before it.
    pub fn number_of(&self, time: Time) -> u8 {
        hours(minutes(time) - minutes(self.opens) + BAR_MINUTES)
    }

    /// When the bar that opens at `time` ends: after an hour, and the last of the session with the
    /// session.
    pub fn bar_ends(&self, time: Time) -> Time {
        if self.bars_after(time) == 0 { self.ends } else { later(time, 1) }
    }

    /// When continuous trading begins.
    pub const fn opens(&self) -> Time {
        self.opens
    }

    /// When the session ends.
    pub const fn ends(&self) -> Time {
        self.ends
    }
}

/// The time `bars` bars of an hour after `time`; the last time of the day when that is beyond it.
pub fn later(time: Time, bars: u8) -> Time {
    time.saturating_add(jiff::SignedDuration::from_mins(i64::from(BAR_MINUTES) * i64::from(bars)))
}

/// `2026-11-24`, and with a time `2026-11-24T17:00`: the order of such texts is that of time.
pub fn moment_text(day: Date, time: Option<Time>) -> String {
    match time {
        None => day.to_string(),
        Some(time) => format!("{day}T{}", time.strftime("%H:%M")),
    }
}

/// Minutes since midnight.
fn minutes(time: Time) -> i32 {
    i32::from(time.hour()) * 60 + i32::from(time.minute())
}

/// Whole hours of `minutes`, none when they are negative.
fn hours(minutes: i32) -> u8 {
    u8::try_from(minutes / BAR_MINUTES).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn hours_of(day: Date) -> Option<SessionHours> {
        SessionHours::on(day, Calendar::bist(), ExchangeRules::bist())
    }

    #[test]
    fn a_full_day_has_nine_bars_and_the_closing_auction_is_the_last() {
        let hours = hours_of(date(2025, 6, 4)).unwrap();
        let bars = (10..=18).map(|hour| {
            let opens = time(hour, 0, 0, 0);
            (hours.number_of(opens), hours.bars_after(opens))
        });
        let expected: Vec<(u8, u8)> = (1..=9).map(|number| (number, 9 - number)).collect();
        assert_eq!(bars.collect::<Vec<_>>(), expected);
        assert_eq!(hours.bar_ends(time(17, 0, 0, 0)), time(18, 0, 0, 0));
        assert_eq!(hours.bar_ends(time(18, 0, 0, 0)), time(18, 10, 0, 0));
    }

    #[test]
    fn a_half_day_has_three_and_its_closing_phases_are_in_the_third() {
        let hours = hours_of(date(2025, 6, 5)).unwrap();
        let after = |hour| hours.bars_after(time(hour, 0, 0, 0));
        assert_eq!((after(10), after(11), after(12), after(13)), (2, 1, 0, 0));
        assert_eq!(hours.bar_ends(time(12, 0, 0, 0)), time(12, 40, 0, 0));
    }

    #[test]
    fn a_source_may_begin_its_hours_at_another_minute() {
        let hours = hours_of(date(2025, 6, 4)).unwrap();
        let (first, last) = (time(9, 30, 0, 0), time(17, 30, 0, 0));
        assert_eq!((hours.number_of(first), hours.bars_after(first)), (0, 8));
        assert_eq!((hours.bars_after(last), hours.bar_ends(last)), (0, time(18, 10, 0, 0)));
    }

    #[test]
    fn no_session_has_no_hours() {
        assert_eq!(hours_of(date(2025, 6, 6)), None);
        // The hours of half days of these years were not found.
        assert_eq!(hours_of(date(2018, 6, 14)), None);
    }
}
