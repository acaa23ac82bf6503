//! The journal as a [`StudyStorage`]: each act is one record.

use std::collections::BTreeMap;
use std::sync::Arc;

use bist_lifecycle::study::{
    FrozenTrial, NewTrial, Param, StudyDirection, StudyId, StudyRecord, StudyStorage,
    StudyStorageError, TrialId, TrialState,
};
use jiff::Timestamp;
use serde_json::Value;

use super::JournalStorage;
use super::record::{AttrKind, Record};
use super::replay::{Applied, Replay};

impl JournalStorage {
    /// Appends the record that `decide` makes.
    fn append(
        &self,
        decide: impl Fn(&Replay) -> Result<Record, StudyStorageError>,
    ) -> Result<(), StudyStorageError> {
        self.act(|replay| decide(replay).map(Some)).map(drop)
    }

    fn set_study_attr(
        &self,
        study: StudyId,
        kind: AttrKind,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError> {
        self.append(|_| Ok(Record::StudyAttr { study, kind, attrs: one(key, value) }))
    }

    fn set_trial_attr(
        &self,
        trial: TrialId,
        kind: AttrKind,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError> {
        self.append(|_| Ok(Record::TrialAttr { trial, kind, attrs: one(key, value) }))
    }
}

fn one(key: &str, value: &Value) -> BTreeMap<String, Value> {
    BTreeMap::from([(key.to_owned(), value.clone())])
}

impl StudyStorage for JournalStorage {
    fn create_study(
        &self,
        name: &str,
        directions: &[StudyDirection],
    ) -> Result<StudyId, StudyStorageError> {
        if directions.is_empty() {
            return Err(StudyStorageError::NoDirections(name.to_owned()));
        }
        let record =
            Record::CreateStudy { name: name.to_owned(), directions: directions.to_owned() };
        match self.act(|_| Ok(Some(record.clone())))? {
            Some(Applied::Study(id)) => Ok(id),
            _ => Err(StudyStorageError::DuplicatedStudy(name.to_owned())),
        }
    }

    fn studies(&self) -> Result<Vec<StudyRecord>, StudyStorageError> {
        self.look(|replay| replay.studies().cloned().collect())
    }

    fn delete_study(&self, study: StudyId) -> Result<(), StudyStorageError> {
        self.append(|_| Ok(Record::DeleteStudy { study }))
    }

    fn set_study_user_attr(
        &self,
        study: StudyId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError> {
        self.set_study_attr(study, AttrKind::User, key, value)
    }

    fn set_study_system_attr(
        &self,
        study: StudyId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError> {
        self.set_study_attr(study, AttrKind::System, key, value)
    }

    fn create_trial(
        &self,
        study: StudyId,
        trial: NewTrial,
        at: Timestamp,
    ) -> Result<Arc<FrozenTrial>, StudyStorageError> {
        let made = self.act(|replay| {
            let of_study = replay.study(study)?;
            trial.check(of_study.record.directions.len(), |name| of_study.kind(name))?;
            Ok(Some(Record::create_trial(study, trial.clone(), at)))
        })?;
        match made {
            Some(Applied::Trial(trial)) => Ok(trial),
            _ => Err(StudyStorageError::UnknownStudy(study)),
        }
    }

    fn claim_waiting(
        &self,
        study: StudyId,
        at: Timestamp,
    ) -> Result<Option<Arc<FrozenTrial>>, StudyStorageError> {
        // Most of the time none waits, and the lock is not needed to know that.
        if self
            .look(|replay| replay.study(study).map(|study| study.first_waiting().is_none()))??
        {
            return Ok(None);
        }
        let claimed = self.act(|replay| {
            Ok(replay.study(study)?.first_waiting().map(|first| Record::State {
                trial: first.id,
                state: TrialState::Running,
                values: None,
                at: Some(at),
            }))
        })?;
        match claimed {
            Some(Applied::Trial(trial)) => Ok(Some(trial)),
            _ => Ok(None),
        }
    }

    fn set_param(
        &self,
        trial: TrialId,
        name: &str,
        param: &Param,
    ) -> Result<(), StudyStorageError> {
        self.append(|replay| {
            let (study, found) = replay.trial(trial)?;
            found.check_unfinished()?;
            found.check_param(name, param, study.kind(name))?;
            Ok(Record::Param { trial, name: name.to_owned(), param: param.clone() })
        })
    }

    fn report(&self, trial: TrialId, step: u64, value: f64) -> Result<(), StudyStorageError> {
        self.append(|_| Ok(Record::Report { trial, step, value }))
    }

    fn finish(
        &self,
        trial: TrialId,
        state: TrialState,
        values: Option<&[f64]>,
        at: Timestamp,
    ) -> Result<(), StudyStorageError> {
        self.append(|replay| {
            let (study, found) = replay.trial(trial)?;
            found.check_unfinished()?;
            found.check_values(state, values, study.record.directions.len())?;
            let values = values.map(<[f64]>::to_vec);
            Ok(Record::State { trial, state, values, at: Some(at) })
        })
    }

    fn set_trial_user_attr(
        &self,
        trial: TrialId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError> {
        self.set_trial_attr(trial, AttrKind::User, key, value)
    }

    fn set_trial_system_attr(
        &self,
        trial: TrialId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError> {
        self.set_trial_attr(trial, AttrKind::System, key, value)
    }

    fn trials_after(
        &self,
        study: StudyId,
        known_count: u64,
        unfinished: &[u64],
    ) -> Result<Vec<Arc<FrozenTrial>>, StudyStorageError> {
        self.look(|replay| {
            let trials = &replay.study(study)?.trials;
            let at = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            let known = unfinished.iter().filter_map(|&number| trials.get(at(number)));
            let new = trials.get(at(known_count)..).unwrap_or_default();
            Ok(known.chain(new).map(Arc::clone).collect())
        })?
    }
}
