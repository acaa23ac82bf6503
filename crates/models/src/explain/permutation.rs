//! Permutation importance: what a score loses when the values of a feature change places.
//!
//! Source: Breiman (2001), "Random Forests", section 10, with any score and any model.

use serde::Serialize;

use super::draws::{Purpose, choose, stream};
use super::masked::predicted;
use crate::explain::ExplanationError;
use crate::features::FeatureMatrix;

/// How often the values change places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermutationParams {
    /// Orders of the values of each feature; one or more.
    pub repeats: u32,
    /// Decides the orders.
    pub seed: u64,
}

impl Default for PermutationParams {
    fn default() -> Self {
        Self { repeats: 10, seed: 1 }
    }
}

/// What the score loses without one feature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FeatureImportance {
    /// Its column.
    pub feature: usize,
    /// Mean loss over the repeats, in units of the score.
    pub mean: f64,
    /// Standard deviation of the loss; `None` of one repeat.
    pub deviation: Option<f64>,
}

/// What [`permutation_importance`] found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PermutationImportance {
    /// The score with all values in their places.
    pub score: f64,
    /// One for each column, in order.
    pub features: Vec<FeatureImportance>,
    /// Orders of the values of each feature.
    pub repeats: u32,
    /// What decided the orders.
    pub seed: u64,
}

/// How much `score` falls when the values of one feature change places among `rows`, for each
/// feature of `x`.
///
/// `predict` is given a table with the columns of `x` and answers each row; `score` is given an
/// answer for each of `rows`, in order, and is higher the better they are. On rows that the model
/// has not learned from, this is what the feature is worth; on others, what the model uses it for.
///
/// # Errors
///
/// [`ExplanationError::NotFinite`] when an answer is not, and [`ExplanationError::NoScore`] when a
/// score is not.
///
/// # Panics
///
/// When a row does not exist, `predict` answers more or fewer rows than it is given, or there is no
/// repeat.
pub fn permutation_importance<P, S>(
    predict: P,
    score: S,
    x: &FeatureMatrix,
    rows: &[usize],
    params: PermutationParams,
) -> Result<PermutationImportance, ExplanationError>
where
    P: Fn(&FeatureMatrix) -> Vec<f64>,
    S: Fn(&[f64]) -> f64,
{
    let PermutationParams { repeats, seed } = params;
    assert!(repeats > 0, "one order of the values or more tells what they are worth");
    let scored = |x: &FeatureMatrix| {
        let score = score(&predicted(&predict, x)?);
        if score.is_finite() { Ok(score) } else { Err(ExplanationError::NoScore { score }) }
    };
    let mut table = x.select(rows);
    let all = scored(&table)?;
    let mut features = Vec::with_capacity(x.columns_count());
    for feature in 0..x.columns_count() {
        let own = table.column(feature).to_vec();
        let mut losses = Vec::new();
        for repeat in 0..repeats {
            let number = (feature as u64) << 24 | u64::from(repeat);
            let mut values = own.clone();
            choose(&mut stream(seed, Purpose::Permutation, number), &mut values, rows.len());
            table.rearrange(feature, values);
            losses.push(all - scored(&table)?);
        }
        table.rearrange(feature, own);
        let mean = losses.iter().sum::<f64>() / f64::from(repeats);
        let squares: f64 = losses.iter().map(|loss| (loss - mean).powi(2)).sum();
        let deviation = (repeats > 1).then(|| (squares / f64::from(repeats - 1)).sqrt());
        features.push(FeatureImportance { feature, mean, deviation });
    }
    Ok(PermutationImportance { score: all, features, repeats, seed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> (FeatureMatrix, Vec<usize>) {
        let table = bist_testkit::table::Table::generate(400, 6, 2);
        let rows = (100..400).collect();
        (FeatureMatrix::from_columns(table.names, table.columns).unwrap(), rows)
    }

    /// `x0 + x1 / 2`, missing values as zero.
    fn predict(x: &FeatureMatrix) -> Vec<f64> {
        let known = |row, j| Some(x.value(row, j)).filter(|value| !value.is_nan()).unwrap_or(0.0);
        (0..x.rows_count()).map(|row| known(row, 0) + 0.5 * known(row, 1)).collect()
    }

    /// The negative mean squared distance from what is predicted in place.
    fn score(x: &FeatureMatrix, rows: &[usize]) -> impl Fn(&[f64]) -> f64 {
        let truth = predict(&x.select(rows));
        move |answers| {
            let squares = answers.iter().zip(&truth).map(|(a, b)| (a - b).powi(2));
            -squares.sum::<f64>() / truth.len() as f64
        }
    }

    #[test]
    fn what_is_lost_is_twice_the_variance_that_a_feature_brings() {
        let (x, rows) = table();
        let params = PermutationParams::default();
        let found = permutation_importance(predict, score(&x, &rows), &x, &rows, params).unwrap();
        assert!(found.score.abs() < 1e-15, "{}", found.score);
        for (feature, slope) in found.features.iter().zip([1.0, 0.5, 0.0, 0.0, 0.0, 0.0]) {
            let column = x.select(&rows);
            let values = column.column(feature.feature).iter();
            let values: Vec<f64> = values.map(|v| if v.is_nan() { 0.0 } else { *v }).collect();
            let mean = values.iter().sum::<f64>() / 300.0;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 300.0;
            let expected = 2.0 * slope * slope * variance;
            assert!((feature.mean - expected).abs() <= 0.05 * expected, "{feature:?} {expected}");
            assert!(feature.deviation.unwrap() <= 0.1 * expected, "{feature:?}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_importance_and_another_another() {
        let (x, rows) = table();
        let of = |seed, repeats| {
            let params = PermutationParams { repeats, seed };
            permutation_importance(predict, score(&x, &rows), &x, &rows, params).unwrap()
        };
        assert_eq!(of(1, 2), of(1, 2));
        assert_ne!(of(1, 2).features, of(2, 2).features);
        assert_eq!(of(1, 1).features[0].deviation, None);
    }

    #[test]
    fn a_score_that_is_no_number_is_refused() {
        let (x, rows) = table();
        let params = PermutationParams::default();
        let refused = permutation_importance(predict, |_| f64::NAN, &x, &rows, params).unwrap_err();
        assert_eq!(refused.to_string(), "the score of the answers is NaN: nothing can be compared");
    }
}
