//! Sessions, applied to paper portfolios as soon as their bars are there.
//!
//! Each session of each portfolio is one transaction, in order, and is applied once whichever process
//! does so: what it did is kept together with the portfolio afterwards, under the revision that was seen.

mod traded;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use bist_access::Actor;
use bist_market::bar::day_of;
use bist_market::rename::current_name;
use bist_market::{
    Calendar, CorporateAction, ExchangeRules, InstrumentClass, Interval, Symbol, TradingTimes,
};
use bist_store::{Audit, PaperSession, SeriesOverview, StoreError, StoredOrder, StoredPortfolio};
use bist_trading::{
    DayValue, GRACE_SESSIONS, Order, PaperEvent, Portfolio, Session, SessionApplied, SessionBar,
    step,
};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::nightly::{due_at, last_due};
use crate::{App, DailyBars};

pub(crate) use traded::TradedShares;

/// What became of the paper portfolios.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PaperSessionsReport {
    /// Open portfolios of all people.
    pub portfolios_count: u64,
    /// Sessions that were applied, each to one portfolio.
    pub sessions_count: u64,
    /// Fills of orders.
    pub fills_count: u64,
    /// Orders that have expired.
    pub expired_count: u64,
    /// Portfolios that wait for bars of a session that is over.
    pub waiting_count: u64,
}

impl fmt::Display for PaperSessionsReport {
    /// `2 paper portfolios, 3 sessions applied, 1 fill, 0 orders expired`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |count: u64, one: &str| match count {
            1 => format!("1 {one}"),
            count => format!("{count} {one}s"),
        };
        write!(
            f,
            "{}, {} applied, {}, {} expired",
            of(self.portfolios_count, "paper portfolio"),
            of(self.sessions_count, "session"),
            of(self.fills_count, "fill"),
            of(self.expired_count, "order"),
        )?;
        if self.waiting_count > 0 {
            write!(f, ", {} waiting for bars", self.waiting_count)?;
        }
        Ok(())
    }
}

/// What is known of the bars that sessions are applied by.
struct KnownSessions {
    bars: Arc<DailyBars>,
    /// The last session whose bars are due.
    complete_until: Date,
    /// The newest day of a bar of any share.
    market_day: Date,
    /// When the source in use was last asked for a symbol.
    fetched_at: BTreeMap<Symbol, Timestamp>,
}

impl App {
    /// Applies to all open portfolios every session since the last one that was, as far as the bars are
    /// there. Doing so twice, or in several processes at once, does no more than once.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or nothing can be put on record; the sessions that were
    /// applied until then stay, and the next run goes on behind them.
    pub async fn apply_paper_sessions(&self) -> Result<PaperSessionsReport, StoreError> {
        self.store.forget_paper_of_the_forgotten().await?;
        let portfolios = self.store.open_portfolios().await?;
        let mut report = PaperSessionsReport {
            portfolios_count: portfolios.len() as u64,
            ..PaperSessionsReport::default()
        };
        if portfolios.is_empty() {
            return Ok(report);
        }
        let Some(known) = self.known_sessions().await? else { return Ok(report) };
        for stored in portfolios {
            self.catch_up(&stored, &known, &mut report).await?;
        }
        if report.sessions_count > 0 {
            self.live.stir();
        }
        Ok(report)
    }

    /// The same after data were taken in, which stay whatever becomes of it.
    pub(crate) async fn apply_paper_sessions_after_ingest(&self) {
        if let Err(error) = self.apply_paper_sessions().await {
            tracing::warn!(%error, "sessions could not be applied to paper portfolios: {error}");
        }
    }

    /// What there is of bars; `None` without a share, or before the first session of the calendar.
    async fn known_sessions(&self) -> Result<Option<KnownSessions>, StoreError> {
        let bars = self.daily_bars().await?;
        let is_share = |symbol: &Symbol| symbol.class() == InstrumentClass::Share;
        let shares = bars.series.iter().filter(|(symbol, _)| is_share(symbol));
        let market_day = shares.filter_map(|(_, series)| Some(series.bars().last()?.day)).max();
        let complete_until = last_due(self.now(), Calendar::bist()).map(|(day, _)| day);
        let Some((market_day, complete_until)) = market_day.zip(complete_until) else {
            return Ok(None);
        };
        let overviews = self.store.series_overviews().await?;
        let is_in_use = |of: &&SeriesOverview| {
            of.interval == Interval::Daily
                && bars.checked.primary.get(&of.symbol) == Some(&of.source)
        };
        let fetched_at =
            overviews.iter().filter(is_in_use).map(|of| (of.symbol, of.fetched_at)).collect();
        Ok(Some(KnownSessions { bars, complete_until, market_day, fetched_at }))
    }

    /// Applies one session after the other to a portfolio, as far as there is something to apply.
    async fn catch_up(
        &self,
        seen: &StoredPortfolio,
        known: &KnownSessions,
        report: &mut PaperSessionsReport,
    ) -> Result<(), StoreError> {
        loop {
            // With its orders as they are at one moment, whoever has changed them meanwhile.
            let Some((before, orders)) = self.store.portfolio(&seen.account, &seen.id).await?
            else {
                return Ok(());
            };
            let day = Calendar::bist().next_session(before.portfolio.through);
            let Some(day) = day.filter(|day| *day <= known.complete_until) else { return Ok(()) };
            if before.closed_at.is_some() {
                return Ok(());
            }
            if !known.is_ready(day, &symbols_of(&before.portfolio, &orders)) {
                report.waiting_count += 1;
                return Ok(());
            }
            if !self.apply(&before, &orders, day, known, report).await? {
                return Ok(());
            }
        }
    }

