//! Names, origins and proxies: who is answered, and who may read the answer.

use axum::http::Method;
use bist_server::ServerSettings;
use serde_json::json;

use crate::test_app::{Answer, TestApp, settings, unbounded};

/// A service that people reach as `https://bist.example`, with one other origin on its list.
async fn public() -> TestApp {
    let app = TestApp::empty().await;
    let settings = ServerSettings {
        public_url: Some("https://bist.example".parse().unwrap()),
        cors_origins: vec!["https://desk.example".parse().unwrap()],
        ..settings(&app.app, unbounded())
    };
    app.behind(&settings)
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_listed_origin_may_read_answers_and_no_other_is_told_anything() {
    let app = public().await;
    let ask = async |origin| app.send(Method::GET, "/api/v1/symbols", &[("origin", origin)]).await;
    let listed = ask("https://desk.example").await;
    assert_eq!(header(&listed, "access-control-allow-origin"), Some("https://desk.example"));
    assert_eq!(header(&listed, "access-control-allow-credentials"), None);
    assert!(header(&listed, "access-control-expose-headers").unwrap().contains("retry-after"));
    assert_eq!(header(&listed, "vary"), Some("origin"));
    for origin in [
        "null",
        "https://evil.example",
        "http://desk.example",
        "https://desk.example.evil.example",
        "https://desk.example:8443",
        "https://bist.example",
        "",
    ] {
        let answer = ask(origin).await;
        let told = answer.headers.keys().any(|name| name.as_str().starts_with("access-control-"));
        assert!(!told, "{origin}");
        assert_eq!(header(&answer, "vary"), Some("origin"), "{origin}");
    }
}

#[tokio::test]
async fn before_a_request_a_listed_origin_is_told_what_it_may_send() {
    let app = public().await;
    let ask = async |origin| {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        app.send(Method::OPTIONS, "/api/v1/jobs", &headers).await
    };
    let listed = ask("https://desk.example").await;
    assert_eq!(listed.status, 204);
    assert_eq!(header(&listed, "access-control-allow-origin"), Some("https://desk.example"));
    assert_eq!(header(&listed, "allow"), Some("GET,HEAD,POST"));
    assert!(header(&listed, "access-control-allow-methods").unwrap().contains("POST"));
    assert!(header(&listed, "access-control-allow-headers").unwrap().contains("authorization"));
    let other = ask("https://evil.example").await;
    assert_eq!(other.status, 204);
    assert!(other.headers.keys().all(|name| !name.as_str().starts_with("access-control-")));
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let app = public().await;
    let post =
        async |headers: &[(&str, &str)]| app.send(Method::POST, "/api/v1/jobs", headers).await;
    for headers in [
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("origin", "https://evil.example")],
        [("origin", "null")],
    ] {
        assert_eq!(post(&headers).await.problem(403).0, "cross_site", "{headers:?}");
    }
    for headers in [
        &[][..],
        &[("sec-fetch-site", "same-origin")],
        &[("origin", "https://bist.example")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://desk.example")],
    ] {
        // It has no body, which is the next thing to be wrong.
        assert_eq!(post(headers).await.problem(400).0, "malformed_request", "{headers:?}");
    }
    let read = app.send(Method::GET, "/api/v1/symbols", &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(read.status, 200);
}

#[tokio::test]
async fn the_public_name_is_answered_and_browsers_come_over_tls_from_then_on() {
    let app = public().await;
    for path in ["/health/live", "/api/v1/nothing", "/"] {
        let answer = app.send(Method::GET, path, &[("host", "bist.example")]).await;
        assert_ne!(answer.status, 421, "{path}");
        assert_eq!(
            header(&answer, "strict-transport-security"),
            Some("max-age=63072000; includeSubDomains"),
            "{path}"
        );
    }
    let other = app.send(Method::GET, "/", &[("host", "evil.example")]).await;
    assert_eq!(other.problem(421).0, "host_not_local");
    let local = TestApp::empty().await.get("/health/live").await;
    assert_eq!(header(&local, "strict-transport-security"), None);
}

#[tokio::test]
async fn a_request_for_two_hosts_is_refused_whichever_comes_first() {
    let app = TestApp::empty().await;
    for hosts in [["localhost", "evil.example"], ["evil.example", "localhost"]] {
        let headers = hosts.map(|host| ("host", host));
        let answer = app.send(Method::GET, "/health/live", &headers).await;
        assert_eq!(answer.problem(400).0, "malformed_request", "{hosts:?}");
    }
}

#[tokio::test]
async fn a_document_that_is_nested_too_deeply_is_refused() {
    let app = TestApp::empty().await;
    let mut nested = json!(1);
    for _ in 0..200 {
        nested = json!([nested]);
    }
    let answer = app.post("/api/v1/jobs", &json!({"job": nested})).await;
    let (code, detail) = answer.problem(400);
    assert_eq!(code, "malformed_request");
    assert!(!detail.is_empty());
    // A body of the largest size, all of it opening brackets, ends the same way.
    let deep = "[".repeat(60_000);
    let headers = [("content-type", "application/json")];
    let answer = app.send_body(Method::POST, "/api/v1/jobs", &headers, deep.into()).await;
    let (code, detail) = answer.problem(400);
    assert_eq!(code, "malformed_request");
    assert!(detail.contains("recursion limit") || detail.contains("expected"), "{detail}");
}

#[tokio::test]
async fn a_nul_is_refused_wherever_it_stands_in_an_address() {
    let app = TestApp::with_files().await;
    for path in ["/api/v1/audit?actor=a%00", "/api/v1/symbols?q=%00", "/api/v1/models/a%00"] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
    }
}
