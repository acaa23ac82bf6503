//! What the arms of an experiment say of the bars of a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use bist_lifecycle::experiment::{DeclaredExperiment, ExperimentReport, Exposure, Mode};
use bist_lifecycle::{Forecast, ModelVersion};
use bist_market::Symbol;
use bist_market::calendar::Calendar;
use bist_market::session_hours::moment_text;
use bist_models::Panel;
use bist_store::ExposureRecord;

use super::{ExperimentError, ExperimentStep, OfRun};
use crate::App;
use crate::experiments::put_arms;
use crate::signals::{Said, Serving, SignalsReport, said_on, signal_moment};
use crate::training::{Admitted, known_symbols};

/// What the arms of a run said.
pub(super) struct Spoken {
    exposures: Vec<ExposureRecord>,
    of_arms: Vec<(ModelVersion, Vec<Said>)>,
    problems: Vec<String>,
}

impl App {
    /// Lets the arms that were not stopped forecast; `known` has what some of them said already.
    pub(super) async fn let_arms_speak(
        &self,
        experiment: &DeclaredExperiment,
        judged: &ExperimentReport,
        mut known: BTreeMap<String, Vec<Forecast>>,
        of_run: OfRun<'_>,
    ) -> Result<Spoken, ExperimentError> {
        let units = self.units(experiment).await?;
        let is_split = matches!(experiment.design().mode, Mode::Split { .. });
        let mut spoken =
            Spoken { exposures: Vec::new(), of_arms: Vec::new(), problems: Vec::new() };
        for arm in experiment.arms() {
            let of_arm = judged.challengers.iter().find(|challenger| challenger.version == arm);
            if of_arm.is_some_and(|challenger| challenger.verdict.is_stopped()) {
                continue;
            }
            let forecasts = match known.remove(arm) {
                Some(forecasts) => Ok(forecasts),
                None if is_split => {
                    self.said_for_units(arm, experiment, of_run).await.map(|(version, said)| {
                        let forecasts = said.iter().map(|said| said.forecast.clone()).collect();
                        spoken.of_arms.push((version, said));
                        forecasts
                    })
                }
                None => self.forecasts_of(arm, of_run).await,
            };
            match forecasts {
                Ok(forecasts) => {
                    let seen = self.exposures_of(experiment, arm, &units, &forecasts, of_run);
                    spoken.exposures.extend(seen);
                }
                Err(error) => {
                    tracing::warn!(experiment = experiment.design().id, version = arm, %error,
                        "a challenger did not forecast, which counts as missing: {error}");
                    spoken.problems.push(error.to_string());
                }
            }
        }
        Ok(spoken)
    }

    /// The symbols that all arms know.
    async fn units(&self, experiment: &DeclaredExperiment) -> Result<Vec<Symbol>, ExperimentError> {
        let mut units: Option<Vec<Symbol>> = None;
        for arm in experiment.arms() {
            let known = known_symbols(&self.version(arm).await?);
            units = Some(match units {
                None => known,
                Some(units) => units.into_iter().filter(|unit| known.contains(unit)).collect(),
            });
        }
        Ok(units.unwrap_or_default())
    }

    /// Forecasts as they are logged: those of the newest session, so that all units of a day were
    /// forecast from the bars of that day.
    fn exposures_of(
        &self,
        experiment: &DeclaredExperiment,
        arm: &str,
        units: &[Symbol],
        forecasts: &[Forecast],
        OfRun { admitted, .. }: OfRun<'_>,
    ) -> Vec<ExposureRecord> {
        let design = experiment.design();
        let newest = admitted.newest().map(|key| key.day);
        let is_split = matches!(design.mode, Mode::Split { .. });
        let logged = forecasts.iter().filter(|forecast| {
            Some(forecast.as_of) == newest
                && units.contains(&forecast.symbol)
                && (!is_split || experiment.assign(forecast.symbol.as_str()) == arm)
        });
        logged
            .map(|forecast| ExposureRecord {
                exposure: Exposure {
                    experiment: design.id.clone(),
                    unit: forecast.symbol.to_string(),
                    day: forecast.as_of,
                    arm: arm.to_owned(),
                    expected_log_return: forecast.expected_log_return,
                    probability_up: forecast.probability_up,
                    interval_80: forecast.last_step().interval_80,
                    covariate: design.covariate.as_ref().map(|_| forecast.volatility),
                },
                moment: moment_text(forecast.as_of, forecast.as_of_time),
                snapshot_hash: admitted.snapshot_hash.clone(),
                made_at: self.now(),
            })
            .collect()
    }

