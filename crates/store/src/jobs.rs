//! Runs of jobs: which are due or asked for, who does them, and what became of them.
//!
//! A run is done by the process that holds its job. Beside SQLite that is a lock on a file of the data
//! directory, which the operating system frees when the process ends, however it ends; what a killed
//! one left is begun again at once. On PostgreSQL, whose processes share no directory, it is a lease in
//! the row of the run: who is not heard of for as long as it holds has lost it. Either way no two processes do a
//! job at a time, and whoever was thought dead cannot note anything of a run that another has begun
//! again, for each attempt has its number.

use std::fmt;
use std::fs::{File, TryLockError};
use std::ops::Deref;

use bist_access::AuditAction;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::audit::{Audit, AuditNote, append};
use crate::columns::{count, instant_us, json as text, maybe_instant_us, signed};
use crate::db::{Connection, Row, Transaction, query};
use crate::error::StoreError;
use crate::pool::Store;

/// Folder of the locks in the data directory.
const LOCKS: &str = "locks";

/// How long a process on PostgreSQL holds a job without being heard of, unless it is told otherwise;
/// clocks of machines have to differ by much less.
pub const LEASE_DEFAULT: SignedDuration = SignedDuration::from_secs(60);

/// The columns of a run.
macro_rules! columns {
    () => {
        "id, name, due_at_us, asked_by, reason, plan, started_at_us, alive_at_us, attempts_count,
         cancel_asked_by, finished_at_us, outcome, detail, retry_at_us"
    };
}

/// One run of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobRun {
    /// Its number, which stays when it is begun again.
    pub id: i64,
    /// Which job.
    pub name: String,
    /// When it was due, or asked for.
    pub due_at: Timestamp,
    /// Who asked for it; `None` for the schedule.
    pub asked_by: Option<String>,
    /// Why it was asked for.
    pub reason: Option<String>,
    /// What it is to do, decided before it began; null where there is nothing to decide.
    pub plan: Value,
    /// When it was begun, for the last time if it was begun several times; `None` while it waits.
    pub started_at: Option<Timestamp>,
    /// When it was last heard of.
    pub alive_at: Option<Timestamp>,
    /// How often it was begun.
    pub attempts_count: u64,
    /// Who wants it to end.
    pub cancel_asked_by: Option<String>,
    /// When it finished; `None` while it waits or runs, or when its process died.
    pub finished_at: Option<Timestamp>,
    /// Where it stands.
    pub state: JobState,
    /// What came of it, in one sentence.
    pub detail: Option<String>,
    /// When it is begun again, if it failed and is.
    pub retry_at: Option<Timestamp>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Nobody has begun it.
    Waiting,
    /// It was begun and has not ended; its process may have died.
    Running,
    /// It did what it was to do.
    Done,
    /// It did not.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Waiting, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// The word in the store, the API and the reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads a word that we wrote.
    pub(crate) fn parse(word: &str) -> Result<Self, StoreError> {
        let state = Self::ALL.into_iter().find(|state| state.as_str() == word);
        state.ok_or_else(|| StoreError::Impossible(format!("state of a job '{word}'")))
    }

    /// Whether nothing more happens by itself, but for a failed run that is begun again.
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
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
    /// Somebody ended it.
    Cancelled,
}

/// A run that somebody asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob<'a> {
    /// Which job.
    pub name: &'a str,
    /// Who asks.
    pub asked_by: &'a str,
    /// Why.
    pub reason: &'a str,
    /// What it is to do.
    pub plan: Value,
}

/// A run that is this process's to do, for as long as it holds this.
#[derive(Debug)]
pub struct ClaimedJob {
    run: JobRun,
    _hold: Hold,
}

/// What keeps other processes from a job.
#[derive(Debug)]
enum Hold {
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

