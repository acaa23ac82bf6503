//! Elastic net: the linear model that leaves features out.

use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::cholesky::dot;
use crate::explain::Contributions;
use crate::features::{FeatureMatrix, Known};
use crate::forecaster::{FitError, FittedForecaster, Forecaster};
use crate::linear::{FittedLinear, LinearDesign};

/// Coordinate descent ends when a sweep changes no coefficient by more than this share of the
/// largest.
const CHANGE_SHARE_MIN: f64 = 1e-10;
/// Most sweeps. Some hundred are usual; features that all but repeat each other, with hardly a
/// penalty, may need more, and then the coefficients stand a little off the minimum.
const SWEEPS_MAX: usize = 10_000;

/// Least squares with a penalty on sizes and squares of the coefficients of standardised features.
///
/// Minimised is `|y - X w|^2 / (2 n) + alpha * (l1_ratio * |w|_1 + (1 - l1_ratio) / 2 * |w|^2)`. Mean
/// and standard deviation of each feature come from the training rows alone; an unknown value
/// counts as the mean. The intercept is not penalised.
///
/// Source: Zou and Hastie (2005), "Regularization and Variable Selection via the Elastic Net"; the
/// same objective as scikit-learn's `ElasticNet` behind its `StandardScaler`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElasticNet {
    /// The penalty, zero or more, in units of the target.
    pub alpha: f64,
    /// How much of it is on sizes, 0..=1: 0 is ridge regression, 1 the lasso.
    pub l1_ratio: f64,
}

/// A fitted [`ElasticNet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FittedElasticNet(FittedLinear);

impl ElasticNet {
    /// The model's name in the store, the API and the files.
    pub const KIND: &str = "elastic_net";

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
    ) -> Result<FittedElasticNet, FitError> {
        let refused = |name, value, range| Err(FitError::Parameter { name, value, range });
        if !(self.alpha >= 0.0 && self.alpha.is_finite()) {
            return refused("alpha", self.alpha, "zero or more");
        }
        if !(0.0..=1.0).contains(&self.l1_ratio) {
            return refused("l1_ratio", self.l1_ratio, "0 to 1");
        }
        let design = LinearDesign::of(x, y, train_rows)?;
        let l1 = self.alpha * self.l1_ratio;
        let coefficients = coordinate_descent(&design, l1, self.alpha - l1);
        Ok(FittedElasticNet(design.fitted(x, coefficients)))
    }
}

impl FittedElasticNet {
    /// The coefficient of each feature's standard score, in units of the target; zero for a feature
    /// that is left out.
    pub fn coefficients(&self) -> &[f64] {
        &self.0.coefficients
    }

    /// The forecast for one row of feature values in the order of the columns, the bits of
    /// [`FittedForecaster::predict`].
    ///
    /// # Panics
    ///
    /// When there are not as many values as columns.
    pub fn predict_row(&self, row: &[f64]) -> f64 {
        self.0.predict_row(row)
    }

    /// What each feature adds to the forecast for one row of feature values in the order of the
    /// columns; with the base they add up to it.
    ///
    /// # Panics
    ///
    /// When there are not as many values as columns.
    pub fn row_contributions(&self, row: &[f64]) -> Contributions {
        self.0.row_contributions(row)
    }
}

impl Forecaster for ElasticNet {
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

impl FittedForecaster for FittedElasticNet {
    fn kind(&self) -> &'static str {
        ElasticNet::KIND
    }

    fn feature_names(&self) -> &[String] {
        &self.0.feature_names
    }

    fn predict(&self, known: &Known, rows: &[usize]) -> Vec<f64> {
        self.0.predict(&known.features, rows)
    }

    fn artifact(&self) -> Artifact {
        Artifact::ElasticNet(self.clone())
    }
}

/// Minimises over one coefficient after the other, with penalties `l1 * |w|_1 + l2 / 2 * |w|^2`.
///
/// Source: Friedman, Hastie, Tibshirani (2010), "Regularization Paths for Generalized Linear Models
/// via Coordinate Descent", sections 2.1 and 2.2: covariance updates, so that a sweep costs no walk
/// over the rows.
fn coordinate_descent(design: &LinearDesign, l1: f64, l2: f64) -> Vec<f64> {
    let LinearDesign { columns, y, .. } = design;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    let n = y.len() as f64;
    let mut gram = vec![vec![0.0; columns.len()]; columns.len()];
    for i in 0..columns.len() {
        for j in 0..=i {
            gram[i][j] = dot(&columns[i], &columns[j]) / n;
            gram[j][i] = gram[i][j];
        }
    }
    // The covariance of each feature with what is not explained yet.
    let mut left: Vec<f64> = columns.iter().map(|column| dot(column, y) / n).collect();
    let mut weights = vec![0.0_f64; columns.len()];
    for _ in 0..SWEEPS_MAX {
        let (mut change_max, mut weight_max) = (0.0_f64, 0.0_f64);
        for (j, of_j) in gram.iter().enumerate() {
            let curvature = of_j[j] + l2;
            if curvature <= 0.0 {
                continue;
            }
            let pull = left[j] + of_j[j] * weights[j];
            let weight = (pull.abs() - l1).max(0.0).copysign(pull) / curvature;
            let change = weight - weights[j];
            if change.abs() > 0.0 {
                left.iter_mut().zip(of_j).for_each(|(left, g)| *left -= change * g);
                weights[j] = weight;
            }
            change_max = change_max.max(change.abs());
            weight_max = weight_max.max(weight.abs());
        }
        if change_max <= CHANGE_SHARE_MIN * weight_max {
            break;
        }
    }
    weights
}
