//! The calendar against the lists it must agree with.

use std::collections::{BTreeMap, BTreeSet};

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
    let mut compared = 0;
    for day in date(2010, 1, 1).series(1.day()).take_while(|day| day.year() <= 2026) {
        let expected = match listed.get(&day).map(String::as_str) {
            _ if is_weekend(day) => None,
            None => Some(SessionKind::Full),
            Some("half") => Some(SessionKind::Half),
            Some("full") => None,
            Some(other) => panic!("{day} is listed as {other}"),
        };
        assert_eq!(session_of(day), expected, "{day}");
        compared += 1;
    }
    assert_eq!(compared, 17 * 365 + 4, "2012, 2016, 2020 and 2024 have a day more");
}

/// The weekdays of each year on which `exchange_calendars` 4.13.2 (XIST) has no session.
const XIST_CLOSED_WEEKDAYS: [(i16, &str); 10] = [
    (2000, "01-10 03-16 03-17 05-19 08-30 12-27 12-28 12-29"),
    (2001, "01-01 03-05 03-06 03-07 03-08 04-23 08-30 10-29 12-17 12-18"),
    (2002, "01-01 01-04 02-22 02-25 04-23 08-30 10-29 12-05 12-06"),
    (
        2003,
        "01-01 02-10 02-11 02-12 02-13 02-14 04-23 05-19 10-29 11-21 11-24 11-25 11-26 11-27 \
         11-28",
    ),
    (2004, "01-01 01-23 02-02 02-03 02-04 04-23 05-19 08-30 10-29 11-15 11-16 12-30 12-31"),
    (2005, "01-20 01-21 05-19 08-30 11-03 11-04"),
    (2006, "01-09 01-10 01-11 01-12 01-13 05-19 08-30 10-23 10-24 10-25"),
    (2007, "01-01 01-02 01-03 04-23 08-30 10-12 10-29 12-20 12-21"),
    (2008, "01-01 04-23 05-19 09-30 10-01 10-02 10-29 12-08 12-09 12-10 12-11"),
    (2009, "01-01 04-23 05-01 05-19 09-21 09-22 10-29 11-27 11-30"),
];

/// The half days of the same package before 2010.
const XIST_HALF_DAYS: &str = "2000-01-07 2000-03-15 2000-12-26 2002-02-21 2002-10-28 \
                               2002-12-04 2003-10-28 2004-10-28 2005-01-19 2005-10-28 \
                               2005-11-02 2007-10-11 2007-12-19 2008-09-29 2008-10-28 \
                               2009-10-28 2009-11-26";

#[test]
fn every_weekday_of_2000_to_2009_agrees_with_the_exchange_calendar() {
    let closed: BTreeSet<Date> = XIST_CLOSED_WEEKDAYS
        .iter()
        .flat_map(|(year, days)| days.split(' ').map(move |day| format!("{year}-{day}")))
        .map(|day| day.parse().unwrap())
        .collect();
    let half: BTreeSet<Date> =
        XIST_HALF_DAYS.split_whitespace().map(|day| day.parse().unwrap()).collect();
    let mut differences = Vec::new();
    for day in date(2000, 1, 1).series(1.day()).take_while(|day| day.year() < 2010) {
        let expected = match () {
            () if is_weekend(day) || closed.contains(&day) => None,
            () if half.contains(&day) => Some(SessionKind::Half),
            () => Some(SessionKind::Full),
        };
        if session_of(day) != expected {
            differences.push((day, session_of(day)));
        }
    }
    // The exchange announced that no share would be traded on the eve of 2000, and the package has
    // the feast of 2006 begin on its eve.
    assert_eq!(
        differences,
        [(date(2000, 12, 26), None), (date(2006, 1, 9), Some(SessionKind::Half))]
    );
    assert_eq!((closed.len(), half.len()), (100, 17));
}

/// The value of all shares traded in a year and its average a day, thousand lira at the prices of
/// 1994 and of 2003, by the Capital Markets Board of Turkey, monthly bulletin of July 2007, table
/// IV.1.3.
const TRADED_IN_YEAR: [(i16, f64, f64); 6] = [
    (2000, 4_773_388.9, 19_404.0),
    (2001, 2_469_258.0, 9_956.7),
    (2002, 1_832_284.2, 7_271.0),
    (2003, 2_023_392.3, 8_225.2),
    (2004, 2_598_671.9, 10_394.7),
    (2005, 222_505_040.4, 876_004.1),
];

#[test]
fn the_early_years_have_the_sessions_that_the_board_divides_by() {
    let mut differences = Vec::new();
    for (year, total, average) in TRADED_IN_YEAR {
        let counted = total / average;
        assert!((counted - counted.round()).abs() < 0.01, "{year}: {counted} days");
        let days = Calendar::bist().sessions(date(year, 1, 1), date(year, 12, 31)).count() as f64;
        println!("{year}: the board counts {counted:.0} sessions, we {days}");
        differences.push(days - counted.round());
    }
    // What is still open: leave of 2000 and 2001 that no list names, and a day of 2004.
    assert_eq!(differences, [5.0, 3.0, 0.0, 0.0, -1.0, 0.0]);
}

/// Days of 2003 or later that the price files have without volume, or not at all, although the
/// lists call them sessions: two for the reason in `calendar/holidays.rs`, the eve of a feast that
/// every list calls a half day, and a Friday that one vendor lost for all shares alike.
const WITHOUT_VOLUME_BUT_OPEN: [Date; 4] =
    [date(2005, 1, 24), date(2006, 10, 9), date(2012, 10, 24), date(2026, 7, 31)];

/// Days on which most have volume although it was closed: the whole of 30 April 2009 under the date
/// of the holiday after it, the first day of a feast with the volume of its eve, and the session
/// whose trades were cancelled.
const WITH_VOLUME_BUT_CLOSED: [Date; 3] = [date(2009, 5, 1), date(2010, 9, 9), date(2023, 2, 8)];

/// Until here the one vendor with prices lacks the volume of whole weeks.
const VOLUME_IS_COMPLETE_FROM: Date = date(2003, 1, 1);

#[test]
fn every_day_on_which_the_price_files_agree_is_as_they_say_or_explained() {
    let Some(path) = shared::path("calendar_observed.csv") else { return };
    let (mut agreed, mut without_volume) = (0, 0);
    let (mut open_without_volume, mut closed_with_volume) = (Vec::new(), Vec::new());
    for fields in shared::rows(&path) {
        let day: Date = fields[0].parse().unwrap();
        match (fields[2].as_str(), session_of(day)) {
            ("ambiguous", _) => {}
            ("open", Some(_)) | ("closed", None) => agreed += 1,
            ("open", None) => closed_with_volume.push(day),
            ("closed", Some(_)) if day < VOLUME_IS_COMPLETE_FROM => without_volume += 1,
            ("closed", Some(_)) => open_without_volume.push(day),
            (class, _) => panic!("{day} is classed as {class}"),
        }
    }
    println!("{agreed} days agree, {without_volume} sessions to 2002 have no volume in any file");
    assert_eq!(closed_with_volume, WITH_VOLUME_BUT_CLOSED);
    assert_eq!(open_without_volume, WITHOUT_VOLUME_BUT_OPEN);
    assert!(agreed > 6_500);
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The session of a covered day, if there is one.
fn session_of(day: Date) -> Option<SessionKind> {
    match Calendar::bist().day(day) {
        DayKind::Session { session } => Some(session),
        DayKind::Closed { .. } => None,
        DayKind::Unknown => panic!("{day} is not covered"),
    }
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
