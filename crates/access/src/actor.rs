//! Who does something, as it is put on record.

use std::fmt;

use crate::id::{AccountId, KeyId};

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody who signed in.
    Account(AccountId),
    /// A program with an API key.
    Key {
        /// The key.
        key: KeyId,
        /// Whose it is.
        account: AccountId,
    },
    /// Whoever typed a command on the machine, by the name that the system has for them.
    Operator(String),
    /// The product itself: what is due by a schedule.
    System,
    /// A caller who has not signed in.
    Nobody,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "account:{account}"),
            Self::Key { key, account } => write!(f, "key:{key}/{account}"),
            Self::Operator(name) => write!(f, "operator:{name}"),
            Self::System => f.write_str("system"),
            Self::Nobody => f.write_str("nobody"),
        }
    }
}
