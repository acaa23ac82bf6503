//! What the server counts is what its log says, to the last answer before it stops. `make outside` does
//! the same with 100,000 requests to two servers (`scripts/usage_check.py`).

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use bist_app::App;
use bist_app::telemetry::usage::{SKETCH_ERROR, UsageBy, UsageCounts, UsageName};
use bist_market::FixedClock;
use bist_market::validate::ValidationPolicy;
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{bist, json, text};

/// How often each request is sent.
const TIMES: usize = 150;

/// Limits that let all of it through but forecasts.
const CONFIG: &str = "[limits]\ndefault = '1000000/min'\nai = '20/min'\naddress_multiple = 1000\n";

/// The answers of a group: those that succeeded, the caller's faults, those refused, and latencies.
#[derive(Debug, Default)]
struct Logged {
    client_errors_count: u64,
    refused_count: u64,
    latencies_ms: Vec<f64>,
}

/// What is logged; what is said to a person beside it is no document.
fn lines(log: &str) -> impl Iterator<Item = &str> {
    log.lines().filter(|line| line.starts_with('{'))
}

/// The lines of the log by `group`.
fn logged(log: &str, group: impl Fn(&Value) -> String) -> BTreeMap<String, Logged> {
    let mut groups: BTreeMap<String, Logged> = BTreeMap::new();
    for line in lines(log) {
        let line: Value = serde_json::from_str(line).unwrap();
        let fields = &line["fields"];
        let Some(status) = fields["http.status"].as_u64() else { continue };
        let of = groups.entry(group(fields)).or_default();
        match status {
            429 => of.refused_count += 1,
            400..=499 => of.client_errors_count += 1,
            _ => assert_eq!(status / 100, 2, "{fields}"),
        }
        of.latencies_ms.push(fields["latency_ms"].as_f64().unwrap());
    }
    groups
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "latencies and ranks are above nothing and far below 2^53"
)]
#[track_caller]
fn check(name: &str, told: &UsageCounts, logged: &Logged) {
    let mut latencies = logged.latencies_ms.clone();
    latencies.sort_by(f64::total_cmp);
    let counts = [told.requests_count(), told.client_errors_count, told.refused_count];
    let expected = [latencies.len() as u64, logged.client_errors_count, logged.refused_count];
    assert_eq!(counts, expected, "{name}");
    for quantile in [0.5, 0.95, 0.99] {
        let exact = latencies[(quantile * (latencies.len() - 1) as f64) as usize];
        let error = (told.latency_ms(quantile).unwrap() - exact).abs() / exact;
        assert!(error <= SKETCH_ERROR + 1e-9, "{name} {quantile}: {error}");
    }
}

/// Sends each of `requests` so many times over one connection, and waits for all answers.
fn drive(address: &str, requests: &[String]) {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for _ in 0..TIMES {
        stream.write_all(requests.concat().as_bytes()).unwrap();
        for request in requests {
            let mut length = 0;
            loop {
                let mut line = String::new();
                assert_ne!(answers.read_line(&mut line).unwrap(), 0, "no answer to {request}");
                let Some((name, value)) = line.trim_end().split_once(": ") else {
                    if line == "\r\n" { break } else { continue }
                };
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.parse().unwrap();
                }
            }
            answers.by_ref().take(length).read_to_end(&mut Vec::new()).unwrap();
        }
    }
}

/// Makes a viewer with an API key; the key.
fn key_of(data: &Path, user: &str) -> String {
    json(data, &["users", "create", user, "--role", "viewer"]);
    let made = json(data, &["keys", "create", "--user", user, "--name", user, "--scope", "read"]);
    made["token"].as_str().unwrap().to_owned()
}

/// A server that runs.
struct Running {
    child: Child,
    address: String,
    /// Held open, for the server says something at its end too.
    _said: BufReader<ChildStdout>,
}

