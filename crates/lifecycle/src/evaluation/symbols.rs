//! The record symbol by symbol.

use std::collections::BTreeMap;

use bist_market::Symbol;
use bist_models::Horizon;
use bist_trading::Estimate;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{OutOfFold, SYMBOLS_LEVEL, hit_share};
use crate::rank_ic::{Correlation, DependentMean, count, lag_days};

/// Horizons that a symbol's record must cover to be judged.
const HORIZONS_COUNT_MIN: usize = 20;

/// A model's record on one symbol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SymbolEvaluation {
    /// Whose.
    pub symbol: Symbol,
    /// First day judged.
    pub from: Date,
    /// Last day judged.
    pub to: Date,
    /// Forecasts judged, one a day.
    pub rows_count: u64,
    /// Spearman's correlation over time of forecasts and outcomes, with an interval by Newey and
    /// West that is so wide that those of all symbols hold together at 90 %, by the inequality of
    /// Bonferroni; absent when the record is shorter than twenty horizons. Nothing is taken from the
    /// outcomes: less the mean of the day, a share that cannot be foreseen would seem to be, whenever
    /// the others can.
    pub rank_ic: Option<Estimate>,
    /// Share of forecasts whose sign was right, with Wilson's 95 % interval for as many trials as
    /// there are horizons in the record; absent when nothing moved.
    pub hit_rate: Option<Estimate>,
    /// Share of outcomes that rose, of those that moved: the hit rate of always saying up.
    pub up_share: Option<f64>,
    /// Whether skill is shown on this symbol: the interval of the coefficient lies above zero.
    pub skill_shown: bool,
}

/// Days that a symbol's record must have to be judged.
pub(super) fn days_count_min(horizon_sessions: u8) -> usize {
    HORIZONS_COUNT_MIN * usize::from(horizon_sessions)
}

/// The indices of each symbol's records, by day.
fn rows_by_symbol(records: &[OutOfFold]) -> BTreeMap<Symbol, Vec<usize>> {
    let mut rows: BTreeMap<Symbol, Vec<usize>> = BTreeMap::new();
    for (index, record) in records.iter().enumerate() {
        rows.entry(record.symbol).or_default().push(index);
    }
    rows
}

/// The part of each record in its symbol's correlation over time of `predicted` and `realised`,
/// which belong to `records`.
pub(super) fn correlation_parts(
    records: &[OutOfFold],
    correlation: Correlation,
    predicted: &[f64],
    realised: &[f64],
) -> Vec<f64> {
    let mut parts = vec![0.0; records.len()];
    for rows in rows_by_symbol(records).values() {
        let of = |values: &[f64]| -> Vec<f64> { rows.iter().map(|&row| values[row]).collect() };
        for (&row, part) in rows.iter().zip(correlation.parts(&of(predicted), &of(realised))) {
            parts[row] = part;
        }
    }
    parts
}

/// The record of each symbol, by symbol.
pub(super) fn evaluate(records: &[OutOfFold], horizon: Horizon) -> Vec<SymbolEvaluation> {
    let of_symbols = rows_by_symbol(records);
    let judged_count = judged_count(of_symbols.values().map(Vec::len), horizon);
    of_symbols
        .iter()
        .map(|(symbol, rows)| {
            let rows: Vec<&OutOfFold> = rows.iter().map(|&row| &records[row]).collect();
            let rank_ic = rank_ic(&rows, horizon, judged_count);
            of_symbol(*symbol, &rows, rank_ic, horizon)
        })
        .collect()
}

/// How many of the records are long enough to be judged.
fn judged_count(rows_counts: impl Iterator<Item = usize>, horizon: Horizon) -> usize {
    let days_count_min = days_count_min(horizon.sessions());
    rows_counts.filter(|rows_count| *rows_count >= days_count_min).count()
}

/// The correlation over time, if the record is long enough; the interval is one of `judged_count`
/// that hold together at [`SYMBOLS_LEVEL`].
fn rank_ic(rows: &[&OutOfFold], horizon: Horizon, judged_count: usize) -> Option<Estimate> {
    if rows.len() < days_count_min(horizon.sessions()) {
        return None;
    }
    let predicted: Vec<f64> = rows.iter().map(|record| record.predicted.model).collect();
    let realised: Vec<f64> = rows.iter().map(|record| record.realised()).collect();
    let parts = Correlation::Spearman.parts(&predicted, &realised);
    let level = 1.0 - (1.0 - SYMBOLS_LEVEL) / count(judged_count.max(1));
    DependentMean::newey_west(&parts, lag_days(horizon.sessions()))?.estimate(level)
}

/// The record of one symbol, which has at least one row.
fn of_symbol(
    symbol: Symbol,
    rows: &[&OutOfFold],
    rank_ic: Option<Estimate>,
    horizon: Horizon,
) -> SymbolEvaluation {
    let realised: Vec<f64> = rows.iter().map(|r| r.realised()).collect();
    let moved = realised.iter().filter(|value| value.abs() > 0.0).count();
    let rose = realised.iter().filter(|value| **value > 0.0).count();
    let trials_count = count(moved) / f64::from(horizon.sessions());
    SymbolEvaluation {
        symbol,
        from: rows[0].day,
        to: rows[rows.len() - 1].day,
        rows_count: rows.len() as u64,
        rank_ic,
        hit_rate: hit_share(rows.iter().copied())
            .and_then(|share| Estimate::of_share(share, trials_count, super::LEVEL)),
        up_share: (moved > 0).then(|| count(rose) / count(moved)),
        skill_shown: rank_ic.is_some_and(|estimate| estimate.low > 0.0),
    }
}
