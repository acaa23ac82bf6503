//! The review of an order before it is accepted: an [`OrderIntent`] becomes [`Approved`] or a
//! [`Denial`] with its numbers.

mod denial;
mod limits;

use bist_market::{Calendar, ExchangeRules, Notional, Price, PriceLimits, Shares};
use jiff::ToSpan;
use jiff::civil::Date;

pub use denial::Denial;
pub use limits::{ORDER_NOTIONAL_MAX, ORDER_NOTIONAL_MIN, RiskLimits, RiskLimitsError};

use crate::broker::Charges;
use crate::costs::CostModel;
use crate::money::{BILLION, billionths};
use crate::order::{Order, OrderIntent, OrderKind, Side, Validity, amount_of};
use crate::portfolio::Portfolio;

/// Open orders of one portfolio.
pub const OPEN_ORDERS_MAX: usize = 100;

/// How many days after its first session an order may wait.
pub const VALIDITY_DAYS_MAX: i64 = 30;

/// What a share last cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// The day of its last bar.
    pub last_day: Date,
    /// The close of it, as traded and not adjusted.
    pub last_close: Price,
    /// The last session that has ended: where `last_day` is before it, the close is old.
    pub expected_day: Date,
}

/// What is known when an order is reviewed.
#[derive(Clone, Copy, Debug)]
pub struct RiskContext<'a> {
    /// Whether an administrator has halted trading.
    pub halted: bool,
    /// Whether the portfolio is closed.
    pub closed: bool,
    /// What the exchange allows.
    pub rules: &'static ExchangeRules,
    /// Which days are sessions.
    pub calendar: &'static Calendar,
    /// The first session that opens after now.
    pub first_session: Date,
    /// What the share of the order last cost; `None` when there are no bars of it.
    pub quoted: Option<Quoted>,
    /// Who orders.
    pub portfolio: &'a Portfolio,
    /// Its open orders; those that are not open do not count.
    pub open_orders: &'a [Order],
    /// What the portfolio is worth at the last closes.
    pub value: Notional,
    /// What it holds of the share of the order is worth.
    pub position_value: Notional,
}

/// Proof that [`review`] let the value through; an [`Order`] is made of nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved<T> {
    value: T,
    bound: Option<Price>,
}

impl<T> Approved<T> {
    /// What was let through.
    pub const fn get(&self) -> &T {
        &self.value
    }

    /// What was let through, without the proof.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The most that a purchase pays for a share; `None` for a sale.
    pub const fn bound(&self) -> Option<Price> {
        self.bound
    }
}

/// Lets an order through, or says why not. The first reason that is found is told.
///
/// # Errors
///
/// [`Denial`] with the numbers that it was decided by.
pub fn review(
    intent: OrderIntent,
    context: &RiskContext<'_>,
) -> Result<Approved<OrderIntent>, Denial> {
    if context.halted {
        return Err(Denial::Halted);
    }
    if context.closed {
        return Err(Denial::Closed);
    }
    let quoted = fresh_quote(context)?;
    if intent.quantity == Shares(0) {
        return Err(Denial::NothingOrdered);
    }
    check_validity(&intent, context)?;
    check_price(&intent, &quoted, context)?;
    if context.open_orders.iter().filter(|order| order.is_open()).count() >= OPEN_ORDERS_MAX {
        return Err(Denial::TooManyOpen { max: OPEN_ORDERS_MAX });
    }
    let price = price_at_most(&intent, &quoted, context.rules, context.first_session)
        .ok_or(Denial::LimitsUnknown)?;
    let notional = Notional::of(price, intent.quantity).ok_or(Denial::TooLarge)?;
    let limit = context.portfolio.limits.order_notional_max;
    if notional > limit {
        return Err(Denial::NotionalAboveLimit { notional, limit });
    }
    let bound = match intent.side {
        Side::Buy => {
            check_purchase(&intent, notional, context)?;
            Some(price)
        }
        Side::Sell => {
            check_sale(&intent, context)?;
            None
        }
    };
    Ok(Approved { value: intent, bound })
}

/// The cash that an order binds at most: its shares at the limit price, or for a market order at the
/// upper price limit of its session, with charges. Zero for a sale.
///
/// `None` when the price limits of the session are not known, or the amount is too large.
pub fn reserve(
    intent: &OrderIntent,
    quoted: &Quoted,
    rules: &ExchangeRules,
    first_session: Date,
    costs: &CostModel,
) -> Option<Notional> {
    if intent.side == Side::Sell {
        return Some(Notional::ZERO);
    }
    let price = price_at_most(intent, quoted, rules, first_session)?;
    let amount = Notional::of(price, intent.quantity)?;
    Some(amount.saturating_add(Charges::of(amount, costs).total()))
}

