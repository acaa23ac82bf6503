//! Computes the 16 indicators of `scripts/bench_indicators.py` on its bars, one pass for all over
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

/// RSI, MACD (3), ATR, Bollinger bands (3), ADX, SMA and EMA of 10, 20, 50 and 200, OBV, MFI and
/// stochastic (2).
const VALUES_COUNT: usize = 21;

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
    let mut values = vec![[0.0; VALUES_COUNT]; bars_count];
    let mut last = Vec::new();
    for _ in 0..rounds.parse()? {
        last.clear();
        let started = Instant::now();
        for of_symbol in bars.chunks_exact(bars_count) {
            sixteen_indicators(black_box(of_symbol), &mut values);
            last.extend(values.last().copied());
        }
        println!(
            "16 indicators, {symbols_count} x {bars_count} bars: {:.6} s",
            started.elapsed().as_secs_f64()
        );
    }
    if let Some(path) = values_path {
        let bytes: Vec<u8> = last.as_flattened().iter().flat_map(|v| v.to_le_bytes()).collect();
        std::fs::write(path, bytes)?;
    }
    measure_stream();
    Ok(())
}

/// One pass over the bars for all indicators.
fn sixteen_indicators(bars: &[Ohlcv], values: &mut [[f64; VALUES_COUNT]]) {
    let (mut rsi, mut macd) = (Rsi::new(14), Macd::new(12, 26, 9));
    let (mut atr, mut bands, mut adx) = (Atr::new(14), BollingerBands::new(20, 2.0), Adx::new(14));
    // One by one: an array of states is not kept in registers.
    let (mut s10, mut s20, mut s50, mut s200) =
        (Sma::new(10), Sma::new(20), Sma::new(50), Sma::new(200));
    let (mut e10, mut e20, mut e50, mut e200) =
        (Ema::new(10), Ema::new(20), Ema::new(50), Ema::new(200));
    let (mut obv, mut mfi, mut stochastic) = (Obv::new(), Mfi::new(14), Stochastic::new(14, 3, 3));
    for (bar, values) in bars.iter().zip(values) {
        let close = bar.close;
        let (macd, band, stochastic) = (macd.push(close), bands.push(close), stochastic.push(*bar));
        *values = [
            rsi.push(close),
            macd.line,
            macd.signal,
            macd.histogram,
            atr.push(*bar),
            band.upper,
            band.middle,
            band.lower,
            adx.push(*bar).adx,
            s10.push(close),
            s20.push(close),
            s50.push(close),
            s200.push(close),
            e10.push(close),
            e20.push(close),
            e50.push(close),
            e200.push(close),
            obv.push(*bar),
            mfi.push(*bar),
            stochastic.slow_k,
            stochastic.slow_d,
        ];
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
