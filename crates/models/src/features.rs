//! Bars as numbers that a model can learn from, and what it should learn.
//!
//! Every feature is free of scale (returns, shares, ranks, indicators between bounds), so that rows
//! of all symbols can be learned from together, and known at the close of the row's session: it
//! uses bars up to that day and no later. Bars are daily or hourly, all of one panel alike; what
//! holds for the session of a daily bar holds for the hour of an hourly one. Prices are
//! total-return prices, that is multiplied by adjusted close / close where the vendor gave one. A
//! session here is a bar of the symbol; nothing looks across a break that the validation could not
//! explain, and a window is NaN until it is full. Holds no scaling: what is learned from data is
//! learned inside the training rows.

mod calendar;
mod context;
mod cross_section;
mod intraday;
mod market_stream;
mod matrix;
mod momentum;
mod panel;
mod patterns;
mod realised;
pub(crate) mod regime;
mod returns;
pub(crate) mod run;
mod spec;
mod stream;
mod targets;
mod volatility;
mod volume;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bist_market::calendar::Calendar;
use bist_market::{ExchangeRules, Instrument, InstrumentClass, Interval, Symbol, ValidatedBars};
use jiff::civil::Date;
use rayon::prelude::*;

use crate::horizon::Horizon;
use context::Context;
use intraday::Intraday;
use run::{Run, RunBar};
use stream::OWN_COUNT;
use volume::Liquidity;

pub use market_stream::{LateBar, MarketRow, MarketStream, MarketUpdate};
pub use matrix::{FeatureMatrix, MatrixError};
pub use panel::{Known, Panel, RowKey};
pub use realised::{NoWay, RealisedWay, WayBar};
pub use spec::{FeatureSpec, FeatureSpecError, FeatureWindow};
pub use stream::SymbolStream;
pub use targets::{BARRIER_WIDTH, BarrierOutcome, Targets};

/// What a feature is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureDefinition {
    /// Its name, the same everywhere.
    pub name: String,
    /// How it is computed.
    pub formula: String,
    /// Where the formula comes from.
    pub source: &'static str,
}

/// A [`FeatureDefinition`] whose windows are still to be chosen: their names stand in braces.
#[derive(Clone, Copy, Debug)]
struct FeatureTemplate {
    name: &'static str,
    formula: &'static str,
    source: &'static str,
}

/// All features of rows of such bars, in the order of the columns.
fn templates(interval: Interval) -> impl Iterator<Item = &'static FeatureTemplate> {
    let (of_session, context, regime): (&[_], &[_], &[_]) = match interval {
        Interval::Daily => (&[], &context::DEFINITIONS, &regime::DEFINITIONS),
        Interval::Minutes(_) => (&intraday::DEFINITIONS, &intraday::CONTEXT_DEFINITIONS, &[]),
    };
    own_templates()
        .chain(of_session)
        .chain(&calendar::DEFINITIONS)
        .chain(context)
        .chain(regime)
        .chain(&cross_section::DEFINITIONS)
}

/// The features that one symbol's bars give by themselves, in the order of [`SymbolStream::push`];
/// the first of [`templates`].
fn own_templates() -> impl Iterator<Item = &'static FeatureTemplate> {
    (returns::DEFINITIONS.iter())
        .chain(&momentum::DEFINITIONS)
        .chain(&patterns::DEFINITIONS)
        .chain(&volatility::DEFINITIONS)
        .chain(&volume::DEFINITIONS)
}

/// Builds the rows of all symbols as [`build_with`] does, with the usual windows.
///
/// # Panics
///
/// As [`build_with`].
pub fn build(
    series: &[ValidatedBars],
    instruments: &[Instrument],
    calendar: &Calendar,
    horizons: &[Horizon],
) -> Vec<Panel> {
    build_with(FeatureSpec::default(), series, instruments, calendar, horizons)
}

