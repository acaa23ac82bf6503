//! Instruments: what is known of a symbol besides its prices.

use std::collections::BTreeMap;

use bist_market::{Instrument, Origin, Symbol};

use crate::bulk::{ROWS_PER_STATEMENT, values};
use crate::columns::{origin, symbol};
use crate::db::{AssertSqlSafe, Connection, Row, query, query_scalar};
use crate::error::StoreError;
use crate::ingests::IngestFile;
use crate::pool::Store;

impl Store {
    /// Whether the store holds real data, sample data, or nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn origin(&self) -> Result<Option<Origin>, StoreError> {
        let mut connection = self.reader.acquire().await?;
        held_origin(&mut connection).await
    }

    /// The instruments, by symbol.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn instruments(&self) -> Result<Vec<Instrument>, StoreError> {
        query("SELECT symbol, name, sector, origin FROM instruments ORDER BY symbol")
            .fetch_all(&self.reader)
            .await?
            .iter()
            .map(instrument)
            .collect()
    }
}

/// Where what the store holds comes from; the two origins never lie side by side.
pub(crate) async fn held_origin(connection: &mut Connection) -> Result<Option<Origin>, StoreError> {
    let text: Option<String> = query_scalar("SELECT origin FROM ingests ORDER BY id LIMIT 1")
        .fetch_optional(connection)
        .await?;
    text.map(|text| origin(&text)).transpose()
}

/// Keeps what `file` says of instruments, and makes those that its content mentions.
pub(crate) async fn save(
    connection: &mut Connection,
    file: &IngestFile,
    origin: Origin,
) -> Result<(), StoreError> {
    let unnamed = |symbol| Instrument { symbol, name: None, sector: None, origin };
    let mut instruments: BTreeMap<Symbol, Instrument> =
        file.symbols().map(|symbol| (symbol, unnamed(symbol))).collect();
    instruments.extend(file.instruments.iter().map(|named| (named.symbol, named.clone())));

    let instruments: Vec<Instrument> = instruments.into_values().collect();
    for rows in instruments.chunks(ROWS_PER_STATEMENT) {
        let text = format!(
            "INSERT INTO instruments (origin, symbol, name, sector) {}
             ON CONFLICT (symbol) DO UPDATE SET
                 name = COALESCE(EXCLUDED.name, instruments.name),
                 sector = COALESCE(EXCLUDED.sector, instruments.sector)",
            values(1, 3, rows.len())
        );
        let mut query = query(AssertSqlSafe(text)).bind(origin.as_str());
        for row in rows {
            query = query.bind(row.symbol.as_str()).bind(&row.name).bind(&row.sector);
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The instrument of a row with the columns of `instruments`.
pub(crate) fn instrument(row: &Row) -> Result<Instrument, StoreError> {
    Ok(Instrument {
        symbol: symbol(row)?,
        name: row.try_get("name")?,
        sector: row.try_get("sector")?,
        origin: origin(row.try_get("origin")?)?,
    })
}
