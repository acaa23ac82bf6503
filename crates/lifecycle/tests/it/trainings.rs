//! Training finds what is there, finds nothing where nothing is, and does not see the future.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use bist_lifecycle::evaluation::{ByBaseline, RegimeShares};
use bist_lifecycle::training::{OutOfFoldForecasts, forecast_folds};
use bist_lifecycle::{
    Explained, FittedModel, TrainError, Trained, TrainingContext, TrainingProgress, TrainingStage,
    evaluate_paths,
};
use bist_market::{Calendar, ExchangeRules, Price};
use bist_models::{FeatureMatrix, Horizon, Panel};
use bist_trading::{Action, ModelRecord, SignalInput, SignalPolicy, SkillCondition, decide};
use jiff::ToSpan;

use crate::panels::{Recipe, spec, symbol, train, train_with, with_another_future};

const PLANTED: Recipe = Recipe { symbols_count: 10, days_count: 500, strength: 0.3, seed: 1 };

fn trained(panel: &Panel, seed: u64) -> Trained {
    train(panel, &spec(seed)).unwrap()
}

/// As faint as a real signal may be, among enough symbols to find it.
const FAINT: Recipe = Recipe { symbols_count: 30, strength: 0.08, ..PLANTED };

#[test]
fn a_planted_signal_is_found() {
    let evaluation = trained(&FAINT.panel(), 7).evaluation;
    assert!(evaluation.skill.shown, "{evaluation}");
    assert!(evaluation.rank_ic.estimate.unwrap().value > 0.05, "{evaluation}");
}

#[test]
fn a_signal_that_is_too_strong_is_found_and_not_believed() {
    let evaluation = trained(&PLANTED.panel(), 7).evaluation;
    assert_eq!(evaluation.model_record().unmet, [SkillCondition::PlausibleRankIc], "{evaluation}");
    assert!(evaluation.alarm.is_some());
    assert!(evaluation.after_costs.unwrap().excess_return_share.unwrap().low > 0.0);
    let shown = evaluation.by_symbol.iter().filter(|symbol| symbol.skill_shown).count();
    assert!(shown >= 5, "skill is shown on {shown} of 10 symbols");
}

