//! The model card: what a version is for, what it learned from, what it was worth, and what it cannot
//! tell, for a reader who decides whether to rely on it.
//!
//! The parts are those of Mitchell et al. (2019), "Model Cards for Model Reporting": details, intended
//! use, factors, metrics, data, limits. Every figure is taken from the version and from what came
//! after it; the texts follow from the figures.

mod limits;
mod markdown;

use bist_market::{Origin, Symbol};
use bist_models::Horizon;
use bist_trading::{AfterCosts, Estimate};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::drift::DriftReport;
use crate::evaluation::{
    Coverage, DirectionEvaluation, FoldEvaluation, LearningTarget, MemberEvaluation, Sentence,
    SkillReason,
};
use crate::model_version::{ExcludedSymbol, ModelState, ModelVersion, StateChange};
use crate::signal_record::RecordSummary;
use crate::tuning::TunedPart;

/// A version as a reader sees it who was not there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelCard {
    /// Its name.
    pub version: String,
    /// The kind of model.
    pub kind: String,
    /// How far ahead it looks.
    #[serde(flatten, with = "bist_models::horizon::fields")]
    pub horizon: Horizon,
    /// Whether it learned from real or from generated data.
    pub origin: Origin,
    /// Where it stands.
    pub state: ModelState,
    /// When the card was made.
    pub made_at: Timestamp,
    /// What has to be known before anything else.
    pub headline: Sentence,
    /// What it is for.
    pub intended_use: Vec<Sentence>,
    /// What it is not for.
    pub not_for: Vec<Sentence>,
    /// What it learned from.
    pub data: CardData,
    /// How it was made.
    pub making: CardMaking,
    /// What it was worth out of sample.
    pub skill: CardSkill,
    /// What its figures do not say.
    pub limits: Vec<Sentence>,
    /// Whether the market still looks like what it learned from; absent when nobody has looked since
    /// it was put in force.
    pub drift: Option<CardDrift>,
    /// What came of the signals that it gave; absent when none was scored.
    pub record: Option<RecordSummary>,
    /// How it came to stand where it stands, the first change first.
    pub changes: Vec<StateChange>,
}

/// What a version learned from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CardData {
    /// Fingerprint of the bars.
    pub snapshot_hash: String,
    /// First day of the rows learned from.
    pub first_day: Date,
    /// Last day of the rows learned from.
    pub last_day: Date,
    /// Rows learned from.
    pub rows_count: u64,
    /// The symbols learned from.
    pub symbols: Vec<Symbol>,
    /// The symbols left out, and why.
    pub excluded: Vec<ExcludedSymbol>,
    /// The features in their order.
    pub feature_names: Vec<String>,
}

/// How a version was made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CardMaking {
    /// When it was trained.
    pub trained_at: Timestamp,
    /// How long that took, seconds; absent for versions from before it was measured.
    pub training_seconds: Option<f64>,
    /// The version of the program.
    pub code_version: String,
    /// The seed of everything random.
    pub seed: u64,
    /// What it learns to forecast.
    pub learning_target: LearningTarget,
    /// Its members with their weights.
    pub members: Vec<MemberEvaluation>,
    /// The studies that its configuration was found by.
    pub tuned: Vec<TunedPart>,
    /// Configurations whose record was looked at before this one was chosen, itself included.
    pub configurations_tried_count: u32,
    /// SHA-256 of the model's bytes.
    pub artifact_sha256: String,
}

/// What a version was worth on days that it had not seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CardSkill {
    /// Whether skill was shown, by a rule fixed beforehand.
    pub shown: bool,
    /// Whether the record can be told from luck.
    pub sentence: Sentence,
    /// The conditions of the rule.
    pub conditions: Vec<SkillReason>,
    /// First day judged.
    pub from: Date,
    /// Last day judged.
    pub to: Date,
    /// Days judged.
    pub days_count: u64,
    /// Forecasts judged.
    pub rows_count: u64,
    /// The rank information coefficient.
    pub rank_ic: Option<Estimate>,
    /// How often the sign was right.
    pub hit_rate: Option<Estimate>,
    /// The same of always saying up.
    pub up_share: Option<f64>,
    /// How much return came for a unit of return forecast.
    pub calibration_slope: Option<Estimate>,
    /// How good the probabilities of a rise were.
    pub direction: Option<DirectionEvaluation>,
    /// Whether the bands at the end of the horizon held what they promised.
    pub coverage: Vec<Coverage>,
    /// What following the forecasts would have earned.
    pub after_costs: Option<AfterCosts>,
    /// The folds in order.
    pub folds: Vec<FoldEvaluation>,
}

/// What was last found of drift.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CardDrift {
    /// When it was looked for.
    pub at: Timestamp,
    /// Whether any of it is alarming.
    pub is_alarm: bool,
    /// What was found.
    pub sentence: Sentence,
}

impl CardDrift {
    /// What `report`, made at `at`, says.
    pub fn of(report: DriftReport, at: Timestamp) -> Self {
        Self { at, is_alarm: report.is_alarm, sentence: report.sentence }
    }
}

/// What is known of a version besides itself.
#[derive(Clone, Debug)]
pub struct Since {
    /// Its changes of state, the first first.
    pub changes: Vec<StateChange>,
    /// What was last found of drift.
    pub drift: Option<CardDrift>,
    /// What came of the signals that it gave.
    pub record: Option<RecordSummary>,
}

impl ModelCard {
    /// The card of `version` at `made_at`.
    pub fn of(version: ModelVersion, since: Since, made_at: Timestamp) -> Self {
        let ModelVersion { id, kind, origin, state, trained_at, training_seconds, .. } = version;
        let ModelVersion { lineage, evaluation, artifact_sha256, .. } = version;
        let horizon = evaluation.horizon;
        let headline = limits::headline(origin, state, &evaluation);
        let not_for = limits::not_for(origin, &evaluation);
        let limits = limits::limits(origin, &evaluation);
        let step = u32::from(horizon.sessions());
        Self {
            version: id,
            kind,
            horizon,
            origin,
            state,
            made_at,
            headline,
            intended_use: limits::intended_use(horizon),
            not_for,
            data: CardData {
                snapshot_hash: lineage.snapshot_hash,
                first_day: lineage.first_day,
                last_day: lineage.last_day,
                rows_count: lineage.rows_count,
                symbols: lineage.symbols,
                excluded: lineage.excluded,
                feature_names: lineage.feature_names,
            },
            making: CardMaking {
                trained_at,
                training_seconds,
                code_version: lineage.code_version,
                seed: lineage.spec.seed,
                learning_target: evaluation.protocol.learning_target,
                members: evaluation.members,
                tuned: lineage.tuned,
                configurations_tried_count: evaluation.protocol.configurations_tried_count,
                artifact_sha256,
            },
            skill: CardSkill {
                shown: evaluation.skill.shown,
                sentence: evaluation.sentence,
                conditions: evaluation.skill.reasons,
                from: evaluation.from,
                to: evaluation.to,
                days_count: evaluation.days_count,
                rows_count: evaluation.rows_count,
                rank_ic: evaluation.rank_ic.estimate,
                hit_rate: evaluation.hit_rate.estimate,
                up_share: evaluation.hit_rate.up_share,
                calibration_slope: evaluation.calibration_slope,
                direction: evaluation.outlook.direction,
                coverage: evaluation.coverage.into_iter().filter(|c| c.step == step).collect(),
                after_costs: evaluation.after_costs,
                folds: evaluation.folds,
            },
            limits,
            drift: since.drift,
            record: since.record,
            changes: since.changes,
        }
    }
}
