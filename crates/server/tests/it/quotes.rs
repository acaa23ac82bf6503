//! Prices of this moment, wherever prices are told.

use std::sync::Arc;

use bist_app::live::{LiveQuotes, Section, Wanted};
use bist_feeds::http::BreakerState;
use bist_feeds::{Following, Heard, LiveSource};
use bist_market::{Price, Quote, QuoteRefusal, Source, Symbol};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::test_app::{NOW, TestApp};

/// Says one price and something unreadable, and is then silent.
#[derive(Debug)]
struct OneTrade {
    at: Timestamp,
}

impl LiveSource for OneTrade {
    fn source(&self) -> Source {
        Source::ALGOLAB
    }

    fn follow<'a>(&'a self, wanted: &'a [Symbol], heard: &'a Heard) -> Following<'a> {
        Box::pin(async move {
            heard.connected();
            heard.refused(QuoteRefusal::Unreadable);
            let price = Price::parse("102").unwrap();
            let quote = Quote { symbol: wanted[0], price, at: self.at, base: None };
            heard.quotes(vec![quote]).await.unwrap();
            std::future::pending::<()>().await;
        })
    }

    fn breaker(&self) -> Option<BreakerState> {
        Some(BreakerState::Closed { failures_count: 0 })
    }
}

/// A service that has heard one trade, so many seconds ago.
async fn heard(seconds: i64) -> (TestApp, Value) {
    let at = NOW.parse::<Timestamp>().unwrap() - SignedDuration::from_secs(seconds);
    let app = TestApp::with_quotes(LiveQuotes {
        source: Arc::new(OneTrade { at }),
        session: None,
        symbols: Vec::new(),
        stale_after: SignedDuration::from_secs(60),
    })
    .await;
    app.app.look_at_changes().await.unwrap();
    let mut listener = app.app.live().listen();
    listener.subscribe(&[Wanted::All(Section::Prices)]).unwrap();
    let following = Arc::clone(&app.app);
    tokio::spawn(async move { following.follow_live_source().await });
    listener.news().await.unwrap();
    let page = app.get("/api/v1/live/poll?topics=prices/TEST1").await.ok();
    (app, page["items"][0]["data"]["items"][0]["data"].clone())
}

#[tokio::test]
async fn a_price_of_this_moment_stands_beside_the_bars() {
    let (app, told) = heard(3).await;
    let change_share = 102.0 / 100.5 - 1.0;
    assert_eq!(
        told,
        json!({
            "symbol": "TEST1", "origin": "market", "as_of": "2026-11-24", "last_close": "102.00",
            "previous_close": "100.50", "change_share": change_share,
            "priced_at": "2026-11-24T11:59:57Z", "age_s": 3, "stale": false,
            "live_source": "algolab", "replay_time": null,
        })
    );
    let symbol = app.get("/api/v1/symbols/TEST1").await.ok();
    assert_eq!((&symbol["as_of"], &symbol["last_close"]), (&json!("2026-11-20"), &json!("100.50")));
    assert_eq!(
        symbol["quote"],
        json!({
            "price": "102.00", "previous_close": "100.50", "change_share": change_share,
            "priced_at": "2026-11-24T11:59:57Z", "age_s": 3, "stale": false,
            "live_source": "algolab",
        })
    );
    let listed = app.get("/api/v1/symbols").await.ok();
    assert_eq!(listed["items"][0]["quote"], symbol["quote"]);
    let sources = app.get("/api/v1/data-quality/sources").await.ok();
    assert_eq!(
        sources["live"],
        json!({
            "source": "algolab", "followed_here": true, "connected": true, "stale": false,
            "newest_quote_at": "2026-11-24T11:59:57Z", "age_s": 3, "last_heard_at": NOW,
            "connections_count": 1, "shown_count": 1, "last_error": null,
            "refused": [{"reason": "unreadable", "count": 1}],
            "breaker": {"state": "closed", "retry_in_s": null},
        })
    );
}

#[tokio::test]
async fn a_price_says_that_it_is_old_and_how_old() {
    let (app, told) = heard(61).await;
    assert_eq!((&told["stale"], &told["age_s"]), (&json!(true), &json!(61)));
    let symbol = app.get("/api/v1/symbols/TEST1").await.ok();
    assert_eq!((&symbol["quote"]["stale"], &symbol["quote"]["age_s"]), (&json!(true), &json!(61)));
    assert_eq!(app.get("/api/v1/data-quality/sources").await.ok()["live"]["stale"], true);
}
