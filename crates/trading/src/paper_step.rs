//! One session of paper trading: the bars of a day in, what happened out.
//!
//! The actions of the day come first, as the exchange counts an ex-day from the session before; then
//! the open orders, by when they were placed; then the orders whose last session this was; then the
//! value at the closes. Nothing of a later day is looked at, so later bars change nothing earlier.

mod ex_day;

use std::collections::BTreeMap;

use bist_market::{CorporateAction, Notional, Price, PriceLimits, Shares, Symbol};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use ex_day::SharesChange;

use crate::broker::{Fill, NoFill, execute, volume_allowed};
use crate::order::{Order, OrderKind};
use crate::portfolio::Portfolio;

/// The daily bar of one share, as traded and not adjusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionBar {
    /// First price; `None` when the source has none.
    pub open: Option<Price>,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Shares traded; `None` when the source does not say, and then no order is executed.
    pub volume: Option<Shares>,
    /// The price limits of the session, on an ex-day from the theoretical price; `None` when they are
    /// not known.
    pub limits: Option<PriceLimits>,
    /// The last close before the session; `None` when there is none.
    pub previous_close: Option<Price>,
}

/// What is known of one session.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// Which.
    pub day: Date,
    /// The bars of the shares that traded.
    pub bars: &'a BTreeMap<Symbol, SessionBar>,
    /// The corporate actions that are effective on the day; others are passed over.
    pub actions: &'a [CorporateAction],
    /// Whether an administrator had halted trading: no order is executed then.
    pub halted: bool,
}

/// Something that happened to a portfolio; one line of its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum PaperEvent {
    /// Shares were bought or sold.
    Filled {
        /// The order, by its place in the orders that were given.
        order: usize,
        /// What was traded.
        fill: Fill,
    },
    /// An order ended with shares that were not traded.
    Expired {
        /// The order, by its place in the orders that were given.
        order: usize,
        /// The shares.
        unfilled: Shares,
        /// Why the last session did not trade them.
        why: NoFill,
    },
    /// A dividend was paid.
    Dividend {
        /// Of which share.
        symbol: Symbol,
        /// For how many.
        shares: Shares,
        /// For each of them, gross.
        per_share: Price,
        /// All of it.
        gross: Notional,
        /// The tax that was withheld of it, to the nearest kuruş.
        withheld: Notional,
    },
    /// A position became another number of shares.
    Shares {
        /// Of which share.
        symbol: Symbol,
        /// By what.
        kind: SharesChange,
        /// The shares before.
        before: Shares,
        /// The shares after.
        after: Shares,
        /// What was paid for the fraction of a share, at its theoretical price.
        paid_instead: Notional,
    },
    /// The rights to new shares were sold at their theoretical worth.
    RightsSold {
        /// Of which share.
        symbol: Symbol,
        /// For how many.
        shares: Shares,
        /// For all of them.
        amount: Notional,
    },
}

/// What a portfolio was worth at the end of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayValue {
    /// The session.
    pub day: Date,
    /// Cash and shares.
    pub value: Notional,
    /// The cash.
    pub cash: Notional,
    /// The shares that did not trade, and were valued at an older price.
    pub stale: Vec<Symbol>,
}

/// A session that was applied before, or that lies before one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session of {day} is not after {through}, the last one that was applied")]
pub struct SessionApplied {
    /// The session that was given.
    pub day: Date,
    /// The last one that was applied.
    pub through: Date,
}

/// Applies one session to a portfolio and its orders, in any order, final ones among them.
///
/// `last_close` is the last close of a share, as traded, *before* the session. The same input gives
/// the same output, and a session is applied once.
///
/// # Errors
///
/// [`SessionApplied`] when the session is not after [`Portfolio::through`]; nothing is changed then.
pub fn step(
    portfolio: &mut Portfolio,
    orders: &mut [Order],
    session: &Session<'_>,
    last_close: &impl Fn(Symbol) -> Option<Price>,
) -> Result<(Vec<PaperEvent>, DayValue), SessionApplied> {
    let (day, through) = (session.day, portfolio.through);
    if day <= through {
        return Err(SessionApplied { day, through });
    }
    portfolio.settle(day);
    let mut events = ex_day::apply(portfolio, session, last_close);
    let mut waiting = waiting(orders, day);
    waiting.retain(|index| !ends_before(&mut orders[*index], *index, session, &mut events));
    let mut volumes_left = BTreeMap::new();
    for index in waiting {
        let order = &mut orders[index];
        let outcome = trade(order, portfolio, session, &mut volumes_left);
        settle_order(order, index, day, outcome, &mut events);
    }
    portfolio.through = day;
    Ok((events, day_value(portfolio, session, last_close)))
}

