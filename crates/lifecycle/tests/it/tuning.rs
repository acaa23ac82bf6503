//! Tuning sees nothing of the hold-out, and only what is better there takes the champion's place.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use bist_lifecycle::pruner::{PercentilePruner, Pruner, Verdict};
use bist_lifecycle::sampler::RandomSampler;
use bist_lifecycle::study::{
    FrozenTrial, History, InMemoryStorage, OptimizeSettings, Optimizer, StudyDirection,
    StudyStorage as _, TrialState, enqueue,
};
use bist_lifecycle::tuning::{
    EPOCHS_ATTR, HOLD_OUT_SESSIONS_MIN, HoldOut, HoldOutComparison, Objective, Part,
    PromotionVerdict, STANDARD_ERROR_ATTR, looks_count, values_of,
};
use bist_lifecycle::{TrainError, Trained, TrainingSpec, Trial, TrialPurpose};
use bist_market::Origin;
use bist_models::{LstmParams, Panel};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::panels::{HORIZON, Recipe, spec, train, with_another_future};

const RECIPE: Recipe = Recipe { symbols_count: 8, days_count: 620, strength: 0.2, seed: 3 };

/// Two members that learn within a moment.
fn base() -> TrainingSpec {
    let mut spec = spec(7);
    spec.members.gbdt.num_iterations = 50;
    spec.members.gbdt.early_stopping_rounds = 10;
    spec.members.lstm = None;
    spec.members.prophet = None;
    spec.walk_forward.folds_count = 3;
    spec.walk_forward.training_days_min = 60;
    spec
}

/// The same with a network that learns within a moment.
fn network_base() -> TrainingSpec {
    let mut spec = base();
    spec.members.lstm = Some(LstmParams {
        steps: 5,
        layers: 1,
        hidden: 8,
        batch_size: 64,
        epochs_max: 6,
        early_stopping_epochs: 4,
        ..LstmParams::default()
    });
    spec
}

/// A study of `part` on `panel`, the default tried first.
fn study(part: Part, panel: &Panel, hold_out: HoldOut, trials_count: u64) -> Vec<FrozenTrial> {
    let pruner = Box::new(PercentilePruner::median());
    study_of(part, &base(), (panel, hold_out), pruner, &Ending::after(trials_count))
}

/// When a study ends.
struct Ending {
    results_max: u64,
    cancelled: AtomicBool,
    /// Cancel while the first trial runs.
    at_once: bool,
}

impl Ending {
    fn after(results_max: u64) -> Self {
        Self { results_max, cancelled: AtomicBool::new(false), at_once: false }
    }
}

fn study_of(
    part: Part,
    base: &TrainingSpec,
    (panel, hold_out): (&Panel, HoldOut),
    pruner: Box<dyn Pruner>,
    ending: &Ending,
) -> Vec<FrozenTrial> {
    let panel_of = |_| panel.clone();
    let objective = Objective::prepare(part, base.clone(), hold_out, Box::new(panel_of)).unwrap();
    let storage = InMemoryStorage::default();
    let directions: Vec<StudyDirection> = part.objectives().iter().map(|(_, way)| *way).collect();
    let id = storage.create_study("study", &directions).unwrap();
    let now = Timestamp::UNIX_EPOCH;
    enqueue(&storage, id, &values_of(part, base), now).unwrap();
    let record = storage.find_study("study").unwrap().unwrap();
    let optimizer = Optimizer {
        storage: &storage,
        study: &record,
        sampler: Box::new(RandomSampler::new(5)),
        pruner,
        settings: OptimizeSettings {
            results_max: Some(ending.results_max),
            ..OptimizeSettings::default()
        },
        clock: &|| now,
        cancelled: &ending.cancelled,
    };
    let look = |_: &TrainingSpec| {
        ending.cancelled.store(ending.at_once, Ordering::Relaxed);
        Ok(())
    };
    optimizer.run(&|trial| objective.run(trial, &look), &|_| {}).unwrap();
    let trials = storage.trials_after(record.id, 0, &[]).unwrap();
    trials.iter().map(|trial| FrozenTrial::clone(trial)).collect()
}

