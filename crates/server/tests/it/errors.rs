//! What went wrong, as administrators see it; what pages report.

use axum::http::Method;
use bist_access::Role;
use bist_app::rate_limits::Quotas;
use serde_json::{Value, json};

use crate::page::ask;
use crate::test_app::{Opened, TestApp, enrol, settings, sign_in, unbounded};

const LIST: &str = "/api/v1/admin/errors";
const REPORT: &str = "/api/v1/errors";

async fn viewer(app: &TestApp) -> Opened {
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let (signed_in, _) = enrol(&app.app, &signed_in.account).await;
    Opened::of(&app.app, &signed_in).await
}

fn report(place: &str) -> Value {
    json!({
        "message": "TypeError: bars of ayse@example.com are undefined", "place": place,
        "stack": "at draw (index.js:1:2)", "page": "/symbols/TEST1?code=123456",
    })
}

/// Keeps what was reported.
async fn keep(app: &TestApp) {
    app.app.telemetry().errors().close();
    app.app.keep_errors().await;
}

#[tokio::test]
async fn what_a_page_reports_is_in_the_list_and_its_state_goes_on_record() {
    let app = TestApp::empty().await;
    let ayse = viewer(&app).await;
    for place in ["shell", "charts/PriceChart", "shell"] {
        let answer = ask(&app, &ayse, Method::POST, REPORT, report(place)).await;
        assert_eq!((answer.status, answer.body.as_str()), (202, Some("")), "{}", answer.body);
    }
    keep(&app).await;
    let first = app.get(&format!("{LIST}?limit=1")).await.ok();
    let next = first["next"].as_str().unwrap();
    let second = app.get(&format!("{LIST}?limit=1&cursor={next}")).await.ok();
    assert_eq!(second["next"], Value::Null);
    let groups = [&first["items"][0], &second["items"][0]];
    let group = *groups.iter().find(|group| group["place"] == "shell").unwrap();
    let told = ["kind", "title", "state", "events_count"].map(|name| &group[name]);
    let title = "TypeError: bars of [e-mail] are undefined";
    assert_eq!(json!(told), json!(["page", title, "open", 2]));
    let path = format!("{LIST}/{}", group["id"].as_str().unwrap());
    let details = app.get(&path).await.ok();
    assert_eq!(details["id"], group["id"]);
    let event = &details["events"][0];
    assert_eq!(event["message"], format!("{title}\nat draw (index.js:1:2)"));
    assert_eq!(event["route"], "/symbols/TEST1?[query]");
    assert_eq!(event["request_id"], details["last_request_id"]);
    let of_request = format!("{LIST}?request_id={}", event["request_id"].as_str().unwrap());
    assert_eq!(app.get(&of_request).await.ok()["items"], json!([group]));

    let muted = app.post(&format!("{path}/state"), &json!({"state": "muted"})).await.ok();
    assert_eq!(muted["state"], "muted");
    assert_eq!(
        app.get(&format!("{LIST}?state=open&kind=page")).await.ok()["items"][1],
        json!(null)
    );
    let record = app.get("/api/v1/audit?action=error.state_changed").await.ok();
    assert_eq!(record["items"][0]["details"], json!({"from": "open", "to": "muted"}));

    // Only for administrators, and only what there is.
    let refused = ask(&app, &ayse, Method::GET, LIST, json!({})).await;
    assert_eq!(refused.problem(403).0, "forbidden");
    let unknown = app.get(&format!("{LIST}/e0123456789abcdef")).await;
    assert_eq!(unknown.problem(404).0, "error_group_not_found");
    for query in
        ["state=closed", "kind=fire", "cursor=before-1", "cursor=before-1-e0", "request_id=a%20b"]
    {
        let refused = app.get(&format!("{LIST}?{query}")).await;
        assert_eq!(refused.problem(400).0, "invalid_parameter");
    }
    let refused = app.post(&format!("{path}/state"), &json!({"state": "gone"})).await;
    assert_eq!(refused.problem(400).0, "malformed_request");
}

#[tokio::test]
async fn a_page_reports_little_and_seldom() {
    let few = Quotas { trading: "2/h".parse().unwrap(), ..unbounded() };
    let app = TestApp::empty().await;
    let settings = settings(&app.app, few);
    let app = app.behind(&settings);
    let ayse = viewer(&app).await;
    let mut long = report("shell");
    long["stack"] = json!("x".repeat(8 * 1024));
    let refused = ask(&app, &ayse, Method::POST, REPORT, long).await;
    assert_eq!(refused.problem(413).0, "body_too_large");
    for message in ["", " "] {
        let mut empty = report("shell");
        empty["message"] = json!(message);
        let refused = ask(&app, &ayse, Method::POST, REPORT, empty).await;
        assert_eq!(refused.problem(400).0, "malformed_request");
    }
    for _ in 0..2 {
        assert_eq!(ask(&app, &ayse, Method::POST, REPORT, report("shell")).await.status, 202);
    }
    let refused = ask(&app, &ayse, Method::POST, REPORT, report("shell")).await;
    assert_eq!(refused.problem(429).0, "rate_limited");
    assert!(refused.headers.contains_key("retry-after"));
}
