//! What sources say of symbols on days: index membership, measures, segments.

use std::collections::BTreeMap;

use bist_market::index_membership::ShareIndex;
use bist_market::{DatedInstrumentDay, Source, Symbol};
use jiff::civil::Date;

use crate::bulk::{ROWS_PER_STATEMENT, values};
use crate::columns::{day, document, json, source, symbol};
use crate::db::{AssertSqlSafe, Connection, Row, query};
use crate::error::StoreError;
use crate::ingests::Ingest;
use crate::pool::Store;
use crate::preference::rank;

/// What one source says of a symbol on a day.
#[derive(Clone, Debug, PartialEq)]
pub struct InstrumentDayRecord {
    /// Which source.
    pub source: Source,
    /// What it says.
    pub said: DatedInstrumentDay,
}

/// The members of an index on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexMembers {
    /// The day whose facts these are: the newest that is known, not after the day asked for.
    pub as_of: Date,
    /// The members, alphabetically.
    pub symbols: Vec<Symbol>,
}

impl Store {
    /// What is said of `symbol` on `day`, the most believed source first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn instrument_day(
        &self,
        symbol: Symbol,
        day: Date,
    ) -> Result<Vec<InstrumentDayRecord>, StoreError> {
        let rows =
            query("SELECT source, document FROM instrument_days WHERE symbol = $1 AND day = $2")
                .bind(symbol.as_str())
                .bind(day.to_string())
                .fetch_all(&self.reader)
                .await?;
        let mut records = rows.iter().map(record).collect::<Result<Vec<_>, _>>()?;
        records.sort_by_key(|record| rank(record.source));
        Ok(records)
    }

    /// The newest that each source says of each symbol, by symbol and source.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn latest_instrument_days(&self) -> Result<Vec<InstrumentDayRecord>, StoreError> {
        query(
            "SELECT d.source, d.document FROM instrument_days d
             JOIN (SELECT symbol, source, MAX(day) AS day FROM instrument_days
                   GROUP BY symbol, source) newest
               ON newest.symbol = d.symbol AND newest.source = d.source AND newest.day = d.day
             ORDER BY d.symbol, d.source",
        )
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(record)
        .collect()
    }

    /// Who was in `index` on `day`: as the newest day up to it tells for which any source told the
    /// members; `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn members_on(
        &self,
        index: ShareIndex,
        asked: Date,
    ) -> Result<Option<IndexMembers>, StoreError> {
        let rows = query(match index {
            ShareIndex::Bist30 => {
                "SELECT symbol, source, day, in_bist30 AS is_member FROM instrument_days
                 WHERE in_bist30 IS NOT NULL AND day = (
                     SELECT MAX(day) FROM instrument_days WHERE in_bist30 = 1 AND day <= $1)"
            }
            ShareIndex::Bist100 => {
                "SELECT symbol, source, day, in_bist100 AS is_member FROM instrument_days
                 WHERE in_bist100 IS NOT NULL AND day = (
                     SELECT MAX(day) FROM instrument_days WHERE in_bist100 = 1 AND day <= $1)"
            }
        })
        .bind(asked.to_string())
        .fetch_all(&self.reader)
        .await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let mut said: BTreeMap<Symbol, ((u8, Source), bool)> = BTreeMap::new();
        for row in &rows {
            let answer = (rank(source(row)?), row.try_get::<i64, _>("is_member")? == 1);
            let believed = said.entry(symbol(row)?).or_insert(answer);
            *believed = answer.min(*believed);
        }
        let members = said.into_iter().filter(|(_, (_, is_member))| *is_member);
        let symbols = members.map(|(symbol, _)| symbol).collect();
        Ok(Some(IndexMembers { as_of: day(first, "day")?, symbols }))
    }
}

fn record(row: &Row) -> Result<InstrumentDayRecord, StoreError> {
    Ok(InstrumentDayRecord { source: source(row)?, said: document("instrument day", row)? })
}

/// Keeps `days`; returns how many are new or changed.
pub(crate) async fn save(
    connection: &mut Connection,
    ingest: Ingest,
    days: &[DatedInstrumentDay],
) -> Result<u64, StoreError> {
    // The last word on a symbol and day counts; PostgreSQL refuses to write a row twice at once.
    let days: BTreeMap<_, _> = days.iter().map(|day| ((day.symbol, day.day), day)).collect();
    let days: Vec<&DatedInstrumentDay> = days.into_values().collect();
    let mut stored = 0;
    for rows in days.chunks(ROWS_PER_STATEMENT) {
        let text = format!(
            "INSERT INTO instrument_days (source, ingest_id, symbol, day, in_bist30, in_bist100,
                 gross_settlement, suspended, document) {}
             ON CONFLICT (symbol, day, source) DO UPDATE SET
                 in_bist30 = EXCLUDED.in_bist30, in_bist100 = EXCLUDED.in_bist100,
                 gross_settlement = EXCLUDED.gross_settlement, suspended = EXCLUDED.suspended,
                 document = EXCLUDED.document, ingest_id = EXCLUDED.ingest_id
             WHERE instrument_days.document <> EXCLUDED.document",
            values(2, 7, rows.len())
        );
        let mut query = query(AssertSqlSafe(text)).bind(ingest.source.as_str()).bind(ingest.id);
        for row in rows {
            query = query
                .bind(row.symbol.to_string())
                .bind(row.day.to_string())
                .bind(row.facts.in_bist30.map(i64::from))
                .bind(row.facts.in_bist100.map(i64::from))
                .bind(row.facts.gross_settlement.map(i64::from))
                .bind(row.facts.suspended.map(i64::from))
                .bind(json("instrument day", row)?);
        }
        stored += query.execute(&mut *connection).await?.rows_affected();
    }
    Ok(stored)
}
