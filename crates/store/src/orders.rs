//! Paper orders: placed once under the key of their owner, cancelled once, and on record with each step.

use bist_access::{AccountId, AuditAction, OrderId, PortfolioId};
use bist_trading::{CancelReason, Denial, Order, OrderIntent};
use jiff::Timestamp;
use serde_json::json;

use crate::audit::{Audit, AuditNote, append};
use crate::columns::{document, impossible, json as text, signed};
use crate::db::{Connection, Row, query};
use crate::error::StoreError;
use crate::paper_portfolios::{PaperEventRecord, StoredPortfolio, event, subject};
use crate::personal::{PersonalTopic, mark};
use crate::pool::Store;
use crate::trading_halt::is_halted;

/// An order of one person.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredOrder {
    /// Its name for programs.
    pub id: OrderId,
    /// The portfolio that it is of.
    pub portfolio: PortfolioId,
    /// Whose it is.
    pub account: AccountId,
    /// The key under which its owner placed it.
    pub client_key: Option<String>,
    /// The order.
    pub order: Order,
}

/// An order with what sessions did about it.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderWithEvents {
    /// The order.
    pub stored: StoredOrder,
    /// What was executed, and its end, the oldest first.
    pub events: Vec<PaperEventRecord>,
}

/// Which orders are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Those of this portfolio.
    pub portfolio: Option<PortfolioId>,
    /// Only open ones, or only those that are not.
    pub is_open: Option<bool>,
    /// Those placed before this one.
    pub before: Option<OrderId>,
}

/// What became of placing an order.
#[derive(Clone, Debug, PartialEq)]
pub enum OrderPlacing {
    /// It is placed.
    Placed,
    /// Another one of this person has the key already.
    KeyTaken(Box<StoredOrder>),
    /// The portfolio was changed or closed, or trading was halted, since it was looked at.
    Meanwhile,
}

/// What became of cancelling an order.
#[derive(Clone, Debug, PartialEq)]
pub enum OrderCancelling {
    /// It is cancelled.
    Cancelled,
    /// It was not open.
    NotOpen,
    /// There is no such order of this person.
    NotThere,
}

