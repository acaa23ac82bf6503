//! `bist serve` that ships the log of its database: killed, and what was acknowledged is restored, from the
//! folder of backups and from its copy in a bucket.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bist_testkit::object_store::ObjectStore;
use serde_json::Value;

use crate::backed_up::{Place, check_restored, json_of, refusal};
use crate::cli::{bist, text};

impl Place {
    fn serve(&self) -> Server {
        let mut command = self.command(&["serve", "--bind", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("http://"), "{line}");
        Server(child)
    }

    /// The newest generation, once `is_seen` of it.
    fn log_when(&self, is_seen: impl Fn(&Value) -> bool) -> Value {
        loop {
            let listed = self.json(&["backup", "list"]);
            if let Some(log) = listed["logs"].get(0).filter(|log| is_seen(log)) {
                return log.clone();
            }
        }
    }

    /// The newest generation once it has a base: its name, and the moment up to which it is there.
    fn begun_log(&self) -> (String, String) {
        let log = self.log_when(|log| log["until"].is_string());
        let of = |key: &str| log[key].as_str().unwrap().to_owned();
        (of("name"), of("until"))
    }

    /// Waits until a look was begun after now.
    fn wait_for_a_look(&self) {
        // The first to be seen may have been on its way.
        for _ in 0..2 {
            let before = self.log_when(|log| log["looked_at"].is_string());
            self.log_when(|log| log["looked_at"] != before["looked_at"]);
        }
    }

    /// What restores to the directory `name`, which has the master key, from the folder of backups.
    fn restore_moment(&self, name: &str, at: &str) -> (PathBuf, Command) {
        let to = self.beside(name);
        let mut command = self.restoring(&to);
        command.args(["--from", text(&self.data.join("backups")), "--at", at]);
        (to, command)
    }
}

/// A server, which is killed with this value.
struct Server(Child);

impl Server {
    /// Tells it to stop, and waits until it has.
    fn stop(mut self) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn what_was_acknowledged_is_restored_after_the_server_was_killed() {
    let place = Place::new("ship_log = true\nship_every_seconds = 1\n");
    let server = place.serve();
    place.wait_for_a_look();
    let (name, until) = place.begun_log();
    place.secret("later");
    place.wait_for_a_look();
    // SIGKILL.
    drop(server);

    let (to, mut restore) = place.restore_moment("restored", "now");
    let restored = json_of(&mut restore);
    assert_eq!(restored["backup"], name);
    assert!(restored["log"]["number"].as_u64().unwrap() > 0, "{restored}");
    check_restored(&to, &["bist.audit-key", "evds", "later"]);
    let (to, mut restore) = place.restore_moment("before", &until);
    json_of(&mut restore);
    check_restored(&to, &["bist.audit-key", "evds"]);

    let identity = ["--identity", text(&place.identity)];
    let verify = [&["backup", "verify", &name][..], &identity].concat();
    let verified = place.json(&verify);
    assert_eq!(verified["log"], name);
    let tried = place.json(&[&verify[..], &["--restore"]].concat());
    assert!(!tried["tables"].as_array().unwrap().is_empty(), "{tried}");
    let log = place.log_when(|log| log["verified_at"].is_string());
    assert_eq!(log["pieces_count"], verified["pieces_count"]);

    let (to, mut restore) = place.restore_moment("too-early", "2020-01-01T00:00:00+03:00");
    let told = refusal(&mut restore);
    assert!(told.contains("the first moment that can be restored is"), "{told}");
    assert!(!to.join("bist.sqlite").exists());
    let base = place.data.join("backups/log").join(&name).join("base.tar.zst.age");
    let mut bytes = fs::read(&base).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&base, bytes).unwrap();
    let told = refusal(&mut place.command(&verify));
    assert!(told.contains("is not the backup that was written"), "{told}");
}

#[test]
fn what_was_written_to_the_end_is_shipped_when_the_server_is_told_to_stop() {
    let place = Place::new("ship_log = true\nship_every_seconds = 50\n");
    let server = place.serve();
    place.begun_log();
    place.secret("later");
    server.stop();
    let (to, mut restore) = place.restore_moment("restored", "now");
    json_of(&mut restore);
    check_restored(&to, &["bist.audit-key", "evds", "later"]);
}

/// The pieces of the generation `name` of `place`, as its copies are called in the bucket.
fn pieces(place: &Place, name: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = place.data.join("backups/log").join(name);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let pieces = files.filter(|file| text(file).ends_with(".tar.zst.age"));
    let copy = |file: PathBuf| {
        let piece = file.file_name().unwrap().to_str().unwrap();
        (format!("copies/team/log/{name}/{piece}"), fs::read(&file).unwrap())
    };
    pieces.map(copy).collect()
}

#[test]
fn a_bucket_has_every_piece_and_none_of_a_generation_that_ended_long_ago() {
    let bucket = ObjectStore::start();
    // The newest two generations stay, and so does what is no piece.
    let gone = "copies/team/log/bist-20200101T000000Z/base.tar.zst.age";
    let stay = [
        "copies/team/log/bist-20200101T000000Z/notes.txt",
        "copies/team/log/bist-20200102T000000Z/base.tar.zst.age",
    ];
    for name in [gone, stay[0], stay[1]] {
        bucket.put(name, b"of before");
    }
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIAOFTHETEST".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-the-test".to_owned()),
        ("AWS_ENDPOINT_URL", bucket.endpoint()),
    ];
    let settings = "ship_log = true\nship_every_seconds = 50\n\
                    object_store_url = 's3://copies/team'\n";
    let place = Place::with_variables(settings, variables.into());
    let server = place.serve();
    let (log, until) = place.begun_log();
    place.secret("later");
    server.stop();

    let shipped = pieces(&place, &log);
    assert!(shipped.len() >= 2, "a base and a segment: {:?}", shipped.keys());
    // Copies of backups lie beside those of the log.
    let mut copies = bucket.objects();
    copies.retain(|name, _| name.starts_with("copies/team/log/"));
    let names: BTreeSet<&str> = copies.keys().map(String::as_str).collect();
    let expected: BTreeSet<&str> = shipped.keys().map(String::as_str).chain(stay).collect();
    assert_eq!(names, expected);
    for (name, bytes) in &shipped {
        assert!(copies[name] == *bytes, "{name} is another one");
    }

    // Fetched without the note that lies beside the pieces.
    let fetched = place.beside("fetched");
    for (name, bytes) in &copies {
        let file = fetched.join(name.strip_prefix("copies/team/").unwrap());
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    let check = |to: &str, at: &str, secrets: &[&str]| {
        let to = place.beside(to);
        let mut restore = place.restoring(&to);
        let restored = json_of(restore.args(["--from", text(&fetched), "--at", at]));
        assert_eq!(restored["backup"], log);
        check_restored(&to, secrets);
    };
    check("restored", "now", &["bist.audit-key", "evds", "later"]);
    check("before", &until, &["bist.audit-key", "evds"]);
}

