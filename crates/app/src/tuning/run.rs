//! The studies of one run: found or made, gone on with, and read for their best.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bist_lifecycle::study::overview::{
    DEFLATED, HOLD_OUT, HORIZON, METRIC_NAMES, ORIGIN, PART, SNAPSHOT_HASH,
};
use bist_lifecycle::study::{
    FrozenTrial, Heartbeat, History, OptimizeSettings, Optimizer, StopReason, StudyDirection,
    StudyProgress, StudyRecord, StudyStorage, StudyStorageError, TrialEnd, TrialState, enqueue,
};
use bist_lifecycle::trial::spec_sha256;
use bist_lifecycle::tuning::{
    DeflatedScore, HoldOut, HoldOutComparison, Objective, Part, STANDARD_ERROR_ATTR, SpaceError,
    TunedPart, spec_of, values_of,
};
use bist_lifecycle::{TrainingSpec, Trial, TrialPurpose};
use bist_market::Clock;
use bist_models::FeatureSpec;
use bist_store::Store;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::report::{BestTrial, PartReport};
use super::{TuningError, TuningPlan};
use crate::progress::{Progress, ProgressSink};
use crate::training::{Admitted, CODE_VERSION};

/// The user attribute of a study with the fingerprint of the configuration that it began from.
const BASE: &str = "bist:base_sha256";

/// Short, so that a run that follows one that was killed soon takes over what that had begun.
const HEARTBEAT: Heartbeat =
    Heartbeat { interval: Duration::from_secs(2), grace: Duration::from_secs(20), retries_max: 1 };

/// Hexadecimal digits that name what a study is of.
const NAME_DIGITS: usize = 8;

/// Everything that the studies of one run share. Its methods wait for the database, and are called
/// from threads that may.
pub(super) struct StudyRun {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) runtime: Handle,
    pub(super) admitted: Arc<Admitted>,
    pub(super) hold_out: HoldOut,
    pub(super) plan: TuningPlan,
    pub(super) cancelled: Arc<AtomicBool>,
    pub(super) progress: Arc<ProgressSink>,
}

/// What the studies found.
pub(super) struct Found {
    /// The best of all parts together.
    pub(super) spec: TrainingSpec,
    /// Where that came from.
    pub(super) tuned: Vec<TunedPart>,
    pub(super) parts: Vec<PartReport>,
}

impl Found {
    /// Nothing yet, from `base` on.
    pub(super) fn new(base: &TrainingSpec) -> Self {
        Self { spec: base.clone(), tuned: Vec::new(), parts: Vec::new() }
    }

    /// What a study of `part` is to begin from.
    pub(super) fn base_of(&self, part: Part, base: &TrainingSpec) -> TrainingSpec {
        if part.builds_on_others() { self.spec.clone() } else { base.clone() }
    }

    /// Takes the best of a study.
    pub(super) fn take(&mut self, report: PartReport) -> Result<(), TuningError> {
        let part = report.part;
        if let Some(best) = &report.best {
            let spec = spec_of::<SpaceError>(part, &self.spec, &mut |name, _| {
                let value = best.params.get(name).cloned();
                value.ok_or_else(|| SpaceError::Missing(name.to_owned()))
            });
            self.spec =
                spec.map_err(|error| TuningError::TrialsFail { part, reason: error.to_string() })?;
            self.tuned.push(TunedPart {
                part,
                study: report.study.clone(),
                trial_number: best.number,
                trials_count: report.complete_count + report.pruned_count,
            });
        }
        self.parts.push(report);
        Ok(())
    }
}

impl StudyRun {
    /// Runs the studies of `parts`, one after the other.
    pub(super) fn find(&self, base: &TrainingSpec, parts: &[Part]) -> Result<Found, TuningError> {
        let storage = self.plan.storage.open(&self.store, &self.runtime)?;
        let mut found = Found::new(base);
        for &part in parts {
            let of_part = found.base_of(part, base);
            let report = self.tune_part(part, &of_part, &*storage)?;
            found.take(report)?;
            if self.cancelled.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok(found)
    }

    /// Goes on with the study of `part`, or begins it, until a rule ends it.
    fn tune_part(
        &self,
        part: Part,
        base: &TrainingSpec,
        storage: &dyn StudyStorage,
    ) -> Result<PartReport, TuningError> {
        let stage = format!("tuning {part}");
        let total = self.plan.trials_count;
        let tell = |words: &str, done: u64| {
            (self.progress)(Progress { stage: &stage, part: words, done: done.min(total), total });
        };
        tell("preparing", 0);
        let study = self.study(part, base, storage)?;
        let objective = self.objective(part, base)?;
        let clock = || self.clock.now();
        let optimizer = self.optimizer(part, storage, &study, &clock);
        let told = |now: &StudyProgress| tell(&in_words(now), now.results_count);
        let stopped =
            optimizer.run(&|trial| objective.run(trial, &|spec| self.look(spec)), &told)?;
        self.report(part, base, &study, storage, stopped)
    }

    /// What judges the configurations of `part`.
    pub(super) fn objective(
        &self,
        part: Part,
        base: &TrainingSpec,
    ) -> Result<Objective<'static>, TuningError> {
        let (admitted, horizon) = (Arc::clone(&self.admitted), self.plan.horizon);
        let panel_of = move |features: FeatureSpec| admitted.panel_of(horizon, features);
        Ok(Objective::prepare(part, base.clone(), self.hold_out, Box::new(panel_of))?)
    }

