//! Ordinary least squares with a constant, and how far its coefficients can be trusted.
//!
//! Source: Greene, "Econometric Analysis", chapters 3 and 4.

use super::{count, mean};
use crate::cholesky::{Cholesky, dot};

/// A line through observations, as least squares draws it.
#[derive(Clone, Debug, PartialEq)]
pub struct LeastSquares {
    /// What is added whatever the regressors are.
    pub constant: f64,
    /// One for each regressor.
    pub slopes: Vec<f64>,
    /// Standard error of each slope, for errors that are alike and independent.
    pub standard_errors: Vec<f64>,
    /// The share of the variance that the regressors explain, 0..=1.
    pub r2: f64,
    /// What is left of each observation; they add up to zero.
    pub residuals: Vec<f64>,
}

impl LeastSquares {
    /// The line for `outcomes` by `regressors`, one column each; `None` when there are too few
    /// observations, the outcomes do not vary, or the regressors are no help to tell apart.
    ///
    /// # Panics
    ///
    /// When a column is not as long as the outcomes.
    pub fn of(outcomes: &[f64], regressors: &[Vec<f64>]) -> Option<Self> {
        assert!(
            regressors.iter().all(|column| column.len() == outcomes.len()),
            "every regressor has a value for each outcome"
        );
        let freedom = outcomes.len().checked_sub(regressors.len() + 1).filter(|left| *left > 0)?;
        // Around the means, the constant drops out of the system.
        let centre = mean(outcomes)?;
        let centres: Vec<f64> = regressors.iter().filter_map(|column| mean(column)).collect();
        let around = |values: &[f64], centre: f64| -> Vec<f64> {
            values.iter().map(|value| value - centre).collect()
        };
        let y = around(outcomes, centre);
        let x: Vec<Vec<f64>> = regressors
            .iter()
            .zip(&centres)
            .map(|(column, centre)| around(column, *centre))
            .collect();
        let rows = (0..x.len()).map(|i| (0..=i).map(|j| dot(&x[i], &x[j])).collect()).collect();
        let factor = Cholesky::of(rows)?;
        let mut slopes: Vec<f64> = x.iter().map(|column| dot(column, &y)).collect();
        factor.solve(&mut slopes);
        let residuals: Vec<f64> = (0..y.len())
            .map(|row| y[row] - x.iter().zip(&slopes).map(|(x, slope)| x[row] * slope).sum::<f64>())
            .collect();
        let (left, whole) = (dot(&residuals, &residuals), dot(&y, &y));
        if whole <= 0.0 {
            return None;
        }
        let variance = left / count(freedom);
        let standard_errors = (0..slopes.len())
            .map(|index| {
                let mut unit = vec![0.0; slopes.len()];
                unit[index] = 1.0;
                factor.solve(&mut unit);
                (variance * unit[index]).sqrt()
            })
            .collect();
        let constant = centre - dot(&slopes, &centres);
        Some(Self { constant, slopes, standard_errors, r2: 1.0 - left / whole, residuals })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_and_their_errors_are_those_of_statsmodels() {
        let wave =
            |i: i32, a: i32, b: i32, m: i32, c: i32, d: f64| f64::from((a * i + b) % m - c) / d;
        let x: Vec<f64> = (0..12).map(|i| wave(i, 7, 3, 11, 5, 100.0)).collect();
        let z: Vec<f64> = (0..12).map(|i| wave(i, 5, 1, 13, 6, 200.0)).collect();
        let y: Vec<f64> = (0..12_usize)
            .zip(0..)
            .map(|(at, i)| 0.001 + 1.2 * x[at] - 0.4 * z[at] + wave(i, 3, 0, 7, 3, 500.0))
            .collect();
        let line = LeastSquares::of(&y, &[x, z]).unwrap();
        // statsmodels 0.15.0: OLS(y, add_constant(...)).fit(), params, bse and rsquared.
        let expected = [
            (line.constant, 0.001_210_757_467_805_226_2),
            (line.slopes[0], 1.146_264_768_123_185_5),
            (line.slopes[1], -0.293_080_383_253_400_25),
            (line.standard_errors[0], 0.043_859_192_429_305_32),
            (line.standard_errors[1], 0.071_257_006_437_318_21),
            (line.r2, 0.988_211_489_876_095),
        ];
        for (actual, expected) in expected {
            assert!((actual - expected).abs() < 1e-12, "{actual} {expected}");
        }
        assert!(line.residuals.iter().sum::<f64>().abs() < 1e-15);
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        let x: Vec<f64> = (0..9).map(f64::from).collect();
        let twice = x.iter().map(|value| 2.0 * value).collect();
        assert_eq!(LeastSquares::of(&x, &[x.clone(), twice]), None);
        assert_eq!(LeastSquares::of(&[1.0, 2.0], &[vec![0.0, 1.0]]), None);
        assert_eq!(LeastSquares::of(&[1.0; 9], &[x]), None);
    }
}
