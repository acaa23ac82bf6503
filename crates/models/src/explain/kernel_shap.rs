//! Shapley values of any model, from its answers alone.
//!
//! The values are the solution of a weighted least squares problem over sets of known features.
//! Sizes of sets whose sets all fit into the budget are taken whole, the smallest and largest
//! first, which weigh most; the rest is drawn, each set with its complement.
//!
//! Sources: Lundberg, Lee (2017), "A unified approach to interpreting model predictions", theorem 2,
//! for the weights; Python shap's `KernelExplainer` for how the budget is spent. Unlike there, no
//! feature is left out by a lasso: each has its value.

use serde::Serialize;

use super::coalitions::{Coalitions, sample};
use super::masked::Masked;
use crate::cholesky::Cholesky;
use crate::explain::{Contributions, ExplanationError};
use crate::features::FeatureMatrix;

/// How much is asked of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelShapParams {
    /// Sets of known features for which the model is asked, each once for every row of the
    /// background. With `2^m - 2` or more, where `m` features differ from the background, the values
    /// are exact.
    pub sets_count: usize,
    /// Decides which sets are drawn.
    pub seed: u64,
}

impl Default for KernelShapParams {
    fn default() -> Self {
        Self { sets_count: 2_048, seed: 1 }
    }
}

/// What [`kernel_shap`] found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KernelExplanation {
    /// The values; base and values add up to the prediction. Features that no row of the background
    /// differs in have none.
    #[serde(flatten)]
    pub contributions: Contributions,
    /// Sets of features for which the model was asked.
    pub sets_count: usize,
    /// Whether these were all, so that the values are exact.
    pub is_exact: bool,
    /// What decided the sets.
    pub seed: u64,
}

/// Shapley values of every feature of `row` for the model `predict`.
///
/// For a set of known features the model's answer is its mean answer over `background`, whose
/// values the unknown features take. The values are in units of the answers. `predict` is given tables with the columns of
/// `background` and answers each row.
///
/// # Errors
///
/// [`ExplanationError::NoBackground`] without a row to compare with,
/// [`ExplanationError::NotFinite`] when an answer is not, and [`ExplanationError::TooFewSets`] when
/// the sets do not tell the features apart.
///
/// # Panics
///
/// When `row` has not one finite value or NaN for each column of `background`, or `predict` answers
/// more or fewer rows than it is given.
pub fn kernel_shap<P>(
    predict: P,
    row: &[f64],
    background: &FeatureMatrix,
    params: KernelShapParams,
) -> Result<KernelExplanation, ExplanationError>
where
    P: Fn(&FeatureMatrix) -> Vec<f64>,
{
    let KernelShapParams { sets_count, seed } = params;
    let masked = Masked::new(predict, row, background)?;
    let base = masked.unknown()?;
    let gain = masked.known()? - base;
    let features = masked.varying();
    let mut values = vec![0.0; row.len()];
    let mut found = (0, true);
    match features.as_slice() {
        [] => {}
        [only] => values[*only] = gain,
        _ => {
            let Coalitions { sets, weights, is_complete } =
                sample(features.len(), sets_count, seed);
            let gains: Vec<f64> =
                masked.worth(&features, &sets)?.into_iter().map(|worth| worth - base).collect();
            let solved =
                solve(&sets, &weights, &gains, gain).ok_or(ExplanationError::TooFewSets {
                    sets_count,
                    features_count: features.len(),
                })?;
            for (feature, value) in features.iter().zip(solved) {
                values[*feature] = value;
            }
            found = (sets.len(), is_complete);
        }
    }
    let contributions = Contributions { base, values };
    let (sets_count, is_exact) = found;
    Ok(KernelExplanation { contributions, sets_count, is_exact, seed })
}

