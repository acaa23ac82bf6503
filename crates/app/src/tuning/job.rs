//! Tuning as a job: its studies go on in rounds, whose trials any process runs.
//!
//! How many trials a round has is put down with the order, so that what comes out does not depend on
//! how many processes there are.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use bist_lifecycle::study::{Round, RoundTrial, StopReason, TrialState};
use bist_lifecycle::tuning::{HoldOut, HoldOutComparison, Objective, Part};
use bist_lifecycle::{TrainError, TrainingSpec};
use bist_store::{ClaimedJob, JobRun, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::run::{Found, StudyRun, write_down};
use super::{
    PartReport, PrunerChoice, SamplerChoice, StudyStorageSpec, TuningError, TuningPlan, parts_of,
};
use crate::jobs::{Attended, Of, PartPlan, PartsError, StageDone, StageError, plan_of};
use crate::progress::ProgressSink;
use crate::retraining::SEED_DEFAULT;
use crate::training::{LessonBars, PanelPlace};
use crate::{App, HORIZON_DEFAULT, Horizon, blocking};

/// Trials of a round unless another number is asked for.
pub const TRIALS_AT_ONCE: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// Trials of a part unless another number is asked for.
const TRIALS_DEFAULT: u64 = 30;

const PREPARE: &str = "prepare";
const COMPARE: &str = "compare";

/// What a tuning is to do, put down before it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TuningOrder {
    /// How far ahead the model looks.
    pub horizon: Horizon,
    /// What is tuned, in any order.
    pub parts: Vec<Part>,
    /// Trials of each part with a result.
    pub trials_count: u64,
    /// Trials of a round.
    pub at_once: NonZeroUsize,
    /// Who proposes configurations.
    pub sampler: SamplerChoice,
    /// Who ends trials early.
    pub pruner: PrunerChoice,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for TuningOrder {
    /// All parts for the horizon that is asked about most.
    fn default() -> Self {
        Self {
            horizon: HORIZON_DEFAULT,
            parts: Part::ALL.to_vec(),
            trials_count: TRIALS_DEFAULT,
            at_once: TRIALS_AT_ONCE,
            sampler: SamplerChoice::default(),
            pruner: PrunerChoice::default(),
            seed: SEED_DEFAULT,
        }
    }
}

impl TuningOrder {
    /// The parts that models of the horizon have, in the order in which they are tuned.
    ///
    /// # Errors
    ///
    /// [`TuningError::NoSuchPart`] and [`TuningError::OneObjective`].
    pub fn check(&self) -> Result<Vec<Part>, TuningError> {
        parts_of(&self.plan(0), &self.base())
    }

    fn base(&self) -> TrainingSpec {
        TrainingSpec::of(self.horizon, self.seed)
    }

    /// The same as a plan, of the run `id`.
    fn plan(&self, id: i64) -> TuningPlan {
        TuningPlan {
            horizon: self.horizon,
            parts: self.parts.clone(),
            trials_count: self.trials_count,
            duration_max: None,
            patience: None,
            sampler: self.sampler,
            pruner: self.pruner,
            workers: self.at_once,
            seed: self.seed,
            study: Some(format!("tuning-{id}")),
            storage: StudyStorageSpec::default(),
        }
    }
}

/// What a part of a tuning is to do: one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrialPart {
    order: TuningOrder,
    /// The run of the tuning.
    run: i64,
    bars: LessonBars,
    part: Part,
    /// What the study began from.
    base: TrainingSpec,
    trial: RoundTrial,
}

/// What the comparison keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptComparison {
    model_version: Option<String>,
    comparison: Option<HoldOutComparison>,
}

