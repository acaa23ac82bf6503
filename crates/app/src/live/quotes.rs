//! Prices of this moment: one server follows a live source, and all tell what it says.
//!
//! A quote is shown and never stored. It stands in the stream as the price of its symbol until a bar of
//! its session is stored, and says when it is too old for the phase of the session, whether the source
//! is silent, is left alone by its circuit breaker, or says the same for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bist_feeds::http::BreakerState;
use bist_feeds::{Heard, LiveSource, LiveTally};
use bist_market::bar::day_of;
use bist_market::{
    Calendar, ExchangeRules, KnownShare, Origin, Quote, QuoteRefusal, Source, StoredClose, Symbol,
    TradingTimes,
};
use bist_store::{Leadership, StoreError};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::event::{Change, PriceNow};
use super::shared::LookError;
use super::topic::Topic;
use crate::secrets::StoredCredential;
use crate::{App, DailyBars};

/// The shortest time between two prices of a symbol; of what comes in between, the newest is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// How often it is asked who follows, and looked whether what is told is still young enough.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often the key of the source is read anew, for a person may have signed in again.
const CREDENTIAL_EVERY: Duration = Duration::from_secs(30);

/// Batches that are taken at once.
const BATCHES_MAX: usize = 256;

/// What is followed, and when its quotes are old.
#[derive(Clone, Debug)]
pub struct LiveQuotes {
    /// The source.
    pub source: Arc<dyn LiveSource>,
    /// The session that somebody has signed in to, for a source that has one.
    pub session: Option<StoredCredential>,
    /// Whose prices; all that are stored when this is empty.
    pub symbols: Vec<Symbol>,
    /// How old the newest quote of all may be while prices move.
    pub stale_after: SignedDuration,
}

/// What this process knows of the source that it may follow.
#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) quotes: LiveQuotes,
    tally: Arc<Mutex<LiveTally>>,
    is_followed: AtomicBool,
}

/// How a live source is doing, as this process sees it.
#[derive(Clone, Debug)]
pub struct LiveSourceView {
    /// Its name.
    pub source: Source,
    /// Whether this process is the one that follows it.
    pub is_followed: bool,
    /// Whether what stands in the stream is older than the phase of the session allows; `None` without
    /// a quote, or beyond the calendar.
    pub is_stale: Option<bool>,
    /// The newest time of a quote that stands in the stream.
    pub newest_quote_at: Option<Timestamp>,
    /// Its circuit breaker in this process, where it has one of its own.
    pub breaker: Option<BreakerState>,
    /// How following goes; empty where another process does.
    pub tally: LiveTally,
}

/// What is known of the shares that are followed.
struct Known {
    shares: BTreeMap<Symbol, Share>,
}

#[derive(Clone, Copy)]
struct Share {
    origin: Origin,
    known: KnownShare,
}

