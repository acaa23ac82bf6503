//! Paper orders: looked at before they are taken, executed on sessions that open afterwards.

mod looked_at;

use bist_access::{Account, OrderId, PortfolioId};
use bist_market::rename::current_name;
use bist_market::{Notional, Origin, Price, PriceLimits};
use bist_store::{
    OrderCancelling, OrderFilter, OrderPlacing, OrderWithEvents, StoreError, StoredOrder,
};
use bist_trading::{Charges, Fill, NoFill, Order, OrderIntent, PaperEvent};
use jiff::Timestamp;
use jiff::civil::Date;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::App;
use crate::portfolios::{TradingError, portfolio_id};

/// How often an order is looked at anew, when its portfolio was changed meanwhile.
const ATTEMPTS_MAX: usize = 8;

/// An order as its owner sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderView {
    /// Its name for programs.
    pub id: OrderId,
    /// The portfolio that it is of.
    pub portfolio: PortfolioId,
    /// What is ordered, how much of it was done, and where it stands.
    pub order: Order,
    /// The key under which its owner placed it.
    pub client_key: Option<String>,
    /// What was executed, the oldest first.
    pub fills: Vec<Fill>,
    /// Why the rest was not executed, of an order that has expired.
    pub unfilled_because: Option<NoFill>,
}

/// An order that was placed, now or before.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedOrder {
    /// The order.
    pub order: OrderView,
    /// Whether it is new: false when it was placed before, under the same key.
    pub is_new: bool,
}

/// What an order would be, as far as that can be told before it is executed.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderPreview {
    /// Whether the share is real; `None` without data of it.
    pub origin: Option<Origin>,
    /// The price that it is reckoned with: the limit, or the last close.
    pub estimated_price: Price,
    /// The shares at that price.
    pub amount: Notional,
    /// What is paid on that.
    pub charges: Charges,
    /// What is bound until it is executed; zero for a sale.
    pub reserve: Notional,
    /// The first session that may execute it.
    pub first_session: Date,
    /// When the opening auction of that session begins.
    pub executes_from: Timestamp,
    /// The cash afterwards, at the estimated price.
    pub cash_after: Notional,
    /// Between which prices the first session trades; `None` where that is not known.
    pub price_limits: Option<PriceLimits>,
    /// How far valid prices are from each other at the estimated price.
    pub price_step: Price,
}

/// Which orders are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrdersWanted {
    /// Those of this portfolio.
    pub portfolio: Option<String>,
    /// Only open ones, or only those that are not.
    pub open: Option<bool>,
    /// Those placed before this one, which is the last of the page before.
    pub before: Option<String>,
}

/// Orders, the last placed first.
#[derive(Clone, Debug, PartialEq)]
pub struct OrdersPage {
    /// The orders.
    pub items: Vec<OrderView>,
    /// The order before which the next page begins; `None` at the end.
    pub next_before: Option<OrderId>,
}

/// Whether paper orders are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradingState {
    /// Whether trading is halted.
    pub halted: bool,
    /// Why, in the words of whoever changed it last; `None` when nobody ever has.
    pub reason: Option<String>,
    /// When that was.
    pub changed_at: Option<Timestamp>,
    /// Who did so, as the audit writes it, such as `account:u0123456789abcdef`.
    pub changed_by: Option<String>,
    /// Open orders of all people.
    pub open_orders: u64,
}

impl From<OrderWithEvents> for OrderView {
    fn from(kept: OrderWithEvents) -> Self {
        let OrderWithEvents { stored, events } = kept;
        let StoredOrder { id, portfolio, client_key, order, account: _ } = stored;
        let (mut fills, mut unfilled_because) = (Vec::new(), None);
        for record in events {
            match record.event {
                PaperEvent::Filled { fill, .. } => fills.push(fill),
                PaperEvent::Expired { why, .. } => unfilled_because = Some(why),
                // None of these is about an order.
                PaperEvent::Dividend { .. }
                | PaperEvent::Shares { .. }
                | PaperEvent::RightsSold { .. } => {}
            }
        }
        Self { id, portfolio, order, client_key, fills, unfilled_because }
    }
}

impl App {
    /// The orders of `account` that are wanted, at most `limit`, the last placed first.
    ///
    /// # Errors
    ///
    /// [`TradingError`] when the portfolio or the order that is named is none of theirs, or the database
    /// fails.
    pub async fn orders(
        &self,
        account: &Account,
        wanted: &OrdersWanted,
        limit: u32,
    ) -> Result<OrdersPage, TradingError> {
        let portfolio = match &wanted.portfolio {
            Some(id) => Some(self.stored_portfolio(account, id).await?.0.id),
            None => None,
        };
        let before = match &wanted.before {
            Some(id) => Some(self.kept_order(account, id).await?.stored.id),
            None => None,
        };
        let filter = OrderFilter { portfolio, is_open: wanted.open, before };
        let mut kept = self.store.orders(&account.id, &filter, limit.saturating_add(1)).await?;
        let more = kept.len() > limit as usize;
        kept.truncate(limit as usize);
        let items: Vec<OrderView> = kept.into_iter().map(Into::into).collect();
        let next_before = items.last().filter(|_| more).map(|order| order.id.clone());
        Ok(OrdersPage { items, next_before })
    }

    /// The order `id` of `account`.
    ///
    /// # Errors
    ///
    /// [`TradingError`] when there is none, or the database fails.
    pub async fn order(&self, account: &Account, id: &str) -> Result<OrderView, TradingError> {
        Ok(self.kept_order(account, id).await?.into())
    }

