//! Average true range. TA-Lib ATR; Wilder (1978).

use super::{Ema, Indicator, Ohlcv};

/// The distance that prices went in a bar, the step from the last close included.
#[inline]
pub fn true_range(bar: &Ohlcv, last_close: f64) -> f64 {
    let (top, bottom) = (
        if last_close > bar.high { last_close } else { bar.high },
        if last_close < bar.low { last_close } else { bar.low },
    );
    top - bottom
}

/// Wilder's average of the true range over `period` bars, in units of the price. The first bar has
/// no true range.
#[derive(Clone, Debug)]
pub struct Atr {
    average: Ema,
    last_close: f64,
}

impl Atr {
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        Self { average: Ema::wilder(period), last_close: f64::NAN }
    }
}

impl Indicator for Atr {
    type Input = Ohlcv;
    type Value = f64;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> f64 {
        let last_close = std::mem::replace(&mut self.last_close, bar.close);
        if last_close.is_nan() {
            return f64::NAN;
        }
        self.average.push(true_range(&bar, last_close))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn the_average_true_range_equals_that_of_ta_lib() {
        let golden = Golden::read();
        golden.check("ATR", &Atr::new(14).over(golden.bars()));
    }
}
