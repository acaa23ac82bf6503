//! Taking in rows: all files of one ingest in one transaction, or none.

use std::collections::HashMap;

use bist_market::corporate_action::CorporateAction;
use bist_market::refused_row::RefusedRow;
use bist_market::{BarSeries, Instrument, Interval, Origin, RawBar, Symbol};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, Transaction};

use crate::bars::{json, raw_bar};
use crate::error::StoreError;
use crate::pool::Store;

/// Rows a statement inserts at once; at most ten values each, below SQLite's limit of 32,766.
pub(crate) const ROWS_PER_INSERT: usize = 500;

/// What one command takes in.
#[derive(Clone, Debug)]
pub struct IngestBatch {
    /// Where it comes from: `csv`, `parquet`, `sample`.
    pub source: &'static str,
    /// Whether it is real.
    pub origin: Origin,
    /// When it was received.
    pub received_at: Timestamp,
    /// What is known of the instruments; those not named here are made with their symbol alone.
    pub instruments: Vec<Instrument>,
    /// Events that explain price moves.
    pub actions: Vec<CorporateAction>,
    /// The files, in the order in which they are taken in; a later one revises an earlier one.
    pub files: Vec<IngestFile>,
}

/// The content of one file.
#[derive(Clone, Debug)]
pub struct IngestFile {
    /// Its name, or for generated data the parameters that made it.
    pub file: String,
    /// Data rows it had.
    pub rows_read: u64,
    /// The bars.
    pub series: Vec<BarSeries>,
    /// Rows that could not become bars.
    pub refused: Vec<RefusedRow>,
}

/// What became of the rows of one file; `read = stored + unchanged + refused`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IngestCounts {
    /// The file.
    pub file: String,
    /// Data rows in the file.
    pub rows_read: u64,
    /// Rows that are new in the store, or revise what it had.
    pub rows_stored: u64,
    /// Of those stored, the ones that revise an earlier value; the earlier value is kept aside.
    pub rows_revised: u64,
    /// Rows that the store had already, value for value.
    pub rows_unchanged: u64,
    /// Rows that could not become bars; kept with the reason.
    pub rows_refused: u64,
}

/// The outcome of one ingest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// One entry a file, in the order given.
    pub files: Vec<IngestCounts>,
    /// Symbols of the sample market that were removed because something else replaces them.
    pub sample_symbols_removed: u64,
}

impl Store {
    /// Takes in `batch`, wholly or not at all.
    ///
    /// Real data and the sample market never live side by side: real data replace the sample with
    /// all that was made from it, and a sample with other parameters replaces the sample.
    ///
    /// # Errors
    ///
    /// [`StoreError::HoldsRealData`] when a sample would be mixed into real data, and the others
    /// when the database fails; in every case the store is as before.
    pub async fn ingest(&self, batch: &IngestBatch) -> Result<Ingested, StoreError> {
        let mut transaction = self.writer.begin().await?;
        let sample_symbols_removed = make_room(&mut transaction, batch).await?;
        save_instruments(&mut transaction, batch).await?;
        let mut files = Vec::with_capacity(batch.files.len());
        for file in &batch.files {
            files.push(save_file(&mut transaction, batch, file).await?);
        }
        save_actions(&mut transaction, batch).await?;
        transaction.commit().await?;
        Ok(Ingested { files, sample_symbols_removed })
    }

    /// Names the state of the stored rows: it differs whenever an ingest came in between.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn generation(&self) -> Result<Generation, StoreError> {
        let row = sqlx::query(
            "SELECT COALESCE(MAX(id), 0) AS id, COALESCE(MAX(received_at_us), 0) AS received_at_us
             FROM ingests",
        )
        .fetch_one(&self.reader)
        .await?;
        Ok(Generation(row.try_get("id")?, row.try_get("received_at_us")?))
    }
}

/// Which ingests the store has seen; see [`Store::generation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation(i64, i64);