/// Builds the rows of all symbols, with the windows of `spec`.
///
/// There is one for each bar of each series of a share, with what came after them by each of
/// `horizons`: a panel for each, in their order. What was known is the same for all.
///
/// The rows are those of the bars that the horizons look ahead from, daily or hourly; series of
/// shares of other bars are passed over. The daily series of the index `XU100` and of the rate
/// `USDTRY` are context of every row; what is not a share has no rows. `instruments` tell the
/// sectors. Sessions of the targets are counted by `calendar`, and hours by the timetable of their
/// session: the bar of session `t + k` counts as absent when the symbol has none that day, even if
/// it has a later one.
///
/// # Panics
///
/// When a symbol is given twice, or the horizons look ahead from different bars.
pub fn build_with(
    spec: FeatureSpec,
    series: &[ValidatedBars],
    instruments: &[Instrument],
    calendar: &Calendar,
    horizons: &[Horizon],
) -> Vec<Panel> {
    let Some(interval) = horizons.first().map(|horizon| horizon.interval()) else {
        return Vec::new();
    };
    assert!(
        horizons.iter().all(|horizon| horizon.interval() == interval),
        "the horizons of panels that share their rows look ahead from bars of {interval}"
    );
    let rules = ExchangeRules::bist();
    let shares = series.par_iter().filter(|series| {
        series.symbol().class() == InstrumentClass::Share && series.interval() == interval
    });
    let symbols: Vec<SymbolColumns> =
        shares.map(|series| SymbolColumns::of(series, spec, calendar, rules)).collect();
    let layout = Layout::of(&symbols);

    let columns = columns(&symbols, &layout, series, instruments, calendar, interval);
    let volatility = of_name(&columns, "volatility_20").to_vec();
    let names = spec.names(interval);
    let features = FeatureMatrix::from_columns(names, columns)
        .expect("each definition has a column, and no feature divides by zero");
    let targets: Vec<Targets> = horizons
        .iter()
        .map(|&horizon| targets::of(&symbols, &layout, calendar, horizon, &volatility))
        .collect();
    let (log_close, stretch) = layout.closes(&symbols);
    let known = Arc::new(Known { keys: layout.keys, features, log_close, stretch });
    targets.into_iter().map(|targets| Panel { known: Arc::clone(&known), targets }).collect()
}

/// The columns of all features, in the order of their definitions.
fn columns(
    symbols: &[SymbolColumns],
    layout: &Layout,
    series: &[ValidatedBars],
    instruments: &[Instrument],
    calendar: &Calendar,
    interval: Interval,
) -> Vec<Vec<f64>> {
    let mut columns = layout.spread(symbols, own_count(interval) + 2);
    let turnover = columns.pop().expect("every symbol gives it as its last column");
    let log_illiquidity = columns.pop().expect("and this before it");
    let of_moment = match interval {
        Interval::Daily => day_columns(layout, series, calendar, of_name(&columns, "return_1")),
        Interval::Minutes(_) => hour_columns(layout, series, calendar),
    };
    let sectors = sectors(instruments);
    let sector: Vec<Option<usize>> =
        layout.keys.iter().map(|key| sectors.get(&key.symbol).copied()).collect();
    let inputs = cross_section::Inputs {
        return_1: of_name(&columns, "return_1"),
        return_5: of_name(&columns, "return_5"),
        return_20: of_name(&columns, "return_20"),
        reversal_slope: of_name(&columns, "reversal_slope_250"),
        volatility_20: of_name(&columns, "volatility_20"),
        volume_ratio: of_name(&columns, "volume_ratio_5_20"),
        log_illiquidity: &log_illiquidity,
        turnover: &turnover,
        sector: &sector,
    };
    let across = cross_section::columns(&inputs, &layout.moments, &layout.runs);
    columns.extend(of_moment);
    columns.extend(across);
    columns
}

/// How many features one symbol's bars give by themselves.
const fn own_count(interval: Interval) -> usize {
    match interval {
        Interval::Daily => OWN_COUNT,
        Interval::Minutes(_) => OWN_COUNT + intraday::DEFINITIONS.len(),
    }
}

/// The column of a feature of single symbols whose window is fixed.
fn of_name<'a>(columns: &'a [Vec<f64>], name: &str) -> &'a [f64] {
    let index = own_templates().position(|template| template.name == name);
    &columns[index.expect("a feature of single symbols")]
}