    /// Keeps what the arms said; while units are split among them, that is what is shown.
    pub(super) async fn keep_arms(
        &self,
        report: &mut SignalsReport,
        experiment: &DeclaredExperiment,
        spoken: Spoken,
        step: &mut ExperimentStep,
        of_run: OfRun<'_>,
    ) -> Result<(), ExperimentError> {
        step.exposures_added = self.store.log_exposures(&spoken.exposures).await?;
        step.problems = spoken.problems;
        let mut of_arms = Vec::new();
        for (version, said) in spoken.of_arms {
            let of_arm = self.keep(version, said, of_run.admitted, Serving::Afterwards).await?;
            of_arms.push((of_arm.model.id, of_arm.signals));
        }
        put_arms(experiment, &mut report.signals, of_arms, signal_moment);
        Ok(())
    }

    /// What `arm` says of the symbols that belong to it.
    async fn said_for_units(
        &self,
        arm: &str,
        experiment: &DeclaredExperiment,
        of_run: OfRun<'_>,
    ) -> Result<(ModelVersion, Vec<Said>), ExperimentError> {
        let version = self.version(arm).await?;
        let mut said = self.said_of(&version, experiment, of_run).await?;
        said.retain(|said| experiment.assign(said.signal.symbol.as_str()) == arm);
        Ok((version, said))
    }

    /// What `version` says of the bars of this run, with explanations.
    pub(super) async fn said_of(
        &self,
        version: &ModelVersion,
        experiment: &DeclaredExperiment,
        of_run: OfRun<'_>,
    ) -> Result<Vec<Said>, ExperimentError> {
        let fitted = self.fitted_model(version).await?;
        let (of_version, champion) = (version.clone(), experiment.design().champion.clone());
        let champion = self.version(&champion).await?;
        let (admitted, index) = (Arc::clone(of_run.admitted), of_run.index);
        caught(&version.id, move || {
            on_panel(&of_version, &champion, &admitted, index, |panel| {
                said_on(&of_version, &fitted, &admitted, panel).map_err(|error| error.to_string())
            })
        })
        .await
    }

    /// What `arm` forecasts from the bars of this run.
    async fn forecasts_of(
        &self,
        arm: &str,
        of_run: OfRun<'_>,
    ) -> Result<Vec<Forecast>, ExperimentError> {
        let version = self.version(arm).await?;
        let fitted = self.fitted_model(&version).await?;
        let champion = self.champion(version.lineage.spec.horizon).await?;
        let (admitted, index) = (Arc::clone(of_run.admitted), of_run.index);
        caught(arm, move || {
            on_panel(&version, &champion, &admitted, index, |panel| {
                Ok(fitted.latest_forecasts(panel, Calendar::bist()))
            })
        })
        .await
    }
}

/// Lets `work` read the panel that `version` was fitted for: that of the champion, where both look at
/// the same windows.
fn on_panel<T>(
    version: &ModelVersion,
    champion: &ModelVersion,
    admitted: &Admitted,
    index: usize,
    work: impl FnOnce(&Panel) -> Result<T, String>,
) -> Result<T, String> {
    let spec = &version.lineage.spec;
    let own;
    let panel = if spec.features == champion.lineage.spec.features {
        &admitted.panels[index]
    } else {
        own = admitted.panel_of(spec.horizon, spec.features);
        &own
    };
    if panel.known.features.names() != version.lineage.feature_names {
        return Err("it was fitted on other features than this version of bist builds".to_owned());
    }
    work(panel)
}

/// Runs `work` of `version` on a thread that may take its time; when it panics, that is its failure
/// and no one else's.
async fn caught<T: Send + 'static>(
    version: &str,
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, ExperimentError> {
    let arm = |reason| ExperimentError::Arm { version: version.to_owned(), reason };
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(arm),
        Err(error) => Err(arm(error.to_string())),
    }
}