/// The open orders whose first session has come, by when they were placed.
fn waiting(orders: &[Order], day: Date) -> Vec<usize> {
    let mut waiting: Vec<usize> = (0..orders.len())
        .filter(|index| orders[*index].is_open() && orders[*index].first_session <= day)
        .collect();
    waiting.sort_by_key(|index| (orders[*index].placed_at, *index));
    waiting
}

/// Ends an order that this session may not execute: its last one is over, or it is a limit order on
/// the share's ex-day.
fn ends_before(
    order: &mut Order,
    index: usize,
    session: &Session<'_>,
    events: &mut Vec<PaperEvent>,
) -> bool {
    let (day, symbol) = (session.day, order.intent.symbol);
    let last = order.last_session();
    let is_ex_day = actions_of(session).any(|action| action.symbol == symbol);
    let (on, why) = if last < day {
        (last, NoFill::NoBar)
    } else if is_ex_day && order.intent.kind != OrderKind::Market {
        (day, NoFill::ActionOfDay)
    } else {
        return false;
    };
    expire(order, index, on, why, events);
    true
}

/// The actions that are effective on the day of the session.
fn actions_of<'a>(session: &Session<'a>) -> impl Iterator<Item = &'a CorporateAction> {
    let day = session.day;
    session.actions.iter().filter(move |action| action.effective_on == day)
}

/// Executes what the session allows of an order, and books it.
fn trade(
    order: &mut Order,
    portfolio: &mut Portfolio,
    session: &Session<'_>,
    volumes_left: &mut BTreeMap<Symbol, Shares>,
) -> Result<Fill, NoFill> {
    if session.halted {
        return Err(NoFill::Halted);
    }
    let symbol = order.intent.symbol;
    let bar = session.bars.get(&symbol).ok_or(NoFill::NoBar)?;
    let left = volumes_left.entry(symbol).or_insert_with(|| volume_allowed(bar));
    let fill = execute(order, session.day, bar, portfolio, *left)?;
    left.0 = left.0.saturating_sub(fill.shares.0);
    portfolio.book(&fill);
    Ok(fill)
}

/// Notes what the session did with an order, and ends it when this was its last.
fn settle_order(
    order: &mut Order,
    index: usize,
    day: Date,
    outcome: Result<Fill, NoFill>,
    events: &mut Vec<PaperEvent>,
) {
    let why = match outcome {
        Ok(fill) => {
            if order.fill(fill.shares, day).is_ok() {
                events.push(PaperEvent::Filled { order: index, fill });
            }
            fill.limited_by
        }
        Err(why) => Some(why),
    };
    if let Some(why) = why
        && order.last_session() <= day
    {
        expire(order, index, day, why, events);
    }
}

/// Ends an order that is open.
fn expire(order: &mut Order, index: usize, on: Date, why: NoFill, events: &mut Vec<PaperEvent>) {
    let unfilled = order.remaining();
    if order.expire(on).is_ok() {
        events.push(PaperEvent::Expired { order: index, unfilled, why });
    }
}

/// The value at the closes of the session, and at older ones of shares that did not trade.
fn day_value(
    portfolio: &mut Portfolio,
    session: &Session<'_>,
    last_close: &impl Fn(Symbol) -> Option<Price>,
) -> DayValue {
    let mut stale = Vec::new();
    for (symbol, position) in &mut portfolio.positions {
        if session.bars.contains_key(symbol) {
            position.ex_price = None;
        } else {
            stale.push(*symbol);
        }
    }
    let close_of = |symbol| session.bars.get(&symbol).map(|bar| bar.close);
    let valuation = portfolio.value(|symbol| close_of(symbol).or_else(|| last_close(symbol)));
    DayValue { day: session.day, value: valuation.value, cash: valuation.cash, stale }
}
