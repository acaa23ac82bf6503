//! `/health`.

use serde_json::json;

use crate::test_app::TestApp;

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
        json!({"status": status, "checks": {"database": "ok", "web_app": status}})
    );
}
