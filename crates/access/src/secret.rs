//! A text that is never printed, and what it is called.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

/// The longest secret, bytes of UTF-8.
pub const SECRET_BYTES_MAX: usize = 4096;

/// The longest name of a secret, characters.
const NAME_CHARS_MAX: usize = 64;

/// A key, a password or a token; shown as `[secret]`, and wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// Why a text cannot be a secret. The text is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is nothing but blanks.
    #[error("it is empty; give one key, password or token")]
    Empty,
    /// It has too many bytes.
    #[error("it is longer than {SECRET_BYTES_MAX} bytes; give one key, password or token")]
    TooLong,
    /// It has a line break or another control character.
    #[error("it has several lines or control characters; give one key, password or token")]
    ControlCharacter,
}

impl Secret {
    /// Takes the text in as it stands.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The one secret in a text that somebody wrote: without blanks and line breaks around it.
    ///
    /// # Errors
    ///
    /// [`SecretError`] when nothing is left, or more than one line.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if text.is_empty() {
            Err(SecretError::Empty)
        } else if text.len() > SECRET_BYTES_MAX {
            Err(SecretError::TooLong)
        } else if text.contains(char::is_control) {
            Err(SecretError::ControlCharacter)
        } else {
            Ok(Self::new(text))
        }
    }

    /// The text itself, for the request that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What a secret is called; no secret itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretName(String);

/// What the names of the product's own secrets begin with.
const OWN: &str = "bist.";

/// A text that is no name of a secret. It is not repeated, for it may be the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is no name of a secret; give up to {NAME_CHARS_MAX} small letters, digits, dots, hyphens and \
     underscores that begin with a letter or digit, such as evds"
)]
pub struct SecretNameError;

impl SecretName {
    /// What the key of the audit is called.
    pub fn audit_key() -> Self {
        Self(format!("{OWN}audit-key"))
    }

    /// Whether the product made the secret for itself, so that nobody gives it a value by hand.
    pub fn is_own(&self) -> bool {
        self.0.starts_with(OWN)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretName {
    type Err = SecretNameError;

    fn from_str(text: &str) -> Result<Self, SecretNameError> {
        let in_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if begins && text.len() <= NAME_CHARS_MAX && text.chars().all(in_name) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SecretNameError)
        }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line_without_the_blanks_around_it() {
        assert_eq!(Secret::parse(" s3cr3t ü \r\n").unwrap().expose(), "s3cr3t ü");
        assert_eq!(Secret::parse(" \n"), Err(SecretError::Empty));
        assert_eq!(Secret::parse("a\nb"), Err(SecretError::ControlCharacter));
        assert!(Secret::parse(&"x".repeat(SECRET_BYTES_MAX)).is_ok());
        assert_eq!(Secret::parse(&"x".repeat(SECRET_BYTES_MAX + 1)), Err(SecretError::TooLong));
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Some(Secret::new("s3cr3t"));
        assert_eq!(format!("{secret:?} {secret:#?}"), "Some([secret]) Some(\n    [secret],\n)");
    }

    #[test]
    fn names_are_plain_words() {
        for name in ["evds", "kap.test", "0_a-b", &"x".repeat(64)] {
            assert_eq!(name.parse::<SecretName>().unwrap().to_string(), name);
        }
        let own = SecretName::audit_key();
        assert_eq!((own.as_str().parse(), own.is_own()), (Ok(own.clone()), true));
        assert!(!"bistro".parse::<SecretName>().unwrap().is_own());
        for text in ["", "Evds", "-a", ".a", "a b", "a/b", "ı", "a\n", &"x".repeat(65)] {
            assert_eq!(text.parse::<SecretName>(), Err(SecretNameError), "{text}");
        }
    }
}
