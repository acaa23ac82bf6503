//! Volume-weighted average price.

use super::window::{Sum, Window};
use super::{Indicator, Ohlcv};

/// The mean typical price of `period` bars, weighed by volume, in units of the price; NaN where
/// nothing was traded.
///
/// Source: Berkowitz, Logue, Noser (1988), with the typical price for the trades of a bar.
#[derive(Clone, Debug)]
pub struct Vwap {
    window: Window<(Sum, Sum)>,
}

impl Vwap {
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        Self { window: Window::new(period) }
    }
}

impl Indicator for Vwap {
    type Input = Ohlcv;
    type Value = f64;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> f64 {
        let traded = (Sum(bar.typical_price() * bar.volume), Sum(bar.volume));
        let (Sum(lira), Sum(shares)) = self.window.push(traded);
        if shares > 0.0 { lira / shares } else { f64::NAN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn the_price_is_what_the_sums_of_ta_lib_give() {
        let golden = Golden::read();
        golden.check("VWAP", &Vwap::new(20).over(golden.bars()));
    }
}
