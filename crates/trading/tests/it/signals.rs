//! When a signal buys, sells and holds, and which prices it names.

use bist_market::{Calendar, ExchangeRules, Price, Symbol};
use bist_models::Horizon;
use bist_trading::{
    Action, Contribution, CostModel, Estimate, ModelRecord, Reason, ReturnInterval, Signal,
    SignalInput, SignalPolicy, SkillCondition, SymbolRecord, WithinSession, decide,
};
use jiff::civil::{Date, date, time};
use proptest::prelude::*;

const SKILL: Estimate = Estimate { value: 0.05, low: 0.02, high: 0.08, level: 0.95 };
const LUCK: Estimate = Estimate { value: 0.01, low: -0.02, high: 0.04, level: 0.95 };

/// A case: everything that differs between tests.
#[derive(Clone, Debug)]
struct Case {
    as_of: Date,
    last_close: Price,
    expected_log_return: f64,
    half_width_80: f64,
    half_width_expected: f64,
    horizon: Horizon,
    within_session: Option<WithinSession>,
    model_record: ModelRecord,
    symbol_record: SymbolRecord,
    contributions: Vec<Contribution>,
    base_share: f64,
}

impl Case {
    fn of(last_close: &str, expected_log_return: f64) -> Self {
        Self {
            as_of: date(2025, 6, 10),
            last_close: Price::parse(last_close).unwrap(),
            expected_log_return,
            half_width_80: 0.05,
            half_width_expected: 0.0025,
            horizon: Horizon::from_sessions(5).unwrap(),
            within_session: None,
            model_record: ModelRecord { rank_ic: Some(SKILL), unmet: vec![] },
            symbol_record: SymbolRecord {
                rank_ic: Some(SKILL),
                days_count: 500,
                days_count_min: 100,
            },
            contributions: vec![contribution("momentum_20", expected_log_return - 0.001)],
            base_share: 0.001,
        }
    }

    fn decide(&self) -> Signal {
        let around = |half: f64| ReturnInterval {
            low: self.expected_log_return - half,
            high: self.expected_log_return + half,
        };
        decide(&SignalInput {
            symbol: Symbol::parse("THYAO").unwrap(),
            as_of: self.as_of,
            last_close: self.last_close,
            horizon: self.horizon,
            within_session: self.within_session,
            expected_log_return: self.expected_log_return,
            interval_80: around(self.half_width_80),
            interval_50: around(self.half_width_80 / 2.0),
            expected_interval_80: around(self.half_width_expected),
            probability_up: 0.6,
            base_share: self.base_share,
            contributions: &self.contributions,
            model_record: &self.model_record,
            symbol_record: &self.symbol_record,
            costs: &CostModel::default(),
            policy: SignalPolicy::default(),
            calendar: Calendar::bist(),
            rules: ExchangeRules::bist(),
        })
    }
}

fn contribution(feature: &str, contribution_share: f64) -> Contribution {
    Contribution { feature: feature.to_owned(), value: Some(1.0), contribution_share }
}

#[track_caller]
fn check(case: &Case, action: Action, code: &str, target: Option<&str>, stop: Option<&str>) {
    let signal = case.decide();
    assert_eq!((signal.action, signal.reason.code()), (action, code), "{:?}", signal.reason);
    let text = |price: Option<Price>| price.map(|price| price.to_string());
    assert_eq!(text(signal.target).as_deref(), target, "target");
    assert_eq!(text(signal.stop).as_deref(), stop, "stop");
}

#[test]
fn a_forecast_above_the_costs_buys_and_below_them_sells() {
    // 300 * e^0.02 = 306.06, down to 306.00; 300 * e^-0.03 = 291.13, down to 291.00.
    let buy = ("expected_gain_above_costs", Some("306.00"), Some("291.00"));
    check(&Case::of("300.00", 0.02), Action::Buy, buy.0, buy.1, buy.2);
    // 300 * e^-0.02 = 294.06, up to 294.25; 300 * e^0.03 = 309.14, up to 309.25.
    let sell = ("expected_loss_above_costs", Some("294.25"), Some("309.25"));
    check(&Case::of("300.00", -0.02), Action::Sell, sell.0, sell.1, sell.2);
}

