//! Commodity channel index. TA-Lib CCI; Lambert (1980).

use super::window::Recent;
use super::{Indicator, Ohlcv};

/// `(p - mean) / (0.015 * mean |p - mean|)` of the typical prices `p` of `period` bars; zero where
/// they do not vary.
#[derive(Clone, Debug)]
pub struct Cci {
    prices: Recent,
    share: f64,
}

impl Cci {
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        Self { prices: Recent::new(period), share: 1.0 / f64::from(period) }
    }
}

impl Indicator for Cci {
    type Input = Ohlcv;
    type Value = f64;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> f64 {
        let price = bar.typical_price();
        let share = self.share;
        let Some(prices) = self.prices.push(price) else { return f64::NAN };
        // The mean of the distances from the first, so that equal prices have that mean exactly.
        let first = prices[0];
        let mean = first + prices.iter().map(|price| price - first).sum::<f64>() * share;
        let deviation = prices.iter().map(|price| (price - mean).abs()).sum::<f64>() * share;
        if deviation == 0.0 { 0.0 } else { (price - mean) / (0.015 * deviation) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn the_index_equals_that_of_ta_lib() {
        let golden = Golden::read();
        golden.check("CCI", &Cci::new(20).over(golden.bars()));
    }
}
