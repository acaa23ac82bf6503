//! Sessions: how far somebody has come in signing in, and when it is over.

use jiff::{SignedDuration, Timestamp};

use crate::account::Account;
use crate::id::{AccountId, SessionId};

/// How long a session lasts that nobody uses.
pub const SESSION_IDLE_MAX: SignedDuration = SignedDuration::from_mins(60);

/// How long a session lasts at most.
pub const SESSION_TIME_MAX: SignedDuration = SignedDuration::from_hours(12);

/// How long somebody who gave the password may take for the code.
pub const CODE_TIME_MAX: SignedDuration = SignedDuration::from_mins(10);

/// How long a fresh code opens what needs one.
pub const STEP_UP_TIME: SignedDuration = SignedDuration::from_mins(10);

/// How often it is written down that a session is used; between, idle time is known no better.
pub const SEEN_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// How long an invitation can be used.
pub const INVITATION_TIME: SignedDuration = SignedDuration::from_hours(72);

/// How far somebody has come in signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The password was right; the code is owed.
    SecondFactor,
    /// Signed in, but the role needs a second factor and there is none.
    Enrolment,
    /// Signed in.
    Full,
}

impl Stage {
    /// The stage as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecondFactor => "second_factor",
            Self::Enrolment => "enrolment",
            Self::Full => "full",
        }
    }
}

/// Somebody who is signed in, or is about to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its name; the token that opens it is not kept.
    pub id: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// Whether the code was given, where one is asked for.
    pub code_given: bool,
    /// When the password was given.
    pub signed_in_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// Until when a fresh code opens what needs one.
    pub stepped_up_until: Option<Timestamp>,
    /// From where, as the network tells.
    pub address: Option<String>,
    /// With what, as the browser tells.
    pub user_agent: Option<String>,
}

impl Session {
    /// How far its owner has come.
    pub fn stage(&self, account: &Account) -> Stage {
        if account.has_second_factor() {
            if self.code_given { Stage::Full } else { Stage::SecondFactor }
        } else if account.needs_second_factor() {
            Stage::Enrolment
        } else {
            Stage::Full
        }
    }

    /// When it is over whatever is done.
    pub fn expires_at(&self, account: &Account) -> Timestamp {
        let time_max = match self.stage(account) {
            Stage::SecondFactor => CODE_TIME_MAX,
            Stage::Enrolment | Stage::Full => SESSION_TIME_MAX,
        };
        self.signed_in_at + time_max
    }

    /// When it is over unless it is used before.
    pub fn idle_expires_at(&self, account: &Account) -> Timestamp {
        (self.last_seen_at + SESSION_IDLE_MAX).min(self.expires_at(account))
    }

    /// Whether it is over at `now`.
    pub fn is_over(&self, account: &Account, now: Timestamp) -> bool {
        now >= self.idle_expires_at(account)
    }

    /// Whether a fresh code was given.
    pub fn is_stepped_up(&self, now: Timestamp) -> bool {
        self.stepped_up_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{AccountState, Authenticator, SecondFactor};
    use crate::role::Role;

    const WITH_CODES: SecondFactor =
        SecondFactor { authenticator: Authenticator::On { last_step: None }, ..SecondFactor::NONE };
    const WITH_PASSKEY: SecondFactor = SecondFactor { passkeys_count: 1, ..SecondFactor::NONE };

    fn account(role: Role, second_factor: SecondFactor) -> Account {
        Account {
            id: "u0123456789abcdef".parse().unwrap(),
            user_name: "ayse".parse().unwrap(),
            role,
            state: AccountState::Active,
            second_factor,
            created_at: Timestamp::UNIX_EPOCH,
            last_signed_in_at: None,
        }
    }

    fn session(code_given: bool) -> Session {
        Session {
            id: "s0123456789abcdef".parse().unwrap(),
            account: "u0123456789abcdef".parse().unwrap(),
            code_given,
            signed_in_at: Timestamp::UNIX_EPOCH,
            last_seen_at: Timestamp::UNIX_EPOCH,
            stepped_up_until: None,
            address: None,
            user_agent: None,
        }
    }

    #[test]
    fn an_administrator_without_a_second_factor_has_to_enrol() {
        for (role, factor, code_given, stage) in [
            (Role::Viewer, SecondFactor::NONE, false, Stage::Full),
            (Role::Viewer, WITH_CODES, false, Stage::SecondFactor),
            (Role::Viewer, WITH_CODES, true, Stage::Full),
            (Role::Viewer, WITH_PASSKEY, false, Stage::SecondFactor),
            (Role::Admin, SecondFactor::NONE, false, Stage::Enrolment),
            (Role::Admin, WITH_CODES, false, Stage::SecondFactor),
            (Role::Admin, WITH_PASSKEY, false, Stage::SecondFactor),
            (Role::Admin, WITH_PASSKEY, true, Stage::Full),
        ] {
            assert_eq!(session(code_given).stage(&account(role, factor)), stage);
        }
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_whatever_is_done_after_half_a_day() {
        let account = account(Role::Viewer, SecondFactor::NONE);
        let after = |minutes: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let used_at = |minutes: i64| Session { last_seen_at: after(minutes), ..session(false) };
        assert!(!session(false).is_over(&account, after(59)));
        assert!(session(false).is_over(&account, after(60)));
        assert!(!used_at(700).is_over(&account, after(719)));
        assert!(used_at(700).is_over(&account, after(720)));
    }

    #[test]
    fn who_owes_the_code_has_ten_minutes() {
        let account = account(Role::Trader, WITH_CODES);
        let after = |minutes: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        assert!(!session(false).is_over(&account, after(9)));
        assert!(session(false).is_over(&account, after(10)));
    }
}
