//! The parts of a run: put in together, and each taken up by whichever process is free.
//!
//! A part is a run of its own with a parent. Other than a whole job, of which there is one run at a
//! time, parts know nothing of each other: who looks for one passes over those that somebody is about
//! to begin, to renew or to end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::held::{ClaimedJob, Hold, hold};
use super::{JobRun, JobState, job_run};
use crate::columns::{count, json as text, signed};
use crate::db::{Connection, Row, query};
use crate::error::StoreError;
use crate::job_stages::StageProgress;
use crate::pool::Store;

/// What the name of a job is followed by in that of its parts.
pub const PART_SUFFIX: &str = " part";

/// A part that is to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPart {
    /// What it is called within its run.
    pub part: String,
    /// What is to be done.
    pub plan: Value,
}

/// A part, and how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobPart {
    /// The part as a run of its own.
    pub run: JobRun,
    /// How far it is.
    pub progress: StageProgress,
}

impl JobPart {
    /// What it is called within its run.
    pub fn title(&self) -> &str {
        self.run.part.as_deref().unwrap_or_default()
    }
}

/// What makes a part that may be begun: its run goes on and nobody wants it to end, and it waits, or
/// its process is not heard of any more. The first value is the run, or null for any, the second the
/// instant, and the third the one since which whoever holds a part was heard of.
macro_rules! may_begin {
    () => {
        "FROM job_runs AS part JOIN job_runs AS whole ON whole.id = part.parent_id
         WHERE whole.finished_at_us IS NULL AND whole.cancel_asked_by IS NULL
           AND ($1 IS NULL OR part.parent_id = $1)
           AND (part.retry_at_us <= $2
                OR part.finished_at_us IS NULL
                    AND (part.attempts_count = 0 OR part.alive_at_us <= $3))"
    };
}

/// What a part is begun by.
macro_rules! begin {
    () => {
        "UPDATE job_runs SET started_at_us = $2, alive_at_us = $2,
             attempts_count = attempts_count + 1, finished_at_us = NULL, outcome = NULL,
             detail = NULL, retry_at_us = NULL WHERE id = "
    };
}

impl Store {
    /// Puts in `parts` of `run`, for whoever does them. One that is there by the same name and plan
    /// stays as it is, unless it failed or was cancelled: then it is begun again. One whose plan has
    /// changed is begun again too, and forgets what it found. What of earlier parts is not among them
    /// and has not ended is given up.
    ///
    /// # Errors
    ///
    /// As [`Store::renew_job`].
    pub async fn put_in_parts(
        &self,
        run: &ClaimedJob,
        parts: &[NewPart],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        hold(&mut transaction, run).await?;
        let held = parts_of(&mut transaction, run.id).await?;
        for old in &held {
            let is_asked = parts.iter().any(|new| Some(&new.part) == old.part.as_ref());
            if !is_asked && !has_ended(old) {
                begin_anew(&mut transaction, old.id, None, now).await?;
            }
        }
        for (place, new) in parts.iter().enumerate() {
            match held.iter().find(|old| old.part.as_ref() == Some(&new.part)) {
                None => insert(&mut transaction, run, (place, new), now).await?,
                Some(old) if stays(old, new) => {}
                Some(old) => {
                    begin_anew(&mut transaction, old.id, Some(&new.plan), now).await?;
                }
            }
        }
        Ok(transaction.commit().await?)
    }

