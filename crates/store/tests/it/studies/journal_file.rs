//! Journals whose writers died, were refused, or were not us.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bist_lifecycle::search_space::Distribution;
use bist_lifecycle::study::{
    FrozenTrial, NewTrial, Param, StudyDirection, StudyId, StudyStorage, TrialId,
};
use bist_store::JournalStorage;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

const STUDY: StudyId = StudyId(0);
const TRIAL: TrialId = TrialId(0);

/// A record that another worker appends.
const RECORD: &str =
    r#"{"op_code":8,"worker_id":"other-1","trial_id":0,"user_attr":{"\u00f6":{"a":["}",1]}}}"#;

/// A journal with a study and a running trial.
struct Journal {
    folder: TempDir,
    storage: JournalStorage,
}

impl Journal {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let storage = JournalStorage::open(&folder.path().join("a.log")).unwrap();
        assert_eq!(storage.create_study("a", &[StudyDirection::Minimize]).unwrap(), STUDY);
        storage.create_trial(STUDY, NewTrial::Running, Timestamp::UNIX_EPOCH).unwrap();
        Self { folder, storage }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.log")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    /// What another program writes at the end of the file.
    fn append(&self, bytes: &[u8]) {
        fs::OpenOptions::new().append(true).open(self.path()).unwrap().write_all(bytes).unwrap();
    }

    /// The trial as this handle and as a new one sees it.
    #[track_caller]
    fn trial(&self) -> Arc<FrozenTrial> {
        let trial = self.storage.trials_after(STUDY, 0, &[]).unwrap().remove(0);
        let again = JournalStorage::open(&self.path()).unwrap();
        assert_eq!(again.trials_after(STUDY, 0, &[]).unwrap()[0], trial);
        trial
    }

    /// What reading and then writing say, where the line `number` is damaged.
    #[track_caller]
    fn is_refused(&self, number: usize) {
        let place = format!("{}:{number}: the line is damaged (", self.path().display());
        let error = self.storage.report(TRIAL, 0, 0.5).unwrap_err().to_string();
        assert!(error.starts_with(&place), "{error}");
        assert!(error.contains("restore the journal from a copy"), "{error}");
    }
}

