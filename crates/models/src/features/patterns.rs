//! Candle patterns.

use super::FeatureTemplate;
use super::run::RunBar;
use crate::indicators::{CandlePatterns, Indicator as _};

/// What [`Patterns`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureTemplate; 2] = [
    FeatureTemplate {
        name: "candle_balance",
        formula: "patterns completed today after which prices are said to rise, less those after \
                  which they are said to fall",
        source: "Nison (1991); TA-Lib CDLHAMMER, CDLENGULFING, CDLMORNINGSTAR and eight more",
    },
    FeatureTemplate {
        name: "candle_doji",
        formula: "1 when the body is at most a tenth of the mean range of the 10 sessions before",
        source: "Nison (1991); TA-Lib CDLDOJI",
    },
];

/// The state of the features of [`DEFINITIONS`].
#[derive(Clone, Debug)]
pub(crate) struct Patterns {
    candles: CandlePatterns,
}

impl Patterns {
    pub(crate) fn new() -> Self {
        Self { candles: CandlePatterns::new() }
    }

    pub(crate) fn push(&mut self, of_run: &RunBar) -> [f64; 2] {
        let candle = self.candles.push(of_run.bar);
        if of_run.bar.open.is_nan() {
            return [f64::NAN; 2];
        }
        [candle.balance(), f64::from(candle.doji) / 100.0]
    }
}
