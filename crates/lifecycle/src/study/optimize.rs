//! The loop of a study: workers that take trials, run the objective and tell what came of it.
//!
//! Several workers of one process share one [`History`](crate::study::History), one sampler and one pruner; several
//! processes share the storage. Trials that wait are run first. A trial that fails keeps its reason
//! and is no result. A worker that holds a trial renews its heartbeat; if the process dies, whoever
//! works on the study later finds the heartbeat old, marks the trial failed and enqueues its
//! parameters once more, so that nothing is lost and nothing counted twice.

mod abandoned;
mod desk;
mod handle;
mod round;
mod worker;

use core::time::Duration;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

pub use handle::Trial;
pub use round::{Round, RoundTrial};

pub(super) use abandoned::beat_at;

use crate::pruner::Pruner;
use crate::sampler::Sampler;
use crate::search_space::ParamValue;
use crate::study::FrozenTrial;
use crate::study::storage::{NewTrial, StudyId, StudyRecord, StudyStorage, StudyStorageError};

/// The system attribute under which a trial waits with its parameters, as in Optuna.
const FIXED_PARAMS: &str = "fixed_params";

/// The system attribute that tells why a trial failed.
pub const FAIL_REASON: &str = "bist:fail_reason";

/// What runs a study.
pub struct Optimizer<'a> {
    /// Where the study is kept.
    pub storage: &'a dyn StudyStorage,
    /// The study.
    pub study: &'a StudyRecord,
    /// Who proposes parameters.
    pub sampler: Box<dyn Sampler>,
    /// Who stops trials early.
    pub pruner: Box<dyn Pruner>,
    /// How many workers, and when they stop.
    pub settings: OptimizeSettings,
    /// What time it is.
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
    /// Set from outside when no new trial is to begin, and objectives that ask are to give up.
    pub cancelled: &'a AtomicBool,
}

/// How many workers a study has here, and when they stop.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizeSettings {
    /// Trials that run at once, each on a thread.
    pub workers: NonZeroUsize,
    /// Complete and pruned trials of the whole study, those of earlier runs included.
    pub results_max: Option<u64>,
    /// Time from the beginning of this run after which no trial begins.
    pub duration_max: Option<SignedDuration>,
    /// Results without a better one after which no trial begins; with several objectives, without
    /// one that joins the Pareto front.
    pub patience: Option<u64>,
    /// Failures in a row, of this process, that end the run.
    pub failures_max: u64,
    /// How workers of other processes know that a trial is still held; `None` for a storage that no
    /// other process works on.
    pub heartbeat: Option<Heartbeat>,
}

impl Default for OptimizeSettings {
    /// One worker that goes on until it is cancelled or 20 trials in a row fail.
    fn default() -> Self {
        Self {
            workers: NonZeroUsize::MIN,
            results_max: None,
            duration_max: None,
            patience: None,
            failures_max: 20,
            heartbeat: None,
        }
    }
}

/// How workers of several processes know of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// How often a running trial's heartbeat is renewed.
    pub interval: Duration,
    /// The age of a heartbeat after which its process counts as dead; several intervals.
    pub grace: Duration,
    /// How often a trial that was abandoned is begun again.
    pub retries_max: usize,
}

impl Default for Heartbeat {
    /// Renewed each 10 seconds, dead after 60, begun again once.
    fn default() -> Self {
        Self { interval: Duration::from_secs(10), grace: Duration::from_mins(1), retries_max: 1 }
    }
}

/// Why no further trial begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// The study has as many results as were asked for.
    Results,
    /// The time is over.
    Duration,
    /// Too many results brought nothing better.
    NoProgress,
    /// The sampler has nothing left to try.
    Exhausted,
    /// Too many trials failed in a row.
    Failures {
        /// Why the last of them did.
        reason: String,
    },
    /// It was cancelled from outside.
    Cancelled,
}

/// Where a study is after a trial.
#[derive(Clone, Debug)]
pub struct StudyProgress {
    /// The trial that finished.
    pub trial: Arc<FrozenTrial>,
    /// Complete and pruned trials.
    pub results_count: u64,
    /// Pruned trials.
    pub pruned_count: u64,
    /// Failed trials.
    pub failed_count: u64,
    /// The best trial, or the Pareto front.
    pub best: Vec<Arc<FrozenTrial>>,
}

/// How an objective ends a trial without values.
#[derive(Debug)]
pub enum TrialEnd {
    /// The pruner said so.
    Pruned,
    /// The run was cancelled: the trial is no result, and its parameters are enqueued once more.
    Interrupted,
    /// It cannot be evaluated, for this reason.
    Failed(String),
    /// The storage failed; the run ends.
    Storage(StudyStorageError),
}

impl From<StudyStorageError> for TrialEnd {
    fn from(error: StudyStorageError) -> Self {
        Self::Storage(error)
    }
}

/// What is optimised: asks the trial for its parameters and gives a value for each objective.
pub type ObjectiveFn<'a> = dyn Fn(&mut Trial<'_>) -> Result<Vec<f64>, TrialEnd> + Sync + 'a;

impl Optimizer<'_> {
    /// Runs trials until a rule or the caller stops it; trials that run then are let finish. `told`
    /// hears of each trial that finished here.
    ///
    /// With one worker the study follows from the seed of the sampler: one that was interrupted
    /// between trials and is continued is the same as one that was not.
    ///
    /// # Errors
    ///
    /// The storage's. Trials that run then are let finish as well as the storage allows.
    pub fn run(
        self,
        objective: &ObjectiveFn<'_>,
        told: &(dyn Fn(&StudyProgress) + Sync),
    ) -> Result<StopReason, StudyStorageError> {
        worker::run(self, objective, told)
    }
}

impl fmt::Debug for Optimizer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Optimizer")
            .field("study", &self.study.name)
            .field("sampler", &self.sampler)
            .field("pruner", &self.pruner)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Puts a trial with these parameters in line; those that it does not name are sampled.
///
/// # Errors
///
/// The storage's.
pub fn enqueue(
    storage: &dyn StudyStorage,
    study: StudyId,
    params: &BTreeMap<String, ParamValue>,
    at: Timestamp,
) -> Result<Arc<FrozenTrial>, StudyStorageError> {
    let system_attrs = BTreeMap::from([(FIXED_PARAMS.to_owned(), fixed_params(params))]);
    storage.create_trial(study, NewTrial::Waiting { system_attrs, user_attrs: BTreeMap::new() }, at)
}

fn fixed_params(params: &BTreeMap<String, ParamValue>) -> Value {
    let json = |value| serde_json::to_value(value).expect("parameters are plain data");
    params.iter().map(|(name, value)| (name.clone(), json(value))).collect::<Map<_, _>>().into()
}
