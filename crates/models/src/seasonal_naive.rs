//! The baseline to beat: the next period returns what the last one did.

use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::features::Known;
use crate::forecaster::{
    FitError, FittedForecaster, Forecaster, Horizon, assert_columns, check_rows,
};

/// Seasonal naive with a season of one horizon: the forecast is the log-return of the last
/// `horizon` sessions, and zero where that is unknown.
///
/// Source: Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeasonalNaive {
    /// The season's length; the matrix must have the column `return_<sessions>`.
    pub horizon: Horizon,
}

/// [`SeasonalNaive`] that has found its column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedSeasonalNaive {
    feature_names: Vec<String>,
    return_column: usize,
}

impl SeasonalNaive {
    /// The model's name in the store, the API and the files.
    pub const KIND: &str = "seasonal_naive";
}

impl Forecaster for SeasonalNaive {
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
        let name = format!("return_{}", self.horizon);
        let return_column = x.column_index(&name).ok_or(FitError::NoColumn(name))?;
        Ok(Box::new(FittedSeasonalNaive { feature_names: x.names().to_vec(), return_column }))
    }
}

impl FittedForecaster for FittedSeasonalNaive {
    fn kind(&self) -> &'static str {
        SeasonalNaive::KIND
    }

    fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    fn predict(&self, known: &Known, rows: &[usize]) -> Vec<f64> {
        let x = &known.features;
        assert_columns(&self.feature_names, x);
        let last = x.column(self.return_column);
        rows.iter().map(|&row| if last[row].is_nan() { 0.0 } else { last[row] }).collect()
    }

    fn artifact(&self) -> Artifact {
        Artifact::SeasonalNaive(self.clone())
    }
}
