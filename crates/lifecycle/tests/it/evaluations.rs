//! The report: what it measures, and that it says so.

use bist_lifecycle::evaluation::{
    CaveatCode, Evaluation, FoldLayout, Judged, LearningTarget, OutOfFold, OutlookRecord,
    Predicted, Protocol, RankIcMethod, evaluate,
};
use bist_lifecycle::outlook::Outlook;
use bist_lifecycle::{LeakCheck, WalkForward};
use bist_trading::{CostModel, SkillCondition};

use crate::panels::{HORIZON, Recipe, sessions, spec, symbol, train};

const NOTHING: Outlook = Outlook { up_share: None, volatility: None, barriers: None };

const NO_CHECK: LeakCheck = LeakCheck {
    changed_after: jiff::civil::Date::constant(2020, 1, 2),
    values_count: 0,
    forecasts_count: 0,
};

/// Records of `symbols_count` symbols over two folds of `days_count / 2` days.
fn records(
    symbols_count: usize,
    days_count: usize,
    forecast: impl Fn(usize, usize) -> (f64, f64),
) -> (Vec<OutOfFold>, Vec<FoldLayout>) {
    let days = sessions(days_count + 5);
    let records = (0..days_count)
        .flat_map(|t| (0..symbols_count).map(move |s| (t, s)))
        .map(|(t, s)| {
            let (model, realised) = forecast(t, s);
            OutOfFold {
                symbol: symbol(s),
                day: days[t],
                known_on: days[t + 5],
                fold: usize::from(t >= days_count / 2),
                predicted: Predicted { model, ridge: 0.0, seasonal_naive: 0.1, training_mean: 0.0 },
                members: Vec::new(),
                turbulence: 0.0,
                drift: 0.0,
                learned: realised,
                step_returns: (1..=5).map(|k| realised * f64::from(k) / 5.0).collect(),
                tradable_return: realised,
                volatility: 0.02,
                outlook: OutlookRecord {
                    said: NOTHING,
                    average: NOTHING,
                    rose: None,
                    realised_volatility: f64::NAN,
                    barrier: None,
                },
            }
        })
        .collect();
    let layout = |from: usize, to: usize| FoldLayout {
        train_from: days[0],
        train_to: days[0],
        validation_from: days[0],
        validation_to: days[0],
        test_from: days[from],
        test_to: days[to - 1],
        train_rows_count: 0,
        validation_rows_count: 0,
        test_rows_count: ((to - from) * symbols_count) as u64,
        trees_count: 1,
    };
    (records, vec![layout(0, days_count / 2), layout(days_count / 2, days_count)])
}

fn judge((records, layouts): (Vec<OutOfFold>, Vec<FoldLayout>)) -> Evaluation {
    let protocol = Protocol {
        scheme: "expanding_walk_forward".to_owned(),
        learning_target: LearningTarget::RelativeToDay,
        walk_forward: WalkForward::default(),
        purge_sessions: 5,
        embargo_sessions: 5,
        configurations_tried_count: 1,
        seed: 7,
        costs: CostModel::default(),
    };
    evaluate(Judged {
        kind: "gbdt",
        horizon: HORIZON,
        warm_up: &[],
        records: &records,
        layouts: &layouts,
        members: &[],
        protocol,
        leak_check: NO_CHECK,
    })
}

/// A number between -1 and 1 without a pattern that matters.
fn scatter(a: usize, b: usize) -> f64 {
    ((a * 7_919 + b * 104_729 + a * a * 31 + b * b * a * 17) % 2_003) as f64 / 1_001.0 - 1.0
}

#[test]
fn a_perfect_forecast_has_every_mark() {
    let evaluation = judge(records(6, 100, |t, s| {
        let realised = 0.05 * scatter(t, s);
        (realised, realised)
    }));
    assert!(evaluation.skill.shown);
    assert!((evaluation.rank_ic.estimate.unwrap().value - 1.0).abs() < 1e-12);
    assert!((evaluation.hit_rate.estimate.unwrap().value - 1.0).abs() < 1e-12);
    assert!(evaluation.rmse.model.abs() < 1e-15);
    assert_eq!(evaluation.skill_scores.against_zero_share, Some(1.0));
    assert!(evaluation.by_symbol.iter().all(|symbol| symbol.skill_shown));
    assert_eq!(evaluation.model_record().unmet, []);
}

