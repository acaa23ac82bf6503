//! Stored sessions told again as if they went on now: something that moves where nothing does.
//!
//! Each session is gone through minute by minute at any speed. Of a daily bar no more is known than
//! four prices, so its way is made up: from the open to the extreme that is nearer to it, to the other
//! one, and to the close. What is told says that it is a replay, and is never stored.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bist_feeds::http::BreakerState;
use bist_feeds::{Following, Heard, LiveSource, NobodyListens};
use bist_market::bar::{day_of, istanbul};
use bist_market::session_hours::SessionHours;
use bist_market::{
    Bar, Calendar, ExchangeRules, Origin, Price, Quote, Source, Symbol, ValidatedBars,
};
use bist_store::StoreError;
use jiff::civil::{Date, Time};
use tokio::sync::mpsc;

use super::event::{Change, PriceNow, ReplayMoment};
use super::quotes::origin_of;
use super::topic::Topic;
use super::{Hub, Live};
use crate::{App, DailyBars};

/// Seconds of a session between two prices of a symbol.
const STEP_S: u32 = 60;

/// After a failure of the database.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The slowest and the fastest replay.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.1..=100_000.0;

/// The most sessions that are replayed.
const SESSIONS_MAX: usize = 250;

/// What is replayed, and how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReplayPlan {
    speed: f64,
    sessions_count: usize,
}

/// Why nothing is replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The speed is none.
    #[error("{0} is no speed of a replay; give a number from 0.1 to 100000, where 1 is as it was")]
    Speed(f64),
    /// There are no sessions, or too many.
    #[error("{0} sessions cannot be replayed; give a number from 1 to {SESSIONS_MAX}")]
    Sessions(usize),
    /// There are no bars.
    #[error("there are no daily bars to replay; `bist ingest` or `bist sample` brings some")]
    NoBars,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ReplayPlan {
    /// The last `sessions_count` sessions, `speed` times as fast as they were.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Speed`] and [`ReplayError::Sessions`] when that cannot be.
    pub fn new(speed: f64, sessions_count: usize) -> Result<Self, ReplayError> {
        if !SPEEDS.contains(&speed) {
            return Err(ReplayError::Speed(speed));
        }
        if !(1..=SESSIONS_MAX).contains(&sessions_count) {
            return Err(ReplayError::Sessions(sessions_count));
        }
        Ok(Self { speed, sessions_count })
    }

    /// How long to wait between two prices of a symbol.
    fn pause(self) -> Duration {
        Duration::from_secs_f64(f64::from(STEP_S) / self.speed)
    }
}

/// Says that prices are those of a replay for as long as it lives.
struct Replaying(Arc<Hub>);

impl Replaying {
    fn of(live: &Live) -> Self {
        live.0.is_replay.store(true, Ordering::Relaxed);
        Self(Arc::clone(&live.0))
    }
}

impl Drop for Replaying {
    fn drop(&mut self) {
        self.0.is_replay.store(false, Ordering::Relaxed);
    }
}

/// The source of stored sessions.
#[derive(Debug)]
struct Replay {
    app: App,
    plan: ReplayPlan,
}

impl Replay {
    /// Hands the sessions of the plan on once.
    async fn round(&self, wanted: &[Symbol], heard: &Heard) -> Result<(), Stopped> {
        let bars = self.app.daily_bars().await.map_err(Stopped::Store)?;
        for day in last_days(&bars, self.plan.sessions_count) {
            let shares = bars_of(&bars, day);
            let times = minutes(day);
            for (step, time) in times.iter().enumerate() {
                let Ok(at) = istanbul().to_timestamp(day.to_datetime(*time)) else { continue };
                let of_wanted = shares.iter().filter(|(symbol, _)| wanted.contains(symbol));
                let quotes = of_wanted.map(|(symbol, bar)| {
                    let price = price_at(bar, step, times.len());
                    Quote { symbol: *symbol, price, at, base: None }
                });
                let handed_on = heard.quotes(quotes.collect()).await;
                handed_on.map_err(|NobodyListens| Stopped::NobodyListens)?;
                tokio::time::sleep(self.plan.pause()).await;
            }
        }
        Ok(())
    }
}

