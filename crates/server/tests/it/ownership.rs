//! What belongs to somebody else: it is neither seen nor changed, however its name became known.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Method;
use bist_access::{KeyRequest, Role, Scope};
use bist_app::access::api_keys::MadeKey;
use bist_app::access::users::AccountStep;
use serde_json::{Value, json};

use crate::test_app::{Answer, Opened, TestApp, enrol, sign_in};

/// Asks as whoever has `opened`.
async fn ask(app: &TestApp, opened: &Opened, method: Method, path: &str) -> Answer {
    let headers =
        [("cookie", opened.cookie.as_str()), ("x-csrf-token", opened.csrf_token.as_str())];
    app.send_body(method, path, &headers, Body::empty()).await
}

/// A viewer who has just given a code.
async fn viewer(app: &TestApp, name: &str) -> Opened {
    let signed_in = sign_in(&app.app, name, Role::Viewer).await;
    let (signed_in, _) = enrol(&app.app, &signed_in.account).await;
    Opened::of(&app.app, &signed_in).await
}

/// A key of `name` that may read.
async fn key_of(app: &TestApp, name: &str) -> MadeKey {
    let request = KeyRequest {
        name: format!("of {name}"),
        scopes: BTreeSet::from([Scope::Read]),
        networks: Vec::new(),
        days: 90,
        auto_rotate: false,
    };
    let owner = app.app.user(name).await.unwrap();
    app.app.make_key(&owner, &request).await.unwrap()
}

fn ids(answer: Answer) -> Vec<String> {
    let items = answer.ok()["items"].clone();
    items.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn sessions_of_others_are_neither_seen_nor_ended() {
    let app = TestApp::empty().await;
    let (ayse, berk) = (viewer(&app, "ayse").await, viewer(&app, "berk").await);
    let of_ayse = ids(ask(&app, &ayse, Method::GET, "/api/v1/auth/sessions").await);
    let of_berk = ids(ask(&app, &berk, Method::GET, "/api/v1/auth/sessions").await);
    assert_eq!((of_ayse.len(), of_berk.len()), (1, 1));
    assert_ne!(of_ayse, of_berk);
    let path = format!("/api/v1/auth/sessions/{}", of_ayse[0]);
    let refused = ask(&app, &berk, Method::DELETE, &path).await;
    assert_eq!(refused.problem(404).0, "session_not_found");
    assert_eq!(
        ask(&app, &berk, Method::DELETE, "/api/v1/auth/sessions").await.ok()["ended_count"],
        0
    );
    assert_eq!(ask(&app, &ayse, Method::GET, "/api/v1/auth/session").await.status, 200);
}

#[tokio::test]
async fn keys_of_others_are_neither_seen_nor_rotated_nor_revoked() {
    let app = TestApp::empty().await;
    let (ayse, berk) = (viewer(&app, "ayse").await, viewer(&app, "berk").await);
    let key = key_of(&app, "ayse").await;
    assert_eq!(ids(ask(&app, &ayse, Method::GET, "/api/v1/api-keys").await), [key.key.id.as_str()]);
    assert_eq!(ids(ask(&app, &berk, Method::GET, "/api/v1/api-keys").await), Vec::<String>::new());
    let all = ask(&app, &berk, Method::GET, "/api/v1/api-keys?all=true").await;
    assert_eq!(all.problem(403).0, "forbidden");
    let path = format!("/api/v1/api-keys/{}", key.key.id);
    let rotated = ask(&app, &berk, Method::POST, &format!("{path}/rotate")).await;
    assert_eq!(rotated.problem(404).0, "api_key_not_found");
    let revoked = ask(&app, &berk, Method::DELETE, &path).await;
    assert_eq!(revoked.problem(404).0, "api_key_not_found");
    let bearer = format!("Bearer {}", key.token.expose());
    let used = async || {
        let headers = [("authorization", bearer.as_str())];
        app.send(Method::GET, "/api/v1/symbols", &headers).await.status
    };
    assert_eq!(used().await, 200);
    // An administrator may take back anybody's.
    assert_eq!(ask(&app, &app.administrator, Method::DELETE, &path).await.status, 204);
    assert_eq!(used().await, 401);
}

#[tokio::test]
async fn who_is_disabled_loses_sessions_and_keys_at_once() {
    let app = TestApp::empty().await;
    let ayse = viewer(&app, "ayse").await;
    let key = key_of(&app, "ayse").await;
    let bearer = format!("Bearer {}", key.token.expose());
    let statuses = async || {
        let headers = [("authorization", bearer.as_str())];
        let by_key = app.send(Method::GET, "/api/v1/symbols", &headers).await.status;
        (ask(&app, &ayse, Method::GET, "/api/v1/symbols").await.status, by_key)
    };
    assert_eq!(statuses().await, (200, 200));
    let step = |disabled| AccountStep { disabled: Some(disabled), ..AccountStep::default() };
    app.app.change_user("ayse", step(true)).await.unwrap();
    assert_eq!(statuses().await, (401, 401));
    // Who comes back signs in anew; programs go on.
    app.app.change_user("ayse", step(false)).await.unwrap();
    assert_eq!(statuses().await.0, 401);
}

#[tokio::test]
async fn no_body_takes_a_field_that_it_does_not_know() {
    let app = TestApp::empty().await;
    let document = app.get("/api/openapi.json").await.ok();
    let mut bodies = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let Some(name) = schema.as_str().and_then(|name| name.rsplit('/').next()) else {
                continue;
            };
            bodies += 1;
            let schema = &document["components"]["schemas"][name];
            assert_eq!(schema["additionalProperties"], false, "{method} {path}");
        }
    }
    assert!(bodies > 10, "{bodies}");
    // What the document says is so: a role cannot be smuggled into signing in.
    let body = json!({"user_name": "ayse", "password": "x", "role": "admin"});
    let answer = app.post("/api/v1/auth/login", &body).await;
    let (code, detail) = answer.problem(400);
    assert_eq!(code, "malformed_request");
    assert!(detail.contains("role"), "{detail}");
}

