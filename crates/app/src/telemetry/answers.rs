//! Answers on their way to all that counts and logs them.
//!
//! What counting and logging take of the caches of a processor is what the next request needs. So an answer
//! is put down as it is, and many are counted and logged one right after the other: by a thread, soon
//! after; and where nothing is logged, by whoever fills a batch. Whoever looks at counts has those counted
//! first that wait.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Answered;
use super::metrics::Metrics;
use super::request_log::RequestLog;
use super::usage::Usage;

/// How long an answer waits for others at most.
const WAIT_MAX: Duration = Duration::from_millis(20);

/// So many are counted and logged at once: few turns of the thread, and no more than stays in the cache of
/// a processor.
const BATCH: usize = 256;

/// So many may wait; whoever comes then waits too, as for any other line of the log.
const WAITING_MAX: usize = 64 * BATCH;

/// Answers that are counted and logged. Dropped, it logs what waits.
#[derive(Debug)]
pub(super) struct Answers {
    counted: Arc<Counted>,
    /// There is one where requests are logged.
    thread: Option<JoinHandle<()>>,
}

/// What counts and logs answers, and those that wait for it.
#[derive(Debug, Default)]
struct Counted {
    metrics: Metrics,
    usage: Usage,
    log: Option<Arc<RequestLog>>,
    waiting: Mutex<Waiting>,
    /// There is something to do for the thread.
    filled: Condvar,
    /// The thread has logged what waited.
    logged: Condvar,
    /// Held by whoever counts: those that are being counted.
    batch: Mutex<Vec<Answered>>,
}

#[derive(Debug, Default)]
struct Waiting {
    uncounted: Vec<Answered>,
    /// Those that were counted meanwhile, and came before the others.
    unlogged: Vec<Answered>,
    /// Whether the thread sleeps until there is an answer. While many come it does not, so that nobody has
    /// to wake it but for a batch that is full.
    is_idle: bool,
    /// Whether the thread is logging what it took.
    is_logging: bool,
    /// Whether somebody waits for all of it to be logged.
    is_urgent: bool,
    is_closed: bool,
}

impl Waiting {
    const fn count(&self) -> usize {
        self.uncounted.len() + self.unlogged.len()
    }
}

impl Answers {
    /// Answers that are counted, and logged in `log` if there is one.
    ///
    /// # Panics
    ///
    /// When no thread can be begun, as [`thread::spawn`] does.
    pub(super) fn new(log: Option<Arc<RequestLog>>) -> Self {
        let counted = Arc::new(Counted { log, ..Counted::default() });
        let thread = counted.log.is_some().then(|| {
            let theirs = Arc::clone(&counted);
            let thread = thread::Builder::new().name("request-log".to_owned());
            thread.spawn(move || theirs.keep_on()).expect("a thread can be begun")
        });
        Self { counted, thread }
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.counted.metrics
    }

    pub(super) fn usage(&self) -> &Usage {
        &self.counted.usage
    }

    /// Takes an answer, which is counted and logged soon after.
    pub(super) fn put(&self, answered: Answered) {
        let Counted { metrics, usage, log, .. } = &*self.counted;
        if log.is_none() && metrics.is_off() && usage.is_off() {
            return;
        }
        let mut waiting = self.counted.waiting();
        while waiting.count() >= WAITING_MAX && self.is_alive() {
            waiting = self.counted.logged(waiting);
        }
        waiting.uncounted.push(answered);
        let is_enough = waiting.uncounted.len() == BATCH;
        let wakes = std::mem::take(&mut waiting.is_idle) || is_enough;
        drop(waiting);
        if log.is_none() && is_enough {
            self.count();
        } else if wakes {
            self.counted.filled.notify_one();
        }
    }

    /// Counts those that wait for it.
    pub(super) fn count(&self) {
        self.counted.count();
    }

    /// Waits until all were counted and logged.
    pub(super) fn flush(&self) {
        self.count();
        let mut waiting = self.counted.waiting();
        while (waiting.count() > 0 || waiting.is_logging) && self.is_alive() {
            waiting.is_urgent = true;
            self.counted.filled.notify_one();
            waiting = self.counted.logged(waiting);
        }
    }

    fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.counted.waiting().is_closed = true;
        self.counted.filled.notify_one();
        if let Some(thread) = self.thread.take() {
            // If it has panicked, that was told.
            thread.join().ok();
        }
    }
}

