//! What an administrator sees at a glance: how many are signed in, and how jobs stand.

use bist_access::session::{CODE_TIME_MAX, SESSION_IDLE_MAX, SESSION_TIME_MAX};
use jiff::Timestamp;

use crate::columns::count;
use crate::db::query;
use crate::error::StoreError;
use crate::pool::Store;

/// How many are signed in, and how jobs stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminTallies {
    /// Sessions that are not over.
    pub sessions_count: u64,
    /// Runs of jobs that nobody has begun.
    pub jobs_waiting_count: u64,
    /// Runs of jobs that were begun and have not ended.
    pub jobs_running_count: u64,
    /// Runs of jobs that failed in the time that was asked for.
    pub jobs_failed_count: u64,
}

impl Store {
    /// How many are signed in at `now`, and how jobs stand; those that failed from `from` on and before
    /// `to`. One view of the database.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn admin_tallies(
        &self,
        now: Timestamp,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<AdminTallies, StoreError> {
        let mut view = self.reader.begin().await?;
        // As `Session::is_over` has it.
        let sessions = query(
            "SELECT COUNT(*) AS sessions FROM sessions
             WHERE last_seen_at_us > $1 AND signed_in_at_us > $2
               AND (code_given = 1 OR signed_in_at_us > $3
                    OR account IN (SELECT id FROM accounts WHERE second_factor_on = 0
                                   AND id NOT IN (SELECT account FROM passkeys)))",
        )
        .bind((now - SESSION_IDLE_MAX).as_microsecond())
        .bind((now - SESSION_TIME_MAX).as_microsecond())
        .bind((now - CODE_TIME_MAX).as_microsecond())
        .fetch_one(&mut *view)
        .await?;
        let jobs = query(
            "SELECT COUNT(CASE WHEN outcome IS NULL AND attempts_count = 0 THEN 1 END) AS waiting,
                    COUNT(CASE WHEN outcome IS NULL AND attempts_count > 0 THEN 1 END) AS running,
                    COUNT(CASE WHEN outcome = 'failed' AND finished_at_us >= $1
                               AND finished_at_us < $2 THEN 1 END) AS failed
             FROM job_runs WHERE parent_id IS NULL",
        )
        .bind(from.as_microsecond())
        .bind(to.as_microsecond())
        .fetch_one(&mut *view)
        .await?;
        Ok(AdminTallies {
            sessions_count: count(&sessions, "sessions")?,
            jobs_waiting_count: count(&jobs, "waiting")?,
            jobs_running_count: count(&jobs, "running")?,
            jobs_failed_count: count(&jobs, "failed")?,
        })
    }
}