#[tokio::test]
async fn methods_that_nobody_needs_are_refused() {
    let app = TestApp::empty().await;
    for method in ["TRACE", "CONNECT", "TRACK", "PROPFIND", "PUT"] {
        let method: Method = method.parse().unwrap();
        for path in ["/", "/api/v1/symbols", "/health/live"] {
            let answer = app.send(method.clone(), path, &[]).await;
            assert_eq!(answer.status, 405, "{method} {path}: {}", answer.body);
            assert!(answer.body.get("detail").is_none_or(Value::is_string));
        }
    }
}

#[tokio::test]
async fn a_password_is_taken_as_it_was_typed() {
    let app = TestApp::empty().await;
    let nobody = Opened { cookie: "a=b".to_owned(), csrf_token: String::new() };
    let post = async |path: &str, body: Value| {
        let headers = [("cookie", nobody.cookie.as_str()), ("content-type", "application/json")];
        app.send_body(Method::POST, path, &headers, Body::from(body.to_string())).await.status
    };
    let long = "uzun bir parola, ama her yeri baska: 0123456789 kirmizi bisiklet ".repeat(4);
    for (n, password) in
        ["  kirmizi bisiklet yagmur 7  ", "çilek Ğül öğle şemsiye 41", &long[..256]]
            .into_iter()
            .enumerate()
    {
        let name = format!("user{n}");
        let invited = app.app.invite(&name, Role::Viewer).await.unwrap();
        let body = json!({"token": invited.token.expose(), "password": password});
        assert_eq!(post("/api/v1/auth/invitation", body).await, 200, "{password}");
        let typed = |password: &str| json!({"user_name": name, "password": password});
        assert_eq!(post("/api/v1/auth/login", typed(password)).await, 200, "{password}");
        for other in [password.trim().to_uppercase(), password[..password.len() - 1].to_owned()] {
            assert_eq!(post("/api/v1/auth/login", typed(&other)).await, 401, "{other}");
        }
    }
}
