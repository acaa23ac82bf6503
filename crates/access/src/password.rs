//! Passwords: which are good enough, and how they are kept.

use std::fmt;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use rand::CryptoRng;
use zxcvbn::zxcvbn;

use crate::account::UserName;
use crate::secret::Secret;

/// Fewest characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 12;

/// Most bytes of a password; what is longer would only cost time.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// Memory of one hash, KiB. Memory, passes and lanes are those that OWASP recommends (Password
/// Storage Cheat Sheet, "Argon2id": m=19456, t=2, p=1, read on 29 November 2026).
pub const HASH_MEMORY_KIB: u32 = 19 * 1024;

/// Passes over the memory.
const HASH_PASSES: u32 = 2;

/// Lanes, each of which a core could fill.
const HASH_LANES: u32 = 1;

/// Random bytes that make two hashes of one password differ.
const SALT_BYTES: usize = 16;

/// Bytes of a hash.
const HASH_BYTES: usize = 32;

/// Words that an attacker would try first here, beside the user's own name.
const WORDS_OF_THIS_PLACE: [&str; 6] = ["bist", "borsa", "istanbul", "trader", "smart", "xu100"];

/// Shorter words stand in others by chance.
const WORD_CHARS_MIN: usize = 4;

/// Why a password is not taken. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// It has too few characters.
    #[error("the password has fewer than {PASSWORD_CHARS_MIN} characters; take a longer one")]
    TooShort,
    /// It has too many bytes.
    #[error("the password is longer than {PASSWORD_BYTES_MAX} bytes; take a shorter one")]
    TooLong,
    /// It would be guessed early.
    #[error(
        "the password would be guessed early: it is common, a name, a date or a pattern of the \
         keyboard; take several words that do not belong together"
    )]
    Guessable,
}

/// Whether `password` of the account `user_name` is hard enough to guess.
///
/// No kinds of characters are asked for; how hard it is to guess is estimated (Wheeler, "zxcvbn:
/// Low-Budget Password Strength Estimation", USENIX Security 2016), and fewer than about 10⁸ guesses
/// are too few. Words of this place do not count: without them it has still to be no everyday one.
///
/// # Errors
///
/// [`WeakPassword`] when it is not.
pub fn check_strength(password: &Secret, user_name: &UserName) -> Result<(), WeakPassword> {
    let text = password.expose();
    if text.chars().count() < PASSWORD_CHARS_MIN {
        return Err(WeakPassword::TooShort);
    }
    if text.len() > PASSWORD_BYTES_MAX {
        return Err(WeakPassword::TooLong);
    }
    let mut words = vec![user_name.as_str()];
    words.extend(WORDS_OF_THIS_PLACE);
    let is_guessed = zxcvbn(text, &words).score() < zxcvbn::Score::Three
        || zxcvbn(&without(text, &words), &[]).score() < zxcvbn::Score::Two;
    if is_guessed { Err(WeakPassword::Guessable) } else { Ok(()) }
}

/// What of `text` is left without the words that an attacker knows.
fn without(text: &str, words: &[&str]) -> String {
    let known = words.iter().filter(|word| word.len() >= WORD_CHARS_MIN);
    known.fold(text.to_lowercase(), |left, word| left.replace(word, " "))
}

/// What is kept of a password: Argon2id with its parameters, in the form of the Password Hashing
/// Competition.
#[derive(Clone, PartialEq, Eq)]
pub struct HashedPassword(String);

/// A text that is no hash of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no hash of a password")]
pub struct HashedPasswordError;

impl HashedPassword {
    /// Hashes `password`. It takes tens of milliseconds and 19 MiB.
    ///
    /// # Panics
    ///
    /// Never but when there is no memory: the parameters are in their ranges.
    pub fn of(password: &Secret, rng: &mut dyn CryptoRng) -> Self {
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        let hash = hasher()
            .hash_password_with_salt(password.expose().as_bytes(), &salt)
            .expect("the parameters are in their ranges");
        Self(hash.to_string())
    }

    /// The hash of no password that anybody knows, so that an account that is not there takes the
    /// same time as a wrong password.
    pub fn of_nobody() -> Self {
        // A salt and a hash of zeros; only the parameters count.
        let (salt, hash) = ("AAAAAAAAAAAAAAAAAAAAAA", "A".repeat(43));
        Self(format!(
            "$argon2id$v=19$m={HASH_MEMORY_KIB},t={HASH_PASSES},p={HASH_LANES}${salt}${hash}"
        ))
    }

