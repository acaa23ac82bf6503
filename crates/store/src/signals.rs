//! Forecasts, signals and explanations, as they were given.

use bist_lifecycle::{Explanation, Forecast};
use bist_market::session_hours::moment_text;
use bist_market::{Origin, Price, Symbol};
use bist_trading::signal::Signal;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::columns::{document, json};
use crate::error::StoreError;
use crate::pool::Store;

/// A forecast with where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastRecord {
    /// Whether the data behind it are real.
    pub origin: Origin,
    /// The model that made it.
    pub model_version: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The close it starts from.
    pub last_close: Price,
    /// What it says.
    pub forecast: Forecast,
}

/// A signal with where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignalRecord {
    /// Its name: model version, symbol, and the day or moment as of which it is.
    pub id: String,
    /// Whether the data behind it are real.
    pub origin: Origin,
    /// The model behind it.
    pub model_version: String,
    /// Hash of the bars behind it.
    pub snapshot_hash: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// What it says.
    pub signal: Signal,
}

impl Store {
    /// Keeps forecasts, signals and their explanations, all or none; one of the same model, symbol
    /// and day or moment is replaced.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    ///
    /// # Panics
    ///
    /// When there is not one explanation for each signal.
    pub async fn save_signals(
        &self,
        forecasts: &[ForecastRecord],
        signals: &[SignalRecord],
        explanations: &[Explanation],
    ) -> Result<(), StoreError> {
        assert_eq!(signals.len(), explanations.len(), "each signal is explained");
        let mut transaction = self.writer.begin().await?;
        for record in forecasts {
            sqlx::query(
                "INSERT INTO forecasts (symbol, model_version, as_of, made_at_us, document)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (symbol, model_version, as_of) DO UPDATE SET
                     made_at_us = EXCLUDED.made_at_us, document = EXCLUDED.document",
            )
            .bind(record.forecast.symbol.to_string())
            .bind(&record.model_version)
            .bind(moment_text(record.forecast.as_of, record.forecast.as_of_time))
            .bind(record.made_at.as_microsecond())
            .bind(json("forecast", record)?)
            .execute(&mut *transaction)
            .await?;
        }
        for (record, explanation) in signals.iter().zip(explanations) {
            sqlx::query(
                "INSERT INTO signals (id, symbol, model_version, as_of, made_at_us, document)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (id) DO UPDATE SET
                     made_at_us = EXCLUDED.made_at_us, document = EXCLUDED.document",
            )
            .bind(&record.id)
            .bind(record.signal.symbol.to_string())
            .bind(&record.model_version)
            .bind(moment_text(record.signal.as_of, record.signal.as_of_time))
            .bind(record.made_at.as_microsecond())
            .bind(json("signal", record)?)
            .execute(&mut *transaction)
            .await?;
            sqlx::query(
                "INSERT INTO explanations (signal_id, document) VALUES ($1, $2)
                 ON CONFLICT (signal_id) DO UPDATE SET document = EXCLUDED.document",
            )
            .bind(&record.id)
            .bind(json("explanation", explanation)?)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The newest forecast that `model_version` made of each symbol (or of `symbol` alone).
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn latest_forecasts(
        &self,
        model_version: &str,
        symbol: Option<Symbol>,
    ) -> Result<Vec<ForecastRecord>, StoreError> {
        sqlx::query(
            "SELECT f.document FROM forecasts f
             JOIN (SELECT symbol, MAX(as_of) AS as_of FROM forecasts
                   WHERE model_version = $1 GROUP BY symbol) newest
               ON newest.symbol = f.symbol AND newest.as_of = f.as_of
             WHERE f.model_version = $1 AND ($2 IS NULL OR f.symbol = $2) ORDER BY f.symbol",
        )
        .bind(model_version)
        .bind(symbol.map(|symbol| symbol.to_string()))
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| document("forecast", row))
        .collect()
    }

    /// The newest signal that `model_version` gave of each symbol (or of `symbol` alone).
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn latest_signals(
        &self,
        model_version: &str,
        symbol: Option<Symbol>,
    ) -> Result<Vec<SignalRecord>, StoreError> {
        sqlx::query(
            "SELECT s.document FROM signals s
             JOIN (SELECT symbol, MAX(as_of) AS as_of FROM signals
                   WHERE model_version = $1 GROUP BY symbol) newest
               ON newest.symbol = s.symbol AND newest.as_of = s.as_of
             WHERE s.model_version = $1 AND ($2 IS NULL OR s.symbol = $2) ORDER BY s.symbol",
        )
        .bind(model_version)
        .bind(symbol.map(|symbol| symbol.to_string()))
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| document("signal", row))
        .collect()
    }

    /// The signal named `id`, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn signal(&self, id: &str) -> Result<Option<SignalRecord>, StoreError> {
        sqlx::query("SELECT document FROM signals WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.reader)
            .await?
            .map(|row| document("signal", &row))
            .transpose()
    }

    /// Why the signal named `signal_id` says what it says; `None` for one from before explanations
    /// were kept.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn explanation(&self, signal_id: &str) -> Result<Option<Explanation>, StoreError> {
        sqlx::query("SELECT document FROM explanations WHERE signal_id = $1")
            .bind(signal_id)
            .fetch_optional(&self.reader)
            .await?
            .map(|row| document("explanation", &row))
            .transpose()
    }
}
