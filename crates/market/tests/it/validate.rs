//! One rule of the validator a test.

use bist_market::bar::midnight_of;
use bist_market::validate::{MoveOutcome, PriceField};
use bist_market::{
    BarSeries, Calendar, CorporateAction, CorporateActionKind, Decision, ExchangeRules, Finding,
    FindingKind, Interval, Price, RawBar, Received, Refusal, RefusedRow, Remark, Severity, Source,
    ValidatedBars, ValidationPolicy, Verdict, validate_with,
};
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};

use crate::made_up::{bar, bars, checked, checked_with, codes, decision, symbol, units, verdict};

/// The first session of the made-up series.
const START: Date = date(2024, 1, 2);

/// Ten quiet closes.
const QUIET: [f64; 10] = [100.0, 101.0, 102.0, 101.5, 103.0, 102.5, 104.0, 103.5, 105.0, 104.5];

fn quiet() -> Vec<RawBar> {
    bars(START, &QUIET)
}

/// The quiet series with one row changed: what is found, and how many rows are accepted.
#[track_caller]
fn check(change: impl FnOnce(&mut RawBar), expected: &[&str], accepted: usize) {
    let mut rows = quiet();
    change(&mut rows[5]);
    let bars = checked(rows);
    assert_eq!(codes(&bars), expected);
    assert_eq!(bars.bars().len(), accepted);
}

#[test]
fn a_quiet_series_is_accepted_whole_and_without_a_word() {
    let bars = checked(quiet());
    let quality = bars.quality();
    assert_eq!(quality.findings, []);
    assert_eq!((quality.received_count, quality.accepted_count), (10, 10));
    assert!((quality.score_share() - 1.0).abs() < 1e-12);
    assert!(!bars.continues(0) && (1..10).all(|index| bars.continues(index)));
    assert!(!bars.continues(10), "there is no such bar");
    assert_eq!((quality.first_day, quality.last_day), (Some(START), Some(date(2024, 1, 15))));
}

#[test]
fn prices_that_cannot_be_quarantine_their_row() {
    check(|b| b.open_units = Some(0), &["2024-01-09 non_positive_price"], 9);
    check(|b| b.low_units = -5, &["2024-01-09 non_positive_price"], 9);
    check(|b| b.high_units = b.low_units - 1, &["2024-01-09 low_above_high"], 9);
    check(|b| b.open_units = Some(b.high_units + 5_000), &["2024-01-09 open_out_of_range"], 9);
    check(|b| b.close_units = b.low_units - 5_000, &["2024-01-09 close_out_of_range"], 9);
    check(|b| b.volume_shares = Some(-1), &["2024-01-09 negative_volume"], 9);
}

#[test]
fn an_open_outside_by_rounding_is_kept_and_the_high_moved_to_it() {
    let mut rows = quiet();
    let high = rows[5].high_units;
    rows[5].open_units = Some(high + 100);
    rows[6].close_units = rows[6].low_units - 1;
    let bars = checked(rows);
    assert_eq!(codes(&bars), ["2024-01-09 open_rounding", "2024-01-10 close_rounding"]);
    assert_eq!(bars.bars()[5].high.units(), high + 100);
    assert_eq!(bars.bars()[6].low, bars.bars()[6].close);
    assert_eq!(bars.quality().findings[0].kind, FindingKind::OpenRounding { by_units: 100 });
}

#[test]
fn rows_on_days_without_a_session_are_named() {
    let mut rows = quiet();
    rows.push(bar(date(2024, 1, 6), units(102.0), 7));
    assert_eq!(codes(&checked(rows)), ["out_of_order", "2024-01-06 weekend_row"]);

    let around = |day: Date| vec![bar(day, units(100.0), 7)];
    assert_eq!(codes(&checked(around(date(2024, 8, 30)))), ["2024-08-30 holiday_row"]);
    assert_eq!(codes(&checked(around(date(2023, 2, 8)))), ["2023-02-08 cancelled_session_row"]);
    assert_eq!(codes(&checked(around(date(2023, 2, 9)))), ["2023-02-09 holiday_row"]);
}

