//! Why a source did not give what was asked, told so that an operator knows what to do.

use std::fmt;
use std::time::Duration;

use bist_market::Source;

use crate::error::FeedError;

/// Why a piece could not be fetched or understood. Nothing of it may be used.
///
/// Addresses are shown without query values that could be secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// A file.
    #[error(transparent)]
    File(#[from] FeedError),
    /// The wish makes no sense for the source.
    #[error("{source_name} cannot give that: {reason}")]
    NotOffered {
        /// Which source.
        source_name: Source,
        /// Why, and what to ask instead.
        reason: String,
    },
    /// A key or password is needed and not there.
    #[error("{source_name} needs {what}; {advice}")]
    CredentialMissing {
        /// Which source.
        source_name: Source,
        /// What is needed.
        what: &'static str,
        /// How to give it.
        advice: &'static str,
    },
    /// No answer: no connection, a connection that broke, a name that does not resolve.
    #[error("{url} cannot be reached: {reason}; check the network and the address")]
    Unreachable {
        /// The address.
        url: String,
        /// What the system said.
        reason: String,
    },
    /// The answer took too long: an attempt alone, or all attempts together.
    #[error("{url} did not answer within {} s", .deadline.as_secs_f64())]
    DeadlineExceeded {
        /// The address.
        url: String,
        /// How long we waited.
        deadline: Duration,
    },
    /// The answer is larger than any true one.
    #[error(
        "the answer of {url} is larger than {size_bytes_max} bytes and was not read to its end"
    )]
    TooLarge {
        /// The address.
        url: String,
        /// The most that is read.
        size_bytes_max: u64,
    },
    /// The answer ended before its announced end.
    #[error("the answer of {url} broke off: {reason}")]
    Truncated {
        /// The address.
        url: String,
        /// What was missing.
        reason: String,
    },
    /// A connection on which nothing was said any more.
    #[error("{url} has said nothing for {} s while prices move", .silence.as_secs())]
    Silent {
        /// The address.
        url: String,
        /// How long it was listened to.
        silence: Duration,
    },
    /// An answer that says that the request failed.
    #[error("{url} answered {status}{}{beginning}", if .beginning.is_empty() { "" } else { ": " })]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: u16,
        /// The whole body, at most 64 KiB, for the provider to read.
        body: Vec<u8>,
        /// The beginning of it in one line, for a person.
        beginning: String,
        /// How long the source asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The source limits how often it may be asked.
    #[error(
        "{source_name} limits how often it may be asked ({reason}); it will be asked again later"
    )]
    RateLimited {
        /// Which source.
        source_name: Source,
        /// Its words.
        reason: String,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The circuit breaker is open: the source failed several times in a row and is left alone.
    #[error("{source_name} failed {failures_count} times in a row and is left alone for {} s more; the last failure: {last}", .retry_in.as_secs())]
    BreakerOpen {
        /// Which source.
        source_name: Source,
        /// Failures in a row.
        failures_count: u32,
        /// After this the source is tried again.
        retry_in: Duration,
        /// The last of them.
        last: String,
    },
    /// The answer is of another kind than the source's documented one: HTML instead of JSON.
    #[error("{url} answered with {found} instead of {expected}: {beginning}")]
    WrongKind {
        /// The address.
        url: String,
        /// What was expected, such as `JSON`.
        expected: &'static str,
        /// What came, such as `an HTML page`.
        found: String,
        /// The beginning of it in one line.
        beginning: String,
    },
    /// The source says in its own words that it failed.
    #[error("{source_name} refused {piece}: {reason}")]
    Refused {
        /// Which source.
        source_name: Source,
        /// Which piece.
        piece: String,
        /// Its words.
        reason: String,
    },
    /// The answer does not have its documented shape.
    #[error("the answer of {source_name} for {piece} cannot be understood: {place}: {reason}")]
    Malformed {
        /// Which source.
        source_name: Source,
        /// Which piece.
        piece: String,
        /// Where: a field, a line.
        place: String,
        /// What is wrong there.
        reason: String,
    },
}

impl FetchError {
    /// An answer without its documented shape.
    pub(crate) fn malformed(
        source_name: Source,
        piece: &str,
        place: impl fmt::Display,
        reason: impl fmt::Display,
    ) -> Self {
        Self::Malformed {
            source_name,
            piece: piece.to_owned(),
            place: place.to_string(),
            reason: reason.to_string(),
        }
    }
}
