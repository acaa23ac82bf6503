//! LIME: a linear model that stands for another near one row.
//!
//! Rows near the explained one are drawn, weighed by `exp(-d^2 / (2 w^2))` of their Euclidean
//! distance `d` and a width `w`, and a ridge regression learns what the model answers for them. What
//! it finds depends on the draw, so the draw's seed is part of the result, and
//! [`Lime::stability`] tells how much another draw would change.
//!
//! Sources: Ribeiro, Singh, Guestrin (2016), "Why should I trust you?", and the choices of Python
//! lime 0.2 for tables. Missing values, which it does not take, are told in [`Neighbourhood`].

mod neighbourhood;
mod surrogate;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;

use self::neighbourhood::{Drawn, Spread};
use self::surrogate::{Moments, Surrogate};
use super::masked::{predicted, table};
use crate::explain::ExplanationError;
use crate::features::FeatureMatrix;

pub use neighbourhood::{Bin, Neighbourhood};

/// Up to as many features are selected one after the other; more by their weights in a model on
/// all.
const FORWARD_SELECTION_MAX: usize = 6;

/// How a row is explained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimeParams {
    /// Rows that the linear model learns from, the explained one among them.
    pub samples_count: usize,
    /// Features that the linear model may use.
    pub features_count: usize,
    /// The width `w` of the weights; `None` is three quarters of the root of the number of features.
    pub kernel_width: Option<f64>,
    /// Decides what is drawn.
    pub seed: u64,
}

impl Default for LimeParams {
    fn default() -> Self {
        Self { samples_count: 5_000, features_count: 10, kernel_width: None, seed: 1 }
    }
}

/// A feature in the linear model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LimeFeature {
    /// Its column.
    pub feature: usize,
    /// With quartiles, what the answer changes when the value is in the bin of the explained row;
    /// else what it changes for each standard deviation.
    pub weight: f64,
    /// The bin of the explained row; `None` without bins.
    pub bin: Option<Bin>,
}

/// What [`Lime::explain`] found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimeExplanation {
    /// The features of the linear model, the heaviest first.
    pub features: Vec<LimeFeature>,
    /// What the linear model answers when all it sees is zero.
    pub intercept: f64,
    /// What the linear model answers for the explained row.
    pub local_prediction: f64,
    /// What the model itself answers for it.
    pub prediction: f64,
    /// Share of the weighted squares of the answers about their mean that the linear model
    /// explains.
    pub r2: f64,
    /// The width of the weights.
    pub kernel_width: f64,
    /// Rows that the linear model learned from.
    pub samples_count: usize,
    /// What decided the draw.
    pub seed: u64,
}

/// What a feature weighs in repeated explanations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WeightSpread {
    /// Its column.
    pub feature: usize,
    /// Share of the repeats in which it was among the features of the linear model.
    pub selected_share: f64,
    /// Mean of its weight in these.
    pub mean: f64,
    /// Standard deviation of its weight in these; `None` of one.
    pub deviation: Option<f64>,
}

/// How much explanations of one row differ from draw to draw.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimeStability {
    /// The seed of each repeat.
    pub seeds: Vec<u64>,
    /// Each feature that was in any of the linear models, the heaviest mean first.
    pub features: Vec<WeightSpread>,
    /// Mean over all pairs of repeats of how many features they share, over how many they have
    /// together (Jaccard); 1 when all have the same.
    pub overlap: f64,
    /// Mean over the repeats of the share of squares explained.
    pub r2_mean: f64,
}

/// What is known of the features, to draw rows near others.
#[derive(Clone, Debug)]
pub struct Lime {
    names: Vec<String>,
    spreads: Vec<Spread>,
}

impl Lime {
    /// Learns from the rows of `background`, usually those of training, how the features spread.
    ///
    /// # Errors
    ///
    /// [`ExplanationError::NoBackground`] when it has no row.
    pub fn new(
        background: &FeatureMatrix,
        neighbourhood: Neighbourhood,
    ) -> Result<Self, ExplanationError> {
        if background.rows_count() == 0 {
            return Err(ExplanationError::NoBackground);
        }
        let columns = (0..background.columns_count()).into_par_iter();
        let spread = |j| Spread::of(background.column(j), neighbourhood);
        Ok(Self { names: background.names().to_vec(), spreads: columns.map(spread).collect() })
    }

