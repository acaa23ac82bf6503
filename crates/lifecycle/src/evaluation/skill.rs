//! Has the model shown skill? A rule fixed before any record was seen.

use bist_trading::{Estimate, SkillCondition};
use serde::{Deserialize, Serialize};

use super::alarm::RANK_IC_PLAUSIBLE_MAX;
use super::{Baseline, ByBaseline, FoldEvaluation, InformationCoefficient, LEVEL, RankIcMethod};
use crate::rank_ic::count;

/// Share of the test blocks in which the rank information coefficient must be positive.
const POSITIVE_FOLDS_SHARE_MIN: f64 = 2.0 / 3.0;

/// Whether a model has shown skill.
///
/// It has when **all** of these hold out of sample:
///
/// 1. the interval of the rank information coefficient lies above zero. Of `n` configurations tried
///    its level is the `n`-th root of 0.95 (Šidák), so that in 95 of 100 cases none of `n` without
///    skill would pass;
/// 2. the coefficient is positive in at least two thirds of the test blocks, so that no single
///    episode carries the record;
/// 3. the mean squared error is below that of forecasting zero and of repeating the return of the
///    last horizon. Where symbols can be compared with each other, the errors are those relative to
///    the mean of the day: a market that rose or fell more than usual is neither merit nor fault.
///    Where they cannot, the error must also be below that of forecasting the mean of the training
///    rows, so that a rising market is not taken for skill.
///
/// 4. where symbols can be compared, the coefficient is not above 0.15: more than that has a cause that
///    is no skill.
///
/// What is earned after costs is reported beside it and is no condition: with a few hundred periods
/// its interval is too wide to decide anything. Ridge regression may be better than the model; that
/// is reported too and does not make the model's skill less real.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkillVerdict {
    /// Whether all conditions are met.
    pub shown: bool,
    /// The rank information coefficient with the interval by which it is judged, at the level that
    /// the configurations tried ask for; absent when there are too few days.
    pub rank_ic: Option<Estimate>,
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

/// The scores by which errors are judged.
#[derive(Clone, Copy)]
pub(super) enum Errors<'a> {
    /// Of errors relative to the mean of the day.
    Relative(&'a ByBaseline<Option<f64>>),
    /// Of errors as they are.
    Absolute(&'a ByBaseline<Option<f64>>),
}

/// The level of the interval that one of `configurations_tried_count` configurations, at least one,
/// must have so that [`LEVEL`] holds for all of them together.
///
/// Source: Šidák (1967), "Rectangular Confidence Regions for the Means of Multivariate Normal
/// Distributions", who shows that it is enough however they depend on each other.
pub(super) fn level_for(configurations_tried_count: u32) -> f64 {
    LEVEL.powf(1.0 / f64::from(configurations_tried_count.max(1)))
}

/// Applies the rule of [`SkillVerdict`]; `judged` is the coefficient at [`level_for`] `tried`.
pub(super) fn verdict(
    rank_ic: &InformationCoefficient,
    judged: Option<Estimate>,
    tried: u32,
    errors: Errors<'_>,
    folds: &[FoldEvaluation],
) -> SkillVerdict {
    let mut reasons = vec![
        above_zero(
            SkillCondition::RankIcAboveZero,
            judged.map(|estimate| estimate.low),
            &format!(
                "the lower end of the {:.2} % interval of the rank IC, of {tried} configuration{} \
                 tried,",
                level_for(tried) * 100.0,
                if tried == 1 { "" } else { "s" }
            ),
        ),
        positive_in_most(folds),
    ];
    if rank_ic.method == RankIcMethod::CrossSectional {
        reasons.push(plausible(rank_ic.estimate.map(|estimate| estimate.value)));
    }
    reasons.extend(below_baselines(errors));
    SkillVerdict { shown: reasons.iter().all(|reason| reason.met), rank_ic: judged, reasons }
}

fn positive_in_most(folds: &[FoldEvaluation]) -> SkillReason {
    let positive = folds.iter().filter(|fold| fold.rank_ic.is_some_and(|ic| ic > 0.0)).count();
    let positive_share = count(positive) / count(folds.len().max(1));
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
    }
}

fn plausible(measured: Option<f64>) -> SkillReason {
    let met = measured.is_none_or(|value| value <= RANK_IC_PLAUSIBLE_MAX);
    let text = match measured {
        Some(value) => format!(
            "the rank IC is {value:.4}, {} {RANK_IC_PLAUSIBLE_MAX}, the most that is believed",
            if met { "not above" } else { "above" }
        ),
        None => "the rank IC cannot be measured, and so is not too high".to_owned(),
    };
    SkillReason {
        condition: SkillCondition::PlausibleRankIc,
        relative_to_day: false,
        met,
        measured,
        bound: RANK_IC_PLAUSIBLE_MAX,
        text,
    }
}

fn below_baselines(errors: Errors<'_>) -> Vec<SkillReason> {
    let condition = |condition, scores: &ByBaseline<Option<f64>>, baseline, than: &str| {
        above_zero(condition, scores[baseline], &format!("the skill score against {than}"))
    };
    let (zero, naive) = ("forecasting zero", "repeating the last period");
    match errors {
        Errors::Relative(scores) => [
            condition(SkillCondition::ErrorBelowZeroForecast, scores, Baseline::Zero, zero),
            condition(
                SkillCondition::ErrorBelowSeasonalNaive,
                scores,
                Baseline::SeasonalNaive,
                naive,
            ),
        ]
        .into_iter()
        .map(|reason| SkillReason {
            relative_to_day: true,
            text: format!("relative to the day, {}", reason.text),
            ..reason
        })
        .collect(),
        Errors::Absolute(scores) => vec![
            condition(SkillCondition::ErrorBelowZeroForecast, scores, Baseline::Zero, zero),
            condition(
                SkillCondition::ErrorBelowTrainingMean,
                scores,
                Baseline::TrainingMean,
                "the training mean",
            ),
            condition(
                SkillCondition::ErrorBelowSeasonalNaive,
                scores,
                Baseline::SeasonalNaive,
                naive,
            ),
        ],
    }
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
