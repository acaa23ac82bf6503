//! What a rule waits for.

use bist_market::{Price, Symbol};
use bist_models::Horizon;
use serde::{Deserialize, Serialize};

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// At the threshold or above.
    Up,
    /// At the threshold or below.
    Down,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Up, Self::Down];

    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What a rule waits for, each with what it compares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// The last close reaches a price.
    Price {
        /// Whose.
        symbol: Symbol,
        /// From which side.
        direction: Direction,
        /// The price.
        price: Price,
    },
    /// The last close against the close before it.
    Change {
        /// Whose.
        symbol: Symbol,
        /// A gain or a loss; either when there is none.
        direction: Option<Direction>,
        /// The size of the change, a share above 0.
        change_share: f64,
    },
    /// The volume of the last session against the mean of those before it.
    VolumeSpike {
        /// Whose.
        symbol: Symbol,
        /// How many times the mean.
        volume_multiple: f64,
        /// Over how many sessions the mean is taken, the last one not counted.
        sessions_count: u32,
    },
    /// The newest signal says to do something else than the one before it.
    SignalChange {
        /// Whose.
        symbol: Symbol,
        /// How far ahead it looks.
        horizon: Horizon,
    },
    /// The last close lies outside of the 80 % band that was forecast for its session.
    BandBreach {
        /// Whose.
        symbol: Symbol,
        /// How far ahead the forecast looks.
        horizon: Horizon,
    },
    /// The quality of the data is below a score.
    DataQuality {
        /// Whose data; all that models may see when there is none.
        symbol: Option<Symbol>,
        /// The score, a share.
        score_share: f64,
    },
    /// The newest look at the models found drift.
    Drift {
        /// Of the champion of which horizon; of any when there is none.
        horizon: Option<Horizon>,
    },
}

/// A condition that cannot be met, or would always be.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ConditionError {
    /// A change of that size is none.
    #[error("change_share is {0}; give a share above 0 and up to 1, such as 0.05")]
    Change(f64),
    /// Such a multiple is no spike.
    #[error("volume_multiple is {0}; give a number from 1.1 to 100, such as 3")]
    Multiple(f64),
    /// No mean of so many sessions is taken.
    #[error("sessions_count is {0}; give a number of sessions from 5 to 250, such as 20")]
    Sessions(u32),
    /// No score is below that.
    #[error("score_share is {0}; give a share above 0 and up to 1, such as 0.95")]
    Score(f64),
    /// The horizon ends within a session, and a close is compared with the band of a session.
    #[error("horizon is {0}; a band of closes needs a horizon of sessions, such as 5")]
    Horizon(Horizon),
}

impl Condition {
    /// Its kind, in the store and the API.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Price { .. } => "price",
            Self::Change { .. } => "change",
            Self::VolumeSpike { .. } => "volume_spike",
            Self::SignalChange { .. } => "signal_change",
            Self::BandBreach { .. } => "band_breach",
            Self::DataQuality { .. } => "data_quality",
            Self::Drift { .. } => "drift",
        }
    }

    /// All kinds.
    pub const KINDS: [&'static str; 7] = [
        "price",
        "change",
        "volume_spike",
        "signal_change",
        "band_breach",
        "data_quality",
        "drift",
    ];

    /// Of which share it is; `None` when it is of none.
    pub const fn symbol(&self) -> Option<Symbol> {
        match self {
            Self::Price { symbol, .. }
            | Self::Change { symbol, .. }
            | Self::VolumeSpike { symbol, .. }
            | Self::SignalChange { symbol, .. }
            | Self::BandBreach { symbol, .. } => Some(*symbol),
            Self::DataQuality { symbol, .. } => *symbol,
            Self::Drift { .. } => None,
        }
    }

    /// Whether it goes on being met, so that it fires when that begins and not again before it ended.
    pub const fn is_lasting(&self) -> bool {
        match self {
            Self::Price { .. } | Self::DataQuality { .. } => true,
            Self::Change { .. }
            | Self::VolumeSpike { .. }
            | Self::SignalChange { .. }
            | Self::BandBreach { .. }
            | Self::Drift { .. } => false,
        }
    }

    pub(super) fn checked(self) -> Result<Self, ConditionError> {
        match &self {
            Self::Change { change_share, .. } if !is_share(*change_share) => {
                Err(ConditionError::Change(*change_share))
            }
            Self::VolumeSpike { volume_multiple, .. }
                if !(1.1..=100.0).contains(volume_multiple) =>
            {
                Err(ConditionError::Multiple(*volume_multiple))
            }
            Self::VolumeSpike { sessions_count, .. } if !(5..=250).contains(sessions_count) => {
                Err(ConditionError::Sessions(*sessions_count))
            }
            Self::BandBreach { horizon, .. } if !matches!(horizon, Horizon::Sessions(_)) => {
                Err(ConditionError::Horizon(*horizon))
            }
            Self::DataQuality { score_share, .. } if !is_share(*score_share) => {
                Err(ConditionError::Score(*score_share))
            }
            Self::Price { .. }
            | Self::Change { .. }
            | Self::VolumeSpike { .. }
            | Self::SignalChange { .. }
            | Self::BandBreach { .. }
            | Self::DataQuality { .. }
            | Self::Drift { .. } => Ok(self),
        }
    }
}

fn is_share(share: f64) -> bool {
    share > 0.0 && share <= 1.0
}
