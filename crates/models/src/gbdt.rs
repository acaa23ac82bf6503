//! Gradient-boosted histogram trees.
//!
//! The same family as LightGBM: features are put into at most 255 bins, trees grow leaf by leaf,
//! a missing value takes the side that was better in training. Models are kept in LightGBM's text
//! format, so that either program reads what the other made. What is left out: several classes,
//! weights of rows, and linear leaves.
//!
//! Gradients are summed as integers (see `gbdt/histogram.rs`), so that the same seed and the same
//! rows give the same bits for any number of threads.
//!
//! Source: Ke et al. (2017), "LightGBM: A Highly Efficient Gradient Boosting Decision Tree".

mod batch;
mod binning;
mod boost;
mod grow;
mod histogram;
mod lightgbm_text;
mod objective;
mod output;
mod rearranged;
mod split;
mod tree;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::civil::DateTime;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::explain::tree_paths::TreePaths;
use crate::features::{FeatureMatrix, Known, RowKey};
use crate::forecaster::{FitError, FittedForecaster, Forecaster, assert_columns, check_rows};

use batch::BatchScorer;
use output::Output;

pub use lightgbm_text::ModelTextError;
pub use objective::Objective;
pub use rearranged::NoSuchFeature;
pub(crate) use tree::{Child, Tree};

/// Rows handed to one thread at a time when predicting.
const ROWS_PER_CHUNK: usize = 2 * batch::ROWS_PER_BLOCK;

/// Fewer rows than this are walked through the trees one by one.
const BATCH_ROWS_MIN: usize = 16;

/// The highest number of a category: a split holds a bit for each.
const CATEGORY_MAX: f64 = 65_535.0;

/// Hyperparameters of [`Gbdt`], under LightGBM's names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GbdtParams {
    /// What the trees are trained for.
    #[serde(default)]
    pub objective: Objective,
    /// Most trees to grow.
    pub num_iterations: u32,
    /// What share of a tree's answer is believed, above 0 and at most 1.
    pub learning_rate: f64,
    /// Most leaves of a tree, 2 or more.
    pub num_leaves: u32,
    /// Most nodes between the root and a leaf; 0 sets no limit.
    #[serde(default)]
    pub max_depth: u32,
    /// Fewest training rows in a leaf, 1 or more. Where the rows' hessians differ (log loss,
    /// ranking), the rows of a leaf are estimated from its hessians, as in LightGBM.
    pub min_data_in_leaf: u32,
    /// Least sum of hessians in a leaf.
    #[serde(default = "min_sum_hessian_in_leaf")]
    pub min_sum_hessian_in_leaf: f64,
    /// Least gain of a split.
    pub min_gain_to_split: f64,
    /// Penalty on the size of leaf values.
    #[serde(default)]
    pub lambda_l1: f64,
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
    /// Stop when the loss on the validation rows has not fallen for this many trees, and keep the
    /// trees up to its lowest; 0 never stops. Without validation rows nothing stops either.
    pub early_stopping_rounds: u32,
}

impl Default for GbdtParams {
    /// LightGBM's defaults, with early stopping after 50 trees.
    fn default() -> Self {
        Self {
            objective: Objective::default(),
            num_iterations: 100,
            learning_rate: 0.1,
            num_leaves: 31,
            max_depth: 0,
            min_data_in_leaf: 20,
            min_sum_hessian_in_leaf: min_sum_hessian_in_leaf(),
            min_gain_to_split: 0.0,
            lambda_l1: 0.0,
            lambda_l2: 0.0,
            feature_fraction: 1.0,
            bagging_fraction: 1.0,
            bagging_freq: 0,
            max_bin: 255,
            early_stopping_rounds: 50,
        }
    }
}

/// LightGBM's default.
fn min_sum_hessian_in_leaf() -> f64 {
    1e-3
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
            (
                "min_sum_hessian_in_leaf",
                self.min_sum_hessian_in_leaf,
                not_negative(self.min_sum_hessian_in_leaf),
                "0 or more",
            ),
            ("lambda_l1", self.lambda_l1, not_negative(self.lambda_l1), "0 or more"),
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
            None => self.objective.check(),
        }
    }
}

/// What is known of a feature before training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureRole {
    /// Its values are names and not sizes: whole numbers from 0 to 65,535. A split names the
    /// categories on one side; missing values and those that training did not know go to the other.
    Categorical,
    /// The forecast never falls when it rises and all else stays.
    Increasing,
    /// The forecast never rises when it rises and all else stays.
    Decreasing,
}

