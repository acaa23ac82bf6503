//! What was fetched of a source, piece by piece: for going on where a run stopped, and for asking
//! only for what is newer.

use std::collections::BTreeMap;

use bist_market::{Interval, Source, Symbol};
use jiff::Timestamp;

use crate::columns::{self, count, instant_us, signed};
use crate::db::{Connection, query, query_scalar};
use crate::error::StoreError;
use crate::pool::Store;

/// The mark of a piece that was fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PieceMark {
    /// Its name within its source.
    pub key: String,
    /// Whether it need not be fetched again.
    pub is_final: bool,
    /// The `ETag` of the answer.
    pub etag: Option<String>,
    /// The `Last-Modified` of the answer, as it stood.
    pub last_modified: Option<String>,
}

/// A piece as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PieceRecord {
    /// Whether it need not be fetched again.
    pub is_final: bool,
    /// The `ETag` of the last answer.
    pub etag: Option<String>,
    /// The `Last-Modified` of the last answer, as it stood.
    pub last_modified: Option<String>,
    /// When the source last answered for it.
    pub fetched_at: Timestamp,
    /// How many rows it had.
    pub rows_count: u64,
}

impl Store {
    /// What is known of the piece `key` of `source`; `None` when it was never fetched.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn piece(
        &self,
        source: Source,
        key: &str,
    ) -> Result<Option<PieceRecord>, StoreError> {
        let row = query(
            "SELECT is_final, etag, last_modified, fetched_at_us, rows_count FROM pieces
             WHERE source = $1 AND piece_key = $2",
        )
        .bind(source.as_str())
        .bind(key)
        .fetch_optional(&self.reader)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(PieceRecord {
            is_final: row.try_get::<i64, _>("is_final")? == 1,
            etag: row.try_get("etag")?,
            last_modified: row.try_get("last_modified")?,
            fetched_at: instant_us(row.try_get("fetched_at_us")?)?,
            rows_count: count(&row, "rows_count")?,
        }))
    }

    /// How many pieces of each source were fetched.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn piece_counts(&self) -> Result<BTreeMap<Source, u64>, StoreError> {
        query("SELECT source, COUNT(*) AS pieces_count FROM pieces GROUP BY source")
            .fetch_all(&self.reader)
            .await?
            .iter()
            .map(|row| Ok((columns::source(row)?, count(row, "pieces_count")?)))
            .collect()
    }

    /// Notes that `source` answered at `at` that it has nothing newer for the piece `mark`, which
    /// holds bars of `series` if it holds bars.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn confirm_piece(
        &self,
        source: Source,
        mark: &PieceMark,
        series: Option<(Symbol, Interval)>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let rows_count: Option<i64> =
            query_scalar("SELECT rows_count FROM pieces WHERE source = $1 AND piece_key = $2")
                .bind(source.as_str())
                .bind(&mark.key)
                .fetch_optional(&mut *transaction)
                .await?;
        let rows_count = rows_count.unwrap_or_default().unsigned_abs();
        save(&mut transaction, source, mark, rows_count, at).await?;
        if let Some((symbol, interval)) = series {
            query(
                "UPDATE bar_series SET fetched_at_us = $1
                 WHERE symbol = $2 AND bar_interval = $3 AND source = $4",
            )
            .bind(at.as_microsecond())
            .bind(symbol.as_str())
            .bind(interval.to_string())
            .bind(source.as_str())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// Keeps the mark of a piece that had `rows_count` rows.
pub(crate) async fn save(
    connection: &mut Connection,
    source: Source,
    mark: &PieceMark,
    rows_count: u64,
    fetched_at: Timestamp,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO pieces (source, piece_key, is_final, etag, last_modified, fetched_at_us,
                             rows_count)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (source, piece_key) DO UPDATE SET is_final = EXCLUDED.is_final,
             etag = EXCLUDED.etag, last_modified = EXCLUDED.last_modified,
             fetched_at_us = EXCLUDED.fetched_at_us, rows_count = EXCLUDED.rows_count",
    )
    .bind(source.as_str())
    .bind(&mark.key)
    .bind(i64::from(mark.is_final))
    .bind(&mark.etag)
    .bind(&mark.last_modified)
    .bind(fetched_at.as_microsecond())
    .bind(signed(rows_count))
    .execute(connection)
    .await?;
    Ok(())
}
