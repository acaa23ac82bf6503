//! Two servers with one Redis tell one stream, and each its own when Redis is away.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bist_app::jobs::{JobAsked, JobOrder, JobState};
use bist_app::live::{
    Change, Event, Gap, Listener, LiveSettings, Position, Resumed, Section, Wanted,
};
use bist_app::{App, RedisLink};
use bist_market::{Clock, ValidationPolicy};
use bist_testkit::hand_clock::HandClock;
use bist_testkit::redis_server::RedisServer;

const TOPICS: [Wanted; 2] = [Wanted::All(Section::Jobs), Wanted::All(Section::Audit)];

const ASKED: JobAsked<'_> = JobAsked { by: "ayşe", reason: "a try" };

/// A server, and somebody who listens to it.
struct Side {
    app: App,
    listener: Listener,
    /// The number and what was told, of each event.
    heard: Vec<(u64, String)>,
}

impl Side {
    async fn open(folder: &Path, redis: &RedisServer) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(HandClock::at("2026-11-20 18:30"));
        let app = App::open(folder, clock, ValidationPolicy::default()).await.unwrap();
        let link = RedisLink::new(&redis.url().parse().unwrap(), None).unwrap();
        // At once, so that nobody has to wait.
        let kept = LiveSettings { alone_after: Duration::ZERO, ..LiveSettings::default() };
        let app = app.with_redis(link).with_live(kept).with_shared_live();
        let mut listener = app.live().listen();
        listener.subscribe(&TOPICS).unwrap();
        let following = app.clone();
        tokio::spawn(async move { following.follow_changes().await });
        Self { app, listener, heard: Vec::new() }
    }

    /// Waits until another life of the stream goes on here, and goes on in it.
    async fn moved(&mut self) -> Position {
        loop {
            match self.listener.news().await {
                Ok(news) => self.take(&news.events),
                Err(gap) => {
                    assert_eq!(gap, Gap::OtherEpoch);
                    let resumed = self.listener.resume(&self.listener.position(), &TOPICS);
                    assert!(matches!(resumed, Resumed::Anew(_, Gap::OtherEpoch)), "{resumed:?}");
                    self.heard.clear();
                    return self.listener.position();
                }
            }
        }
    }

    /// Waits until it was told that a run is `wanted`.
    async fn hears(&mut self, wanted: JobState) {
        loop {
            let news = self.listener.news().await.unwrap();
            self.take(&news.events);
            let is_it = |event: &Arc<Event>| matches!(&event.change, Change::Job(view) if view.run.state == wanted);
            if news.events.iter().any(is_it) {
                return;
            }
        }
    }

    fn take(&mut self, events: &[Arc<Event>]) {
        let told = |event: &Arc<Event>| (event.seq, format!("{} {:?}", event.topic, event.change));
        self.heard.extend(events.iter().map(told));
    }
}

/// Two servers on one data directory that tell one stream.
async fn sides(folder: &Path, redis: &RedisServer) -> [Side; 2] {
    let mut sides = [Side::open(folder, redis).await, Side::open(folder, redis).await];
    let places = [sides[0].moved().await, sides[1].moved().await];
    assert_eq!(places[0].epoch, places[1].epoch, "one life of one stream");
    sides
}

/// Lets a run be asked for by one server, and cancelled by the other; both tell of both.
async fn change(sides: &mut [Side; 2]) {
    let run = sides[0].app.ask_for_job(&JobOrder::KeyCare, ASKED).await.unwrap().run;
    for side in &mut *sides {
        side.hears(JobState::Waiting).await;
    }
    sides[1].app.cancel_job(run.id, ASKED).await.unwrap();
    for side in &mut *sides {
        side.hears(JobState::Cancelled).await;
    }
}

#[tokio::test]
async fn whoever_was_cut_off_goes_on_at_another_server_without_gap_or_double() {
    let Some(redis) = RedisServer::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut sides = sides(folder.path(), &redis).await;
    let first = sides[0].listener.position();
    for _ in 0..3 {
        change(&mut sides).await;
    }
    let epoch = sides[0].listener.position().epoch;
    let [one, other] = &sides;
    let common = one.heard.len().min(other.heard.len());
    assert!(common >= 6, "{:?}", one.heard);
    assert_eq!(one.heard[..common], other.heard[..common], "the same, by the same numbers");
    let told: Vec<u64> = one.heard[..common].iter().map(|heard| heard.0).collect();
    let head = told[common - 1];

    // After each envelope, at each server: the rest, once.
    for seq in first.seq..=head {
        for side in &sides {
            let mut listener = side.app.live().listen();
            let place = Position { epoch: epoch.clone(), seq };
            let resumed = listener.resume(&place, &TOPICS);
            assert!(matches!(resumed, Resumed::After(_)), "{seq}: {resumed:?}");
            let expected: Vec<u64> = told.iter().copied().filter(|told| *told > seq).collect();
            let mut numbers = Vec::new();
            while numbers.len() < expected.len() {
                let news = listener.news().await.unwrap();
                numbers.extend(news.events.iter().map(|event| event.seq));
            }
            assert_eq!(numbers[..expected.len()], expected, "after {seq}");
        }
    }
    // A server that comes later tells the same from where the others are, and has what was before.
    let mut third = Side::open(folder.path(), &redis).await;
    assert_eq!(third.moved().await.epoch, epoch);
    let place = Position { epoch, seq: first.seq };
    assert!(matches!(third.listener.resume(&place, &TOPICS), Resumed::After(_)));
    assert_eq!(third.listener.news().await.unwrap().events[0].seq, told[0]);
}

#[tokio::test]
async fn without_redis_each_server_goes_on_alone_and_says_so_and_they_meet_again() {
    let Some(mut redis) = RedisServer::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut sides = sides(folder.path(), &redis).await;
    change(&mut sides).await;
    let shared = sides[0].listener.position();

    redis.kill();
    let alone = [sides[0].moved().await, sides[1].moved().await];
    assert!(alone[0].epoch != alone[1].epoch && alone[0].epoch != shared.epoch, "{alone:?}");
    change(&mut sides).await;

    // What Redis had is lost: nobody takes the old numbers for those that come now.
    redis.start_again();
    let again = [sides[0].moved().await, sides[1].moved().await];
    assert_eq!(again[0].epoch, again[1].epoch);
    assert_ne!(again[0].epoch, shared.epoch);
    change(&mut sides).await;
    let [one, other] = &sides;
    let common = one.heard.len().min(other.heard.len());
    assert_eq!(one.heard[..common], other.heard[..common]);
}
