//! Sessions, and what came of attempts to sign in.

use bist_access::{Account, AccountId, Session, SessionId, TokenDigest};
use jiff::{SignedDuration, Timestamp};

use crate::access_change::AccessChange;
use crate::accounts::{PASSKEYS_COUNT, stored_account};
use crate::columns::{impossible, instant_us, maybe_instant_us};
use crate::db::{AssertSqlSafe, Row, query};
use crate::error::StoreError;
use crate::pool::Store;

/// How long an attempt to sign in is kept: a year.
const SIGN_INS_KEPT_FOR: SignedDuration = SignedDuration::from_hours(24 * 365);

/// From where and with what somebody came, as the network and the browser tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// The address.
    pub address: Option<String>,
    /// What the browser says of itself.
    pub user_agent: Option<String>,
}

/// What came of an attempt to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInOutcome {
    /// Signed in.
    SignedIn,
    /// The password was right; the code is owed.
    CodeOwed,
    /// The password was wrong.
    WrongPassword,
    /// The code was wrong, or used before.
    WrongCode,
    /// The account is disabled, or its owner has set no password yet.
    NotOpen,
}

impl SignInOutcome {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::SignedIn, Self::CodeOwed, Self::WrongPassword, Self::WrongCode, Self::NotOpen];

    /// The outcome as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::CodeOwed => "code_owed",
            Self::WrongPassword => "wrong_password",
            Self::WrongCode => "wrong_code",
            Self::NotOpen => "not_open",
        }
    }
}

/// An attempt to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Its place in the order of all.
    pub number: i64,
    /// When it was.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: SignInOutcome,
    /// From where and with what.
    pub origins: Origins,
}

impl Store {
    /// The session of which `digest` is kept, with its account.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn session(
        &self,
        digest: &TokenDigest,
    ) -> Result<Option<(Session, Account)>, StoreError> {
        let text = format!(
            "SELECT sessions.id AS session, sessions.account, code_given, signed_in_at_us,
                    last_seen_at_us, stepped_up_until_us, address, user_agent, accounts.*,
                    {PASSKEYS_COUNT} AS passkeys_count
             FROM sessions JOIN accounts ON accounts.id = sessions.account
             WHERE sessions.digest = $1"
        );
        let row =
            query(AssertSqlSafe(text)).bind(digest.as_str()).fetch_optional(&self.reader).await?;
        row.as_ref().map(|row| Ok((session(row)?, stored_account(row)?.account))).transpose()
    }

    /// The sessions of the account `id`, the one used last first; some may be over.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn sessions(&self, id: &AccountId) -> Result<Vec<Session>, StoreError> {
        let rows = query(
            "SELECT id AS session, account, code_given, signed_in_at_us, last_seen_at_us,
                    stepped_up_until_us, address, user_agent
             FROM sessions WHERE account = $1 ORDER BY last_seen_at_us DESC, id",
        )
        .bind(id.as_str())
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(session).collect()
    }

    /// Notes that a session is used at `at`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn see_session(&self, id: &SessionId, at: Timestamp) -> Result<(), StoreError> {
        query("UPDATE sessions SET last_seen_at_us = $2 WHERE id = $1")
            .bind(id.as_str())
            .bind(at.as_microsecond())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Attempts to sign in to the account `id`, the newest first: at most `limit`, and of those before
    /// the number `before`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn sign_ins(
        &self,
        id: &AccountId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<SignIn>, StoreError> {
        let rows = query(
            "SELECT number, at_us, outcome, address, user_agent FROM sign_ins
             WHERE account = $1 AND number < $2 ORDER BY number DESC LIMIT $3",
        )
        .bind(id.as_str())
        .bind(before.unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(sign_in).collect()
    }
}

