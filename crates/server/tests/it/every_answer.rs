//! What holds for every answer, good or bad.

use axum::http::Method;

use crate::test_app::TestApp;

const PATHS: [(&str, u16); 5] = [
    ("/api/v1/symbols", 200),
    ("/api/v1/symbols/NONE", 404),
    ("/api/v1/nothing", 404),
    ("/api/v1/symbols?limit=0", 400),
    ("/api/openapi.json", 200),
];

#[tokio::test]
async fn browsers_are_kept_from_doing_more_with_it_than_is_meant() {
    let app = TestApp::with_files().await;
    for path in
        PATHS.map(|(path, _)| path).into_iter().chain(["/", "/s/TEST1", "/assets/none-1.js"])
    {
        let answer = app.send(Method::GET, path, &[("accept", "text/html")]).await;
        let has = |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(
            has("content-security-policy"),
            Some(
                "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            ),
            "{path}"
        );
        assert_eq!(has("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(has("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(has("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(has("cross-origin-opener-policy"), Some("same-origin"), "{path}");
        assert_eq!(has("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert!(has("permissions-policy").unwrap().contains("camera=()"), "{path}");
        assert!(has("cache-control").is_some(), "{path}");
        assert!(has("access-control-allow-origin").is_none(), "{path}");
    }
}

#[tokio::test]
async fn answers_of_the_api_are_not_kept() {
    let app = TestApp::with_files().await;
    for (path, status) in PATHS {
        let answer = app.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn the_request_id_of_the_caller_comes_back() {
    let app = TestApp::with_files().await;
    for (path, _) in PATHS {
        let answer = app.send(Method::GET, path, &[("x-request-id", "trace-42")]).await;
        assert_eq!(answer.headers["x-request-id"], "trace-42", "{path}");
        if answer.status >= 400 {
            assert_eq!(answer.body["request_id"], "trace-42", "{path}");
        }
    }
    let made = app.send(Method::GET, "/api/v1/symbols", &[("x-request-id", "not sane")]).await;
    assert_eq!(made.headers["x-request-id"].len(), 32);
}

#[tokio::test]
async fn only_this_machine_is_answered() {
    let app = TestApp::with_files().await;
    for path in ["/api/v1/symbols", "/", "/health/live", "/nothing"] {
        let answer = app.send(Method::GET, path, &[("host", "rebound.example:8080")]).await;
        assert_eq!(
            answer.problem(421),
            (
                "host_not_local",
                "'rebound.example:8080' is not a name of this server; ask for localhost, or for the host of server.public_url in its configuration"
            ),
            "{path}"
        );
    }
    for host in ["127.0.0.1:8080", "[::1]:8080", "localhost"] {
        assert_eq!(app.send(Method::GET, "/health/live", &[("host", host)]).await.status, 200);
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let app = TestApp::with_files().await;
    for path in ["/api", "/api/v2/symbols", "/api/v1/symbols/", "/health", "/metrics/x"] {
        let answer = app.send(Method::GET, path, &[("accept", "text/html")]).await;
        assert_eq!(
            answer.problem(404),
            (
                "not_found",
                "there is nothing at this path; /api/openapi.json describes what there is"
            ),
            "{path}"
        );
    }
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_are_taken() {
    let app = TestApp::with_files().await;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = app.send(method, "/api/v1/symbols", &[]).await;
        assert_eq!(answer.problem(405).0, "method_not_allowed");
        assert_eq!(answer.headers["allow"], "GET,HEAD");
    }
    let answer = app.send(Method::OPTIONS, "/api/v1/symbols", &[]).await;
    assert_eq!((answer.status, &answer.headers["allow"]), (204, &"GET,HEAD".parse().unwrap()));
    let answer = app.send(Method::HEAD, "/api/v1/symbols", &[]).await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
}

#[tokio::test]
async fn the_page_of_the_api_is_a_page() {
    let app = TestApp::empty().await;
    let answer = app.get("/api/docs").await;
    // 503 where the web app was not built before this binary.
    assert!([200, 503].contains(&answer.status));
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
}