/// Gradient-boosted trees, before they have seen data.
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
    output: Output,
    derived: Arc<Derived>,
}

/// What follows from the trees and is computed when it is first needed.
#[derive(Debug, Default)]
struct Derived {
    /// `None` where the trees cannot be prepared for many rows.
    scorer: OnceLock<Option<BatchScorer>>,
    paths: OnceLock<Vec<TreePaths>>,
}

impl PartialEq for Derived {
    /// Models are told apart by their trees.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What trees are grown from.
#[derive(Clone, Copy, Debug)]
struct TrainingRows<'a> {
    x: &'a FeatureMatrix,
    y: &'a [f64],
    train_rows: &'a [usize],
    validation_rows: &'a [usize],
    roles: &'a BTreeMap<String, FeatureRole>,
    /// The moment of each row of `x`; where it is unknown, nothing is ranked.
    keys: Option<&'a [RowKey]>,
}

impl TrainingRows<'_> {
    fn role(&self, j: usize) -> Option<FeatureRole> {
        self.roles.get(&self.x.names()[j]).copied()
    }

    fn targets(&self, rows: &[usize]) -> Vec<f64> {
        rows.iter().map(|&row| self.y[row]).collect()
    }

    fn moments(&self, rows: &[usize]) -> Vec<DateTime> {
        self.keys.map_or_else(Vec::new, |keys| rows.iter().map(|&row| keys[row].moment()).collect())
    }

    fn check(&self, params: &GbdtParams) -> Result<(), FitError> {
        params.check()?;
        let Self { x, y, train_rows, validation_rows, roles, keys } = *self;
        check_rows(x, y, train_rows, 2 * params.min_data_in_leaf as usize)?;
        check_rows(x, y, validation_rows, 0)?;
        if train_rows.len() > histogram::ROWS_COUNT_MAX {
            return Err(FitError::TooManyRows {
                rows_count: train_rows.len(),
                rows_count_max: histogram::ROWS_COUNT_MAX,
            });
        }
        if params.objective == Objective::Lambdarank && keys.is_none() {
            return Err(FitError::NoDays);
        }
        for (name, role) in roles {
            let j = x.column_index(name).ok_or_else(|| FitError::NoColumn(name.clone()))?;
            let is_category =
                |value: f64| value.fract() == 0.0 && (0.0..=CATEGORY_MAX).contains(&value);
            let values = train_rows.iter().map(|&row| x.value(row, j));
            let mut others = values.filter(|value| !value.is_nan() && !is_category(*value));
            if let (FeatureRole::Categorical, Some(value)) = (role, others.next()) {
                let (name, range) = ("a category", "a whole number from 0 to 65535");
                return Err(FitError::Parameter { name, value, range });
            }
        }
        Ok(())
    }
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
        let roles = &BTreeMap::new();
        self.fit_rows(&TrainingRows { x, y, train_rows, validation_rows, roles, keys: None })
    }

    /// Learns from all that was known, with what is known of the features before; `roles` are by
    /// the names of columns.
    ///
    /// # Errors
    ///
    /// As [`Self::fit_trees`], and when `roles` names a column that is absent or calls one
    /// categorical whose values are not categories.
    pub fn fit_known(
        &self,
        known: &Known,
        roles: &BTreeMap<String, FeatureRole>,
        y: &[f64],
        train_rows: &[usize],
        validation_rows: &[usize],
    ) -> Result<FittedGbdt, FitError> {
        let (x, keys) = (&known.features, Some(known.keys.as_slice()));
        self.fit_rows(&TrainingRows { x, y, train_rows, validation_rows, roles, keys })
    }

    fn fit_rows(&self, rows: &TrainingRows<'_>) -> Result<FittedGbdt, FitError> {
        rows.check(&self.params)?;
        let trees = boost::boost(&self.params, self.seed, rows);
        let feature_infos = (0..rows.x.columns_count()).map(|j| feature_info(rows, j)).collect();
        let output = Output::of_line(self.params.objective.line(), false)
            .expect("the lines of our own objectives are known");
        Ok(FittedGbdt::new(rows.x.names().to_vec(), feature_infos, trees, output))
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
        let roles = BTreeMap::new();
        Ok(Box::new(self.fit_known(known, &roles, y, train_rows, validation_rows)?))
    }
}

