//! Whoever watches the processes: what each says of itself, all the time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http::ask;

/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(50);

/// What a process said.
#[derive(Clone, Debug)]
pub(super) struct Report {
    /// When it was asked.
    pub(super) asked_at: Instant,
    /// When the answer was there.
    pub(super) told_at: Instant,
    /// The status and the document; none when the process is gone.
    pub(super) told: Option<(u16, Value)>,
}

impl Report {
    /// Its status in one word: `ok`, `degraded`, `failed`, or `gone`.
    pub(super) fn word(&self) -> &str {
        self.told.as_ref().map_or("gone", |(_, body)| body["status"].as_str().unwrap_or("?"))
    }

    /// Whether it says this of `part`, which is outside.
    pub(super) fn says_of(&self, part: &str, word: &str) -> bool {
        self.told.as_ref().is_some_and(|(_, body)| body["checks"]["outside"][part] == word)
    }
}

/// A process that is watched.
pub(super) struct Watched {
    pub(super) name: String,
    stop: Arc<AtomicBool>,
    reports: Arc<Mutex<Vec<Report>>>,
    thread: JoinHandle<()>,
}

impl Watched {
    pub(super) fn start(name: String, address: String) -> Self {
        let (stop, reports) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::default()));
        let (stopped, kept): (_, Arc<Mutex<Vec<_>>>) = (Arc::clone(&stop), Arc::clone(&reports));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let asked_at = Instant::now();
                let told = ask(&address, "GET", "/health/ready", &[], &Value::Null).ok();
                let told = told.map(|answer| (answer.status, answer.body));
                kept.lock().unwrap().push(Report { asked_at, told_at: Instant::now(), told });
                thread::sleep(PAUSE);
            }
        });
        Self { name, stop, reports, thread }
    }

    /// The newest report.
    pub(super) fn newest(&self) -> Option<Report> {
        self.reports.lock().unwrap().last().cloned()
    }

    /// What was said to questions of between these two moments whose answer came before the second.
    pub(super) fn between(&self, from: Instant, to: Instant) -> Vec<Report> {
        let reports = self.reports.lock().unwrap();
        let within = |report: &&Report| report.asked_at >= from && report.told_at <= to;
        reports.iter().filter(within).cloned().collect()
    }

    pub(super) fn finish(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.reports.lock().unwrap().len()
    }
}