    /// Explains the answer of the model `predict` for `row`. `predict` is given a table with the
    /// columns of the background and answers each row.
    ///
    /// # Errors
    ///
    /// [`ExplanationError::NotFinite`] when an answer is not.
    ///
    /// # Panics
    ///
    /// When `row` has not one finite value or NaN for each column, `predict` answers more or fewer
    /// rows than it is given, or the parameters ask for fewer than two samples or a width that is
    /// not positive.
    pub fn explain<P>(
        &self,
        predict: P,
        row: &[f64],
        params: LimeParams,
    ) -> Result<LimeExplanation, ExplanationError>
    where
        P: Fn(&FeatureMatrix) -> Vec<f64>,
    {
        let LimeParams { samples_count, features_count, kernel_width, seed } = params;
        assert_eq!(row.len(), self.spreads.len(), "there is a value for each column");
        assert!(row.iter().all(|value| !value.is_infinite()), "no value of the row is infinite");
        assert!(samples_count >= 2, "a linear model needs two samples or more");
        let kernel_width = kernel_width.unwrap_or_else(|| default_width(row.len()));
        assert!(kernel_width > 0.0, "the width of the weights is positive");
        let drawn: Vec<Drawn> = (0..row.len())
            .into_par_iter()
            .map(|j| self.spreads[j].draw(row[j], samples_count, seed, j))
            .collect();
        let mut columns = Vec::with_capacity(row.len());
        let mut regressors = Vec::with_capacity(row.len());
        for Drawn { values, regressors: seen } in drawn {
            columns.push(values);
            regressors.push(seen);
        }
        let answers = predicted(&predict, &table(&self.names, columns))?;
        let regressors: Vec<&[f64]> = regressors.iter().map(Vec::as_slice).collect();
        let weights = weights(&regressors, samples_count, kernel_width);
        let moments = Moments::of(&regressors, &answers, &weights);
        let own: Vec<f64> = regressors.iter().map(|seen| seen[0]).collect();
        let selected = if features_count <= FORWARD_SELECTION_MAX {
            moments.forward_selection(features_count)
        } else {
            moments.highest_weights(&own, features_count)
        };
        let Surrogate { features, coefficients, intercept, r2 } = moments.ridge(&selected, 1.0);
        let terms = features.iter().zip(&coefficients).map(|(&j, weight)| own[j] * weight);
        let local_prediction = intercept + terms.sum::<f64>();
        let mut features: Vec<LimeFeature> = features
            .into_iter()
            .zip(coefficients)
            .map(|(feature, weight)| LimeFeature {
                feature,
                weight,
                bin: self.spreads[feature].bin(row[feature]),
            })
            .collect();
        features.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        Ok(LimeExplanation {
            features,
            intercept,
            local_prediction,
            prediction: answers[0],
            r2,
            kernel_width,
            samples_count,
            seed,
        })
    }

