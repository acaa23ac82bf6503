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
    assert_eq!(answer.status, if built { 200 } else { 503 });
    let web_app = if built { "ok" } else { "failed" };
    // How much room there is, is this machine's affair.
    let disk = &answer.body["checks"]["disk"];
    let worst = if built { disk } else { &json!("failed") };
    let mut reasons = answer.body["reasons"].as_object().unwrap().clone();
    assert_eq!(reasons.remove("disk").is_some(), disk != "ok");
    let lacks_web_app = json!({"web_app": "it is not in the binary"});
    assert_eq!(json!(reasons), if built { json!({}) } else { lacks_web_app });
    assert_eq!(
        answer.body,
        json!({
            "status": worst, "role": "all",
            "checks": {
                "database": "ok", "migrations": "ok", "clock": "ok", "disk": disk,
                "web_app": web_app, "outside": {},
            },
            "reasons": answer.body["reasons"],
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
    let told = ready.ok();
    let disk = &told["checks"]["disk"];
    assert_eq!(told["role"], "worker");
    assert_eq!(
        told["checks"],
        json!({"database": "ok", "migrations": "ok", "clock": "ok", "disk": disk, "outside": {}})
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
        let condition = answer.body["checks"]["outside"]["redis"].as_str().unwrap().to_owned();
        (condition, answer.body["reasons"]["redis"].as_str().map(ToOwned::to_owned))
    };
    assert_eq!(of_redis().await, ("ok".to_owned(), None));
    redis.kill();
    let (condition, reason) = of_redis().await;
    assert_eq!(condition, "degraded");
    assert_eq!(reason.unwrap(), "it failed too often; it is asked again in 1 s");
    redis.start_again();
    // It is left alone for a second, and then asked again.
    while of_redis().await.0 != "ok" {
        tokio::task::yield_now().await;
    }
}
