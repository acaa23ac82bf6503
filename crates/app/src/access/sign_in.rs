//! Signing in and out: the password, the code, the sessions.

use bist_access::session::STEP_UP_TIME;
use bist_access::token::random_token;
use bist_access::{
    Account, AccountId, AccountState, Actor, AuditAction, AuditDetails, AuditPersonal,
    Authenticator, HashedPassword, Secret, Session, SessionId, TokenKind, normal_recovery_code,
};
use bist_store::{AccessChange, Audit, AuditNote, Origins, SignInOutcome, StoredAccount};
use jiff::Timestamp;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde_json::{Value, json};

use super::{AccessError, RelyingParty};
use crate::App;

/// Most characters of what a browser says of itself that are kept.
const USER_AGENT_CHARS_MAX: usize = 200;

/// From where a request comes.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    /// The address and the browser.
    pub origins: Origins,
    /// The name of the request in the log.
    pub request_id: Option<String>,
}

impl Visit {
    /// A request from `address` by `user_agent`, of which no more is kept than a page shows.
    pub fn new(
        address: Option<String>,
        user_agent: Option<&str>,
        request_id: Option<String>,
    ) -> Self {
        let shown = |text: &str| {
            text.chars().filter(|c| !c.is_control()).take(USER_AGENT_CHARS_MAX).collect()
        };
        Self { origins: Origins { address, user_agent: user_agent.map(shown) }, request_id }
    }

    /// The same for the audit, as data about the person behind `account`.
    fn personal(&self, account: &AccountId) -> AuditPersonal {
        let Origins { address, user_agent } = &self.origins;
        let data = [("address", json!(address)), ("user_agent", json!(user_agent))];
        AuditPersonal { about: account.clone(), data: data.into() }
    }
}

/// Somebody who has come a step further in signing in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Whose the session is.
    pub account: Account,
    /// The session.
    pub session: Session,
    /// What opens it; nothing else knows it.
    pub token: Secret,
}

/// What somebody has shown when a session of theirs begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Begun<'a> {
    /// The password.
    ByPassword,
    /// The second factor.
    ByCode,
    /// The password, in a session that this one takes the place of.
    After(&'a Session),
}

/// A proof that somebody has the second factor.
#[derive(Clone, Debug)]
pub enum Code {
    /// The code of an authenticator.
    OneTime(String),
    /// A recovery code.
    Recovery(String),
    /// What a browser says that a passkey signed, and for which page.
    Passkey(RelyingParty, Value),
}

impl Code {
    /// What kind of proof it is, on record.
    const fn as_str(&self) -> &'static str {
        match self {
            Self::OneTime(_) => "one_time_code",
            Self::Recovery(_) => "recovery_code",
            Self::Passkey(..) => "passkey",
        }
    }
}

/// What came of a proof.
#[derive(Debug)]
pub(super) enum Shown {
    /// It is right, and used up.
    Right {
        /// What goes on record besides.
        notes: Vec<AuditNote>,
        /// What is said of it with what it was for.
        details: AuditDetails,
    },
    /// It is wrong or was used; with what is said of that on record.
    Wrong(AuditDetails),
}

