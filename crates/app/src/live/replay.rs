//! Stored sessions told again as if they went on now: something that moves where nothing does.
//!
//! Each session is gone through minute by minute at any speed. Of a daily bar no more is known than
//! four prices, so its way is made up: from the open to the extreme that is nearer to it, to the other
//! one, and to the close. What is told says that it is a replay, and is never stored.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bist_market::session_hours::SessionHours;
use bist_market::{Bar, Calendar, ExchangeRules, Origin, Price, Symbol};
use bist_store::StoreError;
use jiff::civil::{Date, Time};

use super::event::{Change, PriceNow, ReplayMoment};
use super::topic::Topic;
use super::{Hub, Live};
use crate::{App, DailyBars};

/// Seconds of a session between two prices of a symbol.
const STEP_S: u32 = 60;

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

impl App {
    /// Tells the sessions of `plan` again and again, for as long as it is asked to. Meanwhile prices
    /// that are stored anew are not told.
    ///
    /// # Errors
    ///
    /// [`ReplayError`] when there is nothing to replay, or the database fails.
    pub async fn replay_sessions(&self, plan: ReplayPlan) -> Result<(), ReplayError> {
        let _replaying = Replaying::of(&self.live);
        loop {
            let bars = self.daily_bars().await?;
            let days = last_days(&bars, plan.sessions_count);
            if days.is_empty() {
                return Err(ReplayError::NoBars);
            }
            for day in days {
                self.replay_session(&bars, day, plan).await;
            }
        }
    }

    /// Tells one session.
    async fn replay_session(&self, bars: &DailyBars, day: Date, plan: ReplayPlan) {
        let shares = shares(bars, day);
        let times = minutes(day);
        for (step, time) in times.iter().enumerate() {
            let moment = ReplayMoment { time: *time };
            let now = shares.iter().map(|share| share.at(step, times.len(), moment)).collect();
            self.live.publish(self.now(), now);
            tokio::time::sleep(plan.pause()).await;
        }
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

/// A share on a day that is replayed.
struct Share {
    symbol: Symbol,
    origin: Origin,
    bar: Bar,
    before: Option<Price>,
    continues: bool,
}

fn shares(bars: &DailyBars, day: Date) -> Vec<Share> {
    let origin_of = |symbol| {
        let overview = bars.overviews.iter().find(|known| known.instrument.symbol == symbol);
        overview.map_or(Origin::Market, |known| known.instrument.origin)
    };
    let share = |(symbol, series): (&Symbol, &bist_market::ValidatedBars)| {
        let index = series.bars().binary_search_by_key(&day, |bar| bar.day).ok()?;
        Some(Share {
            symbol: *symbol,
            origin: origin_of(*symbol),
            bar: series.bars()[index],
            before: index.checked_sub(1).map(|before| series.bars()[before].close),
            continues: series.continues(index),
        })
    };
    bars.series.iter().filter_map(share).collect()
}

impl Share {
    /// What is known of it at one of `steps`.
    fn at(&self, step: usize, steps: usize, moment: ReplayMoment) -> (Topic, Change) {
        let price = price_at(&self.bar, step, steps);
        let before = self.before.filter(|_| self.continues);
        let now = PriceNow {
            symbol: self.symbol,
            origin: self.origin,
            as_of: Some(self.bar.day),
            last_close: Some(price),
            previous_close: self.before,
            change_share: before.map(|before| price.lira() / before.lira() - 1.0),
            replay: Some(moment),
        };
        (Topic::Price(self.symbol), Change::Price(now))
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
