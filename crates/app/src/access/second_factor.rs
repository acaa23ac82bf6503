//! The authenticator of an account: set up, confirmed, switched off; and its recovery codes.

use bist_access::{
    Account, AuditAction, Authenticator, Enrolment, SecondFactor, Secret, Session, TokenDigest,
    TokenKind, TotpSeed, normal_recovery_code, random_recovery_codes,
};
use bist_store::{AccessChange, AuditNote, StoredAccount};
use jiff::Timestamp;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use super::AccessError;
use super::sign_in::{Begun, Code, Shown, SignedIn, Visit, about, began};
use crate::App;

/// What comes of the first second factor of an account.
#[derive(Clone, Debug)]
pub struct FirstFactor {
    /// The session in the place of all that there were: they were begun with less.
    pub signed_in: SignedIn,
    /// Recovery codes, which nobody sees again.
    pub recovery_codes: Vec<Secret>,
}

impl App {
    /// Makes a seed for `account`, which does nothing before a code confirms it.
    ///
    /// # Errors
    ///
    /// [`AccessError::SecondFactorOn`], and the others when the database or the secrets fail.
    pub async fn set_up_second_factor(&self, account: &Account) -> Result<Enrolment, AccessError> {
        if account.second_factor.authenticator != Authenticator::Off {
            return Err(AccessError::SecondFactorOn);
        }
        let seed = TotpSeed::generate(&mut UnwrapErr(SysRng));
        self.keep_totp_seed(&account.id, &seed).await?;
        Ok(seed.enrolment(&account.user_name))
    }

    /// Puts the authenticator of `account` in force, as `code` shows that its owner has it. What comes
    /// of it is `None` where there is a passkey already.
    ///
    /// # Errors
    ///
    /// [`AccessError::SecondFactorOn`], [`AccessError::NothingToConfirm`],
    /// [`AccessError::WrongCredentials`] for a wrong code, and the others when the database or the
    /// secrets fail.
    pub async fn confirm_second_factor(
        &self,
        account: &Account,
        code: &str,
        visit: &Visit,
    ) -> Result<Option<FirstFactor>, AccessError> {
        let seed = self.totp_seed(&account.id).await?.ok_or(AccessError::NothingToConfirm)?;
        let audit = self.audit_of(account, visit).await?;
        let now_s = u64::try_from(audit.at.as_second()).unwrap_or(0);
        let Some(step) = seed.step_of(code.trim(), now_s, None) else {
            let note = about(account, AuditAction::SecondFactorRefused);
            return self.refuse(note, account, visit).await;
        };
        let recovery = self.new_recovery_codes().await?;
        let mut change = self.change_access().await?;
        let current = change.account(&account.id).await?;
        let before = current.map(|stored| stored.account.second_factor);
        let before = before.filter(|before| before.authenticator == Authenticator::Off);
        let before = before.ok_or(AccessError::SecondFactorOn)?;
        let authenticator = Authenticator::On { last_step: Some(step) };
        change.set_authenticator(&account.id, authenticator).await?;
        if before.is_on() {
            let note = about(account, AuditAction::AuthenticatorAdded);
            change.commit(&audit, vec![note]).await?;
            return Ok(None);
        }
        let second_factor = SecondFactor { authenticator, ..before };
        let account = Account { second_factor, ..account.clone() };
        let begun = self.begin_second_factor(&mut change, account, recovery, visit, audit.at);
        let (first, more) = begun.await?;
        let mut notes = vec![about(&first.signed_in.account, AuditAction::AuthenticatorAdded)];
        notes.extend(more);
        change.commit(&audit, notes).await?;
        Ok(Some(first))
    }

    /// Lets `account`, which has its first second factor within `change`, be asked for it: all sessions
    /// end but a new one, and recovery codes are made. With what goes on record of that.
    pub(super) async fn begin_second_factor(
        &self,
        change: &mut AccessChange,
        account: Account,
        (recovery_codes, digests): (Vec<Secret>, Vec<TokenDigest>),
        visit: &Visit,
        at: Timestamp,
    ) -> Result<(FirstFactor, [AuditNote; 3]), AccessError> {
        change.set_recovery_codes(&account.id, &digests).await?;
        change.end_sessions(&account.id, None).await?;
        let signed_in = self.open_session(change, account, Begun::ByCode, visit, at).await?;
        let notes = [
            about(&signed_in.account, AuditAction::SecondFactorEnabled),
            about(&signed_in.account, AuditAction::RecoveryCodesMade),
            began(&signed_in, visit),
        ];
        Ok((FirstFactor { signed_in, recovery_codes }, notes))
    }

    /// Lets `account`, which has lost its last second factor within `change`, be asked for none: all
    /// sessions end but `session`, and the recovery codes are gone. With what goes on record of that.
    pub(super) async fn end_second_factor(
        &self,
        change: &mut AccessChange,
        account: &Account,
        session: &Session,
    ) -> Result<AuditNote, AccessError> {
        change.set_recovery_codes(&account.id, &[]).await?;
        change.end_sessions(&account.id, Some(&session.id)).await?;
        Ok(about(account, AuditAction::SecondFactorDisabled))
    }

