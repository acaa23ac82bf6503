//! Rows that come twice, and rows that repeat the session before.

use super::count;
use super::days::Days;
use super::finding::FindingKind;
use super::notes::Notes;
use super::row::{Row, Standing, same_numbers};
use crate::bar::{Interval, RawBar};

/// Rows with one time stamp: the same numbers are a duplicate, different ones contradict each other.
///
/// At most one of them can become a bar: the first that a person accepted.
pub(super) fn check_duplicates(rows: &mut [Row<'_>], interval: Interval, notes: &mut Notes) {
    for group in rows.chunk_by_mut(|a, b| !a.comes_before(b, interval)) {
        if group.len() == 1 {
            continue;
        }
        for index in 1..group.len() {
            // Rows with the same numbers stand side by side.
            if same_numbers(group[index].raw, group[index - 1].raw) {
                group[index].copy = group[index - 1].copy + 1;
            }
        }
        let rows_count = count(group.len());
        let same = group.iter().all(|row| same_numbers(row.raw, group[0].raw));
        for row in group.iter_mut().skip(usize::from(same)) {
            notes.row(
                row,
                if same {
                    FindingKind::DuplicateTimestamp
                } else {
                    FindingKind::ConflictingTimestamp { rows_count }
                },
            );
        }
        let sound = group.iter().position(|row| row.standing == Standing::Sound);
        let first = sound.unwrap_or(0);
        for (index, row) in group.iter_mut().enumerate() {
            row.is_bar &= index == first;
        }
    }
}

/// Rows that have every number of the previous session's, with shares traded, were made up.
#[derive(Default)]
pub(super) struct Repeats<'a> {
    /// The row of the session before, and its day.
    before: Option<(&'a RawBar, usize)>,
}

impl<'a> Repeats<'a> {
    /// Compares the next row with the one of the session before.
    pub(super) fn check(&mut self, row: &mut Row<'a>, days: &Days, notes: &mut Notes) {
        if !row.is_quiet && !days.is_session(row.day()) {
            return;
        }
        let Some((before, day)) = self.before.replace((row.raw, row.day())) else { return };
        if !row.is_quiet
            && row.raw.volume_shares.is_some_and(|shares| shares > 0)
            && same_numbers(before, row.raw)
            && days.sessions_between(day, row.day()) == 1
        {
            notes.row(row, FindingKind::RepeatedBar);
        }
    }
}
