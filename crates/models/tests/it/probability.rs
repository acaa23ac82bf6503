//! Calibrated probabilities and their scores; `tests/golden/probability_sklearn.py` made the numbers.

use std::num::NonZeroUsize;

use bist_models::{CalibrationMethod, ProbabilityCalibration, ProbabilityError, ProbabilityScores};
use bist_testkit::table::Table;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    probes: Vec<f64>,
    cases: Vec<GoldenCase>,
}

#[derive(Deserialize)]
struct GoldenCase {
    name: String,
    scores: Vec<f64>,
    outcomes: Vec<bool>,
    platt: Vec<f64>,
    isotonic: Vec<f64>,
    betacal: Vec<f64>,
    beta: Vec<f64>,
    brier: f64,
    log_loss: f64,
    bins_share: Vec<f64>,
    bins_forecast: Vec<f64>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/probability_sklearn.json")).unwrap()
}

fn fit(
    method: CalibrationMethod,
    scores: &[f64],
    outcomes: &[bool],
) -> Result<ProbabilityCalibration, ProbabilityError> {
    ProbabilityCalibration::fit(method, scores, outcomes)
}

fn judged(forecasts: &[f64], outcomes: &[bool]) -> ProbabilityScores {
    ProbabilityScores::of(forecasts, outcomes, NonZeroUsize::new(10).unwrap()).unwrap()
}

#[track_caller]
fn assert_close(ours: &[f64], theirs: &[f64], tolerance: f64, what: &str) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert!((ours - theirs).abs() <= tolerance, "{what}: {ours} and {theirs}");
    }
}

/// Isotonic regression is a matter of counting, and statsmodels solves to the end. scikit-learn's
/// sigmoid stops at a gradient of 1e-6, which moves no probability by 1e-6; betacal at one of
/// 1e-4 of the mean loss, which moves them by up to 3e-4 here.
#[test]
fn calibrations_are_those_of_scikit_learn_betacal_and_statsmodels() {
    let Golden { probes, cases } = golden();
    for case in cases {
        let check = |method, theirs: &[f64], tolerance| {
            let map = fit(method, &case.scores, &case.outcomes).unwrap();
            let ours: Vec<f64> = probes.iter().map(|score| map.apply(*score)).collect();
            assert_close(&ours, theirs, tolerance, &format!("{method:?} of {}", case.name));
        };
        check(CalibrationMethod::Platt, &case.platt, 1e-6);
        check(CalibrationMethod::Isotonic, &case.isotonic, 1e-12);
        check(CalibrationMethod::Beta, &case.beta, 1e-9);
        check(CalibrationMethod::Beta, &case.betacal, 1e-3);
    }
}

#[test]
fn scores_are_those_of_scikit_learn() {
    for case in golden().cases {
        let scores = judged(&case.scores, &case.outcomes);
        assert_close(&[scores.brier], &[case.brier], 1e-12, &case.name);
        assert_close(&[scores.log_loss], &[case.log_loss], 1e-12, &case.name);
        let shares: Vec<f64> = scores.bins.iter().map(|bin| bin.observed_share).collect();
        let forecasts: Vec<f64> = scores.bins.iter().map(|bin| bin.mean_forecast).collect();
        assert_close(&shares, &case.bins_share, 1e-12, &case.name);
        assert_close(&forecasts, &case.bins_forecast, 1e-12, &case.name);
    }
}

#[test]
fn scores_of_a_table_worked_by_hand() {
    let forecasts = [0.8, 0.1, 0.4, 0.8];
    let outcomes = [true, false, true, false];
    let scores = ProbabilityScores::of(&forecasts, &outcomes, NonZeroUsize::new(2).unwrap());
    let scores = scores.unwrap();
    assert_eq!((scores.rows_count, scores.bins.len()), (4, 2));
    let (low, high) = (scores.bins[0], scores.bins[1]);
    assert_eq!((low.count, high.count), (2, 2));
    assert_close(&[low.low, low.high, high.low, high.high], &[0.1, 0.4, 0.8, 0.8], 0.0, "ends");
    assert_close(&[low.mean_forecast, low.observed_share], &[0.25, 0.5], 1e-12, "low");
    assert_close(&[high.mean_forecast, high.observed_share], &[0.8, 0.5], 1e-12, "high");
    assert_close(&[scores.ece], &[0.5 * 0.25 + 0.5 * 0.3], 1e-12, "ece");
    let brier = (0.2_f64.powi(2) + 0.1_f64.powi(2) + 0.6_f64.powi(2) + 0.8_f64.powi(2)) / 4.0;
    assert_close(&[scores.brier], &[brier], 1e-12, "brier");
    assert_close(&[scores.brier_skill.unwrap()], &[1.0 - brier / 0.25], 1e-12, "skill");
    assert_close(&[scores.mean_forecast, scores.base_rate], &[0.525, 0.5], 1e-12, "means");
}