/// Removes the sample market where `batch` takes its place; returns how many symbols it had.
async fn make_room(
    connection: &mut Transaction<'_, Sqlite>,
    batch: &IngestBatch,
) -> Result<u64, StoreError> {
    let held: Option<String> = sqlx::query_scalar("SELECT MIN(origin) FROM instruments")
        .fetch_one(&mut **connection)
        .await?;
    let replaces = match (held.as_deref(), batch.origin) {
        (Some("market"), Origin::Sample) => return Err(StoreError::HoldsRealData),
        (Some("sample"), Origin::Market) => true,
        (Some("sample"), Origin::Sample) => {
            let names: Vec<String> =
                sqlx::query_scalar("SELECT file FROM ingests").fetch_all(&mut **connection).await?;
            batch.files.iter().any(|file| !names.contains(&file.file))
        }
        _ => false,
    };
    if !replaces {
        return Ok(0);
    }
    let symbols: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM instruments").fetch_one(&mut **connection).await?;
    for statement in [
        "DELETE FROM signals",
        "DELETE FROM forecasts",
        "DELETE FROM model_versions",
        "DELETE FROM findings",
        "DELETE FROM data_quality",
        "DELETE FROM corporate_actions",
        "DELETE FROM refused_rows",
        "DELETE FROM bar_revisions",
        "DELETE FROM bars",
        "DELETE FROM ingests",
        "DELETE FROM instruments",
    ] {
        sqlx::query(statement).execute(&mut **connection).await?;
    }
    Ok(symbols.unsigned_abs())
}

async fn save_instruments(
    connection: &mut Transaction<'_, Sqlite>,
    batch: &IngestBatch,
) -> Result<(), StoreError> {
    let named = batch.instruments.iter().cloned();
    let mentioned = batch.files.iter().flat_map(|file| {
        let series = file.series.iter().map(|series| series.symbol);
        series.chain(file.refused.iter().filter_map(|row| row.symbol))
    });
    let unnamed = mentioned.map(|symbol| Instrument {
        symbol,
        name: None,
        sector: None,
        origin: batch.origin,
    });
    for instrument in named.chain(unnamed) {
        sqlx::query(
            "INSERT INTO instruments (symbol, name, sector, origin) VALUES ($1, $2, $3, $4)
             ON CONFLICT (symbol) DO UPDATE SET
                 name = COALESCE(EXCLUDED.name, instruments.name),
                 sector = COALESCE(EXCLUDED.sector, instruments.sector)",
        )
        .bind(instrument.symbol.to_string())
        .bind(instrument.name)
        .bind(instrument.sector)
        .bind(instrument.origin.as_str())
        .execute(&mut **connection)
        .await?;
    }
    Ok(())
}

async fn save_file(
    connection: &mut Transaction<'_, Sqlite>,
    batch: &IngestBatch,
    file: &IngestFile,
) -> Result<IngestCounts, StoreError> {
    let ingest_id: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) + 1 FROM ingests")
        .fetch_one(&mut **connection)
        .await?;
    let mut counts = IngestCounts {
        file: file.file.clone(),
        rows_read: file.rows_read,
        rows_refused: count(file.refused.len()),
        ..IngestCounts::default()
    };
    sqlx::query(
        "INSERT INTO ingests (id, source, file, received_at_us, rows_read, rows_stored,
                              rows_unchanged, rows_refused)
         VALUES ($1, $2, $3, $4, $5, 0, 0, $6)",
    )
    .bind(ingest_id)
    .bind(batch.source)
    .bind(&file.file)
    .bind(batch.received_at.as_microsecond())
    .bind(signed(file.rows_read))
    .bind(signed(counts.rows_refused))
    .execute(&mut **connection)
    .await?;

    for series in &file.series {
        let before = stored_bars(connection, series.symbol, series.interval).await?;
        let mut changed = Vec::new();
        for bar in &series.bars {
            match before.get(&bar.opened_at.as_second()) {
                Some(known) if same(known, bar) => counts.rows_unchanged += 1,
                Some(_) => {
                    counts.rows_revised += 1;
                    keep_revised(connection, series, bar, ingest_id).await?;
                    changed.push(bar);
                }
                None => changed.push(bar),
            }
        }
        counts.rows_stored += count(changed.len());
        for rows in changed.chunks(ROWS_PER_INSERT) {
            upsert_bars(connection, series, rows, ingest_id).await?;
        }
    }
    save_refused(connection, file, ingest_id).await?;

    sqlx::query("UPDATE ingests SET rows_stored = $1, rows_unchanged = $2 WHERE id = $3")
        .bind(signed(counts.rows_stored))
        .bind(signed(counts.rows_unchanged))
        .bind(ingest_id)
        .execute(&mut **connection)
        .await?;
    Ok(counts)
}

async fn stored_bars(
    connection: &mut SqliteConnection,
    symbol: Symbol,
    interval: Interval,
) -> Result<HashMap<i64, RawBar>, StoreError> {
    sqlx::query(
        "SELECT opened_at, open_units, high_units, low_units, close_units, adjusted_close,
                volume_shares
         FROM bars WHERE symbol = $1 AND bar_interval = $2",
    )
    .bind(symbol.to_string())
    .bind(interval.to_string())
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| Ok((row.try_get("opened_at")?, raw_bar(row)?)))
    .collect()
}

