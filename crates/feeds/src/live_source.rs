//! The one door through which prices of this moment come in: a source that is followed.
//!
//! A [`LiveSource`] hands what it hears on to a [`Heard`] for as long as its future is asked to go on,
//! and comes back by itself after whatever went wrong. Dropping the future leaves the source. Whether a
//! quote can be is not asked here; that is the question of [`bist_market::Quote::review`].

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bist_market::{Clock, Quote, QuoteRefusal, Source, Symbol};
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::http::BreakerState;

/// Batches of quotes that wait until they are taken; a source that is faster waits too, and what it
/// says meanwhile waits in the network.
const WAITING_MAX: usize = 256;

/// A source that is followed, until this is dropped.
pub type Following<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A source of prices of this moment.
pub trait LiveSource: fmt::Debug + Send + Sync {
    /// Its name.
    fn source(&self) -> Source;

    /// Hands on what is heard of `wanted`. Whatever goes wrong is told to `heard` and tried again; this
    /// ends when nobody takes what is heard any more.
    fn follow<'a>(&'a self, wanted: &'a [Symbol], heard: &'a Heard) -> Following<'a>;

    /// The state of its circuit breaker, where it has one of its own.
    fn breaker(&self) -> Option<BreakerState>;
}

/// How following a source goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveTally {
    /// Whether it is connected, or answered the last time.
    pub is_connected: bool,
    /// Connections made, or rounds of asking.
    pub connections_count: u64,
    /// Quotes that were shown.
    pub shown_count: u64,
    /// What was not shown, by reason.
    pub refused: BTreeMap<QuoteRefusal, u64>,
    /// When something that can be was heard last, by our clock.
    pub last_heard_at: Option<Timestamp>,
    /// The newest time of a quote, in the words of the source.
    pub newest_quote_at: Option<Timestamp>,
    /// What went wrong last; kept after it is well again, too.
    pub last_error: Option<String>,
}

/// Where a source hands on what it hears. All clones are one.
#[derive(Clone, Debug)]
pub struct Heard {
    quotes: mpsc::Sender<Vec<Quote>>,
    tally: Arc<Mutex<LiveTally>>,
    clock: Arc<dyn Clock>,
}

impl Heard {
    /// One of this tally, and where its quotes come out.
    pub fn new(
        tally: Arc<Mutex<LiveTally>>,
        clock: Arc<dyn Clock>,
    ) -> (Self, mpsc::Receiver<Vec<Quote>>) {
        let (quotes, taken) = mpsc::channel(WAITING_MAX);
        (Self { quotes, tally, clock }, taken)
    }

    /// Hands quotes on, and waits while too many wait.
    ///
    /// # Errors
    ///
    /// [`NobodyListens`] when nobody takes them any more.
    pub async fn quotes(&self, quotes: Vec<Quote>) -> Result<(), NobodyListens> {
        if quotes.is_empty() {
            return Ok(());
        }
        self.quotes.send(quotes).await.map_err(|_| NobodyListens)
    }

    /// Notes that something cannot be shown.
    pub fn refused(&self, why: QuoteRefusal) {
        *self.tally().refused.entry(why).or_default() += 1;
    }

    /// Notes that the source is connected, or has answered.
    pub fn connected(&self) {
        let mut tally = self.tally();
        tally.is_connected = true;
        tally.connections_count += 1;
    }

    /// Notes that the source was left because its session is over.
    pub fn left(&self) {
        self.tally().is_connected = false;
    }

    /// Notes that the source was lost.
    pub fn lost(&self, error: &dyn fmt::Display) {
        let mut tally = self.tally();
        tally.is_connected = false;
        tally.last_error = Some(error.to_string());
    }

    /// Notes what went wrong without the source being lost.
    pub fn noted(&self, error: &dyn fmt::Display) {
        self.tally().last_error = Some(error.to_string());
    }

    /// Notes that a quote was shown, or was known.
    pub fn accepted(&self, quote: &Quote, is_new: bool) {
        let now = self.clock.now();
        let mut tally = self.tally();
        tally.shown_count += u64::from(is_new);
        tally.last_heard_at = Some(now);
        tally.newest_quote_at = tally.newest_quote_at.max(Some(quote.at));
    }

    fn tally(&self) -> MutexGuard<'_, LiveTally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody takes what is heard any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody takes what is heard any more")]
pub struct NobodyListens;
