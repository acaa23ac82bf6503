//! Optuna and we on one journal: what either writes the other reads alike, and both at once lose
//! nothing. Optuna itself takes part where there is a Python that has it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use bist_lifecycle::search_space::{Choice, Distribution};
use bist_lifecycle::study::{
    FrozenTrial, NewTrial, Param, StudyDirection, StudyId, StudyStorage, TrialId, TrialState,
};
use bist_store::JournalStorage;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::dump::dump;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn golden_json(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(golden(name)).unwrap()).unwrap()
}

/// Opens a copy, so that nothing can happen to the file.
fn open_golden(folder: &TempDir, name: &str) -> JournalStorage {
    let copy = folder.path().join("copy.log");
    fs::copy(golden(name), &copy).unwrap();
    JournalStorage::open(&copy).unwrap()
}

#[test]
fn a_journal_by_optuna_is_read_value_by_value() {
    let folder = TempDir::new().unwrap();
    let storage = open_golden(&folder, "optuna_journal.log");
    assert_eq!(dump(&storage), golden_json("optuna_journal.json"));

    // It goes on where Optuna left off: the waiting trial is taken, the new one gets the next id.
    let study = storage.find_study("çalışma").unwrap().unwrap().id;
    let claimed = storage.claim_waiting(study, at(0)).unwrap().unwrap();
    assert_eq!(claimed.system_attrs["fixed_params"], json!({ "a": "waits", "x": 0.75 }));
    let made = storage.create_trial(study, NewTrial::Running, at(0)).unwrap();
    assert_eq!((made.id, made.number), (TrialId(22), 16));
}

fn at(us: i64) -> Timestamp {
    Timestamp::from_microsecond(1_795_000_000_000_000 + us).unwrap()
}

fn param(distribution: Distribution, internal: f64) -> Param {
    Param { distribution, internal }
}

/// Everything that can be said of studies, said to `storage`.
fn say_everything(storage: &dyn StudyStorage) {
    let kinds = Distribution::Categorical {
        choices: vec![
            Choice::Text("ağaç \"1\"".to_owned()),
            Choice::Int(3),
            Choice::Float(1e-5),
            Choice::Bool(false),
            Choice::Null,
        ],
    };
    let stepped = Distribution::Float { low: 0.0, high: 1.0, log: false, step: Some(0.25) };
    let even = Distribution::Int { low: -4, high: 4, log: false, step: 2 };
    let one = storage.create_study("çalışma", &[StudyDirection::Maximize]).unwrap();
    storage
        .set_study_user_attr(one, "ölçü", &json!({ "a": [1, 1e-7, null], "b": "😀\n" }))
        .unwrap();
    storage.set_study_system_attr(one, "study:metric_names", &json!(["rank_ic"])).unwrap();
    let system_attrs = BTreeMap::from([("fixed_params".to_owned(), json!({ "x": 0.5 }))]);
    for _ in 0..2 {
        let user_attrs = BTreeMap::from([("from".to_owned(), json!("İzmir"))]);
        let system_attrs = system_attrs.clone();
        storage.create_trial(one, NewTrial::Waiting { system_attrs, user_attrs }, at(0)).unwrap();
    }
    let claimed = storage.claim_waiting(one, at(1)).unwrap().unwrap();
    for (name, param) in [
        ("x", param(Distribution::float(-1.0, 1.0), 0.5)),
        ("rate", param(Distribution::log_float(1e-8, 1.0), 2.5e-7)),
        ("share", param(stepped, 0.75)),
        ("leaves", param(Distribution::log_int(2, 4096), 64.0)),
        ("even", param(even, -2.0)),
        ("kind", param(kinds.clone(), 2.0)),
    ] {
        storage.set_param(claimed.id, name, &param).unwrap();
    }
    for (step, value) in [(0, f64::NAN), (1, f64::INFINITY), (2, -1e16), (3, 0.1 + 0.2)] {
        storage.report(claimed.id, step, value).unwrap();
    }
    storage.set_trial_user_attr(claimed.id, "se", &json!(0.01)).unwrap();
    storage.set_trial_system_attr(claimed.id, "bist:heartbeat", &json!("now")).unwrap();
    storage.finish(claimed.id, TrialState::Complete, Some(&[0.125]), at(2)).unwrap();

    let gone = storage.create_study("gone", &[StudyDirection::Minimize]).unwrap();
    storage.create_trial(gone, NewTrial::Running, at(3)).unwrap();
    storage.delete_study(gone).unwrap();
    let two =
        storage.create_study("two", &[StudyDirection::Minimize, StudyDirection::Maximize]).unwrap();
    for (state, values) in [
        (TrialState::Complete, Some(&[1.0, f64::NEG_INFINITY][..])),
        (TrialState::Pruned, None),
        (TrialState::Fail, None),
    ] {
        let trial = storage.create_trial(two, NewTrial::Running, at(4)).unwrap();
        storage.set_param(trial.id, "x", &param(Distribution::int(1, 9), 3.0)).unwrap();
        storage.finish(trial.id, state, values, at(5)).unwrap();
    }
    storage.create_trial(two, NewTrial::Running, at(6)).unwrap();
    let elsewhere = FrozenTrial {
        id: TrialId(0),
        number: 0,
        state: TrialState::Pruned,
        values: Some(vec![0.5]),
        params: BTreeMap::from([("kind".to_owned(), param(kinds, 4.0))]),
        intermediate_values: BTreeMap::from([(9, 0.5), (10, f64::NAN)]),
        user_attrs: BTreeMap::from([("a".to_owned(), json!(true))]),
        system_attrs: BTreeMap::new(),
        started_at: Some(at(-9)),
        completed_at: Some(at(-8)),
    };
    storage.create_trial(one, NewTrial::Finished(Box::new(elsewhere)), at(7)).unwrap();
}

