//! The loop of a study: when it stops, what it keeps, and what comes of a worker that died.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bist_lifecycle::pruner::PercentilePruner;
use bist_lifecycle::sampler::RandomSampler;
use bist_lifecycle::search_space::{Distribution, ParamValue};
use bist_lifecycle::study::{
    FrozenTrial, Heartbeat, InMemoryStorage, NewTrial, ObjectiveFn, OptimizeSettings, Optimizer,
    Param, StopReason, StudyDirection, StudyRecord, StudyStorage, Trial, TrialEnd, TrialState,
    enqueue,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

fn made() -> (InMemoryStorage, StudyRecord) {
    let storage = InMemoryStorage::new();
    storage.create_study("s", &[StudyDirection::Minimize]).unwrap();
    let study = storage.find_study("s").unwrap().unwrap();
    (storage, study)
}

/// A clock that goes on by a second whenever somebody looks at it.
fn ticking(from_s: i64) -> impl Fn() -> Timestamp + Sync {
    let seconds = AtomicI64::new(from_s);
    move || Timestamp::from_second(seconds.fetch_add(1, Ordering::Relaxed)).unwrap()
}

fn run(
    (storage, study): &(InMemoryStorage, StudyRecord),
    settings: OptimizeSettings,
    clock: &(dyn Fn() -> Timestamp + Sync),
    objective: &ObjectiveFn<'_>,
) -> StopReason {
    let optimizer = Optimizer {
        storage,
        study,
        sampler: Box::new(RandomSampler::new(1)),
        pruner: Box::new(PercentilePruner::median()),
        settings,
        clock,
        cancelled: &AtomicBool::new(false),
    };
    optimizer.run(objective, &|_| {}).unwrap()
}

fn trials((storage, study): &(InMemoryStorage, StudyRecord)) -> Vec<Arc<FrozenTrial>> {
    storage.trials_after(study.id, 0, &[]).unwrap()
}

fn count(trials: &[Arc<FrozenTrial>], state: TrialState) -> usize {
    trials.iter().filter(|trial| trial.state == state).count()
}

fn x(trial: &mut Trial<'_>) -> Result<Vec<f64>, TrialEnd> {
    Ok(vec![trial.suggest_float("x", 0.0, 1.0)?])
}

#[test]
fn failed_trials_are_no_results_and_several_workers_make_no_more_than_were_asked_for() {
    for workers in [1, 4] {
        let study = made();
        let settings = OptimizeSettings {
            workers: NonZeroUsize::new(workers).unwrap(),
            results_max: Some(25),
            ..OptimizeSettings::default()
        };
        let objective = |trial: &mut Trial<'_>| match trial.number() % 5 {
            1 => Err(TrialEnd::Failed("no".to_owned())),
            2 => Err(TrialEnd::Pruned),
            _ => x(trial),
        };
        assert_eq!(run(&study, settings, &ticking(0), &objective), StopReason::Results);
        let trials = trials(&study);
        let results = count(&trials, TrialState::Complete) + count(&trials, TrialState::Pruned);
        assert_eq!(results, 25, "{workers} workers");
        assert_eq!(count(&trials, TrialState::Running), 0);
    }
}

#[test]
fn the_run_stops_on_time_without_progress_and_on_failures() {
    let seconds = SignedDuration::from_secs(60);
    let timed = OptimizeSettings { duration_max: Some(seconds), ..OptimizeSettings::default() };
    assert_eq!(run(&made(), timed, &ticking(0), &x), StopReason::Duration);

    let study = made();
    let patient = OptimizeSettings { patience: Some(7), ..OptimizeSettings::default() };
    let flat = |trial: &mut Trial<'_>| Ok(vec![if trial.number() == 3 { 0.0 } else { 1.0 }]);
    assert_eq!(run(&study, patient, &ticking(0), &flat), StopReason::NoProgress);
    assert_eq!(trials(&study).len(), 4 + 7);

    let study = made();
    let failing = OptimizeSettings { failures_max: 3, ..OptimizeSettings::default() };
    let broken = |trial: &mut Trial<'_>| {
        if trial.number() == 1 { x(trial) } else { Err(TrialEnd::Failed("broken".to_owned())) }
    };
    let reason = "broken".to_owned();
    assert_eq!(run(&study, failing, &ticking(0), &broken), StopReason::Failures { reason });
    assert_eq!(trials(&study).len(), 5);
}

#[test]
fn a_parameter_of_another_kind_fails_the_trial_and_not_the_run() {
    let study = made();
    let objective = |trial: &mut Trial<'_>| {
        if trial.number() == 1 {
            trial.suggest_int("x", 0, 1)?;
        }
        if trial.number() == 2 {
            trial.suggest_float("y", 1.0, 0.0)?;
        }
        x(trial)
    };
    let settings = OptimizeSettings { results_max: Some(3), ..OptimizeSettings::default() };
    assert_eq!(run(&study, settings, &ticking(0), &objective), StopReason::Results);
    let trials = trials(&study);
    let reason = |number: usize| trials[number].system_attrs["bist:fail_reason"].as_str().unwrap();
    assert!(reason(1).contains("another kind"), "{}", reason(1));
    assert!(reason(2).starts_with("y: the lowest value is 1"), "{}", reason(2));
}

