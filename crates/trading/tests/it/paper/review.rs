//! Which orders are let through, and why others are not.

use super::*;
use bist_trading::{Denial, OPEN_ORDERS_MAX, reserve};

const NEXT: Date = date(2026, 6, 2);

#[track_caller]
fn check_in(context: &RiskContext<'_>, intent: OrderIntent, expected: Result<(), &str>) {
    let actual = review(intent, context).map(drop).map_err(|denial| denial.to_string());
    assert_eq!(actual, expected.map_err(str::to_owned));
}

#[track_caller]
fn check(intent: OrderIntent, expected: Result<(), &str>) {
    let mut portfolio = portfolio("100000.00");
    give(&mut portfolio, 100);
    check_in(&context(&portfolio, NEXT), intent, expected);
}

#[test]
fn nothing_is_ordered_while_trading_is_halted_or_the_portfolio_closed() {
    let portfolio = portfolio("100000.00");
    let context = context(&portfolio, NEXT);
    let intent = market(Side::Buy, 1);
    check_in(&context, intent, Ok(()));
    let halted = RiskContext { halted: true, ..context };
    check_in(&halted, intent, Err("trading is halted by an administrator"));
    let closed = RiskContext { closed: true, ..context };
    check_in(&closed, intent, Err("the portfolio is closed"));
}

#[test]
fn an_old_price_is_no_ground_for_an_order() {
    let portfolio = portfolio("100000.00");
    let context = context(&portfolio, NEXT);
    let none = RiskContext { quoted: None, ..context };
    check_in(&none, market(Side::Buy, 1), Err("there are no prices of this share"));
    let quoted = context.quoted.map(|quoted| Quoted { expected_day: NEXT, ..quoted });
    check_in(
        &RiskContext { quoted, ..context },
        market(Side::Buy, 1),
        Err("the last price is of 2026-06-01, and the session of 2026-06-02 has ended"),
    );
}

#[test]
fn a_limit_is_a_valid_step_within_the_price_limits_of_its_session() {
    check(limit(Side::Buy, 1, "110.00"), Ok(()));
    check(limit(Side::Buy, 1, "90.00"), Ok(()));
    check(
        limit(Side::Buy, 1, "100.05"),
        Err("100.05 is not a valid price step; the nearest are 100.00 and 100.10"),
    );
    check(
        limit(Side::Buy, 1, "0.001"),
        Err("0.001 is not a valid price step; the nearest is 0.01"),
    );
    check(
        limit(Side::Sell, 1, "110.10"),
        Err("110.10 is outside the price limits of the session, 90.00 to 110.00"),
    );
    let waiting = Validity::Until { day: date(2026, 6, 12) };
    check(OrderIntent { validity: waiting, ..limit(Side::Sell, 1, "150.00") }, Ok(()));
}

#[test]
fn an_order_waits_thirty_days_at_most_and_one_at_the_market_not_at_all() {
    let until =
        |day| OrderIntent { validity: Validity::Until { day }, ..limit(Side::Buy, 1, "100.00") };
    check(until(NEXT), Ok(()));
    check(until(date(2026, 7, 2)), Ok(()));
    check(
        until(date(2026, 7, 3)),
        Err("an order ends 30 days after its first session, by 2026-07-02"),
    );
    check(until(OPENED_ON), Err("the order ends before its first session, 2026-06-02"));
    check(
        OrderIntent { validity: Validity::Until { day: NEXT }, ..market(Side::Buy, 1) },
        Err("an order at the market is for one session; give it a limit to let it wait"),
    );
}

#[test]
fn an_order_is_for_something_and_for_what_money_can_count() {
    check(market(Side::Buy, 0), Err("an order is for one share at least"));
    check(market(Side::Buy, u64::MAX), Err("the order is too large to be reckoned with"));
}

#[test]
fn the_limit_of_an_order_is_inclusive_and_counts_the_worst_price() {
    let mut portfolio = portfolio("100000.00");
    portfolio.limits.order_notional_max = lira("1100.00");
    let context = context(&portfolio, NEXT);
    check_in(&context, market(Side::Buy, 10), Ok(()));
    check_in(
        &context,
        market(Side::Buy, 11),
        Err("the order is worth up to 1210.00 TRY, above the limit of 1100.00 TRY"),
    );
    check_in(&context, limit(Side::Buy, 11, "100.00"), Ok(()));
}

