//! On-balance volume. TA-Lib OBV; Granville (1963).

use super::{Indicator, Ohlcv};

/// The volume of bars that closed higher less that of bars that closed lower, in shares, from the
/// first bar's volume on.
///
/// Where a volume is unknown so is the balance; the next goes on from the
/// last known one.
#[derive(Clone, Debug)]
pub struct Obv {
    last_close: f64,
    balance: f64,
}

impl Obv {
    /// Nothing traded yet.
    #[expect(clippy::new_without_default, reason = "indicators are made by new")]
    pub fn new() -> Self {
        Self { last_close: f64::NEG_INFINITY, balance: 0.0 }
    }
}

impl Indicator for Obv {
    type Input = Ohlcv;
    type Value = f64;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> f64 {
        let last_close = std::mem::replace(&mut self.last_close, bar.close);
        // By multiplication: which way a price goes is not to be guessed by a branch.
        let rose = if bar.close > last_close { 1.0 } else { 0.0 };
        let fell = if bar.close < last_close { 1.0 } else { 0.0 };
        let signed = (rose - fell) * bar.volume;
        if signed.is_nan() {
            return f64::NAN;
        }
        self.balance += signed;
        self.balance
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn the_balance_equals_that_of_ta_lib() {
        let golden = Golden::read();
        golden.check("OBV", &Obv::new().over(golden.bars()));
    }
}
