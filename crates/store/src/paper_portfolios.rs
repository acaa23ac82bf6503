//! Paper portfolios, what sessions did to them, and what they were worth.
//!
//! Whatever changes a portfolio or one of its orders raises its revision and names the one that was seen,
//! so that of several processes one applies a session, and no order is taken by what is not so any more.

use bist_access::{AccountId, AuditAction, OrderId, PortfolioId};
use bist_trading::{CancelReason, DayValue, PaperEvent, Portfolio};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use crate::audit::{Audit, AuditNote, append};
use crate::columns::{
    count, day, document, impossible, instant_us, json as text, maybe_instant_us, signed,
};
use crate::db::{Connection, Row, query, query_scalar};
use crate::error::StoreError;
use crate::orders::{StoredOrder, cancel_all, order_note, write};
use crate::personal::{PersonalTopic, mark};
use crate::pool::Store;

/// A portfolio of one person.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPortfolio {
    /// Its name for programs.
    pub id: PortfolioId,
    /// Whose it is.
    pub account: AccountId,
    /// How often it or one of its orders was written, from one.
    pub revision: u64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// The portfolio.
    pub portfolio: Portfolio,
}

/// What a session did to a portfolio.
#[derive(Clone, Debug, PartialEq)]
pub struct PaperEventRecord {
    /// Its place in the record of the portfolio, from one.
    pub seq: u64,
    /// The session.
    pub day: Date,
    /// The order that was executed or has expired; the place that the event itself names is that among
    /// the orders of its session, and tells nothing afterwards.
    pub order: Option<OrderId>,
    /// What happened.
    pub event: PaperEvent,
}

/// What came of a session that was applied to a portfolio.
#[derive(Clone, Copy, Debug)]
pub struct PaperSession<'a> {
    /// The portfolio afterwards.
    pub portfolio: &'a Portfolio,
    /// Those of its open orders that the session changed, as they are afterwards.
    pub orders: &'a [StoredOrder],
    /// What happened, in its order, each with the order that it is about.
    pub events: &'a [(Option<StoredOrder>, PaperEvent)],
    /// What it was worth at the closes.
    pub value: &'a DayValue,
}

/// What became of closing a portfolio.
#[derive(Clone, Debug, PartialEq)]
pub enum PortfolioClosing {
    /// It is closed.
    Closed(Box<StoredPortfolio>),
    /// It was before.
    ClosedBefore,
    /// There is no such portfolio of this person.
    NotThere,
}

