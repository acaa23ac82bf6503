//! Doing a run: stage after stage, while somebody notes how far it is and asks whether it is to end.

use std::convert::Infallible;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bist_store::{ClaimedJob, JobEnd, JobRun, JobState, StageProgress, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::App;
use crate::progress::{Progress, ProgressSink};

/// How often it is noted how far a run is, and asked whether it is to end.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often a run says that it goes on within the time for which it is held, though nothing has
/// changed.
const RENEWALS: u64 = 6;

/// How long a run that has failed once waits before it is begun again.
const RETRY_WAIT_FIRST: SignedDuration = SignedDuration::from_mins(15);

/// Why a run did not do what it was to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StageError {
    /// Somebody wants the run to end.
    #[error("cancelled")]
    Cancelled,
    /// A stage failed.
    #[error("{stage}: {source}")]
    Failed {
        /// The stage.
        stage: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a stage found, and the same in one sentence.
pub(crate) struct StageDone<T> {
    pub(crate) result: T,
    pub(crate) told: String,
}

/// A run that this process does.
pub(crate) struct Attended<'a> {
    pub(super) app: &'a App,
    pub(super) run: ClaimedJob,
    stages: Vec<String>,
    cancelled: Arc<AtomicBool>,
    /// How far which stage is, if that has not been noted yet.
    news: Arc<Mutex<Option<(u32, StageProgress)>>>,
    /// Who watches here.
    pub(super) sink: Arc<ProgressSink>,
}

impl App {
    /// Begins to do `run`, which consists of `stages`.
    pub(crate) async fn attend(
        &self,
        run: ClaimedJob,
        stages: Vec<String>,
        sink: Arc<ProgressSink>,
    ) -> Result<Attended<'_>, StoreError> {
        let held = self.store.lay_out_stages(&run, &stages).await?;
        let attended = Attended {
            app: self,
            run,
            stages,
            cancelled: Arc::new(AtomicBool::new(false)),
            news: Arc::default(),
            sink,
        };
        let done_count = held.iter().filter(|stage| stage.state == JobState::Done).count();
        let part = attended.run.part.clone();
        let begins = match (attended.run.attempts_count, done_count, part) {
            // Of the parts of a run what came of them is told, and what went wrong.
            (1, _, Some(_)) => return Ok(attended),
            (attempt, _, Some(part)) => format!("{part}: begins again, for the {attempt}. time"),
            (1, _, None) => "begins".to_owned(),
            (attempt, 0, None) => format!("begins again, for the {attempt}. time"),
            (attempt, done, None) => format!(
                "goes on, begun for the {attempt}. time: {done} of {} stages were done before",
                held.len()
            ),
        };
        attended.say(&begins).await?;
        Ok(attended)
    }
}

