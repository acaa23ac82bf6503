//! Cutting a run into parts that any process takes up, and gathering what they found.
//!
//! Whoever does the run does parts of it too, so that one process by itself does them one after the
//! other, and several share them. What came of a part is kept in it, so that a run whose process was
//! killed goes on with those that are left.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bist_store::{ClaimedJob, JobPart, JobRun, JobState, NewPart, StageProgress, StoreError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::runner::{Attended, StageDone, StageError};
use super::{Job, document, plan_of};
use crate::App;
use crate::progress::ProgressSink;
use crate::retraining::TrainingPart;
use crate::tuning::TrialPart;

/// How often it is looked how far the parts of a run are.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// In how many steps the progress of a part is told.
const STEPS: u64 = 1000;

/// Most parts that a run is put together from at a time.
const PARTS_MAX: u32 = 10_000;

/// What a part is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PartPlan {
    /// Trains a model and judges it beside the champion.
    Training(Box<TrainingPart>),
    /// Runs a trial of a tuning.
    Trial(Box<TrialPart>),
}

/// The place of parts among all of a stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Of {
    /// How many were done before.
    pub(crate) done: usize,
    /// How many there will be.
    pub(crate) total: usize,
}

/// Why the parts of a run did not give what they were to give.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PartsError {
    /// One of them failed, and says why.
    #[error("{0}")]
    Failed(String),
    /// Somebody wants the run to end.
    #[error("cancelled")]
    Cancelled,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A cause of any kind, as a stage tells it.
type Cause = Box<dyn std::error::Error + Send + Sync>;

impl App {
    /// Does a part of a run that waits, or that was left by a process that died, if there is one. It
    /// costs little to look.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; what else fails is in the part.
    pub async fn run_waiting_part(
        &self,
        progress: Arc<ProgressSink>,
    ) -> Result<Option<JobRun>, StoreError> {
        match self.store.claim_part(None, self.now()).await? {
            Some(part) => self.until_stopped(Box::pin(self.do_part(part, progress))).await,
            None => {
                // The next part of a run that goes on learns from the same bars.
                if self.knows_lessons() && !self.is_spread_now().await? {
                    self.forget_lessons();
                }
                Ok(None)
            }
        }
    }

