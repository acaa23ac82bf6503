//! Plots of studies: what was tried, what came of it, and what is best.

mod history;
mod parallel;
mod pareto;
mod slice;

use super::plane::Quantity;
use super::{PlotError, Scale, Unit};

pub use history::{OptimisationHistory, TrialValue};
pub use parallel::{Parallel, ParallelCoordinates};
pub use pareto::ParetoFront;
pub use slice::{Slice, SlicedParameter};

/// Which values of an objective are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Lower ones.
    Minimise,
    /// Higher ones.
    Maximise,
}

impl Direction {
    fn better(self, a: f64, b: f64) -> bool {
        match self {
            Self::Minimise => a < b,
            Self::Maximise => a > b,
        }
    }
}

/// A parameter of a study, or an objective.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// In words.
    pub label: String,
    /// Of its values.
    pub unit: Unit,
    /// How its values lie.
    pub scale: Scale,
}

impl Parameter {
    fn quantity<'a>(&'a self, values: &'a [f64]) -> Quantity<'a> {
        Quantity { label: &self.label, unit: self.unit, scale: &self.scale, values }
    }
}
