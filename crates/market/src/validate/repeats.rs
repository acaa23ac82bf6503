//! Rows that come twice, and rows that repeat the session before.

use super::count;
use super::days::Days;
use super::finding::FindingKind;
use super::notes::Notes;
use super::row::{Row, Standing, same_numbers};
use crate::bar::Interval;

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

/// Notes the row at `index` if it has every number of the previous session's, with shares traded:
/// then it was made up.
pub(super) fn check_repeat(rows: &mut [Row<'_>], index: usize, days: &Days, notes: &mut Notes) {
    let row = &rows[index];
    let traded = row.raw.volume_shares.is_some_and(|shares| shares > 0);
    if !traded || !days.is_session(row.day()) {
        return;
    }
    let before = rows[..index].iter().rev().find(|before| days.is_session(before.day()));
    let repeated = before.is_some_and(|before| {
        same_numbers(before.raw, row.raw) && days.sessions_between(before.day(), row.day()) == 1
    });
    if repeated {
        notes.row(&mut rows[index], FindingKind::RepeatedBar);
    }
}
