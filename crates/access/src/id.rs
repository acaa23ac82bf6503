//! Names of accounts, of sessions, passkeys and API keys, and of what people have here: random, and
//! nothing personal in them.

use std::fmt;
use std::str::FromStr;

use rand::CryptoRng;

/// Hexadecimal digits after the letter.
const DIGITS: usize = 16;

/// A text that is no name of the kind that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no name of this kind; give '{0}' and {DIGITS} hexadecimal digits")]
pub struct IdError(char);

macro_rules! id {
    ($(#[$about:meta])* $name:ident, $letter:literal) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// A name that nothing has yet.
            pub fn generate(rng: &mut dyn CryptoRng) -> Self {
                Self(format!("{}{:016x}", $letter, rng.next_u64()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let digits = text.strip_prefix($letter).ok_or(IdError($letter))?;
                let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
                if digits.len() == DIGITS && digits.chars().all(is_digit) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(IdError($letter))
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// The name of an account; it stays when the person behind it is forgotten.
    AccountId, 'u'
}
id! {
    /// The name of a session; no secret, unlike the token that opens it.
    SessionId, 's'
}
id! {
    /// The name of a passkey; its authenticator knows it by another.
    PasskeyId, 'p'
}
id! {
    /// The name of an API key; no secret, unlike the token that holds it.
    KeyId, 'k'
}
id! {
    /// The name of a list of shares that somebody watches.
    WatchlistId, 'w'
}
id! {
    /// The name of a rule of alerts.
    AlertRuleId, 'r'
}
id! {
    /// The name of an alert; receivers know by it what they have had already.
    AlertId, 'a'
}
id! {
    /// The name of a paper portfolio.
    PortfolioId, 'f'
}
id! {
    /// The name of a paper order.
    OrderId, 'o'
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn a_name_is_a_letter_and_sixteen_digits() {
        let id = AccountId::generate(&mut ChaCha20Rng::seed_from_u64(7));
        assert_eq!(id.to_string().parse(), Ok(id.clone()));
        assert_eq!(id.as_str().len(), 17);
        for text in ["", "u", "u0123456789abcde", "u0123456789abcdeF", "s0123456789abcdef"] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }
}
