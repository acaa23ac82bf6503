//! Instruments, and what the store holds of each.

use bist_market::{Instrument, Interval, Origin, Symbol};
use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::bars::instant_us;
use crate::error::StoreError;
use crate::pool::Store;

/// One line of the list of symbols.
#[derive(Clone, Debug, PartialEq)]
pub struct SymbolOverview {
    /// The instrument.
    pub instrument: Instrument,
    /// Intervals of its bars are listed one by one; this is one of them.
    pub interval: Interval,
    /// Which source the newest ingest of the symbol came from.
    pub source: String,
    /// When the newest ingest of the symbol was received.
    pub fetched_at: Timestamp,
}

impl Store {
    /// All symbols that have at least one bar, by name, one line an interval.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn symbol_overviews(&self) -> Result<Vec<SymbolOverview>, StoreError> {
        sqlx::query(
            "SELECT i.symbol, i.name, i.sector, i.origin, b.bar_interval, g.source,
                    g.received_at_us
             FROM instruments i
             JOIN (SELECT symbol, bar_interval, MAX(ingest_id) AS ingest_id FROM bars
                   GROUP BY symbol, bar_interval) b ON b.symbol = i.symbol
             JOIN ingests g ON g.id = b.ingest_id
             ORDER BY i.symbol, b.bar_interval",
        )
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(overview)
        .collect()
    }

    /// Whether the store holds real data, sample data, or nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn origin(&self) -> Result<Option<Origin>, StoreError> {
        let text: Option<String> = sqlx::query_scalar("SELECT MIN(origin) FROM instruments")
            .fetch_one(&self.reader)
            .await?;
        text.map(|text| origin(&text)).transpose()
    }

    /// The instruments, by symbol.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn instruments(&self) -> Result<Vec<Instrument>, StoreError> {
        sqlx::query("SELECT symbol, name, sector, origin FROM instruments ORDER BY symbol")
            .fetch_all(&self.reader)
            .await?
            .iter()
            .map(instrument)
            .collect()
    }
}

fn overview(row: &SqliteRow) -> Result<SymbolOverview, StoreError> {
    Ok(SymbolOverview {
        instrument: instrument(row)?,
        interval: interval(&row.try_get::<String, _>("bar_interval")?)?,
        source: row.try_get("source")?,
        fetched_at: instant_us(row.try_get("received_at_us")?)?,
    })
}

fn instrument(row: &SqliteRow) -> Result<Instrument, StoreError> {
    Ok(Instrument {
        symbol: symbol(&row.try_get::<String, _>("symbol")?)?,
        name: row.try_get("name")?,
        sector: row.try_get("sector")?,
        origin: origin(&row.try_get::<String, _>("origin")?)?,
    })
}

/// Reads a symbol that we wrote.
pub(crate) fn symbol(text: &str) -> Result<Symbol, StoreError> {
    Symbol::parse(text).map_err(|error| StoreError::Impossible(error.to_string()))
}

/// Reads an interval that we wrote.
pub(crate) fn interval(text: &str) -> Result<Interval, StoreError> {
    Interval::parse(text).map_err(|error| StoreError::Impossible(error.to_string()))
}

/// Reads an origin that we wrote.
pub(crate) fn origin(text: &str) -> Result<Origin, StoreError> {
    match text {
        "sample" => Ok(Origin::Sample),
        "market" => Ok(Origin::Market),
        other => Err(StoreError::Impossible(format!("origin '{other}'"))),
    }
}
