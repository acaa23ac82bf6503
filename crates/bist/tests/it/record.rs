//! `bist signals record`: what came of the signals, from the command line.

use tempfile::TempDir;

use crate::cli::{bist, json, refusal};
use crate::explain::text;

#[test]
fn a_record_without_scores_says_so_and_a_wrong_word_is_told_what_to_give() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    json(&data, &["sample", "--symbols", "6", "--years", "3"]);
    json(&data, &["train", "--horizon", "5"]);
    let made = json(&data, &["signals"]);
    assert_eq!(made["items"].as_array().unwrap().len(), 6);
    assert_eq!(made["scoring"]["scored_count"], 0, "the market ends where the signals begin");

    let record = json(&data, &["signals", "record", "--by", "version"]);
    assert_eq!(record["origin"], "sample");
    assert_eq!((&record["served_count"], &record["waiting_count"]), (&6.into(), &6.into()));
    assert_eq!(record["summary"]["is_too_early"], true);
    assert!(record["reliability"].is_null());
    let told = text(&data, &["signals", "record"]);
    assert!(told.contains("served 6: 0 scored, 6 waiting, 0 never known"), "{told}");
    assert!(told.contains("nothing is scored yet"), "{told}");

    let refused = bist(&data).args(["signals", "record", "--by", "year"]).output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("give symbol, version, month, confidence or action"), "{told}");
    assert!(refusal(&data, &["signals", "--horizon", "1"]).contains("1 session ahead"));
}
