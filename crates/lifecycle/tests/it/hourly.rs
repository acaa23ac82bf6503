//! Training on hourly bars: the same proof, one number a day, and nothing beyond the session.

use std::ops::ControlFlow;

use bist_lifecycle::evaluation::{ByBaseline, RankIcMethod};
use bist_lifecycle::training::{OutOfFoldForecasts, forecast_folds};
use bist_lifecycle::{
    Explained, FittedModel, TrainError, TrainingSpec, WalkForward, WalkForwardError, horizons_of,
};
use bist_market::{Calendar, Interval, ValidatedBars};
use bist_models::{Horizon, Panel, features};
use bist_testkit::bars::{hourly_walk, validated};
use jiff::civil::{Date, date, time};

use crate::panels::train_with;

const FIRST_DAY: Date = date(2025, 3, 3);

/// A half day is among the sessions, 5 June 2025, and the last is a full one.
const LAST_DAY: Date = date(2025, 6, 13);

fn market(last_day: Date) -> Vec<ValidatedBars> {
    ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"]
        .map(|symbol| validated(hourly_walk(symbol, FIRST_DAY, last_day, 3)))
        .to_vec()
}

fn panel(series: &[ValidatedBars], horizon: Horizon) -> Panel {
    features::build(series, &[], Calendar::bist(), &[horizon]).remove(0)
}

fn with_another_future(series: &[ValidatedBars], horizon: Horizon, day: Date) -> Panel {
    let series: Vec<ValidatedBars> =
        series.iter().map(|series| series.with_another_future(day)).collect();
    panel(&series, horizon)
}

/// The spec of the product with fewer trees and one look at the rows by the network.
fn spec(horizon: Horizon) -> TrainingSpec {
    let mut spec = TrainingSpec::of(horizon, 7);
    spec.members.gbdt.num_iterations = 20;
    spec.members.gbdt.learning_rate = 0.1;
    spec.outlook.num_iterations = 10;
    if let Some(lstm) = &mut spec.members.lstm {
        lstm.epochs_max = 1;
    }
    spec
}

#[test]
fn hourly_models_are_trained_proved_and_forecast_to_the_end_of_their_session() {
    let series = market(LAST_DAY);
    for (horizon, ends) in
        [(Horizon::NextHour, time(18, 10, 0, 0)), (Horizon::EndOfDay, time(18, 10, 0, 0))]
    {
        let panel = panel(&series, horizon);
        let other_future = |day| with_another_future(&series, horizon, day);
        let trained = train_with(&panel, &spec(horizon), &other_future, &|_| {}).unwrap();
        let evaluation = &trained.evaluation;
        assert_eq!(evaluation.horizon, horizon);
        assert_eq!(evaluation.rank_ic.method, RankIcMethod::CrossSectional);
        assert_eq!(evaluation.rank_ic.days_count, evaluation.days_count, "one number a day");
        assert!(evaluation.rows_count > 6 * 6 * evaluation.days_count);
        assert!(evaluation.by_symbol.iter().all(|of| of.days_judged() == evaluation.days_count));
        assert!(evaluation.leak_check.forecasts_count > 0);
        assert!(!evaluation.skill.shown, "a walk cannot be foreseen: {evaluation}");
        let kinds: Vec<&str> =
            evaluation.members.iter().map(|member| member.kind.as_str()).collect();
        assert_eq!(kinds, ["gbdt", "elastic_net", "lstm"]);
        for coverage in &evaluation.coverage {
            let covered = coverage.covered.unwrap().value;
            assert!((covered - coverage.level).abs() < 0.08, "{coverage:?}");
        }

        let explained = trained.model.explain_latest(&panel, Calendar::bist()).unwrap();
        assert_eq!(explained.len(), 6);
        for Explained { forecast, explanation } in &explained {
            // The hour before the closing auction is the last after which something is left.
            assert_eq!(forecast.as_of, LAST_DAY);
            assert_eq!(forecast.as_of_time, Some(time(18, 0, 0, 0)));
            let [step] = forecast.steps.as_slice() else { panic!("{forecast:?}") };
            assert_eq!((step.day, step.time), (Some(LAST_DAY), Some(ends)));
            assert!((explanation.sum() - forecast.expected_log_return).abs() < 1e-6);
        }
        let bytes = trained.model.to_bytes();
        assert_eq!(FittedModel::from_bytes(&bytes).unwrap(), trained.model);
        let json = serde_json::to_value(evaluation).unwrap();
        assert_eq!(
            (json["horizon_sessions"].as_u64(), json["horizon"].as_str()),
            (Some(1), Some(horizon.to_string().as_str()))
        );
    }
}

