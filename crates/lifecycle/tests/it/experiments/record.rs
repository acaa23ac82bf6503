//! From records to improvements.

use std::slice::from_ref;

use bist_lifecycle::experiment::{
    ExperimentDesign, Exposure, Guardrail, Metric, Outcome, RecordError, Records, observe,
};
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::{DAY, design, exposure, outcome, records, split};

#[test]
fn a_day_waits_until_all_of_its_outcomes_are_known_and_so_do_later_days() {
    let experiment = design(1).declare().unwrap();
    let (exposures, mut outcomes) = records(&experiment, 5, 0.1);
    let late = outcomes.iter_mut().find(|outcome| outcome.day == DAY + 2.days()).unwrap();
    late.known_on = DAY + 30.days();
    let records = Records { exposures: &exposures, outcomes: &outcomes };
    let judged_days = |today: Date| {
        let seen = observe(&experiment, records, today).unwrap();
        (seen.days.iter().filter(|day| day.challengers.is_some()).count(), seen.open_from)
    };
    assert_eq!(judged_days(DAY + 6.days()), (0, Some(DAY)));
    assert_eq!(judged_days(DAY + 8.days()), (2, Some(DAY + 2.days())));
    assert_eq!(judged_days(DAY + 29.days()), (2, Some(DAY + 2.days())));
    assert_eq!(judged_days(DAY + 30.days()), (5, None));
}

#[test]
fn every_metric_is_the_challenger_less_the_champion_and_more_is_better() {
    let metrics = [Metric::Brier, Metric::ReturnAfterCosts, Metric::CoverageError];
    let guardrails = metrics.map(|metric| Guardrail { metric, loss_max: 0.0 }).to_vec();
    let experiment = ExperimentDesign { guardrails, ..design(1) }.declare().unwrap();
    let (mut exposures, mut outcomes) = (Vec::new(), Vec::new());
    for (unit, log_return) in [-0.2, -0.1, 0.1, 0.2, 0.3].into_iter().enumerate() {
        for (arm, forecast) in [("old", -log_return), ("new-1", log_return)] {
            let made = exposure(&format!("S{unit}"), DAY, arm, forecast);
            let earned = if arm == "old" { -0.01 } else { 0.02 };
            outcomes
                .push(Outcome { return_after_costs: Some(earned), ..outcome(&made, log_return) });
            exposures.push(made);
        }
    }
    let records = Records { exposures: &exposures, outcomes: &outcomes };
    let seen = observe(&experiment, records, DAY + 7.days()).unwrap();
    let improvements = &seen.days[0].challengers.as_ref().unwrap()[0].improvements;
    // The champion's band holds nothing, which is 0.8 off; the challenger's holds all, 0.2 off.
    let expected = [
        (Metric::RankIc, 2.0),
        (Metric::Brier, 0.36 - 0.16),
        (Metric::ReturnAfterCosts, 0.03),
        (Metric::CoverageError, 0.6),
    ];
    for (metric, expected) in expected {
        let actual = improvements[&metric].value;
        assert!((actual - expected).abs() < 1e-12, "{metric:?}: {actual} is not {expected}");
    }
}

#[test]
fn records_that_cannot_be_are_refused_and_nothing_is_counted_twice() {
    let experiment = design(1).declare().unwrap();
    let made = exposure("THYAO", DAY, "old", 0.1);
    let came = outcome(&made, 0.1);
    let error = |exposures: &[Exposure], outcomes: &[Outcome]| {
        observe(&experiment, Records { exposures, outcomes }, DAY + 9.days()).unwrap_err()
    };
    let twice = error(&[made.clone(), made.clone()], &[]);
    assert_eq!(
        twice.to_string(),
        "old has two forecasts for THYAO on 2026-01-05: log one, nothing is counted twice"
    );
    let twice = error(from_ref(&made), &[came.clone(), came.clone()]);
    assert!(matches!(twice, RecordError::Duplicate { what: "outcomes", .. }), "{twice}");
    assert!(matches!(error(&[], from_ref(&came)), RecordError::NoExposure { .. }));
    let other = Exposure { experiment: "spring".to_owned(), ..made.clone() };
    assert!(matches!(error(&[other], &[]), RecordError::OtherExperiment { .. }));
    let other = Exposure { arm: "nobody".to_owned(), ..made.clone() };
    assert!(matches!(error(&[other], &[]), RecordError::UnknownArm { .. }));
    let other = Exposure { probability_up: 1.1, ..made.clone() };
    assert!(error(&[other], &[]).to_string().starts_with("probability_up of old for THYAO"));
    let early = Outcome { known_on: DAY - 1.day(), ..came };
    assert!(matches!(error(from_ref(&made), &[early]), RecordError::KnownTooEarly { .. }));

    let experiment = split(&[1, 1]).declare().unwrap();
    let wrong = if experiment.assign("THYAO") == "old" { "new-1" } else { "old" };
    let shown = [Exposure { arm: wrong.to_owned(), ..made }];
    let error =
        observe(&experiment, Records { exposures: &shown, outcomes: &[] }, DAY).unwrap_err();
    assert!(matches!(error, RecordError::WrongArm { .. }), "{error}");
}

#[test]
fn in_split_mode_the_means_of_units_tell_what_days_do_not() {
    let design = ExperimentDesign { metric: Metric::ReturnAfterCosts, ..split(&[1, 1]) };
    let experiment = design.declare().unwrap();
    let units_of = |arm: &str| -> Vec<String> {
        (0..)
            .map(|number| format!("S{number}"))
            .filter(|s| experiment.assign(s) == arm)
            .take(3)
            .collect()
    };
    let (mut exposures, mut outcomes) = (Vec::new(), Vec::new());
    for (arm, returns) in [("old", &[0.0, 0.2][..]), ("new-1", &[0.1, 0.3, 0.5])] {
        for (unit, earned) in units_of(arm).iter().zip(returns) {
            // What both days share, and what differs between them, is no difference of units.
            for (day, shift) in [(DAY, 0.5), (DAY + 1.day(), -0.1)] {
                let made = exposure(unit, day, arm, 0.1);
                outcomes.push(Outcome {
                    return_after_costs: Some(earned + shift),
                    ..outcome(&made, 0.1)
                });
                exposures.push(made);
            }
        }
    }
    let records = Records { exposures: &exposures, outcomes: &outcomes };
    let seen = observe(&experiment, records, DAY + 9.days()).unwrap();
    assert_eq!(seen.days[0].new_units, [2, 3]);
    assert_eq!(seen.days[1].new_units, [0, 0]);
    for day in &seen.days {
        let improvement =
            day.challengers.as_ref().unwrap()[0].improvements[&Metric::ReturnAfterCosts];
        assert!((improvement.value - 0.2).abs() < 1e-12);
        let error = improvement.unit_error.unwrap();
        // Variances 0.02 and 0.04 of two and three units.
        assert!((error.standard_error.powi(2) - (0.02 / 2.0 + 0.04 / 3.0)).abs() < 1e-12);
        assert!((error.degrees_of_freedom - 1.0).abs() < 1e-12);
        // The quantile 0.975 of Student's t with one degree of freedom, from tables.
        let half = error.half_width(0.05).unwrap();
        assert!((half / error.standard_error - 12.706_204_736).abs() < 1e-6);
    }
}
