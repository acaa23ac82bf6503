//! Passkeys, and the challenges that wait for an answer of one.

use bist_access::{AccountId, Passkey, PasskeyId, SessionId};
use jiff::Timestamp;

use crate::access_change::AccessChange;
use crate::columns::{impossible, instant_us, maybe_instant_us};
use crate::db::{Row, query};
use crate::error::StoreError;
use crate::pool::Store;

/// A passkey with what its signatures are held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPasskey {
    /// The passkey.
    pub passkey: Passkey,
    /// What the authenticator calls it.
    pub credential_id: String,
    /// Its public key and its counter, a JSON object.
    pub credential: String,
}

/// What a browser is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceremony {
    /// A new passkey.
    Registration,
    /// A signature by one that is known.
    Assertion,
}

impl Ceremony {
    /// The ceremony as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Assertion => "assertion",
        }
    }
}

impl Store {
    /// The passkeys of the account `id`, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn passkeys(&self, id: &AccountId) -> Result<Vec<Passkey>, StoreError> {
        let rows = query("SELECT * FROM passkeys WHERE account = $1 ORDER BY created_at_us, id")
            .bind(id.as_str())
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(|row| Ok(stored_passkey(row)?.passkey)).collect()
    }
}

impl AccessChange {
    /// The passkeys of the account `id`, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn passkeys(&mut self, id: &AccountId) -> Result<Vec<StoredPasskey>, StoreError> {
        let rows = query("SELECT * FROM passkeys WHERE account = $1 ORDER BY created_at_us, id")
            .bind(id.as_str())
            .fetch_all(self.connection())
            .await?;
        rows.iter().map(stored_passkey).collect()
    }

    /// Keeps a new passkey; false when an account has it already.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn add_passkey(&mut self, stored: &StoredPasskey) -> Result<bool, StoreError> {
        let StoredPasskey { passkey, credential_id, credential } = stored;
        let added = query(
            "INSERT INTO passkeys (id, account, credential_id, name, credential, created_at_us)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (credential_id) DO NOTHING",
        )
        .bind(passkey.id.as_str())
        .bind(passkey.account.as_str())
        .bind(credential_id)
        .bind(&passkey.name)
        .bind(credential)
        .bind(passkey.created_at.as_microsecond())
        .execute(self.connection())
        .await?;
        Ok(added.rows_affected() == 1)
    }

    /// Notes that a passkey was used at `at`, with what is kept of it from then on.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn use_passkey(
        &mut self,
        id: &PasskeyId,
        credential: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        query("UPDATE passkeys SET credential = $2, last_used_at_us = $3 WHERE id = $1")
            .bind(id.as_str())
            .bind(credential)
            .bind(at.as_microsecond())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Forgets the passkey `id` of an account; whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn remove_passkey(
        &mut self,
        account: &AccountId,
        id: &PasskeyId,
    ) -> Result<bool, StoreError> {
        let removed = query("DELETE FROM passkeys WHERE account = $1 AND id = $2")
            .bind(account.as_str())
            .bind(id.as_str())
            .execute(self.connection())
            .await?;
        Ok(removed.rows_affected() == 1)
    }

    /// Forgets all passkeys of the account `id`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn remove_passkeys(&mut self, id: &AccountId) -> Result<(), StoreError> {
        query("DELETE FROM passkeys WHERE account = $1")
            .bind(id.as_str())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Keeps what the answer to a challenge will be held against, in the place of the one before.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn set_challenge(
        &mut self,
        session: &SessionId,
        ceremony: Ceremony,
        state: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "INSERT INTO passkey_challenges (session, ceremony, state, expires_at_us)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (session, ceremony) DO UPDATE SET state = excluded.state,
                 expires_at_us = excluded.expires_at_us",
        )
        .bind(session.as_str())
        .bind(ceremony.as_str())
        .bind(state)
        .bind(expires_at.as_microsecond())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Uses up the challenge that waits in a session; `None` when there is none that can still be
    /// answered at `now`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn take_challenge(
        &mut self,
        session: &SessionId,
        ceremony: Ceremony,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let row = query(
            "DELETE FROM passkey_challenges WHERE session = $1 AND ceremony = $2
             RETURNING state, expires_at_us",
        )
        .bind(session.as_str())
        .bind(ceremony.as_str())
        .fetch_optional(self.connection())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let is_open = now < instant_us(row.try_get("expires_at_us")?)?;
        Ok(if is_open { Some(row.try_get("state")?) } else { None })
    }
}

fn stored_passkey(row: &Row) -> Result<StoredPasskey, StoreError> {
    Ok(StoredPasskey {
        passkey: Passkey {
            id: row.try_get::<&str, _>("id")?.parse().map_err(impossible)?,
            account: row.try_get::<&str, _>("account")?.parse().map_err(impossible)?,
            name: row.try_get("name")?,
            created_at: instant_us(row.try_get("created_at_us")?)?,
            last_used_at: maybe_instant_us(row, "last_used_at_us")?,
        },
        credential_id: row.try_get("credential_id")?,
        credential: row.try_get("credential")?,
    })
}