#[test]
fn models_and_roots_of_the_audit_that_came_after_the_base_are_restored_of_their_moment() {
    let place = Place::new("ship_log = true\nship_every_seconds = 50\n");
    let server = place.serve();
    let (_, until) = place.begun_log();
    place.json(&["sample", "--symbols", "6", "--years", "3"]);
    // As a server notes one each day.
    let root = place.json(&["audit", "root"])["root"].as_str().unwrap().to_owned();
    let (roots, noted) = ("audit-roots.log", format!("{root} {until}\n"));
    let file = fs::File::options().create(true).append(true).open(place.data.join(roots));
    file.unwrap().write_all(noted.as_bytes()).unwrap();
    let trained = place.json(&["train", "--horizon", "5"]);
    let trained = &trained["items"][0];
    let model = format!("models/{}.json", trained["artifact_sha256"].as_str().unwrap());
    server.stop();

    let read = |data: &Path, name: &str| fs::read(data.join(name)).unwrap();
    let configuration = fs::read(&place.config).unwrap();
    let (to, mut restore) = place.restore_moment("restored", "now");
    let restored = json_of(&mut restore);
    assert!(restored["log"]["number"].as_u64().unwrap() > 0, "{restored}");
    check_restored(&to, &["bist.audit-key", "evds"]);
    assert!(read(&to, &model) == read(&place.data, &model), "{model} is another one");
    let told = String::from_utf8(read(&to, roots)).unwrap();
    assert_eq!(told.as_bytes(), read(&place.data, roots));
    assert!(told.contains(&noted), "{told}");
    assert_eq!(read(&to, "configuration-of-backup.toml"), configuration);
    let shown = json_of(bist(&to).args(["models", "show", "champion", "--horizon", "5"]));
    assert_eq!(shown["id"], trained["id"]);

    let (to, mut restore) = place.restore_moment("before", &until);
    json_of(&mut restore);
    check_restored(&to, &["bist.audit-key", "evds"]);
    assert!(!to.join(&model).exists(), "it was trained later");
    let told = fs::read_to_string(to.join(roots)).unwrap_or_default();
    assert!(!told.contains(&noted), "it was noted later: {told}");
    assert_eq!(read(&to, "configuration-of-backup.toml"), configuration);
}

#[test]
fn the_newest_of_backups_and_logs_that_shows_nothing_later_is_restored() {
    let place = Place::new("");
    let made = place.json(&["backup", "create"]);
    place.secret("later");
    let (to, mut restore) = place.restore_moment("restored", "now");
    let restored = json_of(&mut restore);
    assert_eq!(restored["backup"], made["backup"]);
    check_restored(&to, &["bist.audit-key", "evds"]);
}

#[test]
fn settings_that_could_not_ship_are_refused() {
    let place = Place::new("");
    let check = |settings: &str, expected: &str| {
        place.configure(settings);
        let told = refusal(&mut place.command(&["backup", "list"]));
        assert!(told.contains(expected), "{told}");
    };
    check("[backup]\nship_log = true\n", "backup.ship_log needs backup.recipients");
    check("[backup]\nship_every_seconds = 51\n", "give a number from 1 to 50");
    let recipient = place.generate_key(&place.beside("other.txt"));
    check(
        &format!(
            "database_url = 'postgres://bist@127.0.0.1/none'\n[backup]\n\
             recipients = ['{recipient}']\nship_log = true\n"
        ),
        "backup.ship_log is for SQLite",
    );
    let both = place.command(&["backup", "restore", "x", "--at", "now"]).output().unwrap();
    assert_eq!(both.status.code(), Some(2), "one of them");
    let none = place.command(&["backup", "restore"]).output().unwrap();
    assert_eq!(none.status.code(), Some(2), "one of them");
}
