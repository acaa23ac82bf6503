//! The record symbol by symbol.

use std::collections::BTreeMap;

use bist_market::Symbol;
use bist_models::Horizon;
use bist_trading::Estimate;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{OutOfFold, RankIcMethod, SYMBOL_LEVEL, compared, hit_share};
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
    /// Spearman's correlation over time of forecasts and outcomes, with its 90 % interval by Newey
    /// and West; absent when the record is shorter than twenty horizons. Where symbols can be
    /// compared with each other, the mean of each day is taken from both.
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
pub(super) fn evaluate(
    records: &[OutOfFold],
    horizon: Horizon,
    method: RankIcMethod,
) -> Vec<SymbolEvaluation> {
    let predicted = compared(records, method, |record| record.predicted.model);
    let realised = compared(records, method, OutOfFold::realised);
    let of = |values: &[f64], rows: &[usize]| -> Vec<f64> {
        rows.iter().map(|&row| values[row]).collect()
    };
    rows_by_symbol(records)
        .iter()
        .map(|(symbol, rows)| {
            let rank_ic = rank_ic(&of(&predicted, rows), &of(&realised, rows), horizon);
            let rows: Vec<&OutOfFold> = rows.iter().map(|&row| &records[row]).collect();
            of_symbol(*symbol, &rows, rank_ic, horizon)
        })
        .collect()
}

/// The correlation over time, if the record is long enough.
fn rank_ic(predicted: &[f64], realised: &[f64], horizon: Horizon) -> Option<Estimate> {
    if predicted.len() < days_count_min(horizon.sessions()) {
        return None;
    }
    let parts = Correlation::Spearman.parts(predicted, realised);
    DependentMean::newey_west(&parts, lag_days(horizon.sessions()))?.estimate(SYMBOL_LEVEL)
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
