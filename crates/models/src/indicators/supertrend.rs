//! `SuperTrend`: a stop that trails the price and turns when the price crosses it. Seban (2008).

use super::{Atr, Band, Indicator, Ohlcv};

/// Bounds a number of average true ranges around the middle of the bar.
///
/// The one behind the trend never moves back. The trend turns when the close passes the last bound
/// ahead of it, and begins upwards.
#[derive(Clone, Debug)]
pub struct SuperTrend {
    atr: Atr,
    ranges: f64,
    last: Band,
    rising: bool,
}

/// What [`SuperTrend`] gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SuperTrendValue {
    /// The stop, in units of the price: below it in a rising trend, above it in a falling one.
    pub stop: f64,
    /// 1 in a rising trend, -1 in a falling one, NaN before the warm-up.
    pub trend: f64,
}

impl SuperTrend {
    /// Bounds `ranges` times the average true range of `period` bars away; usually 10 and 3.
    ///
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16, ranges: f64) -> Self {
        Self { atr: Atr::new(period), ranges, last: Band::around(f64::NAN, f64::NAN), rising: true }
    }
}

impl Indicator for SuperTrend {
    type Input = Ohlcv;
    type Value = SuperTrendValue;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> SuperTrendValue {
        let reach = self.ranges * self.atr.push(bar);
        if reach.is_nan() {
            return SuperTrendValue { stop: f64::NAN, trend: f64::NAN };
        }
        let mut band = Band::around(f64::midpoint(bar.high, bar.low), reach);
        // No comparison with the unknown bounds before the first holds.
        if bar.close > self.last.upper {
            self.rising = true;
        } else if bar.close < self.last.lower {
            self.rising = false;
        } else if self.rising && band.lower < self.last.lower {
            band.lower = self.last.lower;
        } else if !self.rising && band.upper > self.last.upper {
            band.upper = self.last.upper;
        }
        self.last = band;
        if self.rising {
            SuperTrendValue { stop: band.lower, trend: 1.0 }
        } else {
            SuperTrendValue { stop: band.upper, trend: -1.0 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn stop_and_trend_are_what_the_average_true_range_of_ta_lib_gives() {
        let golden = Golden::read();
        let values = SuperTrend::new(10, 3.0).over(golden.bars());
        golden.check_each("SUPERTREND", &values, |value| value.stop);
        golden.check_each("SUPERTREND_DIRECTION", &values, |value| value.trend);
    }
}
