//! Each dated change, one day before and on the day, through the document that users see.

use bist_market::{ExchangeRules, Price, Symbol};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use serde_json::{Value, json};

fn document(day: Date) -> Value {
    serde_json::to_value(ExchangeRules::bist().rules_on(day, None)).unwrap()
}

/// The value at `pointer` on the day and on the day before it.
#[track_caller]
fn changes(pointer: &str, on: Date, before: &Value, after: &Value) {
    let value = |day| document(day).pointer(pointer).cloned().unwrap_or(Value::Null);
    assert_eq!(value(on.yesterday().unwrap()), *before, "{pointer} the day before {on}");
    assert_eq!(value(on), *after, "{pointer} on {on}");
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

/// The step and the limits of a base price as text.
fn tick_and_limits(day: Date, base: &str) -> (String, String, String) {
    let rules = ExchangeRules::bist();
    let limits = rules.daily_limits(day, price(base)).unwrap();
    (rules.tick(day, price(base)).to_string(), limits.lower.to_string(), limits.upper.to_string())
}

#[test]
fn the_tick_table_has_four_bands_until_5_nov_2023_and_eight_from_the_6th() {
    let ticks = |day| document(day)["ticks"]["value"].clone();
    let four = json!([
        {"from": "0.00", "tick": "0.01"},
        {"from": "20.00", "tick": "0.02"},
        {"from": "50.00", "tick": "0.05"},
        {"from": "100.00", "tick": "0.10"},
    ]);
    assert_eq!(ticks(date(2023, 11, 5)), four);
    let eight = ticks(date(2023, 11, 6));
    assert_eq!(eight.as_array().unwrap()[..4], four.as_array().unwrap()[..]);
    assert_eq!(
        eight.as_array().unwrap()[4..],
        [
            json!({"from": "250.00", "tick": "0.25"}),
            json!({"from": "500.00", "tick": "0.50"}),
            json!({"from": "1000.00", "tick": "1.00"}),
            json!({"from": "2500.00", "tick": "2.50"}),
        ]
    );
}

#[test]
fn a_price_steps_by_the_tick_of_its_own_band() {
    #[track_caller]
    fn check(day: Date, at: &str, tick: &str) {
        assert_eq!(ExchangeRules::bist().tick(day, price(at)).to_string(), tick, "{at} on {day}");
    }
    let (before, after) = (date(2023, 11, 3), date(2023, 11, 6));
    for day in [before, after] {
        check(day, "0.01", "0.01");
        check(day, "19.99", "0.01");
        check(day, "20.00", "0.02");
        check(day, "49.98", "0.02");
        check(day, "50.00", "0.05");
        check(day, "99.95", "0.05");
        check(day, "100.00", "0.10");
        check(day, "249.90", "0.10");
    }
    for at in ["250.00", "499.75", "500.00", "1000.00", "2499.00", "2500.00"] {
        check(before, at, "0.10");
    }
    check(after, "250.00", "0.25");
    check(after, "499.75", "0.25");
    check(after, "500.00", "0.50");
    check(after, "999.50", "0.50");
    check(after, "1000.00", "1.00");
    check(after, "2499.00", "1.00");
    check(after, "2500.00", "2.50");
}

#[test]
fn rounding_goes_to_a_valid_price_of_the_right_side() {
    let rules = ExchangeRules::bist();
    let day = date(2026, 11, 24);
    #[track_caller]
    fn check(actual: Option<Price>, expected: &str) {
        assert_eq!(actual.map(|price| price.to_string()).as_deref(), Some(expected));
    }
    check(rules.round_up(day, price("249.91")), "250.00");
    check(rules.round_up(day, price("250.01")), "250.25");
    check(rules.round_down(day, price("250.24")), "250.00");
    check(rules.round_down(day, price("249.99")), "249.90");
    check(rules.round_nearest(day, price("249.94")), "249.90");
    check(rules.round_nearest(day, price("249.95")), "250.00");
    check(rules.round_nearest(day, price("0.005")), "0.01");
    assert_eq!(rules.round_nearest(day, price("0.0049")), None);
    assert_eq!(rules.round_down(day, price("0.0099")), None);
    assert_eq!(rules.round_up(day, Price::from_units(i64::MAX).unwrap()), None);
}

#[test]
fn the_daily_limit_is_20_percent_until_12_mar_2020_and_10_from_the_13th() {
    changes("/daily_limit/value/share", date(2020, 3, 13), &json!(0.2), &json!(0.1));
    assert_eq!(
        tick_and_limits(date(2020, 3, 12), "10.03"),
        ("0.01".to_owned(), "8.03".to_owned(), "12.03".to_owned())
    );
    assert_eq!(
        tick_and_limits(date(2020, 3, 13), "10.03"),
        ("0.01".to_owned(), "9.03".to_owned(), "11.03".to_owned())
    );
}

#[test]
fn the_limit_of_2000_to_2009_is_that_of_the_years_after_for_shares_and_indices() {
    let rules = ExchangeRules::bist();
    for day in [date(2000, 1, 3), date(2005, 6, 1), date(2009, 12, 31), date(2015, 6, 1)] {
        for code in ["THYAO", "XU100", "XU030"] {
            let share = rules.limit_share_of(day, Symbol::parse(code).unwrap());
            assert_eq!(share.unwrap().0, 2_000, "{code} on {day}");
        }
        let limit = document(day)["daily_limit"].clone();
        assert!(limit["note"].as_str().unwrap().contains("two sessions a day"), "{limit}");
    }
}

#[test]
fn limits_are_rounded_inwards_to_the_tick_of_their_own_band() {
    // 231.00 + 10 % = 254.10, in the band of 0.25.
    assert_eq!(
        tick_and_limits(date(2026, 11, 24), "231.00"),
        ("0.10".to_owned(), "207.90".to_owned(), "254.00".to_owned())
    );
    // 20.10 - 10 % = 18.09, in the band of 0.01.
    assert_eq!(
        tick_and_limits(date(2026, 11, 24), "20.10"),
        ("0.02".to_owned(), "18.09".to_owned(), "22.10".to_owned())
    );
    assert_eq!(
        tick_and_limits(date(2026, 11, 24), "0.01"),
        ("0.01".to_owned(), "0.01".to_owned(), "0.01".to_owned())
    );
}

#[test]
fn a_symbol_with_a_limit_of_its_own_keeps_it() {
    let rules = ExchangeRules::bist();
    let day = date(2026, 11, 24);
    let limit = |name| rules.limit_share_of(day, Symbol::parse(name).unwrap()).unwrap().share();
    assert!((limit("ISKUR") - 0.5).abs() < 1e-12);
    assert!((limit("THYAO") - 0.1).abs() < 1e-12);
    let document = serde_json::to_value(rules.rules_on(day, Symbol::parse("ISKUR").ok())).unwrap();
    assert_eq!(document["symbol_limit"]["share"], json!(0.5));
    assert_eq!(document["daily_limit"]["value"]["share"], json!(0.1));
}

#[test]
fn limits_of_other_classes_are_listed_with_their_dates() {
    let classes = |day| -> Vec<(String, Value)> {
        document(day)["limit_exceptions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| {
                (e["value"]["applies_to"].as_str().unwrap().to_owned(), e["value"]["share"].clone())
            })
            .collect()
    };
    let gold =
        |day| classes(day).into_iter().find(|(name, _)| name.starts_with("ALTIN")).map(|e| e.1);
    assert_eq!(gold(date(2026, 1, 31)), Some(json!(0.05)));
    assert_eq!(gold(date(2026, 2, 10)), None, "the day of the change is not known");
    assert_eq!(gold(date(2026, 3, 1)), Some(json!(0.1)));
    assert!(classes(date(2026, 3, 1)).contains(&("rights coupons".to_owned(), json!(0.5))));
    assert!(
        classes(date(2026, 3, 1)).contains(&("warrants and certificates".to_owned(), Value::Null))
    );
}

