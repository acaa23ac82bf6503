//! How sure a forecast has to be before it is acted on.

use serde::{Deserialize, Serialize};

use super::ReturnInterval;
use crate::distribution::normal_quantile;

/// The level of the band that a forecast comes with.
const LEVEL_OF_FORECAST: f64 = 0.8;

/// The thresholds of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct SignalPolicy {
    costs_multiple: f64,
    band_level: f64,
}

/// A threshold outside its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name} is {value}, and must be {range}")]
pub struct PolicyError {
    /// The threshold.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// The range in words.
    pub range: &'static str,
}

impl Default for SignalPolicy {
    /// The expected return, and the near end of its band of 80 %, exceed the costs.
    fn default() -> Self {
        Self { costs_multiple: 1.0, band_level: LEVEL_OF_FORECAST }
    }
}

impl SignalPolicy {
    /// A policy: how many times the costs of a purchase and its sale the expected return has to
    /// exceed, 1 to 10, and the level, 0.5 to 0.99, of the band of the expected return that has to
    /// lie beyond the costs.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] when one is outside its range.
    pub fn new(costs_multiple: f64, band_level: f64) -> Result<Self, PolicyError> {
        if !(1.0..=10.0).contains(&costs_multiple) {
            let (name, range) = ("costs_multiple", "1 to 10");
            return Err(PolicyError { name, value: costs_multiple, range });
        }
        if !(0.5..=0.99).contains(&band_level) {
            let (name, range) = ("band_level", "0.5 to 0.99");
            return Err(PolicyError { name, value: band_level, range });
        }
        Ok(Self { costs_multiple, band_level })
    }

    /// How many times the costs the expected return has to exceed.
    pub const fn costs_multiple(&self) -> f64 {
        self.costs_multiple
    }

    /// The level of the band that has to lie beyond the costs.
    pub const fn band_level(&self) -> f64 {
        self.band_level
    }

    /// Whether it is [`Self::default`].
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The band of `expected`, a log-return, at the level of the policy, given that of 80 %: each
    /// side as much wider as that of a normal distribution would be.
    pub fn band(&self, expected: f64, interval_80: ReturnInterval) -> ReturnInterval {
        let quantile = |level: f64| normal_quantile(f64::midpoint(1.0, level));
        let wider = quantile(self.band_level) / quantile(LEVEL_OF_FORECAST) - 1.0;
        let ReturnInterval { low, high } = interval_80;
        ReturnInterval {
            low: low + wider * (low - expected),
            high: high + wider * (high - expected),
        }
    }

    /// Whether a simple return `expected_share` is large enough, either way.
    pub fn exceeds_costs(&self, expected_share: f64, cost_share: f64) -> bool {
        expected_share.abs() > self.costs_multiple * cost_share
    }

    /// Whether `band`, of simple returns, lies beyond the costs on the side of `expected_share`.
    pub fn is_one_sided(&self, expected_share: f64, band: ReturnInterval, cost_share: f64) -> bool {
        if expected_share > 0.0 { band.low > cost_share } else { band.high < -cost_share }
    }

    /// Whether `expected`, a log-return, is to be bought: both thresholds are exceeded upwards.
    pub fn buys(&self, expected: f64, interval_80: ReturnInterval, cost_share: f64) -> bool {
        let (share, band) = (expected.exp_m1(), self.band(expected, interval_80).simple());
        share > 0.0
            && self.exceeds_costs(share, cost_share)
            && self.is_one_sided(share, band, cost_share)
    }
}

/// A policy as it was written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    costs_multiple: f64,
    band_level: f64,
}

impl TryFrom<Unchecked> for SignalPolicy {
    type Error = PolicyError;

    fn try_from(written: Unchecked) -> Result<Self, Self::Error> {
        Self::new(written.costs_multiple, written.band_level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: ReturnInterval = ReturnInterval { low: 0.004, high: 0.016 };

    #[test]
    fn the_default_leaves_the_band_as_it_is_bit_for_bit() {
        let band = SignalPolicy::default().band(0.0101, INTERVAL);
        assert_eq!(band.low.to_bits(), INTERVAL.low.to_bits());
        assert_eq!(band.high.to_bits(), INTERVAL.high.to_bits());
    }

    #[test]
    fn a_higher_level_asks_for_more_as_the_normal_distribution_does() {
        let band = SignalPolicy::new(1.0, 0.95).unwrap().band(0.01, INTERVAL);
        // 1.95996 / 1.28155 times as wide.
        assert!((band.high - 0.01 - 0.006 * 1.529_36).abs() < 1e-7, "{band:?}");
        assert!((band.low - 0.01 + 0.006 * 1.529_36).abs() < 1e-7, "{band:?}");
        let cost_share = 0.0019;
        assert!(SignalPolicy::default().buys(0.01, INTERVAL, cost_share));
        assert!(!SignalPolicy::new(1.0, 0.95).unwrap().buys(0.01, INTERVAL, cost_share));
        assert!(!SignalPolicy::new(6.0, 0.8).unwrap().buys(0.01, INTERVAL, cost_share));
        assert!(!SignalPolicy::default().buys(-0.01, INTERVAL, cost_share), "a loss is not bought");
    }

    #[test]
    fn thresholds_outside_their_range_are_refused_also_when_they_are_read() {
        let refused = |multiple, level| SignalPolicy::new(multiple, level).unwrap_err().to_string();
        assert_eq!(refused(0.5, 0.8), "costs_multiple is 0.5, and must be 1 to 10");
        assert_eq!(refused(f64::NAN, 0.8), "costs_multiple is NaN, and must be 1 to 10");
        assert_eq!(refused(1.0, 1.0), "band_level is 1, and must be 0.5 to 0.99");
        let read = serde_json::from_str::<SignalPolicy>(r#"{"costs_multiple":0,"band_level":0.8}"#);
        assert!(read.is_err());
    }
}