    /// Looks at an order of `account`, and takes it, or says why not: that goes on record too. Under a key
    /// that it was placed under before, the same order is what was placed then.
    ///
    /// # Errors
    ///
    /// [`TradingError`] when there is no such portfolio or share, the order is denied, another one has the
    /// key, or the database fails.
    pub async fn place_order(
        &self,
        account: &Account,
        portfolio: &str,
        intent: OrderIntent,
        client_key: Option<&str>,
    ) -> Result<PlacedOrder, TradingError> {
        let (portfolio, intent) = (portfolio_id(portfolio)?, under_present_name(intent));
        for _ in 0..ATTEMPTS_MAX {
            if let Some(key) = client_key
                && let Some(before) = self.store.order_of_key(&account.id, key).await?
            {
                return self.placed_before(account, before, &portfolio, &intent).await;
            }
            let looked = self.look_at(account, &portfolio, intent).await?;
            let audit = self.audit().await?;
            let approved = match looked.reviewed {
                Ok(approved) => approved,
                Err(denial) => {
                    self.store.record_denial(&portfolio, &intent, &denial, &audit).await?;
                    return Err(TradingError::Denied(denial));
                }
            };
            let new = StoredOrder {
                id: OrderId::generate(&mut UnwrapErr(SysRng)),
                portfolio: portfolio.clone(),
                account: account.id.clone(),
                client_key: client_key.map(str::to_owned),
                order: Order::place(approved, looked.at, looked.first_session),
            };
            match self.store.place_order(&looked.portfolio, &new, &audit).await? {
                OrderPlacing::Placed => {
                    self.live.stir();
                    let kept = OrderWithEvents { stored: new, events: Vec::new() };
                    return Ok(PlacedOrder { order: kept.into(), is_new: true });
                }
                OrderPlacing::KeyTaken(before) => {
                    return self.placed_before(account, *before, &portfolio, &intent).await;
                }
                // What it was looked at by is not so any more.
                OrderPlacing::Meanwhile => {}
            }
        }
        Err(TradingError::Busy)
    }

    /// What an order of `account` would be; nothing is kept, and nothing goes on record.
    ///
    /// # Errors
    ///
    /// As [`App::place_order`].
    pub async fn preview_order(
        &self,
        account: &Account,
        portfolio: &str,
        intent: OrderIntent,
    ) -> Result<OrderPreview, TradingError> {
        let (portfolio, intent) = (portfolio_id(portfolio)?, under_present_name(intent));
        let looked = self.look_at(account, &portfolio, intent).await?;
        looked.preview(&intent).map_err(TradingError::Denied)
    }

    /// Cancels what is left of the order `id` of `account`.
    ///
    /// # Errors
    ///
    /// [`TradingError`] when there is none, it is not open, or the database fails.
    pub async fn cancel_order(
        &self,
        account: &Account,
        id: &str,
    ) -> Result<OrderView, TradingError> {
        let order = order_id(id)?;
        let audit = self.audit().await?;
        match self.store.cancel_order(&account.id, &order, &audit).await? {
            OrderCancelling::Cancelled => {
                self.live.stir();
                self.order(account, id).await
            }
            OrderCancelling::NotOpen => Err(TradingError::NotOpen(order.to_string())),
            OrderCancelling::NotThere => Err(TradingError::NoSuchOrder(order.to_string())),
        }
    }

    /// Whether orders are taken, and how many of all people are open.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn trading_state(&self) -> Result<TradingState, StoreError> {
        let (halt, open_orders) = self.store.trading_halt().await?;
        Ok(TradingState {
            halted: halt.as_ref().is_some_and(|halt| halt.is_halted),
            changed_at: halt.as_ref().map(|halt| halt.changed_at),
            changed_by: halt.as_ref().map(|halt| halt.changed_by.clone()),
            reason: halt.map(|halt| halt.reason),
            open_orders,
        })
    }

    /// Takes no orders from now on, and cancels all that are open, in one transaction. Where trading is
    /// halted already, nothing is changed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or nothing can be put on record.
    pub async fn halt_trading(&self, reason: &str) -> Result<TradingState, StoreError> {
        if self.store.halt_trading(reason, &self.audit().await?).await? {
            self.live.stir();
        }
        self.trading_state().await
    }

    /// Takes orders again. Those that were cancelled stay so.
    ///
    /// # Errors
    ///
    /// As [`App::halt_trading`].
    pub async fn resume_trading(&self, reason: &str) -> Result<TradingState, StoreError> {
        if self.store.resume_trading(reason, &self.audit().await?).await? {
            self.live.stir();
        }
        self.trading_state().await
    }

    /// The order that has the key already, if it is the same one.
    async fn placed_before(
        &self,
        account: &Account,
        before: StoredOrder,
        portfolio: &PortfolioId,
        intent: &OrderIntent,
    ) -> Result<PlacedOrder, TradingError> {
        if before.portfolio != *portfolio || before.order.intent != *intent {
            return Err(TradingError::KeyReused);
        }
        let order = self.order(account, before.id.as_str()).await?;
        Ok(PlacedOrder { order, is_new: false })
    }

    async fn kept_order(
        &self,
        account: &Account,
        id: &str,
    ) -> Result<OrderWithEvents, TradingError> {
        let id = order_id(id)?;
        let kept = self.store.order(&account.id, &id).await?;
        kept.ok_or_else(|| TradingError::NoSuchOrder(id.to_string()))
    }
}

/// Reads the name of an order; one that is none names nothing.
fn order_id(text: &str) -> Result<OrderId, TradingError> {
    text.parse().map_err(|_| TradingError::NoSuchOrder(text.chars().take(40).collect()))
}

/// A former ticker means the share under its present name.
fn under_present_name(intent: OrderIntent) -> OrderIntent {
    OrderIntent { symbol: current_name(intent.symbol), ..intent }
}
