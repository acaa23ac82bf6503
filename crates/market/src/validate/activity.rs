//! Remarks on sound daily rows: their volume, closes that do not move, and sessions at the limit.

mod outlier;

use super::days::Days;
use super::finding::FindingKind;
use super::limits::Limits;
use super::notes::Notes;
use super::row::{PlainRuns, Reach, Row, as_float};
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
    pub(super) runs: PlainRuns<'a>,
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
    #[inline(never)]
    fn check_volumes(&self, rows: &mut [Row<'_>], notes: &mut Notes) {
        let mut volumes = Volumes::new(self.policy);
        // The sound rows without a trade that were seen last: not yet known to be a halt.
        let mut silent: Vec<usize> = Vec::new();
        let mut before: Option<i64> = None;
        let mut from = 0;
        while from < rows.len() {
            if silent.is_empty()
                && let Some(last) = volumes.pass_usual(&rows[from..])
            {
                before = Some(rows[from + last].raw.close_units);
                from += last + 1;
                continue;
            }
            let index = from;
            from += 1;
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
    #[inline(never)]
    fn check_still(&self, rows: &mut [Row<'_>], volume_given: bool, notes: &mut Notes) {
        let mut runs = self.runs;
        let mut run: Option<Run> = None;
        let mut next = 0;
        while next < rows.len() {
            let index = next;
            // Of plain rows side by side, each ends the run of the one above it.
            let plain_count = runs.count(rows, index, notes.all_quiet_plain);
            if plain_count > 1 && run.is_some_and(|run| run.last + 1 == index) {
                next += plain_count;
                self.end_run(rows, run.replace(Run::of(next - 1)), notes);
                continue;
            }
            next += 1;
            let row = &rows[index];
            if !row.is_sound() || row.reach == Reach::Coarse {
                continue;
            }
            if !row.is_quiet {
                self.check_bar(rows, index, run, volume_given, notes);
            }
            match &mut run {
                Some(run) if run.goes_on(rows, index) => {
                    run.rows_count += 1;
                    run.last = index;
                }
                _ => {
                    self.end_run(rows, run.replace(Run::of(index)), notes);
                }
            }
        }
        self.end_run(rows, run, notes);
    }

    /// Notes a run that ended if it is long enough.
    #[inline]
    fn end_run(&self, rows: &mut [Row<'_>], ended: Option<Run>, notes: &mut Notes) {
        if let Some(run) = ended.filter(|run| run.rows_count > 1) {
            self.say_stale(rows, run, notes);
        }
    }

    /// Whether the row at `index` is at its limit, given the run of closes before it, or does not
    /// move.
    fn check_bar(
        &self,
        rows: &mut [Row<'_>],
        index: usize,
        before: Option<Run>,
        volume_given: bool,
        notes: &mut Notes,
    ) {
        let row = &rows[index];
        let close_units = row.raw.close_units;
        let (high, low) = (row.high_units(), row.low_units());
        if (close_units == high || close_units == low)
            && let Some(kind) = self.at_limit(row, before.map(|run| &rows[run.last]))
        {
            notes.row(&mut rows[index], kind);
        } else if high == low && volume_given && row.volume_shares().is_some_and(|v| v > 0) {
            notes.row(&mut rows[index], FindingKind::FlatBar);
        }
    }

    /// Whether the session ended at its price limit, with no trade beyond its close; `before` is the
    /// sound row before it.
    fn at_limit(&self, row: &Row<'_>, before: Option<&Row<'_>>) -> Option<FindingKind> {
        let before = before.filter(|_| self.class == InstrumentClass::Share)?;
        let (close_units, base_units) = (row.raw.close_units, before.raw.close_units);
        let move_share = as_float(close_units) / as_float(base_units) - 1.0;
        let limit = self.limits.share(row.day())?;
        let at_limit = (move_share.abs() - limit).abs() <= LIMIT_ROUNDING_SHARE;
        let (high, low) = (row.high_units(), row.low_units());
        let outermost = if move_share > 0.0 { high } else { low };
        let next = self.days.sessions_between(before.day(), row.day()) == 1;
        (at_limit && close_units == outermost && next).then_some(FindingKind::LimitLocked {
            close_units,
            base_units,
            move_share,
            all_session: high == low,
        })
    }

    /// Notes a run of equal closes that is long enough.
    fn say_stale(&self, rows: &mut [Row<'_>], run: Run, notes: &mut Notes) {
        let Run { first, last, rows_count } = run;
        if rows_count < u64::from(self.policy.stale_rows_min.max(2)) {
            return;
        }
        let (to, close_units) = (self.days.date(rows[last].day()), rows[first].raw.close_units);
        notes.row(&mut rows[first], FindingKind::StaleCloseRun { rows_count, to, close_units });
    }
}

/// Sound rows with one close: the indices of the first and the last so far.
#[derive(Clone, Copy)]
struct Run {
    first: usize,
    last: usize,
    rows_count: u64,
}

impl Run {
    fn of(index: usize) -> Self {
        Self { first: index, last: index, rows_count: 1 }
    }

    /// Whether the sound row at `index`, the next, has the same close; a quiet one has not that of
    /// the row above it.
    fn goes_on(&self, rows: &[Row<'_>], index: usize) -> bool {
        let differs = rows[index].is_quiet && self.last + 1 == index;
        !differs && rows[index].raw.close_units == rows[self.last].raw.close_units
    }
}
