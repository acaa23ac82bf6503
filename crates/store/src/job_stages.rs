//! What a run of a job consists of, how far it is, and what it said.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::columns::{count, impossible, instant_us, json, maybe_instant_us, signed};
use crate::db::{Row, query};
use crate::error::StoreError;
use crate::jobs::{ClaimedJob, JobState};
use crate::pool::Store;

/// A stage of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobStage {
    /// Its place, from zero.
    pub number: u32,
    /// What is done in it.
    pub name: String,
    /// When it was begun, for the last time if it was begun several times.
    pub began_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Where it stands.
    pub state: JobState,
    /// How far it is.
    pub progress: StageProgress,
    /// What came of it, in one sentence.
    pub told: Option<String>,
    /// What it found; null where nothing was kept.
    pub result: Value,
}

/// How far a stage is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageProgress {
    /// Which part of it is being done; empty when it has none that are worth a name.
    pub part: String,
    /// How much of it is done.
    pub done: u64,
    /// How much there is; zero when that is not known.
    pub total: u64,
}

/// Something that a run said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobLine {
    /// Its place, from one.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Whether it tells of a failure.
    pub is_failure: bool,
    /// What.
    pub line: String,
}

/// The columns of a stage.
macro_rules! columns {
    () => {
        "number, name, began_at_us, ended_at_us, outcome, part, done, total, told, result"
    };
}