#[test]
fn after_the_cancelled_session_moves_are_measured_from_the_7th_of_february() {
    let mut rows = bars(date(2023, 2, 6), &[100.0, 92.0, 99.0, 100.0]);
    // 15 and 16 February are the third and fourth; on the 8th the price fell by another tenth.
    rows.push(bar(date(2023, 2, 8), units(83.0), 50));
    let bars = checked(rows);
    assert_eq!(codes(&bars), ["out_of_order", "2023-02-08 cancelled_session_row"]);
    assert!(bars.continues(2), "the return from the 7th to the 15th is real");
}

#[test]
fn the_same_row_twice_is_kept_once() {
    let mut rows = quiet();
    rows.push(rows[3]);
    let bars = checked(rows);
    assert_eq!(codes(&bars), ["out_of_order", "2024-01-05 duplicate_timestamp"]);
    assert_eq!((bars.quality().accepted_count, bars.quality().quarantined_count), (10, 1));
}

#[test]
fn rows_that_contradict_each_other_are_all_kept_out() {
    let mut rows = quiet();
    rows.insert(4, bar(date(2024, 1, 5), units(101.0), 9));
    let bars = checked(rows);
    assert_eq!(
        codes(&bars),
        ["2024-01-05 conflicting_timestamp", "2024-01-05 conflicting_timestamp"]
    );
    assert_eq!((bars.quality().accepted_count, bars.quality().quarantined_count), (9, 2));
}

/// The series with an early close that a second source saw on the 5th of January.
fn checked_beside_another_source(
    interval: Interval,
    bars: Vec<RawBar>,
    decisions: Vec<Decision>,
    remark: Remark,
) -> ValidatedBars {
    let series = BarSeries { symbol: symbol(), interval, bars };
    let received = Received { decisions, ..Received::bars(series, Source::CSV) };
    let (calendar, rules) = (Calendar::bist(), ExchangeRules::bist());
    validate_with(&received, &[remark], calendar, rules, ValidationPolicy::default())
}

fn early_close(opened_at: Option<Timestamp>) -> Remark {
    let kind = FindingKind::EarlyClose {
        close_units: 1_015_000,
        other_source: Source::CSV,
        other_close_return_share: 0.03,
        return_share: 0.0,
    };
    Remark { opened_at, day: Some(date(2024, 1, 5)), kind }
}

#[test]
fn what_another_source_says_keeps_the_row_out_however_often_it_comes() {
    for copies in 1..8 {
        let mut rows = quiet();
        rows.splice(3..3, vec![rows[3]; copies]);
        let opened_at = rows[3].opened_at;
        for at in [Some(opened_at), None] {
            let remark = early_close(at);
            let bars =
                checked_beside_another_source(Interval::Daily, rows.clone(), Vec::new(), remark);
            let kept: Vec<_> = bars.bars().iter().filter(|b| b.opened_at == opened_at).collect();
            assert_eq!(kept, Vec::<&bist_market::Bar>::new(), "{copies} copies");
            assert_eq!(bars.quality().accepted_count, 9);
            let said = codes(&bars).iter().filter(|code| code.ends_with("early_close")).count();
            assert_eq!(said, 1, "{copies} copies");
        }
    }
}

#[test]
fn what_another_source_says_of_a_bar_within_the_day_keeps_it_out_however_often_it_comes() {
    let day = date(2024, 1, 5);
    let hour = |hours: i64| RawBar {
        opened_at: midnight_of(day) + hours.hours(),
        ..bar(day, units(100.0) + 500 * hours, 10 + hours)
    };
    for copies in 1..8 {
        let mut rows: Vec<RawBar> = (10..=18).map(hour).collect();
        rows.splice(3..3, vec![rows[3]; copies]);
        let opened_at = rows[3].opened_at;
        let remark = early_close(Some(opened_at));
        let interval = Interval::Minutes(60);
        let bars = checked_beside_another_source(interval, rows, Vec::new(), remark);
        assert!(bars.bars().iter().all(|bar| bar.opened_at != opened_at), "{copies} copies");
        assert_eq!(bars.quality().accepted_count, 8);
    }
}

