//! `bist audit`: what was done, by whom, and what is said when it is not what was written.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;

use crate::cli::{bist, json, refusal, text as path_text};
use crate::explain::text;

/// Changes a secret as the user `ayse`.
fn secret(data: &Path, verb: &str, name: &str) {
    let value = data.with_file_name("value");
    fs::write(&value, "s3cr3t").unwrap();
    let mut command = bist(data);
    command.args(["secrets", verb, name, "--from-file", path_text(&value), "--quiet"]);
    let status = command.env("USER", "ayse").stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
}

#[test]
fn records_are_listed_verified_and_fixed_by_a_root() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let nothing = json(&data, &["audit", "verify"]);
    assert_eq!((&nothing["verified"], &nothing["records_count"]), (&true.into(), &0.into()));
    assert!(!data.join("master.key").exists(), "to look needs no key yet");
    assert!(refusal(&data, &["audit", "root"]).contains("nothing was put on record"));
    secret(&data, "set", "evds");
    secret(&data, "set", "kap");
    secret(&data, "rotate", "evds");

    let listed = json(&data, &["audit", "list", "--action", "secret.set"]);
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{listed}");
    assert_eq!(items[1]["actor"], "operator:ayse");
    assert_eq!((&items[1]["subject"], &items[1]["seq"]), (&"secret:evds".into(), &1.into()));
    let table = text(&data, &["audit", "list", "--action", "secret", "--limit", "1"]);
    assert!(table.contains("secret.rotated  operator:ayse  secret:evds\n"), "{table}");
    assert!(table.contains(r#"{"revision":2}"#), "{table}");
    assert!(text(&data, &["audit", "list", "--to", "2020-01-01"]).contains("no such record"));
    let unknown = bist(&data).args(["audit", "list", "--action", "model.eaten"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));

    let file = folder.path().join("root.txt");
    let root = json(&data, &["audit", "root", "--out", path_text(&file)]);
    assert_eq!(root["seq"], 3);
    let root = root["root"].as_str().unwrap();
    assert!(fs::read_to_string(&file).unwrap().starts_with(root));
    let again = refusal(&data, &["audit", "root", "--out", path_text(&file)]);
    assert!(again.contains("is there already"), "{again}");
    let verify = ["audit", "verify", "--root", path_text(&file), "--root", root];
    let verified = json(&data, &verify);
    assert_eq!((&verified["records_count"], &verified["kept_roots_count"]), (&3.into(), &2.into()));
    assert_eq!(verified["root"], root);
    let other = format!("3:{}", "0".repeat(64));
    let refused = refusal(&data, &["audit", "verify", "--root", &other]);
    assert!(refused.contains("record 3: a root that was kept elsewhere says"), "{refused}");
    assert!(refusal(&data, &["audit", "verify", "--root", "3"]).contains("'3' is no root"));
}

#[test]
fn a_byte_that_was_changed_and_a_database_that_was_set_back_are_found() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    secret(&data, "set", "evds");
    let (database, before) = (data.join("bist.sqlite"), folder.path().join("before"));
    fs::copy(&database, &before).unwrap();
    secret(&data, "set", "kap");
    let root = text(&data, &["audit", "root"]);

    let mut bytes = fs::read(&database).unwrap();
    let (word, other) = (b"secret:kap", b"secret:kep");
    let places: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(word)).collect();
    assert!(!places.is_empty());
    let sound = bytes.clone();
    for at in places {
        bytes[at..at + word.len()].copy_from_slice(other);
    }
    fs::write(&database, &bytes).unwrap();
    let refused = refusal(&data, &["audit", "verify"]);
    assert!(refused.contains("record 2: it is not what was written there"), "{refused}");
    let output = bist(&data).args(["audit", "verify", "--json", "--quiet"]).output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["verified"], &told["broken"]["seq"]), (&false.into(), &2.into()));

    fs::write(&database, &sound).unwrap();
    assert!(text(&data, &["audit", "verify"]).contains("as it was written, 2 records"));
    fs::copy(&before, &database).unwrap();
    assert_eq!(json(&data, &["audit", "verify"])["records_count"], 1, "it is as it was once");
    let refused = refusal(&data, &["audit", "verify", "--root", root.trim()]);
    assert!(refused.contains("record 2: it is missing"), "{refused}");
}
