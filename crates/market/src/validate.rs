//! The check that every bar must pass: [`Received`] in, [`ValidatedBars`] with a report out.
//!
//! Bad rows are findings, not errors, and are quarantined, never repaired. One exception, and it is
//! reported: when the open or close lies outside low and high by no more than rounding (one unit and
//! a ten-thousandth of the price), the low or high is moved to it.
//!
//! **Order.** Rows are sorted by time; the order of input is only reported.
//!
//! **What can be verified.** Rows outside the calendar's years are *unverifiable*: neither accepted
//! nor counted in the score. So are two kinds of rows that are checked and reported all the same:
//! those before [`ValidationPolicy::learned_from`], because the calendar and the limits of those
//! years rest on one source, and the history up to the last row whose prices are too small for four
//! decimals, which is not asked whether prices stand still. A single small price among large ones is
//! not such a history but a bad row. A series with nothing verifiable has the score zero.
//!
//! **Classes.** What is expected depends on [`crate::InstrumentClass`]: an index has the sessions
//! and limits of shares and need not have a volume; a rate of exchange is made on every weekday, has
//! no limit and no volume, and none of its days is missing.
//!
//! **Score.** [`DataQuality::score_share`]. A row that the reader refused counts as quarantined,
//! unless its day is unverifiable.
//!
//! **Decisions.** Every finding has a name ([`FindingId`]). One that a person accepted neither keeps
//! its row out nor counts, and an impossible move that was accepted is the base of the next; one
//! that a person rejected keeps its row out, whatever its severity. The newest decision is in force;
//! one about a finding that no longer occurs has no effect. No decision makes a bar of a price of
//! zero, of a low above the high, or of a second row with one time stamp.
//!
//! **Moves.** Close, high and low of a daily row are compared with the base: the close of the last
//! row that was accepted, or that began a new level. Allowed is the daily limit of each session in
//! between, compounded, and a tolerance of one point. A larger move is looked for in the corporate
//! actions of those days, then in the vendor's adjusted close: it explains the move when it moved
//! within the limit itself and the old ratio of the two does not come back. What remains is
//! quarantined. If the next row is back at the base, that was one bad row; if not, a new level
//! begins there, the rows after it are judged against it, and [`ValidatedBars::continues`] is false
//! for the next accepted bar, so that no return is computed across. A close that is possible with a
//! high or low that is not costs the row, and nothing else.
//!
//! **Gaps.** `continues` is also false when more sessions lie between two accepted bars than
//! [`ValidationPolicy::gap_sessions_max`]: limits compounded that often vouch for nothing.
//!
//! **Twice is once.** Validating the accepted bars of a stretch without breaks accepts all of them;
//! only a last bar that an adjustment explains needs the rows after it, which show that it stayed.
//!
//! Intraday bars are checked for order, duplicates, consistency and the day only.

mod activity;
mod coverage;
mod days;
pub mod decision;
mod finding;
pub mod intraday;
mod limits;
mod moves;
mod notes;
pub(crate) mod quality;
mod quiet;
mod repeats;
mod rolling_median;
mod row;
mod score;
mod single;
mod ticks;

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

pub use decision::{Decision, FindingId, FindingIdError, Verdict};
pub use finding::{Finding, FindingKind, MoveOutcome, OffHours, PriceField, Remark, Severity};
pub use quality::{DataQuality, MonthQuality, QualityBand, score_share};

use crate::bar::{Bar, BarSeries, Interval, RawBar};
use crate::calendar::Calendar;
use crate::corporate_action::CorporateAction;
use crate::exchange_rules::ExchangeRules;
use crate::instrument::{InstrumentClass, Symbol};
use crate::refused_row::RefusedRow;
use crate::source::{PriceBasis, Source};
use activity::Activity;
use days::Days;
use limits::Limits;
use notes::Notes;
use row::{PlainRuns, Row, Sorted};

/// Everything a source said about one symbol.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// The bars, in any order.
    pub series: BarSeries,
    /// Which source that is.
    pub source: Source,
    /// What its prices mean.
    pub basis: PriceBasis,
    /// The rows that did not become bars.
    pub refused: Vec<RefusedRow>,
    /// The corporate actions that are known; those of other symbols are ignored.
    pub actions: Vec<CorporateAction>,
    /// What was decided about earlier findings, oldest first; the newest about one is in force.
    pub decisions: Vec<Decision>,
}

