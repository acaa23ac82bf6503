//! One message sealed under one key: XChaCha20-Poly1305 with a random nonce of 192 bits.
//!
//! The nonce is long enough to be drawn for each message, with no counter that a restored backup
//! would set back. What a message belongs to is authenticated with it and not stored in it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use rand::CryptoRng;
use zeroize::Zeroizing;

pub(crate) const KEY_BYTES: usize = 32;

const NONCE_BYTES: usize = 24;

/// A key of 256 bits, wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl Key {
    pub(crate) fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self(bytes)
    }

    pub(crate) fn of(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Seals `message` as what `context` says; base64 of nonce, ciphertext and tag.
    pub(crate) fn seal(&self, context: &[u8], message: &[u8], rng: &mut dyn CryptoRng) -> String {
        let mut nonce = [0; NONCE_BYTES];
        rng.fill_bytes(&mut nonce);
        let mut sealed = nonce.to_vec();
        sealed.extend(self.encrypt(&nonce, context, message));
        BASE64_STANDARD.encode(sealed)
    }

    /// The message in `sealed`; `None` unless it was sealed under this key, as what `context` says,
    /// and is unchanged.
    pub(crate) fn open(&self, context: &[u8], sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        let sealed = BASE64_STANDARD.decode(sealed).ok()?;
        let (nonce, ciphertext) = sealed.split_first_chunk()?;
        self.decrypt(nonce, context, ciphertext)
    }

    fn encrypt(&self, nonce: &[u8; NONCE_BYTES], context: &[u8], message: &[u8]) -> Vec<u8> {
        XChaCha20Poly1305::new(self.bytes().into())
            .encrypt(nonce.into(), Payload { msg: message, aad: context })
            .expect("a message of a few kilobytes is far below the limit of the cipher")
    }

    fn decrypt(
        &self,
        nonce: &[u8; NONCE_BYTES],
        context: &[u8],
        ciphertext: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        XChaCha20Poly1305::new(self.bytes().into())
            .decrypt(nonce.into(), Payload { msg: ciphertext, aad: context })
            .ok()
            .map(Zeroizing::new)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: String = hex.split_whitespace().collect();
        let pairs = (0..digits.len()).step_by(2);
        pairs.map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap()).collect()
    }

    fn array<const N: usize>(hex: &str) -> [u8; N] {
        bytes(hex).try_into().unwrap()
    }

    /// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    #[test]
    fn the_vector_of_the_draft_is_met() {
        let key = Key::of(Zeroizing::new(array(
            "808182838485868788898a8b8c8d8e8f 909192939495969798999a9b9c9d9e9f",
        )));
        let nonce = array("404142434445464748494a4b4c4d4e4f 5051525354555657");
        let context = bytes("50515253c0c1c2c3c4c5c6c7");
        let message = b"Ladies and Gentlemen of the class of '99: If I could offer you only one \
                        tip for the future, sunscreen would be it.";
        let sealed = bytes(
            "bd6d179d3e83d43b9576579493c0e939 572a1700252bfaccbed2902c21396cbb
             731c7f1b0b4aa6440bf3a82f4eda7e39 ae64c6708c54c216cb96b72e1213b452
             2f8c9ba40db5d945b11b69b982c1bb9e 3f3fac2bc369488f76b2383565d3fff9
             21f9664c97637da9768812f615c68b13 b52e
             c0875924c1c7987947deafd8780acf49",
        );
        assert_eq!(key.encrypt(&nonce, &context, message), sealed);
        assert_eq!(key.decrypt(&nonce, &context, &sealed).unwrap().as_slice(), message);
    }

    #[test]
    fn the_same_message_is_never_sealed_alike() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let key = Key::generate(&mut rng);
        let first = key.seal(b"a", b"message", &mut rng);
        assert_ne!(first, key.seal(b"a", b"message", &mut rng));
        assert_eq!(key.open(b"a", &first).unwrap().as_slice(), b"message");
        assert_eq!(key.open(b"b", &first), None);
        assert_eq!(Key::generate(&mut rng).open(b"a", &first), None);
    }

    #[test]
    fn every_changed_character_is_refused() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let key = Key::generate(&mut rng);
        for length in [0, 1, 31] {
            let sealed = key.seal(b"a", &vec![7; length], &mut rng);
            for at in 0..sealed.len() {
                let changed = if sealed.as_bytes()[at] == b'A' { "B" } else { "A" };
                let mut text = sealed.clone();
                text.replace_range(at..=at, changed);
                assert_eq!(key.open(b"a", &text), None, "{length} {at}");
                assert_eq!(key.open(b"a", &sealed[..at]), None, "cut at {at}");
            }
        }
    }
}
