//! A trial as it is known at one moment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::search_space::{Distribution, ParamValue};
use crate::study::storage::{NewTrial, StudyStorageError, TrialId};

/// How far a trial is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialState {
    /// A worker is at it.
    Running,
    /// It has a value for each objective.
    Complete,
    /// It was stopped early, because its intermediate values promised little.
    Pruned,
    /// It ended without a value.
    Fail,
    /// It is to be run.
    Waiting,
}

impl TrialState {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Running, Self::Complete, Self::Pruned, Self::Fail, Self::Waiting];

    /// Whether nothing of the trial changes any more.
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Complete | Self::Pruned | Self::Fail)
    }

    /// The word in the store, the API and the reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Pruned => "pruned",
            Self::Fail => "fail",
            Self::Waiting => "waiting",
        }
    }
}

/// A parameter of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// What it could have been.
    pub distribution: Distribution,
    /// What it is, see [`crate::search_space`].
    pub internal: f64,
}

impl Param {
    /// What people see; `None` when the value lies outside its own distribution.
    pub fn value(&self) -> Option<ParamValue> {
        self.distribution.value(self.internal)
    }
}

/// A trial as it is known at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct FrozenTrial {
    /// What names it in its storage.
    pub id: TrialId,
    /// Its number within the study, from zero in the order in which trials were made.
    pub number: u64,
    /// How far it is.
    pub state: TrialState,
    /// One for each objective, when it is complete; of a pruned trial, if it reported any, the last
    /// intermediate value.
    pub values: Option<Vec<f64>>,
    /// Its parameters by name.
    pub params: BTreeMap<String, Param>,
    /// What it reported on its way, by step; may be NaN or infinite.
    pub intermediate_values: BTreeMap<u64, f64>,
    /// What its objective wants to be remembered.
    pub user_attrs: BTreeMap<String, Value>,
    /// What samplers, pruners and whoever runs it want to be remembered.
    pub system_attrs: BTreeMap<String, Value>,
    /// When it was begun; `None` while it waits.
    pub started_at: Option<Timestamp>,
    /// When it finished.
    pub completed_at: Option<Timestamp>,
}

impl FrozenTrial {
    /// The value of a study with one objective; `None` when there is none yet.
    pub fn value(&self) -> Option<f64> {
        self.values.as_ref().and_then(|values| values.first().copied())
    }

    /// The step and value that it reported last.
    pub fn last_report(&self) -> Option<(u64, f64)> {
        self.intermediate_values.last_key_value().map(|(step, value)| (*step, *value))
    }
}

impl FrozenTrial {
    /// Checks what every storage refuses: `param` as the value of `name`, where another trial of the
    /// study has that parameter as `elsewhere`.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::Param`].
    pub fn check_param(
        &self,
        name: &str,
        param: &Param,
        elsewhere: Option<&Distribution>,
    ) -> Result<(), StudyStorageError> {
        let refused = |reason| {
            let (number, name) = (self.number, name.to_owned());
            Err(StudyStorageError::Param { number, name, internal: param.internal, reason })
        };
        if param.value().is_none() {
            return refused("it lies outside what the parameter may be");
        }
        if self.params.get(name).is_some_and(|set| set != param) {
            return refused("it was set to another value before");
        }
        if elsewhere.is_some_and(|other| !other.is_compatible_with(&param.distribution)) {
            return refused("the study has a parameter of that name and another kind");
        }
        Ok(())
    }

    /// Checks what every storage refuses: anything that happens to a trial after its end.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::Finished`].
    pub fn check_unfinished(&self) -> Result<(), StudyStorageError> {
        if self.state.is_finished() {
            return Err(StudyStorageError::Finished { number: self.number, state: self.state });
        }
        Ok(())
    }

    /// Checks what every storage refuses: that the trial ends as `state` with `values` in a study of
    /// so many objectives.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::NotAnEnd`], [`StudyStorageError::Values`].
    pub fn check_values(
        &self,
        state: TrialState,
        values: Option<&[f64]>,
        objectives_count: usize,
    ) -> Result<(), StudyStorageError> {
        let values = values.unwrap_or_default();
        let is_right = match state {
            TrialState::Complete => values.len() == objectives_count,
            TrialState::Pruned | TrialState::Fail => {
                values.is_empty() || values.len() == objectives_count
            }
            TrialState::Running | TrialState::Waiting => {
                return Err(StudyStorageError::NotAnEnd { number: self.number, state });
            }
        };
        if is_right && values.iter().all(|value| !value.is_nan()) {
            return Ok(());
        }
        let (number, values) = (self.number, values.to_vec());
        Err(StudyStorageError::Values { number, values, objectives_count })
    }
}

impl NewTrial {
    /// Checks what every storage refuses: a trial that has finished elsewhere and could not have
    /// finished here, in a study of so many objectives that has the parameters `kinds`.
    ///
    /// # Errors
    ///
    /// As [`FrozenTrial::check_values`] and [`FrozenTrial::check_param`].
    pub fn check<'a>(
        &self,
        objectives_count: usize,
        kinds: impl Fn(&str) -> Option<&'a Distribution>,
    ) -> Result<(), StudyStorageError> {
        let Self::Finished(trial) = self else { return Ok(()) };
        trial.check_values(trial.state, trial.values.as_deref(), objectives_count)?;
        trial
            .params
            .iter()
            .try_for_each(|(name, param)| trial.check_param(name, param, kinds(name)))
    }

    /// The trial as it begins, with its id and number.
    pub fn begin(self, id: TrialId, number: u64, at: Timestamp) -> FrozenTrial {
        let begun = |state, started_at| FrozenTrial {
            id,
            number,
            state,
            values: None,
            params: BTreeMap::new(),
            intermediate_values: BTreeMap::new(),
            user_attrs: BTreeMap::new(),
            system_attrs: BTreeMap::new(),
            started_at,
            completed_at: None,
        };
        match self {
            Self::Running => begun(TrialState::Running, Some(at)),
            Self::Waiting { system_attrs, user_attrs } => {
                FrozenTrial { system_attrs, user_attrs, ..begun(TrialState::Waiting, None) }
            }
            Self::Finished(trial) => FrozenTrial { id, number, ..*trial },
        }
    }
}
