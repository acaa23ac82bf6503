//! What the workers of one process share.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::pruner::Pruner;
use crate::sampler::Sampler;
use crate::study::storage::{StudyStorage, StudyStorageError};
use crate::study::{FrozenTrial, History, StopReason};

/// What the workers of one process share, behind one lock.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) history: History,
    pub(super) sampler: Box<dyn Sampler>,
    pub(super) pruner: Box<dyn Pruner>,
    /// The trials that workers of this process hold, by number.
    pub(super) held: BTreeMap<u64, Arc<FrozenTrial>>,
    /// Failures since the last result of this process.
    pub(super) failures_count: u64,
    /// Set once: no further trial begins.
    pub(super) stopped: Option<Result<StopReason, StudyStorageError>>,
    /// How many workers are still at it.
    pub(super) workers_count: usize,
    /// Whether nothing that happens from now on is to be known, as in a round.
    pub(super) is_of_round: bool,
}

impl Desk {
    /// That of `workers_count` workers who begin.
    pub(super) const fn new(
        history: History,
        sampler: Box<dyn Sampler>,
        pruner: Box<dyn Pruner>,
        workers_count: usize,
    ) -> Self {
        Self {
            history,
            sampler,
            pruner,
            held: BTreeMap::new(),
            failures_count: 0,
            stopped: None,
            workers_count,
            is_of_round: false,
        }
    }

    /// Learns what others did meanwhile, unless that is not to be known.
    pub(super) fn refresh(&mut self, storage: &dyn StudyStorage) -> Result<(), StudyStorageError> {
        if self.is_of_round { Ok(()) } else { self.history.refresh(storage) }
    }

    /// Stops the run, unless it is stopped.
    pub(super) fn stop(&mut self, end: Result<StopReason, StudyStorageError>) {
        self.stopped.get_or_insert(end);
    }
}
