//! Features as the network reads them: standard scores, and which values were missing.

use serde::{Deserialize, Serialize};

use crate::features::FeatureMatrix;
use crate::linear::mean_and_std_dev;

/// Standard scores beyond this are cut, so that one wild value cannot fill every gate.
const SCORE_MAX: f64 = 10.0;

/// Greater numbers have no variance in double precision; where there is one, nothing is read.
const SQUARED_MAX: f64 = 1e150;

/// Mean and standard deviation of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scale {
    /// Mean of the known numbers; 0 without any.
    pub(super) mean: f64,
    /// Their standard deviation; 0 when they do not differ, and then a number says nothing.
    pub(super) std_dev: f64,
}

impl Scale {
    /// Learns from the numbers that are known, that is not NaN.
    pub(super) fn learn(numbers: &[f64]) -> Self {
        let known = || numbers.iter().filter(|number| !number.is_nan());
        let differs = known().zip(known().skip(1)).any(|(a, b)| (a - b).abs() > 0.0);
        if known().any(|number| number.abs() > SQUARED_MAX) {
            return Self { mean: 0.0, std_dev: 0.0 };
        }
        let (mean, std_dev) = mean_and_std_dev(numbers);
        if !differs {
            return Self { mean: known().next().copied().unwrap_or(0.0), std_dev: 0.0 };
        }
        Self { mean, std_dev }
    }

    /// Distance from the mean in standard deviations; a missing number stands at the mean.
    pub(super) fn score(self, number: f64) -> f64 {
        if number.is_nan() || self.std_dev <= 0.0 {
            0.0
        } else {
            (number - self.mean) / self.std_dev
        }
    }

    /// The number that lies `score` standard deviations from the mean.
    pub(super) fn number(self, score: f32) -> f64 {
        self.mean + self.std_dev * f64::from(score)
    }

    /// Whether it can have been learned.
    pub(super) fn is_sound(self) -> bool {
        self.mean.is_finite() && self.std_dev.is_finite() && self.std_dev >= 0.0
    }
}

/// How one feature is read, learned on the training rows alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeatureScale {
    scale: Scale,
    /// Whether some values, but not all, were missing: then the network is told which.
    flagged: bool,
}

impl FeatureScale {
    /// The standard score of a value, cut.
    fn input(&self, value: f64) -> f32 {
        single(self.scale.score(value).clamp(-SCORE_MAX, SCORE_MAX))
    }
}

/// Tells the network whether a value is missing.
fn flag(value: f64) -> f32 {
    if value.is_nan() { 1.0 } else { 0.0 }
}

/// How all features are read: first the standard scores of all, where a missing value stands at the
/// mean, then for each flagged one 1 where it is missing and 0 where it is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Scaler {
    scales: Vec<FeatureScale>,
}

impl Scaler {
    /// Learns from the given rows.
    pub(super) fn learn(x: &FeatureMatrix, rows: &[usize]) -> Self {
        let scale = |j: usize| {
            let column = x.column(j);
            let values: Vec<f64> = rows.iter().map(|&row| column[row]).collect();
            let missing_count = values.iter().filter(|value| value.is_nan()).count();
            let flagged = (1..values.len()).contains(&missing_count);
            FeatureScale { scale: Scale::learn(&values), flagged }
        };
        Self { scales: (0..x.columns_count()).map(scale).collect() }
    }

    /// How many features are read.
    pub(super) fn features_count(&self) -> usize {
        self.scales.len()
    }

    /// How many numbers the network reads for a row.
    pub(super) fn inputs_count(&self) -> usize {
        self.scales.len() + self.flagged().count()
    }

    /// Whether every number is one that can be learned.
    pub(super) fn is_sound(&self) -> bool {
        self.scales.iter().all(|feature| feature.scale.is_sound())
    }

    fn flagged(&self) -> impl Iterator<Item = usize> {
        let scales = self.scales.iter().enumerate();
        scales.filter_map(|(j, feature)| feature.flagged.then_some(j))
    }