    /// Reads what [`HashedPassword::as_str`] gave.
    ///
    /// # Errors
    ///
    /// [`HashedPasswordError`] when it is none.
    pub fn parse(text: &str) -> Result<Self, HashedPasswordError> {
        let hash = PasswordHash::new(text).map_err(|_| HashedPasswordError)?;
        Params::try_from(&hash).map_err(|_| HashedPasswordError)?;
        Ok(Self(text.to_owned()))
    }

    /// The hash as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `password` is the one. It takes as long as hashing it.
    pub fn is_of(&self, password: &Secret) -> bool {
        let password = password.expose().as_bytes();
        password.len() <= PASSWORD_BYTES_MAX
            && hasher().verify_password(password, self.0.as_str()).is_ok()
    }

    /// Whether it was made with other parameters than a new one would be.
    pub fn is_outdated(&self) -> bool {
        let Ok(hash) = PasswordHash::new(&self.0) else { return true };
        let known = Params::try_from(&hash).ok();
        hash.algorithm.as_str() != Algorithm::Argon2id.as_str()
            || known.is_none_or(|known| {
                (known.m_cost(), known.t_cost(), known.p_cost())
                    != (HASH_MEMORY_KIB, HASH_PASSES, HASH_LANES)
            })
    }
}

impl fmt::Debug for HashedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hashed password]")
    }
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(HASH_MEMORY_KIB, HASH_PASSES, HASH_LANES, Some(HASH_BYTES))
        .expect("the parameters are in their ranges");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[track_caller]
    fn check(password: &str, expected: Result<(), WeakPassword>) {
        let name = "ayse.yilmaz".parse().unwrap();
        assert_eq!(check_strength(&Secret::new(password), &name), expected, "{password}");
    }

    #[test]
    fn a_password_is_long_and_hard_to_guess() {
        check("kirmizi bisiklet yagmur 7", Ok(()));
        check("Vx9-tolga!mn2", Ok(()));
        check("kisa-parola", Err(WeakPassword::TooShort));
        check("çğışöüÇĞİŞÖ", Err(WeakPassword::TooShort));
        check(&"a1 ".repeat(86), Err(WeakPassword::TooLong));
        check("borsa kirmizi bisiklet 7", Ok(()));
        for guessed in [
            "password1234",
            "qwertyuiop12",
            "ayse.yilmaz1",
            "ayse.yilmaz-borsa1",
            "aaaaaaaaaaaaaa",
            "borsaborsaborsa",
            "BorsaIstanbul1",
            "bist2026bist",
        ] {
            check(guessed, Err(WeakPassword::Guessable));
        }
    }

    #[test]
    fn a_hash_tells_its_password_from_others_and_no_two_are_the_same() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let password = Secret::new("kirmizi bisiklet yagmur 7");
        let hash = HashedPassword::of(&password, &mut rng);
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert!(hash.is_of(&password));
        assert!(!hash.is_of(&Secret::new("kirmizi bisiklet yagmur 8")));
        assert!(!hash.is_of(&Secret::new("")));
        assert_ne!(HashedPassword::of(&password, &mut rng), hash);
        assert_eq!(HashedPassword::parse(hash.as_str()), Ok(hash.clone()));
        assert_eq!(format!("{hash:?}"), "[hashed password]");
        assert!(!HashedPassword::of_nobody().is_of(&password));
    }

    #[test]
    fn a_hash_of_weaker_parameters_is_known_and_outdated() {
        // Made by argon2-cffi 25.1.0, whose hasher took time_cost=1, memory_cost=8192, parallelism=1
        // and the salt b"0123456789abcdef" for this password.
        let text = "$argon2id$v=19$m=8192,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$8DbBLXIMkbhqJruUPyGoaeHB5fi3zloY/KIS/bNtyTA";
        let hash = HashedPassword::parse(text).unwrap();
        assert!(hash.is_of(&Secret::new("kirmizi bisiklet yagmur 7")));
        assert!(hash.is_outdated());
        assert!(!HashedPassword::of_nobody().is_outdated());
        for text in ["", "$argon2id$", "$2b$12$abcdefghijklmnopqrstuv"] {
            assert_eq!(HashedPassword::parse(text), Err(HashedPasswordError));
        }
    }
}
