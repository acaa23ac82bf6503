//! The random walk with drift: each share goes on as it went on average.

use std::collections::BTreeMap;

use bist_market::Symbol;
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::features::Known;
use crate::forecaster::{FitError, FittedForecaster, Forecaster, assert_columns, check_rows};
use crate::horizon::Horizon;

/// Random walk with drift: the forecast is the mean log-return of the symbol's rows up to the
/// forecast's, times the bars of the horizon.
///
/// Returns are from row to row within an unbroken stretch of bars, and count from the first row
/// known. Without a return the forecast is zero.
///
/// Source: Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drift {
    /// How far a forecast looks ahead.
    pub horizon: Horizon,
}

/// [`Drift`] that knows its columns; the mean of a row comes from what is known at the row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedDrift {
    feature_names: Vec<String>,
    horizon: Horizon,
}

/// What is known of a symbol on the way through the rows.
#[derive(Clone, Copy, Debug)]
struct Walk {
    stretch: u32,
    log_close: f64,
    returns_sum: f64,
    returns_count: u32,
}

impl Drift {
    /// The model's name in the store, the API and the files.
    pub const KIND: &str = "drift";
}

impl Forecaster for Drift {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn fit(
        &self,
        known: &Known,
        y: &[f64],
        train_rows: &[usize],
        _validation_rows: &[usize],
    ) -> Result<Box<dyn FittedForecaster>, FitError> {
        let x = &known.features;
        check_rows(x, y, train_rows, 1)?;
        known.bars_ahead(self.horizon)?;
        Ok(Box::new(FittedDrift { feature_names: x.names().to_vec(), horizon: self.horizon }))
    }
}

impl FittedForecaster for FittedDrift {
    fn kind(&self) -> &'static str {
        Drift::KIND
    }

    fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    fn predict(&self, known: &Known, rows: &[usize]) -> Vec<f64> {
        assert_columns(&self.feature_names, &known.features);
        let bars = known.bars_ahead(self.horizon).expect("the columns are those of the fit");
        let means = mean_returns(known);
        rows.iter().map(|&row| f64::from(bars[row]) * means[row]).collect()
    }

    fn artifact(&self) -> Artifact {
        Artifact::Drift(self.clone())
    }
}

/// The mean log-return of each row's symbol up to the row; zero without a return.
fn mean_returns(known: &Known) -> Vec<f64> {
    let mut walks: BTreeMap<Symbol, Walk> = BTreeMap::new();
    let rows = known.keys.iter().zip(&known.log_close).zip(&known.stretch);
    rows.map(|((key, &log_close), &stretch)| {
        let start = Walk { stretch, log_close, returns_sum: 0.0, returns_count: 0 };
        let walk = walks.entry(key.symbol).and_modify(|walk| walk.take(log_close, stretch));
        walk.or_insert(start).mean()
    })
    .collect()
}

impl Walk {
    fn take(&mut self, log_close: f64, stretch: u32) {
        if stretch == self.stretch {
            self.returns_sum += log_close - self.log_close;
            self.returns_count += 1;
        }
        (self.stretch, self.log_close) = (stretch, log_close);
    }

    fn mean(&self) -> f64 {
        if self.returns_count == 0 { 0.0 } else { self.returns_sum / f64::from(self.returns_count) }
    }
}
