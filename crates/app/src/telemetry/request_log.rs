//! One line in the log for each request that was answered.
//!
//! An answer that is kept takes some fifteen microseconds, so its line is not an event that all
//! listeners of the log look at, and no write of its own: it is written into a buffer, which a thread
//! hands on soon after. The shape is that of all other lines (docs/LOGGING.md).

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bist_access::Actor;
use jiff::Timestamp;

use super::{Answered, NO_ROUTE};

/// What the lines come from, for whoever chooses what is shown.
pub const REQUESTS_TARGET: &str = "bist_server::requests";

/// How long a line waits for others at most.
const WAIT_MAX: Duration = Duration::from_millis(20);

/// So much is handed on at once, bytes.
const HANDED_ON_BYTES: usize = 32 * 1024;

/// So much may wait; whoever has more to say waits too, as for any other line. Bytes.
const WAITING_BYTES_MAX: usize = 128 * HANDED_ON_BYTES;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineForm {
    /// One JSON object.
    Json,
    /// For people.
    Text,
}

/// The lines of requests. Dropped, it hands on what waits.
#[derive(Debug)]
pub struct RequestLog {
    form: LineForm,
    lines: Arc<Lines>,
    thread: Option<JoinHandle<()>>,
}

/// Lines that wait.
#[derive(Debug, Default)]
struct Lines {
    waiting: Mutex<Waiting>,
    /// There is something to do for the thread.
    filled: Condvar,
    /// The thread has handed on what waited.
    handed_on: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    text: Vec<u8>,
    /// Whether the thread is handing on what it took.
    is_writing: bool,
    /// Whether somebody waits for all of it to be handed on.
    is_urgent: bool,
    is_closed: bool,
}

impl RequestLog {
    /// Lines of `form` that go to `writer`.
    pub fn new(form: LineForm, writer: impl Write + Send + 'static) -> Self {
        let lines = Arc::<Lines>::default();
        let theirs = Arc::clone(&lines);
        let name = "request-log".to_owned();
        let thread = thread::Builder::new().name(name).spawn(move || theirs.hand_on(writer)).ok();
        Self { form, lines, thread }
    }

    /// Writes the line of a request that was answered at `at`.
    pub(super) fn note(&self, answered: &Answered<'_>, at: Timestamp) {
        thread_local! {
            static LINE: RefCell<String> = const { RefCell::new(String::new()) };
        }
        LINE.with_borrow_mut(|line| {
            line.clear();
            let written = match self.form {
                LineForm::Json => write_json(line, answered, at),
                LineForm::Text => write_text(line, answered, at),
            };
            // A text takes whatever is written.
            if written.is_ok() {
                self.lines.put(line.as_bytes());
            }
        });
    }

    /// Waits until all lines were handed on.
    pub fn flush(&self) {
        let mut waiting = self.lines.waiting();
        while (!waiting.text.is_empty() || waiting.is_writing) && self.is_alive() {
            waiting.is_urgent = true;
            self.lines.filled.notify_one();
            waiting = self.lines.handed_on(waiting);
        }
    }

    fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for RequestLog {
    fn drop(&mut self) {
        self.lines.waiting().is_closed = true;
        self.lines.filled.notify_one();
        if let Some(thread) = self.thread.take() {
            // It does nothing but write; if it has panicked, that was told.
            thread.join().ok();
        }
    }
}

impl Lines {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Lines are put whole or not at all.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits a while for the thread.
    fn handed_on<'a>(&self, waiting: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        let waited = self.handed_on.wait_timeout(waiting, WAIT_MAX);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn put(&self, line: &[u8]) {
        let mut waiting = self.waiting();
        while waiting.text.len() >= WAITING_BYTES_MAX && !waiting.is_closed {
            waiting = self.handed_on(waiting);
        }
        let was = waiting.text.len();
        waiting.text.extend_from_slice(line);
        let is = waiting.text.len();
        drop(waiting);
        if was == 0 || (was < HANDED_ON_BYTES && is >= HANDED_ON_BYTES) {
            self.filled.notify_one();
        }
    }

