//! A shipped log whose newest base is damaged: `--at now` is refused with the command that restores what can
//! be, and that command does.

use std::fs;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{self, bist, text};
use crate::installation::Installation;
use crate::sign_in::now_s;

/// How long something may take to come about.
const PATIENCE: Duration = Duration::from_secs(120);

/// The shipped logs of `place`, the newest first.
fn logs(place: &Installation) -> Vec<Value> {
    place.json(&["backup", "list"])["logs"].as_array().unwrap().clone()
}

/// Waits until `is_so`.
#[track_caller]
fn wait_until(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it does not come about");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_command_that_the_refusal_of_a_damaged_log_names_restores_what_is_whole() {
    let keys = TempDir::new().unwrap();
    let identity = keys.path().join("identity.txt");
    let made = cli::json(keys.path(), &["backup", "generate-key", "--out", text(&identity)]);
    let recipient = made["recipient"].as_str().unwrap();
    let settings = format!("[backup]\nrecipients = ['{recipient}']\nship_log = true\n");
    let place = Installation::new(&settings);
    let (tell, _heard) = mpsc::channel();
    // Each start begins a generation, which has the second of its beginning as its name.
    for count in 1..=2 {
        let before = now_s();
        wait_until(|| now_s() != before);
        let mut server = place.start("all", "127.0.0.1:0", 0, &tell);
        wait_until(|| logs(&place).len() == count);
        if count == 1 {
            place.json(&["users", "create-admin"]);
        }
        server.signal("-TERM");
        assert!(server.child.wait().unwrap().success());
    }

    let data = place.folder.path().join("data");
    let newest = logs(&place)[0]["name"].as_str().unwrap().to_owned();
    let base = data.join("backups/log").join(&newest).join("base.tar.zst.age");
    let mut bytes = fs::read(&base).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&base, bytes).unwrap();

    let to = place.folder.path().join("restored");
    fs::create_dir(&to).unwrap();
    fs::copy(data.join("master.key"), to.join("master.key")).unwrap();
    let mut restore = bist(&to);
    restore.args(["backup", "restore", "--at", "now", "--from", text(&data.join("backups"))]);
    let output = restore.args(["--identity", text(&identity), "--quiet"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(&newest) && told.contains("the newest moment that can"), "{told}");
    assert!(!to.join("bist.sqlite").exists());

    let command = told.split('`').nth(1).unwrap();
    let restored = Command::new("sh").args(["-c", command]).env("BIST_DATA_DIR", &to).output();
    let restored = restored.unwrap();
    assert!(restored.status.success(), "{command}: {}", String::from_utf8_lossy(&restored.stderr));
    assert_eq!(cli::json(&to, &["audit", "verify"])["verified"], true);
    assert_eq!(cli::json(&to, &["users", "list"])["items"][0]["user_name"], "admin");
}
