//! Why a model forecasts what it does: shares of the features in one forecast, and what the
//! features are worth over many.

mod coalitions;
#[cfg(test)]
mod definition;
pub(crate) mod draws;
pub mod integrated_gradients;
mod interventional;
mod kernel_shap;
mod lime;
mod masked;
mod permutation;
pub mod plot;
mod quadrature;
mod summary;
mod tree_interactions;
pub(crate) mod tree_paths;
mod tree_shap;
pub mod words;

use serde::Serialize;

pub use kernel_shap::{KernelExplanation, KernelShapParams, kernel_shap};
pub use lime::{
    Bin, Lime, LimeExplanation, LimeFeature, LimeParams, LimeStability, Neighbourhood, WeightSpread,
};
pub use permutation::{
    FeatureImportance, PermutationImportance, PermutationParams, permutation_importance,
};
pub use summary::{
    DependencePoint, FeatureSummary, InteractionStrength, SummaryPoint, dependence,
    interaction_strengths, summarise,
};
pub use tree_interactions::Interactions;

/// What each feature adds to one forecast, in units of the forecast (log-return).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contributions {
    /// The forecast for a row of which nothing is known: the mean over the training rows, or over
    /// the background where there is one.
    pub base: f64,
    /// One value a feature, in the order of the model's feature names. Together with the base they
    /// sum to the forecast within 1e-9.
    pub values: Vec<f64>,
}

/// Why a forecast cannot be explained.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExplanationError {
    /// There is nothing to compare with.
    #[error("the background has no row: give at least one to compare with")]
    NoBackground,
    /// A tree asks for too many different features.
    #[error(
        "a tree asks for {features_count} features on the way to a leaf, more than \
         {features_count_max}: use the path-dependent values"
    )]
    LongPath {
        /// Features on the way.
        features_count: usize,
        /// Features that can be handled.
        features_count_max: usize,
    },
    /// The model answers NaN or an infinite number.
    #[error("the model answers {value}: it cannot be explained")]
    NotFinite {
        /// Its answer.
        value: f64,
    },
    /// A score is NaN or infinite.
    #[error("the score of the answers is {score}: nothing can be compared")]
    NoScore {
        /// The score.
        score: f64,
    },
    /// The sets of known features that were asked for do not decide the values.
    #[error(
        "{sets_count} sets of known features cannot tell {features_count} features apart: ask for \
         more"
    )]
    TooFewSets {
        /// Sets asked for.
        sets_count: usize,
        /// Features that differ from the background.
        features_count: usize,
    },
}