    /// Explains `row` `repeats` times, with the seed of `params` and those after it, and tells how
    /// much the explanations differ.
    ///
    /// # Errors
    ///
    /// As [`Self::explain`].
    ///
    /// # Panics
    ///
    /// As [`Self::explain`], and without a repeat.
    pub fn stability<P>(
        &self,
        predict: P,
        row: &[f64],
        params: LimeParams,
        repeats: u32,
    ) -> Result<LimeStability, ExplanationError>
    where
        P: Fn(&FeatureMatrix) -> Vec<f64>,
    {
        assert!(repeats > 0, "one repeat or more tells how much explanations differ");
        let seeds: Vec<u64> =
            (0..repeats).map(|repeat| params.seed.wrapping_add(u64::from(repeat))).collect();
        let explained: Vec<LimeExplanation> = seeds
            .iter()
            .map(|&seed| self.explain(&predict, row, LimeParams { seed, ..params }))
            .collect::<Result<_, _>>()?;
        Ok(LimeStability {
            seeds,
            features: spreads(&explained),
            overlap: overlap(&explained),
            r2_mean: mean(explained.iter().map(|once| once.r2)),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a model has few features")]
fn default_width(features_count: usize) -> f64 {
    0.75 * (features_count.max(1) as f64).sqrt()
}

/// What each row counts for, by its distance from the first.
fn weights(regressors: &[&[f64]], samples_count: usize, kernel_width: f64) -> Vec<f64> {
    let mut squares = vec![0.0; samples_count];
    for seen in regressors {
        for (square, value) in squares.iter_mut().zip(*seen) {
            *square += (value - seen[0]).powi(2);
        }
    }
    squares.into_iter().map(|square| (-0.5 * square / kernel_width.powi(2)).exp()).collect()
}

/// The weights of each feature that was selected at all, the heaviest mean first.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn spreads(explained: &[LimeExplanation]) -> Vec<WeightSpread> {
    let mut weights: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for once in explained.iter().flat_map(|once| &once.features) {
        weights.entry(once.feature).or_default().push(once.weight);
    }
    let mut spreads: Vec<WeightSpread> = weights
        .into_iter()
        .map(|(feature, weights)| {
            let (count, mean) = (weights.len() as f64, mean(weights.iter().copied()));
            let squares: f64 = weights.iter().map(|weight| (weight - mean).powi(2)).sum();
            let deviation = (weights.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
            let selected_share = count / explained.len() as f64;
            WeightSpread { feature, selected_share, mean, deviation }
        })
        .collect();
    spreads.sort_by(|a, b| b.mean.abs().total_cmp(&a.mean.abs()));
    spreads
}

/// The mean Jaccard index of the selected features over all pairs of explanations.
#[expect(clippy::cast_precision_loss, reason = "a model has few features")]
fn overlap(explained: &[LimeExplanation]) -> f64 {
    let sets: Vec<BTreeSet<usize>> = explained
        .iter()
        .map(|once| once.features.iter().map(|feature| feature.feature).collect())
        .collect();
    let pairs = sets.iter().enumerate().flat_map(|(at, a)| sets[..at].iter().map(move |b| (a, b)));
    let indices: Vec<f64> = pairs
        .filter(|(a, b)| !(a.is_empty() && b.is_empty()))
        .map(|(a, b)| a.intersection(b).count() as f64 / a.union(b).count() as f64)
        .collect();
    if indices.is_empty() { 1.0 } else { mean(indices.into_iter()) }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 12;

    fn background() -> FeatureMatrix {
        let table = bist_testkit::table::Table::generate(500, WIDTH, 3);
        FeatureMatrix::from_columns(table.names, table.columns).unwrap()
    }

    /// Linear in three features; missing values count as zero.
    fn linear(x: &FeatureMatrix) -> Vec<f64> {
        let known = |row, j| Some(x.value(row, j)).filter(|value| !value.is_nan()).unwrap_or(0.0);
        (0..x.rows_count())
            .map(|row| 2.0 + 3.0 * known(row, 2) - 2.0 * known(row, 5) + known(row, 7))
            .collect()
    }

    #[test]
    fn a_linear_model_is_recovered() {
        let x = background();
        let lime = Lime::new(&x, Neighbourhood::Normal).unwrap();
        let row = [0.5; WIDTH];
        let params = LimeParams { features_count: 3, ..LimeParams::default() };
        let found = lime.explain(linear, &row, params).unwrap();
        let deviation = |j| {
            let known: Vec<f64> =
                x.column(j).iter().copied().filter(|value| !value.is_nan()).collect();
            let mean = mean(known.iter().copied());
            mean_of_squares(&known, mean).sqrt()
        };
        for (feature, (column, slope)) in found.features.iter().zip([(2, 3.0), (5, -2.0), (7, 1.0)])
        {
            let expected = slope * deviation(column);
            assert_eq!(feature.feature, column);
            assert!((feature.weight / expected - 1.0).abs() < 0.01, "{feature:?} {expected}");
        }
        assert!(found.r2 > 0.999, "{}", found.r2);
        assert!((found.local_prediction - found.prediction).abs() < 0.02, "{found:?}");
        assert!((found.prediction - 3.0).abs() < 1e-12);
    }

    fn mean_of_squares(values: &[f64], about: f64) -> f64 {
        mean(values.iter().map(|value| (value - about).powi(2)))
    }

    #[test]
    fn with_quartiles_the_signs_and_the_order_of_a_linear_model_are_found() {
        let lime = Lime::new(&background(), Neighbourhood::Quartiles).unwrap();
        // In the highest quartile of each feature.
        let found = lime.explain(linear, &[0.9; WIDTH], LimeParams::default()).unwrap();
        let heaviest: Vec<(usize, bool)> =
            found.features[..3].iter().map(|f| (f.feature, f.weight > 0.0)).collect();
        assert_eq!(heaviest, [(2, true), (5, false), (7, true)]);
        assert_eq!(found.features.len(), 10);
        assert!(found.features[3].weight.abs() < 0.2 * found.features[2].weight.abs());
        let bin = found.features[0].bin.unwrap();
        assert!(matches!(bin, Bin::Values { low: Some(low), high: None } if low > 0.3), "{bin:?}");
    }

    #[test]
    fn repeats_tell_what_depends_on_the_draw() {
        let lime = Lime::new(&background(), Neighbourhood::Quartiles).unwrap();
        let params = LimeParams { samples_count: 400, features_count: 7, ..LimeParams::default() };
        let found = lime.stability(linear, &[0.9; WIDTH], params, 6).unwrap();
        assert_eq!(found.seeds, [1, 2, 3, 4, 5, 6]);
        let strongest = found.features[0];
        assert_eq!((strongest.feature, strongest.selected_share), (2, 1.0));
        assert!(strongest.deviation.unwrap() < 0.2 * strongest.mean);
        assert!(found.overlap > 0.3 && found.overlap < 1.0, "{}", found.overlap);
        let params = LimeParams { features_count: 3, ..params };
        assert!(
            (lime.stability(linear, &[0.9; WIDTH], params, 6).unwrap().overlap - 1.0).abs() < 1e-12
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_explanation() {
        let lime = Lime::new(&background(), Neighbourhood::Quartiles).unwrap();
        let explain = |seed| {
            let params = LimeParams { seed, samples_count: 300, ..LimeParams::default() };
            lime.explain(linear, &[0.1; WIDTH], params).unwrap()
        };
        assert_eq!(explain(4), explain(4));
        assert_ne!(explain(4).features, explain(5).features);
    }

    #[test]
    fn a_missing_value_is_explained_as_such() {
        let mut row = [0.9; WIDTH];
        row[2] = f64::NAN;
        let lime = Lime::new(&background(), Neighbourhood::Quartiles).unwrap();
        let found = lime.explain(linear, &row, LimeParams::default()).unwrap();
        let missing = found.features.iter().find(|feature| feature.feature == 2);
        assert!(missing.is_none_or(|feature| feature.bin == Some(Bin::Missing)));
        assert!((found.prediction - (2.0 - 1.8 + 0.9)).abs() < 1e-12);
    }
}
