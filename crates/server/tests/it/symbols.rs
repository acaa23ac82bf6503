//! `/api/v1/symbols`.

use serde_json::{Value, json};

use crate::test_app::{NOW, TestApp};

#[tokio::test]
async fn a_symbol_shows_the_newest_of_everything() {
    let app = TestApp::with_files().await;
    let symbol = app.get("/api/v1/symbols/TEST1").await.ok();
    let change_share = symbol["change_share"].as_f64().unwrap();
    assert!((change_share - (100.5 / 101.5 - 1.0)).abs() < 1e-12, "{change_share}");
    assert_eq!(
        symbol,
        json!({
            "symbol": "TEST1", "name": null, "sector": null, "origin": "market", "source": "csv",
            "fetched_at": NOW, "first_day": "2026-11-16", "last_day": "2026-11-20",
            "as_of": "2026-11-20", "bars_count": 5, "last_close": "100.50",
            "previous_close": "101.50", "change_share": change_share, "quality_share": 1.0,
            // Monday's session has ended, Tuesday's has not.
            "stale_sessions": 1, "stale": false, "age_s": 334_200, "quote": null, "signal": null, "sources": ["csv"], "former_names": [],
        })
    );
}

#[tokio::test]
async fn the_case_of_a_ticker_and_its_suffix_do_not_matter() {
    let app = TestApp::with_files().await;
    for path in ["/api/v1/symbols/test1", "/api/v1/symbols/TEST1.IS"] {
        assert_eq!(app.get(path).await.ok()["symbol"], "TEST1", "{path}");
    }
}

#[tokio::test]
async fn an_unknown_symbol_is_not_found_and_a_malformed_one_is_refused() {
    let app = TestApp::with_files().await;
    assert_eq!(
        app.get("/api/v1/symbols/NONE").await.problem(404),
        (
            "symbol_not_found",
            "there are no daily bars of NONE; GET /api/v1/symbols lists what there is"
        )
    );
    assert_eq!(
        app.get("/api/v1/symbols/TH-YAO").await.problem(400),
        (
            "invalid_parameter",
            "symbol: symbol 'TH-YAO' has the character '-'; only A-Z and 0-9 are allowed; give a symbol such as THYAO"
        )
    );
    assert_eq!(app.get("/api/v1/symbols/%FF").await.problem(400).0, "malformed_request");
}

#[tokio::test]
async fn the_list_is_paged_by_ticker() {
    let app = TestApp::with_files().await;
    let names = |page: &Value| {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["symbol"].clone())
            .collect::<Vec<_>>()
    };
    let first = app.get("/api/v1/symbols?limit=1").await.ok();
    assert_eq!((names(&first), &first["next"]), (vec![json!("TEST1")], &json!("after-TEST1")));
    let second = app.get("/api/v1/symbols?limit=1&cursor=after-TEST1").await.ok();
    assert_eq!((names(&second), &second["next"]), (vec![json!("ZTEST")], &json!(null)));
    let all = app.get("/api/v1/symbols").await.ok();
    assert_eq!((names(&all), &all["next"]), (vec![json!("TEST1"), json!("ZTEST")], &json!(null)));
}

#[tokio::test]
async fn the_list_can_be_searched_by_ticker_and_by_name() {
    let app = TestApp::trained().await;
    let all = app.get("/api/v1/symbols").await.ok();
    let one = &all["items"][0];
    let (ticker, name) = (one["symbol"].as_str().unwrap(), one["name"].as_str().unwrap());
    let word = name.split(' ').next().unwrap().to_lowercase();
    for searched in [ticker.to_lowercase(), word] {
        let found = app.get(&format!("/api/v1/symbols?q={}", percent(&searched))).await.ok();
        let found = found["items"].as_array().unwrap();
        assert!(found.contains(one), "{searched} finds {ticker}");
    }
    let none = app.get("/api/v1/symbols?q=no-such-company").await.ok();
    assert_eq!(none, json!({"items": [], "next": null}));
}

#[tokio::test]
async fn limits_and_cursors_are_checked() {
    let app = TestApp::with_files().await;
    for limit in ["0", "1001", "-1", "ten", ""] {
        assert_eq!(
            app.get(&format!("/api/v1/symbols?limit={limit}")).await.problem(400).1,
            format!("limit: '{limit}' is not a limit; give a whole number from 1 to 1000")
        );
    }
    assert_eq!(
        app.get("/api/v1/symbols?cursor=from-3").await.problem(400).1,
        "cursor: 'from-3' is not a cursor of this list; give the 'next' of the page before, or none for the first page"
    );
    assert_eq!(
        app.get("/api/v1/symbols?limit=1&limit=2").await.problem(400).1,
        "limit: is given more than once; give it once"
    );
    assert_eq!(
        app.get("/api/v1/symbols?page=2").await.problem(400).1,
        "page: this path takes the query parameters q, limit, cursor"
    );
    assert_eq!(
        app.get("/api/v1/symbols/TEST1?page=2").await.problem(400).1,
        "page: this path takes no query parameters"
    );
}

#[tokio::test]
async fn sample_data_say_so() {
    let app = TestApp::trained().await;
    let page = app.get("/api/v1/symbols").await.ok();
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 6);
    for one in items {
        assert_eq!((&one["origin"], &one["source"]), (&json!("sample"), &json!("sample")));
    }
}

#[tokio::test]
async fn an_empty_store_has_an_empty_list() {
    let app = TestApp::empty().await;
    assert_eq!(app.get("/api/v1/symbols").await.ok(), json!({"items": [], "next": null}));
}

/// The text as it stands in a query.
fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
