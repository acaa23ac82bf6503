//! The second factor of an account: set up, confirmed, switched off; and its recovery codes.

use bist_access::{
    Account, AuditAction, Enrolment, SecondFactor, Secret, Session, TokenDigest, TokenKind,
    TotpSeed, normal_recovery_code, random_recovery_codes,
};
use bist_store::StoredAccount;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use super::AccessError;
use super::sign_in::{Code, SignedIn, Visit, about, began};
use crate::App;

impl App {
    /// Makes a seed for `account`, which does nothing before a code confirms it.
    ///
    /// # Errors
    ///
    /// [`AccessError::SecondFactorOn`], and the others when the database or the secrets fail.
    pub async fn set_up_second_factor(&self, account: &Account) -> Result<Enrolment, AccessError> {
        if account.has_second_factor() {
            return Err(AccessError::SecondFactorOn);
        }
        let seed = TotpSeed::generate(&mut UnwrapErr(SysRng));
        self.keep_totp_seed(&account.id, &seed).await?;
        Ok(seed.enrolment(&account.user_name))
    }

    /// Puts the second factor of `account` in force, as `code` shows that its owner has it. Returns a
    /// session in the place of `session`, and recovery codes that nobody sees again. All other sessions
    /// end: they were begun with less.
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
    ) -> Result<(SignedIn, Vec<Secret>), AccessError> {
        let seed = self.totp_seed(&account.id).await?.ok_or(AccessError::NothingToConfirm)?;
        let audit = self.audit_of(account, visit).await?;
        let now_s = u64::try_from(audit.at.as_second()).unwrap_or(0);
        let step = seed.step_of(code.trim(), now_s, None).ok_or(AccessError::WrongCredentials)?;
        let (codes, digests) = self.new_recovery_codes().await?;
        let mut change = self.change_access().await?;
        let current = change.account(&account.id).await?;
        if !current.is_some_and(|stored| stored.account.second_factor == SecondFactor::Off) {
            return Err(AccessError::SecondFactorOn);
        }
        let second_factor = SecondFactor::On { last_step: Some(step) };
        change.set_second_factor(&account.id, second_factor).await?;
        change.set_recovery_codes(&account.id, &digests).await?;
        change.end_sessions(&account.id, None).await?;
        let account = Account { second_factor, ..account.clone() };
        let signed_in = self.open_session(&mut change, account, true, visit, audit.at).await?;
        let notes = vec![
            about(&signed_in.account, AuditAction::SecondFactorEnabled),
            about(&signed_in.account, AuditAction::RecoveryCodesMade),
            began(&signed_in, visit),
        ];
        change.commit(&audit, notes).await?;
        Ok((signed_in, codes))
    }

    /// Switches the second factor of `account` off, for who shows both the password and a code. All
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
        code: &str,
        visit: &Visit,
    ) -> Result<Account, AccessError> {
        self.prove_password(account, password).await?;
        let audit = self.audit_of(account, visit).await?;
        let mut change = self.change_access().await?;
        let code = Code::OneTime(code.to_owned());
        if self.use_code(&mut change, account, &code, &audit).await?.is_none() {
            return Err(AccessError::WrongCredentials);
        }
        change.set_second_factor(&account.id, SecondFactor::Off).await?;
        change.set_recovery_codes(&account.id, &[]).await?;
        change.end_sessions(&account.id, Some(&session.id)).await?;
        let note = about(account, AuditAction::SecondFactorDisabled);
        change.commit(&audit, vec![note]).await?;
        self.forget_totp_seed(&account.id).await?;
        Ok(Account { second_factor: SecondFactor::Off, ..account.clone() })
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
        self.prove_password(account, current).await?;
        bist_access::password::check_strength(new, &account.user_name)?;
        let hash = self.hashing.hash(new).await?;
        let audit = self.audit_of(account, visit).await?;
        let mut change = self.change_access().await?;
        change.set_password(&account.id, Some(&hash)).await?;
        change.end_sessions(&account.id, None).await?;
        let code_given = session.code_given;
        let signed_in =
            self.open_session(&mut change, account.clone(), code_given, visit, audit.at).await?;
        let notes = vec![about(account, AuditAction::PasswordChanged), began(&signed_in, visit)];
        change.commit(&audit, notes).await?;
        Ok(signed_in)
    }

    /// Shows that `password` is the one of `account`.
    async fn prove_password(
        &self,
        account: &Account,
        password: &Secret,
    ) -> Result<(), AccessError> {
        let stored = self.store.account(&account.id).await?;
        let hash = stored.and_then(|StoredAccount { password, .. }| password);
        let hash = hash.ok_or(AccessError::WrongCredentials)?;
        if self.hashing.is_right(hash, password).await? {
            Ok(())
        } else {
            Err(AccessError::WrongCredentials)
        }
    }

    /// New recovery codes, and what is kept of them.
    async fn new_recovery_codes(&self) -> Result<(Vec<Secret>, Vec<TokenDigest>), AccessError> {
        let key = self.token_key().await?;
        let codes = random_recovery_codes(&mut UnwrapErr(SysRng));
        let digest = |code: &Secret| {
            key.digest(TokenKind::RecoveryCode, normal_recovery_code(code.expose()).expose())
        };
        let digests = codes.iter().map(digest).collect();
        Ok((codes, digests))
    }
}
