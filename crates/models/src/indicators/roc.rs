//! Rate of change. TA-Lib ROC.

use super::Indicator;
use super::window::Lag;

/// The change over `period` closes in per cent.
#[derive(Clone, Debug)]
pub struct Roc {
    before: Lag,
}

impl Roc {
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        Self { before: Lag::new(period) }
    }
}

impl Indicator for Roc {
    type Input = f64;
    type Value = f64;

    #[inline]
    fn push(&mut self, close: f64) -> f64 {
        (close / self.before.push(close) - 1.0) * 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn the_rate_equals_that_of_ta_lib() {
        let golden = Golden::read();
        golden.check("ROC", &Roc::new(10).over(golden.close()));
    }
}
