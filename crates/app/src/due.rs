//! When a run by the calendar was due last, and is due next.

use bist_market::bar::day_of;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

/// How far back a missed run is looked for, and ahead the next one; the longest closure of the
/// exchange is ten days.
const DAYS_LOOKED_AT: i32 = 40;

/// The newest of the instants that `due_at` gives for days which is not after `now`, and its day.
pub(crate) fn last(
    now: Timestamp,
    due_at: impl Fn(Date) -> Option<Timestamp>,
) -> Option<(Date, Timestamp)> {
    let today = day_of(now);
    (0..DAYS_LOOKED_AT)
        .filter_map(|back| today.checked_sub(back.days()).ok())
        .find_map(|day| due_at(day).filter(|due| *due <= now).map(|due| (day, due)))
}

/// The first of those instants after `now`.
pub(crate) fn next(
    now: Timestamp,
    due_at: impl Fn(Date) -> Option<Timestamp>,
) -> Option<Timestamp> {
    let today = day_of(now);
    (0..DAYS_LOOKED_AT)
        .filter_map(|ahead| today.checked_add(ahead.days()).ok())
        .find_map(|day| due_at(day).filter(|due| *due > now))
}
