//! Donchian channel: the range of the last bars. TA-Lib MAX of the highs, MIN of the lows.

use super::window::{Highest, Lowest, Window};
use super::{Indicator, Ohlcv};

/// The highest high and the lowest low of `period` bars, this one included.
#[derive(Clone, Debug)]
pub struct Donchian {
    window: Window<(Highest, Lowest)>,
}

/// What [`Donchian`] gives, in units of the price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DonchianValue {
    /// The lowest low.
    pub lowest: f64,
    /// The highest high.
    pub highest: f64,
}

impl DonchianValue {
    /// Half way between the two.
    #[inline]
    pub fn middle(&self) -> f64 {
        f64::midpoint(self.highest, self.lowest)
    }

    /// Where `close` stands, from 0 at the lowest to 100 at the highest; zero without a range, as
    /// in TA-Lib.
    #[inline]
    pub fn position_percent(&self, close: f64) -> f64 {
        let range = self.highest - self.lowest;
        if range == 0.0 { 0.0 } else { 100.0 * (close - self.lowest) / range }
    }
}

impl Donchian {
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        Self { window: Window::new(period) }
    }
}

impl Indicator for Donchian {
    type Input = Ohlcv;
    type Value = DonchianValue;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> DonchianValue {
        let (Highest(highest), Lowest(lowest)) =
            self.window.push((Highest(bar.high), Lowest(bar.low)));
        DonchianValue { lowest, highest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn the_channel_equals_that_of_ta_lib() {
        let golden = Golden::read();
        let values = Donchian::new(55).over(golden.bars());
        golden.check_each("MAX_HIGH_55", &values, |value| value.highest);
        golden.check_each("MIN_LOW_55", &values, |value| value.lowest);
    }
}
