//! One-time codes of a second factor (RFC 6238): SHA-1, six digits, half a minute.

use std::fmt;

use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use rand::CryptoRng;
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

use crate::account::UserName;
use crate::secret::Secret;

/// Who issues the codes, as an authenticator shows it.
pub const TOTP_ISSUER: &str = "BIST AI Smart Trader";

/// Digits of a code.
const DIGITS: u8 = 6;

/// How long a code is the current one, seconds.
const STEP_S: u64 = 30;

/// Codes before and after the current one that are taken, for clocks that are not quite right.
const SKEW_STEPS: u16 = 1;

/// Bytes of a seed: as many as SHA-1 gives (RFC 4226, section 4, R6).
const SEED_BYTES: usize = 20;

/// Width of a code as a picture, pixels.
const PICTURE_PX: u32 = 220;

/// What an authenticator and this program both know.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSeed(Zeroizing<[u8; SEED_BYTES]>);

/// A text that is no seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no seed of one-time codes")]
pub struct TotpSeedError;

/// What somebody needs to put a seed into an authenticator.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// The seed in base32, to be typed.
    pub secret: Secret,
    /// The seed with its parameters, for an authenticator on the same device.
    pub otpauth_uri: Secret,
    /// The same as a QR code, a document of SVG.
    pub qr_svg: Secret,
}

impl TotpSeed {
    /// A new seed.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; SEED_BYTES]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self(bytes)
    }

    /// Reads what [`TotpSeed::to_base32`] gave.
    ///
    /// # Errors
    ///
    /// [`TotpSeedError`] when it is none.
    pub fn from_base32(text: &Secret) -> Result<Self, TotpSeedError> {
        let secret = totp_rs::Secret::try_from_base32(text.expose()).map_err(|_| TotpSeedError)?;
        let bytes: [u8; SEED_BYTES] = secret.as_ref().try_into().map_err(|_| TotpSeedError)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The seed in base32 (RFC 4648), as authenticators take it.
    pub fn to_base32(&self) -> Secret {
        Secret::new(totp_rs::Secret::from(*self.0).to_base32())
    }

    /// The step to which `code` belongs, if it is one of those that are taken at the second
    /// `now_s` of Unix time. Of one step, only the first use should count: see `last_step`.
    ///
    /// `last_step` is the step of the code that was used last; nothing up to it is taken.
    pub fn step_of(&self, code: &str, now_s: u64, last_step: Option<u64>) -> Option<u64> {
        let step = self.totp(None).check(code, now_s)?;
        (last_step.is_none_or(|last| step > last)).then_some(step)
    }

    /// The code that an authenticator shows at the second `now_s` of Unix time.
    pub fn code_at(&self, now_s: u64) -> Secret {
        Secret::new(self.totp(None).generate(now_s).to_string())
    }

    /// What an authenticator of `user_name` needs.
    ///
    /// # Panics
    ///
    /// Never: what stands in it is short and well-formed.
    pub fn enrolment(&self, user_name: &UserName) -> Enrolment {
        let uri = self.totp(Some(user_name)).to_url().expect("an account and an issuer are named");
        let code = QrCode::with_error_correction_level(&uri, EcLevel::M);
        let picture = code
            .expect("the text is short")
            .render()
            .min_dimensions(PICTURE_PX, PICTURE_PX)
            .dark_color(svg::Color("#000000"))
            .light_color(svg::Color("#ffffff"))
            .build();
        Enrolment {
            secret: self.to_base32(),
            otpauth_uri: Secret::new(uri),
            qr_svg: Secret::new(picture),
        }
    }

    fn totp(&self, user_name: Option<&UserName>) -> Totp {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_step_duration(STEP_S)
            .with_skew(SKEW_STEPS)
            .with_secret(*self.0)
            .with_account_name(user_name.map_or("", UserName::as_str))
            .with_issuer(Some(TOTP_ISSUER))
            .build_noncompliant()
    }
}

impl fmt::Debug for TotpSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[seed]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seed of RFC 6238, appendix B.
    fn seed() -> TotpSeed {
        TotpSeed(Zeroizing::new(*b"12345678901234567890"))
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B gives eight digits; a code of six digits is their end.
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(seed().step_of(code, second, None), Some(second / 30), "{second}");
        }
    }

    #[test]
    fn a_code_is_taken_one_step_around_its_own_and_once() {
        let (code, step) = ("050471", 1_111_111_111 / 30);
        let begin = step * 30;
        for (now_s, taken) in
            [(begin - 31, false), (begin - 30, true), (begin + 59, true), (begin + 60, false)]
        {
            assert_eq!(seed().step_of(code, now_s, None).is_some(), taken, "{now_s}");
        }
        assert_eq!(seed().step_of(code, begin, Some(step - 1)), Some(step));
        assert_eq!(seed().step_of(code, begin, Some(step)), None);
        for code in ["", "50471", "0504711", "05047a", "٠٥٠٤٧١", " 050471"] {
            assert_eq!(seed().step_of(code, begin, None), None, "{code}");
        }
    }

    #[test]
    fn an_authenticator_is_told_everything_in_one_address() {
        // Six digits, SHA-1 and 30 seconds are what an address means that does not name them.
        let enrolment = seed().enrolment(&"ayse.yilmaz".parse().unwrap());
        assert_eq!(enrolment.secret.expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(TotpSeed::from_base32(&enrolment.secret), Ok(seed()));
        assert_eq!(
            enrolment.otpauth_uri.expose(),
            "otpauth://totp/BIST%20AI%20Smart%20Trader:ayse.yilmaz?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=BIST%20AI%20Smart%20Trader"
        );
        assert!(enrolment.qr_svg.expose().contains("<svg"));
        assert_eq!(format!("{:?}", seed()), "[seed]");
        assert_eq!(TotpSeed::from_base32(&Secret::new("GEZDGNBVGY3TQOJQ")), Err(TotpSeedError));
    }
}
