//! One installation as several processes on PostgreSQL: a server that begins no job, and workers that
//! share a run, of which one is killed and one put to sleep in the middle of a part of it. What comes
//! out is what one process by itself makes on SQLite, bit for bit.

use std::collections::BTreeMap;
use std::fs;
use std::sync::mpsc::{self, Receiver};

use bist_testkit::postgres_database::PostgresDatabase;
use jiff::civil::date;
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{json, text};
use crate::installation::{Installation, wait_for};
use crate::retraining::{ingest_by, walks};

/// A free port of this machine.
const ANYWHERE: &str = "127.0.0.1:0";

/// Who said what begins so, in whichever order it was said.
fn wait_for_both(heard: &Receiver<(usize, String)>, beginnings: [&str; 2]) -> [usize; 2] {
    let mut said = [None; 2];
    while said.contains(&None) {
        let (who, line) = heard.recv().unwrap();
        for (said, beginning) in said.iter_mut().zip(beginnings) {
            if line.starts_with(beginning) {
                said.get_or_insert(who);
            }
        }
    }
    said.map(Option::unwrap)
}

/// An installation on `database`, whose processes do one thing at a time.
fn installation(database: &PostgresDatabase) -> Installation {
    Installation::new(&format!(
        "database_url = '{}'\n[jobs]\nat_once = 1\nlease_s = 3\n[retraining]\nenabled = false\n",
        database.url()
    ))
}

/// What one process by itself makes on SQLite.
struct Alone(TempDir);

impl Alone {
    fn json(&self, args: &[&str]) -> Value {
        json(&self.0.path().join("data"), args)
    }
}

