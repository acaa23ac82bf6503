//! `bist tune`: what it refuses, and what kill -9 leaves.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{bist, json, refusal, text};

/// How often a tuning is killed, each time after this many further trials.
const KILLS: u64 = 3;
const TRIALS_BETWEEN: u64 = 2;

/// Trials asked for.
const TRIALS: u64 = 9;

/// Wrong usage: exit 2, and a sentence that names what there is.
#[track_caller]
fn usage(args: &[&str], expected: &str) {
    let folder = TempDir::new().unwrap();
    let output = bist(folder.path()).arg("tune").args(args).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {errors}");
    assert!(errors.contains(expected), "{errors}");
}

#[test]
fn wrong_words_are_wrong_usage_and_told_what_there_is() {
    usage(&["--part", "forest"], "there is no part 'forest'; there are trees, elastic-net,");
    usage(&["--sampler", "bayes"], "there are tpe, cmaes, random, grid, nsga2");
    usage(&["--pruner", "axe"], "there are auto, median, percentile, halving, hyperband, none");
    usage(&["--trials", "0"], "'0'");
    usage(&["--workers", "0"], "'0'");
    usage(&["--timeout", "soon"], "'soon' is no length of time; write for example 10m or 1h30m");
    usage(
        &["--storage", "attic"],
        "'attic' is no place for studies: say database, or journal:PATH",
    );
    usage(&["--horizon", "3"], "'3'");
}

#[test]
fn without_data_or_with_too_few_sessions_there_is_nothing_to_tune() {
    let folder = TempDir::new().unwrap();
    let data = folder.path();
    let sentence = refusal(data, &["tune", "--part", "trees"]);
    assert!(sentence.contains("bist sample"), "{sentence}");
    json(data, &["sample", "--symbols", "5", "--years", "1"]);
    let sentence = refusal(data, &["tune", "--part", "trees"]);
    assert!(sentence.contains("of which the last 250 at least are held out"), "{sentence}");
}

/// Runs the tuning until it has told of trial `number`, and kills it then.
fn kill_after(data: &Path, args: &[&str], number: u64) {
    let mut child =
        bist(data).args(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    for line in stderr.lines() {
        let told = line.unwrap();
        let trial = told.split_once("trial ").and_then(|(_, rest)| {
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
        });
        if told.starts_with("tuning") && trial.is_some_and(|trial| trial >= number) {
            child.kill().unwrap();
            break;
        }
    }
    assert!(!child.wait().unwrap().success(), "it was killed before it ended");
}

/// What became of each trial by the whole lines of the journal: how often it was ended, and as what.
/// A kill may leave the beginning of a line, which nobody has acknowledged.
fn ends(journal: &Path) -> BTreeMap<u64, Vec<u64>> {
    let mut ends = BTreeMap::new();
    let text = fs::read_to_string(journal).unwrap();
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let record: Value = serde_json::from_str(line).unwrap();
        match record["op_code"].as_u64().unwrap() {
            4 => {
                ends.insert(ends.len() as u64, Vec::new());
            }
            6 => {
                let (trial, state) = (record["trial_id"].as_u64(), record["state"].as_u64());
                if state != Some(0) {
                    ends.get_mut(&trial.unwrap()).unwrap().push(state.unwrap());
                }
            }
            _ => {}
        }
    }
    ends
}

#[test]
#[cfg(unix)]
fn a_tuning_that_is_killed_goes_on_with_no_trial_lost_or_counted_twice() {
    const COMPLETE: u64 = 1;
    let folder = TempDir::new().unwrap();
    let data = folder.path();
    json(data, &["sample", "--symbols", "6", "--years", "4"]);
    let journal = data.join("studies.journal");
    let (storage, trials) = (format!("journal:{}", text(&journal)), TRIALS.to_string());
    let args = [
        "tune",
        "--part",
        "elastic-net",
        "--pruner",
        "none",
        "--study",
        "killed",
        "--storage",
        &storage,
        "--trials",
        &trials,
    ];
    let mut acknowledged = 0;
    for kill in 1..=KILLS {
        kill_after(data, &args, kill * TRIALS_BETWEEN);
        let ends = ends(&journal);
        let complete = ends.values().filter(|ends| ends.contains(&COMPLETE)).count() as u64;
        assert!(complete > acknowledged, "kill {kill}: what was told of is there");
        assert!(complete < TRIALS, "it was killed on the way");
        acknowledged = complete;
    }
    let report = json(data, &args);
    let part = &report["parts"][0];
    assert_eq!(part["study"], "killed");
    assert_eq!(part["complete_count"], TRIALS, "those of all runs together");
    assert_eq!(part["stopped"], "trials");
    let ends = ends(&journal);
    assert!(ends.values().all(|ends| ends.len() <= 1), "no trial ended twice: {ends:?}");
    let complete = ends.values().filter(|ends| ends.as_slice() == [COMPLETE]).count() as u64;
    assert_eq!(complete, TRIALS);
    let cut_short = ends.len() as u64 - complete;
    assert!(cut_short <= 2 * KILLS, "a kill cuts one trial short, which is begun once more");
    // What was tried depends on where it was cut short; when nothing better is among it than what was so
    // before, nothing is compared.
    let comparison = &report["comparison"];
    if part["best"]["is_base"] == true {
        assert!(comparison.is_null(), "{comparison}");
    } else {
        assert_eq!(comparison["trials_count"], TRIALS);
        assert!(comparison["sentence"]["en"].as_str().unwrap().contains("that no trial has seen"));
    }
}
