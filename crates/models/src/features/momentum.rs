//! Momentum and trend indicators, defined and warmed up as in TA-Lib.

use super::FeatureDefinition;
use super::rolling::{highest, lowest, mean, population_std_dev, ratio, ratios, rolling, windows};
use super::run::Run;
use super::volatility::{average_true_range, true_range};

/// What [`columns`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureDefinition; 12] = [
    FeatureDefinition {
        name: "rsi_14",
        formula: "100 * gain / (gain + loss), Wilder averages of the changes of 14 sessions",
        source: "Wilder (1978); TA-Lib RSI",
    },
    FeatureDefinition {
        name: "macd_histogram_atr",
        formula: "(MACD(12, 26) - its EMA(9)) / ATR(14)",
        source: "Appel (1979); TA-Lib MACD, ATR",
    },
    FeatureDefinition {
        name: "bollinger_percent_b_20",
        formula: "(close - lower) / (upper - lower), bands SMA(20) -+ 2 population standard deviations",
        source: "Bollinger (2001); TA-Lib BBANDS",
    },
    FeatureDefinition {
        name: "bollinger_bandwidth_20",
        formula: "(upper - lower) / SMA(20)",
        source: "Bollinger (2001); TA-Lib BBANDS",
    },
    FeatureDefinition {
        name: "adx_14",
        formula: "Wilder average of 100 |+DI - -DI| / (+DI + -DI) over 14 sessions",
        source: "Wilder (1978); TA-Lib ADX",
    },
    FeatureDefinition {
        name: "stochastic_k_14",
        formula: "100 (close - lowest low) / (highest high - lowest low) of 14 sessions",
        source: "Lane (1984); TA-Lib STOCHF, fast %K",
    },
    FeatureDefinition {
        name: "cci_20",
        formula: "(p - SMA(p, 20)) / (0.015 * mean |p - SMA|), p = (high + low + close) / 3",
        source: "Lambert (1980); TA-Lib CCI",
    },
    FeatureDefinition {
        name: "sma_distance_20",
        formula: "(close - SMA(20)) / ATR(14)",
        source: "TA-Lib SMA, ATR",
    },
    FeatureDefinition {
        name: "sma_distance_50",
        formula: "(close - SMA(50)) / ATR(14)",
        source: "TA-Lib SMA, ATR",
    },
    FeatureDefinition {
        name: "sma_distance_200",
        formula: "(close - SMA(200)) / ATR(14)",
        source: "TA-Lib SMA, ATR",
    },
    FeatureDefinition {
        name: "high_distance_250",
        formula: "ln(close / highest high of 250 sessions)",
        source: "George and Hwang (2004), the 52-week high",
    },
    FeatureDefinition {
        name: "low_distance_250",
        formula: "ln(close / lowest low of 250 sessions)",
        source: "as high_distance_250",
    },
];

/// The features of [`DEFINITIONS`], one value a bar.
pub(crate) fn columns(run: &Run) -> [Vec<f64>; 12] {
    let Run { high, low, close, .. } = run;
    let atr = average_true_range(high, low, close, 14);
    let distance = |sessions_count| -> Vec<f64> {
        let average = rolling(close, sessions_count, mean);
        (0..run.len()).map(|t| ratio(close[t] - average[t], atr[t])).collect()
    };
    let log_ratio = |bounds: Vec<f64>| -> Vec<f64> {
        close.iter().zip(bounds).map(|(close, bound)| (close / bound).ln()).collect()
    };
    let (lower, middle, upper) = bollinger_bands(close, 20);
    let band = |t: usize| upper[t] - lower[t];
    [
        relative_strength_index(close, 14),
        ratios(&macd_histogram(close), &atr),
        (0..run.len()).map(|t| ratio(close[t] - lower[t], band(t))).collect(),
        (0..run.len()).map(|t| ratio(band(t), middle[t])).collect(),
        average_directional_index(high, low, close, 14),
        stochastic_k(high, low, close, 14),
        commodity_channel_index(high, low, close, 20),
        distance(20),
        distance(50),
        distance(200),
        log_ratio(rolling(high, 250, highest)),
        log_ratio(rolling(low, 250, lowest)),
    ]
}

/// TA-Lib's RSI: zero where no price changed.
#[expect(clippy::cast_precision_loss, reason = "periods are short")]
fn relative_strength_index(close: &[f64], period: usize) -> Vec<f64> {
    let mut index = vec![f64::NAN; close.len()];
    let (mut gain, mut loss) = (0.0, 0.0);
    for t in 1..close.len() {
        let change = close[t] - close[t - 1];
        if t <= period {
            gain += change.max(0.0) / period as f64;
            loss += (-change).max(0.0) / period as f64;
        } else {
            gain = wilder(gain, change.max(0.0), period);
            loss = wilder(loss, (-change).max(0.0), period);
        }
        if t >= period {
            index[t] = if gain + loss > 0.0 { 100.0 * gain / (gain + loss) } else { 0.0 };
        }
    }
    index
}

/// Wilder's average, one step on.
#[expect(clippy::cast_precision_loss, reason = "periods are short")]
pub(crate) fn wilder(average: f64, value: f64, period: usize) -> f64 {
    (average * (period - 1) as f64 + value) / period as f64
}

/// TA-Lib's MACD(12, 26, 9) less its signal line. Both averages are seeded with simple means that
/// end at bar 25, the signal with the mean of the first nine differences.
fn macd_histogram(close: &[f64]) -> Vec<f64> {
    const SLOW: usize = 26;
    let mut histogram = vec![f64::NAN; close.len()];
    if close.len() < SLOW {
        return histogram;
    }
    let fast = exponential_average(&close[SLOW - 12..], 12);
    let slow = exponential_average(close, SLOW);
    let difference: Vec<f64> =
        (SLOW - 1..close.len()).map(|t| fast[t - (SLOW - 12)] - slow[t]).collect();
    let signal = exponential_average(&difference, 9);
    for (t, slot) in histogram.iter_mut().enumerate().skip(SLOW - 1) {
        *slot = difference[t - (SLOW - 1)] - signal[t - (SLOW - 1)];
    }
    histogram
}

