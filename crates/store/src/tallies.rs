//! Figures about the whole of the database that are cheap enough to ask for again and again.

use std::path::{Path, PathBuf};

use bist_access::{Account, SESSION_IDLE_MAX, Session};
use jiff::Timestamp;

use crate::accounts::{PASSKEYS_COUNT, stored_account};
use crate::columns::{count, maybe_instant_us};
use crate::db::{AssertSqlSafe, query, query_scalar};
use crate::error::StoreError;
use crate::pool::Store;
use crate::sessions::session;

/// How the runs of a job stand, or the parts of such runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobTally {
    /// Which job; of parts with [`crate::jobs::PART_SUFFIX`] behind it.
    pub name: String,
    /// Those that nobody has begun.
    pub waiting_count: u64,
    /// Those that were begun and have not ended.
    pub running_count: u64,
    /// When one was done last.
    pub last_done_at: Option<Timestamp>,
}

/// The connections of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolTally {
    /// What they are for: `reader` or `writer`.
    pub name: &'static str,
    /// Those that somebody has.
    pub used_count: u64,
    /// Those that are open and wait.
    pub idle_count: u64,
}

impl Store {
    /// How many runs of each job wait and run, and when one was done last; by name.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn job_tallies(&self) -> Result<Vec<JobTally>, StoreError> {
        query(
            "SELECT name,
                    SUM(CASE WHEN outcome IS NULL AND attempts_count = 0 THEN 1 ELSE 0 END)
                        AS waiting_count,
                    SUM(CASE WHEN outcome IS NULL AND attempts_count > 0 THEN 1 ELSE 0 END)
                        AS running_count,
                    MAX(CASE WHEN outcome = 'done' THEN finished_at_us END) AS done_at_us
             FROM job_runs GROUP BY name ORDER BY name",
        )
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| {
            Ok(JobTally {
                name: row.try_get("name")?,
                waiting_count: count(row, "waiting_count")?,
                running_count: count(row, "running_count")?,
                last_done_at: maybe_instant_us(row, "done_at_us")?,
            })
        })
        .collect()
    }

    /// The sessions that were used so lately that they may be in force at `now`, with their accounts.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn recent_sessions(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(Session, Account)>, StoreError> {
        let text = format!(
            "SELECT sessions.id AS session, sessions.account, code_given, signed_in_at_us,
                    last_seen_at_us, stepped_up_until_us, address, user_agent, accounts.*,
                    {PASSKEYS_COUNT} AS passkeys_count
             FROM sessions JOIN accounts ON accounts.id = sessions.account
             WHERE last_seen_at_us > $1"
        );
        let since = now.saturating_sub(SESSION_IDLE_MAX).unwrap_or(Timestamp::MIN);
        let rows = query(AssertSqlSafe(text)).bind(since.as_microsecond());
        let rows = rows.fetch_all(&self.reader).await?;
        rows.iter().map(|row| Ok((session(row)?, stored_account(row)?.account))).collect()
    }

    /// How large the database is: of SQLite the file and the log beside it, of PostgreSQL what it says.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn size_bytes(&self) -> Result<u64, StoreError> {
        if let Some(file) = self.reader.file() {
            return Ok(size_of(file) + size_of(&log_of(file)));
        }
        let text = "SELECT pg_database_size(current_database())";
        let size_bytes: i64 = query_scalar(text).fetch_one(&self.reader).await?;
        Ok(size_bytes.unsigned_abs())
    }

    /// The connections of this process.
    pub fn pools(&self) -> [PoolTally; 2] {
        [("reader", &self.reader), ("writer", &self.writer)].map(|(name, pool)| {
            let (open, idle) = pool.open_and_idle();
            PoolTally { name, used_count: open.saturating_sub(idle), idle_count: idle }
        })
    }
}

/// The write-ahead log of a database of SQLite.
fn log_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// What a file takes; nothing where there is none.
fn size_of(file: &Path) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}
