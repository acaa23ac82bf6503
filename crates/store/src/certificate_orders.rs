//! Orders of certificates: whose turn it is, and what the authority has to find.

use jiff::Timestamp;

use crate::columns::{count, impossible, instant_us};
use crate::db::query;
use crate::error::StoreError;
use crate::pool::Store;

/// Whether a process may order a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderTurn {
    /// It may, after so many failures in a row.
    Ours {
        /// How many.
        failures_count: u32,
    },
    /// Another process orders, or the last attempt failed and the next is to wait.
    NotBefore(Timestamp),
}

impl Store {
    /// Lets one process order what `wanted` describes, until `until` at the latest.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn claim_certificate_order(
        &self,
        wanted: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<OrderTurn, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let row = query(
            "SELECT held_until_us, failures_count FROM certificate_orders
             WHERE id = 1 AND wanted = $1",
        )
        .bind(wanted)
        .fetch_optional(&mut *transaction)
        .await?;
        let mut failures_count = 0;
        if let Some(row) = row {
            let held_until = instant_us(row.try_get("held_until_us")?)?;
            if held_until > now {
                return Ok(OrderTurn::NotBefore(held_until));
            }
            failures_count = u32::try_from(count(&row, "failures_count")?).map_err(impossible)?;
        }
        query(
            "INSERT INTO certificate_orders (id, wanted, held_until_us, failures_count)
             VALUES (1, $1, $2, $3)
             ON CONFLICT (id) DO UPDATE SET wanted = excluded.wanted,
                 held_until_us = excluded.held_until_us, failures_count = excluded.failures_count",
        )
        .bind(wanted)
        .bind(until.as_microsecond())
        .bind(i64::from(failures_count))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(OrderTurn::Ours { failures_count })
    }

    /// Notes that the order failed, so many times in a row, and that nobody tries before `retry_at`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn defer_certificate_order(
        &self,
        failures_count: u32,
        retry_at: Timestamp,
    ) -> Result<(), StoreError> {
        query("UPDATE certificate_orders SET held_until_us = $1, failures_count = $2")
            .bind(retry_at.as_microsecond())
            .bind(i64::from(failures_count))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Forgets the order, which was filled, and what the authority had to find.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn end_certificate_order(&self) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        query("DELETE FROM certificate_answers").execute(&mut *transaction).await?;
        query("DELETE FROM certificate_orders").execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Keeps what the authority has to find at `domain`, in place of what it had to before.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn keep_certificate_answer(
        &self,
        domain: &str,
        digest: &str,
    ) -> Result<(), StoreError> {
        query(
            "INSERT INTO certificate_answers (domain, digest) VALUES ($1, $2)
             ON CONFLICT (domain) DO UPDATE SET digest = excluded.digest",
        )
        .bind(domain)
        .bind(digest)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// What the authority has to find at `domain`, while it is asked about.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn certificate_answer(&self, domain: &str) -> Result<Option<String>, StoreError> {
        let row = query("SELECT digest FROM certificate_answers WHERE domain = $1")
            .bind(domain)
            .fetch_optional(&self.reader)
            .await?;
        row.map(|row| Ok(row.try_get("digest")?)).transpose()
    }
}
