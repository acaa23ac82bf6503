//! Aroon: how long ago the extremes were. TA-Lib AROON, AROONOSC; Chande (1995).

use super::window::{Fold, Highest, Lowest, Window};
use super::{Indicator, Ohlcv};

/// How many of the last `period` bars have passed since the highest high and the lowest low of
/// `period + 1` bars; of equal extremes the latest counts.
#[derive(Clone, Debug)]
pub struct Aroon {
    window: Window<(Latest<Highest>, Latest<Lowest>)>,
    bar: u32,
    scale: f64,
}

/// What [`Aroon`] gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AroonValue {
    /// From 100, the lowest low is this bar's, down to 0, it is `period` bars ago.
    pub down: f64,
    /// The same of the highest high.
    pub up: f64,
}

impl AroonValue {
    /// Up less down, from -100 to 100.
    #[inline]
    pub fn oscillator(&self) -> f64 {
        self.up - self.down
    }
}

/// An extreme, and the bar that had it last.
#[derive(Clone, Copy, Debug)]
struct Latest<T> {
    extreme: T,
    bar: u32,
}

impl Fold for Latest<Highest> {
    const NONE: Self = Self { extreme: Highest::NONE, bar: 0 };
    const UNKNOWN: Self = Self { extreme: Highest::UNKNOWN, bar: 0 };

    #[inline]
    fn then(self, newer: Self) -> Self {
        if newer.extreme.0 >= self.extreme.0 { newer } else { self }
    }
}

impl Fold for Latest<Lowest> {
    const NONE: Self = Self { extreme: Lowest::NONE, bar: 0 };
    const UNKNOWN: Self = Self { extreme: Lowest::UNKNOWN, bar: 0 };

    #[inline]
    fn then(self, newer: Self) -> Self {
        if newer.extreme.0 <= self.extreme.0 { newer } else { self }
    }
}

impl Aroon {
    /// # Panics
    ///
    /// When `period` is zero or 65535.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        assert!(period > 0, "extremes need bars before them: give a period of 1 or more");
        let bars_count = period.checked_add(1).expect("a period below 65535");
        Self { window: Window::new(bars_count), bar: 0, scale: 100.0 / f64::from(period) }
    }
}

impl Indicator for Aroon {
    type Input = Ohlcv;
    type Value = AroonValue;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> AroonValue {
        self.bar = self.bar.wrapping_add(1);
        let latest = (
            Latest { extreme: Highest(bar.high), bar: self.bar },
            Latest { extreme: Lowest(bar.low), bar: self.bar },
        );
        let (high, low) = self.window.push(latest);
        if high.extreme.0.is_nan() {
            return AroonValue { down: f64::NAN, up: f64::NAN };
        }
        let value = |bar: u32| 100.0 - f64::from(self.bar.wrapping_sub(bar)) * self.scale;
        AroonValue { down: value(low.bar), up: value(high.bar) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn up_down_and_oscillator_equal_those_of_ta_lib() {
        let golden = Golden::read();
        let values = Aroon::new(14).over(golden.bars());
        golden.check_each("AROON_DOWN", &values, |value| value.down);
        golden.check_each("AROON_UP", &values, |value| value.up);
        golden.check_each("AROONOSC", &values, AroonValue::oscillator);
    }
}
