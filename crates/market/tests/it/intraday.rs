//! The checks of bars within a day, on cases made up.
//!
//! Real hours are compared with their answer key in the tests of `bist-feeds`.

use bist_market::bar::istanbul;
use bist_market::validate::intraday::check;
use bist_market::validate::{MoveOutcome, OffHours, Remark};
use bist_market::{
    Calendar, CorporateAction, CorporateActionKind, ExchangeRules, FindingKind, RawBar, Symbol,
    ValidationPolicy,
};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, date};

/// A Monday; the 28th of October 2024 is a half day, and the 29th a holiday.
const MONDAY: Date = date(2024, 10, 7);

fn symbol() -> Symbol {
    Symbol::parse("THYAO").unwrap()
}

fn at(time: DateTime) -> Timestamp {
    istanbul().to_timestamp(time).unwrap()
}

/// A sound bar around a price; neighbours differ, so that nothing is flat or stale.
fn bar(day: Date, (hour, minute): (i8, i8), close_units: i64) -> RawBar {
    RawBar {
        opened_at: at(day.at(hour, minute, 0, 0)),
        open_units: Some(close_units),
        high_units: close_units + 2_000,
        low_units: close_units - 2_000,
        close_units,
        adjusted_close: None,
        volume_shares: Some(1_000),
    }
}

/// The hourly bars of a day at 100 TRY and a little.
fn hours(day: Date, hours: impl IntoIterator<Item = i8>) -> Vec<RawBar> {
    let close = |hour: i8| 1_000_000 + 1_000 * i64::from(hour % 5);
    hours.into_iter().map(|hour| bar(day, (hour, 0), close(hour))).collect()
}

fn sessions(from: Date, count: u32) -> Vec<Date> {
    let last = Calendar::bist().session_after(from, count - 1).unwrap();
    Calendar::bist().sessions(from, last).map(|(day, _)| day).collect()
}

/// Whole days of hourly bars as Turkish vendors label them, from 10:00 to the closing auction.
fn quiet(days: u32) -> Vec<RawBar> {
    sessions(MONDAY, days).into_iter().flat_map(|day| hours(day, 10..=18)).collect()
}

fn found(minutes: u16, bars: &[RawBar], actions: &[CorporateAction]) -> Vec<Remark> {
    let (calendar, rules) = (Calendar::bist(), ExchangeRules::bist());
    check(symbol(), minutes, bars, actions, calendar, rules, ValidationPolicy::default())
}

#[track_caller]
fn expect(bars: &[RawBar], expected: &[(Option<DateTime>, Date, FindingKind)]) {
    let expected: Vec<Remark> = expected
        .iter()
        .map(|(opened_at, day, kind)| Remark {
            opened_at: opened_at.map(at),
            day: Some(*day),
            kind: kind.clone(),
        })
        .collect();
    assert_eq!(found(60, bars, &[]), expected);
}

#[test]
fn whole_days_at_the_usual_hours_are_sound() {
    expect(&quiet(6), &[]);
    // Yahoo begins its hours at half past nine, before the opening auction.
    let yahoo = |day| (9..=17).map(move |hour| bar(day, (hour, 30), 1_000_000 + i64::from(hour)));
    expect(&sessions(MONDAY, 6).into_iter().flat_map(yahoo).collect::<Vec<_>>(), &[]);
}

#[test]
fn a_bar_beside_every_phase_of_the_session_is_named() {
    let mut bars = quiet(5);
    let tuesday = date(2024, 10, 8);
    bars.splice(9..9, hours(tuesday, [8]));
    bars.splice(19..19, hours(tuesday, [19]));
    let outside = |phase| FindingKind::OutsideSession { phase };
    let unusual = FindingKind::BarCountUnusual { bars_count: 11, usual_count: 9 };
    expect(
        &bars,
        &[
            (None, tuesday, unusual),
            (Some(tuesday.at(8, 0, 0, 0)), tuesday, outside(OffHours::BeforeSession)),
            (Some(tuesday.at(19, 0, 0, 0)), tuesday, outside(OffHours::AfterSession)),
        ],
    );
}

#[test]
fn the_break_between_two_sessions_is_outside_until_2015_and_not_after() {
    let check = |day: Date, expected: &[FindingKind]| {
        let kinds: Vec<FindingKind> =
            found(30, &[bar(day, (13, 0), 1_000_000)], &[]).into_iter().map(|r| r.kind).collect();
        assert_eq!(kinds, expected, "{day}");
    };
    check(date(2014, 6, 2), &[FindingKind::OutsideSession { phase: OffHours::Break }]);
    check(date(2016, 6, 2), &[]);
    check(date(2024, 6, 3), &[]);
}

