//! `/api/v1/bars`.

use serde_json::{Value, json};

use crate::test_app::TestApp;

fn days(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|bar| bar["day"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn bars_are_decimal_strings_with_where_they_come_from() {
    let app = TestApp::with_files().await;
    let page = app.get("/api/v1/bars?symbol=TEST1&from=2026-11-19&to=2026-11-19").await.ok();
    assert_eq!(
        page,
        json!({
            "symbol": "TEST1", "interval": "1d", "origin": "market", "source": "csv",
            "as_of": "2026-11-20", "stale": false, "age_s": 334_200, "next": null,
            "items": [{
                "day": "2026-11-19", "open": "103.00", "high": "103.50", "low": "101.00",
                "close": "101.50", "adjusted_close": 101.0, "volume": 4000,
            }],
        })
    );
}

#[tokio::test]
async fn what_a_source_does_not_say_is_null() {
    let app = TestApp::with_files().await;
    let page = app.get("/api/v1/bars?symbol=ZTEST&limit=1").await.ok();
    assert_eq!(page["items"][0]["adjusted_close"], json!(null));
}

#[tokio::test]
async fn a_quarantined_row_is_no_bar() {
    let app = TestApp::with_files().await;
    let page = app.get("/api/v1/bars?symbol=ZTEST").await.ok();
    assert_eq!(days(&page), ["2026-11-16", "2026-11-17", "2026-11-20"]);
}

#[tokio::test]
async fn the_newest_page_comes_first_and_is_in_order() {
    let app = TestApp::with_files().await;
    let first = app.get("/api/v1/bars?symbol=test1&interval=1d&limit=2").await.ok();
    assert_eq!(
        (days(&first), &first["next"]),
        (vec!["2026-11-19", "2026-11-20"], &json!("to-2026-11-18"))
    );
    let second = app.get("/api/v1/bars?symbol=TEST1&limit=2&cursor=to-2026-11-18").await.ok();
    assert_eq!(
        (days(&second), &second["next"]),
        (vec!["2026-11-17", "2026-11-18"], &json!("to-2026-11-16"))
    );
    let third = app.get("/api/v1/bars?symbol=TEST1&limit=2&cursor=to-2026-11-16").await.ok();
    assert_eq!((days(&third), &third["next"]), (vec!["2026-11-16"], &json!(null)));
}

#[tokio::test]
async fn a_page_keeps_to_the_days_that_were_asked_for() {
    let app = TestApp::with_files().await;
    let query = "symbol=TEST1&from=2026-11-17&to=2026-11-19&limit=2";
    let first = app.get(&format!("/api/v1/bars?{query}")).await.ok();
    assert_eq!(
        (days(&first), &first["next"]),
        (vec!["2026-11-18", "2026-11-19"], &json!("to-2026-11-17"))
    );
    let second = app.get(&format!("/api/v1/bars?{query}&cursor=to-2026-11-17")).await.ok();
    assert_eq!((days(&second), &second["next"]), (vec!["2026-11-17"], &json!(null)));
    let none = app.get("/api/v1/bars?symbol=TEST1&from=2027-01-01").await.ok();
    assert_eq!((days(&none), &none["next"]), (vec![], &json!(null)));
}

#[tokio::test]
async fn each_mistake_is_named_with_what_to_give() {
    let app = TestApp::with_files().await;
    let check = async |query: &str, status: u16, code: &str, detail: &str| {
        let answer = app.get(&format!("/api/v1/bars{query}")).await;
        assert_eq!(answer.problem(status), (code, detail), "{query}");
    };
    let invalid = "invalid_parameter";
    check("", 400, invalid, "symbol: is missing; give a symbol such as THYAO").await;
    check("?symbol=", 400, invalid, "symbol: a symbol is empty; give a symbol such as THYAO").await;
    check(
        "?symbol=NONE",
        404,
        "symbol_not_found",
        "there are no daily bars of NONE; GET /api/v1/symbols lists what there is",
    )
    .await;
    check(
        "?symbol=TEST1&interval=60m",
        400,
        invalid,
        "interval: '60m' is not served; give 1d, or nothing",
    )
    .await;
    check(
        "?symbol=TEST1&from=24.11.2026",
        400,
        invalid,
        "from: '24.11.2026' is not a day; give one such as 2026-11-24",
    )
    .await;
    check(
        "?symbol=TEST1&from=2026-11-20&to=2026-11-19",
        400,
        invalid,
        "from: 2026-11-20 is after 'to', which is 2026-11-19; give a day that is not",
    )
    .await;
    check(
        "?symbol=TEST1&limit=5001",
        400,
        invalid,
        "limit: '5001' is not a limit; give a whole number from 1 to 5000",
    )
    .await;
    check(
        "?symbol=TEST1&cursor=to-yesterday",
        400,
        invalid,
        "cursor: 'to-yesterday' is not a cursor of this list; give the 'next' of the page before, or none for the first page",
    )
    .await;
    check(
        "?symbol=TEST1&adjusted=true",
        400,
        "unknown_parameter",
        "adjusted: this path takes the query parameters symbol, interval, from, to, adjustment, limit, cursor",
    )
    .await;
}
