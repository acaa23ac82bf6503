//! How well this installation is protected: its accounts, keys, secrets, records and files.

use std::io;
use std::path::Path;

use bist_access::{Account, AccountState, KeyState, Role, Scope, SecurityCheck};
use bist_store::{StoreError, StoredAccount};
use jiff::{SignedDuration, Timestamp};

use crate::access::AccessError;
use crate::audit::KeptRootsError;
use crate::{App, blocking};

/// How long an administrator may stay away before the account is one that nobody would miss.
const IDLE_TIME_MAX: SignedDuration = SignedDuration::from_hours(24 * 90);

/// How old the last root of the audit that was noted may be.
const ROOT_AGE_MAX: SignedDuration = SignedDuration::from_hours(48);

/// What was found: that a protection is there, or that it is not.
type Found = Result<String, String>;

/// Why it cannot be told how well this is protected.
#[derive(Debug, thiserror::Error)]
pub enum SecurityError {
    /// Accounts or keys cannot be read.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The roots of the audit cannot be read.
    #[error(transparent)]
    Roots(#[from] KeptRootsError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Looks at the accounts, keys, secrets, records and files of this installation; nothing is changed.
    ///
    /// # Errors
    ///
    /// [`SecurityError`] when they cannot be read.
    pub async fn security_checks(&self) -> Result<Vec<SecurityCheck>, SecurityError> {
        let now = self.now();
        let mut checks = self.account_checks(now).await?;
        checks.extend(self.key_checks(now).await?);
        checks.extend(self.audit_checks(now).await?);
        checks.extend(self.secret_checks().await);
        checks.push(self.file_check().await);
        Ok(checks)
    }

    async fn account_checks(&self, now: Timestamp) -> Result<Vec<SecurityCheck>, SecurityError> {
        let (mut active, mut outdated) = (Vec::new(), Vec::new());
        for account in self.users().await? {
            let stored = self.store.account(&account.id).await?;
            let password = stored.and_then(|StoredAccount { password, .. }| password);
            if password.is_some_and(|password| password.is_outdated()) {
                outdated.push(account.user_name.to_string());
            }
            if account.state == AccountState::Active {
                active.push(account);
            }
        }
        let administrators: Vec<&Account> =
            active.iter().filter(|account| account.role == Role::Admin).collect();
        let names = |of: &[&Account]| {
            of.iter().map(|account| account.user_name.to_string()).collect::<Vec<_>>()
        };
        let (factor, idle) = if administrators.is_empty() {
            let none = |id, weight| {
                SecurityCheck::not_applicable(id, weight, "no administrator can sign in yet")
            };
            (none("accounts.second_factors", 5), none("accounts.idle", 1))
        } else {
            let without: Vec<&Account> = administrators
                .iter()
                .copied()
                .filter(|account| !account.has_second_factor())
                .collect();
            let idle: Vec<&Account> = administrators
                .iter()
                .copied()
                .filter(|account| {
                    let used = account.last_signed_in_at.unwrap_or(account.created_at);
                    now.duration_since(used) > IDLE_TIME_MAX
                })
                .collect();
            let count = administrators.len();
            (
                SecurityCheck::judged(
                    "accounts.second_factors",
                    5,
                    none_of(&names(&without), "have no second factor", || {
                        format!("{count} administrators, all with a second factor")
                    }),
                    "have them sign in and set one up, or disable them with `bist users disable NAME`",
                ),
                SecurityCheck::judged(
                    "accounts.idle",
                    1,
                    none_of(&names(&idle), "have not signed in for 90 days", || {
                        format!("{count} administrators, all seen in the last 90 days")
                    }),
                    "disable accounts that nobody uses with `bist users disable NAME`",
                ),
            )
        };
        let hashes = SecurityCheck::judged(
            "accounts.hashes",
            2,
            none_of(&outdated, "have passwords hashed with older parameters", || {
                "all passwords are hashed as new ones are".to_owned()
            }),
            "they are hashed anew at the next sign-in; reset those of people who stay away",
        );
        Ok(vec![factor, idle, hashes])
    }

    async fn key_checks(&self, now: Timestamp) -> Result<Vec<SecurityCheck>, SecurityError> {
        let mut keys = self.api_keys(None).await?;
        keys.retain(|key| matches!(key.state(now), KeyState::Active | KeyState::Grace));
        keys.retain(|key| key.scopes.contains(&Scope::Admin) || key.scopes.contains(&Scope::Trade));
        if keys.is_empty() {
            let reason = "no API key in force may trade or administrate";
            return Ok(vec![SecurityCheck::not_applicable("keys.networks", 1, reason)]);
        }
        let anywhere: Vec<String> = keys
            .iter()
            .filter(|key| key.networks.is_empty())
            .map(|key| format!("{} ({})", key.id, key.name))
            .collect();
        let found = none_of(&anywhere, "may be used from anywhere", || {
            format!("{} keys that may trade or administrate, all bound to networks", keys.len())
        });
        let advice = "make such keys with --address, for the machines that use them";
        Ok(vec![SecurityCheck::judged("keys.networks", 1, found, advice)])
    }

    async fn audit_checks(&self, now: Timestamp) -> Result<Vec<SecurityCheck>, SecurityError> {
        let verified = self.verify_audit(&[]).await?;
        let whole = match &verified.broken {
            None => Ok(format!("{} records are those that were written", verified.records_count)),
            Some(broken) => Err(broken.to_string()),
        };
        let whole = SecurityCheck::judged(
            "audit.whole",
            5,
            whole,
            "keep the data directory as it is, and find out who could write to it; `bist audit verify` \
             says more",
        );
        let first = verified.span.map(|(first, _)| first);
        let roots = match first.filter(|first| now.duration_since(*first) > ROOT_AGE_MAX) {
            None => {
                let reason = "the records are too young for a root to be due";
                SecurityCheck::not_applicable("audit.roots", 1, reason)
            }
            Some(_) => {
                let last = self.last_noted_root_at().await?;
                let found = match last {
                    Some(at) if now.duration_since(at) <= ROOT_AGE_MAX => {
                        Ok(format!("a root was noted at {at}"))
                    }
                    Some(at) => Err(format!("the last root was noted at {at}")),
                    None => Err("no root was noted".to_owned()),
                };
                SecurityCheck::judged(
                    "audit.roots",
                    1,
                    found,
                    "`bist serve` notes one a day; keep copies elsewhere with `bist audit root --out`",
                )
            }
        };
        Ok(vec![whole, roots])
    }

    async fn secret_checks(&self) -> Vec<SecurityCheck> {
        let sealed = match self.check_secrets().await {
            Ok(()) => Ok("the master key opens every secret, and none was changed".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        let sealed = SecurityCheck::judged(
            "secrets.sealed",
            5,
            sealed,
            "name the right master key, or put the secret right with `bist secrets rotate NAME`",
        );
        let apart = match &self.master_key.source {
            Some(source) if !self.holds(source.path()) => Ok(format!("it is {source}")),
            Some(source) => Err(format!("{source} lies beside what it opens")),
            None => Err("it is in the data directory, beside what it opens".to_owned()),
        };
        let apart = SecurityCheck::judged(
            "secrets.master_key",
            2,
            apart,
            "keep it where backups of the data directory do not take it along: move the file and name it \
             by BIST_MASTER_KEY_FILE, or use a credential of systemd",
        );
        vec![sealed, apart]
    }

    /// Whether the file at `path` is one of the data directory.
    fn holds(&self, path: Option<&Path>) -> bool {
        let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        path.is_some_and(|path| whole(path).starts_with(whole(self.directory())))
    }

    async fn file_check(&self) -> SecurityCheck {
        let directory = self.directory().to_owned();
        let found = match blocking(move || modes(&directory)).await {
            Ok(found) => found,
            Err(error) => Err(format!("the data directory cannot be looked at: {error}")),
        };
        SecurityCheck::judged(
            "files.data_directory",
            3,
            found,
            "let nobody else in: `chmod 700` the data directory",
        )
    }
}

/// That nobody is on the list of `who`, or else who is.
fn none_of(who: &[String], what: &str, otherwise: impl FnOnce() -> String) -> Found {
    if who.is_empty() { Ok(otherwise()) } else { Err(format!("{} {what}", who.join(", "))) }
}

/// Whether others than the owner may go into the directory.
#[cfg(unix)]
fn modes(directory: &Path) -> io::Result<Found> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(directory)?.permissions().mode() & 0o777;
    let told = format!("the data directory has the mode {mode:03o}");
    Ok(if mode & 0o077 == 0 { Ok(told) } else { Err(told) })
}

/// Other systems have no such permissions.
#[cfg(not(unix))]
fn modes(_: &Path) -> io::Result<Found> {
    Ok(Ok("this system has other permissions, which were not looked at".to_owned()))
}
