//! How far training has come.

/// What training is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrainingStage {
    /// Learning before the first fold, so that the members can be weighted on it.
    WarmUp,
    /// Learning on a fold, counted from one.
    Fold {
        /// Which.
        number: usize,
        /// Of how many.
        folds_count: usize,
    },
    /// Learning on a split of the combinatorial cross-validation, counted from one.
    Split {
        /// Which.
        number: usize,
        /// Of how many.
        splits_count: usize,
    },
    /// Judging the forecasts.
    Evaluation,
    /// Learning again from data with another future, to see that it is not looked at.
    LeakGate,
    /// Fitting the model that forecasts from now on.
    FinalFit,
}

/// How far training has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingProgress {
    /// What begins now; after the last one, what has ended.
    pub stage: TrainingStage,
    /// The share of the work that is done, 0..=1.
    pub done_share: f64,
}
