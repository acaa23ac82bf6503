//! Trials whose process died: found by their heartbeat, failed, and enqueued once more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{FAIL_REASON, FIXED_PARAMS, Heartbeat, fixed_params};
use crate::search_space::ParamValue;
use crate::study::storage::{NewTrial, StudyId, StudyStorage, StudyStorageError};
use crate::study::{FrozenTrial, History, TrialState};

/// The system attribute with the time at which a worker last said that it holds the trial.
const HEARTBEAT: &str = "bist:heartbeat";

/// The system attribute of a failed trial that is to be begun again.
const BEGIN_AGAIN: &str = "bist:begin_again";

/// The system attributes of a trial that is begun again, as in Optuna: the first that failed, and all
/// before it.
const FAILED_TRIAL: &str = "failed_trial";
const RETRY_HISTORY: &str = "retry_history";

/// Says that the trial is still held.
pub(super) fn renew(
    storage: &dyn StudyStorage,
    trial: &FrozenTrial,
    now: Timestamp,
) -> Result<(), StudyStorageError> {
    storage.set_trial_system_attr(trial.id, HEARTBEAT, &Value::String(now.to_string()))
}

/// Whether a running trial has a heartbeat that is not old: somebody else is at it.
pub(super) fn is_held(trial: &FrozenTrial, heartbeat: &Heartbeat, now: Timestamp) -> bool {
    beat_at(trial).is_some_and(|at| now.duration_since(at) <= signed(heartbeat.grace))
}

/// When a worker last said that it holds the trial.
pub(in crate::study) fn beat_at(trial: &FrozenTrial) -> Option<Timestamp> {
    trial.system_attrs.get(HEARTBEAT)?.as_str()?.parse().ok()
}

/// Fails the running trials whose heartbeat is old and enqueues them once more; `held` are those of
/// this process. Trials without a heartbeat are somebody else's affair.
pub(super) fn collect(
    storage: &dyn StudyStorage,
    history: &History,
    heartbeat: &Heartbeat,
    held: &BTreeSet<u64>,
    now: Timestamp,
) -> Result<(), StudyStorageError> {
    let is_abandoned = |trial: &&std::sync::Arc<FrozenTrial>| {
        trial.state == TrialState::Running
            && !held.contains(&trial.number)
            && beat_at(trial).is_some()
            && !is_held(trial, heartbeat, now)
    };
    for trial in history.unfinished().filter(is_abandoned) {
        let retries =
            if retries_count(trial) < heartbeat.retries_max { Retry::Again } else { Retry::Never };
        let reason = "the process that ran it died";
        fail(storage, history.study().id, trial, reason, retries, now)?;
    }
    Ok(())
}

/// Enqueues the failed trials that were to be begun again and were not, because whoever failed them
/// died in between. Those of the last moments are left to whoever is at it.
pub(super) fn complete_retries(
    storage: &dyn StudyStorage,
    history: &History,
    heartbeat: &Heartbeat,
    now: Timestamp,
) -> Result<(), StudyStorageError> {
    let begun: BTreeSet<u64> = history.trials().iter().flat_map(|trial| retried(trial)).collect();
    let is_left = |trial: &&std::sync::Arc<FrozenTrial>| {
        trial.state == TrialState::Fail
            && trial.system_attrs.contains_key(BEGIN_AGAIN)
            && !begun.contains(&trial.number)
            && trial.completed_at.is_some_and(|at| now.duration_since(at) > signed(heartbeat.grace))
    };
    for trial in history.trials().iter().filter(is_left) {
        begin_again(storage, history.study().id, trial, now)?;
    }
    Ok(())
}

/// Whether a failed trial is enqueued once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    Again,
    Never,
}

/// Ends a trial without a result; of several that do, one enqueues it.
pub(super) fn fail(
    storage: &dyn StudyStorage,
    study: StudyId,
    trial: &FrozenTrial,
    reason: &str,
    retry: Retry,
    now: Timestamp,
) -> Result<(), StudyStorageError> {
    let attempt = || {
        storage.set_trial_system_attr(trial.id, FAIL_REASON, &Value::from(reason))?;
        if retry == Retry::Again {
            storage.set_trial_system_attr(trial.id, BEGIN_AGAIN, &Value::Bool(true))?;
        }
        storage.finish(trial.id, TrialState::Fail, None, now)
    };
    match attempt() {
        Ok(()) if retry == Retry::Again => begin_again(storage, study, trial, now),
        Ok(()) | Err(StudyStorageError::Finished { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn begin_again(
    storage: &dyn StudyStorage,
    study: StudyId,
    trial: &FrozenTrial,
    now: Timestamp,
) -> Result<(), StudyStorageError> {
    let mut system_attrs = trial.system_attrs.clone();
    // What a trial has earned on its way is not inherited.
    system_attrs.retain(|key, _| {
        !key.starts_with("completed_rung_")
            && ![HEARTBEAT, FAIL_REASON, BEGIN_AGAIN].contains(&key.as_str())
    });
    let mut history: Vec<u64> = retried(trial);
    history.push(trial.number);
    system_attrs.insert(FAILED_TRIAL.to_owned(), Value::from(history[0]));
    system_attrs.insert(RETRY_HISTORY.to_owned(), Value::from(history));
    if !trial.params.is_empty() || !system_attrs.contains_key(FIXED_PARAMS) {
        let params: BTreeMap<String, ParamValue> = trial
            .params
            .iter()
            .filter_map(|(name, param)| Some((name.clone(), param.value()?)))
            .collect();
        system_attrs.insert(FIXED_PARAMS.to_owned(), fixed_params(&params));
    }
    let user_attrs = trial.user_attrs.clone();
    storage.create_trial(study, NewTrial::Waiting { system_attrs, user_attrs }, now).map(drop)
}

/// The numbers of the trials that this one repeats.
fn retried(trial: &FrozenTrial) -> Vec<u64> {
    let history = trial.system_attrs.get(RETRY_HISTORY).and_then(Value::as_array);
    history.map(|numbers| numbers.iter().filter_map(Value::as_u64).collect()).unwrap_or_default()
}

fn retries_count(trial: &FrozenTrial) -> usize {
    retried(trial).len()
}

fn signed(duration: core::time::Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
