//! The sample market gives way: to real data, and to another sample.

use bist_lifecycle::experiment::ExperimentState;
use bist_market::Origin;

use super::IngestBatch;
use crate::db::{Connection, query, query_scalar};
use crate::error::StoreError;
use crate::instruments::held_origin;

/// Everything that is made from a sample, what refers to other rows first. What was asked of real
/// sources, when jobs ran, and the record of signals stay.
const REMOVALS: [&str; 22] = [
    "DELETE FROM explanations",
    "DELETE FROM signals",
    "DELETE FROM forecasts",
    "DELETE FROM model_versions",
    "DELETE FROM snapshots",
    "DELETE FROM finding_decisions",
    "DELETE FROM quality_history",
    "DELETE FROM findings",
    "DELETE FROM data_quality",
    "DELETE FROM disclosure_symbols",
    "DELETE FROM disclosures",
    "DELETE FROM observation_revisions",
    "DELETE FROM observations",
    "DELETE FROM instrument_days",
    "DELETE FROM corporate_actions",
    "DELETE FROM refused_rows",
    "DELETE FROM bar_revisions",
    "DELETE FROM bar_series",
    "DELETE FROM bars",
    "DELETE FROM source_status WHERE source = 'sample'",
    "DELETE FROM ingests",
    "DELETE FROM instruments",
];

/// Removes the sample market where `batch` takes its place; returns how many symbols it had.
pub(super) async fn make_room(
    connection: &mut Connection,
    batch: &IngestBatch,
) -> Result<u64, StoreError> {
    let replaces = match (held_origin(connection).await?, batch.origin) {
        (Some(Origin::Market), Origin::Sample) => return Err(StoreError::HoldsRealData),
        // A source that had nothing to give replaces nothing.
        (Some(Origin::Sample), Origin::Market) => {
            batch.files.iter().any(super::IngestFile::has_content)
        }
        (Some(Origin::Sample), Origin::Sample) => {
            let names: Vec<String> =
                query_scalar("SELECT file FROM ingests").fetch_all(&mut *connection).await?;
            batch.files.iter().any(|file| !names.contains(&file.file))
        }
        (Some(Origin::Market), Origin::Market) | (None, _) => false,
    };
    if !replaces {
        return Ok(0);
    }
    let symbols: i64 =
        query_scalar("SELECT COUNT(*) FROM instruments").fetch_one(&mut *connection).await?;
    for statement in REMOVALS {
        query(statement).execute(&mut *connection).await?;
    }
    end_experiments(connection, batch).await?;
    Ok(symbols.unsigned_abs())
}

/// Experiments stay, and end with the models that they compared.
async fn end_experiments(
    connection: &mut Connection,
    batch: &IngestBatch,
) -> Result<(), StoreError> {
    query(
        "UPDATE experiments SET state = $1, concluded_at_us = $2, concluded_by = 'bist ingest',
             conclusion = 'the sample market and the models that it compared gave way'
         WHERE state = 'running'",
    )
    .bind(ExperimentState::Stopped.as_str())
    .bind(batch.received_at.as_microsecond())
    .execute(connection)
    .await?;
    Ok(())
}
