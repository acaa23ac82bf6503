//! How the database stands: which migration it is at, and what time it is there.

use jiff::Timestamp;

use crate::columns::instant_us;
use crate::db::query_scalar;
use crate::error::StoreError;
use crate::migrate;
use crate::pool::Store;

/// How the database stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseStanding {
    /// The newest migration that was run.
    pub migration: i64,
    /// The newest that this program knows.
    pub migration_known: i64,
    /// The newest that a program knows at least which may use the tables.
    pub migration_min: i64,
    /// The clock of PostgreSQL; SQLite has none of its own.
    pub clock: Option<Timestamp>,
    /// When the newest record of the audit was made.
    pub newest_record_at: Option<Timestamp>,
}

impl Store {
    /// How the database stands.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn standing(&self) -> Result<DatabaseStanding, StoreError> {
        let migration: Option<i64> =
            query_scalar(migrate::NEWEST_RUN).fetch_one(&self.reader).await?;
        let migration_min = "SELECT migration_min FROM schema_floor";
        let migration_min: Option<i64> =
            query_scalar(migration_min).fetch_optional(&self.reader).await?;
        let newest = "SELECT at_us FROM audit_log ORDER BY seq DESC LIMIT 1";
        let newest: Option<i64> = query_scalar(newest).fetch_optional(&self.reader).await?;
        let clock: Option<i64> = if self.reader.is_postgres() {
            let clock = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)";
            Some(query_scalar(clock).fetch_one(&self.reader).await?)
        } else {
            None
        };
        Ok(DatabaseStanding {
            migration: migration.unwrap_or(0),
            migration_known: migrate::NEWEST,
            migration_min: migration_min.unwrap_or(0),
            clock: clock.map(instant_us).transpose()?,
            newest_record_at: newest.map(instant_us).transpose()?,
        })
    }
}
