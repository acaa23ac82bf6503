//! Paper trading through its public face, and what its tests share.

mod broker;
mod ex_days;
mod properties;
mod review;
mod sessions;

use bist_market::{Calendar, ExchangeRules, Notional, Price, Shares, Symbol};
use bist_trading::{
    CostModel, Order, OrderIntent, OrderKind, Portfolio, Quoted, RiskContext, RiskLimits,
    SessionBar, Side, Validity, review,
};
use jiff::Timestamp;
use jiff::civil::{Date, date};

/// A Monday.
const OPENED_ON: Date = date(2026, 6, 1);

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn lira(text: &str) -> Notional {
    Notional::from_units(price(text).units())
}

fn symbol() -> Symbol {
    Symbol::parse("THYAO").unwrap()
}

fn at(day: Date) -> Timestamp {
    bist_market::bar::midnight_of(day)
}

/// A portfolio with this much money, usual costs, and limits that keep out of the way.
fn portfolio(cash: &str) -> Portfolio {
    let limits = RiskLimits::new(lira("1000000000.00"), 1.0).unwrap();
    Portfolio::open("Deneme", lira(cash), CostModel::default(), limits, OPENED_ON).unwrap()
}

fn market(side: Side, quantity: u64) -> OrderIntent {
    OrderIntent {
        symbol: symbol(),
        side,
        quantity: Shares(quantity),
        kind: OrderKind::Market,
        validity: Validity::Day,
    }
}

fn limit(side: Side, quantity: u64, limit: &str) -> OrderIntent {
    OrderIntent { kind: OrderKind::Limit { price: price(limit) }, ..market(side, quantity) }
}

/// What a review of an order for `first_session` knows, after a close of 100.00.
fn context(portfolio: &Portfolio, first_session: Date) -> RiskContext<'_> {
    let value = portfolio.value(|_| Some(price("100.00")));
    RiskContext {
        halted: false,
        closed: false,
        rules: ExchangeRules::bist(),
        calendar: Calendar::bist(),
        first_session,
        quoted: Some(Quoted {
            last_day: OPENED_ON,
            last_close: price("100.00"),
            expected_day: OPENED_ON,
        }),
        portfolio,
        open_orders: &[],
        value: value.value,
        position_value: value.invested,
    }
}

/// An order that the review let through.
fn place(portfolio: &Portfolio, intent: OrderIntent, first_session: Date) -> Order {
    let approved = review(intent, &context(portfolio, first_session)).unwrap();
    Order::place(approved, at(first_session), first_session)
}

/// A bar after a close of 100.00, with the limits 90.00 and 110.00 and 100,000 shares.
fn bar(open: &str, high: &str, low: &str, close: &str) -> SessionBar {
    SessionBar {
        open: Some(price(open)),
        high: price(high),
        low: price(low),
        close: price(close),
        volume: Some(Shares(100_000)),
        limits: ExchangeRules::bist().daily_limits(OPENED_ON, price("100.00")),
        previous_close: Some(price("100.00")),
    }
}

/// Gives a portfolio shares that were bought at 100.00 without charges.
fn give(portfolio: &mut Portfolio, shares: u64) {
    let cost = Notional::of(price("100.00"), Shares(shares)).unwrap();
    let position = bist_trading::Position {
        shares: Shares(shares),
        cost,
        ..bist_trading::Position::default()
    };
    portfolio.positions.insert(symbol(), position);
    portfolio.opening_cash = portfolio.opening_cash.saturating_add(cost);
}
