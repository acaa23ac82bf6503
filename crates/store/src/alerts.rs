//! Rules of alerts, what they fired, and where their owners are told.

use bist_access::{AccountId, AlertId, AlertRuleId};
use bist_trading::alert::{AlertText, ChannelAddress, Fact, Observed, RuleState};
use bist_trading::{AlertRule, Channel, Condition};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access_change::AccessChange;
use crate::columns::{count, document, impossible, instant_us, json, maybe_instant_us, signed};
use crate::db::{Connection, Row, query};
use crate::error::StoreError;
use crate::owned::{Owned, count_of};
use crate::personal::{Changed, PersonalTopic, Revised, mark, revised};
use crate::pool::Store;

/// Alerts of one person that are kept: the newest.
const ALERTS_KEPT_MAX: i64 = 1_000;

/// A rule of one person, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRule {
    /// Its name for programs.
    pub id: AlertRuleId,
    /// Whose it is.
    pub account: AccountId,
    /// When it was made.
    pub created_at: Timestamp,
    /// The rule.
    pub rule: Revised<AlertRule>,
    /// What came of it.
    pub state: RuleState,
    state_revision: i64,
}

/// Where somebody is told.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredChannel {
    /// Where.
    pub address: ChannelAddress,
    /// Since when.
    pub set_at: Timestamp,
}

/// What an alert says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertDocument {
    /// What the owner of the rule called it.
    pub rule_name: String,
    /// What it waited for; `None` for a test.
    pub condition: Option<Condition>,
    /// As of when.
    pub as_of: Option<String>,
    /// What was seen.
    pub observed: Option<Observed>,
    /// The same in words.
    pub text: AlertText,
}

/// An alert that is to be kept, with how it is told.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAlert {
    /// Its name.
    pub id: AlertId,
    /// Whom it is for.
    pub account: AccountId,
    /// The rule that fired; `None` for a test.
    pub rule: Option<AlertRuleId>,
    /// What fired it, as the history knows it.
    pub fact: String,
    /// When.
    pub fired_at: Timestamp,
    /// What it says.
    pub document: AlertDocument,
    /// By what it is told besides the web app.
    pub channels: Vec<Channel>,
    /// From when on it is told there.
    pub due_at: Timestamp,
}

impl NewAlert {
    /// The name under which the history keeps `fact` of a rule as it was written `revision` times.
    pub fn fact_of(revision: u64, fact: &Fact) -> String {
        format!("{revision}:{}", fact.key)
    }
}

/// An alert, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Its name.
    pub id: AlertId,
    /// Its place in the history of its owner, from one.
    pub number: u64,
    /// The rule that fired; `None` for a test.
    pub rule: Option<AlertRuleId>,
    /// When.
    pub fired_at: Timestamp,
    /// When its owner read it.
    pub read_at: Option<Timestamp>,
    /// What it says.
    pub document: AlertDocument,
    /// How it was told, by channel.
    pub deliveries: Vec<Delivery>,
}

/// How an alert was told by a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// By which.
    pub channel: Channel,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts_count: u64,
    /// When it is tried next, while it waits.
    pub due_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What the last attempt that failed said.
    pub problem: Option<String>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is tried, or will be.
    Waiting,
    /// Whoever it is for has it.
    Delivered,
    /// It is tried no more.
    Failed,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Failed];

    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

