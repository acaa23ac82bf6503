//! What belongs to one person: watchlists and settings, and how far all of it has come.

use bist_access::{AccountId, WatchlistId};
use bist_trading::{UserSettings, Watchlist};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access_change::AccessChange;
use crate::columns::{count, document, impossible, instant_us, json, signed};
use crate::db::{Connection, Row, query};
use crate::error::StoreError;
use crate::owned::{Owned, count_of};
use crate::pool::Store;

/// What of one person has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PersonalTopic {
    /// Their watchlists.
    Watchlists,
    /// Their settings.
    Settings,
    /// Their rules, alerts and channels.
    Alerts,
    /// Their paper portfolios and orders.
    Orders,
}

impl PersonalTopic {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Watchlists, Self::Settings, Self::Alerts, Self::Orders];

    /// Its name in the store and the live stream.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Watchlists => "watchlists",
            Self::Settings => "settings",
            Self::Alerts => "alerts",
            Self::Orders => "orders",
        }
    }
}

/// How far what belongs to one person has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalMark {
    /// Whose.
    pub account: AccountId,
    /// What of it.
    pub topic: PersonalTopic,
    /// The number of the newest change, which no other change of the topic has.
    pub mark: i64,
}

/// What is kept of something that people change, and which change of it that is.
#[derive(Clone, Debug, PartialEq)]
pub struct Revised<T> {
    /// The thing.
    pub value: T,
    /// How often it was written, from one.
    pub revision: u64,
    /// When it was written last.
    pub updated_at: Timestamp,
}

/// What became of a change that names the revision it is made to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is done; this is the revision now.
    Done(u64),
    /// Somebody was quicker; this is the revision that stands.
    Meanwhile(u64),
    /// There is no such thing of this person.
    NotThere,
}

/// A list of shares of one person.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredWatchlist {
    /// Its name for programs.
    pub id: WatchlistId,
    /// When it was made.
    pub created_at: Timestamp,
    /// The list.
    pub list: Revised<Watchlist>,
}

impl Store {
    /// How far everything has come that belongs to people.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn personal_marks(&self) -> Result<Vec<PersonalMark>, StoreError> {
        let rows = query(
            "SELECT account, topic, mark FROM personal_marks
             UNION ALL SELECT account, 'orders' AS topic, mark FROM paper_marks
             ORDER BY account, topic",
        )
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| {
                let topic: &str = row.try_get("topic")?;
                let known = PersonalTopic::ALL.into_iter().find(|known| known.as_str() == topic);
                Ok(PersonalMark {
                    account: row.try_get::<&str, _>("account")?.parse().map_err(impossible)?,
                    topic: known.ok_or_else(|| impossible(format!("personal topic '{topic}'")))?,
                    mark: row.try_get("mark")?,
                })
            })
            .collect()
    }

    /// The lists of `account`, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn watchlists(
        &self,
        account: &AccountId,
    ) -> Result<Vec<StoredWatchlist>, StoreError> {
        let rows = query("SELECT * FROM watchlists WHERE account = $1 ORDER BY created_at_us, id")
            .bind(account.as_str())
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(watchlist).collect()
    }

    /// What `account` has set; `None` before they have.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn user_settings(
        &self,
        account: &AccountId,
    ) -> Result<Option<Revised<UserSettings>>, StoreError> {
        let row = query("SELECT * FROM user_settings WHERE account = $1")
            .bind(account.as_str())
            .fetch_optional(&self.reader)
            .await?;
        row.as_ref().map(|row| revised("settings", row)).transpose()
    }

    /// Keeps a new list unless there are `lists_max` already; whether it did.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn add_watchlist(
        &self,
        account: &AccountId,
        id: &WatchlistId,
        list: &Watchlist,
        lists_max: usize,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        if count_of(&mut transaction, Owned::Watchlists, account).await? >= lists_max as u64 {
            return Ok(false);
        }
        query(
            "INSERT INTO watchlists (id, account, revision, created_at_us, updated_at_us, document)
             VALUES ($1, $2, 1, $3, $3, $4)",
        )
        .bind(id.as_str())
        .bind(account.as_str())
        .bind(now.as_microsecond())
        .bind(json("watchlist", list)?)
        .execute(&mut *transaction)
        .await?;
        mark(&mut transaction, account, PersonalTopic::Watchlists).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Puts `list` in the place of the list `id` of `account`, of which `revision` was seen.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn change_watchlist(
        &self,
        account: &AccountId,
        id: &WatchlistId,
        revision: u64,
        list: &Watchlist,
        now: Timestamp,
    ) -> Result<Changed, StoreError> {
        let list = json("watchlist", list)?;
        self.change_owned(Owned::Watchlists, (account, id.as_str()), revision, &list, now).await
    }

    /// Removes the list `id` of `account`; whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn remove_watchlist(
        &self,
        account: &AccountId,
        id: &WatchlistId,
    ) -> Result<bool, StoreError> {
        self.remove_owned(Owned::Watchlists, (account, id.as_str())).await
    }

    /// Keeps what `account` has set, who has seen `revision`: zero before anything was set.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn set_user_settings(
        &self,
        account: &AccountId,
        revision: u64,
        settings: &UserSettings,
        now: Timestamp,
    ) -> Result<Changed, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let stands = query("SELECT revision FROM user_settings WHERE account = $1")
            .bind(account.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let stands = stands.map_or(Ok(0), |row| count(&row, "revision"))?;
        if stands != revision {
            return Ok(Changed::Meanwhile(stands));
        }
        query(
            "INSERT INTO user_settings (account, revision, updated_at_us, document)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (account) DO UPDATE SET revision = excluded.revision,
                 updated_at_us = excluded.updated_at_us, document = excluded.document",
        )
        .bind(account.as_str())
        .bind(signed(revision + 1))
        .bind(now.as_microsecond())
        .bind(json("settings", settings)?)
        .execute(&mut *transaction)
        .await?;
        mark(&mut transaction, account, PersonalTopic::Settings).await?;
        transaction.commit().await?;
        Ok(Changed::Done(revision + 1))
    }
}

