//! The 16 indicators, in four passes over each symbol's bars: those that wait for their own last
//! value stand side by side, and those with windows do.

use std::hint::black_box;
use std::path::Path;

use bist_models::indicators::{
    Adx, Atr, BollingerBands, Ema, Indicator as _, Macd, Mfi, Obv, Ohlcv, Rsi, Sma, Stochastic,
};

use super::super::data::{SYMBOLS_COUNT, read_f64};
use super::{BAR_NUMBERS, Times};

/// The values of all indicators, one a bar.
#[derive(Default)]
struct Values {
    /// RSI, MACD (3), EMA of 10, 20, 50 and 200.
    trends: Vec<[f64; 8]>,
    /// SMA of 10, 20, 50 and 200, Bollinger bands (3).
    means: Vec<[f64; 7]>,
    /// ATR, ADX, OBV.
    steps: Vec<[f64; 3]>,
    /// MFI, stochastic (2).
    ranges: Vec<[f64; 3]>,
}

pub(super) fn measure(folder: &Path, runs: u16) -> anyhow::Result<(Times, String)> {
    let numbers = read_f64(folder, "bars.f64")?;
    let bars: Vec<Ohlcv> = numbers
        .as_chunks::<BAR_NUMBERS>()
        .0
        .iter()
        .map(|&[open, high, low, close, volume]| Ohlcv { open, high, low, close, volume })
        .collect();
    let bars_count = bars.len() / SYMBOLS_COUNT as usize;
    let mut values = Values::of(bars_count);
    let (times, total) = Times::of(runs, || {
        let symbols = bars.chunks_exact(bars_count);
        Ok(symbols.map(|bars| values.compute(black_box(bars))).sum::<f64>())
    })?;
    Ok((times, format!("a sum of last values of {total:.4}")))
}

impl Values {
    fn of(bars_count: usize) -> Self {
        Self {
            trends: vec![Default::default(); bars_count],
            means: vec![Default::default(); bars_count],
            steps: vec![Default::default(); bars_count],
            ranges: vec![Default::default(); bars_count],
        }
    }

    /// Computes all of them on one symbol's bars; returns the sum of the last values.
    fn compute(&mut self, bars: &[Ohlcv]) -> f64 {
        trends_of(bars, &mut self.trends);
        means_of(bars, &mut self.means);
        steps_of(bars, &mut self.steps);
        ranges_of(bars, &mut self.ranges);
        let last = bars.len() - 1;
        let last = (self.trends[last].iter().chain(&self.means[last]))
            .chain(&self.steps[last])
            .chain(&self.ranges[last]);
        last.sum()
    }
}

fn trends_of(bars: &[Ohlcv], values: &mut [[f64; 8]]) {
    let (mut rsi, mut macd) = (Rsi::new(14), Macd::new(12, 26, 9));
    let (mut e10, mut e20, mut e50, mut e200) =
        (Ema::new(10), Ema::new(20), Ema::new(50), Ema::new(200));
    for (bar, values) in bars.iter().zip(values) {
        let close = bar.close;
        let macd = macd.push(close);
        *values = [
            rsi.push(close),
            macd.line,
            macd.signal,
            macd.histogram,
            e10.push(close),
            e20.push(close),
            e50.push(close),
            e200.push(close),
        ];
    }
}

fn means_of(bars: &[Ohlcv], values: &mut [[f64; 7]]) {
    let (mut s10, mut s20, mut s50, mut s200) =
        (Sma::new(10), Sma::new(20), Sma::new(50), Sma::new(200));
    let mut bands = BollingerBands::new(20, 2.0);
    for (bar, values) in bars.iter().zip(values) {
        let close = bar.close;
        let band = bands.push(close);
        *values = [
            s10.push(close),
            s20.push(close),
            s50.push(close),
            s200.push(close),
            band.upper,
            band.middle,
            band.lower,
        ];
    }
}

fn steps_of(bars: &[Ohlcv], values: &mut [[f64; 3]]) {
    let (mut atr, mut adx, mut obv) = (Atr::new(14), Adx::new(14), Obv::new());
    for (bar, values) in bars.iter().zip(values) {
        *values = [atr.push(*bar), adx.push(*bar).adx, obv.push(*bar)];
    }
}

fn ranges_of(bars: &[Ohlcv], values: &mut [[f64; 3]]) {
    let (mut mfi, mut stochastic) = (Mfi::new(14), Stochastic::new(14, 3, 3));
    for (bar, values) in bars.iter().zip(values) {
        let stochastic = stochastic.push(*bar);
        *values = [mfi.push(*bar), stochastic.slow_k, stochastic.slow_d];
    }
}
