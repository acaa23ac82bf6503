//! Runs that are asked for or due, and those that somebody ends or lets be begun again, or that nobody goes on
//! with.

use bist_access::AuditAction;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{JobRun, JobState, NewJob, job_run, parts};
use crate::audit::{Audit, AuditNote, append};
use crate::columns::json as text;
use crate::db::{Connection, Row, query};
use crate::error::StoreError;
use crate::pool::Store;

impl Store {
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
        let under_way = query(
            "SELECT * FROM job_runs WHERE name = $1 AND finished_at_us IS NULL
             ORDER BY due_at_us LIMIT 1",
        )
        .bind(asked.name)
        .fetch_optional(&mut *transaction)
        .await?;
        refuse_beside(under_way)?;
        let row = query(
            "INSERT INTO job_runs (id, name, due_at_us, asked_by, reason, plan, started_at_us,
                                   alive_at_us, attempts_count)
             VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM job_runs), $1,
                     COALESCE((SELECT MAX(due_at_us) + 1 FROM job_runs
                               WHERE name = $1 AND due_at_us >= $2), $2), $3, $4, $5, $2, $2, 0)
             RETURNING *",
        )
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

    /// Asks the run `id` to end: at once when it waits or waits to be begun again, otherwise at its
    /// next step, and so are its parts.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchJob`], [`StoreError::JobPart`], [`StoreError::JobMove`] when it has ended, and the others when the
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
        refuse_part(&run)?;
        let ends_at_once = match run.state {
            JobState::Waiting => true,
            JobState::Running => false,
            JobState::Failed | JobState::Cancelled if run.retry_at.is_some() => true,
            JobState::Done | JobState::Failed | JobState::Cancelled => {
                return Err(StoreError::JobMove { id, state: run.state.as_str(), to: "cancelled" });
            }
        };
        let row = query(
            "UPDATE job_runs SET cancel_asked_by = $1, retry_at_us = NULL,
                 finished_at_us = CASE WHEN $2 THEN $3 ELSE finished_at_us END,
                 outcome = CASE WHEN $2 THEN 'cancelled' ELSE outcome END,
                 detail = CASE WHEN $2 THEN 'cancelled by ' || $1 ELSE detail END
             WHERE id = $4 RETURNING *",
        )
        .bind(by)
        .bind(ends_at_once)
        .bind(audit.at.as_microsecond())
        .bind(id)
        .fetch_one(&mut *transaction)
        .await?;
        parts::cancel(&mut transaction, id, audit.at).await?;
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
        refuse_part(&run)?;
        if !matches!(run.state, JobState::Failed | JobState::Cancelled) {
            return Err(StoreError::JobMove { id, state: run.state.as_str(), to: "begun again" });
        }
        let under_way = query(
            "SELECT * FROM job_runs
             WHERE name = $1 AND id <> $2 AND (finished_at_us IS NULL OR retry_at_us IS NOT NULL)
             ORDER BY due_at_us LIMIT 1",
        )
        .bind(&run.name)
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
        refuse_beside(under_way)?;
        let row = query(
            "UPDATE job_runs SET cancel_asked_by = NULL, retry_at_us = $1
             WHERE id = $2 RETURNING *",
        )
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

    /// Ends the runs of the job `name` that were going on when what is in this database was written, as it is
    /// found in a backup: nobody goes on with them, and `told` says why. Returns their numbers, in their order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn end_left_jobs(
        &self,
        name: &str,
        now: Timestamp,
        told: &str,
    ) -> Result<Vec<i64>, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let rows = query(
            "UPDATE job_runs SET finished_at_us = $2, outcome = 'cancelled', detail = $3,
                 retry_at_us = NULL
             WHERE name = $1 AND finished_at_us IS NULL AND attempts_count > 0 RETURNING id",
        )
        .bind(name)
        .bind(now.as_microsecond())
        .bind(told)
        .fetch_all(&mut *transaction)
        .await?;
        let ids = rows.iter().map(|row| row.try_get("id"));
        let mut ids = ids.collect::<Result<Vec<i64>, _>>()?;
        ids.sort_unstable();
        for id in &ids {
            query(
                "UPDATE job_stages SET ended_at_us = $2, outcome = 'cancelled', part = '', told = $3
                 WHERE job_id = $1 AND began_at_us IS NOT NULL AND ended_at_us IS NULL",
            )
            .bind(*id)
            .bind(now.as_microsecond())
            .bind(told)
            .execute(&mut *transaction)
            .await?;
        }
        parts::end_with_run(&mut transaction, name, now).await?;
        transaction.commit().await?;
        Ok(ids)
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

async fn run_of(connection: &mut Connection, id: i64) -> Result<JobRun, StoreError> {
    let row =
        query("SELECT * FROM job_runs WHERE id = $1").bind(id).fetch_optional(connection).await?;
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

/// Refuses to change a part by itself.
fn refuse_part(run: &JobRun) -> Result<(), StoreError> {
    run.parent.map_or(Ok(()), |parent| Err(StoreError::JobPart { id: run.id, parent }))
}
