//! What came of a signal, by bars made by hand.

use bist_market::bar::{istanbul, midnight_of};
use bist_market::{
    BarSeries, Calendar, ExchangeRules, Interval, Price, RawBar, Received, Source, Symbol,
    ValidatedBars, ValidationPolicy, validate,
};
use bist_models::Horizon;
use bist_trading::{
    Action, Entry, NeverKnown, Outcome, Reason, ReturnInterval, ScoreInput, Signal, SignalScore,
    TopContributions, Touch, Waiting, score,
};
use jiff::Timestamp;
use jiff::civil::{Date, Time, date, time};

/// The day of the last bar that the signals know, a Monday.
const AS_OF: Date = date(2026, 11, 9);

/// Open, high, low and close in lira, and the adjusted close as a share of the close.
type Row = (Date, [f64; 4], f64);

/// A session before the signal, that of it, and five after it.
fn rows() -> Vec<Row> {
    vec![
        (date(2026, 11, 6), [99.0, 100.5, 98.0, 99.5], 1.0),
        (AS_OF, [100.0, 101.0, 99.0, 100.0], 1.0),
        (date(2026, 11, 10), [101.0, 103.0, 100.0, 102.0], 1.0),
        (date(2026, 11, 11), [102.0, 104.0, 101.0, 103.0], 1.0),
        (date(2026, 11, 12), [103.0, 103.5, 98.5, 99.0], 1.0),
        (date(2026, 11, 13), [99.0, 102.0, 98.5, 101.0], 1.0),
        (date(2026, 11, 16), [101.0, 105.0, 100.5, 104.0], 1.0),
    ]
}

#[expect(clippy::cast_possible_truncation, reason = "prices of a test are small")]
fn units(lira: f64) -> i64 {
    (lira * 10_000.0).round() as i64
}

fn series(rows: &[Row]) -> ValidatedBars {
    let bar = |&(day, [open, high, low, close], adjusted): &Row| RawBar {
        opened_at: midnight_of(day),
        open_units: Some(units(open)),
        high_units: units(high),
        low_units: units(low),
        close_units: units(close),
        adjusted_close: Some(close * adjusted),
        volume_shares: Some(1_000),
    };
    validated(Interval::Daily, rows.iter().map(bar).collect())
}

fn validated(interval: Interval, bars: Vec<RawBar>) -> ValidatedBars {
    let series = BarSeries { symbol: Symbol::parse("THYAO").unwrap(), interval, bars };
    let received = Received::bars(series, Source::CSV);
    validate(&received, Calendar::bist(), ExchangeRules::bist(), ValidationPolicy::default())
}

/// A signal for five sessions that rests on a close of 100 and costs 0.2 %.
fn signal(action: Action, target: f64, stop: f64) -> Signal {
    let price =
        |lira: f64| (action != Action::Hold).then(|| Price::from_units(units(lira)).unwrap());
    Signal {
        symbol: Symbol::parse("THYAO").unwrap(),
        as_of: AS_OF,
        as_of_time: None,
        last_close: Price::from_units(units(100.0)).unwrap(),
        horizon: Horizon::from_sessions(5).unwrap(),
        next_session: Some(date(2026, 11, 10)),
        valid_until: Some(date(2026, 11, 16)),
        valid_until_time: None,
        action,
        reason: Reason::NextSessionUnknown { as_of: AS_OF },
        expected_return_share: 0.02,
        expected_return_interval_80: ReturnInterval { low: 0.01, high: 0.03 },
        cost_share: 0.002,
        expected_return_after_costs_share: 0.018,
        probability_up: 0.6,
        interval_50: ReturnInterval { low: 0.0, high: 0.03 },
        interval_80: ReturnInterval { low: -0.03, high: 0.06 },
        target: price(target),
        stop: price(stop),
        risk_reward: None,
        contributions: TopContributions {
            base_share: 0.0,
            items: Vec::new(),
            other_share: 0.02,
            total_share: 0.02,
        },
    }
}

fn buy() -> Signal {
    signal(Action::Buy, 103.0, 97.0)
}

fn at(day: Date, time: Time) -> Timestamp {
    istanbul().to_timestamp(day.to_datetime(time)).unwrap()
}

fn input<'a>(signal: &'a Signal, series: &'a ValidatedBars) -> ScoreInput<'a> {
    ScoreInput {
        signal,
        made_at: at(AS_OF, time(19, 0, 0, 0)),
        series: Some(series),
        market_day: Some(date(2026, 11, 16)),
        complete_until: Some(date(2026, 11, 16)),
        calendar: Calendar::bist(),
        rules: ExchangeRules::bist(),
    }
}

#[track_caller]
fn scored(signal: &Signal, rows: &[Row]) -> SignalScore {
    let series = series(rows);
    expect_scored(score(&input(signal, &series)))
}