    /// Hands on lines until there will be no more.
    fn hand_on(&self, mut writer: impl Write) {
        let mut taken = Vec::with_capacity(2 * HANDED_ON_BYTES);
        let mut waiting = self.waiting();
        loop {
            if waiting.text.is_empty() {
                if waiting.is_closed {
                    return;
                }
                waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let has_time = |waiting: &mut Waiting| {
                waiting.text.len() < HANDED_ON_BYTES && !waiting.is_closed && !waiting.is_urgent
            };
            let waited = self.filled.wait_timeout_while(waiting, WAIT_MAX, has_time);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
            std::mem::swap(&mut waiting.text, &mut taken);
            waiting.is_writing = true;
            drop(waiting);
            // Where the log goes nowhere any more, that is no reason to stop serving.
            writer.write_all(&taken).and_then(|()| writer.flush()).ok();
            taken.clear();
            waiting = self.waiting();
            waiting.is_writing = false;
            waiting.is_urgent = false;
            self.handed_on.notify_all();
        }
    }
}

/// What is said of a request in words.
fn write_message(line: &mut String, answered: &Answered<'_>) -> fmt::Result {
    let tenths_ms = (answered.took.as_micros() + 50) / 100;
    line.push_str(answered.method);
    line.push(' ');
    line.push_str(answered.route.unwrap_or(NO_ROUTE));
    line.push_str(" answered ");
    push_number(line, answered.status);
    line.push_str(" in ");
    push_number(line, tenths_ms / 10);
    line.push('.');
    push_number(line, tenths_ms % 10);
    line.push_str(" ms");
    Ok(())
}

/// The digits of a number, without the machinery of formats: a line has six of them.
fn push_number(line: &mut String, number: impl itoa::Integer) {
    line.push_str(itoa::Buffer::new().format(number));
}

/// The last six digits of a number below a million, with zeros before it.
fn push_six_digits(line: &mut String, number: u32) {
    line.push_str(&itoa::Buffer::new().format(1_000_000 + number)[1..]);
}

/// The duration in milliseconds, as exactly as it was measured: quantiles are held against it.
fn push_latency(line: &mut String, took: Duration) {
    push_number(line, took.as_millis());
    line.push('.');
    push_six_digits(line, took.subsec_nanos() % 1_000_000);
}

fn write_json(line: &mut String, answered: &Answered<'_>, at: Timestamp) -> fmt::Result {
    line.push_str("{\"timestamp\":\"");
    write_instant(line, at)?;
    line.push_str("\",\"level\":\"INFO\",\"fields\":{\"message\":");
    in_quotes(line, |line| write_message(line, answered))?;
    line.push_str(",\"http.method\":");
    in_quotes(line, |line| line.write_str(answered.method))?;
    line.push_str(",\"http.route\":");
    in_quotes(line, |line| line.write_str(answered.route.unwrap_or(NO_ROUTE)))?;
    line.push_str(",\"http.status\":");
    push_number(line, answered.status);
    line.push_str(",\"latency_ms\":");
    push_latency(line, answered.took);
    line.push_str(",\"request.id\":");
    in_quotes(line, |line| line.write_str(answered.request_id))?;
    if let Some(caller) = answered.caller {
        line.push_str(",\"caller\":");
        in_quotes(line, |line| write_caller(line, caller))?;
    }
    if let Some(code) = answered.problem_code {
        line.push_str(",\"problem.code\":");
        in_quotes(line, |line| line.write_str(code))?;
    }
    line.push_str("},\"target\":\"");
    line.push_str(REQUESTS_TARGET);
    line.push_str("\"}\n");
    Ok(())
}

/// Who asked, in the words of [`Actor`]; those who ask most without `write!`.
fn write_caller(line: &mut String, caller: &Actor) -> fmt::Result {
    let (kind, key, account) = match caller {
        Actor::Account(account) => ("account:", "", account),
        Actor::Key { key, account } => ("key:", key.as_str(), account),
        Actor::Operator(_) | Actor::System | Actor::Nobody => return write!(line, "{caller}"),
    };
    line.push_str(kind);
    line.push_str(key);
    if !key.is_empty() {
        line.push('/');
    }
    line.push_str(account.as_str());
    Ok(())
}

/// A JSON string of what `write` writes. Routes, ids and codes hold nothing that must be escaped, so
/// that is looked for afterwards.
fn in_quotes(line: &mut String, write: impl FnOnce(&mut String) -> fmt::Result) -> fmt::Result {
    let begin = line.len();
    line.push('"');
    write(line)?;
    let is_escaped = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    if line.as_bytes()[begin + 1..].iter().any(|byte| is_escaped(*byte)) {
        let text = line.split_off(begin + 1);
        line.truncate(begin);
        line.push_str(&serde_json::Value::String(text).to_string());
    } else {
        line.push('"');
    }
    Ok(())
}

fn write_text(line: &mut String, answered: &Answered<'_>, at: Timestamp) -> fmt::Result {
    write_instant(line, at)?;
    write!(line, "  INFO {REQUESTS_TARGET}: ")?;
    write_message(line, answered)?;
    if let Some(caller) = answered.caller {
        write!(line, " caller={caller}")?;
    }
    if let Some(code) = answered.problem_code {
        write!(line, " problem.code={code}")?;
    }
    writeln!(line, " request.id={}", answered.request_id)
}

/// `at` with its microseconds, in UTC; the second is written out once for all that fall into it.
fn write_instant(line: &mut String, at: Timestamp) -> fmt::Result {
    thread_local! {
        static SECOND: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
    }
    let second = at.as_second();
    SECOND.with_borrow_mut(|(known, text)| {
        if *known != second {
            *known = second;
            text.clear();
            write!(text, "{}", at.strftime("%Y-%m-%dT%H:%M:%S"))?;
        }
        line.push_str(text);
        line.push('.');
        push_six_digits(line, at.subsec_microsecond().unsigned_abs());
        line.push('Z');
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc;

    use serde_json::{Value, json};

    use super::*;

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

    fn log(form: LineForm) -> (RequestLog, mpsc::Receiver<Vec<u8>>) {
        let (sender, written) = mpsc::channel();
        (RequestLog::new(form, Sender(sender)), written)
    }

    fn text(written: &mpsc::Receiver<Vec<u8>>) -> String {
        String::from_utf8(written.try_iter().flatten().collect()).unwrap()
    }

    fn answered<'a>(caller: Option<&'a Actor>, request_id: &'a str) -> Answered<'a> {
        Answered {
            method: "GET",
            route: Some("/api/v1/symbols/{symbol}"),
            status: 404,
            took: Duration::from_nanos(1_254_999),
            caller,
            problem_code: Some("not_found"),
            limit_class: None,
            request_id,
        }
    }

    fn at() -> Timestamp {
        "2026-11-24T12:00:30.000042999Z".parse().unwrap()
    }

    #[test]
    fn a_line_is_json_whatever_is_in_it() {
        let (log, written) = log(LineForm::Json);
        let odd = Actor::Operator("a\"b\\c\nd\u{1}é".to_owned());
        log.note(&answered(Some(&odd), "abc-1"), at());
        log.note(&Answered { route: None, problem_code: None, ..answered(None, "x") }, at());
        log.flush();
        let text = text(&written);
        let [first, second] = text.lines().collect::<Vec<_>>().try_into().unwrap();
        let line: Value = serde_json::from_str(first).unwrap();
        assert_eq!(
            line,
            json!({
                "timestamp": "2026-11-24T12:00:30.000042Z", "level": "INFO",
                "fields": {
                    "message": "GET /api/v1/symbols/{symbol} answered 404 in 1.3 ms",
                    "http.method": "GET", "http.route": "/api/v1/symbols/{symbol}",
                    "http.status": 404, "latency_ms": 1.254_999, "request.id": "abc-1",
                    "caller": "operator:a\"b\\c\nd\u{1}é", "problem.code": "not_found",
                },
                "target": "bist_server::requests",
            })
        );
        let line: Value = serde_json::from_str(second).unwrap();
        assert_eq!(line["fields"]["http.route"], "(no route)");
        assert_eq!(
            (line["fields"].get("caller"), line["fields"].get("problem.code")),
            (None, None)
        );
    }

    #[test]
    fn who_asked_is_told_as_everywhere() {
        let account: bist_access::AccountId = "u00000000000000a1".parse().unwrap();
        let key = "k00000000000000b2".parse().unwrap();
        for actor in [
            Actor::Account(account.clone()),
            Actor::Key { key, account },
            Actor::Operator("ayse".to_owned()),
            Actor::System,
            Actor::Nobody,
        ] {
            let mut line = String::new();
            write_caller(&mut line, &actor).unwrap();
            assert_eq!(line, actor.to_string());
        }
    }

    #[test]
    fn people_read_it_as_a_sentence() {
        let (log, written) = log(LineForm::Text);
        log.note(&answered(Some(&Actor::System), "abc-1"), at());
        log.flush();
        assert_eq!(
            text(&written),
            "2026-11-24T12:00:30.000042Z  INFO bist_server::requests: GET /api/v1/symbols/{symbol} \
             answered 404 in 1.3 ms caller=system problem.code=not_found request.id=abc-1\n"
        );
    }

    #[test]
    fn lines_of_many_threads_come_whole_and_those_that_wait_at_the_end_come_too() {
        let (log, written) = log(LineForm::Json);
        let ids: Vec<String> = (0..8).map(|number| format!("t-{number}")).collect();
        thread::scope(|scope| {
            for id in &ids {
                let log = &log;
                scope.spawn(move || (0..2_000).for_each(|_| log.note(&answered(None, id), at())));
            }
        });
        drop(log);
        let text = text(&written);
        assert_eq!(text.lines().count(), 16_000);
        for id in &ids {
            let is_theirs = |line: &&str| {
                let line: Value = serde_json::from_str(line).unwrap();
                line["fields"]["request.id"] == **id
            };
            assert_eq!(text.lines().filter(is_theirs).count(), 2_000, "{id}");
        }
    }

    #[test]
    fn a_log_that_nobody_reads_stops_nothing() {
        let (log, written) = log(LineForm::Json);
        drop(written);
        for _ in 0..20_000 {
            log.note(&answered(None, "x"), at());
        }
        log.flush();
    }
}
