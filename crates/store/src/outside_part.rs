//! Something outside of this process that may fail: asked within a budget, and left alone when it fails.

use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bist_market::breaker::{Breaker, BreakerState, LeftAlone};

/// What is outside, as everybody in this process sees it. Cloning is cheap and shares it.
#[derive(Clone, Debug)]
pub struct OutsidePart(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    breaker: Mutex<Breaker>,
    began: Instant,
}

/// Why it was not asked, or did not answer.
#[derive(Debug)]
pub enum NotAsked<E> {
    /// It failed too often and is left alone.
    LeftAlone(LeftAlone),
    /// It took longer than this.
    Slow(Duration),
    /// It failed.
    Failed(E),
}

impl OutsidePart {
    /// One that is left alone for `open_for` after `failures_max` failures in a row.
    pub fn new(failures_max: u32, open_for: Duration) -> Self {
        let breaker = Mutex::new(Breaker::new(failures_max, open_for));
        Self(Arc::new(Shared { breaker, began: Instant::now() }))
    }

    /// Asks it by `request`, which may take as long as `budget`, unless it is left alone.
    ///
    /// # Errors
    ///
    /// [`NotAsked`] when it is left alone, takes too long, or fails.
    pub async fn ask<T, E: Display>(
        &self,
        budget: Duration,
        request: impl Future<Output = Result<T, E>>,
    ) -> Result<T, NotAsked<E>> {
        let passage = self.breaker().pass(self.now());
        passage.map_err(NotAsked::LeftAlone)?;
        match tokio::time::timeout(budget, request).await {
            Ok(answer) => {
                self.note(answer.as_ref().err());
                answer.map_err(NotAsked::Failed)
            }
            Err(_) => {
                let slow = format!("no answer within {} ms", budget.as_millis());
                self.note(Some(&slow));
                Err(NotAsked::Slow(budget))
            }
        }
    }

    /// Refuses while it is left alone, where what asks measures its own time.
    ///
    /// # Errors
    ///
    /// [`LeftAlone`] while it is.
    pub fn pass(&self) -> Result<(), LeftAlone> {
        self.breaker().pass(self.now()).map(drop)
    }

    /// Remembers how it went.
    pub fn note(&self, error: Option<&impl Display>) {
        match error {
            None => self.breaker().succeeded(),
            Some(error) => self.breaker().failed(self.now(), error.to_string()),
        }
    }

    /// Whether it is being asked.
    pub fn state(&self) -> BreakerState {
        self.breaker().state(self.now())
    }

    fn now(&self) -> Duration {
        self.0.began.elapsed()
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.0.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
