//! Tuning: a study for each part, the best of all together, and one look at the hold-out.

mod choice;
mod job;
mod report;
mod run;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bist_lifecycle::study::StudyStorageError;
use bist_lifecycle::trial::configurations_count;
use bist_lifecycle::tuning::{HoldOut, HoldOutComparison, HoldOutError, TunedPart, looks_count};
use bist_lifecycle::{ModelVersion, Signed, TrainError, TrainingSpec, TrialPurpose};
use bist_store::{Registration, StoreError};
use jiff::SignedDuration;
use tokio::runtime::Handle;

use crate::progress::ProgressSink;
use crate::training::{TrainingError, run_training_until};
use crate::{App, Horizon, blocking};

pub use bist_lifecycle::tuning::{Part, UnknownPart};
pub use bist_store::StudyStorageSpec;
pub use choice::{PrunerChoice, SamplerChoice, UnknownChoice};
pub use job::{TRIALS_AT_ONCE, TuningOrder};
pub use report::{PartReport, TuningReport};

pub(crate) use job::{KnownObjective, TrialPart};

use run::{StudyRun, write_down};

/// What to tune, and for how long.
#[derive(Clone, Debug)]
pub struct TuningPlan {
    /// How far ahead the model looks.
    pub horizon: Horizon,
    /// The parts, in any order.
    pub parts: Vec<Part>,
    /// Trials of each part with a result, those of earlier runs included.
    pub trials_count: u64,
    /// How long each part may take from now; trials that run then are let finish.
    pub duration_max: Option<SignedDuration>,
    /// Trials of a part without a better one after which it ends.
    pub patience: Option<u64>,
    /// Who proposes configurations.
    pub sampler: SamplerChoice,
    /// Who ends trials early.
    pub pruner: PrunerChoice,
    /// Trials that run at once.
    pub workers: NonZeroUsize,
    /// The seed of everything random.
    pub seed: u64,
    /// The beginning of the studies' names; `None` for one that tells horizon and data.
    pub study: Option<String>,
    /// Where the studies are kept.
    pub storage: StudyStorageSpec,
}

