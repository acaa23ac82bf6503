//! Where an experiment is kept as standing, and how it ended.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::report::{ExperimentReport, State};
use crate::model_version::Signed;

/// Where an experiment is kept as standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExperimentState {
    /// It goes on.
    Running,
    /// A challenger took the place of the champion.
    Promoted,
    /// All challengers were stopped.
    ChampionStays,
    /// Its last day came without a decision.
    NoDecision,
    /// What was seen could not be compared.
    Invalid,
    /// A person stopped it, or what it compared stood no longer where it stood: nothing was decided.
    Stopped,
}

impl ExperimentState {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Running,
        Self::Promoted,
        Self::ChampionStays,
        Self::NoDecision,
        Self::Invalid,
        Self::Stopped,
    ];

    /// The word used in the store, the API and the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Promoted => "promoted",
            Self::ChampionStays => "champion_stays",
            Self::NoDecision => "no_decision",
            Self::Invalid => "invalid",
            Self::Stopped => "stopped",
        }
    }
}

impl From<&State> for ExperimentState {
    fn from(state: &State) -> Self {
        match state {
            State::TooEarly | State::Running => Self::Running,
            State::Promoted { .. } => Self::Promoted,
            State::ChampionStays => Self::ChampionStays,
            State::NoDecision => Self::NoDecision,
            State::Invalid { .. } => Self::Invalid,
        }
    }
}

impl fmt::Display for ExperimentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no state of an experiment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no state '{word}' of experiments; give {}",
    ExperimentState::ALL.map(ExperimentState::as_str).join(", ")
)]
pub struct UnknownExperimentState {
    /// The word.
    pub word: String,
}

impl FromStr for ExperimentState {
    type Err = UnknownExperimentState;

    fn from_str(word: &str) -> Result<Self, UnknownExperimentState> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| UnknownExperimentState { word: word.to_owned() })
    }
}

/// How an experiment ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conclusion {
    /// Where it stands since.
    pub state: ExperimentState,
    /// When, by whom and why.
    #[serde(flatten)]
    pub signed: Signed,
    /// What it said then, with every number; absent where its records could not be read.
    pub report: Option<ExperimentReport>,
}
