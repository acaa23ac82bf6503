//! One installation as several processes on PostgreSQL: a server that begins no job, and workers of
//! which one is killed and one put to sleep in the middle of a training.

use std::sync::mpsc;

use bist_testkit::postgres_database::PostgresDatabase;
use jiff::civil::date;

use crate::installation::{Installation, wait_for};
use crate::retraining::{ingest_by, walks};

/// A free port of this machine.
const ANYWHERE: &str = "127.0.0.1:0";

#[test]
#[cfg(unix)]
fn a_worker_that_is_killed_or_put_to_sleep_leaves_its_training_to_another_once() {
    let Some(database) = PostgresDatabase::make() else { return };
    let place = Installation::new(&format!(
        "database_url = '{}'\n[jobs]\nlease_s = 3\n[retraining]\nenabled = false\n",
        database.url()
    ));
    let series = walks();
    ingest_by(|args| place.json(args), &series, date(2026, 9, 25));
    place.json(&["train", "--horizon", "5"]);
    ingest_by(|args| place.json(args), &series, date(2026, 10, 23));

    let (tell, heard) = mpsc::channel();
    let api = place.start("api", ANYWHERE, 0, &tell);
    assert_eq!(api.listening["role"], "api");
    let run = place.ask();
    assert_eq!(run["state"], "waiting", "a server begins nothing itself");
    let mut workers = [0, 1].map(|index| place.start("worker", ANYWHERE, index, &tell));
    let first = wait_for(&heard, "retraining: train 5 begins");
    workers[first].child.kill().unwrap();
    assert_eq!(wait_for(&heard, "retraining is done"), 1 - first);
    let shown = |id: i64| place.json(&["jobs", "show", &id.to_string()]);
    let done = shown(1);
    assert_eq!((&done["state"], &done["attempts_count"]), (&"done".into(), &2.into()), "{done}");
    let versions = || place.json(&["models", "list"])["items"].as_array().unwrap().len();
    assert_eq!(versions(), 2, "trained once");

    // The next one is put to sleep; when it wakes it notes nothing of what another one does.
    let mut sleeper = place.start("worker", ANYWHERE, first, &tell);
    ingest_by(|args| place.json(args), &series, date(2026, 11, 20));
    place.ask();
    let second = wait_for(&heard, "retraining: train 5 begins");
    let sleeping = if second == first { &sleeper } else { &workers[second] };
    sleeping.signal("-STOP");
    wait_for(&heard, "retraining: goes on, begun for the 2. time");
    sleeping.signal("-CONT");
    assert_eq!(wait_for(&heard, "retraining is done"), 1 - second);
    let done = shown(2);
    assert_eq!((&done["state"], &done["attempts_count"]), (&"done".into(), &2.into()), "{done}");
    let stages = done["stages"].as_array().unwrap();
    assert!(stages.iter().all(|stage| stage["state"] == "done"), "{done}");
    assert_eq!(versions(), 3, "trained once");
    sleeper.child.kill().unwrap();
}
