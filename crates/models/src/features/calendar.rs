//! Where a session stands in the week, the month and the exchange's year.

use bist_market::calendar::{Calendar, DayKind, SessionKind};
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

use super::FeatureTemplate;

/// What [`of_day`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureTemplate; 6] = [
    FeatureTemplate {
        name: "day_of_week",
        formula: "1 for Monday to 5 for Friday",
        source: "French (1980), the weekend effect",
    },
    FeatureTemplate {
        name: "month_end_distance",
        formula: "weekdays left in the month after the session, holidays counted as weekdays",
        source: "Ariel (1987), the turn of the month",
    },
    FeatureTemplate {
        name: "half_day_next",
        formula: "1 when the next session is a half day, else 0",
        source: "calendar of the exchange",
    },
    FeatureTemplate {
        name: "sessions_since_closure",
        formula: "sessions since the last gap of more than three days between sessions, 0 on the \
                  first after it",
        source: "calendar of the exchange",
    },
    FeatureTemplate {
        name: "session_of_week",
        formula: "1 on the first session of the week, 2 on the second, and so on",
        source: "calendar of the exchange",
    },
    FeatureTemplate {
        name: "closure_next",
        formula: "1 when more than three days pass until the next session, else 0",
        source: "calendar of the exchange",
    },
];

/// The features of [`DEFINITIONS`] for `day`.
pub(crate) fn of_day(calendar: &Calendar, day: Date) -> [f64; 6] {
    [
        f64::from(day.weekday().to_monday_one_offset()),
        f64::from(weekdays_left(day)),
        half_day_next(calendar, day),
        sessions_since_closure(calendar, day),
        session_of_week(calendar, day),
        closure_next(calendar, day),
    ]
}

fn weekdays_left(day: Date) -> u8 {
    let left = day
        .series(1.day())
        .skip(1)
        .take_while(|later| later.month() == day.month())
        .filter(|later| !matches!(later.weekday(), Weekday::Saturday | Weekday::Sunday))
        .count();
    u8::try_from(left).expect("a month has at most 23 weekdays")
}

fn half_day_next(calendar: &Calendar, day: Date) -> f64 {
    match calendar.next_session(day).map(|next| calendar.day(next)) {
        Some(DayKind::Session { session: SessionKind::Half }) => 1.0,
        Some(_) => 0.0,
        None => f64::NAN,
    }
}

fn session_of_week(calendar: &Calendar, day: Date) -> f64 {
    let monday = day.saturating_sub(i32::from(day.weekday().to_monday_zero_offset()).days());
    calendar.sessions(monday, day).map(|_| 1.0).sum()
}

fn closure_next(calendar: &Calendar, day: Date) -> f64 {
    match calendar.next_session(day) {
        Some(next) if is_long(day, next) => 1.0,
        Some(_) => 0.0,
        None => f64::NAN,
    }
}

/// Whether more than three days lie between two sessions that follow each other.
fn is_long(day: Date, next: Date) -> bool {
    day.saturating_add(3.days()) < next
}

/// How many sessions before `day` the last long closure ended; NaN without one before it, and for a
/// day that is no session.
fn sessions_since_closure(calendar: &Calendar, day: Date) -> f64 {
    if !calendar.is_session(day) {
        return f64::NAN;
    }
    let mut count = 0.0;
    let mut later = day;
    while let Some(session) = calendar.previous_session(later) {
        if is_long(session, later) {
            return count;
        }
        count += 1.0;
        later = session;
    }
    f64::NAN
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn features(days: [Date; 3]) -> [[f64; 6]; 3] {
        days.map(|day| of_day(Calendar::bist(), day))
    }

    #[test]
    fn a_session_knows_its_place_in_week_month_and_year() {
        let [friday, eve, after] =
            features([date(2024, 10, 25), date(2024, 10, 28), date(2024, 10, 30)]);
        // Four weekdays follow in October, and Monday 28 October is a half day.
        assert_eq!(friday[..3], [5.0, 4.0, 1.0]);
        assert_eq!(eve[..3], [1.0, 3.0, 0.0]);
        // The Republic Day alone is not a long closure.
        assert_eq!(after[3..4], [eve[3] + 1.0]);
        // Monday is the first session of its week, and Wednesday the second, for Tuesday was closed.
        assert_eq!((&friday[4..], &eve[4..]), (&[5.0, 0.0][..], &[1.0, 0.0][..]));
        assert_eq!(after[4..], [2.0, 0.0]);
    }

    #[test]
    fn the_count_begins_anew_after_a_long_closure() {
        // Ramadan feast 2024: closed from 9 April noon to 12 April.
        let [before, first, second] =
            features([date(2024, 4, 9), date(2024, 4, 15), date(2024, 4, 16)]);
        assert_eq!((&first[3..4], &second[3..4]), (&[0.0][..], &[1.0][..]));
        assert_eq!((&before[5..], &first[5..]), (&[1.0][..], &[0.0][..]));
        assert!(before[3] > 10.0);
    }
}