/// Why sessions are not handed on any more.
enum Stopped {
    NobodyListens,
    Store(StoreError),
}

impl LiveSource for Replay {
    fn source(&self) -> Source {
        Source::REPLAY
    }

    fn follow<'a>(&'a self, wanted: &'a [Symbol], heard: &'a Heard) -> Following<'a> {
        Box::pin(async move {
            loop {
                match self.round(wanted, heard).await {
                    Ok(()) => {}
                    Err(Stopped::NobodyListens) => return,
                    Err(Stopped::Store(error)) => {
                        tracing::warn!(%error, "sessions are replayed later: {error}");
                        tokio::time::sleep(TRY_AGAIN_AFTER).await;
                    }
                }
            }
        })
    }

    fn breaker(&self) -> Option<BreakerState> {
        None
    }
}

impl App {
    /// Tells the sessions of `plan` again and again, for as long as it is asked to. Meanwhile prices
    /// that are stored anew are not told.
    ///
    /// # Errors
    ///
    /// [`ReplayError`] when there is nothing to replay, or the database fails.
    pub async fn replay_sessions(&self, plan: ReplayPlan) -> Result<(), ReplayError> {
        let _replaying = Replaying::of(&self.live);
        let bars = self.daily_bars().await?;
        if last_days(&bars, plan.sessions_count).is_empty() {
            return Err(ReplayError::NoBars);
        }
        let wanted: Vec<Symbol> = bars.series.keys().copied().collect();
        let source = Replay { app: self.clone(), plan };
        let (heard, taken) = Heard::new(Arc::default(), self.clock());
        tokio::select! {
            () = source.follow(&wanted, &heard) => Ok(()),
            told = self.tell_replayed(taken) => told,
        }
    }

    /// Tells what is replayed, each batch at once.
    async fn tell_replayed(
        &self,
        mut taken: mpsc::Receiver<Vec<Quote>>,
    ) -> Result<(), ReplayError> {
        let mut shares = (Date::MIN, BTreeMap::new());
        while let Some(quotes) = taken.recv().await {
            let Some(day) = quotes.first().map(|quote| day_of(quote.at)) else { continue };
            if shares.0 != day {
                shares = (day, shares_on(&*self.daily_bars().await?, day));
            }
            let told =
                quotes.iter().filter_map(|quote| Some(shares.1.get(&quote.symbol)?.at(quote)));
            self.live.publish(self.now(), told.collect());
        }
        Ok(())
    }
}

/// The last `count` days on which a share was traded, oldest first.
fn last_days(bars: &DailyBars, count: usize) -> Vec<Date> {
    let all = bars.series.values().flat_map(|series| series.bars().iter().rev().take(count));
    let mut days: Vec<Date> = all.map(|bar| bar.day).collect();
    days.sort_unstable();
    days.dedup();
    let skipped = days.len().saturating_sub(count);
    days.split_off(skipped)
}

/// The minutes of a session; at least its end.
fn minutes(day: Date) -> Vec<Time> {
    let hours = SessionHours::on(day, Calendar::bist(), ExchangeRules::bist());
    let Some(hours) = hours else { return vec![Time::midnight()] };
    let next = |time: &Time| {
        let next = time.saturating_add(jiff::SignedDuration::from_secs(STEP_S.into()));
        (*time < hours.ends()).then(|| next.min(hours.ends()))
    };
    std::iter::successors(Some(hours.opens()), next).collect()
}

/// The bars of a day.
fn bars_of(bars: &DailyBars, day: Date) -> Vec<(Symbol, Bar)> {
    let bar_of = |(symbol, series): (&Symbol, &ValidatedBars)| {
        let index = series.bars().binary_search_by_key(&day, |bar| bar.day).ok()?;
        Some((*symbol, series.bars()[index]))
    };
    bars.series.iter().filter_map(bar_of).collect()
}

/// What is known of a share on a day that is replayed.
struct Share {
    origin: Origin,
    day: Date,
    before: Option<Price>,
    continues: bool,
}

