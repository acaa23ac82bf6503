//! Background work: runs of jobs, what they consist of, and how they are watched, cancelled and begun
//! again.
//!
//! A run consists of stages. What a stage found is kept before the next begins, so that a run whose
//! process was killed goes on after the last stage that was done.

mod parts;
mod runner;

use std::sync::Arc;
use std::time::Instant;

use bist_market::Calendar;
use bist_market::bar::day_of;
use bist_store::jobs::PART_SUFFIX;
use bist_store::{ClaimedJob, NewJob, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::Instrument as _;

use crate::access::key_care;
use crate::nightly::NightlyPlan;
use crate::progress::ProgressSink;
use crate::retraining::{RetrainingPlan, SEED_DEFAULT};
use crate::telemetry::traces;
use crate::tuning::TuningOrder;
use crate::{App, backups, nightly, retraining};

pub use bist_store::{JobLine, JobPart, JobRun, JobStage, JobState, StageProgress};

pub(crate) use parts::{HeldJobs, Of, PartPlan, PartsError};
pub(crate) use runner::{Attended, StageDone, StageError};

/// Most parts of a run that are shown: the newest.
const PARTS_SHOWN_MAX: u32 = 50;

/// A run that was not heard of for so long may have died; it says that it goes on far more often.
const SILENT_AFTER: SignedDuration = SignedDuration::from_mins(3);

/// A job that the program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Fetches what the sources have of the session, and checks it.
    NightlyIngest,
    /// Trains anew, and lets a rule decide whether the new models take over.
    Retraining,
    /// Looks after API keys near their end.
    KeyCare,
    /// Looks for better configurations of models.
    Tuning,
    /// Makes a backup, and removes those that are not to be kept.
    Backup,
    /// Restores the newest backup beside, and looks whether it could serve.
    RestoreDrill,
}

impl Job {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NightlyIngest,
        Self::Retraining,
        Self::KeyCare,
        Self::Tuning,
        Self::Backup,
        Self::RestoreDrill,
    ];

    /// Its name in the store, the API and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NightlyIngest => "nightly-ingest",
            Self::Retraining => "retraining",
            Self::KeyCare => "key-care",
            Self::Tuning => "tuning",
            Self::Backup => "backup",
            Self::RestoreDrill => "restore-drill",
        }
    }

    /// The job called `name`.
    ///
    /// # Errors
    ///
    /// [`UnknownJob`] when there is none.
    pub fn parse(name: &str) -> Result<Self, UnknownJob> {
        let job = Self::ALL.into_iter().find(|job| job.as_str() == name);
        job.ok_or_else(|| UnknownJob { name: name.to_owned() })
    }
}

/// A run that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum JobOrder {
    /// What the sources have of the newest session.
    NightlyIngest,
    /// A training by this plan.
    Retraining(RetrainingPlan),
    /// A look after API keys.
    KeyCare,
    /// A tuning by this order.
    Tuning(TuningOrder),
    /// A backup.
    Backup,
    /// A try of the newest backup.
    RestoreDrill,
}

impl JobOrder {
    /// An order of `job` with nothing special about it.
    pub fn of(job: Job) -> Self {
        match job {
            Job::NightlyIngest => Self::NightlyIngest,
            Job::Retraining => Self::Retraining(RetrainingPlan::of(Vec::new(), SEED_DEFAULT)),
            Job::KeyCare => Self::KeyCare,
            Job::Tuning => Self::Tuning(TuningOrder::default()),
            Job::Backup => Self::Backup,
            Job::RestoreDrill => Self::RestoreDrill,
        }
    }

    /// Which job.
    pub const fn job(&self) -> Job {
        match self {
            Self::NightlyIngest => Job::NightlyIngest,
            Self::Retraining(_) => Job::Retraining,
            Self::KeyCare => Job::KeyCare,
            Self::Tuning(_) => Job::Tuning,
            Self::Backup => Job::Backup,
            Self::RestoreDrill => Job::RestoreDrill,
        }
    }
}