#[test]
fn the_base_price_is_the_previous_close_from_30_nov_2015() {
    changes(
        "/base_price/value",
        date(2015, 11, 30),
        &json!("weighted_average"),
        &json!("previous_close"),
    );
}

/// The phases of a day, as `begin-end name`.
fn phases(day: Date) -> Vec<String> {
    document(day)["timetable"]["value"]["phases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| {
            let text = |key: &str| p[key].as_str().unwrap().to_owned();
            format!("{}-{} {}", text("begins"), text("ends"), text("phase"))
        })
        .collect()
}

#[test]
fn the_hours_follow_the_era() {
    #[track_caller]
    fn check(day: Date, contains: &[&str], lacks: &[&str]) {
        let phases = phases(day);
        for phase in contains {
            assert!(phases.iter().any(|p| p == phase), "{day} lacks {phase}: {phases:?}");
        }
        for word in lacks {
            assert!(!phases.iter().any(|p| p.contains(word)), "{day} has {word}: {phases:?}");
        }
    }
    check(
        date(2015, 11, 27),
        &["09:35-12:30 continuous", "12:30-14:00 break", "14:15-17:30 continuous"],
        &["midday"],
    );
    check(
        date(2015, 11, 30),
        &["09:35-12:30 continuous", "12:30-13:30 midday_auction", "13:30-17:30 continuous"],
        &["break"],
    );
    check(date(2016, 3, 25), &["12:30-13:30 midday_auction"], &[]);
    check(date(2016, 3, 28), &["09:35-13:00 continuous", "13:00-14:00 midday_auction"], &[]);
    check(date(2016, 11, 11), &["13:00-14:00 midday_auction", "14:00-17:30 continuous"], &["18:"]);
    check(
        date(2016, 11, 14),
        &[
            "09:40-09:55 opening_collection",
            "13:00-13:55 midday_collection",
            "14:00-18:00 continuous",
            "18:08-18:10 at_closing_price",
        ],
        &[],
    );
    check(date(2019, 10, 3), &["13:00-13:55 midday_collection"], &[]);
    check(date(2019, 10, 4), &["10:00-18:00 continuous"], &["midday"]);
}

