//! What can be tuned.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::study::StudyDirection;
use crate::training::TrainingSpec;

/// A part of a configuration that one study tunes, in the order in which they are tuned: the later
/// ones build on what the earlier ones found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The boosted trees.
    Trees,
    /// The elastic net.
    ElasticNet,
    /// The recurrent network.
    Lstm,
    /// Prophet.
    Prophet,
    /// The windows of the features.
    Features,
    /// Which members take part, and how strongly their weights are drawn towards equal ones.
    Ensemble,
    /// How sure a forecast has to be before it is acted on.
    Signal,
}

/// A word that names no part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no part '{word}'; there are {}", Part::ALL.map(Part::as_str).join(", "))]
pub struct UnknownPart {
    /// The word.
    pub word: String,
}

impl Part {
    /// All of them, in the order in which they are tuned.
    pub const ALL: [Self; 7] = [
        Self::Trees,
        Self::ElasticNet,
        Self::Lstm,
        Self::Prophet,
        Self::Features,
        Self::Ensemble,
        Self::Signal,
    ];

    /// The word on the command line and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trees => "trees",
            Self::ElasticNet => "elastic-net",
            Self::Lstm => "lstm",
            Self::Prophet => "prophet",
            Self::Features => "features",
            Self::Ensemble => "ensemble",
            Self::Signal => "signal",
        }
    }

    /// The objectives of its study by name, with what is better of each.
    pub const fn objectives(self) -> &'static [(&'static str, StudyDirection)] {
        match self {
            Self::Signal => &[
                ("net_return_per_period", StudyDirection::Maximize),
                ("turnover", StudyDirection::Minimize),
            ],
            Self::Trees
            | Self::ElasticNet
            | Self::Lstm
            | Self::Prophet
            | Self::Features
            | Self::Ensemble => &[("rank_ic", StudyDirection::Maximize)],
        }
    }

    /// Whether `spec` has anything of it to tune.
    pub const fn is_in(self, spec: &TrainingSpec) -> bool {
        match self {
            Self::ElasticNet => spec.members.elastic_net.is_some(),
            Self::Lstm => spec.members.lstm.is_some(),
            Self::Prophet => spec.members.prophet.is_some(),
            Self::Trees | Self::Features | Self::Ensemble | Self::Signal => true,
        }
    }

    /// Whether what it is tuned to depends on the other parts' configuration.
    pub const fn builds_on_others(self) -> bool {
        matches!(self, Self::Ensemble | Self::Signal)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Part {
    type Err = UnknownPart;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let part = Self::ALL.into_iter().find(|part| part.as_str() == word);
        part.ok_or_else(|| UnknownPart { word: word.to_owned() })
    }
}