impl Store {
    /// The orders of `account` that `filter` wants, at most `limit`, the last placed first; one view of the
    /// database.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn orders(
        &self,
        account: &AccountId,
        filter: &OrderFilter,
        limit: u32,
    ) -> Result<Vec<OrderWithEvents>, StoreError> {
        let mut view = self.reader.begin().await?;
        let rows = query(
            "SELECT * FROM paper_orders
             WHERE account = $1 AND ($2 IS NULL OR portfolio = $2) AND ($3 IS NULL OR is_open = $3)
               AND ($4 IS NULL OR (placed_at_us, id) <
                    (SELECT placed_at_us, id FROM paper_orders WHERE id = $4 AND account = $1))
             ORDER BY placed_at_us DESC, id DESC LIMIT $5",
        )
        .bind(account.as_str())
        .bind(filter.portfolio.as_ref().map(PortfolioId::as_str))
        .bind(filter.is_open.map(i64::from))
        .bind(filter.before.as_ref().map(OrderId::as_str))
        .bind(i64::from(limit))
        .fetch_all(&mut *view)
        .await?;
        let mut orders = Vec::with_capacity(rows.len());
        for row in &rows {
            orders.push(with_events(&mut view, order(row)?).await?);
        }
        Ok(orders)
    }

    /// The order `id` of `account`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn order(
        &self,
        account: &AccountId,
        id: &OrderId,
    ) -> Result<Option<OrderWithEvents>, StoreError> {
        let mut view = self.reader.begin().await?;
        match owned(&mut view, account, id).await? {
            Some(stored) => Ok(Some(with_events(&mut view, stored).await?)),
            None => Ok(None),
        }
    }

    /// The order that `account` has placed under `key`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn order_of_key(
        &self,
        account: &AccountId,
        key: &str,
    ) -> Result<Option<StoredOrder>, StoreError> {
        of_key(&mut self.reader.acquire().await?, account, key).await
    }

    /// The open orders of the portfolio `id`, in the order in which they were placed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn open_orders(&self, id: &PortfolioId) -> Result<Vec<StoredOrder>, StoreError> {
        open_orders(&mut self.reader.acquire().await?, id).await
    }

    /// Keeps a new order of the portfolio that was seen as `portfolio`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or nothing can be put on record.
    pub async fn place_order(
        &self,
        portfolio: &StoredPortfolio,
        new: &StoredOrder,
        audit: &Audit,
    ) -> Result<OrderPlacing, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        if let Some(key) = &new.client_key
            && let Some(before) = of_key(&mut transaction, &new.account, key).await?
        {
            return Ok(OrderPlacing::KeyTaken(Box::new(before)));
        }
        if is_halted(&mut transaction).await? {
            return Ok(OrderPlacing::Meanwhile);
        }
        let seen = query(
            "UPDATE paper_portfolios SET revision = revision + 1
             WHERE id = $1 AND account = $2 AND revision = $3 AND closed_at_us IS NULL",
        )
        .bind(portfolio.id.as_str())
        .bind(new.account.as_str())
        .bind(signed(portfolio.revision))
        .execute(&mut *transaction)
        .await?;
        if seen.rows_affected() == 0 {
            return Ok(OrderPlacing::Meanwhile);
        }
        query(
            "INSERT INTO paper_orders (id, portfolio, account, symbol, placed_at_us, is_open,
                                       client_key, document)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(new.id.as_str())
        .bind(new.portfolio.as_str())
        .bind(new.account.as_str())
        .bind(new.order.intent.symbol.as_str())
        .bind(new.order.placed_at.as_microsecond())
        .bind(i64::from(new.order.is_open()))
        .bind(new.client_key.as_deref())
        .bind(text("order", &new.order)?)
        .execute(&mut *transaction)
        .await?;
        let mut note = order_note(AuditAction::OrderPlaced, new);
        note.details.insert("first_session", json!(new.order.first_session));
        append(&mut transaction, audit, vec![note]).await?;
        mark(&mut transaction, &new.account, PersonalTopic::Orders).await?;
        transaction.commit().await?;
        Ok(OrderPlacing::Placed)
    }

    /// Puts on record that an order was looked at and not taken.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or nothing can be put on record.
    pub async fn record_denial(
        &self,
        portfolio: &PortfolioId,
        intent: &OrderIntent,
        denial: &Denial,
        audit: &Audit,
    ) -> Result<(), StoreError> {
        let mut note = AuditNote::new(AuditAction::OrderDenied, subject(portfolio), []);
        note.details.extend(particulars(intent));
        note.details
            .extend([("denial", json!(denial.code())), ("because", json!(denial.to_string()))]);
        self.put_on_record(audit, note).await
    }

    /// Cancels the order `id` of `account`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or nothing can be put on record.
    pub async fn cancel_order(
        &self,
        account: &AccountId,
        id: &OrderId,
        audit: &Audit,
    ) -> Result<OrderCancelling, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let Some(stored) = owned(&mut transaction, account, id).await? else {
            return Ok(OrderCancelling::NotThere);
        };
        if !stored.order.is_open() {
            return Ok(OrderCancelling::NotOpen);
        }
        let portfolio = stored.portfolio.clone();
        let orders = vec![stored];
        let notes = cancel_all(&mut transaction, orders, CancelReason::Owner, audit.at).await?;
        raise_revision(&mut transaction, &portfolio).await?;
        append(&mut transaction, audit, notes).await?;
        mark(&mut transaction, account, PersonalTopic::Orders).await?;
        transaction.commit().await?;
        Ok(OrderCancelling::Cancelled)
    }
}

/// Cancels `orders`, which are open; what goes on record about it.
pub(crate) async fn cancel_all(
    connection: &mut Connection,
    orders: Vec<StoredOrder>,
    reason: CancelReason,
    at: Timestamp,
) -> Result<Vec<AuditNote>, StoreError> {
    let mut notes = Vec::with_capacity(orders.len());
    for mut stored in orders {
        stored.order.cancel(reason, at).map_err(impossible)?;
        write(connection, &stored).await?;
        let mut note = order_note(AuditAction::OrderCancelled, &stored);
        note.details
            .extend([("reason", json!(reason)), ("filled_shares", json!(stored.order.filled))]);
        notes.push(note);
    }
    Ok(notes)
}

