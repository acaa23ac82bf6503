//! `bist backup`: made, read again, restored; refused with a sentence; killed, and on a disk that is
//! full.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bist_testkit::postgres_database::PostgresDatabase;
use serde_json::{Value, json};

use crate::backed_up::{PLANTED, Place, check_restored, json_of, records, refusal};
use crate::cli::{bist, text};

impl Place {
    fn create(&self) -> String {
        let made = self.json(&["backup", "create"]);
        made["backup"].as_str().unwrap().to_owned()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.data.join("backups").join(name)
    }

    /// Restores the backup `name` to the data directory `to`, which has the master key.
    fn restore(&self, name: &str, to: &Path, more: &[&str]) -> Command {
        let mut command = self.restoring(to);
        command.arg(self.file(name)).args(more);
        command
    }
}

fn is_empty(folder: &Path) -> bool {
    !folder.join("bist.sqlite").exists() && !folder.join("models").exists()
}

#[test]
fn a_backup_is_made_listed_verified_and_restored_and_all_of_it_is_on_record() {
    let place = Place::new("");
    let name = place.create();
    place.secret("later");
    assert_eq!(records(&place.data), ["backup.created"]);
    let listed = place.json(&["backup", "list"]);
    assert_eq!(listed["items"][0]["name"], name.as_str());
    assert_eq!(listed["items"][0]["verified_at"], Value::Null);
    let identity = ["--identity", text(&place.identity)];
    let verify = [&["backup", "verify", &name][..], &identity].concat();
    let verified = place.json(&verify);
    assert_eq!(verified["backup"], name.as_str());
    let listed = place.json(&["backup", "list"]);
    assert!(listed["items"][0]["verified_at"].is_string(), "{listed}");
    let tried = place.json(&[&verify[..], &["--restore"]].concat());
    assert_eq!(tried["tables"], verified["tables"]);

    let to = place.beside("restored");
    let restored = json_of(&mut place.restore(&name, &to, &[]));
    assert_eq!(restored["created_at"], verified["created_at"]);
    assert_eq!(records(&to), ["backup.restored"], "what was made is later than itself");
    check_restored(&to, &["bist.audit-key", "evds"]);
    let value = json_of(bist(&to).args(["secrets", "get", "evds"]));
    assert_eq!(value["value"], PLANTED);
    let config = fs::read_to_string(to.join("configuration-of-backup.toml")).unwrap();
    assert_eq!(config, fs::read_to_string(&place.config).unwrap());

    let told = refusal(&mut place.restore(&name, &to, &[]));
    assert!(told.contains("holds a database") && told.contains("--replace"), "{told}");
    let replaced = json_of(&mut place.restore(&name, &place.data, &["--replace"]));
    assert_eq!(replaced["moved_aside"].as_array().unwrap().len(), 1, "{replaced}");
    assert_eq!(records(&place.data), ["backup.restored"]);
}

#[test]
fn what_cannot_be_done_is_refused_with_a_sentence_and_leaves_nothing() {
    let place = Place::new("");
    let told = refusal(bist(&place.data).args(["backup", "create"]));
    assert!(told.contains("backup.recipients"), "{told}");
    let name = place.create();
    let told = refusal(&mut place.command(&["backup", "verify", &name]));
    assert!(told.contains("--identity FILE"), "{told}");
    let told = refusal(&mut place.command(&["backup", "verify", "other", "--identity", "nothing"]));
    assert!(told.contains("the identity nothing cannot be read"), "{told}");
    let identity = text(&place.identity);
    let told = refusal(&mut place.command(&["backup", "verify", "x", "--identity", identity]));
    assert!(told.contains("there is no backup 'x'"), "{told}");
    let key = text(&place.identity).to_owned();
    let told = refusal(&mut place.command(&["backup", "generate-key", "--out", &key]));
    assert!(told.contains("is there already"), "{told}");

    let other = place.beside("other.txt");
    place.generate_key(&other);
    let to = place.beside("restored");
    fs::create_dir(&to).unwrap();
    let give_key = || fs::copy(place.data.join("master.key"), to.join("master.key")).unwrap();
    give_key();
    let with = |identity: &Path| {
        let file = place.file(&name);
        let mut command = bist(&to);
        command.args(["backup", "restore", text(&file), "--identity", text(identity)]);
        command
    };
    let told = refusal(&mut with(&other));
    assert!(told.contains("is not opened by this identity"), "{told}");
    assert!(is_empty(&to));
    // Without the master key nothing could be put on record.
    fs::remove_file(to.join("master.key")).unwrap();
    let told = refusal(&mut with(&place.identity));
    assert!(told.contains("no master key is configured"), "{told}");
    assert!(is_empty(&to));
    give_key();
    let whole = fs::read(place.file(&name)).unwrap();
    for changed in [&whole[..whole.len() - 1], &whole[..100]] {
        fs::write(place.file(&name), changed).unwrap();
        let told = refusal(&mut with(&place.identity));
        assert!(told.contains("is not the backup that was written"), "{told}");
        assert!(is_empty(&to));
    }
    fs::write(place.file(&name), whole).unwrap();
    json_of(&mut with(&place.identity));
    assert_eq!(records(&to), ["backup.restored"]);
}

