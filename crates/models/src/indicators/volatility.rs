//! Estimators of the standard deviation of a bar's log-return, as a share, not annualised.

use std::f64::consts::LN_2;

use super::window::{Deviations, Sum, Window};
use super::{Indicator, Ohlcv};

/// The sample standard deviation of the log-returns from close to close.
#[derive(Clone, Debug)]
pub struct CloseToClose {
    returns: Deviations,
    /// `n - 1`.
    freedom: f64,
    last_close: f64,
}

impl CloseToClose {
    /// Over `period` returns, which take one close more.
    ///
    /// # Panics
    ///
    /// When `period` is below two.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        assert!(period > 1, "a deviation needs a period of 2 or more, not {period}");
        Self {
            returns: Deviations::new(period),
            freedom: f64::from(period) - 1.0,
            last_close: f64::NAN,
        }
    }
}

impl Indicator for CloseToClose {
    type Input = f64;
    type Value = f64;

    #[inline]
    fn push(&mut self, close: f64) -> f64 {
        let last_close = std::mem::replace(&mut self.last_close, close);
        if last_close.is_nan() {
            return f64::NAN;
        }
        (self.returns.push((close / last_close).ln()).squares / self.freedom).sqrt()
    }
}

/// From the ranges of `period` bars: `sqrt(mean of ln(high / low)^2 / (4 ln 2))`.
///
/// Source: Parkinson (1980), The extreme value method for estimating the variance of the rate of
/// return.
#[derive(Clone, Debug)]
pub struct Parkinson {
    squares: Window<Sum>,
    share: f64,
}

impl Parkinson {
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        let share = 1.0 / (4.0 * LN_2 * f64::from(period));
        Self { squares: Window::new(period), share }
    }
}

impl Indicator for Parkinson {
    type Input = Ohlcv;
    type Value = f64;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> f64 {
        let square = Sum((bar.high / bar.low).ln().powi(2));
        (self.squares.push(square).0 * self.share).sqrt()
    }
}

/// From ranges and bodies of `period` bars:
/// `sqrt(mean of ln(high / low)^2 / 2 - (2 ln 2 - 1) ln(close / open)^2)`, zero where the mean is
/// negative.
///
/// Source: Garman and Klass (1980), On the estimation of security price volatilities from
/// historical data.
#[derive(Clone, Debug)]
pub struct GarmanKlass {
    terms: Window<Sum>,
    share: f64,
}

impl GarmanKlass {
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        Self { terms: Window::new(period), share: 1.0 / f64::from(period) }
    }
}

impl Indicator for GarmanKlass {
    type Input = Ohlcv;
    type Value = f64;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> f64 {
        let sum = self.terms.push(Sum(garman_klass_variance(&bar)));
        // Not `max`, which would make zero of a window without an open.
        if sum.0 < 0.0 { 0.0 } else { (sum.0 * self.share).sqrt() }
    }
}

/// The variance within one bar by Garman and Klass; NaN without an open.
pub(crate) fn garman_klass_variance(bar: &Ohlcv) -> f64 {
    let (range, body) = ((bar.high / bar.low).ln(), (bar.close / bar.open).ln());
    0.5 * range * range - (2.0 * LN_2 - 1.0) * body * body
}

/// From overnight gaps, bodies and ranges of `period` bars.
///
/// The root of the sample variance of the gaps, plus
/// `k` times that of the bodies, plus `1 - k` times the estimator of Rogers and Satchell;
/// `k = 0.34 / (1.34 + (n + 1) / (n - 1))`. Neither drift nor gaps bias it.
///
/// Source: Yang and Zhang (2000), Drift-independent volatility estimation based on high, low, open
/// and close prices.
#[derive(Clone, Debug)]
pub struct YangZhang {
    gaps: Deviations,
    bodies: Deviations,
    rogers_satchell: Window<Sum>,
    period: f64,
    last_close: f64,
}

impl YangZhang {
    /// # Panics
    ///
    /// When `period` is below two.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        assert!(period > 1, "a deviation needs a period of 2 or more, not {period}");
        Self {
            gaps: Deviations::new(period),
            bodies: Deviations::new(period),
            rogers_satchell: Window::new(period),
            period: f64::from(period),
            last_close: f64::NAN,
        }
    }
}

impl Indicator for YangZhang {
    type Input = Ohlcv;
    type Value = f64;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> f64 {
        let last_close = std::mem::replace(&mut self.last_close, bar.close);
        if last_close.is_nan() {
            return f64::NAN;
        }
        let body = (bar.close / bar.open).ln();
        let (up, down) = ((bar.high / bar.open).ln(), (bar.low / bar.open).ln());
        let inside = Sum(up * (up - body) + down * (down - body));
        let gaps = self.gaps.push((bar.open / last_close).ln());
        let bodies = self.bodies.push(body);
        let inside = self.rogers_satchell.push(inside);
        let n = self.period;
        let k = 0.34 / (1.34 + (n + 1.0) / (n - 1.0));
        let variance = (gaps.squares + k * bodies.squares) / (n - 1.0);
        (variance + (1.0 - k) * inside.0 / n).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn the_estimators_equal_their_formulas_in_numpy() {
        let golden = Golden::read();
        golden.check("CLOSE_TO_CLOSE", &CloseToClose::new(20).over(golden.close()));
        golden.check("PARKINSON", &Parkinson::new(20).over(golden.bars()));
        golden.check("GARMAN_KLASS", &GarmanKlass::new(20).over(golden.bars()));
        golden.check("YANG_ZHANG", &YangZhang::new(20).over(golden.bars()));
    }

    #[test]
    fn a_bar_without_open_is_unknown_and_leaves_with_its_window() {
        let golden = Golden::read();
        let bars = (0..)
            .zip(golden.bars())
            .map(|(t, bar)| if t == 50 { Ohlcv { open: f64::NAN, ..bar } } else { bar });
        let (with_hole, whole) =
            (YangZhang::new(20).over(bars), YangZhang::new(20).over(golden.bars()));
        assert!(with_hole[50..70].iter().all(|value| value.is_nan()));
        assert!((with_hole[49] - whole[49]).abs() < 1e-15);
        assert!((with_hole[70] - whole[70]).abs() < 1e-15);
    }
}