/// The versions by name, which tells lineage and artefact, with what they were worth.
fn versions(run: impl Fn(&[&str]) -> Value) -> BTreeMap<String, Value> {
    let listed = run(&["models", "list"]);
    let ids = listed["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap());
    ids.map(|id| (id.to_owned(), run(&["models", "show", id])["evaluation"].clone())).collect()
}

/// What the stage called `name` of a run found.
fn found(run: &Value, name: &str) -> Value {
    let stages = run["stages"].as_array().unwrap();
    stages.iter().find(|stage| stage["name"] == name).unwrap()["result"].clone()
}

#[track_caller]
fn all_done(run: &Value) {
    assert_eq!(run["state"], "done", "{run}");
    for kind in ["stages", "parts"] {
        let items = run[kind].as_array().unwrap();
        assert!(items.iter().all(|item| item["state"] == "done"), "{run}");
    }
}

#[test]
#[cfg(unix)]
fn workers_share_a_training_and_one_that_is_killed_or_put_to_sleep_leaves_its_part_to_another() {
    let Some(database) = PostgresDatabase::make() else { return };
    let (place, alone) = (installation(&database), Alone(TempDir::new().unwrap()));
    let series = walks();
    let days = [date(2026, 9, 25), date(2026, 10, 23), date(2026, 11, 20)];
    let shared = |args: &[&str]| place.json(args);
    let single = |args: &[&str]| alone.json(args);
    for run in [&shared as &dyn Fn(&[&str]) -> Value, &single] {
        ingest_by(run, &series, days[0]);
        run(&["train", "--horizon", "1"]);
        run(&["train", "--horizon", "5"]);
        ingest_by(run, &series, days[1]);
    }

    let (tell, heard) = mpsc::channel();
    let api = place.start("api", ANYWHERE, 0, &tell);
    assert_eq!(api.listening["role"], "api");
    let run = place.ask();
    assert_eq!(run["state"], "waiting", "a server begins nothing itself");
    let mut workers =
        [place.start("worker", ANYWHERE, 0, &tell), place.start("worker", ANYWHERE, 1, &tell)];
    // Each has a part of it.
    let [mut first, other] =
        wait_for_both(&heard, ["retraining: train 1 begins", "retraining: train 5 begins"]);
    assert_eq!(other, 1 - first, "one does not do all while the other is free");
    workers[first].child.kill().unwrap();
    wait_for(&heard, "retraining: train 1: begins again, for the 2. time");
    assert_eq!(wait_for(&heard, "retraining is done"), 1 - first);
    let shown = |id: &str| place.json(&["jobs", "show", id]);
    let done = shown("1");
    all_done(&done);
    let attempts = [0, 1].map(|part| done["parts"][part]["attempts_count"].as_u64().unwrap());
    assert_eq!(attempts, [2, 1], "what was done was not done again: {done}");

    let asked = ["--reason", "a try", "--by", "ayşe"];
    let by_itself = alone.json(&[&["jobs", "run", "retraining"], &asked[..]].concat());
    all_done(&by_itself);
    let expected = versions(|args| alone.json(args));
    assert_eq!(expected.len(), 4);
    assert_eq!(versions(|args| place.json(args)), expected, "bit for bit");
    for stage in ["train", "decide"] {
        assert_eq!(found(&done, stage), found(&by_itself, stage), "{stage}");
    }

    // In the next one somebody is put to sleep; awake, they note nothing of what another one does.
    workers[first] = place.start("worker", ANYWHERE, first, &tell);
    ingest_by(|args| place.json(args), &series, days[2]);
    place.ask();
    first = wait_for(&heard, "retraining: train 5 begins");
    workers[first].signal("-STOP");
    wait_for(&heard, "retraining: train 5: begins again, for the 2. time");
    workers[first].signal("-CONT");
    wait_for(&heard, "retraining is done");
    all_done(&shown(&newest_run(&place)));
    assert_eq!(versions(|args| place.json(args)).len(), 6, "each trained once");
}

/// The number of the newest run; parts have numbers too.
fn newest_run(place: &Installation) -> String {
    place.json(&["jobs", "list"])["items"][0]["id"].to_string()
}

#[test]
#[cfg(unix)]
fn workers_share_the_trials_of_a_tuning_and_find_what_one_finds() {
    let Some(database) = PostgresDatabase::make() else { return };
    let (place, alone) = (installation(&database), Alone(TempDir::new().unwrap()));
    let sample = ["sample", "--symbols", "6", "--years", "4"];
    place.json(&sample);
    alone.json(&sample);
    let order = ["tuning", "--part", "elastic-net", "--trials", "5", "--at-once", "3"];
    let asked = ["--reason", "a try", "--by", "ayşe"];
    let by_itself = alone.json(&[&["jobs", "run"], &order[..], &asked[..]].concat());
    all_done(&by_itself);

    let (tell, heard) = mpsc::channel();
    place.json(&[&["jobs", "ask"], &order[..], &asked[..]].concat());
    let mut workers =
        [place.start("worker", ANYWHERE, 0, &tell), place.start("worker", ANYWHERE, 1, &tell)];
    let killed = wait_for(&heard, "tuning: elastic-net trial 1 begins");
    workers[killed].child.kill().unwrap();
    assert_eq!(wait_for(&heard, "tuning is done"), 1 - killed);
    let done = place.json(&["jobs", "show", "1"]);
    all_done(&done);
    for stage in ["tune elastic-net", "compare"] {
        assert_eq!(found(&done, stage), found(&by_itself, stage), "{stage}");
    }
    assert_eq!(versions(|args| place.json(args)), versions(|args| alone.json(args)));
    // The trials one by one.
    let drawn = |run: &dyn Fn(&[&str]) -> Value, name: &str| {
        let path = place.folder.path().join(name);
        run(&["studies", "plot", "tuning-1", "--kind", "parallel", "--plot", text(&path)]);
        fs::read(path).unwrap()
    };
    let shared = drawn(&|args| place.json(args), "shared.svg");
    assert_eq!(shared, drawn(&|args| alone.json(args), "alone.svg"));
}
