//! Runs of jobs that are due at an instant, each done by one process, and again when it failed.

use jiff::{SignedDuration, Timestamp};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::columns::{count, instant_us, maybe_instant_us};
use crate::error::StoreError;
use crate::pool::Store;

/// A run that has not said that it is alive for so long is taken for dead, and may be begun again.
const LEASE: SignedDuration = SignedDuration::from_mins(10);

/// The columns of a run.
macro_rules! columns {
    () => {
        "id, name, due_at_us, started_at_us, attempts_count, finished_at_us, outcome, detail,
         retry_at_us"
    };
}

/// One run of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRun {
    /// Its number; a run that is begun again gets another one.
    pub id: i64,
    /// Which job.
    pub name: String,
    /// When it was due.
    pub due_at: Timestamp,
    /// When it was begun, for the last time if it was begun several times.
    pub started_at: Timestamp,
    /// How often it was begun.
    pub attempts_count: u64,
    /// When it finished; `None` while it runs, or when its process died.
    pub finished_at: Option<Timestamp>,
    /// Whether it succeeded; `None` until it has finished.
    pub succeeded: Option<bool>,
    /// What came of it, in one sentence.
    pub detail: Option<String>,
    /// When it is begun again, if it failed and is.
    pub retry_at: Option<Timestamp>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// It did what it was to do.
    Done,
    /// It did not.
    Failed {
        /// When it is to be begun again; `None` for never.
        retry_at: Option<Timestamp>,
    },
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
    /// process runs it. Of several that ask, one gets it.
    ///
    /// A run may be begun again once the time has come for which [`JobEnd::Failed`] asked, or when
    /// it has not been heard of ([`Store::renew_job`]) for ten minutes, because its process died.
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
        // Who asks every minute should not wait every minute for whoever writes.
        let is_taken = sqlx::query(
            "SELECT id FROM job_runs WHERE name = $1 AND due_at_us = $2
               AND NOT (finished_at_us IS NULL AND alive_at_us <= $4)
               AND (retry_at_us IS NULL OR retry_at_us > $3)",
        )
        .bind(name)
        .bind(due_at.as_microsecond())
        .bind(now.as_microsecond())
        .bind(alive_since.as_microsecond())
        .fetch_optional(&self.reader)
        .await?;
        if is_taken.is_some() {
            return Ok(None);
        }
        // The new number keeps whoever was taken for dead from finishing the run of another.
        sqlx::query(concat!(
            "INSERT INTO job_runs (id, name, due_at_us, started_at_us, alive_at_us)
             VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM job_runs), $1, $2, $3, $3)
             ON CONFLICT (name, due_at_us) DO UPDATE SET
                 id = EXCLUDED.id, started_at_us = EXCLUDED.started_at_us,
                 alive_at_us = EXCLUDED.alive_at_us,
                 attempts_count = job_runs.attempts_count + 1,
                 finished_at_us = NULL, outcome = NULL, detail = NULL, retry_at_us = NULL
             WHERE (job_runs.finished_at_us IS NULL AND job_runs.alive_at_us <= $4)
                OR job_runs.retry_at_us <= $3
             RETURNING ",
            columns!()
        ))
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

    /// Says that the run `id` is going on; returns false when it is no longer ours, because it was
    /// not heard of for so long that another process began it again.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn renew_job(&self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE job_runs SET alive_at_us = $1 WHERE id = $2 AND finished_at_us IS NULL",
        )
        .bind(now.as_microsecond())
        .bind(id)
        .execute(&self.writer)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes how the run `id` ended; returns false when it is no longer ours, see
    /// [`Store::renew_job`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn finish_job(
        &self,
        id: i64,
        now: Timestamp,
        end: JobEnd,
        detail: &str,
    ) -> Result<bool, StoreError> {
        let (succeeded, retry_at) = match end {
            JobEnd::Done => (true, None),
            JobEnd::Failed { retry_at } => (false, retry_at),
        };
        let done = sqlx::query(
            "UPDATE job_runs SET finished_at_us = $1, outcome = $2, detail = $3, retry_at_us = $4
             WHERE id = $5 AND finished_at_us IS NULL",
        )
        .bind(now.as_microsecond())
        .bind(outcome(succeeded))
        .bind(detail)
        .bind(retry_at.map(Timestamp::as_microsecond))
        .bind(id)
        .execute(&self.writer)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The runs of the job `name`, at most `limit` of them, the one that was due last first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn jobs(&self, name: &str, limit: u32) -> Result<Vec<JobRun>, StoreError> {
        sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM job_runs WHERE name = $1 ORDER BY due_at_us DESC LIMIT $2"
        ))
        .bind(name)
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(job_run)
        .collect()
    }
}

fn job_run(row: &SqliteRow) -> Result<JobRun, StoreError> {
    let word: Option<&str> = row.try_get("outcome")?;
    Ok(JobRun {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        due_at: instant_us(row.try_get("due_at_us")?)?,
        started_at: instant_us(row.try_get("started_at_us")?)?,
        attempts_count: count(row, "attempts_count")?,
        finished_at: maybe_instant_us(row, "finished_at_us")?,
        succeeded: word.map(|word| word == outcome(true)),
        detail: row.try_get("detail")?,
        retry_at: maybe_instant_us(row, "retry_at_us")?,
    })
}
