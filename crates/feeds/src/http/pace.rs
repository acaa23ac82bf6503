//! How often a source is asked.

use std::time::Duration;

/// Gives turns in the order in which they were asked for, never closer than an interval.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    /// When the next turn may be, on the clock of the caller.
    next_at: Duration,
}

impl Pace {
    pub(crate) fn per_minute(requests: u32) -> Self {
        Self { interval: Duration::from_secs(60) / requests.max(1), next_at: Duration::ZERO }
    }

    /// Takes the next free turn; it is the returned time after `now`.
    pub(crate) fn take(&mut self, now: Duration) -> Duration {
        let turn_at = self.next_at.max(now);
        self.next_at = turn_at + self.interval;
        turn_at - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_an_interval_apart_and_unused_ones_are_not_saved_up() {
        let mut pace = Pace::per_minute(60);
        let at = |milliseconds| Duration::from_millis(milliseconds);
        for (now, wait) in [(0, 0), (0, 1000), (500, 1500), (60_000, 0), (60_400, 600)] {
            assert_eq!(pace.take(at(now)), at(wait), "at {now}");
        }
    }
}
