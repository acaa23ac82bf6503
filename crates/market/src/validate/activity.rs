//! Remarks on sound daily rows: their volume, closes that do not move, and sessions at the limit.

mod outlier;

use super::days::Days;
use super::finding::FindingKind;
use super::limits::Limits;
use super::notes::Notes;
use super::row::{Reach, Row, as_float};
use super::{ValidationPolicy, count};
use crate::instrument::InstrumentClass;
use outlier::Volumes;

/// How far short of its limit a session may end and still be at it: limits are rounded inwards to
/// price steps, which are below this share of any price above 2 TRY, and which adjusted prices no
/// longer show.
const LIMIT_ROUNDING_SHARE: f64 = 0.005;

/// What the remarks need to know besides the rows.
pub(super) struct Activity<'a> {
    pub(super) class: InstrumentClass,
    pub(super) days: &'a Days,
    pub(super) limits: &'a Limits<'a>,
    pub(super) policy: ValidationPolicy,
}

impl Activity<'_> {
    /// All remarks. None of them keeps a row out, unless a person rejects it.
    pub(super) fn check(&self, rows: &mut [Row<'_>], notes: &mut Notes) {
        let traded = |row: &Row<'_>| row.volume_shares().is_some_and(|shares| shares > 0);
        // A source that never gives a volume is one fact, and not one a row.
        let volume_given = rows.iter().any(|row| row.is_sound() && traded(row));
        if volume_given {
            self.check_volumes(rows, notes);
        } else if self.class == InstrumentClass::Share {
            let rows_count = count(rows.iter().filter(|row| row.is_sound()).count());
            if rows_count > 0 {
                notes.day(None, false, FindingKind::VolumeAbsent { rows_count });
            }
        }
        self.check_still(rows, volume_given, notes);
    }

    /// Volumes that are missing, zero or far from usual.
    fn check_volumes(&self, rows: &mut [Row<'_>], notes: &mut Notes) {
        let mut volumes = Volumes::new(self.policy);
        // The sound rows without a trade that were seen last: not yet known to be a halt.
        let mut silent: Vec<usize> = Vec::new();
        let mut before: Option<i64> = None;
        for index in 0..rows.len() {
            let (past, rest) = rows.split_at_mut(index);
            let row = &mut rest[0];
            if !row.is_sound() {
                continue;
            }
            let (volume, close_units) = (row.volume_shares(), row.raw.close_units);
            match volume {
                None => notes.row(row, FindingKind::MissingVolume),
                Some(0) => silent.push(index),
                Some(shares) => {
                    if let Some(kind) = volumes.outlier(shares, past) {
                        notes.row(row, kind);
                    }
                    if !silent.is_empty() {
                        self.say_silent(rows, &silent, before, true, notes);
                        silent.clear();
                    }
                }
            }
            volumes.push(volume);
            if silent.is_empty() {
                before = Some(close_units);
            }
        }
        self.say_silent(rows, &silent, before, false, notes);
    }

    /// Consecutive rows without a trade, after a traded row that closed at `before`: a halt when
    /// the price stands still and trading `resumes`, otherwise zero volumes, and a lost volume when
    /// they are many and the price moves.
    fn say_silent(
        &self,
        rows: &mut [Row<'_>],
        silent: &[usize],
        before: Option<i64>,
        resumes: bool,
        notes: &mut Notes,
    ) {
        let stands = |row: &Row<'_>| {
            Some(row.raw.close_units) == before && row.low_units() == row.high_units()
        };
        let halted = resumes && silent.iter().all(|index| stands(&rows[*index]));
        for index in silent {
            let kind = if halted { FindingKind::HaltedSession } else { FindingKind::ZeroVolume };
            notes.row(&mut rows[*index], kind);
        }
        let moves = silent
            .windows(2)
            .filter(|pair| rows[pair[0]].raw.close_units != rows[pair[1]].raw.close_units);
        let [first, .., last] = silent else { return };
        let many = count(silent.len()) >= u64::from(self.policy.dead_volume_rows_min);
        if many && 2 * moves.count() >= silent.len() {
            let to = self.days.date(rows[*last].day());
            let rows_count = count(silent.len());
            notes.row(&mut rows[*first], FindingKind::DeadVolume { rows_count, to });
        }
    }

    /// Rows whose price does not move, in the session or over several, and those at their limit.
    /// Not of coarse prices, which stand still because they are rounded.
    fn check_still(&self, rows: &mut [Row<'_>], volume_given: bool, notes: &mut Notes) {
        let mut run: Option<Run> = None;
        for index in 0..rows.len() {
            let row = &mut rows[index];
            if !row.is_sound() || row.reach == Reach::Coarse {
                continue;
            }
            let close_units = row.raw.close_units;
            if !row.is_quiet {
                self.check_bar(row, run.as_ref(), volume_given, notes);
            }
            match &mut run {
                Some(run) if run.close_units == close_units => {
                    run.rows_count += 1;
                    run.last_day = row.day();
                }
                _ => {
                    let begun = Run::of(index, row.day(), close_units);
                    if let Some(ended) = run.replace(begun).filter(|run| run.rows_count > 1) {
                        self.say_stale(rows, &ended, notes);
                    }
                }
            }
        }
        if let Some(run) = run {
            self.say_stale(rows, &run, notes);
        }
    }

    /// Whether a row is at its limit, given the run of closes before it, or does not move.
    fn check_bar(
        &self,
        row: &mut Row<'_>,
        before: Option<&Run>,
        volume_given: bool,
        notes: &mut Notes,
    ) {
        let close_units = row.raw.close_units;
        let (high, low) = (row.high_units(), row.low_units());
        if (close_units == high || close_units == low)
            && let Some(kind) = self.at_limit(row, before)
        {
            notes.row(row, kind);
        } else if high == low && volume_given && row.volume_shares().is_some_and(|v| v > 0) {
            notes.row(row, FindingKind::FlatBar);
        }
    }

    /// Whether the session ended at its price limit, with no trade beyond its close.
    fn at_limit(&self, row: &Row<'_>, before: Option<&Run>) -> Option<FindingKind> {
        let before = before.filter(|_| self.class == InstrumentClass::Share)?;
        let close_units = row.raw.close_units;
        let move_share = as_float(close_units) / as_float(before.close_units) - 1.0;
        let limit = self.limits.share(row.day())?;
        let at_limit = (move_share.abs() - limit).abs() <= LIMIT_ROUNDING_SHARE;
        let (high, low) = (row.high_units(), row.low_units());
        let outermost = if move_share > 0.0 { high } else { low };
        let next = self.days.sessions_between(before.last_day, row.day()) == 1;
        (at_limit && close_units == outermost && next).then_some(FindingKind::LimitLocked {
            close_units,
            base_units: before.close_units,
            move_share,
            all_session: high == low,
        })
    }

    /// Notes a run of equal closes that is long enough.
    fn say_stale(&self, rows: &mut [Row<'_>], run: &Run, notes: &mut Notes) {
        let Run { rows_count, close_units, .. } = *run;
        if rows_count < u64::from(self.policy.stale_rows_min.max(2)) {
            return;
        }
        let to = self.days.date(run.last_day);
        let kind = FindingKind::StaleCloseRun { rows_count, to, close_units };
        notes.row(&mut rows[run.first], kind);
    }
}

/// Sound rows with one close, up to the latest.
struct Run {
    first: usize,
    last_day: usize,
    rows_count: u64,
    close_units: i64,
}

impl Run {
    fn of(index: usize, day: usize, close_units: i64) -> Self {
        Self { first: index, last_day: day, rows_count: 1, close_units }
    }
}
