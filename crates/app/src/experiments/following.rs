//! The daily step of an experiment: join, judge, do what the rule says, let the arms forecast.
//!
//! It runs after the champion has spoken ([`App::make_signals`]) and never stops it: what fails here
//! is told beside the signals. Each part may be cut off and begun again. Forecasts and outcomes are
//! only added, the judgement follows from them, and the end of an experiment, with the change of the
//! champion and the experiment that watches it, is one transaction that only a running experiment
//! allows.

mod arms;
mod ending;

use std::collections::BTreeMap;
use std::sync::Arc;

use bist_lifecycle::evaluation::Sentence;
use bist_lifecycle::experiment::{
    Conclusion, DeclaredExperiment, ExperimentReport, ExperimentState, Mode, State, judge,
};
use bist_lifecycle::{Forecast, ModelVersion, Signed, StateChange};
use bist_models::Horizon;
use bist_store::{ExperimentRecord, StoreError};
use serde::Serialize;

use self::ending::{by, reason_of};
use super::ExperimentError;
use super::outcomes::Outcomes;
use crate::App;
use crate::progress::ProgressSink;
use crate::signals::{Serving, SignalsReport};
use crate::training::{Admitted, known_symbols};

/// Who concludes by the rule, where it is no one experiment.
const BY_RULE: &str = "bist experiments";

/// What a run did for the experiment of a horizon.
#[derive(Clone, Debug, Serialize)]
pub struct ExperimentStep {
    /// Which.
    pub experiment: String,
    /// Where it stands.
    pub state: ExperimentState,
    /// The same in words.
    pub sentence: Sentence,
    /// Forecasts that were added, of all arms.
    pub exposures_added: u64,
    /// Outcomes that were added.
    pub outcomes_added: u64,
    /// The changes of the registry that the rule made.
    pub changes: Vec<StateChange>,
    /// The experiment that was declared to watch what was promoted.
    pub follow_up: Option<String>,
    /// What an arm could not do.
    pub problems: Vec<String>,
}

/// The bars of a run, and which panel is that of the champion.
#[derive(Clone, Copy)]
pub(crate) struct OfRun<'a> {
    pub(crate) admitted: &'a Arc<Admitted>,
    pub(crate) index: usize,
}

/// What became of an experiment that was looked at.
struct Settled {
    step: ExperimentStep,
    /// What the version said that was put in force.
    in_force: Option<(SignalsReport, Vec<Forecast>)>,
}

impl App {
    /// Joins, judges, and does what the rule says for the experiments of `horizons`, or of all;
    /// nothing is forecast.
    ///
    /// # Errors
    ///
    /// [`ExperimentError`] when the bars are not good enough, or what was kept was changed.
    pub async fn judge_experiments(
        &self,
        horizons: &[Horizon],
        progress: Arc<ProgressSink>,
    ) -> Result<Vec<ExperimentStep>, ExperimentError> {
        let mut steps = Vec::new();
        for &horizon in horizons {
            let Some(record) = self.store.running_experiment(horizon).await? else { continue };
            let champion = self.champion(horizon).await?;
            let spec = &champion.lineage.spec;
            let asked = [(horizon, spec.features)];
            let admitted = self.admit(Some(&known_symbols(&champion)), &asked, &*progress).await?;
            let of_run = OfRun { admitted: &Arc::new(admitted), index: 0 };
            steps.push(self.join_and_settle(&record, of_run).await?.step);
        }
        Ok(steps)
    }

    /// When the champion's word for `horizon` goes on record: while symbols are split among the arms it
    /// is known only after all have spoken which of them is shown.
    pub(crate) async fn serving(&self, horizon: Horizon) -> Result<Serving, StoreError> {
        let running = self.store.running_experiment(horizon).await?;
        let is_split = |record: ExperimentRecord| {
            matches!(record.experiment.design().mode, Mode::Split { .. })
        };
        Ok(if running.is_some_and(is_split) { Serving::Afterwards } else { Serving::AtOnce })
    }

    /// The daily step for the experiment of the horizon of `report`, which the champion gave with
    /// `forecasts`; what is shown then. It never fails: what went wrong stands in the report.
    pub(crate) async fn follow_experiment(
        &self,
        mut report: SignalsReport,
        forecasts: Vec<Forecast>,
        of_run: OfRun<'_>,
    ) -> SignalsReport {
        if let Err(error) = self.try_follow(&mut report, forecasts, of_run).await {
            let horizon = report.model.lineage.spec.horizon;
            tracing::warn!(%horizon, %error,
                "the experiment of this horizon did not go on, the champion's signals stand: {error}");
            report.experiment_problem = Some(error.to_string());
        }
        report
    }

