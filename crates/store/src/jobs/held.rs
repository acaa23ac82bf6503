//! Who does a run: the process that holds it, by a lock on a file or by a lease in its row.

use std::fs::{File, TryLockError};
use std::ops::Deref;

use jiff::{SignedDuration, Timestamp};

use super::{JobEnd, JobRun, JobState, job_run, parts};
use crate::columns::{maybe_instant_us, signed};
use crate::db::{Connection, Transaction, query};
use crate::error::StoreError;
use crate::pool::Store;

/// Folder of the locks in the data directory.
const LOCKS: &str = "locks";

/// How long a process on PostgreSQL holds a job without being heard of, unless it is told otherwise;
/// clocks of machines have to differ by much less.
pub const LEASE_DEFAULT: SignedDuration = SignedDuration::from_secs(60);

/// A run that is this process's to do, for as long as it holds this.
#[derive(Debug)]
pub struct ClaimedJob {
    run: JobRun,
    _hold: Hold,
}

impl ClaimedJob {
    pub(super) const fn new(run: JobRun, hold: Hold) -> Self {
        Self { run, _hold: hold }
    }
}

/// What keeps other processes from a job.
#[derive(Debug)]
pub(super) enum Hold {
    /// A lock that the operating system frees when the file is closed.
    File { _lock: File },
    /// The row of the run, for as long as it is renewed.
    Lease,
}

impl Deref for ClaimedJob {
    type Target = JobRun;

    fn deref(&self) -> &JobRun {
        &self.run
    }
}

impl Store {
    /// The same where a job is lost to a process that was not heard of for `lease`; all processes of
    /// an installation go by the same.
    #[must_use]
    pub fn with_job_lease(mut self, lease: SignedDuration) -> Self {
        self.job_lease = lease;
        self
    }

    /// How long a process on PostgreSQL holds a job without being heard of.
    pub fn job_lease(&self) -> SignedDuration {
        self.job_lease
    }

