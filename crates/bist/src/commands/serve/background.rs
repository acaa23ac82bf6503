//! What a serving process does besides answering, by its role.

use std::sync::Arc;
use std::time::Duration;

use bist_app::certificates::Certificates;
use bist_app::jobs::Job;
use bist_app::live::ReplayPlan;
use bist_app::{App, Leadership, ProcessRole};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Interval, MissedTickBehavior};

/// How often it is looked whether a job waits.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How often the calendar is looked at. A machine that slept makes up for what it missed as soon as it
/// wakes.
const SCHEDULE_EVERY: Duration = Duration::from_mins(1);

/// After a failure, the wait before the certificate is looked after again.
const CARE_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// How long the log may take to be shipped once more at the end.
const SHIPPING_TIME_MAX: Duration = Duration::from_secs(5);

/// How many jobs a process does at a time.
pub(super) struct Work {
    pub(super) role: ProcessRole,
    pub(super) jobs_at_once: usize,
    pub(super) certificates: Option<Arc<Certificates>>,
    pub(super) replay: Option<ReplayPlan>,
}

/// Begins what goes on until what is returned is dropped.
pub(super) fn begin(app: &Arc<App>, work: Work) -> JoinSet<()> {
    let Work { role, jobs_at_once, certificates, replay } = work;
    let mut tasks = JoinSet::new();
    let counting = Arc::clone(app);
    tasks.spawn(async move { counting.keep_telemetry().await });
    if role.answers_people() {
        tasks.spawn(warm(Arc::clone(app)));
        tasks.spawn(follow(Arc::clone(app), replay));
        if let Some(certificates) = certificates {
            tasks.spawn(look_after_certificate(certificates));
        }
    } else {
        let app = Arc::clone(app);
        tasks.spawn(async move { app.nudge_changes().await });
    }
    if role.schedules() {
        tasks.spawn(schedule(Arc::clone(app)));
    }
    if role.does_jobs() {
        let places = Arc::new(Semaphore::new(jobs_at_once));
        for job in Job::ALL {
            tasks.spawn(do_jobs(Arc::clone(app), job, Arc::clone(&places)));
        }
        tasks.spawn(do_parts(Arc::clone(app), places));
        // Whoever works also tells people what their rules fired.
        let app = Arc::clone(app);
        tasks.spawn(async move { app.follow_alerts().await });
    }
    tasks
}

/// The shipping of the log, which ends after everybody else.
pub(super) struct Shipping {
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Shipping {
    /// Begins to ship the log, where that is to be done by a process of this role.
    pub(super) fn begin(app: &Arc<App>, role: ProcessRole) -> Option<Self> {
        let (end, ended) = oneshot::channel::<()>();
        let app = Arc::clone(app);
        let task = async move {
            // Whoever goes away without a word wants it to end too.
            let ended = async move {
                ended.await.ok();
            };
            app.ship_log(ended).await;
        };
        role.does_jobs().then(|| Self { end, task: tokio::spawn(task) })
    }

    /// Ships what was written to the end.
    pub(super) async fn end(self) {
        // It has ended by itself where nothing is shipped.
        self.end.send(()).ok();
        if tokio::time::timeout(SHIPPING_TIME_MAX, self.task).await.is_err() {
            tracing::warn!("the log was still being shipped and is left; the next start ships it");
        }
    }
}

/// Reads and checks the bars, so that the first page need not wait for that.
async fn warm(app: Arc<App>) {
    if let Err(error) = app.daily_bars().await {
        tracing::error!(%error, "reading the bars: {error}");
    }
}

/// Tells those who listen what changes, what a live source says, and what is replayed.
async fn follow(app: Arc<App>, replay: Option<ReplayPlan>) {
    let replayed = async {
        let Some(plan) = replay else { return };
        if let Err(error) = app.replay_sessions(plan).await {
            tracing::error!(%error, "nothing is replayed: {error}");
        }
    };
    tokio::join!(app.follow_changes(), app.follow_live_source(), replayed);
}

/// Has the certificate ordered and renewed in time.
async fn look_after_certificate(certificates: Arc<Certificates>) {
    loop {
        let wait = certificates.look().await.unwrap_or_else(|error| {
            tracing::error!(%error, "the certificate could not be looked after: {error}");
            CARE_AGAIN_AFTER
        });
        tokio::time::sleep(wait).await;
    }
}

/// Puts in what is due, and notes each day where the audit stands. With Redis one of several does; which
/// one need not be certain, for whatever is due is put in once.
async fn schedule(app: Arc<App>) {
    let leadership = app.redis().map(|redis| Leadership::new(redis.clone(), "schedule"));
    let mut looks = every(SCHEDULE_EVERY);
    loop {
        looks.tick().await;
        if !leads(leadership.as_ref()).await {
            continue;
        }
        for job in Job::ALL {
            if let Err(error) = app.schedule_job(job).await {
                tracing::error!(%error, "whether the {} is due is not known: {error}", job.as_str());
            }
        }
        if let Err(error) = app.note_audit_root().await {
            tracing::error!(%error, "where the audit stands could not be noted: {error}");
        }
    }
}

/// Whether this process is to look at the calendar: when it leads, and when nobody says who does.
async fn leads(leadership: Option<&Leadership>) -> bool {
    let Some(leadership) = leadership else { return true };
    leadership.lead().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "who looks at the calendar is not known, so this process does: {error}");
        true
    })
}

/// Does `job` whenever a run of it waits and a place is free.
async fn do_jobs(app: Arc<App>, job: Job, places: Arc<Semaphore>) {
    let mut looks = every(LOOK_EVERY);
    loop {
        looks.tick().await;
        // They are never closed.
        let Ok(_place) = places.acquire().await else { return };
        if app.has_stopped_jobs() {
            return;
        }
        // What comes of a run is logged by it.
        if let Err(error) = app.run_waiting_job(job, Arc::new(|_| {})).await {
            tracing::error!(
                job = job.as_str(),
                %error,
                "the {} could not be run: {error}",
                job.as_str()
            );
        }
    }
}

/// Does parts of the runs that other processes, or other places of this one, do. A part that is done
/// is followed by the next at once.
async fn do_parts(app: Arc<App>, places: Arc<Semaphore>) {
    let mut looks = every(LOOK_EVERY);
    loop {
        looks.tick().await;
        loop {
            // They are never closed.
            let Ok(_place) = places.acquire().await else { return };
            if app.has_stopped_jobs() {
                return;
            }
            match app.run_waiting_part(Arc::new(|_| {})).await {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "a part of a run could not be done: {error}");
                    break;
                }
            }
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut looks = tokio::time::interval(period);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}
