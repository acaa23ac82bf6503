//! Features of the returns themselves.

use super::FeatureTemplate;
use super::run::RunBar;
use super::spec::{FeatureSpec, FeatureWindow};
use crate::indicators::window::{Lag, Recent, Sum, Window};

/// What [`Returns`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureTemplate; 15] = [
    log_return("return_1", "ln(close[t] / close[t-1])"),
    log_return("return_2", "ln(close[t] / close[t-2])"),
    log_return("return_3", "ln(close[t] / close[t-3])"),
    log_return("return_5", "ln(close[t] / close[t-5])"),
    log_return("return_10", "ln(close[t] / close[t-10])"),
    log_return("return_20", "ln(close[t] / close[t-20])"),
    log_return("return_{return_long}", "ln(close[t] / close[t-{return_long}])"),
    log_return("overnight_gap", "ln(open[t] / close[t-1])"),
    log_return("intraday_return", "ln(close[t] / open[t])"),
    FeatureTemplate {
        name: "close_location",
        formula: "((close - low) - (high - close)) / (high - low), 0 when high = low",
        source: "Chaikin's close location value",
    },
    FeatureTemplate {
        name: "limit_hit",
        formula: "1 when the close is the day's upper price limit, -1 when the lower, else 0",
        source: "daily price limits of the exchange, from the last close after corporate actions",
    },
    FeatureTemplate {
        name: "limit_hits_5",
        formula: "sum of limit_hit over 5 sessions",
        source: "as limit_hit",
    },
    FeatureTemplate {
        name: "return_autocorrelation_60",
        formula: "sum of (r[t]-m)(r[t-1]-m) over sum of (r[t]-m)^2, r = return_1 of 60 sessions, \
                  m its mean; 0 without spread",
        source: "Box, Jenkins, Reinsel: Time Series Analysis, sample autocorrelation at lag 1",
    },
    FeatureTemplate {
        name: "reversal_slope_250",
        formula: "slope of return_1[t] on return_5[t-1] by least squares over 250 sessions",
        source: "Lehmann (1990), reversals of weekly returns; Jegadeesh (1990)",
    },
    FeatureTemplate {
        name: "reversal_forecast",
        formula: "reversal_slope_250 * return_5",
        source: "as reversal_slope_250",
    },
];

const fn log_return(name: &'static str, formula: &'static str) -> FeatureTemplate {
    FeatureTemplate { name, formula, source: "log-return of total-return prices" }
}

/// The state of the features of [`DEFINITIONS`].
#[derive(Clone, Debug)]
pub(crate) struct Returns {
    /// The closes 1, 2, 3, 5, 10, 20 and, usually, 60 sessions ago.
    before: [Lag; 7],
    limit_hits: Window<Sum>,
    daily: Recent,
    reversal: ReversalSlope,
}

impl Returns {
    pub(crate) fn new(spec: &FeatureSpec) -> Self {
        let long = spec.window(FeatureWindow::ReturnLong);
        Self {
            before: [1, 2, 3, 5, 10, 20, long].map(Lag::new),
            limit_hits: Window::new(5),
            daily: Recent::new(60),
            reversal: ReversalSlope::new(250),
        }
    }

    pub(crate) fn push(&mut self, of_run: &RunBar) -> [f64; 15] {
        let bar = &of_run.bar;
        let before = self.before.each_mut().map(|lag| lag.push(bar.close));
        let [r1, r2, r3, r5, r10, r20, long] = before.map(|close| (bar.close / close).ln());
        let limit_hits = self.limit_hits.push(Sum(of_run.limit_hit));
        let range = bar.high - bar.low;
        let reversal_slope = self.reversal.push(r1, r5);
        [
            r1,
            r2,
            r3,
            r5,
            r10,
            r20,
            long,
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
            reversal_slope,
            reversal_slope * r5,
        ]
    }
}

/// The slope of a day's return on the return of the five days before it, over a window.
#[derive(Clone, Debug)]
struct ReversalSlope {
    /// Of the pairs: sum of the five-day returns and of the returns that followed, and of the squares
    /// of the former and the products.
    sums: Window<((Sum, Sum), (Sum, Sum))>,
    period: f64,
    return_5_before: f64,
}

impl ReversalSlope {
    fn new(period: u16) -> Self {
        Self { sums: Window::new(period), period: f64::from(period), return_5_before: f64::NAN }
    }

    fn push(&mut self, return_1: f64, return_5: f64) -> f64 {
        let (x, y) = (std::mem::replace(&mut self.return_5_before, return_5), return_1);
        let ((sum_x, sum_y), (squares, products)) =
            self.sums.push(((Sum(x), Sum(y)), (Sum(x * x), Sum(x * y))));
        let spread = squares.0 - sum_x.0 * sum_x.0 / self.period;
        let common = products.0 - sum_x.0 * sum_y.0 / self.period;
        if spread.is_nan() || spread > 0.0 { common / spread } else { 0.0 }
    }
}

fn lag_1_autocorrelation(returns: &[f64]) -> f64 {
    let mean = super::mean(returns);
    let spread: f64 = returns.iter().map(|r| (r - mean) * (r - mean)).sum();
    let product: f64 = returns.windows(2).map(|pair| (pair[1] - mean) * (pair[0] - mean)).sum();
    if spread.is_nan() || spread > 0.0 { product / spread } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns whose slope on the sum of the five before is known exactly.
    #[test]
    fn the_reversal_slope_is_that_of_least_squares() {
        let mut returns = vec![0.01, -0.02, 0.015, 0.005, -0.01];
        for t in 5..400 {
            let before: f64 = returns[t - 5..t].iter().sum();
            let shock = if t % 7 == 0 { 0.02 } else { -0.003 };
            returns.push(0.001 - 0.12 * before + shock);
        }
        let mut slope = ReversalSlope::new(250);
        let slopes: Vec<f64> = (0..returns.len())
            .map(|t| {
                let five = if t < 4 { f64::NAN } else { returns[t - 4..=t].iter().sum() };
                slope.push(returns[t], five)
            })
            .collect();
        let known = slopes.iter().position(|slope| !slope.is_nan()).unwrap();
        assert_eq!(known, 254, "five returns, and 250 pairs");
        // By the textbook over the last 250 pairs.
        let pairs: Vec<(f64, f64)> =
            (150..400).map(|t| (returns[t - 5..t].iter().sum::<f64>(), returns[t])).collect();
        let mean = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / 250.0;
        let (x, y) = (mean(&|pair| pair.0), mean(&|pair| pair.1));
        let expected =
            mean(&|pair| (pair.0 - x) * (pair.1 - y)) / mean(&|pair| (pair.0 - x).powi(2));
        assert!((slopes[399] - expected).abs() < 1e-9, "{} and not {expected}", slopes[399]);
    }
}
