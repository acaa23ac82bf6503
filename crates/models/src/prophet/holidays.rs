//! The exchange's closures as columns of a regression.
//!
//! A closed day has no row, so that its effect can only show on the sessions beside it.

use bist_market::calendar::{Calendar, DayKind, SessionKind};
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

/// How many columns [`closure_columns`] gives.
pub(crate) const COLUMNS_COUNT: usize = 3;

/// Three columns of zeros and ones, one value a day: sessions whose next weekday is closed, half
/// days, and sessions whose previous weekday was closed. Days that the calendar does not cover count
/// as ordinary.
pub(crate) fn closure_columns(calendar: &Calendar, days: &[Date]) -> Vec<Vec<f64>> {
    let column = |holds: &dyn Fn(Date) -> bool| {
        days.iter().map(|&day| if holds(day) { 1.0 } else { 0.0 }).collect()
    };
    let closed_beside = |day: Date, step_days: i64| {
        let beside = (1..=3)
            .map(|steps| day.saturating_add((step_days * steps).days()))
            .find(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday));
        beside.is_some_and(|day| matches!(calendar.day(day), DayKind::Closed { .. }))
    };
    let half = DayKind::Session { session: SessionKind::Half };
    vec![
        column(&|day| closed_beside(day, 1)),
        column(&|day| calendar.day(day) == half),
        column(&|day| closed_beside(day, -1)),
    ]
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn sessions_beside_a_closure_are_marked() {
        // Ramadan feast 2024: a half day on Tuesday 9 April, closed until Friday 12 April.
        let days = [
            date(2024, 4, 8),
            date(2024, 4, 9),
            date(2024, 4, 15),
            date(2024, 4, 16),
            // A Friday before an ordinary weekend, and the first and last days of the calendar.
            date(2024, 3, 8),
            date(2000, 1, 3),
            date(2026, 12, 31),
        ];
        let expected = [
            [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
        ];
        assert_eq!(closure_columns(Calendar::bist(), &days), expected);
    }
}
