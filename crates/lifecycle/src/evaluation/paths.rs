//! How far a record depends on which days were the test.

use serde::{Deserialize, Serialize};

use super::{DailyCoefficients, OutOfFold};
use crate::rank_ic::{Correlation, count, mean};

/// The paths of a combinatorial purged cross-validation, each whole and out of sample.
///
/// They share most of what they learned from and all of their outcomes, so that their spread tells
/// nothing of luck: it tells how much of the record is owed to the choice of the test days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PathsEvaluation {
    /// The rank information coefficient of each path.
    pub rank_ics: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with the correction `n / (n - 1)`; zero for a single path.
    pub standard_deviation: f64,
    /// The share of paths whose coefficient is positive.
    pub share_positive: f64,
}

impl PathsEvaluation {
    /// Judges `paths`, as [`crate::combinatorial_purged::CombinatorialSplits::paths`] gives them;
    /// `None` when there are none.
    pub fn of(paths: &[Vec<OutOfFold>]) -> Option<Self> {
        if paths.is_empty() {
            return None;
        }
        let rank_ic = |path: &Vec<OutOfFold>| {
            let forecast = |record: &OutOfFold| record.predicted.model;
            mean(&DailyCoefficients::of(path, Correlation::Spearman, forecast).values())
        };
        let rank_ics: Vec<f64> = paths.iter().map(rank_ic).collect();
        let (n, mean) = (count(rank_ics.len()), mean(&rank_ics));
        let squares: f64 = rank_ics.iter().map(|rank_ic| (rank_ic - mean).powi(2)).sum();
        let positive = rank_ics.iter().filter(|rank_ic| **rank_ic > 0.0).count();
        Some(Self {
            mean,
            standard_deviation: (squares / (n - 1.0).max(1.0)).sqrt(),
            share_positive: count(positive) / n,
            rank_ics,
        })
    }
}
