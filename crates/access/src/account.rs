//! Accounts: what they are called, and where they stand.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::id::AccountId;
use crate::role::Role;

/// Most characters of a user name.
const NAME_CHARS_MAX: usize = 64;

/// By what somebody signs in; small letters, so that two names never differ by their case alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(String);

/// A text that is no user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is no user name; give 2 to {NAME_CHARS_MAX} letters of the English alphabet, digits, dots, \
     hyphens, underscores, or an e-mail address"
)]
pub struct UserNameError;

impl UserName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = UserNameError;

    /// Reads a name; capital letters are taken for small ones.
    fn from_str(text: &str) -> Result<Self, UserNameError> {
        let text = text.trim().to_ascii_lowercase();
        let in_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-@+".contains(c);
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if begins && (2..=NAME_CHARS_MAX).contains(&text.len()) && text.chars().all(in_name) {
            Ok(Self(text))
        } else {
            Err(UserNameError)
        }
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// It was made, and waits for its owner to set a password.
    Invited,
    /// Its owner may sign in.
    Active,
    /// Nobody may sign in.
    Disabled,
}

impl AccountState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Invited, Self::Active, Self::Disabled];

    /// The state as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

/// Whether codes of an authenticator are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authenticator {
    /// There is no seed, or one that was never confirmed.
    Off,
    /// A seed was confirmed by a code.
    On {
        /// The step of the code that was used last.
        last_step: Option<u64>,
    },
}

/// A kind of second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorKind {
    /// An authenticator that shows codes.
    Authenticator,
    /// A passkey.
    Passkey,
}

impl FactorKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Authenticator, Self::Passkey];

    /// The kind as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authenticator => "authenticator",
            Self::Passkey => "passkey",
        }
    }
}

/// What an account has beside its password; any of it will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondFactor {
    /// The authenticator.
    pub authenticator: Authenticator,
    /// How many passkeys there are.
    pub passkeys_count: u64,
}

impl SecondFactor {
    /// That of an account with nothing but a password.
    pub const NONE: Self = Self { authenticator: Authenticator::Off, passkeys_count: 0 };

    /// Whether there is one.
    pub fn is_on(self) -> bool {
        !self.kinds().is_empty()
    }

    /// The kinds that there are.
    pub fn kinds(self) -> Vec<FactorKind> {
        let has = |kind: &FactorKind| match kind {
            FactorKind::Authenticator => self.authenticator != Authenticator::Off,
            FactorKind::Passkey => self.passkeys_count > 0,
        };
        FactorKind::ALL.into_iter().filter(has).collect()
    }
}

/// An account without what proves that one is its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name for programs.
    pub id: AccountId,
    /// By what its owner signs in.
    pub user_name: UserName,
    /// What it may do.
    pub role: Role,
    /// Where it stands.
    pub state: AccountState,
    /// What is asked for beside the password.
    pub second_factor: SecondFactor,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its owner last signed in.
    pub last_signed_in_at: Option<Timestamp>,
}

impl Account {
    /// Whether its role needs a second factor.
    pub fn needs_second_factor(&self) -> bool {
        self.role == Role::Admin
    }

    /// Whether a second factor is asked for.
    pub fn has_second_factor(&self) -> bool {
        self.second_factor.is_on()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_kind_of_second_factor_is_one() {
        let on = Authenticator::On { last_step: None };
        for (authenticator, passkeys_count, kinds) in [
            (Authenticator::Off, 0, &[][..]),
            (on, 0, &[FactorKind::Authenticator][..]),
            (Authenticator::Off, 2, &[FactorKind::Passkey][..]),
            (on, 1, &FactorKind::ALL[..]),
        ] {
            let second_factor = SecondFactor { authenticator, passkeys_count };
            assert_eq!(second_factor.kinds(), kinds);
            assert_eq!(second_factor.is_on(), !kinds.is_empty());
        }
    }

    #[test]
    fn user_names_differ_by_more_than_case() {
        assert_eq!("Ayse.Yilmaz".parse::<UserName>().unwrap().as_str(), "ayse.yilmaz");
        assert_eq!(" a.b@example.com ".parse::<UserName>().unwrap().as_str(), "a.b@example.com");
        for text in ["", "a", ".a", "ayşe", "a b", "a\n b", "<b>", &"x".repeat(65)] {
            assert_eq!(text.parse::<UserName>(), Err(UserNameError), "{text}");
        }
    }
}
