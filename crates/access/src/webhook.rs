//! Signatures of webhooks, as the specification "Standard Webhooks" describes them, so that receivers
//! verify them with a library that they have.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// What the text of a key begins with.
const PREFIX: &str = "whsec_";

/// Bytes of a key; the specification asks for 24 to 64.
const KEY_BYTES: usize = 32;

/// What a server signs and a receiver verifies with.
#[derive(Clone)]
pub struct WebhookKey(Zeroizing<Vec<u8>>);

/// A text that is no key of webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no key of webhooks")]
pub struct WebhookKeyError;

impl WebhookKey {
    /// A new key.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = Zeroizing::new(vec![0; KEY_BYTES]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self(bytes)
    }

    /// The key as receivers take it: `whsec_` and base64.
    pub fn to_text(&self) -> Secret {
        Secret::new(format!("{PREFIX}{}", STANDARD.encode(self.0.as_slice())))
    }

    /// Reads what [`Self::to_text`] gives.
    ///
    /// # Errors
    ///
    /// [`WebhookKeyError`] for anything else.
    pub fn from_text(text: &Secret) -> Result<Self, WebhookKeyError> {
        let base64 = text.expose().strip_prefix(PREFIX).ok_or(WebhookKeyError)?;
        let bytes = Zeroizing::new(STANDARD.decode(base64).map_err(|_| WebhookKeyError)?);
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(WebhookKeyError) }
    }

    fn mac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length")
    }

    /// The header `webhook-signature` of the message `id` with `body`, sent at `timestamp_s`, seconds of
    /// Unix time.
    pub fn signature(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let mut mac = self.mac();
        mac.update(format!("{id}.{timestamp_s}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey([secret])")
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn a_signature_is_that_of_the_published_example() {
        // The example of the specification; Python's `hmac` gives the same.
        let key = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let key = WebhookKey::from_text(&key).unwrap();
        let signed = key.signature(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_key_is_read_as_it_was_written_and_is_not_printed() {
        let key = WebhookKey::generate(&mut ChaCha20Rng::seed_from_u64(7));
        let again = WebhookKey::from_text(&key.to_text()).unwrap();
        assert_eq!(again.signature("a", 1, b"x"), key.signature("a", 1, b"x"));
        assert_ne!(again.signature("a", 1, b"x"), key.signature("a", 2, b"x"));
        assert_eq!(format!("{key:?}"), "WebhookKey([secret])");
        for text in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert!(WebhookKey::from_text(&Secret::new(text)).is_err(), "{text}");
        }
    }
}