    /// Puts down that a run is asked for; it waits until a process does it.
    ///
    /// # Errors
    ///
    /// [`StoreError::JobUnderWay`] when a run of the job waits or has not ended, and the others when
    /// the database fails.
    pub async fn ask_for_job(
        &self,
        asked: &NewJob<'_>,
        audit: &Audit,
    ) -> Result<JobRun, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let under_way = query(concat!(
            "SELECT ",
            columns!(),
            " FROM job_runs WHERE name = $1 AND finished_at_us IS NULL ORDER BY due_at_us LIMIT 1"
        ))
        .bind(asked.name)
        .fetch_optional(&mut *transaction)
        .await?;
        refuse_beside(under_way)?;
        let row = query(concat!(
            "INSERT INTO job_runs (id, name, due_at_us, asked_by, reason, plan, started_at_us,
                                   alive_at_us, attempts_count)
             VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM job_runs), $1,
                     COALESCE((SELECT MAX(due_at_us) + 1 FROM job_runs
                               WHERE name = $1 AND due_at_us >= $2), $2), $3, $4, $5, $2, $2, 0)
             RETURNING ",
            columns!()
        ))
        .bind(asked.name)
        .bind(audit.at.as_microsecond())
        .bind(asked.asked_by)
        .bind(asked.reason)
        .bind(text("plan of a job", &asked.plan)?)
        .fetch_one(&mut *transaction)
        .await?;
        let run = job_run(&row)?;
        let details =
            [("job", json!(run.name)), ("plan", run.plan.clone()), ("reason", json!(asked.reason))];
        put_on_record(&mut transaction, audit, AuditAction::JobAsked, (run.id, details)).await?;
        transaction.commit().await?;
        Ok(run)
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
        query(
            "UPDATE job_runs SET finished_at_us = $2, outcome = 'cancelled',
                 detail = 'cancelled by ' || cancel_asked_by, retry_at_us = NULL
             WHERE name = $1 AND finished_at_us IS NULL AND cancel_asked_by IS NOT NULL",
        )
        .bind(name)
        .bind(now.as_microsecond())
        .execute(&mut *transaction)
        .await?;
        let row = query(concat!(
            "UPDATE job_runs SET started_at_us = $2, alive_at_us = $2,
                 attempts_count = attempts_count + 1, finished_at_us = NULL, outcome = NULL,
                 detail = NULL, retry_at_us = NULL
             WHERE id = (SELECT id FROM job_runs WHERE name = $1
                           AND (finished_at_us IS NULL OR retry_at_us <= $2)
                         ORDER BY due_at_us LIMIT 1)
             RETURNING ",
            columns!()
        ))
        .bind(name)
        .bind(now.as_microsecond())
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let run = row.as_ref().map(job_run).transpose()?;
        Ok(run.map(|run| ClaimedJob { run, _hold: hold }))
    }

    /// Puts in the run of the job `name` that is due at `due_at`, for whoever does it, and gives up
    /// those of the schedule before it that have not been done. Says whether it was put in now: not
    /// when it is there, when a later one is, as for a process that slept, or while another process
    /// does the job.
    ///
    /// # Errors
    ///
    /// As [`Store::claim_job`].
    pub async fn schedule_job(
        &self,
        name: &str,
        due_at: Timestamp,
        plan: &Value,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let known = query(
            "SELECT 1 FROM job_runs WHERE name = $1 AND due_at_us >= $2 AND asked_by IS NULL
             LIMIT 1",
        )
        .bind(name)
        .bind(due_at.as_microsecond())
        .fetch_optional(&self.reader)
        .await?;
        if known.is_some() {
            return Ok(false);
        }
        let Some((_hold, mut transaction)) = self.hold_alone(name, now).await? else {
            return Ok(false);
        };
        let is_new = schedule(&mut transaction, name, due_at, plan, now).await?;
        transaction.commit().await?;
        Ok(is_new)
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
    async fn hold_alone(
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
    fn hold_job(&self, name: &str) -> Result<Option<Hold>, StoreError> {
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
        // Writing the row is what locks it, in SQLite and in PostgreSQL.
        let held = query(
            "UPDATE job_runs SET attempts_count = attempts_count
             WHERE id = $1 AND attempts_count = $2 AND finished_at_us IS NULL",
        )
        .bind(run.id)
        .bind(signed(run.attempts_count))
        .execute(&mut *transaction)
        .await?;
        if held.rows_affected() == 1 { Ok(transaction) } else { Err(StoreError::JobLost(run.id)) }
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
        let row = query(concat!(
            "UPDATE job_runs SET finished_at_us = $1, outcome = $2, detail = $3, retry_at_us = $4
             WHERE id = $5 AND attempts_count = $6 AND finished_at_us IS NULL RETURNING ",
            columns!()
        ))
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

    /// Asks the run `id` to end: at once when it waits or waits to be begun again, otherwise at its
    /// next step.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchJob`], [`StoreError::JobMove`] when it has ended, and the others when the
    /// database fails.
    pub async fn cancel_job(
        &self,
        id: i64,
        by: &str,
        reason: &str,
        audit: &Audit,
    ) -> Result<JobRun, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let run = run_of(&mut transaction, id).await?;
        let ends_at_once = match run.state {
            JobState::Waiting => true,
            JobState::Running => false,
            JobState::Failed | JobState::Cancelled if run.retry_at.is_some() => true,
            JobState::Done | JobState::Failed | JobState::Cancelled => {
                return Err(StoreError::JobMove { id, state: run.state.as_str(), to: "cancelled" });
            }
        };
        let row = query(concat!(
            "UPDATE job_runs SET cancel_asked_by = $1, retry_at_us = NULL,
                 finished_at_us = CASE WHEN $2 THEN $3 ELSE finished_at_us END,
                 outcome = CASE WHEN $2 THEN 'cancelled' ELSE outcome END,
                 detail = CASE WHEN $2 THEN 'cancelled by ' || $1 ELSE detail END
             WHERE id = $4 RETURNING ",
            columns!()
        ))
        .bind(by)
        .bind(ends_at_once)
        .bind(audit.at.as_microsecond())
        .bind(id)
        .fetch_one(&mut *transaction)
        .await?;
        let details = [("job", json!(run.name)), ("reason", json!(reason))];
        put_on_record(&mut transaction, audit, AuditAction::JobCancelled, (id, details)).await?;
        transaction.commit().await?;
        job_run(&row)
    }

    /// Lets the run `id`, which failed or was cancelled, wait to be begun again; what it had done is
    /// not done again.
    ///
    /// # Errors
    ///
    /// As [`Store::cancel_job`].
    pub async fn retry_job(
        &self,
        id: i64,
        reason: &str,
        audit: &Audit,
    ) -> Result<JobRun, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let run = run_of(&mut transaction, id).await?;
        if !matches!(run.state, JobState::Failed | JobState::Cancelled) {
            return Err(StoreError::JobMove { id, state: run.state.as_str(), to: "begun again" });
        }
        let under_way = query(concat!(
            "SELECT ",
            columns!(),
            " FROM job_runs
             WHERE name = $1 AND id <> $2 AND (finished_at_us IS NULL OR retry_at_us IS NOT NULL)
             ORDER BY due_at_us LIMIT 1"
        ))
        .bind(&run.name)
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
        refuse_beside(under_way)?;
        let row = query(concat!(
            "UPDATE job_runs SET cancel_asked_by = NULL, retry_at_us = $1
             WHERE id = $2 RETURNING ",
            columns!()
        ))
        .bind(audit.at.as_microsecond())
        .bind(id)
        .fetch_one(&mut *transaction)
        .await?;
        let details =
            [("job", json!(run.name)), ("once_more", json!(true)), ("reason", json!(reason))];
        put_on_record(&mut transaction, audit, AuditAction::JobAsked, (id, details)).await?;
        transaction.commit().await?;
        job_run(&row)
    }

    /// The run `id`, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn job(&self, id: i64) -> Result<Option<JobRun>, StoreError> {
        query(concat!("SELECT ", columns!(), " FROM job_runs WHERE id = $1"))
            .bind(id)
            .fetch_optional(&self.reader)
            .await?
            .as_ref()
            .map(job_run)
            .transpose()
    }

    /// The runs of the job `name`, or of all, that are older than the run `before`; at most `limit`,
    /// the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn jobs(
        &self,
        name: Option<&str>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<JobRun>, StoreError> {
        query(concat!(
            "SELECT ",
            columns!(),
            " FROM job_runs WHERE ($1 IS NULL OR name = $1) AND ($2 IS NULL OR id < $2)
             ORDER BY id DESC LIMIT $3"
        ))
        .bind(name)
        .bind(before)
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(job_run)
        .collect()
    }
}

