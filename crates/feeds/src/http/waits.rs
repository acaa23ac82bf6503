//! Waiting, the time that waiting takes, and chance: what a test wants to decide itself.

use std::fmt;
use std::pin::Pin;
use std::time::{Duration, Instant};

/// Some time later.
pub type Waiting<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Lets time pass between requests, so that tests need not sleep.
pub trait Waits: fmt::Debug + Send + Sync {
    /// The time since some beginning; it never goes back.
    fn now(&self) -> Duration;

    /// Returns after this time.
    fn sleep(&self, time: Duration) -> Waiting<'_>;

    /// Any time from zero to `most`, each as likely as the other.
    fn any_up_to(&self, most: Duration) -> Duration;
}

/// The real time, and the generator of random numbers of the thread.
#[derive(Clone, Copy, Debug)]
pub struct SystemWaits {
    began_at: Instant,
}

impl SystemWaits {
    /// Begins to count now.
    pub fn start() -> Self {
        Self { began_at: Instant::now() }
    }
}

impl Waits for SystemWaits {
    fn now(&self) -> Duration {
        self.began_at.elapsed()
    }

    fn sleep(&self, time: Duration) -> Waiting<'_> {
        Box::pin(tokio::time::sleep(time))
    }

    fn any_up_to(&self, most: Duration) -> Duration {
        rand::random_range(Duration::ZERO..=most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_gives_different_times_within_the_limit() {
        let waits = SystemWaits::start();
        let most = Duration::from_secs(1);
        let times: Vec<_> = (0..100).map(|_| waits.any_up_to(most)).collect();
        assert!(times.iter().all(|time| *time <= most));
        // Half of a hundred times are below the half, give or take; none or all never are.
        let short_count = times.iter().filter(|time| **time < most / 2).count();
        assert!((10..=90).contains(&short_count), "{short_count}");
        assert_eq!(waits.any_up_to(Duration::ZERO), Duration::ZERO);
    }
}