impl App {
    /// Begins a session for who knows the password of `user_name`. A second factor, if there is one, is
    /// owed then.
    ///
    /// An account that there is not takes as long as a wrong password, and gets the same answer.
    ///
    /// # Errors
    ///
    /// [`AccessError::WrongCredentials`], [`AccessError::Busy`], and the others when the database or the
    /// secrets fail.
    pub async fn sign_in(
        &self,
        user_name: &str,
        password: &Secret,
        visit: &Visit,
    ) -> Result<SignedIn, AccessError> {
        let stored = match user_name.parse() {
            Ok(name) => self.store.account_named(&name).await?,
            Err(_) => None,
        };
        let known = stored.as_ref().and_then(|stored| stored.password.clone());
        let hash = known.clone().unwrap_or_else(HashedPassword::of_nobody);
        let is_right = self.hashing.is_right(hash, password).await?;
        let audit = self.audit_as(Actor::Nobody, visit).await?;
        let Some(StoredAccount { account, .. }) = stored else {
            let note = refusal("user:unknown".to_owned(), "unknown");
            self.telemetry.metrics().sign_in(None);
            self.change_access().await?.commit(&audit, vec![note]).await?;
            return Err(AccessError::WrongCredentials);
        };
        let outcome = match (is_right, account.state) {
            (_, AccountState::Disabled | AccountState::Invited) => SignInOutcome::NotOpen,
            (false, AccountState::Active) => SignInOutcome::WrongPassword,
            (true, AccountState::Active) => {
                let outdated = known.is_some_and(|known| known.is_outdated());
                let renewed =
                    if outdated { Some(self.hashing.hash(password).await?) } else { None };
                return self.begin_session(account, renewed.as_ref(), visit).await;
            }
        };
        let mut change = self.change_access().await?;
        change.add_sign_in(&account.id, audit.at, outcome, &visit.origins).await?;
        self.telemetry.metrics().sign_in(Some(outcome));
        let mut note = refusal(format!("user:{}", account.id), outcome.as_str());
        note.personal = Some(visit.personal(&account.id));
        change.commit(&audit, vec![note]).await?;
        Err(AccessError::WrongCredentials)
    }

    /// Begins a session for who has shown the password of `account`.
    async fn begin_session(
        &self,
        account: Account,
        renewed: Option<&HashedPassword>,
        visit: &Visit,
    ) -> Result<SignedIn, AccessError> {
        let audit = self.audit_of(&account, visit).await?;
        let mut change = self.change_access().await?;
        if let Some(hash) = renewed {
            change.set_password(&account.id, Some(hash)).await?;
        }
        let begun = Begun::ByPassword;
        let signed_in = self.open_session(&mut change, account, begun, visit, audit.at).await?;
        let note = began(&signed_in, visit);
        change.commit(&audit, vec![note]).await?;
        Ok(signed_in)
    }

    /// A new session of `account` within `change`, with its place in the history of sign-ins.
    pub(super) async fn open_session(
        &self,
        change: &mut AccessChange,
        account: Account,
        begun: Begun<'_>,
        visit: &Visit,
        at: Timestamp,
    ) -> Result<SignedIn, AccessError> {
        // Who has just shown all that is asked of them need not show it again at once.
        let fresh = Some(at + STEP_UP_TIME);
        let (code_given, stepped_up_until) = match begun {
            Begun::ByCode => (true, fresh),
            Begun::ByPassword if account.has_second_factor() => (false, None),
            Begun::ByPassword => (false, fresh),
            Begun::After(session) => (session.code_given, session.stepped_up_until),
        };
        let mut rng = UnwrapErr(SysRng);
        let token = random_token(&mut rng);
        let session = Session {
            id: SessionId::generate(&mut rng),
            account: account.id.clone(),
            code_given,
            signed_in_at: at,
            last_seen_at: at,
            stepped_up_until,
            address: visit.origins.address.clone(),
            user_agent: visit.origins.user_agent.clone(),
        };
        let digest = self.token_key().await?.digest(TokenKind::Session, token.expose());
        change.add_session(&session, &digest).await?;
        let owes_code = account.has_second_factor() && !code_given;
        let outcome = if owes_code { SignInOutcome::CodeOwed } else { SignInOutcome::SignedIn };
        change.add_sign_in(&account.id, at, outcome, &visit.origins).await?;
        self.telemetry.metrics().sign_in(Some(outcome));
        if !owes_code {
            change.set_signed_in(&account.id, at).await?;
        }
        Ok(SignedIn { account, session, token })
    }

