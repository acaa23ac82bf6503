//! kill -9 at each boundary between the stages of a retraining: the champion serves on, and the next
//! run goes on where the last one was.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use bist_market::BarSeries;
use bist_testkit::bars::random_walk;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{bist, json, refusal, text};

/// The stages of a run.
const STAGES: [&str; 9] =
    ["ingest", "validate", "features", "drift", "train", "decide", "promote", "signals", "notify"];

/// The part of a training for one horizon.
const PART: &str = "train 5";

pub(crate) fn walks() -> Vec<BarSeries> {
    let symbols = ["AAAA1", "BBBB1", "CCCC1", "DDDD1", "EEEE1"];
    let walk = |(seed, symbol): (u64, &&str)| {
        random_walk(symbol, date(2024, 1, 2), date(2026, 11, 20), seed)
    };
    (0..).zip(&symbols).map(walk).collect()
}

/// Brings the bars up to `until` in.
pub(crate) fn ingest(data: &Path, series: &[BarSeries], until: Date) {
    ingest_by(|args| json(data, args), series, until);
}

/// The same by a command that `run` types.
pub(crate) fn ingest_by(run: impl Fn(&[&str]) -> Value, series: &[BarSeries], until: Date) {
    let folder = TempDir::new().unwrap();
    for series in series {
        let mut rows = "date,open,high,low,close,volume\n".to_owned();
        for bar in series.bars.iter().filter(|bar| bar.day() <= until) {
            let price = |units: i64| format!("{}.{:04}", units / 10_000, units % 10_000);
            let [open, high, low, close] =
                [bar.open_units.unwrap(), bar.high_units, bar.low_units, bar.close_units]
                    .map(price);
            let volume = bar.volume_shares.unwrap();
            rows += &format!("{},{open},{high},{low},{close},{volume}\n", bar.day());
        }
        fs::write(folder.path().join(format!("{}.csv", series.symbol)), rows).unwrap();
    }
    run(&["ingest", "csv", text(folder.path())]);
}

/// Runs the retraining and kills it at the first boundary that its log tells of and at which no run
/// was killed before; returns the boundary, or none when the run came to its end.
fn killed_at_next(data: &Path, killed: &BTreeSet<String>) -> Option<String> {
    let mut child = bist(data)
        .args(["jobs", "run", "retraining", "--reason", "a try", "--by", "ayşe"])
        .env("RUST_LOG", "bist_app::jobs=debug")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let boundary = lines.map_while(Result::ok).find_map(|line| {
        let logged = serde_json::from_str::<Value>(&line).ok()?;
        let message = logged["fields"]["message"].as_str()?;
        boundaries().find(|boundary| message.starts_with(boundary) && !killed.contains(boundary))
    });
    if boundary.is_some() {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    assert!(boundary.is_some() || status.success(), "{status}");
    boundary
}

/// What the log says at each boundary: when a stage has begun, and before what it found is kept.
fn boundaries() -> impl Iterator<Item = String> {
    let said =
        |stage: &str| [format!("retraining: {stage} begins"), format!("retraining: {stage}: ")];
    STAGES.into_iter().chain([PART]).flat_map(said)
}

fn champion(data: &Path) -> String {
    let listed = json(data, &["models", "list", "--state", "champion"]);
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "there is always one: {listed}");
    items[0]["id"].as_str().unwrap().to_owned()
}

