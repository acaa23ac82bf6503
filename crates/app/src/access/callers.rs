//! Who asks: somebody who has signed in, or a program with an API key.

use std::net::IpAddr;
use std::sync::Arc;

use bist_access::api_key::KEY_SEEN_EVERY;
use bist_access::session::SEEN_EVERY;
use bist_access::token::api_key_id;
use bist_access::{
    Account, AccountState, Actor, ApiKey, KeyState, Role, Scope, Secret, Session, Stage, TokenKind,
};
use bist_store::DatabaseVersion;
use jiff::Timestamp;

use super::AccessError;
use crate::App;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// In whose name.
    pub account: Arc<Account>,
    /// By what they showed it.
    pub means: Means,
    /// How the database stood when they were looked up: a look that their request need not repeat.
    pub as_of: DatabaseVersion,
}

/// By what somebody shows who they are.
#[derive(Clone, Debug)]
pub enum Means {
    /// A session of a browser.
    Session(Arc<Session>),
    /// An API key of a program.
    Key(Arc<ApiKey>),
}

impl Caller {
    /// Who they are on record.
    pub fn actor(&self) -> Actor {
        let account = self.account.id.clone();
        match &self.means {
            Means::Session(_) => Actor::Account(account),
            Means::Key(key) => Actor::Key { key: key.id.clone(), account },
        }
    }

    /// How far they have come in signing in; a key has nothing more to show.
    pub fn stage(&self) -> Stage {
        match &self.means {
            Means::Session(session) => session.stage(&self.account),
            Means::Key(_) => Stage::Full,
        }
    }

    /// Whether what is for `role` is for them.
    pub fn may(&self, role: Role) -> bool {
        let in_scope = match &self.means {
            Means::Session(_) => true,
            Means::Key(key) => key.scopes.contains(&Scope::of(role)),
        };
        in_scope && self.account.role >= role
    }
}

impl App {
    /// Who has the session that `token` opens; nobody when it is over at `now`.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database or the secrets fail.
    pub async fn caller_with_session(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<Caller>, AccessError> {
        let digest = self.token_key().await?.digest(TokenKind::Session, token);
        let Some((session, account, as_of)) = self.session_of(&digest).await? else {
            return Ok(None);
        };
        if account.state != AccountState::Active || session.is_over(&account, now) {
            return Ok(None);
        }
        if now >= session.last_seen_at + SEEN_EVERY {
            let write = self.store.see_session(&session.id, now);
            self.known_callers.note_use(&digest, now, SEEN_EVERY, write).await?;
        }
        Ok(Some(Caller { account, means: Means::Session(session), as_of }))
    }

    /// Whose API key `text` is, if it is in force at `now` and may be used from `address`.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database or the secrets fail.
    pub async fn caller_with_key(
        &self,
        text: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<Caller>, AccessError> {
        if api_key_id(text).is_none() {
            return Ok(None);
        }
        let digest = self.token_key().await?.digest(TokenKind::ApiKey, text);
        let Some((key, account, as_of)) = self.key_of(&digest).await? else { return Ok(None) };
        let in_force = matches!(key.state(now), KeyState::Active | KeyState::Grace);
        let from_here =
            key.networks.is_empty() || address.is_some_and(|address| key.may_come_from(address));
        // An account whose owner never sets a password may still have keys: it is one for programs.
        if !in_force || !from_here || account.state == AccountState::Disabled {
            return Ok(None);
        }
        if key.last_used_at.is_none_or(|used| now >= used + KEY_SEEN_EVERY) {
            let write = self.store.see_api_key(&key.id, now);
            self.known_callers.note_use(&digest, now, KEY_SEEN_EVERY, write).await?;
        }
        Ok(Some(Caller { account, means: Means::Key(key), as_of }))
    }

    /// The token that a page of `session` sends with what it changes.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the secrets fail.
    pub async fn csrf_token(&self, session: &Session) -> Result<Secret, AccessError> {
        Ok(self.token_key().await?.csrf_token(&session.id))
    }

    /// Whether `token` is that of a page of `session`.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the secrets fail.
    pub async fn is_csrf_token(&self, session: &Session, token: &str) -> Result<bool, AccessError> {
        Ok(self.token_key().await?.is_csrf_token(&session.id, token))
    }
}