impl Store {
    /// The rules of `account`, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn alert_rules(&self, account: &AccountId) -> Result<Vec<StoredRule>, StoreError> {
        let rows = query("SELECT * FROM alert_rules WHERE account = $1 ORDER BY created_at_us, id")
            .bind(account.as_str())
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(rule).collect()
    }

    /// The rules that are to be looked at: those that are on, of people who may sign in.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn alert_rules_in_force(&self) -> Result<Vec<StoredRule>, StoreError> {
        let rows = query(
            "SELECT r.* FROM alert_rules AS r JOIN accounts AS a ON a.id = r.account
             WHERE a.state = 'active' ORDER BY r.account, r.created_at_us, r.id",
        )
        .fetch_all(&self.reader)
        .await?;
        let rules: Result<Vec<StoredRule>, StoreError> = rows.iter().map(rule).collect();
        Ok(rules?.into_iter().filter(|stored| stored.rule.value.enabled).collect())
    }

    /// Keeps a new rule unless there are `rules_max` already; whether it did.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn add_alert_rule(
        &self,
        account: &AccountId,
        id: &AlertRuleId,
        rule: &AlertRule,
        rules_max: usize,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        if count_of(&mut transaction, Owned::AlertRules, account).await? >= rules_max as u64 {
            return Ok(false);
        }
        query(
            "INSERT INTO alert_rules (id, account, revision, created_at_us, updated_at_us, document,
                                      state, state_revision)
             VALUES ($1, $2, 1, $3, $3, $4, $5, 1)",
        )
        .bind(id.as_str())
        .bind(account.as_str())
        .bind(now.as_microsecond())
        .bind(json("alert rule", rule)?)
        .bind(json("alert state", &RuleState::default())?)
        .execute(&mut *transaction)
        .await?;
        mark(&mut transaction, account, PersonalTopic::Alerts).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Puts `rule` in the place of the rule `id` of `account`, of which `revision` was seen; what came of
    /// the one before is forgotten.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn change_alert_rule(
        &self,
        account: &AccountId,
        id: &AlertRuleId,
        revision: u64,
        rule: &AlertRule,
        now: Timestamp,
    ) -> Result<Changed, StoreError> {
        let rule = json("alert rule", rule)?;
        self.change_owned(Owned::AlertRules, (account, id.as_str()), revision, &rule, now).await
    }

    /// Removes the rule `id` of `account`; whether there was one. What it fired stays.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn remove_alert_rule(
        &self,
        account: &AccountId,
        id: &AlertRuleId,
    ) -> Result<bool, StoreError> {
        self.remove_owned(Owned::AlertRules, (account, id.as_str())).await
    }

    /// Keeps what came of a rule that was read before, and what it fired, in one transaction; whether it
    /// did: of several processes that looked at the same state one does, and none when the rule was
    /// changed meanwhile or the fact has fired it before.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn save_rule_step(
        &self,
        stored: &StoredRule,
        state: &RuleState,
        fires: Option<&NewAlert>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let kept = query(
            "UPDATE alert_rules SET state = $4, state_revision = state_revision + 1
             WHERE id = $1 AND revision = $2 AND state_revision = $3",
        )
        .bind(stored.id.as_str())
        .bind(signed(stored.rule.revision))
        .bind(stored.state_revision)
        .bind(json("alert state", state)?)
        .execute(&mut *transaction)
        .await?;
        if kept.rows_affected() == 0 {
            return Ok(false);
        }
        let is_new = match fires {
            Some(alert) => insert(&mut transaction, alert).await?,
            None => true,
        };
        mark(&mut transaction, &stored.account, PersonalTopic::Alerts).await?;
        transaction.commit().await?;
        Ok(is_new)
    }

    /// Keeps an alert that no rule fired.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn add_alert(&self, alert: &NewAlert) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        insert(&mut transaction, alert).await?;
        mark(&mut transaction, &alert.account, PersonalTopic::Alerts).await?;
        Ok(transaction.commit().await?)
    }

    /// Tests of `account` since an instant.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn alert_tests_since(
        &self,
        account: &AccountId,
        since: Timestamp,
    ) -> Result<u64, StoreError> {
        let row = query(
            "SELECT COUNT(*) AS tests FROM alerts
             WHERE account = $1 AND rule IS NULL AND fired_at_us >= $2",
        )
        .bind(account.as_str())
        .bind(since.as_microsecond())
        .fetch_one(&self.reader)
        .await?;
        count(&row, "tests")
    }

    /// The newest alerts of `account`, before the place `before` where it is given.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn alerts(
        &self,
        account: &AccountId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Alert>, StoreError> {
        let mut transaction = self.reader.begin().await?;
        let rows = query(
            "SELECT * FROM alerts WHERE account = $1 AND number < $2 ORDER BY number DESC LIMIT $3",
        )
        .bind(account.as_str())
        .bind(before.map_or(i64::MAX, signed))
        .bind(i64::from(limit))
        .fetch_all(&mut *transaction)
        .await?;
        let mut alerts: Vec<Alert> = rows.iter().map(alert).collect::<Result<_, _>>()?;
        for alert in &mut alerts {
            let rows = query("SELECT * FROM alert_deliveries WHERE alert = $1 ORDER BY channel")
                .bind(alert.id.as_str())
                .fetch_all(&mut *transaction)
                .await?;
            alert.deliveries = rows.iter().map(delivery).collect::<Result<_, _>>()?;
        }
        Ok(alerts)
    }

    /// How many alerts `account` has not read.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn unread_alerts_count(&self, account: &AccountId) -> Result<u64, StoreError> {
        let row = query(
            "SELECT COUNT(*) AS unread FROM alerts WHERE account = $1 AND read_at_us IS NULL",
        )
        .bind(account.as_str())
        .fetch_one(&self.reader)
        .await?;
        count(&row, "unread")
    }

    /// Notes that `account` has read everything up to the place `number`; how many were new.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn read_alerts(
        &self,
        account: &AccountId,
        number: u64,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let read = query(
            "UPDATE alerts SET read_at_us = $3
             WHERE account = $1 AND number <= $2 AND read_at_us IS NULL",
        )
        .bind(account.as_str())
        .bind(signed(number))
        .bind(now.as_microsecond())
        .execute(&mut *transaction)
        .await?;
        if read.rows_affected() > 0 {
            mark(&mut transaction, account, PersonalTopic::Alerts).await?;
            transaction.commit().await?;
        }
        Ok(read.rows_affected())
    }

    /// Where `account` is told.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn alert_channels(
        &self,
        account: &AccountId,
    ) -> Result<Vec<StoredChannel>, StoreError> {
        let rows = query("SELECT * FROM alert_channels WHERE account = $1 ORDER BY channel")
            .bind(account.as_str())
            .fetch_all(&self.reader)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(StoredChannel {
                    address: document("alert channel", row)?,
                    set_at: instant_us(row.try_get("set_at_us")?)?,
                })
            })
            .collect()
    }
}

