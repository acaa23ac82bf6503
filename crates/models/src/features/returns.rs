//! Features of the returns themselves.

use super::FeatureDefinition;
use super::run::RunBar;
use crate::indicators::window::{Lag, Recent, Sum, Window};

/// What [`Returns`] gives, in this order.
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

/// The state of the features of [`DEFINITIONS`].
#[derive(Clone, Debug)]
pub(crate) struct Returns {
    /// The closes 1, 2, 3, 5, 10, 20 and 60 sessions ago.
    before: [Lag; 7],
    limit_hits: Window<Sum>,
    daily: Recent,
}

impl Returns {
    pub(crate) fn new() -> Self {
        Self {
            before: [1, 2, 3, 5, 10, 20, 60].map(Lag::new),
            limit_hits: Window::new(5),
            daily: Recent::new(60),
        }
    }

    pub(crate) fn push(&mut self, of_run: &RunBar) -> [f64; 13] {
        let bar = &of_run.bar;
        let before = self.before.each_mut().map(|lag| lag.push(bar.close));
        let [r1, r2, r3, r5, r10, r20, r60] = before.map(|close| (bar.close / close).ln());
        let limit_hits = self.limit_hits.push(Sum(of_run.limit_hit));
        let range = bar.high - bar.low;
        [
            r1,
            r2,
            r3,
            r5,
            r10,
            r20,
            r60,
            (bar.open / before[0]).ln(),
            (bar.close / bar.open).ln(),
            if range > 0.0 {
                ((bar.close - bar.low) - (bar.high - bar.close)) / range
            } else {
                0.0
            },
            of_run.limit_hit,
            limit_hits.0,
            self.daily.push(r1).map_or(f64::NAN, lag_1_autocorrelation),
        ]
    }
}

fn lag_1_autocorrelation(returns: &[f64]) -> f64 {
    let mean = super::mean(returns);
    let spread: f64 = returns.iter().map(|r| (r - mean) * (r - mean)).sum();
    let product: f64 = returns.windows(2).map(|pair| (pair[1] - mean) * (pair[0] - mean)).sum();
    if spread.is_nan() || spread > 0.0 { product / spread } else { 0.0 }
}
