//! What identifies us to the broker, and how it wants to see that.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bist_access::Secret;
use sha2::{Digest as _, Sha256};

/// The name of the broker's server in what is signed, whatever address it is asked at.
const SIGNED_HOST: &str = "https://www.algolab.com.tr";

/// Bytes of a block of the cipher.
const BLOCK: usize = 16;

/// The key of the contract, the user and the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlgoLabKeys {
    /// As it stands: `API-` and the key of the cipher in base64.
    pub(super) api_key: Secret,
    pub(super) user: Secret,
    pub(super) password: Secret,
}

/// Why a text is none. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// A part is missing.
    #[error("it has not three parts; give API-KEY:USER:PASSWORD")]
    Parts,
    /// The key is none.
    #[error(
        "its first part is no key of AlgoLab; give `API-` and 32 bytes in base64, as it was given to you"
    )]
    ApiKey,
}

impl AlgoLabKeys {
    /// Reads `API-KEY:USER:PASSWORD`; the password may have colons.
    ///
    /// # Errors
    ///
    /// [`KeysError`] when it is not that.
    pub fn parse(text: &Secret) -> Result<Self, KeysError> {
        let mut parts = text.expose().splitn(3, ':').filter(|part| !part.is_empty());
        let (Some(api_key), Some(user), Some(password)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(KeysError::Parts);
        };
        let keys = Self {
            api_key: Secret::new(api_key),
            user: Secret::new(user),
            password: Secret::new(password),
        };
        keys.cipher_key().map(|_| keys)
    }

    /// `text` as the broker wants secrets: AES-256 in CBC mode, with the broker's initial vector of
    /// zeros, in base64.
    pub(super) fn sealed(&self, text: &str) -> Result<String, KeysError> {
        let cipher = cbc::Encryptor::<Aes256>::new(&self.cipher_key()?.into(), &[0; BLOCK].into());
        let mut bytes = text.as_bytes().to_vec();
        let length = bytes.len();
        bytes.resize(length + BLOCK, 0);
        let sealed = cipher.encrypt_padded::<Pkcs7>(&mut bytes, length);
        Ok(BASE64_STANDARD.encode(sealed.expect("there is room for the padding")))
    }

    /// What proves that a request for `path` with this body is ours.
    pub(super) fn checker(&self, path: &str, body: &str) -> Secret {
        let mut hash = Sha256::new();
        // All blanks are left out, those inside of texts too.
        let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
        for part in [self.api_key.expose(), SIGNED_HOST, path, &body] {
            hash.update(part);
        }
        let digest = hash.finalize();
        Secret::new(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    fn cipher_key(&self) -> Result<[u8; 32], KeysError> {
        let (_, encoded) = self.api_key.expose().split_once('-').ok_or(KeysError::ApiKey)?;
        let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| KeysError::ApiKey)?;
        bytes.try_into().map_err(|_| KeysError::ApiKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key 603deb10...: F.2.5 of NIST SP 800-38A is its first block with the vector 00010203....
    const API_KEY: &str = "API-YD3rEBXKcb4rc67whX13gR81LAc7YQjXLZgQowkU3/Q=";

    fn keys() -> AlgoLabKeys {
        AlgoLabKeys::parse(&Secret::new(format!("{API_KEY}:12345678901:pa:ss"))).unwrap()
    }

    #[test]
    fn three_parts_are_read_and_nothing_is_shown() {
        let keys = keys();
        assert_eq!((keys.user.expose(), keys.password.expose()), ("12345678901", "pa:ss"));
        assert!(!format!("{keys:?}").contains("pa:ss"));
        for (text, expected) in [
            ("", KeysError::Parts),
            ("API-x:user", KeysError::Parts),
            ("API-x::word", KeysError::Parts),
            ("API-x:user:word", KeysError::ApiKey),
            ("key:user:word", KeysError::ApiKey),
        ] {
            assert_eq!(AlgoLabKeys::parse(&Secret::new(text)), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_text_is_sealed_as_openssl_does_it() {
        // printf %s TEXT | openssl enc -aes-256-cbc -K 603deb10... -iv 0... -base64
        for (text, expected) in SEALED {
            assert_eq!(keys().sealed(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn the_checker_leaves_out_all_blanks() {
        let keys = keys();
        let checker = keys.checker("/api/LoginUser", r#"{"a": "b c"}"#);
        assert_eq!(checker, keys.checker("/api/LoginUser", r#"{"a":"bc"}"#));
        // printf %s API-...https://www.algolab.com.tr/ws | sha256sum
        assert_eq!(keys.checker("/ws", "").expose(), WS_CHECKER);
    }

    const SEALED: [(&str, &str); 3] = [
        ("12345678901", "RPsGQvV1APsMGVM20NIuag=="),
        ("1234567890123456", "jGMnyGSCs4xq0lyqlvH/abW9hWHifjyQeJkjuaq1drQ="),
        ("", "TEXfs7O0hOw1sFEtyMHE1g=="),
    ];

    const WS_CHECKER: &str = "5fb966105977e6e13456a08d726dc63e06aa03a11688b7167793ed1b940d13de";
}