#[test]
fn enqueued_parameters_are_tried_first_and_what_they_leave_open_is_sampled() {
    let study = made();
    let fixed = BTreeMap::from([
        ("x".to_owned(), ParamValue::Float(0.25)),
        ("kind".to_owned(), ParamValue::Choice("b".into())),
        ("n".to_owned(), ParamValue::Int(99)),
    ]);
    enqueue(&study.0, study.1.id, &fixed, Timestamp::UNIX_EPOCH).unwrap();
    let objective = |trial: &mut Trial<'_>| {
        trial.suggest_choice("kind", ["a", "b"])?;
        // The enqueued value lies outside.
        trial.suggest_int("n", 0, 9)?;
        x(trial)
    };
    let settings = OptimizeSettings { results_max: Some(2), ..OptimizeSettings::default() };
    run(&study, settings, &ticking(0), &objective);
    let trials = trials(&study);
    assert_eq!(trials.len(), 2);
    assert_eq!(trials[0].value(), Some(0.25));
    assert_eq!(trials[0].params["kind"].value(), Some(ParamValue::Choice("b".into())));
    assert!(trials[0].params["n"].internal < 10.0);
    assert_ne!(trials[1].value(), Some(0.25));
}

#[test]
fn a_cancelled_run_begins_nothing_and_enqueues_what_gave_up() {
    let study = made();
    let cancelled = AtomicBool::new(false);
    let objective = |trial: &mut Trial<'_>| {
        let value = x(trial)?;
        if trial.number() == 2 {
            cancelled.store(true, Ordering::Relaxed);
        }
        if trial.is_cancelled() { Err(TrialEnd::Interrupted) } else { Ok(value) }
    };
    let optimizer = Optimizer {
        storage: &study.0,
        study: &study.1,
        sampler: Box::new(RandomSampler::new(1)),
        pruner: Box::new(PercentilePruner::median()),
        settings: OptimizeSettings { results_max: Some(9), ..OptimizeSettings::default() },
        clock: &ticking(0),
        cancelled: &cancelled,
    };
    assert_eq!(optimizer.run(&objective, &|_| {}).unwrap(), StopReason::Cancelled);
    let before = trials(&study);
    let states: Vec<TrialState> = before.iter().map(|trial| trial.state).collect();
    use TrialState::{Complete, Fail, Waiting};
    assert_eq!(states, [Complete, Complete, Fail, Waiting]);

    let settings = OptimizeSettings { results_max: Some(3), ..OptimizeSettings::default() };
    run(&study, settings, &ticking(100), &x);
    let after = trials(&study);
    assert_eq!(after[3].params, before[2].params);
    assert_eq!(after[3].system_attrs["failed_trial"], json!(2));
    assert_eq!(after.len(), 4);
}

/// A trial whose worker was killed after it set a parameter and said at `beat_s` that it lives.
fn abandon((storage, study): &(InMemoryStorage, StudyRecord), beat_s: i64, internal: f64) {
    let at = Timestamp::from_second(beat_s).unwrap();
    let trial = storage.create_trial(study.id, NewTrial::Running, at).unwrap();
    let param = Param { distribution: Distribution::float(0.0, 1.0), internal };
    storage.set_param(trial.id, "x", &param).unwrap();
    storage.report(trial.id, 0, 0.5).unwrap();
    storage.set_trial_system_attr(trial.id, "completed_rung_0", &json!(0.5)).unwrap();
    let beat = Value::from(at.to_string());
    storage.set_trial_system_attr(trial.id, "bist:heartbeat", &beat).unwrap();
}

fn with_heartbeat(results_max: u64, workers: usize) -> OptimizeSettings {
    OptimizeSettings {
        workers: NonZeroUsize::new(workers).unwrap(),
        results_max: Some(results_max),
        heartbeat: Some(Heartbeat {
            interval: Duration::from_millis(1),
            grace: Duration::from_secs(1_000),
            retries_max: 1,
        }),
        ..OptimizeSettings::default()
    }
}

