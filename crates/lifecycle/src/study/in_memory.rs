//! Studies that last as long as the process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use crate::search_space::Distribution;
use crate::study::storage::{
    NewTrial, StudyDirection, StudyId, StudyRecord, StudyStorage, StudyStorageError, TrialId,
};
use crate::study::{FrozenTrial, Param, TrialState};

/// Studies that last as long as the process, for several threads.
#[derive(Debug, Default)]
pub struct InMemoryStorage {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// By id, which is the place; `None` once deleted.
    studies: Vec<Option<Study>>,
    /// By id, which is the place: the study and the number.
    trials: Vec<(StudyId, u64)>,
}

#[derive(Debug)]
struct Study {
    record: StudyRecord,
    trials: Vec<Arc<FrozenTrial>>,
    /// What each parameter is, by name.
    kinds: BTreeMap<String, Distribution>,
}

impl InMemoryStorage {
    /// Without any study.
    pub fn new() -> Self {
        Self::default()
    }

    /// A panic elsewhere leaves nothing half done here: every change is the last step of its call.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(
        &self,
        id: TrialId,
        change: impl FnOnce(&mut Study, &mut FrozenTrial) -> Result<(), StudyStorageError>,
    ) -> Result<(), StudyStorageError> {
        let mut held = self.held();
        let unknown = StudyStorageError::UnknownTrial(id);
        let place = usize::try_from(id.0).ok().and_then(|at| held.trials.get(at).copied());
        let Some((study, number)) = place else { return Err(unknown) };
        let Ok(study) = held.study(study) else { return Err(unknown) };
        let at = usize::try_from(number).expect("as many trials as there are in memory");
        let mut changed = FrozenTrial::clone(&study.trials[at]);
        change(study, &mut changed)?;
        study.trials[at] = Arc::new(changed);
        Ok(())
    }
}

impl Study {
    fn learn(&mut self, name: &str, param: &Param) {
        if !self.kinds.contains_key(name) {
            self.kinds.insert(name.to_owned(), param.distribution.clone());
        }
    }
}

impl Held {
    fn study(&mut self, id: StudyId) -> Result<&mut Study, StudyStorageError> {
        let at = usize::try_from(id.0).ok();
        at.and_then(|at| self.studies.get_mut(at)?.as_mut())
            .ok_or(StudyStorageError::UnknownStudy(id))
    }
}

impl StudyStorage for InMemoryStorage {
    fn create_study(
        &self,
        name: &str,
        directions: &[StudyDirection],
    ) -> Result<StudyId, StudyStorageError> {
        let mut held = self.held();
        if held.studies.iter().flatten().any(|study| study.record.name == name) {
            return Err(StudyStorageError::DuplicatedStudy(name.to_owned()));
        }
        if directions.is_empty() {
            return Err(StudyStorageError::NoDirections(name.to_owned()));
        }
        let id = StudyId(i64::try_from(held.studies.len()).expect("studies fit into memory"));
        held.studies.push(Some(Study {
            record: StudyRecord {
                id,
                name: name.to_owned(),
                directions: directions.to_owned(),
                user_attrs: Default::default(),
                system_attrs: Default::default(),
            },
            trials: Vec::new(),
            kinds: BTreeMap::new(),
        }));
        Ok(id)
    }

    fn studies(&self) -> Result<Vec<StudyRecord>, StudyStorageError> {
        Ok(self.held().studies.iter().flatten().map(|study| study.record.clone()).collect())
    }

    fn delete_study(&self, study: StudyId) -> Result<(), StudyStorageError> {
        let mut held = self.held();
        held.study(study)?;
        let at = usize::try_from(study.0).expect("it was found");
        held.studies[at] = None;
        Ok(())
    }

    fn set_study_user_attr(
        &self,
        study: StudyId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError> {
        let mut held = self.held();
        held.study(study)?.record.user_attrs.insert(key.to_owned(), value.clone());
        Ok(())
    }

    fn set_study_system_attr(
        &self,
        study: StudyId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError> {
        let mut held = self.held();
        held.study(study)?.record.system_attrs.insert(key.to_owned(), value.clone());
        Ok(())
    }

    fn create_trial(
        &self,
        study: StudyId,
        trial: NewTrial,
        at: Timestamp,
    ) -> Result<Arc<FrozenTrial>, StudyStorageError> {
        let mut held = self.held();
        let id = TrialId(i64::try_from(held.trials.len()).expect("trials fit into memory"));
        let of_study = held.study(study)?;
        trial.check(of_study.record.directions.len(), |name| of_study.kinds.get(name))?;
        let made = Arc::new(trial.begin(id, of_study.trials.len() as u64, at));
        made.params.iter().for_each(|(name, param)| of_study.learn(name, param));
        of_study.trials.push(Arc::clone(&made));
        held.trials.push((study, made.number));
        Ok(made)
    }

    fn claim_waiting(
        &self,
        study: StudyId,
        at: Timestamp,
    ) -> Result<Option<Arc<FrozenTrial>>, StudyStorageError> {
        let mut held = self.held();
        let of_study = held.study(study)?;
        let waiting = of_study.trials.iter_mut().find(|trial| trial.state == TrialState::Waiting);
        Ok(waiting.map(|waiting| {
            let mut claimed = FrozenTrial::clone(waiting);
            claimed.state = TrialState::Running;
            claimed.started_at = Some(at);
            *waiting = Arc::new(claimed);
            Arc::clone(waiting)
        }))
    }

    fn set_param(
        &self,
        trial: TrialId,
        name: &str,
        param: &Param,
    ) -> Result<(), StudyStorageError> {
        self.change(trial, |study, trial| {
            trial.check_unfinished()?;
            trial.check_param(name, param, study.kinds.get(name))?;
            study.learn(name, param);
            trial.params.insert(name.to_owned(), param.clone());
            Ok(())
        })
    }

    fn report(&self, trial: TrialId, step: u64, value: f64) -> Result<(), StudyStorageError> {
        self.change(trial, |_, trial| {
            trial.check_unfinished()?;
            trial.intermediate_values.insert(step, value);
            Ok(())
        })
    }

    fn finish(
        &self,
        trial: TrialId,
        state: TrialState,
        values: Option<&[f64]>,
        at: Timestamp,
    ) -> Result<(), StudyStorageError> {
        self.change(trial, |study, trial| {
            trial.check_unfinished()?;
            trial.check_values(state, values, study.record.directions.len())?;
            trial.state = state;
            trial.values = values.map(<[f64]>::to_vec);
            trial.completed_at = Some(at);
            Ok(())
        })
    }

    fn set_trial_user_attr(
        &self,
        trial: TrialId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError> {
        self.change(trial, |_, trial| {
            trial.check_unfinished()?;
            trial.user_attrs.insert(key.to_owned(), value.clone());
            Ok(())
        })
    }

    fn set_trial_system_attr(
        &self,
        trial: TrialId,
        key: &str,
        value: &Value,
    ) -> Result<(), StudyStorageError> {
        self.change(trial, |_, trial| {
            trial.check_unfinished()?;
            trial.system_attrs.insert(key.to_owned(), value.clone());
            Ok(())
        })
    }

    fn trials_after(
        &self,
        study: StudyId,
        known_count: u64,
        unfinished: &[u64],
    ) -> Result<Vec<Arc<FrozenTrial>>, StudyStorageError> {
        let mut held = self.held();
        let trials = &held.study(study)?.trials;
        let at = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let known = unfinished.iter().filter_map(|&number| trials.get(at(number)));
        let new = trials.get(at(known_count)..).unwrap_or_default();
        Ok(known.chain(new).map(Arc::clone).collect())
    }
}
