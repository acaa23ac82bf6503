//! The calendar against the lists it must agree with.

use std::collections::BTreeMap;

use bist_market::{Calendar, DayKind, SessionKind};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};

use crate::shared;

#[test]
fn every_day_of_2010_to_2026_agrees_with_the_exchange_calendar() {
    let Some(path) = shared::path("xist_holidays.csv") else { return };
    let listed: BTreeMap<Date, String> = shared::rows(&path)
        .into_iter()
        .map(|fields| (fields[0].parse().unwrap(), fields[1].clone()))
        .collect();
    let calendar = Calendar::bist();
    let mut compared = 0;
    for day in date(2010, 1, 1).series(1.day()).take_while(|day| day.year() <= 2026) {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let expected = match listed.get(&day).map(String::as_str) {
            _ if weekend => None,
            None => Some(SessionKind::Full),
            Some("half") => Some(SessionKind::Half),
            Some("full") => None,
            Some(other) => panic!("{day} is listed as {other}"),
        };
        let actual = match calendar.day(day) {
            DayKind::Session { session } => Some(session),
            DayKind::Closed { .. } => None,
            DayKind::Unknown => panic!("{day} is not covered"),
        };
        assert_eq!(actual, expected, "{day}");
        compared += 1;
    }
    assert_eq!(compared, 17 * 365 + 4, "2012, 2016, 2020 and 2024 have a day more");
}

#[test]
fn each_year_has_the_sessions_of_the_rule_table() {
    let expected = [
        (2015, 253),
        (2016, 251),
        (2017, 253),
        (2018, 251),
        (2019, 249),
        (2020, 252),
        (2021, 249),
        (2022, 252),
        (2023, 248),
        (2024, 250),
        (2025, 251),
        (2026, 251),
    ];
    for (year, sessions) in expected {
        let count = Calendar::bist().sessions(date(year, 1, 1), date(year, 12, 31)).count();
        assert_eq!(count, sessions, "{year}");
    }
}

#[test]
fn half_days_are_the_eves_that_fall_on_a_weekday() {
    let expected = "2015-07-16 2015-09-23 2015-10-28 2016-07-04 2016-10-28 2017-08-31 2018-06-14 \
                    2018-08-20 2019-06-03 2019-10-28 2020-07-30 2020-10-28 2021-05-12 2021-07-19 \
                    2021-10-28 2022-07-08 2022-10-28 2023-04-20 2023-06-27 2024-04-09 2024-10-28 \
                    2025-06-05 2025-10-28 2026-03-19 2026-05-26 2026-10-28";
    let half_days: Vec<String> = Calendar::bist()
        .sessions(date(2015, 1, 1), date(2026, 12, 31))
        .filter(|(_, session)| *session == SessionKind::Half)
        .map(|(day, _)| day.to_string())
        .collect();
    assert_eq!(half_days.join(" "), expected);
}

#[track_caller]
fn settles(trade_day: Date, expected: Date) {
    assert_eq!(Calendar::bist().settles_on(trade_day), Some(expected), "trade of {trade_day}");
}

#[test]
fn a_trade_of_24_oct_2024_settles_on_30_oct() {
    settles(date(2024, 10, 24), date(2024, 10, 30));
}

#[test]
fn a_trade_of_25_oct_2024_settles_on_31_oct() {
    settles(date(2024, 10, 25), date(2024, 10, 31));
}

#[test]
fn a_trade_of_the_half_day_28_oct_2024_settles_on_31_oct() {
    settles(date(2024, 10, 28), date(2024, 10, 31));
}

#[test]
fn a_trade_of_24_oct_2025_settles_on_30_oct() {
    settles(date(2025, 10, 24), date(2025, 10, 30));
}

#[test]
fn a_trade_of_27_oct_2025_settles_on_31_oct() {
    settles(date(2025, 10, 27), date(2025, 10, 31));
}

#[test]
fn a_trade_of_the_half_day_28_oct_2025_settles_on_31_oct() {
    settles(date(2025, 10, 28), date(2025, 10, 31));
}

#[test]
fn a_trade_of_30_dec_2025_settles_on_2_jan() {
    settles(date(2025, 12, 30), date(2026, 1, 2));
}

#[test]
fn a_trade_of_31_dec_2025_settles_on_5_jan() {
    settles(date(2025, 12, 31), date(2026, 1, 5));
}

#[test]
fn a_trade_of_17_mar_2026_settles_on_23_mar() {
    settles(date(2026, 3, 17), date(2026, 3, 23));
}

#[test]
fn a_trade_of_18_mar_2026_settles_on_24_mar() {
    settles(date(2026, 3, 18), date(2026, 3, 24));
}

#[test]
fn a_trade_of_the_half_day_19_mar_2026_settles_on_24_mar() {
    settles(date(2026, 3, 19), date(2026, 3, 24));
}

#[test]
fn nothing_settles_from_a_day_without_trades_or_past_the_calendar() {
    let calendar = Calendar::bist();
    assert_eq!(calendar.settles_on(date(2026, 3, 20)), None, "a holiday");
    assert_eq!(calendar.settles_on(date(2023, 2, 8)), None, "the cancelled session");
    assert_eq!(calendar.settles_on(date(2026, 12, 31)), None, "2027 is not covered");
}
