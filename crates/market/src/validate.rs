//! The check that every bar must pass: [`Received`] in, [`ValidatedBars`] with a report out.
//!
//! Bad rows are findings, not errors, and are quarantined, never repaired. One exception, and it is
//! reported: when the open or close lies outside low and high by no more than rounding (one unit and
//! a ten-thousandth of the price), the low or high is moved to it.
//!
//! **Order.** Rows are sorted by time; the order of input is only reported.
//!
//! **What can be verified.** Rows outside the calendar's years, and the history up to the last row
//! whose prices are too small for four decimals, are *unverifiable*: neither accepted nor counted in
//! the score. A single small price among large ones is not such a history but a bad row. A series
//! with nothing verifiable has the score zero.
//!
//! **Score.** Accepted rows over accepted rows, quarantined rows and missing sessions. A row that
//! the reader refused counts as quarantined, unless its day is unverifiable.
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
pub mod decision;
mod finding;
pub mod intraday;
mod moves;
pub(crate) mod quality;
mod rolling_median;
mod row;

use serde::{Deserialize, Serialize};

pub use decision::{Decision, FindingId, FindingIdError, Verdict};
pub use finding::{Finding, FindingKind, MoveOutcome, OffHours, PriceField, Remark, Severity};
pub use quality::DataQuality;

use crate::bar::{Bar, BarSeries, Interval};
use crate::calendar::Calendar;
use crate::corporate_action::CorporateAction;
use crate::exchange_rules::ExchangeRules;
use crate::instrument::Symbol;
use crate::refused_row::RefusedRow;
use crate::source::{PriceBasis, Source};
use row::Row;

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
}

impl Default for ValidationPolicy {
    fn default() -> Self {
        Self {
            accepted_share_min: 0.95,
            move_tolerance_share: 0.01,
            gap_sessions_max: 20,
            coarse_below_units: 500,
            stale_rows_min: 5,
            volume_multiple_max: 100.0,
            volume_window_rows: 20,
        }
    }
}

/// Bars that passed [`validate`]: in order of time, one a time stamp, `low <= open, close <= high`,
/// each on a session.
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
    let Received { series, refused, actions, .. } = received;
    let daily = series.interval == Interval::Daily;
    let mut findings = Vec::from_iter(coverage::order(&series.bars));

    let coverage = coverage::split(row::sorted(series), refused, calendar, policy);
    findings.extend(coverage.findings);
    let mut rows = coverage.rows;

    let actions: Vec<_> = actions.iter().filter(|a| a.symbol == series.symbol).copied().collect();
    for row in &mut rows {
        row.check(calendar, &actions);
    }
    row::check_duplicates(&mut rows);
    if daily {
        row::check_repeated(&mut rows, calendar);
        moves::check(
            &mut rows,
            &moves::Limits::new(series.symbol, calendar, rules, policy),
            &actions,
        );
    }

    let missing = match series.interval {
        Interval::Daily => coverage::missing_sessions(&rows, &coverage.refused, calendar, policy),
        Interval::Minutes(_) => coverage::Missing::default(),
    };
    let refused_count = coverage.refused.len();
    findings.extend(coverage.refused.into_iter().map(coverage::refused_finding));
    findings.extend(missing.findings);

    let quarantined = rows.iter().filter(|row| row.quarantined()).count() + refused_count;
    let accepted: Vec<_> = rows.iter().filter(|row| !row.quarantined()).collect();
    let bars: Vec<Bar> = accepted.iter().filter_map(|row| row.bar()).collect();
    debug_assert_eq!(bars.len(), accepted.len(), "a row without a quarantining finding is a bar");
    let continues = continues(&accepted, daily, calendar, policy);
    if daily {
        findings.extend(activity::check(&bars, policy));
    }
    findings.extend(rows.into_iter().flat_map(|row| row.findings));
    findings.sort_by_key(|finding| (finding.day, finding.opened_at));

    let quality = DataQuality {
        symbol: series.symbol,
        interval: series.interval,
        received_count: count(series.bars.len() + refused.len()),
        accepted_count: count(bars.len()),
        quarantined_count: count(quarantined),
        unverifiable_count: coverage.unverifiable_count,
        missing_sessions_count: missing.count,
        first_day: bars.first().map(|bar| bar.day),
        last_day: bars.last().map(|bar| bar.day),
        findings,
    };
    ValidatedBars { bars, continues, quality }
}

/// For each accepted row, whether it may be compared with the one before.
fn continues(
    accepted: &[&Row],
    daily: bool,
    calendar: &Calendar,
    policy: ValidationPolicy,
) -> Vec<bool> {
    let mut continues = Vec::with_capacity(accepted.len());
    for (index, row) in accepted.iter().enumerate() {
        let near = |before: &Row| {
            let steps = calendar.sessions_between(before.day, row.day);
            !daily || steps.is_some_and(|steps| steps <= policy.gap_sessions_max + 1)
        };
        let before = index.checked_sub(1).map(|before| accepted[before]);
        continues.push(!row.begins_level && before.is_some_and(near));
    }
    continues
}

/// A length as a count of rows.
fn count(length: usize) -> u64 {
    u64::try_from(length).expect("a length fits in 64 bits")
}
