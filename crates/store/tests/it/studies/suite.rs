//! The rules, over any place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bist_lifecycle::search_space::{Choice, Distribution};
use bist_lifecycle::study::{
    FrozenTrial, NewTrial, Param, StudyDirection, StudyId, StudyStorage, StudyStorageError,
    TrialId, TrialState,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Place;

const MINIMIZE: [StudyDirection; 1] = [StudyDirection::Minimize];

/// So many microseconds after some day.
fn at(us: i64) -> Timestamp {
    Timestamp::from_microsecond(1_795_000_000_000_000 + us).unwrap()
}

/// A place and a study in it.
fn study(place: &Place) -> (Arc<dyn StudyStorage>, StudyId) {
    let storage = (place.open)();
    let id = storage.create_study("çalışma", &MINIMIZE).unwrap();
    (storage, id)
}

fn begin(storage: &dyn StudyStorage, study: StudyId) -> Arc<FrozenTrial> {
    storage.create_trial(study, NewTrial::Running, at(0)).unwrap()
}

fn enqueue(storage: &dyn StudyStorage, study: StudyId, x: f64) -> Arc<FrozenTrial> {
    let system_attrs = BTreeMap::from([("fixed_params".to_owned(), json!({ "x": x }))]);
    let user_attrs = BTreeMap::from([("from".to_owned(), json!("İzmir"))]);
    storage.create_trial(study, NewTrial::Waiting { system_attrs, user_attrs }, at(0)).unwrap()
}

fn param(distribution: Distribution, internal: f64) -> Param {
    Param { distribution, internal }
}

fn unit(internal: f64) -> Param {
    param(Distribution::float(0.0, 1.0), internal)
}

fn all(storage: &dyn StudyStorage, study: StudyId) -> Vec<Arc<FrozenTrial>> {
    storage.trials_after(study, 0, &[]).unwrap()
}

fn only(storage: &dyn StudyStorage, study: StudyId) -> Arc<FrozenTrial> {
    let mut trials = all(storage, study);
    assert_eq!(trials.len(), 1);
    trials.remove(0)
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, StudyStorageError>, expected: &str) {
    assert_eq!(result.unwrap_err().to_string(), expected);
}

pub(super) fn studies_have_a_name_of_their_own_and_an_objective(place: &Place) {
    let storage = (place.open)();
    assert_eq!(storage.studies().unwrap(), []);
    let directions = [StudyDirection::Maximize, StudyDirection::Minimize];
    let first = storage.create_study("b", &directions).unwrap();
    let second = storage.create_study("a \"ş\" 😀", &MINIMIZE).unwrap();
    refused(
        storage.create_study("b", &MINIMIZE),
        "there is a study 'b' already: choose another name, or continue that one",
    );
    refused(
        storage.create_study("c", &[]),
        "the study 'c' has no objective: give at least one direction",
    );
    let studies = storage.studies().unwrap();
    let names: Vec<(StudyId, &str)> =
        studies.iter().map(|study| (study.id, study.name.as_str())).collect();
    assert_eq!(names, [(first, "b"), (second, "a \"ş\" 😀")]);
    assert_eq!(studies[0].directions, directions);
    assert_eq!(storage.find_study("b").unwrap().as_ref(), Some(&studies[0]));
    assert_eq!(storage.find_study("c").unwrap(), None);
    assert!(all(&*storage, first).is_empty());
}

pub(super) fn attributes_are_any_json_and_the_last_stays(place: &Place) {
    let (storage, study) = study(place);
    let trial = begin(&*storage, study);
    let any = json!({
        "metin": "ağırlık\n\"1\"\u{1}", "sayı": [1, -2, 0.1, 1e-7, 1.5e300, 9_007_199_254_740_993_i64],
        "": null, "iç": { "doğru": true }
    });
    for (key, value) in [("a", &json!(1)), ("b ç", &any), ("a", &json!([null]))] {
        storage.set_study_user_attr(study, key, value).unwrap();
        storage.set_trial_user_attr(trial.id, key, value).unwrap();
    }
    storage.set_study_system_attr(study, "a", &json!("system")).unwrap();
    storage.set_trial_system_attr(trial.id, "a", &json!("system")).unwrap();

    let user: BTreeMap<String, Value> =
        [("a".to_owned(), json!([null])), ("b ç".to_owned(), any)].into();
    let system: BTreeMap<String, Value> = [("a".to_owned(), json!("system"))].into();
    let kept = storage.find_study("çalışma").unwrap().unwrap();
    assert_eq!((&kept.user_attrs, &kept.system_attrs), (&user, &system));
    assert_eq!(storage.studies().unwrap(), [kept]);
    let kept = only(&*storage, study);
    assert_eq!((&kept.user_attrs, &kept.system_attrs), (&user, &system));
}

/// A parameter of each kind.
fn params() -> BTreeMap<String, Param> {
    let choices = vec![
        Choice::Text("ağaç \"1\"".to_owned()),
        Choice::Int(3),
        Choice::Float(0.5),
        Choice::Bool(true),
        Choice::Null,
    ];
    let stepped = Distribution::Float { low: 0.0, high: 1.0, log: false, step: Some(0.25) };
    let even = Distribution::Int { low: -4, high: 4, log: false, step: 2 };
    [
        ("float", param(Distribution::float(-1.0, 2.5), 0.1 + 0.2)),
        ("log", param(Distribution::log_float(1e-8, 1.0), 3.3e-7)),
        ("step", param(stepped, 0.75)),
        ("int", param(Distribution::int(-3, 1_000_000_007), -3.0)),
        ("even", param(even, -2.0)),
        ("log int", param(Distribution::log_int(1, 4096), 64.0)),
        ("kategori", param(Distribution::Categorical { choices }, 4.0)),
    ]
    .map(|(name, param)| (name.to_owned(), param))
    .into()
}

pub(super) fn parameters_of_every_kind_are_kept(place: &Place) {
    let (storage, study) = study(place);
    let trial = begin(&*storage, study);
    for (name, param) in &params() {
        storage.set_param(trial.id, name, param).unwrap();
    }
    assert_eq!(only(&*storage, study).params, params());
}

pub(super) fn parameters_that_do_not_fit_are_refused(place: &Place) {
    let (storage, study) = study(place);
    let first = begin(&*storage, study);
    let words = |words: [&str; 2]| Distribution::categorical(words);
    storage.set_param(first.id, "x", &unit(0.5)).unwrap();
    storage.set_param(first.id, "word", &param(words(["a", "b"]), 1.0)).unwrap();
    // Twice the same is no change.
    storage.set_param(first.id, "x", &unit(0.5)).unwrap();

    let second = begin(&*storage, study);
    let another = "the study has a parameter of that name and another kind";
    for (trial, name, wrong, reason) in [
        (&first, "x", unit(0.25), "it was set to another value before"),
        (&second, "y", unit(1.5), "it lies outside what the parameter may be"),
        (&second, "y", unit(f64::NAN), "it lies outside what the parameter may be"),
        (&second, "x", param(Distribution::log_float(0.1, 1.0), 0.5), another),
        (&second, "x", param(Distribution::int(0, 1), 1.0), another),
        (&second, "word", param(words(["a", "c"]), 1.0), another),
    ] {
        refused(
            storage.set_param(trial.id, name, &wrong),
            &format!(
                "the parameter '{name}' of trial {} cannot be {}: {reason}",
                trial.number, wrong.internal
            ),
        );
    }
    // A range may change.
    storage.set_param(second.id, "x", &param(Distribution::float(-9.0, 9.0), -8.0)).unwrap();
    let kept = all(&*storage, study);
    assert_eq!(kept[0].params.len(), 2);
    assert_eq!(kept[0].params["x"], unit(0.5));
    assert_eq!(kept[1].params.keys().collect::<Vec<_>>(), ["x"]);
}

pub(super) fn reports_keep_what_is_no_number(place: &Place) {
    let (storage, study) = study(place);
    let trial = begin(&*storage, study);
    let reports =
        [(7, 1.5), (0, f64::NAN), (3, f64::INFINITY), (4, f64::NEG_INFINITY), (5, -0.1), (5, 1e-9)];
    for (step, value) in reports {
        storage.report(trial.id, step, value).unwrap();
    }
    let kept = &only(&*storage, study).intermediate_values;
    assert_eq!(kept.keys().copied().collect::<Vec<_>>(), [0, 3, 4, 5, 7]);
    assert!(kept[&0].is_nan());
    let others: Vec<f64> = kept.values().skip(1).copied().collect();
    assert_eq!(others, [f64::INFINITY, f64::NEG_INFINITY, 1e-9, 1.5]);
}

pub(super) fn a_trial_ends_once_with_a_value_for_each_objective(place: &Place) {
    let storage = (place.open)();
    let study = storage.create_study("two", &[StudyDirection::Minimize; 2]).unwrap();
    let trial = begin(&*storage, study);
    let wrong = |values: &[f64], said: &str| {
        refused(
            storage.finish(trial.id, TrialState::Complete, Some(values), at(1)),
            &format!(
                "trial 0 ends with the values {said}, and the study has 2 objectives: give a number for each"
            ),
        );
    };
    wrong(&[], "[]");
    wrong(&[1.0], "[1.0]");
    wrong(&[1.0, f64::NAN], "[1.0, NaN]");
    refused(
        storage.finish(trial.id, TrialState::Waiting, None, at(1)),
        "trial 0 cannot end as waiting: say complete, pruned or fail",
    );
    assert_eq!(only(&*storage, study), trial, "what was refused changes nothing");

    let values = [1.0, f64::INFINITY];
    storage.finish(trial.id, TrialState::Complete, Some(&values), at(2)).unwrap();
    refused(
        storage.finish(trial.id, TrialState::Fail, None, at(3)),
        "trial 0 has finished (complete) and cannot be changed",
    );
    let kept = only(&*storage, study);
    assert_eq!(kept.state, TrialState::Complete);
    assert_eq!(kept.values.as_deref(), Some(&values[..]));
    assert_eq!(kept.completed_at, Some(at(2)));

    for (state, values) in [
        (TrialState::Pruned, None),
        (TrialState::Pruned, Some(&[0.5, -0.5][..])),
        (TrialState::Fail, None),
    ] {
        let trial = begin(&*storage, study);
        storage.finish(trial.id, state, values, at(4)).unwrap();
        let kept = all(&*storage, study).pop().unwrap();
        assert_eq!((kept.state, kept.values.as_deref()), (state, values));
    }
}

pub(super) fn finished_trials_stay_as_they_are(place: &Place) {
    let (storage, study) = study(place);
    let trial = begin(&*storage, study);
    storage.set_param(trial.id, "x", &unit(0.5)).unwrap();
    storage.finish(trial.id, TrialState::Pruned, Some(&[0.25]), at(9)).unwrap();
    let before = only(&*storage, study);
    let said = "trial 0 has finished (pruned) and cannot be changed";
    refused(storage.set_param(trial.id, "y", &unit(0.5)), said);
    refused(storage.set_param(trial.id, "x", &unit(0.5)), said);
    refused(storage.report(trial.id, 1, 0.5), said);
    refused(storage.set_trial_user_attr(trial.id, "a", &json!(1)), said);
    refused(storage.set_trial_system_attr(trial.id, "a", &json!(1)), said);
    assert_eq!(only(&*storage, study), before);
}

pub(super) fn waiting_trials_are_claimed_once_in_order(place: &Place) {
    let (storage, study) = study(place);
    assert_eq!(storage.claim_waiting(study, at(1)).unwrap(), None);
    let first = enqueue(&*storage, study, 0.25);
    assert_eq!((first.state, first.started_at), (TrialState::Waiting, None));
    begin(&*storage, study);
    enqueue(&*storage, study, 0.75);
    for (number, x) in [(0, 0.25), (2, 0.75)] {
        let claimed = storage.claim_waiting(study, at(number)).unwrap().unwrap();
        let number_of_it = u64::try_from(number).unwrap();
        assert_eq!((claimed.number, claimed.state), (number_of_it, TrialState::Running));
        assert_eq!(claimed.started_at, Some(at(number)));
        assert_eq!(claimed.system_attrs["fixed_params"], json!({ "x": x }));
        assert_eq!(claimed.user_attrs["from"], json!("İzmir"));
        let kept = &all(&*storage, study)[usize::try_from(number).unwrap()];
        assert_eq!(kept, &claimed);
    }
    assert_eq!(storage.claim_waiting(study, at(3)).unwrap(), None);
}

/// What eight threads on two handles return.
fn by_threads<T: Send>(place: &Place, work: impl Fn(&dyn StudyStorage, u64) -> T + Sync) -> Vec<T> {
    let handles = [(place.open)(), (place.open)()];
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let (handle, work) = (&handles[usize::from(thread % 2 == 0)], &work);
                scope.spawn(move || work(&**handle, thread))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

pub(super) fn threads_claim_each_waiting_trial_once(place: &Place) {
    let (storage, study) = study(place);
    for _ in 0..24 {
        enqueue(&*storage, study, 0.5);
    }
    let claimed = by_threads(place, |storage, _| {
        let mut numbers = Vec::new();
        while let Some(trial) = storage.claim_waiting(study, at(1)).unwrap() {
            numbers.push(trial.number);
        }
        numbers
    });
    let mut numbers = claimed.concat();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..24).collect::<Vec<u64>>());
    assert!(all(&*storage, study).iter().all(|trial| trial.state == TrialState::Running));
}

