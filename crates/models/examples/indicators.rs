//! Computes the 16 indicators of `scripts/bench_indicators.py` on its bars, in four passes over
//! each symbol, and prints how long the rounds took; then how long one more bar of one symbol takes.
//!
//! Usage: `indicators BARS ROUNDS [VALUES]`. BARS holds little-endian 64-bit floats: the number of
//! symbols, the number of bars of each, and the bars of one symbol after the other, each as open,
//! high, low, close and volume. VALUES is written with the values of the last bar of each symbol,
//! for the script to compare.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::hint::black_box;
use std::time::Instant;

use bist_market::ExchangeRules;
use bist_models::features::SymbolStream;
use bist_models::indicators::{
    Adx, Atr, BollingerBands, Ema, Indicator as _, Macd, Mfi, Obv, Ohlcv, Rsi, Sma, Stochastic,
};
use bist_testkit::bars::{random_walk, validated};
use jiff::civil::date;

/// RSI, MACD (3), EMA of 10, 20, 50 and 200.
const TREND_COUNT: usize = 8;

/// SMA of 10, 20, 50 and 200, Bollinger bands (3).
const MEAN_COUNT: usize = 7;

/// ATR, ADX, OBV.
const STEP_COUNT: usize = 3;

/// MFI, stochastic (2).
const RANGE_COUNT: usize = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (path, rounds, values_path) = match arguments.as_slice() {
        [path, rounds] => (path, rounds, None),
        [path, rounds, values] => (path, rounds, Some(values)),
        _ => return Err("usage: indicators BARS ROUNDS [VALUES]".into()),
    };
    let numbers = numbers_of(&std::fs::read(path)?);
    let [symbols_count, bars_count, bars @ ..] = numbers.as_slice() else {
        return Err("the file has no head: write the counts of symbols and bars first".into());
    };
    let bars: Vec<Ohlcv> = bars
        .as_chunks::<5>()
        .0
        .iter()
        .map(|&[open, high, low, close, volume]| Ohlcv { open, high, low, close, volume })
        .collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
    let bars_count = *bars_count as usize;
    let mut trends = vec![[0.0; TREND_COUNT]; bars_count];
    let mut means = vec![[0.0; MEAN_COUNT]; bars_count];
    let mut steps = vec![[0.0; STEP_COUNT]; bars_count];
    let mut ranges = vec![[0.0; RANGE_COUNT]; bars_count];
    let mut last: Vec<f64> = Vec::new();
    for _ in 0..rounds.parse()? {
        last.clear();
        let started = Instant::now();
        for of_symbol in bars.chunks_exact(bars_count) {
            trends_of(black_box(of_symbol), &mut trends);
            means_of(black_box(of_symbol), &mut means);
            steps_of(black_box(of_symbol), &mut steps);
            ranges_of(black_box(of_symbol), &mut ranges);
            last.extend(trends[bars_count - 1].iter().chain(&means[bars_count - 1]));
            last.extend(steps[bars_count - 1].iter().chain(&ranges[bars_count - 1]));
        }
        println!(
            "16 indicators, {symbols_count} x {bars_count} bars: {:.6} s",
            started.elapsed().as_secs_f64()
        );
    }
    if let Some(path) = values_path {
        let bytes: Vec<u8> = last.iter().flat_map(|v| v.to_le_bytes()).collect();
        std::fs::write(path, bytes)?;
    }
    measure_stream();
    Ok(())
}

/// Exponential averages of the close, side by side: each waits for its last value.
fn trends_of(bars: &[Ohlcv], values: &mut [[f64; TREND_COUNT]]) {
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

/// Windows of the close.
fn means_of(bars: &[Ohlcv], values: &mut [[f64; MEAN_COUNT]]) {
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

/// What compares a bar with the one before.
fn steps_of(bars: &[Ohlcv], values: &mut [[f64; STEP_COUNT]]) {
    let (mut atr, mut adx, mut obv) = (Atr::new(14), Adx::new(14), Obv::new());
    for (bar, values) in bars.iter().zip(values) {
        *values = [atr.push(*bar), adx.push(*bar).adx, obv.push(*bar)];
    }
}

/// Windows of whole bars.
fn ranges_of(bars: &[Ohlcv], values: &mut [[f64; RANGE_COUNT]]) {
    let (mut mfi, mut stochastic) = (Mfi::new(14), Stochastic::new(14, 3, 3));
    for (bar, values) in bars.iter().zip(values) {
        let stochastic = stochastic.push(*bar);
        *values = [mfi.push(*bar), stochastic.slow_k, stochastic.slow_d];
    }
}

fn numbers_of(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks::<8>().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect()
}

/// How long all features of a symbol take for one more bar, after ten years of bars.
fn measure_stream() {
    let series = validated(random_walk("AAA", date(2014, 1, 2), date(2025, 12, 30), 1));
    let mut stream = SymbolStream::new(ExchangeRules::bist());
    let mut took: Vec<f64> = Vec::new();
    for (index, bar) in series.bars().iter().enumerate() {
        let started = Instant::now();
        black_box(stream.push(bar, series.continues(index)));
        took.push(started.elapsed().as_secs_f64() * 1e6);
    }
    let took = &mut took[500..];
    took.sort_by(f64::total_cmp);
    let (median, late) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!(
        "one more bar of one symbol, {} features: median {median:.2} us, 99 % {late:.2} us",
        stream.clone().push(&series.bars()[0], false).len()
    );
}
