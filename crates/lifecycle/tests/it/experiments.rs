//! Experiments keep their level however often one looks, and tell what is there to tell.

mod golden;
mod level;
mod record;

use std::collections::BTreeMap;

use bist_lifecycle::Horizon;
use bist_lifecycle::experiment::{
    Covariate, DeclaredExperiment, DesignError, ExperimentDesign, ExperimentReport, Exposure,
    Guardrail, InvalidReason, Metric, Mode, Outcome, Records, SampleRatio, State, Verdict, judge,
    observe,
};
use bist_trading::ReturnInterval;
use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde_json::json;

fn design(challengers_count: usize) -> ExperimentDesign {
    ExperimentDesign {
        id: "autumn".to_owned(),
        horizon: Horizon::from_sessions(5).unwrap(),
        champion: "old".to_owned(),
        challengers: (1..=challengers_count).map(|number| format!("new-{number}")).collect(),
        mode: Mode::Shadow,
        metric: Metric::RankIc,
        error_level: 0.05,
        days_min: 60,
        days_max: 500,
        improvement_min: 0.0,
        guardrails: Vec::new(),
        covariate: None,
        missing_share_max: 0.01,
        watch_days: 0,
    }
}

fn split(weights: &[u32]) -> ExperimentDesign {
    ExperimentDesign {
        mode: Mode::Split { weights: weights.to_vec() },
        ..design(weights.len() - 1)
    }
}

fn covariate() -> Option<Covariate> {
    Some(Covariate { name: "rank IC of the 20 days before".to_owned(), mean: 0.03 })
}

#[test]
fn shares_are_those_of_the_weights_and_experiments_have_nothing_to_do_with_each_other() {
    let weights = [5, 3, 2];
    let autumn = split(&weights).declare().unwrap();
    let winter = ExperimentDesign { id: "winter".to_owned(), ..split(&weights) }.declare().unwrap();
    let mut counts: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for number in 0..100_000 {
        let unit = format!("unit {number}");
        *counts.entry((autumn.assign(&unit), winter.assign(&unit))).or_default() += 1.0;
        assert_eq!(autumn.assign(&unit), autumn.assign(&unit));
    }
    let arms: Vec<&str> = autumn.arms().collect();
    let (mut chi_square_of_shares, mut chi_square_of_pairs) = (0.0, 0.0);
    for (one, weight) in arms.iter().zip(weights) {
        let expected = 10_000.0 * f64::from(weight);
        let seen: f64 = arms.iter().map(|other| counts[&(*one, *other)]).sum();
        chi_square_of_shares += (seen - expected).powi(2) / expected;
        for (other, weight) in arms.iter().zip(weights) {
            let expected = expected * f64::from(weight) / 10.0;
            chi_square_of_pairs += (counts[&(*one, *other)] - expected).powi(2) / expected;
        }
    }
    println!("chi-square of shares {chi_square_of_shares:.2}, of pairs {chi_square_of_pairs:.2}");
    // The quantiles 0.999 with 2 and 8 degrees of freedom.
    assert!(chi_square_of_shares < 13.82 && chi_square_of_pairs < 26.12);
}

#[test]
fn a_name_that_ends_where_another_begins_is_another_assignment() {
    let named =
        |id: &str| ExperimentDesign { id: id.to_owned(), ..split(&[1, 1]) }.declare().unwrap();
    let (short, long) = (named("a"), named("ab"));
    let same = (0..1_000)
        .filter(|number| short.assign(&format!("bc{number}")) == long.assign(&format!("c{number}")))
        .count();
    assert!((430..570).contains(&same), "{same}");
    assert_eq!(design(1).declare().unwrap().assign("THYAO"), "old", "the champion is shown");
}

const DAY: Date = date(2026, 1, 5);

fn exposure(unit: &str, day: Date, arm: &str, forecast: f64) -> Exposure {
    Exposure {
        experiment: "autumn".to_owned(),
        unit: unit.to_owned(),
        day,
        arm: arm.to_owned(),
        expected_log_return: forecast,
        probability_up: if forecast > 0.0 { 0.6 } else { 0.4 },
        interval_80: ReturnInterval { low: forecast - 0.05, high: forecast + 0.05 },
        covariate: None,
    }
}

