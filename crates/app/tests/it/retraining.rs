//! Retraining: what takes over and what does not, what is seen of a failure, and that nobody does it
//! twice.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bist_app::jobs::{Job, JobAsked, JobOrder, JobRun, JobState, JobView};
use bist_app::progress::{Progress, ProgressSink};
use bist_app::retraining::SEED_DEFAULT;
use bist_app::{App, HORIZON_DEFAULT, ModelVersion};
use bist_lifecycle::ModelState;
use bist_lifecycle::retraining::{RetrainingDecision, RetrainingRule, Verdict};
use bist_market::{BarSeries, Clock, ValidationPolicy};
use bist_testkit::hand_clock::HandClock;
use jiff::civil::{Date, date};
use tempfile::TempDir;

use crate::market::{ingest, walks};

const SYMBOLS: [&str; 5] = ["AAAA1", "BBBB1", "CCCC1", "DDDD1", "EEEE1"];

/// What the first champion learns from.
const FIRST_UNTIL: Date = date(2026, 9, 25);

const ASKED: JobAsked<'_> = JobAsked { by: "ayşe", reason: "a try" };

/// A data directory with a champion, its clock, and all bars there will be.
struct World {
    folder: TempDir,
    clock: Arc<HandClock>,
    series: Vec<BarSeries>,
}

impl World {
    /// With a champion that was trained on 25 September 2026.
    async fn with_champion() -> (Self, App) {
        let world = Self {
            folder: TempDir::new().unwrap(),
            clock: Arc::new(HandClock::at("2026-09-25T20:00")),
            series: walks(&SYMBOLS, date(2024, 1, 2), date(2026, 11, 20)),
        };
        let app = world.process().await;
        ingest(&app, &world.series, FIRST_UNTIL, None).await;
        app.train(None, &[HORIZON_DEFAULT], SEED_DEFAULT, quiet()).await.unwrap();
        (world, app)
    }

    /// A process that is started on the directory.
    async fn process(&self) -> App {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let app = App::open(self.folder.path(), clock, ValidationPolicy::default()).await.unwrap();
        app.with_retraining()
    }

    /// The bars up to `until` come, and it is the evening of that day.
    async fn bars_come(&self, app: &App, until: Date) {
        self.clock.set(&format!("{until}T20:00"));
        ingest(app, &self.series, until, None).await;
    }
}

fn quiet() -> Arc<ProgressSink> {
    Arc::new(|_| ())
}

/// Asks for a run and does it.
async fn retrain(app: &App) -> JobView {
    app.ask_for_job(&JobOrder::of(Job::Retraining), ASKED).await.unwrap();
    let run = waiting(app).await.expect("it was asked for");
    app.job(run.id, 0, 99).await.unwrap()
}

/// Does what waits.
async fn waiting(app: &App) -> Option<JobRun> {
    app.run_waiting_job(Job::Retraining, quiet()).await.unwrap()
}

async fn champion(app: &App) -> ModelVersion {
    let versions = app.model_versions().await.unwrap();
    versions.into_iter().find(|version| version.state == ModelState::Champion).unwrap()
}

/// What the stage called `name` found.
fn found<T: serde::de::DeserializeOwned>(view: &JobView, name: &str) -> T {
    let stage = view.stages.iter().find(|stage| stage.name == name).unwrap();
    serde_json::from_value(stage.result.clone()).unwrap()
}

fn stage_states(view: &JobView) -> Vec<(&str, JobState)> {
    view.stages.iter().map(|stage| (stage.name.as_str(), stage.state)).collect()
}

