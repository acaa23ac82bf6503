//! The binary as a user meets it: commands, what they print, and what they say when they refuse.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use bist_market::calendar::Calendar;
use jiff::civil::{Date, date};
use serde_json::Value;
use tempfile::TempDir;

/// The binary, free of settings that the environment may hold.
pub(crate) fn bist(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bist"));
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "BIST_BIND",
        "BIST_CONFIG",
        "BIST_CORS_ORIGINS",
        "BIST_MASTER_KEY_FD",
        "BIST_MASTER_KEY_FILE",
        "BIST_OBJECT_STORE_URL",
        "BIST_PUBLIC_URL",
        "BIST_REDIS_URL",
        "BIST_ROLE",
        "BIST_TLS_CERT",
        "BIST_TLS_KEY",
        "BIST_TRUSTED_PROXIES",
        "CREDENTIALS_DIRECTORY",
        "RUST_LOG",
    ] {
        command.env_remove(name);
    }
    command.env("BIST_DATA_DIR", data);
    command
}

fn run(data: &Path, args: &[&str]) -> Output {
    bist(data).args(args).output().unwrap()
}

/// Runs a command that must succeed and returns its JSON document.
#[track_caller]
pub(crate) fn json(data: &Path, args: &[&str]) -> Value {
    let output = bist(data).args(args).args(["--json", "--quiet"]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs a command that must be refused: exit 1, one sentence on standard error, nothing on standard
/// output. Returns it.
#[track_caller]
pub(crate) fn refusal(data: &Path, args: &[&str]) -> String {
    let output = bist(data).args(args).arg("--quiet").output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}: {errors}");
    // Rows that it is about may follow, indented.
    let sentences = errors.lines().filter(|line| !line.starts_with("  ")).count();
    assert_eq!(sentences, 1, "one sentence: {errors}");
    assert!(output.stdout.is_empty(), "nothing on standard output");
    errors.trim_end().to_owned()
}

/// A file of `rows_count` sound daily bars that begins in 2024.
fn csv(folder: &Path, name: &str, rows_count: usize) -> PathBuf {
    let mut text = "date,open,high,low,close,volume\n".to_owned();
    let sessions = Calendar::bist().sessions(date(2024, 1, 2), date(2026, 6, 30));
    for (i, (day, _)) in (0_u32..).zip(sessions.take(rows_count)) {
        let close = 1000 + i % 37;
        let (high, low) = (close + 5, close - 5);
        writeln!(
            text,
            "{day},{}.{:02},{}.{:02},{}.{:02},{}.{:02},{}",
            close / 10,
            close % 10 * 10,
            high / 10,
            high % 10 * 10,
            low / 10,
            low % 10 * 10,
            close / 10,
            close % 10 * 10,
            100_000 + i * 7
        )
        .unwrap();
    }
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What the store says it holds, for comparing before and after.
fn content(data: &Path) -> Value {
    json(data, &["validate", "--all"])
}

#[test]
fn the_version_comes_first_and_then_what_the_build_was_told() {
    let folder = TempDir::new().unwrap();
    for args in [&["--version"][..], &["serve", "--version"]] {
        let output = run(folder.path(), args);
        assert_eq!(output.status.code(), Some(0));
        let told = String::from_utf8(output.stdout).unwrap();
        let words: Vec<&str> = told.trim_end().splitn(3, ' ').collect();
        assert_eq!(words[1], env!("CARGO_PKG_VERSION"), "{told}");
        if let Some(build) = words.get(2) {
            assert!(build.starts_with('(') && build.ends_with(')'), "{told}");
        }
    }
}

#[test]
fn an_ingest_tells_what_became_of_each_row_and_the_second_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let file = csv(folder.path(), "THYAO.csv", 50);

    let first = json(&data, &["ingest", "csv", text(&file)]);
    assert_eq!(
        (
            &first["rows_read"],
            &first["rows_stored"],
            &first["rows_unchanged"],
            &first["rows_refused"]
        ),
        (&50.into(), &50.into(), &0.into(), &0.into())
    );
    let second = json(&data, &["ingest", "csv", text(&file)]);
    assert_eq!(
        (&second["rows_read"], &second["rows_stored"], &second["rows_unchanged"]),
        (&50.into(), &0.into(), &50.into())
    );
}

#[test]
fn a_revised_value_is_stored_and_counted_as_revised() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let file = csv(folder.path(), "THYAO.csv", 50);
    json(&data, &["ingest", "csv", text(&file)]);
    let revised = fs::read_to_string(&file).unwrap().replace(",100007\n", ",100008\n");
    fs::write(&file, revised).unwrap();

    let report = json(&data, &["ingest", "csv", text(&file)]);
    assert_eq!(
        (&report["rows_stored"], &report["rows_revised"], &report["rows_unchanged"]),
        (&1.into(), &1.into(), &49.into())
    );
}

