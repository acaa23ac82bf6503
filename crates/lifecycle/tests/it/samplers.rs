//! One battery for all samplers, and what each of them promises beyond it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

use bist_lifecycle::pruner::{NoPruner, PercentilePruner};
use bist_lifecycle::sampler::{
    CmaEsSampler, GridSampler, Joint, Nsga2Sampler, RandomSampler, Sampler, TpeOptions, TpeSampler,
    grid_values,
};
use bist_lifecycle::search_space::{Distribution, ParamValue};
use bist_lifecycle::study::{
    FrozenTrial, InMemoryStorage, ObjectiveFn, OptimizeSettings, Optimizer, StopReason,
    StudyDirection, StudyStorage, Trial, TrialEnd, TrialState, enqueue,
};
use jiff::Timestamp;
use std::sync::Arc;

const SAMPLERS: [&str; 6] = ["random", "tpe", "tpe by common", "tpe by each", "cma-es", "nsga2"];

fn sampler(name: &str, seed: u64) -> Box<dyn Sampler> {
    let tpe = |joint| TpeSampler::with_options(seed, TpeOptions { joint, ..Default::default() });
    match name {
        "random" => Box::new(RandomSampler::new(seed)),
        "tpe" => Box::new(TpeSampler::new(seed)),
        "tpe by common" => Box::new(tpe(Joint::Common)),
        "tpe by each" => Box::new(tpe(Joint::None)),
        "cma-es" => Box::new(CmaEsSampler::new(seed)),
        "nsga2" => Box::new(Nsga2Sampler::new(seed)),
        other => panic!("no sampler is called {other}"),
    }
}

fn storage(directions: &[StudyDirection]) -> InMemoryStorage {
    let storage = InMemoryStorage::new();
    storage.create_study("s", directions).unwrap();
    storage
}

fn run(
    storage: &InMemoryStorage,
    sampler: Box<dyn Sampler>,
    workers: usize,
    results_max: u64,
    objective: &ObjectiveFn<'_>,
) -> StopReason {
    let study = storage.find_study("s").unwrap().unwrap();
    let settings = OptimizeSettings {
        workers: NonZeroUsize::new(workers).unwrap(),
        results_max: Some(results_max),
        ..OptimizeSettings::default()
    };
    let optimizer = Optimizer {
        storage,
        study: &study,
        sampler,
        pruner: Box::new(PercentilePruner::median()),
        settings,
        clock: &|| Timestamp::UNIX_EPOCH,
        cancelled: &AtomicBool::new(false),
    };
    optimizer.run(objective, &|_| {}).unwrap()
}

fn trials(storage: &InMemoryStorage) -> Vec<Arc<FrozenTrial>> {
    let study = storage.find_study("s").unwrap().unwrap();
    storage.trials_after(study.id, 0, &[]).unwrap()
}

fn one_study(name: &str, seed: u64, results: u64, objective: &ObjectiveFn<'_>) -> InMemoryStorage {
    let storage = storage(&[StudyDirection::Minimize]);
    run(&storage, sampler(name, seed), 1, results, objective);
    storage
}

/// Every kind of parameter, one of them constant, some of them conditional.
fn every_kind(trial: &mut Trial<'_>) -> Result<Vec<f64>, TrialEnd> {
    let stepped = Distribution::Float { low: 0.0, high: 1.0, log: false, step: Some(0.25) };
    let by_threes = Distribution::Int { low: 1, high: 12, log: false, step: 3 };
    let mut sum = trial.suggest_float("float", -2.0, 3.0)?.powi(2);
    sum += trial.suggest_log_float("log", 1e-4, 1.0)?;
    for distribution in [(&stepped, "stepped"), (&by_threes, "by threes")] {
        sum += match trial.suggest(distribution.1, distribution.0)? {
            ParamValue::Float(value) => value,
            ParamValue::Int(1 | 4 | 7 | 10) => 0.5,
            other @ (ParamValue::Int(_) | ParamValue::Choice(_)) => {
                return Err(TrialEnd::Failed(format!("{other} is not on the grid")));
            }
        };
    }
    #[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
    let log_int = trial.suggest_log_int("log int", 1, 100)? as f64;
    sum += (log_int / 10.0).ln().abs();
    trial.suggest_float("constant", 0.5, 0.5)?;
    if trial.suggest_choice("choice", ["a", "b", "c"])? == 0 {
        sum += trial.suggest_float("of a", -1.0, 1.0)?.abs();
    } else {
        sum += 1.0;
    }
    Ok(vec![sum])
}

