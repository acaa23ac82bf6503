//! The members of an ensemble, each judged by itself.

use bist_models::Horizon;
use bist_trading::Estimate;
use serde::{Deserialize, Serialize};

use super::{DailyCoefficients, LEVEL, OutOfFold};
use crate::rank_ic::{Correlation, mean};

/// How much a member counts in either regime of the market, 0..=1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegimeShares {
    /// In a calm market.
    pub calm: f64,
    /// In a turbulent market.
    pub turbulent: f64,
}

/// How much a member counted.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberWeights {
    /// The kind of model.
    pub kind: String,
    /// Its weight in the model in force.
    pub weight: RegimeShares,
    /// Its weight on each fold, learned on the folds before.
    pub fold_weights: Vec<RegimeShares>,
}

/// One member of the ensemble and its record on the same days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberEvaluation {
    /// The kind of model.
    pub kind: String,
    /// Its weight in the model in force.
    pub weight: RegimeShares,
    /// Its weight on each fold, learned on the folds before.
    pub fold_weights: Vec<RegimeShares>,
    /// Its own rank information coefficient.
    pub rank_ic: Option<Estimate>,
    /// Its root mean squared error; `comparisons` says whether it differs from the ensemble's.
    pub rmse: f64,
}

/// Judges the members on `records`, sorted by day and symbol.
pub(super) fn evaluate(
    members: &[MemberWeights],
    records: &[OutOfFold],
    horizon: Horizon,
) -> Vec<MemberEvaluation> {
    let of_member = |(member, weights): (usize, &MemberWeights)| {
        let forecast = |record: &OutOfFold| record.members[member];
        let squares: Vec<f64> =
            records.iter().map(|r| (r.realised() - forecast(r)).powi(2)).collect();
        MemberEvaluation {
            kind: weights.kind.clone(),
            weight: weights.weight,
            fold_weights: weights.fold_weights.clone(),
            rank_ic: DailyCoefficients::of(records, Correlation::Spearman, forecast)
                .estimate(horizon, LEVEL),
            rmse: mean(&squares).sqrt(),
        }
    };
    members.iter().enumerate().map(of_member).collect()
}
