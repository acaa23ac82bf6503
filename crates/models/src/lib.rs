//! Features, forecasting models and explanations.
//!
//! Everything from validated bars to a forecast and its reasons: [`features::build`] turns
//! [`bist_market::ValidatedBars`] into a [`Panel`], a [`Forecaster`] learns from the rows of what
//! was [`Known`] and a [`FittedForecaster`] predicts the log-return over the [`Horizon`].
//! [`ConformalBand`] says how wide the forecast must be drawn, [`Artifact`] carries a fitted model
//! as bytes.
//!
//! Pure: no clock, no environment, no file, no socket, and no randomness but from a seed in the
//! parameters. The same bars and the same seed give the same bits, for any number of threads.
//! What a forecast is worth after costs, and which model is in force, is decided elsewhere.

pub mod artifact;
mod cholesky;
pub mod conformal;
pub mod drift;
pub mod elastic_net;
pub mod ensemble;
pub mod ets;
pub mod explain;
pub mod features;
pub mod forecaster;
pub mod gbdt;
mod hmm;
pub mod horizon;
pub mod indicators;
mod linear;
pub mod lstm;
pub mod market_view;
pub mod probability;
pub mod prophet;
pub mod ridge;
pub mod seasonal_naive;
pub mod topsis;

pub use artifact::{Artifact, ArtifactError};
pub use conformal::{AdaptiveBand, CalibrationError, ConformalBand};
pub use drift::{Drift, FittedDrift};
pub use elastic_net::{ElasticNet, FittedElasticNet};
pub use ensemble::{StackingError, StackingWeights};
pub use ets::{Ets, FittedEts};
pub use explain::{
    Contributions, ExplanationError, Interactions, KernelShapParams, Lime, LimeParams,
    Neighbourhood, PermutationParams, kernel_shap, permutation_importance,
};
pub use features::{
    BARRIER_WIDTH, BarrierOutcome, FeatureDefinition, FeatureMatrix, FeatureSpec, FeatureSpecError,
    FeatureWindow, Known, LateBar, MarketRow, MarketStream, MarketUpdate, MatrixError, NoWay,
    Panel, RealisedWay, RowKey, Targets, WayBar,
};
pub use forecaster::{FitError, FittedForecaster, Forecaster};
pub use gbdt::{
    FeatureRole, FittedGbdt, Gbdt, GbdtParams, ModelTextError, NoSuchFeature, Objective,
};
pub use horizon::{Horizon, HorizonError};
pub use lstm::{
    Epoch, FittedLstm, Lstm, LstmParams, LstmTraining, RecentRows, SequenceAttribution,
    SequenceGradient,
};
pub use probability::{
    CalibrationMethod, MethodLogLoss, ProbabilityCalibration, ProbabilityError, ProbabilityScores,
    ReliabilityBin, SelectedCalibration,
};
pub use prophet::{FittedProphet, Prophet, ProphetParams};
pub use ridge::{FittedRidge, Ridge};
pub use seasonal_naive::{FittedSeasonalNaive, SeasonalNaive};
