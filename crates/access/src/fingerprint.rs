//! By what a secret is recognised that is not kept itself.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::secret::Secret;

/// What it is made under, so that it is no hash that anybody has tables of.
const LABEL: &[u8] = b"bist fingerprint of a secret";

/// By what a secret is recognised that is not kept itself; only for secrets that cannot be guessed.
#[derive(Clone)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// That of `secret`.
    pub fn of(secret: &Secret) -> Self {
        Self(mac(secret.expose()).finalize().into_bytes().into())
    }

    /// Whether `text` is the secret; it takes the same time for every wrong one of its length.
    pub fn is_of(&self, text: &str) -> bool {
        mac(text).verify_slice(&self.0).is_ok()
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[fingerprint]")
    }
}

fn mac(text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(LABEL).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_recognised_and_no_other() {
        let known = Fingerprint::of(&Secret::new("correct horse"));
        assert!(known.is_of("correct horse"));
        for other in ["", "correct hors", "correct horse ", "Correct horse", "correct horsf"] {
            assert!(!known.is_of(other), "{other}");
        }
        assert_eq!(format!("{known:?}"), "[fingerprint]");
    }
}
