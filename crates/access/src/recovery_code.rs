//! Codes that take the place of an authenticator that was lost, each once.

use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// How many are made at once.
pub const RECOVERY_CODES: usize = 10;

/// Characters of a code, hyphens not counted; five bits each.
const CODE_CHARS: usize = 28;

/// Digits and letters that are not taken for each other (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// New codes, as they are shown once: 140 random bits each.
pub fn random_recovery_codes(rng: &mut dyn CryptoRng) -> Vec<Secret> {
    (0..RECOVERY_CODES).map(|_| random_recovery_code(rng)).collect()
}

fn random_recovery_code(rng: &mut dyn CryptoRng) -> Secret {
    let mut bytes = Zeroizing::new([0; CODE_CHARS]);
    rng.fill_bytes(bytes.as_mut_slice());
    let mut code = Zeroizing::new(String::with_capacity(CODE_CHARS + CODE_CHARS / 4));
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 && i % 4 == 0 {
            code.push('-');
        }
        code.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    Secret::new(code.as_str())
}

/// A code as it is digested: somebody may type it with capital letters, with blanks, without hyphens,
/// or with the letters o, i and l for the digits that look like them.
pub fn normal_recovery_code(text: &str) -> Secret {
    let kept = text.chars().filter(|c| !c.is_whitespace() && *c != '-').take(2 * CODE_CHARS);
    let code: String = kept
        .map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        })
        .collect();
    Secret::new(code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn ten_codes_differ_and_are_read_however_they_are_typed() {
        let codes = random_recovery_codes(&mut ChaCha20Rng::seed_from_u64(7));
        let different: BTreeSet<&str> = codes.iter().map(Secret::expose).collect();
        assert_eq!(different.len(), RECOVERY_CODES);
        let code = codes[0].expose();
        assert_eq!(code.len(), 34);
        let typed = code.to_uppercase().replace('-', " ").replace('0', "O").replace('1', "l");
        assert_eq!(normal_recovery_code(&typed), normal_recovery_code(code));
        assert_ne!(normal_recovery_code(codes[1].expose()), normal_recovery_code(code));
    }
}
