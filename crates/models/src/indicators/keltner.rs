//! Keltner channel, in the form with the average true range: Raschke's change to Keltner (1960).

use super::{Atr, Band, Ema, Indicator, Ohlcv};

/// The exponential average of the close, and bounds a number of average true ranges away.
#[derive(Clone, Debug)]
pub struct Keltner {
    middle: Ema,
    atr: Atr,
    ranges: f64,
}

impl Keltner {
    /// An average of `period` closes and bounds `ranges` times the average true range of
    /// `atr_period` bars away; usually 20, 10 and 2.
    ///
    /// # Panics
    ///
    /// When a period is zero.
    #[track_caller]
    pub fn new(period: u16, atr_period: u16, ranges: f64) -> Self {
        Self { middle: Ema::new(period), atr: Atr::new(atr_period), ranges }
    }
}

impl Indicator for Keltner {
    type Input = Ohlcv;
    type Value = Band;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> Band {
        let reach = self.ranges * self.atr.push(bar);
        let middle = self.middle.push(bar.close);
        if middle.is_nan() || reach.is_nan() {
            return Band::around(f64::NAN, f64::NAN);
        }
        Band::around(middle, reach)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn the_channel_is_what_the_averages_of_ta_lib_give() {
        let golden = Golden::read();
        let values = Keltner::new(20, 10, 2.0).over(golden.bars());
        golden.check_each("KELTNER_LOWER", &values, |band| band.lower);
        golden.check_each("KELTNER_UPPER", &values, |band| band.upper);
    }
}
