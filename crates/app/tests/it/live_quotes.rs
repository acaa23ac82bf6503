//! Prices of this moment, from a broker that misbehaves to whoever listens.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bist_access::Secret;
use bist_app::fetch::Reuse;
use bist_app::live::{Change, Event, Listener, LiveQuotes, PriceNow, Section, Wanted as Heard};
use bist_app::{App, RedisLink};
use bist_feeds::http::BreakerState;
use bist_feeds::{AlgoLab, AlgoLabSettings, Provider, SourceSettings, SystemWaits, Wanted};
use bist_market::{Clock, ExchangeRules, Price, QuoteRefusal, Source, Symbol, ValidationPolicy};
use bist_testkit::broker::{Broker, BrokerConnection};
use bist_testkit::hand_clock::HandClock;
use bist_testkit::redis_server::RedisServer;
use jiff::SignedDuration;
use jiff::civil::{Date, date};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::exchange::Exchange;

const KEYS: &str = "API-YD3rEBXKcb4rc67whX13gR81LAc7YQjXLZgQowkU3/Q=:12345678901:word";

/// A Friday with a session like any other.
const TODAY: Date = date(2026, 11, 27);

/// A server that follows a broker, and somebody who listens to it.
struct Scene {
    _folder: TempDir,
    broker: Arc<Broker>,
    clock: Arc<HandClock>,
    exchange: Arc<Exchange>,
    app: App,
    listener: Listener,
    following: JoinHandle<()>,
}

async fn open(folder: &Path, clock: &Arc<HandClock>, exchange: &Arc<Exchange>) -> App {
    let clock: Arc<dyn Clock> = Arc::<HandClock>::clone(clock);
    let provider: Arc<dyn Provider> = Arc::<Exchange>::clone(exchange);
    let app = App::open(folder, clock, ValidationPolicy::default()).await.unwrap();
    app.with_providers(vec![provider])
}

fn with_quotes(app: App, broker: &Broker) -> App {
    let mut source = SourceSettings::of(Source::ALGOLAB).unwrap();
    source = source.with_base_url("api", &broker.url()).unwrap();
    source.requests_per_minute = u32::MAX;
    source.backoff_first = Duration::ZERO;
    source.credential = Secret::new(KEYS).into();
    let settings = AlgoLabSettings {
        source,
        session: Secret::new("session").into(),
        silence_max: Duration::from_secs(60),
    };
    let source = AlgoLab::new(&settings, Arc::new(SystemWaits::start()), app.clock()).unwrap();
    app.with_live_quotes(LiveQuotes {
        source: Arc::new(source),
        session: None,
        symbols: Vec::new(),
        stale_after: SignedDuration::from_mins(2),
    })
}

fn follow(app: &App) -> JoinHandle<()> {
    let app = app.clone();
    tokio::spawn(async move { app.follow_live_source().await })
}

/// Takes in what the exchange has.
async fn ingest(app: &App) {
    let wanted = Wanted::of_days(date(2026, 9, 1), TODAY);
    app.ingest_source(Source::BULLETIN, wanted, Reuse::Nothing, Arc::new(|_| {})).await.unwrap();
}

impl Scene {
    /// At noon, with bars up to the session before.
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HandClock::at("2026-11-27T12:00"));
        let exchange = Arc::new(Exchange::new(Source::BULLETIN, &["AAAAA", "BBBBB"]));
        exchange.have_bars_to(Some(date(2026, 11, 26)));
        let broker = Arc::new(Broker::start().await);
        let app = open(folder.path(), &clock, &exchange).await;
        ingest(&app).await;
        let app = with_quotes(app, &broker);
        app.look_at_changes().await.unwrap();
        let mut listener = app.live().listen();
        listener.subscribe(&[Heard::All(Section::Prices)]).unwrap();
        let following = follow(&app);
        Self { _folder: folder, broker, clock, exchange, app, listener, following }
    }

    async fn connection(&self) -> BrokerConnection {
        connection(&self.broker).await
    }

    /// The next price that is told.
    async fn price(&mut self) -> PriceNow {
        price(&mut self.listener).await
    }

    /// The stored close of AAAAA, and the price some steps above it.
    async fn stored(&self, steps: u32) -> (Price, Price) {
        let symbol = Symbol::parse("AAAAA").unwrap();
        let close = self.app.symbol(symbol).await.unwrap().unwrap().last_close.unwrap();
        let above = (0..steps).fold(close, |price, _| {
            let above = Price::from_units(price.units() + 1).unwrap();
            ExchangeRules::bist().round_up(TODAY, above).unwrap()
        });
        (close, above)
    }

    fn refused(&self, why: QuoteRefusal) -> u64 {
        let tally = self.app.live_source().unwrap().tally;
        tally.refused.get(&why).copied().unwrap_or_default()
    }
}