#[test]
fn broken_input_gets_one_sentence_and_the_store_is_as_before() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let sound = csv(folder.path(), "THYAO.csv", 50);
    json(&data, &["ingest", "csv", text(&sound)]);
    let before = content(&data);

    let whole = fs::read_to_string(csv(folder.path(), "GARAN.csv", 50)).unwrap();
    let broken = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let cut = broken("GARAN.csv", &whole[..whole.len() - 25]);
    let words = broken("AKBNK.csv", &whole.replacen("100.00,", "hundred,", 1));
    let header = broken("SISE.csv", "a,b,c\n1,2,3\n");
    let nothing = broken("KCHOL.csv", "");
    let empty_folder = folder.path().join("empty");
    fs::create_dir(&empty_folder).unwrap();

    let check = |path: &Path, expected: &[&str]| {
        let sentence = refusal(&data, &["ingest", "csv", text(path)]);
        for part in expected {
            assert!(sentence.contains(part), "{part:?} in {sentence:?}");
        }
        assert_eq!(content(&data), before, "{}", path.display());
    };
    check(&cut, &["GARAN.csv", "line 51"]);
    check(&words, &["AKBNK.csv", "line 2", "hundred"]);
    check(&header, &["SISE.csv", "date"]);
    check(&nothing, &["KCHOL.csv", "empty"]);
    check(&empty_folder, &["empty", ".csv"]);
    check(&folder.path().join("missing.csv"), &["missing.csv"]);
    // A sound file beside a broken one is not stored either.
    let sentence = refusal(&data, &["ingest", "csv", text(&sound), text(&words)]);
    assert!(sentence.contains("AKBNK.csv"), "{sentence}");
    assert_eq!(content(&data), before);
}

#[test]
fn an_unknown_symbol_is_named() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    json(&data, &["ingest", "csv", text(&csv(folder.path(), "THYAO.csv", 50))]);
    assert!(refusal(&data, &["validate", "NOSUCH"]).contains("NOSUCH"));
}

#[test]
fn without_bars_every_step_says_how_to_get_some() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    for command in [&["validate", "--all"][..], &["train"], &["evaluate"], &["signals"]] {
        let sentence = refusal(&data, command);
        assert!(sentence.contains("bist ingest csv"), "{command:?}: {sentence}");
    }
}

#[test]
fn bad_data_are_refused_for_training() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let file = csv(folder.path(), "THYAO.csv", 400);
    // Every tenth row gets a high below its low.
    let spoilt: String = (0..)
        .zip(fs::read_to_string(&file).unwrap().lines())
        .map(|(i, line)| {
            let mut fields: Vec<&str> = line.split(',').collect();
            if i > 0 && i % 10 == 0 {
                fields.swap(2, 3);
            }
            fields.join(",") + "\n"
        })
        .collect();
    fs::write(&file, spoilt).unwrap();
    json(&data, &["ingest", "csv", text(&file)]);

    let sentence = refusal(&data, &["train"]);
    assert!(sentence.contains("95") && sentence.contains("THYAO"), "{sentence}");
}

#[test]
fn a_port_in_use_is_named() {
    let folder = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let sentence = refusal(&folder.path().join("data"), &["serve", "--bind", &address]);
    assert!(sentence.contains(&address) && sentence.contains("--bind"), "{sentence}");
}

