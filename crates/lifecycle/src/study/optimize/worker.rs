//! What each worker does, trial after trial.

use core::time::Duration;
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::abandoned::{self, Retry};
use super::desk::Desk;
use super::{
    Heartbeat, ObjectiveFn, OptimizeSettings, Optimizer, StopReason, StudyProgress, Trial, TrialEnd,
};
use crate::sampler::Sampler;
use crate::study::storage::{NewTrial, StudyStorage, StudyStorageError};
use crate::study::{FrozenTrial, History, Param, TrialState};

/// How long a worker waits for trials of other processes before it looks again, without heartbeats.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What all workers of a run have.
struct Run<'a> {
    optimizer: &'a Surroundings<'a>,
    desk: Mutex<Desk>,
    /// Rung when a trial ended or the last worker left.
    bell: Condvar,
    began_at: Timestamp,
    objective: &'a ObjectiveFn<'a>,
    told: &'a (dyn Fn(&StudyProgress) + Sync),
}

/// What of an [`Optimizer`] stays outside of the lock.
struct Surroundings<'a> {
    storage: &'a dyn StudyStorage,
    study: &'a crate::study::StudyRecord,
    settings: OptimizeSettings,
    clock: &'a (dyn Fn() -> Timestamp + Sync),
    cancelled: &'a std::sync::atomic::AtomicBool,
}

impl Surroundings<'_> {
    /// Writes how a trial ended.
    fn end(
        &self,
        trial: &FrozenTrial,
        ended: Result<Vec<f64>, TrialEnd>,
    ) -> Result<(), StudyStorageError> {
        let Self { storage, study, clock, .. } = self;
        let now = clock();
        let fail =
            |reason: &str, retry| abandoned::fail(*storage, study.id, trial, reason, retry, now);
        match ended {
            Ok(values) => {
                match storage.finish(trial.id, TrialState::Complete, Some(&values), now) {
                    Err(error @ StudyStorageError::Values { .. }) => {
                        fail(&error.to_string(), Retry::Never)
                    }
                    written => written,
                }
            }
            Err(TrialEnd::Pruned) => {
                let last = trial.last_report().map(|(_, value)| [value]);
                let last = last.filter(|[value]| !value.is_nan() && study.directions.len() == 1);
                let values = last.as_ref().map(|values| &values[..]);
                storage.finish(trial.id, TrialState::Pruned, values, now)
            }
            Err(TrialEnd::Interrupted) => fail("interrupted", Retry::Again),
            Err(TrialEnd::Failed(reason)) => fail(&reason, Retry::Never),
            Err(TrialEnd::Storage(error @ StudyStorageError::Param { .. })) => {
                fail(&error.to_string(), Retry::Never)
            }
            Err(TrialEnd::Storage(error)) => Err(error),
        }
    }
}

pub(super) fn run(
    optimizer: Optimizer<'_>,
    objective: &ObjectiveFn<'_>,
    told: &(dyn Fn(&StudyProgress) + Sync),
) -> Result<StopReason, StudyStorageError> {
    let Optimizer { storage, study, sampler, pruner, settings, clock, cancelled } = optimizer;
    let mut history = History::new(study);
    history.refresh(storage)?;
    let began_at = clock();
    if let Some(heartbeat) = &settings.heartbeat {
        abandoned::complete_retries(storage, &history, heartbeat, began_at)?;
    }
    let workers_count = settings.workers.get();
    let desk = Desk::new(history, sampler, pruner, workers_count);
    let surroundings = Surroundings { storage, study, settings, clock, cancelled };
    let run = Run {
        optimizer: &surroundings,
        desk: Mutex::new(desk),
        bell: Condvar::new(),
        began_at,
        objective,
        told,
    };
    std::thread::scope(|scope| {
        if let Some(heartbeat) = &surroundings.settings.heartbeat {
            let run = &run;
            scope.spawn(move || run.keep_beating(heartbeat));
        }
        for _ in 1..workers_count {
            scope.spawn(|| run.work());
        }
        run.work();
    });
    let desk = run.desk.into_inner().unwrap_or_else(PoisonError::into_inner);
    desk.stopped.unwrap_or(Ok(StopReason::Cancelled))
}

/// Counts a worker out, also one that panics, so that nobody waits for it.
struct Leaving<'a>(&'a Run<'a>);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.desk().workers_count -= 1;
        self.0.bell.notify_all();
    }
}

