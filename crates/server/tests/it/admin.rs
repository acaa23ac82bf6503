//! How the service is used, as administrators see it: figures that add up, and people who stay unknown
//! once they are forgotten.

use std::sync::Arc;

use axum::http::Method;
use bist_access::{KeyRequest, Role, Scope};
use bist_app::rate_limits::Quotas;
use serde_json::{Value, json};

use crate::page::{ask, opened};
use crate::test_app::{TestApp, settings, sign_in, unbounded};

/// The items of `table` that have this name: a count of each.
fn counts(table: &Value, name: &str) -> Vec<(Value, Value, Value)> {
    let items = table["items"].as_array().unwrap();
    let named = items.iter().filter(|item| item["name"] == name);
    let told = |item: &Value| {
        let count = |field: &str| item[field].clone();
        (count("requests_count"), count("client_errors_count"), count("errors_count"))
    };
    named.map(told).collect()
}

fn sum(points: &Value, field: &str) -> u64 {
    points.as_array().unwrap().iter().map(|point| point[field].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn tables_charts_and_files_of_one_span_say_the_same() {
    let app = TestApp::with_files().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let page = opened(&app, &signed_in).await;
    let request = KeyRequest {
        name: "=night,ly".to_owned(),
        scopes: [Scope::Read].into(),
        networks: Vec::new(),
        days: 90,
        auto_rotate: false,
    };
    let key = app.app.make_key(&signed_in.account, &request).await.unwrap();
    let bearer = format!("Bearer {}", key.token.expose());
    for _ in 0..3 {
        ask(&app, &page, Method::GET, "/api/v1/symbols", Value::Null).await.ok();
        app.send(Method::GET, "/api/v1/symbols", &[("authorization", &bearer)]).await.ok();
    }
    for _ in 0..2 {
        let refused = ask(&app, &page, Method::GET, "/api/v1/users", Value::Null).await;
        assert_eq!(refused.problem(403).0, "forbidden");
    }
    app.send(Method::GET, "/api/v1/nothing", &[("cookie", "a=b")]).await.problem(404);

    let (mut asked_count, admin) = (9_u64, "/api/v1/admin/api-usage");
    let by_route = app.get(admin).await.ok();
    assert_eq!(by_route["total"]["requests_count"], asked_count);
    assert_eq!(counts(&by_route, "/api/v1/symbols"), [(json!(6), json!(0), json!(0))]);
    assert_eq!(counts(&by_route, "/api/v1/users"), [(json!(2), json!(2), json!(0))]);
    assert_eq!(counts(&by_route, "(no route)"), [(json!(1), json!(1), json!(0))]);
    assert_eq!((&by_route["step_s"], &by_route["sketch_error"]), (&json!(60), &json!(0.01)));
    let first = &by_route["items"][0];
    let latencies = ["p50_ms", "p95_ms", "p99_ms"].map(|name| first[name].as_f64().unwrap());
    assert!(latencies[0] > 0.0 && latencies.is_sorted(), "{first}");
    assert_eq!(first["last_at"], "2026-11-24T12:00:00Z");
    assert_eq!(by_route["as_of"], "2026-11-24T12:00:00Z", "and not the end of the last minute");
    // What was just asked is counted from now on.
    asked_count += 1;
    let by_account = app.get(&format!("{admin}?by=account")).await.ok();
    assert_eq!(by_account["total"]["requests_count"], asked_count);
    assert_eq!(counts(&by_account, "ayse"), [(json!(8), json!(2), json!(0))]);
    assert_eq!(counts(&by_account, "(nobody)"), [(json!(1), json!(1), json!(0))]);
    assert_eq!(counts(&by_account, "admin"), [(json!(1), json!(0), json!(0))]);
    asked_count += 1;
    let by_key = app.get(&format!("{admin}?by=key")).await.ok();
    assert_eq!(counts(&by_key, "=night,ly"), [(json!(3), json!(0), json!(0))]);
    assert_eq!(sum(&by_key["items"], "requests_count"), asked_count);
    asked_count += 1;

    // Page by page it is the same table.
    let mut cursor = String::new();
    let mut names = Vec::new();
    loop {
        let table = app.get(&format!("{admin}?by=account&limit=1{cursor}")).await.ok();
        asked_count += 1;
        names.extend(table["items"].as_array().unwrap().iter().map(|item| item["name"].clone()));
        let Some(next) = table["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(names.len(), 3, "{names:?}");

    let series = app.get(&format!("{admin}/series")).await.ok();
    assert_eq!(sum(&series["points"], "requests_count"), asked_count);
    assert_eq!(
        (series["step_s"].clone(), series["points"].as_array().unwrap().len()),
        (json!(300), 289)
    );
    asked_count += 1;
    let of_ayse = format!("{admin}/series?account={}&route=/api/v1/symbols", signed_in.account.id);
    assert_eq!(sum(&app.get(&of_ayse).await.ok()["points"], "requests_count"), 6);
    asked_count += 1;
    let overview = app.get("/api/v1/admin/overview").await.ok();
    assert_eq!(overview["requests"], json!({"count": asked_count, "before_count": 0}));
    assert_eq!(sum(&overview["series"]["points"], "requests_count"), asked_count);
    assert_eq!(overview["errors"], json!({"share": 0.0, "before_share": null}));
    assert_eq!(overview["people"]["active_count"], 2, "two have signed in");
    assert_eq!(overview["endpoints"][0]["requests_count"], 6);
    assert_eq!(overview["sessions_count"], 2);

    let file = app.get(&format!("{admin}.csv?by=key")).await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    let text = file.ok().as_str().unwrap().to_owned();
    let line = text.lines().find(|line| line.contains("ly")).unwrap();
    assert!(line.starts_with(&format!("\"'=night,ly\",,{},", signed_in.account.id)), "{line}");
    let exported = app.get("/api/v1/audit?action=usage.exported").await.ok();
    assert_eq!(exported["items"][0]["details"]["by"], "key");
    assert_eq!(exported["items"][0]["actor_name"], "admin");
    let activity = app.get("/api/v1/admin/activity?kind=export").await.ok();
    assert_eq!(activity["items"][0]["subject"], "api-usage.csv");
    assert_eq!(activity["items"][0]["account_name"], "admin");
}

#[tokio::test]
async fn whom_limits_refuse_is_told_by_class_and_caller() {
    let app = TestApp::with_files().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let page = opened(&app, &signed_in).await;
    let app_of = Arc::clone(&app.app);
    let quotas = Quotas { ai: "2/min".parse().unwrap(), address_multiple: 1_000, ..unbounded() };
    let app = app.behind(&settings(&app_of, quotas));
    for expected in [200, 200, 429, 429, 429] {
        let answer = ask(&app, &page, Method::GET, "/api/v1/forecasts", Value::Null).await;
        assert_eq!(answer.status, expected);
    }
    let limits = app.get("/api/v1/admin/rate-limits").await.ok();
    let items = limits["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{limits}");
    let told = ["class", "account_name", "key", "is_other", "refused_count"];
    let told = told.map(|name| &items[0][name]);
    assert_eq!(told, [&json!("ai"), &json!("ayse"), &Value::Null, &json!(false), &json!(3)]);
    assert_eq!(items[0]["last_at"], "2026-11-24T12:00:00Z");
    assert_eq!(sum(&limits["series"]["points"], "refused_count"), 3);
    let ai = &limits["policies"][0];
    assert_eq!(ai, &json!({"class": "ai", "requests": 2, "period_s": 60}));
    let table = app.get("/api/v1/admin/api-usage").await.ok();
    assert_eq!(table["total"]["refused_count"], 3);
}

#[tokio::test]
async fn what_pages_tell_is_noted_and_nothing_that_somebody_typed() {
    let app = TestApp::with_files().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let page = opened(&app, &signed_in).await;
    let tell = async |kind: &str, subject: &str| {
        let body = json!({"kind": kind, "subject": subject});
        ask(&app, &page, Method::POST, "/api/v1/activity", body).await.status
    };
    assert_eq!(tell("view", "TEST1").await, 202);
    assert_eq!(tell("view", "/screener").await, 202);
    assert_eq!(tell("search", "TEST1").await, 202);
    assert_eq!(tell("export", "/signals").await, 202);
    assert_eq!(tell("search", "what is my doctor called").await, 400);
    assert_eq!(tell("search", "DOCTOR").await, 404, "there is no such share");
    assert_eq!(tell("search", "/screener").await, 400);
    assert_eq!(tell("sign_in", "TEST1").await, 400, "that is seen by itself");

    let list = app.get("/api/v1/admin/activity").await.ok();
    let of_ayse = |list: &Value| -> Vec<(Value, Value)> {
        let items = list["items"].as_array().unwrap().iter();
        let hers = items.filter(|item| item["account_name"] == "ayse");
        hers.map(|item| (item["kind"].clone(), item["subject"].clone())).collect()
    };
    let mut told = of_ayse(&list);
    told.sort_by_key(|(kind, subject)| (kind.to_string(), subject.to_string()));
    let expected = [
        ("export", json!("/signals")),
        ("search", json!("TEST1")),
        ("sign_in", Value::Null),
        ("view", json!("/screener")),
        ("view", json!("TEST1")),
    ];
    assert_eq!(told, expected.map(|(kind, subject)| (json!(kind), subject)));
    let summary = app.get("/api/v1/admin/activity/summary").await.ok();
    let count = |kind: &str| {
        let kinds = summary["kinds"].as_array().unwrap();
        kinds.iter().find(|item| item["kind"] == kind).unwrap()["count"].clone()
    };
    assert_eq!((count("view"), count("search"), count("export")), (json!(2), json!(1), json!(1)));
    for (kind, field) in [("view", "views_count"), ("sign_in", "sign_ins_count")] {
        assert_eq!(json!(sum(&summary["points"], field)), count(kind));
    }
    let file = app.get("/api/v1/admin/activity.csv?kind=view").await.ok();
    assert_eq!(file.as_str().unwrap().lines().count(), 3, "{file}");
    let exported = app.get("/api/v1/audit?action=activity.exported").await.ok();
    assert_eq!(exported["items"][0]["details"]["rows_count"], 2);
}

#[tokio::test]
async fn who_is_erased_is_in_no_figure_and_the_figures_stay() {
    let app = TestApp::with_files().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let page = opened(&app, &signed_in).await;
    ask(&app, &page, Method::GET, "/api/v1/symbols", Value::Null).await.ok();
    let body = json!({"kind": "view", "subject": "TEST1"});
    ask(&app, &page, Method::POST, "/api/v1/activity", body).await;
    let id = signed_in.account.id.as_str();
    let kept = app.get(&format!("/api/v1/users/{id}/export")).await.ok();
    let mut activities = kept["activities"].as_array().unwrap().iter();
    assert!(activities.any(|activity| activity["subject"] == "TEST1"), "{kept}");
    let usage = kept["usage"].as_array().unwrap();
    assert_eq!(sum(&kept["usage"], "requests_count"), 2, "{usage:?}");
    let before = app.get("/api/v1/admin/api-usage?by=account").await.ok();
    assert!(before.to_string().contains("ayse"));

    assert_eq!(app.send(Method::DELETE, &format!("/api/v1/users/{id}"), &[]).await.status, 204);
    for path in ["api-usage?by=account", "api-usage?by=key", "activity", "rate-limits"] {
        let text = app.get(&format!("/api/v1/admin/{path}")).await.ok().to_string();
        assert!(!text.contains("ayse") && !text.contains(id), "{path}: {text}");
    }
    let after = app.get("/api/v1/admin/api-usage?by=account").await.ok();
    assert_eq!(counts(&after, "(nobody)"), [(json!(2), json!(0), json!(0))]);
}

#[tokio::test]
async fn activities_are_those_between_the_very_instants_that_were_asked_for() {
    let app = TestApp::with_files().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let page = opened(&app, &signed_in).await;
    let body = json!({"kind": "view", "subject": "TEST1"});
    assert_eq!(ask(&app, &page, Method::POST, "/api/v1/activity", body).await.status, 202);
    // She looked at it at noon.
    let views = async |from: &str, to: &str| {
        let query = format!("kind=view&from=2026-11-24T{from}Z&to=2026-11-24T{to}Z");
        let list = app.get(&format!("/api/v1/admin/activity?{query}")).await.ok();
        let file = app.get(&format!("/api/v1/admin/activity.csv?{query}")).await.ok();
        let count = list["items"].as_array().unwrap().len();
        assert_eq!(file.as_str().unwrap().lines().count(), count + 1, "{file}");
        let span = query.strip_prefix("kind=view&").unwrap();
        let summary = app.get(&format!("/api/v1/admin/activity/summary?{span}")).await.ok();
        assert_eq!(sum(&summary["points"], "views_count"), count as u64);
        count
    };
    assert_eq!(views("11:59:30", "12:00:00.000001").await, 1);
    assert_eq!(views("11:59:30", "12:00:00").await, 0);
    assert_eq!(views("12:00:00", "12:00:30").await, 1);
    assert_eq!(views("12:00:00.000001", "12:00:30").await, 0);
}

#[tokio::test]
async fn of_a_span_before_that_is_not_kept_nothing_is_said() {
    let app = TestApp::empty().await;
    let before = async |from: &str| {
        let path = format!("/api/v1/admin/overview?from={from}&to=2026-11-24T12:00:00Z");
        let overview = app.get(&path).await.ok();
        let requests = overview["requests"]["before_count"].clone();
        let refused = overview["limits"]["before_refused_count"].clone();
        assert_eq!(requests, refused);
        (requests, overview["people"]["before_active_count"].clone())
    };
    assert_eq!(before("2026-11-17T12:00:00Z").await, (json!(0), json!(0)));
    // What people looked at is kept for 90 days.
    assert_eq!(before("2026-09-01T12:00:00Z").await, (json!(0), Value::Null));
    assert_eq!(before("2025-01-01T12:00:00Z").await, (Value::Null, Value::Null));
}

#[tokio::test]
async fn a_span_that_ends_before_it_begins_is_refused() {
    let app = TestApp::empty().await;
    let path = "/api/v1/admin/overview?from=2026-11-24T12:00:00Z&to=2026-11-24T11:00:00Z";
    let answer = app.get(path).await;
    assert_eq!(answer.problem(400).0, "invalid_parameter");
    let path = "/api/v1/admin/api-usage?from=1990-01-01T00:00:00Z&to=1991-01-01T00:00:00Z";
    let table = app.get(path).await.ok();
    assert_eq!(table["total"]["requests_count"], 0, "nothing is kept of that");
    assert_eq!(table["total"]["p50_ms"], Value::Null);
}
