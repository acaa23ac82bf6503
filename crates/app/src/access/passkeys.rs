//! Passkeys of an account: added, removed, asked for.

use bist_access::passkey::{CHALLENGE_TIME, passkey_name};
use bist_access::{
    Account, AuditAction, AuditDetails, PASSKEYS_MAX, Passkey, PasskeyId, SecondFactor, Secret,
    Session,
};
use bist_store::{AccessChange, Audit, AuditNote, Ceremony, StoredPasskey};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde_json::{Value, json};

use super::AccessError;
use super::relying_party::{Distrust, RelyingParty, credential_id};
use super::second_factor::FirstFactor;
use super::sign_in::{Shown, Visit};
use crate::App;

/// A passkey that was just added.
#[derive(Debug)]
pub struct AddedPasskey {
    /// The passkey.
    pub passkey: Passkey,
    /// What came of it where the account had no second factor before.
    pub first: Option<FirstFactor>,
}

impl App {
    /// The passkeys of `account`, the oldest first.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database fails.
    pub async fn passkeys(&self, account: &Account) -> Result<Vec<Passkey>, AccessError> {
        Ok(self.store.passkeys(&account.id).await?)
    }

    /// What a browser needs to make a passkey of `account`; the answer is good in `session`, once, for
    /// five minutes.
    ///
    /// # Errors
    ///
    /// [`AccessError::TooManyPasskeys`], and the others when the database fails.
    pub async fn ask_for_passkey(
        &self,
        account: &Account,
        session: &Session,
        relying_party: &RelyingParty,
    ) -> Result<Value, AccessError> {
        let mut change = self.change_access().await?;
        let known = change.passkeys(&account.id).await?;
        if known.len() >= PASSKEYS_MAX {
            return Err(AccessError::TooManyPasskeys);
        }
        let challenge = relying_party.ask_for_passkey(account, &credentials(known))?;
        self.keep_challenge(change, session, Ceremony::Registration, &challenge.state).await?;
        Ok(challenge.options)
    }

    /// Adds the passkey that a browser made to `account`. When it is the first second factor, all
    /// sessions end but the one that is returned in the place of `session`, as they were begun with
    /// less; and recovery codes are made that nobody sees again.
    ///
    /// # Errors
    ///
    /// [`AccessError::PasskeyName`], [`AccessError::PasskeyAnswer`], [`AccessError::PasskeyRefused`],
    /// [`AccessError::TooManyPasskeys`], and the others when the database or the secrets fail.
    pub async fn add_passkey(
        &self,
        account: &Account,
        session: &Session,
        relying_party: &RelyingParty,
        (name, answer): (&str, &Value),
        visit: &Visit,
    ) -> Result<AddedPasskey, AccessError> {
        let name = passkey_name(name)?;
        let audit = self.audit_of(account, visit).await?;
        let recovery = self.new_recovery_codes().await?;
        let mut change = self.change_access().await?;
        let state = change.take_challenge(&session.id, Ceremony::Registration, audit.at).await?;
        let made = state.ok_or(AccessError::PasskeyRefused);
        let made = made.and_then(|state| relying_party.passkey_of(answer, &state));
        let made = match made {
            Ok(made) => made,
            Err(error) => {
                // The challenge is used up all the same.
                change.commit(&audit, Vec::new()).await?;
                return Err(error);
            }
        };
        if change.passkeys(&account.id).await?.len() >= PASSKEYS_MAX {
            return Err(AccessError::TooManyPasskeys);
        }
        let passkey = Passkey {
            id: PasskeyId::generate(&mut UnwrapErr(SysRng)),
            account: account.id.clone(),
            name,
            created_at: audit.at,
            last_used_at: None,
        };
        let before = change.account(&account.id).await?;
        let before = before.map_or(SecondFactor::NONE, |stored| stored.account.second_factor);
        let stored = StoredPasskey {
            passkey: passkey.clone(),
            credential_id: made.id,
            credential: made.text,
        };
        if !change.add_passkey(&stored).await? {
            return Err(AccessError::PasskeyRefused);
        }
        let mut notes = vec![noted(AuditAction::PasskeyAdded, &passkey.id)];
        let first = if before.is_on() {
            None
        } else {
            let after = SecondFactor { passkeys_count: 1, ..before };
            let account = Account { second_factor: after, ..account.clone() };
            let begun = self.begin_second_factor(&mut change, account, recovery, visit, audit.at);
            let (first, more) = begun.await?;
            notes.extend(more);
            Some(first)
        };
        change.commit(&audit, notes).await?;
        Ok(AddedPasskey { passkey, first })
    }

