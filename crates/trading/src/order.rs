//! A paper order: what is wanted, and what became of it.
//!
//! No broker is ever asked: orders are executed on stored bars by [`crate::broker`].

use std::fmt;

use bist_market::{Calendar, Notional, Price, Shares, Symbol};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::broker::Charges;
use crate::costs::CostModel;
use crate::money::notional;
use crate::risk::Approved;

/// Which way an order goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Shares for money.
    Buy,
    /// Money for shares that are held; nothing is sold short.
    Sell,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Buy, Self::Sell];

    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// At what price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OrderKind {
    /// At the opening price of its session, worse by the slippage of the portfolio's costs.
    Market,
    /// At this price or a better one.
    Limit {
        /// The worst price that is taken, a valid price step.
        price: Price,
    },
}

impl OrderKind {
    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Limit { .. } => "limit",
        }
    }

    /// The worst price that is taken, if one was named.
    pub const fn limit_price(self) -> Option<Price> {
        match self {
            Self::Market => None,
            Self::Limit { price } => Some(price),
        }
    }
}

/// How long an order waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "validity", rename_all = "snake_case")]
pub enum Validity {
    /// For its first session only.
    Day,
    /// Through a day.
    Until {
        /// The last day, a session or not.
        day: Date,
    },
}

impl Validity {
    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Until { .. } => "until",
        }
    }
}

/// What somebody wants to buy or sell.
///
/// In JSON one flat object: `{"symbol":"THYAO","side":"buy","quantity":100,"kind":"limit",
/// "price":"300.00","validity":"until","day":"2026-12-04"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderIntent {
    /// Which share.
    pub symbol: Symbol,
    /// Which way.
    pub side: Side,
    /// How many.
    pub quantity: Shares,
    /// At what price.
    #[serde(flatten)]
    pub kind: OrderKind,
    /// How long.
    #[serde(flatten)]
    pub validity: Validity,
}

/// Who ended an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// Whoever placed it.
    Owner,
    /// An administrator halted trading.
    Halt,
    /// Its portfolio was closed.
    Closed,
}

impl CancelReason {
    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Halt => "halt",
            Self::Closed => "closed",
        }
    }
}

/// Where an order stands. All but [`OrderStatus::Open`] are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum OrderStatus {
    /// It waits, perhaps for the rest of its shares.
    Open,
    /// All shares were bought or sold.
    Filled {
        /// The session of the last of them.
        on: Date,
    },
    /// It was ended before.
    Cancelled {
        /// Why.
        reason: CancelReason,
        /// When.
        at: Timestamp,
    },
    /// Its last session is over, or an ex-day ended it.
    Expired {
        /// The last session that could have executed it.
        on: Date,
    },
}

impl OrderStatus {
    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Filled { .. } => "filled",
            Self::Cancelled { .. } => "cancelled",
            Self::Expired { .. } => "expired",
        }
    }
}

/// An order that was let through, and what became of it; kept as a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What is wanted.
    pub intent: OrderIntent,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The first session that opens after it was placed, and so the first that may execute it.
    pub first_session: Date,
    /// The most a purchase pays for a share: its limit, or the upper price limit of its first
    /// session. `None` for a sale.
    pub bound: Option<Price>,
    /// Shares bought or sold so far, 0..=quantity.
    pub filled: Shares,
    /// Where it stands.
    #[serde(flatten)]
    pub status: OrderStatus,
}

/// An order that is final was to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the order is no longer open, it is {}", .status.as_str())]
pub struct NotOpen {
    /// Where it stands.
    pub status: OrderStatus,
}

impl Order {
    /// An open order that nothing has been done with.
    pub fn place(
        approved: Approved<OrderIntent>,
        placed_at: Timestamp,
        first_session: Date,
    ) -> Self {
        let bound = approved.bound();
        let intent = approved.into_inner();
        Self {
            intent,
            placed_at,
            first_session,
            bound,
            filled: Shares(0),
            status: OrderStatus::Open,
        }
    }

    /// Shares that are still to be bought or sold.
    pub const fn remaining(&self) -> Shares {
        Shares(self.intent.quantity.0.saturating_sub(self.filled.0))
    }

    /// Whether it waits.
    pub const fn is_open(&self) -> bool {
        matches!(self.status, OrderStatus::Open)
    }

    /// The last session that may execute it, never before its first; where the calendar does not
    /// reach so far, the last day itself.
    pub fn last_session(&self) -> Date {
        let last = match self.intent.validity {
            Validity::Day => self.first_session,
            Validity::Until { day } => last_session_to(day),
        };
        last.max(self.first_session)
    }

