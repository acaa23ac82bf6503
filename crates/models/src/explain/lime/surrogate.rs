//! The weighted linear model that stands for another near one row.

use crate::cholesky::{Cholesky, dot};

/// Sums of weighted products from which linear models on any of the features follow.
#[derive(Debug)]
pub(super) struct Moments {
    /// Weighted means of the regressors.
    means: Vec<f64>,
    target_mean: f64,
    /// For each regressor the sums of its products with those up to itself, about the means.
    products: Vec<Vec<f64>>,
    /// For each regressor the sum of its products with the target, about the means.
    with_target: Vec<f64>,
    /// The sum of squares of the target about its mean.
    target_squares: f64,
}

/// A linear model on some of the features.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Surrogate {
    pub(super) features: Vec<usize>,
    /// One for each of `features`.
    pub(super) coefficients: Vec<f64>,
    pub(super) intercept: f64,
    /// Share of the weighted squares about the mean that it explains.
    pub(super) r2: f64,
}

impl Moments {
    /// From columns of regressors.
    pub(super) fn of(columns: &[&[f64]], targets: &[f64], weights: &[f64]) -> Self {
        let weights_sum: f64 = weights.iter().sum();
        let mean = |values: &[f64]| dot(weights, values) / weights_sum;
        let means: Vec<f64> = columns.iter().map(|column| mean(column)).collect();
        let target_mean = mean(targets);
        let about = |values: &[f64], mean: f64| -> Vec<f64> {
            values.iter().map(|value| value - mean).collect()
        };
        let centred: Vec<Vec<f64>> =
            columns.iter().zip(&means).map(|(column, mean)| about(column, *mean)).collect();
        let target = about(targets, target_mean);
        let weighted = |values: &[f64]| -> Vec<f64> {
            values.iter().zip(weights).map(|(value, weight)| value * weight).collect()
        };
        let products = centred
            .iter()
            .enumerate()
            .map(|(i, column)| {
                let column = weighted(column);
                centred[..=i].iter().map(|other| dot(&column, other)).collect()
            })
            .collect();
        let target_weighted = weighted(&target);
        Self {
            means,
            target_mean,
            products,
            with_target: centred.iter().map(|column| dot(column, &target_weighted)).collect(),
            target_squares: dot(&target, &target_weighted),
        }
    }

    fn product(&self, i: usize, j: usize) -> f64 {
        self.products[i.max(j)][i.min(j)]
    }

    /// Ridge regression on `features`; a feature that does not vary beside the others has the
    /// coefficient zero where `alpha` is zero.
    pub(super) fn ridge(&self, features: &[usize], alpha: f64) -> Surrogate {
        let matrix = features.iter().enumerate().map(|(at, &i)| {
            let row = features[..=at].iter().map(|&j| self.product(i, j));
            row.enumerate().map(|(k, sum)| if k == at { sum + alpha } else { sum }).collect()
        });
        let mut coefficients: Vec<f64> = features.iter().map(|&i| self.with_target[i]).collect();
        match Cholesky::of(matrix.collect()) {
            Some(factor) => factor.solve(&mut coefficients),
            None => coefficients.fill(0.0),
        }
        let mut intercept = self.target_mean;
        let mut errors = self.target_squares;
        for (&i, b) in features.iter().zip(&coefficients) {
            intercept -= b * self.means[i];
            errors -= 2.0 * b * self.with_target[i];
            for (&j, c) in features.iter().zip(&coefficients) {
                errors += b * c * self.product(i, j);
            }
        }
        let r2 = if self.target_squares > 0.0 { 1.0 - errors / self.target_squares } else { 1.0 };
        Surrogate { features: features.to_vec(), coefficients, intercept, r2 }
    }

    /// Adds the feature that explains most, again and again.
    pub(super) fn forward_selection(&self, count: usize) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        let mut left: Vec<usize> = (0..self.means.len()).collect();
        while chosen.len() < count {
            let r2 = |&feature: &usize| {
                let mut features = chosen.clone();
                features.push(feature);
                self.ridge(&features, 0.0).r2
            };
            let explained = left.iter().map(r2).enumerate();
            // The first of equals.
            let Some((best, _)) = explained.rev().max_by(|a, b| a.1.total_cmp(&b.1)) else {
                break;
            };
            chosen.push(left.remove(best));
        }
        chosen
    }

    /// The features whose terms of a model on all of them are the largest for the row of
    /// regressors `own`.
    pub(super) fn highest_weights(&self, own: &[f64], count: usize) -> Vec<usize> {
        let all: Vec<usize> = (0..own.len()).collect();
        let Surrogate { coefficients, .. } = self.ridge(&all, 0.01);
        let term = |&feature: &usize| (coefficients[feature] * own[feature]).abs();
        let mut order = all;
        order.sort_by(|a, b| term(b).total_cmp(&term(a)));
        order.truncate(count);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments() -> Moments {
        let columns: [Vec<f64>; 3] = [
            (0..50).map(|k| f64::from(k % 7)).collect(),
            (0..50).map(|k| f64::from(k % 5) - 2.0).collect(),
            (0..50).map(|k| f64::from(k % 3)).collect(),
        ];
        let targets: Vec<f64> =
            (0..50).map(|k| 1.0 + 0.5 * columns[0][k] - 3.0 * columns[1][k]).collect();
        let weights: Vec<f64> = (0..50).map(|k| 1.0 / f64::from(1 + k)).collect();
        Moments::of(&columns.each_ref().map(Vec::as_slice), &targets, &weights)
    }

    #[test]
    fn a_linear_target_is_explained_whole() {
        let fitted = moments().ridge(&[0, 1, 2], 0.0);
        for (found, expected) in fitted.coefficients.iter().zip([0.5, -3.0, 0.0]) {
            assert!((found - expected).abs() < 1e-10, "{found}");
        }
        assert!((fitted.intercept - 1.0).abs() < 1e-10 && (fitted.r2 - 1.0).abs() < 1e-10);
    }

    #[test]
    fn a_penalty_shrinks_and_leaves_the_weighted_mean() {
        let moments = moments();
        let fitted = moments.ridge(&[1], 1e12);
        assert!(fitted.coefficients[0].abs() < 1e-9);
        assert!((fitted.intercept - moments.target_mean).abs() < 1e-9 && fitted.r2 < 1e-9);
    }

    #[test]
    fn the_features_that_matter_are_selected() {
        let moments = moments();
        assert_eq!(moments.forward_selection(2), [1, 0]);
        assert_eq!(moments.highest_weights(&[4.0, 1.0, 2.0], 2), [1, 0]);
        assert_eq!(moments.highest_weights(&[9.0, 1.0, 2.0], 2), [0, 1]);
    }
}
