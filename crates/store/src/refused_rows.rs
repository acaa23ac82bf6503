//! Rows that could not become bars, kept with the reason.

use bist_market::{Interval, RefusedRow};

use crate::bulk::{ROWS_PER_STATEMENT, values};
use crate::columns::{json, signed};
use crate::db::{AssertSqlSafe, Connection, query};
use crate::error::StoreError;
use crate::ingests::{Ingest, IngestFile};

/// Replaces what an earlier reading of the same file refused; says whether it differs.
pub(crate) async fn save(
    connection: &mut Connection,
    ingest: Ingest,
    file: &IngestFile,
) -> Result<bool, StoreError> {
    let interval = file.series.first().map_or(Interval::Daily, |series| series.interval);
    let mut refused: Vec<&RefusedRow> = file.refused.iter().collect();
    refused.sort_by_key(|row| row.line);
    let documents: Vec<String> =
        refused.iter().map(|row| json("refused row", row)).collect::<Result<_, _>>()?;
    if stored_documents(connection, ingest, file).await? == documents {
        return Ok(false);
    }
    query("DELETE FROM refused_rows WHERE source = $1 AND file = $2")
        .bind(ingest.source.as_str())
        .bind(&file.file)
        .execute(&mut *connection)
        .await?;
    let rows: Vec<_> = refused.into_iter().zip(&documents).collect();
    for rows in rows.chunks(ROWS_PER_STATEMENT) {
        let text = format!(
            "INSERT INTO refused_rows (source, file, bar_interval, ingest_id, line, symbol,
                                       document) {}",
            values(4, 3, rows.len())
        );
        let mut query = query(AssertSqlSafe(text))
            .bind(ingest.source.as_str())
            .bind(&file.file)
            .bind(interval.to_string())
            .bind(ingest.id);
        for (row, document) in rows {
            query = query
                .bind(signed(row.line))
                .bind(row.symbol.map(|symbol| symbol.to_string()))
                .bind(*document);
        }
        query.execute(&mut *connection).await?;
    }
    Ok(true)
}

/// What the earlier reading refused, by line.
async fn stored_documents(
    connection: &mut Connection,
    ingest: Ingest,
    file: &IngestFile,
) -> Result<Vec<String>, StoreError> {
    query("SELECT document FROM refused_rows WHERE source = $1 AND file = $2 ORDER BY line")
        .bind(ingest.source.as_str())
        .bind(&file.file)
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| Ok(row.try_get("document")?))
        .collect()
}
