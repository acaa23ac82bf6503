//! Gradient-boosted histogram trees.
//!
//! The same family as LightGBM: features are put into at most 255 bins, trees grow leaf by leaf,
//! a missing value takes the side that was better in training. Models are kept in LightGBM's text
//! format, so that either program reads what the other made. What is left out: objectives other
//! than squared error, categorical splits, and linear leaves.
//!
//! Gradients are summed as integers (see `gbdt/histogram.rs`), so that the same seed and the same rows
//! give the same bits for any number of threads.
//!
//! Source: Ke et al. (2017), "LightGBM: A Highly Efficient Gradient Boosting Decision Tree".

mod binning;
mod boost;
mod grow;
mod histogram;
mod lightgbm_text;
mod split;
mod tree;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::features::{FeatureMatrix, Known};
use crate::forecaster::{FitError, FittedForecaster, Forecaster, assert_columns, check_rows};

pub use lightgbm_text::ModelTextError;
pub(crate) use tree::{Child, Tree};

/// Rows handed to one thread at a time when predicting.
const ROWS_PER_CHUNK: usize = 512;

/// Hyperparameters of [`Gbdt`], under LightGBM's names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GbdtParams {
    /// Most trees to grow.
    pub num_iterations: u32,
    /// What share of a tree's answer is believed, above 0 and at most 1.
    pub learning_rate: f64,
    /// Most leaves of a tree, 2 or more.
    pub num_leaves: u32,
    /// Fewest training rows in a leaf, 1 or more.
    pub min_data_in_leaf: u32,
    /// Least gain of a split.
    pub min_gain_to_split: f64,
    /// Penalty on the square of leaf values.
    pub lambda_l2: f64,
    /// Share of the features that each tree may use, above 0 and at most 1.
    pub feature_fraction: f64,
    /// Share of the rows that trees are grown on, above 0 and at most 1.
    pub bagging_fraction: f64,
    /// After how many trees the rows are drawn anew; 0 uses all rows always.
    pub bagging_freq: u32,
    /// Most bins of a feature, the one for missing values included, 3 to 255.
    pub max_bin: u32,
    /// Stop when the error on the validation rows has not fallen for this many trees, and keep the
    /// trees up to its lowest; 0 never stops. Without validation rows nothing stops either.
    pub early_stopping_rounds: u32,
}

impl Default for GbdtParams {
    /// LightGBM's defaults, with early stopping after 50 trees.
    fn default() -> Self {
        Self {
            num_iterations: 100,
            learning_rate: 0.1,
            num_leaves: 31,
            min_data_in_leaf: 20,
            min_gain_to_split: 0.0,
            lambda_l2: 0.0,
            feature_fraction: 1.0,
            bagging_fraction: 1.0,
            bagging_freq: 0,
            max_bin: 255,
            early_stopping_rounds: 50,
        }
    }
}

impl GbdtParams {
    fn check(&self) -> Result<(), FitError> {
        let share = "above 0 and at most 1";
        let positive_share = |value: f64| value > 0.0 && value <= 1.0;
        let not_negative = |value: f64| value >= 0.0 && value.is_finite();
        let rules = [
            (
                "num_iterations",
                f64::from(self.num_iterations),
                self.num_iterations >= 1,
                "1 or more",
            ),
            ("learning_rate", self.learning_rate, positive_share(self.learning_rate), share),
            ("num_leaves", f64::from(self.num_leaves), self.num_leaves >= 2, "2 or more"),
            (
                "min_data_in_leaf",
                f64::from(self.min_data_in_leaf),
                self.min_data_in_leaf >= 1,
                "1 or more",
            ),
            (
                "min_gain_to_split",
                self.min_gain_to_split,
                not_negative(self.min_gain_to_split),
                "0 or more",
            ),
            ("lambda_l2", self.lambda_l2, not_negative(self.lambda_l2), "0 or more"),
            (
                "feature_fraction",
                self.feature_fraction,
                positive_share(self.feature_fraction),
                share,
            ),
            (
                "bagging_fraction",
                self.bagging_fraction,
                positive_share(self.bagging_fraction),
                share,
            ),
            ("max_bin", f64::from(self.max_bin), (3..=255).contains(&self.max_bin), "3 to 255"),
        ];
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            Some((name, value, _, range)) => Err(FitError::Parameter { name, value, range }),
            None => Ok(()),
        }
    }
}