impl Store {
    /// The portfolios of `account`, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn portfolios(
        &self,
        account: &AccountId,
    ) -> Result<Vec<StoredPortfolio>, StoreError> {
        let rows =
            query("SELECT * FROM paper_portfolios WHERE account = $1 ORDER BY opened_at_us, id")
                .bind(account.as_str())
                .fetch_all(&self.reader)
                .await?;
        rows.iter().map(portfolio).collect()
    }

    /// The portfolio `id` of `account`, with its open orders in the order in which they were placed; one
    /// view of the database.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn portfolio(
        &self,
        account: &AccountId,
        id: &PortfolioId,
    ) -> Result<Option<(StoredPortfolio, Vec<StoredOrder>)>, StoreError> {
        let mut view = self.reader.begin().await?;
        let Some(stored) = owned(&mut view, account, id).await? else { return Ok(None) };
        let orders = crate::orders::open_orders(&mut view, id).await?;
        Ok(Some((stored, orders)))
    }

    /// The portfolios of all people that sessions are applied to.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn open_portfolios(&self) -> Result<Vec<StoredPortfolio>, StoreError> {
        let rows = query(
            "SELECT p.* FROM paper_portfolios AS p JOIN accounts AS a ON a.id = p.account
             WHERE p.closed_at_us IS NULL AND a.user_name IS NOT NULL ORDER BY p.opened_at_us, p.id",
        )
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(portfolio).collect()
    }

    /// Keeps a new portfolio unless `account` has `open_max` open ones already, or `kept_max` with closed
    /// ones; whether it did.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or nothing can be put on record.
    pub async fn add_portfolio(
        &self,
        account: &AccountId,
        id: &PortfolioId,
        portfolio: &Portfolio,
        (open_max, kept_max): (usize, usize),
        audit: &Audit,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let row = query(
            "SELECT COUNT(*) AS kept_count, COUNT(*) - COUNT(closed_at_us) AS open_count
             FROM paper_portfolios WHERE account = $1",
        )
        .bind(account.as_str())
        .fetch_one(&mut *transaction)
        .await?;
        let (kept, open) = (count(&row, "kept_count")?, count(&row, "open_count")?);
        if open >= open_max as u64 || kept >= kept_max as u64 {
            return Ok(false);
        }
        query(
            "INSERT INTO paper_portfolios (id, account, revision, opened_at_us, document)
             VALUES ($1, $2, 1, $3, $4)",
        )
        .bind(id.as_str())
        .bind(account.as_str())
        .bind(audit.at.as_microsecond())
        .bind(text("portfolio", portfolio)?)
        .execute(&mut *transaction)
        .await?;
        // What it is called is its owner's affair.
        let details = [
            ("account", json!(account.as_str())),
            ("opening_cash", json!(portfolio.opening_cash.to_string())),
        ];
        let note = AuditNote::new(AuditAction::PortfolioOpened, subject(id), details);
        append(&mut transaction, audit, vec![note]).await?;
        mark(&mut transaction, account, PersonalTopic::Orders).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Closes the portfolio `id` of `account`, and cancels its open orders.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or nothing can be put on record.
    pub async fn close_portfolio(
        &self,
        account: &AccountId,
        id: &PortfolioId,
        audit: &Audit,
    ) -> Result<PortfolioClosing, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let Some(stored) = owned(&mut transaction, account, id).await? else {
            return Ok(PortfolioClosing::NotThere);
        };
        if stored.closed_at.is_some() {
            return Ok(PortfolioClosing::ClosedBefore);
        }
        let orders = crate::orders::open_orders(&mut transaction, id).await?;
        let mut notes =
            cancel_all(&mut transaction, orders, CancelReason::Closed, audit.at).await?;
        query(
            "UPDATE paper_portfolios SET revision = revision + 1, closed_at_us = $2 WHERE id = $1",
        )
        .bind(id.as_str())
        .bind(audit.at.as_microsecond())
        .execute(&mut *transaction)
        .await?;
        let details = [("account", json!(account.as_str()))];
        notes.push(AuditNote::new(AuditAction::PortfolioClosed, subject(id), details));
        append(&mut transaction, audit, notes).await?;
        mark(&mut transaction, account, PersonalTopic::Orders).await?;
        let closed = owned(&mut transaction, account, id).await?;
        transaction.commit().await?;
        Ok(closed.map_or(PortfolioClosing::NotThere, |it| PortfolioClosing::Closed(Box::new(it))))
    }

    /// Keeps what a session did to `before`, all or nothing; whether it did: not when the portfolio was
    /// closed or changed since `before` was read, so that of several processes one applies a session.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or nothing can be put on record.
    pub async fn save_paper_session(
        &self,
        before: &StoredPortfolio,
        after: PaperSession<'_>,
        audit: &Audit,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let kept = query(
            "UPDATE paper_portfolios SET revision = revision + 1, document = $3
             WHERE id = $1 AND revision = $2 AND closed_at_us IS NULL",
        )
        .bind(before.id.as_str())
        .bind(signed(before.revision))
        .bind(text("portfolio", after.portfolio)?)
        .execute(&mut *transaction)
        .await?;
        if kept.rows_affected() == 0 {
            return Ok(false);
        }
        for order in after.orders {
            write(&mut transaction, order).await?;
        }
        let day = after.value.day.to_string();
        query("INSERT INTO paper_days (portfolio, day, document) VALUES ($1, $2, $3)")
            .bind(before.id.as_str())
            .bind(&day)
            .bind(text("value of a portfolio", after.value)?)
            .execute(&mut *transaction)
            .await?;
        add_events(&mut transaction, &before.id, &day, after.events).await?;
        let notes =
            after.events.iter().filter_map(|(order, event)| note_of(order.as_ref()?, event));
        append(&mut transaction, audit, notes.collect()).await?;
        mark(&mut transaction, &before.account, PersonalTopic::Orders).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The newest of what sessions did to the portfolio `id`, before the place `before` where it is given.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn paper_events(
        &self,
        id: &PortfolioId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<PaperEventRecord>, StoreError> {
        let rows = query(
            "SELECT * FROM paper_events WHERE portfolio = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3",
        )
        .bind(id.as_str())
        .bind(before.map_or(i64::MAX, signed))
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(event).collect()
    }

    /// What the portfolio `id` was worth on each session that was applied, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn paper_days(&self, id: &PortfolioId) -> Result<Vec<DayValue>, StoreError> {
        let rows = query("SELECT document FROM paper_days WHERE portfolio = $1 ORDER BY day")
            .bind(id.as_str())
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(|row| document("value of a portfolio", row)).collect()
    }

    /// Removes what belonged to people who were forgotten by a program that did not know of it; how many
    /// portfolios those were.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn forget_paper_of_the_forgotten(&self) -> Result<u64, StoreError> {
        let left = query(
            "SELECT 1 AS is_left FROM paper_portfolios AS p JOIN accounts AS a ON a.id = p.account
             WHERE a.user_name IS NULL LIMIT 1",
        )
        .fetch_optional(&self.reader)
        .await?;
        if left.is_none() {
            return Ok(0);
        }
        let mut transaction = self.writer.begin_alone().await?;
        let removed = query(
            "DELETE FROM paper_portfolios
             WHERE account IN (SELECT id FROM accounts WHERE user_name IS NULL)",
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(removed.rows_affected())
    }
}

