//! Things of which one person has several, and which they change from several places at once.

use bist_access::AccountId;
use bist_trading::alert::RuleState;
use jiff::Timestamp;

use crate::columns::{count, json, signed};
use crate::db::{Connection, query};
use crate::error::StoreError;
use crate::personal::{Changed, PersonalTopic, mark};
use crate::pool::Store;

/// What of a person there are several of.
#[derive(Clone, Copy)]
pub(crate) enum Owned {
    Watchlists,
    AlertRules,
}

impl Owned {
    const fn topic(self) -> PersonalTopic {
        match self {
            Self::Watchlists => PersonalTopic::Watchlists,
            Self::AlertRules => PersonalTopic::Alerts,
        }
    }
}

impl Store {
    /// Puts `document` in the place of the thing `id` of `account`, of which `revision` was seen; what
    /// came of a rule before is forgotten.
    pub(crate) async fn change_owned(
        &self,
        owned: Owned,
        (account, id): (&AccountId, &str),
        revision: u64,
        document: &str,
        now: Timestamp,
    ) -> Result<Changed, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let change = match owned {
            Owned::Watchlists => query(
                "UPDATE watchlists SET revision = revision + 1, updated_at_us = $4, document = $5
                 WHERE id = $1 AND account = $2 AND revision = $3",
            ),
            Owned::AlertRules => query(
                "UPDATE alert_rules SET revision = revision + 1, updated_at_us = $4, document = $5,
                     state = $6, state_revision = state_revision + 1
                 WHERE id = $1 AND account = $2 AND revision = $3",
            ),
        };
        let change = change
            .bind(id)
            .bind(account.as_str())
            .bind(signed(revision))
            .bind(now.as_microsecond())
            .bind(document);
        let change = match owned {
            Owned::Watchlists => change,
            Owned::AlertRules => change.bind(json("alert state", &RuleState::default())?),
        };
        if change.execute(&mut *transaction).await?.rows_affected() == 1 {
            mark(&mut transaction, account, owned.topic()).await?;
            transaction.commit().await?;
            return Ok(Changed::Done(revision + 1));
        }
        let stands = query(match owned {
            Owned::Watchlists => "SELECT revision FROM watchlists WHERE id = $1 AND account = $2",
            Owned::AlertRules => "SELECT revision FROM alert_rules WHERE id = $1 AND account = $2",
        });
        let stands =
            stands.bind(id).bind(account.as_str()).fetch_optional(&mut *transaction).await?;
        stands.map_or(Ok(Changed::NotThere), |row| Ok(Changed::Meanwhile(count(&row, "revision")?)))
    }

    /// Removes the thing `id` of `account`; whether there was one.
    pub(crate) async fn remove_owned(
        &self,
        owned: Owned,
        (account, id): (&AccountId, &str),
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let removal = query(match owned {
            Owned::Watchlists => "DELETE FROM watchlists WHERE id = $1 AND account = $2",
            Owned::AlertRules => "DELETE FROM alert_rules WHERE id = $1 AND account = $2",
        });
        let removed = removal.bind(id).bind(account.as_str()).execute(&mut *transaction).await?;
        if removed.rows_affected() == 0 {
            return Ok(false);
        }
        mark(&mut transaction, account, owned.topic()).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// How many of them `account` has.
pub(crate) async fn count_of(
    connection: &mut Connection,
    owned: Owned,
    account: &AccountId,
) -> Result<u64, StoreError> {
    let text = match owned {
        Owned::Watchlists => "SELECT COUNT(*) AS owned FROM watchlists WHERE account = $1",
        Owned::AlertRules => "SELECT COUNT(*) AS owned FROM alert_rules WHERE account = $1",
    };
    count(&query(text).bind(account.as_str()).fetch_one(connection).await?, "owned")
}
