//! How easily a share is traded: turnover, and how far a lira of it moves the price.

use super::Indicator;
use super::window::{Sum, Window};

/// The mean of `|log-return|` per million lira traded, over the sessions with a trade of the last
/// `period`; NaN without any, and where a turnover is unknown.
///
/// Source: Amihud (2002), Illiquidity and stock returns, equation 1.
#[derive(Clone, Debug)]
pub struct Amihud {
    /// Shares of the sessions with a trade, and how many these are.
    shares: Window<(Sum, Sum)>,
    last_close: f64,
}

impl Amihud {
    /// Over `period` returns, which take one close more.
    ///
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        Self { shares: Window::new(period), last_close: f64::NAN }
    }
}

impl Indicator for Amihud {
    /// Close, and turnover in lira, NaN where it is unknown.
    type Input = (f64, f64);
    type Value = f64;

    #[inline]
    fn push(&mut self, (close, turnover): (f64, f64)) -> f64 {
        let last_close = std::mem::replace(&mut self.last_close, close);
        if last_close.is_nan() {
            return f64::NAN;
        }
        let share = if turnover == 0.0 {
            (Sum(0.0), Sum(0.0))
        } else {
            (Sum((close / last_close).ln().abs() / (turnover / 1e6)), Sum(1.0))
        };
        let (Sum(sum), Sum(count)) = self.shares.push(share);
        sum / count
    }
}

/// How the mean turnover of a short window compares with that of a long one; NaN where nothing was
/// traded in the long one, and where a turnover is unknown.
#[derive(Clone, Debug)]
pub struct Turnover {
    short: Window<Sum>,
    long: Window<Sum>,
    scale: f64,
}

impl Turnover {
    /// # Panics
    ///
    /// When a period is zero.
    #[track_caller]
    pub fn new(short: u16, long: u16) -> Self {
        Self {
            short: Window::new(short),
            long: Window::new(long),
            scale: f64::from(long) / f64::from(short),
        }
    }
}

impl Indicator for Turnover {
    /// What was traded: lira or shares, not negative, NaN where it is unknown.
    type Input = f64;
    type Value = f64;

    #[inline]
    fn push(&mut self, traded: f64) -> f64 {
        let (Sum(short), Sum(long)) = (self.short.push(Sum(traded)), self.long.push(Sum(traded)));
        if long > 0.0 { short / long * self.scale } else { f64::NAN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn illiquidity_and_turnover_equal_their_formulas_in_numpy() {
        let golden = Golden::read();
        let traded = golden.bars().map(|bar| (bar.close, bar.close * bar.volume));
        golden.check("AMIHUD", &Amihud::new(20).over(traded.clone()));
        golden.check("TURNOVER", &Turnover::new(5, 60).over(traded.map(|(_, lira)| lira)));
    }
}