#[test]
fn the_current_full_day_has_eight_phases_without_a_gap() {
    assert_eq!(
        phases(date(2026, 11, 24)),
        [
            "09:40-09:55 opening_collection",
            "09:55-10:00 opening_matching",
            "10:00-18:00 continuous",
            "18:00-18:01 closing_preparation",
            "18:01-18:05 closing_collection",
            "18:05-18:07 closing_matching",
            "18:07-18:08 closing_announcement",
            "18:08-18:10 at_closing_price",
        ]
    );
}

#[test]
fn a_half_day_ends_at_noon_and_is_unknown_between_two_eras() {
    assert_eq!(phases(date(2026, 10, 28))[2], "10:00-12:30 continuous");
    assert_eq!(phases(date(2015, 10, 28))[2], "09:35-12:30 continuous");
    assert_eq!(document(date(2018, 8, 20))["timetable"]["status"], "unknown");
    assert_eq!(document(date(2026, 10, 29))["timetable"], Value::Null, "a holiday");
}

#[test]
fn a_halted_share_collects_orders_for_30_minutes_from_13_mar_2020_and_10_from_1_sep_2025() {
    let minutes = "/share_breaker_halt/value/collection_min";
    changes(minutes, date(2020, 3, 13), &Value::Null, &json!(30));
    changes(minutes, date(2025, 9, 1), &json!(30), &json!(10));
    changes(
        "/share_breaker_trigger/value/move_share",
        date(2020, 3, 13),
        &Value::Null,
        &json!(0.05),
    );
    assert_eq!(document(date(2020, 3, 12))["share_breaker_halt"]["status"], "unknown");
}

#[test]
fn the_index_breaker_has_two_stages_until_31_aug_2025_and_one_from_1_sep() {
    let day = date(2025, 9, 1);
    changes("/index_breaker/value/fall_shares", day, &json!([0.05, 0.07]), &json!([0.06]));
    changes("/index_breaker/value/late_from", day, &json!("17:00"), &json!("17:30"));
    changes("/index_breaker/status", date(2023, 2, 8), &json!("unknown"), &json!("in_force"));
    // The low of 2 September 2025, -5.96 %, was not a trigger; that of 8 February 2023 was, twice.
    let first_stage =
        |day| document(day)["index_breaker"]["value"]["fall_shares"][0].as_f64().unwrap();
    assert!(0.0596 < first_stage(date(2025, 9, 2)));
    let event = document(date(2023, 2, 8))["events"][0]["text"].as_str().unwrap().to_owned();
    assert!(event.contains("10:12:01") && event.contains("10:42:31"), "{event}");
}

#[test]
fn short_sales_follow_the_permissions_and_end_in_unknown() {
    let permission = "/short_sale/value";
    let (banned, bist50) = (json!("banned"), json!("bist50_only"));
    changes(permission, date(2023, 2, 6), &Value::Null, &banned);
    changes(permission, date(2025, 1, 2), &banned, &bist50);
    changes(permission, date(2025, 3, 24), &bist50, &banned);
    changes(permission, date(2025, 9, 1), &banned, &bist50);
    changes(permission, date(2026, 3, 2), &bist50, &banned);
    changes(permission, date(2026, 3, 14), &banned, &Value::Null);
    assert_eq!(document(date(2026, 11, 24))["short_sale"]["status"], "unknown");
    assert_eq!(document(date(2023, 2, 3))["short_sale"]["status"], "unknown");
}

#[test]
fn the_up_tick_rule_begins_at_3_percent_and_at_2_from_1_sep_2025() {
    changes("/uptick/value/index_fall_share", date(2025, 9, 1), &json!(0.03), &json!(0.02));
}

#[test]
fn the_order_to_trade_ratio_and_its_charge_change_on_their_days() {
    let ratio = "/order_to_trade/value/orders_per_trade";
    changes(ratio, date(2025, 3, 24), &json!(5), &json!(3));
    changes(ratio, date(2025, 4, 26), &json!(3), &json!(5));
    changes(ratio, date(2026, 3, 1), &json!(5), &Value::Null);
    changes(ratio, date(2026, 3, 10), &Value::Null, &json!(3));
    changes(
        "/excess_order_charge/value/per_message",
        date(2025, 3, 24),
        &json!("0.25"),
        &json!("0.50"),
    );
}