#[test]
fn a_half_day_ends_at_noon_and_misses_nothing() {
    let half_day = date(2024, 10, 28);
    let days = sessions(date(2024, 10, 21), 8);
    let bars = |last_hour| {
        let until = |day| if day == half_day { last_hour } else { 18 };
        days.iter().flat_map(|day| hours(*day, 10..=until(*day))).collect::<Vec<_>>()
    };
    let unusual = |bars_count| FindingKind::BarCountUnusual { bars_count, usual_count: 9 };
    expect(&bars(12), &[(None, half_day, unusual(3))]);
    let afternoon = FindingKind::OutsideSession { phase: OffHours::AfterSession };
    expect(
        &bars(13),
        &[(None, half_day, unusual(4)), (Some(half_day.at(13, 0, 0, 0)), half_day, afternoon)],
    );
    let missing = FindingKind::MissingIntradayBars { expected_count: 3, found_count: 2 };
    expect(&bars(11), &[(None, half_day, missing), (None, half_day, unusual(2))]);
}

#[test]
fn missing_bars_are_counted_by_day_but_not_before_the_first_and_after_the_last() {
    let mut bars = quiet(6);
    bars.drain(50..);
    bars.drain(20..23);
    bars.drain(..4);
    let wednesday = date(2024, 10, 9);
    let missing = FindingKind::MissingIntradayBars { expected_count: 9, found_count: 6 };
    let unusual = FindingKind::BarCountUnusual { bars_count: 6, usual_count: 9 };
    expect(&bars, &[(None, wednesday, missing), (None, wednesday, unusual)]);
}

#[test]
fn bars_at_the_times_of_another_zone_are_named_with_the_shift() {
    let days = sessions(MONDAY, 8);
    let (from, to) = (days[2], days[5]);
    for late_hours in [-3_i8, -2, 1, 2, 5] {
        let bars: Vec<RawBar> = days
            .iter()
            .flat_map(|day| {
                let shift = if (from..=to).contains(day) { late_hours } else { 0 };
                hours(*day, (10..=18).map(|hour| hour + shift))
            })
            .collect();
        let shift_minutes = i16::from(late_hours) * 60;
        let kind = FindingKind::TimeZoneShift { shift_minutes, from, to };
        let expected: Vec<_> = bars
            .iter()
            .filter(|bar| (from..=to).contains(&bar.day()))
            .map(|bar| (Some(bar.opened_at), kind.clone()))
            .collect();
        let found: Vec<_> = found(60, &bars, &[])
            .into_iter()
            .map(|remark| (remark.opened_at, remark.kind))
            .collect();
        assert_eq!(found, expected, "late by {late_hours} h");
    }
}

#[test]
fn summer_time_that_was_not_kept_is_a_shift_of_an_hour() {
    // In January 2015 Istanbul was two hours from Greenwich; with three, bars are an hour early.
    let begins = (9 * 60 + 35..12 * 60 + 30).chain(14 * 60 + 15..17 * 60 + 30);
    let early = |day: Date, minute: i16| {
        let hour_and_minute = (minute / 60 - 1, minute % 60);
        let begins = (hour_and_minute.0.try_into().unwrap(), hour_and_minute.1.try_into().unwrap());
        bar(day, begins, 1_000_000 + i64::from(minute))
    };
    let minutes: Vec<i16> = begins.filter(|minute| minute % 5 == 0).collect();
    let bars: Vec<RawBar> = sessions(date(2015, 1, 12), 4)
        .into_iter()
        .flat_map(|day| minutes.iter().map(move |minute| early(day, *minute)))
        .collect();
    let found = found(5, &bars, &[]);
    assert_eq!(found.len(), bars.len());
    for Remark { kind, .. } in found {
        assert!(matches!(kind, FindingKind::TimeZoneShift { shift_minutes: -60, .. }), "{kind}");
    }
}

#[test]
fn a_day_alone_is_no_shift_but_bars_outside() {
    let mut bars = quiet(6);
    let tuesday = date(2024, 10, 8);
    bars.splice(9..18, hours(tuesday, 11..=19));
    let codes: Vec<_> = found(60, &bars, &[]).iter().map(|r| r.kind.code()).collect();
    assert_eq!(codes, ["missing_intraday_bars", "outside_session"]);
}

#[test]
fn a_bar_between_the_regular_times_is_named_unless_a_phase_begins_there() {
    let mut bars = quiet(6);
    let tuesday = date(2024, 10, 8);
    bars.insert(9, bar(tuesday, (9, 55), 1_000_500));
    bars.insert(13, bar(tuesday, (12, 47), 1_000_500));
    let unusual = FindingKind::BarCountUnusual { bars_count: 11, usual_count: 9 };
    let misaligned = FindingKind::MisalignedTime { off_by_s: 47 * 60 };
    expect(
        &bars,
        &[(None, tuesday, unusual), (Some(tuesday.at(12, 47, 0, 0)), tuesday, misaligned)],
    );
}

