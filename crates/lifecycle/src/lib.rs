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
pub mod direction;
pub mod drift;
pub mod evaluation;
pub mod experiment;
pub mod explanation;
pub mod forecast;
pub mod horizons;
pub mod importance;
pub mod leak_gate;
pub mod live;
pub mod members;
pub mod model_card;
pub mod model_difference;
pub mod model_version;
pub mod outlook;
pub mod pruner;
pub mod rank_ic;
pub mod regime;
pub mod retraining;
pub mod row_model;
pub mod sampler;
pub mod search_space;
pub mod signal_record;
pub mod study;
pub mod training;
pub mod trial;
pub mod tuning;
pub mod walk_forward;
pub mod what_if;

pub use bist_models::Horizon;
pub use evaluation::{Evaluation, SkillVerdict};
pub use explanation::{Explained, Explanation, ExplanationError, FeatureShare, MemberShare};
pub use forecast::{FittedModel, FittedModelError, Forecast, ForecastStep, sha256_hex};
pub use horizons::{
    HORIZON_DEFAULT, HORIZONS, HORIZONS_HOURLY, UnknownHorizon, horizons_of, parse_horizon,
};
pub use leak_gate::{Leak, LeakCheck};
pub use live::{LiveModel, OtherFeatures};
pub use members::{GivenTrees, GivenTreesError};
pub use model_card::{CardDrift, ModelCard, Since};
pub use model_difference::{
    Exchanged, FieldDifference, Figure, Metric, MetricDifference, ModelDifference,
    document_differences,
};
pub use model_version::{
    ExcludedSymbol, Lineage, ModelState, ModelVersion, Signed, StateChange, UnknownState,
    former_champion,
};
pub use row_model::{ProphetDay, RowModel};
pub use signal_record::{
    ActionRecord, Grouping, RecordGroup, RecordSummary, ReliabilityPoint, ReliabilityRecord,
    ScoredSignal, Tally, UnknownGrouping,
};
pub use training::{
    TrainError, Trained, TrainingContext, TrainingProgress, TrainingSpec, TrainingStage,
    evaluate_paths, learned_targets, spec_of_given, train,
};
pub use trial::{Trial, TrialPurpose};
pub use walk_forward::{Fold, LabelledRow, WalkForward, WalkForwardError};
pub use what_if::{ChangeError, FeatureChange, change_features};
