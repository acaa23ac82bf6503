//! `/api/v1/signals/record` and `/api/v1/signals/served`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::test_app::TestApp;

#[tokio::test]
async fn every_signal_is_in_the_record_and_waits_until_its_horizon_has_ended() {
    let app = TestApp::trained().await;
    let signals = app.get("/api/v1/signals").await.ok();
    let count = signals["items"].as_array().unwrap().len();
    app.app.score_signals(Arc::new(|_| ())).await.unwrap();

    let record = app.get("/api/v1/signals/record?by=symbol").await.ok();
    assert_eq!((&record["origin"], &record["by"]), (&json!("sample"), &json!("symbol")));
    assert_eq!((&record["served_count"], &record["waiting_count"]), (&json!(count), &json!(count)));
    assert_eq!(record["summary"]["is_too_early"], true);
    assert_eq!(record["summary"]["hits"], json!({"of_count": 0, "count": 0, "share": null}));
    assert_eq!(record["groups"], json!([]));
    let of_market = app.get("/api/v1/signals/record?origin=market").await.ok();
    assert_eq!(of_market["served_count"], 0, "a sample is never mixed with real data");

    let mut walked: Vec<Value> = Vec::new();
    let mut path = "/api/v1/signals/served?limit=4".to_owned();
    loop {
        let page = app.get(&path).await.ok();
        walked.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/signals/served?limit=4&cursor={next}");
    }
    assert_eq!(walked.len(), count);
    for served in &walked {
        assert_eq!((&served["state"], &served["issue"]), (&json!("waiting"), &json!(1)));
        assert!(served["score"].is_null() && served["never_known"].is_null());
    }
    let closed = app.get("/api/v1/signals/served?closed=true").await.ok();
    assert_eq!(closed, json!({"items": [], "next": null}));
}