/// Adds the run that is due at `due_at`, unless it or a later one of the schedule is there, and gives
/// up those of the schedule before it; says whether it was added.
async fn schedule(
    connection: &mut Connection,
    name: &str,
    due_at: Timestamp,
    plan: &Value,
    now: Timestamp,
) -> Result<bool, StoreError> {
    query(
        "UPDATE job_runs SET retry_at_us = NULL,
             outcome = COALESCE(outcome, 'failed'),
             detail = COALESCE(detail, 'its process ended, and a newer run makes up for it'),
             finished_at_us = COALESCE(finished_at_us, $3)
         WHERE name = $1 AND asked_by IS NULL AND due_at_us < $2
           AND (finished_at_us IS NULL OR retry_at_us IS NOT NULL)",
    )
    .bind(name)
    .bind(due_at.as_microsecond())
    .bind(now.as_microsecond())
    .execute(&mut *connection)
    .await?;
    let added = query(
        "INSERT INTO job_runs (id, name, due_at_us, plan, started_at_us, alive_at_us,
                               attempts_count)
         SELECT (SELECT COALESCE(MAX(id), 0) + 1 FROM job_runs), $1, $2, $3, $4, $4, 0
         WHERE NOT EXISTS (SELECT 1 FROM job_runs
                           WHERE name = $1 AND asked_by IS NULL AND due_at_us > $2)
         ON CONFLICT (name, due_at_us) DO NOTHING",
    )
    .bind(name)
    .bind(due_at.as_microsecond())
    .bind(text("plan of a job", plan)?)
    .bind(now.as_microsecond())
    .execute(&mut *connection)
    .await?;
    Ok(added.rows_affected() > 0)
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

