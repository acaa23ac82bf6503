//! Linear models of standardised features: what they learn from, and what they have learned.

use serde::{Deserialize, Serialize};

use crate::explain::Contributions;
use crate::features::FeatureMatrix;
use crate::forecaster::{FitError, assert_columns, check_rows};

/// The training rows of a linear model, ready to be solved for coefficients.
///
/// Mean and standard deviation of each feature come from these rows alone; an unknown value counts
/// as the mean.
#[derive(Debug)]
pub(crate) struct LinearDesign {
    means: Vec<f64>,
    std_devs: Vec<f64>,
    intercept: f64,
    /// Standard scores, column after column.
    pub(crate) columns: Vec<Vec<f64>>,
    /// Targets less their mean.
    pub(crate) y: Vec<f64>,
}

/// A linear model that has learned: a coefficient for the standard score of each feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub(crate) struct FittedLinear {
    pub(crate) feature_names: Vec<String>,
    means: Vec<f64>,
    std_devs: Vec<f64>,
    pub(crate) coefficients: Vec<f64>,
    intercept: f64,
}

impl LinearDesign {
    /// Standardises the rows `train_rows`.
    ///
    /// # Errors
    ///
    /// As [`crate::Forecaster::fit`]; at least two rows more than columns are needed.
    pub(crate) fn of(x: &FeatureMatrix, y: &[f64], train_rows: &[usize]) -> Result<Self, FitError> {
        check_rows(x, y, train_rows, x.columns_count() + 2)?;
        let mut means = Vec::with_capacity(x.columns_count());
        let mut std_devs = Vec::with_capacity(x.columns_count());
        let mut columns = Vec::with_capacity(x.columns_count());
        for j in 0..x.columns_count() {
            let mut values: Vec<f64> = train_rows.iter().map(|&row| x.value(row, j)).collect();
            let (mean, std_dev) = mean_and_std_dev(&values);
            for value in &mut values {
                *value = standard_score(*value, mean, std_dev);
            }
            means.push(mean);
            std_devs.push(std_dev);
            columns.push(values);
        }
        let intercept = mean(train_rows.iter().map(|&row| y[row]));
        let y = train_rows.iter().map(|&row| y[row] - intercept).collect();
        Ok(Self { means, std_devs, intercept, columns, y })
    }

    /// The model with these coefficients, one for each column of `x`.
    pub(crate) fn fitted(self, x: &FeatureMatrix, coefficients: Vec<f64>) -> FittedLinear {
        FittedLinear {
            feature_names: x.names().to_vec(),
            means: self.means,
            std_devs: self.std_devs,
            coefficients,
            intercept: self.intercept,
        }
    }
}

impl FittedLinear {
    /// What each feature adds to the value of a row, whose `features` are in the order of the
    /// columns: its coefficient times its standard score. The base is the value at the means of the
    /// training rows.
    ///
    /// # Panics
    ///
    /// When there are not as many features as columns.
    pub(crate) fn row_contributions(&self, features: &[f64]) -> Contributions {
        self.assert_count(features);
        Contributions { base: self.intercept, values: self.summands(|j| features[j]).collect() }
    }

    /// The value of a row, whose `features` are in the order of the columns.
    ///
    /// # Panics
    ///
    /// When there are not as many features as columns.
    pub(crate) fn predict_row(&self, features: &[f64]) -> f64 {
        self.assert_count(features);
        self.value(|j| features[j])
    }

    /// The value of each of `rows`.
    ///
    /// # Panics
    ///
    /// As [`crate::FittedForecaster::predict`].
    pub(crate) fn predict(&self, x: &FeatureMatrix, rows: &[usize]) -> Vec<f64> {
        assert_columns(&self.feature_names, x);
        rows.iter().map(|&row| self.value(|j| x.value(row, j))).collect()
    }

    fn value(&self, feature: impl Fn(usize) -> f64) -> f64 {
        self.summands(feature).fold(self.intercept, |sum, summand| sum + summand)
    }

    /// The coefficient of each feature times its standard score.
    fn summands(&self, feature: impl Fn(usize) -> f64) -> impl Iterator<Item = f64> {
        let scales = self.means.iter().zip(&self.std_devs).zip(&self.coefficients);
        scales.enumerate().map(move |(j, ((mean, std_dev), weight))| {
            weight * standard_score(feature(j), *mean, *std_dev)
        })
    }

    fn assert_count(&self, features: &[f64]) {
        let count = self.feature_names.len();
        assert_eq!(features.len(), count, "there is a value for each column");
    }
}

/// [`FittedLinear`] as it was written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    feature_names: Vec<String>,
    means: Vec<f64>,
    std_devs: Vec<f64>,
    coefficients: Vec<f64>,
    intercept: f64,
}

impl TryFrom<Unchecked> for FittedLinear {
    type Error = &'static str;

    fn try_from(written: Unchecked) -> Result<Self, Self::Error> {
        let Unchecked { feature_names, means, std_devs, coefficients, intercept } = written;
        let count = feature_names.len();
        if [&means, &std_devs, &coefficients].iter().any(|numbers| numbers.len() != count) {
            return Err("there is not one mean, deviation and coefficient for each feature");
        }
        Ok(Self { feature_names, means, std_devs, coefficients, intercept })
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