impl Followed {
    fn tally(&self) -> LiveTally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl App {
    /// The same with prices of this moment; they are told once [`Self::follow_live_source`] is asked to.
    #[must_use]
    pub fn with_live_quotes(self, quotes: LiveQuotes) -> Self {
        let followed =
            Followed { quotes, tally: Arc::default(), is_followed: AtomicBool::new(false) };
        Self { followed: Some(Arc::new(followed)), ..self }
    }

    /// How the live source is doing; `None` without one.
    pub fn live_source(&self) -> Option<LiveSourceView> {
        let followed = self.followed.as_ref()?;
        let newest_quote_at = self.live.newest_quote_at();
        Some(LiveSourceView {
            source: followed.quotes.source.source(),
            is_followed: followed.is_followed.load(Ordering::Relaxed),
            is_stale: newest_quote_at.and_then(|at| self.is_stale_quote(at)),
            newest_quote_at,
            breaker: followed.quotes.source.breaker(),
            tally: followed.tally(),
        })
    }

    /// Follows the live source whenever this process is the one that is to, for as long as it is asked
    /// to. Of several processes with one Redis one does. While Redis does not answer, whoever followed
    /// goes on, and nobody begins: a broker counts who is connected.
    pub async fn follow_live_source(&self) {
        let Some(followed) = self.followed.clone() else { return };
        let leadership = self.redis.as_ref().map(|redis| Leadership::new(redis.clone(), "quotes"));
        loop {
            if self.leads_quotes(leadership.as_ref(), false).await {
                followed.is_followed.store(true, Ordering::Relaxed);
                if let Err(error) = self.follow_while_leading(&followed, leadership.as_ref()).await
                {
                    tracing::warn!(%error, "the live source is not followed: {error}");
                }
                followed.is_followed.store(false, Ordering::Relaxed);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn follow_while_leading(
        &self,
        followed: &Followed,
        leadership: Option<&Leadership>,
    ) -> Result<(), StoreError> {
        let source = &followed.quotes.source;
        self.renew_live_credentials(followed).await;
        let known = self.known_shares(followed).await?;
        let wanted: Vec<Symbol> = known.shares.keys().copied().collect();
        if wanted.is_empty() {
            tracing::debug!("no share is stored whose live price could be shown");
            return Ok(());
        }
        let (heard, taken) = Heard::new(Arc::clone(&followed.tally), self.clock());
        let not_leading = async {
            while self.leads_quotes(leadership, true).await {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let told = tokio::select! {
            () = source.follow(&wanted, &heard) => Ok(()),
            told = self.tell_quotes(followed, known, &heard, taken) => told,
            () = not_leading => Ok(()),
            () = self.keep_live_credentials(followed) => Ok(()),
        };
        heard.left();
        told
    }

    /// Whether this process is to follow, where it `did`.
    async fn leads_quotes(&self, leadership: Option<&Leadership>, did: bool) -> bool {
        let Some(leadership) = leadership else { return true };
        leadership.lead().await.unwrap_or_else(|error| {
            tracing::debug!(%error, "who follows the live source is not known: {error}");
            did
        })
    }

    /// Reads the keys of the source again and again.
    async fn keep_live_credentials(&self, followed: &Followed) {
        loop {
            tokio::time::sleep(CREDENTIAL_EVERY).await;
            self.renew_live_credentials(followed).await;
        }
    }

    async fn renew_live_credentials(&self, followed: &Followed) {
        let source = followed.quotes.source.source();
        let mut renewed = self.renew_credential(source).await;
        if let (Ok(()), Some(session)) = (&renewed, &followed.quotes.session) {
            renewed = self.renew(source, session).await;
        }
        if let Err(error) = renewed {
            tracing::warn!(%source, "the key of the live source cannot be had: {error}");
        }
    }

    /// Takes what is heard, and tells what of it can be; and what has become too old.
    async fn tell_quotes(
        &self,
        followed: &Followed,
        mut known: Known,
        heard: &Heard,
        mut taken: mpsc::Receiver<Vec<Quote>>,
    ) -> Result<(), StoreError> {
        let mut batches = Vec::new();
        // Symbols whose newest quote is not told yet.
        let mut changed = BTreeSet::new();
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                count = taken.recv_many(&mut batches, BATCHES_MAX) => {
                    if count == 0 {
                        return Ok(());
                    }
                }
                _ = looks.tick() => {
                    let newest = known;
                    known = self.known_shares(followed).await?;
                    known.keep_newest(&newest);
                }
            }
            changed.append(&mut known.take(batches.drain(..).flatten(), heard, self.now()));
            match self.tell_prices(followed, &known, &changed).await {
                Ok(()) => changed.clear(),
                Err(error @ (LookError::Redis(_) | LookError::Behind | LookError::Store(_))) => {
                    tracing::debug!(%error, "prices are told a moment later: {error}");
                }
            }
            tokio::time::sleep(TELL_EVERY).await;
        }
    }

    /// Tells the newest quotes of `changed`, and of all others whether they have become old or young.
    async fn tell_prices(
        &self,
        followed: &Followed,
        known: &Known,
        changed: &BTreeSet<Symbol>,
    ) -> Result<(), LookError> {
        let source = followed.quotes.source.source();
        let told = changed.iter().filter_map(|symbol| {
            let share = known.shares.get(symbol)?;
            Some(price_now(source, share.origin, share.known.stored, &share.known.newest?))
        });
        let told: Vec<PriceNow> = told.collect();
        let newest = told.iter().filter_map(|now| now.priced_at).max();
        let newest = newest.max(self.live.newest_quote_at());
        let is_stale = newest.and_then(|at| self.is_stale_quote(at));
        let others = self.live.standing_quotes().into_iter();
        let all = others.filter(|now| !changed.contains(&now.symbol)).chain(told);
        let all =
            all.map(|now| (Topic::Price(now.symbol), Change::Price(PriceNow { is_stale, ..now })));
        self.live.tell_some(self.now(), all.collect()).await
    }

    /// Whether quotes of which the newest is of `newest_at` are too old; `None` beyond the calendar.
    fn is_stale_quote(&self, newest_at: Timestamp) -> Option<bool> {
        let followed = self.followed.as_ref()?;
        TradingTimes::bist().is_stale(newest_at, self.now(), followed.quotes.stale_after)
    }

    /// The price of this moment of `symbol`, where there is one that is newer than the bars up to
    /// `as_of`, and whether it is too old now.
    pub(crate) fn quote_after(
        &self,
        symbol: Symbol,
        as_of: Option<jiff::civil::Date>,
    ) -> Option<PriceNow> {
        self.followed.as_ref()?;
        let now = self.live.standing_quote(symbol).filter(|now| now.as_of > as_of)?;
        let is_stale = self.live.newest_quote_at().and_then(|at| self.is_stale_quote(at));
        Some(PriceNow { is_stale, ..now })
    }

    /// What is stored of the shares that are followed.
    async fn known_shares(&self, followed: &Followed) -> Result<Known, StoreError> {
        let bars = self.daily_bars().await?;
        let wanted = &followed.quotes.symbols;
        let is_wanted = |symbol: &Symbol| wanted.is_empty() || wanted.contains(symbol);
        let shares = bars.series.iter().filter(|(symbol, _)| is_wanted(symbol));
        let shares = shares.map(|(symbol, series)| {
            let stored = series.bars().last();
            let stored = stored.map(|bar| StoredClose { day: bar.day, close: bar.close });
            let newest = self.live.standing_quote(*symbol).and_then(|now| as_quote(&now));
            let known = KnownShare { stored, newest };
            (*symbol, Share { origin: origin_of(&bars, *symbol), known })
        });
        Ok(Known { shares: shares.collect() })
    }
}

impl Known {
    /// Goes on from the newest quotes of `before`.
    fn keep_newest(&mut self, before: &Self) {
        for (symbol, share) in &mut self.shares {
            let newest = before.shares.get(symbol).and_then(|share| share.known.newest);
            share.known.newest = newest.or(share.known.newest);
        }
    }

    /// Takes what can be of `quotes`; gives the symbols with a new price.
    fn take(
        &mut self,
        quotes: impl Iterator<Item = Quote>,
        heard: &Heard,
        now: Timestamp,
    ) -> BTreeSet<Symbol> {
        let mut changed = BTreeSet::new();
        for quote in quotes {
            let share = self.shares.get_mut(&quote.symbol);
            let known = share.as_ref().map(|share| &share.known);
            match quote.review(known, now, Calendar::bist(), ExchangeRules::bist()) {
                Ok(()) => {
                    heard.accepted(&quote, true);
                    if let Some(share) = share {
                        share.known.newest = Some(quote);
                    }
                    changed.insert(quote.symbol);
                }
                Err(why) => {
                    if why == QuoteRefusal::Repeated {
                        heard.accepted(&quote, false);
                    }
                    heard.refused(why);
                }
            }
        }
        changed
    }
}

/// Whether a symbol is real.
pub(super) fn origin_of(bars: &DailyBars, symbol: Symbol) -> Origin {
    let overview = bars.overviews.iter().find(|known| known.instrument.symbol == symbol);
    overview.map_or(Origin::Market, |known| known.instrument.origin)
}

/// A quote as it is told; how old it is, is another question.
fn price_now(
    source: Source,
    origin: Origin,
    stored: Option<StoredClose>,
    quote: &Quote,
) -> PriceNow {
    let before = quote.base.or(stored.map(|stored| stored.close));
    PriceNow {
        symbol: quote.symbol,
        origin,
        as_of: Some(day_of(quote.at)),
        last_close: Some(quote.price),
        previous_close: before,
        change_share: before.map(|before| quote.price.lira() / before.lira() - 1.0),
        priced_at: Some(quote.at),
        is_stale: None,
        live_source: Some(source),
        replay: None,
    }
}

/// What was told as a quote again.
fn as_quote(now: &PriceNow) -> Option<Quote> {
    let (symbol, price, at) = (now.symbol, now.last_close?, now.priced_at?);
    Some(Quote { symbol, price, at, base: None })
}
