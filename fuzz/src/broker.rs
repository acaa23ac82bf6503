//! What a broker says on the WebSocket of live prices.
//!
//! One connection lasts for all inputs. After each the broker tells a trade that nothing else is like, and
//! what was heard before it came of the input.

use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bist_access::Secret;
use bist_feeds::http::Waiting;
use bist_feeds::{
    AlgoLab, AlgoLabSettings, Heard, LiveSource as _, LiveTally, SourceSettings, Waits,
};
use bist_market::{Clock, FixedClock, Quote, Source, Symbol};
use bist_testkit::broker::{Broker, BrokerConnection};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::Receiver;

/// Made up; the first part is 32 bytes of examples.
const KEYS: &str = "API-YD3rEBXKcb4rc67whX13gR81LAc7YQjXLZgQowkU3/Q=:12345678901:word";

/// While the exchange is open.
const NOW: &str = "2026-11-27T12:00:00+03:00";

/// The symbol of the trade that is told after each input.
const AFTER: &str = "AFTERTHAT";

/// Time that does not pass.
#[derive(Debug)]
struct StandsStill;

impl Waits for StandsStill {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> Waiting<'_> {
        Box::pin(std::future::pending())
    }

    fn any_up_to(&self, most: Duration) -> Duration {
        most
    }
}

struct Scene {
    runtime: Runtime,
    connection: BrokerConnection,
    tally: Arc<Mutex<LiveTally>>,
    quotes: Receiver<Vec<Quote>>,
    /// How many inputs there were, which is also the price of the trade after each, in whole lira.
    inputs_count: u64,
}

thread_local! {
    static SCENE: RefCell<Scene> = RefCell::new(Scene::new());
}

impl Scene {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let tally: Arc<Mutex<LiveTally>> = Arc::default();
        let (connection, quotes) = runtime.block_on(async {
            let broker = Broker::start().await;
            let clock: Arc<dyn Clock> = Arc::new(FixedClock(NOW.parse().expect("a time")));
            let source = SourceSettings::of(Source::ALGOLAB).expect("it is asked over HTTP");
            let mut source = source.with_base_url("api", &broker.url()).expect("an address");
            source.credential = Secret::new(KEYS).into();
            let session = Secret::new("hash.of.a.session").into();
            let settings =
                AlgoLabSettings { source, session, silence_max: Duration::from_secs(60) };
            let algolab = AlgoLab::new(&settings, Arc::new(StandsStill), Arc::clone(&clock));
            let algolab = algolab.expect("a client can be made");
            let (heard, quotes) = Heard::new(Arc::clone(&tally), clock);
            tokio::spawn(async move {
                let wanted = [Symbol::parse("AAAAA").expect("a symbol")];
                algolab.follow(&wanted, &heard).await;
            });
            let mut connection = broker.accept().await;
            connection.hear().await;
            (connection, quotes)
        });
        Self { runtime, connection, tally, quotes, inputs_count: 0 }
    }

    fn tally(&self) -> LiveTally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is heard when the broker says this.
    fn said(&mut self, bytes: &[u8]) -> Vec<Quote> {
        self.inputs_count += 1;
        let Self { runtime, connection, quotes, inputs_count, .. } = self;
        let after = Symbol::parse(AFTER).expect("a symbol");
        let price_units = i64::try_from(*inputs_count * 10_000).expect("inputs are few");
        runtime.block_on(async {
            match std::str::from_utf8(bytes) {
                Ok(text) => connection.tell(text).await,
                Err(_) => connection.tell_bytes(bytes).await,
            }
            connection.trade(AFTER, &inputs_count.to_string(), NOW).await;
            let mut heard = Vec::new();
            loop {
                for quote in quotes.recv().await.expect("it is followed") {
                    if quote.symbol == after && quote.price.units() == price_units {
                        return heard;
                    }
                    heard.push(quote);
                }
            }
        })
    }
}

pub(crate) fn check(bytes: &[u8], _: &Path) -> bool {
    SCENE.with_borrow_mut(|scene| {
        let refused = |tally: &LiveTally| tally.refused.values().sum::<u64>();
        let before = refused(&scene.tally());
        let heard = scene.said(bytes);
        let tally = scene.tally();
        assert!(tally.is_connected && tally.connections_count == 1, "{:?}", tally.last_error);
        let quotes_count = heard.len() as u64;
        assert!(quotes_count + refused(&tally) - before <= 1, "a message is one trade at most");
        for quote in &heard {
            assert_eq!(Symbol::parse(quote.symbol.as_str()), Ok(quote.symbol));
        }
        quotes_count > 0
    })
}
