//! A trial as the API shows it.

use std::collections::BTreeMap;

use bist_lifecycle::search_space::ParamValue;
use bist_lifecycle::study::{FAIL_REASON, FrozenTrial, Param, TrialState};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Attributes, finite};
use crate::schema::{Instant, document, schema, text};

/// How far a trial is.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct TrialStateWord(pub(super) TrialState);

schema!(
    TrialStateWord,
    "TrialState",
    text(
        "How far a trial is: `complete` with a value for each objective, `pruned` because its \
         intermediate values promised little, `fail` without a value, `running`, or `waiting`.",
        "complete"
    )
    .enum_values(Some(TrialState::ALL.map(TrialState::as_str)))
);

/// The parameters of a trial.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ParamsDocument(BTreeMap<String, Option<ParamValue>>);

schema!(
    ParamsDocument,
    "TrialParams",
    document("The parameters of a trial by name: numbers, words, yes or no, or null for none.")
);

/// The parameters of `trial` as people see them.
pub(super) fn params(trial: &FrozenTrial) -> ParamsDocument {
    let value = |(name, param): (&String, &Param)| (name.clone(), param.value());
    ParamsDocument(trial.params.iter().map(value).collect())
}

/// What a trial reported on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Report {
    /// Where: an epoch, a fold.
    step: u64,
    /// What; null when it is no number, or infinite.
    #[schema(required)]
    value: Option<f64>,
}

/// A trial.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Trial)]
pub(super) struct TrialResponse {
    /// Its number, from zero in the order in which trials were made.
    number: u64,
    /// How far it is.
    state: TrialStateWord,
    /// One for each objective, of a pruned trial the last intermediate one; null without a value, and
    /// null within the list where one is infinite.
    #[schema(required)]
    values: Option<Vec<Option<f64>>>,
    /// Its parameters.
    params: ParamsDocument,
    /// What it reported on its way, by step.
    intermediate: Vec<Report>,
    /// When it was begun; null while it waits.
    #[schema(required)]
    started_at: Option<Instant>,
    /// When it ended.
    #[schema(required)]
    completed_at: Option<Instant>,
    /// How long it took, seconds.
    #[schema(required)]
    duration_s: Option<f64>,
    /// What its objective wanted to be remembered.
    attrs: Attributes,
    /// Why it failed; null where it did not, or nobody said why.
    #[schema(required)]
    fail_reason: Option<String>,
}

impl From<&FrozenTrial> for TrialResponse {
    fn from(trial: &FrozenTrial) -> Self {
        let report = |(step, value): (&u64, &f64)| Report {
            step: *step,
            value: value.is_finite().then_some(*value),
        };
        let reason = trial.system_attrs.get(FAIL_REASON).and_then(Value::as_str);
        Self {
            number: trial.number,
            state: TrialStateWord(trial.state),
            values: trial.values.is_some().then(|| finite(trial)),
            params: params(trial),
            intermediate: trial.intermediate_values.iter().map(report).collect(),
            started_at: trial.started_at.map(Instant),
            completed_at: trial.completed_at.map(Instant),
            duration_s: trial.duration_s(),
            attrs: Attributes(trial.user_attrs.clone()),
            fail_reason: reason.map(str::to_owned),
        }
    }
}