/// What judges the trials that this process runs: preparing it may take longer than a trial.
#[derive(Debug, Default)]
pub(crate) struct KnownObjective(Mutex<Option<(ObjectiveKey, Arc<Objective<'static>>)>>);

type ObjectiveKey = (String, Part, TrainingSpec);

impl KnownObjective {
    /// Forgets it.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn of(&self, run: &StudyRun, part: &TrialPart) -> Result<Arc<Objective<'static>>, TuningError> {
        let key = (part.bars.snapshot_hash.clone(), part.part, part.base.clone());
        // Whoever comes meanwhile waits for it.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, objective)) = known.as_ref()
            && *known == key
        {
            return Ok(Arc::clone(objective));
        }
        let objective = Arc::new(run.objective(part.part, &part.base)?);
        *known = Some((key, Arc::clone(&objective)));
        Ok(objective)
    }
}

impl App {
    /// Does the tuning `run`, and notes what became of it.
    pub(crate) async fn do_tuning(
        &self,
        run: ClaimedJob,
        progress: Arc<ProgressSink>,
    ) -> Result<JobRun, StoreError> {
        let order: TuningOrder = plan_of(&run.plan)?;
        let tuned = order.check().unwrap_or_default();
        let stages = tuned.iter().map(|part| tune_stage(*part));
        let stages = [PREPARE.to_owned()].into_iter().chain(stages).chain([COMPARE.to_owned()]);
        let attended = self.attend(run, stages.collect(), progress).await?;
        let outcome = attended.watch(Box::pin(self.tune_by(&attended, &order))).await;
        attended.finish(outcome).await
    }

    async fn tune_by(&self, run: &Attended<'_>, order: &TuningOrder) -> Result<String, StageError> {
        let id = run.run().id;
        let known: Option<LessonBars> = run.found(PREPARE).await?;
        let mut prepared = None;
        let kept = &mut prepared;
        let bars = run
            .stage_again(PREPARE, |progress| async move {
                self.check_audit().await.map_err(TuningError::from)?;
                let (place, bars) = self.bars_of(order, known, &*progress).await?;
                let hold_out = HoldOut::of(&place.admitted.panels[place.index])?;
                let told = format!(
                    "{} sessions before {}, and {} from then on that no trial sees",
                    hold_out.tuning_sessions_count, hold_out.from, hold_out.sessions_count
                );
                *kept = Some((place, hold_out, order.check()?));
                Ok::<_, TuningError>(StageDone { result: bars, told })
            })
            .await?;
        let (place, hold_out, parts) = prepared.expect("the stage has prepared it");
        let studies = Arc::new(self.study_run(order, id, place, hold_out, run));
        let base = order.base();
        let mut found = Found::new(&base);
        for part in parts {
            let of_part = found.base_of(part, &base);
            let trial = TrialPart {
                order: order.clone(),
                run: id,
                bars: bars.clone(),
                part,
                base: of_part,
                // Of each trial its own.
                trial: RoundTrial { number: 0, known_count: 0, proposed: Default::default() },
            };
            let name = tune_stage(part);
            let mut report = None;
            run.stage_again(&name, |_| async {
                let of_part = Box::pin(self.run_rounds(run, &studies, &trial)).await?;
                let told = told_of(&of_part);
                let result = json!(of_part);
                report = Some(of_part);
                Ok::<_, TuningError>(StageDone { result, told })
            })
            .await?;
            let report = report.expect("the stage has made it");
            found
                .take(report)
                .map_err(|source| StageError::Failed { stage: name, source: source.into() })?;
        }
        let studies = Arc::into_inner(studies).expect("nobody else goes on with them");
        let by = format!("tuning run {id}");
        let compared: KeptComparison = run
            .stage(COMPARE, |progress| async {
                let studies = StudyRun { progress, ..studies };
                let storage = studies.plan.storage.clone();
                let compared =
                    Box::pin(self.compare_found(studies, found.spec, found.tuned, &by)).await?;
                let Some((version, comparison)) = compared else {
                    let told = "nothing better was found than what is in force; the hold-out was \
                                not looked at";
                    let result = KeptComparison { model_version: None, comparison: None };
                    return Ok(StageDone { result, told: told.to_owned() });
                };
                let (store, runtime) = (self.store.clone(), Handle::current());
                let (of_studies, parts) = (comparison.clone(), found.parts);
                blocking(move || {
                    write_down(&*storage.open(&store, &runtime)?, &parts, &of_studies)
                })
                .await?;
                self.live.stir();
                let told = format!("{}: {}", version.id, comparison.sentence.en);
                let result = KeptComparison {
                    model_version: Some(version.id),
                    comparison: Some(comparison),
                };
                Ok::<_, TuningError>(StageDone { result, told })
            })
            .await?;
        Ok(outcome(&compared))
    }

    /// The bars that are tuned on: those of an earlier attempt, or those that there are now.
    async fn bars_of(
        &self,
        order: &TuningOrder,
        known: Option<LessonBars>,
        progress: &ProgressSink,
    ) -> Result<(PanelPlace, LessonBars), TuningError> {
        let asked = (order.horizon, order.base().features);
        if let Some(bars) = known {
            return Ok((self.lesson(&bars, asked, progress).await?, bars));
        }
        let admitted = Arc::new(self.admit(None, &[asked], progress).await?);
        self.store.save_snapshot(&admitted.snapshot_hash, &admitted.snapshot).await?;
        let snapshot_hash = admitted.snapshot_hash.clone();
        let place = PanelPlace { admitted, index: 0 };
        self.know_lesson(asked, place.clone());
        Ok((place, LessonBars { snapshot_hash, admitted_at: self.now() }))
    }

    fn study_run(
        &self,
        order: &TuningOrder,
        id: i64,
        place: PanelPlace,
        hold_out: HoldOut,
        run: &Attended<'_>,
    ) -> StudyRun {
        StudyRun {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            runtime: Handle::current(),
            admitted: place.admitted,
            hold_out,
            plan: order.plan(id),
            cancelled: run.cancelled(),
            progress: Arc::new(|_| ()),
        }
    }

    /// Goes on with a study, round after round, until a rule ends it.
    async fn run_rounds(
        &self,
        run: &Attended<'_>,
        studies: &Arc<StudyRun>,
        of_study: &TrialPart,
    ) -> Result<PartReport, TuningError> {
        let (part, base) = (of_study.part, of_study.base.clone());
        let stage = tune_stage(part);
        let total = usize::try_from(of_study.order.trials_count).unwrap_or(usize::MAX);
        let mut begun = self.round_under_way(run, of_study).await?;
        loop {
            let round = match begun.take() {
                Some(trials) => Round::Trials(trials),
                None => begin_round(studies, part, &base).await?,
            };
            let trials = match round {
                Round::Trials(trials) => trials,
                Round::Ended(reason) => return report(studies, part, base, reason).await,
            };
            let done = trials.first().map_or(0, |trial| trial.known_count);
            let done = usize::try_from(done).unwrap_or(usize::MAX);
            let parts: Vec<(String, PartPlan)> = trials
                .into_iter()
                .map(|trial| {
                    let title = format!("{part} trial {}", trial.number);
                    (title, PartPlan::Trial(Box::new(TrialPart { trial, ..of_study.clone() })))
                })
                .collect();
            run.spread::<Value>(&stage, &parts, Of { done, total }).await.map_err(of_parts)?;
        }
    }

    /// The newest round of a study of which trials are being run, or were when the process that did
    /// the run died.
    async fn round_under_way(
        &self,
        run: &Attended<'_>,
        of_study: &TrialPart,
    ) -> Result<Option<Vec<RoundTrial>>, TuningError> {
        let mut round: Vec<RoundTrial> = Vec::new();
        let mut is_over = true;
        for held in run.all_parts().await? {
            let Ok(PartPlan::Trial(held_plan)) = plan_of(&held.run.plan) else { continue };
            if held_plan.part != of_study.part {
                continue;
            }
            let trial = held_plan.trial;
            if round.first().is_some_and(|first| first.known_count != trial.known_count) {
                round.clear();
                is_over = true;
            }
            is_over &= held.run.state == bist_store::JobState::Done;
            round.push(trial);
        }
        Ok((!is_over).then_some(round))
    }

    /// Runs one trial of a tuning.
    pub(crate) async fn trial_part(
        &self,
        part: &Attended<'_>,
        plan: TrialPart,
        progress: Arc<ProgressSink>,
    ) -> Result<StageDone<Value>, TuningError> {
        let order = &plan.order;
        let asked = (order.horizon, order.base().features);
        let place = self.lesson(&plan.bars, asked, &*progress).await?;
        let hold_out = HoldOut::of(&place.admitted.panels[place.index])?;
        let studies = self.study_run(order, plan.run, place, hold_out, part);
        let known = Arc::clone(&self.known_objective);
        let trial = blocking(move || {
            let objective = known.of(&studies, &plan)?;
            let storage = studies.plan.storage.open(&studies.store, &studies.runtime)?;
            let study = studies.study(plan.part, &plan.base, &*storage)?;
            let clock = || studies.clock.now();
            let optimizer = studies.optimizer(plan.part, &*storage, &study, &clock);
            let judge = |trial: &mut bist_lifecycle::study::Trial<'_>| {
                objective.run(trial, &|spec| studies.look(spec))
            };
            Ok::<_, TuningError>(optimizer.run_in_round(&plan.trial, &judge)?)
        })
        .await?;
        let value = trial.values.as_ref().and_then(|values| values.first());
        let value = value.map_or_else(String::new, |value| format!(", {value:.4}"));
        let told = match trial.state {
            TrialState::Complete => format!("complete{value}"),
            TrialState::Pruned => format!("ended early{value}"),
            TrialState::Fail => "failed".to_owned(),
            // It was interrupted.
            TrialState::Running | TrialState::Waiting => return Err(TrainError::Cancelled.into()),
        };
        Ok(StageDone { result: json!({ "number": trial.number }), told })
    }
}

