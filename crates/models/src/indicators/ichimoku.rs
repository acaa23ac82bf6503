//! Ichimoku: middles of ranges, and the cloud. Hosoda (1969).

use super::window::Lag;
use super::{Donchian, Indicator, Ohlcv};

/// The middles of the ranges of 9, 26 and 52 bars, and the cloud that was drawn 26 bars ahead.
///
/// The lagging span is left out: it draws this close 26 bars back, where it was not known.
#[derive(Clone, Debug)]
pub struct Ichimoku {
    conversion: Donchian,
    base: Donchian,
    long: Donchian,
    span_a: Lag,
    span_b: Lag,
}

/// What [`Ichimoku`] gives, in units of the price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IchimokuValue {
    /// Tenkan-sen, the middle of 9 bars.
    pub conversion: f64,
    /// Kijun-sen, the middle of 26 bars.
    pub base: f64,
    /// Senkou span A over this bar: half way between the two lines as of 26 bars ago.
    pub span_a: f64,
    /// Senkou span B over this bar: the middle of 52 bars as of 26 bars ago.
    pub span_b: f64,
}

impl Ichimoku {
    /// With Hosoda's periods.
    #[expect(clippy::new_without_default, reason = "indicators are made by new")]
    pub fn new() -> Self {
        Self {
            conversion: Donchian::new(9),
            base: Donchian::new(26),
            long: Donchian::new(52),
            span_a: Lag::new(26),
            span_b: Lag::new(26),
        }
    }
}

impl Indicator for Ichimoku {
    type Input = Ohlcv;
    type Value = IchimokuValue;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> IchimokuValue {
        let conversion = self.conversion.push(bar).middle();
        let base = self.base.push(bar).middle();
        IchimokuValue {
            conversion,
            base,
            span_a: self.span_a.push(f64::midpoint(conversion, base)),
            span_b: self.span_b.push(self.long.push(bar).middle()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn lines_and_cloud_are_what_the_extremes_of_ta_lib_give() {
        let golden = Golden::read();
        let values = Ichimoku::new().over(golden.bars());
        golden.check_each("ICHIMOKU_CONVERSION", &values, |value| value.conversion);
        golden.check_each("ICHIMOKU_BASE", &values, |value| value.base);
        golden.check_each("ICHIMOKU_SPAN_A", &values, |value| value.span_a);
        golden.check_each("ICHIMOKU_SPAN_B", &values, |value| value.span_b);
    }
}
