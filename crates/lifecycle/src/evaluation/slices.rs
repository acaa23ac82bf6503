//! The record by year and by sector: whether one episode or one trade carries it.

use std::collections::BTreeMap;

use bist_market::Symbol;
use bist_models::Horizon;
use bist_trading::Estimate;
use serde::{Deserialize, Serialize};

use super::symbols::{correlation_parts, days_count_min};
use super::{DailyCoefficients, LEVEL, OutOfFold, RankIcMethod, compared, hit_share};
use crate::rank_ic::{Correlation, DependentMean, lag_days, mean};

/// The record of a part of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceEvaluation {
    /// Days judged.
    pub days_count: u64,
    /// Forecasts judged.
    pub rows_count: u64,
    /// Rank information coefficient with its 95 % interval by Newey and West; absent when there are
    /// fewer days than twenty horizons.
    pub rank_ic: Option<Estimate>,
    /// Share of forecasts whose sign was right; absent when nothing moved.
    pub hit_share: Option<f64>,
    /// By what share the squared error is below that of forecasting zero, relative to the mean of
    /// the day where symbols are compared; absent when nothing moved.
    pub skill_against_zero_share: Option<f64>,
}

/// The record of one year.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct YearEvaluation {
    /// The calendar year of the days on which forecasts were made.
    pub year: i16,
    /// Its record; the coefficient is the mean of that of its days.
    #[serde(flatten)]
    pub record: SliceEvaluation,
}

/// The record of one sector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SectorEvaluation {
    /// Its name, as the source of the instruments has it.
    pub sector: String,
    /// Symbols of the sector.
    pub symbols_count: u64,
    /// Its record. A sector has too few symbols to compare them with each other: the coefficient is
    /// the mean over days of its symbols' parts of their own correlation over time, relative to the
    /// mean over **all** symbols of the day where those are compared.
    #[serde(flatten)]
    pub record: SliceEvaluation,
}

/// The rows of a record, with what slices of it share.
pub(super) struct Slices<'a> {
    records: &'a [OutOfFold],
    horizon: Horizon,
    /// Forecasts and outcomes as they are compared.
    predicted: Vec<f64>,
    realised: Vec<f64>,
}

impl<'a> Slices<'a> {
    /// `records` are sorted by day and symbol.
    pub(super) fn of(records: &'a [OutOfFold], horizon: Horizon, method: RankIcMethod) -> Self {
        Self {
            records,
            horizon,
            predicted: compared(records, method, |record| record.predicted.model),
            realised: compared(records, method, OutOfFold::realised),
        }
    }

    /// The years in order; `daily` are the rank coefficients of the record's days.
    pub(super) fn by_year(&self, daily: &DailyCoefficients) -> Vec<YearEvaluation> {
        let mut rows_by_year: BTreeMap<i16, Vec<usize>> = BTreeMap::new();
        for (row, record) in self.records.iter().enumerate() {
            rows_by_year.entry(record.day.year()).or_default().push(row);
        }
        rows_by_year
            .into_iter()
            .map(|(year, rows)| {
                let of_year = daily.days.iter().filter(|daily| daily.day.year() == year);
                let coefficients: Vec<f64> = of_year.map(|daily| daily.value).collect();
                YearEvaluation { year, record: self.judge(&rows, &coefficients) }
            })
            .collect()
    }

    /// The sectors by name; symbols whose sector is not known are left out.
    pub(super) fn by_sector(&self, sectors: &BTreeMap<Symbol, String>) -> Vec<SectorEvaluation> {
        let mut rows_by_sector: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (row, record) in self.records.iter().enumerate() {
            if let Some(sector) = sectors.get(&record.symbol) {
                rows_by_sector.entry(sector).or_default().push(row);
            }
        }
        let parts =
            correlation_parts(self.records, Correlation::Spearman, &self.predicted, &self.realised);
        rows_by_sector
            .into_iter()
            .map(|(sector, rows)| {
                let mut symbols: Vec<Symbol> =
                    rows.iter().map(|&row| self.records[row].symbol).collect();
                symbols.sort_unstable();
                symbols.dedup();
                let coefficients: Vec<f64> =
                    self.days(&rows).map(|day| mean_of(day, &parts)).collect();
                SectorEvaluation {
                    sector: sector.to_owned(),
                    symbols_count: symbols.len() as u64,
                    record: self.judge(&rows, &coefficients),
                }
            })
            .collect()
    }

    /// The record of `rows`, whose daily coefficients are `coefficients`.
    fn judge(&self, rows: &[usize], coefficients: &[f64]) -> SliceEvaluation {
        let sum = |square: &dyn Fn(usize) -> f64| rows.iter().map(|&row| square(row)).sum::<f64>();
        let of_model = sum(&|row| (self.realised[row] - self.predicted[row]).powi(2));
        let of_zero = sum(&|row| self.realised[row].powi(2));
        let horizon_sessions = self.horizon.sessions();
        let rank_ic = DependentMean::newey_west(coefficients, lag_days(horizon_sessions))
            .filter(|_| coefficients.len() >= days_count_min(horizon_sessions))
            .and_then(|mean| mean.estimate(LEVEL));
        SliceEvaluation {
            days_count: self.days(rows).count() as u64,
            rows_count: rows.len() as u64,
            rank_ic,
            hit_share: hit_share(rows.iter().map(|&row| &self.records[row])),
            skill_against_zero_share: (of_zero > 0.0).then(|| 1.0 - of_model / of_zero),
        }
    }

    /// `rows`, which ascend, day by day.
    fn days<'b>(&'b self, rows: &'b [usize]) -> impl Iterator<Item = &'b [usize]> {
        rows.chunk_by(|&a, &b| self.records[a].day == self.records[b].day)
    }
}

/// The mean of `values` over `rows`.
fn mean_of(rows: &[usize], values: &[f64]) -> f64 {
    mean(&rows.iter().map(|&row| values[row]).collect::<Vec<_>>())
}
