//! Answers are made once for all who ask, and anew when they no longer hold.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bist_app::answers::{DataClass, KeptAnswer};
use bist_app::jobs::{JobAsked, JobOrder};
use bist_app::{App, RedisLink};
use bist_market::{Clock, ValidationPolicy};
use bist_store::StoreError;
use bist_testkit::hand_clock::HandClock;
use bist_testkit::redis_server::RedisServer;
use jiff::civil::date;
use tokio::sync::Semaphore;

use crate::market;

/// Somebody who makes answers, each with a number of its own.
#[derive(Default)]
struct Maker(AtomicU32);

impl Maker {
    async fn make(&self) -> Result<Vec<u8>, StoreError> {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(format!("answer {number}").into_bytes())
    }

    fn made_count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

async fn open(folder: &Path, clock: &Arc<HandClock>) -> App {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    App::open(folder, clock, ValidationPolicy::default()).await.unwrap()
}

async fn ask(app: &App, class: DataClass, asked: &str, maker: &Maker) -> KeptAnswer {
    let make = async || maker.make().await;
    app.kept_answer(class, asked, None, app.now(), make).await.unwrap()
}

#[tokio::test]
async fn an_answer_is_made_anew_when_its_data_or_the_clock_have_moved() {
    let (folder, clock) =
        (tempfile::tempdir().unwrap(), Arc::new(HandClock::at("2026-11-20 18:30")));
    let app = open(folder.path(), &clock).await;
    let walks = market::walks(&["AAAAA"], date(2025, 1, 2), date(2026, 11, 20));
    market::ingest(&app, &walks, date(2026, 11, 18), None).await;
    let maker = Maker::default();

    let first = ask(&app, DataClass::Bars, "/a", &maker).await;
    assert_eq!(ask(&app, DataClass::Bars, "/a", &maker).await, first);
    assert_eq!(maker.made_count(), 1);
    // Another question, and the same of another class, are other answers.
    assert_ne!(ask(&app, DataClass::Bars, "/b", &maker).await, first);
    assert_ne!(ask(&app, DataClass::Signals, "/a", &maker).await, first);
    assert_eq!(maker.made_count(), 3);

    // What has nothing to do with bars leaves it as it is; bars do not.
    let asked = JobAsked { by: "ayşe", reason: "a try" };
    app.ask_for_job(&JobOrder::KeyCare, asked).await.unwrap();
    assert_eq!(ask(&app, DataClass::Bars, "/a", &maker).await, first);
    market::ingest(&app, &walks, date(2026, 11, 19), None).await;
    let second = ask(&app, DataClass::Bars, "/a", &maker).await;
    assert_ne!(second.tag, first.tag);

    clock.set("2026-11-20 18:41");
    assert_ne!(ask(&app, DataClass::Bars, "/a", &maker).await, second);
}

#[tokio::test]
async fn many_who_ask_at_once_wait_for_one_and_a_failure_is_not_kept() {
    let (folder, clock) =
        (tempfile::tempdir().unwrap(), Arc::new(HandClock::at("2026-11-20 18:30")));
    let app = open(folder.path(), &clock).await;
    let (maker, may_go_on) = (Arc::new(Maker::default()), Arc::new(Semaphore::new(0)));
    let asked: Vec<_> = (0..50)
        .map(|_| {
            let (app, maker, gate) = (app.clone(), Arc::clone(&maker), Arc::clone(&may_go_on));
            tokio::spawn(async move {
                let make = async || {
                    gate.acquire().await.unwrap().forget();
                    maker.make().await
                };
                app.kept_answer(DataClass::Explanations, "/slow", None, app.now(), make)
                    .await
                    .unwrap()
            })
        })
        .collect();
    may_go_on.add_permits(1);
    for asked in asked {
        assert_eq!(asked.await.unwrap().body, "answer 1");
    }
    assert_eq!(maker.made_count(), 1);

    let failed = async || Err(StoreError::Busy);
    assert!(app.kept_answer(DataClass::Bars, "/fails", None, app.now(), failed).await.is_err());
    assert_eq!(ask(&app, DataClass::Bars, "/fails", &maker).await.body, "answer 2");
}

#[tokio::test]
async fn what_is_dear_is_made_by_one_server_for_all_and_by_each_without_redis() {
    let (folder, clock) =
        (tempfile::tempdir().unwrap(), Arc::new(HandClock::at("2026-11-20 18:30")));
    let Some(mut redis) = RedisServer::start() else { return };
    let mut servers = Vec::new();
    for _ in 0..2 {
        let link = RedisLink::new(&redis.url().parse().unwrap(), None).unwrap();
        servers.push(open(folder.path(), &clock).await.with_redis(link));
    }
    let maker = Maker::default();
    for app in &servers {
        assert_eq!(ask(app, DataClass::Explanations, "/why", &maker).await.body, "answer 1");
        ask(app, DataClass::Bars, "/bars", &maker).await;
    }
    assert_eq!(maker.made_count(), 3, "one explanation, and bars at each");

    redis.kill();
    for app in &servers {
        ask(app, DataClass::Explanations, "/why-not", &maker).await;
    }
    assert_eq!(maker.made_count(), 5);
}
