//! What one worker knows of a study, brought up to date at the cost of what changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::study::storage::{StudyDirection, StudyRecord, StudyStorage, StudyStorageError};
use crate::study::{FrozenTrial, TrialState};

/// The trials of a study as one worker knows them.
///
/// Samplers and pruners that keep something of finished trials remember how many of
/// [`History::finished`] they have looked at, and look at the rest only.
#[derive(Clone, Debug)]
pub struct History {
    study: StudyRecord,
    /// By number.
    trials: Vec<Arc<FrozenTrial>>,
    unfinished: BTreeSet<u64>,
    /// Numbers, in the order in which their end was seen.
    finished: Vec<u64>,
    complete_count: u64,
    pruned_count: u64,
    failed_count: u64,
    /// Numbers of the trials that no other is better than.
    best: BTreeSet<u64>,
    /// How many results there were when the last of `best` was found.
    progress_at: u64,
}

impl History {
    /// Of a study of which nothing is known yet.
    pub fn new(study: &StudyRecord) -> Self {
        Self {
            study: study.clone(),
            trials: Vec::new(),
            unfinished: BTreeSet::new(),
            finished: Vec::new(),
            complete_count: 0,
            pruned_count: 0,
            failed_count: 0,
            best: BTreeSet::new(),
            progress_at: 0,
        }
    }

    /// Learns what happened since the last time.
    ///
    /// # Errors
    ///
    /// The storage's.
    pub fn refresh(&mut self, storage: &dyn StudyStorage) -> Result<(), StudyStorageError> {
        let unfinished: Vec<u64> = self.unfinished.iter().copied().collect();
        for trial in storage.trials_after(self.study.id, self.trials.len() as u64, &unfinished)? {
            self.learn(&trial);
        }
        Ok(())
    }

    /// Of the first `count` trials of a study.
    ///
    /// # Errors
    ///
    /// The storage's.
    pub fn of_first(
        study: &StudyRecord,
        count: u64,
        storage: &dyn StudyStorage,
    ) -> Result<Self, StudyStorageError> {
        let mut history = Self::new(study);
        let trials = storage.trials_after(study.id, 0, &[])?;
        trials.iter().filter(|trial| trial.number < count).for_each(|trial| history.learn(trial));
        Ok(history)
    }

    fn learn(&mut self, trial: &Arc<FrozenTrial>) {
        let (number, state) = (trial.number, trial.state);
        match self.trials.get_mut(place(number)) {
            Some(known) => *known = Arc::clone(trial),
            None => self.trials.push(Arc::clone(trial)),
        }
        match state {
            TrialState::Running | TrialState::Waiting => {
                self.unfinished.insert(number);
                return;
            }
            TrialState::Complete => {
                self.complete_count += 1;
                if self.improve(trial) {
                    self.progress_at = self.results_count();
                }
            }
            TrialState::Pruned => self.pruned_count += 1,
            TrialState::Fail => self.failed_count += 1,
        }
        self.unfinished.remove(&number);
        self.finished.push(number);
    }

    /// Takes `trial` among the best if none of them is better; whether it is one that moves them.
    fn improve(&mut self, trial: &FrozenTrial) -> bool {
        let losses = self.losses(trial);
        let of = |number: &u64| self.losses(&self.trials[place(*number)]);
        if self.best.iter().any(|other| {
            let other = of(other);
            dominates(&other, &losses) || (losses.len() == 1 && other == losses)
        }) {
            return false;
        }
        let beaten: Vec<u64> =
            self.best.iter().copied().filter(|other| dominates(&losses, &of(other))).collect();
        for number in beaten {
            self.best.remove(&number);
        }
        self.best.insert(trial.number);
        true
    }

    /// The study, without its trials.
    pub const fn study(&self) -> &StudyRecord {
        &self.study
    }

    /// One for each objective.
    pub fn directions(&self) -> &[StudyDirection] {
        &self.study.directions
    }

    /// All trials by number.
    pub fn trials(&self) -> &[Arc<FrozenTrial>] {
        &self.trials
    }

    /// The trial of that number, if it is known.
    pub fn trial(&self, number: u64) -> Option<&Arc<FrozenTrial>> {
        self.trials.get(place(number))
    }

    /// The trials that run or wait, by number.
    pub fn unfinished(&self) -> impl Iterator<Item = &Arc<FrozenTrial>> {
        self.unfinished.iter().map(|&number| &self.trials[place(number)])
    }

    /// The trials that finished, in the order in which their end was seen, without the first
    /// `seen_count`.
    pub fn finished(&self, seen_count: usize) -> impl Iterator<Item = &Arc<FrozenTrial>> {
        let rest = self.finished.get(seen_count..).unwrap_or_default();
        rest.iter().map(|&number| &self.trials[place(number)])
    }

