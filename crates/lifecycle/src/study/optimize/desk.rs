//! What the workers of one process share.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::pruner::Pruner;
use crate::sampler::Sampler;
use crate::study::storage::StudyStorageError;
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
}

impl Desk {
    /// Stops the run, unless it is stopped.
    pub(super) fn stop(&mut self, end: Result<StopReason, StudyStorageError>) {
        self.stopped.get_or_insert(end);
    }
}
