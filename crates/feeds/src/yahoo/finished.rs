//! Whether a bar is finished, or still growing while the session runs.

use bist_market::bar::{istanbul, midnight_of};
use bist_market::exchange_rules::ExchangeRules;
use bist_market::{Interval, RawBar};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::ticker::Kind;

/// Yahoo's prices of the exchange are a quarter of an hour old, and its volumes settle a little
/// later.
const DELAY: SignedDuration = SignedDuration::from_mins(30);

/// Whether nothing more can be added to `bar` at `now`.
///
/// A day of the exchange is finished when its session has ended, by the timetable in force on it;
/// where the timetable is not known, and for rates, which are traded around the clock, when the day
/// has. Yahoo's delay is waited for.
pub(super) fn is_finished(bar: &RawBar, interval: Interval, kind: Kind, now: Timestamp) -> bool {
    // Whatever the bar, so that the timetable is looked up for the newest rows only.
    if now.duration_since(bar.opened_at) > SignedDuration::from_hours(48) {
        return true;
    }
    let ends_at = match interval {
        Interval::Daily => match kind {
            Kind::Listed => session_end(bar.day()),
            Kind::Rate => day_end(bar.day()),
        },
        Interval::Minutes(minutes) => {
            bar.opened_at.checked_add(SignedDuration::from_mins(i64::from(minutes))).ok()
        }
    };
    ends_at.and_then(|end| end.checked_add(DELAY).ok()).is_some_and(|end| end <= now)
}

/// When the last phase of the session ends.
fn session_end(day: Date) -> Option<Timestamp> {
    let rules = ExchangeRules::bist().rules_on(day, None);
    let timetable = rules.timetable.as_ref().and_then(|rule| rule.value());
    match timetable.and_then(|timetable| timetable.phases.last()) {
        Some(phase) => istanbul().to_timestamp(day.to_datetime(phase.ends)).ok(),
        None => day_end(day),
    }
}

fn day_end(day: Date) -> Option<Timestamp> {
    day.tomorrow().ok().map(midnight_of)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[track_caller]
    fn check(day: Date, interval: Interval, kind: Kind, now: &str, expected: bool) {
        let bar = RawBar {
            opened_at: midnight_of(day),
            open_units: None,
            high_units: 1,
            low_units: 1,
            close_units: 1,
            adjusted_close: None,
            volume_shares: None,
        };
        assert_eq!(is_finished(&bar, interval, kind, now.parse().unwrap()), expected, "{now}");
    }

    #[test]
    fn a_day_is_finished_when_its_session_is() {
        let full = date(2025, 10, 30);
        check(full, Interval::Daily, Kind::Listed, "2025-10-30T18:39:00+03:00", false);
        check(full, Interval::Daily, Kind::Listed, "2025-10-30T18:40:00+03:00", true);
        // The eve of Republic Day ends at noon.
        let half = date(2025, 10, 28);
        check(half, Interval::Daily, Kind::Listed, "2025-10-28T13:00:00+03:00", false);
        check(half, Interval::Daily, Kind::Listed, "2025-10-28T13:10:00+03:00", true);
        // The hours of this half day are not known.
        let unknown = date(2017, 8, 31);
        check(unknown, Interval::Daily, Kind::Listed, "2017-08-31T20:00:00+03:00", false);
        check(unknown, Interval::Daily, Kind::Listed, "2017-09-01T00:30:00+03:00", true);
        check(full, Interval::Daily, Kind::Rate, "2025-10-30T23:59:00+03:00", false);
        check(full, Interval::Daily, Kind::Rate, "2025-10-31T00:30:00+03:00", true);
    }

    #[test]
    fn minutes_are_finished_when_they_are_over() {
        let day = date(2025, 10, 30);
        let hour = Interval::Minutes(60);
        check(day, hour, Kind::Listed, "2025-10-30T01:29:59+03:00", false);
        check(day, hour, Kind::Listed, "2025-10-30T01:30:00+03:00", true);
    }
}
