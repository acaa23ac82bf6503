//! A clock that stands still until a test sets it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bist_market::Clock;
use bist_market::bar::istanbul;
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

/// A clock that stands still until it is set.
#[derive(Debug)]
pub struct HandClock(Mutex<Timestamp>);

impl HandClock {
    /// One that shows `instant`.
    pub const fn new(instant: Timestamp) -> Self {
        Self(Mutex::new(instant))
    }

    /// One that shows a date and time in Istanbul, such as `2026-10-26T18:40`.
    ///
    /// # Panics
    ///
    /// As [`istanbul_time`].
    #[track_caller]
    pub fn at(text: &str) -> Self {
        Self::new(istanbul_time(text))
    }

    /// Sets it to a date and time in Istanbul.
    ///
    /// # Panics
    ///
    /// As [`istanbul_time`].
    #[track_caller]
    pub fn set(&self, text: &str) {
        self.set_to(istanbul_time(text));
    }

    /// Sets it to `instant`.
    pub fn set_to(&self, instant: Timestamp) {
        *self.shown() = instant;
    }

    /// Lets `time` pass.
    pub fn pass(&self, time: SignedDuration) {
        *self.shown() += time;
    }

    fn shown(&self) -> MutexGuard<'_, Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.shown()
    }
}

/// The instant of a date and time in Istanbul, such as `2026-10-26T18:40`.
///
/// # Panics
///
/// When `text` is none.
#[track_caller]
pub fn istanbul_time(text: &str) -> Timestamp {
    let time: DateTime = text.parse().expect("the test names a date and a time");
    istanbul().to_timestamp(time).expect("the calendar has that time")
}