#[test]
fn what_another_source_says_is_about_the_one_of_conflicting_rows_that_a_person_chose() {
    for chosen in 0..3 {
        let mut rows = quiet();
        rows.insert(4, bar(date(2024, 1, 5), units(101.0), 9));
        rows.insert(5, bar(date(2024, 1, 5), units(102.0), 9));
        let undecided = checked(rows.clone());
        let finding = undecided.quality().findings[chosen].id;
        let decisions = vec![decision(finding, Verdict::Accept)];
        let daily = Interval::Daily;
        let remark = early_close(None);
        let series = BarSeries { symbol: symbol(), interval: daily, bars: rows.clone() };
        let received =
            Received { decisions: decisions.clone(), ..Received::bars(series, Source::CSV) };
        assert_eq!(verdict(&received).quality().accepted_count, 10, "the chosen row is a bar");
        let bars = checked_beside_another_source(daily, rows, decisions, remark);
        assert_eq!(bars.quality().accepted_count, 9, "row {chosen}");
    }
}

#[test]
fn a_bar_within_the_day_that_comes_twice_is_judged_once() {
    let day = |date: Date, spike: bool| {
        (10..=18).map(move |hours: i64| {
            let lira = if spike && hours == 13 { 150.0 } else { 100.0 };
            RawBar {
                opened_at: midnight_of(date) + hours.hours(),
                ..bar(date, units(lira) + 500 * (hours % 4), 10 + hours)
            }
        })
    };
    let days = [date(2024, 1, 4), date(2024, 1, 5), date(2024, 1, 8), date(2024, 1, 9)];
    let rows = || days.into_iter().flat_map(|date| day(date, date == days[2])).collect::<Vec<_>>();
    let hourly = |bars: Vec<RawBar>| {
        let series = BarSeries { symbol: symbol(), interval: Interval::Minutes(60), bars };
        verdict(&Received::bars(series, Source::CSV))
    };
    let once = hourly(rows());
    assert_eq!(codes(&once), ["2024-01-08 move_beyond_limit"]);
    let mut twice = rows();
    twice.splice(0..0, rows());
    let twice = hourly(twice);
    assert_eq!(twice.bars(), once.bars());
    let mut findings = twice.quality().findings.clone();
    findings.retain(|f| !["duplicate_timestamp", "out_of_order"].contains(&f.kind.code()));
    assert_eq!(findings, once.quality().findings);
}

#[test]
fn the_order_of_input_is_said_and_does_not_matter() {
    let mut rows = quiet();
    rows.reverse();
    let reversed = checked(rows);
    assert_eq!(codes(&reversed), ["newest_first"]);
    assert_eq!(reversed.quality().findings[0].severity(), Severity::Info);
    assert_eq!(reversed.bars(), checked(quiet()).bars());

    let mut rows = quiet();
    rows.swap(2, 3);
    assert_eq!(codes(&checked(rows)), ["out_of_order"]);
}

#[test]
fn adjusted_closes_must_be_positive_and_not_above_the_close() {
    check(|b| b.adjusted_close = Some(-3.0), &["2024-01-09 non_positive_adjusted_close"], 9);
    check(|b| b.adjusted_close = Some(f64::NAN), &["2024-01-09 non_positive_adjusted_close"], 9);
    check(|b| b.adjusted_close = Some(102.6), &["2024-01-09 adjusted_close_above_close"], 9);
    // Closes are rounded to four decimals and adjusted closes are not.
    check(|b| b.adjusted_close = Some(102.500_04), &[], 10);
}

#[test]
fn an_adjusted_close_above_the_close_is_right_before_a_capital_decrease() {
    let mut rows = quiet();
    rows[5].adjusted_close = Some(205.0);
    let decrease = |effective_on| CorporateAction {
        symbol: symbol(),
        effective_on,
        kind: CorporateActionKind::CapitalDecrease { new_per_old: 0.5 },
    };
    assert_eq!(codes(&checked_with(rows.clone(), vec![decrease(date(2024, 6, 3))])), [""; 0]);
    assert_eq!(
        codes(&checked_with(rows, vec![decrease(date(2023, 6, 1))])),
        ["2024-01-09 adjusted_close_above_close"]
    );
}

