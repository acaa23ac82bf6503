//! Accounts, with the hashes that prove who is their owner.

use bist_access::{
    Account, AccountId, AccountState, Authenticator, HashedPassword, Role, SecondFactor,
    TokenDigest, UserName,
};
use jiff::Timestamp;

use crate::access_change::AccessChange;
use crate::audit::Audit;
use crate::columns::{count, impossible, instant_us, maybe_instant_us, signed};
use crate::db::{AssertSqlSafe, Connection, Row, query};
use crate::error::StoreError;
use crate::pool::Store;

/// How many passkeys the account of a row has.
pub(crate) const PASSKEYS_COUNT: &str =
    "(SELECT COUNT(*) FROM passkeys WHERE passkeys.account = accounts.id)";

/// An account with what is kept of its password.
#[derive(Clone, Debug)]
pub struct StoredAccount {
    /// The account.
    pub account: Account,
    /// The hash of its password; `None` before its owner has set one.
    pub password: Option<HashedPassword>,
}

/// What an invitation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationPurpose {
    /// The owner of a new account sets the first password.
    New,
    /// A password was forgotten, or is not to be used any more.
    Reset,
}

impl InvitationPurpose {
    /// The purpose as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reset => "reset",
        }
    }
}

/// What lets somebody set the password of an account; the token itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The account.
    pub account: AccountId,
    /// What is kept of the token.
    pub digest: TokenDigest,
    /// What it is for.
    pub purpose: InvitationPurpose,
    /// Until when it can be used.
    pub expires_at: Timestamp,
}

impl Store {
    /// All accounts, by name; people who were forgotten are not among them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let rows = query(selecting("WHERE user_name IS NOT NULL ORDER BY user_name"))
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(|row| Ok(stored_account(row)?.account)).collect()
    }

    /// The account `id`, unless its owner was forgotten.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn account(&self, id: &AccountId) -> Result<Option<StoredAccount>, StoreError> {
        let row = query(selecting("WHERE accounts.id = $1 AND user_name IS NOT NULL"))
            .bind(id.as_str())
            .fetch_optional(&self.reader)
            .await?;
        row.as_ref().map(stored_account).transpose()
    }

    /// The account whose owner signs in as `name`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn account_named(
        &self,
        name: &UserName,
    ) -> Result<Option<StoredAccount>, StoreError> {
        let row = query(selecting("WHERE user_name = $1"))
            .bind(name.as_str())
            .fetch_optional(&self.reader)
            .await?;
        row.as_ref().map(stored_account).transpose()
    }

    /// How many recovery codes of the account `id` were not used.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn recovery_codes_left(&self, id: &AccountId) -> Result<u64, StoreError> {
        let row = query(
            "SELECT COUNT(*) AS codes FROM recovery_codes
             WHERE account = $1 AND used_at_us IS NULL",
        )
        .bind(id.as_str())
        .fetch_one(&self.reader)
        .await?;
        count(&row, "codes")
    }

    /// The invitation of which `digest` is kept.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn invitation(&self, digest: &TokenDigest) -> Result<Option<Invitation>, StoreError> {
        let row = query("SELECT * FROM invitations WHERE digest = $1")
            .bind(digest.as_str())
            .fetch_optional(&self.reader)
            .await?;
        row.as_ref().map(|row| invitation(row, digest)).transpose()
    }
}

