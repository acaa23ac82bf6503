//! Model versions, and what the one in force says.

use bist_lifecycle::model_version::ModelVersion;
use bist_market::Symbol;
use bist_market::session_hours::moment_text;
use bist_models::Horizon;
use bist_store::{ForecastRecord, SignalRecord, StoreError};

use crate::App;
use crate::experiments::put_arms;
use crate::signals::signal_moment;

impl App {
    /// All model versions, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn model_versions(&self) -> Result<Vec<ModelVersion>, StoreError> {
        self.store.model_versions().await
    }

    /// The version named `id`, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn model_version(&self, id: &str) -> Result<Option<ModelVersion>, StoreError> {
        self.store.model_version(id).await
    }

    /// The signal named `id`, if it was ever given.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn signal(&self, id: &str) -> Result<Option<SignalRecord>, StoreError> {
        self.store.signal(id).await
    }

    /// The newest forecast of each symbol, or of `symbol` alone, by the champion for `horizon`, or,
    /// while an experiment splits the symbols, by the arm that each belongs to; none without a
    /// champion.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn forecasts(
        &self,
        horizon: Horizon,
        symbol: Option<Symbol>,
    ) -> Result<Vec<ForecastRecord>, StoreError> {
        let Some(champion) = self.store.champion(horizon).await? else { return Ok(Vec::new()) };
        let mut forecasts = self.store.latest_forecasts(&champion.id, symbol).await?;
        if let Some(experiment) = self.split_experiment(horizon, &champion).await? {
            let mut of_arms = Vec::new();
            for arm in &experiment.design().challengers {
                of_arms.push((arm.clone(), self.store.latest_forecasts(arm, symbol).await?));
            }
            let moment = |record: &ForecastRecord| {
                let forecast = &record.forecast;
                (forecast.symbol, moment_text(forecast.as_of, forecast.as_of_time))
            };
            put_arms(&experiment, &mut forecasts, of_arms, moment);
        }
        Ok(forecasts)
    }

    /// The newest signal of each symbol, or of `symbol` alone, by the champion for `horizon`, or,
    /// while an experiment splits the symbols, by the arm that each belongs to; none without a
    /// champion.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn signals(
        &self,
        horizon: Horizon,
        symbol: Option<Symbol>,
    ) -> Result<Vec<SignalRecord>, StoreError> {
        let Some(champion) = self.store.champion(horizon).await? else { return Ok(Vec::new()) };
        let mut signals = self.store.latest_signals(&champion.id, symbol).await?;
        if let Some(experiment) = self.split_experiment(horizon, &champion).await? {
            let mut of_arms = Vec::new();
            for arm in &experiment.design().challengers {
                of_arms.push((arm.clone(), self.store.latest_signals(arm, symbol).await?));
            }
            put_arms(&experiment, &mut signals, of_arms, signal_moment);
        }
        Ok(signals)
    }
}