#[test]
#[cfg(unix)]
fn a_kill_at_each_boundary_leaves_a_champion_that_serves_and_the_next_run_goes_on() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let series = walks();
    ingest(&data, &series, date(2026, 9, 25));
    json(&data, &["train", "--horizon", "5"]);
    let first = champion(&data);
    ingest(&data, &series, date(2026, 11, 20));

    let mut killed = BTreeSet::new();
    let mut kills_count = 0;
    while let Some(boundary) = killed_at_next(&data, &killed) {
        let run = json(&data, &["jobs", "show", "1"]);
        if run["state"] == "done" {
            // The last word of a run is said so close before its end that the kill came after it.
            break;
        }
        kills_count += 1;
        assert_eq!(run["state"], "running", "{boundary}: {run}");
        let is_done = |stage: &Value| stage["name"] == "decide" && stage["state"] == "done";
        let decided = run["stages"].as_array().unwrap().iter().any(is_done);
        let now = champion(&data);
        assert!(decided || now == first, "{boundary}: {run}");
        let signals = json(&data, &["signals"]);
        assert_eq!(signals["model_version"], now.as_str(), "{boundary}: it serves");
        killed.insert(boundary);
    }
    // A kill takes a moment, in which a run may cross the next boundary.
    assert!(kills_count >= STAGES.len() / 2, "{killed:?}");
    let done = json(&data, &["jobs", "show", "1"]);
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(done["attempts_count"], kills_count + 1);
    let states: Vec<&str> = done["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| stage["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, vec!["done"; STAGES.len()]);
    let versions = json(&data, &["models", "list"]);
    assert_eq!(versions["items"].as_array().unwrap().len(), 2, "nothing twice: {versions}");
    assert_eq!(done["parts"][0]["name"], PART);
    assert_eq!(done["parts"][0]["state"], "done");
    let decision = &done["stages"][5]["result"][0];
    let is_promoted = decision["verdict"] == "refreshed" || decision["verdict"] == "better";
    assert_eq!(champion(&data) != first, is_promoted, "{decision}");
    let history = json(&data, &["models", "history"]);
    let promotions = history["items"].as_array().unwrap().iter().filter(|change| {
        change["to"] == "champion" && change["by"].as_str().unwrap().starts_with("retraining")
    });
    assert_eq!(promotions.count(), usize::from(is_promoted), "once: {history}");
}

#[test]
fn what_cannot_be_done_with_a_run_is_told() {
    let folder = TempDir::new().unwrap();
    let refused = |args: &[&str]| refusal(folder.path(), &[&["jobs"], args].concat());
    assert!(refused(&["show", "7"]).contains("there is no run 7 of a job; `bist jobs list`"));
    let asked = ["ask", "retraining", "--reason", "drift", "--by", "ayşe"];
    assert_eq!(json(folder.path(), &[&["jobs"], &asked[..]].concat())["state"], "waiting");
    let again = refused(&asked);
    assert!(again.contains("run 1 of the retraining is waiting already"), "{again}");
    let cancelled = ["jobs", "cancel", "1", "--reason", "not now", "--by", "can"];
    assert_eq!(json(folder.path(), &cancelled)["state"], "cancelled");
    let again = refused(&cancelled[1..]);
    assert!(again.contains("run 1 is cancelled and cannot be cancelled"), "{again}");
    json(folder.path(), &["jobs", "retry", "1", "--reason", "now", "--by", "can"]);
    let due = json(folder.path(), &["jobs", "list"]);
    // Without bars the run fails, says why, and is begun again later.
    let failed = refused(&["run", "retraining", "--reason", "now", "--by", "can"]);
    assert!(failed.contains("run 1 failed: validate: "), "{failed}");
    let run = json(folder.path(), &["jobs", "show", "1"]);
    assert_eq!(run["state"], "failed");
    assert!(run["retry_at"].is_string(), "{run}");
    let listed = json(folder.path(), &["jobs", "list"]);
    assert_eq!(listed["schedules"][1]["job"], "retraining");
    // It is due by itself at a time of its own, which may come first.
    let instant = |text: &Value| text.as_str().unwrap().parse::<Timestamp>().unwrap();
    let (next_at, retry_at) =
        (instant(&listed["schedules"][1]["next_at"]), instant(&run["retry_at"]));
    let is_due = next_at < retry_at && next_at == instant(&due["schedules"][1]["next_at"]);
    assert!(next_at == retry_at || is_due, "{due} {listed}");
}
