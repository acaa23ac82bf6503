//! The report: what it measures, and that it says so.

use std::collections::BTreeMap;

use bist_lifecycle::evaluation::{
    AlarmCode, Baseline, Better, ByBaseline, CaveatCode, Comparison, Evaluation, FoldLayout,
    InformationCoefficient, Judged, LearningTarget, OutOfFold, Predicted, Protocol, RankIcMethod,
    YearEvaluation, evaluate, follow_bands,
};
use bist_lifecycle::{LeakCheck, WalkForward};
use bist_market::Symbol;
use bist_trading::{CostModel, SkillCondition};
use jiff::civil::Time;

use crate::panels::{HORIZON, Recipe, no_outlook, sessions, spec, symbol, train};

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
                time: Time::midnight(),
                known_on: days[t + 5],
                fold: usize::from(t >= days_count / 2),
                predicted: Predicted { model, baselines: baselines(0.0) },
                members: Vec::new(),
                turbulence: 0.0,
                drift: 0.0,
                learned: realised,
                step_returns: (1..=5).map(|k| realised * f64::from(k) / 5.0).collect(),
                tradable_return: realised,
                volatility: 0.02,
                outlook: no_outlook(),
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

/// The last horizon's return is always 0.1, and the others say nothing.
fn baselines(training_mean: f64) -> ByBaseline<f64> {
    ByBaseline::of(|baseline| match baseline {
        Baseline::SeasonalNaive => 0.1,
        Baseline::TrainingMean => training_mean,
        Baseline::Ridge
        | Baseline::ElasticNet
        | Baseline::Ets
        | Baseline::Drift
        | Baseline::Zero => 0.0,
    })
}

/// A forecast whose correlation with what comes is `strength`, and as small as that asks for; with
/// what comes.
fn faint(strength: f64) -> impl Fn(usize, usize) -> (f64, f64) {
    move |t, s| {
        let (outcome, noise) = (scatter(t, s), scatter(s + 211, t));
        let known = strength * outcome + (1.0 - strength * strength).sqrt() * noise;
        (0.05 * strength * known, 0.05 * outcome)
    }
}

fn judge(record: (Vec<OutOfFold>, Vec<FoldLayout>)) -> Evaluation {
    judge_with(&BTreeMap::new(), 1, record)
}

fn judge_with(
    sectors: &BTreeMap<Symbol, String>,
    configurations_tried_count: u32,
    (records, layouts): (Vec<OutOfFold>, Vec<FoldLayout>),
) -> Evaluation {
    let protocol = Protocol {
        scheme: "expanding_walk_forward".to_owned(),
        learning_target: LearningTarget::RelativeToDay,
        walk_forward: WalkForward::default(),
        purge_sessions: 5,
        embargo_sessions: 5,
        configurations_tried_count,
        given_trees_known_until: None,
        seed: 7,
        costs: CostModel::default(),
    };
    evaluate(Judged {
        kind: "gbdt",
        horizon: HORIZON,
        records: &records,
        layouts: &layouts,
        members: &[],
        bands: &follow_bands(&[], &records, &layouts, HORIZON).unwrap(),
        direction: None,
        sectors,
        protocol,
        leak_check: NO_CHECK,
    })
}

/// A number between -1 and 1 without a pattern that matters.
fn scatter(a: usize, b: usize) -> f64 {
    ((a * 7_919 + b * 104_729 + a * a * 31 + b * b * a * 17) % 2_003) as f64 / 1_001.0 - 1.0
}