impl Attended<'_> {
    pub(crate) fn run(&self) -> &ClaimedJob {
        &self.run
    }

    /// The job, also where this is a part of a run of it.
    fn job(&self) -> &str {
        super::job_of(&self.run.name)
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Notes how far the stage called `name` is.
    pub(super) fn note(&self, name: &str, progress: StageProgress) {
        let news = (self.number(name), progress);
        *self.news.lock().unwrap_or_else(PoisonError::into_inner) = Some(news);
    }

    /// Set once the run is to end.
    pub(crate) fn cancelled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// Says something that whoever watches reads.
    pub(crate) async fn say(&self, line: &str) -> Result<(), StoreError> {
        tracing::info!(job = %self.job(), run = self.run.id, "{}: {line}", self.job());
        // A part speaks in its run.
        let run = self.run.parent.unwrap_or(self.run.id);
        self.app.store.say_in_job(run, self.app.now(), false, line).await?;
        self.app.live.stir();
        Ok(())
    }

    /// Does `work` while it is noted how far it is.
    pub(crate) async fn watch<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            done = work => done,
            never = self.look() => match never {},
        }
    }

    /// Notes how far the run is, and whether it is to end, for as long as it is asked to.
    async fn look(&self) -> Infallible {
        let mut looks_count = 0_u64;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            looks_count += 1;
            if let Err(error) = self.look_once(looks_count).await {
                if matches!(error, StoreError::JobLost(_)) {
                    // Somebody else does it now.
                    self.cancelled.store(true, Ordering::Relaxed);
                }
                tracing::warn!(job = %self.job(), run = self.run.id, %error,
                    "{}: how far it is could not be noted: {error}", self.job());
            }
        }
    }

    async fn look_once(&self, looks_count: u64) -> Result<(), StoreError> {
        let (store, now) = (&self.app.store, self.app.now());
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((number, progress)) = news {
            store.note_progress(&self.run, number, &progress, now).await?;
            self.app.live.stir();
        } else if looks_count.is_multiple_of(self.renew_after_looks()) {
            store.renew_job(&self.run, now).await?;
        }
        let by = store.job(self.run.id).await?.and_then(|run| run.cancel_asked_by);
        if let Some(by) = by
            && !self.cancelled.swap(true, Ordering::Relaxed)
        {
            // The parts of a run need not all say so.
            if self.run.parent.is_none() {
                self.say(&format!("ends at its next step, as {by} wants")).await?;
            }
        }
        Ok(())
    }

    /// After how many looks the run says that it goes on.
    fn renew_after_looks(&self) -> u64 {
        (self.app.store.job_lease().unsigned_abs().as_secs() / LOOK_EVERY.as_secs() / RENEWALS)
            .max(1)
    }

    /// Does the stage called `name`, unless it was done before; gives what it found.
    pub(crate) async fn stage<T, E, Work>(
        &self,
        name: &str,
        work: impl FnOnce(Arc<ProgressSink>) -> Work,
    ) -> Result<T, StageError>
    where
        T: Serialize + DeserializeOwned,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
        Work: Future<Output = Result<StageDone<T>, E>>,
    {
        if let Some(found) = self.found(name).await? {
            return Ok(found);
        }
        self.stage_again(name, work).await
    }

    /// What the stage called `name` found when it was done before.
    pub(crate) async fn found<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, StoreError> {
        let stages = self.app.store.job_stages(self.run.id).await?;
        let done =
            stages.into_iter().find(|stage| stage.name == name && stage.state == JobState::Done);
        // What another version of the program has kept is found anew.
        Ok(done.and_then(|stage| serde_json::from_value(stage.result).ok()))
    }

    /// Does the stage called `name`, also when it was done before.
    pub(crate) async fn stage_again<T, E, Work>(
        &self,
        name: &str,
        work: impl FnOnce(Arc<ProgressSink>) -> Work,
    ) -> Result<T, StageError>
    where
        T: Serialize,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
        Work: Future<Output = Result<StageDone<T>, E>>,
    {
        if self.look_once(0).await.is_ok() && self.is_cancelled() {
            return Err(StageError::Cancelled);
        }
        let (store, number) = (&self.app.store, self.number(name));
        store.begin_stage(&self.run, number, self.app.now()).await?;
        tracing::debug!(job = %self.job(), run = self.run.id, "{}: {name} begins", self.job());
        let done = work(self.sink_of(number)).await.map_err(Into::into);
        // What was left to be noted is of no interest any more.
        self.news.lock().unwrap_or_else(PoisonError::into_inner).take();
        let now = self.app.now();
        match done {
            Ok(StageDone { result, told }) => {
                let kept = serde_json::to_value(&result)
                    .map_err(|source| StoreError::Document { what: "result of a stage", source })?;
                self.say(&format!("{name}: {told}")).await?;
                store.end_stage(&self.run, number, now, (JobState::Done, &told, &kept)).await?;
                Ok(result)
            }
            Err(_) if self.is_cancelled() => {
                let end = (JobState::Cancelled, "cancelled", &Value::Null);
                store.end_stage(&self.run, number, now, end).await?;
                Err(StageError::Cancelled)
            }
            Err(source) => {
                let told = source.to_string();
                let end = (JobState::Failed, told.as_str(), &Value::Null);
                store.end_stage(&self.run, number, now, end).await?;
                Err(StageError::Failed { stage: name.to_owned(), source })
            }
        }
    }

    /// Forgets what the stages after the one called `name` found, so that they are done again.
    pub(crate) async fn forget_after(&self, name: &str) -> Result<(), StoreError> {
        self.app.store.forget_stages(&self.run, self.number(name) + 1).await
    }

    /// The place of the stage called `name`.
    fn number(&self, name: &str) -> u32 {
        let place = self.stages.iter().position(|stage| stage == name);
        let place = place.expect("a run does the stages that it consists of");
        u32::try_from(place).expect("a run has a handful of stages")
    }

    /// Receives the progress of the stage at `number`.
    fn sink_of(&self, number: u32) -> Arc<ProgressSink> {
        let (news, sink) = (Arc::clone(&self.news), Arc::clone(&self.sink));
        Arc::new(move |progress: Progress<'_>| {
            let part = if progress.part.is_empty() { progress.stage } else { progress.part };
            let told =
                StageProgress { part: part.to_owned(), done: progress.done, total: progress.total };
            *news.lock().unwrap_or_else(PoisonError::into_inner) = Some((number, told));
            sink(progress);
        })
    }

    /// Notes what became of the run. One that failed is begun again with growing waits, unless the
    /// next one is due by then.
    pub(crate) async fn finish(
        self,
        outcome: Result<String, StageError>,
    ) -> Result<JobRun, StoreError> {
        let (app, now) = (self.app, self.app.now());
        app.store.renew_job(&self.run, now).await?;
        let (name, id) = (self.job().to_owned(), self.run.id);
        let (end, told) = match outcome {
            Ok(told) => (JobEnd::Done, told),
            Err(StageError::Cancelled) => {
                let run = app.store.job(id).await?;
                let by = run.and_then(|run| run.cancel_asked_by);
                let told = format!("cancelled by {}", by.as_deref().unwrap_or("this process"));
                (JobEnd::Cancelled, told)
            }
            // Whoever does the run decides whether its parts are begun again.
            Err(error) if self.run.part.is_some() => {
                (JobEnd::Failed { retry_at: None }, error.to_string())
            }
            Err(error) => {
                let wait = retry_wait(self.run.attempts_count);
                let retry_at = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
                (JobEnd::Failed { retry_at: Some(retry_at) }, error.to_string())
            }
        };
        let line = match (end, &self.run.part) {
            (JobEnd::Done | JobEnd::Cancelled, Some(_)) => None,
            (JobEnd::Failed { .. }, Some(_)) => Some(format!("failed: {told}")),
            (JobEnd::Done, None) => {
                tracing::info!(job = %name, run = id, "{name} is done: {told}");
                Some(format!("done: {told}"))
            }
            (JobEnd::Cancelled, None) => {
                tracing::warn!(job = %name, run = id, "{name} was {told}");
                Some(told.clone())
            }
            (JobEnd::Failed { retry_at }, None) => {
                let again =
                    retry_at.map_or_else(String::new, |at| format!(" and is begun again at {at}"));
                tracing::error!(job = %name, run = id, "{name} failed{again}: {told}");
                Some(format!("failed{again}: {told}"))
            }
        };
        if let Some(line) = line {
            let (is_failure, run) =
                (matches!(end, JobEnd::Failed { .. }), self.run.parent.unwrap_or(id));
            app.store.say_in_job(run, now, is_failure, &line).await?;
        }
        let run = app.store.finish_job(self.run, now, end, &told).await?;
        app.live.stir();
        Ok(run)
    }
}

/// How long a run that has failed `attempts` times waits: a quarter of an hour, doubled each time,
/// at most four hours.
fn retry_wait(attempts: u64) -> SignedDuration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(4);
    RETRY_WAIT_FIRST.saturating_mul(1 << doublings)
}
