//! `/metrics` of the binary, as Prometheus and its tools read it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{bist, json, text};

/// What Prometheus accepts that keeps exemplars.
const OPEN_METRICS: &str = "accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5";

/// A process that answers.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

/// What it answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    body: String,
}

impl Process {
    pub(crate) fn start(data: &Path, args: &[&str]) -> Self {
        let mut command = bist(data);
        command.args(["serve", "--bind", "127.0.0.1:0", "--json"]).args(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut documents = serde_json::Deserializer::from_reader(out).into_iter::<Value>();
        let listening = documents.next().unwrap().unwrap();
        let url = listening["address"].as_str().unwrap();
        let address = url.strip_prefix("http://").unwrap().parse().unwrap();
        Self { child, address }
    }

    /// Asks for a path, as this machine unless a header says otherwise.
    pub(crate) fn get(&self, path: &str, headers: &[&str]) -> Answer {
        let mut lines = vec![format!("GET {path} HTTP/1.1"), "connection: close".to_owned()];
        if !headers.iter().any(|line| line.starts_with("host:")) {
            lines.push("host: localhost".to_owned());
        }
        lines.extend(headers.iter().map(|line| (*line).to_owned()));
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    fn metrics(&self, headers: &[&str]) -> String {
        let answer = self.get("/metrics", headers);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What `promtool check metrics` says of a page; nothing when all is well, or where there is no promtool.
#[expect(clippy::print_stderr, reason = "whoever runs the tests is told what was not tried")]
fn promtool(page: &str) -> String {
    let tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut tool = match tool {
        Ok(tool) => tool,
        Err(error) => {
            eprintln!("skipped: promtool of the Debian package prometheus cannot be run: {error}");
            return String::new();
        }
    };
    tool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8(told).unwrap();
    if output.status.success() { told } else { format!("{}: {told}", output.status) }
}

/// The exemplars of an OpenMetrics page: the series with the `request_id` of each.
fn exemplars(page: &str) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, told)) = line.split_once(" # {") else { continue };
        let told = told.strip_prefix("request_id=\"").unwrap();
        let (id, rest) = told.split_once("\"} ").unwrap();
        let [observed, at] = rest.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (observed, at): (f64, f64) = (observed.parse().unwrap(), at.parse().unwrap());
        assert!(observed >= 0.0 && at > 1_700_000_000.0, "{line}");
        assert!(series.contains("_bucket{le="), "{line}");
        found.insert(series.rsplit_once(' ').unwrap().0, id);
    }
    found
}

#[test]
fn a_busy_instance_is_read_by_the_tools_of_prometheus() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    json(&data, &["sample", "--symbols", "6", "--years", "3"]);
    json(&data, &["train", "--horizon", "5"]);
    json(&data, &["signals"]);
    let server = Process::start(&data, &[]);
    let asked = [
        ("/api/v1/symbols", 401),
        ("/health/live", 200),
        ("/api/openapi.json", 200),
        ("/nothing", 404),
    ];
    for _ in 0..20 {
        for (path, status) in asked {
            let answer = server.get(path, &["accept: application/json"]);
            assert_eq!(answer.status, status, "{path}");
        }
    }
    let page = server.metrics(&[]);
    assert_eq!(promtool(&page), "");
    for (path, status) in asked {
        let route = if path == "/nothing" { "(no route)" } else { path };
        let line = format!(
            "bist_http_requests_total{{method=\"GET\",route=\"{route}\",status=\"{status}\"}} 20"
        );
        assert!(page.lines().any(|told| told == line), "{line} in {page}");
    }
    for family in ["bist_model_info{", "bist_data_age_seconds{", "process_resident_memory_bytes "] {
        assert!(page.lines().any(|line| line.starts_with(family)), "{family}");
    }

    // The first of its route, which is an example whatever was answered a moment ago.
    server.get("/api/docs", &["x-request-id: an-example"]);
    let page = server.metrics(&[OPEN_METRICS]);
    assert!(page.ends_with("\n# EOF\n") && page.matches("# EOF").count() == 1);
    let exemplars = exemplars(&page);
    let named = exemplars.iter().filter(|(_, id)| **id == "an-example");
    assert!(named.clone().all(|(series, _)| series.contains("route=\"/api/docs\"")));
    assert_eq!(named.count(), 1, "{exemplars:?}");
    assert!(exemplars.len() >= asked.len());
    parsed_by_python(&page, folder.path());
}

/// Has the reader of OpenMetrics of Python's `prometheus_client` read a page, where it is at hand.
#[expect(clippy::print_stderr, reason = "it is told that something was not looked at")]
fn parsed_by_python(page: &str, folder: &Path) {
    let there = Command::new("python3").args(["-c", "import prometheus_client"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        eprintln!("python3 has no prometheus_client, so it does not read the page");
        return;
    }
    let file = folder.join("metrics.txt");
    fs::write(&file, page).unwrap();
    let program = "import sys\n\
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as read\n\
        families = list(read(open(sys.argv[1]).read()))\n\
        print(sum(1 for f in families for s in f.samples if s.exemplar))";
    let output = Command::new("python3").args(["-c", program, text(&file)]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let count: usize = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    assert_eq!(count, exemplars(page).len());
}

#[test]
fn every_role_tells_this_machine_and_others_by_the_token() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let token = folder.path().join("token");
    fs::write(&token, "a-long-random-token\n").unwrap();
    json(&data, &["secrets", "set", "metrics.token", "--from-file", text(&token)]);
    for role in ["all", "api", "worker", "scheduler"] {
        let process = Process::start(&data, &["--role", role]);
        assert_eq!(promtool(&process.metrics(&[])), "", "{role}");
        let status = |headers: &[&str]| process.get("/metrics", headers).status;
        let forwarded = "x-forwarded-for: 198.51.100.4";
        assert_eq!(status(&[forwarded]), 401, "{role}");
        assert_eq!(status(&[forwarded, "authorization: Bearer wrong"]), 401, "{role}");
        let right = "authorization: Bearer a-long-random-token";
        assert_eq!(status(&[forwarded, right]), 200, "{role}");
        let refused = process.get("/metrics", &[forwarded]);
        assert!(refused.head.contains("content-type: application/problem+json"), "{role}");
        assert!(!refused.body.contains("bist_"), "{role}");
    }
}