#[test]
fn a_forecast_within_the_costs_holds() {
    check(&Case::of("300.00", 0.0018), Action::Hold, "within_costs", None, None);
    check(&Case::of("300.00", -0.0018), Action::Hold, "within_costs", None, None);
    let signal = Case::of("300.00", -0.0018).decide();
    assert!(signal.expected_return_after_costs_share > 0.0, "the costs are larger");
}

#[test]
fn an_expectation_that_may_be_a_gain_or_a_loss_after_costs_holds() {
    for (expected, half_width) in [(0.02, 0.0182), (-0.02, 0.0182), (0.02, 0.3), (-0.02, 0.3)] {
        let case = Case { half_width_expected: half_width, ..Case::of("300.00", expected) };
        check(&case, Action::Hold, "band_spans_zero", None, None);
    }
    let case = Case { half_width_expected: 0.018, ..Case::of("300.00", 0.02) };
    assert_eq!(case.decide().action, Action::Buy, "the whole band is above the costs");
    let case = Case { half_width_expected: 0.018, ..Case::of("300.00", -0.02) };
    assert_eq!(case.decide().action, Action::Sell, "the whole band is below the costs");
    let case = Case { half_width_expected: 0.03, ..Case::of("300.00", 0.02) };
    assert_eq!(
        case.decide().reason.to_string(),
        "By the model's record the expected return lies between -1.00 % and +5.13 % (80 %): after \
         costs of 0.19 % it may be a gain or a loss."
    );
}

#[test]
fn a_model_without_skill_holds_whatever_it_forecasts() {
    let mut case = Case::of("300.00", 0.09);
    case.model_record =
        ModelRecord { rank_ic: Some(LUCK), unmet: vec![SkillCondition::RankIcAboveZero] };
    check(&case, Action::Hold, "no_skill_shown", None, None);
    assert_eq!(
        case.decide().reason.to_string(),
        "The model has shown no skill out of sample: the rank IC cannot be told from zero; \
         rank IC 0.010 (95 %: -0.020 to 0.040)."
    );
}

#[test]
fn a_symbol_without_skill_holds() {
    let mut case = Case::of("300.00", 0.09);
    case.symbol_record.rank_ic = Some(LUCK);
    check(&case, Action::Hold, "no_skill_for_symbol", None, None);
    case.symbol_record = SymbolRecord { rank_ic: None, days_count: 40, days_count_min: 100 };
    check(&case, Action::Hold, "symbol_record_too_short", None, None);
}

#[test]
fn a_move_smaller_than_one_step_holds() {
    // One step of 0.01 is 0.67 % of 1.50.
    check(&Case::of("1.50", 0.005), Action::Hold, "within_one_step", None, None);
    // At one step, the limits are the price itself.
    check(&Case::of("0.01", 0.5), Action::Hold, "within_one_step", None, None);
}

#[test]
fn past_the_end_of_the_calendar_it_holds_and_the_validity_is_unknown() {
    let mut case = Case::of("300.00", 0.02);
    case.as_of = Calendar::bist().last_day();
    check(&case, Action::Hold, "next_session_unknown", None, None);
    case.as_of = Calendar::bist().previous_session(case.as_of).unwrap();
    let signal = case.decide();
    assert_eq!((signal.action, signal.valid_until), (Action::Buy, None));
    assert!(signal.next_session.is_some());
}

#[test]
fn target_and_stop_stay_within_the_limits_of_the_next_session() {
    let mut case = Case::of("300.00", 0.15);
    case.half_width_80 = 0.4;
    let at_limits = ("expected_gain_above_costs", Some("330.00"), Some("270.00"));
    check(&case, Action::Buy, at_limits.0, at_limits.1, at_limits.2);
}