    /// Begins a part of the run `parent`, or of any, that waits, or that was left by a process that
    /// died. `None` when there is nothing to do.
    ///
    /// # Errors
    ///
    /// As [`Store::claim_job`].
    pub async fn claim_part(
        &self,
        parent: Option<i64>,
        now: Timestamp,
    ) -> Result<Option<ClaimedJob>, StoreError> {
        // Who asks every few seconds should not wait each time for whoever writes.
        let candidates = query(concat!("SELECT part.* ", may_begin!(), " ORDER BY part.id"))
            .bind(parent)
            .bind(now.as_microsecond())
            .bind(self.dead_since(now))
            .fetch_all(&self.reader)
            .await?;
        if candidates.is_empty() {
            return Ok(None);
        }
        if self.writer.is_postgres() {
            let row = query(concat!(
                begin!(),
                "(SELECT part.id ",
                may_begin!(),
                " ORDER BY part.id LIMIT 1 FOR UPDATE OF part SKIP LOCKED) RETURNING *"
            ))
            .bind(parent)
            .bind(now.as_microsecond())
            .bind(self.dead_since(now))
            .fetch_optional(&self.writer)
            .await?;
            let run = row.as_ref().map(job_run).transpose()?;
            return Ok(run.map(|run| ClaimedJob::new(run, Hold::Lease)));
        }
        for row in &candidates {
            let Some(hold) = self.hold_job(&lock_name(row)?)? else { continue };
            let mut transaction = self.writer.begin_alone().await?;
            let row = query(concat!(
                begin!(),
                "(SELECT part.id ",
                may_begin!(),
                " AND part.id = $4) RETURNING *"
            ))
            .bind(parent)
            .bind(now.as_microsecond())
            .bind(self.dead_since(now))
            .bind(row.try_get::<i64, _>("id")?)
            .fetch_optional(&mut *transaction)
            .await?;
            transaction.commit().await?;
            if let Some(row) = row {
                return Ok(Some(ClaimedJob::new(job_run(&row)?, hold)));
            }
        }
        Ok(None)
    }

    /// Ends the parts of `run` that nobody does, and asks those that somebody does to end at their next
    /// step, if somebody wants the run to end.
    ///
    /// # Errors
    ///
    /// As [`Store::renew_job`].
    pub async fn cancel_parts(&self, run: &ClaimedJob, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        hold(&mut transaction, run).await?;
        cancel(&mut transaction, run.id, now).await?;
        let mut held = Vec::new();
        for part in parts_of(&mut transaction, run.id).await? {
            if part.finished_at.is_some() || part.cancel_asked_by.is_none() {
                continue;
            }
            // Nobody else begins it before this is committed.
            let is_dead = match self.writer.is_postgres() {
                true => part.alive_at.is_none_or(|at| at.as_microsecond() <= self.dead_since(now)),
                false => {
                    let row = query("SELECT name, place FROM job_runs WHERE id = $1")
                        .bind(part.id)
                        .fetch_one(&mut *transaction)
                        .await?;
                    let hold = self.hold_job(&lock_name(&row)?)?;
                    let is_free = hold.is_some();
                    held.extend(hold);
                    is_free
                }
            };
            if is_dead {
                query(
                    "UPDATE job_runs SET finished_at_us = $2, outcome = 'cancelled',
                         detail = 'cancelled by ' || cancel_asked_by WHERE id = $1",
                )
                .bind(part.id)
                .bind(now.as_microsecond())
                .execute(&mut *transaction)
                .await?;
            }
        }
        Ok(transaction.commit().await?)
    }

    /// The newest `limit` parts of the run `id`, in the order in which they were put in.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn job_parts(&self, id: i64, limit: u32) -> Result<Vec<JobPart>, StoreError> {
        let rows = query(
            "SELECT job_runs.*, job_stages.part AS doing, job_stages.done, job_stages.total
             FROM job_runs LEFT JOIN job_stages
                 ON job_stages.job_id = job_runs.id AND job_stages.number = 0
             WHERE parent_id = $1 ORDER BY job_runs.id DESC LIMIT $2",
        )
        .bind(id)
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().rev().map(job_part).collect()
    }

    /// The oldest instant at which a process was heard of that is not thought dead. Beside SQLite a
    /// lock tells, and every process may have died.
    fn dead_since(&self, now: Timestamp) -> i64 {
        match self.writer.is_postgres() {
            true => {
                let since = now.saturating_sub(self.job_lease).unwrap_or(Timestamp::MIN);
                since.as_microsecond()
            }
            false => i64::MAX,
        }
    }
}

async fn parts_of(connection: &mut Connection, id: i64) -> Result<Vec<JobRun>, StoreError> {
    query("SELECT * FROM job_runs WHERE parent_id = $1 ORDER BY id")
        .bind(id)
        .fetch_all(connection)
        .await?
        .iter()
        .map(job_run)
        .collect()
}

/// Whether nothing more happens to a part.
fn has_ended(part: &JobRun) -> bool {
    part.state.has_ended() && part.retry_at.is_none()
}

