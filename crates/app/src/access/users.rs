//! Accounts, as an administrator looks after them.

use bist_access::session::INVITATION_TIME;
use bist_access::token::random_token;
use bist_access::{
    Account, AccountId, AccountState, ApiKey, AuditAction, Authenticator, Passkey, Role,
    SecondFactor, Secret, Session, TokenKind, UserName,
};
use bist_store::{
    AccessChange, Activity, Alert, AuditFilter, Invitation, InvitationPurpose, OrderFilter,
    PaperEventRecord, Revised, SignIn, StoreError, StoredAccount, StoredChannel, StoredPortfolio,
    StoredRule, StoredWatchlist, UsageCounts, UsageKey,
};
use bist_trading::{DayValue, UserSettings};
use jiff::Timestamp;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde_json::json;

use super::AccessError;
use super::key_care::forget_token;
use super::sign_in::{Begun, SignedIn, Visit, about, began};
use crate::App;
use crate::alerts::forget_webhook_key;
use crate::orders::OrderView;

/// Most records of the audit about a person that are given to them.
const RECORDS_MAX: u32 = 100_000;

/// An account that waits for its owner to set a password.
#[derive(Clone, Debug)]
pub struct Invited {
    /// The account.
    pub account: Account,
    /// What goes into the link; nobody sees it again.
    pub token: Secret,
    /// Until when the link can be used.
    pub expires_at: Timestamp,
}

/// What a link is for.
#[derive(Clone, Debug)]
pub struct InvitationFor {
    /// Whose password it sets.
    pub account: Account,
    /// Whether it is the first.
    pub purpose: InvitationPurpose,
    /// Until when it can be used.
    pub expires_at: Timestamp,
}

/// What an account is to become.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountStep {
    /// Its role from now on.
    pub role: Option<Role>,
    /// Whether its owner is kept out from now on.
    pub disabled: Option<bool>,
}

/// Everything that is kept about the owner of an account.
#[derive(Clone, Debug)]
pub struct PersonalData {
    /// The account.
    pub account: Account,
    /// Sessions that are not over.
    pub sessions: Vec<Session>,
    /// Attempts to sign in.
    pub sign_ins: Vec<SignIn>,
    /// Passkeys.
    pub passkeys: Vec<Passkey>,
    /// API keys.
    pub api_keys: Vec<ApiKey>,
    /// Watchlists.
    pub watchlists: Vec<StoredWatchlist>,
    /// What they have set.
    pub settings: Option<Revised<UserSettings>>,
    /// Where they are told of alerts.
    pub alert_channels: Vec<StoredChannel>,
    /// Their rules.
    pub alert_rules: Vec<StoredRule>,
    /// What those fired, as far as it is kept.
    pub alerts: Vec<Alert>,
    /// Paper portfolios, with everything about them.
    pub portfolios: Vec<PersonalPortfolio>,
    /// What they did with the product, as far as it is kept.
    pub activities: Vec<Activity>,
    /// What they asked for by day, as far as it is kept.
    pub usage: Vec<PersonalUsage>,
    /// What is on record about the person, with its personal part.
    pub records: Vec<bist_access::AuditRecord>,
}

/// What somebody asked for on a day.
#[derive(Clone, Debug)]
pub struct PersonalUsage {
    /// The begin of the day, of UTC.
    pub day: Timestamp,
    /// Which path, by which key.
    pub key: UsageKey,
    /// How often, and what came of it.
    pub counts: UsageCounts,
}

/// A paper portfolio of somebody, with everything that is kept about it.
#[derive(Clone, Debug)]
pub struct PersonalPortfolio {
    /// The portfolio.
    pub stored: StoredPortfolio,
    /// Its orders, the last placed first.
    pub orders: Vec<OrderView>,
    /// What sessions did to it, the newest first.
    pub events: Vec<PaperEventRecord>,
    /// What it was worth on each session, the oldest first.
    pub days: Vec<DayValue>,
}

impl App {
    /// All accounts, by name.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database fails.
    pub async fn users(&self) -> Result<Vec<Account>, AccessError> {
        Ok(self.store.accounts().await?)
    }

