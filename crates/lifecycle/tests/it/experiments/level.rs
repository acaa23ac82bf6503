//! Simulated experiments with known truth: how often which decision is made.

use bist_lifecycle::Horizon;
use bist_lifecycle::experiment::{
    Blocks, ConfidenceSequence, DeclaredExperiment, ExperimentDesign, ExperimentReport, Exposure,
    Improvement, Metric, Outcome, PowerPlan, PowerTable, Records, SampleRatio, State, UnitError,
    judge, observe, simulate,
};
use jiff::ToSpan as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

use super::{DAY, covariate, design, exposure, outcome, split, uniform};

const EXPERIMENTS_COUNT: u32 = 1_000;

fn power(design: ExperimentDesign, effects: &[f64], covariate_share: f64) -> PowerTable {
    simulate(&PowerPlan {
        experiment: design.declare().unwrap(),
        effects: effects.to_vec(),
        experiments_count: EXPERIMENTS_COUNT,
        covariate_share,
        seed: 20_261_128,
    })
}

#[test]
fn of_a_thousand_equal_challengers_looked_at_every_day_at_most_fifty_are_promoted() {
    for horizon in [1, 5, 20] {
        let horizon = Horizon::from_sessions(horizon).unwrap();
        let days_min = Blocks::days_of(horizon, 5).max(20);
        let table = power(ExperimentDesign { horizon, days_min, ..design(1) }, &[0.0], 0.0);
        println!("one equal challenger, {}, from day {days_min}:\n{table}", horizon.in_words());
        let row = table.rows[0];
        // Nor is more than the rest of the level said to be worse.
        assert!(row.promoted_share + row.stopped_share <= 0.05, "{row:?}");
    }
    let table = power(design(3), &[0.0], 0.0);
    println!("three equal challengers:\n{table}");
    let row = table.rows[0];
    assert!(row.promoted_share + row.other_promoted_share <= 0.05, "{row:?}");
}

#[test]
fn skewed_improvements_keep_the_level_and_those_skewed_in_the_extreme_come_to_it() {
    // A good day is seldom far better, a bad one may be far worse: luck looks like skill. The mean of
    // so many exponential numbers has skewness -2 over the root of their number.
    for (sessions, exponentials, promoted_max) in [(1, 4, 50), (5, 4, 50), (1, 1, 75), (5, 1, 75)] {
        let horizon = Horizon::from_sessions(sessions).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut exponential = || -(1.0 - uniform(&mut rng)).max(1e-12).ln();
        let mut is_better = || {
            let mut sequence = ConfidenceSequence::new(horizon, 500, 0.05, 0.0);
            (1..=500).any(|day| {
                let sum: f64 = (0..exponentials).map(|_| exponential()).sum();
                let value = 1.0 - sum / f64::from(exponentials);
                sequence.push(&Improvement { value, covariate: 0.0, unit_error: None });
                day >= 60 && sequence.estimate().is_some_and(|estimate| estimate.low > 0.0)
            })
        };
        let count = (0..EXPERIMENTS_COUNT).filter(|_| is_better()).count();
        let skewness = -2.0 / f64::from(exponentials).sqrt();
        println!("equal with skewness {skewness}, {}: {count} of 1000", horizon.in_words());
        assert!(count <= promoted_max);
    }
}

#[test]
fn a_worse_challenger_is_never_promoted_and_a_better_one_is() {
    let table = power(design(1), &[-0.2, -0.4, -0.8, 0.1, 0.3, 0.5, 0.8], 0.0);
    println!("one challenger, 5 sessions ahead:\n{table}");
    let (worse, better) = table.rows.split_at(3);
    assert!(worse.iter().all(|row| row.promoted_share <= 0.0), "{worse:?}");
    assert!(worse[2].stopped_share > 0.9, "{worse:?}");
    assert!(better.windows(2).all(|pair| pair[0].promoted_share < pair[1].promoted_share));
    assert!(better[1].promoted_share > 0.3 && better[2].promoted_share > 0.8, "{better:?}");
    assert!(better[3].promoted_share > 0.98 && better[3].stopped_share <= 0.0, "{better:?}");
    let days: Vec<u32> = better.iter().map(|row| row.promoted_after_days.unwrap()).collect();
    assert!(days[1] > days[2] && days[2] > days[3] && days[3] < 180, "{days:?}");
}

#[test]
fn without_overlap_a_smaller_improvement_is_found_and_among_several_the_better_one() {
    let horizon = Horizon::from_sessions(1).unwrap();
    let table = power(ExperimentDesign { horizon, ..design(1) }, &[-0.2, 0.1, 0.2, 0.3], 0.0);
    println!("one challenger, 1 session ahead:\n{table}");
    assert!(table.rows[0].promoted_share <= 0.0 && table.rows[3].promoted_share > 0.95);
    let table = power(design(3), &[0.8], 0.0);
    println!("the first of three challengers is better:\n{table}");
    let row = table.rows[0];
    assert!(row.promoted_share > 0.95 && row.other_promoted_share < 0.01, "{row:?}");
}

