//! The rule of an experiment, from what a person says of it.

use std::sync::Arc;

use bist_lifecycle::experiment::{
    BLOCKS_MIN, Blocks, Covariate, ExperimentDesign, Guardrail, Metric, Mode, WATCH_SUFFIX,
};
use bist_lifecycle::{ModelState, ModelVersion};
use bist_market::bar::day_of;
use bist_models::{Horizon, Panel};
use bist_store::StoreError;
use jiff::civil::Date;

use super::{ExperimentError, ExperimentView};
use crate::App;
use crate::progress::ProgressSink;
use crate::registry::Asked;
use crate::training::known_symbols;

/// Fewest judged days before a decision, where the horizon does not ask for more.
const DAYS_MIN: u32 = 60;

/// Judged days after which an experiment ends without a decision, where nothing else is said.
const DAYS_MAX: u32 = 500;

/// Judged days over which a champion that was replaced is watched, where nothing else is said.
const WATCH_DAYS: u32 = 250;

/// By how much the Brier score may be worse, where nothing else is said.
const BRIER_LOSS_MAX: f64 = 0.01;

/// By how much the coverage of the band may be farther from what it promises, where nothing else is
/// said: shares.
const COVERAGE_LOSS_MAX: f64 = 0.05;

/// What CUPED takes off.
const COVARIATE: &str = "volatility of the last 20 bars";

/// Sessions before the declaration over which the mean of the covariate is taken.
const COVARIATE_SESSIONS: usize = 250;

/// Longest name of an experiment: what watches after it has a name of its own.
const NAME_LENGTH_MAX: usize = 60;

/// Who is shown what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlannedMode {
    /// All arms forecast, the champion is shown.
    Shadow,
    /// Each symbol is shown one arm, in proportion to these weights: the champion, then the
    /// challengers; all alike, where there are none.
    Split(Vec<u32>),
}

/// What a person says of an experiment; what is left open has a default.
#[derive(Clone, Debug)]
pub struct ExperimentPlan {
    /// How far ahead the forecasts look.
    pub horizon: Horizon,
    /// Its name; one of the horizon and the day, where none is given.
    pub name: Option<String>,
    /// The challengers, by name as in the registry; all that are staged, when empty.
    pub challengers: Vec<String>,
    /// Who is shown what.
    pub mode: PlannedMode,
    /// What decides.
    pub metric: Metric,
    /// The probability of an error.
    pub error_level: f64,
    /// Judged days before a decision.
    pub days_min: Option<u32>,
    /// Judged days after which it ends.
    pub days_max: Option<u32>,
    /// The improvement that is asked for.
    pub improvement_min: f64,
    /// The guardrails; those of Brier score and coverage, where none are given.
    pub guardrails: Option<Vec<Guardrail>>,
    /// The share of forecasts that an arm may lack.
    pub missing_share_max: f64,
    /// Judged days over which a champion that is replaced is watched; zero for none.
    pub watch_days: Option<u32>,
    /// Whether CUPED takes off what the volatility of the days before tells.
    pub cuped: bool,
}

impl ExperimentPlan {
    /// With everything left open.
    pub const fn of(horizon: Horizon) -> Self {
        Self {
            horizon,
            name: None,
            challengers: Vec::new(),
            mode: PlannedMode::Shadow,
            metric: Metric::RankIc,
            error_level: 0.05,
            days_min: None,
            days_max: None,
            improvement_min: 0.0,
            guardrails: None,
            missing_share_max: 0.01,
            watch_days: None,
            cuped: false,
        }
    }

    /// The days before which nothing is decided, after which it ends, and over which what is
    /// replaced is watched.
    fn days(&self) -> (u32, u32, u32) {
        let least = DAYS_MIN.max(Blocks::days_of(self.horizon, BLOCKS_MIN));
        let days_min = self.days_min.unwrap_or(least);
        let days_max = self.days_max.unwrap_or_else(|| DAYS_MAX.max(2 * days_min));
        (days_min, days_max, self.watch_days.unwrap_or_else(|| WATCH_DAYS.max(days_min)))
    }

    fn guardrails(&self) -> Vec<Guardrail> {
        if let Some(guardrails) = &self.guardrails {
            return guardrails.clone();
        }
        let of = |metric, loss_max| Guardrail { metric, loss_max };
        let usual =
            [of(Metric::Brier, BRIER_LOSS_MAX), of(Metric::CoverageError, COVERAGE_LOSS_MAX)];
        let fits = |guardrail: &Guardrail| {
            guardrail.metric != self.metric
                && (self.mode == PlannedMode::Shadow || guardrail.metric != Metric::CoverageError)
        };
        usual.into_iter().filter(fits).collect()
    }

    fn mode(&self, challengers_count: usize) -> Mode {
        match &self.mode {
            PlannedMode::Shadow => Mode::Shadow,
            PlannedMode::Split(weights) if weights.is_empty() => {
                Mode::Split { weights: vec![1; challengers_count + 1] }
            }
            PlannedMode::Split(weights) => Mode::Split { weights: weights.clone() },
        }
    }
}