    /// Switches the authenticator of `account` off, for who shows both the password and the second
    /// factor. Where there is no passkey, nothing is asked for beside the password from then on, and all
    /// sessions but `session` end.
    ///
    /// # Errors
    ///
    /// [`AccessError::WrongCredentials`], [`AccessError::SecondFactorOff`], and the others when the
    /// database or the secrets fail.
    pub async fn switch_second_factor_off(
        &self,
        account: &Account,
        session: &Session,
        password: &Secret,
        code: &Code,
        visit: &Visit,
    ) -> Result<Account, AccessError> {
        self.prove_password(account, password, visit).await?;
        let audit = self.audit_of(account, visit).await?;
        let mut change = self.change_access().await?;
        let shown = self.use_code(&mut change, account, session, code, &audit).await?;
        let mut notes = match shown {
            Shown::Right { notes, .. } => notes,
            Shown::Wrong(details) => {
                // What was shown is used up all the same.
                let mut note = about(account, AuditAction::SecondFactorRefused);
                note.details = details;
                change.commit(&audit, vec![note]).await?;
                return Err(AccessError::WrongCredentials);
            }
        };
        change.set_authenticator(&account.id, Authenticator::Off).await?;
        let stored = change.account(&account.id).await?;
        let after = stored.ok_or_else(|| AccessError::NoSuchUser(account.id.to_string()))?.account;
        notes.push(about(account, AuditAction::AuthenticatorRemoved));
        if !after.has_second_factor() {
            notes.push(self.end_second_factor(&mut change, account, session).await?);
        }
        change.commit(&audit, notes).await?;
        self.forget_totp_seed(&account.id).await?;
        Ok(after)
    }

    /// Puts new recovery codes in the place of all that `account` has; nobody sees them again.
    ///
    /// # Errors
    ///
    /// [`AccessError::SecondFactorOff`], and the others when the database or the secrets fail.
    pub async fn renew_recovery_codes(
        &self,
        account: &Account,
        visit: &Visit,
    ) -> Result<Vec<Secret>, AccessError> {
        if !account.has_second_factor() {
            return Err(AccessError::SecondFactorOff);
        }
        let audit = self.audit_of(account, visit).await?;
        let (codes, digests) = self.new_recovery_codes().await?;
        let mut change = self.change_access().await?;
        change.set_recovery_codes(&account.id, &digests).await?;
        let note = about(account, AuditAction::RecoveryCodesMade);
        change.commit(&audit, vec![note]).await?;
        Ok(codes)
    }

    /// How many recovery codes of `account` were not used.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database fails.
    pub async fn recovery_codes_left(&self, account: &Account) -> Result<u64, AccessError> {
        Ok(self.store.recovery_codes_left(&account.id).await?)
    }

    /// Gives `account` another password, for who knows the one it has. All sessions end but the one
    /// that is returned in the place of `session`.
    ///
    /// # Errors
    ///
    /// [`AccessError::WrongCredentials`], [`AccessError::Weak`], and the others when the database or the
    /// secrets fail.
    pub async fn change_password(
        &self,
        account: &Account,
        session: &Session,
        current: &Secret,
        new: &Secret,
        visit: &Visit,
    ) -> Result<SignedIn, AccessError> {
        self.prove_password(account, current, visit).await?;
        bist_access::password::check_strength(new, &account.user_name)?;
        let hash = self.hashing.hash(new).await?;
        let audit = self.audit_of(account, visit).await?;
        let mut change = self.change_access().await?;
        change.set_password(&account.id, Some(&hash)).await?;
        change.end_sessions(&account.id, None).await?;
        let begun =
            if account.has_second_factor() { Begun::After(session) } else { Begun::ByPassword };
        let signed_in =
            self.open_session(&mut change, account.clone(), begun, visit, audit.at).await?;
        let notes = vec![about(account, AuditAction::PasswordChanged), began(&signed_in, visit)];
        change.commit(&audit, notes).await?;
        Ok(signed_in)
    }

    /// Shows that `password` is the one of `account`; one that is not goes on record.
    pub(super) async fn prove_password(
        &self,
        account: &Account,
        password: &Secret,
        visit: &Visit,
    ) -> Result<(), AccessError> {
        let stored = self.store.account(&account.id).await?;
        let hash = stored.and_then(|StoredAccount { password, .. }| password);
        let hash = hash.ok_or(AccessError::WrongCredentials)?;
        if self.hashing.is_right(hash, password).await? {
            return Ok(());
        }
        self.refuse(about(account, AuditAction::PasswordRefused), account, visit).await
    }

    /// Refuses what `account` has shown, and puts that on record.
    async fn refuse<T>(
        &self,
        note: AuditNote,
        account: &Account,
        visit: &Visit,
    ) -> Result<T, AccessError> {
        let audit = self.audit_of(account, visit).await?;
        self.change_access().await?.commit(&audit, vec![note]).await?;
        Err(AccessError::WrongCredentials)
    }

    /// New recovery codes, and what is kept of them.
    pub(super) async fn new_recovery_codes(
        &self,
    ) -> Result<(Vec<Secret>, Vec<TokenDigest>), AccessError> {
        let key = self.token_key().await?;
        let codes = random_recovery_codes(&mut UnwrapErr(SysRng));
        let digest = |code: &Secret| {
            key.digest(TokenKind::RecoveryCode, normal_recovery_code(code.expose()).expose())
        };
        let digests = codes.iter().map(digest).collect();
        Ok((codes, digests))
    }
}
