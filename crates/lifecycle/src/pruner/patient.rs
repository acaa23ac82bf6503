//! Lets a trial go on until it has not improved for some steps.

use crate::pruner::percentile::best_report;
use crate::pruner::{Pruner, Verdict};
use crate::study::{FrozenTrial, History, StudyDirection};

/// Stops a trial that has not improved for some reports, if another pruner agrees.
#[derive(Debug)]
pub struct PatientPruner {
    inner: Option<Box<dyn Pruner>>,
    patience: usize,
    delta_min: f64,
}

impl PatientPruner {
    /// Asks `inner` once the best of the last `patience + 1` reports is worse than the best before
    /// them by more than `delta_min`, which is not negative; without `inner` the trial is stopped
    /// then.
    pub const fn new(inner: Option<Box<dyn Pruner>>, patience: usize, delta_min: f64) -> Self {
        Self { inner, patience, delta_min }
    }

    fn is_out_of_patience(&self, direction: StudyDirection, trial: &FrozenTrial) -> bool {
        let reports: Vec<f64> = trial.intermediate_values.values().copied().collect();
        let Some(before_count) = reports.len().checked_sub(self.patience + 1) else {
            return false;
        };
        let (before, after) = reports.split_at(before_count);
        let best = |reports: &[f64]| direction.loss(best_report(direction, reports.iter()));
        // Nothing is worse than NaN: without a number on one side nothing is said.
        !before.is_empty() && best(before) + self.delta_min < best(after)
    }
}

impl Pruner for PatientPruner {
    fn review(&mut self, history: &History, trial: &FrozenTrial) -> Verdict {
        let &[direction] = history.directions() else { return Verdict::default() };
        if !self.is_out_of_patience(direction, trial) {
            return Verdict::default();
        }
        match &mut self.inner {
            Some(inner) => inner.review(history, trial),
            None => Verdict::of(true),
        }
    }
}
