//! Time as an argument: the one trait through which the edge tells the time.

use std::fmt;

use jiff::Timestamp;

/// Tells the time; the real one lives at the edge, in the binary.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still, for tests and for reproducing a past run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}