#[test]
fn a_study_is_the_same_bit_for_bit_whatever_the_hold_out_holds() {
    let panel = RECIPE.panel();
    let hold_out = HoldOut::of(&panel).unwrap();
    let changed = with_another_future(&panel, hold_out.from.yesterday().unwrap());
    let known_before = with_another_future(&panel, hold_out.from - 90.days());
    for part in [Part::Trees, Part::ElasticNet, Part::Features, Part::Ensemble, Part::Signal] {
        let of = |panel: &Panel| study(part, panel, hold_out, 3);
        let trials = of(&panel);
        let complete = trials.iter().filter(|trial| trial.state == TrialState::Complete);
        assert!(complete.count() >= 2, "{part}: {trials:?}");
        assert_eq!(trials, of(&changed), "{part}");
        assert_ne!(trials, of(&known_before), "{part}: what comes before it is looked at");
    }
}

#[test]
fn trials_tell_their_folds_and_how_sure_they_are() {
    let panel = RECIPE.panel();
    let hold_out = HoldOut::of(&panel).unwrap();
    let trials = study(Part::ElasticNet, &panel, hold_out, 4);
    let first = &trials[0];
    assert_eq!(first.params["alpha"].value().unwrap().to_string(), "0.001", "the default first");
    assert_eq!(first.intermediate_values.len(), 3, "one for each fold");
    assert!(first.value().unwrap() > 0.05, "a planted signal is found: {first:?}");
    assert!(first.user_attrs[STANDARD_ERROR_ATTR].as_f64().unwrap() > 0.0);
}

/// Stops every trial but the first at its third report.
#[derive(Debug)]
struct AfterThree;

impl Pruner for AfterThree {
    fn review(&mut self, _: &History, trial: &FrozenTrial) -> Verdict {
        Verdict {
            prune: trial.number > 0 && trial.intermediate_values.len() == 3,
            ..Verdict::default()
        }
    }
}

#[test]
fn a_network_tells_each_epoch_of_all_folds_and_may_be_ended_after_any() {
    let panel = RECIPE.panel();
    let hold_out = HoldOut::of(&panel).unwrap();
    let base = network_base();
    let ending = Ending::after(3);
    let trials = study_of(Part::Lstm, &base, (&panel, hold_out), Box::new(AfterThree), &ending);
    let epochs = |trial: &FrozenTrial| trial.user_attrs[EPOCHS_ATTR].as_u64().unwrap();
    let steps = |trial: &FrozenTrial| trial.intermediate_values.keys().copied().collect::<Vec<_>>();

    let first = &trials[0];
    assert_eq!(first.state, TrialState::Complete, "{first:?}");
    let steps_count = first.intermediate_values.len() as u64;
    assert_eq!(steps(first), (1..=steps_count).collect::<Vec<_>>());
    assert!((5..=6).contains(&steps_count), "patience is four epochs, and six are the most");
    assert!(epochs(first) > 2 * steps_count && epochs(first) <= 3 * steps_count, "three folds");
    let last = first.intermediate_values.values().next_back().unwrap();
    assert!(*last > 0.05, "a planted signal is found on the validation rows: {last}");
    assert!(first.value().unwrap() > 0.05, "and on the test rows: {first:?}");

    for trial in &trials[1..] {
        assert_eq!(trial.state, TrialState::Pruned, "{trial:?}");
        assert_eq!((steps(trial), epochs(trial)), (vec![1, 2, 3], 9));
    }
}

#[test]
fn a_network_that_learns_when_the_run_is_cancelled_waits_to_be_tried_again() {
    let panel = RECIPE.panel();
    let hold_out = HoldOut::of(&panel).unwrap();
    let ending = Ending { at_once: true, ..Ending::after(3) };
    let pruner = Box::new(AfterThree);
    let trials = study_of(Part::Lstm, &network_base(), (&panel, hold_out), pruner, &ending);
    let states: Vec<TrialState> = trials.iter().map(|trial| trial.state).collect();
    assert_eq!(states, [TrialState::Fail, TrialState::Waiting]);
    assert!(trials[0].intermediate_values.is_empty(), "it ends after the epoch that runs");
}

#[test]
fn the_hold_out_is_the_last_fifth_and_a_year_at_least() {
    let of = |days_count| HoldOut::of(&Recipe { days_count, symbols_count: 5, ..RECIPE }.panel());
    let hold_out = of(620).unwrap();
    assert_eq!(hold_out.sessions_count, HOLD_OUT_SESSIONS_MIN as u64);
    assert_eq!(hold_out.tuning_sessions_count, 370);
    assert_eq!(of(1500).unwrap().sessions_count, 300);
    let error = of(499).unwrap_err().to_string();
    assert!(error.starts_with("the history has 499 sessions"), "{error}");
}

