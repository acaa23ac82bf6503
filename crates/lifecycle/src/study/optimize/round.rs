//! Rounds: trials that are begun together, each by what was known before any of them ended.
//!
//! What a trial of a round proposes, and whether it is pruned, follows from the seed, its number and
//! the trials of the rounds before. So it does not matter who runs which of them, in which order, or
//! how often one is begun before it ends: the study comes out the same, bit for bit. Whoever begins
//! rounds has the study for themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{FAIL_REASON, FIXED_PARAMS, ObjectiveFn, Optimizer, StopReason, worker};
use crate::study::storage::{NewTrial, StudyStorageError};
use crate::study::{FrozenTrial, History, Param, TrialState};

/// A trial of a round, as whoever runs it has to know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundTrial {
    /// Its number.
    pub number: u64,
    /// How many trials there were before the round: those are known, and no other.
    pub known_count: u64,
    /// What its sampler proposes.
    pub proposed: BTreeMap<String, Param>,
}

/// What happens next in a study.
#[derive(Clone, Debug, PartialEq)]
pub enum Round {
    /// These trials, in any order.
    Trials(Vec<RoundTrial>),
    /// Nothing.
    Ended(StopReason),
}

impl Optimizer<'_> {
    /// Begins a round of as many trials as there are workers, or of fewer where fewer results are asked
    /// for; trials that wait come first. A round that was begun and of which no trial has been run is
    /// the one. The duration ends nothing here.
    ///
    /// # Errors
    ///
    /// The storage's.
    pub fn begin_round(self) -> Result<Round, StudyStorageError> {
        let Self { storage, study, mut sampler, settings, clock, .. } = self;
        let mut history = History::new(study);
        history.refresh(storage)?;
        let is_running = |trial: &&Arc<FrozenTrial>| trial.state == TrialState::Running;
        let mut trials: Vec<_> = history.unfinished().filter(is_running).cloned().collect();
        if trials.is_empty() {
            let failed = failures(&history, settings.failures_max);
            let over = || worker::is_over(&settings, &history, &mut *sampler);
            if let Some(reason) = failed.or_else(over) {
                return Ok(Round::Ended(reason));
            }
            let workers = settings.workers.get() as u64;
            let left = settings.results_max.map(|most| most - history.results_count());
            for _ in 0..left.map_or(workers, |left| workers.min(left)) {
                let now = clock();
                trials.push(match storage.claim_waiting(study.id, now)? {
                    Some(waiting) => waiting,
                    None => storage.create_trial(study.id, NewTrial::Running, now)?,
                });
            }
            trials.sort_by_key(|trial| trial.number);
        }
        let known_count = trials.first().map_or(0, |trial| trial.number);
        let mut round = Vec::with_capacity(trials.len());
        for trial in trials {
            history.refresh(storage)?;
            let proposal = sampler.propose(&history, &trial);
            // So that the next one is another.
            for (key, value) in &proposal.system_attrs {
                storage.set_trial_system_attr(trial.id, key, value)?;
            }
            round.push(RoundTrial { number: trial.number, known_count, proposed: proposal.params });
        }
        Ok(Round::Trials(round))
    }

    /// Runs one trial of a round, unless it has ended; gives it as it is then. It runs on when the run
    /// was cancelled: whoever goes on with the round runs it again.
    ///
    /// # Errors
    ///
    /// The storage's.
    pub fn run_in_round(
        self,
        trial: &RoundTrial,
        objective: &ObjectiveFn<'_>,
    ) -> Result<Arc<FrozenTrial>, StudyStorageError> {
        let (storage, study) = (self.storage, self.study);
        let find = || {
            let trials = storage.trials_after(study.id, trial.number, &[])?;
            trials.into_iter().next().ok_or(StudyStorageError::UnknownStudy(study.id))
        };
        let held = find()?;
        if held.state != TrialState::Running {
            return Ok(held);
        }
        // What an earlier attempt has left comes out the same.
        let mut begun = FrozenTrial::clone(&held);
        begun.params.clear();
        begun.intermediate_values.clear();
        begun.user_attrs.clear();
        begun.system_attrs.retain(|key, _| key == FIXED_PARAMS);
        let history = History::of_first(study, trial.known_count, storage)?;
        worker::run_one(self, history, &Arc::new(begun), trial.proposed.clone(), objective)?;
        find()
    }
}

/// That the last `most` trials failed.
fn failures(history: &History, most: u64) -> Option<StopReason> {
    let last = history.trials().last()?;
    let newest = history.trials().iter().rev();
    let count = newest.take_while(|trial| trial.state == TrialState::Fail).count() as u64;
    let reason = last.system_attrs.get(FAIL_REASON).and_then(|reason| reason.as_str());
    let reason = reason.unwrap_or_default().to_owned();
    (count >= most).then_some(StopReason::Failures { reason })
}
