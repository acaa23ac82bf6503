//! The stage that looks for drift, in a retraining and after the nightly ingest.

use std::sync::Arc;

use bist_lifecycle::FittedModel;
use bist_lifecycle::ModelVersion;
use bist_lifecycle::drift::{DriftPolicy, DriftReport};
use bist_lifecycle::retraining::Champion;
use bist_market::Calendar;
use bist_models::Horizon;
use bist_store::{JobRun, StoreError};
use jiff::Timestamp;

use super::{Bars, DRIFT, RetrainingError};
use crate::jobs::{Job, JobAsked, JobOrder, StageDone};
use crate::progress::{Progress, ProgressSink};
use crate::retraining::{RetrainingPlan, SEED_DEFAULT};
use crate::{App, blocking};

impl App {
    /// Looks whether the market is still like what the champions learned from, and whether they still do
    /// what their records say.
    pub(super) async fn drift_stage(
        &self,
        bars: &Bars,
        horizons: &[Horizon],
        progress: Arc<ProgressSink>,
    ) -> Result<StageDone<Vec<DriftReport>>, RetrainingError> {
        let mut reports = Vec::new();
        for (done, &horizon) in horizons.iter().enumerate() {
            progress(Progress::of("looking for drift", done as u64, horizons.len() as u64));
            let Some(champion) = self.store.champion(horizon).await? else { continue };
            let admitted = &bars.admitted[bars.lessons[&horizon].place.0];
            let Ok(model) = self.champion_model(admitted, horizon, &champion).await else {
                continue;
            };
            reports.push(drift(bars, horizon, champion, model).await);
        }
        let told = match reports.iter().filter(|report| report.is_alarm).count() {
            0 if reports.is_empty() => "there is no champion that could be asked".to_owned(),
            0 => "nothing is alarming".to_owned(),
            count => format!("{count} of {} champions have an alarm", reports.len()),
        };
        Ok(StageDone { result: reports, told })
    }

    /// Looks for drift of the champions, and asks for a retraining where one has an alarm of which the
    /// newest retraining does not tell; says what came of it in one sentence.
    pub(crate) async fn look_for_drift(&self, progress: Arc<ProgressSink>) -> String {
        match self.ask_on_drift(progress).await {
            Ok(told) => told,
            Err(error) => format!("drift was not looked for: {error}"),
        }
    }

    async fn ask_on_drift(&self, progress: Arc<ProgressSink>) -> Result<String, RetrainingError> {
        let plan = RetrainingPlan::of(Vec::new(), SEED_DEFAULT);
        let horizons = self.champion_horizons().await?;
        if horizons.is_empty() {
            return Ok("there is no model yet that could drift".to_owned());
        }
        let bars = self.admit_lessons(&plan, &horizons, &*progress).await?;
        let StageDone { result: reports, told } =
            self.drift_stage(&bars, &horizons, progress).await?;
        let known = self.known_alarms().await?;
        let is_new =
            |report: &&DriftReport| report.is_alarm && !known.contains(&report.model_version);
        let alarms: Vec<&str> =
            reports.iter().filter(is_new).map(|report| report.sentence.en.as_str()).collect();
        if alarms.is_empty() || !self.retraining_enabled {
            return Ok(told);
        }
        let asked = JobAsked { by: "drift", reason: &alarms.join(" ") };
        match self.ask_for_job(&JobOrder::Retraining(plan), asked).await {
            Ok(view) => Ok(format!("{told}: retraining run {} is asked for", view.run.id)),
            Err(StoreError::JobUnderWay { id, .. }) => {
                Ok(format!("{told}: retraining run {id} is under way"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The versions of which the newest retraining that looked for drift tells an alarm.
    async fn known_alarms(&self) -> Result<Vec<String>, StoreError> {
        let Some(last) = self.store.jobs(Some(Job::Retraining.as_str()), None, 1).await?.pop()
        else {
            return Ok(Vec::new());
        };
        let reports = self.drift_of(&last).await?.map(|(_, reports)| reports).unwrap_or_default();
        let alarms = reports.into_iter().filter(|report| report.is_alarm);
        Ok(alarms.map(|report| report.model_version).collect())
    }

    /// What the retraining `run` found of drift, and when; `None` before it has looked.
    pub(crate) async fn drift_of(
        &self,
        run: &JobRun,
    ) -> Result<Option<(Timestamp, Vec<DriftReport>)>, StoreError> {
        let stages = self.store.job_stages(run.id).await?;
        let drift = stages.into_iter().find(|stage| stage.name == DRIFT);
        let found = drift
            .and_then(|stage| Some((stage.ended_at?, serde_json::from_value(stage.result).ok()?)));
        Ok(found)
    }
}

/// Measures on a thread that may take its time.
async fn drift(
    bars: &Bars,
    horizon: Horizon,
    champion: ModelVersion,
    model: FittedModel,
) -> DriftReport {
    let (of, index) = bars.lessons[&horizon].place;
    let spec_features = bars.lessons[&horizon].spec.features;
    let admitted = Arc::clone(&bars.admitted[of]);
    blocking(move || {
        let features = champion.lineage.spec.features;
        let own_panel = (features != spec_features).then(|| admitted.panel_of(horizon, features));
        let panel = own_panel.as_ref().unwrap_or(&admitted.panels[index]);
        DriftReport::of(
            &champion.id,
            Champion { model: &model, learned_to: champion.lineage.last_day },
            &champion.evaluation,
            panel,
            DriftPolicy::default(),
            Calendar::bist(),
        )
    })
    .await
}