#[test]
fn open_purchases_bind_cash_and_count_as_a_position() {
    let portfolio = portfolio("100000.00");
    let open = [place(&portfolio, limit(Side::Buy, 500, "100.00"), NEXT)];
    let context = RiskContext { open_orders: &open, ..context(&portfolio, NEXT) };
    // 50,000.00 and charges of 20.00 + 1.00 + 1.50 are bound.
    check_in(&context, limit(Side::Buy, 499, "100.00"), Ok(()));
    check_in(
        &context,
        limit(Side::Buy, 500, "100.00"),
        Err("the order needs up to 50022.50 TRY with charges, and 49977.50 TRY are free"),
    );
    let mut tight = portfolio.clone();
    tight.limits.position_share_max = 0.6;
    let context = RiskContext { portfolio: &tight, ..context };
    check_in(&context, limit(Side::Buy, 100, "100.00"), Ok(()));
    check_in(
        &context,
        limit(Side::Buy, 101, "100.00"),
        Err("the share would be 60.1 % of the portfolio, above the limit of 60.0 %"),
    );
}

#[test]
fn nothing_is_sold_short_nor_offered_twice() {
    check(market(Side::Sell, 100), Ok(()));
    check(market(Side::Sell, 101), Err("101 shares are to be sold, and 100 are free"));
    let mut portfolio = portfolio("100000.00");
    give(&mut portfolio, 100);
    let open = [place(&portfolio, market(Side::Sell, 60), NEXT)];
    let context = RiskContext { open_orders: &open, ..context(&portfolio, NEXT) };
    check_in(&context, market(Side::Sell, 40), Ok(()));
    check_in(&context, market(Side::Sell, 41), Err("41 shares are to be sold, and 40 are free"));
}

#[test]
fn a_portfolio_has_a_hundred_open_orders_and_final_ones_do_not_count() {
    let portfolio = portfolio("100000.00");
    let mut open = vec![place(&portfolio, limit(Side::Buy, 1, "90.00"), NEXT); OPEN_ORDERS_MAX];
    let intent = limit(Side::Buy, 1, "90.00");
    check_in(
        &RiskContext { open_orders: &open, ..context(&portfolio, NEXT) },
        intent,
        Err("a portfolio has 100 open orders at most"),
    );
    open[0].expire(NEXT).unwrap();
    check_in(&RiskContext { open_orders: &open, ..context(&portfolio, NEXT) }, intent, Ok(()));
}

#[test]
fn what_an_order_binds_is_told_before_it_is_placed() {
    let portfolio = portfolio("100000.00");
    let context = context(&portfolio, NEXT);
    let reserve = |intent| {
        let quoted = context.quoted.unwrap();
        reserve(&intent, &quoted, context.rules, NEXT, &portfolio.costs).map(|n| n.to_string())
    };
    // At 110.00: 4.40, 0.22 and 0.33; at 100.00: 4.00, 0.20 and 0.30.
    assert_eq!(reserve(market(Side::Buy, 100)).as_deref(), Some("11004.95"));
    assert_eq!(reserve(limit(Side::Buy, 100, "100.00")).as_deref(), Some("10004.50"));
    assert_eq!(reserve(market(Side::Sell, 100)).as_deref(), Some("0.00"));
    assert_eq!(reserve(market(Side::Buy, u64::MAX)), None);
    let order = place(&portfolio, market(Side::Buy, 100), NEXT);
    assert_eq!(order.reserve(&portfolio.costs).to_string(), "11004.95");
}

#[test]
fn a_denial_has_a_code_and_its_numbers() {
    let denial = Denial::SharesShort { ordered: Shares(2), free: Shares(1) };
    assert_eq!(denial.code(), "shares_short");
    assert_eq!(
        serde_json::to_string(&denial).unwrap(),
        r#"{"denial":"shares_short","ordered":2,"free":1}"#
    );
}