    /// The cash that the rest of an open purchase binds at most, with charges; zero for a sale and
    /// for an order that is final.
    pub fn reserve(&self, costs: &CostModel) -> Notional {
        match self.bound {
            Some(bound) if self.is_open() => {
                let amount = amount_of(bound, self.remaining());
                amount.saturating_add(Charges::of(amount, costs).total())
            }
            _ => Notional::ZERO,
        }
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// [`NotOpen`] when it is final already; nothing is changed then.
    pub const fn cancel(&mut self, reason: CancelReason, at: Timestamp) -> Result<(), NotOpen> {
        self.end(OrderStatus::Cancelled { reason, at })
    }

    /// Ends it because no later session may execute it.
    ///
    /// # Errors
    ///
    /// [`NotOpen`] when it is final already; nothing is changed then.
    pub const fn expire(&mut self, on: Date) -> Result<(), NotOpen> {
        self.end(OrderStatus::Expired { on })
    }

    /// Counts `shares` as bought or sold in the session of `on`, no more than remain; with the last
    /// of them the order is filled.
    ///
    /// # Errors
    ///
    /// [`NotOpen`] when it is final already; nothing is changed then.
    pub fn fill(&mut self, shares: Shares, on: Date) -> Result<(), NotOpen> {
        if !self.is_open() {
            return Err(NotOpen { status: self.status });
        }
        self.filled.0 += shares.min(self.remaining()).0;
        if self.remaining() == Shares(0) { self.end(OrderStatus::Filled { on }) } else { Ok(()) }
    }

    /// The one way out of [`OrderStatus::Open`].
    const fn end(&mut self, status: OrderStatus) -> Result<(), NotOpen> {
        if !self.is_open() {
            return Err(NotOpen { status: self.status });
        }
        self.status = status;
        Ok(())
    }
}

/// What `shares` cost at `price`, or the largest amount there is.
pub(crate) fn amount_of(price: Price, shares: Shares) -> Notional {
    notional(i128::from(price.units()) * i128::from(shares.0))
}

/// The last session on or before `day`; `day` where the calendar does not know.
fn last_session_to(day: Date) -> Date {
    let calendar = Calendar::bist();
    if calendar.is_session(day) { day } else { calendar.previous_session(day).unwrap_or(day) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn intent(validity: Validity) -> OrderIntent {
        OrderIntent {
            symbol: Symbol::parse("THYAO").unwrap(),
            side: Side::Buy,
            quantity: Shares(100),
            kind: OrderKind::Limit { price: Price::parse("300.00").unwrap() },
            validity,
        }
    }

    fn order(validity: Validity) -> Order {
        Order {
            intent: intent(validity),
            placed_at: "2026-06-01T18:00:00Z".parse().unwrap(),
            first_session: date(2026, 6, 2),
            bound: Price::parse("300.00").ok(),
            filled: Shares(0),
            status: OrderStatus::Open,
        }
    }

    #[test]
    fn an_order_is_one_flat_object_in_json() {
        let intent = intent(Validity::Until { day: date(2026, 12, 4) });
        let json = r#"{"symbol":"THYAO","side":"buy","quantity":100,"kind":"limit","price":"300.00","validity":"until","day":"2026-12-04"}"#;
        assert_eq!(serde_json::to_string(&intent).unwrap(), json);
        assert_eq!(serde_json::from_str::<OrderIntent>(json).unwrap(), intent);
        for status in [
            OrderStatus::Open,
            OrderStatus::Filled { on: date(2026, 6, 2) },
            OrderStatus::Cancelled {
                reason: CancelReason::Halt,
                at: "2026-06-02T10:00:00Z".parse().unwrap(),
            },
            OrderStatus::Expired { on: date(2026, 6, 2) },
        ] {
            let order = Order { status, ..order(Validity::Day) };
            let json = serde_json::to_string(&order).unwrap();
            assert!(json.contains(&format!(r#""status":"{}""#, status.as_str())), "{json}");
            assert_eq!(serde_json::from_str::<Order>(&json).unwrap(), order);
        }
    }

    #[test]
    fn an_order_until_a_holiday_ends_with_the_session_before_it() {
        let until = |day| order(Validity::Until { day }).last_session();
        assert_eq!(order(Validity::Day).last_session(), date(2026, 6, 2));
        // A Saturday, and then a day of which the calendar knows nothing.
        assert_eq!(until(date(2026, 6, 6)), date(2026, 6, 5));
        assert_eq!(until(date(2027, 1, 9)), date(2027, 1, 9));
        assert_eq!(until(date(2026, 5, 1)), date(2026, 6, 2));
    }

    #[test]
    fn the_last_share_fills_an_order_and_no_more_are_counted() {
        let mut order = order(Validity::Day);
        let on = date(2026, 6, 2);
        order.fill(Shares(40), on).unwrap();
        assert_eq!((order.remaining(), order.is_open()), (Shares(60), true));
        order.fill(Shares(1_000), on).unwrap();
        assert_eq!((order.filled, order.status), (Shares(100), OrderStatus::Filled { on }));
        assert_eq!(order.reserve(&CostModel::default()), Notional::ZERO);
    }

    #[test]
    fn an_open_purchase_binds_its_rest_at_its_bound_with_charges() {
        let mut order = order(Validity::Day);
        let costs = CostModel::default();
        // 30,000.00 with 12.00 + 0.60 + 0.90, and then half of it.
        assert_eq!(order.reserve(&costs).to_string(), "30013.50");
        order.fill(Shares(50), date(2026, 6, 2)).unwrap();
        assert_eq!(order.reserve(&costs).to_string(), "15006.75");
    }
}
