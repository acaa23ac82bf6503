//! Williams' %R. TA-Lib WILLR; Williams (1973).

use super::{Donchian, Indicator, Ohlcv};

/// `-100 (highest high - close) / (highest high - lowest low)` of `period` bars, from -100 at the
/// lowest low to 0 at the highest high; zero where the range is zero.
#[derive(Clone, Debug)]
pub struct WilliamsR {
    range: Donchian,
}

impl WilliamsR {
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        Self { range: Donchian::new(period) }
    }
}

impl Indicator for WilliamsR {
    type Input = Ohlcv;
    type Value = f64;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> f64 {
        let value = self.range.push(bar);
        let range = value.highest - value.lowest;
        if range == 0.0 { 0.0 } else { -100.0 * (value.highest - bar.close) / range }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn the_value_equals_that_of_ta_lib() {
        let golden = Golden::read();
        golden.check("WILLR", &WilliamsR::new(14).over(golden.bars()));
    }
}