impl Counted {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Answers are put whole or not at all.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits a while for the thread.
    fn logged<'a>(&self, waiting: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        let waited = self.logged.wait_timeout(waiting, WAIT_MAX);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn count(&self) {
        // One of whoever counts after the other, so that none goes on before all are counted.
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *batch, &mut self.waiting().uncounted);
        self.metrics.answered(&batch);
        self.usage.answered(&batch);
        if self.log.is_some() {
            self.waiting().unlogged.append(&mut batch);
        } else {
            batch.clear();
        }
    }

    /// Counts and logs until there will be no more.
    fn keep_on(&self) {
        let mut taken = Vec::new();
        let mut waiting = self.waiting();
        loop {
            let has_time = |waiting: &mut Waiting| {
                waiting.uncounted.len() < BATCH && !waiting.is_closed && !waiting.is_urgent
            };
            let waited = self.filled.wait_timeout_while(waiting, WAIT_MAX, has_time);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
            if waiting.count() == 0 {
                if waiting.is_closed {
                    return;
                }
                waiting.is_idle = true;
                waiting.is_urgent = false;
                let nothing = |waiting: &mut Waiting| waiting.count() == 0 && !waiting.is_closed;
                let waited = self.filled.wait_while(waiting, nothing);
                waiting = waited.unwrap_or_else(PoisonError::into_inner);
                waiting.is_idle = false;
                continue;
            }
            waiting.is_logging = true;
            drop(waiting);
            self.count();
            std::mem::swap(&mut taken, &mut self.waiting().unlogged);
            if let Some(log) = &self.log {
                taken.chunks(BATCH).for_each(|batch| log.write(batch));
            }
            taken.clear();
            waiting = self.waiting();
            waiting.is_logging = false;
            waiting.is_urgent = false;
            self.logged.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::mpsc;

    use serde_json::Value;

    use super::*;
    use crate::telemetry::request_log::LineForm;

    /// What hands on what is written to it.
    struct Sender(mpsc::Sender<Vec<u8>>);

    impl Write for Sender {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn answers() -> (Answers, mpsc::Receiver<Vec<u8>>) {
        let (sender, written) = mpsc::channel();
        let log = RequestLog::new(LineForm::Json, Sender(sender));
        (Answers::new(Some(Arc::new(log))), written)
    }

    fn answered(request_id: &str) -> Answered {
        Answered {
            method: "GET",
            route: Some("/a".into()),
            status: 200,
            took: Duration::from_millis(1),
            at: "2026-11-24T12:00:30Z".parse().unwrap(),
            caller: None,
            problem_code: None,
            limit_class: None,
            request_id: request_id.into(),
        }
    }

    /// The ids of the requests in what was written, in its order.
    fn logged(written: &mpsc::Receiver<Vec<u8>>) -> Vec<String> {
        let text = String::from_utf8(written.try_iter().flatten().collect()).unwrap();
        let id = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["fields"]["request.id"].as_str().unwrap().to_owned()
        };
        text.lines().map(id).collect()
    }

    fn counted(answers: &Answers) -> u64 {
        answers.count();
        answers.usage().take().iter().map(|(_, counts)| counts.requests_count()).sum()
    }

    #[test]
    fn those_of_many_threads_come_whole_and_those_that_wait_at_the_end_come_too() {
        let (answers, written) = answers();
        let ids: Vec<String> = (0..8).map(|number| format!("t-{number}")).collect();
        thread::scope(|scope| {
            for id in &ids {
                let answers = &answers;
                scope.spawn(move || (0..2_000).for_each(|_| answers.put(answered(id))));
            }
        });
        assert_eq!(counted(&answers), 16_000);
        drop(answers);
        let logged = logged(&written);
        assert_eq!(logged.len(), 16_000);
        for id in ids {
            assert_eq!(logged.iter().filter(|other| **other == id).count(), 2_000, "{id}");
        }
    }

    #[test]
    fn who_looks_finds_those_counted_that_wait_and_the_log_keeps_their_order() {
        let (answers, written) = answers();
        let ids: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
        let mut found = 0;
        for (number, id) in (1..).zip(&ids) {
            answers.put(answered(id));
            if number % 7 == 0 {
                found += counted(&answers);
                assert_eq!(found, number);
            }
        }
        answers.flush();
        assert_eq!(logged(&written), ids);
        assert_eq!(found + counted(&answers), 1_000);
    }

    #[test]
    fn without_a_log_whoever_fills_a_batch_counts_it() {
        let answers = Answers::new(None);
        (0..BATCH).for_each(|_| answers.put(answered("x")));
        let sum = |answers: &Answers| -> u64 {
            answers.usage().take().iter().map(|(_, counts)| counts.requests_count()).sum()
        };
        assert_eq!(sum(&answers), BATCH as u64);
        answers.put(answered("x"));
        assert_eq!(sum(&answers), 0);
        answers.flush();
        assert_eq!(sum(&answers), 1);
    }

    #[test]
    fn a_log_that_nobody_reads_stops_nothing() {
        let (answers, written) = answers();
        drop(written);
        (0..2 * WAITING_MAX).for_each(|_| answers.put(answered("x")));
        answers.flush();
        assert_eq!(counted(&answers), 2 * WAITING_MAX as u64);
    }
}
