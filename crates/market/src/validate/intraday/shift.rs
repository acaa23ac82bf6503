//! Days whose bars lie beside the session as a whole: another time zone taken for Istanbul's.
//!
//! A shift by so many hours is found on a day when it brings every bar into the session, when at
//! least one bar lies outside without it, and when it mends at least two faults: bars outside the
//! session, or intervals of continuous trading without a bar. It is believed when sessions in a row
//! say the same, as one day alone may be a halt or a mistake of another kind. Where several shifts
//! mend as much, the one that brings the first bar to where it is on sound days is taken; where no
//! day is sound, Istanbul's distance from Greenwich, and then the shortest. Hourly bars that are an
//! hour early are not found: the bar that would be the opening auction's touches the session.

use super::hours::off_hours;
use super::{Session, Slot};
use crate::bar::istanbul;
use crate::validate::{FindingKind, Remark};

/// How many sessions in a row must be shifted alike, or all there are.
const DAYS_MIN: usize = 3;

/// The shifts that are tried, hours by which the bars are late; the nearest first.
const HOURS: i32 = 12;

/// Names the bars of shifted days, and returns the days that are in place.
pub(super) fn check<'a>(
    days: &[Session<'a>],
    minutes: u16,
    remarks: &mut Vec<Remark>,
) -> Vec<Session<'a>> {
    let interval_s = i32::from(minutes) * 60;
    let sound =
        |day: &&Session<'_>| Faults::of(day, 0, &continuous_intervals(day, interval_s)).sum() == 0;
    let usual_first_s = days.iter().find(sound).map(|day| day.slots[0].begins_s);
    let shifts: Vec<_> =
        days.iter().map(|day| (day, shift_of(day, interval_s, usual_first_s))).collect();
    let mut in_place = Vec::with_capacity(days.len());
    for run in shifts.chunk_by(|a, b| a.1 == b.1) {
        let (first, last) = (run[0].0.day, run[run.len() - 1].0.day);
        match run[0].1.and_then(|hours| i16::try_from(hours * 60).ok()) {
            Some(shift_minutes) if run.len() >= DAYS_MIN.min(days.len()) => {
                let kind = FindingKind::TimeZoneShift { shift_minutes, from: first, to: last };
                let slots = run.iter().flat_map(|(day, _)| day.slots);
                remarks.extend(slots.map(|slot| slot.remark(kind.clone())));
            }
            _ => in_place.extend(run.iter().map(|(day, _)| **day)),
        }
    }
    in_place
}

/// By how many hours the bars of a day are late, if they are; `usual_first_s` is where the first
/// bar of a sound day begins.
fn shift_of(day: &Session<'_>, interval_s: i32, usual_first_s: Option<i32>) -> Option<i32> {
    let expected = continuous_intervals(day, interval_s);
    let as_they_are = Faults::of(day, 0, &expected);
    // Few bars say little: a share that hardly trades fits many shifts.
    if as_they_are.outside == 0 || day.slots.len() * 2 < expected.len() {
        return None;
    }
    let first = &day.slots[0];
    let from_greenwich = istanbul().to_offset(first.raw.opened_at).seconds() / 3_600;
    let preference = |hours: i32| {
        let unusual_s =
            usual_first_s.map(|usual_s| (first.begins_s - hours * 3_600 - usual_s).abs());
        (unusual_s, hours.abs() != from_greenwich, hours.abs())
    };
    (1..=HOURS)
        .flat_map(|hours| [hours, -hours])
        .map(|hours| (hours, Faults::of(day, hours, &expected)))
        .filter(|(_, faults)| faults.outside == 0 && faults.sum() + 2 <= as_they_are.sum())
        .min_by_key(|(hours, faults)| (faults.sum(), preference(*hours)))
        .map(|(hours, _)| hours)
}

/// The beginnings of the intervals that lie in continuous trading as a whole, counted from the
/// first bar's place in its interval, seconds since midnight.
fn continuous_intervals(day: &Session<'_>, interval_s: i32) -> Vec<i32> {
    let offset_s = day.slots[0].begins_s.rem_euclid(interval_s);
    let mut intervals = Vec::new();
    for (begins_s, ends_s) in day.continuous() {
        let mut next = begins_s + (offset_s - begins_s).rem_euclid(interval_s);
        while next + interval_s <= ends_s {
            intervals.push(next);
            next += interval_s;
        }
    }
    intervals
}

/// What is wrong with a day when its bars are moved.
struct Faults {
    outside: usize,
    empty: usize,
}

impl Faults {
    fn of(day: &Session<'_>, late_hours: i32, expected: &[i32]) -> Self {
        let moved: Vec<Slot<'_>> =
            day.slots.iter().map(|slot| slot.earlier_by(late_hours * 3_600)).collect();
        let begins_at =
            |begins_s: &i32| moved.binary_search_by_key(begins_s, |s| s.begins_s).is_ok();
        Self {
            outside: moved.iter().filter(|slot| off_hours(day, slot).is_some()).count(),
            empty: expected.iter().filter(|begins_s| !begins_at(begins_s)).count(),
        }
    }

    const fn sum(&self) -> usize {
        self.outside + self.empty
    }
}
