//! What a place that keeps studies can do.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::search_space::{Choice, Distribution};
use crate::study::{FrozenTrial, Param, TrialState};

/// What names a study in its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StudyId(pub i64);

/// What names a trial in its storage, over all studies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TrialId(pub i64);

/// What is better of an objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudyDirection {
    /// Less.
    Minimize,
    /// More.
    Maximize,
}

impl StudyDirection {
    /// `value` turned so that less is better.
    pub fn loss(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

/// A study without its trials.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyRecord {
    /// What names it.
    pub id: StudyId,
    /// Its name, one of a kind.
    pub name: String,
    /// One for each objective, at least one.
    pub directions: Vec<StudyDirection>,
    /// What its owner wants to be remembered.
    pub user_attrs: BTreeMap<String, Value>,
    /// What samplers and whoever runs it want to be remembered.
    pub system_attrs: BTreeMap<String, Value>,
}

/// A trial to be made.
#[derive(Clone, Debug, PartialEq)]
pub enum NewTrial {
    /// One that its maker runs from now on.
    Running,
    /// One that whoever asks next is to run, with these values for the parameters that have the
    /// names, under the system attribute `fixed_params` as people see them.
    Waiting {
        /// The attributes, `fixed_params` among them.
        system_attrs: BTreeMap<String, Value>,
        /// What its maker wants to be remembered.
        user_attrs: BTreeMap<String, Value>,
    },
    /// One that has already finished elsewhere; its id and number are given anew.
    Finished(Box<FrozenTrial>),
}

/// Why a storage cannot do what it is asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyStorageError {
    /// A study of that name is there.
    #[error("there is a study '{0}' already: choose another name, or continue that one")]
    DuplicatedStudy(String),
    /// A study without an objective.
    #[error("the study '{0}' has no objective: give at least one direction")]
    NoDirections(String),
    /// There is no such study.
    #[error("there is no study number {}", .0.0)]
    UnknownStudy(StudyId),
    /// There is no such trial.
    #[error("there is no trial number {}", .0.0)]
    UnknownTrial(TrialId),
    /// The trial has finished, and stays as it is.
    #[error("trial {number} has finished ({}) and cannot be changed", state.as_str())]
    Finished {
        /// Its number.
        number: u64,
        /// How it ended.
        state: TrialState,
    },
    /// A trial ends as complete, pruned or failed.
    #[error("trial {number} cannot end as {}: say complete, pruned or fail", state.as_str())]
    NotAnEnd {
        /// Its number.
        number: u64,
        /// How it was to end.
        state: TrialState,
    },
    /// Another value was set before, or the same parameter has another kind elsewhere in the study.
    #[error("the parameter '{name}' of trial {number} cannot be {internal}: {reason}")]
    Param {
        /// The trial.
        number: u64,
        /// The parameter.
        name: String,
        /// The value.
        internal: f64,
        /// What is wrong.
        reason: &'static str,
    },
    /// The number of values is not that of the objectives, or one is not a number.
    #[error(
        "trial {number} ends with the values {values:?}, and the study has {objectives_count} objectives: give a number for each"
    )]
    Values {
        /// The trial.
        number: u64,
        /// The values.
        values: Vec<f64>,
        /// How many there should be.
        objectives_count: usize,
    },
    /// What is kept cannot be read or written.
    #[error("{place}: {reason}")]
    Io {
        /// The file, with the line if there is one, or the database.
        place: String,
        /// What went wrong, and what to do.
        reason: String,
    },
}

/// A place that keeps studies, for several workers at once, in one process or in several.
///
/// What a call has acknowledged survives the death of the process, where the storage is persistent.
/// All storages pass one conformance suite.
pub trait StudyStorage: fmt::Debug + Send + Sync {
    /// Makes a study.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::DuplicatedStudy`], [`StudyStorageError::NoDirections`], or the storage's.
    fn create_study(
        &self,
        name: &str,
        directions: &[StudyDirection],
    ) -> Result<StudyId, StudyStorageError>;

    /// All studies in the order in which they were made.
    ///
    /// # Errors
    ///
    /// The storage's.
    fn studies(&self) -> Result<Vec<StudyRecord>, StudyStorageError>;

    /// The study of that name.
    ///
    /// # Errors
    ///
    /// The storage's.
    fn find_study(&self, name: &str) -> Result<Option<StudyRecord>, StudyStorageError> {
        Ok(self.studies()?.into_iter().find(|study| study.name == name))
    }

    /// Removes a study with its trials.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::UnknownStudy`], or the storage's.
    fn delete_study(&self, study: StudyId) -> Result<(), StudyStorageError>;