fn shares_on(bars: &DailyBars, day: Date) -> BTreeMap<Symbol, Share> {
    let share = |(symbol, series): (&Symbol, &ValidatedBars)| {
        let index = series.bars().binary_search_by_key(&day, |bar| bar.day).ok()?;
        let share = Share {
            origin: origin_of(bars, *symbol),
            day,
            before: index.checked_sub(1).map(|before| series.bars()[before].close),
            continues: series.continues(index),
        };
        Some((*symbol, share))
    };
    bars.series.iter().filter_map(share).collect()
}

impl Share {
    /// Its price of a moment.
    fn at(&self, quote: &Quote) -> (Topic, Change) {
        let before = self.before.filter(|_| self.continues);
        let now = PriceNow {
            symbol: quote.symbol,
            origin: self.origin,
            as_of: Some(self.day),
            last_close: Some(quote.price),
            previous_close: self.before,
            change_share: before.map(|before| quote.price.lira() / before.lira() - 1.0),
            priced_at: None,
            is_stale: None,
            live_source: None,
            replay: Some(ReplayMoment { time: istanbul().to_datetime(quote.at).time() }),
        };
        (Topic::Price(quote.symbol), Change::Price(now))
    }
}

/// The price at one of `steps` on the way from the open over both extremes to the close.
#[expect(clippy::cast_precision_loss, reason = "a session has some hundred steps")]
fn price_at(bar: &Bar, step: usize, steps: usize) -> Price {
    if step + 1 >= steps {
        return bar.close;
    }
    let (open, close) = (bar.open.unwrap_or(bar.close), bar.close);
    let extremes = match open.lira() - bar.low.lira() <= bar.high.lira() - open.lira() {
        true => [bar.low, bar.high],
        false => [bar.high, bar.low],
    };
    let way = [open, extremes[0], extremes[1], close];
    // A third of the session for each leg, so that the way turns exactly at the extremes.
    let last = steps - 1;
    let turns = [0, last / 3, 2 * last / 3, last];
    let leg = turns[1..3].iter().filter(|turn| **turn <= step).count();
    let steps_of_leg = (turns[leg + 1] - turns[leg]).max(1);
    let part = (step - turns[leg]) as f64 / steps_of_leg as f64;
    let (from, to) = (way[leg].lira(), way[leg + 1].lira());
    let exact = Price::nearest(from + (to - from) * part);
    let stepped = exact.and_then(|price| ExchangeRules::bist().round_nearest(bar.day, price));
    stepped.map_or(close, |price| price.clamp(bar.low, bar.high))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn bar() -> Bar {
        let price = |text| Price::parse(text).unwrap();
        Bar {
            day: date(2026, 11, 20),
            opened_at: jiff::Timestamp::UNIX_EPOCH,
            open: Some(price("101.50")),
            high: price("102.50"),
            low: price("100.00"),
            close: price("100.50"),
            adjusted_close: None,
            volume: None,
        }
    }

    #[test]
    fn a_session_begins_with_the_open_touches_both_extremes_and_ends_with_the_close() {
        let bar = bar();
        let steps = minutes(bar.day).len();
        assert!(steps > 400, "{steps}");
        let way: Vec<Price> = (0..steps).map(|step| price_at(&bar, step, steps)).collect();
        assert_eq!((way[0], way[steps - 1]), (bar.open.unwrap(), bar.close));
        let mut sorted = way.clone();
        sorted.sort_unstable();
        assert_eq!((sorted[0], sorted[steps - 1]), (bar.low, bar.high));
        let high = way.iter().position(|price| *price == bar.high);
        assert!(
            high < way.iter().position(|price| *price == bar.low),
            "the nearer one comes first"
        );
    }

    #[test]
    fn a_speed_is_a_number_that_can_be() {
        assert!(ReplayPlan::new(60.0, 1).is_ok());
        for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(ReplayPlan::new(speed, 1), Err(ReplayError::Speed(_))), "{speed}");
        }
        assert!(matches!(ReplayPlan::new(1.0, 0), Err(ReplayError::Sessions(0))));
    }
}
