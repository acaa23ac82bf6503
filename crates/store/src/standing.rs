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
        let migration = "SELECT max(version) FROM _sqlx_migrations WHERE success";
        let migration: Option<i64> = query_scalar(migration).fetch_one(&self.reader).await?;
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
            clock: clock.map(instant_us).transpose()?,
            newest_record_at: newest.map(instant_us).transpose()?,
        })
    }
}
