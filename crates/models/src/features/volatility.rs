//! How much prices move.

use super::run::RunBar;
use super::spec::{FeatureSpec, FeatureWindow};
use super::{FeatureTemplate, ratio};
use crate::indicators::{Atr, CloseToClose, GarmanKlass, Indicator as _, Parkinson, YangZhang};

/// What [`Volatility`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureTemplate; 8] = [
    FeatureTemplate {
        name: "volatility_{volatility_short}",
        formula: "sample standard deviation of return_1 over {volatility_short} sessions",
        source: "close-to-close estimator",
    },
    FeatureTemplate {
        name: "volatility_20",
        formula: "sample standard deviation of return_1 over 20 sessions",
        source: "close-to-close estimator",
    },
    FeatureTemplate {
        name: "volatility_{volatility_long}",
        formula: "sample standard deviation of return_1 over {volatility_long} sessions",
        source: "close-to-close estimator",
    },
    FeatureTemplate {
        name: "parkinson_20",
        formula: "sqrt(mean of ln(high / low)^2 / (4 ln 2)) over 20 sessions",
        source: "Parkinson (1980)",
    },
    FeatureTemplate {
        name: "garman_klass_20",
        formula: "sqrt(mean of ln(high / low)^2 / 2 - (2 ln 2 - 1) ln(close / open)^2) over 20 sessions",
        source: "Garman and Klass (1980)",
    },
    FeatureTemplate {
        name: "atr_{atr}_share",
        formula: "ATR({atr}) / close, Wilder average of the true range",
        source: "Wilder (1978); TA-Lib ATR",
    },
    FeatureTemplate {
        name: "volatility_ratio_{volatility_short}_{volatility_long}",
        formula: "volatility_{volatility_short} / volatility_{volatility_long}",
        source: "close-to-close estimator",
    },
    FeatureTemplate {
        name: "yang_zhang_20",
        formula: "gaps, bodies and ranges of 20 sessions, free of drift",
        source: "Yang and Zhang (2000)",
    },
];

/// The state of the features of [`DEFINITIONS`].
#[derive(Clone, Debug)]
pub(crate) struct Volatility {
    /// Over a short window, 20 sessions and a long one.
    close_to_close: [CloseToClose; 3],
    parkinson: Parkinson,
    garman_klass: GarmanKlass,
    atr: Atr,
    yang_zhang: YangZhang,
}

impl Volatility {
    pub(crate) fn new(spec: &FeatureSpec) -> Self {
        let short = spec.window(FeatureWindow::VolatilityShort);
        let long = spec.window(FeatureWindow::VolatilityLong);
        Self {
            close_to_close: [short, 20, long].map(CloseToClose::new),
            parkinson: Parkinson::new(20),
            garman_klass: GarmanKlass::new(20),
            atr: Atr::new(spec.window(FeatureWindow::Atr)),
            yang_zhang: YangZhang::new(20),
        }
    }

    pub(crate) fn push(&mut self, of_run: &RunBar) -> [f64; 8] {
        let bar = of_run.bar;
        let [short, month, long] =
            self.close_to_close.each_mut().map(|estimator| estimator.push(bar.close));
        [
            short,
            month,
            long,
            self.parkinson.push(bar),
            self.garman_klass.push(bar),
            ratio(self.atr.push(bar), bar.close),
            ratio(short, long),
            self.yang_zhang.push(bar),
        ]
    }
}