    /// The inputs of the given rows, row after row.
    pub(super) fn inputs(&self, x: &FeatureMatrix, rows: &[usize]) -> Vec<f32> {
        let width = self.inputs_count();
        let mut inputs = vec![0.0; rows.len() * width];
        for (j, feature) in self.scales.iter().enumerate() {
            let column = x.column(j);
            for (slot, &row) in inputs.iter_mut().skip(j).step_by(width).zip(rows) {
                *slot = feature.input(column[row]);
            }
        }
        for (k, j) in self.flagged().enumerate() {
            let column = x.column(j);
            let slots = inputs.iter_mut().skip(self.scales.len() + k).step_by(width);
            for (slot, &row) in slots.zip(rows) {
                *slot = flag(column[row]);
            }
        }
        inputs
    }

    /// The inputs of one row, whose `features` are in the order of the columns.
    ///
    /// # Panics
    ///
    /// When there are not as many features as columns.
    pub(super) fn inputs_of_row(&self, features: &[f64]) -> Vec<f32> {
        assert_eq!(features.len(), self.scales.len(), "there is a value for each feature");
        let scores = self.scales.iter().zip(features).map(|(feature, value)| feature.input(*value));
        scores.chain(self.flagged().map(|j| flag(features[j]))).collect()
    }

    /// What the inputs of a row amount to by feature: that of its score and, where it has one, that of
    /// its flag.
    pub(super) fn by_feature(&self, of_inputs: &[f64]) -> Vec<f64> {
        let (of_scores, of_flags) = of_inputs.split_at(self.scales.len());
        let mut of_features = of_scores.to_vec();
        for (j, of_flag) in self.flagged().zip(of_flags) {
            of_features[j] += of_flag;
        }
        of_features
    }

    /// Derivative of the input of feature `j` by its value; 0 for a missing value and one that is
    /// cut.
    pub(super) fn slope(&self, j: usize, value: f64) -> f64 {
        let scale = self.scales[j].scale;
        if value.is_nan() || scale.std_dev <= 0.0 || scale.score(value).abs() > SCORE_MAX {
            0.0
        } else {
            1.0 / scale.std_dev
        }
    }
}

/// The nearest number of single precision.
#[expect(clippy::cast_possible_truncation, reason = "the network counts in single precision")]
pub(super) fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(columns: Vec<Vec<f64>>) -> FeatureMatrix {
        let names = (0..columns.len()).map(|j| j.to_string()).collect();
        FeatureMatrix::from_columns(names, columns).unwrap()
    }

    #[test]
    fn rows_outside_training_do_not_move_the_scale() {
        let learned = matrix(vec![vec![1.0, 3.0, 900.0, f64::NAN]]);
        let scaler = Scaler::learn(&learned, &[0, 1]);
        assert_eq!(scaler.inputs(&learned, &[0, 1, 2, 3]), [-1.0, 1.0, 10.0, 0.0]);
    }

    #[test]
    fn a_missing_value_stands_at_the_mean_and_is_flagged() {
        let nan = f64::NAN;
        let x = matrix(vec![vec![1.0, 3.0, nan], vec![nan; 3], vec![4.0; 3]]);
        let scaler = Scaler::learn(&x, &[0, 1, 2]);
        assert_eq!(scaler.inputs_count(), 4);
        let expected = [[-1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]];
        assert_eq!(scaler.inputs(&x, &[0, 1, 2]), expected.concat());
        assert_eq!([0, 1, 2].map(|row| scaler.inputs_of_row(&x.row(row))), expected);
    }

    #[test]
    fn numbers_too_great_to_be_squared_are_passed_over() {
        let x = matrix(vec![vec![1e308, -1e308, 1e308]]);
        let scaler = Scaler::learn(&x, &[0, 1, 2]);
        assert_eq!(scaler.inputs(&x, &[0, 1]), [0.0, 0.0]);
        assert!(scaler.slope(0, 1.0).abs() <= 0.0);
    }
}