impl AccessChange {
    /// The account `id`, unless its owner was forgotten.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn account(&mut self, id: &AccountId) -> Result<Option<StoredAccount>, StoreError> {
        let row = query(selecting("WHERE accounts.id = $1 AND user_name IS NOT NULL"))
            .bind(id.as_str())
            .fetch_optional(self.connection())
            .await?;
        row.as_ref().map(stored_account).transpose()
    }

    /// Keeps a new account without a password.
    ///
    /// # Errors
    ///
    /// [`StoreError::UserNameTaken`], and the others when the database fails.
    pub async fn add_account(&mut self, account: &Account) -> Result<(), StoreError> {
        let added = query(
            "INSERT INTO accounts (id, user_name, role, state, created_at_us)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_name) DO NOTHING",
        )
        .bind(account.id.as_str())
        .bind(account.user_name.as_str())
        .bind(account.role.as_str())
        .bind(account.state.as_str())
        .bind(account.created_at.as_microsecond())
        .execute(self.connection())
        .await?;
        if added.rows_affected() == 0 {
            return Err(StoreError::UserNameTaken(account.user_name.clone()));
        }
        Ok(())
    }

    /// Gives an account another role and state.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn set_role_and_state(
        &mut self,
        id: &AccountId,
        role: Role,
        state: AccountState,
    ) -> Result<(), StoreError> {
        query("UPDATE accounts SET role = $2, state = $3 WHERE id = $1")
            .bind(id.as_str())
            .bind(role.as_str())
            .bind(state.as_str())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// How many accounts of administrators somebody can sign in to, or was invited to, beside `id`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn other_administrators(&mut self, id: &AccountId) -> Result<u64, StoreError> {
        let row = query(
            "SELECT COUNT(*) AS others FROM accounts
             WHERE role = $2 AND state = $3 AND user_name IS NOT NULL AND id <> $1",
        )
        .bind(id.as_str())
        .bind(Role::Admin.as_str())
        .bind(AccountState::Active.as_str())
        .fetch_one(self.connection())
        .await?;
        count(&row, "others")
    }

    /// Gives an account another password, or none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn set_password(
        &mut self,
        id: &AccountId,
        password: Option<&HashedPassword>,
    ) -> Result<(), StoreError> {
        query("UPDATE accounts SET password_hash = $2 WHERE id = $1")
            .bind(id.as_str())
            .bind(password.map(HashedPassword::as_str))
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Notes that the owner of an account signed in at `at`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn set_signed_in(&mut self, id: &AccountId, at: Timestamp) -> Result<(), StoreError> {
        query("UPDATE accounts SET last_signed_in_at_us = $2 WHERE id = $1")
            .bind(id.as_str())
            .bind(at.as_microsecond())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Switches the authenticator of an account on or off.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn set_authenticator(
        &mut self,
        id: &AccountId,
        authenticator: Authenticator,
    ) -> Result<(), StoreError> {
        let (on, step) = match authenticator {
            Authenticator::Off => (false, None),
            Authenticator::On { last_step } => (true, last_step.map(signed)),
        };
        query("UPDATE accounts SET second_factor_on = $2, second_factor_step = $3 WHERE id = $1")
            .bind(id.as_str())
            .bind(i64::from(on))
            .bind(step)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Puts new recovery codes in the place of all that the account `id` has.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn set_recovery_codes(
        &mut self,
        id: &AccountId,
        digests: &[TokenDigest],
    ) -> Result<(), StoreError> {
        query("DELETE FROM recovery_codes WHERE account = $1")
            .bind(id.as_str())
            .execute(self.connection())
            .await?;
        for digest in digests {
            query("INSERT INTO recovery_codes (digest, account) VALUES ($1, $2)")
                .bind(digest.as_str())
                .bind(id.as_str())
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }

    /// Uses up a recovery code of the account `id`; whether it was one that could be used.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn use_recovery_code(
        &mut self,
        id: &AccountId,
        digest: &TokenDigest,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let used = query(
            "UPDATE recovery_codes SET used_at_us = $3
             WHERE account = $1 AND digest = $2 AND used_at_us IS NULL",
        )
        .bind(id.as_str())
        .bind(digest.as_str())
        .bind(at.as_microsecond())
        .execute(self.connection())
        .await?;
        Ok(used.rows_affected() == 1)
    }

    /// Keeps an invitation in the place of the one before.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn set_invitation(&mut self, invitation: &Invitation) -> Result<(), StoreError> {
        query(
            "INSERT INTO invitations (account, digest, purpose, expires_at_us)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (account) DO UPDATE SET digest = excluded.digest,
                 purpose = excluded.purpose, expires_at_us = excluded.expires_at_us",
        )
        .bind(invitation.account.as_str())
        .bind(invitation.digest.as_str())
        .bind(invitation.purpose.as_str())
        .bind(invitation.expires_at.as_microsecond())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Uses up the invitation of which `digest` is kept, and returns it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn take_invitation(
        &mut self,
        digest: &TokenDigest,
    ) -> Result<Option<Invitation>, StoreError> {
        let row = query("DELETE FROM invitations WHERE digest = $1 RETURNING *")
            .bind(digest.as_str())
            .fetch_optional(self.connection())
            .await?;
        row.as_ref().map(|row| invitation(row, digest)).transpose()
    }

    /// Forgets who the owner of the account `id` is: its name, password, sessions, sign-ins, codes,
    /// passkeys, invitation and keys, and what the audit says of the person. That there was such an account
    /// stays, and so does what it did.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn forget_owner(&mut self, audit: &Audit, id: &AccountId) -> Result<(), StoreError> {
        self.forget_in_audit(audit, id).await?;
        self.forget_personal(id).await?;
        for text in [
            "DELETE FROM sessions WHERE account = $1",
            "DELETE FROM sign_ins WHERE account = $1",
            "DELETE FROM recovery_codes WHERE account = $1",
            "DELETE FROM passkeys WHERE account = $1",
            "DELETE FROM invitations WHERE account = $1",
            "DELETE FROM api_keys WHERE account = $1",
            "UPDATE accounts SET user_name = NULL, password_hash = NULL, second_factor_on = 0,
                 second_factor_step = NULL, state = 'disabled' WHERE id = $1",
        ] {
            forget(self.connection(), text, id).await?;
        }
        Ok(())
    }
}

async fn forget(
    connection: &mut Connection,
    text: &'static str,
    id: &AccountId,
) -> Result<(), StoreError> {
    query(text).bind(id.as_str()).execute(connection).await?;
    Ok(())
}

/// The columns from which [`stored_account`] reads, of the accounts that `condition` names.
fn selecting(condition: &'static str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "SELECT accounts.*, {PASSKEYS_COUNT} AS passkeys_count FROM accounts {condition}"
    ))
}

