//! The trend: straight or logistic between changepoints.

use serde::{Deserialize, Serialize};

/// Slope, offset and slope changes of a trend over scaled time: 0 at the first row, 1 at the last.
///
/// With `h(t) = offset + k t + sum of delta_s (t - t_s) over the changepoints before t` the trend is
/// `h` itself, or `cap / (1 + exp(-h))`. Prophet writes the same logistic curve with an offset that
/// is corrected at each changepoint, which divides by the slope; this form does not.
///
/// Source: Taylor and Letham (2018), "Forecasting at Scale", equations 3 and 4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trend {
    /// The slope before the first changepoint.
    pub(crate) k: f64,
    /// Where the trend starts: its value at time 0, or for logistic growth the time at which the
    /// first piece is half way to the cap.
    pub(crate) m: f64,
    /// Times of the changepoints, ascending.
    pub(crate) changepoints: Vec<f64>,
    /// By how much the slope changes at each.
    pub(crate) deltas: Vec<f64>,
    /// The cap of logistic growth, on the scale of the trend; `None` for linear growth.
    pub(crate) cap: Option<f64>,
}

impl Trend {
    /// `h` at a time.
    pub(crate) fn piecewise_linear(&self, t: f64) -> f64 {
        let offset = if self.cap.is_some() { -self.k * self.m } else { self.m };
        let bends = self.changepoints.iter().zip(&self.deltas);
        let bent: f64 =
            bends.take_while(|(at, _)| **at < t).map(|(at, delta)| delta * (t - at)).sum();
        offset + self.k * t + bent
    }

    /// The value of the trend where `h` has the value `h`.
    pub(crate) fn value(&self, h: f64) -> f64 {
        self.cap.map_or(h, |cap| cap / (1.0 + (-h).exp()))
    }

    /// How much the trend rises with `h` where its value is `value`.
    pub(crate) fn slope(&self, value: f64) -> f64 {
        self.cap.map_or(1.0, |cap| value * (1.0 - value / cap))
    }
}
