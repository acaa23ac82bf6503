//! What tuning found.

use std::collections::BTreeMap;

use bist_lifecycle::search_space::ParamValue;
use bist_lifecycle::tuning::{DeflatedScore, HoldOut, HoldOutComparison, Part};
use bist_market::Origin;
use serde::Serialize;

use crate::Horizon;

/// What tuning found, and what it is worth.
#[derive(Clone, Debug, Serialize)]
pub struct TuningReport {
    /// How far ahead the model looks.
    #[serde(flatten, with = "bist_models::horizon::fields")]
    pub horizon: Horizon,
    /// Whether the data are real.
    pub origin: Origin,
    /// Fingerprint of the bars.
    pub snapshot_hash: String,
    /// The sessions that no trial saw.
    pub hold_out: HoldOut,
    /// The parts in the order in which they were tuned.
    pub parts: Vec<PartReport>,
    /// Whether it was interrupted, so that nothing was compared.
    pub interrupted: bool,
    /// The tuned configuration beside the one in force on the hold-out; absent when it was
    /// interrupted, and when tuning found nothing else than what is in force.
    pub comparison: Option<HoldOutComparison>,
    /// The version of the tuned model: in force when it was promoted, a candidate otherwise.
    pub model_version: Option<String>,
}

/// What the study of a part found.
#[derive(Clone, Debug, Serialize)]
pub struct PartReport {
    /// The part.
    pub part: Part,
    /// The name of its study.
    pub study: String,
    /// Why it ended.
    pub stopped: &'static str,
    /// Trials with values.
    pub complete_count: u64,
    /// Trials that were ended early.
    pub pruned_count: u64,
    /// Trials without a value.
    pub failed_count: u64,
    /// The names of its objectives.
    pub objectives: Vec<&'static str>,
    /// The trial that was chosen; of several objectives the best by the first on the Pareto front.
    /// Absent when none is complete.
    pub best: Option<BestTrial>,
    /// What the best of its first objective is worth after so many trials; absent when none is
    /// complete.
    pub score: Option<DeflatedScore>,
}

/// The trial that was chosen.
#[derive(Clone, Debug, Serialize)]
pub struct BestTrial {
    /// Its number.
    pub number: u64,
    /// One value for each objective.
    pub values: Vec<f64>,
    /// The standard error of the first; absent where there is none.
    pub standard_error: Option<f64>,
    /// Its parameters.
    pub params: BTreeMap<String, ParamValue>,
    /// Whether that is what was so before tuning.
    pub is_base: bool,
}
