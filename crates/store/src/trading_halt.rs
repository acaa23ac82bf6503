//! Whether paper orders are taken: one switch for all people.

use std::collections::BTreeSet;

use bist_access::AuditAction;
use bist_trading::CancelReason;
use jiff::Timestamp;
use serde_json::json;

use crate::audit::{Audit, AuditNote, append};
use crate::columns::{count, instant_us};
use crate::db::{Connection, Row, query};
use crate::error::StoreError;
use crate::orders::{all_open_orders, cancel_all, raise_revision};
use crate::personal::{PersonalTopic, mark};
use crate::pool::Store;

/// How the switch stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradingHalt {
    /// Whether trading is halted.
    pub is_halted: bool,
    /// Why, in the words of whoever changed it last.
    pub reason: String,
    /// When that was.
    pub changed_at: Timestamp,
    /// Who did so, as the audit writes them.
    pub changed_by: String,
}

impl Store {
    /// How the switch stands, `None` before anybody has halted trading, and how many orders of all people
    /// are open; one view of the database.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn trading_halt(&self) -> Result<(Option<TradingHalt>, u64), StoreError> {
        let mut view = self.reader.begin().await?;
        let row =
            query("SELECT * FROM trading_halt WHERE id = 1").fetch_optional(&mut *view).await?;
        let open = query("SELECT COUNT(*) AS open_count FROM paper_orders WHERE is_open = 1")
            .fetch_one(&mut *view)
            .await?;
        Ok((row.as_ref().map(halt).transpose()?, count(&open, "open_count")?))
    }

    /// Halts trading for `reason`, and cancels all open orders; whether it did: not when it is halted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or nothing can be put on record; nothing is changed then.
    pub async fn halt_trading(&self, reason: &str, audit: &Audit) -> Result<bool, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        if is_halted(&mut transaction).await? {
            return Ok(false);
        }
        set(&mut transaction, true, reason, audit).await?;
        let orders = all_open_orders(&mut transaction).await?;
        let portfolios: BTreeSet<_> =
            orders.iter().map(|order| (order.account.clone(), order.portfolio.clone())).collect();
        let cancelled = cancel_all(&mut transaction, orders, CancelReason::Halt, audit.at).await?;
        for (account, portfolio) in &portfolios {
            raise_revision(&mut transaction, portfolio).await?;
            mark(&mut transaction, account, PersonalTopic::Orders).await?;
        }
        let details =
            [("reason", json!(reason)), ("cancelled_orders_count", json!(cancelled.len()))];
        let mut notes =
            vec![AuditNote::new(AuditAction::TradingHalted, "trading".to_owned(), details)];
        notes.extend(cancelled);
        append(&mut transaction, audit, notes).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Takes orders again; whether it did: not when trading was not halted.
    ///
    /// # Errors
    ///
    /// As [`Store::halt_trading`].
    pub async fn resume_trading(&self, reason: &str, audit: &Audit) -> Result<bool, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        if !is_halted(&mut transaction).await? {
            return Ok(false);
        }
        set(&mut transaction, false, reason, audit).await?;
        let details = [("reason", json!(reason))];
        let note = AuditNote::new(AuditAction::TradingResumed, "trading".to_owned(), details);
        append(&mut transaction, audit, vec![note]).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Whether trading is halted at this moment of a transaction.
pub(crate) async fn is_halted(connection: &mut Connection) -> Result<bool, StoreError> {
    let row = query("SELECT * FROM trading_halt WHERE id = 1").fetch_optional(connection).await?;
    Ok(row.as_ref().map(halt).transpose()?.is_some_and(|halt| halt.is_halted))
}

async fn set(
    connection: &mut Connection,
    is_halted: bool,
    reason: &str,
    audit: &Audit,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO trading_halt (id, is_halted, reason, changed_at_us, changed_by)
         VALUES (1, $1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET is_halted = excluded.is_halted, reason = excluded.reason,
             changed_at_us = excluded.changed_at_us, changed_by = excluded.changed_by",
    )
    .bind(i64::from(is_halted))
    .bind(reason)
    .bind(audit.at.as_microsecond())
    .bind(audit.actor.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

fn halt(row: &Row) -> Result<TradingHalt, StoreError> {
    Ok(TradingHalt {
        is_halted: row.try_get::<i64, _>("is_halted")? == 1,
        reason: row.try_get("reason")?,
        changed_at: instant_us(row.try_get("changed_at_us")?)?,
        changed_by: row.try_get("changed_by")?,
    })
}
