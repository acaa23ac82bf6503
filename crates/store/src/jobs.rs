//! Runs of jobs that are due at an instant, each begun by one process.

use jiff::{SignedDuration, Timestamp};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::columns::{instant_us, maybe_instant_us};
use crate::error::StoreError;
use crate::pool::Store;

/// A run that has not finished after this long is taken for dead, and may be begun again.
const LEASE: SignedDuration = SignedDuration::from_hours(1);

/// One run of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRun {
    /// Its number; a run that is begun again gets another one.
    pub id: i64,
    /// Which job.
    pub name: String,
    /// When it was due.
    pub due_at: Timestamp,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When it finished; `None` while it runs, or when its process died.
    pub finished_at: Option<Timestamp>,
    /// Whether it succeeded; `None` until it has finished.
    pub succeeded: Option<bool>,
    /// What came of it, in one sentence.
    pub detail: Option<String>,
}

impl JobRun {
    /// The word for its state: `running`, `done` or `failed`.
    pub fn outcome_word(&self) -> &'static str {
        self.succeeded.map_or("running", outcome)
    }
}

/// The word in the store, the API and the reports.
fn outcome(succeeded: bool) -> &'static str {
    if succeeded { "done" } else { "failed" }
}

impl Store {
    /// Begins the run of the job `name` that is due at `due_at`; `None` when it has run, or another
    /// process runs it. Of several that ask, one gets it. A run whose process died may be begun
    /// again after an hour.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn claim_job(
        &self,
        name: &str,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<JobRun>, StoreError> {
        let alive_since = now.checked_sub(LEASE).unwrap_or(Timestamp::MIN);
        // The new number keeps whoever was taken for dead from finishing the run of another.
        sqlx::query(
            "INSERT INTO job_runs (id, name, due_at_us, started_at_us)
             VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM job_runs), $1, $2, $3)
             ON CONFLICT (name, due_at_us) DO UPDATE SET
                 id = EXCLUDED.id, started_at_us = EXCLUDED.started_at_us
             WHERE job_runs.finished_at_us IS NULL AND job_runs.started_at_us <= $4
             RETURNING id, name, due_at_us, started_at_us, finished_at_us, outcome, detail",
        )
        .bind(name)
        .bind(due_at.as_microsecond())
        .bind(now.as_microsecond())
        .bind(alive_since.as_microsecond())
        .fetch_optional(&self.writer)
        .await?
        .as_ref()
        .map(job_run)
        .transpose()
    }

    /// Notes how the run `id` ended; returns false when it is no longer ours, because it took so
    /// long that another process began it again.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn finish_job(
        &self,
        id: i64,
        now: Timestamp,
        succeeded: bool,
        detail: &str,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE job_runs SET finished_at_us = $1, outcome = $2, detail = $3
             WHERE id = $4 AND finished_at_us IS NULL",
        )
        .bind(now.as_microsecond())
        .bind(outcome(succeeded))
        .bind(detail)
        .bind(id)
        .execute(&self.writer)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The run of the job `name` that was due last.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn last_job(&self, name: &str) -> Result<Option<JobRun>, StoreError> {
        sqlx::query(
            "SELECT id, name, due_at_us, started_at_us, finished_at_us, outcome, detail
             FROM job_runs WHERE name = $1 ORDER BY due_at_us DESC LIMIT 1",
        )
        .bind(name)
        .fetch_optional(&self.reader)
        .await?
        .as_ref()
        .map(job_run)
        .transpose()
    }
}

fn job_run(row: &SqliteRow) -> Result<JobRun, StoreError> {
    let word: Option<&str> = row.try_get("outcome")?;
    Ok(JobRun {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        due_at: instant_us(row.try_get("due_at_us")?)?,
        started_at: instant_us(row.try_get("started_at_us")?)?,
        finished_at: maybe_instant_us(row, "finished_at_us")?,
        succeeded: word.map(|word| word == outcome(true)),
        detail: row.try_get("detail")?,
    })
}
