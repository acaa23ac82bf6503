//! How much is traded, and on which side.

use super::run::RunBar;
use super::spec::{FeatureSpec, FeatureWindow};
use super::{FeatureTemplate, ratio};
use crate::indicators::window::{Deviations, Sum, Window};
use crate::indicators::{
    Amihud, Indicator as _, LinearRegressionSlope, Mfi, Obv, Sma, Turnover, Vwap,
};

/// What [`Volume`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureTemplate; 7] = [
    FeatureTemplate {
        name: "volume_zscore_{volume_zscore}",
        formula: "(volume - mean) / sample standard deviation, of {volume_zscore} sessions",
        source: "standard score",
    },
    FeatureTemplate {
        name: "volume_ratio_5_20",
        formula: "mean volume of 5 sessions / mean volume of 20 sessions",
        source: "relative volume",
    },
    FeatureTemplate {
        name: "obv_slope_20",
        formula: "least-squares slope of on-balance volume over 20 sessions / their mean volume",
        source: "Granville (1963); TA-Lib OBV, LINEARREG_SLOPE",
    },
    FeatureTemplate {
        name: "mfi_{mfi}",
        formula: "100 * positive / (positive + negative) money flow of {mfi} sessions",
        source: "Quong and Soudack (1989); TA-Lib MFI",
    },
    FeatureTemplate {
        name: "zero_volume_share_20",
        formula: "share of 20 sessions without a trade",
        source: "Lesmond, Ogden, Trzcinka (1999)",
    },
    FeatureTemplate {
        name: "turnover_ratio_5_60",
        formula: "mean lira traded over 5 sessions / over 60",
        source: "relative turnover",
    },
    FeatureTemplate {
        name: "vwap_distance_20",
        formula: "ln(close / volume-weighted typical price of 20 sessions)",
        source: "Berkowitz, Logue, Noser (1988)",
    },
];

/// The state of the features of [`DEFINITIONS`]; NaN where a volume in the window is unknown.
#[derive(Clone, Debug)]
pub(crate) struct Volume {
    spread: Deviations,
    /// One less than the sessions of the spread.
    spread_freedom: f64,
    ratio: Turnover,
    obv: Obv,
    slope: LinearRegressionSlope,
    mean: Sma,
    mfi: Mfi,
    untraded: Window<Sum>,
    turnover_ratio: Turnover,
    vwap: Vwap,
    amihud: Amihud,
    mean_turnover: Sma,
}

/// What the cross-section compares besides the features.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Liquidity {
    /// Logarithm of Amihud's illiquidity over 20 sessions; NaN where it is zero.
    pub(crate) log_illiquidity: f64,
    /// Mean lira traded over 20 sessions.
    pub(crate) turnover: f64,
}

impl Volume {
    pub(crate) fn new(spec: &FeatureSpec) -> Self {
        let zscore = spec.window(FeatureWindow::VolumeZscore);
        Self {
            spread: Deviations::new(zscore),
            spread_freedom: f64::from(zscore) - 1.0,
            ratio: Turnover::new(5, 20),
            obv: Obv::new(),
            slope: LinearRegressionSlope::new(20),
            mean: Sma::new(20),
            mfi: Mfi::new(spec.window(FeatureWindow::Mfi)),
            untraded: Window::new(20),
            turnover_ratio: Turnover::new(5, 60),
            vwap: Vwap::new(20),
            amihud: Amihud::new(20),
            mean_turnover: Sma::new(20),
        }
    }

    pub(crate) fn push(&mut self, of_run: &RunBar) -> ([f64; 7], Liquidity) {
        let bar = of_run.bar;
        let volume = bar.volume;
        let spread = self.spread.push(volume);
        let zscore = ratio(volume - spread.mean, (spread.squares / self.spread_freedom).sqrt());
        // An unknown volume must not pass for a traded one.
        let untraded = if volume.is_nan() { f64::NAN } else { f64::from(u8::from(volume <= 0.0)) };
        let features = [
            zscore,
            self.ratio.push(volume),
            ratio(self.slope.push(self.obv.push(bar)), self.mean.push(volume)),
            self.mfi.push(bar),
            self.untraded.push(Sum(untraded)).0 / 20.0,
            self.turnover_ratio.push(of_run.turnover),
            (bar.close / self.vwap.push(bar)).ln(),
        ];
        let illiquidity = self.amihud.push((bar.close, of_run.turnover));
        let liquidity = Liquidity {
            log_illiquidity: if illiquidity > 0.0 { illiquidity.ln() } else { f64::NAN },
            turnover: self.mean_turnover.push(of_run.turnover),
        };
        (features, liquidity)
    }
}
