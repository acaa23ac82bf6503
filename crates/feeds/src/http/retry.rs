//! What is worth asking again, and after how long.

use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::fetch_error::FetchError;

/// Whether the same request may well succeed a little later.
pub(crate) fn is_worth_retrying(error: &FetchError) -> bool {
    match error {
        FetchError::Unreachable { .. }
        | FetchError::DeadlineExceeded { .. }
        | FetchError::Truncated { .. }
        | FetchError::Silent { .. }
        | FetchError::RateLimited { .. } => true,
        FetchError::Status { status, .. } => {
            matches!(status, 408 | 425 | 500 | 502 | 503 | 504)
        }
        FetchError::File(_)
        | FetchError::NotOffered { .. }
        | FetchError::CredentialMissing { .. }
        | FetchError::TooLarge { .. }
        | FetchError::BreakerOpen { .. }
        | FetchError::WrongKind { .. }
        | FetchError::Refused { .. }
        | FetchError::Malformed { .. } => false,
    }
}

/// How long the source asks us to wait.
pub(crate) fn asked_wait(error: &FetchError) -> Option<Duration> {
    let (FetchError::Status { retry_after, .. } | FetchError::RateLimited { retry_after, .. }) =
        error
    else {
        return None;
    };
    *retry_after
}

/// The most to wait before attempt `attempt`, counted from 2: doubles from `first`, up to `max`.
pub(crate) fn backoff_max(attempt: u32, first: Duration, max: Duration) -> Duration {
    let doublings = attempt.saturating_sub(2).min(31);
    first.saturating_mul(1 << doublings).min(max)
}

/// Reads `Retry-After`, in seconds or as a date.
///
/// A date is compared with the answer's own `Date`, so that a clock of ours that is wrong does no
/// harm; without `Date` it tells nothing. A date that is past means no wait.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = |text: &str| rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
    let wait = moment(asked)?.duration_since(moment(text(DATE)?)?);
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(asked: &'static str, date: Option<&'static str>, expected_s: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, asked.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        assert_eq!(retry_after(&headers), expected_s.map(Duration::from_secs), "{asked}");
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let date = Some("Tue, 24 Nov 2026 10:00:00 GMT");
        check("120", None, Some(120));
        check(" 0 ", date, Some(0));
        check("Tue, 24 Nov 2026 10:01:30 GMT", date, Some(90));
        check("Tue, 24 Nov 2026 09:00:00 GMT", date, Some(0));
        check("Tue, 24 Nov 2026 10:01:30 GMT", None, None);
        check("Tue, 24 Nov 2026 10:01:30 GMT", Some("yesterday"), None);
        check("-5", date, None);
        check("soon", date, None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn the_wait_doubles_up_to_its_limit() {
        let (first, max) = (Duration::from_secs(1), Duration::from_secs(60));
        for (attempt, expected_s) in [(2, 1), (3, 2), (4, 4), (7, 32), (8, 60), (u32::MAX, 60)] {
            let expected = Duration::from_secs(expected_s);
            assert_eq!(backoff_max(attempt, first, max), expected, "attempt {attempt}");
        }
    }
}
