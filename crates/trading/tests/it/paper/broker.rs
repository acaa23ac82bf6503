//! One order against one bar.

use super::*;
use bist_trading::{Fill, NoFill, execute, volume_allowed};

const DAY: Date = date(2026, 6, 2);

/// Executes an order of a portfolio that has money and 1,000 shares.
fn trade(intent: OrderIntent, bar: &SessionBar) -> Result<Fill, NoFill> {
    let mut portfolio = portfolio("1000000.00");
    give(&mut portfolio, 1_000);
    let order = place(&portfolio, intent, DAY);
    execute(&order, DAY, bar, &portfolio, volume_allowed(bar))
}

#[track_caller]
fn check(intent: OrderIntent, bar: &SessionBar, expected: Result<&str, NoFill>) {
    let actual = trade(intent, bar).map(|fill| fill.price);
    assert_eq!(actual, expected.map(price));
}

#[test]
fn an_order_at_the_market_pays_the_open_and_the_slippage_to_the_next_step() {
    let usual = bar("100.00", "102.00", "98.00", "101.00");
    // 100.05 and the step of 0.10 above; 99.95 is a step itself.
    check(market(Side::Buy, 10), &usual, Ok("100.10"));
    check(market(Side::Sell, 10), &usual, Ok("99.95"));
    // Nobody traded above 100.00 or below it.
    let flat = bar("100.00", "100.00", "100.00", "100.00");
    check(market(Side::Buy, 10), &flat, Ok("100.00"));
    check(market(Side::Sell, 10), &flat, Ok("100.00"));
}

#[test]
fn a_limit_is_filled_when_the_market_went_through_it_and_not_at_it() {
    let buy = limit(Side::Buy, 10, "99.00");
    check(buy, &bar("100.00", "102.00", "98.95", "101.00"), Ok("99.00"));
    check(buy, &bar("100.00", "102.00", "99.00", "101.00"), Err(NoFill::NotReached));
    check(buy, &bar("98.00", "99.00", "97.00", "98.00"), Ok("98.05"));
    check(buy, &bar("99.00", "102.00", "98.00", "101.00"), Ok("99.00"));
    let sale = limit(Side::Sell, 10, "101.00");
    check(sale, &bar("100.00", "101.10", "98.00", "99.00"), Ok("101.00"));
    check(sale, &bar("100.00", "101.00", "98.00", "99.00"), Err(NoFill::NotReached));
    check(sale, &bar("103.00", "104.00", "98.00", "99.00"), Ok("102.90"));
}

#[test]
fn without_an_open_the_worst_price_of_the_session_is_taken() {
    let unopened = SessionBar { open: None, ..bar("100.00", "102.00", "98.00", "101.00") };
    check(market(Side::Buy, 10), &unopened, Ok("102.00"));
    check(market(Side::Sell, 10), &unopened, Ok("98.00"));
    check(limit(Side::Buy, 10, "99.00"), &unopened, Ok("99.00"));
    check(limit(Side::Buy, 10, "105.00"), &unopened, Ok("102.00"));
    check(limit(Side::Buy, 10, "98.00"), &unopened, Err(NoFill::NotReached));
}

#[test]
fn whoever_wants_the_way_of_a_locked_session_waits() {
    let up = bar("110.00", "110.00", "110.00", "110.00");
    check(market(Side::Buy, 10), &up, Err(NoFill::Locked));
    check(limit(Side::Buy, 10, "110.00"), &up, Err(NoFill::Locked));
    check(market(Side::Sell, 10), &up, Ok("110.00"));
    let down = bar("90.00", "90.00", "90.00", "90.00");
    check(market(Side::Sell, 10), &down, Err(NoFill::Locked));
    check(market(Side::Buy, 10), &down, Ok("90.00"));
    // Opened at the limit, and traded below it later.
    let opened = bar("110.00", "110.00", "109.00", "110.00");
    check(market(Side::Buy, 10), &opened, Ok("110.00"));
    let unknown = SessionBar { limits: None, ..up };
    check(market(Side::Buy, 10), &unknown, Ok("110.00"));
    let rounded = bar("109.9999", "109.9999", "109.9999", "109.9999");
    check(market(Side::Buy, 10), &rounded, Err(NoFill::Locked));
}