/// The features that one symbol's bars give by themselves.
#[derive(Debug)]
struct SymbolColumns {
    symbol: Symbol,
    runs: Vec<Run>,
    /// One value a bar; the last two columns are the logarithm of the illiquidity and the turnover.
    columns: Vec<Vec<f64>>,
}

impl SymbolColumns {
    fn of(
        series: &ValidatedBars,
        spec: FeatureSpec,
        calendar: &Calendar,
        rules: &'static ExchangeRules,
    ) -> Self {
        let bars = series.bars();
        let runs = Run::cut(series, rules);
        let mut columns = vec![Vec::new(); own_count(series.interval()) + 2];
        let mut stream = SymbolStream::new(rules, spec);
        let of_session: Vec<[f64; 6]> = match series.interval() {
            Interval::Daily => Vec::new(),
            Interval::Minutes(_) => runs
                .iter()
                .flat_map(|run| {
                    let mut intraday = Intraday::new(calendar, rules);
                    run.bars.iter().map(move |of_run| intraday.push(of_run))
                })
                .collect(),
        };
        for (index, bar) in bars.iter().enumerate() {
            let own = stream.advance(bar, series.continues(index));
            let of_session = of_session.get(index).into_iter().flatten().copied();
            let Liquidity { log_illiquidity, turnover } = own.liquidity;
            let values =
                own.values.into_iter().chain(of_session).chain([log_illiquidity, turnover]);
            for (column, value) in columns.iter_mut().zip(values) {
                column.push(value);
            }
        }
        Self { symbol: series.symbol(), runs, columns }
    }
}

/// Where the bars of the symbols stand in the panel.
#[derive(Debug)]
struct Layout {
    keys: Vec<RowKey>,
    /// The rows of each bar of each symbol.
    rows: Vec<Vec<usize>>,
    /// The rows of each moment.
    moments: Vec<Range<usize>>,
    /// The rows of each run of each symbol, one symbol after the other.
    runs: Vec<Vec<usize>>,
}

impl Layout {
    fn of(symbols: &[SymbolColumns]) -> Self {
        let mut bars: Vec<(RowKey, usize, usize)> = Vec::new();
        for (index, symbol) in symbols.iter().enumerate() {
            let of_runs = symbol.runs.iter().flat_map(|run| &run.bars);
            bars.extend(of_runs.enumerate().map(|(bar, of_run)| {
                let RunBar { day, time, .. } = *of_run;
                (RowKey { day, time, symbol: symbol.symbol }, index, bar)
            }));
        }
        bars.sort_unstable();
        assert!(
            bars.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "each symbol is given once, with one bar a time"
        );

        let mut rows: Vec<Vec<usize>> =
            symbols.iter().map(|symbol| vec![0; symbol.runs.iter().map(Run::len).sum()]).collect();
        for (row, &(_, symbol, bar)) in bars.iter().enumerate() {
            rows[symbol][bar] = row;
        }
        let mut runs = Vec::new();
        for (symbol, rows) in symbols.iter().zip(&rows) {
            let mut rest = rows.as_slice();
            for run in &symbol.runs {
                let (of_run, later) = rest.split_at(run.len());
                runs.push(of_run.to_vec());
                rest = later;
            }
        }
        let keys: Vec<RowKey> = bars.into_iter().map(|(key, ..)| key).collect();
        let mut moments = Vec::new();
        let mut start = 0;
        for moment in keys.chunk_by(|a, b| a.moment() == b.moment()) {
            moments.push(start..start + moment.len());
            start += moment.len();
        }
        Self { keys, rows, moments, runs }
    }

    /// The logarithm of the close of each row, and the number of its stretch.
    fn closes(&self, symbols: &[SymbolColumns]) -> (Vec<f64>, Vec<u32>) {
        let mut log_close = vec![f64::NAN; self.keys.len()];
        let mut stretch = vec![0; self.keys.len()];
        let mut of_run = self.runs.iter();
        for symbol in symbols {
            for (number, (run, rows)) in (0..).zip(symbol.runs.iter().zip(&mut of_run)) {
                for (of_run, &row) in run.bars.iter().zip(rows) {
                    log_close[row] = of_run.bar.close.ln();
                    stretch[row] = number;
                }
            }
        }
        (log_close, stretch)
    }