#[test]
fn a_bar_with_every_number_of_the_session_before_is_made_up() {
    let mut rows = quiet();
    for (index, day) in [(5, rows[5].opened_at), (6, rows[6].opened_at)] {
        rows[index] = RawBar { opened_at: day, ..rows[4] };
    }
    assert_eq!(
        codes(&checked(rows.clone())),
        ["2024-01-09 repeated_bar", "2024-01-10 repeated_bar"]
    );
    // Without trades it may well be the same.
    for row in &mut rows[4..7] {
        row.volume_shares = Some(0);
    }
    assert_eq!(checked(rows).quality().quarantined_count, 0);
}

/// What is found about a series of closes, the accepted days, and where it does not continue.
#[track_caller]
fn check_moves(first: Date, closes: &[f64], expected: &[&str], breaks: &[Date]) {
    let bars = checked(bars(first, closes));
    assert_eq!(codes(&bars), expected);
    let broken: Vec<Date> = (1..bars.bars().len())
        .filter(|index| !bars.continues(*index))
        .map(|index| bars.bars()[index].day)
        .collect();
    assert_eq!(broken, breaks);
}

#[test]
fn a_price_that_jumps_and_comes_back_is_one_bad_row() {
    check_moves(
        START,
        &[100.0, 101.0, 150.0, 102.0, 103.0],
        &["2024-01-04 move_beyond_limit"],
        &[],
    );
    check_moves(START, &[100.0, 101.0, 1.01, 95.0, 86.0], &["2024-01-04 move_beyond_limit"], &[]);
}

#[test]
fn a_price_that_jumps_and_stays_is_a_new_level_and_cuts_the_returns() {
    check_moves(
        START,
        &[100.0, 101.0, 50.0, 51.0, 52.0],
        &["2024-01-04 move_beyond_limit"],
        &[date(2024, 1, 5)],
    );
    // Small enough for two sessions, and still no return across.
    check_moves(
        START,
        &[100.0, 101.0, 85.0, 84.0, 85.0],
        &["2024-01-04 move_beyond_limit"],
        &[date(2024, 1, 5)],
    );
}

#[test]
fn a_new_level_does_not_drag_the_rows_after_it_along() {
    let mut closes = vec![1_000.0; 3];
    closes.extend([92.0, 90.0, 93.0, 95.0, 9.0, 9.1, 9.2]);
    check_moves(
        START,
        &closes,
        // A tenth of the price is a break of scale, and named as one.
        &["2024-01-05 scale_break", "2024-01-11 scale_break"],
        &[date(2024, 1, 8), date(2024, 1, 12)],
    );
}

#[test]
fn the_last_row_beyond_the_limit_is_kept_out() {
    let bars = checked(bars(START, &[100.0, 101.0, 120.0]));
    let kind = &bars.quality().findings[0].kind;
    assert!(
        matches!(
            kind,
            FindingKind::MoveBeyondLimit {
                field: PriceField::Close,
                outcome: MoveOutcome::LastRow,
                base_units: 1_010_000,
                ..
            }
        ),
        "{kind:?}"
    );
}

#[test]
fn moves_of_up_to_20_percent_before_13_mar_2020_are_legal() {
    check_moves(date(2020, 3, 9), &[100.0, 119.0, 96.0, 114.0], &[], &[]);
    check_moves(
        date(2020, 3, 11),
        &[100.0, 119.0, 100.0, 101.0],
        &["2020-03-13 move_beyond_limit"],
        &[date(2020, 3, 16)],
    );
}

#[test]
fn limits_compound_over_missing_sessions() {
    let mut rows = bars(START, &[100.0, 105.0, 119.0, 120.0]);
    rows.remove(1);
    assert_eq!(codes(&checked(rows)), ["2024-01-03 missing_session"]);
    let mut rows = bars(START, &[100.0, 105.0, 123.0, 124.0]);
    rows.remove(1);
    assert_eq!(codes(&checked(rows))[1], "2024-01-04 move_beyond_limit");
}

#[test]
fn a_high_that_cannot_be_costs_its_row_only() {
    let mut rows = quiet();
    rows[5].high_units = units(140.0);
    let bars = checked(rows);
    let Finding { kind: FindingKind::MoveBeyondLimit { field, outcome, .. }, .. } =
        &bars.quality().findings[0]
    else {
        panic!("{:?}", bars.quality().findings);
    };
    assert_eq!((*field, *outcome), (PriceField::High, MoveOutcome::CameBack));
    assert!((1..9).all(|index| bars.continues(index)));
}