pub(super) fn threads_make_numbers_without_gap_or_duplicate(place: &Place) {
    let (storage, study) = study(place);
    let made = by_threads(place, |storage, thread| {
        let mut made = Vec::new();
        for step in 0..6_u32 {
            let trial = begin(storage, study);
            let value = f64::from(step) / 8.0;
            storage.set_param(trial.id, "x", &unit(value)).unwrap();
            storage.set_trial_user_attr(trial.id, "thread", &json!(thread)).unwrap();
            storage.finish(trial.id, TrialState::Complete, Some(&[value]), at(2)).unwrap();
            made.push((trial.number, trial.id, thread, value));
        }
        made
    });
    let mut made = made.concat();
    made.sort_by_key(|(number, ..)| *number);
    let numbers: Vec<u64> = made.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (0..48).collect::<Vec<_>>());
    assert_eq!(made.iter().map(|(_, id, ..)| *id).collect::<BTreeSet<_>>().len(), 48);
    for (trial, (number, id, thread, value)) in all(&*storage, study).iter().zip(made) {
        assert_eq!((trial.number, trial.id), (number, id));
        assert_eq!(trial.user_attrs["thread"], json!(thread));
        assert_eq!(trial.params["x"], unit(value));
        assert_eq!(trial.value(), Some(value));
    }
}