async fn connection(broker: &Broker) -> BrokerConnection {
    let mut connection = broker.accept().await;
    let asked = connection.hear().await;
    assert!(asked.contains(r#""Symbols":["AAAAA","BBBBB"]"#), "{asked}");
    connection
}

async fn price(listener: &mut Listener) -> PriceNow {
    loop {
        let news = listener.news().await.unwrap();
        let Some(event) = news.events.first() else { continue };
        let Change::Price(now) = &event.change else { panic!("{event:?}") };
        return *now;
    }
}

fn noon(second: u32) -> String {
    format!("2026-11-27T12:00:{second:02}+03:00")
}

#[tokio::test]
async fn a_trade_is_told_with_its_source_and_time_until_a_bar_of_its_session_is_stored() {
    let mut scene = Scene::start().await;
    let (close, above) = scene.stored(2).await;
    let mut connection = scene.connection().await;
    connection.trade("AAAAA", &above.to_string(), &noon(0)).await;
    let told = scene.price().await;
    assert_eq!((told.last_close, told.previous_close), (Some(above), Some(close)));
    assert_eq!((told.as_of, told.is_stale), (Some(TODAY), Some(false)));
    assert_eq!(told.live_source, Some(Source::ALGOLAB));
    assert_eq!(told.priced_at, Some(scene.clock.now()));
    assert_eq!(told.age_s(scene.clock.now() + SignedDuration::from_secs(7)), Some(7));
    let symbol = Symbol::parse("AAAAA").unwrap();
    let view = scene.app.symbol(symbol).await.unwrap().unwrap();
    assert_eq!((view.quote, view.last_close), (Some(told), Some(close)));
    assert_eq!(view.as_of, Some(date(2026, 11, 26)));
    // Looking at the database takes nothing back, and the bar of the session takes its place.
    scene.exchange.have_bars_to(Some(TODAY));
    scene.clock.set("2026-11-27T19:00");
    ingest(&scene.app).await;
    scene.app.look_at_changes().await.unwrap();
    let is_stored = |event: &Arc<Event>| {
        matches!(&event.change, Change::Price(now)
            if now.symbol == symbol && now.live_source.is_none() && now.as_of == Some(TODAY))
    };
    while !scene.listener.news().await.unwrap().events.iter().any(is_stored) {}
    assert_eq!(scene.app.symbol(symbol).await.unwrap().unwrap().quote, None);
}

#[tokio::test]
async fn what_cannot_be_is_counted_and_not_told_and_a_cut_leaves_no_trace() {
    let mut scene = Scene::start().await;
    let (close, above) = scene.stored(1).await;
    let good = above.to_string();
    let mut connection = scene.connection().await;
    connection.trade("AAAAA", &good, &noon(10)).await;
    assert_eq!(scene.price().await.last_close, Some(above));
    let off = Price::from_units(above.units() + 1).unwrap().to_string();
    let far = Price::from_units(close.units() * 2).unwrap();
    let far = ExchangeRules::bist().round_up(TODAY, far).unwrap().to_string();
    for (symbol, price, second, why) in [
        ("AAAAA", &*good, 10, QuoteRefusal::Repeated),
        ("AAAAA", &*good, 9, QuoteRefusal::OutOfOrder),
        ("AAAAA", &*off, 11, QuoteRefusal::OffTick),
        ("AAAAA", &*far, 11, QuoteRefusal::OutsideLimits),
        ("AAAAA", "0.0", 11, QuoteRefusal::NotAPrice),
        ("CCCCC", &*good, 11, QuoteRefusal::UnknownSymbol),
    ] {
        assert_eq!(scene.refused(why), 0, "{why}");
        connection.trade(symbol, price, &noon(second)).await;
    }
    connection.trade("AAAAA", &good, "2026-11-27T12:02:00+03:00").await;
    connection.trade("AAAAA", &good, "2026-11-22T12:00:00+03:00").await;
    connection.tell("<html>Will be right back</html>").await;
    drop(connection);
    // What happened meanwhile is not told again; how it is now is.
    let mut connection = scene.connection().await;
    let (_, higher) = scene.stored(3).await;
    connection.trade("AAAAA", &higher.to_string(), &noon(30)).await;
    assert_eq!(scene.price().await.last_close, Some(higher));
    let tally = scene.app.live_source().unwrap().tally;
    let expected = [
        (QuoteRefusal::Unreadable, 1),
        (QuoteRefusal::NotAPrice, 1),
        (QuoteRefusal::UnknownSymbol, 1),
        (QuoteRefusal::Repeated, 1),
        (QuoteRefusal::OutOfOrder, 2),
        (QuoteRefusal::FromTheFuture, 1),
        (QuoteRefusal::OffTick, 1),
        (QuoteRefusal::OutsideLimits, 1),
    ];
    assert_eq!(tally.refused, expected.into());
    assert_eq!((tally.connections_count, tally.shown_count), (2, 2));
    let outside = scene.app.outside();
    let algolab = outside.iter().find(|state| state.name == "algolab").unwrap();
    assert_eq!(algolab.breaker, BreakerState::Closed { failures_count: 0 });
}

#[tokio::test]
async fn a_silent_source_leaves_the_last_price_and_says_that_it_is_old() {
    let mut scene = Scene::start().await;
    let (_, above) = scene.stored(1).await;
    let mut connection = scene.connection().await;
    connection.trade("AAAAA", &above.to_string(), &noon(0)).await;
    assert_eq!(scene.price().await.is_stale, Some(false));
    scene.clock.set("2026-11-27T12:02:01");
    let told = scene.price().await;
    assert_eq!((told.last_close, told.is_stale), (Some(above), Some(true)));
    let view = scene.app.symbol(told.symbol).await.unwrap().unwrap();
    assert_eq!(view.quote.unwrap().is_stale, Some(true));
    assert_eq!(scene.app.live_source().unwrap().is_stale, Some(true));
    connection
        .trade("BBBBB", &scene_price(&scene, "BBBBB").await, "2026-11-27T12:02:00+03:00")
        .await;
    // One that speaks speaks for all.
    let news = scene.listener.news().await.unwrap();
    assert_eq!(news.events.len(), 2, "{news:?}");
    for event in &news.events {
        let Change::Price(now) = &event.change else { panic!("{event:?}") };
        assert_eq!(now.is_stale, Some(false));
    }
    scene.following.abort();
}

async fn scene_price(scene: &Scene, symbol: &str) -> String {
    let view = scene.app.symbol(Symbol::parse(symbol).unwrap()).await.unwrap().unwrap();
    view.last_close.unwrap().to_string()
}

#[tokio::test]
async fn of_two_servers_with_one_redis_one_follows_and_both_tell() {
    let Some(redis) = RedisServer::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(HandClock::at("2026-11-27T12:00"));
    let exchange = Arc::new(Exchange::new(Source::BULLETIN, &["AAAAA", "BBBBB"]));
    exchange.have_bars_to(Some(date(2026, 11, 26)));
    let broker = Broker::start().await;
    let mut sides = Vec::new();
    for _ in 0..2 {
        let app = open(folder.path(), &clock, &exchange).await;
        let link = RedisLink::new(&redis.url().parse().unwrap(), None).unwrap();
        let app = with_quotes(app.with_redis(link).with_shared_live(), &broker);
        if sides.is_empty() {
            ingest(&app).await;
        }
        let mut listener = app.live().listen();
        listener.subscribe(&[Heard::All(Section::Prices)]).unwrap();
        let changing = app.clone();
        tokio::spawn(async move { changing.follow_changes().await });
        // Until it tells what all do.
        while listener.news().await.is_ok() {}
        listener.resume(&listener.position(), &[Heard::All(Section::Prices)]);
        let following = follow(&app);
        sides.push((app, listener, following));
    }
    let mut connection = connection(&broker).await;
    let close = {
        let symbol = Symbol::parse("AAAAA").unwrap();
        sides[0].0.symbol(symbol).await.unwrap().unwrap().last_close.unwrap()
    };
    connection.trade("AAAAA", &close.to_string(), &noon(0)).await;
    for (_, listener, _) in &mut sides {
        assert_eq!(quoted(listener).await.last_close, Some(close));
    }
    assert_eq!(sides[0].0.live().position(), sides[1].0.live().position());
    let follows: Vec<bool> =
        sides.iter().map(|(app, ..)| app.live_source().unwrap().is_followed).collect();
    assert_eq!(follows, [true, false]);
    // The one that follows dies; the other takes its place when the lease is over.
    sides[0].2.abort();
    let mut connection = self::connection(&broker).await;
    connection.trade("BBBBB", &other(&sides[1].0).await, &noon(1)).await;
    for (_, listener, _) in &mut sides {
        assert_eq!(quoted(listener).await.symbol.as_str(), "BBBBB");
    }
}

async fn other(app: &App) -> String {
    let view = app.symbol(Symbol::parse("BBBBB").unwrap()).await.unwrap().unwrap();
    view.last_close.unwrap().to_string()
}

/// The next price of this moment.
async fn quoted(listener: &mut Listener) -> PriceNow {
    loop {
        let news = listener.news().await.unwrap();
        for event in &news.events {
            if let Change::Price(now) = &event.change
                && now.live_source.is_some()
            {
                return *now;
            }
        }
    }
}