#[test]
fn cuped_shortens_an_experiment_when_the_covariate_explains_half_and_keeps_the_level() {
    let with = ExperimentDesign { covariate: covariate(), ..design(1) };
    let (adjusted, raw) = (power(with, &[0.0, 0.3], 0.5), power(design(1), &[0.0, 0.3], 0.5));
    println!("half of the variance explained, with CUPED and without:\n{adjusted}{raw}");
    let (adjusted, raw) = (adjusted.rows, raw.rows);
    assert!(adjusted[0].promoted_share + adjusted[0].stopped_share <= 0.05);
    assert!(adjusted[1].promoted_share > raw[1].promoted_share + 0.1);
    assert!(adjusted[1].promoted_after_days < raw[1].promoted_after_days);
}

#[test]
fn a_declared_sample_ratio_alarms_once_in_a_thousand_and_another_one_soon() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut run = |share: f64| {
        let mut ratio = SampleRatio::new(&[1, 1]);
        (1..=4_000).find(|_| {
            let is_first = uniform(&mut rng) < share;
            ratio.push(&[u64::from(is_first), u64::from(!is_first)]);
            ratio.is_mismatch()
        })
    };
    let alarms = (0..EXPERIMENTS_COUNT).filter(|_| run(0.5).is_some()).count();
    let mut found: Vec<u32> = (0..100).filter_map(|_| run(0.55)).collect();
    found.sort_unstable();
    println!(
        "false alarms {alarms} of 1000; 55 : 45 found {} of 100, median after {} units",
        found.len(),
        found[found.len() / 2]
    );
    assert!(alarms <= 3);
    assert!(found.len() >= 99);
}

/// Records of units that differ for good in how easily they are forecast, each shown one arm.
fn split_records(experiment: &DeclaredExperiment, seed: u64) -> (Vec<Exposure>, Vec<Outcome>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut exposures, mut outcomes) = (Vec::new(), Vec::new());
    for unit in (0..60).map(|number| format!("{seed} {number}")) {
        let ease = uniform(&mut rng) - 0.5;
        for day in (0..45).map(|days| DAY + days.days()) {
            let made = Exposure {
                covariate: Some(ease),
                ..exposure(&unit, day, experiment.assign(&unit), 0.1)
            };
            let earned = ease + 0.5 * (uniform(&mut rng) - 0.5);
            outcomes.push(Outcome { return_after_costs: Some(earned), ..outcome(&made, 0.1) });
            exposures.push(made);
        }
    }
    (exposures, outcomes)
}

#[test]
fn the_units_that_fell_to_an_arm_are_not_taken_for_its_skill() {
    let design = ExperimentDesign {
        horizon: Horizon::from_sessions(1).unwrap(),
        metric: Metric::ReturnAfterCosts,
        days_min: 20,
        days_max: 45,
        ..split(&[1, 1])
    };
    let experiment = design.clone().declare().unwrap();
    let with = ExperimentDesign { covariate: covariate(), ..design }.declare().unwrap();
    let (mut decided, mut decided_by_days_alone, mut widths, mut narrower) = (0, 0, 0.0, 0.0);
    for seed in 0..100 {
        let (exposures, outcomes) = split_records(&experiment, seed);
        let records = Records { exposures: &exposures, outcomes: &outcomes };
        let of = |experiment: &DeclaredExperiment| {
            let mut seen = observe(experiment, records, DAY + 60.days()).unwrap();
            let report = judge(experiment, &seen);
            for day in seen.days.iter_mut().filter_map(|day| day.challengers.as_mut()) {
                day[0].improvements.values_mut().for_each(|found| found.unit_error = None);
            }
            (report, judge(experiment, &seen))
        };
        let (report, by_days_alone) = of(&experiment);
        decided += u32::from(report.state != State::NoDecision);
        decided_by_days_alone += u32::from(by_days_alone.state != State::NoDecision);
        let (adjusted, _) = of(&with);
        decided += u32::from(adjusted.state != State::NoDecision);
        assert!(adjusted.challengers[0].variance_removed_share.unwrap() > 0.5);
        let width = |report: &ExperimentReport| {
            report.challengers[0].improvement.map_or(0.0, |found| found.high - found.low)
        };
        widths += width(&report);
        narrower += width(&adjusted);
    }
    println!(
        "equal arms in split mode told apart: {decided} of 200, by days alone \
        {decided_by_days_alone} of 100; width {widths:.1}, with CUPED {narrower:.1}"
    );
    assert!(decided <= 10 && decided_by_days_alone > 20 && narrower < 0.7 * widths);
}

#[test]
fn the_p_value_never_rises_and_falls_below_the_level_when_the_interval_leaves_out_the_null() {
    let horizon = Horizon::from_sessions(1).unwrap();
    for unit_error in [None, Some((0.02, 30.0))] {
        let unit_error = unit_error.map(|(standard_error, degrees_of_freedom)| UnitError {
            standard_error,
            degrees_of_freedom,
        });
        let mut sequence = ConfidenceSequence::new(horizon, 300, 0.05, 0.0);
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (mut p_value, mut left_out) = (1.0, false);
        for _ in 0..200 {
            let value = 0.3 + uniform(&mut rng) - 0.5;
            sequence.push(&Improvement { value, covariate: 0.0, unit_error });
            assert!(sequence.p_value() <= p_value);
            p_value = sequence.p_value();
            left_out |= sequence.estimate().is_some_and(|estimate| estimate.low > 0.0);
            assert_eq!(p_value < 0.05, left_out, "{p_value}");
        }
        assert!(left_out);
    }
}
