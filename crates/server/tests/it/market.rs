//! `/api/v1/market`.

use serde_json::{Value, json};

use crate::test_app::TestApp;

#[tokio::test]
async fn a_day_shows_its_hours_and_when_its_trades_settle() {
    let app = TestApp::empty().await;
    let page = app.get("/api/v1/market/calendar?from=2026-10-28&to=2026-10-30").await.ok();
    assert_eq!(page["next"], json!(null));
    let [eve, holiday, friday] = page["items"].as_array().unwrap().as_slice() else {
        panic!("{page}")
    };
    assert_eq!((&eve["kind"], &eve["name"]), (&json!("half"), &json!(null)));
    // A half day trades, and settles on the second full session after it.
    assert_eq!(eve["settles_on"], "2026-11-02");
    let hours = |day: &Value| {
        [&day["opens_at"], &day["closes_at"]].map(|at| at.as_str().map(str::to_owned))
    };
    let [opens, closes] = hours(eve).map(Option::unwrap);
    assert!(opens.starts_with("2026-10-28T0") && opens < closes, "{eve}");
    assert_eq!(holiday["kind"], "closed");
    assert!(holiday["name"].is_string());
    assert_eq!(hours(holiday), [None, None]);
    assert_eq!(holiday["settles_on"], json!(null));
    assert_eq!((&friday["kind"], &friday["settles_on"]), (&json!("full"), &json!("2026-11-03")));
    let [_, full_closes] = hours(friday).map(Option::unwrap);
    assert!(full_closes[11..] > closes[11..], "a half day ends earlier");
}

#[tokio::test]
async fn days_that_the_calendar_does_not_know_are_unknown() {
    let app = TestApp::empty().await;
    let page = app.get("/api/v1/market/calendar?from=1999-12-31&to=1999-12-31").await.ok();
    assert_eq!(
        page["items"][0],
        json!({
            "day": "1999-12-31", "kind": "unknown", "name": null, "opens_at": null,
            "closes_at": null, "settles_on": null,
        })
    );
}

#[tokio::test]
async fn without_days_the_calendar_begins_today_in_istanbul() {
    let app = TestApp::empty().await;
    let page = app.get("/api/v1/market/calendar").await.ok();
    let items = page["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["day"]), (31, &json!("2026-11-24")));
}

#[tokio::test]
async fn too_many_days_are_refused_with_the_last_that_is_allowed() {
    let app = TestApp::empty().await;
    assert_eq!(
        app.get("/api/v1/market/calendar?from=2020-01-01&to=2023-01-01").await.problem(400),
        (
            "invalid_parameter",
            "to: 2023-01-01 is more than 1096 days from 2020-01-01; give a day up to 2022-12-31"
        )
    );
    let whole = app.get("/api/v1/market/calendar?from=2020-01-01&to=2022-12-31").await.ok();
    assert_eq!(whole["items"].as_array().unwrap().len(), 1096);
    assert_eq!(
        app.get("/api/v1/market/calendar?from=2020-01-02&to=2020-01-01").await.problem(400).1,
        "from: 2020-01-02 is after 'to', which is 2020-01-01; give a day that is not"
    );
}

#[tokio::test]
async fn the_rules_are_the_document_of_the_market_crate() {
    let app = TestApp::empty().await;
    let day = jiff::civil::date(2023, 11, 6);
    let symbol = bist_market::Symbol::parse("THYAO").unwrap();
    let rules = bist_market::ExchangeRules::bist();
    let check = async |path: &str, expected: bist_market::RulesOfDay| {
        assert_eq!(app.get(path).await.ok(), serde_json::to_value(expected).unwrap(), "{path}");
    };
    check("/api/v1/market/rules?on=2023-11-06", rules.rules_on(day, None)).await;
    check("/api/v1/market/rules?on=2023-11-06&symbol=thyao", rules.rules_on(day, Some(symbol)))
        .await;
    let today = jiff::civil::date(2026, 11, 24);
    check("/api/v1/market/rules", rules.rules_on(today, None)).await;
}
