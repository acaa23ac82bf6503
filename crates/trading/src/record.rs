//! What a model's forecasts have been worth out of sample: the part of it that a signal rests on.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;

/// One condition of the rule by which a model is said to have shown skill. The rule itself, and how
/// each is measured, stands with the evaluation of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkillCondition {
    /// The interval of the rank information coefficient lies above zero, as wide as the number of
    /// configurations tried asks for.
    RankIcAboveZero,
    /// The coefficient is not higher than any honest forecast reaches.
    PlausibleRankIc,
    /// The coefficient is positive in at least two thirds of the test blocks.
    PositiveInMostFolds,
    /// The mean squared error is below that of forecasting zero.
    ErrorBelowZeroForecast,
    /// The mean squared error is below that of forecasting the mean of the training rows.
    ErrorBelowTrainingMean,
    /// The mean squared error is below that of forecasting the last period's return.
    ErrorBelowSeasonalNaive,
}

impl SkillCondition {
    /// The word used in the API and the files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RankIcAboveZero => "rank_ic_above_zero",
            Self::PlausibleRankIc => "plausible_rank_ic",
            Self::PositiveInMostFolds => "positive_in_most_folds",
            Self::ErrorBelowZeroForecast => "error_below_zero_forecast",
            Self::ErrorBelowTrainingMean => "error_below_training_mean",
            Self::ErrorBelowSeasonalNaive => "error_below_seasonal_naive",
        }
    }
}

impl fmt::Display for SkillCondition {
    /// What is missing when the condition is not met.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RankIcAboveZero => "the rank IC cannot be told from zero",
            Self::PlausibleRankIc => "the rank IC is too high to be true",
            Self::PositiveInMostFolds => {
                "the rank IC is not positive in two thirds of the test blocks"
            }
            Self::ErrorBelowZeroForecast => "the errors are not below those of forecasting zero",
            Self::ErrorBelowTrainingMean => {
                "the errors are not below those of forecasting the training mean"
            }
            Self::ErrorBelowSeasonalNaive => {
                "the errors are not below those of repeating the last period"
            }
        })
    }
}

/// The record of a model over all symbols.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelRecord {
    /// Rank information coefficient with its interval; absent when there is too little to tell.
    pub rank_ic: Option<Estimate>,
    /// The conditions that are not met; none when the model has shown skill.
    pub unmet: Vec<SkillCondition>,
}

impl ModelRecord {
    /// Whether the model has shown skill.
    pub fn skill_shown(&self) -> bool {
        self.unmet.is_empty()
    }
}

/// The record of a model on one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SymbolRecord {
    /// Rank information coefficient over time with its interval; absent when the record is too
    /// short.
    pub rank_ic: Option<Estimate>,
    /// Days in the record.
    pub days_count: u64,
    /// Days needed to judge.
    pub days_count_min: u64,
}

impl SymbolRecord {
    /// Whether skill is shown on this symbol: the interval lies above zero.
    pub fn skill_shown(&self) -> bool {
        self.rank_ic.is_some_and(|estimate| estimate.low > 0.0)
    }
}
