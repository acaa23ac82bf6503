//! Studies in our database.
//!
//! Whoever waits for a future takes the functions of [`Store`]; workers, which are threads, take
//! [`DatabaseStudies`]. Each act is one transaction that begins by locking its study, so that of
//! several processes one decides at a time.

mod reads;
mod trials;
mod writes;

use std::sync::Arc;

use bist_lifecycle::study::{
    FrozenTrial, NewTrial, Param, StudyDirection, StudyId, StudyRecord, StudyStorage,
    StudyStorageError, TrialId, TrialState,
};
use jiff::Timestamp;
use serde_json::Value;
use tokio::runtime::Handle;

use crate::error::StoreError;
use crate::pool::Store;

/// Bits of a trial's id that are its number; those above are its study's id. A study's id is never
/// given again, so neither is a trial's.
const NUMBER_BITS: u32 = 32;

/// Who remembers an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeKind {
    /// The owner of the study or the objective of the trial.
    User,
    /// Samplers, pruners and whoever runs the study.
    System,
}

impl AttributeKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::System => "system",
        }
    }
}

/// The id of the trial `number` of `study`.
fn trial_id(study: StudyId, number: u64) -> TrialId {
    TrialId(study.0 << NUMBER_BITS | i64::try_from(number).unwrap_or(i64::MAX))
}

/// The study and number that an id names.
fn place(id: TrialId) -> (StudyId, i64) {
    (StudyId(id.0 >> NUMBER_BITS), id.0 & ((1 << NUMBER_BITS) - 1))
}

/// The studies of a database, for threads.
///
/// Its functions wait for the database, so they may be called from any thread but those on which
/// the runtime runs futures: from plain threads, and within `spawn_blocking`. The runtime has to be
/// running and to have its time enabled.
#[derive(Clone, Debug)]
pub struct DatabaseStudies {
    store: Store,
    runtime: Handle,
}

impl DatabaseStudies {
    /// The studies of `store`, whose futures `runtime` runs.
    pub const fn new(store: Store, runtime: Handle) -> Self {
        Self { store, runtime }
    }

    fn wait<T>(
        &self,
        act: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StudyStorageError> {
        self.runtime.block_on(act).map_err(|error| {
            if let StoreError::Study(error) = error {
                return error;
            }
            StudyStorageError::Io {
                place: self.store.directory().display().to_string(),
                reason: error.to_string(),
            }
        })
    }
}

impl StudyStorage for DatabaseStudies {
    fn create_study(
        &self,
        name: &str,
        directions: &[StudyDirection],
    ) -> Result<StudyId, StudyStorageError> {
        self.wait(self.store.create_study(name, directions))
    }

    fn studies(&self) -> Result<Vec<StudyRecord>, StudyStorageError> {
        self.wait(self.store.studies())
    }

    fn find_study(&self, name: &str) -> Result<Option<StudyRecord>, StudyStorageError> {
        self.wait(self.store.find_study(name))
    }

    fn delete_study(&self, study: StudyId) -> Result<(), StudyStorageError> {
        self.wait(self.store.delete_study(study))
    }

    fn set_study_user_attr(
        &self,
        study: StudyId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError> {
        self.wait(self.store.set_study_attribute(study, AttributeKind::User, key, value))
    }

    fn set_study_system_attr(
        &self,
        study: StudyId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError> {
        self.wait(self.store.set_study_attribute(study, AttributeKind::System, key, value))
    }

    fn create_trial(
        &self,
        study: StudyId,
        trial: NewTrial,
        at: Timestamp,
    ) -> Result<Arc<FrozenTrial>, StudyStorageError> {
        self.wait(self.store.create_study_trial(study, trial, at)).map(Arc::new)
    }

    fn claim_waiting(
        &self,
        study: StudyId,
        at: Timestamp,
    ) -> Result<Option<Arc<FrozenTrial>>, StudyStorageError> {
        Ok(self.wait(self.store.claim_waiting_trial(study, at))?.map(Arc::new))
    }

    fn set_param(
        &self,
        trial: TrialId,
        name: &str,
        param: &Param,
    ) -> Result<(), StudyStorageError> {
        self.wait(self.store.set_trial_param(trial, name, param))
    }

    fn report(&self, trial: TrialId, step: u64, value: f64) -> Result<(), StudyStorageError> {
        self.wait(self.store.report_trial(trial, step, value))
    }

    fn finish(
        &self,
        trial: TrialId,
        state: TrialState,
        values: Option<&[f64]>,
        at: Timestamp,
    ) -> Result<(), StudyStorageError> {
        self.wait(self.store.finish_trial(trial, state, values, at))
    }

    fn set_trial_user_attr(
        &self,
        trial: TrialId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError> {
        self.wait(self.store.set_trial_attribute(trial, AttributeKind::User, key, value))
    }

    fn set_trial_system_attr(
        &self,
        trial: TrialId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError> {
        self.wait(self.store.set_trial_attribute(trial, AttributeKind::System, key, value))
    }

    fn trials_after(
        &self,
        study: StudyId,
        known_count: u64,
        unfinished: &[u64],
    ) -> Result<Vec<Arc<FrozenTrial>>, StudyStorageError> {
        let trials = self.wait(self.store.study_trials_after(study, known_count, unfinished))?;
        Ok(trials.into_iter().map(Arc::new).collect())
    }
}