#[track_caller]
fn expect_scored(outcome: Outcome) -> SignalScore {
    match outcome {
        Outcome::Scored(score) => *score,
        other @ (Outcome::Waiting(_) | Outcome::NeverKnown(_)) => panic!("{other:?}"),
    }
}

#[track_caller]
fn check(actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-12, "{actual} is not {expected}");
}

#[test]
fn a_purchase_is_scored_by_close_open_high_and_low() {
    let score = scored(&buy(), &rows());
    check(score.return_share, 0.04);
    check(score.adjustment, 1.0);
    assert_eq!((score.rose, score.hit), (Some(true), Some(true)));
    check(score.brier.unwrap(), 0.16);
    assert_eq!((score.held_50, score.held_80), (false, true));
    assert_eq!(score.entry, Some(Entry::Open));
    // Bought at 101 in the morning after, sold at 104.
    check(score.gain_after_costs_share.unwrap(), 104.0 / 101.0 - 1.0 - 0.002);
    assert_eq!(score.touch, Some(Touch::Target { day: date(2026, 11, 10) }));
    assert_eq!(score.ended_on, date(2026, 11, 16));
    assert_eq!((score.missing_bars_count, score.made_in_time), (0, true));
    assert_eq!(score.bars_hash.len(), 64);
}

#[test]
fn a_sale_is_scored_by_what_was_avoided_and_what_holds_is_not_traded() {
    let score = scored(&signal(Action::Sell, 99.0, 103.5), &rows());
    check(score.gain_after_costs_share.unwrap(), 1.0 - 104.0 / 101.0 - 0.002);
    assert_eq!(score.touch, Some(Touch::Stop { day: date(2026, 11, 11) }));
    let held = scored(&signal(Action::Hold, 0.0, 0.0), &rows());
    assert_eq!((held.entry, held.gain_after_costs_share, held.touch), (None, None, None));
    check(held.return_share, 0.04);
}

#[test]
fn both_in_one_bar_is_said_and_neither_is_said() {
    let touch = |target, stop| scored(&signal(Action::Buy, target, stop), &rows()).touch;
    assert_eq!(touch(103.0, 100.0), Some(Touch::Both { day: date(2026, 11, 10) }));
    assert_eq!(touch(105.5, 98.0), Some(Touch::Neither));
    assert_eq!(touch(105.0, 98.5), Some(Touch::Stop { day: date(2026, 11, 12) }));
}

#[test]
fn a_dividend_between_moves_return_target_and_stop() {
    // 2 % of the close of the 11th are paid out: from the 12th on the share trades lower.
    let mut paid = rows();
    for row in paid.iter_mut().take(4) {
        row.2 = 0.98;
    }
    let score = scored(&signal(Action::Buy, 105.5, 98.0), &paid);
    // The scale of a run is rounded to nine digits, see `Scale`.
    assert!((score.adjustment - 1.0 / 0.98).abs() < 1e-8, "{}", score.adjustment);
    assert!((score.return_share - (1.04 / 0.98 - 1.0)).abs() < 1e-8, "{}", score.return_share);
    // A high of 105 after the payment is one of 107.1 before it.
    assert_eq!(score.touch, Some(Touch::Target { day: date(2026, 11, 12) }));
    assert_eq!(score.first_close.to_string(), "100.00");
    assert_eq!(score.last_close.to_string(), "104.00");
}

#[test]
fn a_source_that_writes_its_past_anew_after_a_split_moves_target_and_stop_with_it() {
    let mut split = rows();
    for row in &mut split {
        row.1 = row.1.map(|price| price / 2.0);
    }
    let (before, after) = (scored(&buy(), &rows()), scored(&buy(), &split));
    check(after.return_share, before.return_share);
    assert_eq!(after.touch, before.touch);
    assert_eq!(after.first_close.to_string(), "50.00");
    assert_ne!(after.bars_hash, before.bars_hash);
}

#[test]
fn a_price_that_did_not_move_is_neither_hit_nor_miss() {
    let mut still = rows();
    still[6].1 = [101.0, 105.0, 99.5, 100.0];
    let score = scored(&buy(), &still);
    assert_eq!((score.rose, score.hit, score.brier), (None, None, None));
    assert!(score.held_50);
    let undecided = Signal { probability_up: 0.5, ..buy() };
    let score = scored(&undecided, &rows());
    assert_eq!((score.rose, score.hit), (Some(true), None));
    check(score.brier.unwrap(), 0.25);
}

#[test]
fn a_share_locked_at_its_upper_limit_cannot_be_bought_and_its_return_counts() {
    let mut locked = rows();
    locked[2].1 = [110.0; 4];
    locked.iter_mut().skip(3).for_each(|row| row.1 = row.1.map(|price| price + 10.0));
    let bought = scored(&buy(), &locked);
    assert_eq!((bought.entry, bought.gain_after_costs_share), (Some(Entry::Locked), None));
    check(bought.return_share, 0.14);
    let sold = scored(&signal(Action::Sell, 99.0, 115.0), &locked);
    assert_eq!(sold.entry, Some(Entry::Open), "somebody wants to buy");
    let mut absent = rows();
    absent.remove(2);
    let score = scored(&buy(), &absent);
    assert_eq!((score.entry, score.missing_bars_count), (Some(Entry::NoBar), 1));
}

