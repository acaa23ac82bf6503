//! Somebody who writes through the proxy without end, and keeps in mind what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::Page;

const RULES: &str = "/api/v1/alerts/rules";

/// After a refusal, the wait before the next attempt; a person would wait for longer.
const WAIT: Duration = Duration::from_millis(50);

/// A writer at work.
pub(super) struct Writer {
    stop: Arc<AtomicBool>,
    acknowledged_count: Arc<AtomicUsize>,
    thread: JoinHandle<Tally>,
}

/// What a writer has seen.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Writes that were acknowledged, in all.
    pub(super) acknowledged_count: usize,
    /// Writes of which it is not known whether they were done.
    pub(super) unknown_count: usize,
    /// How often all of them were looked for.
    pub(super) looks_count: usize,
}

/// What was written since everything was removed the last time.
#[derive(Debug, Default)]
struct Names {
    acknowledged: BTreeSet<String>,
    unknown: BTreeSet<String>,
}

impl Writer {
    /// Begins to make rules of the owner of `page`, called `NAME-1` and on.
    pub(super) fn start(proxy: &str, name: &str, page: Page) -> Self {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let work = Work {
            proxy: proxy.to_owned(),
            name: name.to_owned(),
            page,
            names: Names::default(),
            tally: Tally::default(),
        };
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&count));
        let thread = thread::spawn(move || work.go_on(&stopped, &counted));
        Self { stop, acknowledged_count: count, thread }
    }

    /// How many writes were acknowledged so far.
    #[track_caller]
    pub(super) fn acknowledged_count(&self) -> usize {
        assert!(!self.thread.is_finished(), "a writer gave up; the reason stands above");
        self.acknowledged_count.load(Ordering::Relaxed)
    }

    /// Ends it, after a last look.
    pub(super) fn finish(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("a write was lost or done twice; the reason stands above")
    }
}

/// What a writer works with.
struct Work {
    proxy: String,
    name: String,
    page: Page,
    names: Names,
    tally: Tally,
}

impl Work {
    fn go_on(mut self, stop: &AtomicBool, count: &AtomicUsize) -> Tally {
        for number in 1.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let name = format!("{}-{number}", self.name);
            // Never met: no score is that low.
            let rule = json!({
                "name": name, "enabled": true, "channels": ["web"], "cool_down_minutes": 60,
                "condition": {"kind": "data_quality", "score_share": 0.0001},
            });
            match self.page.ask(&self.proxy, "POST", RULES, &rule) {
                Ok(answer) if answer.status == 201 => {
                    self.names.acknowledged.insert(name);
                    self.tally.acknowledged_count += 1;
                    count.fetch_add(1, Ordering::Relaxed);
                }
                // There are as many as one may have.
                Ok(answer) if answer.body["code"] == "limit_reached" => self.look_and_remove(),
                // Whether it was done is not known: the server, or the way to it, was lost.
                Ok(answer) if matches!(answer.status, 502..=504) => self.lost(name),
                Ok(answer) => panic!("{name} was answered {answer:?}"),
                Err(_) => self.lost(name),
            }
        }
        self.look_and_remove();
        self.tally
    }

    fn lost(&mut self, name: String) {
        self.names.unknown.insert(name);
        self.tally.unknown_count += 1;
        thread::sleep(WAIT);
    }

    /// Everything acknowledged is there once, and everything else once at most; then there is room again.
    fn look_and_remove(&mut self) {
        let items = loop {
            match self.page.ask(&self.proxy, "GET", RULES, &Value::Null) {
                Ok(answer) if answer.status == 200 => {
                    break answer.body["items"].as_array().unwrap().clone();
                }
                _ => thread::sleep(WAIT),
            }
        };
        let mut counts = BTreeMap::<&str, usize>::new();
        for item in &items {
            *counts.entry(item["rule"]["name"].as_str().unwrap()).or_default() += 1;
        }
        let Names { acknowledged, unknown } = std::mem::take(&mut self.names);
        for (name, count) in &counts {
            assert_eq!(*count, 1, "{name} was done more than once");
            let is_known = acknowledged.contains(*name) || unknown.contains(*name);
            assert!(is_known, "{name} was removed, or never written");
        }
        for name in &acknowledged {
            assert!(counts.contains_key(name.as_str()), "{name} was acknowledged and is lost");
        }
        self.tally.looks_count += 1;
        for item in &items {
            let path = format!("{RULES}/{}", item["id"].as_str().unwrap());
            // 404 after an answer that was lost on its way.
            let is_gone = || match self.page.ask(&self.proxy, "DELETE", &path, &Value::Null) {
                Ok(answer) => matches!(answer.status, 204 | 404),
                Err(_) => false,
            };
            while !is_gone() {
                thread::sleep(WAIT);
            }
        }
    }
}