#[test]
fn what_is_cut_before_the_hold_out_has_neither_its_rows_nor_its_outcomes() {
    let panel = RECIPE.panel();
    let hold_out = HoldOut::of(&panel).unwrap();
    let cut = hold_out.tuning_panel(&panel);
    assert!(cut.known.keys.iter().all(|key| key.day < hold_out.from));
    let known_on: Vec<Option<Date>> = cut.targets.known_on.clone();
    assert!(known_on.iter().flatten().all(|day| *day < hold_out.from));
    let unknown = (0..known_on.len()).filter(|row| known_on[*row].is_none());
    let mut unknown_count = 0;
    for row in unknown {
        assert!(cut.targets.step_returns.iter().all(|returns| returns[row].is_nan()));
        assert!(cut.targets.tradable_return[row].is_nan());
        unknown_count += 1;
    }
    // The labels of five sessions before it reach into it.
    assert_eq!(unknown_count, 5 * RECIPE.symbols_count);
}

#[test]
fn too_few_symbols_to_compare_are_refused() {
    let panel = Recipe { symbols_count: 3, ..RECIPE }.panel();
    let hold_out = HoldOut::of(&panel).unwrap();
    let panel_of = |_| panel.clone();
    let refused =
        Objective::prepare(Part::Trees, base(), hold_out, Box::new(panel_of)).unwrap_err();
    assert_eq!(refused, TrainError::TooFewSymbols);
}

/// As faint as a real signal may be.
const FAINT: Recipe = Recipe { symbols_count: 20, days_count: 620, strength: 0.1, seed: 4 };

/// A configuration that learns, and one that hardly does.
fn good_and_poor() -> (TrainingSpec, TrainingSpec) {
    let good = base();
    let mut poor = base();
    poor.members.elastic_net = None;
    poor.members.gbdt.num_iterations = 1;
    poor.members.gbdt.feature_fraction = 0.2;
    (good, poor)
}

#[test]
fn only_what_is_better_on_the_hold_out_is_promoted() {
    let panel = FAINT.panel();
    let hold_out = HoldOut::of(&panel).unwrap();
    let (good, poor) = good_and_poor();
    let trained: BTreeMap<bool, Trained> = [(true, &good), (false, &poor)]
        .map(|(is_good, spec)| (is_good, train(&panel, spec).unwrap()))
        .into();
    let (of_good, of_poor) = ((&good, &trained[&true]), (&poor, &trained[&false]));
    let found = HoldOutComparison::of(hold_out, of_poor, of_good, 40, 1);
    assert_eq!(found.verdict, PromotionVerdict::Promoted, "{found:?}");
    assert!(found.difference.unwrap().low > 0.0);
    assert!(found.sentence.en.contains("after 40 trials"), "{}", found.sentence.en);
    assert!(found.sentence.en.ends_with("the tuned model is promoted."), "{}", found.sentence.en);
    assert!(found.sentence.tr.contains("40 denemeden sonra"), "{}", found.sentence.tr);
    assert!(found.tuned.after_costs.is_some());

    let worse = HoldOutComparison::of(hold_out, of_good, of_poor, 40, 1);
    assert_eq!(worse.verdict, PromotionVerdict::NotBetter);
    assert!(worse.sentence.en.ends_with("stays a candidate."), "{}", worse.sentence.en);
    let same = HoldOutComparison::of(hold_out, of_good, of_good, 40, 1);
    assert_eq!(same.verdict, PromotionVerdict::NotBetter, "what is the same is not better");

    let looked_at_often = HoldOutComparison::of(hold_out, of_poor, of_good, 40, 8);
    let wider = looked_at_often.difference.unwrap();
    assert!(wider.low < found.difference.unwrap().low && wider.level > 0.98, "{wider}");
}

#[test]
fn each_configuration_that_was_compared_on_the_hold_out_counts_once() {
    let trial = |purpose, spec: &str| Trial {
        at: Timestamp::UNIX_EPOCH,
        purpose,
        origin: Origin::Market,
        horizon: HORIZON,
        spec_sha256: spec.to_owned(),
        snapshot_hash: "bars".to_owned(),
        code_version: "1".to_owned(),
    };
    let trials = [
        trial(TrialPurpose::HoldOut, "a"),
        trial(TrialPurpose::Tune, "b"),
        trial(TrialPurpose::HoldOut, "a"),
        trial(TrialPurpose::HoldOut, "c"),
        Trial { origin: Origin::Sample, ..trial(TrialPurpose::HoldOut, "d") },
    ];
    assert_eq!(looks_count(&trials, Origin::Market, HORIZON), 2);
    assert_eq!(looks_count(&trials, Origin::Sample, HORIZON), 1);
}