#[test]
fn every_value_lies_within_its_range_and_conditional_ones_only_where_they_are_asked_for() {
    for name in SAMPLERS {
        for workers in [1, 4] {
            let storage = storage(&[StudyDirection::Minimize]);
            run(&storage, sampler(name, 3), workers, 80, &every_kind);
            for trial in trials(&storage) {
                assert_eq!(trial.state, TrialState::Complete, "{name}: {trial:?}");
                assert!(trial.params.values().all(|param| param.value().is_some()), "{name}");
                let is_a = trial.params["choice"].internal < 0.5;
                assert_eq!(trial.params.contains_key("of a"), is_a, "{name}");
            }
            assert_eq!(trials(&storage).len(), 80, "{name} with {workers} workers");
        }
    }
}

#[test]
fn one_seed_makes_one_study_and_another_seed_another() {
    for name in SAMPLERS {
        let first = trials(&one_study(name, 5, 40, &every_kind));
        assert_eq!(first, trials(&one_study(name, 5, 40, &every_kind)), "{name}");
        assert_ne!(first, trials(&one_study(name, 6, 40, &every_kind)), "{name}");
    }
}

#[test]
fn a_study_that_is_continued_is_the_one_that_was_not_interrupted() {
    let mut names = SAMPLERS.to_vec();
    names.push("grid");
    let made = |name: &str| -> Box<dyn Sampler> {
        let space = BTreeMap::from([
            ("float".to_owned(), Distribution::float(-2.0, 3.0)),
            ("log".to_owned(), Distribution::log_float(1e-4, 1.0)),
        ]);
        if name == "grid" { Box::new(GridSampler::new(1, &space, 11)) } else { sampler(name, 1) }
    };
    for name in names {
        let whole = storage(&[StudyDirection::Minimize]);
        run(&whole, made(name), 1, 120, &every_kind);
        let parts = storage(&[StudyDirection::Minimize]);
        for results in [1, 13, 60, 61, 120] {
            run(&parts, made(name), 1, results, &every_kind);
        }
        assert_eq!(trials(&whole), trials(&parts), "{name}");
    }
}

#[test]
fn parameters_that_share_a_range_do_not_collapse() {
    let objective = |trial: &mut Trial<'_>| {
        let mut sum = 0.0;
        for (name, best) in [("a", 0.1), ("b", 0.9), ("c", 0.5), ("d", 0.3)] {
            sum += (trial.suggest_float(name, 0.0, 1.0)? - best).powi(2);
        }
        Ok(vec![sum])
    };
    for name in SAMPLERS {
        let storage = one_study(name, 2, 60, &objective);
        for trial in trials(&storage) {
            let values: BTreeSet<u64> =
                trial.params.values().map(|param| param.internal.to_bits()).collect();
            assert_eq!(values.len(), 4, "{name}: trial {}", trial.number);
        }
    }
}

#[test]
fn constant_infinite_and_failed_trials_are_survived() {
    let objective = |trial: &mut Trial<'_>| {
        let number = trial.number();
        let x = trial.suggest_float("x", 0.0, 1.0)?;
        trial.suggest_choice("c", ["a", "b"])?;
        trial.report(0, if number % 4 == 1 { f64::NAN } else { 1.0 })?;
        match number % 7 {
            1 => Err(TrialEnd::Failed("it rains".to_owned())),
            2 => Ok(vec![f64::INFINITY]),
            3 => Ok(vec![f64::NEG_INFINITY]),
            4 => Ok(vec![f64::NAN]),
            5 => Err(TrialEnd::Pruned),
            6 => panic!("x is {x}"),
            _ => Ok(vec![1.0]),
        }
    };
    for name in SAMPLERS {
        let storage = one_study(name, 1, 60, &objective);
        let of = |state| trials(&storage).iter().filter(|trial| trial.state == state).count();
        assert_eq!(of(TrialState::Complete) + of(TrialState::Pruned), 60, "{name}");
        assert!(of(TrialState::Fail) > 30, "{name}");
        for trial in trials(&storage).iter().filter(|trial| trial.state == TrialState::Fail) {
            let reason = trial.system_attrs["bist:fail_reason"].as_str().unwrap();
            let expected = ["it rains", "NaN", "panic: x is "][match trial.number % 7 {
                1 => 0,
                4 => 1,
                _ => 2,
            }];
            assert!(reason.contains(expected), "{reason} does not tell {expected}");
        }
    }
}

