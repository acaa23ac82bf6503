//! One line in the log for each request that was answered.
//!
//! An answer that is kept takes some fifteen microseconds, so its line is not an event that all
//! listeners of the log look at, and no write of its own: the lines of many are written at once (`answers`).
//! The shape is that of all other lines (docs/LOGGING.md).

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bist_access::Actor;
use jiff::Timestamp;

use super::{Answered, NO_ROUTE};

/// What the lines come from, for whoever chooses what is shown.
pub const REQUESTS_TARGET: &str = "bist_server::requests";

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineForm {
    /// One JSON object.
    Json,
    /// For people.
    Text,
}

/// Where requests are logged.
pub struct RequestLog {
    form: LineForm,
    out: Mutex<Out>,
}

/// Where lines go, and the room in which they are made.
struct Out {
    writer: Box<dyn Write + Send>,
    text: String,
}

impl fmt::Debug for RequestLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestLog").field("form", &self.form).finish_non_exhaustive()
    }
}

impl RequestLog {
    /// Lines of `form` that go to `writer`.
    pub fn new(form: LineForm, writer: impl Write + Send + 'static) -> Self {
        let out = Out { writer: Box::new(writer), text: String::new() };
        Self { form, out: Mutex::new(out) }
    }

    /// Writes the lines of requests that were answered, at once.
    pub(super) fn write(&self, answers: &[Answered]) {
        // Lines that were not written whole are gone.
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let Out { writer, text } = &mut *out;
        text.clear();
        for answered in answers {
            let written = match self.form {
                LineForm::Json => write_json(text, answered),
                LineForm::Text => write_text(text, answered),
            };
            written.expect("a text takes whatever is written");
        }
        // Where the log goes nowhere any more, that is no reason to stop serving.
        writer.write_all(text.as_bytes()).and_then(|()| writer.flush()).ok();
    }
}

/// What is said of a request in words.
fn write_message(line: &mut String, answered: &Answered) -> fmt::Result {
    let tenths_ms = (in_micros(answered.took) + 50) / 100;
    line.push_str(answered.method);
    line.push(' ');
    line.push_str(answered.route.as_deref().unwrap_or(NO_ROUTE));
    line.push_str(" answered ");
    push_number(line, answered.status);
    line.push_str(" in ");
    push_number(line, tenths_ms / 10);
    line.push('.');
    push_number(line, tenths_ms % 10);
    line.push_str(" ms");
    Ok(())
}

/// Whole microseconds, in a number that divides quickly.
fn in_micros(took: Duration) -> u64 {
    took.as_secs().saturating_mul(1_000_000).saturating_add(took.subsec_micros().into())
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
    push_number(line, in_micros(took) / 1000);
    line.push('.');
    push_six_digits(line, took.subsec_nanos() % 1_000_000);
}

fn write_json(line: &mut String, answered: &Answered) -> fmt::Result {
    line.push_str("{\"timestamp\":\"");
    write_instant(line, answered.at)?;
    // What people read as a sentence, programs find in the fields, and each byte of a line costs.
    line.push_str(
        "\",\"level\":\"INFO\",\"fields\":{\"message\":\"request answered\",\"http.method\":\"",
    );
    line.push_str(answered.method);
    line.push_str("\",\"http.route\":");
    let route = answered.route.as_deref().unwrap_or(NO_ROUTE);
    in_quotes(line, |line| line.write_str(route))?;
    line.push_str(",\"http.status\":");
    push_number(line, answered.status);
    line.push_str(",\"latency_ms\":");
    push_latency(line, answered.took);
    line.push_str(",\"request.id\":");
    in_quotes(line, |line| line.write_str(&answered.request_id))?;
    if let Some(caller) = &answered.caller {
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
/// that is looked for afterwards, in all bytes at once and not one by one until it is found.
fn in_quotes(line: &mut String, write: impl FnOnce(&mut String) -> fmt::Result) -> fmt::Result {
    let begin = line.len();
    line.push('"');
    write(line)?;
    let is_escaped = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    let written = &line.as_bytes()[begin + 1..];
    if written.iter().fold(false, |found, byte| found | is_escaped(*byte)) {
        let text = line.split_off(begin + 1);
        line.truncate(begin);
        line.push_str(&serde_json::Value::String(text).to_string());
    } else {
        line.push('"');
    }
    Ok(())
}

fn write_text(line: &mut String, answered: &Answered) -> fmt::Result {
    write_instant(line, answered.at)?;
    write!(line, "  INFO {REQUESTS_TARGET}: ")?;
    write_message(line, answered)?;
    if let Some(caller) = &answered.caller {
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
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;

    /// What is written, in memory.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn text(form: LineForm, answers: &[Answered]) -> String {
        let written = Written::default();
        RequestLog::new(form, written.clone()).write(answers);
        String::from_utf8(std::mem::take(&mut *written.0.lock().unwrap())).unwrap()
    }

    fn answered(caller: Option<Actor>) -> Answered {
        Answered {
            method: "GET",
            route: Some("/api/v1/symbols/{symbol}".into()),
            status: 404,
            took: Duration::from_nanos(1_254_999),
            at: "2026-11-24T12:00:30.000042999Z".parse().unwrap(),
            caller,
            problem_code: Some("not_found"),
            limit_class: None,
            request_id: "abc-1".into(),
        }
    }

    #[test]
    fn a_line_is_json_whatever_is_in_it() {
        let odd = Actor::Operator("a\"b\\c\nd\u{1}é".to_owned());
        let plain = Answered { route: None, problem_code: None, ..answered(None) };
        let text = text(LineForm::Json, &[answered(Some(odd)), plain]);
        let [first, second] = text.lines().collect::<Vec<_>>().try_into().unwrap();
        let line: Value = serde_json::from_str(first).unwrap();
        assert_eq!(
            line,
            json!({
                "timestamp": "2026-11-24T12:00:30.000042Z", "level": "INFO",
                "fields": {
                    "message": "request answered",
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
        assert_eq!(
            text(LineForm::Text, &[answered(Some(Actor::System))]),
            "2026-11-24T12:00:30.000042Z  INFO bist_server::requests: GET /api/v1/symbols/{symbol} \
             answered 404 in 1.3 ms caller=system problem.code=not_found request.id=abc-1\n"
        );
    }
}
