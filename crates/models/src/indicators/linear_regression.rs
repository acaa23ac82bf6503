//! The least-squares line through the last values. TA-Lib `LINEARREG_SLOPE`.

use super::Indicator;
use super::window::Recent;

/// The slope of the line through the last `period` values, one apart, in their units.
#[derive(Clone, Debug)]
pub struct LinearRegressionSlope {
    values: Recent,
    middle: f64,
    /// The sum of the squared distances from the middle.
    square: f64,
}

impl LinearRegressionSlope {
    /// # Panics
    ///
    /// When `period` is below two.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        assert!(period > 1, "a line needs a period of 2 or more, not {period}");
        let middle = (f64::from(period) - 1.0) / 2.0;
        let square = (0..period).map(|t| (f64::from(t) - middle).powi(2)).sum();
        Self { values: Recent::new(period), middle, square }
    }
}

impl Indicator for LinearRegressionSlope {
    type Input = f64;
    type Value = f64;

    #[inline]
    fn push(&mut self, value: f64) -> f64 {
        let (middle, square) = (self.middle, self.square);
        let Some(values) = self.values.push(value) else { return f64::NAN };
        let product: f64 =
            (0_u16..).zip(values).map(|(t, value)| (f64::from(t) - middle) * value).sum();
        product / square
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::Obv;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn the_slope_equals_that_of_ta_lib() {
        let golden = Golden::read();
        let balance = Obv::new().over(golden.bars());
        golden.check("OBV_SLOPE", &LinearRegressionSlope::new(20).over(balance));
    }
}
