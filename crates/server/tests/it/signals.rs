//! `/api/v1/signals`.

use bist_market::Price;
use serde_json::{Value, json};

use crate::test_app::{NOW, TestApp};

#[tokio::test]
async fn a_signal_says_what_and_why() {
    let app = TestApp::trained().await;
    let version = app.get("/api/v1/models").await.ok()["items"][0].clone();
    let page = app.get("/api/v1/signals").await.ok();
    let items = page["items"].as_array().unwrap();
    assert!(!items.is_empty());
    for signal in items {
        assert_eq!(signal["model_version"], version["version"]);
        assert_eq!(signal["snapshot_hash"], version["snapshot_hash"]);
        assert_eq!((&signal["origin"], &signal["made_at"]), (&json!("sample"), &json!(NOW)));
        assert!(signal["reason"]["code"].is_string() && signal["reason_text"].is_string());
        let held = signal["action"] == "hold";
        assert_eq!(signal["target"].is_null(), held, "{signal}");
        assert_eq!(signal["stop"].is_null(), held, "{signal}");
        assert!(Price::parse(signal["last_close"].as_str().unwrap()).is_ok());
    }
}

#[tokio::test]
async fn contributions_add_up_to_the_forecast() {
    let app = TestApp::trained().await;
    let page = app.get("/api/v1/signals").await.ok();
    for signal in page["items"].as_array().unwrap() {
        let parts = &signal["contributions"];
        let named = parts["items"].as_array().unwrap();
        assert_eq!(named.len(), 5);
        let number = |value: &Value| value.as_f64().unwrap();
        let sum: f64 = named.iter().map(|one| number(&one["contribution_share"])).sum();
        let gap = number(&parts["base_share"]) + sum + number(&parts["other_share"])
            - number(&parts["total_share"]);
        assert!(gap.abs() < 1e-9, "{signal}");
        let expected = number(&parts["total_share"]).exp_m1();
        assert!((expected - number(&signal["expected_return_share"])).abs() < 1e-12, "{signal}");
    }
}

#[tokio::test]
async fn the_list_of_symbols_shows_the_same_signal() {
    let app = TestApp::trained().await;
    let all = app.get("/api/v1/signals").await.ok();
    let signal = &all["items"][0];
    let path = format!("/api/v1/symbols/{}", signal["symbol"].as_str().unwrap());
    assert_eq!(
        app.get(&path).await.ok()["signal"],
        json!({
            "action": signal["action"], "reason_code": signal["reason"]["code"],
            "as_of": signal["as_of"],
        })
    );
}

#[tokio::test]
async fn signals_are_paged_by_ticker_and_can_be_asked_for_one() {
    let app = TestApp::trained().await;
    let all = app.get("/api/v1/signals").await.ok();
    let mut walked = Vec::new();
    let mut path = "/api/v1/signals?limit=4".to_owned();
    loop {
        let page = app.get(&path).await.ok();
        walked.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/signals?limit=4&cursor={next}");
    }
    assert_eq!(json!(walked), all["items"]);
    let one = &all["items"][0];
    let path = format!("/api/v1/signals?symbol={}", one["symbol"].as_str().unwrap());
    assert_eq!(app.get(&path).await.ok(), json!({"items": [one], "next": null}));
    assert_eq!(app.get("/api/v1/signals?symbol=NONE").await.problem(404).0, "symbol_not_found");
}