#[track_caller]
fn has_whole_lines(text: &str) {
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

#[test]
fn a_torn_record_is_passed_over_and_removed_by_the_next_writer() {
    for length in 1..RECORD.len() {
        let journal = Journal::new();
        let before = journal.text();
        journal.append(&RECORD.as_bytes()[..length]);
        assert!(journal.trial().user_attrs.is_empty());
        assert_eq!(
            fs::read(journal.path()).unwrap().len(),
            before.len() + length,
            "not by readers"
        );
        journal.storage.report(TRIAL, 0, 0.5).unwrap();
        let after = journal.text();
        assert!(after.starts_with(&before));
        assert_eq!(after.lines().count(), 3);
        has_whole_lines(&after);
        assert_eq!(journal.trial().intermediate_values[&0].to_bits(), 0.5_f64.to_bits());
    }
}

#[test]
fn a_whole_record_without_its_end_of_line_is_kept() {
    let journal = Journal::new();
    journal.append(RECORD.as_bytes());
    assert!(journal.trial().user_attrs.is_empty(), "it may still be written");
    journal.storage.report(TRIAL, 0, 0.5).unwrap();
    has_whole_lines(&journal.text());
    assert_eq!(journal.trial().user_attrs["ö"], json!({ "a": ["}", 1] }));
}

#[test]
fn a_record_after_the_beginning_of_another_counts_and_is_freed_of_it() {
    for length in 1..RECORD.len() {
        let journal = Journal::new();
        journal.append(&RECORD.as_bytes()[..length]);
        // Optuna appends without looking at what is there.
        journal.append(format!("{RECORD}\n").as_bytes());
        journal.append(b"{\"op_code\":7,\"worker_id\":\"b\",\"trial_id\":0,\"step\":1,\"intermediate_value\":Infinity}\n");
        assert_eq!(journal.trial().user_attrs["ö"], json!({ "a": ["}", 1] }));
        assert!(journal.trial().intermediate_values[&1].is_infinite());
        journal.storage.set_study_user_attr(STUDY, "a", &json!(1)).unwrap();
        let text = journal.text().replace("Infinity", "null");
        has_whole_lines(&text);
        let freed = format!("\n{}{RECORD}\n", " ".repeat(length));
        assert_eq!(text.matches(&freed).count(), 1);
    }
}

#[test]
fn a_damaged_line_is_refused_with_its_number() {
    for damage in [
        "{\"op_code\":7,\"worker_id\":\"b\",\"trial_id\":0}",
        "{\"op_code\":7,\"worker_id\":\"b\",\"trial_id\":0,\"step\":-1,\"intermediate_value\":1}",
        "{\"op_code\":6,\"worker_id\":\"b\",\"trial_id\":0,\"state\":9,\"values\":null}",
        "{\"op_code\":8,\"worker_id\":\"b\",\"trial_id\":0,\"system_attr\":{},\"user_attr\":{}}",
        "{\"op_code\":5,\"worker_id\":\"b\",\"trial_id\":0,\"param_name\":\"x\",\"param_value_internal\":0,\"distribution\":\"{}\"}",
        "{\"op_code\":0,\"worker_id\":\"b\",\"study_name\":\"b\",\"directions\":[0]}",
        "prices",
        "",
        "[1]",
    ] {
        let journal = Journal::new();
        journal.append(format!("{damage}\n").as_bytes());
        journal.is_refused(3);
        journal.append(format!("{RECORD}\n").as_bytes());
        journal.is_refused(3);
        let read = journal.storage.studies().unwrap_err().to_string();
        assert!(read.contains("a.log:3: "), "{read}");
        let opened = JournalStorage::open(&journal.path()).unwrap_err().to_string();
        assert_eq!(opened, read);
    }
    let journal = Journal::new();
    journal.append(b"\xff\xfe\n");
    journal.append(format!("{RECORD}\n").as_bytes());
    journal.is_refused(3);
}

#[test]
fn what_optuna_refuses_to_others_and_does_not_know_yet_changes_nothing() {
    let journal = Journal::new();
    let distribution = Distribution::float(0.0, 1.0);
    let param = Param { distribution, internal: 0.5 };
    journal.storage.set_param(TRIAL, "x", &param).unwrap();
    let before = journal.trial();
    for line in [
        r#"{"op_code":10,"worker_id":"b","trial_ids":[0]}"#,
        r#"{"op_code":99,"worker_id":"b"}"#,
        r#"{"op_code":0,"worker_id":"b","study_name":"a","directions":[2]}"#,
        r#"{"op_code":1,"worker_id":"b","study_id":7}"#,
        r#"{"op_code":4,"worker_id":"b","study_id":7,"datetime_start":null}"#,
        r#"{"op_code":6,"worker_id":"b","trial_id":7,"state":1,"values":[1.0],"datetime_complete":null}"#,
        r#"{"op_code":6,"worker_id":"b","trial_id":0,"state":0,"values":null,"datetime_start":null}"#,
        r#"{"op_code":5,"worker_id":"b","trial_id":0,"param_name":"x","param_value_internal":1.0,"distribution":"{\"name\": \"IntDistribution\", \"attributes\": {\"log\": false, \"step\": 1, \"low\": 0, \"high\": 1}}"}"#,
    ] {
        journal.append(format!("{line}\n").as_bytes());
        assert_eq!(journal.trial(), before, "{line}");
    }
    assert_eq!(journal.storage.studies().unwrap().len(), 1);
    let next = journal.storage.create_trial(STUDY, NewTrial::Running, Timestamp::UNIX_EPOCH);
    assert_eq!(next.unwrap().id, TrialId(1));
}

#[test]
fn a_file_that_became_shorter_is_not_read_on() {
    let journal = Journal::new();
    fs::write(journal.path(), "").unwrap();
    let error = journal.storage.report(TRIAL, 0, 0.5).unwrap_err().to_string();
    assert!(error.contains("another program has replaced it"), "{error}");
    assert_eq!(journal.text(), "");
}

#[test]
fn a_folder_that_is_not_there_is_told_with_the_file() {
    let error = JournalStorage::open(Path::new("/nowhere/at/all.log")).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/at/all.log: the journal cannot be made: "), "{error}");
}