fn action(kind: CorporateActionKind) -> Vec<CorporateAction> {
    vec![CorporateAction { symbol: symbol(), effective_on: date(2024, 1, 4), kind }]
}

#[test]
fn a_known_corporate_action_explains_its_move() {
    let explained = ["2024-01-04 move_explained_by_action"];
    let rows = || bars(START, &[100.0, 101.0, 50.0, 51.0]);
    let bonus = CorporateActionKind::BonusIssue { new_per_old: 1.0 };
    let bars = checked_with(rows(), action(bonus));
    assert_eq!(codes(&bars), explained);
    assert!(bars.continues(2) && bars.quality().accepted_count == 4);
    assert_eq!(
        bars.quality().findings[0].to_string(),
        "2024-01-04: a move of -50.50 % that bonus_issue explains (base 50.5000 TRY)"
    );
    for kind in [
        CorporateActionKind::Split { new_per_old: 2.0 },
        CorporateActionKind::CashDividend { per_share: Price::parse("50.00").unwrap() },
        CorporateActionKind::RightsIssue {
            new_per_old: 1.0,
            subscription: Price::parse("1.00").unwrap(),
        },
    ] {
        assert_eq!(codes(&checked_with(rows(), action(kind))), explained, "{kind:?}");
    }
    let other = CorporateActionKind::Split { new_per_old: 10.0 };
    assert_eq!(codes(&checked_with(rows(), action(other))), ["2024-01-04 move_beyond_limit"]);
}

#[test]
fn an_action_that_the_prices_already_contain_disturbs_nothing() {
    let bonus = CorporateActionKind::BonusIssue { new_per_old: 1.0 };
    assert_eq!(codes(&checked_with(quiet(), action(bonus))), [""; 0]);
}

#[test]
fn the_action_of_another_symbol_explains_nothing() {
    let mut actions = action(CorporateActionKind::Split { new_per_old: 2.0 });
    actions[0].symbol = bist_market::Symbol::parse("AKBNK").unwrap();
    let bars = checked_with(bars(START, &[100.0, 101.0, 50.0, 51.0]), actions);
    assert_eq!(codes(&bars), ["2024-01-04 move_beyond_limit"]);
}

/// Closes with these ratios of adjusted close to close.
fn adjusted(closes: &[f64], ratios: &[f64]) -> Vec<RawBar> {
    let mut rows = bars(START, closes);
    for ((row, close), ratio) in rows.iter_mut().zip(closes).zip(ratios) {
        row.adjusted_close = Some(close * ratio);
    }
    rows
}

#[test]
fn the_adjusted_close_explains_a_move_that_it_does_not_make() {
    let explained = checked(adjusted(&[100.0, 101.0, 50.0, 51.0], &[0.5, 0.5, 1.0, 1.0]));
    assert_eq!(codes(&explained), ["2024-01-04 move_explained_by_adjustment"]);
    assert!(explained.continues(2));
    // Also when the next day brings another, and on the newest row, whose ratio is one.
    let twice = checked(adjusted(&[100.0, 101.0, 50.0, 25.0, 26.0], &[0.25, 0.25, 0.5, 1.0, 1.0]));
    assert_eq!(twice.quality().accepted_count, 5);
    let newest = checked(adjusted(&[100.0, 101.0, 50.0], &[0.5, 0.5, 1.0]));
    assert_eq!(codes(&newest), ["2024-01-04 move_explained_by_adjustment"]);
}

#[test]
fn a_wrong_close_beside_a_right_adjusted_close_is_not_explained() {
    let spike =
        checked(adjusted(&[100.0, 101.0, 200.0, 102.0, 103.0], &[1.0, 1.0, 0.51, 1.0, 1.0]));
    assert_eq!(codes(&spike), ["2024-01-04 move_beyond_limit"]);
    let newest = checked(adjusted(&[100.0, 101.0, 200.0], &[1.0, 1.0, 0.51]));
    assert_eq!(codes(&newest), ["2024-01-04 move_beyond_limit"]);
    // Nor when two rows are wrong alike.
    let closes = [100.0, 101.0, 1010.0, 1020.0, 102.0, 103.0];
    let two = checked(adjusted(&closes, &[1.0, 1.0, 0.1, 0.1, 1.0, 1.0]));
    assert_eq!(codes(&two)[0], "2024-01-04 scale_break");
    assert!(two.continues(1) && !two.continues(2));
}

