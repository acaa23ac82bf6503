//! What the index of the exchange and the dollar did, when their series are given.

use std::collections::BTreeMap;

use bist_market::{ExchangeRules, Interval, ValidatedBars};
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::FeatureDefinition;
use super::run::Run;
use crate::indicators::window::Lag;
use crate::indicators::{CloseToClose, Indicator as _};

/// The index that stands for the exchange.
pub(crate) const INDEX: &str = "XU100";

/// The rate of exchange that moves the exchange.
pub(crate) const FX: &str = "USDTRY";

/// A rate older than this says nothing about today.
const FX_AGE_DAYS_MAX: i32 = 7;

/// What [`of_days`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureDefinition; 8] = [
    index("index_return_1", "ln(XU100[t] / XU100[t-1])"),
    index("index_return_5", "ln(XU100[t] / XU100[t-5])"),
    index("index_return_20", "ln(XU100[t] / XU100[t-20])"),
    index("index_volatility_20", "sample standard deviation of index_return_1 over 20 sessions"),
    fx("usdtry_return_1", "ln(USDTRY[d] / USDTRY[d-1]), d the last day before the session"),
    fx("usdtry_return_5", "ln(USDTRY[d] / USDTRY[d-5]), d the last day before the session"),
    fx("usdtry_return_20", "ln(USDTRY[d] / USDTRY[d-20]), d the last day before the session"),
    fx("usdtry_volatility_20", "sample standard deviation of the last 20 of usdtry_return_1"),
];

const fn index(name: &'static str, formula: &'static str) -> FeatureDefinition {
    FeatureDefinition { name, formula, source: "BIST 100; NaN without a series of it" }
}

const fn fx(name: &'static str, formula: &'static str) -> FeatureDefinition {
    FeatureDefinition {
        name,
        formula,
        source: "rate of the day before, for the rate of the day closes after the exchange; NaN \
                 without a series of it",
    }
}

/// The features of [`DEFINITIONS`] for each of `days`.
pub(crate) fn of_days(series: &[ValidatedBars], days: &[Date]) -> Vec<[f64; 8]> {
    let moves_of = |symbol: &str| {
        let of_symbol = series.iter().find(|series| {
            series.symbol().as_str() == symbol && series.interval() == Interval::Daily
        });
        of_symbol.map_or_else(BTreeMap::new, moves)
    };
    let (index, fx) = (moves_of(INDEX), moves_of(FX));
    let unknown = [f64::NAN; 4];
    days.iter()
        .map(|&day| {
            let [i1, i5, i20, i_volatility] = index.get(&day).copied().unwrap_or(unknown);
            let oldest = day.saturating_sub(FX_AGE_DAYS_MAX.days());
            let [f1, f5, f20, f_volatility] =
                fx.range(oldest..day).next_back().map_or(unknown, |(_, moves)| *moves);
            [i1, i5, i20, i_volatility, f1, f5, f20, f_volatility]
        })
        .collect()
}

/// Log-returns over 1, 5 and 20 bars, and their volatility over 20, as of each bar.
fn moves(series: &ValidatedBars) -> BTreeMap<Date, [f64; 4]> {
    let mut moves = BTreeMap::new();
    for run in Run::cut(series, ExchangeRules::bist()) {
        let mut before = [1, 5, 20].map(Lag::new);
        let mut volatility = CloseToClose::new(20);
        for of_run in run.bars {
            let close = of_run.bar.close;
            let [r1, r5, r20] = before.each_mut().map(|lag| (close / lag.push(close)).ln());
            moves.insert(of_run.day, [r1, r5, r20, volatility.push(close)]);
        }
    }
    moves
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
        let of_monday = of_days(&series, &[monday])[0];
        let index = (close(&series[0], monday) / close(&series[0], friday)).ln();
        assert!((of_monday[0] - index).abs() < 1e-8);
        let thursday = date(2024, 2, 29);
        let dollar = (close(&series[1], friday) / close(&series[1], thursday)).ln();
        assert!((of_monday[4] - dollar).abs() < 1e-8);
        // A rate that ended long ago is not taken for today's.
        assert!(of_days(&series, &[date(2024, 4, 15)])[0].iter().all(|value| value.is_nan()));
        assert!(of_days(&[], &[monday])[0].iter().all(|value| value.is_nan()));
    }
}