impl FittedGbdt {
    fn new(
        feature_names: Vec<String>,
        feature_infos: Vec<String>,
        trees: Vec<Tree>,
        output: Output,
    ) -> Self {
        Self { feature_names, feature_infos, trees, output, derived: Arc::default() }
    }

    /// How many trees were kept.
    pub fn trees_count(&self) -> usize {
        self.trees.len()
    }

    /// What the answers of one tree count for in the raw score.
    pub(crate) fn tree_share(&self) -> f64 {
        self.output.tree_share(self.trees.len())
    }

    /// The trees, each with its ways.
    pub(crate) fn trees_and_paths(&self) -> impl Iterator<Item = (&Tree, &TreePaths)> {
        let paths = self.derived.paths.get_or_init(|| {
            self.trees.iter().map(|tree| TreePaths::of(tree, self.tree_share())).collect()
        });
        self.trees.iter().zip(paths)
    }

    /// Predicts from the features alone, which is all that trees read: in units of the target, and
    /// for log loss a probability.
    ///
    /// # Panics
    ///
    /// As [`FittedForecaster::predict`].
    pub fn predict_features(&self, x: &FeatureMatrix, rows: &[usize]) -> Vec<f64> {
        let mut predicted = self.raw_scores(x, rows);
        for score in &mut predicted {
            *score = self.output.forecast(*score);
        }
        predicted
    }

    /// The forecast for one row of feature values in the order of the columns, the bits of
    /// [`Self::predict_features`].
    ///
    /// # Panics
    ///
    /// When there are not as many values as columns.
    pub fn predict_row(&self, row: &[f64]) -> f64 {
        assert_eq!(row.len(), self.feature_names.len(), "there is a value for each column");
        self.output.forecast(self.output.raw(self.walked_sum(row), self.trees.len()))
    }

    /// The scores that the forecasts are made from, to which contributions add up: for log loss the
    /// logarithms of the odds, for most other objectives the forecasts themselves.
    ///
    /// # Panics
    ///
    /// As [`FittedForecaster::predict`].
    pub fn raw_scores(&self, x: &FeatureMatrix, rows: &[usize]) -> Vec<f64> {
        assert_columns(&self.feature_names, x);
        let mut sums = self.batch_sums(x, rows).unwrap_or_else(|| self.walked_sums(x, rows));
        for sum in &mut sums {
            *sum = self.output.raw(*sum, self.trees.len());
        }
        sums
    }

    /// The sums of the trees' answers; `None` where a batch does not pay or is not possible.
    fn batch_sums(&self, x: &FeatureMatrix, rows: &[usize]) -> Option<Vec<f64>> {
        if rows.len() < BATCH_ROWS_MIN {
            return None;
        }
        let scorer = self.derived.scorer.get_or_init(|| BatchScorer::prepare(&self.trees));
        let scorer = scorer.as_ref()?;
        Some(rows.par_chunks(ROWS_PER_CHUNK).flat_map_iter(|rows| scorer.sums(x, rows)).collect())
    }

    /// The sums of the trees' answers, row after row.
    fn walked_sums(&self, x: &FeatureMatrix, rows: &[usize]) -> Vec<f64> {
        let width = x.columns_count();
        let sum = |row: &[f64]| self.walked_sum(row);
        if width == 0 {
            return vec![sum(&[]); rows.len()];
        }
        rows.par_chunks(ROWS_PER_CHUNK)
            .flat_map_iter(|rows| x.gather(rows).chunks_exact(width).map(sum).collect::<Vec<f64>>())
            .collect()
    }

    /// The sum of the trees' answers for one row.
    fn walked_sum(&self, row: &[f64]) -> f64 {
        // Begins as a batch does; a sum of nothing would be -0.
        self.trees.iter().fold(0.0, |sum, tree| sum + tree.predict(row))
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

/// What LightGBM notes on a feature: the range of its known values, its categories, or `none` when
/// it is one value.
fn feature_info(rows: &TrainingRows<'_>, j: usize) -> String {
    let column = rows.x.column(j);
    let known = || rows.train_rows.iter().map(|&row| column[row]).filter(|value| !value.is_nan());
    if rows.role(j) == Some(FeatureRole::Categorical) {
        let mut categories: Vec<String> = known().map(lightgbm_text::number).collect();
        categories.sort_unstable_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        categories.dedup();
        return if categories.is_empty() { "none".to_owned() } else { categories.join(":") };
    }
    let (low, high) = known().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low < high {
        format!("[{}:{}]", lightgbm_text::number(low), lightgbm_text::number(high))
    } else {
        "none".to_owned()
    }
}
