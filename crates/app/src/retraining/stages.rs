//! The stages of a retraining run.

mod deciding;
mod drift;
mod learning;

use std::collections::BTreeMap;
use std::sync::Arc;

use bist_lifecycle::{FittedModel, ModelVersion, TrainingSpec};
use bist_market::{Calendar, Interval};
use bist_models::{FittedForecaster as _, Horizon};
use bist_store::StoreError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::deciding::{decide_stage, outcome};

pub(crate) use self::learning::TrainingPart;
use super::RetrainingPlan;
use crate::App;
use crate::jobs::{Attended, PartsError, StageDone, StageError};
use crate::nightly;
use crate::progress::ProgressSink;
use crate::quality::ValidateError;
use crate::signals::SignalsRun;
use crate::training::{Admitted, PanelPlace, TrainingError};

const INGEST: &str = "ingest";
const VALIDATE: &str = "validate";
const FEATURES: &str = "features";
const DRIFT: &str = "drift";
const TRAIN: &str = "train";
const DECIDE: &str = "decide";
const PROMOTE: &str = "promote";
const SIGNALS: &str = "signals";
const NOTIFY: &str = "notify";

/// The stages of a run, in their order.
pub(super) fn names() -> Vec<String> {
    [INGEST, VALIDATE, FEATURES, DRIFT, TRAIN, DECIDE, PROMOTE, SIGNALS, NOTIFY]
        .map(str::to_owned)
        .to_vec()
}