/// Puts `events` behind what sessions did before.
async fn add_events(
    connection: &mut Connection,
    id: &PortfolioId,
    day: &str,
    events: &[(Option<StoredOrder>, PaperEvent)],
) -> Result<(), StoreError> {
    let newest =
        query_scalar("SELECT COALESCE(MAX(seq), 0) FROM paper_events WHERE portfolio = $1");
    let mut seq: i64 = newest.bind(id.as_str()).fetch_one(&mut *connection).await?;
    for (order, event) in events {
        seq += 1;
        query(
            "INSERT INTO paper_events (portfolio, seq, day, order_id, document)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id.as_str())
        .bind(seq)
        .bind(day)
        .bind(order.as_ref().map(|order| order.id.as_str()))
        .bind(text("event of a portfolio", event)?)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// What goes on record of an event of `order`.
fn note_of(order: &StoredOrder, event: &PaperEvent) -> Option<AuditNote> {
    match event {
        PaperEvent::Filled { fill, .. } => {
            let mut note = order_note(AuditAction::OrderFilled, order);
            note.details.extend([
                ("day", json!(fill.day)),
                ("filled_shares", json!(fill.shares)),
                ("price", json!(fill.price)),
                ("amount", json!(fill.amount.to_string())),
            ]);
            Some(note)
        }
        PaperEvent::Expired { unfilled, why, .. } => {
            let mut note = order_note(AuditAction::OrderExpired, order);
            note.details.extend([("unfilled_shares", json!(unfilled)), ("why", json!(why))]);
            Some(note)
        }
        PaperEvent::Dividend { .. } | PaperEvent::Shares { .. } | PaperEvent::RightsSold { .. } => {
            None
        }
    }
}

/// The name of a portfolio in the audit.
pub(crate) fn subject(id: &PortfolioId) -> String {
    format!("portfolio:{id}")
}

/// The portfolio `id`, if it is of `account`.
pub(crate) async fn owned(
    connection: &mut Connection,
    account: &AccountId,
    id: &PortfolioId,
) -> Result<Option<StoredPortfolio>, StoreError> {
    let row = query("SELECT * FROM paper_portfolios WHERE id = $1 AND account = $2")
        .bind(id.as_str())
        .bind(account.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(portfolio).transpose()
}

fn portfolio(row: &Row) -> Result<StoredPortfolio, StoreError> {
    Ok(StoredPortfolio {
        id: row.try_get::<&str, _>("id")?.parse().map_err(impossible)?,
        account: row.try_get::<&str, _>("account")?.parse().map_err(impossible)?,
        revision: count(row, "revision")?,
        opened_at: instant_us(row.try_get("opened_at_us")?)?,
        closed_at: maybe_instant_us(row, "closed_at_us")?,
        portfolio: document("portfolio", row)?,
    })
}

pub(crate) fn event(row: &Row) -> Result<PaperEventRecord, StoreError> {
    let order: Option<&str> = row.try_get("order_id")?;
    Ok(PaperEventRecord {
        seq: count(row, "seq")?,
        day: day(row, "day")?,
        order: order.map(|id| id.parse().map_err(impossible)).transpose()?,
        event: document("event of a portfolio", row)?,
    })
}