impl Received {
    /// A series of which nothing else is known than its bars.
    pub fn bars(series: BarSeries, source: Source) -> Self {
        Self {
            series,
            source,
            basis: source.price_basis(),
            refused: Vec::new(),
            actions: Vec::new(),
            decisions: Vec::new(),
        }
    }
}

/// What the validator tolerates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValidationPolicy {
    /// The lowest score with which a symbol, and the data as a whole, may be trained on; 0..=1.
    pub accepted_share_min: f64,
    /// The score from which data are good; between it and `accepted_share_min` they are learned from
    /// and worth a look; 0..=1.
    pub good_share_min: f64,
    /// The share of a row that a row with a warning costs; 0..=1.
    pub warning_weight: f64,
    /// Rows before this day are checked, and count for nothing.
    pub learned_from: Date,
    /// How far beyond the compounded daily limit a move may go, a share of the base.
    pub move_tolerance_share: f64,
    /// More missing sessions in a row than this are one gap, and no return is computed across.
    pub gap_sessions_max: u32,
    /// Prices below this, units of 0.0001 TRY, are too coarse to verify.
    pub coarse_below_units: i64,
    /// This many equal closes in a row are reported.
    pub stale_rows_min: u32,
    /// A volume this many times the median of the rows before, or less than the inverse, is
    /// reported.
    pub volume_multiple_max: f64,
    /// How many rows that median takes.
    pub volume_window_rows: u32,
    /// This many sessions in a row without volume, while the price moves, are a lost volume.
    pub dead_volume_rows_min: u32,
    /// A rate of exchange that moves further in a day is reported, a share.
    pub fx_jump_share_min: f64,
}

impl Default for ValidationPolicy {
    fn default() -> Self {
        Self {
            accepted_share_min: 0.95,
            good_share_min: 0.97,
            warning_weight: 0.1,
            learned_from: date(2010, 1, 1),
            move_tolerance_share: 0.01,
            gap_sessions_max: 20,
            coarse_below_units: 500,
            stale_rows_min: 5,
            volume_multiple_max: 100.0,
            volume_window_rows: 20,
            dead_volume_rows_min: 10,
            fx_jump_share_min: 0.08,
        }
    }
}

/// Bars that passed [`validate`]: in order of time, one a time stamp, `low <= open, close <= high`,
/// each on a session, unless a person accepted one on another day.
///
/// There is no other way to make one, so a function that takes `ValidatedBars` need not check again.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidatedBars {
    bars: Vec<Bar>,
    /// As long as `bars`.
    continues: Vec<bool>,
    quality: DataQuality,
}

impl ValidatedBars {
    /// Whose bars these are.
    pub fn symbol(&self) -> Symbol {
        self.quality.symbol
    }

    /// What each bar covers.
    pub fn interval(&self) -> Interval {
        self.quality.interval
    }

    /// The accepted bars, oldest first.
    pub fn bars(&self) -> &[Bar] {
        &self.bars
    }

    /// Whether bar `index` may be compared with the bar before it: there is one, and neither an
    /// unexplained change of level nor a long gap lies between them. False past the end.
    pub fn continues(&self, index: usize) -> bool {
        self.continues.get(index).copied().unwrap_or(false)
    }

    /// The same bars with another future: after `day` prices go down by as much as they went up, and
    /// volumes are other ones. What is known at the close of `day` must not depend on which of the
    /// two futures came; this is how that is put to the test.
    #[must_use]
    pub fn with_another_future(&self, day: Date) -> Self {
        let begin = self.bars.partition_point(|bar| bar.day <= day);
        let (past, future) = self.bars.split_at(begin);
        let anchor = past.last().or(future.first()).map_or(1.0, |bar| bar.close.lira());
        let bars = past.iter().copied().chain(future.iter().map(|bar| bar.mirrored(anchor)));
        Self { bars: bars.collect(), ..self.clone() }
    }

    /// What was found on the way.
    pub fn quality(&self) -> &DataQuality {
        &self.quality
    }
}

