//! Our pruners against Optuna's, answer by answer; `tests/golden/optuna_pruners.py` made them.

use bist_lifecycle::pruner::{
    Hyperband, HyperbandPruner, NoPruner, PatientPruner, Percentile, PercentilePruner, Pruner,
    SuccessiveHalving, SuccessiveHalvingPruner,
};
use bist_lifecycle::study::{
    History, InMemoryStorage, NewTrial, StudyDirection, StudyStorage, TrialState,
};
use jiff::Timestamp;
use serde_json::Value;

const AT: Timestamp = Timestamp::UNIX_EPOCH;

/// The pruners of the script, by their names there.
fn pruner(name: &str) -> Box<dyn Pruner> {
    let halving = SuccessiveHalving::default();
    match name {
        "median" => Box::new(PercentilePruner::median()),
        "quarter" => Box::new(PercentilePruner::new(Percentile {
            kept_share: 0.25,
            startup_trials: 3,
            warmup_steps: 2,
            interval_steps: 3,
            trials_min: 4,
        })),
        "halving" => Box::new(SuccessiveHalvingPruner::new(SuccessiveHalving {
            resource_min: Some(1),
            reduction_factor: 3,
            ..halving
        })),
        "halving of unknown length" => Box::new(SuccessiveHalvingPruner::new(SuccessiveHalving {
            reduction_factor: 2,
            ..halving
        })),
        "late halving" => Box::new(SuccessiveHalvingPruner::new(SuccessiveHalving {
            resource_min: Some(2),
            reduction_factor: 2,
            stopping_rate_min: 1,
            bootstrap_count: 2,
        })),
        "hyperband" => Box::new(HyperbandPruner::new(Hyperband {
            resource_max: Some(12),
            reduction_factor: 2,
            ..Hyperband::default()
        })),
        "hyperband of unknown length" => Box::new(HyperbandPruner::new(Hyperband::default())),
        "patient median" => {
            let median = Percentile { startup_trials: 2, ..Percentile::default() };
            Box::new(PatientPruner::new(Some(Box::new(PercentilePruner::new(median))), 2, 0.05))
        }
        "patient" => Box::new(PatientPruner::new(None, 1, 0.0)),
        other => panic!("no pruner is called {other}"),
    }
}

/// What `pruner` says of trials that report one after the other, a letter a report.
fn answers(
    mut pruner: Box<dyn Pruner>,
    direction: StudyDirection,
    trials: &[Vec<f64>],
) -> Vec<String> {
    let storage = InMemoryStorage::new();
    storage.create_study("golden", &[direction]).unwrap();
    let study = storage.find_study("golden").unwrap().unwrap();
    let mut history = History::new(&study);
    let mut all = Vec::new();
    for values in trials {
        let trial = storage.create_trial(study.id, NewTrial::Running, AT).unwrap();
        let mut said = String::new();
        for (step, &value) in (0..).zip(values) {
            storage.report(trial.id, step, value).unwrap();
            history.refresh(&storage).unwrap();
            let running = history.trial(trial.number).unwrap();
            let verdict = pruner.review(&history, running);
            for (key, value) in &verdict.system_attrs {
                storage.set_trial_system_attr(trial.id, key, value).unwrap();
            }
            said.push(if verdict.prune { 'x' } else { '.' });
            if verdict.prune {
                break;
            }
        }
        let last = values[said.len() - 1];
        let (state, value) = match (said.ends_with('x'), last.is_nan()) {
            (true, true) => (TrialState::Pruned, None),
            (true, false) => (TrialState::Pruned, Some([last])),
            (false, true) => (TrialState::Fail, None),
            (false, false) => (TrialState::Complete, Some([last])),
        };
        storage.finish(trial.id, state, value.as_ref().map(|v| &v[..]), AT).unwrap();
        all.push(said);
    }
    all
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

#[test]
fn every_answer_is_optunas() {
    let golden: Value =
        serde_json::from_str(include_str!("../golden/optuna_pruners.json")).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let direction = serde_json::from_value(case["direction"].clone()).unwrap();
        let reports = |trial: &Value| trial.as_array().unwrap().iter().map(number).collect();
        let trials: Vec<Vec<f64>> =
            case["trials"].as_array().unwrap().iter().map(reports).collect();
        for (name, expected) in case["answers"].as_object().unwrap() {
            let found = answers(pruner(name), direction, &trials);
            let expected: Vec<String> = serde_json::from_value(expected.clone()).unwrap();
            for (number, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert_eq!(found, expected, "{name}, {direction:?}, trial {number}");
            }
        }
    }
}

#[track_caller]
fn check(pruner: Box<dyn Pruner>, trials: &[&[f64]], expected: &[&str]) {
    let trials: Vec<Vec<f64>> = trials.iter().map(|values| values.to_vec()).collect();
    assert_eq!(answers(pruner, StudyDirection::Minimize, &trials), expected);
}

#[test]
fn the_median_rule_stops_what_is_worse_than_half_of_the_complete_trials() {
    let rule = Percentile { startup_trials: 2, ..Percentile::default() };
    check(
        Box::new(PercentilePruner::new(rule)),
        // At step 0 the median of 1 and 3 is 2, then that of 1, 3 and 2 is 2, at step 1 it is 1.5.
        &[&[1.0, 1.0], &[3.0, 3.0], &[2.0, 2.0], &[2.5, 0.0], &[2.0, 2.5]],
        &["..", "..", "..", "x", ".."],
    );
}

#[test]
fn halving_lets_one_in_three_of_a_rung_go_on() {
    let rule = SuccessiveHalving {
        resource_min: Some(1),
        reduction_factor: 3,
        ..SuccessiveHalving::default()
    };
    check(
        Box::new(SuccessiveHalvingPruner::new(rule)),
        // The first rung is step 1, the second step 3; of one or two the best goes on.
        &[&[9.0, 5.0, 5.0, 5.0], &[9.0, 6.0, 6.0, 6.0], &[0.0, 4.0, 4.0, 4.5], &[1.0, 4.5]],
        &["....", ".x", "....", ".x"],
    );
}

#[test]
fn nothing_is_stopped_without_a_pruner_or_with_two_objectives() {
    check(Box::new(NoPruner), &[&[1.0], &[f64::NAN]], &[".", "."]);
    let storage = InMemoryStorage::new();
    storage.create_study("two", &[StudyDirection::Minimize; 2]).unwrap();
    let study = storage.find_study("two").unwrap().unwrap();
    let trial = storage.create_trial(study.id, NewTrial::Running, AT).unwrap();
    storage.report(trial.id, 5, f64::NAN).unwrap();
    let mut history = History::new(&study);
    history.refresh(&storage).unwrap();
    for name in ["median", "halving", "hyperband", "patient"] {
        let verdict = pruner(name).review(&history, history.trial(0).unwrap());
        assert!(!verdict.prune, "{name}");
    }
}
