//! Sessions that are there: seen, ended by their owner or by an administrator.

use bist_access::{Account, AuditAction, Session, SessionId};
use bist_store::{AuditNote, SignIn};
use serde_json::json;

use super::sign_in::{Visit, about};
use super::{AccessError, Caller, Means};
use crate::App;

impl App {
    /// Ends `session`.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database fails.
    pub async fn sign_out(
        &self,
        account: &Account,
        session: &SessionId,
        visit: &Visit,
    ) -> Result<(), AccessError> {
        let audit = self.audit_of(account, visit).await?;
        let mut change = self.change_access().await?;
        if !change.end_session(&account.id, session).await? {
            return Err(AccessError::NoSuchSession(session.to_string()));
        }
        let note = AuditNote::new(AuditAction::SessionEnded, format!("session:{session}"), []);
        change.commit(&audit, vec![note]).await?;
        Ok(())
    }

    /// Ends the session that `token` opens, if it is one, as another begins in its browser.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database or the secrets fail.
    pub async fn leave_behind(&self, token: &str, visit: &Visit) -> Result<(), AccessError> {
        let Some(Caller { account, means: Means::Session(session), .. }) =
            self.caller_with_session(token, self.now()).await?
        else {
            return Ok(());
        };
        match self.sign_out(&account, &session.id, visit).await {
            // It ended meanwhile.
            Err(AccessError::NoSuchSession(_)) => Ok(()),
            ended => ended,
        }
    }

    /// Ends all sessions of `account` but `kept`, and returns how many those were.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database fails.
    pub async fn sign_out_elsewhere(
        &self,
        account: &Account,
        kept: &SessionId,
        visit: &Visit,
    ) -> Result<u64, AccessError> {
        let audit = self.audit_of(account, visit).await?;
        let mut change = self.change_access().await?;
        let ended_count = change.end_sessions(&account.id, Some(kept)).await?;
        change.commit(&audit, vec![ended(account, ended_count)]).await?;
        Ok(ended_count)
    }

    /// The sessions of `account` that are not over, the one used last first.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database fails.
    pub async fn sessions(&self, account: &Account) -> Result<Vec<Session>, AccessError> {
        let mut sessions = self.store.sessions(&account.id).await?;
        sessions.retain(|session| !session.is_over(account, self.now()));
        Ok(sessions)
    }

    /// Attempts to sign in to `account`, the newest first: at most `limit`, before the one of the number
    /// `before`.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database fails.
    pub async fn sign_ins(
        &self,
        account: &Account,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<SignIn>, AccessError> {
        Ok(self.store.sign_ins(&account.id, before, limit).await?)
    }

    /// Ends all sessions of the account `name`, as an administrator, and returns how many those were.
    ///
    /// # Errors
    ///
    /// [`AccessError::NoSuchUser`], and the others when the database or the secrets fail.
    pub async fn sign_user_out(&self, name: &str) -> Result<u64, AccessError> {
        let account = self.user(name).await?;
        self.end_all_sessions(&account).await
    }

    /// Ends all sessions of all accounts, as an administrator, and returns how many those were.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database or the secrets fail.
    pub async fn sign_everybody_out(&self) -> Result<u64, AccessError> {
        let mut ended_count = 0;
        for account in self.users().await? {
            ended_count += self.end_all_sessions(&account).await?;
        }
        Ok(ended_count)
    }

    async fn end_all_sessions(&self, account: &Account) -> Result<u64, AccessError> {
        let audit = self.audit().await?;
        let mut change = self.change_access().await?;
        let ended_count = change.end_sessions(&account.id, None).await?;
        change.commit(&audit, vec![ended(account, ended_count)]).await?;
        Ok(ended_count)
    }
}

/// What goes on record of several sessions that ended.
fn ended(account: &Account, ended_count: u64) -> AuditNote {
    let mut note = about(account, AuditAction::SessionEnded);
    note.details = [("ended_count", json!(ended_count))].into();
    note
}
