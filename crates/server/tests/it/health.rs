//! `/health`.

use axum::http::Method;
use bist_app::{ProcessRole, RedisLink};
use bist_server::ServerSettings;
use bist_testkit::redis_server::RedisServer;
use serde_json::json;

use crate::test_app::{TestApp, open, settings, unbounded};

#[tokio::test]
async fn the_process_lives() {
    let app = TestApp::empty().await;
    assert_eq!(
        app.get("/health/live").await.ok(),
        json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})
    );
}

#[tokio::test]
async fn readiness_says_which_part_is_not_ready() {
    let app = TestApp::empty().await;
    let answer = app.get("/health/ready").await;
    let built = answer.body["checks"]["web_app"] == "ok";
    // The web app is in the binary only when it was built before.
    let root = app.get("/").await;
    assert_eq!(root.status, if built { 200 } else { 503 });
    let status = if built { "ok" } else { "failed" };
    assert_eq!(answer.status, if built { 200 } else { 503 });
    assert_eq!(
        answer.body,
        json!({
            "status": status, "role": "all",
            "checks": {"database": "ok", "web_app": status, "outside": {}},
        })
    );
}

#[tokio::test]
async fn a_worker_says_how_it_is_by_any_name_and_nothing_else() {
    let app = TestApp::empty().await;
    let limits = settings(&app.app, unbounded());
    let app = app.behind(&ServerSettings { role: ProcessRole::Worker, ..limits });
    let by_address = [("host", "10.0.0.7:8081")];
    let ready = app.send(Method::GET, "/health/ready", &by_address).await;
    assert_eq!(
        ready.ok(),
        json!({"status": "ok", "role": "worker", "checks": {"database": "ok", "outside": {}}})
    );
    assert_eq!(app.get("/health/live").await.status, 200);
    for path in ["/", "/api/v1/jobs", "/api/openapi.json"] {
        assert_eq!(app.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn losing_redis_is_told_and_costs_no_readiness() {
    let Some(mut redis) = RedisServer::start() else { return };
    let link = RedisLink::new(&redis.url().parse().unwrap(), None).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let app = open(directory.path()).await.with_redis(link);
    let app = TestApp::with(app, directory).await;
    let of_redis = async || {
        let answer = app.get("/health/ready").await;
        answer.body["checks"]["outside"]["redis"].as_str().unwrap().to_owned()
    };
    assert_eq!(of_redis().await, "ok");
    redis.kill();
    assert_eq!(of_redis().await, "degraded");
    redis.start_again();
    // It is left alone for a second, and then asked again.
    while of_redis().await != "ok" {
        tokio::task::yield_now().await;
    }
}
