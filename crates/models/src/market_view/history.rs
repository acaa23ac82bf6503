//! One symbol's bars on the scales of their runs, and the returns of the market.

use std::collections::BTreeMap;

use bist_market::{Bar, ExchangeRules, Symbol, ValidatedBars};
use jiff::civil::Date;

use super::count;
use crate::features::run::{Run, RunBar};

/// The daily bars of a symbol up to a day, cut into runs within which prices may be compared.
#[derive(Debug)]
pub struct History {
    symbol: Symbol,
    runs: Vec<Run>,
    /// As it was traded.
    last: Option<Bar>,
}

impl History {
    /// The bars of `series` up to and including `as_of`.
    pub fn of(series: &ValidatedBars, as_of: Date) -> Self {
        let mut runs = Run::cut(series, ExchangeRules::bist());
        for run in &mut runs {
            run.bars.truncate(run.bars.partition_point(|bar| bar.day <= as_of));
        }
        runs.retain(|run| !run.bars.is_empty());
        let known = series.bars().partition_point(|bar| bar.day <= as_of);
        let last = known.checked_sub(1).map(|last| series.bars()[last]);
        Self { symbol: series.symbol(), runs, last }
    }

    /// Whose bars.
    pub fn symbol(&self) -> Symbol {
        self.symbol
    }

    /// The last bar, as it was traded.
    pub fn last(&self) -> Option<&Bar> {
        self.last.as_ref()
    }

    /// The bars since the last break, oldest first.
    pub(super) fn last_run(&self) -> &[RunBar] {
        self.runs.last().map_or(&[], |run| &run.bars)
    }

    /// The log-return of each bar that follows another of its run, with the days of both.
    pub fn log_returns(&self) -> impl Iterator<Item = ((Date, Date), f64)> {
        self.runs.iter().flat_map(|run| {
            run.bars.windows(2).map(|pair| {
                ((pair[0].day, pair[1].day), (pair[1].bar.close / pair[0].bar.close).ln())
            })
        })
    }

    /// The return from the close of `from` to that of `to`; `None` where there is no bar on either
    /// day, or a break lies in between.
    pub fn return_between(&self, from: Date, to: Date) -> Option<f64> {
        let run = self.runs.iter().find(|run| run.bars.last().is_some_and(|bar| bar.day >= to))?;
        let close = |day| {
            let at = run.bars.binary_search_by_key(&day, |bar| bar.day).ok()?;
            Some(run.bars[at].bar.close)
        };
        Some(close(to)? / close(from)? - 1.0)
    }

    /// The turnover of each day, lira; NaN where the volume is unknown.
    pub fn turnovers(&self) -> impl Iterator<Item = (Date, f64)> {
        self.runs.iter().flat_map(|run| run.bars.iter().map(|bar| (bar.day, bar.turnover)))
    }
}

/// What a series did from one day to the next: the log-return by the days between which it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MarketReturns(pub BTreeMap<(Date, Date), f64>);

impl MarketReturns {
    /// The returns of one symbol, such as an index.
    pub fn of(history: &History) -> Self {
        Self(history.log_returns().collect())
    }

    /// The returns of a portfolio that holds the same amount of every symbol each day: the mean
    /// of the returns that are known between two days, as a log-return.
    ///
    /// Two days between which less than half as many symbols have a return as between the most
    /// common two that end on that day are left out, so that a symbol that paused makes no day of
    /// its own.
    pub fn equal_weighted(histories: &[History]) -> Self {
        let mut sums: BTreeMap<(Date, Date), (f64, usize)> = BTreeMap::new();
        for (days, log_return) in histories.iter().flat_map(History::log_returns) {
            let sum = sums.entry(days).or_default();
            *sum = (sum.0 + log_return.exp_m1(), sum.1 + 1);
        }
        let mut most: BTreeMap<Date, usize> = BTreeMap::new();
        for ((_, to), (_, known_count)) in &sums {
            let most = most.entry(*to).or_default();
            *most = (*most).max(*known_count);
        }
        let common = sums.into_iter().filter(|((_, to), sum)| 2 * sum.1 > most[to]);
        Self(common.map(|(days, (sum, known))| (days, (sum / count(known)).ln_1p())).collect())
    }

    /// The returns of a portfolio that is brought back to `weights` each day, on the days on which
    /// every return is known.
    pub fn weighted(holdings: &[(&History, f64)]) -> Self {
        let mut sums: BTreeMap<(Date, Date), (f64, usize)> = BTreeMap::new();
        for (history, weight) in holdings {
            for (days, log_return) in history.log_returns() {
                let sum = sums.entry(days).or_default();
                *sum = (sum.0 + weight * log_return.exp_m1(), sum.1 + 1);
            }
        }
        let whole = sums.into_iter().filter(|(_, sum)| sum.1 == holdings.len() && sum.0 > -1.0);
        Self(whole.map(|(days, (sum, _))| (days, sum.ln_1p())).collect())
    }
}
