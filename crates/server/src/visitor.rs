//! What handlers are told of who asks.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use bist_access::{Account, Role, Session};
use bist_app::access::{Caller, RelyingParty, Visit};
use bist_app::{App, Class};

use crate::error::ApiError;
use crate::middleware::Around;
use crate::middleware::authenticate::{require_role, require_session};
use crate::middleware::rate_limit::Spent;

/// From where a request comes.
#[derive(Debug)]
pub(crate) struct Coming(pub(crate) Visit);

impl<S: Sync> FromRequestParts<S> for Coming {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let around = parts.extensions.get::<Around>();
        let address = around.map(|around| around.address().to_string());
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let id = around.map(|around| around.id().to_string());
        Ok(Self(Visit::new(address, agent, id)))
    }
}

/// Who asks, by a session or a key.
#[derive(Debug)]
pub(crate) struct Asking {
    /// Who.
    pub(crate) caller: Caller,
    /// What puts on record that it is they who change something.
    pub(crate) app: App,
}

impl Asking {
    /// Refuses a caller who may not do what is for `role`.
    pub(crate) fn require(&self, role: Role) -> Result<(), ApiError> {
        require_role(&self.caller, role)
    }
}

impl FromRequestParts<Arc<App>> for Asking {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| {
            ApiError::Internal("a handler asks for a caller where none is needed".to_owned())
        })?;
        let request_id = parts.extensions.get::<Around>().map(|around| around.id().to_string());
        let app = app.acting(caller.actor(), request_id);
        Ok(Self { caller, app })
    }
}

/// Somebody with a session.
#[derive(Debug)]
pub(crate) struct Person {
    /// Whose it is.
    pub(crate) account: Arc<Account>,
    /// The session.
    pub(crate) session: Arc<Session>,
    /// What puts on record that it is they who change something.
    pub(crate) app: App,
}

impl FromRequestParts<Arc<App>> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let Asking { caller, app } = Asking::from_request_parts(parts, app).await?;
        let session = Arc::clone(require_session(&caller)?);
        Ok(Self { account: caller.account, session, app })
    }
}

impl Person {
    /// Refuses who has not shown a moment ago who they are: by the second factor, or, where there is
    /// none, by the password.
    pub(crate) fn require_fresh_proof(&self) -> Result<(), ApiError> {
        if self.session.is_stepped_up(self.app.now()) {
            Ok(())
        } else {
            Err(ApiError::StepUpRequired)
        }
    }
}

/// The page that people open, for which passkeys are made; `None` where it has no host name.
#[derive(Debug)]
pub(crate) struct Site(Option<RelyingParty>);

impl Site {
    /// The host name of passkeys.
    pub(crate) fn passkey_host(&self) -> Option<&str> {
        self.0.as_ref().map(RelyingParty::host)
    }

    /// Whom passkeys are made for.
    pub(crate) fn relying_party(&self) -> Result<&RelyingParty, ApiError> {
        self.0.as_ref().ok_or(ApiError::PasskeysUnavailable)
    }
}

impl<S: Sync> FromRequestParts<S> for Site {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let around = Around::from_request_parts(parts, state).await?;
        let page = around.own_pages().page(&parts.headers);
        Ok(Self(page.and_then(|page| RelyingParty::new(page.host(), page.as_str()))))
    }
}

/// How often somebody may try a code or a password of their own account.
#[derive(Debug)]
pub(crate) struct Attempts(Around);

impl Attempts {
    /// Counts an attempt by the owner of `account`, wherever it comes from.
    pub(crate) async fn count(&self, account: &Account) -> Result<(), ApiError> {
        let limits = self.0.rates();
        let decision = limits.check(Class::Auth, &format!("code:{}", account.id)).await;
        let quota = limits.quotas().of(Class::Auth);
        if decision.allowed {
            return Ok(());
        }
        Err(ApiError::RateLimited(Spent { policy: "auth".into(), quota, decision }))
    }
}

impl<S: Sync> FromRequestParts<S> for Attempts {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Around::from_request_parts(parts, state).await.map(Self)
    }
}
