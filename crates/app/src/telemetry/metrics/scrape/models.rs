//! The health of the models in force.
//!
//! Their documents and the record of signals are large, so they are read again only when a model came
//! into force, signals were made or drift was looked for, and after a while.

use bist_lifecycle::drift::{DriftReport, PerformanceMeasure};
use bist_lifecycle::signal_record::{reliability, summarise};
use bist_lifecycle::{Evaluation, HORIZONS, HORIZONS_HOURLY, Horizon, ModelVersion, ScoredSignal};
use bist_market::Origin;
use bist_store::{JobRun, SignalMark, StoreError};
use bist_trading::Action;
use jiff::{SignedDuration, Timestamp};

use super::super::readings::{Readings, number};
use super::Cause;
use crate::jobs::Job;
use crate::{App, blocking};

/// How long what was read holds at most: signals are scored in the night.
const KNOWN_FOR: SignedDuration = SignedDuration::from_mins(10);

/// Retrainings among which the newest is looked for that looked for drift.
const RUNS_MAX: u32 = 20;

/// What is known of the models in force.
#[derive(Debug)]
pub(super) struct KnownModels {
    mark: (SignalMark, Option<(i64, Option<Timestamp>)>),
    read_at: Timestamp,
    readings: Readings,
    /// When each was trained, by horizon.
    trained: Vec<(String, Timestamp)>,
}

impl App {
    pub(super) async fn models_readings(
        &self,
        known: &mut Option<KnownModels>,
    ) -> Result<Readings, Cause> {
        let now = self.now();
        let runs = self.store.jobs(Some(Job::Retraining.as_str()), None, RUNS_MAX).await?;
        let newest = runs.first().map(|run| (run.id, run.finished_at));
        let mark = (self.change_marks().await?.signals, newest);
        let holds = known.as_ref().is_some_and(|known| {
            let age = now.duration_since(known.read_at);
            known.mark == mark && (SignedDuration::ZERO..KNOWN_FOR).contains(&age)
        });
        if !holds {
            let (readings, trained) = self.read_models(&runs).await?;
            *known = Some(KnownModels { mark, read_at: now, readings, trained });
        }
        let Some(known) = known else { return Ok(Readings::default()) };
        let mut told = known.readings.clone();
        for (horizon, trained_at) in &known.trained {
            let age_s = now.duration_since(*trained_at).as_secs_f64();
            told.tell("bist_model_age_seconds", [horizon], age_s);
        }
        Ok(told)
    }

    async fn read_models(
        &self,
        runs: &[JobRun],
    ) -> Result<(Readings, Vec<(String, Timestamp)>), StoreError> {
        let (mut told, mut trained) = (Readings::default(), Vec::new());
        let mut champions = Vec::new();
        for horizon in HORIZONS.into_iter().chain(HORIZONS_HOURLY) {
            champions.extend(self.store.champion(horizon).await?);
        }
        let drift = if champions.is_empty() { Vec::new() } else { self.newest_drift(runs).await? };
        for champion in champions {
            let horizon = champion.evaluation.horizon;
            let name = horizon.to_string();
            told.tell("bist_model_info", [&name, &champion.id], 1.0);
            told.extend(judged(&name, &champion.evaluation));
            let report = drift.iter().find(|report| report.model_version == champion.id);
            told.extend(report.map(|report| drifted(&name, report)).unwrap_or_default());
            told.extend(self.signals_of(&name, &champion).await?);
            told.extend(self.record_of(&name, horizon).await?);
            trained.push((name, champion.trained_at));
        }
        Ok((told, trained))
    }

    /// What the newest retraining that looked for drift found.
    async fn newest_drift(&self, runs: &[JobRun]) -> Result<Vec<DriftReport>, StoreError> {
        for run in runs {
            if let Some((_, reports)) = self.drift_of(run).await? {
                return Ok(reports);
            }
        }
        Ok(Vec::new())
    }

    async fn signals_of(
        &self,
        horizon: &str,
        champion: &ModelVersion,
    ) -> Result<Readings, StoreError> {
        let mut told = Readings::default();
        let newest = self.store.latest_signals(&champion.id, None).await?;
        for action in [Action::Buy, Action::Sell, Action::Hold] {
            let of_action = newest.iter().filter(|record| record.signal.action == action);
            let count = number(of_action.count() as u64);
            if !newest.is_empty() {
                told.tell("bist_model_signals", [horizon, action.as_str()], count);
            }
        }
        Ok(told)
    }

    /// What the signals of the record have been worth, where that is not too early to say.
    async fn record_of(&self, name: &str, horizon: Horizon) -> Result<Readings, StoreError> {
        let mut told = Readings::default();
        let origin = self.store.origin().await?.unwrap_or(Origin::Market);
        let scored = self.store.scored_signals(origin, horizon).await?;
        let (summary, reliability) = blocking(move || {
            let all: Vec<&ScoredSignal> = scored.iter().collect();
            (summarise(&all, horizon), reliability(&all, horizon))
        })
        .await;
        if summary.is_too_early {
            return Ok(told);
        }
        for (level, held) in [("50", &summary.held_50), ("80", &summary.held_80)] {
            if let Some(share) = &held.share {
                told.tell("bist_model_coverage", [name, level, RECORD], share.value);
            }
        }
        if let Some(reliability) = reliability {
            told.tell("bist_model_calibration_error", [name, RECORD], reliability.ece);
        }
        Ok(told)
    }
}

/// On what days something was measured.
const EVALUATION: &str = "evaluation";
const RECENT: &str = "recent";
const RECORD: &str = "record";

/// What a version was worth out of sample.
fn judged(horizon: &str, evaluation: &Evaluation) -> Readings {
    let mut told = Readings::default();
    if let Some(estimate) = &evaluation.rank_ic.estimate {
        told.tell("bist_model_rank_ic", [horizon, EVALUATION], estimate.value);
    }
    if let Some(direction) = &evaluation.outlook.direction {
        let ece = direction.calibrated.ece;
        told.tell("bist_model_calibration_error", [horizon, EVALUATION], ece);
    }
    let last_step = evaluation.coverage.iter().map(|coverage| coverage.step).max();
    for coverage in evaluation.coverage.iter().filter(|of| Some(of.step) == last_step) {
        let level = format!("{:.0}", 100.0 * coverage.level);
        if let Some(covered) = &coverage.covered {
            told.tell("bist_model_coverage", [horizon, &level, EVALUATION], covered.value);
        }
    }
    told
}

/// What a look for drift said of a version.
fn drifted(horizon: &str, report: &DriftReport) -> Readings {
    let mut told = Readings::default();
    told.tell_fact("bist_model_drift", [horizon], report.is_alarm);
    if let Some(inputs) = report.inputs.as_ref().filter(|inputs| !inputs.features.is_empty()) {
        let share = number(inputs.drifted_count) / number(inputs.features.len() as u64);
        told.tell("bist_model_drifted_features", [horizon], share);
    }
    for check in &report.performance {
        let Some(estimate) = &check.estimate else { continue };
        match check.measure {
            PerformanceMeasure::RankIc => {
                told.tell("bist_model_rank_ic", [horizon, RECENT], estimate.value);
            }
            PerformanceMeasure::Coverage => {
                told.tell("bist_model_coverage", [horizon, "80", RECENT], estimate.value);
            }
            // The score of Brier is no calibration error.
            PerformanceMeasure::Brier => {}
        }
    }
    told
}
