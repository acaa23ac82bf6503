//! What the index of the exchange and the dollar did, when their series are given.

use std::collections::BTreeMap;

use bist_market::{Bar, ExchangeRules, Interval, Symbol, ValidatedBars};
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::FeatureTemplate;
use super::run::Scale;
use crate::indicators::window::Lag;
use crate::indicators::{CloseToClose, Indicator as _};

/// The index that stands for the exchange.
pub(crate) const INDEX: &str = "XU100";

/// The rate of exchange that moves the exchange.
pub(crate) const FX: &str = "USDTRY";

/// A rate older than this says nothing about today.
const FX_AGE_DAYS_MAX: i32 = 7;

/// What [`Context::of_day`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureTemplate; 8] = [
    index("index_return_1", "ln(XU100[t] / XU100[t-1])"),
    index("index_return_5", "ln(XU100[t] / XU100[t-5])"),
    index("index_return_20", "ln(XU100[t] / XU100[t-20])"),
    index("index_volatility_20", "sample standard deviation of index_return_1 over 20 sessions"),
    fx("usdtry_return_1", "ln(USDTRY[d] / USDTRY[d-1]), d the last day before the session"),
    fx("usdtry_return_5", "ln(USDTRY[d] / USDTRY[d-5]), d the last day before the session"),
    fx("usdtry_return_20", "ln(USDTRY[d] / USDTRY[d-20]), d the last day before the session"),
    fx("usdtry_volatility_20", "sample standard deviation of the last 20 of usdtry_return_1"),
];

const fn index(name: &'static str, formula: &'static str) -> FeatureTemplate {
    FeatureTemplate { name, formula, source: "BIST 100; NaN without a series of it" }
}

const fn fx(name: &'static str, formula: &'static str) -> FeatureTemplate {
    FeatureTemplate {
        name,
        formula,
        source: "rate of the day before, for the rate of the day closes after the exchange; NaN \
                 without a series of it",
    }
}

/// The index and the rate, as far as they are known.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) index: ContextSeries,
    pub(crate) fx: ContextSeries,
}

impl Context {
    /// Before the first bar.
    pub(crate) fn new(rules: &'static ExchangeRules) -> Self {
        Self { index: ContextSeries::new(rules), fx: ContextSeries::new(rules) }
    }

    /// All that the daily bars of the index and the rate among `series` tell.
    pub(crate) fn of(series: &[ValidatedBars], rules: &'static ExchangeRules) -> Self {
        let mut context = Self::new(rules);
        for series in series.iter().filter(|series| series.interval() == Interval::Daily) {
            if let Some(into) = context.series_of(series.symbol()) {
                for (index, bar) in series.bars().iter().enumerate() {
                    into.push(bar, series.continues(index));
                }
            }
        }
        context
    }

    /// Where the bars of `symbol` belong, if they are context.
    pub(crate) fn series_of(&mut self, symbol: Symbol) -> Option<&mut ContextSeries> {
        match symbol.as_str() {
            INDEX => Some(&mut self.index),
            FX => Some(&mut self.fx),
            _ => None,
        }
    }

    /// The features of [`DEFINITIONS`] for `day`.
    pub(crate) fn of_day(&self, day: Date) -> [f64; 8] {
        let unknown = [f64::NAN; 4];
        let [i1, i5, i20, i_volatility] = self.index.moves.get(&day).copied().unwrap_or(unknown);
        let oldest = day.saturating_sub(FX_AGE_DAYS_MAX.days());
        let [f1, f5, f20, f_volatility] =
            self.fx.moves.range(oldest..day).next_back().map_or(unknown, |(_, moves)| *moves);
        [i1, i5, i20, i_volatility, f1, f5, f20, f_volatility]
    }
}

/// Log-returns of a series over 1, 5 and 20 bars, and their volatility over 20, as of each bar.
#[derive(Clone, Debug)]
pub(crate) struct ContextSeries {
    moves: BTreeMap<Date, [f64; 4]>,
    /// As of the bar before the last.
    before: Moves,
    last: Option<(Date, Moves)>,
}

impl ContextSeries {
    fn new(rules: &'static ExchangeRules) -> Self {
        Self { moves: BTreeMap::new(), before: Moves::new(rules), last: None }
    }

    /// The day of the last bar.
    pub(crate) fn last_day(&self) -> Option<Date> {
        self.last.as_ref().map(|(day, _)| *day)
    }

    /// Takes in a bar of the last day, which takes the place of the one before, or of a later day.
    pub(crate) fn push(&mut self, bar: &Bar, continues: bool) {
        if let Some((_, moves)) = self.last.take_if(|(day, _)| *day < bar.day) {
            self.before = moves;
        }
        let mut moves = self.before.clone();
        self.moves.insert(bar.day, moves.push(bar, continues));
        self.last = Some((bar.day, moves));
    }
}

/// What the moves of the next bar are computed from.
#[derive(Clone, Debug)]
struct Moves {
    scale: Scale,
    /// The closes 1, 5 and 20 bars ago.
    closes: [Lag; 3],
    volatility: CloseToClose,
}

impl Moves {
    fn new(rules: &'static ExchangeRules) -> Self {
        Self { scale: Scale::new(rules), closes: lags(), volatility: CloseToClose::new(20) }
    }

    fn push(&mut self, bar: &Bar, continues: bool) -> [f64; 4] {
        let (of_run, begins) = self.scale.push(bar, continues);
        if begins {
            (self.closes, self.volatility) = (lags(), CloseToClose::new(20));
        }
        let close = of_run.bar.close;
        let [r1, r5, r20] = self.closes.each_mut().map(|lag| (close / lag.push(close)).ln());
        [r1, r5, r20, self.volatility.push(close)]
    }
}

fn lags() -> [Lag; 3] {
    [1, 5, 20].map(Lag::new)
}

#[cfg(test)]
mod tests {
    use bist_testkit::bars::{random_walk, validated};
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_index_is_that_of_the_session_and_the_dollar_that_of_the_day_before() {
        let walk = |symbol| validated(random_walk(symbol, date(2024, 1, 2), date(2024, 3, 29), 3));
        let series = [walk(INDEX), walk(FX)];
        let (friday, monday) = (date(2024, 3, 1), date(2024, 3, 4));
        let close = |series: &ValidatedBars, day| {
            let bar = series.bars().iter().find(|bar| bar.day == day).unwrap();
            bar.adjusted_close.unwrap()
        };
        let of_day =
            |series: &[ValidatedBars], day| Context::of(series, ExchangeRules::bist()).of_day(day);
        let of_monday = of_day(&series, monday);
        let index = (close(&series[0], monday) / close(&series[0], friday)).ln();
        assert!((of_monday[0] - index).abs() < 1e-8);
        let thursday = date(2024, 2, 29);
        let dollar = (close(&series[1], friday) / close(&series[1], thursday)).ln();
        assert!((of_monday[4] - dollar).abs() < 1e-8);
        // A rate that ended long ago is not taken for today's.
        assert!(of_day(&series, date(2024, 4, 15)).iter().all(|value| value.is_nan()));
        assert!(of_day(&[], monday).iter().all(|value| value.is_nan()));
    }
}
