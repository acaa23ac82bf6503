//! Features of the returns themselves.

use super::FeatureDefinition;
use super::rolling::{mean, rolling};
use super::run::Run;

/// What [`columns`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureDefinition; 13] = [
    log_return("return_1", "ln(close[t] / close[t-1])"),
    log_return("return_2", "ln(close[t] / close[t-2])"),
    log_return("return_3", "ln(close[t] / close[t-3])"),
    log_return("return_5", "ln(close[t] / close[t-5])"),
    log_return("return_10", "ln(close[t] / close[t-10])"),
    log_return("return_20", "ln(close[t] / close[t-20])"),
    log_return("return_60", "ln(close[t] / close[t-60])"),
    log_return("overnight_gap", "ln(open[t] / close[t-1])"),
    log_return("intraday_return", "ln(close[t] / open[t])"),
    FeatureDefinition {
        name: "close_location",
        formula: "((close - low) - (high - close)) / (high - low), 0 when high = low",
        source: "Chaikin's close location value",
    },
    FeatureDefinition {
        name: "limit_hit",
        formula: "1 when the close is the day's upper price limit, -1 when the lower, else 0",
        source: "daily price limits of the exchange, from the last close after corporate actions",
    },
    FeatureDefinition {
        name: "limit_hits_5",
        formula: "sum of limit_hit over 5 sessions",
        source: "as limit_hit",
    },
    FeatureDefinition {
        name: "return_autocorrelation_60",
        formula: "sum of (r[t]-m)(r[t-1]-m) over sum of (r[t]-m)^2, r = return_1 of 60 sessions, \
                  m its mean; 0 without spread",
        source: "Box, Jenkins, Reinsel: Time Series Analysis, sample autocorrelation at lag 1",
    },
];

const fn log_return(name: &'static str, formula: &'static str) -> FeatureDefinition {
    FeatureDefinition { name, formula, source: "log-return of total-return prices" }
}

/// The features of [`DEFINITIONS`], one value a bar.
pub(crate) fn columns(run: &Run) -> [Vec<f64>; 13] {
    let daily = log_returns(&run.close, 1);
    let gap = (0..run.len())
        .map(|t| if t == 0 { f64::NAN } else { (run.open[t] / run.close[t - 1]).ln() })
        .collect();
    let intraday =
        run.close.iter().zip(&run.open).map(|(close, open)| (close / open).ln()).collect();
    let autocorrelation = rolling(&daily, 60, lag_1_autocorrelation);
    [
        daily,
        log_returns(&run.close, 2),
        log_returns(&run.close, 3),
        log_returns(&run.close, 5),
        log_returns(&run.close, 10),
        log_returns(&run.close, 20),
        log_returns(&run.close, 60),
        gap,
        intraday,
        (0..run.len()).map(|t| close_location(run, t)).collect(),
        run.limit_hit.clone(),
        rolling(&run.limit_hit, 5, |hits| hits.iter().sum()),
        autocorrelation,
    ]
}

/// Log-return over `sessions_count` bars; NaN until there are as many.
pub(crate) fn log_returns(close: &[f64], sessions_count: usize) -> Vec<f64> {
    (0..close.len())
        .map(|t| match t.checked_sub(sessions_count) {
            Some(before) => (close[t] / close[before]).ln(),
            None => f64::NAN,
        })
        .collect()
}

fn close_location(run: &Run, t: usize) -> f64 {
    let (high, low, close) = (run.high[t], run.low[t], run.close[t]);
    if high > low { ((close - low) - (high - close)) / (high - low) } else { 0.0 }
}

fn lag_1_autocorrelation(returns: &[f64]) -> f64 {
    let mean = mean(returns);
    let spread: f64 = returns.iter().map(|r| (r - mean) * (r - mean)).sum();
    let product: f64 = returns.windows(2).map(|pair| (pair[1] - mean) * (pair[0] - mean)).sum();
    if spread.is_nan() || spread > 0.0 { product / spread } else { 0.0 }
}