/// The account of a row with all columns of `accounts`, and [`PASSKEYS_COUNT`].
pub(crate) fn stored_account(row: &Row) -> Result<StoredAccount, StoreError> {
    let state: &str = row.try_get("state")?;
    let step: Option<i64> = row.try_get("second_factor_step")?;
    let authenticator = match row.try_get::<i64, _>("second_factor_on")? {
        0 => Authenticator::Off,
        _ => Authenticator::On {
            last_step: step.map(u64::try_from).transpose().map_err(impossible)?,
        },
    };
    let second_factor =
        SecondFactor { authenticator, passkeys_count: count(row, "passkeys_count")? };
    let account = Account {
        id: row.try_get::<&str, _>("id")?.parse().map_err(impossible)?,
        user_name: row.try_get::<&str, _>("user_name")?.parse().map_err(impossible)?,
        role: row.try_get::<&str, _>("role")?.parse().map_err(impossible)?,
        state: AccountState::ALL
            .into_iter()
            .find(|known| known.as_str() == state)
            .ok_or_else(|| impossible(format!("state of an account '{state}'")))?,
        second_factor,
        created_at: instant_us(row.try_get("created_at_us")?)?,
        last_signed_in_at: maybe_instant_us(row, "last_signed_in_at_us")?,
    };
    let hash: Option<&str> = row.try_get("password_hash")?;
    let password = hash.map(HashedPassword::parse).transpose().map_err(impossible)?;
    Ok(StoredAccount { account, password })
}

fn invitation(row: &Row, digest: &TokenDigest) -> Result<Invitation, StoreError> {
    let purpose: &str = row.try_get("purpose")?;
    Ok(Invitation {
        account: row.try_get::<&str, _>("account")?.parse().map_err(impossible)?,
        digest: digest.clone(),
        purpose: [InvitationPurpose::New, InvitationPurpose::Reset]
            .into_iter()
            .find(|known| known.as_str() == purpose)
            .ok_or_else(|| impossible(format!("purpose of an invitation '{purpose}'")))?,
        expires_at: instant_us(row.try_get("expires_at_us")?)?,
    })
}
