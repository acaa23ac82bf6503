//! What is put on record.

use std::fmt;
use std::str::FromStr;

/// A text that is no action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no action of the audit; docs/OPERATIONS.md lists them, such as model.promoted")]
pub struct AuditActionError(String);

macro_rules! actions {
    ($($(#[$about:meta])+ $action:ident = $name:literal,)+) => {
        /// What was done, each a noun and what became of it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AuditAction {
            $($(#[$about])+ $action,)+
        }

        impl AuditAction {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$action,)+];

            /// The action in the store, the API and the reports.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$action => $name,)+
                }
            }
        }
    };
}

actions! {
    /// A model version was taken in, as a candidate.
    ModelRegistered = "model.registered",
    /// A model version is tried beside the champion.
    ModelStaged = "model.staged",
    /// A model version was put in force, for the first time or again.
    ModelPromoted = "model.promoted",
    /// A model version is tried no more, and is a candidate again.
    ModelWithdrawn = "model.withdrawn",
    /// A model version was taken out of the choice.
    ModelRetired = "model.retired",
    /// A signal was made that says something new.
    SignalMade = "signal.made",
    /// An experiment began.
    ExperimentDeclared = "experiment.declared",
    /// An experiment ended by its rule.
    ExperimentDecided = "experiment.decided",
    /// An experiment ended without a decision.
    ExperimentStopped = "experiment.stopped",
    /// Somebody accepted or rejected what was found in the data.
    FindingDecided = "finding.decided",
    /// A run of a job was asked for, anew or once more.
    JobAsked = "job.asked",
    /// A run of a job is to end.
    JobCancelled = "job.cancelled",
    /// A secret was added.
    SecretSet = "secret.set",
    /// A secret has a new value.
    SecretRotated = "secret.rotated",
    /// A secret was removed.
    SecretRemoved = "secret.removed",
    /// All secrets were sealed under another master key.
    SecretsRekeyed = "secrets.rekeyed",
    /// A certificate was got.
    CertificateIssued = "certificate.issued",
    /// A certificate was got before the end of the one in use.
    CertificateRenewed = "certificate.renewed",
    /// A model was written to a file.
    ModelExported = "model.exported",
    /// What models learn from was written to a file.
    LearningTableExported = "learning_table.exported",
    /// More of the audit was given out than a page shows.
    AuditExported = "audit.exported",
    /// Counts of how the API is used were given out as a file.
    UsageExported = "usage.exported",
    /// What people did was given out as a file.
    ActivityExported = "activity.exported",
    /// A backup was made.
    BackupCreated = "backup.created",
    /// A backup was removed, for newer ones are kept.
    BackupRemoved = "backup.removed",
    /// Everything is as a backup has it, from here on.
    BackupRestored = "backup.restored",
    /// A running installation is to go back to a backup.
    BackupRestoreAsked = "backup.restore_asked",
    /// A running installation did not go back to a backup.
    BackupRestoreFailed = "backup.restore_failed",
    /// An account was made.
    UserCreated = "user.created",
    /// A person was invited to an account.
    UserInvited = "user.invited",
    /// An account has another role.
    UserRoleChanged = "user.role_changed",
    /// An account may not sign in any more.
    UserDisabled = "user.disabled",
    /// An account may sign in again.
    UserEnabled = "user.enabled",
    /// The password of an account is gone.
    UserReset = "user.reset",
    /// A person was forgotten.
    UserErased = "user.erased",
    /// What is kept of a person was given out.
    UserExported = "user.exported",
    /// Somebody signed in.
    SessionBegan = "session.began",
    /// A session ended.
    SessionEnded = "session.ended",
    /// Somebody was not let in.
    SessionRefused = "session.refused",
    /// A second factor is asked for from now on.
    SecondFactorEnabled = "second_factor.enabled",
    /// A second factor is not asked for any more.
    SecondFactorDisabled = "second_factor.disabled",
    /// A second factor was right.
    SecondFactorPassed = "second_factor.passed",
    /// A second factor was wrong.
    SecondFactorRefused = "second_factor.refused",
    /// Codes of an authenticator are taken from now on.
    AuthenticatorAdded = "authenticator.added",
    /// Codes of an authenticator are not taken any more.
    AuthenticatorRemoved = "authenticator.removed",
    /// A passkey was added to an account.
    PasskeyAdded = "passkey.added",
    /// A passkey was taken out of an account.
    PasskeyRemoved = "passkey.removed",
    /// Recovery codes were made; those before are worth nothing.
    RecoveryCodesMade = "recovery_codes.made",
    /// A recovery code was used up.
    RecoveryCodeUsed = "recovery_code.used",
    /// An account has another password.
    PasswordChanged = "password.changed",
    /// A password that was to show who asks was wrong.
    PasswordRefused = "password.refused",
    /// Somebody showed once more who they are.
    StepUpPassed = "step_up.passed",
    /// Somebody failed to show once more who they are.
    StepUpRefused = "step_up.refused",
    /// An API key was made.
    KeyCreated = "key.created",
    /// An API key was replaced.
    KeyRotated = "key.rotated",
    /// The end of an API key is near, and nothing takes its place.
    KeyExpiring = "key.expiring",
    /// The successor of an API key was collected.
    KeyCollected = "key.collected",
    /// An API key is worth nothing any more.
    KeyRevoked = "key.revoked",
    /// Somebody is told of alerts at another address, which gets a new key where it is a webhook.
    AlertChannelSet = "alert_channel.set",
    /// Somebody is told of alerts by a channel no more.
    AlertChannelRemoved = "alert_channel.removed",
    /// What is kept of an error was marked as resolved, muted, or open again.
    ErrorStateChanged = "error.state_changed",
    /// A paper portfolio was opened.
    PortfolioOpened = "portfolio.opened",
    /// A paper portfolio was closed.
    PortfolioClosed = "portfolio.closed",
    /// A paper order was looked at and taken.
    OrderPlaced = "order.placed",
    /// A paper order was looked at and not taken.
    OrderDenied = "order.denied",
    /// A paper order was cancelled.
    OrderCancelled = "order.cancelled",
    /// A paper order was executed, as far as a session allowed.
    OrderFilled = "order.filled",
    /// A paper order has come to its last session and was not executed to the end.
    OrderExpired = "order.expired",
    /// No paper orders are taken any more.
    TradingHalted = "trading.halted",
    /// Paper orders are taken again.
    TradingResumed = "trading.resumed",
}

impl FromStr for AuditAction {
    type Err = AuditActionError;

    fn from_str(text: &str) -> Result<Self, AuditActionError> {
        let action = Self::ALL.iter().find(|action| action.as_str() == text);
        action.copied().ok_or_else(|| AuditActionError(text.to_owned()))
    }
}

impl fmt::Display for AuditAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_a_noun_and_what_became_of_it() {
        for action in AuditAction::ALL {
            assert_eq!(action.to_string().parse(), Ok(*action));
            let words: Vec<&str> = action.as_str().split('.').collect();
            let is_word = |word: &&str| {
                !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
            };
            assert!(words.len() == 2 && words.iter().all(is_word), "{action}");
        }
        let document = include_str!("../../../../docs/OPERATIONS.md");
        for action in AuditAction::ALL {
            assert!(document.contains(&format!("`{action}`")), "{action} is not in the document");
        }
        assert!("model.eaten".parse::<AuditAction>().is_err());
    }
}