impl AccessChange {
    /// Tells `account` at `address` from now on.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn set_alert_channel(
        &mut self,
        account: &AccountId,
        address: &ChannelAddress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "INSERT INTO alert_channels (account, channel, set_at_us, document)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (account, channel) DO UPDATE SET set_at_us = excluded.set_at_us,
                 document = excluded.document",
        )
        .bind(account.as_str())
        .bind(address.channel().as_str())
        .bind(now.as_microsecond())
        .bind(json("alert channel", address)?)
        .execute(self.connection())
        .await?;
        mark(self.connection(), account, PersonalTopic::Alerts).await
    }

    /// Tells `account` by `channel` no more; whether they were told there.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn remove_alert_channel(
        &mut self,
        account: &AccountId,
        channel: Channel,
    ) -> Result<bool, StoreError> {
        let removed = query("DELETE FROM alert_channels WHERE account = $1 AND channel = $2")
            .bind(account.as_str())
            .bind(channel.as_str())
            .execute(self.connection())
            .await?;
        if removed.rows_affected() == 0 {
            return Ok(false);
        }
        mark(self.connection(), account, PersonalTopic::Alerts).await?;
        Ok(true)
    }
}

/// Keeps `alert` with how it is told, and forgets the oldest; false when its fact has fired its rule
/// before.
async fn insert(connection: &mut Connection, alert: &NewAlert) -> Result<bool, StoreError> {
    let row = query("SELECT COALESCE(MAX(number), 0) + 1 AS next FROM alerts WHERE account = $1")
        .bind(alert.account.as_str())
        .fetch_one(&mut *connection)
        .await?;
    let number: i64 = row.try_get("next")?;
    let fired_at_us = alert.fired_at.as_microsecond();
    let inserted = query(
        "INSERT INTO alerts (id, account, number, rule, fact, fired_at_us, document)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (rule, fact) DO NOTHING",
    )
    .bind(alert.id.as_str())
    .bind(alert.account.as_str())
    .bind(number)
    .bind(alert.rule.as_ref().map(AlertRuleId::as_str))
    .bind(&alert.fact)
    .bind(fired_at_us)
    .bind(json("alert", &alert.document)?)
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    for channel in std::iter::once(Channel::Web).chain(alert.channels.iter().copied()) {
        let (state, ended_at_us) = match channel {
            // Its place is the history.
            Channel::Web => (DeliveryState::Delivered, Some(fired_at_us)),
            Channel::Email | Channel::Telegram | Channel::Webhook => (DeliveryState::Waiting, None),
        };
        query(
            "INSERT INTO alert_deliveries (alert, channel, state, attempts_count, due_at_us,
                                           ended_at_us)
             VALUES ($1, $2, $3, 0, $4, $5) ON CONFLICT (alert, channel) DO NOTHING",
        )
        .bind(alert.id.as_str())
        .bind(channel.as_str())
        .bind(state.as_str())
        .bind(alert.due_at.as_microsecond())
        .bind(ended_at_us)
        .execute(&mut *connection)
        .await?;
    }
    query("DELETE FROM alerts WHERE account = $1 AND number <= $2")
        .bind(alert.account.as_str())
        .bind(number - ALERTS_KEPT_MAX)
        .execute(&mut *connection)
        .await?;
    Ok(true)
}

fn rule(row: &Row) -> Result<StoredRule, StoreError> {
    let state: &str = row.try_get("state")?;
    Ok(StoredRule {
        id: row.try_get::<&str, _>("id")?.parse().map_err(impossible)?,
        account: row.try_get::<&str, _>("account")?.parse().map_err(impossible)?,
        created_at: instant_us(row.try_get("created_at_us")?)?,
        rule: revised("alert rule", row)?,
        state: serde_json::from_str(state)
            .map_err(|source| StoreError::Document { what: "alert state", source })?,
        state_revision: row.try_get("state_revision")?,
    })
}

fn alert(row: &Row) -> Result<Alert, StoreError> {
    let rule: Option<&str> = row.try_get("rule")?;
    Ok(Alert {
        id: row.try_get::<&str, _>("id")?.parse().map_err(impossible)?,
        number: count(row, "number")?,
        rule: rule.map(str::parse).transpose().map_err(impossible)?,
        fired_at: instant_us(row.try_get("fired_at_us")?)?,
        read_at: maybe_instant_us(row, "read_at_us")?,
        document: document("alert", row)?,
        deliveries: Vec::new(),
    })
}

fn delivery(row: &Row) -> Result<Delivery, StoreError> {
    let state: &str = row.try_get("state")?;
    let known = DeliveryState::ALL.into_iter().find(|known| known.as_str() == state);
    Ok(Delivery {
        channel: row.try_get::<&str, _>("channel")?.parse().map_err(impossible)?,
        state: known.ok_or_else(|| impossible(format!("state of a delivery '{state}'")))?,
        attempts_count: count(row, "attempts_count")?,
        due_at: instant_us(row.try_get("due_at_us")?)?,
        ended_at: maybe_instant_us(row, "ended_at_us")?,
        problem: row.try_get("problem")?,
    })
}
