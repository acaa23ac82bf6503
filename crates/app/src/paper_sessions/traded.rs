//! Prices as shares were traded at, which paper orders are executed at and portfolios valued by.

use std::collections::BTreeMap;

use bist_market::adjust::{PriceTerms, ReturnFlavour, adjusted, unadjust};
use bist_market::rename::current_name;
use bist_market::{
    Bar, Calendar, CorporateAction, CorporateActionKind, ExchangeRules, Price, PriceBasis, Shares,
    Symbol, ValidatedBars, theoretical_base_of,
};
use bist_store::StoreError;
use bist_trading::SessionBar;
use jiff::civil::Date;

use crate::{App, DailyBars};

/// The bars of one share as it was traded, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct Traded {
    symbol: Symbol,
    bars: Vec<TradedBar>,
    actions: Vec<CorporateAction>,
}

/// One session of a share, in prices of that day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TradedBar {
    pub(crate) day: Date,
    open: Option<Price>,
    high: Price,
    low: Price,
    pub(crate) close: Price,
    volume: Option<Shares>,
}

/// The bars of several shares.
#[derive(Clone, Debug, Default)]
pub(crate) struct TradedShares(BTreeMap<Symbol, Traded>);

impl App {
    /// The bars of those of `symbols` whose traded prices can be told, under the names that are asked for;
    /// a share that was renamed since is found by its former name too.
    pub(crate) async fn traded_shares(
        &self,
        bars: &DailyBars,
        symbols: impl IntoIterator<Item = Symbol>,
    ) -> Result<TradedShares, StoreError> {
        let mut shares = BTreeMap::new();
        for symbol in symbols {
            let present = current_name(symbol);
            if let Some(series) = bars.series.get(&present) {
                let known = self.store.actions(present, None).await?;
                let actions = known.into_iter().map(|record| record.action).collect();
                shares.extend(Traded::of(symbol, series, actions).map(|traded| (symbol, traded)));
            }
        }
        Ok(TradedShares(shares))
    }
}

impl TradedShares {
    pub(crate) fn get(&self, symbol: Symbol) -> Option<&Traded> {
        self.0.get(&symbol)
    }

    /// The last close of `symbol` on or before `day`.
    pub(crate) fn close_by(&self, symbol: Symbol, day: Date) -> Option<Price> {
        Some(self.get(symbol)?.last_by(day)?.close)
    }
}

impl Traded {
    /// `None` where prices are adjusted for everything: what was traded at cannot be told then. Prices of
    /// which nothing says what they are are taken as they are, as everywhere.
    fn of(symbol: Symbol, series: &ValidatedBars, actions: Vec<CorporateAction>) -> Option<Self> {
        let bars = match series.quality().basis {
            PriceBasis::Raw | PriceBasis::Unknown => {
                series.bars().iter().map(TradedBar::from).collect()
            }
            PriceBasis::SplitAdjusted => unadjusted(series.bars(), &actions),
            PriceBasis::FullyAdjusted => return None,
        };
        Some(Self { symbol, bars, actions })
    }

    /// The last bar on or before `day`.
    pub(crate) fn last_by(&self, day: Date) -> Option<&TradedBar> {
        self.bars[..self.bars.partition_point(|bar| bar.day <= day)].last()
    }

    /// The newest bar.
    pub(crate) fn last(&self) -> Option<&TradedBar> {
        self.bars.last()
    }

    /// What the session of `day` was, with the prices between which orders were taken; `None` when the
    /// share was not traded.
    pub(crate) fn session(&self, day: Date, rules: &ExchangeRules) -> Option<SessionBar> {
        let at = self.bars.binary_search_by_key(&day, |bar| bar.day).ok()?;
        let bar = self.bars[at];
        let previous = at.checked_sub(1).map(|before| self.bars[before]);
        let limits = previous.and_then(|previous| {
            let kinds: Vec<CorporateActionKind> =
                self.actions_of(previous.day, day).map(|action| action.kind).collect();
            let base = Price::nearest(theoretical_base_of(&kinds, previous.close))?;
            rules.daily_limits_of(day, self.symbol, base)
        });
        Some(SessionBar {
            open: bar.open,
            high: bar.high,
            low: bar.low,
            close: bar.close,
            volume: bar.volume,
            limits,
            previous_close: previous.map(|previous| previous.close),
        })
    }

    /// What takes effect after `after` and by `day`, as of `day`.
    pub(crate) fn actions_of(
        &self,
        after: Date,
        day: Date,
    ) -> impl Iterator<Item = CorporateAction> {
        let symbol = self.symbol;
        let due = move |action: &&CorporateAction| {
            after < action.effective_on && action.effective_on <= day
        };
        self.actions.iter().filter(due).map(move |action| CorporateAction {
            symbol,
            effective_on: day,
            ..*action
        })
    }
}

impl Traded {
    /// The daily returns up to `until`, dividends reinvested, by day: only those over one session, and not
    /// across a break in the series.
    pub(crate) fn returns(&self, bars: &DailyBars, until: Date) -> BTreeMap<Date, f64> {
        let Some(series) = bars.series.get(&current_name(self.symbol)) else {
            return BTreeMap::new();
        };
        let all = series.bars();
        let known = &all[..all.partition_point(|bar| bar.day <= until)];
        let Some(last) = known.last() else { return BTreeMap::new() };
        let terms = PriceTerms::of(series.quality().basis, all[all.len() - 1].day);
        let closes: Vec<f64> = match terms {
            Some(terms) => {
                let flavour = ReturnFlavour::Total;
                let adjusted = adjusted(all, &self.actions, terms, last.day, flavour);
                adjusted.iter().map(|bar| bar.close).collect()
            }
            None => known.iter().map(|bar| bar.close.lira()).collect(),
        };
        let next_session = |at: usize| Calendar::bist().next_session(known[at].day);
        (1..known.len())
            .filter(|at| series.continues(*at) && next_session(at - 1) == Some(known[*at].day))
            .map(|at| (known[at].day, closes[at] / closes[at - 1] - 1.0))
            .collect()
    }
}

impl From<&Bar> for TradedBar {
    fn from(bar: &Bar) -> Self {
        let Bar { day, open, high, low, close, volume, .. } = *bar;
        Self { day, open, high, low, close, volume }
    }
}

/// The bars as they were traded, from split-adjusted ones. What a source has rounded is taken back to the
/// valid price next to it; a bar that is none then is left out.
fn unadjusted(bars: &[Bar], actions: &[CorporateAction]) -> Vec<TradedBar> {
    let Some(last) = bars.last() else { return Vec::new() };
    let raw = unadjust(bars, actions, last.day);
    raw.iter()
        .filter_map(|bar| {
            let price = |lira: f64| {
                let price = Price::nearest(lira)?;
                ExchangeRules::bist().round_nearest(bar.day, price)
            };
            Some(TradedBar {
                day: bar.day,
                open: bar.open.and_then(price),
                high: price(bar.high)?,
                low: price(bar.low)?,
                close: price(bar.close)?,
                volume: bar.volume_shares.map(Shares::nearest),
            })
        })
        .collect()
}