    /// How many trials finished.
    pub const fn finished_count(&self) -> usize {
        self.finished.len()
    }

    /// How many trials gave a result: the complete and the pruned ones.
    pub const fn results_count(&self) -> u64 {
        self.complete_count + self.pruned_count
    }

    /// How many trials were pruned.
    pub const fn pruned_count(&self) -> u64 {
        self.pruned_count
    }

    /// How many trials failed.
    pub const fn failed_count(&self) -> u64 {
        self.failed_count
    }

    /// How many results there were since one of the best was found.
    pub const fn results_without_progress(&self) -> u64 {
        self.results_count() - self.progress_at
    }

    /// The complete trials that no other is better than, by number: of one objective the first with
    /// the best value, of several the Pareto front.
    pub fn best(&self) -> Vec<Arc<FrozenTrial>> {
        self.best.iter().map(|&number| Arc::clone(&self.trials[place(number)])).collect()
    }

    /// The values of a complete trial, turned so that less is better.
    pub fn losses(&self, trial: &FrozenTrial) -> Vec<f64> {
        let values = trial.values.as_deref().unwrap_or_default();
        self.study.directions.iter().zip(values).map(|(d, &value)| d.loss(value)).collect()
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).expect("as many trials as there are in memory")
}

/// Whether the losses `a` are nowhere worse than `b`, and somewhere better.
pub(crate) fn dominates(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{InMemoryStorage, NewTrial};

    use jiff::Timestamp;

    fn made(directions: &[StudyDirection]) -> (InMemoryStorage, History) {
        let storage = InMemoryStorage::new();
        storage.create_study("s", directions).unwrap();
        let study = storage.find_study("s").unwrap().unwrap();
        (storage, History::new(&study))
    }

    fn end(storage: &InMemoryStorage, history: &History, state: TrialState, values: &[f64]) {
        let at = Timestamp::UNIX_EPOCH;
        let trial = storage.create_trial(history.study.id, NewTrial::Running, at).unwrap();
        let values = (!values.is_empty()).then_some(values);
        storage.finish(trial.id, state, values, at).unwrap();
    }

    fn numbers(trials: &[Arc<FrozenTrial>]) -> Vec<u64> {
        trials.iter().map(|trial| trial.number).collect()
    }

    #[test]
    fn the_best_is_the_first_of_the_best_value_and_progress_is_counted_from_it() {
        let (storage, mut history) = made(&[StudyDirection::Maximize]);
        for value in [1.0, 3.0, 3.0, 2.0] {
            end(&storage, &history, TrialState::Complete, &[value]);
        }
        end(&storage, &history, TrialState::Fail, &[]);
        end(&storage, &history, TrialState::Pruned, &[9.0]);
        history.refresh(&storage).unwrap();
        assert_eq!(numbers(&history.best()), [1]);
        assert_eq!((history.results_count(), history.failed_count()), (5, 1));
        assert_eq!(history.results_without_progress(), 3);
    }

    #[test]
    fn the_pareto_front_drops_what_a_new_trial_dominates() {
        let (storage, mut history) = made(&[StudyDirection::Minimize, StudyDirection::Maximize]);
        for values in [[1.0, 1.0], [2.0, 2.0], [3.0, 1.5]] {
            end(&storage, &history, TrialState::Complete, &values);
        }
        history.refresh(&storage).unwrap();
        assert_eq!(numbers(&history.best()), [0, 1]);
        end(&storage, &history, TrialState::Complete, &[0.5, 1.5]);
        history.refresh(&storage).unwrap();
        assert_eq!(numbers(&history.best()), [1, 3]);
    }

    #[test]
    fn a_trial_that_ends_is_seen_once() {
        let (storage, mut history) = made(&[StudyDirection::Minimize]);
        let at = Timestamp::UNIX_EPOCH;
        let first = storage.create_trial(history.study.id, NewTrial::Running, at).unwrap();
        end(&storage, &history, TrialState::Complete, &[1.0]);
        history.refresh(&storage).unwrap();
        assert_eq!(history.finished(0).count(), 1);
        assert_eq!(history.unfinished().map(|trial| trial.number).collect::<Vec<_>>(), [0]);
        storage.finish(first.id, TrialState::Complete, Some(&[0.0]), at).unwrap();
        history.refresh(&storage).unwrap();
        history.refresh(&storage).unwrap();
        let seen: Vec<u64> = history.finished(1).map(|trial| trial.number).collect();
        assert_eq!(seen, [0]);
        assert_eq!(numbers(&history.best()), [0]);
    }
}