/// What a worker does next.
enum Next {
    /// Runs a trial.
    Begin(Arc<FrozenTrial>, BTreeMap<String, Param>),
    /// Waits for trials that others run.
    Wait,
    /// Leaves.
    Leave,
}

impl Run<'_> {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let _leaving = Leaving(self);
        loop {
            let next = self.next().unwrap_or_else(|error| {
                self.desk().stop(Err(error));
                Next::Leave
            });
            match next {
                Next::Begin(trial, proposed) => self.run_trial(&trial, proposed),
                Next::Wait => {
                    let desk = self.desk();
                    let interval = self.optimizer.settings.heartbeat.map(|beat| beat.interval);
                    let wait = self.bell.wait_timeout(desk, interval.unwrap_or(LOOK_AGAIN));
                    drop(wait);
                }
                Next::Leave => return,
            }
        }
    }

    fn next(&self) -> Result<Next, StudyStorageError> {
        let Surroundings { storage, study, settings, clock, cancelled } = self.optimizer;
        let mut desk = self.desk();
        let now = clock();
        desk.history.refresh(*storage)?;
        if let Some(heartbeat) = &settings.heartbeat {
            let held: BTreeSet<u64> = desk.held.keys().copied().collect();
            abandoned::collect(*storage, &desk.history, heartbeat, &held, now)?;
            desk.history.refresh(*storage)?;
        }
        if cancelled.load(Ordering::Relaxed) {
            desk.stop(Ok(StopReason::Cancelled));
        } else if let Some(reason) = self.stop_reason(&mut desk, now) {
            desk.stop(Ok(reason));
        }
        if desk.stopped.is_some() {
            return Ok(Next::Leave);
        }
        if self.is_filled(&desk, now) {
            return Ok(Next::Wait);
        }
        let waiting = desk.history.unfinished().any(|trial| trial.state == TrialState::Waiting);
        let claimed = if waiting { storage.claim_waiting(study.id, now)? } else { None };
        let trial = match claimed {
            Some(trial) => trial,
            None => storage.create_trial(study.id, NewTrial::Running, now)?,
        };
        desk.held.insert(trial.number, Arc::clone(&trial));
        if settings.heartbeat.is_some() {
            abandoned::renew(*storage, &trial, now)?;
        }
        let Desk { history, sampler, .. } = &mut *desk;
        let proposal = sampler.propose(history, &trial);
        // Under the lock, so that the next worker sees them.
        for (key, value) in &proposal.system_attrs {
            storage.set_trial_system_attr(trial.id, key, value)?;
        }
        Ok(Next::Begin(trial, proposal.params))
    }

    fn stop_reason(&self, desk: &mut Desk, now: Timestamp) -> Option<StopReason> {
        let settings = &self.optimizer.settings;
        let Desk { history, sampler, .. } = desk;
        if settings.duration_max.is_some_and(|most| now.duration_since(self.began_at) >= most) {
            return Some(StopReason::Duration);
        }
        is_over(settings, history, &mut **sampler)
    }

    /// Whether the trials that run will, if all give a result, be the last that are asked for.
    fn is_filled(&self, desk: &Desk, now: Timestamp) -> bool {
        let Some(most) = self.optimizer.settings.results_max else { return false };
        let heartbeat = &self.optimizer.settings.heartbeat;
        let is_expected = |trial: &&Arc<FrozenTrial>| {
            let is_held = heartbeat.is_some_and(|beat| abandoned::is_held(trial, &beat, now));
            trial.state == TrialState::Running && (desk.held.contains_key(&trial.number) || is_held)
        };
        let expected = desk.history.unfinished().filter(is_expected).count() as u64;
        desk.history.results_count() + expected >= most
    }

    fn run_trial(&self, begun: &Arc<FrozenTrial>, proposed: BTreeMap<String, Param>) {
        let Surroundings { storage, cancelled, .. } = self.optimizer;
        let mut trial = Trial::new(*storage, &self.desk, cancelled, begun, proposed);
        let ended = ended(self.objective, &mut trial);
        let result = self.optimizer.end(trial.frozen(), ended);
        let progress = self.settle(begun.number, result);
        self.bell.notify_all();
        if let Some(progress) = progress {
            (self.told)(&progress);
        }
    }

    /// Puts a trial of this process away; where the study is after it.
    fn settle(&self, number: u64, written: Result<(), StudyStorageError>) -> Option<StudyProgress> {
        let mut desk = self.desk();
        desk.held.remove(&number);
        match written {
            // Another process believed that we were dead: the trial is no longer ours.
            Ok(()) | Err(StudyStorageError::Finished { .. }) => {}
            Err(error) => {
                desk.stop(Err(error));
                return None;
            }
        }
        if let Err(error) = desk.history.refresh(self.optimizer.storage) {
            desk.stop(Err(error));
            return None;
        }
        let trial = Arc::clone(desk.history.trial(number)?);
        self.count_failures(&mut desk, &trial);
        let history = &desk.history;
        Some(StudyProgress {
            results_count: history.results_count(),
            pruned_count: history.pruned_count(),
            failed_count: history.failed_count(),
            best: history.best(),
            trial,
        })
    }

    fn count_failures(&self, desk: &mut Desk, trial: &FrozenTrial) {
        if trial.state != TrialState::Fail {
            desk.failures_count = 0;
            return;
        }
        desk.failures_count += 1;
        if desk.failures_count >= self.optimizer.settings.failures_max {
            let reason = trial.system_attrs.get(super::FAIL_REASON);
            let reason = reason.and_then(|reason| reason.as_str()).unwrap_or_default().to_owned();
            desk.stop(Ok(StopReason::Failures { reason }));
        }
    }

    /// Renews the heartbeats of all trials of this process until the last worker has left.
    fn keep_beating(&self, heartbeat: &Heartbeat) {
        let mut desk = self.desk();
        let mut beat_at = (self.optimizer.clock)();
        while desk.workers_count > 0 {
            let waited = self.bell.wait_timeout(desk, heartbeat.interval);
            desk = waited.unwrap_or_else(PoisonError::into_inner).0;
            let now = (self.optimizer.clock)();
            if now.duration_since(beat_at).unsigned_abs() < heartbeat.interval {
                continue;
            }
            beat_at = now;
            let held: Vec<Arc<FrozenTrial>> = desk.held.values().cloned().collect();
            drop(desk);
            let renewed = held.iter().try_for_each(|trial| {
                match abandoned::renew(self.optimizer.storage, trial, now) {
                    Err(StudyStorageError::Finished { .. }) => Ok(()),
                    other => other,
                }
            });
            desk = self.desk();
            if let Err(error) = renewed {
                desk.stop(Err(error));
            }
        }
    }
}

