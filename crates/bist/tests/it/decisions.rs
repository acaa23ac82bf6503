//! Deciding about a finding, as a user does it: the score moves, the row comes and goes, and what
//! was decided stays visible.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{bist, json as run, refusal, text};

/// Five sessions of June 2024; the close of the third is above its high, which is no price.
fn prices(folder: &Path, third_close: &str) -> String {
    let path = folder.join("AAAA.csv");
    let rows = format!(
        "date,open,high,low,close,volume\n\
         2024-06-03,100.00,101.00,99.00,100.00,1000\n\
         2024-06-04,100.00,101.00,99.00,100.50,1100\n\
         2024-06-05,100.00,101.00,99.00,{third_close},1200\n\
         2024-06-06,100.00,101.00,99.00,100.00,1300\n\
         2024-06-07,100.00,101.00,99.00,100.50,1400\n"
    );
    fs::write(&path, rows).unwrap();
    text(&path).to_owned()
}

/// The series of the last validation.
fn series(data: &Path) -> Value {
    run(data, &["validate", "AAAA"])["series"][0].clone()
}

#[test]
fn a_decision_moves_the_score_and_all_of_them_stay_visible() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    run(&data, &["ingest", "csv", &prices(folder.path(), "101.50")]);
    let before = series(&data);
    assert_eq!(before["quarantined_count"], 1, "{before}");
    let finding = before["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["quarantined"] == true && finding["day"] == "2024-06-05");
    let id = finding.unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(run(&data, &["validate", "decisions"])["items"], json!([]));

    let accept = ["validate", "accept", &id, "--reason", "seen on the exchange", "--by", "ayşe"];
    let decided = run(&data, &accept);
    assert!(decided["score_share"].as_f64() > decided["score_share_before"].as_f64(), "{decided}");
    assert_eq!(series(&data)["accepted_count"], 5);
    let reject = ["validate", "reject", &id, "--reason", "it was a misprint", "--by", "can"];
    run(&data, &reject);
    assert_eq!(series(&data)["accepted_count"], 4);

    let items = run(&data, &["validate", "decisions"])["items"].clone();
    let told = |item: &Value| {
        let decision = &item["decision"];
        json!([decision["verdict"], decision["decided_by"], decision["reason"], item["in_force"]])
    };
    let told: Vec<Value> = items.as_array().unwrap().iter().map(told).collect();
    let expected = [
        json!(["reject", "can", "it was a misprint", true]),
        json!(["accept", "ayşe", "seen on the exchange", false]),
    ];
    assert_eq!(told, expected);

    // The vendor corrects the row: the finding is gone, and what was decided about it is not.
    run(&data, &["ingest", "csv", &prices(folder.path(), "100.50")]);
    assert_eq!(series(&data)["accepted_count"], 5);
    let said = refusal(&data, &["validate", "accept", &id, "--reason", "late"]);
    assert!(said.contains("no longer occurs") && said.contains("validate decisions"), "{said}");
    let items = run(&data, &["validate", "decisions", "--limit", "1"])["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 1);
}

#[test]
fn a_decision_about_nothing_or_for_no_reason_is_refused() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    run(&data, &["ingest", "csv", &prices(folder.path(), "101.50")]);
    run(&data, &["validate", "--all"]);
    let said = refusal(&data, &["validate", "accept", "0123456789abcdef", "--reason", "why not"]);
    assert!(said.contains("there is no finding 0123456789abcdef"), "{said}");
    let said = refusal(&data, &["validate", "accept", "0123456789abcdef", "--reason", "  "]);
    assert!(said.contains("a decision needs a reason"), "{said}");
    for wrong in [&["accept", "THYAO", "--reason", "x"][..], &["reject", "0123456789abcdef"]] {
        let output = bist(&data).arg("validate").args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(run(&data, &["validate", "decisions"])["items"], json!([]));
}
