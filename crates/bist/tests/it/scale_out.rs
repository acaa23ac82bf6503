//! One installation as several processes on PostgreSQL: a server that begins no job, and workers of
//! which one is killed and one put to sleep in the middle of a training.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use bist_testkit::postgres_database::PostgresDatabase;
use jiff::civil::date;
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{bist, text};
use crate::retraining::{ingest_by, walks};

/// An installation on PostgreSQL.
struct Place {
    folder: TempDir,
    config: PathBuf,
    _database: PostgresDatabase,
}

/// A process, which ends with this value.
struct Process {
    child: Child,
    /// What it printed when it was up.
    listening: Value,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Place {
    fn new(database: PostgresDatabase) -> Self {
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("bist.toml");
        let settings = format!(
            "database_url = '{}'\n[jobs]\nlease_s = 3\n[retraining]\nenabled = false\n",
            database.url()
        );
        fs::write(&config, settings).unwrap();
        Self { folder, config, _database: database }
    }

    fn command(&self) -> Command {
        let mut command = bist(&self.folder.path().join("data"));
        command.args(["--config", text(&self.config)]);
        command
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let output = self.command().args(args).args(["--json", "--quiet"]).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Starts a process of this role; what its jobs say goes to `heard` with the number `index`.
    fn start(&self, role: &str, index: usize, heard: &Sender<(usize, String)>) -> Process {
        let mut child = self
            .command()
            .args(["serve", "--role", role, "--bind", "127.0.0.1:0", "--json"])
            .env("RUST_LOG", "bist_app::jobs=debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let heard = heard.clone();
        thread::spawn(move || {
            for line in log.map_while(Result::ok) {
                let Ok(logged) = serde_json::from_str::<Value>(&line) else { continue };
                let message = logged["fields"]["message"].as_str().unwrap_or_default();
                heard.send((index, message.to_owned())).ok();
            }
        });
        // The document, which is followed by nothing.
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut documents = serde_json::Deserializer::from_reader(out).into_iter();
        let listening = documents.next().unwrap().unwrap();
        Process { child, listening }
    }

    fn ask(&self) -> Value {
        self.json(&["jobs", "ask", "retraining", "--reason", "a try", "--by", "ayşe"])
    }
}

/// Who said first what begins so.
fn wait_for(heard: &Receiver<(usize, String)>, beginning: &str) -> usize {
    heard.iter().find(|(_, line)| line.starts_with(beginning)).unwrap().0
}

#[cfg(unix)]
fn signal(process: &Process, name: &str) {
    let pid = process.child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

#[test]
#[cfg(unix)]
fn a_worker_that_is_killed_or_put_to_sleep_leaves_its_training_to_another_once() {
    let Some(database) = PostgresDatabase::make() else { return };
    let place = Place::new(database);
    let series = walks();
    ingest_by(|args| place.json(args), &series, date(2026, 9, 25));
    place.json(&["train", "--horizon", "5"]);
    ingest_by(|args| place.json(args), &series, date(2026, 10, 23));

    let (tell, heard) = mpsc::channel();
    let api = place.start("api", 0, &tell);
    assert_eq!(api.listening["role"], "api");
    let run = place.ask();
    assert_eq!(run["state"], "waiting", "a server begins nothing itself");
    let mut workers = [place.start("worker", 0, &tell), place.start("worker", 1, &tell)];
    let first = wait_for(&heard, "retraining: train 5 begins");
    workers[first].child.kill().unwrap();
    assert_eq!(wait_for(&heard, "retraining is done"), 1 - first);
    let shown = |id: i64| place.json(&["jobs", "show", &id.to_string()]);
    let done = shown(1);
    assert_eq!((&done["state"], &done["attempts_count"]), (&"done".into(), &2.into()), "{done}");
    let versions = || place.json(&["models", "list"])["items"].as_array().unwrap().len();
    assert_eq!(versions(), 2, "trained once");

    // The next one is put to sleep; when it wakes it notes nothing of what another one does.
    let mut sleeper = place.start("worker", first, &tell);
    ingest_by(|args| place.json(args), &series, date(2026, 11, 20));
    place.ask();
    let second = wait_for(&heard, "retraining: train 5 begins");
    let sleeping = if second == first { &sleeper } else { &workers[second] };
    signal(sleeping, "-STOP");
    wait_for(&heard, "retraining: goes on, begun for the 2. time");
    signal(sleeping, "-CONT");
    assert_eq!(wait_for(&heard, "retraining is done"), 1 - second);
    let done = shown(2);
    assert_eq!((&done["state"], &done["attempts_count"]), (&"done".into(), &2.into()), "{done}");
    let stages = done["stages"].as_array().unwrap();
    assert!(stages.iter().all(|stage| stage["state"] == "done"), "{done}");
    assert_eq!(versions(), 3, "trained once");
    sleeper.child.kill().unwrap();
}
