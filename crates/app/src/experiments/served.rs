//! What is shown while units are split among the arms.

use bist_lifecycle::ModelVersion;
use bist_lifecycle::experiment::{DeclaredExperiment, Mode};
use bist_market::Symbol;
use bist_models::Horizon;
use bist_store::StoreError;

use crate::App;
use crate::training::TrainingError;

impl App {
    /// The experiment by which what is shown for `horizon` is split among its arms, while `champion`
    /// is the one that it compares with.
    ///
    /// An experiment whose rule was changed from outside splits nothing: the champion is shown.
    pub(crate) async fn split_experiment(
        &self,
        horizon: Horizon,
        champion: &ModelVersion,
    ) -> Result<Option<DeclaredExperiment>, StoreError> {
        let running = match self.store.running_experiment(horizon).await {
            Ok(running) => running,
            Err(error @ StoreError::ExperimentChanged(_)) => {
                tracing::warn!(%error, "{error}; the champion is shown");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let experiment = running.map(|record| record.experiment);
        Ok(experiment.filter(|experiment| {
            let design = experiment.design();
            matches!(design.mode, Mode::Split { .. }) && design.champion == champion.id
        }))
    }

    /// The version whose word is shown of `symbol`.
    pub(crate) async fn version_shown(
        &self,
        horizon: Horizon,
        symbol: Symbol,
    ) -> Result<ModelVersion, TrainingError> {
        let champion = self.champion(horizon).await?;
        let Some(shown) = self.signals(horizon, Some(symbol)).await?.pop() else {
            return Ok(champion);
        };
        if shown.model_version == champion.id {
            return Ok(champion);
        }
        Ok(self.store.model_version(&shown.model_version).await?.unwrap_or(champion))
    }
}

/// Puts in the place of what the champion said of a symbol what the arm of the symbol said of the
/// same moment; while that has not spoken, the champion's word stands.
pub(crate) fn put_arms<T>(
    experiment: &DeclaredExperiment,
    of_champion: &mut [T],
    of_arms: Vec<(String, Vec<T>)>,
    key_of: impl Fn(&T) -> (Symbol, String),
) {
    for (arm, said) in of_arms {
        for one in said {
            let key = key_of(&one);
            if experiment.assign(key.0.as_str()) != arm {
                continue;
            }
            if let Some(place) = of_champion.iter_mut().find(|other| key_of(other) == key) {
                *place = one;
            }
        }
    }
}