/// Why there is no tuned model.
#[derive(Debug, thiserror::Error)]
pub enum TuningError {
    /// The bars do not support it.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// There is nothing to hold out.
    #[error(transparent)]
    HoldOut(#[from] HoldOutError),
    /// The place of the studies failed.
    #[error(transparent)]
    Study(#[from] StudyStorageError),
    /// A study that was made for something else.
    #[error(
        "the study '{study}' is of {theirs} and not of {ours}: give another name by --study, or \
         leave it out"
    )]
    OtherStudy {
        /// Its name.
        study: String,
        /// What it says.
        theirs: String,
        /// What it would have to say.
        ours: String,
    },
    /// A sampler that has one objective only.
    #[error("the sampler {sampler} has one objective, and the part {part} two: choose another")]
    OneObjective {
        /// The sampler.
        sampler: SamplerChoice,
        /// The part.
        part: Part,
    },
    /// A part that the models of the horizon do not have.
    #[error("models that look {} have no part '{part}'", horizon.in_words())]
    NoSuchPart {
        /// The part.
        part: Part,
        /// The horizon.
        horizon: Horizon,
    },
    /// Trials that all fail.
    #[error("the trials of {part} fail: {reason}")]
    TrialsFail {
        /// The part.
        part: Part,
        /// Why the last did.
        reason: String,
    },
    /// A part of a run failed.
    #[error("{0}")]
    PartFailed(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TrainError> for TuningError {
    fn from(error: TrainError) -> Self {
        Self::Training(error.into())
    }
}

impl App {
    /// Tunes the parts of `plan`, a study each, on what was known before the hold-out; then trains
    /// the best of all together and the configuration in force (the default where there is none),
    /// and compares them on the hold-out. The tuned model is kept as a candidate, and put in force
    /// if the rule says so ([`HoldOutComparison`]). There is no other way from here to there.
    ///
    /// Once `cancelled` is set, no trial begins, and nothing is compared, or the comparison ends; what
    /// was found so far is in the studies, and the same plan goes on from there.
    ///
    /// # Errors
    ///
    /// [`TuningError`]; the models in force stay what they were.
    pub async fn tune(
        &self,
        plan: TuningPlan,
        cancelled: Arc<AtomicBool>,
        progress: Arc<ProgressSink>,
    ) -> Result<TuningReport, TuningError> {
        self.check_audit().await?;
        let horizon = plan.horizon;
        let base = TrainingSpec::of(horizon, plan.seed);
        let parts = parts_of(&plan, &base)?;
        let admitted = self.admit(None, &[(horizon, base.features)], &*progress).await?;
        let hold_out = HoldOut::of(&admitted.panels[0])?;
        let run = StudyRun {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            runtime: Handle::current(),
            admitted: Arc::new(admitted),
            hold_out,
            plan,
            cancelled: Arc::clone(&cancelled),
            progress,
        };
        let (run, found) = blocking(move || {
            let found = run.find(&base, &parts)?;
            Ok::<_, TuningError>((run, found))
        })
        .await?;
        let mut report = TuningReport {
            horizon,
            origin: run.admitted.origin,
            snapshot_hash: run.admitted.snapshot_hash.clone(),
            hold_out,
            parts: found.parts,
            interrupted: cancelled.load(Ordering::Relaxed),
            comparison: None,
            model_version: None,
        };
        if report.interrupted {
            return Ok(report);
        }
        let storage = run.plan.storage.clone();
        let compared = self.compare_found(run, found.spec, found.tuned, "bist tune").await;
        if let Err(TuningError::Training(TrainingError::Train(TrainError::Cancelled))) = compared {
            report.interrupted = true;
            return Ok(report);
        }
        let Some((version, comparison)) = compared? else { return Ok(report) };
        let (store, runtime) = (self.store.clone(), Handle::current());
        let (told, parts) = (comparison.clone(), report.parts.clone());
        blocking(move || write_down(&*storage.open(&store, &runtime)?, &parts, &told)).await?;
        report.model_version = Some(version.id);
        report.comparison = Some(comparison);
        Ok(report)
    }

    /// Compares what the studies of `run` found with what is in force; `None` when that is the same.
    async fn compare_found(
        &self,
        run: StudyRun,
        tuned: TrainingSpec,
        parts: Vec<TunedPart>,
        by: &str,
    ) -> Result<Option<(ModelVersion, HoldOutComparison)>, TuningError> {
        let horizon = run.plan.horizon;
        let default = TrainingSpec::of(horizon, run.plan.seed);
        let champion = self.store.champion(horizon).await?;
        let current = champion.map(|champion| champion.lineage.spec);
        // Trees that learned elsewhere may know the hold-out, and are compared with nothing on it.
        let current = current.filter(|spec| spec.members.given.is_none());
        let current = current.unwrap_or_else(|| default.clone());
        if [&current, &default].contains(&&tuned) {
            return Ok(None);
        }
        self.compare(run, current, (tuned, parts), by).await.map(Some)
    }

    /// Trains both configurations to the end, compares them on the hold-out, and keeps the tuned
    /// one by the rule.
    async fn compare(
        &self,
        run: StudyRun,
        current: TrainingSpec,
        (tuned, parts): (TrainingSpec, Vec<TunedPart>),
        by: &str,
    ) -> Result<(ModelVersion, HoldOutComparison), TuningError> {
        let StudyRun { admitted, hold_out, plan, cancelled, progress, .. } = run;
        let specs = std::slice::from_ref(&tuned);
        let trials = self.record_trials(TrialPurpose::HoldOut, &admitted, specs).await?;
        let count = configurations_count(&trials, admitted.origin, plan.horizon);
        let looks_count = looks_count(&trials, admitted.origin, plan.horizon);
        let asked = [&current, &tuned].map(|spec| (spec.horizon, spec.features));
        let admitted = blocking(move || admitted.with_panels(&asked)).await;
        let runs = vec![(current, count), (tuned, count)];
        let (admitted, learned) = run_training_until(cancelled, admitted, runs, progress).await?;
        let (current, tuned) = (&learned[0], &learned[1]);
        let comparison = HoldOutComparison::of(
            hold_out,
            (&current.spec, &current.trained),
            (&tuned.spec, &tuned.trained),
            parts.iter().map(|part| part.trials_count).sum(),
            looks_count,
        );
        let trained_at = self.now();
        let version = admitted.version(tuned, parts, trained_at);
        let registration = match comparison.verdict.is_promoted() {
            true => Registration::Champions,
            false => Registration::Candidates,
        };
        let signed =
            Signed { at: trained_at, by: by.to_owned(), reason: comparison.sentence.en.clone() };
        self.store.save_snapshot(&admitted.snapshot_hash, &admitted.snapshot).await?;
        let mut kept =
            self.store.register(&[version], registration, &signed, &self.audit().await?).await?;
        Ok((kept.remove(0), comparison))
    }
}

/// The parts of `plan` in the order in which they are tuned.
fn parts_of(plan: &TuningPlan, base: &TrainingSpec) -> Result<Vec<Part>, TuningError> {
    let asked = Part::ALL.into_iter().filter(|part| plan.parts.contains(part));
    let all = plan.parts.len() == Part::ALL.len();
    let mut parts = Vec::new();
    for part in asked {
        if !part.is_in(base) {
            if all {
                continue;
            }
            return Err(TuningError::NoSuchPart { part, horizon: plan.horizon });
        }
        if part.objectives().len() > 1 && !plan.sampler.has_several_objectives() {
            return Err(TuningError::OneObjective { sampler: plan.sampler, part });
        }
        parts.push(part);
    }
    Ok(parts)
}