    /// The `count` columns of the symbols as columns of the panel.
    fn spread(&self, symbols: &[SymbolColumns], count: usize) -> Vec<Vec<f64>> {
        let spread_one = |j: usize| {
            let mut column = vec![f64::NAN; self.keys.len()];
            for (symbol, rows) in symbols.iter().zip(&self.rows) {
                for (value, &row) in symbol.columns.get(j).into_iter().flatten().zip(rows) {
                    column[row] = *value;
                }
            }
            column
        };
        (0..count).into_par_iter().map(spread_one).collect()
    }

    /// The `count` values of each moment as columns of the panel.
    fn repeat(
        &self,
        of_moments: impl Iterator<Item = impl Iterator<Item = f64>>,
        count: usize,
    ) -> Vec<Vec<f64>> {
        let mut columns = vec![Vec::new(); count];
        for (values, rows) in of_moments.zip(&self.moments) {
            for (column, value) in columns.iter_mut().zip(values) {
                column.extend(std::iter::repeat_n(value, rows.len()));
            }
        }
        columns
    }

    /// The day of each moment.
    fn days(&self) -> Vec<Date> {
        self.moments.iter().map(|rows| self.keys[rows.start].day).collect()
    }
}

/// How many columns are the same for all daily rows of a day.
const DAY_COUNT: usize =
    calendar::DEFINITIONS.len() + context::DEFINITIONS.len() + regime::DEFINITIONS.len();

/// The columns that are the same for all daily rows of a day: calendar, context and regime.
fn day_columns(
    layout: &Layout,
    series: &[ValidatedBars],
    calendar: &Calendar,
    return_1: &[f64],
) -> Vec<Vec<f64>> {
    let days = layout.days();
    let context = Context::of(series, ExchangeRules::bist());
    let turbulent = regime::of_days(&days, |t| &return_1[layout.moments[t].clone()]);
    let of_days = days.iter().zip(turbulent).map(|(&day, turbulent)| {
        let of_calendar = calendar::of_day(calendar, day);
        of_calendar.into_iter().chain(context.of_day(day)).chain([turbulent])
    });
    layout.repeat(of_days, DAY_COUNT)
}

/// The columns that are the same for all hourly rows of a day: the calendar, and the context as it
/// was known at the close of the session before.
fn hour_columns(layout: &Layout, series: &[ValidatedBars], calendar: &Calendar) -> Vec<Vec<f64>> {
    let context = Context::of(series, ExchangeRules::bist());
    let of_moments = layout.days().into_iter().map(|day| {
        let before = calendar.previous_session(day).unwrap_or(Date::MIN);
        calendar::of_day(calendar, day).into_iter().chain(context.of_day(before))
    });
    layout.repeat(of_moments, calendar::DEFINITIONS.len() + context::DEFINITIONS.len())
}

/// The number of each symbol's sector.
fn sectors(instruments: &[Instrument]) -> BTreeMap<Symbol, usize> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut of_symbol: BTreeMap<Symbol, usize> = BTreeMap::new();
    for instrument in instruments {
        if let Some(sector) = &instrument.sector {
            let next = numbers.len();
            let number = *numbers.entry(sector).or_insert(next);
            of_symbol.insert(instrument.symbol, number);
        }
    }
    of_symbol
}

/// `a / b`, unknown where `b` is not positive or the quotient is beyond all numbers.
fn ratio(a: f64, b: f64) -> f64 {
    let quotient = a / b;
    if b > 0.0 && quotient.is_finite() { quotient } else { f64::NAN }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len())
}

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "there are few values")]
fn count(count: usize) -> f64 {
    count as f64
}

/// A feature that counts few bars, zero where it is unknown.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast keeps to the range"
)]
const fn whole(value: f64) -> u8 {
    value as u8
}

/// The mean of the values that are not NaN; NaN without any.
fn known_mean(values: impl Iterator<Item = f64>) -> f64 {
    let mut known_count = 0;
    let known = values.filter(|value| !value.is_nan()).inspect(|_| known_count += 1);
    let sum: f64 = known.sum();
    if known_count == 0 { f64::NAN } else { sum / count(known_count) }
}
