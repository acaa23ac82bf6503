//! Random tokens: what opens a session, an invitation or an API key, and what is kept of them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::audit::hexadecimal;
use crate::id::{KeyId, SessionId};
use crate::secret::Secret;

/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;

/// What every API key begins with, so that scanners of code find those that were left there.
const API_KEY_PREFIX: &str = "bist_";

/// What a digest is made for; the same text gives another digest for another purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// It opens a session.
    Session,
    /// It lets somebody set a password.
    Invitation,
    /// It is an API key.
    ApiKey,
    /// It takes the place of a one-time code.
    RecoveryCode,
    /// It shows that a request comes from a page of ours.
    Csrf,
}

impl TokenKind {
    const fn context(self) -> &'static [u8] {
        match self {
            Self::Session => b"bist token 1, session",
            Self::Invitation => b"bist token 1, invitation",
            Self::ApiKey => b"bist token 1, API key",
            Self::RecoveryCode => b"bist token 1, recovery code",
            Self::Csrf => b"bist token 1, CSRF",
        }
    }
}

/// What is kept of a token: HMAC-SHA256 under the [`TokenKey`], as 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenDigest(String);

impl TokenDigest {
    /// The digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key under which tokens are digested: who has the database alone can try none.
#[derive(Clone)]
pub struct TokenKey(Zeroizing<[u8; TOKEN_BYTES]>);

/// A text that is no key of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no key of tokens")]
pub struct TokenKeyError;

impl TokenKey {
    /// A new key.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self(bytes)
    }

    /// The key as base64.
    pub fn to_base64(&self) -> Secret {
        Secret::new(STANDARD.encode(self.0.as_slice()))
    }

    /// Reads what [`TokenKey::to_base64`] gave.
    ///
    /// # Errors
    ///
    /// [`TokenKeyError`] when it is none.
    pub fn from_base64(text: &Secret) -> Result<Self, TokenKeyError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.expose()).map_err(|_| TokenKeyError)?);
        let bytes = <[u8; TOKEN_BYTES]>::try_from(bytes.as_slice()).map_err(|_| TokenKeyError)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// What is kept of `text`.
    ///
    /// # Panics
    ///
    /// Never: HMAC takes keys of any length.
    pub fn digest(&self, kind: TokenKind, text: &str) -> TokenDigest {
        TokenDigest(hexadecimal(&self.mac(kind, text).finalize().into_bytes()))
    }

    /// The token that only pages of the session `id` can know.
    pub fn csrf_token(&self, id: &SessionId) -> Secret {
        let mac = self.mac(TokenKind::Csrf, id.as_str()).finalize().into_bytes();
        Secret::new(URL_SAFE_NO_PAD.encode(mac))
    }

    /// Whether `token` is the one of the session `id`; it takes the same time for every wrong one.
    pub fn is_csrf_token(&self, id: &SessionId, token: &str) -> bool {
        let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
        self.mac(TokenKind::Csrf, id.as_str()).verify_slice(&bytes).is_ok()
    }

    fn mac(&self, kind: TokenKind, text: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("any length is taken");
        mac.update(kind.context());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key of tokens]")
    }
}

/// A new token: 256 random bits in base64 for addresses.
pub fn random_token(rng: &mut dyn CryptoRng) -> Secret {
    let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
    rng.fill_bytes(bytes.as_mut_slice());
    Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))
}

/// A new API key of the name `id`, as its owner writes it.
pub fn random_api_key(id: &KeyId, rng: &mut dyn CryptoRng) -> Secret {
    Secret::new(format!("{API_KEY_PREFIX}{id}_{}", random_token(rng).expose()))
}

/// What of an API key may be shown: its beginning, which is in no way secret.
pub fn api_key_prefix(id: &KeyId) -> String {
    format!("{API_KEY_PREFIX}{id}_")
}

/// The name in an API key that somebody gives; `None` when the text is none.
pub fn api_key_id(text: &str) -> Option<KeyId> {
    let (id, token) = text.strip_prefix(API_KEY_PREFIX)?.split_once('_')?;
    (token.len() == 43).then(|| id.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn the_same_token_has_another_digest_for_another_purpose_and_under_another_key() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let (key, other) = (TokenKey::generate(&mut rng), TokenKey::generate(&mut rng));
        let token = random_token(&mut rng);
        let digest = key.digest(TokenKind::Session, token.expose());
        assert_eq!(digest.as_str().len(), 64);
        assert_eq!(key.digest(TokenKind::Session, token.expose()), digest);
        assert_ne!(key.digest(TokenKind::ApiKey, token.expose()), digest);
        assert_ne!(other.digest(TokenKind::Session, token.expose()), digest);
        let again = TokenKey::from_base64(&key.to_base64()).unwrap();
        assert_eq!(again.digest(TokenKind::Session, token.expose()), digest);
        assert_eq!(format!("{key:?}"), "[key of tokens]");
    }

    #[test]
    fn a_digest_is_hmac_sha256_of_purpose_and_token() {
        // Made by Python 3.11: hmac.new(bytes(range(32)), b"bist token 1, session\0abc", "sha256").
        let key = TokenKey(Zeroizing::new(std::array::from_fn(|i| u8::try_from(i).unwrap())));
        let digest = key.digest(TokenKind::Session, "abc");
        assert_eq!(
            digest.as_str(),
            "c9c4a60c5c93bcf6a7aa1d71e848b0cf33c28ccb60db7e36e81a0f634994ac55"
        );
    }

    #[test]
    fn an_api_key_names_itself() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let id = KeyId::generate(&mut rng);
        let key = random_api_key(&id, &mut rng);
        assert!(key.expose().starts_with(&api_key_prefix(&id)));
        assert_eq!(api_key_id(key.expose()), Some(id));
        for text in ["", "bist_", "bist_k0123456789abcdef_", "sk-1234", "bist_x_y"] {
            assert_eq!(api_key_id(text), None, "{text}");
        }
    }

    #[test]
    fn a_csrf_token_is_that_of_its_session() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let key = TokenKey::generate(&mut rng);
        let (one, other) = (SessionId::generate(&mut rng), SessionId::generate(&mut rng));
        let token = key.csrf_token(&one);
        assert!(key.is_csrf_token(&one, token.expose()));
        assert!(!key.is_csrf_token(&other, token.expose()));
        assert!(!key.is_csrf_token(&one, ""));
    }
}
