//! Platt's scaling: a logistic curve of the score.

use serde::{Deserialize, Serialize};

use super::count;
use super::logistic::{self, sigmoid};

/// `sigmoid(slope * score + intercept)`; Platt's `A` and `B` with the signs changed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlattMap {
    slope: f64,
    intercept: f64,
}

impl PlattMap {
    /// Learns from finite scores, towards [`targets`].
    pub(super) fn fit(scores: &[f64], outcomes: &[bool]) -> Self {
        let (of_negative, of_positive) = targets(outcomes);
        let targets: Vec<f64> =
            outcomes.iter().map(|o| if *o { of_positive } else { of_negative }).collect();
        let rows: Vec<[f64; 2]> = scores.iter().map(|score| [*score, 1.0]).collect();
        let [slope, intercept] = logistic::fit(&rows, &targets);
        Self { slope, intercept }
    }

    pub(super) fn apply(&self, score: f64) -> f64 {
        sigmoid(self.slope * score + self.intercept)
    }
}

/// The probabilities towards which outcomes of false and true pull: drawn in from 0 and 1 as if one
/// more outcome of each kind had been seen.
///
/// Source: Platt (1999), "Probabilistic Outputs for Support Vector Machines", section 2.2.
pub(super) fn targets(outcomes: &[bool]) -> (f64, f64) {
    let positives = count(outcomes.iter().filter(|outcome| **outcome).count());
    let negatives = count(outcomes.len()) - positives;
    (1.0 / (negatives + 2.0), (positives + 1.0) / (positives + 2.0))
}
