//! A name for every request: the caller's, if it is sane, or a new one.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries the id, in requests and responses.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Longest id that we take over from a caller.
const LENGTH_MAX: usize = 64;

/// The id of a request; in the extensions of every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// The id of the request with these headers.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .filter(|text| Self::is_one(text))
            .map_or_else(Self::make, |text| Self(text.into()))
    }

    /// Whether `text` may be an id: such a one may go into logs and answers as it is.
    pub(crate) fn is_one(text: &str) -> bool {
        (1..=LENGTH_MAX).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    }

    /// A new id: 128 bits that nobody outside this process can tell beforehand.
    fn make() -> Self {
        static KEY: OnceLock<RandomState> = OnceLock::new();
        static MADE_COUNT: AtomicU64 = AtomicU64::new(0);
        let key = KEY.get_or_init(RandomState::new);
        let n = MADE_COUNT.fetch_add(1, Ordering::Relaxed);
        let halves = [key.hash_one((n, 0_u8)), key.hash_one((n, 1_u8))];
        let mut digits = [0; 32];
        let bytes = halves.into_iter().flat_map(u64::to_be_bytes);
        for (byte, digits) in bytes.zip(digits.as_chunks_mut().0) {
            *digits = [byte >> 4, byte & 0xf].map(|value| DIGITS[usize::from(value)]);
        }
        Self(str::from_utf8(&digits).unwrap_or_default().into())
    }

    /// Names the answer.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.0) {
            headers.insert(HEADER, value);
        }
    }

    /// The id, held by whoever wants it too.
    pub(super) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &'static str, kept: bool) {
        let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_static(given))]);
        assert_eq!(RequestId::of(&headers).as_str() == given, kept, "{given:?}");
    }

    #[test]
    fn a_sane_id_is_kept_and_any_other_replaced() {
        check("abc-1_2.3", true);
        check("", false);
        check("with blank", false);
        check("a\"b", false);
        check("0123456789012345678901234567890123456789012345678901234567890123", true);
        check("01234567890123456789012345678901234567890123456789012345678901234", false);
    }

    #[test]
    fn no_two_ids_are_alike() {
        let first = RequestId::make();
        assert_eq!(first.as_str().len(), 32);
        assert_ne!(first, RequestId::make());
    }
}
