//! Leaving something outside alone that fails again and again: a source, a bucket, Redis.
//!
//! The exchange has breakers too; those are in [`crate::exchange_rules`].

use core::time::Duration;

/// Whether something is being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// All is well.
    Closed {
        /// Failures in a row so far.
        failures_count: u32,
    },
    /// It failed too often and is left alone.
    Open {
        /// After this it is tried again.
        retry_in: Duration,
        /// The last failure.
        last: String,
    },
    /// One request is on its way to see whether it is back.
    HalfOpen,
}

/// Opens after failures in a row, and lets one request through from time to time until one
/// succeeds.
#[derive(Debug)]
pub struct Breaker {
    failures_max: u32,
    open_for: Duration,
    failures_count: u32,
    open: Option<Open>,
}

/// What is known while it is left alone.
#[derive(Debug)]
struct Open {
    /// When one request may pass, on the clock of the caller.
    until: Duration,
    last: String,
    /// A request is on its way. If nothing is heard of it, because its caller went away, another
    /// may pass at `until`.
    is_probing: bool,
}

/// What the breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// A request as usual.
    Free,
    /// One attempt, to see whether it is back.
    Probe,
}

/// Why the breaker lets nothing through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftAlone {
    /// Failures in a row so far.
    pub failures_count: u32,
    /// After this it is tried again.
    pub retry_in: Duration,
    /// The last failure.
    pub last: String,
}

impl Breaker {
    /// One that opens after `failures_max` in a row, for `open_for` each time.
    pub fn new(failures_max: u32, open_for: Duration) -> Self {
        Self { failures_max, open_for, failures_count: 0, open: None }
    }

    /// Whether a request could pass.
    ///
    /// # Errors
    ///
    /// [`LeftAlone`] when it could not.
    pub fn check(&self, now: Duration) -> Result<(), LeftAlone> {
        match &self.open {
            Some(open) if now < open.until => Err(LeftAlone {
                failures_count: self.failures_count,
                retry_in: open.until - now,
                last: open.last.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Lets a request pass, or not.
    ///
    /// # Errors
    ///
    /// [`LeftAlone`] when not.
    pub fn pass(&mut self, now: Duration) -> Result<Passage, LeftAlone> {
        self.check(now)?;
        let Some(open) = &mut self.open else { return Ok(Passage::Free) };
        open.is_probing = true;
        open.until = now + self.open_for;
        Ok(Passage::Probe)
    }

    /// It answered.
    pub fn succeeded(&mut self) {
        self.failures_count = 0;
        self.open = None;
    }

    /// It failed, after all attempts.
    pub fn failed(&mut self, now: Duration, last: String) {
        self.failures_count = self.failures_count.saturating_add(1);
        if self.failures_count >= self.failures_max {
            self.open = Some(Open { until: now + self.open_for, last, is_probing: false });
        }
    }

    /// Whether it is being asked, at `now`.
    pub fn state(&self, now: Duration) -> BreakerState {
        match &self.open {
            None => BreakerState::Closed { failures_count: self.failures_count },
            Some(open) if open.is_probing && now < open.until => BreakerState::HalfOpen,
            Some(open) => BreakerState::Open {
                retry_in: open.until.saturating_sub(now),
                last: open.last.clone(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn open() -> Breaker {
        let mut breaker = Breaker::new(2, 60 * SECOND);
        breaker.failed(Duration::ZERO, "first".to_owned());
        breaker.failed(SECOND, "second".to_owned());
        breaker
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let mut breaker = Breaker::new(2, 60 * SECOND);
        breaker.failed(SECOND, String::new());
        breaker.succeeded();
        breaker.failed(SECOND, String::new());
        assert_eq!(breaker.state(SECOND), BreakerState::Closed { failures_count: 1 });
        assert_eq!(breaker.pass(SECOND), Ok(Passage::Free));
        breaker.failed(SECOND, "gone".to_owned());
        let expected = BreakerState::Open { retry_in: 60 * SECOND, last: "gone".to_owned() };
        assert_eq!(breaker.state(SECOND), expected);
    }

    #[test]
    fn while_open_nothing_passes_and_the_rest_of_the_time_is_told() {
        let refused = open().pass(11 * SECOND).unwrap_err();
        let expected =
            LeftAlone { failures_count: 2, retry_in: 50 * SECOND, last: "second".to_owned() };
        assert_eq!(refused, expected);
    }

    #[test]
    fn one_probe_passes_and_its_success_closes() {
        let mut breaker = open();
        assert_eq!(breaker.pass(61 * SECOND), Ok(Passage::Probe));
        assert_eq!(breaker.state(62 * SECOND), BreakerState::HalfOpen);
        assert!(breaker.pass(62 * SECOND).is_err());
        breaker.succeeded();
        assert_eq!(breaker.state(63 * SECOND), BreakerState::Closed { failures_count: 0 });
    }

    #[test]
    fn a_failed_probe_opens_for_the_whole_time_again() {
        let mut breaker = open();
        assert_eq!(breaker.pass(61 * SECOND), Ok(Passage::Probe));
        breaker.failed(70 * SECOND, "third".to_owned());
        let expected = BreakerState::Open { retry_in: 60 * SECOND, last: "third".to_owned() };
        assert_eq!(breaker.state(70 * SECOND), expected);
        assert_eq!(breaker.pass(70 * SECOND).unwrap_err().failures_count, 3);
    }

    #[test]
    fn a_probe_that_never_comes_back_does_not_block_for_ever() {
        let mut breaker = open();
        assert_eq!(breaker.pass(61 * SECOND), Ok(Passage::Probe));
        assert!(breaker.pass(120 * SECOND).is_err());
        assert_eq!(breaker.pass(121 * SECOND), Ok(Passage::Probe));
    }
}