#[test]
fn nothing_is_scored_before_its_last_session_is_complete() {
    let (signal, series) = (buy(), series(&rows()));
    let early = ScoreInput { complete_until: Some(date(2026, 11, 13)), ..input(&signal, &series) };
    let ends_on = Some(date(2026, 11, 16));
    assert_eq!(score(&early), Outcome::Waiting(Waiting::HorizonOpen { ends_on }));
    let beyond = Signal { as_of: date(2035, 1, 2), ..buy() };
    let beyond = score(&input(&beyond, &series));
    assert_eq!(beyond, Outcome::Waiting(Waiting::HorizonOpen { ends_on: None }));
}

/// What is said of `rows` while bars may still come, and once it is too late.
#[track_caller]
fn check_unknown(signal: &Signal, rows: Option<&[Row]>, missing: NeverKnown) {
    let series = rows.map(series);
    let of = |market_day: Date| {
        let bars = self::series(&self::rows());
        let complete_until = Some(market_day);
        let market_day = Some(market_day);
        score(&ScoreInput {
            series: series.as_ref(),
            market_day,
            complete_until,
            ..input(signal, &bars)
        })
    };
    // The 23rd is the fifth session after the 16th.
    assert_eq!(of(date(2026, 11, 23)), Outcome::Waiting(Waiting::BarsMissing { missing }));
    assert_eq!(of(date(2026, 11, 24)), Outcome::NeverKnown(missing));
}

#[test]
fn what_will_never_be_known_is_said_with_its_reason_once_bars_cannot_come_any_more() {
    check_unknown(&buy(), None, NeverKnown::NoBars);
    let rows = rows();
    let last_day = date(2026, 11, 12);
    check_unknown(&buy(), Some(&rows[..5]), NeverKnown::NoBarSince { last_day });
    check_unknown(&buy(), Some(&rows[2..]), NeverKnown::FirstBarGone);
    let mut halted = rows.clone();
    halted[6].0 = date(2026, 11, 18);
    check_unknown(&buy(), Some(&halted), NeverKnown::NotTradedAtTheEnd);
    // A price of half, without a split that explains it: the first such bar is not accepted, the
    // second lies behind the break.
    let mut broken = rows;
    broken.iter_mut().skip(4).for_each(|row| row.1 = row.1.map(|price| price / 2.0));
    check_unknown(&buy(), Some(&broken), NeverKnown::Break { day: date(2026, 11, 13) });
}

#[test]
fn a_signal_made_when_the_next_session_had_begun_is_late() {
    let (signal, series) = (buy(), series(&rows()));
    let made = |made_at| {
        expect_scored(score(&ScoreInput { made_at, ..input(&signal, &series) })).made_in_time
    };
    let next = date(2026, 11, 10);
    assert!(made(at(next, time(9, 0, 0, 0))));
    assert!(!made(at(next, time(10, 30, 0, 0))));
}

#[test]
fn within_a_session_the_horizon_ends_with_the_hour_or_the_day() {
    let hour = |hour: i8, close: f64| RawBar {
        opened_at: at(AS_OF, time(hour, 0, 0, 0)),
        open_units: Some(units(close - 0.5)),
        high_units: units(close + 0.5),
        low_units: units(close - 1.0),
        close_units: units(close),
        adjusted_close: None,
        volume_shares: Some(1_000),
    };
    let closes = [100.0, 100.5, 101.0, 102.0, 102.5, 103.0, 102.0, 101.5, 104.0];
    let bars = (10..).zip(closes).map(|(at, close)| hour(at, close)).collect();
    let series = validated(Interval::HOURLY, bars);
    let of = |horizon, ends| {
        let signal = Signal {
            as_of_time: Some(time(11, 0, 0, 0)),
            valid_until: Some(AS_OF),
            valid_until_time: Some(ends),
            horizon,
            ..signal(Action::Buy, 103.0, 97.0)
        };
        let made_at = at(AS_OF, time(11, 5, 0, 0));
        expect_scored(score(&ScoreInput { made_at, ..input(&signal, &series) }))
    };
    let next = of(Horizon::NextHour, time(12, 0, 0, 0));
    check(next.return_share, 0.005);
    check(next.gain_after_costs_share.unwrap(), 100.5 / 100.0 - 1.0 - 0.002);
    assert_eq!((next.touch, next.made_in_time), (Some(Touch::Neither), true));
    let end = of(Horizon::EndOfDay, time(18, 10, 0, 0));
    check(end.return_share, 0.04);
    assert_eq!((end.ended_on, end.missing_bars_count), (AS_OF, 0));
    assert_eq!(end.touch, Some(Touch::Target { day: AS_OF }));
}
