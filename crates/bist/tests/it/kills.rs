//! kill -9 at random moments: what was acknowledged is there, what was not is whole or absent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use bist_testkit::http_server::{HttpServer, Reply, Script};
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{bist, json, text};
use crate::services::{chart, config};

/// How often an ingest is killed.
const KILLS: usize = 50;

/// Files that one ingest takes in together, and rows of each.
const FILES: usize = 3;
const ROWS: usize = 400;

/// Random numbers from a fixed seed (Knuth's MMIX generator), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    /// A share of one.
    #[expect(clippy::cast_precision_loss, reason = "32 bits fit exactly")]
    fn share(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as f64 / (1_u64 << 32) as f64
    }
}

/// The symbols of one ingest.
fn names(round: usize) -> [String; FILES] {
    std::array::from_fn(|file| format!("K{round:02}F{file}"))
}

fn write_files(folder: &Path, round: usize) -> Vec<PathBuf> {
    let days = bist_market::Calendar::bist()
        .sessions(jiff::civil::date(2023, 3, 1), jiff::civil::date(2026, 6, 1))
        .take(ROWS);
    let mut rows = String::from("date,open,high,low,close,volume\n");
    for (index, (day, _)) in days.enumerate() {
        writeln!(rows, "{day},50.00,50.50,49.50,50.{:02},{}", index % 50, 1_000 + index).unwrap();
    }
    names(round)
        .iter()
        .map(|name| {
            let path = folder.join(format!("{name}.csv"));
            fs::write(&path, &rows).unwrap();
            path
        })
        .collect()
}

/// An ingest of files.
fn files_ingest(data: &Path, files: &[PathBuf]) -> Command {
    let mut command = bist(data);
    command.args(["ingest", "csv", "--json", "--quiet"]).args(files);
    command
}

/// Runs an ingest and kills it after `patience`; the report is its acknowledgement.
fn killed_after(patience: Duration, ingest: Command) -> Option<Value> {
    killed_after_both(|| true, patience, ingest)
}

/// Runs an ingest and kills it when `begun` holds and then `patience` has passed.
fn killed_after_both(
    begun: impl Fn() -> bool,
    patience: Duration,
    mut ingest: Command,
) -> Option<Value> {
    let mut child = ingest.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (told, wait) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).unwrap();
        told.send(()).ok();
        text
    });
    let goes_on = |time| wait.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
    let mut runs = true;
    while runs && !begun() {
        runs = goes_on(Duration::from_millis(2));
    }
    if runs && goes_on(patience) {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    let text = reader.join().unwrap();
    // The report is printed after the commit; whoever has read it whole may rely on it.
    let report: Option<Value> = serde_json::from_str(&text).ok();
    assert!(!status.success() || report.is_some(), "success is told with a report");
    report
}

fn rows_by_symbol(data: &Path) -> BTreeMap<String, u64> {
    let report = json(data, &["validate", "--all"]);
    let series = report["series"].as_array().unwrap();
    series
        .iter()
        .map(|series| {
            let symbol = series["symbol"].as_str().unwrap().to_owned();
            (symbol, series["received_count"].as_u64().unwrap())
        })
        .collect()
}

#[test]
#[cfg(unix)]
fn fifty_kills_lose_no_acknowledged_row_and_leave_no_half_ingest() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    // How long an ingest takes when nobody disturbs it, so that kills fall inside it.
    let began = Instant::now();
    let first = files_ingest(&data, &write_files(folder.path(), 99));
    assert!(killed_after(Duration::from_secs(60), first).is_some());
    let usual = began.elapsed();

    let mut dice = Dice(20_230_206);
    let mut acknowledged = vec![99];
    for round in 0..KILLS {
        let ingest = files_ingest(&data, &write_files(folder.path(), round));
        if killed_after(usual.mul_f64(1.1 * dice.share()), ingest).is_some() {
            acknowledged.push(round);
        }
    }

    let held = rows_by_symbol(&data);
    for round in (0..KILLS).chain([99]) {
        let rows = names(round).map(|name| held.get(&name).copied().unwrap_or(0));
        let whole = rows == [ROWS as u64; FILES];
        assert!(whole || rows == [0; FILES], "ingest {round} is half: {rows:?}");
        assert!(
            whole || !acknowledged.contains(&round),
            "ingest {round} was acknowledged and lost"
        );
    }
    println!(
        "{} of {KILLS} ingests were acknowledged, {} left whole",
        acknowledged.len() - 1,
        held.len() / FILES - 1
    );

    // Taken in again, everything is there once.
    for round in 0..KILLS {
        let files = write_files(folder.path(), round);
        let files: Vec<&str> = files.iter().map(|file| text(file)).collect();
        json(&data, &[&["ingest", "csv"][..], &files].concat());
    }
    let held = rows_by_symbol(&data);
    assert_eq!(held.len(), (KILLS + 1) * FILES);
    assert!(held.values().all(|rows| *rows == ROWS as u64));
}