/// A name of no job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no job '{name}'; there are {}", Job::ALL.map(Job::as_str).join(", "))]
pub struct UnknownJob {
    /// The name.
    pub name: String,
}

/// Who asks for a run, cancels one or begins it again, and why.
#[derive(Clone, Copy, Debug)]
pub struct JobAsked<'a> {
    /// Who.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// A run as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    /// The run.
    pub run: JobRun,
    /// Whether it was not heard of for so long that its process may have died: another one goes on
    /// with it as soon as it looks.
    pub is_silent: bool,
    /// Its stages, in their order; empty before it was begun.
    pub stages: Vec<JobStage>,
    /// The newest of its parts, in the order in which they were put in; empty where it has none.
    #[serde(default)]
    pub parts: Vec<JobPart>,
    /// The share of the work that is done, 0..=1, by how long the stages took the last time; `None`
    /// while that is not known.
    pub done_share: Option<f64>,
    /// When it will have ended, by how long the stages took the last time; `None` while that is not
    /// known.
    pub eta: Option<Timestamp>,
    /// What it said last, in order.
    pub lines: Vec<JobLine>,
}

impl JobView {
    /// Which job; of a part, that of its run.
    pub fn job(&self) -> &str {
        job_of(&self.run.name)
    }
}

/// The job of the run or part that is called `name` in the store.
pub(crate) fn job_of(name: &str) -> &str {
    name.strip_suffix(PART_SUFFIX).unwrap_or(name)
}

/// When a job runs by itself.
#[derive(Clone, Debug)]
pub struct JobSchedule {
    /// Which.
    pub job: Job,
    /// Whether it does at all.
    pub is_enabled: bool,
    /// When it is due next, or a failed run is begun again; `None` when it does not, or beyond the
    /// calendar.
    pub next_at: Option<Timestamp>,
}

impl App {
    /// The runs of `job`, or of all, older than the run `before`, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn jobs(
        &self,
        job: Option<Job>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<JobView>, StoreError> {
        let runs = self.store.jobs(job.map(Job::as_str), before, limit).await?;
        let mut views = Vec::with_capacity(runs.len());
        for run in runs {
            views.push(self.job_view(run, 0, 0).await?);
        }
        Ok(views)
    }

    /// The run `id` with the last `lines_max` lines that it said after the line `after`.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchJob`] when there is none, and the others when the database fails.
    pub async fn job(&self, id: i64, after: u64, lines_max: u32) -> Result<JobView, StoreError> {
        let run = self.store.job(id).await?.ok_or(StoreError::NoSuchJob(id))?;
        self.job_view(run, after, lines_max).await
    }