pub(super) fn trials_after_returns_what_somebody_does_not_know(place: &Place) {
    let (storage, study) = study(place);
    for _ in 0..40 {
        begin(&*storage, study);
    }
    let numbers = |known_count, unfinished: &[u64]| {
        let trials = storage.trials_after(study, known_count, unfinished).unwrap();
        trials.iter().map(|trial| trial.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(0, &[]), (0..40).collect::<Vec<_>>());
    assert_eq!(numbers(38, &[]), [38, 39]);
    assert_eq!(numbers(38, &[0, 3, 17]), [0, 3, 17, 38, 39]);
    assert_eq!(numbers(40, &[5]), [5]);
    let most: Vec<u64> = (0..40).filter(|number| number % 10 != 4).collect();
    assert_eq!(numbers(40, &most), most);
    assert!(numbers(40, &[]).is_empty());
    assert!(numbers(41, &[]).is_empty());
    assert!(numbers(u64::MAX, &[]).is_empty());

    // What was handed out stays as it was, and the next look has what is new.
    let before = all(&*storage, study).remove(3);
    storage.report(before.id, 1, 0.5).unwrap();
    assert!(before.intermediate_values.is_empty());
    let after = storage.trials_after(study, 40, &[3]).unwrap();
    assert_eq!(after[0].intermediate_values, BTreeMap::from([(1, 0.5)]));
}

pub(super) fn a_deleted_study_is_gone_and_its_numbers_stay_its_own(place: &Place) {
    let (storage, deleted) = study(place);
    let other = storage.create_study("other", &MINIMIZE).unwrap();
    let kept = begin(&*storage, other);
    let trial = begin(&*storage, deleted);
    storage.set_param(trial.id, "x", &unit(0.5)).unwrap();
    storage.report(trial.id, 1, 0.5).unwrap();
    storage.set_trial_user_attr(trial.id, "a", &json!(1)).unwrap();
    storage.set_study_user_attr(deleted, "a", &json!(1)).unwrap();
    let ended = begin(&*storage, deleted);
    storage.finish(ended.id, TrialState::Complete, Some(&[1.0]), at(1)).unwrap();
    storage.delete_study(deleted).unwrap();

    let gone = format!("there is no study number {}", deleted.0);
    refused(storage.trials_after(deleted, 0, &[]), &gone);
    refused(storage.delete_study(deleted), &gone);
    refused(storage.create_trial(deleted, NewTrial::Running, at(0)), &gone);
    let gone = format!("there is no trial number {}", trial.id.0);
    refused(storage.report(trial.id, 2, 0.5), &gone);
    refused(storage.finish(trial.id, TrialState::Fail, None, at(2)), &gone);
    assert_eq!(storage.studies().unwrap().len(), 1);
    assert_eq!(only(&*storage, other), kept);

    // The name is free again, the ids are not.
    let again = storage.create_study("çalışma", &MINIMIZE).unwrap();
    assert_ne!(again, deleted);
    let record = storage.find_study("çalışma").unwrap().unwrap();
    assert!(record.user_attrs.is_empty());
    let new = begin(&*storage, again);
    assert_eq!(new.number, 0);
    assert!(![trial.id, ended.id, kept.id].contains(&new.id));
    // A parameter of that name may be of another kind now.
    storage.set_param(new.id, "x", &param(Distribution::int(0, 1), 1.0)).unwrap();
}

pub(super) fn times_are_kept_to_the_microsecond(place: &Place) {
    let (storage, study) = study(place);
    let trial = storage.create_trial(study, NewTrial::Running, at(123_457)).unwrap();
    assert_eq!((trial.started_at, trial.completed_at), (Some(at(123_457)), None));
    storage.finish(trial.id, TrialState::Fail, None, at(7_000_001)).unwrap();
    let kept = only(&*storage, study);
    assert_eq!((kept.started_at, kept.completed_at), (Some(at(123_457)), Some(at(7_000_001))));
    assert!((place.open)().trials_after(study, 0, &[]).unwrap()[0] == kept);
}

pub(super) fn studies_do_not_mix(place: &Place) {
    let storage = (place.open)();
    let studies: Vec<StudyId> =
        ["a", "b"].iter().map(|name| storage.create_study(name, &MINIMIZE).unwrap()).collect();
    for round in 0..3 {
        for (&study, x) in studies.iter().zip([0.25, 0.75]) {
            let trial = begin(&*storage, study);
            assert_eq!(trial.number, round);
            storage.set_param(trial.id, "x", &unit(x)).unwrap();
        }
    }
    // One study's kind does not bind the other.
    let other = begin(&*storage, studies[0]);
    storage.set_param(other.id, "y", &unit(0.5)).unwrap();
    let other = begin(&*storage, studies[1]);
    storage.set_param(other.id, "y", &param(Distribution::int(0, 1), 1.0)).unwrap();
    for (&study, x) in studies.iter().zip([0.25, 0.75]) {
        let trials = all(&*storage, study);
        assert_eq!(trials.len(), 4);
        assert!(trials[..3].iter().all(|trial| trial.params["x"] == unit(x)));
    }
    enqueue(&*storage, studies[1], 0.5);
    assert_eq!(storage.claim_waiting(studies[0], at(1)).unwrap(), None);
}

/// A trial that has finished elsewhere, under another id and number.
fn elsewhere() -> FrozenTrial {
    FrozenTrial {
        id: TrialId(77),
        number: 88,
        state: TrialState::Complete,
        values: Some(vec![-0.125]),
        params: params(),
        intermediate_values: BTreeMap::from([(1, 0.5), (20, f64::INFINITY), (3, -0.25)]),
        user_attrs: BTreeMap::from([("a".to_owned(), json!({ "b": [1, "ç"] }))]),
        system_attrs: BTreeMap::from([("c".to_owned(), json!(null))]),
        started_at: Some(at(-5)),
        completed_at: Some(at(5)),
    }
}

pub(super) fn trials_that_finished_elsewhere_are_taken_over_whole(place: &Place) {
    let (storage, study) = study(place);
    let finished = |trial| NewTrial::Finished(Box::new(trial));
    let made = storage.create_trial(study, finished(elsewhere()), at(0)).unwrap();
    let expected = FrozenTrial { id: made.id, number: 0, ..elsewhere() };
    assert_eq!(*made, expected);
    assert_eq!(*only(&*storage, study), expected);

    let mut outside = elsewhere();
    outside.params.insert("float".to_owned(), param(Distribution::float(-1.0, 2.5), 3.0));
    let mut other_kind = elsewhere();
    other_kind.params.insert("float".to_owned(), param(Distribution::log_float(0.1, 2.5), 1.0));
    for (wrong, said) in [
        (
            FrozenTrial { values: None, ..elsewhere() },
            "trial 88 ends with the values [], and the study has 1 objectives: give a number for each",
        ),
        (
            FrozenTrial { state: TrialState::Running, ..elsewhere() },
            "trial 88 cannot end as running: say complete, pruned or fail",
        ),
        (
            outside,
            "the parameter 'float' of trial 88 cannot be 3: it lies outside what the parameter may be",
        ),
        (
            other_kind,
            "the parameter 'float' of trial 88 cannot be 1: the study has a parameter of that name and another kind",
        ),
    ] {
        let answer = storage.create_trial(study, finished(wrong), at(0)).map_err(|error| {
            // A storage may say the number that the trial would have had here.
            error.to_string().replace("trial 1 ", "trial 88 ")
        });
        assert_eq!(answer.unwrap_err(), said);
    }
    only(&*storage, study);
}

pub(super) fn what_is_not_there_is_named(place: &Place) {
    let (storage, _) = study(place);
    for wrong in [-1, 4711] {
        let study = StudyId(wrong);
        let said = format!("there is no study number {wrong}");
        refused(storage.create_trial(study, NewTrial::Running, at(0)), &said);
        refused(storage.claim_waiting(study, at(0)), &said);
        refused(storage.trials_after(study, 0, &[]), &said);
        refused(storage.delete_study(study), &said);
        refused(storage.set_study_user_attr(study, "a", &json!(1)), &said);
        refused(storage.set_study_system_attr(study, "a", &json!(1)), &said);
        let trial = TrialId(wrong);
        let said = format!("there is no trial number {wrong}");
        refused(storage.set_param(trial, "x", &unit(0.5)), &said);
        refused(storage.report(trial, 0, 0.5), &said);
        refused(storage.finish(trial, TrialState::Fail, None, at(0)), &said);
        refused(storage.set_trial_user_attr(trial, "a", &json!(1)), &said);
        refused(storage.set_trial_system_attr(trial, "a", &json!(1)), &said);
    }
}

pub(super) fn two_handles_see_what_the_other_wrote(place: &Place) {
    let (one, study) = study(place);
    let two = (place.open)();
    for round in 0..4 {
        let (writer, reader) = if round % 2 == 0 { (&one, &two) } else { (&two, &one) };
        let trial = begin(&**writer, study);
        assert_eq!(trial.number, round);
        writer.set_param(trial.id, "x", &unit(0.5)).unwrap();
        reader.set_param(trial.id, "y", &unit(0.25)).unwrap();
        reader.finish(trial.id, TrialState::Complete, Some(&[1.0]), at(1)).unwrap();
        refused(
            writer.report(trial.id, 1, 1.0),
            &format!("trial {round} has finished (complete) and cannot be changed"),
        );
        assert_eq!(all(&**writer, study), all(&**reader, study));
    }
    refused(
        two.create_study("çalışma", &MINIMIZE),
        "there is a study 'çalışma' already: choose another name, or continue that one",
    );
}

pub(super) fn studies_are_there_after_the_last_handle_is_gone(place: &Place) {
    if !place.is_persistent {
        return;
    }
    let (storage, study) = study(place);
    storage.set_study_system_attr(study, "a", &json!("ğ")).unwrap();
    let finished = NewTrial::Finished(Box::new(elsewhere()));
    storage.create_trial(study, finished, at(0)).unwrap();
    enqueue(&*storage, study, 0.5);
    begin(&*storage, study);
    let before = (storage.studies().unwrap(), all(&*storage, study));
    drop(storage);

    let storage = (place.open)();
    assert_eq!((storage.studies().unwrap(), all(&*storage, study)), before);
    assert_eq!(begin(&*storage, study).number, 3);
    assert_eq!(storage.claim_waiting(study, at(9)).unwrap().unwrap().number, 1);
}