    /// Whether there is an administrator who can sign in.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database fails.
    pub async fn has_administrator(&self) -> Result<bool, AccessError> {
        let is_one = |account: &Account| {
            account.role == Role::Admin && account.state == AccountState::Active
        };
        Ok(self.store.accounts().await?.iter().any(is_one))
    }

    /// The account called `name`: its user name, or its name for programs.
    ///
    /// # Errors
    ///
    /// [`AccessError::NoSuchUser`], and the others when the database fails.
    pub async fn user(&self, name: &str) -> Result<Account, AccessError> {
        let by_id = match name.parse::<AccountId>() {
            Ok(id) => self.store.account(&id).await?,
            Err(_) => None,
        };
        let found = match (by_id, name.parse::<UserName>()) {
            (Some(stored), _) => Some(stored),
            (None, Ok(name)) => self.store.account_named(&name).await?,
            (None, Err(_)) => None,
        };
        let found = found.map(|StoredAccount { account, .. }| account);
        found.ok_or_else(|| AccessError::NoSuchUser(name.to_owned()))
    }

    /// Makes an account whose owner sets a password by the link that is returned.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the name is none or is taken, or the database or the secrets fail.
    pub async fn invite(&self, user_name: &str, role: Role) -> Result<Invited, AccessError> {
        let user_name: UserName = user_name.parse()?;
        let audit = self.audit().await?;
        let account = Account {
            id: AccountId::generate(&mut UnwrapErr(SysRng)),
            user_name,
            role,
            state: AccountState::Invited,
            second_factor: SecondFactor::NONE,
            created_at: audit.at,
            last_signed_in_at: None,
        };
        let mut change = self.change_access().await?;
        change.add_account(&account).await?;
        let invited =
            self.invite_owner(&mut change, account, InvitationPurpose::New, audit.at).await?;
        let mut note = about(&invited.account, AuditAction::UserCreated);
        note.details = [("role", json!(role.as_str()))].into();
        let notes = vec![note, about(&invited.account, AuditAction::UserInvited)];
        change.commit(&audit, notes).await?;
        Ok(invited)
    }

    /// Takes the password and all sessions of the account `name` away, and returns a link by which its
    /// owner sets another password. The second factor stays, and is asked for then.
    ///
    /// # Errors
    ///
    /// [`AccessError::NoSuchUser`], and the others when the database or the secrets fail.
    pub async fn reset_user(&self, name: &str) -> Result<Invited, AccessError> {
        let account = self.user(name).await?;
        let audit = self.audit().await?;
        let mut change = self.change_access().await?;
        change.set_password(&account.id, None).await?;
        change.end_sessions(&account.id, None).await?;
        let purpose = match account.state {
            AccountState::Invited => InvitationPurpose::New,
            AccountState::Active | AccountState::Disabled => InvitationPurpose::Reset,
        };
        let invited = self.invite_owner(&mut change, account, purpose, audit.at).await?;
        let note = about(&invited.account, AuditAction::UserReset);
        change.commit(&audit, vec![note]).await?;
        Ok(invited)
    }

    /// Takes the second factor of the account `name` away, of which its owner has lost all ways. The
    /// password stays; the sessions end.
    ///
    /// # Errors
    ///
    /// [`AccessError::NoSuchUser`], [`AccessError::SecondFactorOff`], and the others when the database or
    /// the secrets fail.
    pub async fn remove_second_factor(&self, name: &str) -> Result<Account, AccessError> {
        let account = self.user(name).await?;
        if !account.has_second_factor() {
            return Err(AccessError::SecondFactorOff);
        }
        let audit = self.audit().await?;
        let mut change = self.change_access().await?;
        change.set_authenticator(&account.id, Authenticator::Off).await?;
        change.remove_passkeys(&account.id).await?;
        change.set_recovery_codes(&account.id, &[]).await?;
        change.end_sessions(&account.id, None).await?;
        change.commit(&audit, vec![about(&account, AuditAction::SecondFactorDisabled)]).await?;
        self.forget_totp_seed(&account.id).await?;
        Ok(Account { second_factor: SecondFactor::NONE, ..account })
    }