/// Gradient-boosted trees for squared error, before they have seen data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gbdt {
    /// The hyperparameters.
    pub params: GbdtParams,
    /// Decides which rows and features a tree is grown on, when it is not all of them.
    pub seed: u64,
}

/// Fitted boosted trees.
///
/// As data it is LightGBM's text ([`Self::to_lightgbm_text`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FittedGbdt {
    feature_names: Vec<String>,
    /// LightGBM's note on each feature: `[lowest:highest]` in training, or `none`.
    feature_infos: Vec<String>,
    trees: Vec<Tree>,
}

impl Gbdt {
    /// The model's name in the store, the API and the files.
    pub const KIND: &str = "gbdt";

    /// Learns, and returns the concrete type.
    ///
    /// # Errors
    ///
    /// As [`Forecaster::fit`]; at least twice `min_data_in_leaf` rows are needed.
    pub fn fit_trees(
        &self,
        x: &FeatureMatrix,
        y: &[f64],
        train_rows: &[usize],
        validation_rows: &[usize],
    ) -> Result<FittedGbdt, FitError> {
        self.params.check()?;
        check_rows(x, y, train_rows, 2 * self.params.min_data_in_leaf as usize)?;
        check_rows(x, y, validation_rows, 0)?;
        if train_rows.len() > histogram::ROWS_COUNT_MAX {
            return Err(FitError::TooManyRows {
                rows_count: train_rows.len(),
                rows_count_max: histogram::ROWS_COUNT_MAX,
            });
        }
        let trees = boost::boost(&self.params, self.seed, x, y, train_rows, validation_rows);
        let feature_infos =
            (0..x.columns_count()).map(|j| feature_info(x, j, train_rows)).collect();
        Ok(FittedGbdt { feature_names: x.names().to_vec(), feature_infos, trees })
    }
}

impl Forecaster for Gbdt {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn fit(
        &self,
        known: &Known,
        y: &[f64],
        train_rows: &[usize],
        validation_rows: &[usize],
    ) -> Result<Box<dyn FittedForecaster>, FitError> {
        Ok(Box::new(self.fit_trees(&known.features, y, train_rows, validation_rows)?))
    }
}

impl FittedGbdt {
    /// How many trees were kept.
    pub fn trees_count(&self) -> usize {
        self.trees.len()
    }

    pub(crate) fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Predicts from the features alone, which is all that trees read.
    ///
    /// # Panics
    ///
    /// As [`FittedForecaster::predict`].
    pub fn predict_features(&self, x: &FeatureMatrix, rows: &[usize]) -> Vec<f64> {
        assert_columns(&self.feature_names, x);
        let width = x.columns_count();
        if width == 0 {
            return vec![self.predict_row(&[]); rows.len()];
        }
        rows.par_chunks(ROWS_PER_CHUNK)
            .flat_map_iter(|chunk| {
                let values = x.gather(chunk);
                let predicted: Vec<f64> =
                    values.chunks_exact(width).map(|row| self.predict_row(row)).collect();
                predicted
            })
            .collect()
    }

    fn predict_row(&self, row: &[f64]) -> f64 {
        self.trees.iter().map(|tree| tree.predict(row)).sum()
    }
}

impl FittedForecaster for FittedGbdt {
    fn kind(&self) -> &'static str {
        Gbdt::KIND
    }

    fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    fn predict(&self, known: &Known, rows: &[usize]) -> Vec<f64> {
        self.predict_features(&known.features, rows)
    }

    fn artifact(&self) -> Artifact {
        Artifact::Gbdt(self.clone())
    }
}

/// The range of a feature's known values as LightGBM notes it, and `none` when it is one value.
fn feature_info(x: &FeatureMatrix, j: usize, rows: &[usize]) -> String {
    let column = x.column(j);
    let (low, high) = rows
        .iter()
        .map(|&row| column[row])
        .filter(|value| !value.is_nan())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    if low < high {
        format!("[{}:{}]", lightgbm_text::number(low), lightgbm_text::number(high))
    } else {
        "none".to_owned()
    }
}
