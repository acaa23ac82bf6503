//! Who can open a backup: recipients, for whom it is encrypted, and identities, which open it.
//!
//! Both are those of the program `age` (age-encryption.org), X25519 only, so that a backup can be opened
//! without this program too.

use std::fmt;

use age::secrecy::ExposeSecret as _;
use age::x25519;
use bist_access::Secret;

/// A text that is no key of a backup. It is not repeated, for it may be the secret one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupKeyError {
    /// It is no recipient.
    #[error(
        "it is no recipient of backups; give the public key that `bist backup generate-key` told, or \
         `age-keygen -y FILE`, which begins with age1"
    )]
    Recipient,
    /// There is none.
    #[error("there is no recipient; name one, which `bist backup generate-key --out FILE` makes")]
    NoRecipient,
    /// A line is no identity.
    #[error(
        "line {0} is no identity of age; give a file as `bist backup generate-key` and `age-keygen` \
         write it, whose lines begin with AGE-SECRET-KEY-1 or #"
    )]
    Identity(usize),
    /// There is none.
    #[error("it holds no identity of age; give a file as `bist backup generate-key` writes it")]
    NoIdentity,
}

/// For whom backups are encrypted: public keys, at least one.
#[derive(Clone)]
pub struct BackupRecipients(Vec<x25519::Recipient>);

impl BackupRecipients {
    /// Those that `texts` name, each as age writes it.
    ///
    /// # Errors
    ///
    /// [`BackupKeyError`] when one is none, or there is none.
    pub fn parse(texts: &[String]) -> Result<Self, BackupKeyError> {
        let parse = |text: &String| {
            let key = text.trim().parse::<x25519::Recipient>();
            key.map_err(|_| BackupKeyError::Recipient)
        };
        let keys = texts.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(BackupKeyError::NoRecipient) } else { Ok(Self(keys)) }
    }

    /// All of them, as age asks for them.
    pub(super) fn all(&self) -> impl Iterator<Item = &dyn age::Recipient> {
        self.0.iter().map(|key| key as &dyn age::Recipient)
    }
}

impl fmt::Debug for BackupRecipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(ToString::to_string)).finish()
    }
}

/// What opens backups: secret keys, at least one; never printed.
#[derive(Clone)]
pub struct BackupIdentities(Vec<x25519::Identity>);

impl BackupIdentities {
    /// Those of a file of identities, one a line; lines that begin with `#` say something to people.
    ///
    /// # Errors
    ///
    /// [`BackupKeyError`] when a line is none, or there is none.
    pub fn parse(text: &Secret) -> Result<Self, BackupKeyError> {
        let lines = text.expose().lines().map(str::trim).enumerate();
        let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let parse = |(index, line): (usize, &str)| {
            let key = line.parse::<x25519::Identity>();
            key.map_err(|_| BackupKeyError::Identity(index + 1))
        };
        let keys = keys.map(parse).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(BackupKeyError::NoIdentity) } else { Ok(Self(keys)) }
    }

    /// A new one, drawn at random.
    #[must_use]
    pub fn generate() -> Self {
        Self(vec![x25519::Identity::generate()])
    }

    /// The recipients whose backups these open.
    pub fn recipients(&self) -> BackupRecipients {
        BackupRecipients(self.0.iter().map(x25519::Identity::to_public).collect())
    }

    /// The file that [`Self::parse`] reads, with the recipients for people.
    pub fn to_file(&self) -> Secret {
        let mut text = String::new();
        for key in &self.0 {
            text += &format!("# public key: {}\n", key.to_public());
            text += key.to_string().expose_secret();
            text.push('\n');
        }
        Secret::new(text)
    }

    /// All of them, as age asks for them.
    pub(super) fn all(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|key| key as &dyn age::Identity)
    }
}

impl fmt::Debug for BackupIdentities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackupIdentities({})", self.0.len())
    }
}

impl fmt::Display for BackupRecipients {
    /// The public keys, one a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&keys.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_identities_is_read_as_it_was_written_and_shows_nothing() {
        let made = BackupIdentities::generate();
        let file = made.to_file();
        assert!(file.expose().contains("AGE-SECRET-KEY-1"));
        let read = BackupIdentities::parse(&file).unwrap();
        assert_eq!(read.recipients().to_string(), made.recipients().to_string());
        assert_eq!(format!("{read:?}"), "BackupIdentities(1)");
        let told = made.recipients().to_string();
        assert!(told.starts_with("age1"), "{told}");
        BackupRecipients::parse(&[told]).unwrap();
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_it() {
        let secret = Secret::new("# mine\n\nAGE-SECRET-KEY-1WRONG\n");
        let refused = BackupIdentities::parse(&secret).unwrap_err();
        assert_eq!(refused, BackupKeyError::Identity(3));
        assert!(!refused.to_string().contains("WRONG"));
        let none = BackupIdentities::parse(&Secret::new("# nothing\n"));
        assert_eq!(none.unwrap_err(), BackupKeyError::NoIdentity);
        let secret = BackupIdentities::generate().to_file();
        let line = secret.expose().lines().last().unwrap().to_owned();
        assert_eq!(BackupRecipients::parse(&[line]).unwrap_err(), BackupKeyError::Recipient);
        assert_eq!(BackupRecipients::parse(&[]).unwrap_err(), BackupKeyError::NoRecipient);
    }
}