    /// Puts a session of who has shown the code in the place of `session`, which owes it.
    ///
    /// # Errors
    ///
    /// [`AccessError::WrongCredentials`] for a code that is wrong or was used,
    /// [`AccessError::SecondFactorOff`] when none is owed, and the others when the database or the
    /// secrets fail.
    pub async fn give_code(
        &self,
        account: &Account,
        session: &Session,
        code: &Code,
        visit: &Visit,
    ) -> Result<SignedIn, AccessError> {
        let audit = self.audit_of(account, visit).await?;
        let mut change = self.change_access().await?;
        let shown = self.use_code(&mut change, account, session, code, &audit).await?;
        let (mut notes, details) = match shown {
            Shown::Right { notes, details } => (notes, details),
            Shown::Wrong(details) => {
                let mut note = about(account, AuditAction::SecondFactorRefused);
                note.details = details;
                return self.refuse_code(change, account, note, &audit, visit).await;
            }
        };
        change.end_session(&account.id, &session.id).await?;
        let begun = Begun::ByCode;
        let signed_in =
            self.open_session(&mut change, account.clone(), begun, visit, audit.at).await?;
        if notes.is_empty() {
            notes.push(about(account, AuditAction::SecondFactorPassed));
        }
        let mut beginning = began(&signed_in, visit);
        beginning.details.extend(details);
        notes.push(beginning);
        change.commit(&audit, notes).await?;
        Ok(signed_in)
    }

    /// Opens what needs a fresh proof in `session` for a while; another token opens the session then.
    ///
    /// # Errors
    ///
    /// As [`App::give_code`].
    pub async fn step_up(
        &self,
        account: &Account,
        session: &Session,
        code: &Code,
        visit: &Visit,
    ) -> Result<SignedIn, AccessError> {
        let audit = self.audit_of(account, visit).await?;
        let mut change = self.change_access().await?;
        let shown = self.use_code(&mut change, account, session, code, &audit).await?;
        let (notes, details) = match shown {
            Shown::Right { notes, details } => (notes, details),
            Shown::Wrong(details) => {
                let mut note = about(account, AuditAction::StepUpRefused);
                note.details = details;
                return self.refuse_code(change, account, note, &audit, visit).await;
            }
        };
        self.refresh(change, account, session, (details, notes), &audit).await
    }

    /// As [`App::step_up`], for who has no second factor and gives the password again.
    ///
    /// # Errors
    ///
    /// [`AccessError::WrongCredentials`], [`AccessError::SecondFactorOn`] when a code is asked for
    /// instead, and the others when the database or the secrets fail.
    pub async fn step_up_by_password(
        &self,
        account: &Account,
        session: &Session,
        password: &Secret,
        visit: &Visit,
    ) -> Result<SignedIn, AccessError> {
        if account.has_second_factor() {
            return Err(AccessError::SecondFactorOn);
        }
        self.prove_password(account, password, visit).await?;
        let audit = self.audit_of(account, visit).await?;
        let change = self.change_access().await?;
        let details = [("by", json!("password"))].into();
        self.refresh(change, account, session, (details, Vec::new()), &audit).await
    }

    /// Ends `change` with a fresh proof in `session`, of which `details` and more are put on record.
    async fn refresh(
        &self,
        mut change: AccessChange,
        account: &Account,
        session: &Session,
        (details, more): (AuditDetails, Vec<AuditNote>),
        audit: &Audit,
    ) -> Result<SignedIn, AccessError> {
        let until = audit.at + STEP_UP_TIME;
        let token = random_token(&mut UnwrapErr(SysRng));
        let digest = self.token_key().await?.digest(TokenKind::Session, token.expose());
        change.step_up(&session.id, &digest, until).await?;
        let mut passed = about(account, AuditAction::StepUpPassed);
        passed.details = details;
        change.commit(audit, std::iter::once(passed).chain(more).collect()).await?;
        let session = Session { stepped_up_until: Some(until), ..session.clone() };
        Ok(SignedIn { account: account.clone(), session, token })
    }