#[test]
fn taxes_change_on_their_days_and_are_unknown_where_the_day_is() {
    let dividends = "/dividend_withholding/value/share";
    changes(dividends, date(2024, 12, 21), &json!(0.1), &Value::Null);
    changes(dividends, date(2025, 1, 1), &Value::Null, &json!(0.15));
    changes("/fund_gains_withholding/value/share", date(2025, 7, 9), &Value::Null, &json!(0.175));
    changes("/gains_withholding/value/share", date(2025, 12, 11), &Value::Null, &json!(0.0));
    changes("/gains_withholding/value/share", date(2031, 1, 1), &json!(0.0), &Value::Null);
    assert_eq!(
        document(date(2026, 11, 24))["bsmv"]["value"],
        json!({"share": 0.05, "of": "the commission"})
    );
}

#[test]
fn settlement_is_the_second_full_session_and_the_document_says_when() {
    let document = document(date(2025, 10, 28));
    assert_eq!(document["settlement"]["value"]["full_sessions_count"], json!(2));
    assert_eq!(document["settles_on"], json!("2025-10-31"));
    assert_eq!(document["calendar"], json!({"kind": "session", "session": "half"}));
}

#[test]
fn every_rule_in_force_names_its_source_and_certainty() {
    for day in [date(2012, 5, 2), date(2018, 9, 26), date(2021, 6, 1), date(2026, 11, 24)] {
        let document = document(day);
        let mut rules = 0;
        for (name, rule) in document.as_object().unwrap() {
            match rule.get("status").and_then(Value::as_str) {
                Some("in_force") => {
                    assert!(!rule["source"].as_str().unwrap().is_empty(), "{name}");
                    assert!(
                        ["A", "B", "C"].contains(&rule["certainty"].as_str().unwrap()),
                        "{name}"
                    );
                    assert!(
                        rule.get("read_on").is_some() && rule.get("valid_from").is_some(),
                        "{name}"
                    );
                    rules += 1;
                }
                Some("unknown") => {
                    assert!(!rule["reason"].as_str().unwrap().is_empty(), "{name} on {day}");
                    rules += 1;
                }
                _ => {}
            }
        }
        assert!(rules >= 20, "{rules} rules on {day}");
    }
}

#[test]
fn the_terminal_shows_each_rule_below_its_label() {
    let symbol = Symbol::parse("THYAO").ok();
    let text = ExchangeRules::bist().rules_on(date(2026, 11, 24), symbol).to_string();
    for line in [
        "day                 2026-11-24, a full session",
        "hours               09:40-09:55 opening auction, orders collected",
        "settles on          2026-11-26",
        "daily limit         ±10 % of the base price",
        "short sale          unknown: the status after 13 Mar 2026 is unknown",
        "BSMV                5 % of the commission",
    ] {
        assert!(text.lines().any(|l| l == line), "no line {line:?} in\n{text}");
    }
    println!("{text}");
}

proptest! {
    #[test]
    fn rounded_prices_are_valid_and_next_to_the_price(
        units in 1_i64..200_000_000,
        old in any::<bool>(),
    ) {
        let rules = ExchangeRules::bist();
        let day = if old { date(2020, 1, 2) } else { date(2024, 1, 2) };
        let given = Price::from_units(units).unwrap();
        let up = rules.round_up(day, given).unwrap();
        prop_assert!(up >= given);
        prop_assert_eq!(up.units() % rules.tick(day, up).units(), 0);
        prop_assert_eq!(rules.round_up(day, up), Some(up));
        if let Some(down) = rules.round_down(day, given) {
            prop_assert!(down <= given);
            prop_assert_eq!(down.units() % rules.tick(day, down).units(), 0);
            prop_assert!(up.units() - down.units() <= rules.tick(day, given).units());
            let nearest = rules.round_nearest(day, given).unwrap();
            prop_assert!(nearest == up || nearest == down);
        }
    }

    #[test]
    fn limits_hold_the_base_and_stay_within_the_share(
        units in 100_i64..200_000_000,
        old in any::<bool>(),
    ) {
        let rules = ExchangeRules::bist();
        let day = if old { date(2020, 1, 2) } else { date(2024, 1, 2) };
        // A base price is a valid price.
        let base = rules.round_down(day, Price::from_units(units).unwrap()).unwrap();
        let share = i64::from(rules.limit_share(day).unwrap().0);
        let limits = rules.daily_limits(day, base).unwrap();
        prop_assert!(limits.lower <= base && base <= limits.upper);
        prop_assert!(limits.upper.units() * 10_000 <= base.units() * (10_000 + share));
        prop_assert!(limits.lower.units() * 10_000 >= base.units() * (10_000 - share));
    }
}