#[test]
fn within_a_session_target_and_stop_keep_its_limits_and_the_signal_ends_with_it() {
    let within = |base: Option<&str>| WithinSession {
        known_at: time(12, 0, 0, 0),
        ends_at: time(18, 10, 0, 0),
        base_price: base.map(|price| Price::parse(price).unwrap()),
    };
    // The share has risen from 275 to 300; the limits are still 247.50 and 302.50.
    let mut case = Case::of("300.00", 0.05);
    case.half_width_80 = 0.4;
    case.horizon = Horizon::EndOfDay;
    case.within_session = Some(within(Some("275.00")));
    let at_limits = ("expected_gain_above_costs", Some("302.50"), Some("247.50"));
    check(&case, Action::Buy, at_limits.0, at_limits.1, at_limits.2);
    let signal = case.decide();
    assert_eq!((signal.next_session, signal.valid_until), (Some(case.as_of), Some(case.as_of)));
    assert_eq!(
        (signal.as_of_time, signal.valid_until_time),
        (Some(time(12, 0, 0, 0)), Some(time(18, 10, 0, 0)))
    );
    case.within_session = Some(within(None));
    check(&case, Action::Hold, "limits_unknown", None, None);
}

#[test]
fn a_forecast_whose_whole_band_is_a_gain_has_its_stop_below_the_price() {
    let mut case = Case::of("300.00", 0.05);
    case.half_width_80 = 0.01;
    check(&case, Action::Buy, "expected_gain_above_costs", Some("315.25"), Some("299.75"));
}

#[test]
fn five_contributions_are_named_and_the_rest_is_summed() {
    let mut case = Case::of("300.00", 0.02);
    case.contributions = [0.004, -0.009, 0.001, 0.02, -0.003, 0.002, 0.004]
        .iter()
        .zip("abcdefg".chars())
        .map(|(share, name)| contribution(&name.to_string(), *share))
        .collect();
    let signal = case.decide();
    let names: Vec<_> = signal.contributions.items.iter().map(|c| c.feature.as_str()).collect();
    assert_eq!(names, ["d", "b", "a", "g", "e"]);
    assert!((signal.contributions.other_share - 0.003).abs() < 1e-12);
}

#[test]
#[should_panic(expected = "the contributions of THYAO miss the forecast by")]
fn an_explanation_of_something_else_is_refused() {
    let mut case = Case::of("300.00", 0.02);
    case.base_share = 0.002;
    case.decide();
}

#[test]
fn a_signal_survives_the_way_to_json_and_back() {
    let mut held = Case::of("300.00", 0.02);
    held.model_record = ModelRecord { rank_ic: None, unmet: vec![SkillCondition::RankIcAboveZero] };
    for case in [Case::of("300.00", 0.02), held] {
        let signal = case.decide();
        let json = serde_json::to_string(&signal).unwrap();
        assert_eq!(serde_json::from_str::<Signal>(&json).unwrap(), signal);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["reason"]["code"], signal.reason.code());
    }
}

#[test]
fn every_reason_is_a_sentence() {
    let day = date(2025, 6, 11);
    let price = Price::parse("1.50").unwrap();
    for reason in [
        Reason::ExpectedGainAboveCosts { expected_return_share: 0.02, cost_share: 0.0019 },
        Reason::ExpectedLossAboveCosts { expected_return_share: -0.02, cost_share: 0.0019 },
        Reason::NoSkillShown { rank_ic: None, unmet: vec![SkillCondition::RankIcAboveZero] },
        Reason::NoSkillForSymbol { rank_ic: LUCK },
        Reason::SymbolRecordTooShort { days_count: 3, days_count_min: 100 },
        Reason::WithinCosts {
            expected_return_share: 0.001,
            cost_share: 0.0019,
            costs_multiple: 1.0,
        },
        Reason::WithinCosts {
            expected_return_share: 0.003,
            cost_share: 0.0019,
            costs_multiple: 2.5,
        },
        Reason::NextSessionUnknown { as_of: day },
        Reason::LimitsUnknown { day },
        Reason::WithinOneStep { last_close: price, tick: price, expected_return_share: 0.003 },
    ] {
        let text = reason.to_string();
        assert!(text.starts_with("The ") && text.ends_with('.'), "{text}");
        assert!(!text.contains("  "), "{text}");
    }
}