    /// Remembers something of a study for its owner.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::UnknownStudy`], or the storage's.
    fn set_study_user_attr(
        &self,
        study: StudyId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError>;

    /// Remembers something of a study for whoever runs it.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::UnknownStudy`], or the storage's.
    fn set_study_system_attr(
        &self,
        study: StudyId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError>;

    /// Makes a trial, with the next number of its study; two that ask at once get two numbers.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::UnknownStudy`]; for one that has finished elsewhere and could not have
    /// finished here what [`Self::set_param`] and [`Self::finish`] say; or the storage's.
    fn create_trial(
        &self,
        study: StudyId,
        trial: NewTrial,
        at: Timestamp,
    ) -> Result<Arc<FrozenTrial>, StudyStorageError>;

    /// Takes the waiting trial with the lowest number, which runs from now on; `None` when none
    /// waits. Of several that ask, one gets it.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::UnknownStudy`], or the storage's.
    fn claim_waiting(
        &self,
        study: StudyId,
        at: Timestamp,
    ) -> Result<Option<Arc<FrozenTrial>>, StudyStorageError>;

    /// Sets a parameter of an unfinished trial.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::Param`] when it was set to another value or the study has a parameter
    /// of that name and another kind (a category with other choices included),
    /// [`StudyStorageError::Finished`], [`StudyStorageError::UnknownTrial`], or the storage's.
    fn set_param(&self, trial: TrialId, name: &str, param: &Param)
    -> Result<(), StudyStorageError>;

    /// Remembers what an unfinished trial reported at `step`; a later report at the same step replaces
    /// it.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::Finished`], [`StudyStorageError::UnknownTrial`], or the storage's.
    fn report(&self, trial: TrialId, step: u64, value: f64) -> Result<(), StudyStorageError>;

    /// Ends a trial; of several that do, the first.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::Finished`] when it had ended, [`StudyStorageError::NotAnEnd`],
    /// [`StudyStorageError::Values`], [`StudyStorageError::UnknownTrial`], or the storage's.
    fn finish(
        &self,
        trial: TrialId,
        state: TrialState,
        values: Option<&[f64]>,
        at: Timestamp,
    ) -> Result<(), StudyStorageError>;

    /// Remembers something of an unfinished trial for its objective.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::Finished`], [`StudyStorageError::UnknownTrial`], or the storage's.
    fn set_trial_user_attr(
        &self,
        trial: TrialId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError>;

    /// Remembers something of an unfinished trial for samplers, pruners and whoever runs it.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::Finished`], [`StudyStorageError::UnknownTrial`], or the storage's.
    fn set_trial_system_attr(
        &self,
        trial: TrialId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError>;

    /// The trials of a study that somebody who knows its first `known_count` trials, those of
    /// `unfinished` not to their end, has to look at: `unfinished`, and all from number
    /// `known_count` on, in the order of their numbers. The cost is that of what is returned, not
    /// of the study.
    ///
    /// # Errors
    ///
    /// [`StudyStorageError::UnknownStudy`], or the storage's.
    fn trials_after(
        &self,
        study: StudyId,
        known_count: u64,
        unfinished: &[u64],
    ) -> Result<Vec<Arc<FrozenTrial>>, StudyStorageError>;
}

impl Distribution {
    /// Whether both are of one kind, so that a study may use them under one name: a range may
    /// change, the choices of a category may not. As in Python, a choice of 1 is one of 1.0 and of
    /// true.
    pub fn is_compatible_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float { log, .. }, Self::Float { log: other, .. })
            | (Self::Int { log, .. }, Self::Int { log: other, .. }) => log == other,
            (Self::Categorical { choices }, Self::Categorical { choices: other }) => {
                choices.len() == other.len() && choices.iter().zip(other).all(|(a, b)| a.is_like(b))
            }
            (Self::Float { .. } | Self::Int { .. } | Self::Categorical { .. }, _) => false,
        }
    }
}

impl Choice {
    fn is_like(&self, other: &Self) -> bool {
        match (self.number(), other.number()) {
            (Some(a), Some(b)) => a.partial_cmp(&b) == Some(Ordering::Equal),
            _ => self == other,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "whole numbers of choices are below 2^53")]
    fn number(&self) -> Option<f64> {
        match self {
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Text(_) | Self::Null => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_compared_as_python_does() {
        let of = |choices: &[Choice]| Distribution::categorical(choices.iter().cloned());
        let numbers = of(&[Choice::Int(0), Choice::Float(0.5), Choice::Bool(true)]);
        let check = |choices: &[Choice], expected| {
            assert_eq!(numbers.is_compatible_with(&of(choices)), expected, "{choices:?}");
        };
        check(&[Choice::Bool(false), Choice::Float(0.5), Choice::Float(1.0)], true);
        check(&[Choice::Int(0), Choice::Float(0.5), Choice::Int(2)], false);
        check(&[Choice::Int(0), Choice::Float(0.5)], false);
        check(&[Choice::Null, Choice::Float(0.5), Choice::Int(1)], false);
        check(&["0".into(), Choice::Float(0.5), Choice::Int(1)], false);
    }
}
