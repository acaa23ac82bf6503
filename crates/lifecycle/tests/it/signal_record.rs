//! What signals have been worth, by other people's numbers, and when that is too early to say.

use bist_lifecycle::evaluation::LEVEL;
use bist_lifecycle::rank_ic::{DependentMean, lag_days};
use bist_lifecycle::signal_record::{PERIODS_COUNT_MIN, reliability, summarise, summarise_by};
use bist_lifecycle::{Grouping, Horizon, ScoredSignal, Tally};
use bist_market::{Price, Symbol};
use bist_trading::{Action, Entry, SignalScore, Touch};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/signal_record_sklearn.json")).unwrap()
}

fn horizon(sessions: u8) -> Horizon {
    Horizon::from_sessions(sessions).unwrap()
}

/// A signal of the `index`-th symbol on a day, which said that the price rises with `said`.
fn signal(index: usize, as_of: Date, said: f64, rose: bool, sessions: u8) -> ScoredSignal {
    let price = Price::from_units(1_000_000).unwrap();
    let return_share = if rose { 0.01 } else { -0.01 };
    let score = SignalScore {
        action: Action::Hold,
        probability_up: said,
        expected_return_share: 0.0,
        cost_share: 0.002,
        made_in_time: true,
        first_close: price,
        ended_on: as_of,
        last_close: price,
        adjustment: 1.0,
        bars_hash: String::new(),
        missing_bars_count: 0,
        return_share,
        rose: Some(rose),
        hit: ((said - 0.5).abs() > 0.0).then_some((said > 0.5) == rose),
        brier: Some((said - f64::from(rose)).powi(2)),
        held_50: rose,
        held_80: true,
        entry: None,
        gain_after_costs_share: None,
        touch: None,
    };
    ScoredSignal {
        symbol: Symbol::parse(&format!("AAA{index}")).unwrap(),
        model_version: format!("gbdt-{}", index % 2),
        horizon: horizon(sessions),
        as_of,
        score,
    }
}

/// Those of `days_count` days with `per_day` of them each, all of which are right.
fn right(days_count: i64, per_day: usize, sessions: u8) -> Vec<ScoredSignal> {
    let day = |day: i64| date(2026, 3, 2) + day.days();
    let of_day =
        |at: i64| (0..per_day).map(move |index| signal(index, day(at), 0.6, true, sessions));
    (0..days_count).flat_map(of_day).collect()
}

fn all(signals: &[ScoredSignal]) -> Vec<&ScoredSignal> {
    signals.iter().collect()
}

fn numbers(row: &Value) -> Vec<f64> {
    row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[track_caller]
fn check(actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-12, "{actual} is not {expected}");
}

#[test]
fn reliability_and_hits_are_those_of_scikit_learn_and_statsmodels() {
    let golden = golden();
    let sessions = u8::try_from(golden["horizon"].as_u64().unwrap()).unwrap();
    let days = golden["days"].as_array().unwrap().iter().map(|day| day.as_i64().unwrap());
    let rose = golden["rose"].as_array().unwrap().iter().map(|rose| rose.as_bool().unwrap());
    let signals: Vec<ScoredSignal> = days
        .zip(numbers(&golden["said"]))
        .zip(rose)
        .enumerate()
        .map(|(at, ((day, said), rose))| {
            signal(at % 7, date(2026, 3, 2) + day.days(), said, rose, sessions)
        })
        .collect();
    let signals = all(&signals);
    let expected = |name: &str| golden[name].as_f64().unwrap();

    let curve = reliability(&signals, horizon(sessions)).unwrap();
    check(curve.brier, expected("brier"));
    check(curve.ece, expected("ece"));
    check(curve.coin_brier, 0.25);
    let (said, came) = (numbers(&golden["curve_said"]), numbers(&golden["curve_came"]));
    assert_eq!(curve.points.len(), said.len());
    for (point, (said, came)) in curve.points.iter().zip(said.into_iter().zip(came)) {
        check(point.bin.mean_forecast, said);
        check(point.bin.observed_share, came);
    }

    let summary = summarise(&signals, horizon(sessions));
    let hits = summary.hits.share.unwrap();
    check(hits.value, expected("hits_mean"));
    let mut daily = Vec::new();
    for day in signals.chunk_by(|a, b| a.as_of == b.as_of) {
        let hits: Vec<bool> = day.iter().filter_map(|signal| signal.score.hit).collect();
        daily.push(hits.iter().filter(|hit| **hit).count() as f64 / hits.len() as f64);
    }
    let mean = DependentMean::newey_west(&daily, lag_days(sessions)).unwrap();
    check(mean.standard_error, expected("hits_standard_error"));
    check(hits.low, mean.estimate(LEVEL).unwrap().low);
}

