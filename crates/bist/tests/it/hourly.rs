//! Forecasts within a session, from files of hourly bars to signals.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{json, refusal, text};

/// The shares that are trained on: enough to compare with each other, and few enough to be quick.
const SYMBOLS: [&str; 6] = ["AKBNK", "ASELS", "EREGL", "GARAN", "SISE", "THYAO"];

/// Up to here their files are read: three months, and the last session still goes on.
const UNTIL: &str = "2025-06-13T14";

/// The folder of real hourly bars beside the repository; `None` when it is not there.
fn real_hours() -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut folders = above.map(|folder| folder.join("shared/data/bist/intraday"));
    folders.find(|folder| folder.exists())
}

fn items(document: &Value) -> &[Value] {
    document["items"].as_array().unwrap()
}

#[test]
fn real_hours_are_learned_from_proved_and_spoken_of() {
    let Some(hours) = real_hours() else {
        println!("skipped: ../shared is not here");
        return;
    };
    let folder = TempDir::new().unwrap();
    let prices = folder.path().join("prices");
    fs::create_dir(&prices).unwrap();
    for symbol in SYMBOLS {
        let name = format!("{symbol}_60m.csv");
        let whole = fs::read_to_string(hours.join(&name)).unwrap();
        let known = whole.lines().filter(|line| line.starts_with("timestamp") || *line < UNTIL);
        fs::write(prices.join(&name), known.collect::<Vec<_>>().join("\n")).unwrap();
    }
    let data = folder.path().join("data");
    json(&data, &["ingest", "csv", text(&prices)]);

    let trained = json(&data, &["train", "--interval", "60m"]);
    let horizons: Vec<&str> = items(&trained)
        .iter()
        .map(|model| model["evaluation"]["horizon"].as_str().unwrap())
        .collect();
    assert_eq!(horizons, ["1h", "eod"]);
    for model in items(&trained) {
        let (evaluation, lineage) = (&model["evaluation"], &model["lineage"]);
        assert_eq!(evaluation["symbols_count"], SYMBOLS.len());
        assert_eq!(evaluation["rank_ic"]["days_count"], evaluation["days_count"]);
        assert!(evaluation["leak_check"]["forecasts_count"].as_u64().unwrap() > 0);
        let names = lineage["feature_names"].as_array().unwrap();
        assert!(names.contains(&Value::from("bars_to_close")));
        for coverage in evaluation["coverage"].as_array().unwrap() {
            let covered = coverage["covered"]["value"].as_f64().unwrap();
            let level = coverage["level"].as_f64().unwrap();
            assert!((covered - level).abs() < 0.08, "{coverage}");
        }
    }

    let again = json(&data, &["evaluate", "--horizon", "1h"]);
    assert_eq!(again["reproduced"], true, "the same bars, bit for bit");
    assert_eq!(again["evaluation"], items(&trained)[0]["evaluation"]);

    for (horizon, until) in [("1h", "15:00:00"), ("eod", "18:10:00")] {
        let signals = json(&data, &["signals", "--horizon", horizon]);
        assert_eq!(items(&signals).len(), SYMBOLS.len());
        for signal in items(&signals) {
            assert_eq!(
                (&signal["horizon"], &signal["as_of"]),
                (&horizon.into(), &"2025-06-13".into())
            );
            assert_eq!(signal["next_session"], signal["as_of"], "made for the same session");
            assert_eq!(signal["valid_until"], signal["as_of"]);
            let times = (&signal["as_of_time"], &signal["valid_until_time"]);
            assert_eq!(times, (&"14:00:00".into(), &until.into()));
            assert!(signal["id"].as_str().unwrap().ends_with("-2025-06-13T14:00"));
        }
    }
    // There is no model of daily bars, and none is made of hours.
    assert!(refusal(&data, &["signals"]).contains("5 sessions ahead"));
    assert!(refusal(&data, &["train"]).contains("no daily bars"));
}

#[test]
fn without_hourly_bars_it_is_said_what_to_bring() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let sentence = refusal(&data, &["train", "--interval", "60m"]);
    assert!(
        sentence.contains("no hourly bars") && sentence.contains("THYAO_60m.csv"),
        "{sentence}"
    );
    let sentence = refusal(&data, &["evaluate", "--horizon", "eod"]);
    assert!(sentence.contains("bist train --interval 60m"), "{sentence}");
    let sentence = refusal(&data, &["train", "--horizon", "1h", "--horizon", "5"]);
    assert!(sentence.contains("train once for each"), "{sentence}");
    assert!(refusal(&data, &["train", "--interval", "15m"]).contains("give 1d or 60m"));
}