fn tune_stage(part: Part) -> String {
    format!("tune {part}")
}

async fn begin_round(
    studies: &Arc<StudyRun>,
    part: Part,
    base: &TrainingSpec,
) -> Result<Round, TuningError> {
    let (studies, base) = (Arc::clone(studies), base.clone());
    blocking(move || {
        let storage = studies.plan.storage.open(&studies.store, &studies.runtime)?;
        let study = studies.study(part, &base, &*storage)?;
        let clock = || studies.clock.now();
        Ok(studies.optimizer(part, &*storage, &study, &clock).begin_round()?)
    })
    .await
}

async fn report(
    studies: &Arc<StudyRun>,
    part: Part,
    base: TrainingSpec,
    reason: StopReason,
) -> Result<PartReport, TuningError> {
    let studies = Arc::clone(studies);
    blocking(move || {
        let storage = studies.plan.storage.open(&studies.store, &studies.runtime)?;
        let study = studies.study(part, &base, &*storage)?;
        studies.report(part, &base, &study, &*storage, reason)
    })
    .await
}

/// Why trials gave nothing.
fn of_parts(error: PartsError) -> TuningError {
    match error {
        PartsError::Store(error) => TuningError::Store(error),
        PartsError::Cancelled => TrainError::Cancelled.into(),
        PartsError::Failed(reason) => TuningError::PartFailed(reason),
    }
}

/// What a study found, in one sentence.
fn told_of(report: &PartReport) -> String {
    let counts = format!(
        "{} complete, {} ended early, {} failed",
        report.complete_count, report.pruned_count, report.failed_count
    );
    match &report.best {
        None => counts,
        Some(best) if best.is_base => format!("{counts}; best is what was so before"),
        Some(best) => format!("{counts}; best is trial {}", best.number),
    }
}

/// What came of a run, in one sentence.
fn outcome(compared: &KeptComparison) -> String {
    match (&compared.model_version, &compared.comparison) {
        (Some(id), Some(comparison)) if comparison.verdict.is_promoted() => {
            format!("{id} is in force: {}", comparison.sentence.en)
        }
        (Some(id), Some(comparison)) => {
            format!("{id} is a candidate, and the model in force stays: {}", comparison.sentence.en)
        }
        _ => "nothing better was found than what is in force".to_owned(),
    }
}