/// The close that the review counts with, if it is that of the last session.
fn fresh_quote(context: &RiskContext<'_>) -> Result<Quoted, Denial> {
    let quoted = context.quoted.ok_or(Denial::NoBars)?;
    let Quoted { last_day, expected_day, .. } = quoted;
    if last_day < expected_day { Err(Denial::Stale { last_day, expected_day }) } else { Ok(quoted) }
}

/// Whether an order ends neither too early nor too late.
fn check_validity(intent: &OrderIntent, context: &RiskContext<'_>) -> Result<(), Denial> {
    let Validity::Until { day } = intent.validity else { return Ok(()) };
    let first_session = context.first_session;
    if intent.kind == OrderKind::Market {
        return Err(Denial::MarketLasts);
    }
    if day < first_session {
        return Err(Denial::EndsTooEarly { first_session });
    }
    let latest = first_session.saturating_add(VALIDITY_DAYS_MAX.days());
    if day > latest { Err(Denial::EndsTooLate { latest }) } else { Ok(()) }
}

/// Whether a limit is a price that the exchange takes: a valid step, and for an order of one session
/// within its price limits. An order that waits may wait outside.
fn check_price(
    intent: &OrderIntent,
    quoted: &Quoted,
    context: &RiskContext<'_>,
) -> Result<(), Denial> {
    let OrderKind::Limit { price } = intent.kind else { return Ok(()) };
    let (rules, day) = (context.rules, context.first_session);
    let (below, above) = (rules.round_down(day, price), rules.round_up(day, price));
    if below != Some(price) {
        return Err(Denial::OffTick { price, below, above });
    }
    if intent.validity == Validity::Day {
        let limits = limits_of(intent, quoted, rules, day).ok_or(Denial::LimitsUnknown)?;
        let PriceLimits { lower, upper } = limits;
        if price < lower || price > upper {
            return Err(Denial::OutsideLimits { price, lower, upper });
        }
    }
    Ok(())
}

/// The price limits of the first session, from the last close.
fn limits_of(
    intent: &OrderIntent,
    quoted: &Quoted,
    rules: &ExchangeRules,
    day: Date,
) -> Option<PriceLimits> {
    rules.daily_limits_of(day, intent.symbol, quoted.last_close)
}

/// The price that an order is counted with: its limit; for a purchase at the market the upper price
/// limit of its session, and for a sale the last close.
fn price_at_most(
    intent: &OrderIntent,
    quoted: &Quoted,
    rules: &ExchangeRules,
    day: Date,
) -> Option<Price> {
    match (intent.kind, intent.side) {
        (OrderKind::Limit { price }, _) => Some(price),
        (OrderKind::Market, Side::Buy) => {
            limits_of(intent, quoted, rules, day).map(|limits| limits.upper)
        }
        (OrderKind::Market, Side::Sell) => Some(quoted.last_close),
    }
}

/// Whether the cash is there, and the position stays within its share of the portfolio. Purchases
/// that are open count as made.
fn check_purchase(
    intent: &OrderIntent,
    notional: Notional,
    context: &RiskContext<'_>,
) -> Result<(), Denial> {
    let portfolio = context.portfolio;
    let charges = Charges::of(notional, &portfolio.costs).total();
    let needed = notional.saturating_add(charges);
    let available = portfolio.buying_power(context.open_orders);
    if needed > available {
        return Err(Denial::CashShort { needed, available });
    }
    let ordered = context
        .open_orders
        .iter()
        .filter(|order| order.is_open() && order.intent.symbol == intent.symbol)
        .filter_map(|order| order.bound.map(|bound| amount_of(bound, order.remaining())))
        .fold(notional, Notional::saturating_add);
    let position = ordered.saturating_add(context.position_value);
    let limit = portfolio.limits.position_share_max;
    let allowed = i128::from(context.value.units()) * billionths(limit);
    if i128::from(position.units()) * BILLION > allowed {
        return Err(Denial::PositionAboveLimit { share: ratio(position, context.value), limit });
    }
    Ok(())
}

/// Whether the shares are there and not yet offered by another order.
fn check_sale(intent: &OrderIntent, context: &RiskContext<'_>) -> Result<(), Denial> {
    let (ordered, free) =
        (intent.quantity, context.portfolio.free_shares(intent.symbol, context.open_orders));
    if ordered > free { Err(Denial::SharesShort { ordered, free }) } else { Ok(()) }
}

/// `part` as a share of `whole`, for a sentence; all of it when there is no whole.
#[expect(clippy::cast_precision_loss, reason = "a share that is shown needs no last digit")]
fn ratio(part: Notional, whole: Notional) -> f64 {
    if whole > Notional::ZERO { part.units() as f64 / whole.units() as f64 } else { 1.0 }
}