#[test]
fn a_bar_beyond_the_limit_of_the_day_is_judged_by_the_last_bar_of_the_day_before() {
    let tuesday = date(2024, 10, 8);
    let moves = |bars: &[RawBar]| -> Vec<_> {
        found(60, bars, &[])
            .into_iter()
            .filter(|remark| remark.kind.code() == "move_beyond_limit")
            .map(|remark| (remark.opened_at.unwrap(), remark.kind))
            .collect()
    };
    let check = |actual: Vec<(Timestamp, FindingKind)>, expected: MoveOutcome| {
        let [(opened_at, kind)] = &actual[..] else { panic!("{actual:?}") };
        assert_eq!(*opened_at, at(tuesday.at(12, 0, 0, 0)));
        let FindingKind::MoveBeyondLimit { base_units, base_day, outcome, .. } = kind else {
            panic!("{kind}")
        };
        assert_eq!((*base_units, *base_day, *outcome), (1_003_000, MONDAY, expected));
    };
    let mut bars = quiet(3);
    // From one limit to the other and back within the day is possible.
    bars[10] = bar(tuesday, (11, 0), 1_090_000);
    bars[12] = bar(tuesday, (13, 0), 910_000);
    assert_eq!(moves(&bars), []);
    bars[11] = bar(tuesday, (12, 0), 1_200_000);
    check(moves(&bars), MoveOutcome::CameBack);
    for (index, hour) in (13..=18).enumerate() {
        bars[12 + index] = bar(tuesday, (hour, 0), 1_203_000);
    }
    for (index, hour) in (10..=18).enumerate() {
        bars[18 + index] = bar(date(2024, 10, 9), (hour, 0), 1_201_000);
    }
    check(moves(&bars), MoveOutcome::StayedThere);
}

#[test]
fn a_corporate_action_explains_the_move_of_its_day() {
    let tuesday = date(2024, 10, 8);
    let mut bars = quiet(4);
    for bar in &mut bars[9..] {
        let half = |units: i64| units / 2;
        *bar = RawBar {
            open_units: bar.open_units.map(half),
            high_units: half(bar.high_units),
            low_units: half(bar.low_units),
            close_units: half(bar.close_units),
            ..*bar
        };
    }
    let kind = CorporateActionKind::Split { new_per_old: 2.0 };
    let split = CorporateAction { symbol: symbol(), effective_on: tuesday, kind };
    assert_eq!(found(60, &bars, &[split]), []);
    let codes: Vec<_> = found(60, &bars, &[]).iter().map(|r| r.kind.code()).collect();
    assert_eq!(codes, ["move_beyond_limit"]);
}

#[test]
fn an_empty_first_bar_is_the_way_of_the_source_and_any_other_is_not() {
    let mut bars = quiet(4);
    for index in [0, 9, 18, 27] {
        bars[index].volume_shares = Some(0);
    }
    let opening = |index: usize| (bars[index].opened_at, FindingKind::OpeningBarWithoutVolume);
    let expected = [opening(0), opening(9), opening(18), opening(27)];
    let actual: Vec<_> = found(60, &bars, &[])
        .into_iter()
        .map(|remark| (remark.opened_at.unwrap(), remark.kind))
        .collect();
    assert_eq!(actual, expected);
    let mut bars = quiet(4);
    bars[9].volume_shares = Some(0);
    bars[12].volume_shares = None;
    let tuesday = date(2024, 10, 8);
    expect(
        &bars,
        &[
            (Some(tuesday.at(10, 0, 0, 0)), tuesday, FindingKind::ZeroVolume),
            (Some(tuesday.at(13, 0, 0, 0)), tuesday, FindingKind::MissingVolume),
        ],
    );
}

#[test]
fn one_price_is_usual_in_the_closing_auction_only() {
    let mut bars = quiet(4);
    let flat = |bar: &mut RawBar| {
        bar.open_units = Some(bar.close_units);
        (bar.high_units, bar.low_units) = (bar.close_units, bar.close_units);
    };
    for index in [12, 17] {
        flat(&mut bars[index]);
    }
    let tuesday = date(2024, 10, 8);
    expect(&bars, &[(Some(tuesday.at(13, 0, 0, 0)), tuesday, FindingKind::FlatBar)]);
}

#[test]
fn rows_of_days_without_a_session_are_left_to_the_check_of_days() {
    let holiday = date(2024, 10, 29);
    expect(&hours(holiday, [10, 12, 21]), &[]);
    expect(&[], &[]);
}
