//! Ridge regression: the linear baseline.

use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::cholesky::{Cholesky, dot};
use crate::features::{FeatureMatrix, Known};
use crate::forecaster::{FitError, FittedForecaster, Forecaster};
use crate::linear::{FittedLinear, LinearDesign};

/// Least squares with the penalty `alpha * |w|^2` on the coefficients of standardised features.
///
/// Mean and standard deviation of each feature come from the training rows alone; an unknown value
/// counts as the mean. The intercept is not penalised.
///
/// Source: Hoerl and Kennard (1970), "Ridge Regression"; the same objective as scikit-learn's
/// `Ridge` behind its `StandardScaler`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ridge {
    /// The penalty, zero or more.
    pub alpha: f64,
}

/// A fitted [`Ridge`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FittedRidge(FittedLinear);

impl Ridge {
    /// The model's name in the store, the API and the files.
    pub const KIND: &str = "ridge";

    /// Learns, and returns the concrete type.
    ///
    /// # Errors
    ///
    /// As [`Forecaster::fit`]; at least two rows more than columns are needed.
    pub fn fit_coefficients(
        &self,
        x: &FeatureMatrix,
        y: &[f64],
        train_rows: &[usize],
    ) -> Result<FittedRidge, FitError> {
        if !(self.alpha >= 0.0 && self.alpha.is_finite()) {
            let range = "zero or more";
            return Err(FitError::Parameter { name: "alpha", value: self.alpha, range });
        }
        let design = LinearDesign::of(x, y, train_rows)?;
        let coefficients = solve_ridge(&design.columns, &design.y, self.alpha)
            .ok_or(FitError::Singular { alpha: self.alpha })?;
        Ok(FittedRidge(design.fitted(x, coefficients)))
    }
}

impl Forecaster for Ridge {
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
        Ok(Box::new(self.fit_coefficients(&known.features, y, train_rows)?))
    }
}

impl FittedForecaster for FittedRidge {
    fn kind(&self) -> &'static str {
        Ridge::KIND
    }

    fn feature_names(&self) -> &[String] {
        &self.0.feature_names
    }

    fn predict(&self, known: &Known, rows: &[usize]) -> Vec<f64> {
        self.0.predict(&known.features, rows)
    }

    fn artifact(&self) -> Artifact {
        Artifact::Ridge(self.clone())
    }
}

/// Solves `(X'X + alpha I) w = X'y` by Cholesky; `None` when the matrix is not positive definite.
fn solve_ridge(columns: &[Vec<f64>], y: &[f64], alpha: f64) -> Option<Vec<f64>> {
    // A column of zeros says nothing: its coefficient is zero, with or without a penalty.
    let silent: Vec<bool> = columns.iter().map(|c| c.iter().all(|v| v.abs() <= 0.0)).collect();
    let gram = |i: usize, j: usize| match i == j {
        true if silent[i] => 1.0,
        true => dot(&columns[i], &columns[i]) + alpha,
        false => dot(&columns[i], &columns[j]),
    };
    let rows = (0..columns.len()).map(|i| (0..=i).map(|j| gram(i, j)).collect()).collect();
    let mut solution: Vec<f64> = columns.iter().map(|column| dot(column, y)).collect();
    Cholesky::of(rows)?.solve(&mut solution);
    Some(solution)
}