    /// Takes the passkey `id` out of `account`. Where it is all that there is beside the password, the
    /// password is needed, and all sessions but `session` end.
    ///
    /// # Errors
    ///
    /// [`AccessError::NoSuchPasskey`], [`AccessError::PasswordNeeded`],
    /// [`AccessError::WrongCredentials`], and the others when the database fails.
    pub async fn remove_passkey(
        &self,
        account: &Account,
        session: &Session,
        id: &PasskeyId,
        password: Option<&Secret>,
        visit: &Visit,
    ) -> Result<Account, AccessError> {
        if let Some(password) = password {
            self.prove_password(account, password, visit).await?;
        }
        let audit = self.audit_of(account, visit).await?;
        let mut change = self.change_access().await?;
        if !change.remove_passkey(&account.id, id).await? {
            return Err(AccessError::NoSuchPasskey(id.to_string()));
        }
        let stored = change.account(&account.id).await?;
        let after = stored.ok_or_else(|| AccessError::NoSuchUser(account.id.to_string()))?.account;
        let mut notes = vec![noted(AuditAction::PasskeyRemoved, id)];
        if !after.has_second_factor() {
            if password.is_none() {
                return Err(AccessError::PasswordNeeded);
            }
            notes.push(self.end_second_factor(&mut change, account, session).await?);
        }
        change.commit(&audit, notes).await?;
        Ok(after)
    }

    /// What a browser needs to sign with a passkey of `account`; the answer is good in `session`, once,
    /// for five minutes.
    ///
    /// # Errors
    ///
    /// [`AccessError::NoPasskey`], and the others when the database fails.
    pub async fn ask_for_signature(
        &self,
        account: &Account,
        session: &Session,
        relying_party: &RelyingParty,
    ) -> Result<Value, AccessError> {
        let mut change = self.change_access().await?;
        let known = change.passkeys(&account.id).await?;
        if known.is_empty() {
            return Err(AccessError::NoPasskey);
        }
        let challenge = relying_party.ask_for_signature(&credentials(known))?;
        self.keep_challenge(change, session, Ceremony::Assertion, &challenge.state).await?;
        Ok(challenge.options)
    }

    /// Uses up the challenge of `session`, and looks whether `answer` signs it with a passkey of
    /// `account`. What an authenticator counts is kept within `change`.
    pub(super) async fn use_passkey(
        &self,
        change: &mut AccessChange,
        account: &Account,
        session: &Session,
        (relying_party, answer): (&RelyingParty, &Value),
        audit: &Audit,
    ) -> Result<Shown, AccessError> {
        let state = change.take_challenge(&session.id, Ceremony::Assertion, audit.at).await?;
        let known = change.passkeys(&account.id).await?;
        let wanted = credential_id(answer);
        let known = known.into_iter().find(|stored| Some(stored.credential_id.as_str()) == wanted);
        let (Some(state), Some(known)) = (state, known) else {
            return Ok(Shown::Wrong(AuditDetails::new()));
        };
        let id = &known.passkey.id;
        let mut details: AuditDetails = [("passkey", json!(id.as_str()))].into();
        match relying_party.signed_by(&known.credential, answer, &state)? {
            Ok(kept) => {
                change.use_passkey(id, &kept.text, audit.at).await?;
                Ok(Shown::Right { notes: Vec::new(), details })
            }
            Err(Distrust::Wrong) => Ok(Shown::Wrong(details)),
            Err(Distrust::Copied) => {
                details.insert("reason", json!("counter_not_raised"));
                Ok(Shown::Wrong(details))
            }
        }
    }

    async fn keep_challenge(
        &self,
        mut change: AccessChange,
        session: &Session,
        ceremony: Ceremony,
        state: &str,
    ) -> Result<(), AccessError> {
        let audit = self.audit().await?;
        change.set_challenge(&session.id, ceremony, state, audit.at + CHALLENGE_TIME).await?;
        // A challenge changes nothing about who may do what.
        Ok(change.commit(&audit, Vec::new()).await?)
    }
}

fn credentials(known: Vec<StoredPasskey>) -> Vec<String> {
    known.into_iter().map(|stored| stored.credential).collect()
}

/// What goes on record of a passkey; what its owner calls it does not.
fn noted(action: AuditAction, id: &PasskeyId) -> AuditNote {
    AuditNote::new(action, format!("passkey:{id}"), [])
}