#[test]
fn noise_is_not_taken_for_skill() {
    for seed in 0..8 {
        let panel = Recipe { strength: 0.0, seed: 100 + seed, ..PLANTED }.panel();
        let evaluation = trained(&panel, seed).evaluation;
        assert!(!evaluation.skill.shown, "seed {seed}: {evaluation}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_does_not() {
    let panel = Recipe { days_count: 400, ..PLANTED }.panel();
    let (first, again, other) = (trained(&panel, 7), trained(&panel, 7), trained(&panel, 8));
    assert_eq!(first.model.to_bytes(), again.model.to_bytes());
    assert_eq!(first.evaluation, again.evaluation);
    assert_ne!(first.model.to_bytes(), other.model.to_bytes());
}

fn forecasts(panel: &Panel) -> OutOfFoldForecasts {
    forecast_folds(panel, &spec(7), &|_, _| ControlFlow::Continue(())).unwrap()
}

/// For each fold: turns round everything that was not known before its test block began; the
/// forecasts of its first day must not move by a bit.
#[test]
fn a_changed_future_leaves_the_forecasts_of_a_fold_as_they_were() {
    let panel = Recipe { days_count: 400, ..PLANTED }.panel();
    let before = forecasts(&panel);
    for (index, layout) in before.layouts.iter().enumerate() {
        let changed = with_another_future(&panel, layout.test_from);
        let after = forecasts(&changed);
        let of_fold = |forecasts: &OutOfFoldForecasts| -> Vec<(u64, ByBaseline<u64>)> {
            let of_fold = forecasts.records.iter().filter(|record| record.day == layout.test_from);
            of_fold
                .map(|r| {
                    let of_baseline = |baseline| r.predicted.baselines[baseline].to_bits();
                    (r.predicted.model.to_bits(), ByBaseline::of(of_baseline))
                })
                .collect()
        };
        assert_eq!(of_fold(&before), of_fold(&after), "fold {index}");
        let folds_count = before.layouts.len();
        if index + 1 < folds_count {
            assert_ne!(before.records.last(), after.records.last(), "the change is seen later");
        }
    }
}

#[test]
fn a_forecast_is_a_straight_line_with_bands_and_reasons_that_add_up() {
    let panel = PLANTED.panel();
    let trained = trained(&panel, 7);
    let explained = trained.model.explain_latest(&panel, Calendar::bist()).unwrap();
    assert_eq!(explained.len(), 10);
    let by_prophet =
        |Explained { explanation, .. }: &Explained| explanation.members[3].contribution;
    let sum_of_day: f64 = explained.iter().map(by_prophet).sum();
    assert!(sum_of_day.abs() < 1e-12, "symbols are compared with each other: {sum_of_day}");
    for Explained { forecast, explanation } in &explained {
        assert_eq!(forecast.as_of, panel.known.keys.last().unwrap().day);
        assert!((explanation.sum() - forecast.expected_log_return).abs() < 1e-6);
        let kinds: Vec<&str> = explanation.members.iter().map(|m| m.kind.as_str()).collect();
        assert_eq!(kinds, ["gbdt", "elastic_net", "lstm", "prophet"]);
        let of_members: f64 = explanation.members.iter().map(|m| m.weight * m.forecast).sum();
        assert!((explanation.drift + of_members - forecast.expected_log_return).abs() < 1e-12);
        for (index, member) in explanation.members.iter().enumerate() {
            let parts: f64 = explanation.features.iter().map(|f| f.by_member[index]).sum();
            assert!((parts - member.contribution).abs() < 1e-12, "{}", member.kind);
            let gap = member.base + parts - member.weight * member.forecast;
            let allowed = if member.kind == "lstm" { 1e-7 } else { 1e-9 };
            assert!(gap.abs() < allowed, "{} is {gap} off", member.kind);
        }
        let of = |name: &str| {
            let feature = explanation.features.iter().find(|f| f.feature == name);
            feature.map(|feature| feature.by_member.clone())
        };
        assert!(of("driver").unwrap()[2].abs() > 0.0, "the network is explained by feature");
        assert!(of("prophet_trend").is_some() && of("prophet_weekly").is_some());
        assert!((0.0..=1.0).contains(&forecast.probability_up));
        assert_eq!(forecast.steps.len(), 5);
        for (step, number) in forecast.steps.iter().zip(1_u32..) {
            assert_eq!(step.session, number);
            let share = f64::from(number) / 5.0;
            assert!((step.centre - share * forecast.expected_log_return).abs() < 1e-12);
            assert!(step.interval_80.low < step.interval_50.low);
            assert!(step.interval_50.low < step.centre && step.centre < step.interval_50.high);
            assert!(step.interval_50.high < step.interval_80.high);
            let day = Calendar::bist().session_after(forecast.as_of, number);
            assert_eq!(step.day, day);
        }
    }
    // A larger forecast is more often followed by a rise.
    let forecasts = explained.iter().map(|explained| &explained.forecast);
    let largest =
        forecasts.clone().max_by(|a, b| a.expected_log_return.total_cmp(&b.expected_log_return));
    let smallest =
        forecasts.clone().min_by(|a, b| a.expected_log_return.total_cmp(&b.expected_log_return));
    assert!(largest.unwrap().probability_up > smallest.unwrap().probability_up);
}

#[test]
fn a_member_that_is_taken_away_changes_the_forecast() {
    let panel = PLANTED.panel();
    let whole = trained(&panel, 7);
    let kinds: Vec<&str> = whole.evaluation.members.iter().map(|m| m.kind.as_str()).collect();
    assert_eq!(kinds, ["gbdt", "elastic_net", "lstm", "prophet"]);
    // The elastic net is a baseline too, and stands among the comparisons once.
    let compared = whole.evaluation.comparisons.iter().map(|row| row.against.as_str());
    assert_eq!(compared.filter(|against| *against == "elastic_net").count(), 1);
    for member in &whole.evaluation.members {
        for RegimeShares { calm, turbulent } in member.fold_weights.iter().chain([&member.weight]) {
            assert!((0.0..=1.0).contains(calm) && (0.0..=1.0).contains(turbulent));
        }
        assert_eq!(member.fold_weights.len(), 4);
    }
    for of_regime in [|shares: RegimeShares| shares.calm, |shares: RegimeShares| shares.turbulent] {
        let weights = whole.evaluation.members.iter().map(|member| of_regime(member.weight));
        assert!((weights.sum::<f64>() - 1.0).abs() < 1e-9);
    }

    let mut without = spec(7);
    without.members.elastic_net = None;
    let without = train(&panel, &without).unwrap();
    assert_eq!(without.evaluation.members.len(), 3);
    let row = panel.known.keys.len() - 1;
    let forecast = |trained: &Trained| {
        trained.model.forecast(&panel, row, Calendar::bist()).unwrap().expected_log_return
    };
    assert!((forecast(&whole) - forecast(&without)).abs() > 1e-9);
}

#[test]
fn one_thread_and_two_train_the_same_ensemble() {
    let panel = Recipe { days_count: 400, ..PLANTED }.panel();
    let bytes = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| trained(&panel, 7)).model.to_bytes()
    };
    assert_eq!(bytes(1), bytes(2));
}