    async fn try_follow(
        &self,
        report: &mut SignalsReport,
        forecasts: Vec<Forecast>,
        of_run: OfRun<'_>,
    ) -> Result<(), ExperimentError> {
        let horizon = report.model.lineage.spec.horizon;
        let Some(record) = self.store.running_experiment(horizon).await? else { return Ok(()) };
        let mut known = BTreeMap::from([(report.model.id.clone(), forecasts)]);
        let Settled { mut step, in_force } = self.join_and_settle(&record, of_run).await?;
        if let Some((of_new, forecasts)) = in_force {
            known.insert(of_new.model.id.clone(), forecasts);
            *report = of_new;
        }
        if let Some(running) = self.store.running_experiment(horizon).await? {
            let experiment = running.experiment;
            let judged = self.judge_records(&experiment).await?;
            let spoken = self.let_arms_speak(&experiment, &judged, known, of_run).await?;
            self.keep_arms(report, &experiment, spoken, &mut step, of_run).await?;
        }
        report.experiment = Some(step);
        Ok(())
    }

    /// What the records say.
    async fn judge_records(
        &self,
        experiment: &DeclaredExperiment,
    ) -> Result<ExperimentReport, ExperimentError> {
        let observed = self.observe_experiment(experiment).await?;
        Ok(judge(experiment, &observed.observations))
    }

    async fn join_and_settle(
        &self,
        record: &ExperimentRecord,
        of_run: OfRun<'_>,
    ) -> Result<Settled, ExperimentError> {
        let outcomes_added = self.join_outcomes(record, of_run).await?;
        let report = self.judge_records(&record.experiment).await?;
        let mut settled = self.settle(record, report, of_run).await?;
        settled.step.outcomes_added = outcomes_added;
        Ok(settled)
    }

    /// Adds the outcomes that are known by now; returns how many were new.
    async fn join_outcomes(
        &self,
        record: &ExperimentRecord,
        OfRun { admitted, index }: OfRun<'_>,
    ) -> Result<u64, ExperimentError> {
        let design = record.experiment.design();
        let open = self.store.open_exposures(&design.id).await?;
        let Some(first) = open.first().map(|record| record.exposure.day) else { return Ok(0) };
        let champion = self.version(&design.champion).await?;
        let panel = &admitted.panels[index];
        let found = {
            let outcomes = Outcomes::new(admitted, panel, &champion.lineage.spec.costs, first);
            open.iter().filter_map(|record| outcomes.of(record)).collect::<Vec<_>>()
        };
        Ok(self.store.log_outcomes(&found, self.now()).await?)
    }

    /// Does what the rule says.
    async fn settle(
        &self,
        record: &ExperimentRecord,
        report: ExperimentReport,
        of_run: OfRun<'_>,
    ) -> Result<Settled, ExperimentError> {
        let design = record.experiment.design();
        let mut settled = Settled {
            step: ExperimentStep {
                experiment: design.id.clone(),
                state: ExperimentState::from(&report.state),
                sentence: report.sentence.clone(),
                exposures_added: 0,
                outcomes_added: 0,
                changes: Vec::new(),
                follow_up: None,
                problems: Vec::new(),
            },
            in_force: None,
        };
        if let Some(reason) = self.stands_otherwise(record, &report).await? {
            let signed = Signed { at: self.now(), by: BY_RULE.to_owned(), reason };
            if let Some(changes) = self.end_undecided(record, signed.clone()).await? {
                settled.step.changes = changes;
            }
            settled.step.state = ExperimentState::Stopped;
            settled.step.sentence = Sentence { tr: signed.reason.clone(), en: signed.reason };
            return Ok(settled);
        }
        if !report.state.is_final() {
            settled.step.changes = self.release_stopped(record, &report).await?;
            return Ok(settled);
        }
        if let State::Promoted { challenger } = &report.state {
            // Its word is there before it is asked for.
            let version = self.version(challenger).await?;
            let said = self.said_of(&version, &record.experiment, of_run).await?;
            let forecasts = said.iter().map(|said| said.forecast.clone()).collect();
            let of_new = self.keep(version, said, of_run.admitted, Serving::Afterwards).await?;
            settled.in_force = Some((of_new, forecasts));
        }
        let steps = self.end_steps(record, &report).await?;
        let reason = reason_of(&record.experiment, &report);
        let signed = Signed { at: self.now(), by: by(&design.id), reason };
        let state = ExperimentState::from(&report.state);
        let conclusion = Conclusion { state, signed, report: Some(report) };
        let follow_up =
            steps.follow_up.as_ref().map(|(follow_up, _)| follow_up.design().id.clone());
        match self
            .store
            .conclude_experiment(&design.id, &conclusion, &steps, &self.audit().await?)
            .await?
        {
            Some(changes) => {
                settled.step.changes = changes;
                settled.step.follow_up = follow_up;
            }
            // Another process was first: what it put in force is the same, by the same records.
            None => settled.step.follow_up = None,
        }
        if let Some((of_new, _)) = &mut settled.in_force {
            of_new.model = self.version(&of_new.model.id).await?;
        }
        Ok(settled)
    }

    async fn version(&self, id: &str) -> Result<ModelVersion, StoreError> {
        let version = self.store.model_version(id).await?;
        version.ok_or_else(|| StoreError::NoSuchVersion(id.to_owned()))
    }
}