/// The text of a journal with `W` for the id of every worker.
fn without_worker_ids(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| {
        let (before, rest) = line.split_once("\"worker_id\":\"").unwrap();
        let (_, after) = rest.split_once('"').unwrap();
        format!("{before}\"worker_id\":\"W\"{after}\n")
    });
    lines.collect()
}

#[test]
fn what_we_write_is_the_reviewed_journal_and_optuna_reads_it_as_we_do() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ours.log");
    let storage = JournalStorage::open(&path).unwrap();
    say_everything(&storage);
    let written = without_worker_ids(&path);
    if std::env::var_os("BIST_UPDATE_SNAPSHOTS").is_some_and(|value| value == "1") {
        fs::write(golden("ours_journal.log"), &written).unwrap();
    }
    let reviewed = fs::read_to_string(golden("ours_journal.log")).unwrap();
    assert_eq!(written, reviewed, "run with BIST_UPDATE_SNAPSHOTS=1 and then optuna_dump.py");
    // Made from that file by optuna_dump.py.
    assert_eq!(dump(&storage), golden_json("ours_journal.json"));
}

/// A Python that has Optuna 5: `BIST_OPTUNA_PYTHON`, or the one on the path.
#[expect(clippy::print_stdout, reason = "says why a test has nothing to do")]
fn python() -> Option<Command> {
    let program = std::env::var_os("BIST_OPTUNA_PYTHON").unwrap_or_else(|| "python3".into());
    let has_optuna = Command::new(&program)
        .args(["-c", "import optuna; assert optuna.__version__.startswith('5.')"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !has_optuna {
        println!("skipped: {} has no Optuna 5 (BIST_OPTUNA_PYTHON=PYTHON)", program.display());
    }
    has_optuna.then(|| Command::new(program))
}

/// What a script of the golden folder prints as JSON.
fn printed(mut python: Command, script: &str, journal: &Path) -> Value {
    let output = python.arg(golden(script)).arg(journal).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn optuna_and_its_dashboard_open_what_we_write() {
    let Some(python) = python() else { return };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ours.log");
    let storage = JournalStorage::open(&path).unwrap();
    say_everything(&storage);
    assert_eq!(printed(python, "optuna_dump.py", &path), dump(&storage));

    let python = self::python().unwrap();
    let has_dashboard = Command::new(python.get_program())
        .args(["-c", "import optuna_dashboard"])
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success();
    if !has_dashboard {
        return println!("skipped: that Python has no optuna-dashboard");
    }
    assert_eq!(
        printed(python, "optuna_dashboard_check.py", &path),
        json!([{ "name": "çalışma", "trials_count": 3 }, { "name": "two", "trials_count": 4 }])
    );
}

/// A worker in Python, told what to do line by line.
struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Worker {
    fn start(mut python: Command, journal: &Path, study: &str) -> Self {
        let mut child = python
            .arg(golden("optuna_worker.py"))
            .arg(journal)
            .arg(study)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut worker = Self { child, stdin, stdout };
        assert_eq!(worker.line(), "ready\n");
        worker
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    fn begin(&mut self, trials_count: u32) {
        writeln!(self.stdin, "run {trials_count}").unwrap();
    }

    /// The numbers of the trials that it ran.
    fn ran(&mut self) -> Vec<u64> {
        serde_json::from_str(&self.line()).unwrap()
    }

    fn end(self) {
        let Self { mut child, stdin, .. } = self;
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }
}

/// Runs trials as the worker in Python does, waiting ones first; returns their numbers.
fn run(storage: &dyn StudyStorage, study: StudyId, trials_count: u32) -> Vec<u64> {
    (0..trials_count)
        .map(|_| {
            let claimed = storage.claim_waiting(study, at(1)).unwrap();
            let trial = claimed
                .unwrap_or_else(|| storage.create_trial(study, NewTrial::Running, at(1)).unwrap());
            let fixed =
                trial.system_attrs.get("fixed_params").and_then(|fixed| fixed["x"].as_f64());
            let x = param(Distribution::float(-5.0, 5.0), fixed.unwrap_or(1.5));
            storage.set_param(trial.id, "x", &x).unwrap();
            storage.set_param(trial.id, "n", &param(Distribution::int(1, 9), 3.0)).unwrap();
            storage.set_trial_user_attr(trial.id, "worker", &json!("rust")).unwrap();
            storage.report(trial.id, 0, x.internal).unwrap();
            let value = x.internal * x.internal + 3.0;
            storage.finish(trial.id, TrialState::Complete, Some(&[value]), at(2)).unwrap();
            trial.number
        })
        .collect()
}

#[test]
fn optuna_and_we_continue_one_study_in_turns_and_at_once() {
    let Some(python) = python() else { return };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shared.log");
    let storage = JournalStorage::open(&path).unwrap();
    let study = storage.create_study("shared", &[StudyDirection::Minimize]).unwrap();
    let mut worker = Worker::start(python, &path, "shared");

    // In turns.
    let (mut by_python, mut by_us) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        worker.begin(2);
        by_python.extend(worker.ran());
        by_us.extend(run(&storage, study, 2));
    }
    assert_eq!(by_python, [0, 1, 4, 5, 8, 9, 12, 13, 16, 17]);
    assert_eq!(by_us, [2, 3, 6, 7, 10, 11, 14, 15, 18, 19]);

    // At once, on 60 that wait and 120 new ones.
    for index in 0..60_u32 {
        let fixed = json!({ "x": f64::from(index) / 100.0, "n": 3 });
        let system_attrs = BTreeMap::from([("fixed_params".to_owned(), fixed)]);
        let waiting = NewTrial::Waiting { system_attrs, user_attrs: BTreeMap::new() };
        storage.create_trial(study, waiting, at(0)).unwrap();
    }
    worker.begin(90);
    by_us.extend(run(&storage, study, 90));
    by_python.extend(worker.ran());
    worker.end();

    let trials = storage.trials_after(study, 0, &[]).unwrap();
    assert_eq!(trials.len(), 200);
    let mut all = [by_python.clone(), by_us].concat();
    all.sort_unstable();
    assert_eq!(all, (0..200).collect::<Vec<_>>(), "each trial was run, and once");
    for trial in &trials {
        let worker = if by_python.contains(&trial.number) { "python" } else { "rust" };
        assert_eq!(trial.user_attrs["worker"], worker);
        assert_eq!(trial.state, TrialState::Complete);
        let (x, n) = (trial.params["x"].internal, trial.params["n"].internal);
        assert_eq!(trial.values.as_deref(), Some(&[x * x + n][..]));
        if let Some(fixed) = trial.system_attrs.get("fixed_params") {
            assert_eq!(fixed["x"], json!(x));
        }
    }
    assert_eq!(printed(self::python().unwrap(), "optuna_dump.py", &path), dump(&storage));
}