fn outcome(exposure: &Exposure, log_return: f64) -> Outcome {
    Outcome {
        experiment: exposure.experiment.clone(),
        unit: exposure.unit.clone(),
        day: exposure.day,
        arm: exposure.arm.clone(),
        known_on: exposure.day + 7.days(),
        log_return: Some(log_return),
        return_after_costs: Some(log_return.abs() - 0.01),
    }
}

/// Uniform in 0..1.
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    f64::from(rng.next_u32()) / f64::from(u32::MAX)
}

/// Records of `days_count` days and ten units; the first challenger sees the return, with noise of
/// this size, the others and the champion see nothing.
fn records(
    design: &DeclaredExperiment,
    days_count: i64,
    noise: f64,
) -> (Vec<Exposure>, Vec<Outcome>) {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut random = || uniform(&mut rng) - 0.5;
    let (mut exposures, mut outcomes) = (Vec::new(), Vec::new());
    for day in (0..days_count).map(|days| DAY + days.days()) {
        for unit in 0..10 {
            let log_return = random() / 10.0;
            for arm in design.arms() {
                let seen = if arm == "new-1" { log_return } else { 0.0 };
                let made = exposure(&format!("S{unit}"), day, arm, seen + noise * random());
                outcomes.push(outcome(&made, log_return));
                exposures.push(made);
            }
        }
    }
    (exposures, outcomes)
}

fn judged(
    design: ExperimentDesign,
    exposures: &[Exposure],
    outcomes: &[Outcome],
    today: Date,
) -> ExperimentReport {
    let experiment = design.declare().unwrap();
    judge(&experiment, &observe(&experiment, Records { exposures, outcomes }, today).unwrap())
}

#[test]
fn a_challenger_that_sees_more_is_promoted_and_later_days_change_nothing() {
    let design = design(2);
    let (exposures, outcomes) = records(&design.clone().declare().unwrap(), 130, 0.1);
    let at = |days: i64| judged(design.clone(), &exposures, &outcomes, DAY + days.days());
    let early = at(40);
    assert_eq!((early.state, early.days_count), (State::TooEarly, 34));
    assert_eq!(early.challengers[0].verdict, Verdict::TooEarly);
    assert!(
        early.sentence.en.contains("too early to say anything, 60 days"),
        "{:?}",
        early.sentence
    );
    let end = at(140);
    assert_eq!(end.state, State::Promoted { challenger: "new-1".to_owned() });
    assert!(end.challengers[0].improvement.unwrap().low > 0.0 && end.challengers[0].p_value < 0.05);
    assert_eq!(end.challengers[1].verdict, Verdict::Undecided);
    assert_eq!(end, at(137), "nothing is looked at after the end");
    let [sentence, of_all] = [&end.challengers[0].sentence, &end.sentence];
    assert!(sentence.en.contains("in rank IC is +0."), "{sentence:?}");
    assert!(
        sentence.en.contains("at 97.5 % however often one looks: it is better."),
        "{sentence:?}"
    );
    assert!(sentence.tr.contains("%97,5 aralığı +0,"), "{sentence:?}");
    assert!(of_all.en.ends_with("new-1 is better and takes the place of old."), "{of_all:?}");
    assert!(of_all.tr.starts_with("05.01.2026 ile "), "{of_all:?}");

    let json = serde_json::to_string(&end).unwrap();
    assert_eq!(serde_json::from_str::<ExperimentReport>(&json).unwrap(), end);
}

#[test]
fn a_broken_guardrail_stops_what_is_better_otherwise() {
    let guardrails = vec![Guardrail { metric: Metric::ReturnAfterCosts, loss_max: 0.01 }];
    let design = ExperimentDesign { guardrails, ..design(1) };
    let (exposures, mut outcomes) = records(&design.clone().declare().unwrap(), 130, 0.1);
    for outcome in outcomes.iter_mut().filter(|outcome| outcome.arm == "new-1") {
        outcome.return_after_costs = outcome.return_after_costs.map(|earned| earned - 0.04);
    }
    let report = judged(design, &exposures, &outcomes, DAY + 140.days());
    assert_eq!(report.state, State::ChampionStays);
    let challenger = &report.challengers[0];
    let broken = Verdict::GuardrailBroken { metric: Metric::ReturnAfterCosts };
    assert_eq!(challenger.verdict, broken);
    assert!(challenger.days_count < 60, "a guardrail need not wait: {}", challenger.days_count);
    assert!(
        challenger.sentence.en.contains(" points and may be by 1.00 points at most."),
        "{:?}",
        challenger.sentence
    );
}