/// Flips a byte in the file of `version`.
fn damage(folder: &Path, version: &ModelVersion) {
    let file = folder.join(format!("models/{}.json", version.artifact_sha256));
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn a_rule_that_was_declared_before_decides_and_its_numbers_are_in_the_audit() {
    let (world, app) = World::with_champion().await;
    let first = champion(&app).await;

    // Ten sessions later it is too early to say anything.
    world.bars_come(&app, date(2026, 10, 9)).await;
    let early = retrain(&app).await;
    assert_eq!(early.run.state, JobState::Done, "{early:?}");
    assert!(stage_states(&early).iter().all(|stage| stage.1 == JobState::Done));
    let [decision]: [RetrainingDecision; 1] = found(&early, "decide");
    assert_eq!(decision.verdict, Verdict::TooEarly, "{decision:?}");
    assert_eq!(champion(&app).await.id, first.id, "it stays");
    let candidate = app.model_version(&decision.candidate).await.unwrap().unwrap();
    assert_eq!(candidate.state, ModelState::Candidate);

    // The same bars again: it is found, and not registered twice.
    let again = retrain(&app).await;
    let [same]: [RetrainingDecision; 1] = found(&again, "decide");
    assert_eq!(same, decision);
    assert_eq!(app.model_versions().await.unwrap().len(), 2);

    // Eight weeks later there are days enough.
    world.bars_come(&app, date(2026, 11, 20)).await;
    let view = retrain(&app).await;
    let [decision]: [RetrainingDecision; 1] = found(&view, "decide");
    let comparison = decision.comparison.as_ref().unwrap();
    // The last row learned from ends five sessions before the newest bar, and the first one judged
    // begins where its outcome ended.
    assert_eq!(comparison.from, FIRST_UNTIL);
    assert_eq!(comparison.to, date(2026, 11, 13));
    assert!(comparison.days_count >= 30, "{comparison:?}");
    assert_eq!(decision.rule_sha256, RetrainingRule::default().sha256());
    assert_eq!(decision.verdict, Verdict::Refreshed, "{decision:?}");
    let new = champion(&app).await;
    assert_eq!(new.id, decision.candidate);
    let history = app.with_history(new).await.unwrap();
    let change = history.changes.last().unwrap();
    assert_eq!(change.signed.by, format!("retraining run {}", view.run.id));
    assert!(change.signed.reason.contains("the difference is"), "{}", change.signed.reason);
    assert!(change.signed.reason.contains(&decision.rule_sha256[..12]), "{}", change.signed.reason);
    assert!(view.run.detail.unwrap().contains("a new champion (not worse, and newer)"));
}

#[tokio::test]
async fn nothing_is_learned_from_the_same_bars_and_a_damaged_champion_is_replaced() {
    let (world, app) = World::with_champion().await;
    let first = champion(&app).await;
    let view = retrain(&app).await;
    assert!(view.run.detail.unwrap().starts_with("no new bars"));
    assert_eq!(app.model_versions().await.unwrap().len(), 1);

    world.bars_come(&app, date(2026, 10, 9)).await;
    damage(world.folder.path(), &first);
    let view = retrain(&app).await;
    let [decision]: [RetrainingDecision; 1] = found(&view, "decide");
    assert!(decision.champion_unusable.unwrap().contains("SHA-256"));
    assert_eq!(decision.verdict, Verdict::FirstModel);
    assert_eq!(champion(&app).await.id, decision.candidate);
}

#[tokio::test]
async fn bars_below_the_gate_keep_the_champion_and_the_run_is_begun_again_later() {
    let (world, app) = World::with_champion().await;
    let first = champion(&app).await;
    world.clock.set("2026-10-09T20:00");
    // A share of which every second bar is torn: high below low.
    let mut rows = "date,open,high,low,close,volume\n".to_owned();
    for (index, bar) in world.series[0].bars.iter().enumerate() {
        let [high, low] = if index % 2 == 0 { ["9.00", "11.00"] } else { ["11.00", "9.00"] };
        rows += &format!("{},10.00,{high},{low},10.00,1000\n", bar.day());
    }
    let file = world.folder.path().join("TORN1.csv");
    std::fs::write(&file, rows).unwrap();
    let paths = vec![file.to_str().unwrap().to_owned()];
    app.ingest_files(bist_feeds::FileFormat::Csv, None, paths, quiet()).await.unwrap();

    let view = retrain(&app).await;
    assert_eq!(view.run.state, JobState::Failed);
    let detail = view.run.detail.unwrap();
    assert!(detail.contains("validate") && detail.contains("are needed"), "{detail}");
    assert!(view.lines.last().unwrap().is_failure);
    assert_eq!(view.stages[1].state, JobState::Failed);
    assert_eq!(champion(&app).await.id, first.id);
    let retry_at = view.run.retry_at.unwrap();
    assert_eq!(waiting(&app).await, None, "not before its time");
    assert_eq!(world.clock.now().duration_until(retry_at).as_mins(), 15);
}

#[tokio::test]
async fn a_run_that_is_cancelled_while_it_learns_keeps_the_champion_and_can_be_begun_again() {
    let (world, app) = World::with_champion().await;
    let first = champion(&app).await;
    world.bars_come(&app, date(2026, 10, 9)).await;
    app.ask_for_job(&JobOrder::of(Job::Retraining), ASKED).await.unwrap();
    let other = Arc::new(world.process().await);
    let (is_learning, learns) = std::sync::mpsc::sync_channel::<()>(1);
    let (cancelled, is_cancelled) = std::sync::mpsc::sync_channel::<()>(1);
    let is_cancelled = std::sync::Mutex::new(is_cancelled);
    let told = AtomicBool::new(false);
    // Holds the training at its second fold until somebody else has cancelled the run.
    let sink: Arc<ProgressSink> = Arc::new(move |progress: Progress<'_>| {
        if progress.part.contains("fold 2 of") && !told.swap(true, Ordering::Relaxed) {
            is_learning.send(()).unwrap();
            is_cancelled.lock().unwrap().recv().unwrap();
        }
    });
    let cancelling = {
        let other = Arc::clone(&other);
        tokio::spawn(async move {
            tokio::task::spawn_blocking(move || learns.recv().unwrap()).await.unwrap();
            let view = other.cancel_job(1, ASKED).await.unwrap();
            assert_eq!(view.run.state, JobState::Running, "it ends at its next step");
            // The training goes on when the run has seen it.
            let sees = |view: &JobView| {
                view.lines.iter().any(|line| line.line.contains("ends at its next step"))
            };
            while !sees(&other.job(1, 0, 99).await.unwrap()) {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            cancelled.send(()).unwrap();
        })
    };
    let run = app.run_waiting_job(Job::Retraining, sink).await.unwrap().unwrap();
    cancelling.await.unwrap();
    assert_eq!(run.state, JobState::Cancelled, "{run:?}");
    assert_eq!(run.detail.as_deref(), Some("cancelled by ayşe"));
    let view = app.job(run.id, 0, 99).await.unwrap();
    assert_eq!(view.stages[4].state, JobState::Cancelled, "{:?}", stage_states(&view));
    assert_eq!(champion(&app).await.id, first.id);
    assert_eq!(app.model_versions().await.unwrap().len(), 1, "nothing was registered");

    other.retry_job(run.id, ASKED).await.unwrap();
    let again = waiting(&app).await.unwrap();
    assert_eq!((again.id, again.state, again.attempts_count), (run.id, JobState::Done, 2));
}

#[tokio::test]
async fn a_run_that_is_begun_again_on_other_bars_forgets_what_it_learned() {
    let (world, app) = World::with_champion().await;
    world.bars_come(&app, date(2026, 10, 9)).await;
    app.ask_for_job(&JobOrder::of(Job::Retraining), ASKED).await.unwrap();
    // The process dies in a stage after the training.
    let dying = world.process().await;
    let sink: Arc<ProgressSink> = Arc::new(|progress: Progress<'_>| {
        assert_ne!(progress.stage, "forecasting", "it dies here");
    });
    let doing = tokio::spawn(async move { dying.run_waiting_job(Job::Retraining, sink).await });
    assert!(doing.await.unwrap_err().is_panic());

    world.bars_come(&app, date(2026, 10, 16)).await;
    let run = waiting(&app).await.unwrap();
    let view = app.job(run.id, 0, 99).await.unwrap();
    assert!(view.lines.iter().any(|line| line.line.contains("bars have changed")), "{view:?}");
    let [decision]: [RetrainingDecision; 1] = found(&view, "decide");
    let candidate = app.model_version(&decision.candidate).await.unwrap().unwrap();
    assert_eq!(candidate.lineage.last_day, date(2026, 10, 9), "five sessions before the newest");
}

