//! What stops a training does not stop the model that is in force: too many bad rows (the 95 % gate),
//! and the user.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use bist_app::App;
use bist_app::HORIZON_DEFAULT;
use bist_market::validate::ValidationPolicy;
use bist_market::{BarSeries, FixedClock, RawBar};
use bist_testkit::bars::random_walk;
use jiff::civil::{Date, date};
use tempfile::TempDir;

use crate::cli::{bist, json, refusal, text};

const SYMBOLS: [&str; 6] = ["GATEA", "GATEB", "GATEC", "GATED", "GATEE", "GATEF"];
const FIRST_DAY: Date = date(2021, 3, 1);
const LAST_DAY: Date = date(2026, 6, 26);

/// What may be wrong with a row.
#[derive(Clone, Copy, Debug)]
enum Defect {
    ZeroClose,
    LowAboveHigh,
    NegativeVolume,
    CloseOutOfRange,
    Tripled,
    Missing,
    Unreadable,
    Copied,
}

const DEFECTS: [Defect; 8] = [
    Defect::ZeroClose,
    Defect::LowAboveHigh,
    Defect::NegativeVolume,
    Defect::CloseOutOfRange,
    Defect::Tripled,
    Defect::Missing,
    Defect::Unreadable,
    Defect::Copied,
];

/// The line of a row that has `defect`, if it leaves one.
fn broken(before: &RawBar, bar: RawBar, defect: Defect) -> Option<String> {
    let spoilt = match defect {
        Defect::ZeroClose => RawBar { close_units: 0, ..bar },
        Defect::LowAboveHigh => {
            RawBar { low_units: bar.high_units, high_units: bar.low_units - 10_000, ..bar }
        }
        Defect::NegativeVolume => RawBar { volume_shares: Some(-5), ..bar },
        Defect::CloseOutOfRange => RawBar { close_units: bar.high_units * 2, ..bar },
        Defect::Tripled => RawBar {
            open_units: bar.open_units.map(|open| open * 3),
            high_units: bar.high_units * 3,
            low_units: bar.low_units * 3,
            close_units: bar.close_units * 3,
            ..bar
        },
        Defect::Missing => return None,
        // A field is empty.
        Defect::Unreadable => {
            let fields = line(&bar);
            let mut fields: Vec<&str> = fields.split(',').collect();
            fields[2] = "";
            return Some(fields.join(","));
        }
        Defect::Copied => RawBar { opened_at: bar.opened_at, ..*before },
    };
    Some(line(&spoilt))
}

fn lira(units: i64) -> String {
    format!("{}.{:04}", units / 10_000, (units % 10_000).abs())
}

fn line(bar: &RawBar) -> String {
    format!(
        "{},{},{},{},{},{}",
        bar.day(),
        lira(bar.open_units.unwrap()),
        lira(bar.high_units),
        lira(bar.low_units),
        lira(bar.close_units),
        bar.volume_shares.unwrap()
    )
}

/// Writes the walks with one defect at every place where `share` of the rows, evenly spread, would
/// have one; the kinds take turns. Returns the days that were spoilt.
fn write(folder: &Path, share: f64) -> BTreeSet<(String, Date)> {
    let mut spoilt = BTreeSet::new();
    for (offset, name) in SYMBOLS.iter().enumerate() {
        let BarSeries { bars, .. } = random_walk(name, FIRST_DAY, LAST_DAY, 11);
        let mut csv = String::from("date,open,high,low,close,volume\n");
        let mut due = 0.0;
        let mut turn = offset;
        for (index, bar) in bars.iter().enumerate() {
            due += share;
            // Not the first rows, which nothing can be compared with, nor the last.
            if due >= 1.0 && (10..bars.len() - 10).contains(&index) {
                due -= 1.0;
                turn += 1;
                spoilt.insert(((*name).to_owned(), bar.day()));
                let defect = DEFECTS[turn % DEFECTS.len()];
                csv.extend(broken(&bars[index - 1], *bar, defect).map(|line| line + "\n"));
            } else {
                writeln!(csv, "{}", line(bar)).unwrap();
            }
        }
        fs::write(folder.join(format!("{name}.csv")), csv).unwrap();
    }
    spoilt
}

