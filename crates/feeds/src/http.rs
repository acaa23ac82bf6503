//! Asking a server politely: retries, a circuit breaker, a pace, conditional requests, limits.

use std::time::Duration;

/// Whether a source is being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// All is well.
    Closed {
        /// Failures in a row so far.
        failures_count: u32,
    },
    /// The source failed too often and is left alone.
    Open {
        /// After this the source is tried again.
        retry_in: Duration,
        /// The last failure.
        last: String,
    },
    /// One request is on its way to see whether the source is back.
    HalfOpen,
}
