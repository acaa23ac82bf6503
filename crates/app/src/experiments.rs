//! Experiments: a champion beside its challengers, from the rule to the decision by it.
//!
//! An experiment is declared before anything is seen ([`App::declare_experiment`]). From then on each
//! run of the signals lets all arms forecast from the same bars, joins what came of earlier
//! forecasts, judges by the rule, and does what the rule says, see [`following`]. What is said of an
//! experiment is computed from its records whenever somebody asks.

pub mod declaration;
pub mod following;
mod outcomes;
mod served;

use std::collections::BTreeSet;

use bist_lifecycle::experiment::{
    DeclaredExperiment, DesignError, ExperimentDesign, ExperimentReport, ExperimentState,
    JudgedDay, Observations, RecordError, Records, judge_by_day, observe,
};
use bist_lifecycle::{ModelState, Signed};
use bist_market::Origin;
use bist_models::Horizon;
use bist_store::{ExperimentRecord, StoreError};
use jiff::civil::Date;
use serde::Serialize;

use crate::App;
use crate::reason::ReasonError;
use crate::registry::{Asked, RegistryError};
use crate::training::TrainingError;

pub use declaration::{ExperimentPlan, PlannedMode};
pub use following::ExperimentStep;
pub(crate) use served::put_arms;

/// Why an experiment could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// There is no such experiment.
    #[error("there is no experiment '{0}'; `bist experiments list` names what there is")]
    Unknown(String),
    /// The short name stands for several.
    #[error("'{name}' may be {}; write more of the name", .experiments.join(" or "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// What it may be.
        experiments: Vec<String>,
    },
    /// The name cannot be one.
    #[error(
        "'{0}' cannot be the name of an experiment; give 1 to 60 lower-case letters, digits and \
         hyphens that do not end in -watch, the name of what watches after a promotion"
    )]
    Name(String),
    /// Nothing is staged that could be compared.
    #[error(
        "no version that looks {} is staged; `bist models stage VERSION --reason TEXT` names a \
         challenger",
        .0.in_words()
    )]
    NoChallenger(Horizon),
    /// A challenger learned from other data than the champion.
    #[error(
        "{challenger} learned from {} data and the champion from {} data; compare versions of the \
         same",
        .of_challenger.as_str(),
        .of_champion.as_str()
    )]
    OtherOrigin {
        /// The challenger.
        challenger: String,
        /// Where its data come from.
        of_challenger: Origin,
        /// Where the data of the champion come from.
        of_champion: Origin,
    },
    /// No symbol is known to all arms.
    #[error(
        "there is no symbol that the champion and all challengers know; train them on the same"
    )]
    NoUnits,
    /// It is over.
    #[error("the experiment {id} is over: {}", .state.as_str().replace('_', " "))]
    Over {
        /// Which.
        id: String,
        /// How it ended.
        state: ExperimentState,
    },
    /// An arm could not forecast.
    #[error("{version} could not forecast: {reason}")]
    Arm {
        /// Which version.
        version: String,
        /// Why.
        reason: String,
    },
    /// The rule makes no sense.
    #[error(transparent)]
    Design(#[from] DesignError),
    /// The records cannot be.
    #[error("the records of the experiment cannot be: {0}; restore the database from a backup")]
    Records(#[from] RecordError),
    /// The reason is none.
    #[error(transparent)]
    Reason(#[from] ReasonError),
    /// A version is unknown, or cannot go where it is to go.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The bars or the file of a model are not good enough.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An experiment and what it says.
#[derive(Clone, Debug, Serialize)]
pub struct ExperimentView {
    /// Its name.
    pub id: String,
    /// How far ahead the forecasts look that are compared.
    #[serde(flatten, with = "bist_models::horizon::fields")]
    pub horizon: Horizon,
    /// Where it stands.
    pub state: ExperimentState,
    /// The rule.
    pub design: ExperimentDesign,
    /// The fingerprint of the rule.
    pub design_sha256: String,
    /// When it was declared, by whom and why.
    pub declared: Signed,
    /// When it ended, by whom and why; absent while it goes on.
    pub concluded: Option<Signed>,
    /// What it says, with every number.
    pub report: ExperimentReport,
    /// Forecasts of all arms.
    pub exposures_count: u64,
    /// Of those, the ones whose outcome is not known yet.
    pub open_count: u64,
    /// The first day with an outcome that is open.
    pub open_from: Option<Date>,
    /// What was known after each day that was judged.
    pub path: Vec<JudgedDay>,
}

/// The records of an experiment, joined.
struct Observed {
    observations: Observations,
    exposures_count: u64,
    open_count: u64,
}

impl App {
    /// The experiments of `horizon`, or of all, that stand at `state`, or anywhere; the newest first.
    ///
    /// # Errors
    ///
    /// [`ExperimentError`] when the rule or the records of one were changed from outside.
    pub async fn experiments(
        &self,
        horizon: Option<Horizon>,
        state: Option<ExperimentState>,
    ) -> Result<Vec<ExperimentView>, ExperimentError> {
        let mut views = Vec::new();
        for record in self.store.experiments(horizon).await? {
            if state.is_none_or(|state| record.state() == state) {
                views.push(self.experiment_view(record).await?);
            }
        }
        Ok(views)
    }

    /// The experiment called `name`: its name, or the beginning of it.
    ///
    /// # Errors
    ///
    /// [`ExperimentError`] when there is none, or several.
    pub async fn experiment(&self, name: &str) -> Result<ExperimentView, ExperimentError> {
        let record = self.find_experiment(name).await?;
        self.experiment_view(record).await
    }

    /// Ends the experiment called `name` without a decision: the champion stays.
    ///
    /// # Errors
    ///
    /// [`ExperimentError::Over`] when it is over, and as [`Self::experiment`].
    pub async fn stop_experiment(
        &self,
        name: &str,
        asked: Asked<'_>,
    ) -> Result<ExperimentView, ExperimentError> {
        let signed = self.signed(asked)?;
        let record = self.find_experiment(name).await?;
        let id = record.experiment.design().id.clone();
        let over = |state| ExperimentError::Over { id: id.clone(), state };
        if record.conclusion.is_some() {
            return Err(over(record.state()));
        }
        if self.end_undecided(&record, signed).await?.is_none() {
            return Err(over(self.find_experiment(&id).await?.state()));
        }
        self.experiment(&id).await
    }

    async fn find_experiment(&self, name: &str) -> Result<ExperimentRecord, ExperimentError> {
        if let Some(record) = self.store.experiment(name).await? {
            return Ok(record);
        }
        let mut found = self.store.experiments(None).await?;
        found.retain(|record| record.experiment.design().id.starts_with(name));
        match found.len() {
            0 => Err(ExperimentError::Unknown(name.to_owned())),
            1 => Ok(found.remove(0)),
            _ => Err(ExperimentError::Ambiguous {
                name: name.to_owned(),
                experiments: found
                    .into_iter()
                    .map(|one| one.experiment.design().id.clone())
                    .collect(),
            }),
        }
    }

    async fn experiment_view(
        &self,
        record: ExperimentRecord,
    ) -> Result<ExperimentView, ExperimentError> {
        let observed = self.observe_experiment(&record.experiment).await?;
        let (report, path) = judge_by_day(&record.experiment, &observed.observations);
        let state = record.state();
        let design = record.experiment.design().clone();
        // What it said when it ended stays, and is what the records say.
        let (concluded, kept) = match record.conclusion {
            Some(conclusion) => (Some(conclusion.signed), conclusion.report),
            None => (None, None),
        };
        Ok(ExperimentView {
            id: design.id.clone(),
            horizon: design.horizon,
            state,
            design_sha256: record.experiment.design_sha256().to_owned(),
            design,
            declared: record.declared,
            concluded,
            report: kept.unwrap_or(report),
            exposures_count: observed.exposures_count,
            open_count: observed.open_count,
            open_from: observed.observations.open_from,
            path,
        })
    }

    /// Joins the records of an experiment: as of the last day of which they tell, so that whoever
    /// looks sees the same.
    async fn observe_experiment(
        &self,
        experiment: &DeclaredExperiment,
    ) -> Result<Observed, ExperimentError> {
        let id = &experiment.design().id;
        let exposures = self.store.exposures(id).await?;
        let exposures: Vec<_> = exposures.into_iter().map(|record| record.exposure).collect();
        let outcomes = self.store.outcomes(id).await?;
        let days = exposures.iter().map(|exposure| exposure.day);
        let last = days.chain(outcomes.iter().map(|outcome| outcome.known_on)).max();
        let records = Records { exposures: &exposures, outcomes: &outcomes };
        let observations = observe(experiment, records, last.unwrap_or(Date::MIN))?;
        let (exposures, outcomes) = (exposures.len() as u64, outcomes.len() as u64);
        Ok(Observed {
            observations,
            exposures_count: exposures,
            open_count: exposures.saturating_sub(outcomes),
        })
    }

    /// Of `versions`, the ones that were in force once.
    async fn former_champions(
        &self,
        horizon: Horizon,
        versions: &[String],
    ) -> Result<BTreeSet<String>, StoreError> {
        let changes = self.store.state_changes(Some(horizon)).await?;
        let crowned = changes.into_iter().filter(|change| change.to == ModelState::Champion);
        Ok(crowned.map(|change| change.version).filter(|id| versions.contains(id)).collect())
    }
}
