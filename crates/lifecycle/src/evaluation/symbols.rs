//! The record symbol by symbol.

use std::collections::BTreeMap;

use bist_market::Symbol;
use bist_models::Horizon;
use bist_trading::Estimate;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{OutOfFold, SYMBOL_LEVEL, hit_share};
use crate::rank_ic::{DependentMean, correlation_parts, count, lag_days};

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
    /// and West; absent when the record is shorter than twenty horizons.
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
pub(super) fn rows_by_symbol(records: &[OutOfFold]) -> BTreeMap<Symbol, Vec<usize>> {
    let mut rows: BTreeMap<Symbol, Vec<usize>> = BTreeMap::new();
    for (index, record) in records.iter().enumerate() {
        rows.entry(record.symbol).or_default().push(index);
    }
    rows
}

/// The record of each symbol, by symbol.
pub(super) fn evaluate(records: &[OutOfFold], horizon: Horizon) -> Vec<SymbolEvaluation> {
    rows_by_symbol(records)
        .iter()
        .map(|(symbol, rows)| {
            let rows: Vec<&OutOfFold> = rows.iter().map(|&row| &records[row]).collect();
            of_symbol(*symbol, &rows, horizon)
        })
        .collect()
}

/// The record of one symbol, which has at least one row.
fn of_symbol(symbol: Symbol, rows: &[&OutOfFold], horizon: Horizon) -> SymbolEvaluation {
    let predicted: Vec<f64> = rows.iter().map(|r| r.predicted.model).collect();
    let realised: Vec<f64> = rows.iter().map(|r| r.realised()).collect();
    let rank_ic = Some(correlation_parts(&predicted, &realised))
        .filter(|parts| parts.len() >= days_count_min(horizon.sessions()))
        .and_then(|parts| DependentMean::newey_west(&parts, lag_days(horizon.sessions())))
        .and_then(|mean| mean.estimate(SYMBOL_LEVEL));
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