    /// Puts in the run of `job` that is due, if one is, for a worker to do. Says whether it did now.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn schedule_job(&self, job: Job) -> Result<bool, StoreError> {
        let Some((due_at, plan)) = self.due(job).await? else { return Ok(false) };
        let is_new = self.store.schedule_job(job.as_str(), due_at, &plan, self.now()).await?;
        if is_new {
            tracing::info!(job = job.as_str(), "the {} of {due_at} is put in", job.as_str());
            self.live.stir();
        }
        Ok(is_new)
    }

    /// Ends the runs that this process does, now and from now on, for others to go on with.
    pub fn stop_jobs(&self) {
        self.jobs_stopped.send_replace(true);
    }

    /// Whether this process does no runs any more.
    pub fn has_stopped_jobs(&self) -> bool {
        *self.jobs_stopped.borrow()
    }

    /// Does a run of `job` that is due or asked for, or that was left by a process that died or failed,
    /// if there is one and no other process does it. It costs little to look.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; what else fails is in the run.
    pub async fn run_waiting_job(
        &self,
        job: Job,
        progress: Arc<ProgressSink>,
    ) -> Result<Option<JobRun>, StoreError> {
        let Some(run) = self.store.claim_job(job.as_str(), self.now()).await? else {
            return Ok(None);
        };
        self.do_job(job, run, progress).await
    }

    /// What is due of `job` by its schedule, and what is to be done then.
    async fn due(&self, job: Job) -> Result<Option<(Timestamp, Value)>, StoreError> {
        match job {
            Job::NightlyIngest => {
                self.nightly_due().map(|(at, plan)| Ok((at, document(&plan)?))).transpose()
            }
            Job::Retraining => {
                let due = self.retraining_due().await?;
                due.map(|(at, plan)| Ok((at, document(&plan)?))).transpose()
            }
            Job::KeyCare => Ok(self.key_care_due().await?.map(|at| (at, json!({})))),
            Job::Tuning => Ok(None),
            Job::Backup => Ok(self.backup_due().map(|at| (at, json!({})))),
            Job::RestoreDrill => Ok(self.drill_due().await.map(|at| (at, json!({})))),
        }
    }

    async fn do_job(
        &self,
        job: Job,
        run: ClaimedJob,
        progress: Arc<ProgressSink>,
    ) -> Result<Option<JobRun>, StoreError> {
        let held = self.held_jobs.hold(&run);
        let began = Instant::now();
        // What is logged of a run is found by it, and what went before an error.
        let run_id = run.id;
        let span = tracing::info_span!("job", job = job.as_str(), run = run_id);
        let doing = async {
            match job {
                Job::NightlyIngest => Box::pin(self.do_nightly(run, progress)).await,
                Job::Retraining => Box::pin(self.do_retraining(run, progress)).await,
                Job::KeyCare => Box::pin(self.do_key_care(run, progress)).await,
                Job::Tuning => Box::pin(self.do_tuning(run, progress)).await,
                Job::Backup => Box::pin(self.do_backup(run, progress)).await,
                Job::RestoreDrill => Box::pin(self.do_drill(run, progress)).await,
            }
        };
        let doing = doing.instrument(span).instrument(traces::of_run(job.as_str(), run_id));
        let done = self.until_stopped(doing).await;
        drop(held);
        if let Ok(Some(run)) = &done {
            self.telemetry.metrics().job_ended(job, run.state, began.elapsed());
        }
        self.forget_lessons();
        done
    }

    /// Does a run unless this process is to do no runs any more: then others go on with it, and with
    /// what parts this process does, at once.
    async fn until_stopped(
        &self,
        doing: impl Future<Output = Result<JobRun, StoreError>>,
    ) -> Result<Option<JobRun>, StoreError> {
        let mut stopped = self.jobs_stopped.subscribe();
        let stop = async {
            drop(stopped.wait_for(|is_stopped| *is_stopped).await);
            self.held_jobs.all()
        };
        let held = tokio::select! {
            done = doing => return done.map(Some),
            held = stop => held,
        };
        for (id, attempts_count) in held {
            self.store.let_go_of_job(id, attempts_count).await?;
            tracing::info!(run = id, "this process stops; another goes on with the run {id}");
        }
        Ok(None)
    }

    /// Asks for a run; whoever looks next does it, a server within seconds.
    ///
    /// # Errors
    ///
    /// [`StoreError::JobUnderWay`] when one waits or runs.
    pub async fn ask_for_job(
        &self,
        order: &JobOrder,
        asked: JobAsked<'_>,
    ) -> Result<JobView, StoreError> {
        let plan = match order {
            JobOrder::NightlyIngest => {
                let day = nightly::last_due(self.now(), Calendar::bist()).map(|(day, _)| day);
                document(&NightlyPlan { day: day.unwrap_or_else(|| day_of(self.now())) })?
            }
            JobOrder::Retraining(plan) => document(plan)?,
            JobOrder::KeyCare | JobOrder::Backup | JobOrder::RestoreDrill => json!({}),
            JobOrder::Tuning(order) => document(order)?,
        };
        let JobAsked { by, reason } = asked;
        let new = NewJob { name: order.job().as_str(), asked_by: by, reason, plan };
        let run = self.store.ask_for_job(&new, &self.audit().await?).await?;
        self.live.stir();
        self.job_view(run, 0, 0).await
    }

    /// Ends the run `id`: at once when it waits, otherwise at its next step.
    ///
    /// # Errors
    ///
    /// [`StoreError::JobMove`] when it has ended.
    pub async fn cancel_job(&self, id: i64, asked: JobAsked<'_>) -> Result<JobView, StoreError> {
        let run = self.store.cancel_job(id, asked.by, asked.reason, &self.audit().await?).await?;
        self.live.stir();
        let line = format!("{} wants it to end: {}", asked.by, asked.reason);
        self.store.say_in_job(id, self.now(), false, &line).await?;
        self.job_view(run, 0, 0).await
    }

    /// Lets the run `id`, which failed or was cancelled, be begun again; what it had done is not done
    /// again.
    ///
    /// # Errors
    ///
    /// [`StoreError::JobMove`] when it did neither.
    pub async fn retry_job(&self, id: i64, asked: JobAsked<'_>) -> Result<JobView, StoreError> {
        let run = self.store.retry_job(id, asked.reason, &self.audit().await?).await?;
        self.live.stir();
        let line = format!("{} wants it begun again: {}", asked.by, asked.reason);
        self.store.say_in_job(id, self.now(), false, &line).await?;
        self.job_view(run, 0, 0).await
    }

    /// When each job runs by itself.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn job_schedules(&self) -> Result<Vec<JobSchedule>, StoreError> {
        let mut schedules = Vec::new();
        for job in Job::ALL {
            let (now, calendar) = (self.now(), Calendar::bist());
            let (is_enabled, due_at) = match job {
                Job::NightlyIngest => (self.nightly.is_some(), nightly::next_due(now, calendar)),
                Job::Retraining => (self.retraining_enabled, retraining::next_due(now, calendar)),
                Job::KeyCare => (true, key_care::next_due(now)),
                Job::Tuning => (false, None),
                Job::Backup => (self.makes_backups(), backups::next_due(now)),
                Job::RestoreDrill => (self.tries_backups(), backups::next_drill(now)),
            };
            let last = self.store.jobs(Some(job.as_str()), None, 1).await?.pop();
            let retry_at = last.and_then(|run| run.retry_at);
            let next_at = due_at.into_iter().chain(retry_at).min().filter(|_| is_enabled);
            schedules.push(JobSchedule { job, is_enabled, next_at });
        }
        Ok(schedules)
    }

    async fn job_view(
        &self,
        run: JobRun,
        after: u64,
        lines_max: u32,
    ) -> Result<JobView, StoreError> {
        let stages = self.store.job_stages(run.id).await?;
        let (mut done_share, mut eta) = (None, None);
        if run.state == JobState::Running {
            let last = self.store.last_stages(&run.name, run.id).await?;
            if let Some((share, left)) = outlook(&stages, &last, self.now()) {
                done_share = Some(share);
                eta = self.now().checked_add(left).ok();
            }
        }
        let parts = self.store.job_parts(run.id, PARTS_SHOWN_MAX).await?;
        let lines = match lines_max {
            0 => Vec::new(),
            _ => self.store.job_lines(run.id, after, lines_max).await?,
        };
        let silent_since = self.now().saturating_sub(SILENT_AFTER).unwrap_or(Timestamp::MIN);
        let is_silent = run.state == JobState::Running
            && run.alive_at.is_none_or(|alive_at| alive_at < silent_since);
        Ok(JobView { is_silent, stages, parts, done_share, eta, lines, run })
    }
}

