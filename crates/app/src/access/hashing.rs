//! Passwords are hashed a few at a time: each hash takes 19 MiB and a core for a while.

use std::sync::Arc;

use bist_access::{HashedPassword, Secret};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::AccessError;
use crate::blocking;

/// Hashes at a time.
const AT_A_TIME: usize = 2;

/// Hashes that wait for their turn; whoever comes then is sent away.
const WAITING_MAX: usize = 64;

/// Whose turn it is.
#[derive(Debug)]
pub(crate) struct Hashing {
    turns: Arc<Semaphore>,
    places: Semaphore,
}

impl Default for Hashing {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
            places: Semaphore::new(AT_A_TIME + WAITING_MAX),
        }
    }
}

impl Hashing {
    /// Whether `password` is the one of `hash`.
    pub(crate) async fn is_right(
        &self,
        hash: HashedPassword,
        password: &Secret,
    ) -> Result<bool, AccessError> {
        let password = password.clone();
        self.in_turn(move || hash.is_of(&password)).await
    }

    /// The hash of `password`.
    pub(crate) async fn hash(&self, password: &Secret) -> Result<HashedPassword, AccessError> {
        let password = password.clone();
        self.in_turn(move || HashedPassword::of(&password, &mut UnwrapErr(SysRng))).await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccessError> {
        let _place: SemaphorePermit<'_> =
            self.places.try_acquire().map_err(|_| AccessError::Busy)?;
        let turns = Arc::clone(&self.turns);
        let turn = turns.acquire_owned().await.map_err(|_| AccessError::Busy)?;
        // The turn goes with the work: who hangs up does not make room for another hash.
        let work = move || {
            let value = work();
            drop(turn);
            value
        };
        Ok(blocking(work).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_comes_when_all_places_are_taken_is_sent_away_and_the_others_take_turns() {
        let hashing = Arc::new(Hashing::default());
        let (running, most) =
            (Arc::new(std::sync::Mutex::new(0_usize)), Arc::new(std::sync::Mutex::new(0_usize)));
        let (gate, open) = std::sync::mpsc::channel::<()>();
        let open = Arc::new(std::sync::Mutex::new(open));
        let mut tasks = Vec::new();
        for _ in 0..AT_A_TIME + WAITING_MAX {
            let (hashing, open) = (Arc::clone(&hashing), Arc::clone(&open));
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            let work = move || {
                let now = {
                    let mut running = running.lock().unwrap();
                    *running += 1;
                    *running
                };
                let mut seen = most.lock().unwrap();
                *seen = now.max(*seen);
                drop(seen);
                open.lock().unwrap().recv().unwrap();
                *running.lock().unwrap() -= 1;
            };
            tasks.push(tokio::spawn(async move { hashing.in_turn(work).await.is_ok() }));
        }
        while hashing.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(hashing.in_turn(|| ()).await, Err(AccessError::Busy)));
        for _ in 0..tasks.len() {
            gate.send(()).unwrap();
        }
        for task in tasks {
            assert!(task.await.unwrap());
        }
        assert!((1..=AT_A_TIME).contains(&*most.lock().unwrap()));
        assert!(hashing.in_turn(|| ()).await.is_ok());
    }
}
