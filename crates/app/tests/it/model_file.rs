//! A version goes to another data directory by a file, whole and unchanged, or not at all.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};

use bist_app::model_file::ModelFileError;
use bist_app::out_file::{Existing, OutFileError};
use bist_app::registry::Asked;
use bist_app::{App, AuditFilter};
use bist_lifecycle::{ModelState, ModelVersion, sha256_hex};
use serde_json::{Value, json};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::experiments::{UNTIL, copy, ingest, open, quiet, tomorrow, trained};

const ASKED: Asked<'static> = Asked { by: "ayse", reason: "the one of the other machine" };

/// The entries of an archive by name.
type Entries = BTreeMap<String, Vec<u8>>;

/// The champion's data directory, and the file that it was exported to.
async fn exported(folder: &TempDir) -> (App, ModelVersion, PathBuf) {
    let data = folder.path().join("from");
    copy(trained(), &data);
    let app = open(&data).await;
    let champion = app.find_model("champion", tomorrow()).await.unwrap();
    let file = folder.path().join("model.zip");
    app.export_model(champion.clone(), &file, Existing::Keep).await.unwrap();
    (app, champion, file)
}

fn entries(file: &Path) -> Entries {
    let mut archive = ZipArchive::new(std::fs::File::open(file).unwrap()).unwrap();
    let mut entries = Entries::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        entries.insert(entry.name().unwrap().into_owned(), bytes);
    }
    entries
}

fn packed(entries: &Entries) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn document(entries: &Entries, name: &str) -> Value {
    serde_json::from_slice(&entries[name]).unwrap()
}

/// Replaces the entry `name` and lets the manifest tell of the new one.
fn replace(entries: &mut Entries, name: &str, bytes: Vec<u8>) {
    let mut manifest = document(entries, "manifest.json");
    manifest["entries"][name] = json!({"sha256": sha256_hex(&bytes), "size_bytes": bytes.len()});
    entries.insert("manifest.json".to_owned(), serde_json::to_vec(&manifest).unwrap());
    entries.insert(name.to_owned(), bytes);
}

/// Changes a document and lets the manifest tell of the new one.
fn edit(entries: &mut Entries, name: &str, change: impl FnOnce(&mut Value)) {
    let mut value = document(entries, name);
    change(&mut value);
    replace(entries, name, serde_json::to_vec(&value).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_the_same_in_another_data_directory() {
    let folder = tempfile::tempdir().unwrap();
    let (from, champion, file) = exported(&folder).await;
    let names: Vec<String> = entries(&file).into_keys().collect();
    let all = ["artifact.json", "changes.json", "manifest.json", "snapshot.json", "version.json"];
    assert_eq!(names, all);
    let again = folder.path().join("again.zip");
    from.export_model(champion.clone(), &again, Existing::Keep).await.unwrap();
    assert_eq!(std::fs::read(&again).unwrap(), std::fs::read(&file).unwrap());
    let kept = from.export_model(champion.clone(), &again, Existing::Keep).await.unwrap_err();
    assert!(
        matches!(kept, ModelFileError::Out(OutFileError::Exists { .. }))
            && kept.to_string().contains("--force")
    );
    from.export_model(champion.clone(), &again, Existing::Replace).await.unwrap();

    let to = open(&folder.path().join("to")).await;
    ingest(&to, UNTIL).await;
    let imported = to.import_model(&file, ASKED).await.unwrap();
    assert!(!imported.was_there);
    let expected = ModelVersion { state: ModelState::Candidate, ..champion.clone() };
    assert_eq!(imported.version, expected);
    assert_eq!(imported.changes_elsewhere.len(), 2, "trained, and put in force");
    let changes = to.state_changes(None).await.unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].signed.reason, "imported from model.zip: the one of the other machine");
    let artifact = format!("models/{}.json", champion.artifact_sha256);
    let bytes = |app: &App| std::fs::read(app.directory().join(&artifact)).unwrap();
    assert_eq!(bytes(&from), bytes(&to));

    let reproduced = to.reproduce_version(&imported.version, quiet()).await.unwrap();
    assert!(reproduced.reproduced, "{reproduced:?}");
    to.promote_model(&imported.version, ASKED).await.unwrap();
    let signals = async |app: &App| {
        let reports = app.make_signals(None, quiet()).await.unwrap().reports;
        serde_json::to_vec(&reports[0].signals).unwrap()
    };
    assert_eq!(signals(&from).await, signals(&to).await);

    let twice = to.import_model(&file, ASKED).await.unwrap();
    assert!(twice.was_there && twice.version.state == ModelState::Champion);
    assert_eq!(to.state_changes(None).await.unwrap().len(), 2, "imported, and put in force");
}

