//! Technical indicators, bar by bar.
//!
//! An [`Indicator`] is a state that takes one input after the other and answers each with its value;
//! [`Indicator::over`] drives the same state over a whole series, so that batch and streaming agree
//! bit for bit. Definitions and warm-up are those of TA-Lib where TA-Lib has the indicator: a value
//! is NaN (a pattern is absent) until TA-Lib gives one. Each file names its other sources.
//!
//! Nothing here knows scales, breaks or calendars: prices are positive numbers on one scale, in the
//! order of time. High, low and close are known; open and volume may be NaN where the source has
//! none, and then make NaN of every value that needs them, and of no later one.
//!
//! Windows are folded by two stacks (`indicators/window.rs`), so that each value comes from its own
//! window and no rounding is carried along.

mod adx;
mod aroon;
mod atr;
mod bollinger;
mod candles;
mod cci;
mod donchian;
mod ichimoku;
mod keltner;
mod linear_regression;
mod liquidity;
mod macd;
mod mfi;
mod moving_average;
mod obv;
mod roc;
mod rsi;
mod stochastic;
mod supertrend;
#[cfg(test)]
mod talib_golden;
mod volatility;
mod vwap;
mod williams_r;
pub(crate) mod window;

pub use adx::{Adx, AdxValue};
pub use aroon::{Aroon, AroonValue};
pub use atr::{Atr, true_range};
pub use bollinger::{Band, BollingerBands};
pub use candles::{Candle, CandlePatterns};
pub use cci::Cci;
pub use donchian::{Donchian, DonchianValue};
pub use ichimoku::{Ichimoku, IchimokuValue};
pub use keltner::Keltner;
pub use linear_regression::LinearRegressionSlope;
pub use liquidity::{Amihud, Turnover};
pub use macd::{Macd, MacdValue};
pub use mfi::Mfi;
pub use moving_average::{Ema, Sma};
pub use obv::Obv;
pub use roc::Roc;
pub use rsi::Rsi;
pub use stochastic::{Stochastic, StochasticValue};
pub use supertrend::{SuperTrend, SuperTrendValue};
pub(crate) use volatility::garman_klass_variance;
pub use volatility::{CloseToClose, GarmanKlass, Parkinson, YangZhang};
pub use vwap::Vwap;
pub use williams_r::WilliamsR;

/// A bar as numbers, all prices on one scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ohlcv {
    /// First price; NaN where the source has none.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Shares traded; NaN where the source did not say.
    pub volume: f64,
}

impl Ohlcv {
    /// The mean of high, low and close.
    #[inline]
    pub fn typical_price(&self) -> f64 {
        // Divided as in TA-Lib: whether two of them are equal decides where money flows.
        (self.high + self.low + self.close) / 3.0
    }
}

/// A state that answers each input with the indicator's value as of that input.
pub trait Indicator {
    /// What it is told each time: a price, or a bar.
    type Input: Copy;
    /// What it answers; NaN, or absent, before the warm-up.
    type Value: Copy;

    /// The value as of `input`, which follows the inputs before it.
    fn push(&mut self, input: Self::Input) -> Self::Value;

    /// The value as of each of `inputs`: [`Self::push`] for one after the other.
    ///
    /// # Examples
    ///
    /// ```
    /// use bist_models::indicators::{Indicator, Sma};
    /// let mean = Sma::new(2).over([1.0, 2.0, 4.0]);
    /// assert!(mean[0].is_nan());
    /// assert_eq!(mean[1..], [1.5, 3.0]);
    /// ```
    fn over(mut self, inputs: impl IntoIterator<Item = Self::Input>) -> Vec<Self::Value>
    where
        Self: Sized,
    {
        inputs.into_iter().map(|input| self.push(input)).collect()
    }
}