    /// What goes on with the study of `part`.
    pub(super) fn optimizer<'a>(
        &'a self,
        part: Part,
        storage: &'a dyn StudyStorage,
        study: &'a StudyRecord,
        clock: &'a (dyn Fn() -> Timestamp + Sync),
    ) -> Optimizer<'a> {
        Optimizer {
            storage,
            study,
            sampler: self.plan.sampler.sampler(part, self.plan.seed),
            pruner: self.plan.pruner.pruner(part),
            settings: OptimizeSettings {
                workers: self.plan.workers,
                results_max: Some(self.plan.trials_count),
                duration_max: self.plan.duration_max,
                patience: self.plan.patience,
                heartbeat: Some(HEARTBEAT),
                ..OptimizeSettings::default()
            },
            clock,
            cancelled: &self.cancelled,
        }
    }

    /// What a study found that has ended, which is written down in it.
    pub(super) fn report(
        &self,
        part: Part,
        base: &TrainingSpec,
        study: &StudyRecord,
        storage: &dyn StudyStorage,
        stopped: StopReason,
    ) -> Result<PartReport, TuningError> {
        let mut history = History::new(study);
        history.refresh(storage)?;
        let report = report(part, base, study, stopped_word(part, stopped)?, &history);
        if let Some(score) = &report.score {
            storage.set_study_user_attr(study.id, DEFLATED, &json!(score))?;
        }
        Ok(report)
    }

    /// Puts down that the record of `spec` before the hold-out is about to be looked at.
    pub(super) fn look(&self, spec: &TrainingSpec) -> Result<(), TrialEnd> {
        let trial = Trial {
            at: self.clock.now(),
            purpose: TrialPurpose::Tune,
            origin: self.admitted.origin,
            horizon: spec.horizon,
            spec_sha256: spec_sha256(spec),
            snapshot_hash: self.admitted.snapshot_hash.clone(),
            code_version: CODE_VERSION.to_owned(),
        };
        let recorded = self.runtime.block_on(self.store.record_trials(&[trial]));
        recorded.map_err(|error| {
            TrialEnd::Storage(StudyStorageError::Io {
                place: "the ledger of trials".to_owned(),
                reason: error.to_string(),
            })
        })
    }

    /// The study of `part`: the one of that name if it is of the same, or a new one. What was so
    /// before is tried first.
    pub(super) fn study(
        &self,
        part: Part,
        base: &TrainingSpec,
        storage: &dyn StudyStorage,
    ) -> Result<StudyRecord, TuningError> {
        let name = self.name_of(part, base);
        let (names, directions): (Vec<&str>, Vec<StudyDirection>) =
            part.objectives().iter().copied().unzip();
        let record = match storage.find_study(&name)? {
            Some(record) => record,
            None => {
                let id = storage.create_study(&name, &directions)?;
                storage.set_study_system_attr(id, METRIC_NAMES, &json!(names))?;
                let made = storage.find_study(&name)?;
                made.ok_or(StudyStorageError::UnknownStudy(id))?
            }
        };
        let other = |theirs: String, ours: String| {
            Err(TuningError::OtherStudy { study: name.clone(), theirs, ours })
        };
        if record.directions != directions {
            let words = |directions: &[StudyDirection]| format!("objectives {directions:?}");
            return other(words(&record.directions), words(&directions));
        }
        // Made by somebody else, or by a run that was cut short here.
        let mut is_new = false;
        for (key, ours) in self.marks(part, base) {
            match record.user_attrs.get(key) {
                Some(theirs) if *theirs == ours => {}
                Some(theirs) => return other(mark(key, theirs), mark(key, &ours)),
                None => {
                    storage.set_study_user_attr(record.id, key, &ours)?;
                    is_new = true;
                }
            }
        }
        if is_new || storage.trials_after(record.id, 0, &[])?.is_empty() {
            enqueue(storage, record.id, &values_of(part, base), self.clock.now())?;
        }
        Ok(record)
    }

    /// What a study of `part` has to say of itself.
    fn marks(&self, part: Part, base: &TrainingSpec) -> [(&'static str, Value); 5] {
        [
            (PART, json!(part.as_str())),
            (HORIZON, json!(self.plan.horizon.to_string())),
            (ORIGIN, json!(self.admitted.origin.as_str())),
            (SNAPSHOT_HASH, json!(self.admitted.snapshot_hash)),
            (BASE, json!(spec_sha256(base))),
        ]
    }

    fn name_of(&self, part: Part, base: &TrainingSpec) -> String {
        match &self.plan.study {
            Some(name) if self.plan.parts.len() == 1 => name.clone(),
            Some(name) => format!("{name}-{part}"),
            None => format!(
                "{}-{part}-{}-{}",
                self.plan.horizon,
                &self.admitted.snapshot_hash[..NAME_DIGITS],
                &spec_sha256(base)[..NAME_DIGITS]
            ),
        }
    }
}