/// The share that is asked for in this round for the first time.
fn share(round: usize) -> String {
    format!("KIL{round:02}")
}

/// An ingest of the first shares, a piece a share.
fn service_ingest(data: &Path, config: &Path, shares_count: usize) -> Command {
    let shares: Vec<String> = (0..shares_count).map(share).collect();
    let mut command = bist(data);
    command
        .args(["ingest", "yahoo", "--symbols", &shares.join(",")])
        .args(["--from", "2024-03-04", "--to", "2025-12-31"])
        .args(["--json", "--quiet", "--config", text(config)]);
    command
}

/// The shares that the server was asked for, but for the first requests.
fn asked(server: &HttpServer, before: usize) -> Vec<String> {
    let requests = server.requests().split_off(before);
    let share = |path: String| path.rsplit('/').next().unwrap().trim_end_matches(".IS").to_owned();
    requests.into_iter().map(|request| share(request.path)).collect()
}

#[test]
#[cfg(unix)]
fn fifty_kills_lose_no_piece_of_a_service_and_the_next_run_asks_for_the_rest() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    // The last ones are asked for by the last run only.
    let shares_count = KILLS + 5;
    let script = (0..shares_count).fold(Script::new(), |script, round| {
        let ticker = format!("{}.IS", share(round));
        let path = format!("/v8/finance/chart/{ticker}");
        script.on(&path, Reply::json(chart(&ticker, ROWS)))
    });
    let server = HttpServer::start(script);
    let config = config(folder.path(), &server);

    let mut dice = Dice(20_240_304);
    let mut acknowledged = BTreeSet::new();
    for round in 0..KILLS {
        let requests_before = server.requests().len();
        // From before the first piece to after the third: they are asked for 100 ms apart.
        let seen = usize::from(dice.share() < 0.5) + usize::from(dice.share() < 0.4);
        let begun = || server.requests().len() >= requests_before + seen;
        let patience = Duration::from_millis(150).mul_f64(dice.share());
        let ingest = service_ingest(&data, &config, round + 1);
        let report = killed_after_both(begun, patience, ingest);
        let asked = asked(&server, requests_before);
        for share in &asked {
            assert!(!acknowledged.contains(share), "{share} was stored and is asked for again");
        }
        // A piece is stored before the next one is asked for, and all are before the report.
        let in_work = asked.last().filter(|_| report.is_none());
        acknowledged.extend(asked.iter().filter(|share| Some(*share) != in_work).cloned());
    }

    let held = rows_by_symbol(&data);
    for (share, rows) in &held {
        assert_eq!(*rows, ROWS as u64, "{share} is half or twice");
    }
    for share in &acknowledged {
        assert!(held.contains_key(share), "{share} was acknowledged and lost");
    }
    println!(
        "{} of {shares_count} pieces were acknowledged, {} held",
        acknowledged.len(),
        held.len()
    );

    let requests_before = server.requests().len();
    let last = service_ingest(&data, &config, shares_count).output().unwrap();
    let report: Value = serde_json::from_slice(&last.stdout).unwrap();
    assert_eq!(report["pieces"]["failed"], serde_json::json!([]));
    assert_eq!(report["pieces"]["had_before_count"], held.len());
    let missing: Vec<String> =
        (0..shares_count).map(share).filter(|share| !held.contains_key(share)).collect();
    assert_eq!(asked(&server, requests_before), missing);
    let held = rows_by_symbol(&data);
    assert_eq!(held.len(), shares_count);
    assert!(held.values().all(|rows| *rows == ROWS as u64));
}
