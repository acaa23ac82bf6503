//! Which rows can be verified, in which order they came, and which sessions are missing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::ValidationPolicy;
use super::days::Days;
use super::finding::FindingKind;
use super::notes::Notes;
use super::row::{Reach, Row, Sorted};
use crate::refused_row::RefusedRow;

/// What is said about the order in which rows came.
pub(super) fn check_order(sorted: &Sorted<'_>, notes: &mut Notes) {
    let kind = match (sorted.falls_count, sorted.rises) {
        (0, _) => return,
        (_, false) => FindingKind::NewestFirst,
        (rows_count, true) => FindingKind::OutOfOrder { rows_count },
    };
    notes.day(None, false, kind);
}

/// Up to which day rows count for nothing.
#[derive(Clone, Copy)]
pub(super) struct Horizon {
    coarse_to: Option<Date>,
    learned_from: Date,
}

impl Horizon {
    /// Whether nothing that is said of `day` counts.
    pub(super) fn is_beyond(&self, day: Date, days: &Days) -> bool {
        self.reach(day) != Reach::Whole || days.index_of(day).is_none()
    }

    fn reach(&self, day: Date) -> Reach {
        if self.coarse_to.is_some_and(|last| day <= last) {
            Reach::Coarse
        } else if day < self.learned_from {
            Reach::Early
        } else {
            Reach::Whole
        }
    }
}

/// Finds the days that count for nothing, marks their rows, and says how many they are. Rows of
/// coarse prices, and the first row behind them, are never quiet.
pub(super) fn split(
    sorted: &mut Sorted<'_>,
    refused: &[RefusedRow],
    days: &Days,
    policy: ValidationPolicy,
    notes: &mut Notes,
) -> Horizon {
    let rows = &sorted.rows;
    let may_be_coarse = sorted.least_units < policy.coarse_below_units;
    let coarse_to =
        may_be_coarse.then(|| last_coarse_day(rows, days, policy.coarse_below_units)).flatten();
    let horizon = Horizon { coarse_to, learned_from: policy.learned_from };
    let (mut before, mut after) = (Stretch::default(), Stretch::default());
    let (mut early, mut coarse) = (Stretch::default(), Stretch::default());

    let refused_days = refused.iter().filter_map(|row| row.day);
    for day in sorted.outside.iter().map(|raw| raw.day()).chain(refused_days.clone()) {
        match days.index_of(day) {
            Some(_) => {}
            None if day < days.first() => before.add(day),
            None => after.add(day),
        }
    }
    let first_whole = match rows.first() {
        Some(row) => horizon.reach(days.date(row.day())) == Reach::Whole,
        None => true,
    };
    if !first_whole {
        let mut before = Reach::Coarse;
        for row in &mut sorted.rows {
            let reach = horizon.reach(days.date(row.day()));
            row.set_reach(reach, before);
            before = reach;
        }
        sorted.find_loud();
        notes.all_quiet_plain = false;
    }
    let rows = &sorted.rows;
    let inside = refused_days.filter(|day| days.index_of(*day).is_some());
    let reaches = rows.iter().take_while(|row| row.reach != Reach::Whole);
    let reaches = reaches.map(|row| (days.date(row.day()), row.reach));
    for (day, reach) in reaches.chain(inside.map(|day| (day, horizon.reach(day)))) {
        match reach {
            Reach::Whole => {}
            Reach::Early => early.add(day),
            Reach::Coarse => coarse.add(day),
        }
    }

    let below_units = policy.coarse_below_units;
    for stretch in [before, after] {
        if let Some((from, to, rows_count)) = stretch.told() {
            notes.day(None, true, FindingKind::OutsideCalendar { from, to, rows_count });
        }
    }
    if let Some((from, to, rows_count)) = coarse.told() {
        notes.day(None, true, FindingKind::CoarsePrices { from, to, rows_count, below_units });
    }
    if let Some((from, to, rows_count)) = early.told() {
        notes.day(None, true, FindingKind::EarlyHistory { from, to, rows_count });
    }
    horizon
}

/// Some rows, by the first and last of their days.
#[derive(Clone, Copy, Default)]
struct Stretch {
    range: Option<(Date, Date)>,
    rows_count: u64,
}

impl Stretch {
    fn add(&mut self, day: Date) {
        let (from, to) = self.range.unwrap_or((day, day));
        self.range = Some((from.min(day), to.max(day)));
        self.rows_count += 1;
    }

