//! A source that is asked again and again while a session is on: its newest bar of minutes tells the
//! price of the moment.
//!
//! Any [`Provider`] with bars of minutes will do; its pace, its retries and its circuit breaker are
//! those that it has anyway.

use std::sync::Arc;
use std::time::Duration;

use bist_market::bar::day_of;
use bist_market::{
    Clock, Interval, Price, Quote, QuoteRefusal, RawBar, Source, Symbol, TradingTimes,
};
use jiff::{SignedDuration, Timestamp};

use crate::fetch_error::FetchError;
use crate::http::{BreakerState, Waits};
use crate::live_source::{Following, Heard, LiveSource, NobodyListens};
use crate::provider::{Batch, Content, Fetched, Piece, Provider, Validators, Wanted};

/// What a bar covers that tells the price of the moment.
const INTERVAL: Interval = Interval::Minutes(1);

/// The longest wait at once, so that a machine that slept sees the time when it wakes.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// How a source is asked again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollingSettings {
    /// From the beginning of one round to that of the next, where it is not longer itself.
    pub every: Duration,
    /// How much later than the exchange the source may be: so long it is asked after a session.
    pub delay_max: Duration,
}

/// A provider that is asked again and again.
#[derive(Debug)]
pub struct PollingSource {
    provider: Arc<dyn Provider>,
    settings: PollingSettings,
    waits: Arc<dyn Waits>,
    clock: Arc<dyn Clock>,
}

/// Why a round was not gone through.
enum Stopped {
    NobodyListens,
    Fetch(FetchError),
}

impl PollingSource {
    /// Asks `provider` as `settings` say; nothing is sent yet.
    pub fn new(
        provider: Arc<dyn Provider>,
        settings: PollingSettings,
        waits: Arc<dyn Waits>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { provider, settings, waits, clock }
    }

    /// Waits until a session is on, or was a moment ago.
    async fn wait_for_session(&self) {
        loop {
            let now = self.clock.now();
            let late = SignedDuration::try_from(self.settings.delay_max).unwrap_or_default();
            let times = TradingTimes::bist();
            let was_open = now.checked_sub(late).is_ok_and(|before| times.is_open(before));
            if was_open || times.is_open(now) {
                return;
            }
            let left = times.opens_at(now).map(|at| at.duration_since(now));
            let left = left.and_then(|left| Duration::try_from(left).ok());
            self.waits.sleep(left.unwrap_or(WAIT_MAX).min(WAIT_MAX)).await;
        }
    }

    /// Asks once for each of `wanted`.
    async fn round(&self, wanted: &[Symbol], heard: &Heard) -> Result<(), Stopped> {
        let now = self.clock.now();
        let today = day_of(now);
        let wanted = Wanted {
            symbols: wanted.to_vec(),
            interval: INTERVAL,
            ..Wanted::of_days(today, today)
        };
        for piece in self.provider.plan(&wanted, now).map_err(Stopped::Fetch)? {
            match self.provider.fetch(&piece, &Validators::default()).await {
                Ok(Fetched { content: Content::Data(batch), .. }) => {
                    let quotes = self.quotes(&batch, heard);
                    heard.quotes(quotes).await.map_err(|NobodyListens| Stopped::NobodyListens)?;
                }
                Ok(Fetched { content: Content::NotModified | Content::Absent { .. }, .. }) => {}
                Err(error) if is_about_the_piece(&error) => self.unreadable(&piece, &error, heard),
                Err(error) => return Err(Stopped::Fetch(error)),
            }
        }
        heard.connected();
        Ok(())
    }

    /// The newest bar of each series.
    fn quotes(&self, batch: &Batch, heard: &Heard) -> Vec<Quote> {
        for _ in &batch.refused {
            heard.refused(QuoteRefusal::Unreadable);
        }
        let newest =
            batch.series.iter().filter_map(|series| Some((series.symbol, series.bars.last()?)));
        newest
            .filter_map(|(symbol, bar)| {
                let quote = quote(symbol, bar, self.clock.now());
                if quote.is_none() {
                    heard.refused(QuoteRefusal::NotAPrice);
                }
                quote
            })
            .collect()
    }

    fn unreadable(&self, piece: &Piece, error: &FetchError, heard: &Heard) {
        heard.refused(QuoteRefusal::Unreadable);
        heard.noted(&format_args!("{}: {error}", piece.key));
    }
}

/// What a bar tells of the moment when it ended, or of now while it is the last of a session.
fn quote(symbol: Symbol, bar: &RawBar, now: Timestamp) -> Option<Quote> {
    let Interval::Minutes(minutes) = INTERVAL else { return None };
    let ends_at = bar.opened_at.checked_add(SignedDuration::from_mins(i64::from(minutes))).ok()?;
    let price = Price::from_units(bar.close_units).ok()?;
    Some(Quote { symbol, price, at: ends_at.min(now), base: None })
}

/// Whether only one piece failed, and the others may be had.
fn is_about_the_piece(error: &FetchError) -> bool {
    matches!(error, FetchError::Malformed { .. } | FetchError::Refused { .. })
}

impl LiveSource for PollingSource {
    fn source(&self) -> Source {
        self.provider.source()
    }

    fn follow<'a>(&'a self, wanted: &'a [Symbol], heard: &'a Heard) -> Following<'a> {
        Box::pin(async move {
            loop {
                self.wait_for_session().await;
                let began = self.waits.now();
                match self.round(wanted, heard).await {
                    Ok(()) => {}
                    Err(Stopped::NobodyListens) => return,
                    // It was retried already, and its breaker knows.
                    Err(Stopped::Fetch(error)) => heard.lost(&error),
                }
                let passed = self.waits.now().saturating_sub(began);
                self.waits.sleep(self.settings.every.saturating_sub(passed)).await;
            }
        })
    }

    fn breaker(&self) -> Option<BreakerState> {
        // It is that of the provider, which tells it as a source already.
        None
    }
}
