//! Workers that are killed while they write, or whose disk is full: what was acknowledged is there.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bist_lifecycle::study::{NewTrial, StudyDirection, StudyId, StudyStorage};
use bist_store::{JournalStorage, StudyStorageSpec};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::home::{self, Home};

/// Where the child of a test finds the folder of its place.
const FOLDER: &str = "BIST_TEST_KILLED_FOLDER";

/// Where it finds its database.
const DATABASE: &str = "BIST_TEST_KILLED_DATABASE";

/// How often a worker is killed.
const KILLS: usize = 50;

/// How long the lock of a killed worker stays; the only other worker is dead.
const GRACE: Duration = Duration::from_millis(10);

/// Opens the place in a folder, with the database at an address.
type Open = fn(&Path, &str, &Runtime) -> Arc<dyn StudyStorage>;

fn journal(folder: &Path, _url: &str, _runtime: &Runtime) -> Arc<dyn StudyStorage> {
    Arc::new(JournalStorage::open_with_grace(&folder.join("killed.log"), GRACE).unwrap())
}

fn database(folder: &Path, url: &str, runtime: &Runtime) -> Arc<dyn StudyStorage> {
    let store = runtime.block_on(home::open(folder, url));
    StudyStorageSpec::Database.open(&store, runtime.handle()).unwrap()
}

#[test]
#[cfg(unix)]
fn fifty_kills_lose_no_acknowledged_record_of_a_journal() {
    kills(fifty_kills_lose_no_acknowledged_record_of_a_journal, journal);
}

#[test]
#[cfg(unix)]
fn fifty_kills_lose_no_acknowledged_record_of_a_database() {
    kills(fifty_kills_lose_no_acknowledged_record_of_a_database, database);
}

/// Kills workers, which are children that do nothing but `test`.
fn kills<T: Fn()>(_test: T, open: Open) {
    let runtime = Runtime::new().unwrap();
    match std::env::var_os(FOLDER) {
        Some(folder) => {
            let url = std::env::var_os(DATABASE).unwrap().into_string().unwrap();
            append_until_killed(&*open(Path::new(&folder), &url, &runtime));
        }
        None => kill_workers(std::any::type_name::<T>(), open, &runtime),
    }
}

fn only_study(storage: &dyn StudyStorage) -> StudyId {
    storage.find_study("killed").unwrap().unwrap().id
}

/// Appends until it is killed, and tells what was acknowledged.
fn append_until_killed(storage: &dyn StudyStorage) {
    let study = only_study(storage);
    // Of several pages, in which a writer may be stopped.
    let large = Value::from("x".repeat(16_000));
    let mut out = std::io::stdout();
    for key in 0.. {
        let trial = storage.create_trial(study, NewTrial::Running, Timestamp::UNIX_EPOCH).unwrap();
        writeln!(out, "acknowledged {}", trial.number).unwrap();
        storage.set_trial_user_attr(trial.id, &key.to_string(), &large).unwrap();
        writeln!(out, "acknowledged {} {key}", trial.number).unwrap();
    }
}

fn kill_workers(test: &str, open: Open, runtime: &Runtime) {
    let home = Home::new();
    let storage = open(home.path(), &home.url(), runtime);
    storage.create_study("killed", &[StudyDirection::Minimize]).unwrap();
    let study = only_study(&*storage);
    let (_this_crate, test) = test.split_once("::").unwrap();
    let mut acknowledged: Vec<(usize, Option<String>)> = Vec::new();
    for round in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(FOLDER, home.path())
            .env(DATABASE, home.url())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = 0;
        // What it told before it died counts, also when it is read afterwards.
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let Some(record) = line.strip_prefix("acknowledged ") else { continue };
            let (number, key) = record
                .split_once(' ')
                .map_or((record, None), |(number, key)| (number, Some(key.to_owned())));
            acknowledged.push((number.parse().unwrap(), key));
            told += 1;
            if told == 1 + round % 4 {
                child.kill().unwrap();
            }
        }
        assert!(!child.wait().unwrap().success());
    }

    assert!(acknowledged.len() >= KILLS);
    let trials = storage.trials_after(study, 0, &[]).unwrap();
    for (number, key) in acknowledged {
        let trial = &trials[number];
        assert_eq!(trial.number, u64::try_from(number).unwrap());
        assert!(key.is_none_or(|key| trial.user_attrs.contains_key(&key)), "lost in {number}");
    }
    // It goes on as if nothing had happened.
    storage.set_study_user_attr(study, "a", &json!(1)).unwrap();
    let next = storage.create_trial(study, NewTrial::Running, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(usize::try_from(next.number).unwrap(), trials.len());
    assert_eq!(
        open(home.path(), &home.url(), runtime).trials_after(study, 0, &[]).unwrap().len(),
        trials.len() + 1
    );
}

/// The size of the largest file of a child, in the blocks of `ulimit`: of 512 bytes or twice as many.
const FILE_BLOCKS_MAX: usize = 300;

#[test]
#[cfg(unix)]
fn a_record_for_which_there_is_no_room_leaves_no_trace_in_a_journal() {
    let runtime = Runtime::new().unwrap();
    if let Some(folder) = std::env::var_os(FOLDER) {
        return append_until_refused(&*journal(Path::new(&folder), "", &runtime));
    }
    let folder = TempDir::new().unwrap();
    let storage = journal(folder.path(), "", &runtime);
    storage.create_study("killed", &[StudyDirection::Minimize]).unwrap();
    let this = "studies::kills::a_record_for_which_there_is_no_room_leaves_no_trace_in_a_journal";
    // The signal that comes with the limit is ignored, so that writing fails as on a full disk.
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!(
            "trap '' XFSZ; ulimit -f {FILE_BLOCKS_MAX}; exec \"$0\" --exact {this} --nocapture"
        ))
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let acknowledged_count = said.lines().filter(|line| line.starts_with("acknowledged")).count();
    let refused = said.lines().find(|line| line.starts_with("refused: ")).expect("it was refused");
    assert!(refused.contains("killed.log: the journal cannot be written: "), "{refused}");

    let trials = storage.trials_after(only_study(&*storage), 0, &[]).unwrap();
    assert_eq!(trials[0].user_attrs.len(), acknowledged_count);
    let bytes = std::fs::read(folder.path().join("killed.log")).unwrap();
    assert!(bytes.ends_with(b"}\n"), "the part that fitted was taken back");
    assert!(acknowledged_count >= 8);
}

/// Appends until there is no room, and tells what was acknowledged and what was said then.
fn append_until_refused(storage: &dyn StudyStorage) {
    let study = only_study(storage);
    let trial = storage.create_trial(study, NewTrial::Running, Timestamp::UNIX_EPOCH).unwrap();
    let large = Value::from("x".repeat(16_000));
    let mut out = std::io::stdout();
    for key in 0.. {
        match storage.set_trial_user_attr(trial.id, &key.to_string(), &large) {
            Ok(()) => writeln!(out, "acknowledged {key}").unwrap(),
            Err(error) => return writeln!(out, "refused: {error}").unwrap(),
        }
    }
}