impl AccessChange {
    /// Keeps a session that the token of `digest` opens. Those of the account that began more than
    /// half a day before are over, and go.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn add_session(
        &mut self,
        session: &Session,
        digest: &TokenDigest,
    ) -> Result<(), StoreError> {
        let oldest = session.signed_in_at - bist_access::session::SESSION_TIME_MAX;
        query("DELETE FROM sessions WHERE account = $1 AND signed_in_at_us < $2")
            .bind(session.account.as_str())
            .bind(oldest.as_microsecond())
            .execute(self.connection())
            .await?;
        query(
            "INSERT INTO sessions (id, account, digest, code_given, signed_in_at_us,
                                   last_seen_at_us, stepped_up_until_us, address, user_agent)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(session.id.as_str())
        .bind(session.account.as_str())
        .bind(digest.as_str())
        .bind(i64::from(session.code_given))
        .bind(session.signed_in_at.as_microsecond())
        .bind(session.last_seen_at.as_microsecond())
        .bind(session.stepped_up_until.map(Timestamp::as_microsecond))
        .bind(&session.address)
        .bind(&session.user_agent)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Ends the session `id` of an account; whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn end_session(
        &mut self,
        account: &AccountId,
        id: &SessionId,
    ) -> Result<bool, StoreError> {
        let ended = query("DELETE FROM sessions WHERE account = $1 AND id = $2")
            .bind(account.as_str())
            .bind(id.as_str())
            .execute(self.connection())
            .await?;
        Ok(ended.rows_affected() == 1)
    }

    /// Ends all sessions of an account but `kept`, and returns how many those were.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn end_sessions(
        &mut self,
        account: &AccountId,
        kept: Option<&SessionId>,
    ) -> Result<u64, StoreError> {
        let ended = query("DELETE FROM sessions WHERE account = $1 AND id <> $2")
            .bind(account.as_str())
            .bind(kept.map_or("", SessionId::as_str))
            .execute(self.connection())
            .await?;
        Ok(ended.rows_affected())
    }

    /// Notes until when a fresh proof opens what needs one in a session, and by which token the session
    /// is opened from now on.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn step_up(
        &mut self,
        id: &SessionId,
        digest: &TokenDigest,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        query("UPDATE sessions SET digest = $2, stepped_up_until_us = $3 WHERE id = $1")
            .bind(id.as_str())
            .bind(digest.as_str())
            .bind(until.as_microsecond())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Notes an attempt to sign in to an account, for its owner to see; those of more than a year ago go.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn add_sign_in(
        &mut self,
        account: &AccountId,
        at: Timestamp,
        outcome: SignInOutcome,
        origins: &Origins,
    ) -> Result<(), StoreError> {
        query(
            "INSERT INTO sign_ins (number, account, at_us, outcome, address, user_agent)
             VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM sign_ins), $1, $2, $3, $4, $5)",
        )
        .bind(account.as_str())
        .bind(at.as_microsecond())
        .bind(outcome.as_str())
        .bind(&origins.address)
        .bind(&origins.user_agent)
        .execute(self.connection())
        .await?;
        query("DELETE FROM sign_ins WHERE account = $1 AND at_us < $2")
            .bind(account.as_str())
            .bind((at - SIGN_INS_KEPT_FOR).as_microsecond())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

pub(crate) fn session(row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.try_get::<&str, _>("session")?.parse().map_err(impossible)?,
        account: row.try_get::<&str, _>("account")?.parse().map_err(impossible)?,
        code_given: row.try_get::<i64, _>("code_given")? != 0,
        signed_in_at: instant_us(row.try_get("signed_in_at_us")?)?,
        last_seen_at: instant_us(row.try_get("last_seen_at_us")?)?,
        stepped_up_until: maybe_instant_us(row, "stepped_up_until_us")?,
        address: row.try_get("address")?,
        user_agent: row.try_get("user_agent")?,
    })
}

fn sign_in(row: &Row) -> Result<SignIn, StoreError> {
    let outcome: &str = row.try_get("outcome")?;
    Ok(SignIn {
        number: row.try_get("number")?,
        at: instant_us(row.try_get("at_us")?)?,
        outcome: SignInOutcome::ALL
            .into_iter()
            .find(|known| known.as_str() == outcome)
            .ok_or_else(|| impossible(format!("outcome of a sign-in '{outcome}'")))?,
        origins: Origins {
            address: row.try_get("address")?,
            user_agent: row.try_get("user_agent")?,
        },
    })
}