impl Store {
    /// Puts down which stages the run consists of; those that it had before keep what they found, as
    /// long as they are the same.
    ///
    /// # Errors
    ///
    /// As [`Store::renew_job`].
    pub async fn lay_out_stages(
        &self,
        run: &ClaimedJob,
        names: &[String],
    ) -> Result<Vec<JobStage>, StoreError> {
        let held = self.job_stages(run.id).await?;
        let same_count = held.iter().zip(names).take_while(|(held, name)| held.name == **name);
        let same_count = same_count.count();
        let mut transaction = self.holding(run).await?;
        query("DELETE FROM job_stages WHERE job_id = $1 AND number >= $2")
            .bind(run.id)
            .bind(signed(same_count as u64))
            .execute(&mut *transaction)
            .await?;
        for (number, name) in names.iter().enumerate().skip(same_count) {
            query("INSERT INTO job_stages (job_id, number, name) VALUES ($1, $2, $3)")
                .bind(run.id)
                .bind(signed(number as u64))
                .bind(name)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        self.job_stages(run.id).await
    }

    /// Forgets what the stages from `number` on found, so that they are done again.
    ///
    /// # Errors
    ///
    /// As [`Store::renew_job`].
    pub async fn forget_stages(&self, run: &ClaimedJob, number: u32) -> Result<(), StoreError> {
        let mut transaction = self.holding(run).await?;
        query(
            "UPDATE job_stages SET began_at_us = NULL, ended_at_us = NULL, outcome = NULL, part = '',
                 done = 0, total = 0, told = NULL, result = NULL
             WHERE job_id = $1 AND number >= $2",
        )
        .bind(run.id)
        .bind(i64::from(number))
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Notes that a stage begins.
    ///
    /// # Errors
    ///
    /// As [`Store::renew_job`].
    pub async fn begin_stage(
        &self,
        run: &ClaimedJob,
        number: u32,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.holding(run).await?;
        query(
            "UPDATE job_stages SET began_at_us = $3, ended_at_us = NULL, outcome = NULL, part = '',
                 done = 0, total = 0, told = NULL, result = NULL
             WHERE job_id = $1 AND number = $2",
        )
        .bind(run.id)
        .bind(i64::from(number))
        .bind(now.as_microsecond())
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Notes how far a stage is, and that the run goes on.
    ///
    /// # Errors
    ///
    /// As [`Store::renew_job`].
    pub async fn note_progress(
        &self,
        run: &ClaimedJob,
        number: u32,
        progress: &StageProgress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Whoever was just heard of is not thought dead before this is noted.
        self.renew_job(run, now).await?;
        query(
            "UPDATE job_stages SET part = $3, done = $4, total = $5
             WHERE job_id = $1 AND number = $2 AND ended_at_us IS NULL",
        )
        .bind(run.id)
        .bind(i64::from(number))
        .bind(&progress.part)
        .bind(signed(progress.done))
        .bind(signed(progress.total))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Notes how a stage ended, and what it found.
    ///
    /// # Errors
    ///
    /// As [`Store::renew_job`].
    pub async fn end_stage(
        &self,
        run: &ClaimedJob,
        number: u32,
        now: Timestamp,
        end: (JobState, &str, &Value),
    ) -> Result<(), StoreError> {
        let (state, told, result) = end;
        let mut transaction = self.holding(run).await?;
        query(
            "UPDATE job_stages SET ended_at_us = $3, outcome = $4, part = '', done = total,
                 told = $5, result = $6
             WHERE job_id = $1 AND number = $2",
        )
        .bind(run.id)
        .bind(i64::from(number))
        .bind(now.as_microsecond())
        .bind(state.as_str())
        .bind(told)
        .bind(json("result of a stage", result)?)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// The stages of the run `id`, in their order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn job_stages(&self, id: i64) -> Result<Vec<JobStage>, StoreError> {
        query(concat!("SELECT ", columns!(), " FROM job_stages WHERE job_id = $1 ORDER BY number"))
            .bind(id)
            .fetch_all(&self.reader)
            .await?
            .iter()
            .map(stage)
            .collect()
    }

    /// How long each stage took the last time that the job `name` was done before the run `before`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn last_stages(&self, name: &str, before: i64) -> Result<Vec<JobStage>, StoreError> {
        query(concat!(
            "SELECT ",
            columns!(),
            " FROM job_stages WHERE job_id = (
                 SELECT MAX(id) FROM job_runs WHERE name = $1 AND id < $2 AND outcome = 'done')
             ORDER BY number"
        ))
        .bind(name)
        .bind(before)
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(stage)
        .collect()
    }

    /// Adds a line to what the run said.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn say_in_job(
        &self,
        id: i64,
        at: Timestamp,
        is_failure: bool,
        line: &str,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        query(
            "INSERT INTO job_lines (job_id, number, at_us, is_failure, line)
             VALUES ($1, (SELECT COALESCE(MAX(number), 0) + 1 FROM job_lines WHERE job_id = $1),
                     $2, $3, $4)",
        )
        .bind(id)
        .bind(at.as_microsecond())
        .bind(i64::from(is_failure))
        .bind(line)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// The last `limit` lines of the run `id` after the line `after`, in their order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn job_lines(
        &self,
        id: i64,
        after: u64,
        limit: u32,
    ) -> Result<Vec<JobLine>, StoreError> {
        let rows = query(
            "SELECT number, at_us, is_failure, line FROM job_lines
             WHERE job_id = $1 AND number > $2 ORDER BY number DESC LIMIT $3",
        )
        .bind(id)
        .bind(signed(after))
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().rev().map(job_line).collect()
    }
}

fn job_line(row: &Row) -> Result<JobLine, StoreError> {
    Ok(JobLine {
        number: count(row, "number")?,
        at: instant_us(row.try_get("at_us")?)?,
        is_failure: row.try_get::<i64, _>("is_failure")? == 1,
        line: row.try_get("line")?,
    })
}

fn stage(row: &Row) -> Result<JobStage, StoreError> {
    let began_at = maybe_instant_us(row, "began_at_us")?;
    let word: Option<&str> = row.try_get("outcome")?;
    let state = match word {
        None if began_at.is_none() => JobState::Waiting,
        None => JobState::Running,
        Some(word) => JobState::parse(word)?,
    };
    let result: Option<&str> = row.try_get("result")?;
    let result = result.map_or(Ok(Value::Null), serde_json::from_str);
    Ok(JobStage {
        number: u32::try_from(row.try_get::<i64, _>("number")?).map_err(impossible)?,
        name: row.try_get("name")?,
        began_at,
        ended_at: maybe_instant_us(row, "ended_at_us")?,
        state,
        progress: StageProgress {
            part: row.try_get("part")?,
            done: count(row, "done")?,
            total: count(row, "total")?,
        },
        told: row.try_get("told")?,
        result: result
            .map_err(|source| StoreError::Document { what: "result of a stage", source })?,
    })
}