#[test]
fn no_secret_is_found_in_an_archive_nor_in_what_it_holds() {
    let place = Place::new("");
    let name = place.create();
    let archive = fs::read(place.file(&name)).unwrap();
    check_clean("the archive", &archive);
    // As age, zstd and tar open it, without this program.
    let identities = age::IdentityFile::from_file(text(&place.identity).to_owned()).unwrap();
    let identities = identities.into_identities().unwrap();
    let decryptor = age::Decryptor::new(archive.as_slice()).unwrap();
    let packed = decryptor.decrypt(identities.iter().map(|key| key.as_ref() as _)).unwrap();
    let mut entries = tar::Archive::new(zstd::Decoder::new(packed).unwrap());
    let mut names = Vec::new();
    for entry in entries.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        check_clean(&name, &bytes);
        if name == "bist.sqlite" {
            assert!(bytes.windows(4).any(|window| window == b"evds"), "the name is there");
        }
        names.push(name);
    }
    assert_eq!(names, ["manifest.json", "bist.sqlite", "configuration.toml"]);
    let key = fs::read_to_string(place.data.join("master.key")).unwrap();
    assert!(!archive.windows(key.trim().len()).any(|window| window == key.trim().as_bytes()));
}

#[track_caller]
fn check_clean(what: &str, bytes: &[u8]) {
    let hex: String = PLANTED.bytes().map(|byte| format!("{byte:02x}")).collect();
    let utf_16: Vec<u8> = PLANTED.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for form in [PLANTED.as_bytes().to_vec(), hex.into_bytes(), utf_16] {
        let found = bytes.windows(form.len()).any(|window| window == form);
        assert!(!found, "the value is found in {what}");
    }
}

#[test]
fn the_run_that_made_a_backup_is_ended_in_it_and_nobody_makes_another_one() {
    let place = Place::new("");
    let made = place.json(&["jobs", "run", "backup", "--reason", "a try"]);
    assert_eq!(made["state"], "done", "{made}");
    let listed = place.json(&["backup", "list"]);
    let name = listed["items"][0]["name"].as_str().unwrap();
    let to = place.beside("restored");
    json_of(&mut place.restore(name, &to, &[]));

    let listed = json_of(bist(&to).args(["jobs", "list", "backup"]));
    let runs = listed["items"].as_array().unwrap();
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!((&runs[0]["id"], &runs[0]["state"]), (&made["id"], &json!("cancelled")));
    let detail = runs[0]["detail"].as_str().unwrap();
    assert!(detail.contains(name) && detail.ends_with("and ended it"), "{detail}");
    assert!(runs[0]["finished_at"].is_string(), "{}", runs[0]);
    let records = json_of(bist(&to).args(["audit", "list", "--action", "backup.restored"]));
    assert_eq!(records["items"][0]["details"]["ended_runs"], json!([made["id"]]), "{records}");
}

/// Begins `command` and kills it as soon as `is_time`, unless it ends before.
fn kill_when(mut command: Command, is_time: impl Fn() -> bool) {
    let mut child =
        command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).spawn().unwrap();
    while child.try_wait().unwrap().is_none() {
        if is_time() {
            child.kill().unwrap();
        }
        std::thread::yield_now();
    }
}

/// Whether a file whose name begins so is in `folder`.
fn has(folder: &Path, name: &str) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with(name))
}

#[test]
fn a_backup_that_is_killed_is_whole_or_not_there() {
    let place = Place::new("");
    let work = place.data.join("backups/.backup-work");
    for file in ["", "bist.sqlite", "bist.sqlite-wal", "configuration.toml", ".tmp"] {
        kill_when(place.command(&["backup", "create"]), || has(&work, file));
        let listed = place.json(&["backup", "list"]);
        for item in listed["items"].as_array().unwrap() {
            let name = item["name"].as_str().unwrap();
            let identity = text(&place.identity);
            place.json(&["backup", "verify", name, "--identity", identity]);
        }
    }
    assert!(!records(&place.data).contains(&"backup.restored".to_owned()));
    place.create();
    assert!(!work.exists(), "what was left is gone");
}