    /// Applies the session of `day` to `before`, unless somebody has changed it meanwhile; whether there
    /// may be another one to apply.
    async fn apply(
        &self,
        before: &StoredPortfolio,
        open: &[StoredOrder],
        day: Date,
        known: &KnownSessions,
        report: &mut PaperSessionsReport,
    ) -> Result<bool, StoreError> {
        let symbols = symbols_of(&before.portfolio, open);
        let traded = self.traded_shares(&known.bars, symbols.iter().copied()).await?;
        let (halt, _) = self.store.trading_halt().await?;
        let day = DayOf { day, traded, halted: halt.is_some_and(|halt| halt.is_halted) };
        let mut portfolio = before.portfolio.clone();
        let mut orders: Vec<Order> = open.iter().map(|stored| stored.order.clone()).collect();
        let Ok((events, value)) = day.apply(&mut portfolio, &mut orders, &symbols) else {
            return Ok(false);
        };
        let after: Vec<StoredOrder> = open
            .iter()
            .zip(orders)
            .map(|(stored, order)| StoredOrder { order, ..stored.clone() })
            .collect();
        let changed = after.iter().zip(open).filter(|(now, was)| now != was);
        let changed: Vec<StoredOrder> = changed.map(|(now, _)| now.clone()).collect();
        let events: Vec<(Option<StoredOrder>, PaperEvent)> = events
            .into_iter()
            .map(|event| (order_of(&event).and_then(|at| after.get(at)).cloned(), event))
            .collect();
        let kept = PaperSession {
            portfolio: &portfolio,
            orders: &changed,
            events: &events,
            value: &value,
        };
        let audit = Audit { actor: Actor::System, request_id: None, ..self.audit().await? };
        if self.store.save_paper_session(before, kept, &audit).await? {
            let count = |is: fn(&PaperEvent) -> bool| {
                events.iter().filter(|(_, event)| is(event)).count() as u64
            };
            report.sessions_count += 1;
            report.fills_count += count(|event| matches!(event, PaperEvent::Filled { .. }));
            report.expired_count += count(|event| matches!(event, PaperEvent::Expired { .. }));
        }
        Ok(true)
    }
}

/// A session that is to be applied.
struct DayOf {
    day: Date,
    /// The bars of the shares that it is about.
    traded: TradedShares,
    halted: bool,
}

impl DayOf {
    fn apply(
        &self,
        portfolio: &mut Portfolio,
        orders: &mut [Order],
        symbols: &BTreeSet<Symbol>,
    ) -> Result<(Vec<PaperEvent>, DayValue), SessionApplied> {
        let (day, through) = (self.day, portfolio.through);
        let shares = symbols.iter().filter_map(|symbol| Some((*symbol, self.traded.get(*symbol)?)));
        let bars: BTreeMap<Symbol, SessionBar> = shares
            .clone()
            .filter_map(|(symbol, share)| {
                Some((symbol, share.session(day, ExchangeRules::bist())?))
            })
            .collect();
        // What takes effect on a day without a session does so on the next one.
        let actions: Vec<CorporateAction> =
            shares.flat_map(|(_, share)| share.actions_of(through, day)).collect();
        let session = Session { day, bars: &bars, actions: &actions, halted: self.halted };
        let before = day.yesterday().unwrap_or(day);
        step(portfolio, orders, &session, &|symbol| self.traded.close_by(symbol, before))
    }
}

impl KnownSessions {
    /// Whether everything that the session of `day` can say of `symbols` is there.
    fn is_ready(&self, day: Date, symbols: &BTreeSet<Symbol>) -> bool {
        day <= self.complete_until
            && day <= self.market_day
            && symbols.iter().all(|symbol| self.is_told(day, current_name(*symbol)))
    }

    /// Whether the source has said what there was of `symbol` on `day`: it was asked when its data were
    /// due, or has told of later days, or so many sessions have come since that nothing will.
    fn is_told(&self, day: Date, symbol: Symbol) -> bool {
        let calendar = Calendar::bist();
        let series = self.bars.series.get(&symbol);
        let last_day = series.and_then(|series| series.bars().last()).map(|bar| bar.day);
        let fetched_at = self.fetched_at.get(&symbol).copied();
        let asked_in_time =
            fetched_at.zip(due_at(day, calendar)).is_some_and(|(at, due)| at >= due);
        let since = calendar.sessions_between(day, self.market_day);
        last_day.is_some_and(|last| last > day)
            || asked_in_time
            || since.is_some_and(|count| count > GRACE_SESSIONS)
    }
}

/// The shares that a session of a portfolio is about.
fn symbols_of(portfolio: &Portfolio, orders: &[StoredOrder]) -> BTreeSet<Symbol> {
    let ordered = orders.iter().map(|stored| stored.order.intent.symbol);
    portfolio.positions.keys().copied().chain(ordered).collect()
}

/// The place among the orders of its session of the one that `event` is about.
const fn order_of(event: &PaperEvent) -> Option<usize> {
    match event {
        PaperEvent::Filled { order, .. } | PaperEvent::Expired { order, .. } => Some(*order),
        PaperEvent::Dividend { .. } | PaperEvent::Shares { .. } | PaperEvent::RightsSold { .. } => {
            None
        }
    }
}

/// The last session that has ended by `now`, by the timetable; `None` before the calendar.
pub(crate) fn last_ended(now: Timestamp) -> Option<Date> {
    let (calendar, times) = (Calendar::bist(), TradingTimes::bist());
    let today = day_of(now);
    if times.ends_at(today).is_some_and(|ends| ends <= now) {
        return Some(today);
    }
    calendar.previous_session(today)
}
