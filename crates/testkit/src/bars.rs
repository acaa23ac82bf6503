//! Bars of made-up symbols.

use bist_market::bar::{istanbul, midnight_of};
use bist_market::{
    BarSeries, Calendar, ExchangeRules, Interval, Price, RawBar, Received, SessionKind, Source,
    Symbol, ValidatedBars, ValidationPolicy, validate,
};
use jiff::Timestamp;
use jiff::civil::Date;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A random walk on the sessions from `first_on` to `last_on`, as a source would give it.
///
/// Prices begin near 50 TRY and lie on ticks; the daily move has a standard deviation of two per
/// cent and never comes near the limits. Each symbol has its own walk of the same seed. The
/// adjusted close is the close less a dividend of one per cent at the middle of the series.
///
/// # Panics
///
/// Never for days that the calendar covers.
pub fn random_walk(symbol: &str, first_on: Date, last_on: Date, seed: u64) -> BarSeries {
    let symbol = Symbol::parse(symbol).expect("the test names a symbol");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(symbol.as_str().bytes().fold(0, |stream, byte| stream * 256 + u64::from(byte)));

    let days: Vec<Date> =
        Calendar::bist().sessions(first_on, last_on).map(|(day, _)| day).collect();
    let mut close = 50.0;
    let bars = days
        .iter()
        .enumerate()
        .map(|(index, &day)| {
            let open = close * (0.004 * normal(&mut rng)).exp();
            close = open * (0.02 * normal(&mut rng)).clamp(-0.07, 0.07).exp();
            let high = open.max(close) * (0.006 * normal(&mut rng).abs()).exp();
            let low = open.min(close) * (-0.006 * normal(&mut rng).abs()).exp();
            let bar = RawBar {
                opened_at: midnight_of(day),
                open_units: Some(on_tick(day, open)),
                high_units: on_tick(day, high),
                low_units: on_tick(day, low),
                close_units: on_tick(day, close),
                adjusted_close: None,
                volume_shares: Some(to_integer(1e6 * (0.5 * normal(&mut rng)).exp())),
            };
            let paid_share = if index < days.len() / 2 { 0.99 } else { 1.0 };
            RawBar { adjusted_close: Some(lira(bar.close_units) * paid_share), ..bar }
        })
        .collect();
    BarSeries { symbol, interval: Interval::Daily, bars }
}

/// A random walk by the hour on the sessions from `first_on` to `last_on`, as a source would give it:
/// nine bars on a full day and three on a half one, the last of them with the closing auction.
///
/// Prices begin near 50 TRY and lie on ticks; the hourly move has a standard deviation of a half per
/// cent, and a day ends two per cent from where it began at most. Each symbol has its own walk of the
/// same seed. There are no adjusted closes.
///
/// # Panics
///
/// Never for days that the calendar covers.
pub fn hourly_walk(symbol: &str, first_on: Date, last_on: Date, seed: u64) -> BarSeries {
    let symbol = Symbol::parse(symbol).expect("the test names a symbol");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(symbol.as_str().bytes().fold(0, |stream, byte| stream * 256 + u64::from(byte)));

    let mut bars = Vec::new();
    let mut close = 50.0;
    for (day, kind) in Calendar::bist().sessions(first_on, last_on) {
        let base: f64 = close;
        let last_hour = if kind == SessionKind::Half { 12 } else { 18 };
        for hour in 10..=last_hour {
            let open = close * (0.001 * normal(&mut rng)).exp();
            let moved: f64 = open * (0.005 * normal(&mut rng)).exp();
            close = moved.clamp(base * 0.98, base * 1.02);
            let high = open.max(close) * (0.002 * normal(&mut rng).abs()).exp();
            let low = open.min(close) * (-0.002 * normal(&mut rng).abs()).exp();
            bars.push(RawBar {
                opened_at: hour_of(day, hour),
                open_units: Some(on_tick(day, open)),
                high_units: on_tick(day, high),
                low_units: on_tick(day, low),
                close_units: on_tick(day, close),
                adjusted_close: None,
                volume_shares: Some(to_integer(1e5 * (0.5 * normal(&mut rng)).exp())),
            });
        }
    }
    BarSeries { symbol, interval: Interval::HOURLY, bars }
}

/// The instant at which the hour begins on a day in Istanbul.
///
/// # Panics
///
/// When there is no such hour.
pub fn hour_of(day: Date, hour: i8) -> Timestamp {
    let at = day.at(hour, 0, 0, 0);
    istanbul().to_timestamp(at).expect("a day of the calendar")
}

/// Passes bars through the validation, with its defaults and nothing else known.
pub fn validated(series: BarSeries) -> ValidatedBars {
    let received = Received::bars(series, Source::CSV);
    validate(&received, Calendar::bist(), ExchangeRules::bist(), ValidationPolicy::default())
}

/// The nearest valid price, units of 0.0001 TRY.
fn on_tick(day: Date, lira: f64) -> i64 {
    let price = Price::from_units(to_integer(lira * 10_000.0)).expect("a walk stays above zero");
    ExchangeRules::bist().round_nearest(day, price).unwrap_or(price).units()
}

fn lira(units: i64) -> f64 {
    Price::from_units(units).expect("a walk stays above zero").lira()
}

#[expect(clippy::cast_possible_truncation, reason = "prices and volumes of a walk are small")]
fn to_integer(value: f64) -> i64 {
    value.round() as i64
}

/// A number from nearly the standard normal distribution: the sum of twelve uniform ones, which
/// needs no logarithm and so has the same bits everywhere.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64).sum::<f64>() - 6.0
}
