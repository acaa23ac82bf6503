//! Studies: trials of configurations, what came of each, and where they are kept.
//!
//! The words and their meaning are Optuna's, whose journal files we read and write: a study has
//! one or more objectives, each minimised or maximised; a trial takes parameters, may report
//! intermediate values by which it can be pruned, and ends with a value for each objective.

pub mod frozen_trial;
pub mod history;
pub mod in_memory;
pub mod optimize;
pub mod overview;
pub mod plots;
pub mod storage;

pub use frozen_trial::{FrozenTrial, Param, TrialState};
pub use history::History;
pub use in_memory::InMemoryStorage;
pub use optimize::{
    FAIL_REASON, Heartbeat, ObjectiveFn, OptimizeSettings, Optimizer, Round, RoundTrial,
    StopReason, StudyProgress, Trial, TrialEnd, enqueue,
};
pub use overview::{StudyOverview, StudyState, TrialCounts};
pub use storage::{
    NewTrial, StudyDirection, StudyId, StudyRecord, StudyStorage, StudyStorageError, TrialId,
};