impl App {
    /// Declares an experiment: the champion of the horizon is the control, and the challengers are
    /// versions that are staged and whose files are the ones that were trained. The rule is kept
    /// with its fingerprint before anything is seen.
    ///
    /// # Errors
    ///
    /// [`ExperimentError`] tells what makes no sense or does not stand where it must.
    pub async fn declare_experiment(
        &self,
        plan: &ExperimentPlan,
        asked: Asked<'_>,
        progress: Arc<ProgressSink>,
    ) -> Result<ExperimentView, ExperimentError> {
        let signed = self.signed(asked)?;
        let champion = self.champion(plan.horizon).await?;
        let challengers = self.challengers(plan).await?;
        for version in std::iter::once(&champion).chain(&challengers) {
            self.fitted_model(version).await?;
        }
        check_arms(&champion, &challengers)?;
        let (days_min, days_max, watch_days) = plan.days();
        let design = ExperimentDesign {
            id: self.experiment_name(plan, day_of(signed.at)).await?,
            horizon: plan.horizon,
            challengers: challengers.iter().map(|version| version.id.clone()).collect(),
            mode: plan.mode(challengers.len()),
            metric: plan.metric,
            error_level: plan.error_level,
            days_min,
            days_max,
            improvement_min: plan.improvement_min,
            guardrails: plan.guardrails(),
            covariate: match plan.cuped {
                true => Some(self.covariate(&champion, &*progress).await?),
                false => None,
            },
            missing_share_max: plan.missing_share_max,
            watch_days,
            champion: champion.id,
        };
        let id = design.id.clone();
        self.store.declare_experiment(&design.declare()?, &signed, &self.audit().await?).await?;
        self.experiment(&id).await
    }

    /// The versions that `plan` names, or all that are staged for its horizon.
    async fn challengers(
        &self,
        plan: &ExperimentPlan,
    ) -> Result<Vec<ModelVersion>, ExperimentError> {
        let mut challengers = Vec::new();
        if plan.challengers.is_empty() {
            challengers = self.store.model_versions().await?;
            challengers.retain(|version| {
                version.state == ModelState::Staged && version.evaluation.horizon == plan.horizon
            });
            challengers.sort_by(|one, other| one.id.cmp(&other.id));
            if challengers.is_empty() {
                return Err(ExperimentError::NoChallenger(plan.horizon));
            }
        }
        for name in &plan.challengers {
            challengers.push(self.find_model(name, plan.horizon).await?);
        }
        Ok(challengers)
    }

    /// The name that `plan` gives, or one of the horizon and the day that is not taken.
    async fn experiment_name(
        &self,
        plan: &ExperimentPlan,
        today: Date,
    ) -> Result<String, ExperimentError> {
        if let Some(name) = &plan.name {
            let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
            let is_name = (1..=NAME_LENGTH_MAX).contains(&name.len())
                && name.bytes().all(fits)
                && !name.ends_with(WATCH_SUFFIX);
            return if is_name {
                Ok(name.clone())
            } else {
                Err(ExperimentError::Name(name.clone()))
            };
        }
        let first = format!("{}-{today}", plan.horizon);
        let (mut name, mut number) = (first.clone(), 2_u32);
        while self.store.experiment(&name).await?.is_some() {
            name = format!("{first}-{number}");
            number += 1;
        }
        Ok(name)
    }

    /// The volatility of the symbols of `champion` with its mean over the last sessions.
    async fn covariate(
        &self,
        champion: &ModelVersion,
        progress: &ProgressSink,
    ) -> Result<Covariate, ExperimentError> {
        let spec = &champion.lineage.spec;
        let asked = [(spec.horizon, spec.features)];
        let admitted = self.admit(Some(&known_symbols(champion)), &asked, progress).await?;
        let mean = mean_volatility(&admitted.panels[0]);
        Ok(Covariate { name: COVARIATE.to_owned(), mean })
    }
}

/// The mean volatility of all rows of the last sessions; zero without any.
fn mean_volatility(panel: &Panel) -> f64 {
    let mut days: Vec<Date> = panel.known.keys.iter().map(|key| key.day).collect();
    days.dedup();
    let first = days[days.len().saturating_sub(COVARIATE_SESSIONS)..].first().copied();
    let rows = panel.known.keys.iter().zip(&panel.targets.volatility);
    let known = rows.filter(|(key, known)| Some(key.day) >= first && known.is_finite());
    let (sum, count) =
        known.fold((0.0, 0.0), |(sum, count), (_, known)| (sum + known, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// Arms are compared on the symbols that all of them know, of the same data.
fn check_arms(
    champion: &ModelVersion,
    challengers: &[ModelVersion],
) -> Result<(), ExperimentError> {
    let mut units = known_symbols(champion);
    for challenger in challengers {
        let &ModelVersion { ref id, origin, state, .. } = challenger;
        if state != ModelState::Staged
            || challenger.evaluation.horizon != champion.evaluation.horizon
        {
            return Err(StoreError::NotStaged { id: id.clone(), state }.into());
        }
        if origin != champion.origin {
            return Err(ExperimentError::OtherOrigin {
                challenger: id.clone(),
                of_challenger: origin,
                of_champion: champion.origin,
            });
        }
        let known = known_symbols(challenger);
        units.retain(|symbol| known.contains(symbol));
    }
    if units.is_empty() { Err(ExperimentError::NoUnits) } else { Ok(()) }
}
