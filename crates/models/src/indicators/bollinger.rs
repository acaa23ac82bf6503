//! Bollinger bands. TA-Lib BBANDS; Bollinger (2001).

use super::Indicator;
use super::window::Deviations;

/// The simple mean of `period` values, and bounds a number of population standard deviations away.
#[derive(Clone, Debug)]
pub struct BollingerBands {
    spread: Deviations,
    share: f64,
    deviations: f64,
}

/// A band around a middle, in units of the price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// The lower bound.
    pub lower: f64,
    /// The middle.
    pub middle: f64,
    /// The upper bound.
    pub upper: f64,
}

impl Band {
    /// A band that reaches `reach` to either side.
    #[inline]
    pub(crate) fn around(middle: f64, reach: f64) -> Self {
        Self { lower: middle - reach, middle, upper: middle + reach }
    }
}

impl BollingerBands {
    /// Bounds `deviations` standard deviations away; usually 20 and 2.
    ///
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16, deviations: f64) -> Self {
        Self { spread: Deviations::new(period), share: 1.0 / f64::from(period), deviations }
    }
}

impl Indicator for BollingerBands {
    type Input = f64;
    type Value = Band;

    #[inline]
    fn push(&mut self, close: f64) -> Band {
        let spread = self.spread.push(close);
        Band::around(spread.mean, self.deviations * (spread.squares * self.share).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn the_bands_equal_those_of_ta_lib() {
        let golden = Golden::read();
        let bands = BollingerBands::new(20, 2.0).over(golden.close());
        golden.check_each("BBANDS_LOWER", &bands, |band| band.lower);
        golden.check_each("BBANDS_MIDDLE", &bands, |band| band.middle);
        golden.check_each("BBANDS_UPPER", &bands, |band| band.upper);
    }

    #[test]
    fn a_price_that_stands_still_has_bands_without_width() {
        let band = BollingerBands::new(20, 2.0).over([7.3; 50])[49];
        assert_eq!(band, Band { lower: 7.3, middle: 7.3, upper: 7.3 });
    }
}
