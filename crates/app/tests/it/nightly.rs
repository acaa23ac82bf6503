//! The nightly ingest, watched over many nights.

use std::path::PathBuf;
use std::sync::Arc;

use bist_app::App;
use bist_app::nightly::{NightlyOutcome, NightlySettings};
use bist_app::sources::SourceState;
use bist_app::universes::UniverseName;
use bist_feeds::Provider;
use bist_market::bar::istanbul;
use bist_market::{Calendar, Clock, Interval, Source, ValidationPolicy};
use bist_store::Store;
use jiff::civil::date;
use jiff::{Timestamp, ToSpan};
use tempfile::TempDir;

use crate::exchange::{Exchange, HandClock, istanbul_time};

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
async fn look(app: &App) -> NightlyOutcome {
    app.run_nightly(Arc::new(|_| {})).await.unwrap()
}

/// The local time as `2026-10-26 18:40`.
fn local(instant: Timestamp) -> String {
    istanbul().to_datetime(instant).strftime("%Y-%m-%d %H:%M").to_string()
}

/// What somebody who watches reads: when it was, and what became of it.
fn line(now: Timestamp, outcome: &NightlyOutcome) -> Option<String> {
    match outcome {
        NightlyOutcome::NothingDue => None,
        NightlyOutcome::Done { day, .. } => Some(format!("{}: {day} done", local(now))),
        NightlyOutcome::Failed { day, retry_at, .. } => {
            Some(format!("{}: {day} failed, again {}", local(now), local(*retry_at)))
        }
    }
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
            log.extend([outcomes.0, outcomes.1].iter().filter_map(|outcome| line(now, outcome)));
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
    let mut runs = store.jobs("nightly ingest", 99).await.unwrap();
    runs.reverse();
    let sessions = Calendar::bist().sessions(date(2026, 10, 23), date(2026, 11, 4));
    let sessions: Vec<_> = sessions.map(|(day, _)| day.to_string()).collect();
    let due: Vec<String> = runs.iter().map(|run| local(run.due_at)[..10].to_owned()).collect();
    assert_eq!(due, sessions, "one run a session");
    assert!(runs.iter().all(|run| run.succeeded == Some(true)), "{runs:?}");
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
    assert!(matches!(look(&app).await, NightlyOutcome::Done { .. }));
    world.exchange.asked();
    world.clock.set("2026-10-26T18:40");
    world.exchange.fail("BBBB");
    let NightlyOutcome::Failed { told, .. } = look(&app).await else { panic!("BBBB fails") };
    assert!(told.contains("yahoo: 1 of 2 pieces could not be fetched"), "{told}");
    assert!(told.contains("rows stored"), "what came is told too: {told}");
    let view = app.sources().await.unwrap();
    assert_eq!(local(view.nightly_next_at.unwrap()), "2026-10-26 18:55");
    let last = view.nightly_last.unwrap();
    assert_eq!((last.outcome_word(), last.detail), ("failed", Some(told)));
    assert_eq!(view.sources[0].state, SourceState::Failing);
    assert_eq!(world.exchange.asked(), ["AAAA from 2026-10-16", "BBBB from 2026-10-16"]);

    world.exchange.recover();
    world.clock.set("2026-10-26T18:54");
    assert_eq!(look(&app).await, NightlyOutcome::NothingDue);
    world.clock.set("2026-10-26T18:55");
    assert!(matches!(look(&app).await, NightlyOutcome::Done { .. }));
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
    let NightlyOutcome::Failed { told, .. } = look(&app).await else { panic!("it is late") };
    assert!(told.contains("yahoo: it has no bar of 2026-10-27 yet"), "{told}");
    world.exchange.have_bars_to(None);
    world.clock.set("2026-10-27T18:55");
    let NightlyOutcome::Done { told, .. } = look(&app).await else { panic!("it is there") };
    assert!(told.starts_with("yahoo: 2 rows stored"), "{told}");
}

#[tokio::test]
async fn a_new_share_gets_its_history_and_one_that_left_makes_no_other_longer() {
    let world = World::new("2026-10-23T19:00", Source::YAHOO);
    let app = world.process().await;
    assert!(matches!(look(&app).await, NightlyOutcome::Done { .. }));
    // AAAA leaves the universe for a month, CCCC comes.
    std::fs::write(world.universe(), "BBBB\nCCCC\n").unwrap();
    world.exchange.asked();
    world.clock.set("2026-11-16T18:40");
    assert!(matches!(look(&app).await, NightlyOutcome::Done { .. }));
    // From five sessions before the newest bar, over a weekend.
    assert_eq!(world.exchange.asked(), ["CCCC from 2026-09-01", "BBBB from 2026-10-16"]);
    world.clock.set("2026-11-17T18:40");
    assert!(matches!(look(&app).await, NightlyOutcome::Done { .. }));
    assert_eq!(world.exchange.asked(), ["BBBB from 2026-11-09", "CCCC from 2026-11-09"]);
}

#[tokio::test]
async fn the_run_of_a_process_that_died_is_taken_over_and_goes_on_where_it_was() {
    let world = World::new("2026-10-23T18:40", Source::YAHOO);
    let dead = world.process().await;
    let other = world.process().await;
    assert!(matches!(look(&other).await, NightlyOutcome::Done { .. }));
    world.clock.set("2026-10-26T18:40");
    world.exchange.hang("BBBB");
    let running = tokio::spawn(async move { look(&dead).await });
    world.exchange.hung.notified().await;
    assert_eq!(look(&other).await, NightlyOutcome::NothingDue, "the other has it");
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    world.exchange.recover();
    world.exchange.asked();
    assert_eq!(other.sources().await.unwrap().nightly_last.unwrap().outcome_word(), "running");

    world.clock.set("2026-10-26T18:49");
    assert_eq!(look(&other).await, NightlyOutcome::NothingDue, "it may be alive");
    world.clock.set("2026-10-26T18:50");
    assert!(matches!(look(&other).await, NightlyOutcome::Done { .. }));
    assert_eq!(world.exchange.asked(), ["BBBB from 2026-10-16"]);
    let store = world.store().await;
    assert_eq!(store.jobs("nightly ingest", 9).await.unwrap().len(), 2);
    let bars = store.received_all(Interval::Daily).await.unwrap();
    assert_eq!(bars.len(), 2);
}
