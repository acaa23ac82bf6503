//! What the records of a journal say together, by Optuna's rules: a record that does not fit what is
//! there is an error for whoever wrote it and nothing for everybody else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bist_lifecycle::search_space::Distribution;
use bist_lifecycle::study::{
    FrozenTrial, StudyId, StudyRecord, StudyStorageError, TrialId, TrialState,
};
use serde_json::Value;

use super::record::{AttrKind, Record};

/// The studies as far as the journal was read.
#[derive(Debug, Default)]
pub(super) struct Replay {
    studies: BTreeMap<StudyId, Study>,
    /// Studies that were ever made: the next one's id.
    studies_count: i64,
    /// Of each trial that was ever made, by id: its study and number.
    trials: Vec<(StudyId, usize)>,
}

/// A study with what is needed to decide quickly.
#[derive(Debug)]
pub(super) struct Study {
    pub(super) record: StudyRecord,
    pub(super) trials: Vec<Arc<FrozenTrial>>,
    index: Index,
}

/// What the trials of a study say together.
#[derive(Debug, Default)]
struct Index {
    /// The numbers of those that wait.
    waiting: BTreeSet<usize>,
    /// Of each parameter, the first trial that has it, and what it is there.
    kinds: BTreeMap<String, (usize, Distribution)>,
}

/// What a record did.
#[derive(Debug)]
pub(super) enum Applied {
    /// It made a study.
    Study(StudyId),
    /// It made or changed a trial, which is now so.
    Trial(Arc<FrozenTrial>),
    /// It changed a study.
    Changed,
    /// It came too late or is of no concern to us.
    Nothing,
}

impl Replay {
    pub(super) fn studies(&self) -> impl Iterator<Item = &StudyRecord> {
        self.studies.values().map(|study| &study.record)
    }

    pub(super) fn study(&self, id: StudyId) -> Result<&Study, StudyStorageError> {
        self.studies.get(&id).ok_or(StudyStorageError::UnknownStudy(id))
    }

    /// The study of a trial, and its place there.
    fn place(&self, id: TrialId) -> Result<(StudyId, usize), StudyStorageError> {
        let unknown = StudyStorageError::UnknownTrial(id);
        let place = usize::try_from(id.0).ok().and_then(|at| self.trials.get(at).copied());
        place.filter(|(study, _)| self.studies.contains_key(study)).ok_or(unknown)
    }

    /// The trial and its study.
    pub(super) fn trial(&self, id: TrialId) -> Result<(&Study, &FrozenTrial), StudyStorageError> {
        let (study, at) = self.place(id)?;
        let study = self.study(study)?;
        Ok((study, &study.trials[at]))
    }

    /// Whether `record` fits what is there.
    pub(super) fn check(&self, record: &Record) -> Result<(), StudyStorageError> {
        match record {
            Record::CreateStudy { name, .. } => {
                if self.studies().any(|study| study.name == *name) {
                    return Err(StudyStorageError::DuplicatedStudy(name.clone()));
                }
            }
            Record::DeleteStudy { study }
            | Record::StudyAttr { study, .. }
            | Record::CreateTrial { study, .. } => {
                self.study(*study)?;
            }
            Record::Param { trial, name, param } => {
                let (study, trial) = self.trial(*trial)?;
                trial.check_unfinished()?;
                if study
                    .kind(name)
                    .is_some_and(|kind| !kind.is_compatible_with(&param.distribution))
                {
                    return trial.check_param(name, param, study.kind(name));
                }
            }
            Record::State { trial, .. }
            | Record::Report { trial, .. }
            | Record::TrialAttr { trial, .. } => self.trial(*trial)?.1.check_unfinished()?,
        }
        Ok(())
    }