#[test]
fn a_forecast_in_the_middle_of_a_session_ends_with_the_hour_or_the_day() {
    let series = market(LAST_DAY);
    let noon = |panel: &Panel| {
        let is_noon = |key: &bist_models::RowKey| {
            (key.day, key.time) == (date(2025, 6, 4), time(12, 0, 0, 0))
        };
        panel.known.keys.iter().position(is_noon).unwrap()
    };
    for (horizon, ends) in
        [(Horizon::NextHour, time(14, 0, 0, 0)), (Horizon::EndOfDay, time(18, 10, 0, 0))]
    {
        let panel = panel(&series, horizon);
        let other_future = |day| with_another_future(&series, horizon, day);
        let model = train_with(&panel, &spec(horizon), &other_future, &|_| {}).unwrap().model;
        let forecast = model.forecast(&panel, noon(&panel), Calendar::bist()).unwrap();
        assert_eq!(forecast.as_of_time, Some(time(13, 0, 0, 0)), "its bar has closed");
        assert_eq!(forecast.last_step().time, Some(ends));
        let last = panel.known.keys.len() - 1;
        assert_eq!(model.forecast(&panel, last, Calendar::bist()), None, "the session is over");
    }
}

#[test]
fn a_changed_future_leaves_the_hourly_forecasts_of_a_fold_as_they_were() {
    let (series, horizon) = (market(LAST_DAY), Horizon::EndOfDay);
    let forecasts = |panel: &Panel| {
        forecast_folds(panel, &spec(horizon), &|_, _| ControlFlow::Continue(())).unwrap()
    };
    let before = forecasts(&panel(&series, horizon));
    let layout = before.layouts[2];
    let after = forecasts(&with_another_future(&series, horizon, layout.test_from));
    let up_to = |forecasts: &OutOfFoldForecasts, day: Date| -> Vec<(u64, ByBaseline<u64>)> {
        let made = forecasts.records.iter().filter(|record| record.day <= day);
        made.map(|record| {
            let of_baseline = |baseline| record.predicted.baselines[baseline].to_bits();
            (record.predicted.model.to_bits(), ByBaseline::of(of_baseline))
        })
        .collect()
    };
    let day = layout.test_from;
    assert_eq!(up_to(&before, day), up_to(&after, day));
    assert_ne!(up_to(&before, LAST_DAY), up_to(&after, LAST_DAY), "the change is seen later");
}

#[test]
fn two_months_are_too_short_and_the_refusal_says_how_long_is_long_enough() {
    let (series, horizon) = (market(date(2025, 4, 30)), Horizon::NextHour);
    let other_future = |day| with_another_future(&series, horizon, day);
    let error = train_with(&panel(&series, horizon), &spec(horizon), &other_future, &|_| {});
    let TrainError::WalkForward(WalkForwardError::TooShort { days_count, days_count_min, .. }) =
        error.unwrap_err()
    else {
        panic!("it is too short")
    };
    assert!(days_count < days_count_min && days_count_min < 60, "{days_count} {days_count_min}");
    assert_eq!(spec(horizon).walk_forward, WalkForward::HOURLY);
    assert_eq!(spec(horizon).members.prophet, None);
}

#[test]
fn the_horizons_of_hourly_bars_are_an_hour_and_the_end_of_the_day() {
    assert_eq!(horizons_of(Interval::HOURLY), [Horizon::NextHour, Horizon::EndOfDay]);
    assert_eq!(horizons_of(Interval::Daily).len(), 3);
    assert!(horizons_of(Interval::Minutes(15)).is_empty());
}
