//! A data directory whose backups can be opened, and what is restored of them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{bist, text};

/// A value that is found nowhere by accident.
pub(crate) const PLANTED: &str = "planted-Kq4Wv9ZtRm";

/// A data directory that has records and secrets, and what opens its backups.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) data: PathBuf,
    pub(crate) config: PathBuf,
    pub(crate) identity: PathBuf,
    /// Variables of the environment of its commands.
    variables: Vec<(&'static str, String)>,
}

impl Place {
    /// One with the secret `evds`; `settings` are those of backups besides for whom they are.
    pub(crate) fn new(settings: &str) -> Self {
        Self::with_variables(settings, Vec::new())
    }

    /// The same, whose commands find these variables in their environment.
    pub(crate) fn with_variables(settings: &str, variables: Vec<(&'static str, String)>) -> Self {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (data, config, identity) = (path("data"), path("bist.toml"), path("identity.txt"));
        let place = Self { data, config, identity, folder, variables };
        let recipient = place.generate_key(&place.identity);
        place.configure(&format!("[backup]\nrecipients = ['{recipient}']\n{settings}"));
        place.secret("evds");
        place
    }

    pub(crate) fn configure(&self, settings: &str) {
        fs::write(&self.config, settings).unwrap();
    }

    /// Makes the file `to` of what opens backups; for whom they are then.
    pub(crate) fn generate_key(&self, to: &Path) -> String {
        let made = json_of(bist(&self.data).args(["backup", "generate-key", "--out", text(to)]));
        made["recipient"].as_str().unwrap().to_owned()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = bist(&self.data);
        command.args(args).args(["--config", text(&self.config)]);
        command.envs(self.variables.iter().cloned());
        command
    }

    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        json_of(&mut self.command(args))
    }

    /// Keeps the planted value as the secret `name`.
    pub(crate) fn secret(&self, name: &str) {
        let mut command = self.command(&["secrets", "set", name, "--quiet"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(PLANTED.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// What restores to the data directory `to`, which has the master key, once it is told what.
    pub(crate) fn restoring(&self, to: &Path) -> Command {
        if !to.exists() {
            fs::create_dir(to).unwrap();
            fs::copy(self.data.join("master.key"), to.join("master.key")).unwrap();
        }
        let mut command = bist(to);
        command.args(["backup", "restore", "--identity", text(&self.identity)]);
        command
    }

    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[track_caller]
pub(crate) fn json_of(command: &mut Command) -> Value {
    let output = command.args(["--json", "--quiet"]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{command:?}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The sentence with which `command` is refused.
#[track_caller]
pub(crate) fn refusal(command: &mut Command) -> String {
    let output = command.arg("--quiet").output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert_eq!(errors.lines().count(), 1, "one sentence: {errors}");
    errors
}

/// What the audit of the data directory `data`, which is whole, says of the actions of backups, the newest
/// first.
#[track_caller]
pub(crate) fn records(data: &Path) -> Vec<String> {
    let verified = json_of(bist(data).args(["audit", "verify"]));
    assert_eq!(verified["verified"], true, "{verified}");
    let listed = json_of(bist(data).args(["audit", "list", "--action", "backup"]));
    let items = listed["items"].as_array().unwrap();
    items.iter().map(|item| item["action"].as_str().unwrap().to_owned()).collect()
}

/// Shows that the data directory `data` was restored once: that is on record, and these are its secrets.
#[track_caller]
pub(crate) fn check_restored(data: &Path, expected: &[&str]) {
    let records = records(data);
    let restored = records.iter().filter(|action| *action == "backup.restored").count();
    assert_eq!(restored, 1, "{records:?}");
    let listed = json_of(bist(data).args(["secrets", "list"]));
    let names: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, expected);
}
