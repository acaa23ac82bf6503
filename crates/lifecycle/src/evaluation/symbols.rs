//! The record symbol by symbol.

use std::collections::BTreeMap;

use bist_market::Symbol;
use bist_models::Horizon;
use bist_trading::Estimate;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{OutOfFold, hit_share};
use crate::rank_ic::{Correlation, DependentMean, count, lag_days, mean};

/// Of the symbols that pass, the share that may pass by luck.
pub(crate) const FALSE_SHARE_MAX: f64 = 0.05;

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
    /// Forecasts judged.
    pub rows_count: u64,
    /// Days judged; absent where every forecast has a day of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_count: Option<u64>,
    /// Spearman's correlation over time of forecasts and outcomes, with an interval by Newey and
    /// West that is so wide that of the symbols whose interval lies above zero 5 % are there by luck
    /// at most; absent when the record is shorter than twenty horizons. Nothing is taken from the
    /// outcomes: less the mean of the day, a share that cannot be foreseen would seem to be, whenever
    /// the others can.
    pub rank_ic: Option<Estimate>,
    /// Share of forecasts whose sign was right, with Wilson's 95 % interval for as many trials as
    /// there are horizons in the record, and not more than days; absent when nothing moved.
    pub hit_rate: Option<Estimate>,
    /// Share of outcomes that rose, of those that moved: the hit rate of always saying up.
    pub up_share: Option<f64>,
    /// Whether skill is shown on this symbol: the interval of the coefficient lies above zero.
    pub skill_shown: bool,
}

impl SymbolEvaluation {
    /// Days judged.
    pub fn days_judged(&self) -> u64 {
        self.days_count.unwrap_or(self.rows_count)
    }
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
    let of_symbols: Vec<(Symbol, Vec<&OutOfFold>, Option<DependentMean>)> = rows_by_symbol(records)
        .iter()
        .map(|(symbol, rows)| {
            let rows: Vec<&OutOfFold> = rows.iter().map(|&row| &records[row]).collect();
            let correlation = correlation(&rows, horizon);
            (*symbol, rows, correlation)
        })
        .collect();
    let judged: Vec<DependentMean> =
        of_symbols.iter().filter_map(|(.., correlation)| *correlation).collect();
    let level = common_level(&judged);
    of_symbols
        .iter()
        .map(|(symbol, rows, correlation)| {
            let rank_ic = correlation.and_then(|correlation| correlation.estimate(level));
            of_symbol(*symbol, rows, rank_ic, horizon)
        })
        .collect()
}

/// The level of the intervals by which all of `judged` are judged: that at which, of the symbols
/// whose interval lies above zero, a share of [`FALSE_SHARE_MAX`] is there by luck at most.
///
/// With `m` symbols of which `r` pass, the level is `1 - 2 FALSE_SHARE_MAX r / (m (1 + 1/2 + ... +
/// 1/m))`, for the largest `r` that agrees with itself; where none passes, it is that of the first.
/// The sum is the price of saying nothing of how the symbols depend on each other: they share a
/// market.
///
/// Source: Benjamini and Yekutieli (2001), "The Control of the False Discovery Rate in Multiple
/// Testing under Dependency", theorem 1.3; the intervals are those of the same authors (2005), "False
/// Discovery Rate-Adjusted Multiple Confidence Intervals for Selected Parameters".
fn common_level(judged: &[DependentMean]) -> f64 {
    let harmonic: f64 = (1..=judged.len()).map(|k| 1.0 / count(k)).sum();
    let tests_count = count(judged.len()) * harmonic;
    let level =
        |passed: usize| 1.0 - 2.0 * FALSE_SHARE_MAX * count(passed.max(1)) / tests_count.max(1.0);
    let pass = |level: f64| {
        let estimates = judged.iter().filter_map(|correlation| correlation.estimate(level));
        estimates.filter(|estimate| estimate.low > 0.0).count()
    };
    let mut passed = judged.len();
    loop {
        let next = pass(level(passed));
        if next >= passed || passed <= 1 {
            return level(passed);
        }
        passed = next;
    }
}

/// The correlation over time, if the record is long enough.
fn correlation(rows: &[&OutOfFold], horizon: Horizon) -> Option<DependentMean> {
    if days(rows).count() < days_count_min(horizon.sessions()) {
        return None;
    }
    let predicted: Vec<f64> = rows.iter().map(|record| record.predicted.model).collect();
    let realised: Vec<f64> = rows.iter().map(|record| record.realised()).collect();
    let parts = Correlation::Spearman.parts(&predicted, &realised);
    let mut parts = parts.as_slice();
    let daily: Vec<f64> = days(rows)
        .map(|day| {
            let (of_day, later) = parts.split_at(day.len());
            parts = later;
            mean(of_day)
        })
        .collect();
    DependentMean::newey_west(&daily, lag_days(horizon.sessions()))
}

/// `rows`, which are sorted by day, day by day.
fn days<'a>(rows: &'a [&'a OutOfFold]) -> impl Iterator<Item = &'a [&'a OutOfFold]> {
    rows.chunk_by(|a, b| a.day == b.day)
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
    let moved_days = days(rows).filter(|day| day.iter().any(|r| r.realised().abs() > 0.0)).count();
    let trials_count = count(moved_days) / f64::from(horizon.sessions());
    let days_count = days(rows).count();
    SymbolEvaluation {
        symbol,
        from: rows[0].day,
        to: rows[rows.len() - 1].day,
        rows_count: rows.len() as u64,
        days_count: (days_count < rows.len()).then_some(days_count as u64),
        rank_ic,
        hit_rate: hit_share(rows.iter().copied())
            .and_then(|share| Estimate::of_share(share, trials_count, super::LEVEL)),
        up_share: (moved > 0).then(|| count(rose) / count(moved)),
        skill_shown: rank_ic.is_some_and(|estimate| estimate.low > 0.0),
    }
}