/// The model versions of the signals that the server would show.
fn served_by(data: &Path) -> BTreeSet<String> {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let clock = FixedClock("2026-11-24T12:00:00Z".parse().unwrap());
        let app = App::open(data, Arc::new(clock), ValidationPolicy::default()).await.unwrap();
        let signals = app.signals(HORIZON_DEFAULT, None).await.unwrap();
        assert_eq!(signals.len(), SYMBOLS.len());
        signals.into_iter().map(|record| record.model_version).collect()
    })
}

#[test]
fn six_percent_of_bad_rows_stop_the_training_and_four_percent_are_left_out() {
    let folder = TempDir::new().unwrap();
    let prices = folder.path().join("prices");
    fs::create_dir(&prices).unwrap();
    let ingest = |data: &Path| json(data, &["ingest", "csv", text(&prices)]);

    // A sound market, and a model in force.
    let data = folder.path().join("data");
    write(&prices, 0.0);
    ingest(&data);
    let sound = json(&data, &["train", "--horizon", "5"])["items"][0].take();
    json(&data, &["signals"]);

    // The vendor breaks: the same days come again, one in seventeen of them bad.
    write(&prices, 0.062);
    ingest(&data);
    let report = json(&data, &["validate", "--all"]);
    assert_eq!(report["band"], "refused", "{}", report["score_share"]);
    let sentence = refusal(&data, &["train"]);
    assert!(sentence.contains("training refused") && sentence.contains("95"), "{sentence}");
    // No new signal is made of such data, and those of the old model are still served.
    assert!(refusal(&data, &["signals"]).contains("95"));
    assert_eq!(served_by(&data), BTreeSet::from([sound["id"].as_str().unwrap().to_owned()]));

    // One in twenty-five: it trains, and none of the bad rows is among the bars.
    let data = folder.path().join("fewer");
    let spoilt = write(&prices, 0.04);
    ingest(&data);
    let report = json(&data, &["validate", "--all"]);
    assert_eq!(report["band"], "warning", "{}", report["score_share"]);
    let found: BTreeSet<(String, Date)> = report["series"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|series| {
            let findings = series["findings"].as_array().unwrap().iter();
            findings.filter(|finding| finding["severity"] == "error").map(|finding| {
                let day = finding["day"].as_str().unwrap().parse().unwrap();
                (series["symbol"].as_str().unwrap().to_owned(), day)
            })
        })
        .collect();
    let missed: Vec<_> = spoilt.difference(&found).collect();
    let extra: Vec<_> = found.difference(&spoilt).collect();
    assert!(missed.is_empty() && extra.is_empty(), "missed {missed:?}, extra {extra:?}");
    let trained = json(&data, &["train", "--horizon", "5"])["items"][0].take();
    assert!(trained["lineage"]["excluded"].as_array().unwrap().is_empty());
    assert!(
        trained["lineage"]["rows_count"].as_u64() < sound["lineage"]["rows_count"].as_u64(),
        "rows that are kept out are not learned from"
    );
}

#[test]
#[cfg(unix)]
fn a_training_that_is_interrupted_leaves_the_model_before_in_force() {
    let folder = TempDir::new().unwrap();
    let prices = folder.path().join("prices");
    fs::create_dir(&prices).unwrap();
    let data = folder.path().join("data");
    write(&prices, 0.0);
    json(&data, &["ingest", "csv", text(&prices)]);
    let first = json(&data, &["train", "--horizon", "5"])["items"][0].take();
    json(&data, &["signals"]);

    let mut train = bist(&data);
    train.args(["train", "--horizon", "5", "--seed", "8"]);
    let mut train = train.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(train.stderr.take().unwrap()).lines().map(Result::unwrap);
    let fold = told.find(|line| line.contains("fold 1 of"));
    assert!(fold.is_some(), "the training never got to its first fold");
    let killed = Command::new("kill").args(["-INT", &train.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let last = told.last().unwrap();
    let output = train.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{last}");
    assert!(output.stdout.is_empty() && last.contains("interrupted"), "{last}");

    assert_eq!(served_by(&data), BTreeSet::from([first["id"].as_str().unwrap().to_owned()]));
    let again = json(&data, &["evaluate"]);
    assert_eq!((&again["model_version"], &again["reproduced"]), (&first["id"], &true.into()));
}
