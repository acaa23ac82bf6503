//! The WebSocket of `AlgoLab` against a broker that misbehaves.

mod sign_in;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bist_access::Secret;
use bist_feeds::http::{BreakerState, Waiting};
use bist_feeds::{AlgoLab, AlgoLabSettings, Heard, LiveSource, LiveTally, SourceSettings, Waits};
use bist_market::{Clock, Quote, QuoteRefusal, Source, Symbol};
use bist_testkit::broker::{Broker, BrokerConnection};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// The key of the cipher is 32 bytes of NIST's examples.
pub(crate) const KEYS: &str = "API-YD3rEBXKcb4rc67whX13gR81LAc7YQjXLZgQowkU3/Q=:12345678901:word";

const SESSION: &str = "hash.of.a.session";

const SILENCE: Duration = Duration::from_secs(20);

/// Time that passes when a test says so; chance is the largest value.
#[derive(Debug)]
pub(crate) struct HandTime {
    began_at: Timestamp,
    passed: watch::Sender<Duration>,
    /// The waits that were asked for.
    asked: mpsc::UnboundedSender<Duration>,
}

impl HandTime {
    /// Begins at a time of Istanbul; the waits come out of the other end.
    pub(crate) fn at(text: &str) -> (Arc<Self>, mpsc::UnboundedReceiver<Duration>) {
        let (asked, waits) = mpsc::unbounded_channel();
        let began_at = format!("{}:00+03:00", text.replace(' ', "T")).parse().unwrap();
        (Arc::new(Self { began_at, passed: watch::Sender::default(), asked }), waits)
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.passed.send_modify(|passed| *passed += time);
    }
}

impl Waits for HandTime {
    fn now(&self) -> Duration {
        *self.passed.borrow()
    }

    fn sleep(&self, time: Duration) -> Waiting<'_> {
        let until = Waits::now(self) + time;
        // A test that has heard enough takes no notice.
        self.asked.send(time).ok();
        let mut passed = self.passed.subscribe();
        Box::pin(async move {
            passed.wait_for(|passed| *passed >= until).await.unwrap();
        })
    }

    fn any_up_to(&self, most: Duration) -> Duration {
        most
    }
}

impl Clock for HandTime {
    fn now(&self) -> Timestamp {
        self.began_at + SignedDuration::try_from(Waits::now(self)).unwrap()
    }
}

/// A broker, and somebody who follows it.
struct Scene {
    broker: Broker,
    time: Arc<HandTime>,
    waits: mpsc::UnboundedReceiver<Duration>,
    algolab: Arc<AlgoLab>,
    tally: Arc<Mutex<LiveTally>>,
    quotes: mpsc::Receiver<Vec<Quote>>,
    following: JoinHandle<()>,
}

impl Scene {
    /// On a Friday with a session like any other.
    async fn at(time: &str) -> Self {
        let broker = Broker::start().await;
        let (time, waits) = HandTime::at(&format!("2026-11-27 {time}"));
        let mut source = SourceSettings::of(Source::ALGOLAB).unwrap();
        source = source.with_base_url("api", &broker.url()).unwrap();
        source.requests_per_minute = u32::MAX;
        source.credential = Secret::new(KEYS).into();
        let session = Secret::new(SESSION).into();
        let settings = AlgoLabSettings { source, session, silence_max: SILENCE };
        let clock: Arc<dyn Clock> = Arc::<HandTime>::clone(&time);
        let algolab = AlgoLab::new(&settings, Arc::<HandTime>::clone(&time), Arc::clone(&clock));
        let algolab = Arc::new(algolab.unwrap());
        let tally = Arc::default();
        let (heard, quotes) = Heard::new(Arc::clone(&tally), clock);
        let followed = Arc::clone(&algolab);
        let following = tokio::spawn(async move {
            let wanted = ["AAAAA", "BBBBB"].map(|text| Symbol::parse(text).unwrap());
            followed.follow(&wanted, &heard).await;
        });
        Self { broker, time, waits, algolab, tally, quotes, following }
    }

