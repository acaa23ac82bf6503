//! `bist models`: what stands where, how it comes to stand elsewhere, and what is refused; and what
//! the rule of experiments would decide.

use tempfile::TempDir;

use crate::cli::{json, refusal};
use crate::explain::text;

#[test]
fn a_model_is_put_in_force_taken_back_and_compared() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    assert!(text(&data, &["models", "list"]).contains("bist train makes them"));
    json(&data, &["sample", "--symbols", "6", "--years", "3"]);
    let train = |seed: &str| {
        let trained = json(&data, &["train", "--horizon", "5", "--seed", seed]);
        assert_eq!(trained["items"][0]["state"], "champion");
        trained["items"][0]["id"].as_str().unwrap().to_owned()
    };
    let (first, second) = (train("7"), train("8"));

    let listed = json(&data, &["models", "list", "--horizon", "5"]);
    let states = |listed: &serde_json::Value| -> Vec<(String, String)> {
        let of = |item: &serde_json::Value, name: &str| item[name].as_str().unwrap().to_owned();
        let items = listed["items"].as_array().unwrap().iter();
        items.map(|item| (of(item, "id"), of(item, "state"))).collect()
    };
    let expected = [(second.clone(), "champion"), (first.clone(), "retired")];
    assert_eq!(states(&listed), expected.map(|(id, state)| (id, state.to_owned())));
    assert!(text(&data, &["models", "list"]).contains(&format!("{second}  champion")));

    let difference = text(&data, &["models", "diff", &first, "champion"]);
    assert!(difference.contains("spec.seed: 7 -> 8"), "{difference}");
    assert!(difference.contains("rank IC"), "{difference}");

    let back = ["models", "rollback", "--reason", "the second was only a try", "--by", "ayse"];
    let back = json(&data, &back);
    assert_eq!(back["version"]["id"], first.as_str());
    assert_eq!(back["signals_count"], 6, "{back}");
    assert_eq!(json(&data, &["signals"])["model_version"], first.as_str());
    let history = text(&data, &["models", "history"]);
    let newest = history.lines().take(2).collect::<Vec<_>>().join("\n");
    assert!(newest.contains(&format!("{first} (5 sessions ahead): retired -> champion, by ayse")));
    assert!(newest.ends_with("the second was only a try"), "{newest}");
    let shown = text(&data, &["models", "show", "champion"]);
    assert!(shown.starts_with(&format!("{first} (sample): champion")), "{shown}");

    json(&data, &["models", "stage", &second, "--reason", "beside the champion"]);
    assert_eq!(json(&data, &["models", "show", "challenger"])["id"], second.as_str());
    json(&data, &["models", "retire", "challenger", "--reason", "no better"]);

    let refused = |args: &[&str]| refusal(&data, &[&["models"], args].concat());
    let nothing = refused(&["rollback", "--reason", "once more"]);
    assert!(nothing.contains(&format!("was in force before {first}")), "{nothing}");
    let reason = refused(&["promote", &second, "--reason", " "]);
    assert!(reason.contains("needs a reason"), "{reason}");
    let in_force = refused(&["retire", "champion", "--reason", "x"]);
    assert!(in_force.contains("cannot become retired; put another one in force"), "{in_force}");
    let unknown = refused(&["show", "gbdt-0"]);
    assert!(unknown.contains("there is no model version 'gbdt-0'"), "{unknown}");
    let other = refused(&["show", "champion", "--horizon", "1"]);
    assert!(other.contains("1 session ahead has been trained yet"), "{other}");
}

#[test]
fn simulated_experiments_tell_false_promotions_and_power() {
    let folder = TempDir::new().unwrap();
    let bench = ["bench", "experiments", "--experiments", "20", "--challengers", "2"];
    let report = json(folder.path(), &bench);
    assert_eq!(report["rows"].as_array().unwrap().len(), 6);
    assert_eq!(report["rows"][0]["effect"], 0.0);
    let share = |row: usize, name: &str| report["rows"][row][name].as_f64().unwrap();
    assert!(share(2, "promoted_share") <= 0.0, "a worse one is never promoted: {report}");
    assert!(share(5, "promoted_share") > 0.9, "a far better one is: {report}");
    let told = text(folder.path(), &bench);
    assert!(told.contains("promoted without being better") && told.contains("goal 5 %"), "{told}");
}
