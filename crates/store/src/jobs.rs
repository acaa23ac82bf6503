//! Runs of jobs: which are due or asked for, who does them, and what became of them.
//!
//! A run is done by the process that holds its job. Beside SQLite that is a lock on a file of the data
//! directory, which the operating system frees when the process ends, however it ends; what a killed
//! one left is begun again at once. On PostgreSQL, whose processes share no directory, it is a lease in
//! the row of the run: who is not heard of for as long as it holds has lost it. Either way no two processes do a
//! job at a time, and whoever was thought dead cannot note anything of a run that another has begun
//! again, for each attempt has its number.

mod asked;
mod held;
mod parts;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::columns::{count, instant_us, maybe_instant_us};
use crate::db::{Row, query};
use crate::error::StoreError;
use crate::pool::Store;

pub use held::{ClaimedJob, LEASE_DEFAULT};
pub use parts::{JobPart, NewPart, PART_SUFFIX};

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
    /// The run of which this is a part.
    #[serde(default)]
    pub parent: Option<i64>,
    /// What it is called within that.
    #[serde(default)]
    pub part: Option<String>,
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

impl Store {
    /// The run `id`, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn job(&self, id: i64) -> Result<Option<JobRun>, StoreError> {
        query("SELECT * FROM job_runs WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.reader)
            .await?
            .as_ref()
            .map(job_run)
            .transpose()
    }

    /// The runs of the job `name`, or of all, that are older than the run `before`, without their parts;
    /// at most `limit`, the newest first.
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
        query(
            "SELECT * FROM job_runs
             WHERE parent_id IS NULL AND ($1 IS NULL OR name = $1) AND ($2 IS NULL OR id < $2)
             ORDER BY id DESC LIMIT $3",
        )
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
        parent: row.try_get("parent_id")?,
        part: row.try_get("part")?,
    })
}
