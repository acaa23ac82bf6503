//! `bist models`: what stands where, how it comes to stand elsewhere, and what is refused; and what
//! the rule of experiments would decide.

use std::path::Path;

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

    let card = text(&data, &["models", "card", "champion", "--lang", "en"]);
    assert!(card.starts_with(&format!("# Model card: {first}")), "{card}");
    assert!(card.contains("the second was only a try"), "{card}");
    assert!(text(&data, &["models", "card", &second]).starts_with("# Model kartı"));
    assert_eq!(json(&data, &["models", "card", &second])["state"], "retired");
    json(&data, &["models", "stage", &second, "--reason", "beside the champion"]);
    assert_eq!(json(&data, &["models", "show", "challenger"])["id"], second.as_str());
    compared_with_the_challenger(&data, &first, &second);
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

/// An experiment is declared, goes on with the signals, is shown, and is ended.
fn compared_with_the_challenger(data: &Path, champion: &str, challenger: &str) {
    assert!(text(data, &["experiments", "list"]).contains("there is no such experiment"));
    let why = ["--reason", "is the other seed better?", "--by", "ayse"];
    let declare = [&["experiments", "declare", "--name", "seeds", "--cuped"], &why[..]].concat();
    let declared = json(data, &declare);
    assert_eq!(declared["design"]["champion"], champion);
    assert_eq!(declared["design"]["challengers"][0], challenger);
    assert!(declared["design"]["covariate"]["mean"].as_f64().unwrap() > 0.0, "{declared}");
    let signals = json(data, &["signals"]);
    assert_eq!(signals["model_version"], champion);
    assert_eq!(signals["experiment"]["exposures_added"], 12, "{signals}");
    assert_eq!(json(data, &["experiments", "judge"])["items"][0]["state"], "running");
    let shown = text(data, &["experiments", "show", "seeds"]);
    assert!(shown.starts_with("experiment seeds (5 sessions ahead): running\n"), "{shown}");
    for part in ["No day is judged yet: it is too early to say", "60 before a decision", "by ayse"]
    {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    assert!(text(data, &["experiments", "list", "--state", "running"]).contains("0 of 60..500"));
    let twice = refusal(data, &[&["experiments", "declare"], &why[..]].concat());
    assert!(twice.contains("the experiment 'seeds' of this horizon goes on"), "{twice}");
    let stop = ["experiments", "stop", "seeds", "--reason", "enough", "--by", "ayse"];
    assert_eq!(json(data, &stop)["state"], "stopped");
    assert!(refusal(data, &stop).contains("is over: stopped"));
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