impl AccessChange {
    /// Forgets everything that belonged to the person of `account`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub(crate) async fn forget_personal(&mut self, account: &AccountId) -> Result<(), StoreError> {
        // The numbers of changes stay: one that was given is not given again.
        for text in [
            "DELETE FROM alert_deliveries WHERE alert IN (SELECT id FROM alerts WHERE account = $1)",
            "DELETE FROM alerts WHERE account = $1",
            "DELETE FROM alert_rules WHERE account = $1",
            "DELETE FROM alert_channels WHERE account = $1",
            "DELETE FROM user_settings WHERE account = $1",
            "DELETE FROM watchlists WHERE account = $1",
            "DELETE FROM activities WHERE account = $1",
            "DELETE FROM paper_portfolios WHERE account = $1",
        ] {
            query(text).bind(account.as_str()).execute(self.connection()).await?;
        }
        self.forget_usage(account).await
    }
}

/// Notes that something of `account` has changed, for those who listen. Within a transaction that goes
/// on alone.
pub(crate) async fn mark(
    connection: &mut Connection,
    account: &AccountId,
    topic: PersonalTopic,
) -> Result<(), StoreError> {
    let noting = match topic {
        PersonalTopic::Watchlists | PersonalTopic::Settings | PersonalTopic::Alerts => query(
            "INSERT INTO personal_marks (account, topic, mark)
             SELECT $1, $2, COALESCE(MAX(mark), 0) + 1 FROM personal_marks WHERE TRUE
             ON CONFLICT (account, topic) DO UPDATE SET mark = excluded.mark",
        )
        .bind(account.as_str())
        .bind(topic.as_str()),
        PersonalTopic::Orders => query(
            "INSERT INTO paper_marks (account, mark)
             SELECT $1, COALESCE(MAX(mark), 0) + 1 FROM paper_marks WHERE TRUE
             ON CONFLICT (account) DO UPDATE SET mark = excluded.mark",
        )
        .bind(account.as_str()),
    };
    noting.execute(connection).await?;
    Ok(())
}

/// What a row with `document`, `revision` and `updated_at_us` keeps.
pub(crate) fn revised<T: serde::de::DeserializeOwned>(
    what: &'static str,
    row: &Row,
) -> Result<Revised<T>, StoreError> {
    Ok(Revised {
        value: document(what, row)?,
        revision: count(row, "revision")?,
        updated_at: instant_us(row.try_get("updated_at_us")?)?,
    })
}

fn watchlist(row: &Row) -> Result<StoredWatchlist, StoreError> {
    Ok(StoredWatchlist {
        id: row.try_get::<&str, _>("id")?.parse().map_err(impossible)?,
        created_at: instant_us(row.try_get("created_at_us")?)?,
        list: revised("watchlist", row)?,
    })
}
