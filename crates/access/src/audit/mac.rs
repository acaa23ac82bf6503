//! The key of the chain, and what goes into a MAC.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::envelope::{KEY_BYTES, Key};
use crate::secret::Secret;

/// The key without which no record can be added; never printed, and wiped from memory when it is
/// dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditKey(Key);

/// A secret that is no key of an audit. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret holds no key of the audit, which is 32 bytes as base64")]
pub struct AuditKeyError;

impl AuditKey {
    /// A new key.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(Key::generate(rng))
    }

    /// The key that [`AuditKey::to_secret`] wrote.
    ///
    /// # Errors
    ///
    /// [`AuditKeyError`] when there is none.
    pub fn parse(secret: &Secret) -> Result<Self, AuditKeyError> {
        // A byte more than a key has, so that what decodes to more is noticed.
        let mut bytes = Zeroizing::new([0; KEY_BYTES + 1]);
        let decoded = BASE64_STANDARD.decode_slice(secret.expose(), bytes.as_mut_slice());
        if decoded != Ok(KEY_BYTES) {
            return Err(AuditKeyError);
        }
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        key.copy_from_slice(&bytes[..KEY_BYTES]);
        Ok(Self(Key::of(key)))
    }

    /// The key as the secret that it is kept as.
    pub fn to_secret(&self) -> Secret {
        Secret::new(BASE64_STANDARD.encode(self.0.bytes()))
    }
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What a MAC is made of, field by field; see the module above for how they are told apart.
pub(super) struct MacInput(Hmac<Sha256>);

impl MacInput {
    pub(super) fn of(key: &AuditKey, purpose: &str) -> Self {
        let mac = Hmac::new_from_slice(key.0.bytes()).expect("HMAC takes keys of every length");
        Self(mac).text(purpose)
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.field(text.as_bytes())
    }

    pub(super) fn number(self, number: [u8; 8]) -> Self {
        self.field(&number)
    }

    pub(super) fn maybe(mut self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(text),
            None => {
                self.0.update(&[0]);
                self
            }
        }
    }

    pub(super) fn finish(self) -> String {
        hexadecimal(&self.0.finalize().into_bytes())
    }

    fn field(mut self, bytes: &[u8]) -> Self {
        self.0.update(&[1]);
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }
}

/// `bytes` as small hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(four.into(), 16).expect("four bits are a digit");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn the_vector_of_the_rfc_is_met() {
        let mut mac: Hmac<Sha256> = Hmac::new_from_slice(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        assert_eq!(
            hexadecimal(&mac.finalize().into_bytes()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn no_two_lists_of_fields_give_the_same_mac() {
        let key = AuditKey::generate(&mut ChaCha20Rng::seed_from_u64(1));
        let input = || MacInput::of(&key, "purpose");
        let macs = [
            input().text("ab").text("c"),
            input().text("a").text("bc"),
            input().text("abc"),
            input().text("abc").maybe(None),
            input().text("abc").maybe(Some("")),
            input().maybe(None).text("abc"),
            MacInput::of(&key, "purposes").text("abc"),
        ];
        let mut macs: Vec<String> = macs.into_iter().map(MacInput::finish).collect();
        let count = macs.len();
        macs.sort_unstable();
        macs.dedup();
        assert_eq!(macs.len(), count);
    }

    #[test]
    fn a_key_comes_back_from_its_secret_and_is_never_told() {
        let key = AuditKey::generate(&mut ChaCha20Rng::seed_from_u64(2));
        assert_eq!(AuditKey::parse(&key.to_secret()), Ok(key.clone()));
        assert_eq!(format!("{key:?}"), "[secret]");
        let short = &key.to_secret().expose()[..40].to_owned();
        for text in ["", "password", short.as_str(), &format!("{short}{short}")] {
            assert_eq!(AuditKey::parse(&Secret::new(text)), Err(AuditKeyError), "{text}");
        }
    }
}
