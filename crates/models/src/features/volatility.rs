//! How much prices move.

use super::run::RunBar;
use super::{FeatureDefinition, ratio};
use crate::indicators::{Atr, CloseToClose, GarmanKlass, Indicator as _, Parkinson, YangZhang};

/// What [`Volatility`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureDefinition; 8] = [
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
    FeatureDefinition {
        name: "yang_zhang_20",
        formula: "gaps, bodies and ranges of 20 sessions, free of drift",
        source: "Yang and Zhang (2000)",
    },
];

/// The state of the features of [`DEFINITIONS`].
#[derive(Clone, Debug)]
pub(crate) struct Volatility {
    /// Over 5, 20 and 60 sessions.
    close_to_close: [CloseToClose; 3],
    parkinson: Parkinson,
    garman_klass: GarmanKlass,
    atr: Atr,
    yang_zhang: YangZhang,
}

impl Volatility {
    pub(crate) fn new() -> Self {
        Self {
            close_to_close: [5, 20, 60].map(CloseToClose::new),
            parkinson: Parkinson::new(20),
            garman_klass: GarmanKlass::new(20),
            atr: Atr::new(14),
            yang_zhang: YangZhang::new(20),
        }
    }

    pub(crate) fn push(&mut self, of_run: &RunBar) -> [f64; 8] {
        let bar = of_run.bar;
        let [week, month, quarter] =
            self.close_to_close.each_mut().map(|estimator| estimator.push(bar.close));
        [
            week,
            month,
            quarter,
            self.parkinson.push(bar),
            self.garman_klass.push(bar),
            ratio(self.atr.push(bar), bar.close),
            ratio(week, quarter),
            self.yang_zhang.push(bar),
        ]
    }
}