/// The share of the work that is done and how long the rest will take, by how long each of the stages
/// took the `last` time; `None` when one of them has never been done.
fn outlook(
    stages: &[JobStage],
    last: &[JobStage],
    now: Timestamp,
) -> Option<(f64, SignedDuration)> {
    let took = |stage: &JobStage| Some(stage.ended_at?.duration_since(stage.began_at?));
    let (mut done_s, mut left_s) = (0.0, 0.0);
    for stage in stages {
        let known = || {
            let of_last = last.iter().find(|other| other.name == stage.name);
            of_last.and_then(took).map(|took| took.as_secs_f64().max(0.001))
        };
        match stage.state {
            JobState::Running => {
                let so_far_s = now.duration_since(stage.began_at?).as_secs_f64().max(0.0);
                let rest_s = match share(stage) {
                    Some(share) if share > 0.05 => so_far_s * (1.0 - share) / share,
                    _ => (known()? - so_far_s).max(0.0),
                };
                done_s += so_far_s;
                left_s += rest_s;
            }
            JobState::Waiting => left_s += known()?,
            JobState::Done | JobState::Failed | JobState::Cancelled => {
                done_s += took(stage).map_or(0.0, |took| took.as_secs_f64());
            }
        }
    }
    let total_s = done_s + left_s;
    let left = SignedDuration::try_from_secs_f64(left_s).ok()?;
    Some((if total_s > 0.0 { done_s / total_s } else { 0.0 }, left))
}