/// Why no further trial begins, as far as the trials themselves tell.
pub(super) fn is_over(
    settings: &OptimizeSettings,
    history: &History,
    sampler: &mut dyn Sampler,
) -> Option<StopReason> {
    let reached = |count: u64, most: Option<u64>| most.is_some_and(|most| count >= most);
    if reached(history.results_count(), settings.results_max) {
        return Some(StopReason::Results);
    }
    if reached(history.results_without_progress(), settings.patience) {
        return Some(StopReason::NoProgress);
    }
    let is_waiting = history.unfinished().any(|trial| trial.state == TrialState::Waiting);
    (!is_waiting && sampler.is_exhausted(history)).then_some(StopReason::Exhausted)
}

/// Runs one trial of a round: by what is in `history`, whatever happens meanwhile. One that is
/// interrupted stays as it is, for whoever runs it again.
pub(super) fn run_one(
    optimizer: Optimizer<'_>,
    history: History,
    begun: &Arc<FrozenTrial>,
    proposed: BTreeMap<String, Param>,
    objective: &ObjectiveFn<'_>,
) -> Result<(), StudyStorageError> {
    let Optimizer { storage, study, sampler, pruner, settings, clock, cancelled } = optimizer;
    let desk = Desk { is_of_round: true, ..Desk::new(history, sampler, pruner, 1) };
    let surroundings = Surroundings { storage, study, settings, clock, cancelled };
    let desk = Mutex::new(desk);
    let mut trial = Trial::new(storage, &desk, cancelled, begun, proposed);
    match ended(objective, &mut trial) {
        Err(TrialEnd::Interrupted) => Ok(()),
        ended => match surroundings.end(trial.frozen(), ended) {
            // Somebody else was quicker, with the same.
            Err(StudyStorageError::Finished { .. }) => Ok(()),
            written => written,
        },
    }
}

/// What the objective gives; what a panic of it leaves behind is dropped with the trial.
fn ended(objective: &ObjectiveFn<'_>, trial: &mut Trial<'_>) -> Result<Vec<f64>, TrialEnd> {
    catch_unwind(AssertUnwindSafe(|| objective(trial)))
        .unwrap_or_else(|panic| Err(TrialEnd::Failed(panic_message(panic.as_ref()))))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_else(|| "without a message".to_owned()))
}
