//! How many listen, and how many more may.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bist_access::AccountId;

use crate::error::ApiError;
use crate::settings::LiveLimits;

/// The places of those who listen; cloning shares them.
#[derive(Clone, Debug)]
pub(crate) struct Seats(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: LiveLimits,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_account: HashMap<AccountId, usize>,
}

/// The place of somebody who listens, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    shared: Arc<Shared>,
    account: AccountId,
}

impl Seats {
    pub(crate) fn new(limits: LiveLimits) -> Self {
        Self(Arc::new(Shared { limits, taken: Mutex::default() }))
    }

    /// What streams may take.
    pub(super) fn limits(&self) -> LiveLimits {
        self.0.limits
    }

    /// Takes a place for somebody with `account`.
    ///
    /// # Errors
    ///
    /// [`ApiError::TooManyStreams`] and [`ApiError::StreamsFull`] when there is none.
    pub(super) fn take(&self, account: &AccountId) -> Result<Seat, ApiError> {
        let LiveLimits { streams_max, streams_per_account_max, .. } = self.0.limits;
        let mut taken = self.0.taken();
        if taken.by_account.get(account).is_some_and(|count| *count >= streams_per_account_max) {
            return Err(ApiError::TooManyStreams(streams_per_account_max));
        }
        if taken.all >= streams_max {
            return Err(ApiError::StreamsFull);
        }
        taken.all += 1;
        *taken.by_account.entry(account.clone()).or_default() += 1;
        Ok(Seat { shared: Arc::clone(&self.0), account: account.clone() })
    }
}

impl Shared {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.shared.taken();
        taken.all -= 1;
        if let Some(count) = taken.by_account.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                taken.by_account.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_its_share_and_a_place_that_is_left_is_free() {
        let limits =
            LiveLimits { streams_max: 3, streams_per_account_max: 2, ..LiveLimits::default() };
        let seats = Seats::new(limits);
        let account = |text: &str| text.parse::<AccountId>().unwrap();
        let (ayse, can) = (account("u0123456789abcdef"), account("u0123456789abcdee"));
        let first = seats.take(&ayse).unwrap();
        let _second = seats.take(&ayse).unwrap();
        assert!(matches!(seats.take(&ayse), Err(ApiError::TooManyStreams(2))));
        let _third = seats.take(&can).unwrap();
        assert!(matches!(seats.take(&can), Err(ApiError::StreamsFull)));
        drop(first);
        assert!(seats.take(&can).is_ok());
    }
}
