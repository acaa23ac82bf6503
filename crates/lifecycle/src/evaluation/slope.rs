//! What a unit of forecast has been worth.

use bist_trading::Estimate;

use super::{OutOfFold, RankIcMethod, compared};
use crate::rank_ic::{DependentMean, mean};

/// Level of the interval of the slope.
const LEVEL: f64 = 0.8;

/// The calibration slope: how much return has come for a unit of return forecast, with its 80 %
/// interval; one when forecasts are as large as they should be, and nearer to zero when they say too
/// much. Absent when there are too few days or the forecasts do not differ.
///
/// This is the slope of the outcomes on the forecasts over all rows, both less their mean of the
/// moment where symbols are compared. With the sums `a_t` of products and `b_t` of squares of the
/// day `t` it is `sum a / sum b`, and its standard error is that of the mean of `(a_t - slope b_t)`
/// by Newey and West over the mean of `b_t`: days and labels that overlap are not taken for
/// independent.
///
/// Source: Mincer and Zarnowitz (1969), "The Evaluation of Economic Forecasts".
pub(crate) fn calibration_slope(
    records: &[OutOfFold],
    method: RankIcMethod,
    lag: usize,
) -> Option<Estimate> {
    let (products, squares): (Vec<f64>, Vec<f64>) = records
        .chunk_by(|a, b| a.day == b.day)
        .map(|day| {
            let forecasts = compared(day, method, |record| record.predicted.model);
            let outcomes = compared(day, method, OutOfFold::realised);
            let product = forecasts.iter().zip(&outcomes).map(|(f, o)| f * o).sum::<f64>();
            (product, forecasts.iter().map(|f| f.powi(2)).sum::<f64>())
        })
        .unzip();
    let mean_square = mean(&squares);
    let mean_square = Some(mean_square).filter(|square| *square > 0.0)?;
    let slope = mean(&products) / mean_square;
    let errors: Vec<f64> =
        products.iter().zip(&squares).map(|(product, square)| product - slope * square).collect();
    let errors = DependentMean::newey_west(&errors, lag)?;
    let freedom = errors.effective_count - 1.0;
    Estimate::from_student_t(slope, errors.standard_error / mean_square, freedom, LEVEL)
}
