//! Relative strength index. TA-Lib RSI; Wilder (1978).

use super::{Ema, Indicator};

/// `100 * gain / (gain + loss)`, Wilder averages of the changes over `period` closes: from 0, only
/// losses, to 100. Zero where no price changed.
#[derive(Clone, Debug)]
pub struct Rsi {
    gain: Ema,
    loss: Ema,
    last: f64,
}

impl Rsi {
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        Self { gain: Ema::wilder(period), loss: Ema::wilder(period), last: f64::NAN }
    }
}

impl Indicator for Rsi {
    type Input = f64;
    type Value = f64;

    #[inline]
    fn push(&mut self, close: f64) -> f64 {
        let change = close - self.last;
        self.last = close;
        if change.is_nan() {
            return f64::NAN;
        }
        let gain = self.gain.push(if change > 0.0 { change } else { 0.0 });
        let loss = self.loss.push(if change < 0.0 { -change } else { 0.0 });
        let moved = gain + loss;
        // Not `moved > 0.0`, which would make zero of NaN.
        if moved == 0.0 { 0.0 } else { 100.0 * gain / moved }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn the_index_equals_that_of_ta_lib() {
        let golden = Golden::read();
        golden.check("RSI", &Rsi::new(14).over(golden.close()));
    }
}