#[test]
fn a_symbol_without_a_known_volatility_is_not_forecast() {
    let mut panel = PLANTED.panel();
    let trained = trained(&panel, 7);
    let last = panel.known.keys.len() - 1;
    panel.targets.volatility[last] = f64::NAN;
    let explained = trained.model.explain_latest(&panel, Calendar::bist()).unwrap();
    assert_eq!(explained.len(), 9);
    assert!(explained.iter().all(|explained| explained.forecast.symbol != symbol(9)));
}

#[test]
fn forecasts_become_signals_that_rest_on_the_record() {
    let panel = PLANTED.panel();
    let found = trained(&panel, 7);
    let lost = trained(&Recipe { strength: 0.0, ..PLANTED }.panel(), 7);
    let actions = |trained: &Trained, model_record: &ModelRecord| -> Vec<Action> {
        let explained = trained.model.explain_latest(&panel, Calendar::bist()).unwrap();
        let signals = explained.iter().map(|Explained { forecast, explanation }| {
            let step = forecast.last_step();
            decide(&SignalInput {
                symbol: forecast.symbol,
                as_of: forecast.as_of,
                last_close: Price::parse("120.00").unwrap(),
                horizon: forecast.horizon,
                within_session: None,
                expected_log_return: forecast.expected_log_return,
                expected_interval_80: forecast.expected_interval_80,
                interval_80: step.interval_80,
                interval_50: step.interval_50,
                probability_up: forecast.probability_up,
                base_share: explanation.base,
                contributions: &explanation.contributions(),
                model_record,
                symbol_record: &trained.evaluation.symbol_record(forecast.symbol),
                costs: &trained.evaluation.protocol.costs,
                policy: SignalPolicy::default(),
                calendar: Calendar::bist(),
                rules: ExchangeRules::bist(),
            })
        });
        signals.map(|signal| signal.action).collect()
    };
    let held = |trained: &Trained, record: &ModelRecord| {
        actions(trained, record).iter().all(|action| *action == Action::Hold)
    };
    assert!(held(&lost, &lost.evaluation.model_record()));
    // The alarm alone holds; with every condition met, the same forecasts are followed.
    let alarmed = found.evaluation.model_record();
    assert!(held(&found, &alarmed));
    assert!(!held(&found, &ModelRecord { unmet: Vec::new(), ..alarmed }));
}

#[test]
fn a_model_survives_the_way_to_bytes_and_back() {
    let panel = Recipe { days_count: 400, ..PLANTED }.panel();
    let model = trained(&panel, 7).model;
    let read = FittedModel::from_bytes(&model.to_bytes()).unwrap();
    let rows: Vec<usize> = (0..panel.known.keys.len()).collect();
    let bits = |model: &FittedModel| -> Vec<u64> {
        let forecasts = model.members.predict(&panel.known, &rows);
        forecasts.iter().flatten().map(|value| value.to_bits()).collect()
    };
    assert_eq!(bits(&read), bits(&model));
    assert_eq!(read.to_bytes(), model.to_bytes());
    assert!(FittedModel::from_bytes(b"{}").is_err());
}

#[test]
fn progress_names_every_fold_and_never_goes_back() {
    let panel = Recipe { days_count: 400, ..PLANTED }.panel();
    let seen = RefCell::new(Vec::new());
    let other_future = |day| with_another_future(&panel, day);
    let told = |progress| seen.borrow_mut().push(progress);
    train_with(&panel, &spec(7), &other_future, &told).unwrap();
    let seen = seen.into_inner();
    assert!(seen.is_sorted_by(|a, b| a.done_share <= b.done_share));
    assert!((seen.last().unwrap().done_share - 1.0).abs() < 1e-12);
    let folds = seen.iter().filter(|p| matches!(p.stage, TrainingStage::Fold { .. })).count();
    assert_eq!(folds, 4);
}

