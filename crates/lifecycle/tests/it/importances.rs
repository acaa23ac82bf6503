//! The importances of parameters: Optuna's on one study, and what they promise on any.

use std::collections::BTreeMap;
use std::sync::Arc;

use bist_lifecycle::importance::fanova;
use bist_lifecycle::search_space::{Distribution, SearchSpace};
use bist_lifecycle::study::{
    FrozenTrial, InMemoryStorage, NewTrial, Param, StudyDirection, StudyId, StudyStorage,
    TrialState,
};
use jiff::Timestamp;
use serde_json::Value;

fn study() -> (InMemoryStorage, StudyId) {
    let storage = InMemoryStorage::new();
    let study = storage.create_study("s", &[StudyDirection::Minimize]).unwrap();
    (storage, study)
}

fn add(storage: &InMemoryStorage, study: StudyId, params: BTreeMap<String, Param>, value: f64) {
    let at = Timestamp::UNIX_EPOCH;
    let trial = storage.create_trial(study, NewTrial::Running, at).unwrap();
    for (name, param) in params {
        storage.set_param(trial.id, &name, &param).unwrap();
    }
    storage.finish(trial.id, TrialState::Complete, Some(&[value]), at).unwrap();
}

fn trials(storage: &InMemoryStorage, study: StudyId) -> Vec<Arc<FrozenTrial>> {
    storage.trials_after(study, 0, &[]).unwrap()
}

#[test]
fn importances_are_optunas() {
    let golden: Value = serde_json::from_str(include_str!("../golden/optuna_fanova.json")).unwrap();
    let space: SearchSpace = serde_json::from_value(golden["distributions"].clone()).unwrap();
    let (storage, study) = study();
    for trial in golden["trials"].as_array().unwrap() {
        let param = |(name, distribution): (&String, &Distribution)| {
            let internal = trial["params"][name].as_f64().unwrap();
            (name.clone(), Param { distribution: distribution.clone(), internal })
        };
        add(&storage, study, space.iter().map(param).collect(), trial["value"].as_f64().unwrap());
    }
    let found = fanova(&trials(&storage, study), 0, 1);
    let expected: BTreeMap<String, f64> =
        serde_json::from_value(golden["importances"].clone()).unwrap();
    let ranked = |importances: &BTreeMap<String, f64>| {
        let mut names: Vec<String> = importances.keys().cloned().collect();
        names.sort_by(|a, b| importances[b].total_cmp(&importances[a]));
        names
    };
    assert_eq!(ranked(&found), ranked(&expected), "{found:?}, {expected:?}");
    for (name, expected) in &expected {
        // Forests of another seed differ by 0.01; Optuna splits categories as columns of 0 and 1.
        let found = found[name];
        assert!((found - expected).abs() < 0.03, "{name}: {found} is not {expected}");
    }
}

#[test]
fn importances_sum_to_one_and_conditional_parameters_count_where_they_are() {
    let (storage, study) = study();
    for number in 0..120_u32 {
        let share = f64::from(number * 37 % 120) / 119.0;
        let other = f64::from(number * 53 % 120) / 119.0;
        let unit = Distribution::float(0.0, 1.0);
        let kind = Param {
            distribution: Distribution::categorical(["a", "b"]),
            internal: f64::from(number % 2),
        };
        let x = Param { distribution: unit.clone(), internal: share };
        let mut params = BTreeMap::from([("kind".to_owned(), kind), ("x".to_owned(), x)]);
        let mut value = share;
        if number % 2 == 1 {
            value += 2.0 * other;
            params.insert("of b".to_owned(), Param { distribution: unit, internal: other });
        }
        params.insert(
            "one".to_owned(),
            Param { distribution: Distribution::int(3, 3), internal: 3.0 },
        );
        add(&storage, study, params, value);
    }
    let found = fanova(&trials(&storage, study), 0, 1);
    assert!((found.values().sum::<f64>() - 1.0).abs() < 1e-12, "{found:?}");
    assert!(found["one"].abs() < 1e-15);
    for name in ["of b", "x", "kind"] {
        assert!(found[name] > 0.1, "{found:?}");
    }
    assert_eq!(found, fanova(&trials(&storage, study), 0, 1));
}

#[test]
fn nothing_to_explain_is_no_importance() {
    let (storage, study) = study();
    let x = |internal| {
        let distribution = Distribution::float(0.0, 1.0);
        BTreeMap::from([("x".to_owned(), Param { distribution, internal })])
    };
    assert!(fanova(&trials(&storage, study), 0, 1).is_empty());
    add(&storage, study, x(0.1), 1.0);
    add(&storage, study, x(0.2), 1.0);
    add(&storage, study, x(0.3), f64::INFINITY);
    assert_eq!(fanova(&trials(&storage, study), 0, 1), BTreeMap::from([("x".to_owned(), 0.0)]));
    assert!(fanova(&trials(&storage, study), 1, 1).is_empty());
}
