//! How much is traded, and on which side.

use super::FeatureDefinition;
use super::momentum::typical_price;
use super::returns::log_returns;
use super::rolling::{mean, ratio, rolling, sample_std_dev, windows};
use super::run::Run;

/// What [`columns`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureDefinition; 5] = [
    FeatureDefinition {
        name: "volume_zscore_20",
        formula: "(volume - mean) / sample standard deviation, of 20 sessions",
        source: "standard score",
    },
    FeatureDefinition {
        name: "volume_ratio_5_20",
        formula: "mean volume of 5 sessions / mean volume of 20 sessions",
        source: "relative volume",
    },
    FeatureDefinition {
        name: "obv_slope_20",
        formula: "least-squares slope of on-balance volume over 20 sessions / their mean volume",
        source: "Granville (1963); TA-Lib OBV, LINEARREG_SLOPE",
    },
    FeatureDefinition {
        name: "mfi_14",
        formula: "100 * positive / (positive + negative) money flow of 14 sessions",
        source: "Quong and Soudack (1989); TA-Lib MFI",
    },
    FeatureDefinition {
        name: "zero_volume_share_20",
        formula: "share of 20 sessions without a trade",
        source: "Lesmond, Ogden, Trzcinka (1999)",
    },
];

/// The features of [`DEFINITIONS`], one value a bar; NaN where a volume in the window is unknown.
pub(crate) fn columns(run: &Run) -> [Vec<f64>; 5] {
    let Run { high, low, close, volume, .. } = run;
    let traded = |window: &[f64]| if mean(window) > 0.0 { mean(window) } else { f64::NAN };
    [
        rolling(volume, 20, |window| {
            ratio(window[window.len() - 1] - mean(window), sample_std_dev(window))
        }),
        windows(run.len(), 20, |range| {
            ratio(mean(&volume[range.end - 5..range.end]), mean(&volume[range]))
        }),
        windows(run.len(), 20, |range| {
            let balance = on_balance_volume(&close[range.clone()], &volume[range.clone()]);
            slope(&balance) / traded(&volume[range])
        }),
        money_flow_index(high, low, close, volume, 14),
        rolling(volume, 20, |window| {
            // An unknown volume must not pass for a traded one.
            let unknown = if window.iter().any(|v| v.is_nan()) { f64::NAN } else { 0.0 };
            let without_trade: Vec<f64> =
                window.iter().map(|v| if *v > 0.0 { 0.0 } else { 1.0 }).collect();
            mean(&without_trade) + unknown
        }),
    ]
}

/// TA-Lib's OBV: volume added on a higher close, taken away on a lower one, from the first volume.
fn on_balance_volume(close: &[f64], volume: &[f64]) -> Vec<f64> {
    let mut balance = 0.0;
    (0..close.len())
        .map(|t| {
            if t == 0 || close[t] > close[t - 1] {
                balance += volume[t];
            } else if close[t] < close[t - 1] {
                balance -= volume[t];
            } else {
                // Nothing is added, but an unknown volume stays unknown.
                balance += 0.0 * volume[t];
            }
            balance
        })
        .collect()
}

/// The slope of the least-squares line through values one session apart.
#[expect(clippy::cast_precision_loss, reason = "windows are short")]
fn slope(values: &[f64]) -> f64 {
    let middle = (values.len() - 1) as f64 / 2.0;
    let (mut product, mut square) = (0.0, 0.0);
    for (t, value) in values.iter().enumerate() {
        product += (t as f64 - middle) * value;
        square += (t as f64 - middle).powi(2);
    }
    product / square
}

/// TA-Lib's MFI: zero where no money flowed.
fn money_flow_index(
    high: &[f64],
    low: &[f64],
    close: &[f64],
    volume: &[f64],
    period: usize,
) -> Vec<f64> {
    let price = typical_price(high, low, close);
    // One more price than flows: a flow's sign is the change of the price.
    windows(close.len(), period + 1, |range| {
        let (mut positive, mut negative) = (0.0, 0.0);
        for t in range.start + 1..range.end {
            let flow = price[t] * volume[t];
            if price[t] > price[t - 1] {
                positive += flow;
            } else if price[t] < price[t - 1] {
                negative += flow;
            } else {
                positive += 0.0 * flow;
            }
        }
        let all: f64 = positive + negative;
        if all.is_nan() || all > 0.0 { 100.0 * positive / all } else { 0.0 }
    })
}

/// Logarithm of the mean of |return| per million lira traded, over the sessions of the last 20 that
/// had a trade; NaN without any, without any move, and where a turnover is unknown.
///
/// Source: Amihud (2002), "Illiquidity and stock returns", equation 1.
pub(crate) fn log_illiquidity(run: &Run) -> Vec<f64> {
    let daily = log_returns(&run.close, 1);
    windows(run.len(), 21, |range| {
        let (returns, turnover) =
            (&daily[range.start + 1..range.end], &run.turnover[range.start + 1..range.end]);
        if turnover.iter().any(|lira| lira.is_nan()) {
            return f64::NAN;
        }
        let shares: Vec<f64> = returns
            .iter()
            .zip(turnover)
            .filter(|(_, lira)| **lira > 0.0)
            .map(|(r, lira)| r.abs() / (lira / 1e6))
            .collect();
        let illiquidity = mean(&shares);
        if illiquidity > 0.0 { illiquidity.ln() } else { f64::NAN }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::talib_golden::Golden;

    #[test]
    fn indicators_equal_those_of_ta_lib() {
        let golden = Golden::read();
        let Golden { high, low, close, volume, .. } = &golden;
        golden.check("OBV", &on_balance_volume(close, volume));
        golden.check("MFI", &money_flow_index(high, low, close, volume, 14));
        let slopes = rolling(&on_balance_volume(close, volume), 20, slope);
        golden.check("OBV_SLOPE", &slopes);
    }

    #[test]
    fn an_unknown_volume_is_unknown_in_every_window_that_holds_it() {
        let close: Vec<f64> = (0..60).map(|t| 10.0 + f64::from(t % 3)).collect();
        let mut volume = vec![1_000.0; 60];
        volume[30] = f64::NAN;
        let index = money_flow_index(&close, &close, &close, &volume, 14);
        assert!(index[30..44].iter().all(|value| value.is_nan()));
        assert!(!index[29].is_nan() && !index[44].is_nan());
    }
}