#[test]
fn equal_forecasts_share_a_bin_and_the_base_rate_has_no_skill() {
    let outcomes: Vec<bool> = (0..50).map(|row| row % 5 == 0).collect();
    let scores = judged(&[0.2; 50], &outcomes);
    assert_eq!(scores.bins.len(), 1);
    assert!(scores.ece < 1e-12 && scores.brier_skill.unwrap().abs() < 1e-12);
    assert_eq!(judged(&[0.2; 50], &[false; 50]).brier_skill, None);
    let surprised = judged(&[0.0, 1.0], &[true, true]);
    assert!((surprised.log_loss - -f64::EPSILON.ln() / 2.0).abs() < 1e-12);
}

#[test]
fn the_order_of_the_rows_changes_no_bit_of_the_scores() {
    let GoldenCase { scores, outcomes, .. } = golden().cases.remove(1);
    let reversed: Vec<f64> = scores.iter().rev().copied().collect();
    let reversed_outcomes: Vec<bool> = outcomes.iter().rev().copied().collect();
    assert_eq!(judged(&scores, &outcomes), judged(&reversed, &reversed_outcomes));
}

#[test]
fn calibrated_probabilities_are_probabilities_and_rise_with_the_score() {
    for case in golden().cases {
        for method in CalibrationMethod::ALL {
            let map = fit(method, &case.scores, &case.outcomes).unwrap();
            let probabilities: Vec<f64> =
                (-50..=1050).map(|i| map.apply(f64::from(i) / 1000.0)).collect();
            assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)), "{method:?}");
            let rises = probabilities.windows(2).all(|pair| pair[0] <= pair[1] + 1e-15);
            assert!(rises, "{method:?} of {}", case.name);
            assert!(map.apply(f64::NAN).is_nan());
        }
    }
}

/// No other curve of the family has less log loss on the rows it was learned from.
#[test]
fn beta_with_exponents_of_one_is_the_identity() {
    let scores: Vec<f64> = (1..100).map(|i| f64::from(i) / 100.0).collect();
    // Each score is true in its very share of 100 rows.
    let rows =
        scores.iter().flat_map(|s| (0..100).map(move |k| (*s, f64::from(k) < 100.0 * s - 0.5)));
    let (scores, outcomes): (Vec<f64>, Vec<bool>) = rows.unzip();
    let map = fit(CalibrationMethod::Beta, &scores, &outcomes).unwrap();
    for score in [0.01, 0.2, 0.5, 0.77, 0.99] {
        assert_close(&[map.apply(score)], &[score], 1e-9, "beta");
    }
}

#[test]
fn scores_that_tell_outcomes_apart_or_say_nothing_are_survived() {
    let scores: Vec<f64> = (0..40).map(|i| f64::from(i) / 40.0).collect();
    let outcomes: Vec<bool> = (0..40).map(|i| i >= 20).collect();
    let mirrored: Vec<bool> = outcomes.iter().map(|outcome| !outcome).collect();
    for method in CalibrationMethod::ALL.into_iter().skip(1) {
        let map = fit(method, &scores, &outcomes).unwrap();
        assert!(map.apply(0.2) < 0.06 && map.apply(0.8) > 0.94, "{map:?}");
        let constant = fit(method, &[0.3; 40], &outcomes).unwrap();
        assert_close(&[constant.apply(0.3)], &[0.5], 1e-6, "a score that says nothing");
    }
    // Curves that may not fall give all rows the base rate.
    for method in [CalibrationMethod::Beta, CalibrationMethod::Isotonic] {
        let map = fit(method, &scores, &mirrored).unwrap();
        assert_close(&[map.apply(0.1), map.apply(0.9)], &[0.5, 0.5], 1e-12, "mirrored");
    }
    assert!(fit(CalibrationMethod::Platt, &scores, &mirrored).unwrap().apply(0.1) > 0.9);
}