/// Checks every row of `received` and keeps the sound ones.
///
/// Always returns; whether the result is good enough to learn from is decided by
/// [`crate::universe::admit`].
pub fn validate(
    received: &Received,
    calendar: &Calendar,
    rules: &ExchangeRules,
    policy: ValidationPolicy,
) -> ValidatedBars {
    validate_with(received, &[], calendar, rules, policy)
}

/// The same, with what was found elsewhere about these rows: a remark weighs like a finding of its
/// kind, and one of severity error keeps its row out before moves are judged.
pub fn validate_with(
    received: &Received,
    remarks: &[Remark],
    calendar: &Calendar,
    rules: &ExchangeRules,
    policy: ValidationPolicy,
) -> ValidatedBars {
    look_through(received, remarks, calendar, rules, policy, Quiet::PassedOver)
}

/// What becomes of the rows that [`quiet`] recognises.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quiet {
    /// They are passed over.
    PassedOver,
    /// They are looked at like any other, which finds the same.
    #[cfg(test)]
    LookedAt,
}

// The loops over all rows are functions of their own, each with the processor's registers for itself.
fn look_through(
    received: &Received,
    remarks: &[Remark],
    calendar: &Calendar,
    rules: &ExchangeRules,
    policy: ValidationPolicy,
    quiet_rows: Quiet,
) -> ValidatedBars {
    let Received { series, refused, .. } = received;
    let class = series.symbol.class();
    let days = Days::of(calendar, rules);
    let mut notes = Notes::of(received, days);

    let limits = Limits::new(series.symbol, days, rules, policy);
    let daily = series.interval == Interval::Daily;
    let may_be_quiet = quiet_rows == Quiet::PassedOver && daily && class != InstrumentClass::Fx;
    let quiet_limits = may_be_quiet.then_some(&limits);
    let mut sorted = row::sorted(&series.bars, series.interval, days, quiet_limits);
    coverage::check_order(&sorted, &mut notes);
    if series.bars.is_empty() && refused.is_empty() {
        notes.day(None, false, FindingKind::EmptySeries);
    }
    let horizon = coverage::split(&mut sorted, refused, days, policy, &mut notes);
    let Sorted { mut rows, loud, distinct, .. } = sorted;

    let actions = received.actions.iter().filter(|action| action.symbol == series.symbol);
    let actions: Vec<CorporateAction> = actions.copied().collect();
    for index in loud.iter().copied() {
        single::check(&mut rows[index], class, days, &actions, &mut notes);
        if daily {
            repeats::check_repeat(&mut rows, index, days, &mut notes);
        }
    }
    if !distinct {
        repeats::check_duplicates(&mut rows, series.interval, &mut notes);
    }
    add_remarks(&mut rows, remarks, series.interval, days, &mut notes);
    if let Interval::Minutes(minutes) = series.interval
        && class != InstrumentClass::Fx
    {
        let symbol = series.symbol;
        let groups = rows.chunk_by(|a, b| !a.comes_before(b, series.interval));
        let bars: Vec<RawBar> = groups.map(|group| *group[row::candidate(group)].raw).collect();
        let found = intraday::check(symbol, minutes, &bars, &actions, calendar, rules, policy);
        add_remarks(&mut rows, &found, series.interval, days, &mut notes);
    }
    let refused = coverage::check_refused(refused, horizon, days, &mut notes);
    let mut missing = Vec::new();
    if daily {
        let actions = &actions;
        let (limits, runs) = (&limits, PlainRuns::new(&loud));
        let subject = Subject { received, class, days, rules, policy, limits, actions, runs };
        check_daily(&mut rows, &subject, &mut notes);
        if class != InstrumentClass::Fx {
            missing =
                coverage::check_missing(&rows, &loud, &refused, horizon, days, policy, &mut notes);
        }
    }

    let (counts, months) = score::tally(&rows, &refused, &missing, days, policy);
    let (runs, all_quiet_plain) = (PlainRuns::new(&loud), notes.all_quiet_plain);
    let (bars, continues) = accepted(&rows, runs, all_quiet_plain, series.interval, days, policy);
    let mut findings = notes.findings;
    findings.sort_by_key(|finding| (finding.day, finding.opened_at));
    let received_count = count(series.bars.len() + received.refused.len());
    let quality = DataQuality {
        symbol: series.symbol,
        interval: series.interval,
        source: received.source,
        basis: received.basis,
        received_count,
        accepted_count: counts.accepted,
        quarantined_count: counts.quarantined,
        unverifiable_count: received_count - counts.accepted - counts.quarantined,
        missing_sessions_count: counts.missing,
        warning_rows_count: counts.warned,
        warning_weight: policy.warning_weight,
        months,
        first_day: bars.first().map(|bar| bar.day),
        last_day: bars.last().map(|bar| bar.day),
        findings,
    };
    ValidatedBars { bars, continues, quality }
}