    /// Gives the account `name` another role, or keeps its owner out, or lets them in again. Their
    /// sessions end.
    ///
    /// # Errors
    ///
    /// [`AccessError::NoSuchUser`], [`AccessError::LastAdministrator`], and the others when the database
    /// or the secrets fail.
    pub async fn change_user(&self, name: &str, step: AccountStep) -> Result<Account, AccessError> {
        let id = self.user(name).await?.id;
        let audit = self.audit().await?;
        let mut change = self.change_access().await?;
        let stored = change.account(&id).await?;
        let StoredAccount { account, password } =
            stored.ok_or_else(|| AccessError::NoSuchUser(name.to_owned()))?;
        let role = step.role.unwrap_or(account.role);
        let state = match (step.disabled, &password) {
            (None, _) => account.state,
            (Some(true), _) => AccountState::Disabled,
            (Some(false), Some(_)) => AccountState::Active,
            (Some(false), None) => AccountState::Invited,
        };
        let mut notes = Vec::new();
        if role != account.role {
            let mut note = about(&account, AuditAction::UserRoleChanged);
            note.details =
                [("from", json!(account.role.as_str())), ("to", json!(role.as_str()))].into();
            notes.push(note);
        }
        if state != account.state {
            let action = match state {
                AccountState::Disabled => AuditAction::UserDisabled,
                AccountState::Active | AccountState::Invited => AuditAction::UserEnabled,
            };
            notes.push(about(&account, action));
        }
        if notes.is_empty() {
            return Ok(account);
        }
        let after = Account { role, state, ..account.clone() };
        keep_an_administrator(&mut change, &account, Some(&after)).await?;
        change.set_role_and_state(&id, role, state).await?;
        change.end_sessions(&id, None).await?;
        change.commit(&audit, notes).await?;
        Ok(after)
    }

    /// Forgets who the owner of the account `name` is: everything personal goes, also out of the audit,
    /// whose chain stays whole.
    ///
    /// # Errors
    ///
    /// As [`App::change_user`].
    pub async fn erase_user(&self, name: &str) -> Result<AccountId, AccessError> {
        let account = self.user(name).await?;
        let (master, audit) = (self.master_key().await?, self.audit().await?);
        // What is counted by other processes is nobody's when they write it down.
        self.flush_telemetry().await?;
        let mut change = self.change_access().await?;
        keep_an_administrator(&mut change, &account, None).await?;
        for key in change.api_keys(&account.id).await? {
            if key.is_uncollected {
                forget_token(&mut change, &master, &key.id).await?;
            }
        }
        forget_webhook_key(&mut change, &master, &account).await?;
        change.forget_owner(&audit, &account.id).await?;
        change.commit(&audit, Vec::new()).await?;
        self.forget_totp_seed(&account.id).await?;
        Ok(account.id)
    }

    /// Everything that is kept about the owner of the account `name`.
    ///
    /// # Errors
    ///
    /// [`AccessError::NoSuchUser`], and the others when the database or the secrets fail.
    pub async fn personal_data(&self, name: &str) -> Result<PersonalData, AccessError> {
        let account = self.user(name).await?;
        let audit = self.audit().await?;
        let note = about(&account, AuditAction::UserExported);
        self.change_access().await?.commit(&audit, vec![note]).await?;
        self.note_export("user");
        let filter = AuditFilter { about: Some(account.id.clone()), ..AuditFilter::default() };
        Ok(PersonalData {
            sessions: self.sessions(&account).await?,
            sign_ins: self.store.sign_ins(&account.id, None, RECORDS_MAX).await?,
            passkeys: self.store.passkeys(&account.id).await?,
            api_keys: self.store.api_keys(Some(&account.id)).await?,
            watchlists: self.store.watchlists(&account.id).await?,
            settings: self.store.user_settings(&account.id).await?,
            alert_channels: self.store.alert_channels(&account.id).await?,
            alert_rules: self.store.alert_rules(&account.id).await?,
            alerts: self.store.alerts(&account.id, None, RECORDS_MAX).await?,
            portfolios: self.personal_portfolios(&account.id).await?,
            activities: self.activities_of(&account.id, RECORDS_MAX).await?,
            usage: self.usage_of(&account.id).await?,
            records: self.store.audit_records(&filter, RECORDS_MAX).await?,
            account,
        })
    }

