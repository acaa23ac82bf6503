//! What this process remembers of who did how much: bounded, whoever comes.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Class, Decision, Quota};

/// How many keys are remembered at most.
pub const KEYS_MAX: usize = SHARDS * SETS_OF_SHARD * WAYS;

/// Parts with a lock of their own, so that threads rarely wait for each other.
const SHARDS: usize = 256;

/// Sets of each part. A key belongs into one set, by its hash.
const SETS_OF_SHARD: usize = 512;

/// Keys that fit into a set.
const WAYS: usize = 16;

/// A key that is remembered: its hash, the instant at which all that it did is paid for, and the
/// instant from which it may do something again. A slot whose first instant is past is free.
///
/// Plain numbers and no fields, so that an unused part of the memory costs none.
type Slot = [u64; 3];
const NAME: usize = 0;
const FULL_AT: usize = 1;
const OPEN_AT: usize = 2;

/// Counts requests of millions of keys in memory that is bounded: 48 MiB, of which only what is used
/// is taken.
///
/// Keys are remembered by their hashes of 64 bits under a secret of this process, so that nobody can
/// choose keys that fall together; that two of a million do is as likely as 1 in 37 million. A set that is full forgets the key that would be forgotten the soonest, but
/// never one that is exhausted: were all of them, a new key is refused until one is not, so that a
/// flood of keys opens nothing.
#[derive(Debug)]
pub struct RateLimiter {
    hashing: RandomState,
    /// Each empty until it is first used.
    shards: Vec<Mutex<Vec<Slot>>>,
}

impl Default for RateLimiter {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::new(Vec::new())).collect();
        Self { hashing: RandomState::new(), shards }
    }
}

impl RateLimiter {
    /// Counts a request of `key` in `class` at `now_us`, if `quota` allows it.
    pub fn check(&self, class: Class, key: &str, quota: Quota, now_us: u64) -> Decision {
        let name = self.name(class, key);
        let mut shard = self.shard(name);
        let set = set_of(&mut shard, name);
        let Some(slot) = slot_of(set, name, now_us) else {
            let open_at_us = set.iter().map(|slot| slot[OPEN_AT]).min().unwrap_or(now_us);
            let wait_us = open_at_us.saturating_sub(now_us);
            let (remaining, full_after_us) = (0, quota.burst_us());
            return Decision { allowed: false, remaining, next_after_us: wait_us, full_after_us };
        };
        let (full_at_us, decision) = quota.decide(slot[FULL_AT], now_us);
        remember(slot, name, quota, full_at_us);
        decision
    }

    /// Takes note that all that `key` did is paid for in `full_after_us` and not before, as somebody
    /// else has counted.
    pub fn learn(&self, class: Class, key: &str, quota: Quota, now_us: u64, full_after_us: u64) {
        let name = self.name(class, key);
        let mut shard = self.shard(name);
        if let Some(slot) = slot_of(set_of(&mut shard, name), name, now_us) {
            let full_at_us = slot[FULL_AT].max(now_us.saturating_add(full_after_us));
            remember(slot, name, quota, full_at_us);
        }
    }

    /// How many keys are remembered at `now_us`, of which not all that they did is paid for.
    pub fn keys_count(&self, now_us: u64) -> usize {
        let in_use = |shard: &Mutex<Vec<Slot>>| {
            let slots = shard.lock().unwrap_or_else(PoisonError::into_inner);
            slots.iter().filter(|slot| slot[FULL_AT] > now_us).count()
        };
        self.shards.iter().map(in_use).sum()
    }

    /// Under what a key is remembered.
    fn name(&self, class: Class, key: &str) -> u64 {
        self.hashing.hash_one((class, key))
    }

    fn shard(&self, name: u64) -> MutexGuard<'_, Vec<Slot>> {
        let shard = &self.shards[set_index(name) / SETS_OF_SHARD];
        // Whatever panicked meanwhile, each slot is whole.
        let mut slots = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.is_empty() {
            *slots = vec![[0; 3]; SETS_OF_SHARD * WAYS];
        }
        slots
    }
}

/// Which of all sets a key belongs into, by the upper bits of its hash.
#[expect(clippy::cast_possible_truncation, reason = "the product is below the number of sets")]
fn set_index(name: u64) -> usize {
    ((u128::from(name) * (SHARDS * SETS_OF_SHARD) as u128) >> 64) as usize
}

/// The set of a key inside of its shard.
fn set_of(shard: &mut [Slot], name: u64) -> &mut [Slot] {
    let first = WAYS * (set_index(name) % SETS_OF_SHARD);
    &mut shard[first..first + WAYS]
}

/// The slot of a key: its own, or one that it may take. `None` when all belong to others who are
/// exhausted.
pub(super) fn slot_of(set: &mut [Slot], name: u64, now_us: u64) -> Option<&mut Slot> {
    let own = set.iter().position(|slot| slot[NAME] == name);
    let index = own.or_else(|| {
        // A free one is the soonest of all.
        let open = set.iter().enumerate().filter(|(_, slot)| slot[OPEN_AT] <= now_us);
        open.min_by_key(|(_, slot)| slot[FULL_AT]).map(|(index, _)| index)
    })?;
    let slot = set.get_mut(index)?;
    if slot[NAME] != name {
        *slot = [name, 0, 0];
    }
    Some(slot)
}

pub(super) fn remember(slot: &mut Slot, name: u64, quota: Quota, full_at_us: u64) {
    // Another request conforms once the quota has room for what one costs.
    let open_at_us = full_at_us.saturating_sub(quota.burst_us() - quota.interval_us());
    *slot = [name, full_at_us, open_at_us];
}