    fn told(&self) -> Option<(Date, Date, u64)> {
        self.range.map(|(from, to)| (from, to, self.rows_count))
    }
}

/// The day of the last row with a price below the bound. A row counts only when a neighbour is at
/// most twice as high as the bound (or it stands alone): a small price among large ones is a bad
/// row, and must not cost the history before it.
fn last_coarse_day(rows: &[Row<'_>], days: &Days, below_units: i64) -> Option<Date> {
    let lowest: Vec<(usize, i64)> =
        rows.iter().filter_map(|row| Some((row.day(), row.lowest_positive_units()?))).collect();
    let coarse = |index: usize| {
        let near = |neighbour: Option<&(usize, i64)>| {
            neighbour.map(|(_, units)| *units <= below_units.saturating_mul(2))
        };
        let before = near(index.checked_sub(1).and_then(|before| lowest.get(before)));
        let after = near(lowest.get(index + 1));
        lowest[index].1 < below_units
            && (before == Some(true) || after == Some(true) || (before, after) == (None, None))
    };
    let last = (0..lowest.len()).rev().find(|index| coarse(*index))?;
    Some(days.date(lowest[last].0))
}

/// What became of the rows that the reader refused.
#[derive(Default)]
pub(super) struct Refused {
    /// Those that count as wrong, by their day; without a day first.
    pub(super) wrong: BTreeMap<Option<Date>, u64>,
    /// Those that a person accepted: no bar can be made of them, and nothing is wrong.
    pub(super) accepted_count: u64,
    /// Their days in the table, so that they are not missing as well.
    days: BTreeSet<usize>,
}

/// Notes the refused rows of days inside the calendar.
pub(super) fn check_refused(
    refused: &[RefusedRow],
    horizon: Horizon,
    days: &Days,
    notes: &mut Notes,
) -> Refused {
    let mut result = Refused::default();
    let mut copies: BTreeMap<(&str, Option<Date>), u32> = BTreeMap::new();
    for row in refused {
        let copy = copies.entry((&row.text, row.day)).or_default();
        let unverifiable = row.day.is_some_and(|day| horizon.is_beyond(day, days));
        if row.day.is_some_and(|day| days.index_of(day).is_none()) {
            continue;
        }
        result.days.extend(row.day.and_then(|day| days.index_of(day)));
        let counts = notes.refused(row, *copy, unverifiable);
        *copy += 1;
        if counts {
            *result.wrong.entry(row.day).or_default() += 1;
        } else if !unverifiable {
            result.accepted_count += 1;
        }
    }
    result
}

/// Notes the sessions between the first and the last row for which there is none, which are before
/// those that are not quiet, `loud`; returns the days of those that count.
pub(super) fn check_missing(
    rows: &[Row<'_>],
    loud: &[usize],
    refused: &Refused,
    horizon: Horizon,
    days: &Days,
    policy: ValidationPolicy,
    notes: &mut Notes,
) -> Vec<Date> {
    let mut missing = Vec::new();
    let gap_max = usize::try_from(policy.gap_sessions_max).unwrap_or(usize::MAX);
    let mut say_gap = |after: usize, until: usize| {
        let absent: Vec<Date> =
            days.sessions_inside(after, until).map(|index| days.date(index)).collect();
        let counted = |day: &Date| !horizon.is_beyond(*day, days);
        match absent.as_slice() {
            [] => {}
            [from, .., to] if absent.len() > gap_max => {
                let sessions_count = u32::try_from(absent.len()).unwrap_or(u32::MAX);
                let kind = FindingKind::SessionGap { from: *from, to: *to, sessions_count };
                if notes.day(Some(*from), !counted(to), kind) {
                    missing.extend(absent.iter().copied().filter(counted));
                }
            }
            _ => {
                for day in absent {
                    if notes.day(Some(day), !counted(&day), FindingKind::MissingSession) {
                        missing.push(day);
                    }
                }
            }
        }
    };
    let mut between = |before: usize, day: usize| {
        if day > before + 1 && days.sessions_between(before, day - 1) > 0 {
            say_gap(before, day);
        }
    };
    if refused.days.is_empty() {
        for index in loud.iter().copied().filter(|index| *index > 0) {
            between(rows[index - 1].day(), rows[index].day());
        }
    } else {
        let mut all = refused.days.clone();
        all.extend(rows.iter().map(|row| row.day()));
        all.iter().zip(all.iter().skip(1)).for_each(|(before, day)| between(*before, *day));
    }
    missing
}
