//! Why there is no model.

use bist_models::{CalibrationError, FitError, Horizon, ProbabilityError};

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
