//! Bars as received, with everything the validator needs beside them.

use std::collections::BTreeMap;

use bist_market::corporate_action::CorporateAction;
use bist_market::refused_row::RefusedRow;
use bist_market::validate::Received;
use bist_market::{BarSeries, Interval, RawBar, Source, Symbol};
use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::instruments::{interval, symbol};
use crate::pool::Store;

/// Bars, refused rows and corporate actions of the symbol `$1` at the interval `$2`.
const OF_ONE_SYMBOL: [&str; 3] = [
    "SELECT symbol, opened_at, open_units, high_units, low_units, close_units, adjusted_close,
            volume_shares
     FROM bars WHERE symbol = $1 AND bar_interval = $2 ORDER BY opened_at",
    "SELECT symbol, document FROM refused_rows WHERE symbol = $1 AND bar_interval = $2
     ORDER BY file, line",
    "SELECT symbol, document FROM corporate_actions WHERE symbol = $1
     ORDER BY effective_on, ordinal",
];

/// The same of all symbols at the interval `$1`.
const OF_ALL_SYMBOLS: [&str; 3] = [
    "SELECT symbol, opened_at, open_units, high_units, low_units, close_units, adjusted_close,
            volume_shares
     FROM bars WHERE bar_interval = $1 ORDER BY symbol, opened_at",
    "SELECT symbol, document FROM refused_rows WHERE symbol IS NOT NULL AND bar_interval = $1
     ORDER BY file, line",
    "SELECT symbol, document FROM corporate_actions ORDER BY symbol, effective_on, ordinal",
];

impl Store {
    /// Everything received for `symbol` at `interval`, ready for the validator; `None` when nothing
    /// was.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn received(
        &self,
        wanted: Symbol,
        wanted_interval: Interval,
    ) -> Result<Option<Received>, StoreError> {
        let all = self.received_where(Some(wanted), wanted_interval).await?;
        Ok(all.into_iter().next())
    }

    /// Everything received at `interval`, one entry a symbol, by symbol.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn received_all(&self, interval: Interval) -> Result<Vec<Received>, StoreError> {
        self.received_where(None, interval).await
    }

    async fn received_where(
        &self,
        wanted: Option<Symbol>,
        wanted_interval: Interval,
    ) -> Result<Vec<Received>, StoreError> {
        let interval_text = wanted_interval.to_string();
        // One text for one symbol and one for all, so that each is answered from the primary key.
        let [bars_text, refused_text, actions_text] =
            if wanted.is_some() { OF_ONE_SYMBOL } else { OF_ALL_SYMBOLS };
        let name = wanted.map(|symbol| symbol.to_string());
        // One snapshot, so that a running ingest is seen wholly or not at all.
        let mut transaction = self.reader.begin().await?;
        let mut rows = Vec::with_capacity(3);
        for (text, takes_interval) in
            [(bars_text, true), (refused_text, true), (actions_text, false)]
        {
            let mut query = sqlx::query(text);
            if let Some(name) = &name {
                query = query.bind(name);
            }
            if takes_interval {
                query = query.bind(&interval_text);
            }
            rows.push(query.fetch_all(&mut *transaction).await?);
        }
        let actions = rows.pop().unwrap_or_default();
        let refused = rows.pop().unwrap_or_default();
        let bars = rows.pop().unwrap_or_default();
        transaction.commit().await?;

        let mut received: BTreeMap<Symbol, Received> = BTreeMap::new();
        let empty = |symbol| {
            let series = BarSeries { symbol, interval: wanted_interval, bars: Vec::new() };
            Received::bars(series, Source::CSV)
        };
        for row in &bars {
            let symbol = symbol(row.try_get("symbol")?)?;
            let entry = received.entry(symbol).or_insert_with(|| empty(symbol));
            entry.series.bars.push(raw_bar(row)?);
        }
        for row in &refused {
            let symbol = symbol(row.try_get("symbol")?)?;
            let refused: RefusedRow = document("refused row", row)?;
            received.entry(symbol).or_insert_with(|| empty(symbol)).refused.push(refused);
        }
        for row in &actions {
            let action: CorporateAction = document("corporate action", row)?;
            if let Some(entry) = received.get_mut(&symbol(row.try_get("symbol")?)?) {
                entry.actions.push(action);
            }
        }
        Ok(received.into_values().collect())
    }

    /// The intervals for which bars or refused rows are stored, by symbol.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn series_keys(&self) -> Result<Vec<(Symbol, Interval)>, StoreError> {
        sqlx::query(
            "SELECT symbol, bar_interval FROM bars
             UNION SELECT symbol, bar_interval FROM refused_rows WHERE symbol IS NOT NULL
             ORDER BY 1, 2",
        )
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| Ok((symbol(row.try_get("symbol")?)?, interval(row.try_get("bar_interval")?)?)))
        .collect()
    }
}

/// A bar of a row with the columns of `bars`.
pub(crate) fn raw_bar(row: &SqliteRow) -> Result<RawBar, StoreError> {
    Ok(RawBar {
        opened_at: instant(row.try_get("opened_at")?)?,
        open_units: row.try_get("open_units")?,
        high_units: row.try_get("high_units")?,
        low_units: row.try_get("low_units")?,
        close_units: row.try_get("close_units")?,
        adjusted_close: row.try_get("adjusted_close")?,
        volume_shares: row.try_get("volume_shares")?,
    })
}

/// The column `document` of `row`, read as JSON.
pub(crate) fn document<T: serde::de::DeserializeOwned>(
    what: &'static str,
    row: &SqliteRow,
) -> Result<T, StoreError> {
    let text: &str = row.try_get("document")?;
    serde_json::from_str(text).map_err(|source| StoreError::Document { what, source })
}

/// `value` as the JSON of a column.
pub(crate) fn json<T: serde::Serialize>(
    what: &'static str,
    value: &T,
) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Document { what, source })
}

/// An instant of a column in seconds.
pub(crate) fn instant(second: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(second).map_err(|error| StoreError::Impossible(error.to_string()))
}

/// An instant of a column in microseconds.
pub(crate) fn instant_us(microsecond: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(microsecond)
        .map_err(|error| StoreError::Impossible(error.to_string()))
}
