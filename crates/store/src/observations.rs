//! Rates by day, with what a later ingest revised kept aside.

use std::collections::BTreeMap;

use bist_market::{Observation, SeriesCode, Source};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::bulk::{ROWS_PER_STATEMENT, values};
use crate::columns::{count, day, impossible, instant_us, source};
use crate::db::{AssertSqlSafe, Connection, query};
use crate::error::StoreError;
use crate::ingests::Ingest;
use crate::pool::Store;

/// What the store holds of one series of rates from one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservationOverview {
    /// Which series.
    pub series: SeriesCode,
    /// Where it comes from.
    pub source: Source,
    /// How many days have a value.
    pub rows_count: u64,
    /// The first of them.
    pub first_day: Date,
    /// The last of them.
    pub last_day: Date,
    /// When the newest of its values was received.
    pub fetched_at: Timestamp,
}

impl Store {
    /// The values of `series` from `from` to `to`, both included, by day and source.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn observations(
        &self,
        series: &SeriesCode,
        from: Date,
        to: Date,
    ) -> Result<Vec<(Source, Observation)>, StoreError> {
        query(
            "SELECT source, day, value FROM observations
             WHERE series = $1 AND day BETWEEN $2 AND $3 ORDER BY day, source",
        )
        .bind(series.as_str())
        .bind(from.to_string())
        .bind(to.to_string())
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| {
            let (day, value) = (day(row, "day")?, row.try_get("value")?);
            Ok((source(row)?, Observation { series: series.clone(), day, value }))
        })
        .collect()
    }

    /// The series of rates, by name and source.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn observation_overviews(&self) -> Result<Vec<ObservationOverview>, StoreError> {
        query(
            "SELECT o.series, o.source, COUNT(*) AS rows_count, MIN(o.day) AS first_day,
                    MAX(o.day) AS last_day, MAX(g.received_at_us) AS received_at_us
             FROM observations o JOIN ingests g ON g.id = o.ingest_id
             GROUP BY o.series, o.source ORDER BY o.series, o.source",
        )
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| {
            Ok(ObservationOverview {
                series: SeriesCode::parse(row.try_get("series")?).map_err(impossible)?,
                source: source(row)?,
                rows_count: count(row, "rows_count")?,
                first_day: day(row, "first_day")?,
                last_day: day(row, "last_day")?,
                fetched_at: instant_us(row.try_get("received_at_us")?)?,
            })
        })
        .collect()
    }
}

/// Keeps `observations`; returns how many are new or changed.
pub(crate) async fn save(
    connection: &mut Connection,
    ingest: Ingest,
    observations: &[Observation],
) -> Result<u64, StoreError> {
    let mut told: BTreeMap<&SeriesCode, BTreeMap<Date, f64>> = BTreeMap::new();
    for observation in observations {
        told.entry(&observation.series).or_default().insert(observation.day, observation.value);
    }
    let mut stored = 0;
    for (series, told) in told {
        let before = stored_values(connection, ingest, series).await?;
        let mut changed = Vec::new();
        for (day, value) in told {
            match before.get(&day) {
                Some(known) if known.to_bits() == value.to_bits() => continue,
                Some(_) => keep_revised(connection, ingest, series, day).await?,
                None => {}
            }
            changed.push((day, value));
        }
        for rows in changed.chunks(ROWS_PER_STATEMENT) {
            upsert(connection, ingest, series, rows).await?;
        }
        stored += changed.len() as u64;
    }
    Ok(stored)
}

async fn stored_values(
    connection: &mut Connection,
    ingest: Ingest,
    series: &SeriesCode,
) -> Result<BTreeMap<Date, f64>, StoreError> {
    query("SELECT day, value FROM observations WHERE series = $1 AND source = $2")
        .bind(series.as_str())
        .bind(ingest.source.as_str())
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| Ok((day(row, "day")?, row.try_get("value")?)))
        .collect()
}

async fn keep_revised(
    connection: &mut Connection,
    ingest: Ingest,
    series: &SeriesCode,
    day: Date,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO observation_revisions (series, day, source, replaced_by, value, ingest_id)
         SELECT series, day, source, $1, value, ingest_id FROM observations
         WHERE series = $2 AND day = $3 AND source = $4",
    )
    .bind(ingest.id)
    .bind(series.as_str())
    .bind(day.to_string())
    .bind(ingest.source.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

async fn upsert(
    connection: &mut Connection,
    ingest: Ingest,
    series: &SeriesCode,
    rows: &[(Date, f64)],
) -> Result<(), StoreError> {
    let text = format!(
        "INSERT INTO observations (series, source, ingest_id, day, value) {}
         ON CONFLICT (series, day, source) DO UPDATE SET
             value = EXCLUDED.value, ingest_id = EXCLUDED.ingest_id",
        values(3, 2, rows.len())
    );
    let mut query = query(AssertSqlSafe(text))
        .bind(series.as_str())
        .bind(ingest.source.as_str())
        .bind(ingest.id);
    for (day, value) in rows {
        query = query.bind(day.to_string()).bind(value);
    }
    query.execute(connection).await?;
    Ok(())
}
