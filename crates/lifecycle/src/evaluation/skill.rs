//! Has the model shown skill? A rule fixed before any record was seen.

use bist_trading::SkillCondition;
use serde::{Deserialize, Serialize};

use super::{Baseline, ByBaseline, FoldEvaluation, InformationCoefficient};
use crate::rank_ic::count;

/// Share of the test blocks in which the rank information coefficient must be positive.
const POSITIVE_FOLDS_SHARE_MIN: f64 = 2.0 / 3.0;

/// Whether a model has shown skill.
///
/// It has when **all** of these hold out of sample:
///
/// 1. the 95 % interval of the rank information coefficient lies above zero;
/// 2. the coefficient is positive in at least two thirds of the test blocks, so that no single
///    episode carries the record;
/// 3. the mean squared error is below that of forecasting zero and of repeating the return of the
///    last horizon. Where symbols can be compared with each other, the errors are those relative to
///    the mean of the day: a market that rose or fell more than usual is neither merit nor fault.
///    Where they cannot, the error must also be below that of forecasting the mean of the training
///    rows, so that a rising market is not taken for skill.
///
/// What is earned after costs is reported beside it and is no condition: with a few hundred periods
/// its interval is too wide to decide anything. Ridge regression may be better than the model; that
/// is reported too and does not make the model's skill less real.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkillVerdict {
    /// Whether all conditions are met.
    pub shown: bool,
    /// The conditions one by one.
    pub reasons: Vec<SkillReason>,
}

/// One condition of the rule and how it came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkillReason {
    /// Which.
    pub condition: SkillCondition,
    /// Whether errors were measured relative to the mean of the day.
    pub relative_to_day: bool,
    /// Whether it is met.
    pub met: bool,
    /// What was measured; absent when it could not be.
    pub measured: Option<f64>,
    /// What it had to exceed, or to reach for the share of test blocks.
    pub bound: f64,
    /// The same in a sentence.
    pub text: String,
}

impl SkillVerdict {
    /// The conditions that are not met.
    pub fn unmet(&self) -> Vec<SkillCondition> {
        self.reasons.iter().filter(|reason| !reason.met).map(|reason| reason.condition).collect()
    }
}

/// Applies the rule of [`SkillVerdict`].
pub(super) fn verdict(
    rank_ic: &InformationCoefficient,
    scores: &ByBaseline<Option<f64>>,
    relative_scores: Option<&ByBaseline<Option<f64>>>,
    folds: &[FoldEvaluation],
) -> SkillVerdict {
    let positive = folds.iter().filter(|fold| fold.rank_ic.is_some_and(|ic| ic > 0.0)).count();
    let positive_share = count(positive) / count(folds.len().max(1));
    let mut reasons = vec![
        above_zero(
            SkillCondition::RankIcAboveZero,
            rank_ic.estimate.map(|estimate| estimate.low),
            "the lower end of the 95 % interval of the rank IC",
        ),
        SkillReason {
            condition: SkillCondition::PositiveInMostFolds,
            relative_to_day: false,
            met: positive_share >= POSITIVE_FOLDS_SHARE_MIN,
            measured: Some(positive_share),
            bound: POSITIVE_FOLDS_SHARE_MIN,
            text: format!(
                "the rank IC is positive in {positive} of {} test blocks; two thirds are needed",
                folds.len()
            ),
        },
    ];
    match relative_scores {
        Some(scores) => {
            let conditions = [
                above_zero(
                    SkillCondition::ErrorBelowZeroForecast,
                    scores[Baseline::Zero],
                    "relative to the day, the skill score against forecasting zero",
                ),
                above_zero(
                    SkillCondition::ErrorBelowSeasonalNaive,
                    scores[Baseline::SeasonalNaive],
                    "relative to the day, the skill score against repeating the last period",
                ),
            ];
            reasons
                .extend(conditions.map(|reason| SkillReason { relative_to_day: true, ..reason }));
        }
        None => reasons.extend([
            above_zero(
                SkillCondition::ErrorBelowZeroForecast,
                scores[Baseline::Zero],
                "the skill score against forecasting zero",
            ),
            above_zero(
                SkillCondition::ErrorBelowTrainingMean,
                scores[Baseline::TrainingMean],
                "the skill score against the training mean",
            ),
            above_zero(
                SkillCondition::ErrorBelowSeasonalNaive,
                scores[Baseline::SeasonalNaive],
                "the skill score against repeating the last period",
            ),
        ]),
    }
    SkillVerdict { shown: reasons.iter().all(|reason| reason.met), reasons }
}

fn above_zero(condition: SkillCondition, measured: Option<f64>, what: &str) -> SkillReason {
    let met = measured.is_some_and(|value| value > 0.0);
    let text = match measured {
        Some(value) => {
            format!("{what} is {value:.4}, {} zero", if met { "above" } else { "not above" })
        }
        None => format!("{what} cannot be measured"),
    };
    SkillReason { condition, relative_to_day: false, met, measured, bound: 0.0, text }
}
