//! Who stops a trial early, because what it reported promises little.
//!
//! The rules and their defaults are those of Optuna 5.0's pruners of the same names. What a trial
//! reports may be NaN: a trial that is asked about when its last report, or all of them, are NaN is
//! stopped; NaN reports of others do not count. Of several objectives there is no order, so trials of
//! such studies are never pruned.

pub mod halving;
pub mod hyperband;
pub mod patient;
pub mod percentile;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

pub use halving::{SuccessiveHalving, SuccessiveHalvingPruner};
pub use hyperband::{Hyperband, HyperbandPruner};
pub use patient::PatientPruner;
pub use percentile::{Percentile, PercentilePruner};

use crate::study::{FrozenTrial, History};

/// Whether a trial goes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Whether it should stop.
    pub prune: bool,
    /// What is to be remembered of the trial.
    pub system_attrs: BTreeMap<String, Value>,
}

impl Verdict {
    fn of(prune: bool) -> Self {
        Self { prune, system_attrs: BTreeMap::new() }
    }
}

/// Stops trials of studies with one objective.
///
/// `history` is always the same study and only grows; `trial` is one that runs, with all that it
/// reported.
pub trait Pruner: fmt::Debug + Send {
    /// Whether `trial` should stop after its last report.
    fn review(&mut self, history: &History, trial: &FrozenTrial) -> Verdict;
}

/// Lets every trial go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoPruner;

impl Pruner for NoPruner {
    fn review(&mut self, _: &History, _: &FrozenTrial) -> Verdict {
        Verdict::default()
    }
}

/// Numbers in order, counted among those that are added.
#[derive(Clone, Debug, Default)]
struct Sorted(Vec<f64>);

impl Sorted {
    /// Takes one more number, which is not NaN.
    fn insert(&mut self, value: f64) {
        let at = self.0.partition_point(|&other| other < value);
        self.0.insert(at, value);
    }
}
