//! Exponential smoothing: the classical forecast of a series by itself.
//!
//! [`Ets`] fits a model in state space form to the closes of every symbol, by maximum likelihood, and
//! chooses its trend by the corrected information criterion. It looks at no feature.
//!
//! Source: Hyndman, Koehler, Ord, Snyder (2008), "Forecasting with Exponential Smoothing: The State
//! Space Approach", with its letters: `alpha`, `beta`, `phi`, level `l`, trend `b`. The bounds of the
//! parameters are those of statsmodels' `ETSModel`.

mod nelder_mead;
mod series;

use std::collections::BTreeMap;

use bist_market::Symbol;
use jiff::civil::DateTime;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::features::Known;
use crate::forecaster::{FitError, FittedForecaster, Forecaster, assert_columns, check_rows};
use crate::horizon::Horizon;
use series::FittedSeries;

/// Fewest training rows of an unbroken stretch for which it gets a model: ten for each of the three
/// numbers that all models learn at most of the smoothing.
const STRETCH_ROWS_MIN: usize = 30;

/// Exponential smoothing of the logarithm of the close, for each unbroken stretch of each symbol:
/// with additive errors, and no trend, a linear or a damped one, whichever has the least `AICc`.
///
/// Parameters and first state come from the training rows, taken as evenly spaced. The forecast
/// of a row smooths the stretch's rows up to it and extends level and trend over the horizon, less
/// the row's own close. A stretch without 30 training rows is forecast to stand still, and so are
/// rows before the first one trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ets {
    /// How far a forecast looks ahead.
    pub horizon: Horizon,
}

/// A fitted [`Ets`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedEts {
    feature_names: Vec<String>,
    horizon: Horizon,
    /// Ordered by symbol, then by stretch.
    stretches: Vec<FittedStretch>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FittedStretch {
    symbol: Symbol,
    stretch: u32,
    /// The moment of the first row trained on, before which the series has its first state.
    from: DateTime,
    series: FittedSeries,
}

impl Ets {
    /// The model's name in the store, the API and the files.
    pub const KIND: &str = "ets";

    /// Learns, and returns the concrete type.
    ///
    /// # Errors
    ///
    /// As [`Forecaster::fit`]; at least 30 rows are needed.
    pub fn fit_closes(
        &self,
        known: &Known,
        y: &[f64],
        train_rows: &[usize],
    ) -> Result<FittedEts, FitError> {
        check_rows(&known.features, y, train_rows, STRETCH_ROWS_MIN)?;
        known.bars_ahead(self.horizon)?;
        let stretches: Vec<_> = known
            .rows_by_stretch(train_rows)
            .into_iter()
            .filter(|(_, rows)| rows.len() >= STRETCH_ROWS_MIN)
            .collect();
        let stretches = stretches
            .into_par_iter()
            .map(|((symbol, stretch), mut rows)| {
                rows.sort_unstable();
                let closes: Vec<f64> = rows.iter().map(|&row| known.log_close[row]).collect();
                let from = known.keys[rows[0]].moment();
                FittedStretch { symbol, stretch, from, series: FittedSeries::best_of(&closes) }
            })
            .collect();
        let feature_names = known.features.names().to_vec();
        Ok(FittedEts { feature_names, horizon: self.horizon, stretches })
    }
}

impl Forecaster for Ets {
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
        Ok(Box::new(self.fit_closes(known, y, train_rows)?))
    }
}

impl FittedForecaster for FittedEts {
    fn kind(&self) -> &'static str {
        Ets::KIND
    }

    fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    fn predict(&self, known: &Known, rows: &[usize]) -> Vec<f64> {
        assert_columns(&self.feature_names, &known.features);
        let bars = known.bars_ahead(self.horizon).expect("the columns are those of the fit");
        let all: Vec<usize> = (0..known.keys.len()).collect();
        let mut changes = vec![0.0; known.keys.len()];
        let stretches: BTreeMap<_, _> = known.rows_by_stretch(&all);
        for FittedStretch { symbol, stretch, from, series } in &self.stretches {
            let of_stretch = stretches.get(&(*symbol, *stretch)).into_iter().flatten();
            let mut state = series.first_state();
            for &row in of_stretch.filter(|row| known.keys[**row].moment() >= *from) {
                state = series.smoothed(state, known.log_close[row]);
                changes[row] = series.extended(state, bars[row]) - known.log_close[row];
            }
        }
        rows.iter().map(|&row| changes[row]).collect()
    }

    fn artifact(&self) -> Artifact {
        Artifact::Ets(self.clone())
    }
}