/// Right in the morning and wrong by as much in the afternoon: a day has one number, and no hour more
/// weight than another.
#[test]
fn the_coefficient_of_a_day_is_the_mean_of_that_of_its_hours() {
    let (mut morning, layouts) = records(10, 60, |t, s| (scatter(t, s), scatter(t, s)));
    for record in &mut morning {
        record.time = Time::constant(10, 0, 0, 0);
    }
    let afternoon = morning.iter().cloned().map(|mut record| {
        record.time = Time::constant(15, 0, 0, 0);
        record.predicted.model = -record.predicted.model;
        record
    });
    let mut both: Vec<OutOfFold> = morning.iter().cloned().chain(afternoon).collect();
    both.sort_by_key(|record| (record.day, record.time, record.symbol));
    let rank_ic = judge((both.clone(), layouts.clone())).rank_ic;
    assert_eq!(rank_ic.days_count, 60);
    assert!(rank_ic.estimate.unwrap().value.abs() < 1e-12);
    // One hour of a single symbol is no cross-section, and counts for nothing.
    both.retain(|record| record.time.hour() == 10 || record.symbol == symbol(0));
    let rank_ic = judge((both, layouts)).rank_ic;
    assert!((rank_ic.estimate.unwrap().value - 1.0).abs() < 1e-12);
}

#[test]
fn a_weak_forecast_that_is_right_has_every_mark() {
    let evaluation = judge(records(30, 400, faint(0.1)));
    assert!(evaluation.skill.shown && evaluation.alarm.is_none(), "{evaluation}");
    assert_eq!(evaluation.model_record().unmet, []);
    assert_eq!(evaluation.model_record().rank_ic, evaluation.rank_ic.estimate);
    assert!(evaluation.sentence.en.contains("can be told from luck, and every other"));
    assert!(evaluation.sentence.tr.contains("rastlantıdan ayırt edilebiliyor ve"));
}

/// The interval of `n` configurations has the level `0.95^(1/n)`: what is skill when it is the only
/// one tried is luck when it is one of many.
#[test]
fn what_is_shown_by_one_configuration_is_luck_among_many() {
    let tried = |count| judge_with(&BTreeMap::new(), count, records(6, 400, faint(0.12)));
    let level = |evaluation: &Evaluation| evaluation.skill.rank_ic.unwrap().level;
    let (one, four, many) = (tried(1), tried(4), tried(5_000));
    assert!((level(&one) - 0.95).abs() < 1e-12);
    assert!((level(&four) - 0.95_f64.powf(0.25)).abs() < 1e-12);
    assert!(one.skill.rank_ic.unwrap().low > 0.0, "{one}");
    assert!(four.skill.rank_ic.unwrap().low < one.skill.rank_ic.unwrap().low);
    assert_eq!(many.model_record().unmet, [SkillCondition::RankIcAboveZero], "{many}");
    assert!(many.sentence.en.contains("after 5000 configurations tried"), "{:?}", many.sentence);
    assert!(many.sentence.en.ends_with("which cannot be told from luck."));
    assert!(many.sentence.tr.contains("denenen 5000 yapılandırma"));
    assert!(many.sentence.tr.ends_with("rastlantıdan ayırt edilemiyor."));
    assert_eq!(many.rank_ic, one.rank_ic, "the interval beside it stays");
}

#[test]
fn a_result_that_is_too_good_is_an_alarm_and_no_skill() {
    let evaluation = judge(records(6, 100, |t, s| {
        let realised = 0.05 * scatter(t, s);
        (realised, realised)
    }));
    assert_eq!(evaluation.model_record().unmet, [SkillCondition::PlausibleRankIc]);
    let alarm = evaluation.alarm.as_ref().unwrap();
    assert_eq!(alarm.code, AlarmCode::ImplausibleRankIc);
    assert!((alarm.measured - 1.0).abs() < 1e-12 && (alarm.bound - 0.15).abs() < 1e-12);
    assert!(evaluation.sentence.en.contains("too good to be true"));
    assert!(evaluation.to_string().contains("ALARM: a rank IC of 1.0000"), "{evaluation}");
    assert!((evaluation.rank_ic.estimate.unwrap().value - 1.0).abs() < 1e-12);
    assert!((evaluation.hit_rate.estimate.unwrap().value - 1.0).abs() < 1e-12);
    assert!((evaluation.ic.estimate.unwrap().value - 1.0).abs() < 1e-12);
    assert!(evaluation.rmse.model.abs() < 1e-15);
    assert_eq!(evaluation.skill_scores[Baseline::Zero], Some(1.0));
    assert!(evaluation.by_symbol.iter().all(|symbol| symbol.skill_shown));
    // Over time there is no such bound: a common trend counts there.
    let few = judge(records(4, 100, |t, s| (0.05 * scatter(t, s), 0.05 * scatter(t, s))));
    assert!(few.alarm.is_none() && few.skill.shown, "{few}");
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
            record.predicted.baselines = baselines(0.03);
        }
        judge((records, layouts))
    };
    let many = rising(6);
    assert!(many.skill_scores[Baseline::Zero].unwrap() > 0.5);
    assert!(many.model_record().unmet.contains(&SkillCondition::ErrorBelowZeroForecast), "{many}");
    let few = rising(4);
    assert!(few.model_record().unmet.contains(&SkillCondition::ErrorBelowTrainingMean), "{few}");
}