    /// Uses up `code` within `change`.
    pub(super) async fn use_code(
        &self,
        change: &mut AccessChange,
        account: &Account,
        session: &Session,
        code: &Code,
        audit: &Audit,
    ) -> Result<Shown, AccessError> {
        // As it stands now: somebody may have used the same code a moment ago.
        let current = change.account(&account.id).await?.map(|stored| stored.account.second_factor);
        let current = current.filter(|current| current.is_on());
        let current = current.ok_or(AccessError::SecondFactorOff)?;
        let mut shown = match code {
            Code::OneTime(text) => {
                let Authenticator::On { last_step } = current.authenticator else {
                    return Ok(Shown::Wrong(AuditDetails::new()));
                };
                let seed = self.totp_seed(&account.id).await?;
                let now_s = u64::try_from(audit.at.as_second()).unwrap_or(0);
                let step = seed.and_then(|seed| seed.step_of(text.trim(), now_s, last_step));
                let Some(step) = step else { return Ok(Shown::Wrong(AuditDetails::new())) };
                let used = Authenticator::On { last_step: Some(step) };
                change.set_authenticator(&account.id, used).await?;
                Shown::Right { notes: Vec::new(), details: AuditDetails::new() }
            }
            Code::Recovery(text) => {
                let key = self.token_key().await?;
                let code = normal_recovery_code(text);
                let digest = key.digest(TokenKind::RecoveryCode, code.expose());
                if !change.use_recovery_code(&account.id, &digest, audit.at).await? {
                    return Ok(Shown::Wrong(AuditDetails::new()));
                }
                let notes = vec![about(account, AuditAction::RecoveryCodeUsed)];
                Shown::Right { notes, details: AuditDetails::new() }
            }
            Code::Passkey(relying_party, answer) => {
                let given = (relying_party, answer);
                self.use_passkey(change, account, session, given, audit).await?
            }
        };
        let (Shown::Right { details, .. } | Shown::Wrong(details)) = &mut shown;
        details.insert("by", json!(code.as_str()));
        Ok(shown)
    }

    /// Puts a wrong code on record, and gives up what was begun.
    async fn refuse_code<T>(
        &self,
        mut change: AccessChange,
        account: &Account,
        mut note: AuditNote,
        audit: &Audit,
        visit: &Visit,
    ) -> Result<T, AccessError> {
        let outcome = SignInOutcome::WrongCode;
        change.add_sign_in(&account.id, audit.at, outcome, &visit.origins).await?;
        self.telemetry.metrics().sign_in(Some(outcome));
        note.personal = Some(visit.personal(&account.id));
        change.commit(audit, vec![note]).await?;
        Err(AccessError::WrongCredentials)
    }

    /// What `account` does goes on record as this.
    pub(super) async fn audit_of(
        &self,
        account: &Account,
        visit: &Visit,
    ) -> Result<Audit, AccessError> {
        self.audit_as(Actor::Account(account.id.clone()), visit).await
    }

    /// What `actor` does by a request goes on record as this.
    async fn audit_as(&self, actor: Actor, visit: &Visit) -> Result<Audit, AccessError> {
        let request_id = visit.request_id.clone();
        Ok(Audit { actor, request_id, ..self.audit().await? })
    }
}

/// What goes on record of an attempt that failed.
fn refusal(subject: String, outcome: &str) -> AuditNote {
    AuditNote::new(AuditAction::SessionRefused, subject, [("outcome", json!(outcome))])
}

/// What goes on record of something that only tells about an account.
pub(crate) fn about(account: &Account, action: AuditAction) -> AuditNote {
    AuditNote::new(action, format!("user:{}", account.id), [])
}

/// What goes on record of a session that began.
pub(super) fn began(signed_in: &SignedIn, visit: &Visit) -> AuditNote {
    let SignedIn { account, session, .. } = signed_in;
    let details = [("stage", json!(session.stage(account).as_str()))];
    let mut note =
        AuditNote::new(AuditAction::SessionBegan, format!("session:{}", session.id), details);
    note.personal = Some(visit.personal(&account.id));
    note
}
