//! Why there is no model.

use bist_models::{CalibrationError, FitError, Horizon, ProbabilityError};
use jiff::civil::Date;

use crate::combinatorial_purged::CombinatorialPurgedError;
use crate::evaluation::SYMBOLS_PER_DAY_MIN;
use crate::leak_gate::Leak;
use crate::walk_forward::WalkForwardError;

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The panel was built for another horizon.
    #[error(
        "the panel looks {} and the training {}: build it for the same",
        panel.in_words(),
        spec.in_words()
    )]
    HorizonMismatch {
        /// The panel's.
        panel: Horizon,
        /// The training's.
        spec: Horizon,
    },
    /// There is nothing to compare symbols by.
    #[error(
        "most days have fewer than {SYMBOLS_PER_DAY_MIN} symbols: configurations are judged by how \
         well they tell symbols apart"
    )]
    TooFewSymbols,
    /// The trees that were given are not there, or read other columns.
    #[error(
        "the trees that were given are not at hand, or not over the features of the panel: attach \
         those of the model"
    )]
    NoGivenTrees,
    /// The trees that were given may have learned from what they are to be judged on.
    #[error(
        "the trees that were given know prices until {known_until}, and a test block begins on \
         {test_from}: they can be judged on later days only"
    )]
    SeenByGivenTrees {
        /// The last day of whose prices they know anything.
        known_until: Date,
        /// First day of the test block.
        test_from: Date,
    },
    /// There are too few days on which the trees that were given can be judged.
    #[error(
        "the trees that were given know prices until {known_until}; of the days after it and after a \
         pause as long as the horizon, {days_count} have known outcomes, and {days_count_min} are \
         needed to judge them"
    )]
    TooFewUnseenDays {
        /// The last day of whose prices they know anything.
        known_until: Date,
        /// Days with known outcomes after it and the pause.
        days_count: usize,
        /// Days needed.
        days_count_min: usize,
    },
    /// The folds could not be laid out.
    #[error(transparent)]
    WalkForward(#[from] WalkForwardError),
    /// The splits could not be laid out.
    #[error(transparent)]
    CombinatorialPurged(#[from] CombinatorialPurgedError),
    /// A model could not be fitted.
    #[error("fitting the {kind} model{}: {source}", fold.map_or(String::new(), |n| format!(" of fold {n}")))]
    Fit {
        /// The kind of model.
        kind: &'static str,
        /// The fold, from one; `None` for the final fit.
        fold: Option<usize>,
        /// Why.
        source: FitError,
    },
    /// The probability of a rise could not be calibrated.
    #[error("calibrating the probability of a rise: {0}")]
    Direction(#[from] ProbabilityError),
    /// The model has seen the future.
    #[error(transparent)]
    Leak(#[from] Leak),
    /// Whoever asked for it no longer wants it.
    #[error("training was cancelled")]
    Cancelled,
    /// The band could not be calibrated.
    #[error("calibrating the band: {0}")]
    Calibration(#[from] CalibrationError),
}