#[test]
fn a_data_directory_that_cannot_be_written_is_named() {
    let folder = TempDir::new().unwrap();
    let file = csv(folder.path(), "THYAO.csv", 5);
    // A file where the directory should be refuses even an administrator.
    let sentence = refusal(&file, &["ingest", "csv", text(&file)]);
    assert!(sentence.contains("THYAO.csv") && sentence.contains("--data-dir"), "{sentence}");
}

#[test]
#[cfg(unix)]
fn a_full_disk_is_told_and_nothing_is_stored() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    json(&data, &["ingest", "csv", text(&csv(folder.path(), "THYAO.csv", 50))]);
    let before = content(&data);
    let large = csv(folder.path(), "GARAN.csv", 600);

    // A limit on the size of files fails a write as a full disk does.
    let script = format!(
        "ulimit -f 128; exec '{}' ingest csv '{}' --quiet",
        env!("CARGO_BIN_EXE_bist"),
        text(&large)
    );
    // 128 blocks of 512 bytes are less than the write-ahead log needs for 600 rows.
    let output =
        Command::new("sh").args(["-c", &script]).env("BIST_DATA_DIR", &data).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("disk"), "{errors}");
    assert_eq!(content(&data), before);
}

#[test]
#[cfg(unix)]
fn an_acknowledged_ingest_survives_a_kill_and_an_unfinished_one_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    json(&data, &["ingest", "csv", text(&csv(folder.path(), "THYAO.csv", 50))]);
    let before = content(&data);

    // Killed as soon as it tells that it stores: in the middle of the transaction.
    let large = csv(folder.path(), "GARAN.csv", 600);
    let mut child = bist(&data)
        .args(["ingest", "csv", text(&large)])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let storing = stderr.lines().map_while(Result::ok).any(|line| line.contains("storing"));
    assert!(storing, "the ingest tells when it stores");
    child.kill().unwrap();
    child.wait().unwrap();

    let after = content(&data);
    let garan_rows = after["series"]
        .as_array()
        .unwrap()
        .iter()
        .find(|series| series["symbol"] == "GARAN")
        .map_or(0, |series| series["received_count"].as_u64().unwrap());
    assert!(garan_rows == 0 || garan_rows == 600, "all or nothing, not {garan_rows}");
    assert_eq!(
        after["series"].as_array().unwrap().last(),
        before["series"].as_array().unwrap().last()
    );
}

#[test]
fn the_rules_of_a_day_are_one_json_document() {
    let folder = TempDir::new().unwrap();
    let rules = |day: Date| json(folder.path(), &["market", "rules", "--on", &day.to_string()]);
    assert_ne!(rules(date(2023, 11, 5)), rules(date(2023, 11, 6)));
    assert_eq!(run(folder.path(), &["market", "rules", "--on", "tomorrow"]).status.code(), Some(2));
}

#[test]
fn wrong_usage_is_exit_status_two() {
    let folder = TempDir::new().unwrap();
    for args in
        [&["frobnicate"][..], &["validate"], &["ingest", "csv"], &["sample", "--symbols", "x"]]
    {
        assert_eq!(run(folder.path(), args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn the_configuration_file_is_read_and_its_mistakes_are_told() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("from-file");
    let config = folder.path().join("bist.toml");
    let with_config = |content: &str| {
        fs::write(&config, content).unwrap();
        bist(&data)
            .env_remove("BIST_DATA_DIR")
            .args(["validate", "--all", "--quiet", "--config", text(&config)])
            .output()
            .unwrap()
    };
    let errors = |output: Output| String::from_utf8(output.stderr).unwrap();

    let output = with_config(&format!("data_dir = '{}'\n", text(&data)));
    assert!(errors(output).contains("bist ingest csv"), "the file's directory is used");
    assert!(data.join("bist.sqlite").exists());
    assert!(errors(with_config("[server]\nbnid = '127.0.0.1:1'\n")).contains("bnid"));
    let share = "[market.validation]\naccepted_share_min = 95\n";
    assert!(errors(with_config(share)).contains("0.95"));
}
