//! The paper broker: one order against the daily bar of one session.
//!
//! A daily bar does not tell in which order prices were seen, nor who stood before us at a price. So
//! an order takes the opening price, worse by the slippage, or its own limit once the market went
//! *through* it; and never more than [`PARTICIPATION_SHARE_MAX`] of what was traded. Nothing is
//! executed that could not have been.

mod charges;

use std::fmt;

use bist_market::{Calendar, ExchangeRules, Notional, Price, PriceLimits, Shares, Symbol};
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

pub use charges::Charges;

use crate::money::{BILLION, billionths};
use crate::order::{Order, OrderKind, Side};
use crate::paper_step::SessionBar;
use crate::portfolio::Portfolio;

/// The most of a session's volume that the orders of one portfolio take.
pub const PARTICIPATION_SHARE_MAX: f64 = 0.10;

/// Shares that were bought or sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The session.
    pub day: Date,
    /// Which share.
    pub symbol: Symbol,
    /// Which way.
    pub side: Side,
    /// How many, at least one.
    pub shares: Shares,
    /// At what price.
    pub price: Price,
    /// Price times shares.
    pub amount: Notional,
    /// What it cost besides.
    pub charges: Charges,
    /// When money and shares change hands.
    pub settles_on: Date,
    /// Why it was not the whole rest of the order; `None` when it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limited_by: Option<NoFill>,
}

impl Fill {
    /// The money that it moves: negative for a purchase, positive for a sale, after charges.
    pub fn net(&self) -> Notional {
        let charges = self.charges.total();
        match self.side {
            Side::Buy => Notional::ZERO.saturating_sub(self.amount).saturating_sub(charges),
            Side::Sell => self.amount.saturating_sub(charges),
        }
    }
}

/// Why a session executed nothing of an order, or no more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoFill {
    /// The share has no bar of the session.
    NoBar,
    /// Nothing was traded, or nobody says how much.
    NoVolume,
    /// All trades were at the price limit, and whoever wanted the same way waited.
    Locked,
    /// The market did not go through the limit.
    NotReached,
    /// No more than [`PARTICIPATION_SHARE_MAX`] of the volume is taken, and that was used up or is
    /// less than one share.
    ShareOfVolume,
    /// The cash pays for no further share.
    CashShort,
    /// No more shares are held.
    SharesShort,
    /// It was the share's ex-day, which ends limit orders.
    ActionOfDay,
    /// Trading was halted by an administrator.
    Halted,
}

impl NoFill {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::NoBar,
        Self::NoVolume,
        Self::Locked,
        Self::NotReached,
        Self::ShareOfVolume,
        Self::CashShort,
        Self::SharesShort,
        Self::ActionOfDay,
        Self::Halted,
    ];

    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoBar => "no_bar",
            Self::NoVolume => "no_volume",
            Self::Locked => "locked",
            Self::NotReached => "not_reached",
            Self::ShareOfVolume => "share_of_volume",
            Self::CashShort => "cash_short",
            Self::SharesShort => "shares_short",
            Self::ActionOfDay => "action_of_day",
            Self::Halted => "halted",
        }
    }
}

impl fmt::Display for NoFill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Executes as much of an open order as the session of `day` allows.
///
/// `bar` is that of the order's share; `volume_left` are the shares that the portfolio may still
/// trade of it in this session, [`volume_allowed`] at first. A purchase takes no more shares than
/// the cash pays for with charges, a sale no more than are held. Nothing is booked.
///
/// # Errors
///
/// [`NoFill`] when not one share was traded.
pub fn execute(
    order: &Order,
    day: Date,
    bar: &SessionBar,
    portfolio: &Portfolio,
    volume_left: Shares,
) -> Result<Fill, NoFill> {
    if bar.volume.is_none_or(|volume| volume == Shares(0)) {
        return Err(NoFill::NoVolume);
    }
    let side = order.intent.side;
    if is_locked(bar, side, day) {
        return Err(NoFill::Locked);
    }
    let price = price_of(order, day, bar, portfolio.costs.slippage_share)?;
    let (shares, limited_by) = shares_of(order, price, portfolio, volume_left);
    let fill = fill_of(order, day, price, shares, portfolio).filter(|fill| fill.shares > Shares(0));
    match (fill, limited_by) {
        (Some(fill), _) => Ok(Fill { limited_by, ..fill }),
        (None, Some(why)) => Err(why),
        (None, None) => Err(NoFill::CashShort),
    }
}

/// The shares of one session that the orders of one portfolio may take: a tenth of the volume,
/// rounded down.
pub fn volume_allowed(bar: &SessionBar) -> Shares {
    let volume = bar.volume.unwrap_or_default();
    let allowed = i128::from(volume.0) * billionths(PARTICIPATION_SHARE_MAX) / BILLION;
    Shares(u64::try_from(allowed).unwrap_or(volume.0))
}

/// When a trade of `day` settles; two weekdays later where the calendar does not reach so far.
pub(crate) fn settles_on(day: Date) -> Date {
    Calendar::bist().settles_on(day).unwrap_or_else(|| weekday_after(weekday_after(day)))
}

/// The first Monday to Friday after `day`.
fn weekday_after(day: Date) -> Date {
    let mut next = day.tomorrow().unwrap_or(day);
    while matches!(next.weekday(), Weekday::Saturday | Weekday::Sunday) && next < Date::MAX {
        next = next.tomorrow().unwrap_or(Date::MAX);
    }
    next
}