/// Tells the studies how what they found did on the hold-out.
pub(super) fn write_down(
    storage: &dyn StudyStorage,
    parts: &[PartReport],
    comparison: &HoldOutComparison,
) -> Result<(), StudyStorageError> {
    for part in parts {
        if let Some(study) = storage.find_study(&part.study)? {
            storage.set_study_user_attr(study.id, HOLD_OUT, &json!(comparison))?;
        }
    }
    Ok(())
}

/// What a study says of itself, in words.
fn mark(key: &str, value: &Value) -> String {
    let what = match key {
        PART => "the part",
        HORIZON => "the horizon",
        ORIGIN => "data of the kind",
        SNAPSHOT_HASH => "the bars",
        _ => "the configuration",
    };
    format!("{what} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// The word for why a study ended.
fn stopped_word(part: Part, reason: StopReason) -> Result<&'static str, TuningError> {
    Ok(match reason {
        StopReason::Results => "trials",
        StopReason::Duration => "timeout",
        StopReason::NoProgress => "patience",
        StopReason::Exhausted => "exhausted",
        StopReason::Cancelled => "cancelled",
        StopReason::Failures { reason } => return Err(TuningError::TrialsFail { part, reason }),
        _ => "stopped",
    })
}

/// The trial that just finished, and the best so far.
fn in_words(now: &StudyProgress) -> String {
    let best =
        now.best.first().and_then(|best| Some((best.number, *best.values.as_ref()?.first()?)));
    let best = match best {
        Some((number, value)) if now.best.len() == 1 => {
            format!(", best {value:.4} (trial {number})")
        }
        Some(_) => format!(", {} on the front", now.best.len()),
        None => String::new(),
    };
    format!("trial {}{best}", now.trial.number)
}

fn report(
    part: Part,
    base: &TrainingSpec,
    study: &StudyRecord,
    stopped: &'static str,
    history: &History,
) -> PartReport {
    let count = |state| {
        let of_state = |trial: &&Arc<FrozenTrial>| trial.state == state;
        history.trials().iter().filter(of_state).count() as u64
    };
    let complete = history.trials().iter().filter(|trial| trial.state == TrialState::Complete);
    let values: Vec<f64> =
        complete.filter_map(|trial| trial.values.as_ref()?.first().copied()).collect();
    let best = best_of(&history.best()).map(|trial| BestTrial {
        number: trial.number,
        values: trial.values.clone().unwrap_or_default(),
        standard_error: trial.user_attrs.get(STANDARD_ERROR_ATTR).and_then(Value::as_f64),
        params: trial
            .params
            .iter()
            .filter_map(|(name, param)| Some((name.clone(), param.value()?)))
            .collect(),
        is_base: false,
    });
    let best = best.map(|best| {
        let is_base = best.params == values_of(part, base);
        BestTrial { is_base, ..best }
    });
    PartReport {
        part,
        study: study.name.clone(),
        stopped,
        complete_count: count(TrialState::Complete),
        pruned_count: count(TrialState::Pruned),
        failed_count: count(TrialState::Fail),
        objectives: part.objectives().iter().map(|(name, _)| *name).collect(),
        best,
        score: DeflatedScore::of(&values),
    }
}

/// Of those that no other is better than, the one with the highest first value, the earliest of
/// several.
fn best_of(front: &[Arc<FrozenTrial>]) -> Option<&Arc<FrozenTrial>> {
    let first = |trial: &FrozenTrial| trial.values.as_ref().and_then(|v| v.first().copied());
    let mut best: Option<(&Arc<FrozenTrial>, f64)> = None;
    for trial in front {
        if let Some(value) = first(trial)
            && best.is_none_or(|(_, highest)| value > highest)
        {
            best = Some((trial, value));
        }
    }
    best.map(|(trial, _)| trial)
}
