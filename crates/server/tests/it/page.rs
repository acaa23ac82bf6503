//! Asking as a page does, at a time that a test moves.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Method;
use bist_app::App;
use bist_app::access::SignedIn;
use bist_market::Clock;
use bist_market::validate::ValidationPolicy;
use bist_testkit::hand_clock::HandClock;
use serde_json::{Value, json};

use crate::test_app::{Answer, NOW, Opened, TestApp};

/// A service whose clock is moved.
pub(crate) async fn moved() -> (TestApp, Arc<HandClock>) {
    let clock = Arc::new(HandClock::new(NOW.parse().unwrap()));
    let directory = tempfile::tempdir().unwrap();
    let clock_of_app: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
    let policy = ValidationPolicy::default();
    let app = App::open(directory.path(), clock_of_app, policy).await.unwrap();
    (TestApp::with(app, directory).await, clock)
}

/// Asks as whoever has `opened`; the token of the page goes with it.
pub(crate) async fn ask(
    app: &TestApp,
    opened: &Opened,
    method: Method,
    path: &str,
    body: Value,
) -> Answer {
    let headers = [
        ("cookie", opened.cookie.as_str()),
        ("x-csrf-token", opened.csrf_token.as_str()),
        ("content-type", "application/json"),
    ];
    app.send_body(method, path, &headers, Body::from(body.to_string())).await
}

pub(crate) async fn opened(app: &TestApp, signed_in: &SignedIn) -> Opened {
    Opened::of(&app.app, signed_in).await
}

/// What a page has after an answer that sets the cookie of a session.
pub(crate) fn after(answer: Answer) -> Opened {
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let body = answer.ok();
    Opened { cookie, csrf_token: body["csrf_token"].as_str().unwrap_or_default().to_owned() }
}

pub(crate) async fn log_in(app: &TestApp, user_name: &str, password: &str) -> Answer {
    let nobody = Opened { cookie: "a=b".to_owned(), csrf_token: String::new() };
    let body = json!({"user_name": user_name, "password": password});
    ask(app, &nobody, Method::POST, "/api/v1/auth/login", body).await
}
