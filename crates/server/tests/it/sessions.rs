//! When sessions end, and what is asked for again in them.

use axum::body::Body;
use axum::http::Method;
use bist_access::{Role, Secret};
use bist_app::access::Visit;
use bist_market::Clock as _;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::page::{after, ask, log_in, moved, opened};
use crate::test_app::{Opened, PASSWORD, TestApp, code_at, enrol, sign_in};

const STEP_UP: &str = "/api/v1/auth/step-up";

/// Whether `page` has a session that is not over.
async fn is_open(app: &TestApp, page: &Opened) -> bool {
    ask(app, page, Method::GET, "/api/v1/auth/session", Value::Null).await.status == 200
}

#[tokio::test]
async fn a_fresh_code_opens_what_changes_access_for_ten_minutes() {
    let (app, clock) = moved().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let (signed_in, seed) = enrol(&app.app, &signed_in.account).await;
    let page = opened(&app, &signed_in).await;
    let make = async |page: &Opened| {
        let body = json!({"name": "report", "scopes": ["read"]});
        ask(&app, page, Method::POST, "/api/v1/api-keys", body).await
    };
    assert_eq!(make(&page).await.status, 201);
    clock.pass(SignedDuration::from_mins(10));
    assert_eq!(make(&page).await.problem(403).0, "step_up_required");
    let body = json!({"code": code_at(&seed, clock.now())});
    let answer = ask(&app, &page, Method::POST, STEP_UP, body).await;
    assert_eq!(answer.body["stepped_up_until"], "2026-11-24T12:20:00Z");
    assert_eq!(make(&after(answer)).await.status, 201);
}

#[tokio::test]
async fn another_password_role_or_second_factor_ends_the_sessions_that_were_begun_with_less() {
    let app = TestApp::empty().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let here = opened(&app, &signed_in).await;
    let elsewhere = after(log_in(&app, "ayse", PASSWORD).await);
    let body = json!({"current_password": PASSWORD, "new_password": "mavi kapi uzun tren 12"});
    let answer = ask(&app, &here, Method::POST, "/api/v1/auth/password", body).await;
    let here_then = after(answer);
    assert_eq!(
        (
            is_open(&app, &here).await,
            is_open(&app, &elsewhere).await,
            is_open(&app, &here_then).await
        ),
        (false, false, true)
    );
    let path = format!("/api/v1/users/{}", signed_in.account.id);
    let headers = [("content-type", "application/json")];
    let body = Body::from(json!({"role": "trader"}).to_string());
    let answer = app.send_body(Method::PATCH, &path, &headers, body).await;
    assert_eq!(answer.ok()["role"], "trader");
    assert!(!is_open(&app, &here_then).await);
}

#[tokio::test]
async fn a_session_ends_when_nobody_uses_it() {
    let (app, clock) = moved().await;
    let page = opened(&app, &sign_in(&app.app, "ayse", Role::Viewer).await).await;
    for _ in 0..12 {
        clock.pass(SignedDuration::from_mins(59));
        assert!(is_open(&app, &page).await);
    }
    // Twelve hours after the password, whatever was done.
    clock.pass(SignedDuration::from_mins(12));
    assert!(!is_open(&app, &page).await);
    let visit = Visit::default();
    let signed_in = app.app.sign_in("ayse", &Secret::new(PASSWORD), &visit).await.unwrap();
    let page = opened(&app, &signed_in).await;
    clock.pass(SignedDuration::from_mins(60));
    let answer = ask(&app, &page, Method::GET, "/api/v1/auth/session", json!({})).await;
    assert_eq!(answer.problem(401).0, "not_signed_in");
}

#[tokio::test]
async fn who_signs_in_again_leaves_no_session_behind() {
    let app = TestApp::empty().await;
    let before = opened(&app, &sign_in(&app.app, "ayse", Role::Viewer).await).await;
    let body = json!({"user_name": "ayse", "password": PASSWORD});
    let page = after(ask(&app, &before, Method::POST, "/api/v1/auth/login", body).await);
    assert!(!is_open(&app, &before).await && is_open(&app, &page).await);
}

#[tokio::test]
async fn a_fresh_proof_gives_the_session_another_token_and_no_other_name() {
    let (app, clock) = moved().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let (signed_in, seed) = enrol(&app.app, &signed_in.account).await;
    let before = opened(&app, &signed_in).await;
    clock.pass(SignedDuration::from_mins(1));
    let body = json!({"code": code_at(&seed, clock.now())});
    let page = after(ask(&app, &before, Method::POST, STEP_UP, body).await);
    assert!(!is_open(&app, &before).await && is_open(&app, &page).await);
    // Other tabs go on with what they know: the browser gives them the new cookie.
    assert_eq!(page.csrf_token, before.csrf_token);
    let sessions = ask(&app, &page, Method::GET, "/api/v1/auth/sessions", Value::Null).await.ok();
    assert_eq!(sessions["items"].as_array().unwrap().len(), 1);
    assert_eq!(sessions["items"][0]["id"], signed_in.session.id.as_str());
}

