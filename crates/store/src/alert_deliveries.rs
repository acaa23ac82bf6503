//! The outbox of alerts: who takes a delivery up, and what became of it.

use bist_access::{AccountId, AlertId};
use bist_trading::alert::ChannelAddress;
use bist_trading::{Channel, UserSettings};
use jiff::Timestamp;

use crate::alerts::{AlertDocument, DeliveryState};
use crate::columns::{document, impossible, instant_us};
use crate::db::{Row, query};
use crate::error::StoreError;
use crate::personal::{PersonalTopic, mark};
use crate::pool::Store;

/// A delivery that somebody has taken up.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedDelivery {
    /// The alert.
    pub alert: AlertId,
    /// Whom it is for.
    pub account: AccountId,
    /// By which channel.
    pub channel: Channel,
    /// Which attempt this is, from one.
    pub attempt: u32,
    /// Where to; `None` when the channel was taken away since.
    pub address: Option<ChannelAddress>,
    /// When the alert was fired.
    pub fired_at: Timestamp,
    /// What it says.
    pub document: AlertDocument,
    /// What its owner has set, if anything.
    pub settings: Option<UserSettings>,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// Whoever it is for has it.
    Delivered,
    /// It is tried again.
    Again {
        /// When.
        due_at: Timestamp,
        /// What went wrong.
        problem: String,
    },
    /// It is tried no more.
    Failed {
        /// What went wrong.
        problem: String,
    },
}

impl Store {
    /// Takes up at most `limit` deliveries by `channel` that are due at `now`, until `until`: whoever takes them up
    /// and has not said by then what became of them is given up, and they are due again.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn claim_deliveries(
        &self,
        channel: Channel,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedDelivery>, StoreError> {
        let is_due = query(
            "SELECT 1 AS due FROM alert_deliveries
             WHERE state = $1 AND channel = $2 AND due_at_us <= $3 LIMIT 1",
        )
        .bind(DeliveryState::Waiting.as_str())
        .bind(channel.as_str())
        .bind(now.as_microsecond())
        .fetch_optional(&self.reader)
        .await?;
        if is_due.is_none() {
            return Ok(Vec::new());
        }
        let mut transaction = self.writer.begin_alone().await?;
        let rows = query(
            "SELECT d.alert, d.channel, d.attempts_count + 1 AS attempt, a.account, a.fired_at_us,
                    a.document, c.document AS address, s.document AS settings
             FROM alert_deliveries AS d JOIN alerts AS a ON a.id = d.alert
             LEFT JOIN alert_channels AS c ON c.account = a.account AND c.channel = d.channel
             LEFT JOIN user_settings AS s ON s.account = a.account
             WHERE d.state = $1 AND d.channel = $2 AND d.due_at_us <= $3
             ORDER BY d.due_at_us, d.alert LIMIT $4",
        )
        .bind(DeliveryState::Waiting.as_str())
        .bind(channel.as_str())
        .bind(now.as_microsecond())
        .bind(i64::from(limit))
        .fetch_all(&mut *transaction)
        .await?;
        let claimed: Vec<ClaimedDelivery> =
            rows.iter().map(claimed_delivery).collect::<Result<_, _>>()?;
        for delivery in &claimed {
            query(
                "UPDATE alert_deliveries SET attempts_count = attempts_count + 1, due_at_us = $3
                 WHERE alert = $1 AND channel = $2",
            )
            .bind(delivery.alert.as_str())
            .bind(delivery.channel.as_str())
            .bind(until.as_microsecond())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(claimed)
    }

    /// Notes what became of a delivery, unless somebody else has taken it up since; whether it was
    /// noted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn note_delivery(
        &self,
        delivery: &ClaimedDelivery,
        outcome: &DeliveryOutcome,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (state, due_at, problem) = match outcome {
            DeliveryOutcome::Delivered => (DeliveryState::Delivered, now, None),
            DeliveryOutcome::Again { due_at, problem } => {
                (DeliveryState::Waiting, *due_at, Some(problem.as_str()))
            }
            DeliveryOutcome::Failed { problem } => {
                (DeliveryState::Failed, now, Some(problem.as_str()))
            }
        };
        let has_ended = state != DeliveryState::Waiting;
        let mut transaction = self.writer.begin_alone().await?;
        let noted = query(
            "UPDATE alert_deliveries SET state = $4, due_at_us = $5, ended_at_us = $6, problem = $7
             WHERE alert = $1 AND channel = $2 AND attempts_count = $3 AND ended_at_us IS NULL",
        )
        .bind(delivery.alert.as_str())
        .bind(delivery.channel.as_str())
        .bind(i64::from(delivery.attempt))
        .bind(state.as_str())
        .bind(due_at.as_microsecond())
        .bind(has_ended.then(|| now.as_microsecond()))
        .bind(problem)
        .execute(&mut *transaction)
        .await?;
        if noted.rows_affected() == 0 {
            return Ok(false);
        }
        mark(&mut transaction, &delivery.account, PersonalTopic::Alerts).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

fn claimed_delivery(row: &Row) -> Result<ClaimedDelivery, StoreError> {
    Ok(ClaimedDelivery {
        alert: row.try_get::<&str, _>("alert")?.parse().map_err(impossible)?,
        account: row.try_get::<&str, _>("account")?.parse().map_err(impossible)?,
        channel: row.try_get::<&str, _>("channel")?.parse().map_err(impossible)?,
        attempt: u32::try_from(row.try_get::<i64, _>("attempt")?).map_err(impossible)?,
        address: maybe_document("alert channel", row.try_get("address")?)?,
        fired_at: instant_us(row.try_get("fired_at_us")?)?,
        document: document("alert", row)?,
        settings: maybe_document("settings", row.try_get("settings")?)?,
    })
}

fn maybe_document<T: serde::de::DeserializeOwned>(
    what: &'static str,
    text: Option<&str>,
) -> Result<Option<T>, StoreError> {
    let read = text.map(serde_json::from_str).transpose();
    read.map_err(|source| StoreError::Document { what, source })
}