#[test]
fn what_cannot_be_trained_is_refused_with_a_reason() {
    let mut other = spec(7);
    other.horizon = Horizon::from_sessions(3).unwrap();
    let error = train(&PLANTED.panel(), &other).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the panel looks 5 sessions ahead and the training 3 sessions ahead: build it for the same"
    );
    let short = Recipe { days_count: 60, ..PLANTED }.panel();
    let error = train(&short, &spec(7)).unwrap_err();
    assert!(matches!(error, TrainError::WalkForward(_)), "{error}");
}

/// A feature that knows tomorrow: the gate names it.
#[test]
fn a_feature_that_sees_the_future_is_named_and_no_model_comes_of_it() {
    let panel = Recipe { days_count: 400, ..PLANTED }.panel();
    let leaking = |panel: &Panel| {
        let mut leaking = panel.clone();
        let features = &panel.known.features;
        let next: Vec<f64> = panel.targets.step_returns[0].iter().map(|r| r * 10.0).collect();
        let columns = (0..features.columns_count())
            .map(|j| if j == 3 { next.clone() } else { features.column(j).to_vec() });
        let names = features.names().to_vec();
        Arc::make_mut(&mut leaking.known).features =
            FeatureMatrix::from_columns(names, columns.collect()).unwrap();
        leaking
    };
    let other_future = |day| leaking(&with_another_future(&panel, day));
    let error = train_with(&leaking(&panel), &spec(7), &other_future, &|_| {}).unwrap_err();
    let TrainError::Leak(leak) = error else { panic!("{error}") };
    assert_eq!(leak.what, "the feature noise_1");
    assert!(leak.to_string().contains("seen the future"), "{leak}");
}

/// Outcomes that are said to be known a fortnight before their day: purge and embargo let rows
/// through that they should not, and the forecasts give it away.
#[test]
fn outcomes_that_are_said_to_be_known_too_early_are_found() {
    let panel = Recipe { days_count: 400, ..PLANTED }.panel();
    let too_early = |mut panel: Panel| {
        for (known_on, key) in panel.targets.known_on.iter_mut().zip(&panel.known.keys) {
            *known_on = known_on.map(|_| key.day.checked_sub(14.days()).unwrap());
        }
        panel
    };
    let other_future = |day| too_early(with_another_future(&panel, day));
    let early = too_early(panel.clone());
    let error = train_with(&early, &spec(7), &other_future, &|_| {}).unwrap_err();
    let TrainError::Leak(leak) = error else { panic!("{error}") };
    assert!(leak.what.contains("forecast"), "{leak}");
}

#[test]
fn a_planted_signal_is_found_whichever_days_are_the_test() {
    let panel = Recipe { days_count: 400, ..PLANTED }.panel();
    let seen = RefCell::new(Vec::new());
    let paths =
        evaluate_paths(&panel, &spec(7), &|progress| seen.borrow_mut().push(progress)).unwrap();
    assert_eq!(paths.rank_ics.len(), 5);
    assert!(paths.mean > 0.05 && paths.share_positive > 0.99, "{paths:?}");
    assert_eq!(seen.borrow().len(), 16, "fifteen splits begin, and the last one ends");
    let noise = Recipe { days_count: 400, strength: 0.0, ..PLANTED }.panel();
    let of_noise = evaluate_paths(&noise, &spec(7), &|_| {}).unwrap();
    assert!(of_noise.mean.abs() < 0.05, "{of_noise:?}");
}

#[test]
fn a_training_that_is_no_longer_wanted_ends_at_the_next_fold() {
    let panel = PLANTED.panel();
    let begun = RefCell::new(Vec::new());
    let cancelled_at_second_fold = |progress: TrainingProgress| {
        begun.borrow_mut().push(progress.stage);
        match matches!(progress.stage, TrainingStage::Fold { number: 2, .. }) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let context = TrainingContext {
        configurations_count: 1,
        sectors: &BTreeMap::new(),
        other_future: &|_| unreachable!("the gate comes after the folds"),
    };
    let error = bist_lifecycle::train(&panel, &spec(7), &context, &cancelled_at_second_fold);
    assert_eq!(error.unwrap_err(), TrainError::Cancelled);
    assert_eq!(begun.into_inner().len(), 3, "the warm-up and two folds");
}
