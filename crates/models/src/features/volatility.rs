//! How much prices move.

use super::FeatureDefinition;
use super::momentum::wilder;
use super::returns::log_returns;
use super::rolling::{mean, ratios, rolling, sample_std_dev};
use super::run::Run;

/// What [`columns`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureDefinition; 7] = [
    FeatureDefinition {
        name: "volatility_5",
        formula: "sample standard deviation of return_1 over 5 sessions",
        source: "close-to-close estimator",
    },
    FeatureDefinition {
        name: "volatility_20",
        formula: "sample standard deviation of return_1 over 20 sessions",
        source: "close-to-close estimator",
    },
    FeatureDefinition {
        name: "volatility_60",
        formula: "sample standard deviation of return_1 over 60 sessions",
        source: "close-to-close estimator",
    },
    FeatureDefinition {
        name: "parkinson_20",
        formula: "sqrt(mean of ln(high / low)^2 / (4 ln 2)) over 20 sessions",
        source: "Parkinson (1980)",
    },
    FeatureDefinition {
        name: "garman_klass_20",
        formula: "sqrt(mean of ln(high / low)^2 / 2 - (2 ln 2 - 1) ln(close / open)^2) over 20 sessions",
        source: "Garman and Klass (1980)",
    },
    FeatureDefinition {
        name: "atr_14_share",
        formula: "ATR(14) / close, Wilder average of the true range",
        source: "Wilder (1978); TA-Lib ATR",
    },
    FeatureDefinition {
        name: "volatility_ratio_5_60",
        formula: "volatility_5 / volatility_60",
        source: "close-to-close estimator",
    },
];

/// The features of [`DEFINITIONS`], one value a bar.
pub(crate) fn columns(run: &Run) -> [Vec<f64>; 7] {
    use std::f64::consts::LN_2;
    let daily = log_returns(&run.close, 1);
    let (week, month, quarter) = (
        rolling(&daily, 5, sample_std_dev),
        rolling(&daily, 20, sample_std_dev),
        rolling(&daily, 60, sample_std_dev),
    );
    let squared = |a: &[f64], b: &[f64]| -> Vec<f64> {
        a.iter().zip(b).map(|(a, b)| (a / b).ln().powi(2)).collect()
    };
    let (range, body) = (squared(&run.high, &run.low), squared(&run.close, &run.open));
    let garman_klass: Vec<f64> = range
        .iter()
        .zip(&body)
        .map(|(range, body)| 0.5 * range - (2.0 * LN_2 - 1.0) * body)
        .collect();
    let atr = average_true_range(&run.high, &run.low, &run.close, 14);
    [
        week.clone(),
        month,
        quarter.clone(),
        rolling(&range, 20, |window| (mean(window) / (4.0 * LN_2)).sqrt()),
        rolling(&garman_klass, 20, |window| {
            let mean = mean(window);
            // Not `max`, which would make zero of a window without an open.
            if mean < 0.0 { 0.0 } else { mean.sqrt() }
        }),
        ratios(&atr, &run.close),
        ratios(&week, &quarter),
    ]
}

/// The distance prices went, the step from the last close included.
pub(crate) fn true_range(high: f64, low: f64, last_close: f64) -> f64 {
    (high - low).max((high - last_close).abs()).max((low - last_close).abs())
}

/// TA-Lib's ATR: the mean of the first `period` true ranges at bar `period`, Wilder averages after.
pub(crate) fn average_true_range(
    high: &[f64],
    low: &[f64],
    close: &[f64],
    period: usize,
) -> Vec<f64> {
    let mut average = vec![f64::NAN; close.len()];
    if close.len() <= period {
        return average;
    }
    let range = |t: usize| true_range(high[t], low[t], close[t - 1]);
    average[period] = mean(&(1..=period).map(range).collect::<Vec<_>>());
    for t in period + 1..close.len() {
        average[t] = wilder(average[t - 1], range(t), period);
    }
    average
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::talib_golden::Golden;

    #[test]
    fn the_average_true_range_equals_that_of_ta_lib() {
        let golden = Golden::read();
        let average = average_true_range(&golden.high, &golden.low, &golden.close, 14);
        golden.check("ATR", &average);
    }
}