/// Why a stage failed.
#[derive(Debug, thiserror::Error)]
enum RetrainingError {
    #[error(
        "the rule of the run is not the one that was declared: its fingerprint is {0}; ask for a new \
         run"
    )]
    OtherRule(String),
    #[error(
        "{score:.2} % of the rows are good, and {threshold:.0} % are needed; see `bist validate`"
    )]
    BelowGate { score: f64, threshold: f64 },
    #[error(transparent)]
    Validate(#[from] ValidateError),
    #[error(transparent)]
    Training(#[from] TrainingError),
    #[error(transparent)]
    Parts(#[from] PartsError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The bars of a run, admitted.
struct Bars {
    /// Daily ones, hourly ones, as far as they are asked about.
    admitted: Vec<Arc<Admitted>>,
    /// Where the panel of a horizon is, and by which configuration it is learned.
    lessons: BTreeMap<Horizon, Lesson>,
    /// When they were admitted, by this attempt or by an earlier one.
    admitted_at: Timestamp,
}

/// What is learned for a horizon.
struct Lesson {
    /// Which of the admitted bars, and which panel of them.
    place: (usize, usize),
    spec: TrainingSpec,
    tuned: Vec<bist_lifecycle::tuning::TunedPart>,
}

/// What the stage of the features keeps: by it one sees whether the bars are still the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptFeatures {
    /// Hashes of the bars.
    snapshots: Vec<String>,
    /// When they were admitted.
    admitted_at: Timestamp,
}

impl App {
    /// All stages of a run; gives what came of it in one sentence.
    pub(super) async fn retrain(
        &self,
        run: &Attended<'_>,
        plan: &RetrainingPlan,
        horizons: &[Horizon],
    ) -> Result<String, StageError> {
        run.stage(INGEST, |progress| self.ingest_stage(progress)).await?;
        run.stage(VALIDATE, |progress| self.validate_stage(progress)).await?;
        let bars = self.features_stage(run, plan, horizons).await?;
        run.stage(DRIFT, |progress| self.drift_stage(&bars, horizons, progress)).await?;
        let evaluations =
            run.stage(TRAIN, |_| Box::pin(self.train_stage(run, plan, &bars, horizons))).await?;
        let decisions = run.stage(DECIDE, |_| async { decide_stage(plan, &evaluations) }).await?;
        let promotions = run.stage(PROMOTE, |_| self.promote_stage(run, &decisions)).await?;
        run.stage(SIGNALS, |progress| self.signals_stage(horizons, progress)).await?;
        let told = outcome(&decisions, &promotions);
        run.stage(NOTIFY, |_| self.notify_stage(run, &told)).await?;
        Ok(told)
    }

    async fn ingest_stage(
        &self,
        progress: Arc<ProgressSink>,
    ) -> Result<StageDone<()>, nightly::NightlyFailure> {
        let day = nightly::last_due(self.now(), Calendar::bist()).map(|(day, _)| day);
        let told = match day {
            Some(day) => self.ingest_night(day, &progress).await?,
            None => None,
        };
        let nothing = || "no source is set up: the bars stay as they are".to_owned();
        Ok(StageDone { result: (), told: told.unwrap_or_else(nothing) })
    }

    async fn validate_stage(
        &self,
        progress: Arc<ProgressSink>,
    ) -> Result<StageDone<Option<f64>>, RetrainingError> {
        let overview = self.validate(None, progress).await?;
        let threshold = 100.0 * overview.threshold_share;
        match overview.score_share.map(|share| 100.0 * share) {
            Some(score) if score < threshold => {
                Err(RetrainingError::BelowGate { score, threshold })
            }
            Some(score) => Ok(StageDone {
                result: Some(score),
                told: format!("{score:.2} % of the rows are good, {threshold:.0} % are needed"),
            }),
            None => Ok(StageDone { result: None, told: "there is no row to judge".to_owned() }),
        }
    }

    /// Admits the bars and builds the panels, each time that the run is begun: they are too large to
    /// be kept. If the bars have changed since, what was learned from the old ones is forgotten.
    async fn features_stage(
        &self,
        run: &Attended<'_>,
        plan: &RetrainingPlan,
        horizons: &[Horizon],
    ) -> Result<Bars, StageError> {
        let before: Option<KeptFeatures> = run.found(FEATURES).await?;
        let known = before.clone();
        let mut bars = None;
        let admitted_bars = &mut bars;
        let kept = run
            .stage_again(FEATURES, |progress| async move {
                if plan.rule.sha256() != plan.rule_sha256 {
                    return Err(RetrainingError::OtherRule(plan.rule.sha256()));
                }
                let mut admitted = self.admit_lessons(plan, horizons, &*progress).await?;
                let hashes = admitted.admitted.iter().map(|bars| bars.snapshot_hash.clone());
                let snapshots: Vec<String> = hashes.collect();
                let told = told_of(&admitted.admitted);
                let known = known.filter(|known| known.snapshots == snapshots);
                let admitted_at = known.map_or(admitted.admitted_at, |known| known.admitted_at);
                admitted.admitted_at = admitted_at;
                *admitted_bars = Some(admitted);
                Ok(StageDone { result: KeptFeatures { snapshots, admitted_at }, told })
            })
            .await?;
        if before.is_some_and(|before| before.snapshots != kept.snapshots) {
            run.say("the bars have changed since: what was learned from the old ones is forgotten")
                .await?;
            run.forget_after(FEATURES).await?;
        }
        let bars = bars.expect("the stage has admitted them");
        for (&horizon, Lesson { place: (of, index), spec, .. }) in &bars.lessons {
            let place = PanelPlace { admitted: Arc::clone(&bars.admitted[*of]), index: *index };
            self.know_lesson((horizon, spec.features), place);
        }
        Ok(bars)
    }

    async fn admit_lessons(
        &self,
        plan: &RetrainingPlan,
        horizons: &[Horizon],
        progress: &ProgressSink,
    ) -> Result<Bars, RetrainingError> {
        let (mut admitted, mut lessons) = (Vec::new(), BTreeMap::new());
        for interval in [Interval::Daily, Interval::HOURLY] {
            let mut asked = Vec::new();
            for horizon in horizons.iter().filter(|horizon| horizon.interval() == interval) {
                let (spec, tuned) = self.spec_in_force(*horizon, plan.seed).await?;
                let place = (admitted.len(), asked.len());
                asked.push((*horizon, spec.features));
                lessons.insert(*horizon, Lesson { place, spec, tuned });
            }
            if !asked.is_empty() {
                let bars = self.admit(None, &asked, progress).await?;
                self.store.save_snapshot(&bars.snapshot_hash, &bars.snapshot).await?;
                admitted.push(Arc::new(bars));
            }
        }
        Ok(Bars { admitted, lessons, admitted_at: self.now() })
    }

    /// The model of `champion`, if it can be asked about `admitted`.
    async fn champion_model(
        &self,
        admitted: &Admitted,
        horizon: Horizon,
        champion: &ModelVersion,
    ) -> Result<FittedModel, String> {
        let model = self.fitted_model(champion).await.map_err(|error| error.to_string())?;
        let of_program = champion.lineage.spec.features.names(horizon.interval());
        if model.members.gbdt.feature_names() != of_program {
            return Err(format!(
                "it reads {} features that this version of the program does not make",
                model.members.gbdt.feature_names().len()
            ));
        }
        if champion.origin != admitted.origin {
            return Err(format!("it learned from {} data", champion.origin));
        }
        Ok(model)
    }

    async fn signals_stage(
        &self,
        horizons: &[Horizon],
        progress: Arc<ProgressSink>,
    ) -> Result<StageDone<usize>, RetrainingError> {
        let SignalsRun { reports, scoring } = self.make_signals(Some(horizons), progress).await?;
        let count = reports.iter().map(|report| report.signals.len()).sum();
        let told = format!(
            "{count} signals by {} models; of those served before: {scoring}",
            reports.len()
        );
        Ok(StageDone { result: count, told })
    }

    async fn notify_stage(
        &self,
        run: &Attended<'_>,
        told: &str,
    ) -> Result<StageDone<()>, RetrainingError> {
        tracing::warn!(run = run.run().id, "retraining: {told}");
        Ok(StageDone { result: (), told: "in the log and on the page of jobs".to_owned() })
    }
}

/// Who signs what the run changes.
fn signature(run: &Attended<'_>) -> String {
    format!("retraining run {}", run.run().id)
}

/// What was admitted, in one sentence.
fn told_of(admitted: &[Arc<Admitted>]) -> String {
    let of = |bars: &Arc<Admitted>| {
        let newest = bars.newest().map_or_else(|| "no day".to_owned(), |key| key.day.to_string());
        format!(
            "{} symbols to {newest}, {} left out",
            bars.universe.series().len(),
            bars.excluded().len()
        )
    };
    admitted.iter().map(of).collect::<Vec<_>>().join("; ")
}
