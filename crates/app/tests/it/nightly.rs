//! The nightly ingest, watched over many nights.

use std::path::PathBuf;
use std::sync::Arc;

use bist_app::App;
use bist_app::jobs::Job;
use bist_app::nightly::NightlySettings;
use bist_app::sources::SourceState;
use bist_app::universes::UniverseName;
use bist_feeds::Provider;
use bist_market::bar::istanbul;
use bist_market::{Calendar, Clock, Interval, Source, ValidationPolicy};
use bist_store::{JobRun, JobState, Store};
use bist_testkit::hand_clock::{HandClock, istanbul_time};
use jiff::civil::date;
use jiff::{Timestamp, ToSpan};
use tempfile::TempDir;

use crate::exchange::Exchange;

/// Everything that several processes on one machine share.
struct World {
    folder: TempDir,
    clock: Arc<HandClock>,
    exchange: Arc<Exchange>,
}

impl World {
    fn new(now: &str, source: Source) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("universe.txt"), "AAAA\nBBBB\n").unwrap();
        Self {
            folder,
            clock: Arc::new(HandClock::at(now)),
            exchange: Arc::new(Exchange::new(source, &["AAAA", "BBBB", "CCCC"])),
        }
    }

    fn universe(&self) -> PathBuf {
        self.folder.path().join("universe.txt")
    }

    /// A process that is started on the store.
    async fn process(&self) -> App {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let provider: Arc<dyn Provider> = Arc::clone(&self.exchange) as _;
        let nightly = NightlySettings {
            sources: vec![provider.source()],
            universe: UniverseName::File(self.universe()),
        };
        let app = App::open(&self.data(), clock, ValidationPolicy::default()).await.unwrap();
        app.with_providers(vec![provider]).with_nightly(nightly)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    async fn store(&self) -> Store {
        Store::open(&self.data()).await.unwrap()
    }
}

/// Looks once whether something is due.
async fn look(app: &App) -> Option<JobRun> {
    app.schedule_job(Job::NightlyIngest).await.unwrap();
    app.run_waiting_job(Job::NightlyIngest, Arc::new(|_| {})).await.unwrap()
}

/// Looks, and finds something that is done.
async fn done(app: &App) -> String {
    let run = look(app).await.expect("something is due");
    assert_eq!(run.state, JobState::Done, "{run:?}");
    run.detail.unwrap()
}

/// Looks, and finds something that fails.
async fn failure(app: &App) -> String {
    let run = look(app).await.expect("something is due");
    assert_eq!(run.state, JobState::Failed, "{run:?}");
    run.detail.unwrap()
}

/// The local time as `2026-10-26 18:40`.
fn local(instant: Timestamp) -> String {
    istanbul().to_datetime(instant).strftime("%Y-%m-%d %H:%M").to_string()
}

/// What somebody who watches reads: when it was, and what became of it.
fn line(now: Timestamp, run: &JobRun) -> String {
    let day = run.plan["day"].as_str().unwrap();
    let again = run.retry_at.map(|at| format!(", again {}", local(at))).unwrap_or_default();
    format!("{}: {day} {}{again}", local(now), run.state)
}

#[tokio::test]
async fn each_session_has_one_run_through_a_half_day_a_holiday_a_missed_night_and_a_failure() {
    let world = World::new("2026-10-26T09:00", Source::BULLETIN);
    let mut processes = Some((world.process().await, world.process().await));
    let mut log = Vec::new();
    let mut now = world.clock.now();
    while now < istanbul_time("2026-11-05T09:00") {
        world.clock.set_to(now);
        match local(now).as_str() {
            "2026-11-02 12:00" => processes = None,
            "2026-11-03 09:30" => {
                processes = Some((world.process().await, world.process().await));
            }
            "2026-11-03 18:40" => world.exchange.fail("2026-11-03"),
            "2026-11-03 19:20" => world.exchange.recover(),
            _ => {}
        }
        // Both look at the same time, as two servers with one store do.
        if let Some((one, other)) = &processes {
            let outcomes = tokio::join!(look(one), look(other));
            log.extend(outcomes.0.iter().chain(&outcomes.1).map(|run| line(now, run)));
        }
        let at_night = !(9..20).contains(&istanbul().to_datetime(now).hour());
        now = now.saturating_add(if at_night { 1.hour() } else { 5.minutes() }).unwrap();
    }
    let expected = [
        "2026-10-26 18:40: 2026-10-26 done",
        "2026-10-27 18:40: 2026-10-27 done",
        // A half day, then a holiday.
        "2026-10-28 13:30: 2026-10-28 done",
        "2026-10-30 18:40: 2026-10-30 done",
        // After the weekend the machine is off, and the night is made up in the morning.
        "2026-11-03 09:30: 2026-11-02 done",
        "2026-11-03 18:40: 2026-11-03 failed, again 2026-11-03 18:55",
        "2026-11-03 18:55: 2026-11-03 failed, again 2026-11-03 19:25",
        "2026-11-03 19:25: 2026-11-03 done",
        "2026-11-04 18:40: 2026-11-04 done",
    ];
    // The first look is at nine on Monday, when Friday's run is due that nobody has done.
    assert_eq!(log[0], "2026-10-26 09:00: 2026-10-23 done");
    assert_eq!(log[1..], expected);

    let store = world.store().await;
    let mut runs = store.jobs(Some("nightly-ingest"), None, 99).await.unwrap();
    runs.reverse();
    let sessions = Calendar::bist().sessions(date(2026, 10, 23), date(2026, 11, 4));
    let sessions: Vec<_> = sessions.map(|(day, _)| day.to_string()).collect();
    let due: Vec<String> = runs.iter().map(|run| local(run.due_at)[..10].to_owned()).collect();
    assert_eq!(due, sessions, "one run a session");
    assert!(runs.iter().all(|run| run.state == JobState::Done), "{runs:?}");
    let attempts: Vec<u64> = runs.iter().map(|run| run.attempts_count).collect();
    assert_eq!(attempts, [1, 1, 1, 1, 1, 1, 3, 1]);

    // What is stored is every session of the source, each bar once.
    let all = Calendar::bist().sessions(date(2026, 9, 1), date(2026, 11, 4)).count() as u64;
    let held = store.series_overviews().await.unwrap();
    let held: Vec<_> = held.iter().map(|s| (s.symbol.to_string(), s.rows_count)).collect();
    let expected = ["AAAA", "BBBB", "CCCC"].map(|name| (name.to_owned(), all));
    assert_eq!(held, expected);
}

