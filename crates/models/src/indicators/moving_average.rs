//! Moving averages: simple, exponential and Wilder's. TA-Lib SMA, EMA.

use super::Indicator;
use super::window::{Sum, Window};

/// The mean of the last `period` values.
#[derive(Clone, Debug)]
pub struct Sma {
    window: Window<Sum>,
    share: f64,
}

impl Sma {
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        Self { window: Window::new(period), share: 1.0 / f64::from(period) }
    }
}

impl Indicator for Sma {
    type Input = f64;
    type Value = f64;

    #[inline]
    fn push(&mut self, value: f64) -> f64 {
        self.window.push(Sum(value)).0 * self.share
    }
}

/// A mean in which each value weighs a fixed share less than the one after it; begins with the
/// simple mean of the first `period` values. The values must be known.
#[derive(Clone, Debug)]
pub struct Ema {
    period: u16,
    /// What a new value weighs.
    share: f64,
    /// How many values the first mean still lacks.
    missing: u16,
    /// The sum of the first values until there are `period`, the average from then on.
    average: f64,
}

impl Ema {
    /// A new value weighs `2 / (period + 1)`.
    ///
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        Self::with_share(period, 2.0 / (f64::from(period) + 1.0))
    }

    /// Wilder's average: a new value weighs `1 / period`.
    ///
    /// Source: Wilder (1978), New Concepts in Technical Trading Systems.
    ///
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn wilder(period: u16) -> Self {
        Self::with_share(period, 1.0 / f64::from(period))
    }

    #[track_caller]
    fn with_share(period: u16, share: f64) -> Self {
        assert!(period > 0, "the mean of no values is unknown: give a period of 1 or more");
        Self { period, share, missing: period, average: 0.0 }
    }
}

impl Indicator for Ema {
    type Input = f64;
    type Value = f64;

    #[inline]
    fn push(&mut self, value: f64) -> f64 {
        if self.missing == 0 {
            self.average += (value - self.average) * self.share;
            return self.average;
        }
        self.average += value;
        self.missing -= 1;
        if self.missing > 0 {
            return f64::NAN;
        }
        self.average /= f64::from(self.period);
        self.average
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn averages_equal_those_of_ta_lib() {
        let golden = Golden::read();
        for period in [10, 20, 50, 200] {
            golden.check(&format!("SMA_{period}"), &Sma::new(period).over(golden.close()));
            golden.check(&format!("EMA_{period}"), &Ema::new(period).over(golden.close()));
        }
    }
}
