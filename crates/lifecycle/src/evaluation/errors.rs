//! Squared errors of the model and of those it is compared with.

use serde::{Deserialize, Serialize};

use super::OutOfFold;
use crate::rank_ic::mean;

/// Root mean squared errors of forecasts of the log-return over the horizon, on the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rmse {
    /// The model that is judged.
    pub model: f64,
    /// Ridge regression.
    pub ridge: f64,
    /// The return of the last horizon repeated.
    pub seasonal_naive: f64,
    /// The mean of the rows the model learned from.
    pub training_mean: f64,
    /// Zero.
    pub zero: f64,
}

impl Rmse {
    /// The errors on `records`; zeros when there are none.
    pub(super) fn of(records: &[OutOfFold]) -> Self {
        Self::from_squares(|predicted| {
            records.iter().map(|r| (r.realised() - predicted(r)).powi(2)).collect()
        })
    }

    /// The errors on `records`, sorted by day, once the mean over the symbols of each day is taken
    /// from forecasts and outcomes: what moves all symbols alike does not count.
    pub(super) fn relative(records: &[OutOfFold]) -> Self {
        Self::from_squares(|predicted| {
            let mut squares = Vec::with_capacity(records.len());
            for day in records.chunk_by(|a, b| a.day == b.day) {
                let errors: Vec<f64> = day.iter().map(|r| r.realised() - predicted(r)).collect();
                let common = mean(&errors);
                squares.extend(errors.iter().map(|error| (error - common).powi(2)));
            }
            squares
        })
    }

    /// `squares` gives the squared errors of a forecast.
    fn from_squares(squares: impl Fn(&dyn Fn(&OutOfFold) -> f64) -> Vec<f64>) -> Self {
        let of = |predicted: &dyn Fn(&OutOfFold) -> f64| mean(&squares(predicted)).sqrt();
        Self {
            model: of(&|r| r.predicted.model),
            ridge: of(&|r| r.predicted.ridge),
            seasonal_naive: of(&|r| r.predicted.seasonal_naive),
            training_mean: of(&|r| r.predicted.training_mean),
            zero: of(&|_| 0.0),
        }
    }
}

/// By what share the model's mean squared error is below that of another forecast: one minus their
/// ratio. Negative when the model is worse; absent when the other makes no error.
///
/// Against the training mean this is the out-of-sample R squared of Campbell and Thompson (2008),
/// "Predicting Excess Stock Returns Out of Sample".
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkillScores {
    /// Against ridge regression. Reported only: it is no condition of the skill rule.
    pub against_ridge_share: Option<f64>,
    /// Against repeating the return of the last horizon.
    pub against_seasonal_naive_share: Option<f64>,
    /// Against the mean of the training rows.
    pub against_training_mean_share: Option<f64>,
    /// Against forecasting zero.
    pub against_zero_share: Option<f64>,
}

impl SkillScores {
    pub(super) fn of(rmse: &Rmse) -> Self {
        let against = |other: f64| (other > 0.0).then(|| 1.0 - rmse.model.powi(2) / other.powi(2));
        Self {
            against_ridge_share: against(rmse.ridge),
            against_seasonal_naive_share: against(rmse.seasonal_naive),
            against_training_mean_share: against(rmse.training_mean),
            against_zero_share: against(rmse.zero),
        }
    }
}