#[test]
fn while_the_days_cover_too_few_horizons_only_counts_are_said() {
    let few = summarise(&all(&right(49, 4, 5)), horizon(5));
    assert!(few.is_too_early && few.periods_count == 9);
    assert_eq!(few.hits, Tally { of_count: 196, count: 196, share: None });
    let enough = summarise(&all(&right(50, 4, 5)), horizon(5));
    assert!(!enough.is_too_early && enough.periods_count == PERIODS_COUNT_MIN);
    assert!(enough.hits.share.is_some());
}

#[test]
fn signals_of_one_day_are_one_observation() {
    let of = |per_day| summarise(&all(&right(50, per_day, 5)), horizon(5)).hits.share.unwrap();
    // Ten horizons that were all right may be so by luck, however many symbols share them.
    let (one, hundred) = (of(1), of(100));
    assert_eq!(one, hundred);
    check(one.value, 1.0);
    assert!(one.low < 0.75, "{one:?}");
}

#[test]
fn groups_are_by_symbol_version_month_confidence_and_action() {
    let mut signals = right(40, 2, 1);
    signals[0].score.probability_up = 0.41;
    signals[1].score.action = Action::Buy;
    let keys = |by| -> Vec<String> {
        let groups = summarise_by(&all(&signals), by, horizon(1));
        groups.into_iter().map(|group| group.key).collect()
    };
    assert_eq!(keys(Grouping::Symbol), ["AAA0", "AAA1"]);
    assert_eq!(keys(Grouping::Version), ["gbdt-0", "gbdt-1"]);
    assert_eq!(keys(Grouping::Month), ["2026-03", "2026-04"]);
    assert_eq!(keys(Grouping::Confidence), ["55-60", "60-70"]);
    assert_eq!(keys(Grouping::Action), ["buy", "hold"]);
    assert_eq!("version".parse(), Ok(Grouping::Version));
    let unknown = "year".parse::<Grouping>().unwrap_err().to_string();
    assert!(unknown.ends_with("give symbol, version, month, confidence or action"), "{unknown}");
}

#[test]
fn what_could_not_be_bought_is_counted_and_both_in_one_bar_is_the_stop() {
    let mut signals = right(20, 4, 1);
    let day = date(2026, 3, 3);
    for (index, signal) in signals.iter_mut().enumerate() {
        signal.score.action = Action::Buy;
        let (entry, gain) =
            if index % 4 == 3 { (Entry::Locked, None) } else { (Entry::Open, Some(0.01)) };
        (signal.score.entry, signal.score.gain_after_costs_share) = (Some(entry), gain);
        signal.score.touch = Some(match index % 4 {
            0 => Touch::Target { day },
            1 => Touch::Stop { day },
            2 => Touch::Both { day },
            _ => Touch::Neither,
        });
    }
    signals[0].score.made_in_time = false;
    let summary = summarise(&all(&signals), horizon(1));
    let bought = &summary.actions[0];
    assert_eq!((bought.tradable_count, bought.untradable_count), (60, 20));
    assert_eq!((bought.paid.count, bought.paid.of_count), (60, 60));
    check(bought.gain_after_costs_share.unwrap().value, 0.01);
    assert_eq!((bought.target_first.count, bought.target_first.of_count), (20, 80));
    assert_eq!((bought.stop_first.count, bought.both_in_one_bar_count), (40, 20));
    assert_eq!(summary.late_count, 1);
    assert_eq!(summary.actions[1].scored_count, 0);
}