#[test]
fn an_arm_that_was_stopped_need_not_forecast_any_longer() {
    let (mut exposures, mut outcomes) = records(&design(2).declare().unwrap(), 130, 0.1);
    // The second challenger sees the reverse of what comes.
    let reverse = |made: &mut Exposure| made.expected_log_return *= -1.0;
    let of_first: Vec<f64> = exposures
        .iter()
        .filter(|made| made.arm == "new-1")
        .map(|made| made.expected_log_return)
        .collect();
    let second = exposures.iter_mut().filter(|made| made.arm == "new-2").zip(of_first);
    second.for_each(|(made, seen)| {
        made.expected_log_return = seen;
        reverse(made);
    });
    let first = exposures.iter_mut().filter(|made| made.arm == "new-1");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    first.for_each(|made| made.expected_log_return = uniform(&mut rng));
    let report = judged(design(2), &exposures, &outcomes, DAY + 140.days());
    let stopped_on = report.challengers[1].last_day.unwrap();
    assert_eq!((report.state, report.challengers[1].verdict), (State::Running, Verdict::Worse));
    exposures.retain(|made| made.arm != "new-2" || made.day <= stopped_on);
    outcomes.retain(|came| came.arm != "new-2" || came.day <= stopped_on);
    let without = judged(design(2), &exposures, &outcomes, DAY + 140.days());
    assert_eq!(without.state, State::Running);
    assert_eq!(without.missing_by_arm, [0, 0, 0]);
    assert!(without.challengers[1].sentence.en.ends_with("it is worse and was stopped."));
}

#[test]
fn units_of_a_stopped_arm_no_longer_count_against_the_declared_weights() {
    let mut ratio = SampleRatio::new(&[2, 1, 1]);
    ratio.push(&[100, 50, 50]);
    ratio.stop(2);
    ratio.push(&[4_000, 2_000, 0]);
    assert!(!ratio.is_mismatch(), "{}", ratio.p_value());
    let mut lost = SampleRatio::new(&[2, 1, 1]);
    lost.push(&[4_100, 2_050, 50]);
    assert!(lost.is_mismatch());
}

#[test]
fn an_improvement_that_is_asked_for_and_not_reached_stops_and_an_open_end_decides_nothing() {
    let demanding = ExperimentDesign { improvement_min: 1.5, ..design(1) };
    let (exposures, outcomes) = records(&demanding.clone().declare().unwrap(), 130, 0.1);
    let report = judged(demanding, &exposures, &outcomes, DAY + 140.days());
    assert_eq!(report.challengers[0].verdict, Verdict::TooSmall);
    let short = ExperimentDesign { days_max: 60, ..design(1) };
    let (exposures, outcomes) = records(&short.clone().declare().unwrap(), 130, 5.0);
    let report = judged(short, &exposures, &outcomes, DAY + 140.days());
    assert_eq!((report.state, report.days_count), (State::NoDecision, 60));
    let sentence = report.sentence;
    assert!(sentence.en.ends_with("came without a decision, old stays."), "{sentence:?}");
}

#[test]
fn too_many_missing_forecasts_make_a_shadow_experiment_invalid() {
    let (mut exposures, mut outcomes) = records(&design(1).declare().unwrap(), 100, 0.1);
    let is_lost =
        |arm: &str, unit: &str, day: Date| arm == "new-1" && unit == "S3" && day.day() < 8;
    exposures.retain(|made| !is_lost(&made.arm, &made.unit, made.day));
    outcomes.retain(|came| !is_lost(&came.arm, &came.unit, came.day));
    let report = judged(design(1), &exposures, &outcomes, DAY + 120.days());
    let reason = InvalidReason::MissingForecasts;
    assert_eq!(report.state, State::Invalid { reason });
    assert_eq!(report.missing_by_arm, [0, 15]);
    assert!(
        report.sentence.tr.contains("600 birim için kollarda eksik kalan tahmin sayıları 0 : 15"),
        "{:?}",
        report.sentence
    );
}

