//! API keys; of what opens them only a digest is here.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use bist_access::{Account, AccountId, ApiKey, KeyId, TokenDigest};
use jiff::Timestamp;

use crate::access_change::AccessChange;
use crate::accounts::{PASSKEYS_COUNT, stored_account};
use crate::columns::{impossible, instant_us, maybe_instant_us};
use crate::db::{AssertSqlSafe, Row, query};
use crate::error::StoreError;
use crate::pool::Store;

impl Store {
    /// The key of which `digest` is kept, with the account that it belongs to.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn api_key(
        &self,
        digest: &TokenDigest,
    ) -> Result<Option<(ApiKey, Account)>, StoreError> {
        let text = format!(
            "SELECT api_keys.id AS key, api_keys.account, name, scopes, networks,
                    api_keys.created_at_us AS made_at_us, expires_at_us, last_used_at_us,
                    revoked_at_us, replaced_by, auto_rotate, reminded_at_us, is_uncollected,
                    accounts.*, {PASSKEYS_COUNT} AS passkeys_count
             FROM api_keys JOIN accounts ON accounts.id = api_keys.account
             WHERE api_keys.digest = $1"
        );
        let row =
            query(AssertSqlSafe(text)).bind(digest.as_str()).fetch_optional(&self.reader).await?;
        row.as_ref().map(|row| Ok((api_key(row)?, stored_account(row)?.account))).transpose()
    }

    /// The keys of the account `owner`, or of all, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn api_keys(&self, owner: Option<&AccountId>) -> Result<Vec<ApiKey>, StoreError> {
        let rows = query(
            "SELECT id AS key, account, name, scopes, networks, created_at_us AS made_at_us,
                    expires_at_us, last_used_at_us, revoked_at_us, replaced_by, auto_rotate,
                    reminded_at_us, is_uncollected
             FROM api_keys WHERE $1 IS NULL OR account = $1 ORDER BY created_at_us DESC, id",
        )
        .bind(owner.map(AccountId::as_str))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(api_key).collect()
    }

    /// Notes that a key is used at `at`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn see_api_key(&self, id: &KeyId, at: Timestamp) -> Result<(), StoreError> {
        query("UPDATE api_keys SET last_used_at_us = $2 WHERE id = $1")
            .bind(id.as_str())
            .bind(at.as_microsecond())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

impl AccessChange {
    /// The key `id`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn api_key(&mut self, id: &KeyId) -> Result<Option<ApiKey>, StoreError> {
        let row = query(
            "SELECT id AS key, account, name, scopes, networks, created_at_us AS made_at_us,
                    expires_at_us, last_used_at_us, revoked_at_us, replaced_by, auto_rotate,
                    reminded_at_us, is_uncollected
             FROM api_keys WHERE id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(self.connection())
        .await?;
        row.as_ref().map(api_key).transpose()
    }

    /// The keys of the account `owner`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn api_keys(&mut self, owner: &AccountId) -> Result<Vec<ApiKey>, StoreError> {
        let rows = query(
            "SELECT id AS key, account, name, scopes, networks, created_at_us AS made_at_us,
                    expires_at_us, last_used_at_us, revoked_at_us, replaced_by, auto_rotate,
                    reminded_at_us, is_uncollected
             FROM api_keys WHERE account = $1 ORDER BY id",
        )
        .bind(owner.as_str())
        .fetch_all(self.connection())
        .await?;
        rows.iter().map(api_key).collect()
    }

    /// The key in whose place the key `id` was put.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn api_key_before(&mut self, id: &KeyId) -> Result<Option<ApiKey>, StoreError> {
        let row = query(
            "SELECT id AS key, account, name, scopes, networks, created_at_us AS made_at_us,
                    expires_at_us, last_used_at_us, revoked_at_us, replaced_by, auto_rotate,
                    reminded_at_us, is_uncollected
             FROM api_keys WHERE replaced_by = $1",
        )
        .bind(id.as_str())
        .fetch_optional(self.connection())
        .await?;
        row.as_ref().map(api_key).transpose()
    }

    /// Keeps a key that the text of `digest` opens.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn add_api_key(
        &mut self,
        key: &ApiKey,
        digest: &TokenDigest,
    ) -> Result<(), StoreError> {
        query(
            "INSERT INTO api_keys (id, account, digest, name, scopes, networks, created_at_us,
                                   expires_at_us, auto_rotate, is_uncollected)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(key.id.as_str())
        .bind(key.account.as_str())
        .bind(digest.as_str())
        .bind(&key.name)
        .bind(words(&key.scopes))
        .bind(words(&key.networks))
        .bind(key.created_at.as_microsecond())
        .bind(key.expires_at.as_microsecond())
        .bind(i64::from(key.auto_rotate))
        .bind(i64::from(key.is_uncollected))
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Notes when the time of a key is over, when it was taken back, what took its place, when its owner
    /// was reminded, and whether it waits to be collected.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn set_end(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        query(
            "UPDATE api_keys SET expires_at_us = $2, revoked_at_us = $3, replaced_by = $4,
                 reminded_at_us = $5, is_uncollected = $6
             WHERE id = $1",
        )
        .bind(key.id.as_str())
        .bind(key.expires_at.as_microsecond())
        .bind(key.revoked_at.map(Timestamp::as_microsecond))
        .bind(key.replaced_by.as_ref().map(KeyId::as_str))
        .bind(key.reminded_at.map(Timestamp::as_microsecond))
        .bind(i64::from(key.is_uncollected))
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

fn api_key(row: &Row) -> Result<ApiKey, StoreError> {
    let replaced_by: Option<&str> = row.try_get("replaced_by")?;
    let scopes: Vec<_> = parsed(row.try_get("scopes")?)?;
    Ok(ApiKey {
        id: row.try_get::<&str, _>("key")?.parse().map_err(impossible)?,
        account: row.try_get::<&str, _>("account")?.parse().map_err(impossible)?,
        name: row.try_get("name")?,
        scopes: BTreeSet::from_iter(scopes),
        networks: parsed(row.try_get("networks")?)?,
        created_at: instant_us(row.try_get("made_at_us")?)?,
        expires_at: instant_us(row.try_get("expires_at_us")?)?,
        last_used_at: maybe_instant_us(row, "last_used_at_us")?,
        revoked_at: maybe_instant_us(row, "revoked_at_us")?,
        replaced_by: replaced_by.map(str::parse).transpose().map_err(impossible)?,
        auto_rotate: row.try_get::<i64, _>("auto_rotate")? != 0,
        reminded_at: maybe_instant_us(row, "reminded_at_us")?,
        is_uncollected: row.try_get::<i64, _>("is_uncollected")? != 0,
    })
}

/// What stands in a column, word by word.
fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<Vec<T>, StoreError> {
    text.split_whitespace().map(|word| word.parse().map_err(impossible)).collect()
}

/// Words with a blank between them.
fn words<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    words.join(" ")
}
