//! The samplers and pruners by the words of the command line.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bist_lifecycle::pruner::{
    Hyperband, HyperbandPruner, NoPruner, Percentile, PercentilePruner, Pruner, SuccessiveHalving,
    SuccessiveHalvingPruner,
};
use bist_lifecycle::sampler::{
    CmaEsSampler, GridSampler, Nsga2Sampler, RandomSampler, Sampler, TpeSampler,
};
use bist_lifecycle::tuning::{Part, knobs};
use serde::{Deserialize, Serialize};

/// Parameters above which the grid has two values of each instead of three.
const WIDE_SPACE: usize = 8;

/// Who proposes configurations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SamplerChoice {
    /// The tree-structured Parzen estimator.
    #[default]
    Tpe,
    /// The covariance matrix adaptation evolution strategy.
    CmaEs,
    /// Chance.
    Random,
    /// Each combination of a few values once.
    Grid,
    /// The non-dominated sorting genetic algorithm.
    Nsga2,
}

/// Who ends trials early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrunerChoice {
    /// What saves most without a loss, see `docs/adr/0019-tuning.md`: successive halving for the
    /// network, the median for all others.
    #[default]
    Auto,
    /// Below the median of the trials so far.
    Median,
    /// Among the worst quarter of the trials so far.
    Percentile,
    /// Successive halving.
    Halving,
    /// Several successive halvings.
    Hyperband,
    /// Nobody.
    None,
}

/// A word that names no choice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} '{word}'; there are {there_are}")]
pub struct UnknownChoice {
    /// What was to be chosen.
    pub what: &'static str,
    /// The word.
    pub word: String,
    /// What there is.
    pub there_are: String,
}

impl SamplerChoice {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Tpe, Self::CmaEs, Self::Random, Self::Grid, Self::Nsga2];

    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tpe => "tpe",
            Self::CmaEs => "cmaes",
            Self::Random => "random",
            Self::Grid => "grid",
            Self::Nsga2 => "nsga2",
        }
    }

    /// Whether it can weigh several objectives.
    pub const fn has_several_objectives(self) -> bool {
        !matches!(self, Self::CmaEs)
    }

    /// The sampler for a study of `part`.
    pub(super) fn sampler(self, part: Part, seed: u64) -> Box<dyn Sampler> {
        match self {
            Self::Tpe => Box::new(TpeSampler::new(seed)),
            Self::CmaEs => Box::new(CmaEsSampler::new(seed)),
            Self::Random => Box::new(RandomSampler::new(seed)),
            Self::Grid => {
                let space: BTreeMap<_, _> = knobs(part)
                    .into_iter()
                    .map(|knob| (knob.name.to_owned(), knob.distribution))
                    .collect();
                let values_count = if space.len() > WIDE_SPACE { 2 } else { 3 };
                Box::new(GridSampler::new(seed, &space, values_count))
            }
            Self::Nsga2 => Box::new(Nsga2Sampler::new(seed)),
        }
    }
}

impl PrunerChoice {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Auto, Self::Median, Self::Percentile, Self::Halving, Self::Hyperband, Self::None];

    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Median => "median",
            Self::Percentile => "percentile",
            Self::Halving => "halving",
            Self::Hyperband => "hyperband",
            Self::None => "none",
        }
    }

    /// The pruner for a study of `part`: steps are epochs of all folds for the network, and folds for
    /// all others, of which the first counts.
    pub fn pruner(self, part: Part) -> Box<dyn Pruner> {
        match self {
            Self::Auto if part == Part::Lstm => Self::Halving.pruner(part),
            Self::Auto | Self::Median => Box::new(PercentilePruner::median()),
            Self::Percentile => Box::new(PercentilePruner::new(Percentile {
                kept_share: 0.75,
                ..Percentile::default()
            })),
            Self::Halving => Box::new(SuccessiveHalvingPruner::new(SuccessiveHalving {
                resource_min: Some(1),
                reduction_factor: 2,
                ..SuccessiveHalving::default()
            })),
            Self::Hyperband => Box::new(HyperbandPruner::new(Hyperband {
                resource_min: 1,
                reduction_factor: 2,
                ..Hyperband::default()
            })),
            Self::None => Box::new(NoPruner),
        }
    }
}

impl fmt::Display for SamplerChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SamplerChoice {
    type Err = UnknownChoice;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        chosen("sampler", word, &Self::ALL, Self::as_str)
    }
}

impl fmt::Display for PrunerChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for PrunerChoice {
    type Err = UnknownChoice;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        chosen("pruner", word, &Self::ALL, Self::as_str)
    }
}

fn chosen<T: Copy>(
    what: &'static str,
    word: &str,
    all: &[T],
    as_str: fn(T) -> &'static str,
) -> Result<T, UnknownChoice> {
    let found = all.iter().copied().find(|choice| as_str(*choice) == word);
    found.ok_or_else(|| UnknownChoice {
        what,
        word: word.to_owned(),
        there_are: all.iter().map(|choice| as_str(*choice)).collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_names_its_choice_and_another_is_refused_with_those_that_there_are() {
        for sampler in SamplerChoice::ALL {
            assert_eq!(sampler.as_str().parse(), Ok(sampler));
        }
        for pruner in PrunerChoice::ALL {
            assert_eq!(pruner.as_str().parse(), Ok(pruner));
        }
        let error = "bayes".parse::<SamplerChoice>().unwrap_err().to_string();
        assert_eq!(error, "there is no sampler 'bayes'; there are tpe, cmaes, random, grid, nsga2");
    }
}
