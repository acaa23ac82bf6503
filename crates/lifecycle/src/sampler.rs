//! Who proposes the parameters of a trial.
//!
//! Studies are defined by running them, as in Optuna: which parameters a trial has is known when
//! its objective asks for them. At the beginning of a trial a sampler proposes values for the
//! parameters that it has learned from earlier trials, together; what the objective asks for beyond
//! them is drawn one by one; what it does not ask for is dropped, so that conditional parameters
//! need no declaration.
//!
//! Every number drawn belongs to (seed, number of the trial, name), never to a range: two parameters
//! with one range are drawn independently, and a study that is interrupted and continued by one
//! worker is, bit for bit, the one that was not.

pub mod cma_es;
mod coordinate;
pub mod grid;
pub mod nsga2;
pub mod random;
mod space;
pub(crate) mod stream;
pub mod tpe;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

pub use cma_es::CmaEsSampler;
pub use grid::{GridSampler, grid_values};
pub use nsga2::Nsga2Sampler;
pub use random::RandomSampler;
pub use tpe::{Joint, TpeOptions, TpeSampler};

use crate::search_space::Distribution;
use crate::study::{FrozenTrial, History, Param};

/// What is proposed at the beginning of a trial.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proposal {
    /// Parameters by name; those that the objective does not ask for are dropped.
    pub params: BTreeMap<String, Param>,
    /// What is to be remembered of the trial.
    pub system_attrs: BTreeMap<String, Value>,
}

/// Proposes the parameters of trials.
///
/// All samplers pass one battery: bounds, seeds, conditional parameters, failed and constant trials,
/// infinite values, continuing. `history` is always the same study and only grows.
pub trait Sampler: fmt::Debug + Send {
    /// Values for the parameters of `trial`, which begins, as far as they are known.
    fn propose(&mut self, history: &History, trial: &FrozenTrial) -> Proposal;

    /// The internal value of a parameter that was not proposed; `distribution` has more than one.
    fn sample(
        &mut self,
        history: &History,
        trial: &FrozenTrial,
        name: &str,
        distribution: &Distribution,
    ) -> f64;

    /// Whether there is nothing left to try.
    fn is_exhausted(&mut self, history: &History) -> bool {
        let _ = history;
        false
    }
}