    /// Begins a run of the job `name` that is due or asked for, waits to be begun again, or was left by
    /// a process that died. `None` when there is nothing to do, or another process does this job.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the lock cannot be had or the database fails.
    pub async fn claim_job(
        &self,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<ClaimedJob>, StoreError> {
        // Who asks every few seconds should not wait each time for whoever writes.
        let may_begin = query(
            "SELECT 1 FROM job_runs WHERE name = $1
               AND (finished_at_us IS NULL OR retry_at_us <= $2) LIMIT 1",
        )
        .bind(name)
        .bind(now.as_microsecond())
        .fetch_optional(&self.reader)
        .await?;
        if may_begin.is_none() {
            return Ok(None);
        }
        let Some((hold, mut transaction)) = self.hold_alone(name, now).await? else {
            return Ok(None);
        };
        // Nobody else holds the job, so whatever seems to run has died.
        let cancelled = query(
            "UPDATE job_runs SET finished_at_us = $2, outcome = 'cancelled',
                 detail = 'cancelled by ' || cancel_asked_by, retry_at_us = NULL
             WHERE name = $1 AND finished_at_us IS NULL AND cancel_asked_by IS NOT NULL",
        )
        .bind(name)
        .bind(now.as_microsecond())
        .execute(&mut *transaction)
        .await?;
        if cancelled.rows_affected() > 0 {
            parts::end_with_run(&mut transaction, name, now).await?;
        }
        let row = query(
            "UPDATE job_runs SET started_at_us = $2, alive_at_us = $2,
                 attempts_count = attempts_count + 1, finished_at_us = NULL, outcome = NULL,
                 detail = NULL, retry_at_us = NULL
             WHERE id = (SELECT id FROM job_runs WHERE name = $1
                           AND (finished_at_us IS NULL OR retry_at_us <= $2)
                         ORDER BY due_at_us LIMIT 1)
             RETURNING *",
        )
        .bind(name)
        .bind(now.as_microsecond())
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let run = row.as_ref().map(job_run).transpose()?;
        Ok(run.map(|run| ClaimedJob::new(run, hold)))
    }

    /// Lets go of the run `id`, which this process does by its attempt `attempts_count`, so that
    /// another one goes on with it at once. Nothing happens when another one does it already.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn let_go_of_job(&self, id: i64, attempts_count: u64) -> Result<(), StoreError> {
        query(
            "UPDATE job_runs SET alive_at_us = 0
             WHERE id = $1 AND attempts_count = $2 AND finished_at_us IS NULL",
        )
        .bind(id)
        .bind(signed(attempts_count))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// What keeps others from the job `name`, and a transaction in which that was seen; `None` while
    /// another process does it.
    pub(super) async fn hold_alone(
        &self,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<(Hold, Transaction)>, StoreError> {
        let Some(hold) = self.hold_job(name)? else { return Ok(None) };
        let mut transaction = self.writer.begin_alone().await?;
        let is_lease = matches!(hold, Hold::Lease);
        if is_lease && is_leased(&mut transaction, name, now, self.job_lease).await? {
            return Ok(None);
        }
        Ok(Some((hold, transaction)))
    }

    /// What is to keep others from the job `name`; `None` while another process has its lock.
    pub(super) fn hold_job(&self, name: &str) -> Result<Option<Hold>, StoreError> {
        if self.writer.is_postgres() {
            return Ok(Some(Hold::Lease));
        }
        let folder = self.directory().join(LOCKS);
        let path = folder.join(format!("{}.lock", name.replace(' ', "-")));
        let failed = |source| StoreError::Lock { path: path.clone(), source };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Hold::File { _lock: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Says that the run is going on.
    ///
    /// # Errors
    ///
    /// [`StoreError::JobLost`] when another process has begun it again, and the others when the
    /// database fails.
    pub async fn renew_job(&self, run: &ClaimedJob, now: Timestamp) -> Result<(), StoreError> {
        let renewed = query(
            "UPDATE job_runs SET alive_at_us = $1
             WHERE id = $2 AND attempts_count = $3 AND finished_at_us IS NULL",
        )
        .bind(now.as_microsecond())
        .bind(run.id)
        .bind(signed(run.attempts_count))
        .execute(&self.writer)
        .await?;
        if renewed.rows_affected() == 1 { Ok(()) } else { Err(StoreError::JobLost(run.id)) }
    }

    /// A transaction until whose end nobody else begins `run` again.
    pub(crate) async fn holding(&self, run: &ClaimedJob) -> Result<Transaction, StoreError> {
        let mut transaction = self.writer.begin().await?;
        hold(&mut transaction, run).await?;
        Ok(transaction)
    }

    /// Notes how the run ended.
    ///
    /// # Errors
    ///
    /// As [`Store::renew_job`].
    pub async fn finish_job(
        &self,
        run: ClaimedJob,
        now: Timestamp,
        end: JobEnd,
        detail: &str,
    ) -> Result<JobRun, StoreError> {
        let (state, retry_at) = match end {
            JobEnd::Done => (JobState::Done, None),
            JobEnd::Failed { retry_at } => (JobState::Failed, retry_at),
            JobEnd::Cancelled => (JobState::Cancelled, None),
        };
        let row = query(
            "UPDATE job_runs SET finished_at_us = $1, outcome = $2, detail = $3, retry_at_us = $4
             WHERE id = $5 AND attempts_count = $6 AND finished_at_us IS NULL RETURNING *",
        )
        .bind(now.as_microsecond())
        .bind(state.as_str())
        .bind(detail)
        .bind(retry_at.map(Timestamp::as_microsecond))
        .bind(run.id)
        .bind(signed(run.attempts_count))
        .fetch_optional(&self.writer)
        .await?;
        job_run(&row.ok_or(StoreError::JobLost(run.id))?)
    }
}

/// Whether a process holds the job `name` on PostgreSQL. Its rows are locked until the end of the
/// transaction, so that none is renewed or ended meanwhile; they are waited for rather than skipped,
/// for a second run beside one that is just being renewed is what must not be.
async fn is_leased(
    connection: &mut Connection,
    name: &str,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<bool, StoreError> {
    let rows = query(
        "SELECT alive_at_us FROM job_runs
         WHERE name = $1 AND finished_at_us IS NULL AND attempts_count > 0 FOR UPDATE",
    )
    .bind(name)
    .fetch_all(connection)
    .await?;
    for row in &rows {
        let alive_at = maybe_instant_us(row, "alive_at_us")?;
        if alive_at.is_some_and(|alive_at| now.duration_since(alive_at) < lease) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes sure that nobody else begins `run` again until the end of the transaction.
pub(super) async fn hold(connection: &mut Connection, run: &ClaimedJob) -> Result<(), StoreError> {
    // Writing the row is what locks it, in SQLite and in PostgreSQL.
    let held = query(
        "UPDATE job_runs SET attempts_count = attempts_count
         WHERE id = $1 AND attempts_count = $2 AND finished_at_us IS NULL",
    )
    .bind(run.id)
    .bind(signed(run.attempts_count))
    .execute(connection)
    .await?;
    if held.rows_affected() == 1 { Ok(()) } else { Err(StoreError::JobLost(run.id)) }
}