/// A market that falls while the model expects its average does not take away its skill in telling
/// symbols apart.
#[test]
fn a_falling_market_is_no_fault_where_symbols_are_compared() {
    let evaluation = judge(records(30, 400, |t, s| {
        let (forecast, relative) = faint(0.1)(t, s);
        (0.01 + forecast, -0.05 + relative)
    }));
    assert!(evaluation.skill_scores[Baseline::Zero].unwrap() < 0.0);
    assert!(evaluation.skill.shown, "{evaluation}");
}

/// Forecasts that know the order and not the size: the ranks agree fully, the values do not.
#[test]
fn order_and_size_are_judged_apart() {
    let evaluation = judge(records(8, 200, |t, s| {
        let realised = 0.05 * scatter(t, s).powi(5);
        (0.01 * scatter(t, s), realised)
    }));
    let value = |coefficient: &InformationCoefficient| coefficient.estimate.unwrap().value;
    assert!((value(&evaluation.rank_ic) - 1.0).abs() < 1e-12);
    assert!((0.6..0.95).contains(&value(&evaluation.ic)), "{:?}", evaluation.ic);
    // Where no day differs from another there is no information ratio; here days differ.
    let bootstrapped = evaluation.ic.bootstrap.unwrap();
    let ratio = bootstrapped.information_ratio.unwrap();
    assert!(ratio.low > 1.0 && ratio.low < ratio.value && ratio.value < ratio.high);
    assert!(bootstrapped.mean_block_days >= 5.0, "labels overlap over the horizon");
    let (drawn, estimate) = (bootstrapped.coefficient, evaluation.ic.estimate.unwrap());
    assert!((drawn.value - estimate.value).abs() < 1e-12);
    let ratio_of_widths = (drawn.high - drawn.low) / (estimate.high - estimate.low);
    assert!((0.5..1.5).contains(&ratio_of_widths), "{drawn} and {estimate}");
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

/// Forecasts that are right in the first year only, and of the first sector only.
#[test]
fn years_and_sectors_are_judged_apart() {
    let days_count = 500;
    let years: Vec<i16> = sessions(days_count).iter().map(|day| day.year()).collect();
    let sector = |s: usize| ["energy", "food"][s % 2];
    let sectors = (0..9).map(|s| (symbol(s), sector(s).to_owned())).collect();
    let right = |t: usize, s: usize| years[t] == years[0] && sector(s) == "energy";
    let evaluation = judge_with(
        &sectors,
        1,
        records(10, days_count, |t, s| {
            let realised = 0.05 * scatter(t, s);
            (if right(t, s) { realised } else { 0.05 * scatter(s + 40, t) }, realised)
        }),
    );
    let [first, second] = evaluation.by_year.as_slice() else { panic!("two years") };
    assert_eq!((first.year, second.year), (years[0], years[0] + 1));
    assert_eq!(first.record.days_count + second.record.days_count, 500);
    assert_eq!(first.record.rows_count, 10 * first.record.days_count);
    assert!(first.record.rank_ic.unwrap().low > 0.2, "{first:?}");
    assert!(second.record.rank_ic.unwrap().low < 0.0, "{second:?}");
    assert!(first.record.hit_share > second.record.hit_share);
    let skill = |year: &YearEvaluation| year.record.skill_against_zero_share.unwrap();
    assert!(skill(first) > 0.0 && skill(second) < 0.0);

    let [energy, food] = evaluation.by_sector.as_slice() else { panic!("two sectors") };
    assert_eq!((energy.sector.as_str(), energy.symbols_count), ("energy", 5));
    assert_eq!((food.sector.as_str(), food.symbols_count), ("food", 4), "one has no sector");
    assert_eq!(food.record.rows_count, 4 * 500);
    assert!(energy.record.rank_ic.unwrap().low > 0.3, "{energy:?}");
    assert!(food.record.rank_ic.unwrap().low < 0.0, "{food:?}");
    let unknown = |evaluation: &Evaluation| -> bool {
        evaluation.caveats.iter().any(|caveat| caveat.code == CaveatCode::SectorsUnknown)
    };
    assert!(!unknown(&evaluation));
    let without = judge(records(6, 100, |t, s| (scatter(t, s), scatter(t, s))));
    assert!(without.by_sector.is_empty() && unknown(&without));
    assert_eq!(without.by_year.len(), 1);
}

/// Half of what comes is forecast, so that forecasting zero has four times the squared error. The
/// constant of the last period counts for nothing where symbols are compared, and for much where
/// they are not.
#[test]
fn the_model_is_compared_with_every_baseline() {
    let half = |t: usize, s: usize| (0.01 * scatter(t, s), 0.02 * scatter(t, s));
    let find = |evaluation: &Evaluation, against: Baseline| -> Comparison {
        let named = |comparison: &&Comparison| comparison.against == against.word();
        evaluation.comparisons.iter().find(named).unwrap().clone()
    };
    let many = judge(records(6, 100, half));
    assert_eq!(many.comparisons.len(), Baseline::ALL.len());
    let (zero, naive) = (find(&many, Baseline::Zero), find(&many, Baseline::SeasonalNaive));
    assert!(zero.relative_to_day && zero.better == Better::Model, "{zero:?}");
    let mean_square = |rmse: f64| rmse * rmse;
    let rmse = many.relative_rmse.unwrap();
    let expected = mean_square(rmse.baselines[Baseline::Zero]) - mean_square(rmse.model);
    assert!((zero.loss_difference.unwrap().value - expected).abs() < 1e-12);
    assert!((naive.statistic.unwrap() - zero.statistic.unwrap()).abs() < 1e-6);
    assert!(zero.p_value.unwrap() < 1e-6);

    let few = judge(records(4, 100, half));
    let naive = find(&few, Baseline::SeasonalNaive);
    assert!(!naive.relative_to_day && naive.better == Better::Model);
    assert!(naive.loss_difference.unwrap().value > 0.009, "{naive:?}");

    let same = judge(records(6, 100, |t, s| (0.0, 0.02 * scatter(t, s))));
    let zero = find(&same, Baseline::Zero);
    assert_eq!((zero.loss_difference, zero.better), (None, Better::NotToldApart));
    let worse = judge(records(6, 100, |t, s| (-0.02 * scatter(t, s), 0.02 * scatter(t, s))));
    assert_eq!(find(&worse, Baseline::Zero).better, Better::Other);
}

#[test]
fn a_part_of_a_year_is_not_judged_by_its_order() {
    let short = judge(records(6, 99, |t, s| (scatter(t, s), scatter(t, s))));
    assert_eq!(short.by_year[0].record.rank_ic, None);
    assert_eq!(short.by_year[0].record.hit_share, Some(1.0));
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
    for coverage in &grown.coverage {
        let [adapted, as_calibrated] =
            [coverage.covered, coverage.covered_unadapted].map(|share| share.unwrap().value);
        assert!(as_calibrated < 0.2, "{coverage:?}");
        // 200 days at a twentieth a day are not enough to make up for ten times the error.
        assert!(adapted > as_calibrated + 0.2, "{coverage:?}");
    }
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