    /// The paper portfolios of `account`, with everything about them.
    async fn personal_portfolios(
        &self,
        account: &AccountId,
    ) -> Result<Vec<PersonalPortfolio>, StoreError> {
        let mut portfolios = Vec::new();
        for stored in self.store.portfolios(account).await? {
            let of_it =
                OrderFilter { portfolio: Some(stored.id.clone()), ..OrderFilter::default() };
            let orders = self.store.orders(account, &of_it, RECORDS_MAX).await?;
            portfolios.push(PersonalPortfolio {
                orders: orders.into_iter().map(Into::into).collect(),
                events: self.store.paper_events(&stored.id, None, RECORDS_MAX).await?,
                days: self.store.paper_days(&stored.id).await?,
                stored,
            });
        }
        Ok(portfolios)
    }

    /// What the link with `token` is for.
    ///
    /// # Errors
    ///
    /// [`AccessError::InvitationInvalid`], and the others when the database or the secrets fail.
    pub async fn invitation(&self, token: &str) -> Result<InvitationFor, AccessError> {
        let digest = self.token_key().await?.digest(TokenKind::Invitation, token);
        let invitation = self.store.invitation(&digest).await?;
        let invitation = invitation.filter(|invitation| self.now() < invitation.expires_at);
        let Invitation { account, purpose, expires_at, .. } =
            invitation.ok_or(AccessError::InvitationInvalid)?;
        let stored = self.store.account(&account).await?.ok_or(AccessError::InvitationInvalid)?;
        Ok(InvitationFor { account: stored.account, purpose, expires_at })
    }

    /// Sets the password of the account that the link with `token` is for, uses the link up, and begins
    /// a session.
    ///
    /// # Errors
    ///
    /// [`AccessError::InvitationInvalid`], [`AccessError::Weak`], and the others when the database or
    /// the secrets fail.
    pub async fn accept_invitation(
        &self,
        token: &str,
        password: &Secret,
        visit: &Visit,
    ) -> Result<SignedIn, AccessError> {
        let InvitationFor { account, .. } = self.invitation(token).await?;
        bist_access::password::check_strength(password, &account.user_name)?;
        let hash = self.hashing.hash(password).await?;
        let digest = self.token_key().await?.digest(TokenKind::Invitation, token);
        let audit = self.audit_of(&account, visit).await?;
        let mut change = self.change_access().await?;
        // As it stands now: somebody may have used the link a moment ago.
        change.take_invitation(&digest).await?.ok_or(AccessError::InvitationInvalid)?;
        let stored = change.account(&account.id).await?.ok_or(AccessError::InvitationInvalid)?;
        let state = match stored.account.state {
            AccountState::Disabled => return Err(AccessError::InvitationInvalid),
            AccountState::Invited | AccountState::Active => AccountState::Active,
        };
        let account = Account { state, ..stored.account };
        change.set_password(&account.id, Some(&hash)).await?;
        change.set_role_and_state(&account.id, account.role, state).await?;
        let begun = Begun::ByPassword;
        let signed_in = self.open_session(&mut change, account, begun, visit, audit.at).await?;
        let notes =
            vec![about(&signed_in.account, AuditAction::PasswordChanged), began(&signed_in, visit)];
        change.commit(&audit, notes).await?;
        Ok(signed_in)
    }

    /// A link by which the owner of `account` sets a password, within `change`.
    async fn invite_owner(
        &self,
        change: &mut AccessChange,
        account: Account,
        purpose: InvitationPurpose,
        now: Timestamp,
    ) -> Result<Invited, AccessError> {
        let token = random_token(&mut UnwrapErr(SysRng));
        let digest = self.token_key().await?.digest(TokenKind::Invitation, token.expose());
        let expires_at = now + INVITATION_TIME;
        let invitation = Invitation { account: account.id.clone(), digest, purpose, expires_at };
        change.set_invitation(&invitation).await?;
        Ok(Invited { account, token, expires_at })
    }
}

/// Refuses what would leave nobody who can look after accounts. `after` is what becomes of `account`;
/// `None` when it goes.
async fn keep_an_administrator(
    change: &mut AccessChange,
    account: &Account,
    after: Option<&Account>,
) -> Result<(), AccessError> {
    let is_one =
        |account: &Account| account.role == Role::Admin && account.state == AccountState::Active;
    let is_lost = is_one(account) && !after.is_some_and(is_one);
    if is_lost && change.other_administrators(&account.id).await? == 0 {
        return Err(AccessError::LastAdministrator);
    }
    Ok(())
}
