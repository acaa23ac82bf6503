//! One installation as several processes.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{bist, text};

/// How long nothing at all may be heard while something is waited for.
const SILENCE_MAX: Duration = Duration::from_secs(120);

/// What the processes share: a folder and a configuration.
pub(crate) struct Installation {
    pub(crate) folder: TempDir,
    config: PathBuf,
}

/// A process, which ends with this value.
pub(crate) struct Process {
    pub(crate) child: Child,
    /// What it printed when it was up.
    pub(crate) listening: Value,
    /// What it prints then; nobody who listened would end it.
    printed: Receiver<Value>,
}

impl Process {
    /// Where it listens, as `127.0.0.1:8080`.
    pub(crate) fn address(&self) -> &str {
        self.listening["address"].as_str().unwrap().strip_prefix("http://").unwrap()
    }

    /// Waits until it has begun anew, and is up again where it was.
    #[cfg(unix)]
    pub(crate) fn wait_for_new_beginning(&mut self) {
        let listening = self.printed.recv_timeout(SILENCE_MAX).unwrap();
        assert_eq!(listening, self.listening);
        assert!(self.child.try_wait().unwrap().is_none(), "it is the same process");
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Installation {
    /// One with this configuration, of which nothing runs yet.
    pub(crate) fn new(settings: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("bist.toml");
        fs::write(&config, settings).unwrap();
        Self { folder, config }
    }

    /// Has processes that are started from now on find more in the configuration.
    pub(crate) fn configure_more(&self, settings: &str) {
        let before = fs::read_to_string(&self.config).unwrap();
        fs::write(&self.config, before + settings).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = bist(&self.folder.path().join("data"));
        command.args(["--config", text(&self.config)]);
        command
    }

    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let output = self.command().args(args).args(["--json", "--quiet"]).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Starts a process of this role at `bind`; what its jobs say goes to `heard` with the number `index`.
    #[expect(clippy::print_stderr, reason = "a test that fails shows what went wrong elsewhere")]
    pub(crate) fn start(
        &self,
        role: &str,
        bind: &str,
        index: usize,
        heard: &Sender<(usize, String)>,
    ) -> Process {
        let mut child = self
            .command()
            .args(["serve", "--role", role, "--bind", bind, "--json"])
            .env("RUST_LOG", "bist_server=error,bist_app::jobs=debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let heard = heard.clone();
        thread::spawn(move || {
            let mut errors = BTreeSet::new();
            for line in log.map_while(Result::ok) {
                let Ok(logged) = serde_json::from_str::<Value>(&line) else { continue };
                let message = logged["fields"]["message"].as_str().unwrap_or_default();
                let is_error = logged["level"] == "ERROR" && !message.starts_with("not ready");
                // Once: what fails with every request would hide what went wrong.
                if is_error && errors.insert(message.to_owned()) {
                    eprintln!("process {index}: {message}");
                }
                heard.send((index, message.to_owned())).ok();
            }
        });
        let out = BufReader::new(child.stdout.take().unwrap());
        let (print, printed) = mpsc::channel();
        thread::spawn(move || {
            let documents = serde_json::Deserializer::from_reader(out).into_iter::<Value>();
            for document in documents.map_while(Result::ok) {
                if print.send(document).is_err() {
                    return;
                }
            }
        });
        let listening = printed.recv_timeout(SILENCE_MAX).unwrap();
        Process { child, listening, printed }
    }

    /// Asks for a retraining.
    pub(crate) fn ask(&self) -> Value {
        self.json(&["jobs", "ask", "retraining", "--reason", "a try", "--by", "ayşe"])
    }
}

/// Who said first what begins so.
pub(crate) fn wait_for(heard: &Receiver<(usize, String)>, beginning: &str) -> usize {
    loop {
        let (index, line) = heard.recv_timeout(SILENCE_MAX).unwrap_or_else(|error| {
            panic!("nobody says '{beginning}': {error}");
        });
        if line.starts_with(beginning) {
            return index;
        }
    }
}