async fn run_of(connection: &mut Connection, id: i64) -> Result<JobRun, StoreError> {
    let row = query(concat!("SELECT ", columns!(), " FROM job_runs WHERE id = $1"))
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(job_run).transpose()?.ok_or(StoreError::NoSuchJob(id))
}

async fn put_on_record<const N: usize>(
    connection: &mut Connection,
    audit: &Audit,
    action: AuditAction,
    (id, details): (i64, [(&'static str, Value); N]),
) -> Result<(), StoreError> {
    append(connection, audit, vec![AuditNote::new(action, format!("job:{id}"), details)]).await
}

/// Refuses another run beside the one of this row.
fn refuse_beside(under_way: Option<Row>) -> Result<(), StoreError> {
    let Some(row) = under_way else { return Ok(()) };
    let JobRun { id, name, state, .. } = job_run(&row)?;
    Err(StoreError::JobUnderWay { id, name, state: state.as_str() })
}

fn job_run(row: &Row) -> Result<JobRun, StoreError> {
    let word: Option<&str> = row.try_get("outcome")?;
    let attempts_count = count(row, "attempts_count")?;
    let state = match word {
        None if attempts_count == 0 => JobState::Waiting,
        None => JobState::Running,
        Some(word) => JobState::parse(word)?,
    };
    let plan: Option<&str> = row.try_get("plan")?;
    let plan = plan.map_or(Ok(Value::Null), serde_json::from_str);
    let started_at = instant_us(row.try_get("started_at_us")?)?;
    Ok(JobRun {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        due_at: instant_us(row.try_get("due_at_us")?)?,
        asked_by: row.try_get("asked_by")?,
        reason: row.try_get("reason")?,
        plan: plan.map_err(|source| StoreError::Document { what: "plan of a job", source })?,
        started_at: (attempts_count > 0).then_some(started_at),
        alive_at: maybe_instant_us(row, "alive_at_us")?.filter(|_| attempts_count > 0),
        attempts_count,
        cancel_asked_by: row.try_get("cancel_asked_by")?,
        finished_at: maybe_instant_us(row, "finished_at_us")?,
        state,
        detail: row.try_get("detail")?,
        retry_at: maybe_instant_us(row, "retry_at_us")?,
    })
}