    /// Does what `record` says.
    ///
    /// # Errors
    ///
    /// As [`Self::check`]; nothing has changed then.
    pub(super) fn apply(&mut self, record: Record) -> Result<Applied, StudyStorageError> {
        self.check(&record)?;
        match record {
            Record::CreateStudy { name, directions } => {
                let id = StudyId(self.studies_count);
                self.studies_count += 1;
                let record = StudyRecord {
                    id,
                    name,
                    directions,
                    user_attrs: BTreeMap::new(),
                    system_attrs: BTreeMap::new(),
                };
                self.studies.insert(id, Study::new(record));
                Ok(Applied::Study(id))
            }
            Record::DeleteStudy { study } => {
                self.studies.remove(&study);
                Ok(Applied::Changed)
            }
            Record::StudyAttr { study, kind, attrs } => {
                let record = &mut self.study_mut(study)?.record;
                remember(kind, attrs, &mut record.user_attrs, &mut record.system_attrs);
                Ok(Applied::Changed)
            }
            Record::CreateTrial { study: id, mut trial, .. } => {
                trial.id = TrialId(i64::try_from(self.trials.len()).unwrap_or(i64::MAX));
                let study = self.study_mut(id)?;
                let at = study.trials.len();
                trial.number = at as u64;
                for (name, param) in &trial.params {
                    study.index.learn(name, at, &param.distribution);
                }
                if trial.state == TrialState::Waiting {
                    study.index.waiting.insert(at);
                }
                let trial = Arc::new(*trial);
                study.trials.push(Arc::clone(&trial));
                self.trials.push((id, at));
                Ok(Applied::Trial(trial))
            }
            Record::Param { trial, name, param } => self.change(trial, |index, at, trial| {
                index.learn(&name, at, &param.distribution);
                trial.params.insert(name, param);
            }),
            Record::State { trial, state: TrialState::Running, .. }
                if self.trial(trial)?.1.state == TrialState::Running =>
            {
                // Another worker was quicker.
                Ok(Applied::Nothing)
            }
            Record::State { trial, state, values, at: when } => {
                self.change(trial, |index, at, trial| {
                    trial.state = state;
                    if state == TrialState::Running {
                        trial.started_at = when;
                    } else if state.is_finished() {
                        trial.completed_at = when;
                    }
                    if values.is_some() {
                        trial.values = values;
                    }
                    if state == TrialState::Waiting {
                        index.waiting.insert(at);
                    } else {
                        index.waiting.remove(&at);
                    }
                })
            }
            Record::Report { trial, step, value } => self.change(trial, |_, _, trial| {
                trial.intermediate_values.insert(step, value);
            }),
            Record::TrialAttr { trial, kind, attrs } => self.change(trial, |_, _, trial| {
                remember(kind, attrs, &mut trial.user_attrs, &mut trial.system_attrs);
            }),
        }
    }

    fn study_mut(&mut self, id: StudyId) -> Result<&mut Study, StudyStorageError> {
        self.studies.get_mut(&id).ok_or(StudyStorageError::UnknownStudy(id))
    }

    fn change(
        &mut self,
        id: TrialId,
        change: impl FnOnce(&mut Index, usize, &mut FrozenTrial),
    ) -> Result<Applied, StudyStorageError> {
        let (study, at) = self.place(id)?;
        let study = self.study_mut(study)?;
        let trial = &mut study.trials[at];
        // Whoever was given the trial as it was before keeps it so.
        change(&mut study.index, at, Arc::make_mut(trial));
        Ok(Applied::Trial(Arc::clone(trial)))
    }
}

impl Study {
    fn new(record: StudyRecord) -> Self {
        Self { record, trials: Vec::new(), index: Index::default() }
    }

    /// The waiting trial with the lowest number.
    pub(super) fn first_waiting(&self) -> Option<&FrozenTrial> {
        self.index.waiting.first().map(|&at| &*self.trials[at])
    }

    /// What the parameter `name` is in the first trial that has it.
    pub(super) fn kind(&self, name: &str) -> Option<&Distribution> {
        self.index.kinds.get(name).map(|(_, kind)| kind)
    }
}

impl Index {
    fn learn(&mut self, name: &str, at: usize, kind: &Distribution) {
        if self.kinds.get(name).is_none_or(|(first, _)| at <= *first) {
            self.kinds.insert(name.to_owned(), (at, kind.clone()));
        }
    }
}

fn remember(
    kind: AttrKind,
    attrs: BTreeMap<String, Value>,
    user: &mut BTreeMap<String, Value>,
    system: &mut BTreeMap<String, Value>,
) {
    match kind {
        AttrKind::User => user.extend(attrs),
        AttrKind::System => system.extend(attrs),
    }
}
