//! Passkeys: what an account has of them, and how long a challenge to one is good.
//!
//! What a browser and an authenticator say is judged where the relying party is known
//! (docs/adr/0032-passkeys.md); here is what does not depend on it.

use jiff::{SignedDuration, Timestamp};

use crate::id::{AccountId, PasskeyId};

/// Most passkeys of an account.
pub const PASSKEYS_MAX: usize = 10;

/// How long a challenge can be answered.
pub const CHALLENGE_TIME: SignedDuration = SignedDuration::from_mins(5);

/// Most characters of the name of a passkey.
const NAME_CHARS_MAX: usize = 80;

/// A passkey of an account, without its public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its name for programs.
    pub id: PasskeyId,
    /// Whose it is.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// A text that is no name of a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("name: give 1 to {NAME_CHARS_MAX} characters on one line")]
pub struct PasskeyNameError;

/// Reads what somebody calls a passkey.
///
/// # Errors
///
/// [`PasskeyNameError`] when the text is empty, too long, or more than one line.
pub fn passkey_name(text: &str) -> Result<String, PasskeyNameError> {
    let name = text.trim();
    let is_name = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    if is_name && !name.contains(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err(PasskeyNameError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line() {
        assert_eq!(passkey_name(" Ayşe'nin telefonu "), Ok("Ayşe'nin telefonu".to_owned()));
        for text in ["", " ", "two\nlines", &"x".repeat(81)] {
            assert_eq!(passkey_name(text), Err(PasskeyNameError), "{text}");
        }
    }
}