/// Exponential average, seeded with the mean of the first `period` values; NaN before.
#[expect(clippy::cast_precision_loss, reason = "periods are short")]
fn exponential_average(values: &[f64], period: usize) -> Vec<f64> {
    let share = 2.0 / (period + 1) as f64;
    let mut average = f64::NAN;
    (0..values.len())
        .map(|t| {
            if t + 1 == period {
                average = mean(&values[..period]);
            } else if t + 1 > period {
                average += (values[t] - average) * share;
            }
            average
        })
        .collect()
}

/// Lower, middle and upper band: the mean less, and plus, two standard deviations.
fn bollinger_bands(close: &[f64], period: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let middle = rolling(close, period, mean);
    let spread = rolling(close, period, |window| 2.0 * population_std_dev(window));
    let lower = middle.iter().zip(&spread).map(|(middle, spread)| middle - spread).collect();
    let upper = middle.iter().zip(&spread).map(|(middle, spread)| middle + spread).collect();
    (lower, middle, upper)
}

/// TA-Lib's ADX: sums of the first `period - 1` movements, Wilder sums after, `period` values of DX
/// averaged for the first ADX at bar `2 * period - 1`.
#[expect(clippy::cast_precision_loss, reason = "periods are short")]
fn average_directional_index(high: &[f64], low: &[f64], close: &[f64], period: usize) -> Vec<f64> {
    let mut index = vec![f64::NAN; close.len()];
    let (mut plus, mut minus, mut range) = (0.0, 0.0, 0.0);
    let (mut dx_sum, mut adx) = (0.0, f64::NAN);
    for t in 1..close.len() {
        let (up, down) = (high[t] - high[t - 1], low[t - 1] - low[t]);
        let plus_move = if up > 0.0 && up > down { up } else { 0.0 };
        let minus_move = if down > 0.0 && down > up { down } else { 0.0 };
        let faded = |sum: f64| if t < period { sum } else { sum - sum / period as f64 };
        plus = faded(plus) + plus_move;
        minus = faded(minus) + minus_move;
        range = faded(range) + true_range(high[t], low[t], close[t - 1]);
        if t < period {
            continue;
        }
        // Without movement there is no direction, and the average stays.
        let dx = if range > 0.0 && plus + minus > 0.0 {
            Some(100.0 * ((plus - minus) / (plus + minus)).abs())
        } else {
            None
        };
        if t < 2 * period {
            dx_sum += dx.unwrap_or(0.0);
            adx = dx_sum / period as f64;
        } else if let Some(dx) = dx {
            adx = wilder(adx, dx, period);
        }
        if t >= 2 * period - 1 {
            index[t] = adx;
        }
    }
    index
}

/// TA-Lib's fast %K: zero where the range is zero.
fn stochastic_k(high: &[f64], low: &[f64], close: &[f64], period: usize) -> Vec<f64> {
    windows(close.len(), period, |range| {
        let (top, bottom) = (highest(&high[range.clone()]), lowest(&low[range.clone()]));
        let last = close[range.end - 1];
        if top > bottom { 100.0 * (last - bottom) / (top - bottom) } else { 0.0 }
    })
}

/// TA-Lib's CCI: zero where the typical price does not vary.
fn commodity_channel_index(high: &[f64], low: &[f64], close: &[f64], period: usize) -> Vec<f64> {
    rolling(&typical_price(high, low, close), period, |window| {
        let average = mean(window);
        let last = window[window.len() - 1];
        let deviations: Vec<f64> = window.iter().map(|price| (price - average).abs()).collect();
        let deviation = mean(&deviations);
        if deviation > 0.0 { (last - average) / (0.015 * deviation) } else { 0.0 }
    })
}

/// The mean of high, low and close.
pub(crate) fn typical_price(high: &[f64], low: &[f64], close: &[f64]) -> Vec<f64> {
    (0..close.len()).map(|t| (high[t] + low[t] + close[t]) / 3.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::talib_golden::Golden;

    #[test]
    fn indicators_equal_those_of_ta_lib() {
        let golden = Golden::read();
        let Golden { high, low, close, .. } = &golden;
        let (lower, middle, upper) = bollinger_bands(close, 20);
        golden.check("RSI", &relative_strength_index(close, 14));
        golden.check("MACD_HISTOGRAM", &macd_histogram(close));
        golden.check("BBANDS_LOWER", &lower);
        golden.check("BBANDS_MIDDLE", &middle);
        golden.check("BBANDS_UPPER", &upper);
        golden.check("ADX", &average_directional_index(high, low, close, 14));
        golden.check("STOCHF_K", &stochastic_k(high, low, close, 14));
        golden.check("CCI", &commodity_channel_index(high, low, close, 20));
    }

    #[test]
    fn prices_that_stand_still_leave_the_indicators_finite() {
        let flat = vec![5.0; 100];
        assert!(relative_strength_index(&flat, 14)[14..].iter().all(|value| *value == 0.0));
        assert!(average_directional_index(&flat, &flat, &flat, 14)[27..].iter().all(|v| *v == 0.0));
        assert!(stochastic_k(&flat, &flat, &flat, 14)[13..].iter().all(|value| *value == 0.0));
        assert!(commodity_channel_index(&flat, &flat, &flat, 20)[19..].iter().all(|v| *v == 0.0));
    }
}
