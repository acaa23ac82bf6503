//! `bist models export` and `bist models import`: a model goes to another data directory by a file.

use std::collections::BTreeMap;

use jiff::civil::date;
use tempfile::TempDir;

use crate::cli::{json, refusal, text as path_text};
use crate::explain::text;
use crate::retraining::{ingest, walks};

#[test]
fn a_model_goes_to_another_data_directory_by_a_file() {
    let folder = TempDir::new().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    for data in [&from, &to] {
        json(data, &["sample", "--symbols", "6", "--years", "3"]);
    }
    let trained = json(&from, &["train", "--horizon", "5"]);
    let id = trained["items"][0]["id"].as_str().unwrap();
    let file = folder.path().join("model.zip");
    let out = path_text(&file);
    let export = ["models", "export", "champion", "--horizon", "5", "--out", out];
    let exported = json(&from, &export);
    assert_eq!((&exported["model_version"], &exported["file"]), (&id.into(), &out.into()));
    assert_eq!(exported["size_bytes"], std::fs::metadata(&file).unwrap().len());
    assert_eq!(exported["has_snapshot"], true);
    let kept = refusal(&from, &export);
    assert!(kept.contains("is there already; give another --out, or --force"), "{kept}");
    assert!(text(&from, &[&export[..], &["--force"]].concat()).contains(&format!("{id} is in ")));

    let import = ["models", "import", out, "--reason", "trained on the large machine"];
    let imported = json(&to, &import);
    assert_eq!(imported["version"]["id"], id);
    assert_eq!(
        (&imported["version"]["state"], &imported["was_there"]),
        (&"candidate".into(), &false.into())
    );
    assert_eq!(imported["changes_elsewhere"].as_array().unwrap().len(), 2);
    let history = text(&to, &["models", "history"]);
    assert!(history.contains("imported from model.zip: trained on the large machine"), "{history}");
    assert!(text(&to, &import).contains("was here already: it stays candidate"));
    let reproduced = json(&to, &["models", "reproduce", id]);
    assert_eq!(reproduced["items"][0]["reproduced"], true, "{reproduced}");
    json(&to, &["models", "promote", id, "--reason", "it comes out the same here"]);
    let ids = |data| -> Vec<_> {
        let signals = json(data, &["signals"]);
        signals["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect()
    };
    assert_eq!(ids(&from), ids(&to));

    let no_reason = refusal(&to, &["models", "import", out, "--reason", ""]);
    assert!(no_reason.contains("needs a reason"), "{no_reason}");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 30]).unwrap();
    let cut_off = refusal(&to, &import);
    assert!(cut_off.contains("model.zip is refused, and nothing was kept: it is no whole zip"));
}

#[test]
fn trees_that_learned_elsewhere_are_taken_in_judged_and_served_and_given_away_again() {
    let folder = TempDir::new().unwrap();
    let (elsewhere, here) = (folder.path().join("elsewhere"), folder.path().join("here"));
    let (series, cut) = (walks(), date(2026, 8, 14));
    ingest(&elsewhere, &series, cut);
    json(&elsewhere, &["train", "--horizon", "5"]);
    let file = folder.path().join("trees.txt");
    let out = path_text(&file);
    let export = ["models", "export", "champion", "--format", "lightgbm", "--out", out];
    let exported = json(&elsewhere, &export);
    assert!(exported["trees_count"].as_u64().unwrap() >= 1, "{exported}");
    assert!(refusal(&elsewhere, &export).contains("give another --out, or --force"));

    ingest(&here, &series, date(2026, 11, 20));
    let why = ["--reason", "it was trained elsewhere"];
    let import = |known_until: &'static str| {
        [&["models", "import", out, "--horizon", "5", "--known-until", known_until][..], &why]
            .concat()
    };
    let taken_in = json(&here, &import("2026-08-14"));
    let id = taken_in["id"].as_str().unwrap();
    assert_eq!(taken_in["state"], "candidate");
    let folds = taken_in["evaluation"]["folds"].as_array().unwrap();
    assert!(
        folds.iter().all(|fold| fold["test_from"].as_str().unwrap() > "2026-08-14"),
        "{folds:?}"
    );
    let history = text(&here, &["models", "history"]);
    assert!(history.contains("learned elsewhere, from trees.txt (SHA-256 "), "{history}");
    let card = text(&here, &["models", "card", id, "--lang", "en"]);
    assert!(card.contains("they know no price after 2026-08-14"), "{card}");
    let reproduced = json(&here, &["models", "reproduce", id]);
    assert_eq!(reproduced["items"][0]["reproduced"], true, "{reproduced}");

    json(&here, &["models", "promote", id, "--reason", "to try it"]);
    let signals = json(&here, &["signals"]);
    assert_eq!(signals["model_version"], id);
    let explained = json(&here, &["explain", "AAAA1"]);
    assert_eq!(explained["members"].as_array().unwrap().len(), 1, "{explained}");
    // The proof can be run again, and the days that the trees know judge nobody.
    assert_eq!(json(&here, &["evaluate"])["reproduced"], true);
    let seen = refusal(&here, &["evaluate", "--scheme", "combinatorial"]);
    assert!(seen.contains("they can be judged on later days only"), "{seen}");

    let again = folder.path().join("again.txt");
    json(&here, &["models", "export", id, "--format", "lightgbm", "--out", path_text(&again)]);
    assert_eq!(std::fs::read(&again).unwrap(), std::fs::read(&file).unwrap());

    let late = refusal(&here, &import("2026-11-06"));
    assert!(late.contains("are needed to judge them"), "{late}");
    let unsaid = refusal(&here, &[&["models", "import", out][..], &why].concat());
    assert!(unsaid.contains("with LightGBM's text --known-until and --horizon"), "{unsaid}");
    let whole = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, whole.replacen("objective=regression", "objective=binary sigmoid:1", 1))
        .unwrap();
    let binary = refusal(&here, &import("2026-08-14"));
    assert!(binary.contains("the trees do not answer with a return"), "{binary}");
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let cut_off = refusal(&here, &import("2026-08-14"));
    assert!(cut_off.contains("trees.txt is refused, and nothing was kept: "), "{cut_off}");
    let versions = json(&here, &["models", "list"]);
    assert_eq!(versions["items"].as_array().unwrap().len(), 1, "{versions}");
}

#[test]
fn what_models_learn_from_is_a_table() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    ingest(&data, &walks(), date(2025, 3, 31));
    let file = folder.path().join("table.csv");
    let table = json(&data, &["models", "table", "--horizon", "5", "--out", path_text(&file)]);
    let written = std::fs::read_to_string(&file).unwrap();
    let mut lines = written.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(header[..3], ["day", "time", "symbol"]);
    assert_eq!(header[header.len() - 2..], ["target", "known_on"]);
    assert_eq!(table["features_count"], header.len() - 5);
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(table["rows_count"], rows.len());
    assert!(rows.iter().all(|row| row.len() == header.len()));
    let with_target = rows.iter().filter(|row| !row[row.len() - 2].is_empty());
    assert_eq!(table["rows_with_target_count"], with_target.clone().count());
    assert!(with_target.clone().all(|row| row[row.len() - 1] > row[0]), "known later");
    // What is learned is relative to the others of the day.
    let mut sums = BTreeMap::<&str, f64>::new();
    for row in with_target {
        *sums.entry(row[0]).or_default() += row[row.len() - 2].parse::<f64>().unwrap();
    }
    assert!(sums.values().all(|sum| sum.abs() < 1e-12), "{sums:?}");
}