/// Everything rises and the model says so and nothing else: its errors are below those of zero, and
/// yet it knows nothing that the training mean does not.
#[test]
fn a_rising_market_is_not_taken_for_skill() {
    let rising = |symbols_count| {
        let (mut records, layouts) = records(symbols_count, 100, |t, s| {
            (0.03 + 1e-4 * scatter(s, t), 0.03 + 0.02 * scatter(t, s))
        });
        for record in &mut records {
            record.predicted.training_mean = 0.03;
        }
        judge((records, layouts))
    };
    let many = rising(6);
    assert!(many.skill_scores.against_zero_share.unwrap() > 0.5);
    assert!(many.model_record().unmet.contains(&SkillCondition::ErrorBelowZeroForecast), "{many}");
    let few = rising(4);
    assert!(few.model_record().unmet.contains(&SkillCondition::ErrorBelowTrainingMean), "{few}");
}

/// A market that falls while the model expects its average does not take away its skill in telling
/// symbols apart.
#[test]
fn a_falling_market_is_no_fault_where_symbols_are_compared() {
    let evaluation = judge(records(6, 100, |t, s| {
        let relative = 0.02 * scatter(t, s);
        (0.01 + 0.5 * relative, -0.05 + relative)
    }));
    assert!(evaluation.skill_scores.against_zero_share.unwrap() < 0.0);
    assert!(evaluation.skill.shown, "{evaluation}");
}

#[test]
fn few_symbols_are_measured_over_time_and_the_report_says_so() {
    let perfect = |t: usize, s: usize| (0.01 * scatter(t, s), 0.01 * scatter(t, s));
    let few = judge(records(4, 100, perfect));
    assert_eq!(few.rank_ic.method, RankIcMethod::TimeSeries);
    assert!((few.rank_ic.estimate.unwrap().value - 1.0).abs() < 1e-12);
    assert!(few.caveats.iter().any(|caveat| caveat.code == CaveatCode::FewSymbols));
    let many = judge(records(5, 100, perfect));
    assert_eq!(many.rank_ic.method, RankIcMethod::CrossSectional);
}

#[test]
fn a_short_record_of_a_symbol_is_not_judged() {
    let forecast = |t: usize, s: usize| (scatter(t, s), scatter(t, s));
    let short = judge(records(6, 98, forecast));
    assert!(short.by_symbol.iter().all(|symbol| symbol.rank_ic.is_none() && !symbol.skill_shown));
    let record = short.symbol_record(symbol(0));
    assert_eq!((record.days_count, record.days_count_min), (98, 100));
    assert_eq!(short.symbol_record(symbol(50)).days_count, 0);
    let enough = judge(records(6, 100, forecast));
    assert!(enough.by_symbol.iter().all(|symbol| symbol.skill_shown));
}

#[test]
fn bands_are_judged_on_later_folds_only_and_hold_what_they_promise() {
    let evaluation = judge(records(6, 400, |t, s| (0.0, 0.05 * scatter(t, s))));
    assert_eq!(evaluation.coverage.len(), 15, "three levels of five steps");
    for coverage in &evaluation.coverage {
        assert_eq!(coverage.rows_count, 1_200, "the second fold of two");
        let covered = coverage.covered.unwrap();
        assert!((covered.value - coverage.level).abs() < 0.04, "{coverage:?}");
    }
    // The calibration must not see the second fold: errors that grow there are not covered.
    let grown =
        judge(records(6, 400, |t, s| (0.0, if t < 200 { 0.01 } else { 0.1 } * scatter(t, s))));
    assert!(grown.coverage.iter().all(|coverage| coverage.covered.unwrap().value < 0.2));
}

#[test]
fn the_report_survives_the_way_to_json_and_back() {
    let panel = Recipe { symbols_count: 10, days_count: 400, strength: 0.2, seed: 3 }.panel();
    let evaluation = train(&panel, &spec(7)).unwrap().evaluation;
    let json = serde_json::to_string_pretty(&evaluation).unwrap();
    assert_eq!(serde_json::from_str::<Evaluation>(&json).unwrap(), evaluation);
    assert!(!json.contains("NaN"));
    for name in [
        "rank_ic",
        "hit_rate",
        "rmse",
        "after_costs",
        "coverage",
        "folds",
        "by_symbol",
        "skill",
        "caveats",
        "purge_sessions",
        "embargo_sessions",
        "configurations_tried_count",
        "test_from",
    ] {
        assert!(json.contains(&format!("\"{name}\"")), "{name} is missing");
    }
    let report = evaluation.to_string();
    assert!(report.contains("Skill "), "{report}");
    assert!(report.lines().all(|line| line.trim_end() == line), "{report}");
}
