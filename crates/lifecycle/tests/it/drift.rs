//! Drift: distances against scipy's, and what is told of a market that has changed and one that has
//! not.

use std::sync::Arc;

use bist_lifecycle::drift::{DriftPolicy, DriftReport, PerformanceMeasure, Reference};
use bist_lifecycle::retraining::Champion;
use bist_market::Calendar;
use bist_models::{FeatureMatrix, Known, Panel};
use serde_json::Value;

use crate::panels::{Recipe, spec, train};

const PLANTED: Recipe = Recipe { symbols_count: 10, days_count: 500, strength: 0.3, seed: 1 };

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

#[test]
fn distances_are_those_of_scipy() {
    let golden: Value = serde_json::from_str(include_str!("../golden/drift.json")).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let reference = Reference::of(&numbers(&case["reference"])).unwrap();
        let distances = reference.distances(&numbers(&case["current"])).unwrap();
        let close = |ours: f64, name: &str| {
            let theirs = case[name].as_f64().unwrap();
            assert!((ours - theirs).abs() < 1e-12, "{name}: {ours} and {theirs}");
        };
        close(distances.ks, "ks");
        close(distances.wasserstein, "wasserstein");
        close(distances.psi, "psi");
    }
}

#[test]
fn missing_values_are_a_bin_of_their_own_and_nothing_else() {
    let values: Vec<f64> = (0..100).map(f64::from).collect();
    let reference = Reference::of(&values).unwrap();
    let same = reference.distances(&values).unwrap();
    assert!(same.psi.abs() + same.ks + same.wasserstein < 1e-12, "{same:?}");
    let holes: Vec<f64> = values.iter().flat_map(|value| [*value, f64::NAN]).collect();
    let half = reference.distances(&holes).unwrap();
    assert!(half.psi > 1.0 && half.ks + half.wasserstein < 1e-12, "{half:?}");
    assert_eq!(reference.distances(&[f64::NAN; 3]), None);
    assert!(Reference::of(&[1.0; 9]).is_none(), "what is always the same cannot drift");
}

#[test]
fn a_long_reference_is_kept_to_a_thousandth() {
    let square = |i: u32| f64::from(i).powi(2);
    let reference = Reference::of(&(0..50_000).map(square).collect::<Vec<_>>()).unwrap();
    let same = reference.distances(&(0..50_000).map(square).collect::<Vec<_>>()).unwrap();
    assert!(same.ks <= 1e-3 && same.wasserstein <= 1e-3, "{same:?}");
}

#[test]
fn a_market_that_goes_on_is_not_told_to_have_drifted_and_one_that_changes_is() {
    let panel = PLANTED.panel();
    let learned = {
        let keys = &panel.known.keys;
        panel.before(keys[keys.len() * 3 / 4].day)
    };
    let trained = train(&learned, &spec(7)).unwrap();
    let champion = Champion { model: &trained.model, learned_to: trained.last_day };
    let report = |panel| {
        DriftReport::of(
            "ensemble-0",
            champion,
            &trained.evaluation,
            panel,
            DriftPolicy { windows_min: 10, ..DriftPolicy::default() },
            Calendar::bist(),
        )
    };
    let calm = report(&panel);
    let inputs = calm.inputs.as_ref().unwrap();
    assert!(!inputs.is_alarm, "{:?}", inputs.features.first());
    assert!(calm.sentence.en.contains("which is not unusual"), "{}", calm.sentence.en);

    // From some day on every feature is twice as large and one more.
    let mut changed = panel.clone();
    let from = inputs.from;
    let columns = (0..panel.known.features.columns_count()).map(|j| {
        let column = panel.known.features.column(j).iter().zip(&panel.known.keys);
        column.map(|(v, key)| if key.day >= from { 1.0 + 2.0 * v } else { *v }).collect()
    });
    let names = panel.known.features.names().to_vec();
    let features = FeatureMatrix::from_columns(names, columns.collect()).unwrap();
    changed.known = Arc::new(Known { features, ..(*panel.known).clone() });
    let alarmed = report(&changed);
    let inputs = alarmed.inputs.as_ref().unwrap();
    assert!(inputs.is_alarm && alarmed.is_alarm, "{inputs:?}");
    let worst = &inputs.features[0];
    assert!(worst.has_drifted && worst.distances.ks > worst.thresholds.ks, "{worst:?}");
    assert!(alarmed.sentence.en.contains("which is more than usual"), "{}", alarmed.sentence.en);
}

#[test]
fn a_model_whose_forecasts_turn_round_is_told_to_be_below_its_record() {
    let panel = PLANTED.panel();
    let learned = {
        let keys = &panel.known.keys;
        panel.before(keys[keys.len() * 3 / 5].day)
    };
    let trained = train(&learned, &spec(7)).unwrap();
    let champion = Champion { model: &trained.model, learned_to: trained.last_day };
    let report = |panel: &Panel| {
        let policy = DriftPolicy::default();
        DriftReport::of("v", champion, &trained.evaluation, panel, policy, Calendar::bist())
    };
    let rank_ic = |report: &DriftReport| {
        let mut checks = report.performance.iter();
        *checks.find(|check| check.measure == PerformanceMeasure::RankIc).unwrap()
    };
    assert!(!rank_ic(&report(&panel)).is_alarm);
    let mut turned = panel;
    for returns in &mut turned.targets.step_returns {
        returns.iter_mut().for_each(|value| *value = -*value);
    }
    let check = rank_ic(&report(&turned));
    assert!(check.is_alarm, "{check:?}");
}
