//! Average directional index. TA-Lib ADX, `PLUS_DI`, `MINUS_DI`; Wilder (1978).

use super::{Indicator, Ohlcv, true_range};

/// How directed prices move, whichever way, and how much of the movement goes up and down.
///
/// As in TA-Lib the sums begin with `period - 1` movements and fade from then on, and `period`
/// values of the directional movement make the first average, at bar `2 * period - 1`.
#[derive(Clone, Debug)]
pub struct Adx {
    period: u32,
    share: f64,
    last: Option<Ohlcv>,
    /// Movements seen, up to `2 * period`.
    count: u32,
    plus: f64,
    minus: f64,
    range: f64,
    /// The sum of the first `period` values, the average from then on.
    average: f64,
}

/// What [`Adx`] gives, each from 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdxValue {
    /// Wilder's average of `100 |+DI - -DI| / (+DI + -DI)`.
    pub adx: f64,
    /// +DI: upward movement in per cent of the true range.
    pub plus_di: f64,
    /// -DI: downward movement in per cent of the true range.
    pub minus_di: f64,
}

impl Adx {
    /// # Panics
    ///
    /// When `period` is below two.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        assert!(period > 1, "a direction needs a period of 2 or more, not {period}");
        Self {
            period: u32::from(period),
            share: 1.0 / f64::from(period),
            last: None,
            count: 0,
            plus: 0.0,
            minus: 0.0,
            range: 0.0,
            average: 0.0,
        }
    }
}

impl Indicator for Adx {
    type Input = Ohlcv;
    type Value = AdxValue;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> AdxValue {
        let mut value = AdxValue { adx: f64::NAN, plus_di: f64::NAN, minus_di: f64::NAN };
        let Some(last) = self.last.replace(bar) else { return value };
        let (up, down) = (bar.high - last.high, last.low - bar.low);
        let kept = if self.count + 1 < self.period { 1.0 } else { 1.0 - self.share };
        let (up, down) = (if up > 0.0 { up } else { 0.0 }, if down > 0.0 { down } else { 0.0 });
        self.plus = self.plus * kept + if up > down { up } else { 0.0 };
        self.minus = self.minus * kept + if down > up { down } else { 0.0 };
        self.range = self.range * kept + true_range(&bar, last.close);
        if self.count < 2 * self.period {
            self.count += 1;
        }
        if self.count < self.period {
            return value;
        }
        if self.range > 0.0 {
            let share = 100.0 / self.range;
            (value.plus_di, value.minus_di) = (self.plus * share, self.minus * share);
        } else {
            (value.plus_di, value.minus_di) = (0.0, 0.0);
        }
        let moved = self.plus + self.minus;
        // Without movement there is no direction, and the average stays.
        let directed = if self.range > 0.0 && moved > 0.0 {
            Some(100.0 * (self.plus - self.minus).abs() / moved)
        } else {
            None
        };
        if self.count < 2 * self.period {
            self.average += directed.unwrap_or(0.0);
            if self.count + 1 < 2 * self.period {
                return value;
            }
            self.average *= self.share;
        } else if let Some(directed) = directed {
            self.average += (directed - self.average) * self.share;
        }
        value.adx = self.average;
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn index_and_directions_equal_those_of_ta_lib() {
        let golden = Golden::read();
        let values = Adx::new(14).over(golden.bars());
        golden.check_each("ADX", &values, |value| value.adx);
        golden.check_each("PLUS_DI", &values, |value| value.plus_di);
        golden.check_each("MINUS_DI", &values, |value| value.minus_di);
    }
}
