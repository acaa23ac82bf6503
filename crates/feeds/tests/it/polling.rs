//! A provider that is asked again and again while a session is on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bist_feeds::http::BreakerState;
use bist_feeds::{
    Batch, Content, FetchError, Fetched, Fetching, Heard, LiveSource, LiveTally, Piece,
    PollingSettings, PollingSource, Provider, Scope, Validators, Waits, Wanted,
};
use bist_market::{BarSeries, Clock, Interval, Quote, QuoteRefusal, RawBar, Source, Symbol};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use crate::algolab::HandTime;

const MINUTE: Duration = Duration::from_secs(60);

/// Answers with one bar of a minute, which ended a minute ago.
#[derive(Debug)]
struct Minutes {
    time: Arc<HandTime>,
    asked: mpsc::UnboundedSender<String>,
    close_units: Mutex<i64>,
    is_down: Mutex<bool>,
}

impl Provider for Minutes {
    fn source(&self) -> Source {
        Source::YAHOO
    }

    fn plan(&self, wanted: &Wanted, _now: Timestamp) -> Result<Vec<Piece>, FetchError> {
        let &Wanted { from, to, interval, .. } = wanted;
        let piece = |symbol: &Symbol| Piece {
            key: format!("{symbol} {interval} {from} {to}"),
            scope: Scope::Share { symbol: *symbol, from, to, interval },
            is_final: false,
        };
        Ok(wanted.symbols.iter().map(piece).collect())
    }

    fn fetch<'a>(&'a self, piece: &'a Piece, _known: &'a Validators) -> Fetching<'a> {
        self.asked.send(piece.key.clone()).unwrap();
        if *self.is_down.lock().unwrap() {
            let url = "http://down".to_owned();
            let error = FetchError::DeadlineExceeded { url, deadline: MINUTE };
            return Box::pin(std::future::ready(Err(error)));
        }
        let Scope::Share { symbol, .. } = piece.scope else { panic!("{piece:?}") };
        let units = *self.close_units.lock().unwrap();
        let bar = RawBar {
            opened_at: Clock::now(&*self.time) - SignedDuration::from_mins(2),
            open_units: Some(units),
            high_units: units,
            low_units: units,
            close_units: units,
            adjusted_close: None,
            volume_shares: Some(1),
        };
        let series = vec![BarSeries { symbol, interval: Interval::Minutes(1), bars: vec![bar] }];
        let content = Content::Data(Box::new(Batch { series, ..Batch::default() }));
        let fetched = Fetched { content, validators: Validators::default(), next: None };
        Box::pin(std::future::ready(Ok(fetched)))
    }

    fn breaker(&self) -> Option<BreakerState> {
        None
    }
}

struct Scene {
    time: Arc<HandTime>,
    waits: mpsc::UnboundedReceiver<Duration>,
    minutes: Arc<Minutes>,
    asked: mpsc::UnboundedReceiver<String>,
    tally: Arc<Mutex<LiveTally>>,
    quotes: mpsc::Receiver<Vec<Quote>>,
}

impl Scene {
    fn at(time: &str) -> Self {
        let (time, waits) = HandTime::at(&format!("2026-11-27 {time}"));
        let (sender, asked) = mpsc::unbounded_channel();
        let minutes = Arc::new(Minutes {
            time: Arc::clone(&time),
            asked: sender,
            close_units: Mutex::new(1_015_000),
            is_down: Mutex::default(),
        });
        let provider: Arc<dyn Provider> = Arc::<Minutes>::clone(&minutes);
        let settings = PollingSettings { every: MINUTE, delay_max: 15 * MINUTE };
        let hand: Arc<dyn Waits> = Arc::<HandTime>::clone(&time);
        let clock: Arc<dyn Clock> = Arc::<HandTime>::clone(&time);
        let source = PollingSource::new(provider, settings, hand, Arc::clone(&clock));
        let tally = Arc::default();
        let (heard, quotes) = Heard::new(Arc::clone(&tally), clock);
        tokio::spawn(async move {
            let wanted = ["AAAAA", "BBBBB"].map(|text| Symbol::parse(text).unwrap());
            source.follow(&wanted, &heard).await;
        });
        Self { time, waits, minutes, asked, tally, quotes }
    }

    async fn quote(&mut self) -> String {
        let quotes = self.quotes.recv().await.unwrap();
        let Quote { symbol, price, at, .. } = quotes[0];
        format!("{symbol} {price} {at}")
    }

    async fn let_pass(&mut self, time: Duration) {
        while self.waits.recv().await.unwrap() != time {}
        self.time.pass(time);
    }
}

#[tokio::test]
async fn the_close_of_the_newest_minute_is_the_price_of_its_end() {
    let mut scene = Scene::at("12:00");
    assert_eq!(scene.quote().await, "AAAAA 101.50 2026-11-27T08:59:00Z");
    assert_eq!(scene.quote().await, "BBBBB 101.50 2026-11-27T08:59:00Z");
    assert_eq!(scene.asked.recv().await.unwrap(), "AAAAA 1m 2026-11-27 2026-11-27");
    *scene.minutes.close_units.lock().unwrap() = 1_016_000;
    scene.let_pass(MINUTE).await;
    assert_eq!(scene.quote().await, "AAAAA 101.60 2026-11-27T09:00:00Z");
    *scene.minutes.close_units.lock().unwrap() = 0;
    scene.let_pass(MINUTE).await;
    scene.let_pass(MINUTE).await;
    let tally = scene.tally.lock().unwrap().clone();
    assert!(tally.refused[&QuoteRefusal::NotAPrice] >= 2, "{tally:?}");
}

#[tokio::test]
async fn a_source_that_is_down_is_asked_again_at_its_time() {
    let mut scene = Scene::at("12:00");
    *scene.minutes.is_down.lock().unwrap() = true;
    scene.let_pass(MINUTE).await;
    let tally = scene.tally.lock().unwrap().clone();
    assert_eq!((tally.is_connected, tally.connections_count), (false, 0));
    assert_eq!(tally.last_error.as_deref(), Some("http://down did not answer within 60 s"));
    *scene.minutes.is_down.lock().unwrap() = false;
    scene.let_pass(MINUTE).await;
    assert_eq!(scene.quote().await.split(' ').next(), Some("AAAAA"));
}

#[tokio::test]
async fn nobody_is_asked_at_night_and_a_late_source_a_while_after_the_end() {
    let mut scene = Scene::at("09:39");
    scene.let_pass(MINUTE).await;
    assert_eq!(scene.asked.recv().await.unwrap(), "AAAAA 1m 2026-11-27 2026-11-27");
    // At 18:25 the session has been over for as long as the source may be late.
    let mut scene = Scene::at("18:24");
    scene.quote().await;
    scene.quote().await;
    scene.let_pass(MINUTE).await;
    for _ in 0..2 {
        scene.asked.recv().await.unwrap();
    }
    scene.let_pass(MINUTE).await;
    scene.let_pass(MINUTE).await;
    assert!(scene.asked.try_recv().is_err());
}