    /// The next connection, once it has asked for trades.
    async fn connection(&self) -> BrokerConnection {
        let mut connection = self.broker.accept().await;
        let asked = connection.hear().await;
        assert_eq!(
            asked,
            format!(r#"{{"Symbols":["AAAAA","BBBBB"],"Token":"{SESSION}","Type":"T"}}"#)
        );
        connection
    }

    /// The next quote, as symbol, price and time of Istanbul.
    async fn quote(&mut self) -> String {
        let quotes = self.quotes.recv().await.unwrap();
        assert_eq!(quotes.len(), 1);
        let Quote { symbol, price, at, .. } = quotes[0];
        format!("{symbol} {price} {at}")
    }

    /// Has a trade told and heard.
    async fn trade(&mut self, connection: &mut BrokerConnection) {
        connection.trade("AAAAA", "101.5", "2026-11-27T12:00:00+03:00").await;
        assert_eq!(self.quote().await, "AAAAA 101.50 2026-11-27T09:00:00Z");
    }

    /// Waits until somebody waits for `time`, and lets it pass.
    async fn let_pass(&mut self, time: Duration) {
        while self.waits.recv().await.unwrap() != time {}
        self.time.pass(time);
    }

    fn tally(&self) -> LiveTally {
        self.tally.lock().unwrap().clone()
    }

    fn last_error(&self) -> String {
        self.tally().last_error.unwrap().replace(&self.broker.url(), "")
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn a_connection_says_who_we_are_and_what_we_want() {
    let mut scene = Scene::at("12:00").await;
    let mut connection = scene.broker.accept().await;
    assert_eq!(connection.path, "/api/ws");
    let header = |name: &str| connection.headers[name].clone();
    assert_eq!(header("apikey"), KEYS.split(':').next().unwrap());
    assert_eq!(header("authorization"), SESSION);
    assert_eq!(
        header("checker"),
        "5fb966105977e6e13456a08d726dc63e06aa03a11688b7167793ed1b940d13de"
    );
    connection.hear().await;
    scene.trade(&mut connection).await;
    let tally = scene.tally();
    assert_eq!((tally.is_connected, tally.connections_count), (true, 1));
    assert_eq!(scene.algolab.breaker(), Some(BreakerState::Closed { failures_count: 0 }));
}

#[tokio::test]
async fn whoever_is_cut_off_comes_back_ever_later_and_asks_again() {
    let mut scene = Scene::at("12:00").await;
    let mut connection = scene.connection().await;
    scene.trade(&mut connection).await;
    connection.close(1000).await;
    scene.let_pass(seconds(1)).await;
    assert_eq!(scene.last_error(), "the answer of /ws broke off: it was closed with 1000");
    // Without a word, as it is with 1006.
    drop(scene.connection().await);
    scene.let_pass(seconds(2)).await;
    let mut connection = scene.connection().await;
    scene.trade(&mut connection).await;
    drop(connection);
    scene.let_pass(seconds(4)).await;
    // One that held for a while is no trouble any more.
    let mut connection = scene.connection().await;
    scene.trade(&mut connection).await;
    for _ in 0..4 {
        scene.time.pass(seconds(16));
        scene.trade(&mut connection).await;
    }
    connection.close(1001).await;
    scene.let_pass(seconds(1)).await;
    scene.connection().await;
    assert_eq!(scene.tally().connections_count, 5);
}

#[tokio::test]
async fn garbage_is_counted_and_costs_nothing_else() {
    let mut scene = Scene::at("12:00").await;
    let mut connection = scene.connection().await;
    for garbage in [
        "<html>Will be right back</html>",
        "{",
        "[1,2]",
        r#"{"Type":["T"]}"#,
        r#"{"Type":"T","Content":{"Symbol":7,"Price":{},"Date":[]}}"#,
    ] {
        connection.tell(garbage).await;
    }
    connection.tell_bytes(&[0, 159, 146, 150]).await;
    connection.trade("AAAAA", "0.0", "2026-11-27T12:00:00+03:00").await;
    scene.trade(&mut connection).await;
    let expected = [(QuoteRefusal::Unreadable, 6), (QuoteRefusal::NotAPrice, 1)];
    assert_eq!(scene.tally().refused, expected.into());
    assert_eq!(scene.tally().connections_count, 1);
}

#[tokio::test]
async fn a_message_without_end_is_not_read_to_its_end() {
    let mut scene = Scene::at("12:00").await;
    let mut connection = scene.connection().await;
    scene.trade(&mut connection).await;
    connection.tell(&"x".repeat((64 << 10) + 1)).await;
    scene.let_pass(seconds(1)).await;
    assert_eq!(scene.tally().refused, [(QuoteRefusal::Unreadable, 1)].into());
    let mut connection = scene.connection().await;
    scene.trade(&mut connection).await;
}

#[tokio::test]
async fn silence_while_prices_move_ends_a_connection() {
    let mut scene = Scene::at("12:00").await;
    let mut connection = scene.connection().await;
    scene.trade(&mut connection).await;
    scene.let_pass(SILENCE).await;
    // Noise does not count as a word.
    scene.let_pass(seconds(1)).await;
    assert_eq!(scene.last_error(), "/ws has said nothing for 20 s while prices move");
    let mut next = scene.connection().await;
    scene.trade(&mut next).await;
    connection.closed().await;
}

#[tokio::test]
async fn silence_while_orders_are_collected_is_as_it_should_be() {
    let mut scene = Scene::at("09:45").await;
    let mut connection = scene.connection().await;
    for _ in 0..5 {
        scene.let_pass(SILENCE).await;
    }
    scene.trade(&mut connection).await;
    assert_eq!(scene.tally().connections_count, 1);
}

#[tokio::test]
async fn a_broker_that_never_says_anything_is_left_alone_for_a_while() {
    let mut scene = Scene::at("12:00").await;
    for wait in [1, 2, 4, 8, 16] {
        drop(scene.connection().await);
        scene.let_pass(seconds(wait)).await;
    }
    let open_for = seconds(300 - 16);
    while scene.waits.recv().await.unwrap() != open_for {}
    assert!(matches!(scene.algolab.breaker(), Some(BreakerState::Open { .. })));
    assert!(!scene.tally().is_connected);
    scene.time.pass(open_for);
    let mut connection = scene.connection().await;
    assert_eq!(scene.algolab.breaker(), Some(BreakerState::HalfOpen));
    scene.trade(&mut connection).await;
    assert_eq!(scene.algolab.breaker(), Some(BreakerState::Closed { failures_count: 0 }));
}

#[tokio::test]
async fn a_session_that_ran_out_is_told_without_naming_it() {
    let scene = Scene::at("12:00").await;
    let mut scene = scene;
    scene.broker.answer(401, "no").await;
    scene.let_pass(seconds(1)).await;
    let error = scene.last_error();
    assert!(error.contains("is not in force any more; sign in with"), "{error}");
    scene.broker.answer(503, "<html>hash</html>").await;
    scene.let_pass(seconds(2)).await;
    assert_eq!(scene.last_error(), "/ws answered 503: it opened no WebSocket");
    assert!(!format!("{:?}", scene.algolab).contains("hash"));
}

#[tokio::test]
async fn the_broker_is_listened_to_while_a_session_is_on() {
    let mut scene = Scene::at("18:09").await;
    let connection = scene.connection().await;
    scene.let_pass(SILENCE).await;
    scene.let_pass(SILENCE).await;
    scene.let_pass(SILENCE).await;
    connection.closed().await;
    // On Monday at 9:40, seen half a minute at a time.
    assert_eq!(scene.waits.recv().await, Some(seconds(30)));
    assert!(!scene.tally().is_connected);
    assert_eq!(scene.tally().last_error, None);
    scene.time.pass(seconds(((2 * 24 + 15) * 60 + 30) * 60));
    scene.connection().await;
}

#[tokio::test]
async fn we_say_that_we_are_there_and_keep_the_session() {
    let mut scene = Scene::at("12:00").await;
    let mut connection = scene.connection().await;
    for _ in 0..50 {
        scene.trade(&mut connection).await;
        scene.time.pass(seconds(18));
    }
    let (said, request) = tokio::join!(
        connection.hear(),
        scene.broker.answer(200, r#"{"success":true,"message":"","content":true}"#)
    );
    assert_eq!(said, format!(r#"{{"Token":"{SESSION}","Type":"H"}}"#));
    assert!(request.starts_with("POST /api/api/SessionRefresh HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains(&format!("authorization: {SESSION}\r\n")));
    scene.trade(&mut connection).await;
    assert_eq!(scene.tally().last_error, None);
}

#[tokio::test]
async fn nobody_is_followed_for_nobody() {
    let Scene { broker, quotes, following, .. } = Scene::at("12:00").await;
    let mut connection = broker.accept().await;
    connection.hear().await;
    drop(quotes);
    connection.trade("AAAAA", "101.5", "2026-11-27T12:00:00+03:00").await;
    following.await.unwrap();
}