/// Hartmann's function of six numbers, least value -3.32237.
fn hartmann(trial: &mut Trial<'_>) -> Result<Vec<f64>, TrialEnd> {
    const A: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const P: [[f64; 6]; 4] = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ];
    let mut x = [0.0; 6];
    for (at, x) in x.iter_mut().enumerate() {
        *x = trial.suggest_float(&format!("x{at}"), 0.0, 1.0)?;
    }
    let inner = |row: usize| (0..6).map(|j| A[row][j] * (x[j] - P[row][j]).powi(2)).sum::<f64>();
    let terms =
        [1.0, 1.2, 3.0, 3.2].iter().zip(0..).map(|(alpha, row)| alpha * (-inner(row)).exp());
    Ok(vec![-terms.sum::<f64>()])
}

fn median_of_best(name: &str, results: u64) -> f64 {
    let mut best: Vec<f64> = (0..7)
        .map(|seed| {
            let storage = one_study(name, seed, results, &hartmann);
            trials(&storage).iter().filter_map(|t| t.value()).fold(f64::INFINITY, f64::min)
        })
        .collect();
    best.sort_by(f64::total_cmp);
    best[3]
}

#[test]
fn models_find_on_hartmann6_what_chance_does_not() {
    // Chance reaches about -2.2 in 100 trials; the least value is -3.322.
    let chance = median_of_best("random", 100);
    assert!((-2.8..-1.6).contains(&chance), "{chance}");
    for name in ["tpe", "tpe by common", "tpe by each"] {
        let found = median_of_best(name, 100);
        assert!(found < -2.95, "{name}: {found}");
    }
    let found = median_of_best("cma-es", 200);
    assert!(found < -3.1, "cma-es: {found}");
}

#[test]
fn cma_es_descends_a_rotated_valley_to_the_bottom() {
    let objective = |trial: &mut Trial<'_>| {
        let x = trial.suggest_float("x", -3.0, 3.0)?;
        let y = trial.suggest_float("y", -3.0, 3.0)?;
        let (along, across) = ((x + y) - 1.0, (x - y) + 0.5);
        Ok(vec![along * along + 1_000.0 * across * across])
    };
    let storage = one_study("cma-es", 4, 600, &objective);
    let best = trials(&storage).iter().filter_map(|t| t.value()).fold(f64::INFINITY, f64::min);
    assert!(best < 1e-8, "{best}");
}

/// The hypervolume before (1.1, 1.1) of what a study of ZDT1 in five numbers found.
fn zdt1_hypervolume(name: &str, results: u64) -> f64 {
    let storage = storage(&[StudyDirection::Minimize; 2]);
    let objective = |trial: &mut Trial<'_>| {
        let first = trial.suggest_float("x0", 0.0, 1.0)?;
        let mut g = 1.0;
        for at in 1..5 {
            g += 9.0 / 4.0 * trial.suggest_float(&format!("x{at}"), 0.0, 1.0)?;
        }
        Ok(vec![first, g * (1.0 - (first / g).sqrt())])
    };
    run(&storage, sampler(name, 1), 1, results, &objective);
    let mut values: Vec<Vec<f64>> =
        trials(&storage).iter().filter_map(|trial| trial.values.clone()).collect();
    values.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let (mut volume, mut height) = (0.0, 1.1);
    for value in values.iter().filter(|value| value[0] < 1.1) {
        if value[1] < height {
            volume += (1.1 - value[0]) * (height - value[1]);
            height = value[1];
        }
    }
    volume
}

#[test]
fn several_objectives_are_brought_forward_together() {
    let chance = zdt1_hypervolume("random", 400);
    // Chance reaches 0.25 of the 0.87 that there is.
    for (name, times) in [("tpe", 2.0), ("nsga2", 1.5)] {
        let found = zdt1_hypervolume(name, 400);
        assert!(found > times * chance, "{name}: {found}, by chance {chance}");
    }
}