/// Whether all trades of the session were at the price limit at which this side waits in a queue. A
/// source's rounding, less than half a price step, does not hide it.
fn is_locked(bar: &SessionBar, side: Side, day: Date) -> bool {
    let Some(PriceLimits { lower, upper }) = bar.limits else { return false };
    let limit = match side {
        Side::Buy => upper,
        Side::Sell => lower,
    };
    bar.low == bar.high && ExchangeRules::bist().round_nearest(day, bar.close) == Some(limit)
}

/// The price of an order in the session, or that its limit was not reached.
///
/// Where the bar has no open, an order at the market takes the session's worst price, which was
/// certainly traded, and a limit is judged by the range alone.
fn price_of(
    order: &Order,
    day: Date,
    bar: &SessionBar,
    slippage_share: f64,
) -> Result<Price, NoFill> {
    let side = order.intent.side;
    let at_open = bar.open.map(|open| worsened(open, side, day, bar, slippage_share));
    let worst = match side {
        Side::Buy => bar.high,
        Side::Sell => bar.low,
    };
    match (order.intent.kind, side) {
        (OrderKind::Market, _) => Ok(at_open.unwrap_or(worst)),
        (OrderKind::Limit { price: limit }, Side::Buy) => match at_open {
            Some(price) if bar.open.is_some_and(|open| open <= limit) => Ok(price.min(limit)),
            _ if bar.low < limit => Ok(limit.min(bar.high)),
            _ => Err(NoFill::NotReached),
        },
        (OrderKind::Limit { price: limit }, Side::Sell) => match at_open {
            Some(price) if bar.open.is_some_and(|open| open >= limit) => Ok(price.max(limit)),
            _ if bar.high > limit => Ok(limit.max(bar.low)),
            _ => Err(NoFill::NotReached),
        },
    }
}

/// The opening price, worse by the slippage, at the next valid price step away from the trader, and
/// within what was traded, so within the price limits as well.
fn worsened(open: Price, side: Side, day: Date, bar: &SessionBar, slippage_share: f64) -> Price {
    let rules = ExchangeRules::bist();
    let open_units = i128::from(open.units());
    match side {
        Side::Buy => {
            let units = ceil_of(open_units * (BILLION + billionths(slippage_share)));
            let stepped = price(units).and_then(|price| rules.round_up(day, price));
            stepped.unwrap_or(bar.high).min(bar.high)
        }
        Side::Sell => {
            let units = open_units * (BILLION - billionths(slippage_share)) / BILLION;
            let stepped = price(units).and_then(|price| rules.round_down(day, price));
            stepped.unwrap_or(bar.low).max(bar.low)
        }
    }
}

/// Billionths of a unit as whole units, rounded up; not negative.
fn ceil_of(billionths_of_units: i128) -> i128 {
    (billionths_of_units + BILLION - 1) / BILLION
}

/// A price of so many units, if it is one.
fn price(units: i128) -> Option<Price> {
    i64::try_from(units).ok().and_then(|units| Price::from_units(units).ok())
}

/// How many shares of the rest are traded, and what kept it from being all.
fn shares_of(
    order: &Order,
    price: Price,
    portfolio: &Portfolio,
    volume_left: Shares,
) -> (Shares, Option<NoFill>) {
    let rest = order.remaining();
    let (shares, mut limited_by) =
        if volume_left < rest { (volume_left, Some(NoFill::ShareOfVolume)) } else { (rest, None) };
    let (most, why) = match order.intent.side {
        Side::Buy => (affordable(portfolio, price, shares), NoFill::CashShort),
        Side::Sell => (portfolio.shares(order.intent.symbol), NoFill::SharesShort),
    };
    if most < shares {
        limited_by = Some(why);
    }
    (shares.min(most), limited_by)
}

/// The most shares, up to `wanted`, whose price and charges the cash pays.
fn affordable(portfolio: &Portfolio, price: Price, wanted: Shares) -> Shares {
    let is_paid = |count: u64| {
        Notional::of(price, Shares(count)).is_some_and(|amount| {
            let charges = Charges::of(amount, &portfolio.costs).total();
            amount.saturating_add(charges) <= portfolio.cash
        })
    };
    if is_paid(wanted.0) {
        return wanted;
    }
    // More shares never cost less, so halving finds the last count that is paid.
    let (mut paid, mut unpaid) = (0, wanted.0);
    while unpaid - paid > 1 {
        let middle = paid + (unpaid - paid) / 2;
        if is_paid(middle) { paid = middle } else { unpaid = middle }
    }
    Shares(paid)
}

/// The fill of `shares` at `price`; `None` when the amount does not fit, or when the charges of a
/// sale were more than its proceeds and the cash together.
fn fill_of(
    order: &Order,
    day: Date,
    price: Price,
    shares: Shares,
    portfolio: &Portfolio,
) -> Option<Fill> {
    let amount = Notional::of(price, shares)?;
    let fill = Fill {
        day,
        symbol: order.intent.symbol,
        side: order.intent.side,
        shares,
        price,
        amount,
        charges: Charges::of(amount, &portfolio.costs),
        settles_on: settles_on(day),
        limited_by: None,
    };
    (portfolio.cash.saturating_add(fill.net()) >= Notional::ZERO).then_some(fill)
}
