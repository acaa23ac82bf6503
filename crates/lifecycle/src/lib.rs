//! Which model is in force and why: walk-forward evaluation, training, model versions.
//!
//! [`train`] learns on walk-forward folds, judges itself on what it had not seen, and fits the
//! model that forecasts from now on. [`Evaluation`] is the judgement, with every number a sceptic
//! asks for; [`ModelVersion`] is a trained model with its lineage.
//!
//! Pure: no clock, no environment, no file, no socket, and no randomness but from the seed in the
//! [`TrainingSpec`].

pub mod bootstrap;
pub mod combinatorial_purged;
pub mod diebold_mariano;
pub mod evaluation;
pub mod forecast;
pub mod members;
pub mod model_version;
pub mod rank_ic;
pub mod training;
pub mod walk_forward;

pub use evaluation::{Evaluation, SkillVerdict};
pub use forecast::{FittedModel, FittedModelError, Forecast, ForecastStep};
pub use model_version::{ExcludedSymbol, Lineage, ModelState, ModelVersion};
pub use training::{TrainError, Trained, TrainingProgress, TrainingSpec, TrainingStage, train};
pub use walk_forward::{Fold, LabelledRow, WalkForward, WalkForwardError};
