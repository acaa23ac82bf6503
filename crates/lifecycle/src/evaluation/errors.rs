//! Squared errors of the model and of those it is compared with.

use serde::{Deserialize, Serialize};

use super::{ByBaseline, OutOfFold, RankIcMethod, compared};
use crate::rank_ic::mean;

/// Root mean squared errors of forecasts of the log-return over the horizon, on the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rmse {
    /// The model that is judged.
    pub model: f64,
    /// Those it is compared with.
    #[serde(flatten)]
    pub baselines: ByBaseline<f64>,
}

impl Rmse {
    /// The errors on `records`; zeros when there are none.
    pub(super) fn of(records: &[OutOfFold]) -> Self {
        Self::by_method(records, RankIcMethod::TimeSeries)
    }

    /// The errors on `records`, sorted by day, once the mean over the symbols of each day is taken
    /// from forecasts and outcomes: what moves all symbols alike does not count.
    pub(super) fn relative(records: &[OutOfFold]) -> Self {
        Self::by_method(records, RankIcMethod::CrossSectional)
    }

    fn by_method(records: &[OutOfFold], method: RankIcMethod) -> Self {
        let of = |forecast: &dyn Fn(&OutOfFold) -> f64| {
            mean(&squared_errors(records, method, forecast)).sqrt()
        };
        Self {
            model: of(&|record| record.predicted.model),
            baselines: ByBaseline::of(|baseline| of(&|r| r.predicted.baselines[baseline])),
        }
    }

    /// By what share the model's mean squared error is below that of each baseline: one minus their
    /// ratio. Negative when the model is worse; absent when the other makes no error.
    ///
    /// Against the training mean this is the out-of-sample R squared of Campbell and Thompson
    /// (2008), "Predicting Excess Stock Returns Out of Sample".
    pub(super) fn skill_scores(&self) -> ByBaseline<Option<f64>> {
        ByBaseline::of(|baseline| {
            let other = self.baselines[baseline];
            (other > 0.0).then(|| 1.0 - self.model.powi(2) / other.powi(2))
        })
    }
}

/// The squared errors of `forecast` on `records`, sorted by day; where symbols are compared, once
/// the mean of the day is taken from forecasts and outcomes.
pub(super) fn squared_errors(
    records: &[OutOfFold],
    method: RankIcMethod,
    forecast: impl Fn(&OutOfFold) -> f64,
) -> Vec<f64> {
    let errors = compared(records, method, |record| record.realised() - forecast(record));
    errors.iter().map(|error| error.powi(2)).collect()
}
