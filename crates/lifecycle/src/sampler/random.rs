//! Every value equally likely.

use crate::sampler::coordinate::Coordinate;
use crate::sampler::stream::{stream, uniform};
use crate::sampler::{Proposal, Sampler};
use crate::search_space::Distribution;
use crate::study::{FrozenTrial, History};

/// Draws every parameter by itself, all values equally likely (of logarithmic ranges, all orders of
/// magnitude).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomSampler {
    seed: u64,
}

impl RandomSampler {
    /// With a seed.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The internal value of the parameter `name` in the trial of that number.
    pub(super) fn draw(self, number: u64, name: &str, distribution: &Distribution) -> f64 {
        let line = Coordinate::of(distribution);
        let share = uniform(&mut stream(self.seed, number, name));
        line.internal(line.low + share * line.width())
    }
}

impl Sampler for RandomSampler {
    fn propose(&mut self, _: &History, _: &FrozenTrial) -> Proposal {
        Proposal::default()
    }

    fn sample(
        &mut self,
        _: &History,
        trial: &FrozenTrial,
        name: &str,
        distribution: &Distribution,
    ) -> f64 {
        self.draw(trial.number, name, distribution)
    }
}
