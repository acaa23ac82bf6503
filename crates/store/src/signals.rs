//! Forecasts, signals and explanations, as they were given.

use std::collections::BTreeSet;

use bist_access::AuditAction;
use bist_lifecycle::{Explanation, Forecast};
use bist_market::session_hours::moment_text;
use bist_market::{Origin, Price, Symbol};
use bist_trading::signal::Signal;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit::{Audit, AuditNote, append};
use crate::columns::{document, json as text};
use crate::db::{Connection, query};
use crate::error::StoreError;
use crate::pool::Store;
use crate::signal_scores::serve;

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

/// When signals that are kept go on record as served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// Together with being kept.
    AtOnce,
    /// By [`Store::serve_signals`], when it is known which of them are shown.
    Afterwards,
}

/// The name of the signal that `model_version` gives of `symbol` as of a day or moment.
pub fn signal_id(model_version: &str, symbol: Symbol, as_of: Date, time: Option<Time>) -> String {
    format!("{model_version}-{symbol}-{}", moment_text(as_of, time))
}

impl Store {
    /// Keeps forecasts, signals and their explanations, all or none, and puts each new one on record.
    ///
    /// A signal of the same model, symbol and day or moment that says the same leaves everything about
    /// it as it was. One that says something else is in force from then on, with its forecast and
    /// explanation; the record of served signals keeps both if both were served. Returns the signals as
    /// they are kept.
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
        serving: Serving,
        audit: &Audit,
    ) -> Result<Vec<SignalRecord>, StoreError> {
        assert_eq!(signals.len(), explanations.len(), "each signal is explained");
        let mut transaction = self.writer.begin_alone().await?;
        let (mut kept, mut new) = (Vec::with_capacity(signals.len()), Vec::new());
        let mut as_before = BTreeSet::new();
        for (record, explanation) in signals.iter().zip(explanations) {
            let before = kept_signal(&mut transaction, &record.id).await?;
            if let Some(before) = before
                && says_the_same(&before, record)?
            {
                as_before.insert(record.id.as_str());
                kept.push(before);
            } else {
                new.push((record, explanation));
                kept.push(record.clone());
            }
        }
        let is_new = |record: &&ForecastRecord| {
            let ForecastRecord { model_version, forecast, .. } = record;
            let id = signal_id(model_version, forecast.symbol, forecast.as_of, forecast.as_of_time);
            !as_before.contains(id.as_str())
        };
        for record in forecasts.iter().filter(is_new) {
            query(
                "INSERT INTO forecasts (symbol, model_version, as_of, made_at_us, document)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (symbol, model_version, as_of) DO UPDATE SET
                     made_at_us = EXCLUDED.made_at_us, document = EXCLUDED.document",
            )
            .bind(record.forecast.symbol.to_string())
            .bind(&record.model_version)
            .bind(moment_text(record.forecast.as_of, record.forecast.as_of_time))
            .bind(record.made_at.as_microsecond())
            .bind(text("forecast", record)?)
            .execute(&mut *transaction)
            .await?;
        }
        for (record, explanation) in &new {
            query(
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
            .bind(text("signal", record)?)
            .execute(&mut *transaction)
            .await?;
            query(
                "INSERT INTO explanations (signal_id, document) VALUES ($1, $2)
                 ON CONFLICT (signal_id) DO UPDATE SET document = EXCLUDED.document",
            )
            .bind(&record.id)
            .bind(text("explanation", explanation)?)
            .execute(&mut *transaction)
            .await?;
        }
        let notes = new.iter().map(|(record, _)| audit_note(record)).collect();
        append(&mut transaction, audit, notes).await?;
        if serving == Serving::AtOnce {
            serve(&mut transaction, &kept).await?;
        }
        transaction.commit().await?;
        Ok(kept)
    }

    /// The forecast behind the signal `record`; `None` when it is not kept.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn forecast_behind(
        &self,
        record: &SignalRecord,
    ) -> Result<Option<ForecastRecord>, StoreError> {
        let signal = &record.signal;
        let row = query(
            "SELECT document FROM forecasts
             WHERE symbol = $1 AND model_version = $2 AND as_of = $3",
        )
        .bind(signal.symbol.to_string())
        .bind(&record.model_version)
        .bind(moment_text(signal.as_of, signal.as_of_time))
        .fetch_optional(&self.reader)
        .await?;
        row.as_ref().map(|row| document("forecast", row)).transpose()
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
        query(
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
        query(
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
        query("SELECT document FROM signals WHERE id = $1")
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
        query("SELECT document FROM explanations WHERE signal_id = $1")
            .bind(signal_id)
            .fetch_optional(&self.reader)
            .await?
            .map(|row| document("explanation", &row))
            .transpose()
    }
}

/// The newest issue of the signal `id`.
async fn kept_signal(
    connection: &mut Connection,
    id: &str,
) -> Result<Option<SignalRecord>, StoreError> {
    query("SELECT document FROM signals WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?
        .map(|row| document("signal", &row))
        .transpose()
}

fn audit_note(record: &SignalRecord) -> AuditNote {
    let SignalRecord { id, origin, snapshot_hash, signal, .. } = record;
    let details = [
        ("origin", json!(origin)),
        ("snapshot_hash", json!(snapshot_hash)),
        ("action", json!(signal.action)),
        ("probability_up", json!(signal.probability_up)),
        ("expected_return_share", json!(signal.expected_return_share)),
    ];
    AuditNote::new(AuditAction::SignalMade, format!("signal:{id}"), details)
}

/// Whether two issues of a signal differ only in when they were made, and from which bars.
pub(crate) fn says_the_same(one: &SignalRecord, other: &SignalRecord) -> Result<bool, StoreError> {
    Ok(text("signal", &one.signal)? == text("signal", &other.signal)?)
}