#[test]
fn iskur_may_move_by_its_own_limit() {
    let series = BarSeries {
        symbol: bist_market::Symbol::parse("ISKUR").unwrap(),
        interval: Interval::Daily,
        bars: bars(START, &[100.0, 140.0, 90.0]),
    };
    let received = Received::bars(series, Source::CSV);
    assert_eq!(codes(&verdict(&received)), [""; 0]);
}

#[test]
fn missing_sessions_count_against_the_score() {
    let mut rows = quiet();
    rows.drain(3..5);
    let bars = checked(rows);
    assert_eq!(codes(&bars), ["2024-01-05 missing_session", "2024-01-08 missing_session"]);
    assert_eq!(bars.quality().missing_sessions_count, 2);
    assert!((bars.quality().score_share() - 0.8).abs() < 1e-12);
    assert!(bars.continues(3));
}

#[test]
fn more_than_twenty_missing_sessions_are_one_gap_and_cut_the_returns() {
    let closes = [100.0; 40];
    let mut rows = bars(START, &closes);
    rows.drain(5..25);
    assert_eq!(checked(rows).quality().missing_sessions_count, 20);

    let mut rows = bars(START, &closes);
    rows.drain(5..26);
    let bars = checked(rows);
    let gap = bars.quality().findings.iter().find(|f| f.kind.code() == "session_gap").unwrap();
    assert!(matches!(gap.kind, FindingKind::SessionGap { sessions_count: 21, .. }), "{gap:?}");
    assert!(!gap.quarantines() && gap.severity() == Severity::Error);
    assert!(bars.continues(4) && !bars.continues(5));
}

#[test]
fn rows_outside_the_calendar_are_unverifiable() {
    let mut rows = quiet();
    rows.push(bar(date(1999, 12, 30), units(1.0), 5));
    rows.push(bar(date(1999, 12, 31), units(50.0), 5));
    rows.push(bar(date(2027, 1, 4), units(50.0), 5));
    let bars = checked(rows);
    assert_eq!(codes(&bars), ["out_of_order", "outside_calendar", "outside_calendar"]);
    let quality = bars.quality();
    assert_eq!((quality.unverifiable_count, quality.accepted_count), (3, 10));
    assert!((quality.score_share() - 1.0).abs() < 1e-12);
}

#[test]
fn the_history_up_to_the_last_coarse_price_is_unverifiable() {
    let bars = checked(bars(START, &[0.052, 0.049, 0.051, 0.0488, 0.0524, 0.055, 0.056]));
    assert_eq!(codes(&bars), ["coarse_prices"]);
    assert_eq!((bars.quality().unverifiable_count, bars.quality().accepted_count), (4, 3));
}

#[test]
fn coarse_prices_are_asked_for_moves_that_rounding_does_not_explain() {
    // From 0.0010 to 0.0012 is a fifth by its digits, and may be 0.00104 to 0.00115.
    let rounded = checked(bars(START, &[0.0010, 0.0012, 0.0011, 0.052, 0.053]));
    assert_eq!(codes(&rounded), ["coarse_prices", "2024-01-05 move_beyond_limit"]);
    let fallen = checked(bars(START, &[8.35, 0.152, 0.149, 0.0488, 0.0489, 0.052, 0.053]));
    assert_eq!(
        codes(&fallen),
        ["coarse_prices", "2024-01-03 move_beyond_limit", "2024-01-05 move_beyond_limit"]
    );
    // What is found there counts for nothing, as nothing there does.
    assert!(fallen.quality().findings.iter().all(|finding| !finding.counts()));
    assert_eq!((fallen.quality().unverifiable_count, fallen.quality().accepted_count), (5, 2));
}

#[test]
fn a_single_tiny_price_is_a_bad_row_and_not_a_coarse_history() {
    check_moves(START, &[4.0, 4.1, 0.041, 4.2, 4.1], &["2024-01-04 move_beyond_limit"], &[]);
}

