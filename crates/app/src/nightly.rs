//! The nightly ingest: when it is due, and the run itself.
//!
//! Due after each session at 18:40 Istanbul time, on half days at 13:30, when the exchange's
//! bulletin and the vendors have the day. A run that was missed, because the machine was off, is
//! made up as soon as the program runs again; a run is claimed in the store, so that of several
//! processes one does it.

use bist_market::SessionKind;
use bist_market::bar::{day_of, istanbul};
use bist_market::calendar::{Calendar, DayKind};
use jiff::civil::{Date, Time, time};
use jiff::{Timestamp, ToSpan};

/// Local time of the run after a full session.
const AFTER_FULL_SESSION: Time = time(18, 40, 0, 0);

/// Local time of the run after a half session.
const AFTER_HALF_SESSION: Time = time(13, 30, 0, 0);

/// How far back a missed run is looked for, and ahead the next one; the longest closure of the
/// exchange is ten days.
const DAYS_LOOKED_AT: i32 = 40;

/// When the data of the session of `day` should be fetched; `None` when there is no session, or the
/// calendar does not know.
pub fn due_at(day: Date, calendar: &Calendar) -> Option<Timestamp> {
    let DayKind::Session { session } = calendar.day(day) else { return None };
    let at = match session {
        SessionKind::Full => AFTER_FULL_SESSION,
        SessionKind::Half => AFTER_HALF_SESSION,
    };
    istanbul().to_timestamp(day.to_datetime(at)).ok()
}

/// The newest run that is due at `now`: the session it is for, and the instant it was due.
pub fn last_due(now: Timestamp, calendar: &Calendar) -> Option<(Date, Timestamp)> {
    let today = day_of(now);
    (0..DAYS_LOOKED_AT)
        .filter_map(|back| today.checked_sub(back.days()).ok())
        .find_map(|day| due_at(day, calendar).filter(|due| *due <= now).map(|due| (day, due)))
}

/// The first run after `now`.
pub fn next_due(now: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    let today = day_of(now);
    (0..DAYS_LOOKED_AT)
        .filter_map(|ahead| today.checked_add(ahead.days()).ok())
        .find_map(|day| due_at(day, calendar).filter(|due| *due > now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(now: &str, last: &str, next: &str) {
        let (calendar, now) = (Calendar::bist(), now.parse().unwrap());
        assert_eq!(last_due(now, calendar).unwrap().1.to_string(), last, "last at {now}");
        assert_eq!(next_due(now, calendar).unwrap().to_string(), next, "next at {now}");
    }

    #[test]
    fn a_run_follows_each_session() {
        // A Tuesday, a minute before and at 18:40 in Istanbul.
        check("2026-11-24T15:39:59Z", "2026-11-23T15:40:00Z", "2026-11-24T15:40:00Z");
        check("2026-11-24T15:40:00Z", "2026-11-24T15:40:00Z", "2026-11-25T15:40:00Z");
    }

    #[test]
    fn a_half_day_is_fetched_at_noon_and_a_holiday_not_at_all() {
        // 28 October 2026 is a half day, the 29th a holiday, the 30th a Friday.
        check("2026-10-28T10:30:00Z", "2026-10-28T10:30:00Z", "2026-10-30T15:40:00Z");
        check("2026-10-29T20:00:00Z", "2026-10-28T10:30:00Z", "2026-10-30T15:40:00Z");
    }

    #[test]
    fn a_weekend_has_no_run_and_remembers_the_missed_one() {
        check("2026-11-22T12:00:00Z", "2026-11-20T15:40:00Z", "2026-11-23T15:40:00Z");
    }

    #[test]
    fn summer_time_before_2016_moves_the_instant_not_the_clock() {
        check("2015-07-01T15:40:00Z", "2015-07-01T15:40:00Z", "2015-07-02T15:40:00Z");
        check("2015-01-05T16:40:00Z", "2015-01-05T16:40:00Z", "2015-01-06T16:40:00Z");
    }

    #[test]
    fn beyond_the_calendar_nothing_is_due() {
        let (calendar, now) = (Calendar::bist(), "2027-06-01T12:00:00Z".parse().unwrap());
        assert!(last_due(now, calendar).is_none() && next_due(now, calendar).is_none());
    }
}