/// What is wrong with a file, and the sentence that says so.
type Fault = (fn(&mut Entries), &'static str);

/// Files that are refused for what is in their entries.
const FAULTS: [Fault; 12] = [
    (
        |entries| entries.get_mut("artifact.json").unwrap()[100] ^= 1,
        "entry manifest.json, field entries.artifact.json.sha256: it is not that of the entry",
    ),
    (
        |entries| entries.get_mut("version.json").unwrap().push(b' '),
        "entry manifest.json, field entries.version.json.size_bytes",
    ),
    (
        |entries| {
            let mut bytes = entries["artifact.json"].clone();
            bytes[100] ^= 1;
            replace(entries, "artifact.json", bytes);
        },
        "entry version.json, field artifact_sha256: it is not that of artifact.json",
    ),
    (
        |entries| {
            edit(entries, "version.json", |version| {
                version["lineage"]["spec"]["ridge_alpha"] = json!(7.5);
            });
        },
        "entry version.json, field id: it is not the name of this lineage and artefact",
    ),
    (
        |entries| {
            edit(entries, "version.json", |version| {
                version.as_object_mut().unwrap().remove("origin");
            });
        },
        "entry version.json cannot be read: missing field `origin`",
    ),
    (
        |entries| {
            edit(entries, "version.json", |version| version["origin"] = json!("sample"));
        },
        "entry version.json, field origin: it learned from sample data, and the data directory holds",
    ),
    (
        |entries| {
            edit(entries, "changes.json", |changes| changes[1]["version"] = json!("another"));
        },
        "entry changes.json, field [1].version: it is another version",
    ),
    (
        |entries| {
            edit(entries, "manifest.json", |manifest| manifest["format_number"] = json!(2));
        },
        "entry manifest.json, field format_number: it is 2, written by bist",
    ),
    (|entries| drop(entries.remove("changes.json")), "it has no entry changes.json"),
    (|entries| drop(entries.remove("manifest.json")), "it has no entry manifest.json"),
    (
        |entries| drop(entries.insert("../bist.sqlite".to_owned(), Vec::new())),
        "it has an entry \"../bist.sqlite\", which no file of a model has",
    ),
    (
        |entries| replace(entries, "changes.json", vec![b' '; (32 << 20) + 1]),
        "entry changes.json unpacks to more than 33554432 bytes",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_changed_or_cut_off_is_refused_by_name_and_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (_, champion, file) = exported(&folder).await;
    let to = open(&folder.path().join("to")).await;
    let refused = async |bytes: &[u8]| {
        let path = folder.path().join("tampered.zip");
        std::fs::write(&path, bytes).unwrap();
        let refused = to.import_model(&path, ASKED).await.unwrap_err().to_string();
        assert!(refused.contains("tampered.zip is refused, and nothing was kept"), "{refused}");
        assert!(to.model_versions().await.unwrap().is_empty(), "{refused}");
        assert!(to.state_changes(None).await.unwrap().is_empty(), "{refused}");
        assert!(!to.directory().join("models").exists(), "{refused}");
        refused
    };
    let whole = std::fs::read(&file).unwrap();
    let no_bars = refused(&whole).await;
    assert!(no_bars.contains("field origin") && no_bars.contains("has no bars yet"), "{no_bars}");
    ingest(&to, UNTIL).await;

    for (fault, sentence) in FAULTS {
        let mut entries = entries(&file);
        fault(&mut entries);
        let told = refused(&packed(&entries)).await;
        assert!(told.contains(sentence), "{told}\nis to say\n{sentence}");
    }
    for cut_off in [&whole[..whole.len() / 2], b"version,artifact\n", b""] {
        let told = refused(cut_off).await;
        assert!(told.contains("it is no whole zip archive"), "{told}");
    }
    let other = packed(&Entries::from([("prices.csv".to_owned(), b"1".to_vec())]));
    assert!(refused(&other).await.contains("it has an entry \"prices.csv\""));

    let why = Asked { by: "ayse", reason: " " };
    assert!(to.import_model(&file, why).await.unwrap_err().to_string().contains("needs a reason"));
    let nowhere = to.import_model(&folder.path().join("nowhere.zip"), ASKED).await.unwrap_err();
    assert!(nowhere.to_string().contains("nowhere.zip cannot be read"), "{nowhere}");
    assert_eq!(to.import_model(&file, ASKED).await.unwrap().version.id, champion.id);
}

#[tokio::test]
async fn a_model_that_leaves_is_on_record_before_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let (app, champion, file) = exported(&folder).await;
    let newest = app.audit_records(&AuditFilter::default(), 1).await.unwrap().remove(0);
    assert_eq!(newest.action, "model.exported");
    assert_eq!(newest.subject, format!("model:{}", champion.id));
    assert!(newest.details.contains("model.zip"), "{}", newest.details);
    // A file that stays is no export.
    app.export_model(champion.clone(), &file, Existing::Keep).await.unwrap_err();
    let trees = folder.path().join("trees.txt");
    app.export_trees(&champion, &trees, Existing::Keep).await.unwrap();
    let records = app.audit_records(&AuditFilter::default(), 2).await.unwrap();
    assert!(records[0].details.contains("lightgbm"), "{}", records[0].details);
    assert_eq!(records[1].seq, newest.seq);
}

#[tokio::test]
async fn a_model_whose_file_was_changed_is_not_exported() {
    let folder = tempfile::tempdir().unwrap();
    copy(trained(), folder.path());
    let app = open(folder.path()).await;
    let champion = app.find_model("champion", tomorrow()).await.unwrap();
    let artifact = folder.path().join(format!("models/{}.json", champion.artifact_sha256));
    let mut bytes = std::fs::read(&artifact).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&artifact, bytes).unwrap();
    let out = folder.path().join("model.zip");
    let refused = app.export_model(champion, &out, Existing::Keep).await.unwrap_err();
    assert!(refused.to_string().contains("SHA-256 differs"), "{refused}");
    assert!(!out.exists());
}