#[test]
fn a_restore_that_is_killed_is_done_or_can_be_begun_again() {
    let place = Place::new("");
    let name = place.create();
    for (number, file) in ["", "bist.sqlite", "bist.sqlite-wal", "configuration"].iter().enumerate()
    {
        let to = place.beside(&format!("restored-{number}"));
        let work = to.join(".restore-work");
        kill_when(place.restore(&name, &to, &[]), || has(&work, file));
        if !to.join("bist.sqlite").exists() {
            json_of(&mut place.restore(&name, &to, &[]));
        }
        assert_eq!(records(&to), ["backup.restored"], "killed at {file}");
        assert!(!work.exists() || has(&work, "") || work.read_dir().unwrap().next().is_none());
    }
}

/// Runs `command` while somebody holds the lock at `path`, who is done as soon as it says that it waits.
#[track_caller]
fn check_that_waits(path: &Path, command: &mut Command) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let lock = File::options().create(true).append(true).open(path).unwrap();
    lock.lock().unwrap();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let waits = |line: &String| line.contains("another bist process");
    let first = said.find(waits).expect("it says what it waits for");
    assert!(first.contains("15 minutes at most"), "{first}");
    drop(lock);
    assert_eq!(said.filter(waits).count(), 0, "it is said once");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_command_waits_for_who_is_at_work_says_so_once_and_goes_on() {
    let place = Place::new("");
    let lock = place.data.join("backups/.backup-work.lock");
    check_that_waits(&lock, &mut place.command(&["backup", "create"]));
    let listed = place.json(&["backup", "list"]);
    let name = listed["items"][0]["name"].as_str().unwrap();
    let to = place.beside("restored");
    let mut restore = place.restore(name, &to, &[]);
    check_that_waits(&to.join(".restore-work.lock"), &mut restore);
    assert_eq!(records(&to), ["backup.restored"]);
    let verify = ["backup", "verify", name, "--restore", "--identity", text(&place.identity)];
    let lock = place.data.join("backups/.restore-work.lock");
    check_that_waits(&lock, &mut place.command(&verify));
}

/// No file of the child may be larger than 64 KiB, which is told to it as a full disk is.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_is_told_and_leaves_no_half_backup_and_no_half_restore() {
    let place = Place::new("");
    let limited = |command: &Command| {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -f 64; exec \"$0\" \"$@\""]);
        shell.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        // What counts which lines were reached writes a file too, which would not fit either.
        shell.env("LLVM_PROFILE_FILE", "/dev/null");
        shell
    };
    let told = refusal(&mut limited(&place.command(&["backup", "create"])));
    assert!(told.contains("full"), "{told}");
    assert_eq!(place.json(&["backup", "list"])["items"].as_array().unwrap().len(), 0);
    let name = place.create();
    let to = place.beside("restored");
    let told = refusal(&mut limited(&place.restore(&name, &to, &[])));
    assert!(told.contains("full"), "{told}");
    assert!(is_empty(&to));
    json_of(&mut place.restore(&name, &to, &[]));
    assert_eq!(records(&to), ["backup.restored"]);
}

#[test]
fn a_backup_goes_to_an_empty_database_of_postgresql_and_comes_back() {
    let Some(database) = PostgresDatabase::make() else { return };
    let place = Place::new("");
    let name = place.create();
    let to = place.beside("restored");
    let url = database.url();
    let with = |command: &mut Command| {
        command.env("BIST_DATABASE_URL", &url);
        json_of(command)
    };
    with(&mut place.restore(&name, &to, &[]));
    let verified = with(bist(&to).args(["audit", "verify"]));
    assert_eq!(verified["verified"], true, "{verified}");
    let records = with(bist(&to).args(["audit", "list", "--action", "backup.restored"]));
    assert_eq!(records["items"].as_array().unwrap().len(), 1);
    let mut again = place.restore(&name, &to, &[]);
    let told = refusal(again.env("BIST_DATABASE_URL", &url));
    assert!(told.contains("is not empty"), "{told}");
    let mut again = place.restore(&name, &to, &["--replace"]);
    let told = refusal(again.env("BIST_DATABASE_URL", &url));
    assert!(told.contains("make an empty one"), "{told}");

    let made = with(bist(&to).args(["backup", "create", "--config", text(&place.config)]));
    assert_eq!(made["database"], "postgresql");
    let back = place.beside("back");
    fs::create_dir(&back).unwrap();
    fs::copy(to.join("master.key"), back.join("master.key")).unwrap();
    let file = to.join("backups").join(made["backup"].as_str().unwrap());
    let identity = text(&place.identity);
    json_of(bist(&back).args(["backup", "restore", text(&file), "--identity", identity]));
    let restored = json_of(bist(&back).args(["audit", "list", "--action", "backup.restored"]));
    assert_eq!(restored["items"].as_array().unwrap().len(), 2);
    assert_eq!(json_of(bist(&back).args(["audit", "verify"]))["verified"], true);
}