#[test]
fn each_cell_of_a_grid_is_tried_once_by_all_workers_together() {
    let space = BTreeMap::from([
        ("c".to_owned(), Distribution::categorical(["a", "b", "c"])),
        ("i".to_owned(), Distribution::int(1, 3)),
        ("l".to_owned(), Distribution::log_float(0.01, 1.0)),
    ]);
    let objective = |trial: &mut Trial<'_>| {
        let space = [
            ("c", Distribution::categorical(["a", "b", "c"])),
            ("i", Distribution::int(1, 3)),
            ("l", Distribution::log_float(0.01, 1.0)),
        ];
        for (name, distribution) in &space {
            trial.suggest(name, distribution)?;
        }
        if trial.number() == 5 {
            return Err(TrialEnd::Failed("once".to_owned()));
        }
        Ok(vec![0.0])
    };
    for workers in [1, 4] {
        let storage = storage(&[StudyDirection::Minimize]);
        let study = storage.find_study("s").unwrap().unwrap();
        // Takes a number that would have been a cell's.
        let fixed = BTreeMap::from([("i".to_owned(), ParamValue::Int(2))]);
        enqueue(&storage, study.id, &fixed, Timestamp::UNIX_EPOCH).unwrap();
        let grid = GridSampler::new(1, &space, 3);
        assert_eq!(grid.cells_count(), 27);
        let reason = run(&storage, Box::new(grid), workers, 1_000, &objective);
        assert_eq!(reason, StopReason::Exhausted);
        let cells: Vec<Vec<u64>> = trials(&storage)
            .iter()
            .filter(|trial| trial.system_attrs.contains_key("grid_id"))
            .map(|trial| trial.params.values().map(|param| param.internal.to_bits()).collect())
            .collect();
        let different: BTreeSet<&Vec<u64>> = cells.iter().collect();
        assert_eq!((cells.len(), different.len()), (27, 27), "{workers} workers");
        assert_eq!(trials(&storage).len(), 28);
    }
}

#[test]
fn the_values_of_a_grid_are_evenly_spaced_and_include_the_ends() {
    let check = |distribution: &Distribution, count, expected: &[f64]| {
        let found = grid_values(distribution, count);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        }
    };
    check(&Distribution::float(0.0, 1.0), 3, &[0.0, 0.5, 1.0]);
    check(&Distribution::log_float(0.01, 1.0), 3, &[0.01, 0.1, 1.0]);
    check(&Distribution::int(1, 2), 5, &[1.0, 2.0]);
    check(&Distribution::categorical(["a", "b"]), 9, &[0.0, 1.0]);
    check(&Distribution::float(0.0, 1.0), 1, &[0.0]);
}

#[test]
fn parallel_workers_keep_apart() {
    // All of a batch know the same results; what the others are at must keep them apart.
    let batch = |constant_liar: bool| -> f64 {
        let storage = one_study("tpe", 1, 30, &hartmann);
        let study = storage.find_study("s").unwrap().unwrap();
        let options = TpeOptions { constant_liar, ..TpeOptions::default() };
        let mut sampler = TpeSampler::with_options(9, options);
        let mut history = bist_lifecycle::study::History::new(&study);
        let mut points: Vec<Vec<f64>> = Vec::new();
        for _ in 0..12 {
            let new = bist_lifecycle::study::NewTrial::Running;
            let trial = storage.create_trial(study.id, new, Timestamp::UNIX_EPOCH).unwrap();
            history.refresh(&storage).unwrap();
            let proposal = sampler.propose(&history, &trial);
            for (key, value) in &proposal.system_attrs {
                storage.set_trial_system_attr(trial.id, key, value).unwrap();
            }
            points.push(proposal.params.values().map(|param| param.internal).collect());
        }
        let mut nearest = 0.0;
        for (at, point) in points.iter().enumerate() {
            let distance = |other: &Vec<f64>| {
                point.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
            };
            let others = points.iter().enumerate().filter(|(other, _)| *other != at);
            nearest += others.map(|(_, other)| distance(other)).fold(f64::INFINITY, f64::min);
        }
        nearest / 12.0
    };
    let (apart, alike) = (batch(true), batch(false));
    assert!(apart > 1.2 * alike, "{apart} with the liar, {alike} without");
}

#[test]
fn no_pruner_and_no_reports_are_a_study_as_well() {
    let storage = storage(&[StudyDirection::Maximize]);
    let study = storage.find_study("s").unwrap().unwrap();
    let optimizer = Optimizer {
        storage: &storage,
        study: &study,
        sampler: sampler("tpe", 1),
        pruner: Box::new(NoPruner),
        settings: OptimizeSettings { results_max: Some(40), ..OptimizeSettings::default() },
        clock: &|| Timestamp::UNIX_EPOCH,
        cancelled: &AtomicBool::new(false),
    };
    let objective =
        |trial: &mut Trial<'_>| Ok(vec![-(trial.suggest_float("x", -1.0, 1.0)? - 0.3).powi(2)]);
    optimizer.run(&objective, &|_| {}).unwrap();
    let best = trials(&storage).iter().filter_map(|t| t.value()).fold(f64::NEG_INFINITY, f64::max);
    assert!(best > -1e-3, "{best}");
}
