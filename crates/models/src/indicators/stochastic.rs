//! Stochastic oscillator. TA-Lib STOCH, STOCHF; Lane (1984).

use super::{Donchian, Indicator, Ohlcv, Sma};

/// Where the close stands in the range of the last bars, and two simple averages of that.
#[derive(Clone, Debug)]
pub struct Stochastic {
    range: Donchian,
    k: Sma,
    d: Sma,
}

/// What [`Stochastic`] gives, each from 0 at the lowest low to 100 at the highest high.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StochasticValue {
    /// Fast %K: the position itself; zero where the range is zero.
    pub fast_k: f64,
    /// Slow %K, the average of fast %K; NaN as long as slow %D, as in TA-Lib.
    pub slow_k: f64,
    /// Slow %D, the average of slow %K.
    pub slow_d: f64,
}

impl Stochastic {
    /// The range of `period` bars, averaged over `k` and then `d` values; usually 14, 3 and 3.
    ///
    /// # Panics
    ///
    /// When one of them is zero.
    #[track_caller]
    pub fn new(period: u16, k: u16, d: u16) -> Self {
        Self { range: Donchian::new(period), k: Sma::new(k), d: Sma::new(d) }
    }
}

impl Indicator for Stochastic {
    type Input = Ohlcv;
    type Value = StochasticValue;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> StochasticValue {
        let fast_k = self.range.push(bar).position_percent(bar.close);
        let k = self.k.push(fast_k);
        let slow_d = self.d.push(k);
        StochasticValue { fast_k, slow_k: if slow_d.is_nan() { f64::NAN } else { k }, slow_d }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn fast_and_slow_values_equal_those_of_ta_lib() {
        let golden = Golden::read();
        let values = Stochastic::new(14, 3, 3).over(golden.bars());
        golden.check_each("STOCHF_K", &values, |value| value.fast_k);
        golden.check_each("STOCH_K", &values, |value| value.slow_k);
        golden.check_each("STOCH_D", &values, |value| value.slow_d);
    }
}