#[test]
fn a_series_without_anything_to_verify_scores_zero() {
    let empty = checked(Vec::new());
    assert!(empty.quality().score_share().abs() < 1e-12 && empty.bars().is_empty());
    let coarse = checked(bars(START, &[0.01, 0.011]));
    assert_eq!((coarse.quality().score_share(), coarse.quality().unverifiable_count), (0.0, 2));
}

#[test]
fn volume_and_stillness_are_remarked_on_and_kept() {
    let mut rows = bars(START, &[100.0; 30]);
    rows[3].volume_shares = Some(0);
    rows[4].volume_shares = None;
    rows[25].volume_shares = Some(200_000);
    rows[26].high_units = rows[26].close_units;
    rows[26].low_units = rows[26].close_units;
    let found = checked(rows);
    assert_eq!(
        codes(&found),
        [
            "2024-01-02 stale_close_run",
            "2024-01-05 zero_volume",
            "2024-01-08 missing_volume",
            "2024-02-06 volume_outlier",
            "2024-02-07 flat_bar",
        ]
    );
    assert_eq!(found.quality().accepted_count, 30);
}

fn refused(day: Option<Date>) -> RefusedRow {
    RefusedRow {
        file: "daily/THYAO.csv".to_owned(),
        line: 12,
        symbol: Some(symbol()),
        day,
        text: "?".to_owned(),
        reason: Refusal::MissingField { field: "close".to_owned() },
    }
}

#[test]
fn rows_refused_at_the_door_count_as_quarantined_where_they_can_be_verified() {
    let mut rows = quiet();
    rows.remove(4);
    let refused =
        vec![refused(Some(date(2024, 1, 8))), refused(None), refused(Some(date(1995, 1, 3)))];
    let series = BarSeries { symbol: symbol(), interval: Interval::Daily, bars: rows };
    let bars = verdict(&Received { refused, ..Received::bars(series, Source::CSV) });
    assert_eq!(
        codes(&bars),
        ["outside_calendar", "row_refused", "2024-01-08 row_refused"],
        "the refused row of the 8th is not missing as well"
    );
    let quality = bars.quality();
    assert_eq!((quality.received_count, quality.accepted_count), (12, 9));
    assert_eq!((quality.quarantined_count, quality.unverifiable_count), (2, 1));
    assert_eq!(quality.findings[1].to_string(), "daily/THYAO.csv line 12: close is missing");
}

#[test]
fn intraday_bars_are_checked_for_order_duplicates_consistency_and_day_only() {
    let hour = |day: Date, hours: i64, close: f64| RawBar {
        opened_at: midnight_of(day) + hours.hours(),
        ..bar(day, units(close), 10)
    };
    let day = date(2024, 1, 8);
    let mut bars = vec![
        hour(day, 10, 100.0),
        hour(day, 11, 130.0),
        hour(day, 12, 130.0),
        hour(day, 12, 130.0),
        hour(date(2024, 1, 13), 10, 130.0),
        hour(date(2024, 1, 22), 10, 130.0),
    ];
    bars[5].close_units = 0;
    let series = BarSeries { symbol: symbol(), interval: Interval::Minutes(60), bars };
    let bars = verdict(&Received::bars(series, Source::CSV));
    assert_eq!(
        codes(&bars),
        [
            "2024-01-08 duplicate_timestamp",
            "2024-01-13 weekend_row",
            "2024-01-22 non_positive_price",
        ]
    );
    assert_eq!(bars.quality().accepted_count, 3);
    assert!(bars.continues(1) && bars.continues(2));
}

#[test]
fn a_finding_survives_the_way_to_json_and_back() {
    let mut rows = quiet();
    rows[3].close_units = 0;
    rows[5].high_units = units(300.0);
    rows.push(bar(date(2024, 1, 6), units(102.0), 7));
    let quality = checked(rows).quality().clone();
    let json = serde_json::to_string(&quality).unwrap();
    assert_eq!(serde_json::from_str::<bist_market::DataQuality>(&json).unwrap(), quality);
    let first = serde_json::to_value(&quality.findings[1]).unwrap();
    assert_eq!(first["code"], "non_positive_price");
    for finding in &quality.findings {
        assert_eq!(serde_json::to_value(finding).unwrap()["code"], finding.kind.code());
    }
}