#[tokio::test]
async fn two_schedulers_do_the_night_once_and_a_missed_one_is_made_up() {
    let (world, one) = World::with_champion().await;
    let other = world.process().await;
    let look = async |app: &App| {
        app.schedule_job(Job::Retraining).await.unwrap();
        app.run_waiting_job(Job::Retraining, quiet()).await.unwrap()
    };
    // Trained on Friday evening; the night after is due at three on Saturday.
    assert_eq!(look(&one).await, None, "it has just been trained");
    world.bars_come(&one, date(2026, 10, 5)).await;
    let (first, second) = tokio::join!(look(&one), look(&other));
    assert!(first.is_some() != second.is_some(), "{first:?} {second:?}");
    let run = first.or(second).unwrap();
    // On Monday evening the newest that is due is that of Saturday night: it was missed.
    assert_eq!(run.due_at, "2026-10-03T00:00:00Z".parse().unwrap());
    assert_eq!((look(&one).await, look(&other).await), (None, None), "once");
    world.clock.set("2026-10-06T02:59");
    assert_eq!(look(&other).await, None);
    world.clock.set("2026-10-06T03:00");
    let (first, second) = tokio::join!(look(&one), look(&other));
    assert!(first.is_some() != second.is_some(), "{first:?} {second:?}");
    assert_eq!(one.jobs(Some(Job::Retraining), None, 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_new_alarm_after_the_nightly_ingest_asks_for_a_retraining_once() {
    let (mut world, app) = World::with_champion().await;
    let night = async |app: &App, until: Date| {
        world.clock.set(&format!("{until}T20:00"));
        app.ask_for_job(&JobOrder::NightlyIngest, ASKED).await.unwrap();
        let run = app.run_waiting_job(Job::NightlyIngest, quiet()).await.unwrap().unwrap();
        assert_eq!(run.state, JobState::Done, "{run:?}");
        run.detail.unwrap()
    };
    let calm = night(&app, FIRST_UNTIL).await;
    assert!(calm.ends_with("nothing is alarming"), "{calm}");

    // From the first unseen day on days swing far and are busy.
    for series in &mut world.series {
        for bar in series.bars.iter_mut().filter(|bar| bar.day() > FIRST_UNTIL) {
            let middle = bar.close_units;
            bar.high_units = bar.high_units.max(middle + middle / 12);
            bar.low_units = bar.low_units.min(middle - middle / 12);
            bar.volume_shares = bar.volume_shares.map(|shares| 40 * shares);
        }
    }
    let until = date(2026, 10, 30);
    ingest(&app, &world.series, until, None).await;
    let alarmed = night(&app, until).await;
    assert!(alarmed.ends_with("retraining run 3 is asked for"), "{alarmed}");
    let view = app.job(3, 0, 9).await.unwrap();
    assert_eq!((view.run.asked_by.as_deref(), view.run.state), (Some("drift"), JobState::Waiting));
    assert!(view.run.reason.unwrap().contains("which is more than usual"));
    let again = night(&app, until).await;
    assert!(again.ends_with("retraining run 3 is under way"), "{again}");
    let run = waiting(&app).await.unwrap();
    assert_eq!((run.id, run.state), (3, JobState::Done), "{run:?}");
    let known = night(&app, until).await;
    assert!(!known.contains("retraining run"), "it is known: {known}");
}