impl Running {
    /// Serves `data` with `args`, and logs into `log`.
    fn start(data: &Path, args: &[&str], log: &Path) -> Self {
        let mut command = bist(data);
        command.args(["serve", "--bind", "127.0.0.1:0"]).args(args);
        command.stdout(Stdio::piped()).stderr(fs::File::create(log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let address = line.split("//").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        let address = address.to_owned();
        Self { child, address, _said: said }
    }

    fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn requests_are_logged_unless_it_was_said_that_they_are_not() {
    let folder = TempDir::new().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("log"));
    for (args, lines_count) in [
        (&[][..], TIMES),
        (&["--log", "error"], 0),
        (&["--log", "off"], 0),
        (&["--log", "warn,bist_server=info"], TIMES),
    ] {
        let server = Running::start(&data, args, &log);
        drive(
            &server.address,
            &["GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned()],
        );
        server.stop();
        let log = fs::read_to_string(&log).unwrap();
        assert_eq!(
            log.matches(r#""http.route":"/health/live","http.status":200"#).count(),
            lines_count,
            "{args:?}"
        );
    }
}

#[test]
fn what_is_counted_of_the_api_is_what_the_log_says_also_of_the_last_answers() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let (config, log) = (folder.path().join("bist.toml"), folder.path().join("log"));
    fs::write(&config, CONFIG).unwrap();
    let keys = ["ayse", "bora"].map(|user| key_of(&data, user));
    let server = Running::start(&data, &["--config", text(&config)], &log);

    let request = |path: &str, key: Option<&String>| {
        let key = key.map_or_else(String::new, |key| format!("authorization: Bearer {key}\r\n"));
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{key}\r\n")
    };
    let paths = ["symbols", "symbols?limit=0", "users", "market/calendar", "forecasts"];
    let mut requests: Vec<String> = paths
        .iter()
        .flat_map(|path| {
            keys.iter()
                .map(|key| request(&format!("/api/v1/{path}"), Some(key)))
                .collect::<Vec<_>>()
        })
        .collect();
    requests.push(request("/health/live", None));
    requests.push(request("/api/v1/symbols", None));
    requests.push(request("/nothing", None));
    drive(&server.address, &requests);
    server.stop();

    let log = fs::read_to_string(log).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let usage = |by: UsageBy| {
        runtime.block_on(async {
            let first = lines(&log).next().unwrap();
            let first: Value = serde_json::from_str(first).unwrap();
            let began: Timestamp = first["timestamp"].as_str().unwrap().parse().unwrap();
            let span = (
                began - jiff::SignedDuration::from_mins(5),
                began + jiff::SignedDuration::from_hours(1),
            );
            let clock = Arc::new(FixedClock(span.1));
            let app = App::open(&data, clock, ValidationPolicy::default()).await.unwrap();
            let usage = app.api_usage(by, span).await.unwrap();
            app.close().await;
            usage
        })
    };
    let by_route = usage(UsageBy::Route);
    let expected = logged(&log, |fields| fields["http.route"].as_str().unwrap().to_owned());
    assert_eq!(by_route.items.len(), expected.len());
    for item in &by_route.items {
        let UsageName::Route { route, .. } = &item.name else { panic!("{item:?}") };
        check(route, &item.counts, &expected[route]);
    }
    let all = logged(&log, |_| "all".to_owned());
    check("all", &by_route.total, &all["all"]);
    assert_eq!(by_route.total.requests_count(), (requests.len() * TIMES) as u64);
    assert!(by_route.total.refused_count > 0);

    let by_key = usage(UsageBy::Key);
    let expected = logged(&log, |fields| {
        let caller = fields["caller"].as_str().unwrap_or("nobody");
        caller.trim_start_matches("key:").split('/').next().unwrap().to_owned()
    });
    assert_eq!(by_key.items.len(), expected.len());
    for item in &by_key.items {
        let name = match &item.name {
            UsageName::Key { key, .. } => key.as_str(),
            UsageName::Nobody => "nobody",
            UsageName::Route { .. }
            | UsageName::Account(_)
            | UsageName::NoKey
            | UsageName::Others => {
                panic!("{item:?}")
            }
        };
        check(name, &item.counts, &expected[name]);
    }
}