/// Whose rows are checked, by which rules.
struct Subject<'a> {
    received: &'a Received,
    class: InstrumentClass,
    days: &'a Days,
    rules: &'a ExchangeRules,
    policy: ValidationPolicy,
    limits: &'a Limits<'a>,
    actions: &'a [CorporateAction],
    runs: PlainRuns<'a>,
}

/// The checks that compare a daily row with others.
fn check_daily(rows: &mut [Row<'_>], subject: &Subject<'_>, notes: &mut Notes) {
    let Subject { received, class, days, rules, policy, limits, actions, runs } = *subject;
    match class {
        InstrumentClass::Share | InstrumentClass::Index => {
            moves::check(rows, runs, days, limits, actions, notes);
            Activity { class, days, limits, policy, runs }.check(rows, notes);
        }
        InstrumentClass::Fx => moves::check_rates(rows, policy.fx_jump_share_min, notes),
    }
    if class == InstrumentClass::Share && received.basis == PriceBasis::Raw {
        ticks::check(rows, days, rules, notes);
    }
}

/// Notes what was found elsewhere, at its row if there is one; of several rows with one time stamp
/// at the only one that can become a bar.
fn add_remarks(
    rows: &mut [Row<'_>],
    remarks: &[Remark],
    interval: Interval,
    days: &Days,
    notes: &mut Notes,
) {
    for Remark { opened_at, day, kind } in remarks {
        let of_time = match (interval, opened_at) {
            (Interval::Minutes(_), None) => 0..0,
            (Interval::Minutes(_), Some(at)) => row::range_of(rows, |row| row.raw.opened_at, at),
            (Interval::Daily, _) => {
                let of_time = opened_at.and_then(|at| days.index_at(at));
                let day = of_time.or_else(|| day.and_then(|day| days.index_of(day)));
                day.map_or(0..0, |day| row::range_of(rows, Row::day, &day))
            }
        };
        let of_time = &mut rows[of_time];
        if of_time.is_empty() {
            notes.day(*day, false, kind.clone());
        } else {
            let index = row::candidate(of_time);
            notes.row(&mut of_time[index], kind.clone());
        }
    }
}

/// The accepted rows as bars and, for each, whether it may be compared with the one before.
#[inline(never)]
fn accepted(
    rows: &[Row<'_>],
    mut runs: PlainRuns<'_>,
    all_quiet_plain: bool,
    interval: Interval,
    days: &Days,
    policy: ValidationPolicy,
) -> (Vec<Bar>, Vec<bool>) {
    let mut bars = Vec::with_capacity(rows.len());
    let mut continues = Vec::with_capacity(rows.len());
    let mut before: Option<usize> = None;
    let mut level_began = false;
    let mut next = 0;
    while let Some(row) = rows.get(next) {
        let index = next;
        level_began |= row.begins_level;
        let near = |before: usize| {
            (row.is_quiet && before + 1 == index)
                || interval != Interval::Daily
                || days.sessions_between(rows[before].day(), row.day())
                    <= policy.gap_sessions_max.saturating_add(1)
        };
        let plain_count = runs.count(rows, index, all_quiet_plain);
        next += plain_count.max(1);
        if plain_count > 0 {
            bars.extend(rows[index..next].iter().map(|row| row.quiet_bar(days)));
        } else {
            let Some(bar) = row.is_accepted().then(|| row.bar(interval, days)).flatten() else {
                continue;
            };
            bars.push(bar);
        }
        continues.push(!level_began && before.is_some_and(near));
        // Each plain row behind another continues it.
        continues.resize(bars.len(), true);
        before = Some(next - 1);
        level_began = false;
    }
    (bars, continues)
}

/// A length as a count of rows.
fn count(length: usize) -> u64 {
    u64::try_from(length).expect("a length fits in 64 bits")
}