    /// Whether a run goes on that is cut into parts.
    async fn is_spread_now(&self) -> Result<bool, StoreError> {
        for job in [Job::Retraining, Job::Tuning] {
            let newest = self.store.jobs(Some(job.as_str()), None, 1).await?.pop();
            if newest.is_some_and(|run| run.state == JobState::Running) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Does `part`, and notes what became of it.
    async fn do_part(
        &self,
        part: ClaimedJob,
        progress: Arc<ProgressSink>,
    ) -> Result<JobRun, StoreError> {
        let _held = self.held_jobs.hold(&part);
        let title = part.part.clone().unwrap_or_default();
        let attended = self.attend(part, vec![title.clone()], progress).await?;
        let doing = async {
            let mut told = "it was done before".to_owned();
            let kept = &mut told;
            let part = &attended;
            let done: Result<Value, StageError> = attended
                .stage(&title, |progress| async move {
                    let done = self.do_part_by(part, progress).await?;
                    kept.clone_from(&done.told);
                    Ok::<_, Cause>(done)
                })
                .await;
            done.map(|_| told)
        };
        let outcome = attended.watch(Box::pin(doing)).await;
        attended.finish(outcome).await
    }

    async fn do_part_by(
        &self,
        part: &Attended<'_>,
        progress: Arc<ProgressSink>,
    ) -> Result<StageDone<Value>, Cause> {
        match plan_of(&part.run().plan)? {
            PartPlan::Training(plan) => {
                let training = Box::pin(self.train_part(part, *plan, progress));
                let StageDone { result, told } = training.await?;
                Ok(StageDone { result: document(&result)?, told })
            }
            PartPlan::Trial(plan) => Ok(Box::pin(self.trial_part(part, *plan, progress)).await?),
        }
    }
}

impl Attended<'_> {
    /// Puts in `parts` and has them done, by this process and by whichever are free; gives what each
    /// found, in their order. Those that were done before by the same plan are not done again.
    pub(crate) async fn spread<T: DeserializeOwned>(
        &self,
        stage: &str,
        parts: &[(String, PartPlan)],
        of: Of,
    ) -> Result<Vec<T>, PartsError> {
        let mut new = Vec::with_capacity(parts.len());
        for (title, plan) in parts {
            new.push(NewPart { part: title.clone(), plan: document(plan)? });
        }
        self.app.store.put_in_parts(&self.run, &new, self.app.now()).await?;
        self.app.live.stir();
        let titles: Vec<&str> = parts.iter().map(|(title, _)| title.as_str()).collect();
        let ended = tokio::select! {
            ended = Box::pin(self.do_parts(&titles)) => ended?,
            never = self.tell_parts(stage, &titles, of) => match never {},
        };
        if self.is_cancelled() {
            return Err(PartsError::Cancelled);
        }
        let mut found = Vec::with_capacity(parts.len());
        for part in ended {
            let run = part.run;
            let told = run.detail.unwrap_or_default();
            if run.state != JobState::Done {
                return Err(PartsError::Failed(told));
            }
            let stages = self.app.store.job_stages(run.id).await?;
            let result = stages.into_iter().next().map_or(Value::Null, |stage| stage.result);
            found.push(
                serde_json::from_value(result)
                    .map_err(|source| StoreError::Document { what: "what a part found", source })?,
            );
        }
        Ok(found)
    }

    /// Does what parts nobody else does, until all have ended.
    async fn do_parts(&self, titles: &[&str]) -> Result<Vec<JobPart>, StoreError> {
        let (app, store) = (self.app, &self.app.store);
        loop {
            store.renew_job(&self.run, app.now()).await?;
            if self.is_cancelled() {
                store.cancel_parts(&self.run, app.now()).await?;
            }
            if let Some(part) = store.claim_part(Some(self.run.id), app.now()).await? {
                let id = part.id;
                match Box::pin(app.do_part(part, Arc::clone(&self.sink))).await {
                    Ok(_) => {}
                    Err(StoreError::JobLost(lost)) if lost == id => {
                        tracing::warn!(run = id, "another process goes on with the part {id}");
                    }
                    Err(error) => return Err(error),
                }
                continue;
            }
            let parts = self.parts(titles).await?;
            if parts.iter().all(|part| part.run.state.has_ended() && part.run.retry_at.is_none()) {
                return Ok(parts);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// All parts of the run, in the order in which they were put in.
    pub(crate) async fn all_parts(&self) -> Result<Vec<JobPart>, StoreError> {
        self.app.store.job_parts(self.run.id, PARTS_MAX).await
    }

    /// The parts of these names, in their order.
    async fn parts(&self, titles: &[&str]) -> Result<Vec<JobPart>, StoreError> {
        let parts = self.all_parts().await?;
        let mut by_title: BTreeMap<String, JobPart> =
            parts.into_iter().map(|part| (part.title().to_owned(), part)).collect();
        Ok(titles.iter().filter_map(|title| by_title.remove(*title)).collect())
    }

    /// Tells how far the parts are, for as long as it is asked to.
    async fn tell_parts(&self, stage: &str, titles: &[&str], of: Of) -> Infallible {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match self.parts(titles).await {
                Ok(parts) => self.note(stage, of_all(&parts, of)),
                Err(error) => tracing::warn!(%error, "how far the parts are is not known: {error}"),
            }
        }
    }
}

/// How far all parts together are.
fn of_all(parts: &[JobPart], of: Of) -> StageProgress {
    let mut doing = Vec::new();
    let steps = |count: usize| STEPS * count as u64;
    let mut done = steps(of.done);
    for part in parts {
        let StageProgress { part: now, done: of_part, total } = &part.progress;
        done += match part.run.state {
            JobState::Waiting => 0,
            JobState::Done | JobState::Failed | JobState::Cancelled => STEPS,
            JobState::Running if *total == 0 => 0,
            JobState::Running => STEPS * (*of_part).min(*total) / total,
        };
        if part.run.state == JobState::Running {
            doing.push(if now.is_empty() { part.title() } else { now });
        }
    }
    let total = steps(of.total.max(of.done + parts.len()));
    StageProgress { part: doing.join("; "), done, total }
}

/// The runs and parts that this process does, by number, with the number of the attempt.
#[derive(Debug, Default)]
pub(crate) struct HeldJobs(Mutex<BTreeMap<i64, u64>>);

/// One of them, for as long as it is done.
pub(crate) struct HeldJob<'a> {
    jobs: &'a HeldJobs,
    id: i64,
}

impl HeldJobs {
    pub(crate) fn hold(&self, run: &ClaimedJob) -> HeldJob<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(run.id, run.attempts_count);
        HeldJob { jobs: self, id: run.id }
    }

    pub(crate) fn all(&self) -> Vec<(i64, u64)> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().map(|(id, attempts_count)| (*id, *attempts_count)).collect()
    }
}

impl Drop for HeldJob<'_> {
    fn drop(&mut self) {
        self.jobs.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