fn cases() -> impl Strategy<Value = Case> {
    let price = prop_oneof![1_i64..200_000, 200_000_i64..30_000_000, 30_000_000_i64..500_000_000];
    let parts = prop::collection::vec(-0.05..0.05_f64, 0..12);
    (0_i32..5_500, price, -0.3..0.3_f64, 0.0..0.5_f64, 1_u8..30, 0_u8..4, parts).prop_map(
        |(day, units, expected, half_width_80, horizon_sessions, record, parts)| {
            let mut case = Case::of("1.00", expected);
            case.as_of = Calendar::bist()
                .sessions(Calendar::bist().first_day(), Calendar::bist().last_day())
                .nth(usize::try_from(day).unwrap() % 4_200)
                .unwrap()
                .0;
            case.last_close = Price::from_units(units).unwrap();
            case.half_width_80 = half_width_80;
            case.horizon = Horizon::from_sessions(horizon_sessions).unwrap();
            // One in four has no skill on the symbol.
            case.symbol_record.rank_ic = (record > 0).then_some(SKILL);
            case.base_share = expected - parts.iter().sum::<f64>();
            case.contributions = parts
                .iter()
                .enumerate()
                .map(|(i, share)| contribution(&format!("f{i}"), *share))
                .collect();
            case
        },
    )
}

proptest! {
    #[test]
    fn named_prices_are_valid_ticks_inside_the_limits_on_the_right_side(case in cases()) {
        let signal = case.decide();
        let (rules, last) = (ExchangeRules::bist(), case.last_close);
        if let (Some(target), Some(stop)) = (signal.target, signal.stop) {
            let day = signal.next_session.unwrap();
            let limits = rules.daily_limits(day, last).unwrap();
            for price in [target, stop] {
                prop_assert_eq!(rules.round_down(day, price), Some(price), "a valid tick");
                prop_assert!(limits.lower <= price && price <= limits.upper);
            }
            match signal.action {
                Action::Buy => prop_assert!(stop < last && last < target),
                Action::Sell => prop_assert!(target < last && last < stop),
                Action::Hold => prop_assert!(false, "a hold names no price"),
            }
            // Rounding towards the last close never promises more than the forecast.
            let promised = (target.lira() / last.lira()).ln().abs();
            let rounding = 0.6 / last.units() as f64;
            prop_assert!(promised <= case.expected_log_return.abs() + rounding);
            prop_assert!(signal.risk_reward.unwrap() > 0.0);
        } else {
            prop_assert_eq!(signal.action, Action::Hold);
            prop_assert_eq!((signal.target, signal.stop, signal.risk_reward), (None, None, None));
        }
    }

    #[test]
    fn contributions_add_up_and_the_action_follows_the_costs(case in cases()) {
        let signal = case.decide();
        let top = &signal.contributions;
        let named: f64 = top.items.iter().map(|c| c.contribution_share).sum();
        prop_assert!((top.base_share + named + top.other_share - top.total_share).abs() < 1e-9);
        prop_assert!((top.total_share - case.expected_log_return).abs() < 1e-15);
        let after_costs = signal.expected_return_after_costs_share;
        match signal.action {
            Action::Buy => prop_assert!(after_costs > 0.0),
            Action::Sell => prop_assert!(after_costs < 0.0),
            Action::Hold => {}
        }
    }
}