#[test]
fn lost_units_make_a_split_experiment_invalid_before_any_outcome_is_known() {
    let experiment = split(&[1, 1]).declare().unwrap();
    let units = (0..400).map(|number| format!("unit {number}"));
    let exposures: Vec<Exposure> = units
        .map(|unit| exposure(&unit, DAY, experiment.assign(&unit), 0.1))
        .enumerate()
        .filter(|(number, made)| made.arm == "old" || number % 2 == 0)
        .map(|(_, made)| made)
        .collect();
    let report = judged(split(&[1, 1]), &exposures, &[], DAY);
    let reason = InvalidReason::SampleRatioMismatch;
    assert_eq!(report.state, State::Invalid { reason });
    assert!(report.sample_ratio_p_value.unwrap() < 0.001);
    assert!(
        report.sentence.en.starts_with("No day is judged yet: the experiment is invalid"),
        "{:?}",
        report.sentence
    );
}

#[test]
fn a_design_that_makes_no_sense_says_which_field_and_what_to_do() {
    let refused = |design: ExperimentDesign| design.declare().unwrap_err().to_string();
    let base = || design(2);
    assert_eq!(
        refused(ExperimentDesign { days_min: 40, ..base() }),
        "days_min is 40: with outcomes that overlap it takes 41 days to have 5 blocks of independent \
         ones, give at least as many"
    );
    assert_eq!(
        refused(ExperimentDesign { challengers: Vec::new(), ..base() }),
        "challengers has 0 versions: give 1 to 8"
    );
    let twice = vec!["new-1".to_owned(), "old".to_owned()];
    assert!(
        refused(ExperimentDesign { challengers: twice, ..base() }).contains("old stands twice")
    );
    assert!(
        refused(ExperimentDesign { error_level: 0.0, ..base() }).starts_with("error_level is 0")
    );
    assert!(refused(ExperimentDesign { days_max: 59, ..base() }).starts_with("days_max is 59"));
    assert!(
        refused(ExperimentDesign { id: " ".to_owned(), ..base() }).starts_with("id has an empty")
    );
    let negative = ExperimentDesign { improvement_min: -0.1, ..base() };
    assert!(refused(negative).starts_with("improvement_min is -0.1"));
    let mode = |weights: &[u32]| Mode::Split { weights: weights.to_vec() };
    assert!(
        refused(ExperimentDesign { mode: mode(&[1, 1]), ..base() }).contains("2 weights for 3")
    );
    assert!(refused(ExperimentDesign { mode: mode(&[1, 1, 0]), ..base() }).contains("has a zero"));
    let coverage =
        ExperimentDesign { mode: mode(&[1, 1, 1]), metric: Metric::CoverageError, ..base() };
    assert_eq!(coverage.declare(), Err(DesignError::CoverageInSplit { field: "metric" }));
    let guardrails = vec![Guardrail { metric: Metric::RankIc, loss_max: 0.1 }];
    let twice = ExperimentDesign { guardrails, ..base() };
    assert_eq!(twice.declare(), Err(DesignError::SameMetric(Metric::RankIc)));
}

#[test]
fn a_rule_is_read_as_it_was_written_and_another_rule_has_another_fingerprint() {
    let declared =
        ExperimentDesign { covariate: covariate(), ..split(&[8, 1, 1]) }.declare().unwrap();
    let written = serde_json::to_value(&declared).unwrap();
    let read: DeclaredExperiment = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(read, declared);
    let mut changed = written.clone();
    changed["error_level"] = json!(0.1);
    let changed: DeclaredExperiment = serde_json::from_value(changed).unwrap();
    assert_ne!(changed.design_sha256(), declared.design_sha256());
    for (field, value) in [("challengers", json!([])), ("peeking", json!(true))] {
        let mut wrong = written.clone();
        wrong[field] = value;
        assert!(serde_json::from_value::<DeclaredExperiment>(wrong).is_err(), "{field}");
    }
    let least = json!({
        "id": "a", "horizon": 5, "champion": "b", "challengers": ["c"], "mode": "shadow",
        "metric": "rank_ic", "days_min": 60, "days_max": 500,
    });
    let least: DeclaredExperiment = serde_json::from_value(least).unwrap();
    assert!((least.design().error_level - 0.05).abs() < 1e-15);
    assert_eq!(least.blocks_max(), 56);
}
