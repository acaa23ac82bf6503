//! Model versions, and what the one in force says.

use bist_lifecycle::model_version::ModelVersion;
use bist_market::Symbol;
use bist_models::Horizon;
use bist_store::{ForecastRecord, SignalRecord, StoreError};

use crate::App;

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

    /// The newest forecast of each symbol, or of `symbol` alone, by the champion for `horizon`; none
    /// without a champion.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn forecasts(
        &self,
        horizon: Horizon,
        symbol: Option<Symbol>,
    ) -> Result<Vec<ForecastRecord>, StoreError> {
        match self.store.champion(horizon).await? {
            Some(champion) => self.store.latest_forecasts(&champion.id, symbol).await,
            None => Ok(Vec::new()),
        }
    }

    /// The newest signal of each symbol, or of `symbol` alone, by the champion for `horizon`; none
    /// without a champion.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn signals(
        &self,
        horizon: Horizon,
        symbol: Option<Symbol>,
    ) -> Result<Vec<SignalRecord>, StoreError> {
        match self.store.champion(horizon).await? {
            Some(champion) => self.store.latest_signals(&champion.id, symbol).await,
            None => Ok(Vec::new()),
        }
    }
}