/// Whether `old` goes on as `new`.
fn stays(old: &JobRun, new: &NewPart) -> bool {
    let is_done = has_ended(old) && old.state == JobState::Done;
    let goes_on = !has_ended(old) && old.cancel_asked_by.is_none();
    old.plan == new.plan && (is_done || goes_on)
}

async fn insert(
    connection: &mut Connection,
    run: &ClaimedJob,
    (place, new): (usize, &NewPart),
    now: Timestamp,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO job_runs (id, name, due_at_us, plan, started_at_us, alive_at_us,
                               attempts_count, parent_id, part, place)
         VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM job_runs), $1,
                 COALESCE((SELECT MAX(due_at_us) + 1 FROM job_runs
                           WHERE name = $1 AND due_at_us >= $2), $2), $3, $2, $2, 0, $4, $5, $6)",
    )
    .bind(format!("{}{PART_SUFFIX}", run.name))
    .bind(now.as_microsecond())
    .bind(text("plan of a part", &new.plan)?)
    .bind(run.id)
    .bind(&new.part)
    .bind(signed(place as u64))
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes the part `id` from whoever does it: with a plan it is begun again by that, without it is over.
async fn begin_anew(
    connection: &mut Connection,
    id: i64,
    plan: Option<&Value>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let plan = plan.map(|plan| text("plan of a part", plan)).transpose()?;
    query(
        "UPDATE job_runs SET plan = COALESCE($3, plan), outcome = 'cancelled',
             finished_at_us = COALESCE(finished_at_us, $2),
             detail = 'the run goes on without what it was doing', cancel_asked_by = NULL,
             retry_at_us = CASE WHEN $3 IS NULL THEN NULL ELSE $4 END
         WHERE id = $1",
    )
    .bind(id)
    .bind(now.as_microsecond())
    .bind(plan)
    .bind(now.as_microsecond())
    .execute(&mut *connection)
    .await?;
    query("DELETE FROM job_stages WHERE job_id = $1").bind(id).execute(connection).await?;
    Ok(())
}

/// Ends the parts of the run `id` that wait, and asks the others to end, if somebody wants the run to
/// end.
pub(super) async fn cancel(
    connection: &mut Connection,
    id: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    query(
        "UPDATE job_runs SET retry_at_us = NULL,
             cancel_asked_by = (SELECT whole.cancel_asked_by FROM job_runs AS whole
                                WHERE whole.id = $1),
             finished_at_us = CASE WHEN attempts_count = 0 THEN $2 ELSE finished_at_us END,
             outcome = CASE WHEN attempts_count = 0 THEN 'cancelled' ELSE outcome END,
             detail = CASE WHEN attempts_count = 0 THEN 'cancelled before it began' ELSE detail END
         WHERE parent_id = $1 AND (finished_at_us IS NULL OR retry_at_us IS NOT NULL)
           AND EXISTS (SELECT 1 FROM job_runs AS whole
                       WHERE whole.id = $1 AND whole.cancel_asked_by IS NOT NULL)",
    )
    .bind(id)
    .bind(now.as_microsecond())
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends the parts of the runs of the job `name` that have ended; who does one finds it lost.
pub(super) async fn end_with_run(
    connection: &mut Connection,
    name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    query(
        "UPDATE job_runs SET finished_at_us = $2, outcome = 'cancelled', retry_at_us = NULL,
             detail = 'its run has ended'
         WHERE finished_at_us IS NULL
           AND parent_id IN (SELECT whole.id FROM job_runs AS whole
                             WHERE whole.name = $1 AND whole.finished_at_us IS NOT NULL)",
    )
    .bind(name)
    .bind(now.as_microsecond())
    .execute(connection)
    .await?;
    Ok(())
}

/// What the lock of a part is called. A run has few places, which its later parts have again.
fn lock_name(row: &Row) -> Result<String, StoreError> {
    let name: &str = row.try_get("name")?;
    Ok(format!("{name} {}", count(row, "place")?))
}

fn job_part(row: &Row) -> Result<JobPart, StoreError> {
    let doing: Option<&str> = row.try_get("doing")?;
    let progress = match doing {
        None => StageProgress::default(),
        Some(part) => StageProgress {
            part: part.to_owned(),
            done: count(row, "done")?,
            total: count(row, "total")?,
        },
    };
    Ok(JobPart { run: job_run(row)?, progress })
}