#[test]
fn a_tenth_of_the_volume_is_traded_and_the_rest_waits() {
    let with = |volume| SessionBar { volume, ..bar("100.00", "102.00", "98.00", "101.00") };
    let fill = trade(market(Side::Buy, 200), &with(Some(Shares(1_995)))).unwrap();
    assert_eq!((fill.shares, fill.limited_by), (Shares(199), Some(NoFill::ShareOfVolume)));
    let fill = trade(market(Side::Buy, 200), &with(Some(Shares(2_000)))).unwrap();
    assert_eq!((fill.shares, fill.limited_by), (Shares(200), None));
    let buy = market(Side::Buy, 10);
    check(buy, &with(Some(Shares(9))), Err(NoFill::ShareOfVolume));
    check(buy, &with(Some(Shares(0))), Err(NoFill::NoVolume));
    check(buy, &with(None), Err(NoFill::NoVolume));
    assert_eq!(volume_allowed(&with(Some(Shares(u64::MAX)))), Shares(u64::MAX / 10));
}

#[test]
fn a_purchase_takes_what_the_cash_pays_and_a_sale_what_is_held() {
    let usual = bar("100.00", "102.00", "98.00", "101.00");
    let mut poor = portfolio("100000.00");
    give(&mut poor, 5);
    let buy = place(&poor, market(Side::Buy, 10), DAY);
    let sale = Order { bound: None, intent: market(Side::Sell, 10), ..buy };
    let execute =
        |order, portfolio: &Portfolio| execute(order, DAY, &usual, portfolio, Shares(1_000));
    // 9 shares are 900.90, with 0.36 + 0.02 + 0.03 they cost 901.31.
    for (cash, expected) in [
        ("1001.45", Ok((Shares(10), None))),
        ("1001.44", Ok((Shares(9), Some(NoFill::CashShort)))),
        ("901.31", Ok((Shares(9), Some(NoFill::CashShort)))),
        ("901.30", Ok((Shares(8), Some(NoFill::CashShort)))),
        ("100.00", Err(NoFill::CashShort)),
    ] {
        poor.cash = lira(cash);
        let actual = execute(&buy, &poor).map(|fill| (fill.shares, fill.limited_by));
        assert_eq!(actual, expected, "{cash}");
    }
    let fill = execute(&sale, &poor).unwrap();
    assert_eq!((fill.shares, fill.limited_by), (Shares(5), Some(NoFill::SharesShort)));
    poor.positions.clear();
    assert_eq!(execute(&sale, &poor), Err(NoFill::SharesShort));
}

#[test]
fn trades_settle_on_the_published_days_and_half_days_do_not_count() {
    let usual = bar("100.00", "102.00", "98.00", "101.00");
    let portfolio = portfolio("100000.00");
    let order = place(&portfolio, market(Side::Buy, 1), DAY);
    for (day, settles_on) in [
        (date(2024, 10, 24), date(2024, 10, 30)),
        (date(2024, 10, 25), date(2024, 10, 31)),
        (date(2024, 10, 28), date(2024, 10, 31)),
        (date(2025, 10, 24), date(2025, 10, 30)),
        (date(2025, 10, 27), date(2025, 10, 31)),
        (date(2025, 10, 28), date(2025, 10, 31)),
        (date(2025, 12, 30), date(2026, 1, 2)),
        (date(2025, 12, 31), date(2026, 1, 5)),
        (date(2026, 3, 17), date(2026, 3, 23)),
        (date(2026, 3, 18), date(2026, 3, 24)),
        (date(2026, 3, 19), date(2026, 3, 24)),
        // Beyond the calendar: two weekdays.
        (date(2199, 1, 3), date(2199, 1, 7)),
    ] {
        let fill = execute(&order, day, &usual, &portfolio, Shares(1)).unwrap();
        assert_eq!(fill.settles_on, settles_on, "{day}");
    }
}