#[tokio::test]
async fn a_failed_run_says_what_failed_and_asks_only_for_that_again() {
    let world = World::new("2026-10-23T18:40", Source::YAHOO);
    let app = world.process().await;
    done(&app).await;
    world.exchange.asked();
    world.clock.set("2026-10-26T18:40");
    world.exchange.fail("BBBB");
    let told = failure(&app).await;
    assert!(told.contains("yahoo: 1 of 2 pieces could not be fetched"), "{told}");
    assert!(told.contains("rows stored"), "what came is told too: {told}");
    let view = app.sources().await.unwrap();
    assert_eq!(local(view.nightly_next_at.unwrap()), "2026-10-26 18:55");
    let last = view.nightly_last.unwrap();
    assert_eq!((last.state, last.detail.as_ref()), (JobState::Failed, Some(&told)));
    assert_eq!(view.sources[0].state, SourceState::Failing);
    assert_eq!(world.exchange.asked(), ["AAAA from 2026-10-16", "BBBB from 2026-10-16"]);

    world.exchange.recover();
    world.clock.set("2026-10-26T18:54");
    assert_eq!(look(&app).await, None);
    world.clock.set("2026-10-26T18:55");
    done(&app).await;
    assert_eq!(world.exchange.asked(), ["BBBB from 2026-10-16"]);
    let view = app.sources().await.unwrap();
    assert_eq!(view.sources[0].state, SourceState::Ok);
    assert_eq!(view.sources[0].lag_sessions, Some(0));
    assert_eq!(local(view.nightly_next_at.unwrap()), "2026-10-27 18:40");
}

#[tokio::test]
async fn a_source_that_has_not_the_day_yet_is_asked_again() {
    let world = World::new("2026-10-27T18:40", Source::YAHOO);
    let app = world.process().await;
    world.exchange.have_bars_to(Some(date(2026, 10, 26)));
    let told = failure(&app).await;
    assert!(told.contains("yahoo: it has no bar of 2026-10-27 yet"), "{told}");
    world.exchange.have_bars_to(None);
    world.clock.set("2026-10-27T18:55");
    let told = done(&app).await;
    assert!(told.starts_with("yahoo: 2 rows stored"), "{told}");
}

#[tokio::test]
async fn a_new_share_gets_its_history_and_one_that_left_makes_no_other_longer() {
    let world = World::new("2026-10-23T19:00", Source::YAHOO);
    let app = world.process().await;
    done(&app).await;
    // AAAA leaves the universe for a month, CCCC comes.
    std::fs::write(world.universe(), "BBBB\nCCCC\n").unwrap();
    world.exchange.asked();
    world.clock.set("2026-11-16T18:40");
    done(&app).await;
    // From five sessions before the newest bar, over a weekend.
    assert_eq!(world.exchange.asked(), ["CCCC from 2026-09-01", "BBBB from 2026-10-16"]);
    world.clock.set("2026-11-17T18:40");
    done(&app).await;
    assert_eq!(world.exchange.asked(), ["BBBB from 2026-11-09", "CCCC from 2026-11-09"]);
}

#[tokio::test]
async fn the_run_of_a_process_that_died_is_taken_over_and_goes_on_where_it_was() {
    let world = World::new("2026-10-23T18:40", Source::YAHOO);
    let dead = world.process().await;
    let other = world.process().await;
    done(&other).await;
    world.clock.set("2026-10-26T18:40");
    world.exchange.hang("BBBB");
    let running = tokio::spawn(async move { look(&dead).await });
    world.exchange.hung.notified().await;
    assert_eq!(look(&other).await, None, "the other has it");
    world.clock.set("2026-10-26T19:40");
    assert_eq!(look(&other).await, None, "however long it takes");
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    world.exchange.recover();
    world.exchange.asked();
    let last = other.sources().await.unwrap().nightly_last.unwrap();
    assert_eq!(last.state, JobState::Running);

    done(&other).await;
    assert_eq!(world.exchange.asked(), ["BBBB from 2026-10-16"]);
    let store = world.store().await;
    assert_eq!(store.jobs(Some("nightly-ingest"), None, 9).await.unwrap().len(), 2);
    let bars = store.received_all(Interval::Daily).await.unwrap();
    assert_eq!(bars.len(), 2);
}
