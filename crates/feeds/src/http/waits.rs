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