/// Equal value for value; the adjusted close bit for bit.
fn same(a: &RawBar, b: &RawBar) -> bool {
    let adjusted = |bar: &RawBar| bar.adjusted_close.map(f64::to_bits);
    let rest = |bar: &RawBar| {
        (bar.open_units, bar.high_units, bar.low_units, bar.close_units, bar.volume_shares)
    };
    rest(a) == rest(b) && adjusted(a) == adjusted(b)
}

async fn keep_revised(
    connection: &mut SqliteConnection,
    series: &BarSeries,
    bar: &RawBar,
    ingest_id: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO bar_revisions (symbol, bar_interval, opened_at, replaced_by, open_units,
             high_units, low_units, close_units, adjusted_close, volume_shares, ingest_id)
         SELECT symbol, bar_interval, opened_at, $1, open_units, high_units, low_units,
             close_units, adjusted_close, volume_shares, ingest_id
         FROM bars WHERE symbol = $2 AND bar_interval = $3 AND opened_at = $4",
    )
    .bind(ingest_id)
    .bind(series.symbol.to_string())
    .bind(series.interval.to_string())
    .bind(bar.opened_at.as_second())
    .execute(connection)
    .await?;
    Ok(())
}

async fn upsert_bars(
    connection: &mut SqliteConnection,
    series: &BarSeries,
    bars: &[&RawBar],
    ingest_id: i64,
) -> Result<(), StoreError> {
    let (symbol, interval) = (series.symbol.to_string(), series.interval.to_string());
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO bars (symbol, bar_interval, opened_at, open_units, high_units, low_units,
             close_units, adjusted_close, volume_shares, ingest_id) ",
    );
    query.push_values(bars, |mut row, bar| {
        row.push_bind(symbol.clone())
            .push_bind(interval.clone())
            .push_bind(bar.opened_at.as_second())
            .push_bind(bar.open_units)
            .push_bind(bar.high_units)
            .push_bind(bar.low_units)
            .push_bind(bar.close_units)
            .push_bind(bar.adjusted_close)
            .push_bind(bar.volume_shares)
            .push_bind(ingest_id);
    });
    query.push(
        " ON CONFLICT (symbol, bar_interval, opened_at) DO UPDATE SET
             open_units = EXCLUDED.open_units, high_units = EXCLUDED.high_units,
             low_units = EXCLUDED.low_units, close_units = EXCLUDED.close_units,
             adjusted_close = EXCLUDED.adjusted_close, volume_shares = EXCLUDED.volume_shares,
             ingest_id = EXCLUDED.ingest_id",
    );
    query.build().execute(connection).await?;
    Ok(())
}

/// Replaces what an earlier reading of the same file refused.
async fn save_refused(
    connection: &mut Transaction<'_, Sqlite>,
    file: &IngestFile,
    ingest_id: i64,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM refused_rows WHERE file = $1")
        .bind(&file.file)
        .execute(&mut **connection)
        .await?;
    let interval = file.series.first().map_or(Interval::Daily, |series| series.interval);
    for row in &file.refused {
        sqlx::query(
            "INSERT INTO refused_rows (file, line, symbol, bar_interval, document, ingest_id)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&file.file)
        .bind(signed(row.line))
        .bind(row.symbol.map(|symbol| symbol.to_string()))
        .bind(interval.to_string())
        .bind(json("refused row", row)?)
        .bind(ingest_id)
        .execute(&mut **connection)
        .await?;
    }
    Ok(())
}

/// Replaces the corporate actions of the symbols that `batch` names.
async fn save_actions(
    connection: &mut Transaction<'_, Sqlite>,
    batch: &IngestBatch,
) -> Result<(), StoreError> {
    let ingest_id: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) FROM ingests")
        .fetch_one(&mut **connection)
        .await?;
    for (ordinal, action) in batch.actions.iter().enumerate() {
        sqlx::query(
            "INSERT INTO corporate_actions (symbol, effective_on, ordinal, document, ingest_id)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (symbol, effective_on, ordinal) DO UPDATE SET document = EXCLUDED.document",
        )
        .bind(action.symbol.to_string())
        .bind(action.effective_on.to_string())
        .bind(signed(count(ordinal)))
        .bind(json("corporate action", action)?)
        .bind(ingest_id)
        .execute(&mut **connection)
        .await?;
    }
    Ok(())
}

fn count(length: usize) -> u64 {
    length as u64
}

/// A count as the signed integer that SQL has.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
