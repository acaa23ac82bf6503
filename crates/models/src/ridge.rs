//! Ridge regression: the linear baseline.

use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::cholesky::{Cholesky, dot};
use crate::features::{FeatureMatrix, Known};
use crate::forecaster::{FitError, FittedForecaster, Forecaster, assert_columns, check_rows};

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
#[serde(deny_unknown_fields)]
pub struct FittedRidge {
    feature_names: Vec<String>,
    means: Vec<f64>,
    std_devs: Vec<f64>,
    coefficients: Vec<f64>,
    intercept: f64,
}

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
        check_rows(x, y, train_rows, x.columns_count() + 2)?;

        let mut means = Vec::with_capacity(x.columns_count());
        let mut std_devs = Vec::with_capacity(x.columns_count());
        let mut standardised = Vec::with_capacity(x.columns_count());
        for j in 0..x.columns_count() {
            let mut values: Vec<f64> = train_rows.iter().map(|&row| x.value(row, j)).collect();
            let (mean, std_dev) = mean_and_std_dev(&values);
            for value in &mut values {
                *value = standard_score(*value, mean, std_dev);
            }
            means.push(mean);
            std_devs.push(std_dev);
            standardised.push(values);
        }
        let intercept = mean(train_rows.iter().map(|&row| y[row]));
        let centred: Vec<f64> = train_rows.iter().map(|&row| y[row] - intercept).collect();

        let coefficients = solve_ridge(&standardised, &centred, self.alpha)
            .ok_or(FitError::Singular { alpha: self.alpha })?;
        Ok(FittedRidge {
            feature_names: x.names().to_vec(),
            means,
            std_devs,
            coefficients,
            intercept,
        })
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
        &self.feature_names
    }

    fn predict(&self, known: &Known, rows: &[usize]) -> Vec<f64> {
        let x = &known.features;
        assert_columns(&self.feature_names, x);
        let mut predicted = vec![self.intercept; rows.len()];
        for j in 0..x.columns_count() {
            let (mean, std_dev, weight) = (self.means[j], self.std_devs[j], self.coefficients[j]);
            for (sum, &row) in predicted.iter_mut().zip(rows) {
                *sum += weight * standard_score(x.value(row, j), mean, std_dev);
            }
        }
        predicted
    }

    fn artifact(&self) -> Artifact {
        Artifact::Ridge(self.clone())
    }
}

/// Distance from the mean in standard deviations; an unknown value stands at the mean.
fn standard_score(value: f64, mean: f64, std_dev: f64) -> f64 {
    if value.is_nan() { 0.0 } else { (value - mean) / std_dev }
}

/// Mean and population standard deviation of the known values. A column without spread has
/// standard deviation 1, so that its scores are zero; one without known values has mean 0.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) fn mean_and_std_dev(values: &[f64]) -> (f64, f64) {
    let known = || values.iter().copied().filter(|value| !value.is_nan());
    let known_count = known().count();
    if known_count == 0 {
        return (0.0, 1.0);
    }
    let mean = mean(known());
    let variance = known().map(|value| (value - mean).powi(2)).sum::<f64>() / known_count as f64;
    // The rounding of equal values must not pass for spread.
    let negligible = (10.0 * f64::EPSILON * mean).powi(2);
    if variance > negligible { (mean, variance.sqrt()) } else { (mean, 1.0) }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count();
    values.sum::<f64>() / count as f64
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
