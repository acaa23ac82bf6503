//! The list of symbols, each with what a trader wants to see first.

use std::collections::BTreeMap;

use bist_lifecycle::HORIZON_DEFAULT;
use bist_market::bar::day_of;
use bist_market::calendar::Calendar;
use bist_market::validate::ValidatedBars;
use bist_market::{Instrument, Price, Source, Symbol, TradingTimes};
use bist_store::{SignalRecord, StoreError, SymbolOverview};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::App;
use crate::live::PriceNow;

/// One session is the day that may not have been received yet; from this many on, bars are old.
const OLD_SESSIONS_MIN: u32 = 2;

/// One symbol as the list shows it.
#[derive(Clone, Debug)]
pub struct SymbolView {
    /// Ticker, name, sector and origin.
    pub instrument: Instrument,
    /// The source that models and charts use.
    pub source: Source,
    /// Every source that has daily bars of it, the one in use first.
    pub sources: Vec<Source>,
    /// When they were received.
    pub fetched_at: Timestamp,
    /// Daily bars that passed the checks.
    pub bars_count: u64,
    /// Day of the first of them.
    pub first_day: Option<Date>,
    /// Day of the last of them.
    pub last_day: Option<Date>,
    /// The day up to which anything said of the symbol is known; the same as `last_day`.
    pub as_of: Option<Date>,
    /// Close of the last bar.
    pub last_close: Option<Price>,
    /// Close of the bar before it.
    pub previous_close: Option<Price>,
    /// Return from the one to the other; `None` across a break in the series.
    pub change_share: Option<f64>,
    /// Quality of the series in 0..=1; `None` when nothing could be judged.
    pub quality_share: Option<f64>,
    /// Sessions of the exchange that have ended since `as_of`; `None` when the calendar does not
    /// reach so far.
    pub stale_sessions: Option<u32>,
    /// How old the last close is.
    pub age: BarAge,
    /// The price of this moment, where a live source tells one.
    pub quote: Option<PriceNow>,
    /// The newest signal of the champion for [`HORIZON_DEFAULT`].
    pub signal: Option<SignalRecord>,
}

/// How old the newest bar is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BarAge {
    /// When its close was the price: the end of its session; `None` where the hours are not known.
    pub priced_at: Option<Timestamp>,
    /// Whether more sessions have ended since than the one that may not have been received yet; `None`
    /// when that is not known.
    pub is_stale: Option<bool>,
}

impl BarAge {
    /// That of a bar of `day`, today.
    pub(crate) fn of(day: Option<Date>, today: Date) -> Self {
        let ended = day.and_then(|day| ended_sessions_since(day, today));
        Self {
            priced_at: day.and_then(|day| TradingTimes::bist().ends_at(day)),
            is_stale: ended.map(|sessions| sessions >= OLD_SESSIONS_MIN),
        }
    }
}

/// Whole seconds from `since` to `now`; none when `since` is still to come.
pub fn age_s(since: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.duration_since(since).as_secs()).unwrap_or_default()
}

impl App {
    /// All symbols with daily bars, by ticker.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn symbols(&self) -> Result<Vec<SymbolView>, StoreError> {
        let bars = self.daily_bars().await?;
        let mut signals: BTreeMap<Symbol, SignalRecord> = self
            .signals(HORIZON_DEFAULT, None)
            .await?
            .into_iter()
            .map(|record| (record.signal.symbol, record))
            .collect();
        let today = day_of(self.now());
        let known = bars.overviews.iter();
        Ok(known
            .filter_map(|overview| {
                let symbol = overview.instrument.symbol;
                let series = bars.series.get(&symbol)?;
                let sources = bars.sources_of(symbol);
                let signal = signals.remove(&symbol);
                let view = view(overview.clone(), sources, series, signal, today);
                Some(self.with_quote(view))
            })
            .collect())
    }

    /// One symbol; `None` when the store has no daily bars of it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn symbol(&self, symbol: Symbol) -> Result<Option<SymbolView>, StoreError> {
        let bars = self.daily_bars().await?;
        let overview = bars.overviews.iter().find(|known| known.instrument.symbol == symbol);
        let (Some(overview), Some(series)) = (overview, bars.series.get(&symbol)) else {
            return Ok(None);
        };
        let signal = self.signals(HORIZON_DEFAULT, Some(symbol)).await?.into_iter().next();
        let sources = bars.sources_of(symbol);
        let view = view(overview.clone(), sources, series, signal, day_of(self.now()));
        Ok(Some(self.with_quote(view)))
    }

    fn with_quote(&self, view: SymbolView) -> SymbolView {
        SymbolView { quote: self.quote_after(view.instrument.symbol, view.as_of), ..view }
    }
}

fn view(
    overview: SymbolOverview,
    sources: Vec<Source>,
    series: &ValidatedBars,
    signal: Option<SignalRecord>,
    today: Date,
) -> SymbolView {
    let bars = series.bars();
    let last = bars.last();
    let previous = bars.len().checked_sub(2).map(|i| &bars[i]);
    let change_share = match (previous, last) {
        (Some(previous), Some(last)) if series.continues(bars.len() - 1) => {
            Some(last.close.lira() / previous.close.lira() - 1.0)
        }
        _ => None,
    };
    let quality = series.quality();
    SymbolView {
        instrument: overview.instrument,
        source: quality.source,
        sources,
        fetched_at: overview.fetched_at,
        bars_count: bars.len() as u64,
        first_day: bars.first().map(|bar| bar.day),
        last_day: last.map(|bar| bar.day),
        as_of: last.map(|bar| bar.day),
        last_close: last.map(|bar| bar.close),
        previous_close: previous.map(|bar| bar.close),
        change_share,
        quality_share: (!bars.is_empty()).then(|| quality.score_share()),
        stale_sessions: last.and_then(|bar| ended_sessions_since(bar.day, today)),
        age: BarAge::of(last.map(|bar| bar.day), today),
        quote: None,
        signal,
    }
}

/// Sessions that have ended after `day` and before `today`; today's own has not ended yet.
pub(crate) fn ended_sessions_since(day: Date, today: Date) -> Option<u32> {
    let until = today.yesterday().ok()?;
    if until <= day { Some(0) } else { Calendar::bist().sessions_between(day, until) }
}
