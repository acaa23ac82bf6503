//! Moving average convergence and divergence. TA-Lib MACD; Appel (1979).

use super::{Ema, Indicator};

/// The difference of a fast and a slow exponential average, and the average of that difference.
///
/// As in TA-Lib both averages begin with simple means that end at the bar where the slow one is
/// full, and nothing is given until the signal is there.
#[derive(Clone, Debug)]
pub struct Macd {
    fast: Ema,
    slow: Ema,
    signal: Ema,
    /// How many values the fast average still passes over.
    passed_over: u16,
}

/// What [`Macd`] gives, in units of the price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MacdValue {
    /// Fast average less slow average.
    pub line: f64,
    /// The average of the line.
    pub signal: f64,
    /// Line less signal.
    pub histogram: f64,
}

impl Macd {
    /// # Panics
    ///
    /// When a period is zero, or the fast one is not shorter than the slow one.
    #[track_caller]
    pub fn new(fast: u16, slow: u16, signal: u16) -> Self {
        assert!(fast < slow, "the fast period {fast} must be shorter than the slow period {slow}");
        Self {
            fast: Ema::new(fast),
            slow: Ema::new(slow),
            signal: Ema::new(signal),
            passed_over: slow - fast,
        }
    }
}

impl Indicator for Macd {
    type Input = f64;
    type Value = MacdValue;

    #[inline]
    fn push(&mut self, close: f64) -> MacdValue {
        let unknown = MacdValue { line: f64::NAN, signal: f64::NAN, histogram: f64::NAN };
        let slow = self.slow.push(close);
        if self.passed_over > 0 {
            self.passed_over -= 1;
            return unknown;
        }
        let line = self.fast.push(close) - slow;
        if line.is_nan() {
            return unknown;
        }
        let signal = self.signal.push(line);
        if signal.is_nan() {
            return unknown;
        }
        MacdValue { line, signal, histogram: line - signal }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn line_signal_and_histogram_equal_those_of_ta_lib() {
        let golden = Golden::read();
        let macd = Macd::new(12, 26, 9).over(golden.close());
        golden.check_each("MACD", &macd, |value| value.line);
        golden.check_each("MACD_SIGNAL", &macd, |value| value.signal);
        golden.check_each("MACD_HISTOGRAM", &macd, |value| value.histogram);
    }
}
