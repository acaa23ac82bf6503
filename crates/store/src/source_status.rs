//! How each source fares: when it was last asked, when it last answered, and what went wrong.

use bist_market::Source;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::columns::{count, day, instant_us, maybe_instant_us, source};
use crate::db::{Connection, Row, query};
use crate::error::StoreError;
use crate::ingests::Ingest;
use crate::pool::Store;

/// How a request or a run of requests to a source ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptOutcome<'a> {
    /// It answered.
    Done,
    /// It did not, or not what was asked.
    Failed {
        /// Why, in one sentence.
        reason: &'a str,
    },
}

/// How a source fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceStatus {
    /// Which source.
    pub source: Source,
    /// When it was last asked.
    pub last_attempt_at: Timestamp,
    /// When it last answered.
    pub last_success_at: Option<Timestamp>,
    /// What went wrong the last time that something did; kept when it answers again.
    pub last_error: Option<String>,
    /// How often in a row it has failed; zero when it answered last.
    pub failures_count: u64,
    /// The newest day that it has told of.
    pub newest_day: Option<Date>,
}

impl Store {
    /// The sources that were ever asked, by name.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn source_statuses(&self) -> Result<Vec<SourceStatus>, StoreError> {
        query(
            "SELECT source, last_attempt_at_us, last_success_at_us, last_error, failures_count,
                    newest_day
             FROM source_status ORDER BY source",
        )
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(status)
        .collect()
    }

    /// Notes that `source` was asked at `at` and how that ended. What is taken in from a source is
    /// noted by [`Store::ingest`] already, with the newest day that it tells of.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn record_attempt(
        &self,
        source: Source,
        at: Timestamp,
        outcome: AttemptOutcome<'_>,
    ) -> Result<(), StoreError> {
        let (succeeded_at, reason) = match outcome {
            AttemptOutcome::Done => (Some(at), None),
            AttemptOutcome::Failed { reason } => (None, Some(reason)),
        };
        query(
            "INSERT INTO source_status (source, last_attempt_at_us, last_success_at_us, last_error,
                                        failures_count)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (source) DO UPDATE SET
                 last_attempt_at_us = EXCLUDED.last_attempt_at_us,
                 last_success_at_us = COALESCE(EXCLUDED.last_success_at_us,
                                               source_status.last_success_at_us),
                 last_error = COALESCE(EXCLUDED.last_error, source_status.last_error),
                 failures_count = CASE EXCLUDED.failures_count
                     WHEN 0 THEN 0 ELSE source_status.failures_count + 1 END",
        )
        .bind(source.as_str())
        .bind(at.as_microsecond())
        .bind(succeeded_at.map(Timestamp::as_microsecond))
        .bind(reason)
        .bind(i64::from(succeeded_at.is_none()))
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}

/// Notes that the source of `ingest` has answered, with `newest_day` if the answer tells of days.
pub(crate) async fn answered(
    connection: &mut Connection,
    ingest: Ingest,
    newest_day: Option<Date>,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO source_status (source, last_attempt_at_us, last_success_at_us, failures_count,
                                    newest_day)
         VALUES ($1, $2, $2, 0, $3)
         ON CONFLICT (source) DO UPDATE SET
             last_attempt_at_us = EXCLUDED.last_attempt_at_us,
             last_success_at_us = EXCLUDED.last_success_at_us, failures_count = 0,
             newest_day = CASE
                 WHEN EXCLUDED.newest_day IS NULL
                      OR EXCLUDED.newest_day < source_status.newest_day
                 THEN source_status.newest_day ELSE EXCLUDED.newest_day END",
    )
    .bind(ingest.source.as_str())
    .bind(ingest.received_at.as_microsecond())
    .bind(newest_day.map(|day| day.to_string()))
    .execute(connection)
    .await?;
    Ok(())
}

fn status(row: &Row) -> Result<SourceStatus, StoreError> {
    let newest_day: Option<&str> = row.try_get("newest_day")?;
    Ok(SourceStatus {
        source: source(row)?,
        last_attempt_at: instant_us(row.try_get("last_attempt_at_us")?)?,
        last_success_at: maybe_instant_us(row, "last_success_at_us")?,
        last_error: row.try_get("last_error")?,
        failures_count: count(row, "failures_count")?,
        newest_day: newest_day.map(|_| day(row, "newest_day")).transpose()?,
    })
}