/// Notes that an order of the portfolio `id` is not as it was seen any more.
pub(crate) async fn raise_revision(
    connection: &mut Connection,
    id: &PortfolioId,
) -> Result<(), StoreError> {
    query("UPDATE paper_portfolios SET revision = revision + 1 WHERE id = $1")
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes an order that is kept already as it is now.
pub(crate) async fn write(
    connection: &mut Connection,
    stored: &StoredOrder,
) -> Result<(), StoreError> {
    query("UPDATE paper_orders SET is_open = $2, document = $3 WHERE id = $1")
        .bind(stored.id.as_str())
        .bind(i64::from(stored.order.is_open()))
        .bind(text("order", &stored.order)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// The open orders of the portfolio `id`, in the order in which they were placed.
pub(crate) async fn open_orders(
    connection: &mut Connection,
    id: &PortfolioId,
) -> Result<Vec<StoredOrder>, StoreError> {
    let rows = query(
        "SELECT * FROM paper_orders WHERE portfolio = $1 AND is_open = 1 ORDER BY placed_at_us, id",
    )
    .bind(id.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter().map(order).collect()
}

/// The open orders of all people, those of a portfolio together.
pub(crate) async fn all_open_orders(
    connection: &mut Connection,
) -> Result<Vec<StoredOrder>, StoreError> {
    let rows =
        query("SELECT * FROM paper_orders WHERE is_open = 1 ORDER BY portfolio, placed_at_us, id")
            .fetch_all(connection)
            .await?;
    rows.iter().map(order).collect()
}

/// What goes on record of a step of an order.
pub(crate) fn order_note(action: AuditAction, stored: &StoredOrder) -> AuditNote {
    let mut note = AuditNote::new(action, format!("order:{}", stored.id), []);
    note.details.insert("portfolio", json!(stored.portfolio.as_str()));
    note.details.extend(particulars(&stored.order.intent));
    note
}

/// What is ordered, as the audit tells it.
fn particulars(intent: &OrderIntent) -> [(&'static str, serde_json::Value); 5] {
    [
        ("symbol", json!(intent.symbol)),
        ("side", json!(intent.side)),
        ("quantity_shares", json!(intent.quantity)),
        ("order", json!(intent.kind)),
        ("validity", json!(intent.validity)),
    ]
}

async fn with_events(
    connection: &mut Connection,
    stored: StoredOrder,
) -> Result<OrderWithEvents, StoreError> {
    let rows = query("SELECT * FROM paper_events WHERE order_id = $1 ORDER BY seq")
        .bind(stored.id.as_str())
        .fetch_all(connection)
        .await?;
    Ok(OrderWithEvents { events: rows.iter().map(event).collect::<Result<_, _>>()?, stored })
}

async fn owned(
    connection: &mut Connection,
    account: &AccountId,
    id: &OrderId,
) -> Result<Option<StoredOrder>, StoreError> {
    let row = query("SELECT * FROM paper_orders WHERE id = $1 AND account = $2")
        .bind(id.as_str())
        .bind(account.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(order).transpose()
}

async fn of_key(
    connection: &mut Connection,
    account: &AccountId,
    key: &str,
) -> Result<Option<StoredOrder>, StoreError> {
    let row = query("SELECT * FROM paper_orders WHERE account = $1 AND client_key = $2")
        .bind(account.as_str())
        .bind(key)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(order).transpose()
}

fn order(row: &Row) -> Result<StoredOrder, StoreError> {
    Ok(StoredOrder {
        id: row.try_get::<&str, _>("id")?.parse().map_err(impossible)?,
        portfolio: row.try_get::<&str, _>("portfolio")?.parse().map_err(impossible)?,
        account: row.try_get::<&str, _>("account")?.parse().map_err(impossible)?,
        client_key: row.try_get("client_key")?,
        order: document("order", row)?,
    })
}
