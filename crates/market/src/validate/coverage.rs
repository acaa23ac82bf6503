//! Which rows can be verified at all, in which order they came, and which sessions are missing.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::finding::{Finding, FindingKind};
use super::row::Row;
use super::{ValidationPolicy, count};
use crate::bar::RawBar;
use crate::calendar::Calendar;
use crate::refused_row::RefusedRow;

/// What is said about the order in which rows came.
pub(super) fn order(bars: &[RawBar]) -> Option<Finding> {
    let falls = |pair: &[RawBar]| pair[1].opened_at < pair[0].opened_at;
    let rows_count = count(bars.windows(2).filter(|pair| falls(pair)).count());
    let rises = bars.windows(2).any(|pair| pair[1].opened_at > pair[0].opened_at);
    let kind = match (rows_count, rises) {
        (0, _) => return None,
        (_, false) => FindingKind::NewestFirst,
        (_, true) => FindingKind::OutOfOrder { rows_count },
    };
    Some(Finding::new(None, None, kind))
}

/// The rows that can be verified, and what is said about the others.
pub(super) struct Coverage {
    pub(super) rows: Vec<Row>,
    /// The refused rows that count: without a day, or with one that can be verified.
    pub(super) refused: Vec<RefusedRow>,
    pub(super) unverifiable_count: u64,
    pub(super) findings: Vec<Finding>,
}

/// Splits off the rows about which nothing can be said.
pub(super) fn split(
    rows: Vec<Row>,
    refused: &[RefusedRow],
    calendar: &Calendar,
    policy: ValidationPolicy,
) -> Coverage {
    let all = rows.len() + refused.len();
    let mut coverage =
        Coverage { rows, refused: refused.to_vec(), unverifiable_count: 0, findings: Vec::new() };
    let outside = |from, to, rows_count| FindingKind::OutsideCalendar { from, to, rows_count };
    coverage.drop_days(|day| day < calendar.first_day(), outside);
    coverage.drop_days(|day| day > calendar.last_day(), outside);
    if let Some(last) = last_coarse_day(&coverage.rows, policy.coarse_below_units) {
        let below_units = policy.coarse_below_units;
        coverage.drop_days(
            |day| day <= last,
            |from, to, rows_count| FindingKind::CoarsePrices { from, to, rows_count, below_units },
        );
    }
    coverage.unverifiable_count = count(all - coverage.rows.len() - coverage.refused.len());
    coverage
}

impl Coverage {
    /// Takes the rows of some days out and leaves one finding about them, if there are any.
    fn drop_days(
        &mut self,
        drop: impl Fn(Date) -> bool,
        kind: impl Fn(Date, Date, u64) -> FindingKind,
    ) {
        let mut days: Vec<Date> = Vec::new();
        self.rows.retain(|row| {
            let dropped = drop(row.day);
            days.extend(dropped.then_some(row.day));
            !dropped
        });
        self.refused.retain(|row| {
            let dropped = row.day.filter(|day| drop(*day));
            days.extend(dropped);
            dropped.is_none()
        });
        if let (Some(from), Some(to)) = (days.iter().min(), days.iter().max()) {
            let kind = kind(*from, *to, count(days.len()));
            self.findings.push(Finding::new(None, None, kind));
        }
    }
}

/// The day of the last row with a price below the bound. A row counts only when a neighbour is at
/// most twice as high as the bound (or it stands alone): a small price among large ones is a bad
/// row, and must not cost the history before it.
fn last_coarse_day(rows: &[Row], below_units: i64) -> Option<Date> {
    let lowest: Vec<(Date, i64)> =
        rows.iter().filter_map(|row| Some((row.day, row.lowest_positive_units()?))).collect();
    let coarse = |index: usize| {
        let near =
            |neighbour: Option<&(Date, i64)>| neighbour.map(|(_, units)| *units <= 2 * below_units);
        let before = near(index.checked_sub(1).and_then(|before| lowest.get(before)));
        let after = near(lowest.get(index + 1));
        lowest[index].1 < below_units
            && (before == Some(true) || after == Some(true) || (before, after) == (None, None))
    };
    (0..lowest.len()).rev().find(|index| coarse(*index)).map(|index| lowest[index].0)
}

/// What is said about a row that the reader refused.
pub(super) fn refused_finding(row: RefusedRow) -> Finding {
    let RefusedRow { file, line, day, reason, .. } = row;
    Finding::new(None, day, FindingKind::RowRefused { file, line, reason })
}

/// The sessions without a row.
#[derive(Default)]
pub(super) struct Missing {
    pub(super) count: u64,
    pub(super) findings: Vec<Finding>,
}

/// The sessions between the first and the last row for which there is none.
pub(super) fn missing_sessions(
    rows: &[Row],
    refused: &[RefusedRow],
    calendar: &Calendar,
    policy: ValidationPolicy,
) -> Missing {
    let refused_days = refused.iter().filter_map(|row| row.day);
    let present: BTreeSet<Date> = rows.iter().map(|row| row.day).chain(refused_days).collect();
    let (Some(first), Some(last)) = (present.first(), present.last()) else {
        return Missing::default();
    };
    let sessions: Vec<Date> = calendar.sessions(*first, *last).map(|(day, _)| day).collect();
    let absent = |day: &Date| !present.contains(day);
    let mut missing = Missing::default();
    for run in sessions.chunk_by(|a, b| absent(a) == absent(b)).filter(|run| absent(&run[0])) {
        missing.count += count(run.len());
        let (from, to) = (run[0], run[run.len() - 1]);
        let about = |day: Date, kind| Finding::new(None, Some(day), kind);
        match u32::try_from(run.len()) {
            Ok(length) if length <= policy.gap_sessions_max => missing
                .findings
                .extend(run.iter().map(|day| about(*day, FindingKind::MissingSession))),
            length => {
                let sessions_count = length.unwrap_or(u32::MAX);
                missing
                    .findings
                    .push(about(from, FindingKind::SessionGap { from, to, sessions_count }));
            }
        }
    }
    missing
}