/// The values that sum to `gain` and whose sums over the sets are nearest to `gains`, in weighted
/// squares; `None` when the sets do not decide them.
fn solve(sets: &[Vec<bool>], weights: &[f64], gains: &[f64], gain: f64) -> Option<Vec<f64>> {
    // The last value is what the others leave of the gain.
    let others = sets.first()?.len() - 1;
    let mut normal: Vec<Vec<f64>> = (0..others).map(|i| vec![0.0; i + 1]).collect();
    let mut right = vec![0.0; others];
    let number = |flag: bool| f64::from(u8::from(flag));
    let mut regressors = vec![0.0; others];
    for ((set, weight), worth) in sets.iter().zip(weights).zip(gains) {
        let last = number(set[others]);
        for (regressor, member) in regressors.iter_mut().zip(set) {
            *regressor = number(*member) - last;
        }
        let target = weight * (worth - last * gain);
        for (i, (row, regressor)) in normal.iter_mut().zip(&regressors).enumerate() {
            if *regressor == 0.0 {
                continue;
            }
            let weighted = weight * regressor;
            for (cell, other) in row.iter_mut().zip(&regressors) {
                *cell += weighted * other;
            }
            right[i] += regressor * target;
        }
    }
    Cholesky::of(normal)?.solve(&mut right);
    let last = gain - right.iter().sum::<f64>();
    right.push(last);
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::definition::shapley_values;

    const WIDTH: usize = 7;

    /// Answers of a model with interactions of three.
    fn answer(row: &[f64]) -> f64 {
        row[0] * row[1] + row[2].sin() + row[3] * row[4] * row[5] - 0.5 * row[6].abs()
    }

    fn predict(x: &FeatureMatrix) -> Vec<f64> {
        (0..x.rows_count()).map(|row| answer(&x.row(row))).collect()
    }

    /// Rows of the generated table without holes.
    fn rows(count: usize, seed: u64) -> FeatureMatrix {
        let table = bist_testkit::table::Table::generate(count, WIDTH, seed);
        let filled =
            |column: Vec<f64>| column.into_iter().map(|v| if v.is_nan() { 0.2 } else { v });
        let columns = table.columns.into_iter().map(|column| filled(column).collect()).collect();
        FeatureMatrix::from_columns(table.names, columns).unwrap()
    }

    fn exact(row: &[f64], background: &FeatureMatrix) -> Vec<f64> {
        let worth = |known: usize| {
            let answers = (0..background.rows_count()).map(|other| {
                let other = background.row(other);
                let mixed: Vec<f64> = (0..WIDTH)
                    .map(|j| if known >> j & 1 == 1 { row[j] } else { other[j] })
                    .collect();
                answer(&mixed)
            });
            answers.sum::<f64>() / background.rows_count() as f64
        };
        shapley_values(&(0..1 << WIDTH).map(worth).collect::<Vec<f64>>())
    }

    #[test]
    fn all_sets_give_the_shapley_values_of_the_definition() {
        let (background, x) = (rows(11, 1), rows(5, 2));
        for row in 0..5 {
            let row = x.row(row);
            let params = KernelShapParams { sets_count: 126, seed: 9 };
            let explained = kernel_shap(predict, &row, &background, params).unwrap();
            assert!(explained.is_exact && explained.sets_count == 126);
            for (value, expected) in
                explained.contributions.values.iter().zip(exact(&row, &background))
            {
                assert!((value - expected).abs() < 1e-12, "{value} and {expected}");
            }
        }
    }

    #[test]
    fn a_part_of_the_sets_comes_near_and_always_adds_up() {
        let (background, x) = (rows(11, 1), rows(1, 2));
        let row = x.row(0);
        let error = |sets_count, seed| {
            let explained =
                kernel_shap(predict, &row, &background, KernelShapParams { sets_count, seed });
            let explained = explained.unwrap();
            assert!(!explained.is_exact);
            assert!(explained.sets_count <= sets_count);
            let Contributions { base, values } = explained.contributions;
            assert!((base + values.iter().sum::<f64>() - answer(&row)).abs() < 1e-12);
            let errors = values.iter().zip(exact(&row, &background)).map(|(a, b)| (a - b).abs());
            errors.fold(0.0, f64::max)
        };
        let worst = |sets_count| (0..10).map(|seed| error(sets_count, seed)).fold(0.0, f64::max);
        assert!(worst(40) < 0.2, "{}", worst(40));
        assert!(worst(110) < 0.05, "{}", worst(110));
        assert!(error(40, 1).to_bits() == error(40, 1).to_bits());
        assert!(error(40, 1).to_bits() != error(40, 2).to_bits());
    }

    #[test]
    fn a_feature_that_the_background_does_not_change_has_no_value() {
        let (background, x) = (rows(9, 1), rows(1, 2));
        let mut columns: Vec<Vec<f64>> =
            (0..WIDTH).map(|j| background.column(j).to_vec()).collect();
        let mut row = x.row(0);
        columns[2].fill(f64::NAN);
        row[2] = f64::NAN;
        let background =
            FeatureMatrix::from_columns(background.names().to_vec(), columns.clone()).unwrap();
        let of_known = |x: &FeatureMatrix| {
            (0..x.rows_count()).map(|row| x.value(row, 0) + x.value(row, 1)).collect()
        };
        let params = KernelShapParams::default();
        let explained = kernel_shap(of_known, &row, &background, params).unwrap();
        assert!(explained.is_exact);
        assert!(explained.contributions.values[2].abs() < 1e-15);

        // One that differs has the whole gain, and none that does has nothing to share.
        for j in 1..WIDTH {
            columns[j].fill(row[j]);
        }
        let background = FeatureMatrix::from_columns(background.names().to_vec(), columns).unwrap();
        let explained = kernel_shap(of_known, &row, &background, params).unwrap().contributions;
        assert!((explained.values[0] - (row[0] + row[1] - explained.base)).abs() < 1e-12);
        assert!(explained.values[1..].iter().all(|value| *value == 0.0));
        let own = FeatureMatrix::from_columns(
            background.names().to_vec(),
            row.iter().map(|value| vec![*value]).collect(),
        );
        let explained = kernel_shap(of_known, &row, &own.unwrap(), params).unwrap();
        assert_eq!(explained.contributions.values, [0.0; WIDTH]);
    }

    #[test]
    fn what_cannot_be_explained_is_refused() {
        let (background, x) = (rows(9, 1), rows(1, 2));
        let refused = |predict: fn(&FeatureMatrix) -> Vec<f64>, rows: usize, sets_count| {
            let columns = (0..WIDTH).map(|j| background.column(j)[..rows].to_vec()).collect();
            let background =
                FeatureMatrix::from_columns(background.names().to_vec(), columns).unwrap();
            let params = KernelShapParams { sets_count, seed: 1 };
            kernel_shap(predict, &x.row(0), &background, params).unwrap_err().to_string()
        };
        let nothing = "the background has no row: give at least one to compare with";
        assert_eq!(refused(predict, 0, 100), nothing);
        let few = "3 sets of known features cannot tell 7 features apart: ask for more";
        assert_eq!(refused(predict, 9, 3), few);
        let nan = |x: &FeatureMatrix| vec![f64::NAN; x.rows_count()];
        assert_eq!(refused(nan, 9, 100), "the model answers NaN: it cannot be explained");
    }
}