#[test]
fn a_calibration_survives_the_way_to_json_and_back() {
    let case = golden().cases.remove(0);
    for method in CalibrationMethod::ALL {
        let map = fit(method, &case.scores, &case.outcomes).unwrap();
        let json = serde_json::to_string(&map).unwrap();
        assert_eq!(serde_json::from_str::<ProbabilityCalibration>(&json).unwrap(), map);
        assert_eq!(map.method(), method);
    }
    for knots in ["[]", "[[0.5,0.2],[0.5,0.3]]", "[[0.1,0.4],[0.2,0.3]]", "[[0.1,1.5]]"] {
        let json = format!(r#"{{"method":"isotonic","map":{knots}}}"#);
        assert!(serde_json::from_str::<ProbabilityCalibration>(&json).is_err(), "{knots}");
    }
}

/// 3000 rows whose chance is `truth` of the score, and six blocks of them.
fn select(truth: impl Fn(f64) -> f64) -> bist_models::SelectedCalibration {
    let table = Table::generate(6000, 5, 4);
    let uniform =
        |j: usize| table.columns[j].iter().filter(|x| x.is_finite()).map(|x| (x + 1.0) / 2.0);
    let rows = uniform(0).zip(uniform(1)).take(3000).map(|(score, u)| (score, u < truth(score)));
    let (scores, outcomes): (Vec<f64>, Vec<bool>) = rows.unzip();
    let blocks: Vec<_> = (0..6).map(|k| 500 * k..500 * (k + 1)).collect();
    ProbabilityCalibration::select(&scores, &outcomes, &blocks).unwrap()
}

#[test]
fn the_method_that_foretells_later_blocks_best_is_chosen() {
    let chosen = |truth: fn(f64) -> f64| select(truth).calibration.method();
    assert_eq!(chosen(|s| s), CalibrationMethod::Identity);
    assert_eq!(chosen(|s| 1.0 / (1.0 + (2.0 - 4.0 * s).exp())), CalibrationMethod::Platt);
    assert_eq!(chosen(|s| s.powi(3) / (s.powi(3) + (1.0 - s).powi(3))), CalibrationMethod::Beta);
    let stairs = |s: f64| if s < 0.5 { 0.2 } else { 0.8 };
    assert_eq!(chosen(stairs), CalibrationMethod::Isotonic);
    let losses = select(|s| s).log_losses;
    assert_eq!(losses.iter().map(|of| of.method).collect::<Vec<_>>(), CalibrationMethod::ALL);
    // The entropy of a chance that is uniform in 0..=1 is half a nat.
    assert!((losses[0].log_loss - 0.5).abs() < 0.02, "{losses:?}");
}

#[test]
fn selection_learns_from_earlier_rows_alone_and_passes_over_gaps() {
    let case = golden().cases.remove(0);
    let select = |outcomes: &[bool], blocks: &[std::ops::Range<usize>]| {
        ProbabilityCalibration::select(&case.scores, outcomes, blocks).unwrap().log_losses
    };
    let mut changed = case.outcomes.clone();
    changed[190..200].iter_mut().for_each(|outcome| *outcome = !*outcome);
    changed[300..].iter_mut().for_each(|outcome| *outcome = !*outcome);
    let gap = [0..190, 200..300];
    assert_eq!(select(&case.outcomes, &gap), select(&changed, &gap));
    let adjoining = [0..200, 200..300];
    assert_ne!(select(&case.outcomes, &adjoining), select(&changed, &adjoining));
}

#[test]
fn scores_that_are_no_probabilities_leave_platt_and_isotonic_to_compete() {
    let case = golden().cases.remove(0);
    let scores: Vec<f64> = case.scores.iter().map(|score| 0.05 * (score - 0.5)).collect();
    let blocks = [0..200, 200..400, 400..600];
    let selected = ProbabilityCalibration::select(&scores, &case.outcomes, &blocks).unwrap();
    let methods: Vec<_> = selected.log_losses.iter().map(|of| of.method).collect();
    assert_eq!(methods, [CalibrationMethod::Platt, CalibrationMethod::Isotonic]);
    // The logistic curve does not mind the unit of the score.
    let [unit, scaled] = [&case.scores, &scores]
        .map(|scores| fit(CalibrationMethod::Platt, scores, &case.outcomes).unwrap());
    assert_close(&[scaled.apply(0.01)], &[unit.apply(0.7)], 1e-9, "unit");
}

#[test]
fn rows_that_cannot_teach_are_refused_with_the_reason() {
    use CalibrationMethod::{Beta, Identity, Platt};
    let error = |method, scores: &[f64], outcomes: &[bool]| {
        fit(method, scores, outcomes).unwrap_err().to_string()
    };
    assert_eq!(error(Platt, &[0.5], &[]), "0 outcomes for 1 rows: give one outcome for each row");
    assert_eq!(error(Platt, &[], &[]), "there are no rows to judge");
    let infinite = [0.5, f64::INFINITY];
    assert_eq!(
        error(Platt, &infinite, &[true, false]),
        "the score of row 1 is inf: leave the row out"
    );
    assert_eq!(
        error(Beta, &[0.5, 1.5], &[true, false]),
        "row 1 has 1.5, and a probability lies between 0 and 1"
    );
    assert_eq!(
        error(Beta, &[0.5, 0.6], &[true, true]),
        "the outcomes of all 2 rows are true: both must occur to be told apart"
    );
    assert!(fit(Identity, &[0.5, 0.6], &[true, true]).is_ok());

    let (scores, outcomes) = ([0.1, 0.2, 0.3, 0.4], [false, false, true, true]);
    let select = |blocks: &[std::ops::Range<usize>]| {
        ProbabilityCalibration::select(&scores, &outcomes, blocks).map(drop)
    };
    assert_eq!(select(&[0..2, 1..4]), Err(ProbabilityError::BlockOutOfOrder { block: 1 }));
    assert_eq!(select(&[0..2, 2..5]), Err(ProbabilityError::BlockOutOfOrder { block: 1 }));
    assert_eq!(select(&[0..2, 2..4]), Err(ProbabilityError::NothingToJudge { blocks_count: 2 }));
    assert_eq!(select(&[0..3, 3..4]), Ok(()));
}
