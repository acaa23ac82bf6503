//! The key that seals all others.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::envelope::{KEY_BYTES, Key};
use crate::secret::Secret;

/// The longest text in which a master key is looked for, bytes.
pub const MASTER_KEY_TEXT_BYTES_MAX: usize = 4096;

/// The key under which the data keys of all secrets are sealed; never printed, and wiped from memory
/// when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey(Key);

/// Why a text holds no master key. The text is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    /// It is not written as a master key is.
    #[error(
        "it holds no master key: give 32 random bytes as base64 (44 characters) or hexadecimal \
         digits (64), as `bist secrets generate-key` writes them"
    )]
    Form,
    /// All its bytes are the same, so that nobody drew it.
    #[error(
        "its 32 bytes are all the same, which is no key; make one with `bist secrets generate-key`"
    )]
    NotRandom,
}

impl MasterKey {
    /// A new key.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(Key::generate(rng))
    }

    /// The key in the content of a file: base64 or hexadecimal digits, blanks around it left out.
    ///
    /// # Errors
    ///
    /// [`MasterKeyError`] when there is none.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim();
        // A byte more than a key has, so that what decodes to more is noticed.
        let mut bytes = Zeroizing::new([0; KEY_BYTES + 1]);
        let decoded = match text.len() {
            64 => hexadecimal(text, bytes.as_mut_slice()),
            44 => BASE64_STANDARD.decode_slice(text, bytes.as_mut_slice()).ok(),
            _ => None,
        };
        if decoded != Some(KEY_BYTES) {
            return Err(MasterKeyError::Form);
        }
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        key.copy_from_slice(&bytes[..KEY_BYTES]);
        if key.iter().all(|byte| *byte == key[0]) {
            return Err(MasterKeyError::NotRandom);
        }
        Ok(Self(Key::of(key)))
    }

    /// The key as [`MasterKey::parse`] reads it: base64.
    pub fn to_base64(&self) -> Secret {
        Secret::new(BASE64_STANDARD.encode(self.0.bytes()))
    }

    pub(crate) fn key(&self) -> &Key {
        &self.0
    }
}

/// Writes the bytes that the digits of `text` say, and returns how many.
fn hexadecimal(text: &str, bytes: &mut [u8]) -> Option<usize> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    let count = pairs.len();
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(count)
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes from 0 to 31.
    const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

    #[test]
    fn base64_and_hexadecimal_digits_of_32_bytes_are_a_key() {
        let key = MasterKey::parse(&format!(" {BASE64}\n")).unwrap();
        assert_eq!(key, MasterKey::parse(HEX).unwrap());
        assert_eq!(key.0.bytes().to_vec(), (0..32).collect::<Vec<u8>>());
        assert_eq!(key.to_base64().expose(), BASE64);
        assert_eq!(format!("{key:?}"), "[secret]");
    }

    #[test]
    fn anything_else_is_refused_without_being_repeated() {
        let zeros = "0".repeat(64);
        let long = format!("{HEX}00");
        let bad_digit = HEX.replace('F', "G");
        let padded = BASE64.replace("8=", "==");
        let letters = "ü".repeat(32);
        for text in ["", "password", &HEX[1..], &long, &bad_digit, &padded, &letters, &BASE64[..43]]
        {
            let error = MasterKey::parse(text).unwrap_err();
            assert_eq!(error, MasterKeyError::Form, "{text}");
        }
        assert_eq!(MasterKey::parse(&zeros), Err(MasterKeyError::NotRandom));
        assert!(!MasterKeyError::Form.to_string().contains("password"));
    }
}