#[tokio::test]
async fn without_a_second_factor_the_password_is_the_fresh_proof() {
    let (app, clock) = moved().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let page = opened(&app, &signed_in).await;
    let begin = async |page: &Opened| {
        ask(&app, page, Method::POST, "/api/v1/auth/2fa/setup", json!({})).await
    };
    assert_eq!(begin(&page).await.status, 200, "the password was given a moment ago");
    clock.pass(SignedDuration::from_mins(10));
    assert_eq!(begin(&page).await.problem(403).0, "step_up_required");
    let prove = async |body: Value| ask(&app, &page, Method::POST, STEP_UP, body).await;
    let wrong = prove(json!({"password": "not the one"})).await;
    assert_eq!(wrong.problem(401).0, "wrong_credentials");
    let both = prove(json!({"password": PASSWORD, "code": "123456"})).await;
    assert_eq!(both.problem(400).0, "malformed_request");
    let no_code = prove(json!({"code": "123456"})).await;
    assert_eq!(no_code.problem(409).0, "second_factor_state");
    let page = after(prove(json!({"password": PASSWORD})).await);
    assert_eq!(begin(&page).await.status, 200);

    let (signed_in, _) = enrol(&app.app, &signed_in.account).await;
    let page = opened(&app, &signed_in).await;
    let answer = ask(&app, &page, Method::POST, STEP_UP, json!({"password": PASSWORD})).await;
    assert_eq!(answer.problem(409).0, "second_factor_state", "a code is asked for then");
}

#[tokio::test]
async fn another_password_is_no_fresh_code() {
    let (app, clock) = moved().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let (signed_in, _) = enrol(&app.app, &signed_in.account).await;
    let page = opened(&app, &signed_in).await;
    clock.pass(SignedDuration::from_mins(10));
    let body = json!({"current_password": PASSWORD, "new_password": "mavi kapi uzun tren 12"});
    let page = after(ask(&app, &page, Method::POST, "/api/v1/auth/password", body).await);
    let body = json!({"name": "report", "scopes": ["read"]});
    let answer = ask(&app, &page, Method::POST, "/api/v1/api-keys", body).await;
    assert_eq!(answer.problem(403).0, "step_up_required");
}

#[tokio::test]
async fn who_ends_another_session_shows_again_who_they_are() {
    let (app, clock) = moved().await;
    let here = opened(&app, &sign_in(&app.app, "ayse", Role::Viewer).await).await;
    let elsewhere = after(log_in(&app, "ayse", PASSWORD).await);
    clock.pass(SignedDuration::from_mins(10));
    let sessions = ask(&app, &here, Method::GET, "/api/v1/auth/sessions", Value::Null).await.ok();
    let sessions = sessions["items"].as_array().unwrap();
    let path_of = |current: bool| {
        let found = sessions.iter().find(|session| session["current"] == current).unwrap();
        format!("/api/v1/auth/sessions/{}", found["id"].as_str().unwrap())
    };
    for path in [path_of(false), "/api/v1/auth/sessions".to_owned()] {
        let answer = ask(&app, &here, Method::DELETE, &path, Value::Null).await;
        assert_eq!(answer.problem(403).0, "step_up_required");
    }
    let proof = json!({"password": PASSWORD});
    let here = after(ask(&app, &here, Method::POST, STEP_UP, proof).await);
    let answer = ask(&app, &here, Method::DELETE, &path_of(false), Value::Null).await;
    assert_eq!((answer.status, is_open(&app, &elsewhere).await), (204, false));
    clock.pass(SignedDuration::from_mins(10));
    let answer = ask(&app, &here, Method::DELETE, &path_of(true), Value::Null).await;
    assert_eq!(answer.status, 204, "who only leaves is asked for nothing");
}

#[tokio::test]
async fn an_administrator_ends_all_sessions_of_an_account_and_its_owner_may_sign_in_again() {
    let app = TestApp::empty().await;
    let here = opened(&app, &sign_in(&app.app, "ayse", Role::Viewer).await).await;
    let elsewhere = after(log_in(&app, "ayse", PASSWORD).await);
    let answer = app.send(Method::DELETE, "/api/v1/users/ayse/sessions", &[]).await;
    assert_eq!(answer.ok()["ended_count"], 2);
    assert!(!is_open(&app, &here).await && !is_open(&app, &elsewhere).await);
    assert_eq!(log_in(&app, "ayse", PASSWORD).await.status, 200);
    assert_eq!(app.app.sign_everybody_out().await.unwrap(), 2, "that one, and the administrator's");
}