#[test]
fn the_trial_of_a_dead_process_is_failed_and_begun_again_once_with_its_parameters() {
    for workers in [1, 3] {
        let study = made();
        abandon(&study, 0, 0.625);
        let settings = with_heartbeat(6, workers);
        assert_eq!(run(&study, settings, &ticking(5_000), &x), StopReason::Results);
        let trials = trials(&study);
        assert_eq!(trials[0].state, TrialState::Fail);
        let reason = &trials[0].system_attrs["bist:fail_reason"];
        assert_eq!(reason, "the process that ran it died");
        let again: Vec<&Arc<FrozenTrial>> =
            trials.iter().filter(|t| t.system_attrs.contains_key("retry_history")).collect();
        assert_eq!(again.len(), 1, "{workers} workers");
        assert_eq!(again[0].value(), Some(0.625));
        assert_eq!(again[0].system_attrs["failed_trial"], json!(0));
        assert_eq!(again[0].system_attrs["retry_history"], json!([0]));
        assert!(!again[0].system_attrs.contains_key("completed_rung_0"));
        assert_eq!(count(&trials, TrialState::Complete), 6);
        assert_eq!(trials.len(), 7);
    }
}

#[test]
fn a_trial_is_not_begun_again_for_ever() {
    let study = made();
    abandon(&study, 0, 0.5);
    let history = json!([0]);
    let id = trials(&study)[0].id;
    study.0.set_trial_system_attr(id, "retry_history", &history).unwrap();
    run(&study, with_heartbeat(2, 1), &ticking(5_000), &x);
    let trials = trials(&study);
    assert_eq!(trials.len(), 3);
    assert_eq!(trials[0].state, TrialState::Fail);
    assert!(trials[1..].iter().all(|t| !t.system_attrs.contains_key("failed_trial")));
}

#[test]
fn a_trial_that_was_failed_but_not_enqueued_before_a_second_death_is_enqueued_later() {
    let study = made();
    abandon(&study, 0, 0.75);
    let id = trials(&study)[0].id;
    study.0.set_trial_system_attr(id, "bist:begin_again", &json!(true)).unwrap();
    study.0.finish(id, TrialState::Fail, None, Timestamp::UNIX_EPOCH).unwrap();
    for _ in 0..2 {
        run(&study, with_heartbeat(3, 1), &ticking(5_000), &x);
    }
    let trials = trials(&study);
    let again: Vec<Option<f64>> = trials
        .iter()
        .filter(|trial| trial.system_attrs.contains_key("failed_trial"))
        .map(|trial| trial.value())
        .collect();
    assert_eq!(again, [Some(0.75)]);
}

#[test]
fn the_trial_of_a_living_process_is_waited_for_and_counted() {
    let study = made();
    abandon(&study, 5_000, 0.5);
    let id = trials(&study)[0].id;
    // The other process ends its trial when this one has looked at the clock for a while.
    let seconds = AtomicI64::new(5_000);
    let clock = || {
        let now = seconds.fetch_add(1, Ordering::Relaxed);
        if now == 5_020 {
            let at = Timestamp::from_second(now).unwrap();
            study.0.finish(id, TrialState::Complete, Some(&[0.5]), at).unwrap();
        }
        Timestamp::from_second(now).unwrap()
    };
    assert_eq!(run(&study, with_heartbeat(3, 1), &clock, &x), StopReason::Results);
    let trials = trials(&study);
    assert_eq!((trials.len(), count(&trials, TrialState::Complete)), (3, 3));
}

#[test]
fn a_trial_that_runs_long_keeps_its_heartbeat() {
    let study = made();
    let objective = |trial: &mut Trial<'_>| {
        let beat = || {
            let trial = Arc::clone(&trials(&study)[0]);
            trial.system_attrs["bist:heartbeat"].clone()
        };
        let first = beat();
        // Ends when another thread has renewed it; there is no other way out.
        while beat() == first {
            std::thread::yield_now();
        }
        x(trial)
    };
    assert_eq!(run(&study, with_heartbeat(1, 1), &ticking(0), &objective), StopReason::Results);
}

#[test]
fn whoever_is_told_hears_of_every_trial_and_of_the_best() {
    let study = made();
    let told = Mutex::new(Vec::new());
    let best = AtomicU64::new(u64::MAX);
    let optimizer = Optimizer {
        storage: &study.0,
        study: &study.1,
        sampler: Box::new(RandomSampler::new(1)),
        pruner: Box::new(PercentilePruner::median()),
        settings: OptimizeSettings { results_max: Some(20), ..OptimizeSettings::default() },
        clock: &ticking(0),
        cancelled: &AtomicBool::new(false),
    };
    let told_of = |progress: &bist_lifecycle::study::StudyProgress| {
        told.lock().unwrap().push(progress.trial.number);
        best.store(progress.best[0].value().unwrap().to_bits(), Ordering::Relaxed);
        assert_eq!(progress.results_count, told.lock().unwrap().len() as u64);
    };
    optimizer.run(&x, &told_of).unwrap();
    assert_eq!(told.into_inner().unwrap(), (0..20).collect::<Vec<u64>>());
    let least = trials(&study).iter().filter_map(|t| t.value()).fold(f64::INFINITY, f64::min);
    assert_eq!(f64::from_bits(best.into_inner()).to_bits(), least.to_bits());
}