/// The share of a stage that is done; `None` when it does not tell.
#[expect(clippy::cast_precision_loss, reason = "a share for people")]
fn share(stage: &JobStage) -> Option<f64> {
    let progress = &stage.progress;
    (progress.total > 0).then(|| (progress.done as f64 / progress.total as f64).min(1.0))
}

/// A job's plan as it is kept.
fn document(plan: &impl Serialize) -> Result<Value, StoreError> {
    serde_json::to_value(plan)
        .map_err(|source| StoreError::Document { what: "plan of a job", source })
}

/// What a job's plan says.
pub(crate) fn plan_of<T: serde::de::DeserializeOwned>(plan: &Value) -> Result<T, StoreError> {
    serde_json::from_value(plan.clone())
        .map_err(|source| StoreError::Document { what: "plan of a job", source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(name: &str, span: Option<(i64, Option<i64>)>, done: u64) -> JobStage {
        let at = |second| Timestamp::from_second(second).unwrap();
        let ended_at = span.and_then(|span| span.1).map(at);
        JobStage {
            number: 0,
            name: name.to_owned(),
            began_at: span.map(|span| at(span.0)),
            ended_at,
            state: match span {
                None => JobState::Waiting,
                Some((_, None)) => JobState::Running,
                Some(_) => JobState::Done,
            },
            progress: StageProgress { part: String::new(), done, total: 100 },
            told: None,
            result: Value::Null,
        }
    }

    #[test]
    fn the_rest_is_told_by_the_progress_of_the_stage_and_the_last_run_of_those_to_come() {
        let last = [stage("a", Some((0, Some(10))), 0), stage("b", Some((10, Some(110))), 0)];
        let now = Timestamp::from_second(1_010).unwrap();
        let told = |stages: &[JobStage]| outlook(stages, &last, now);
        // Half of the first stage took ten seconds.
        let half = [stage("a", Some((1_000, None)), 50), stage("b", None, 0)];
        let (share, left) = told(&half).unwrap();
        assert_eq!(left.as_secs(), 110);
        assert!((share - 10.0 / 120.0).abs() < 1e-9, "{share}");
        // Nothing told yet: as long as the last time.
        let begun = [stage("a", Some((1_006, None)), 0), stage("b", None, 0)];
        assert_eq!(told(&begun).unwrap().1.as_secs(), 106);
        // A stage that was never done: nobody knows.
        assert_eq!(told(&[stage("c", None, 0)]), None);
    }
}
