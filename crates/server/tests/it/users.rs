//! Accounts, as administrators look after them.

use axum::body::Body;
use axum::http::Method;
use bist_access::{Role, Secret};
use bist_app::access::Visit;
use bist_market::Clock as _;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::page::{after, ask, log_in, moved, opened};
use crate::test_app::{Opened, PASSWORD, TestApp, code_at, enrol, sign_in};

#[tokio::test]
async fn a_link_sets_a_password_once_and_for_three_days() {
    let (app, clock) = moved().await;
    let nobody = Opened { cookie: "a=b".to_owned(), csrf_token: String::new() };
    let accept = async |token: &Secret, password: &str| {
        let body = json!({"token": token.expose(), "password": password});
        ask(&app, &nobody, Method::POST, "/api/v1/auth/invitation", body).await
    };
    let invited = app.app.invite("ayse", Role::Viewer).await.unwrap();
    assert_eq!(accept(&invited.token, "password1234").await.problem(422).0, "weak_password");
    assert_eq!(accept(&Secret::new("x"), PASSWORD).await.problem(410).0, "invitation_invalid");
    assert_eq!(accept(&invited.token, PASSWORD).await.status, 200);
    assert_eq!(accept(&invited.token, PASSWORD).await.problem(410).0, "invitation_invalid");
    let late = app.app.reset_user("ayse").await.unwrap();
    assert_eq!(log_in(&app, "ayse", PASSWORD).await.status, 401);
    clock.pass(SignedDuration::from_hours(72));
    assert_eq!(accept(&late.token, PASSWORD).await.problem(410).0, "invitation_invalid");
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let app = TestApp::empty().await;
    let admin = app.app.user("admin").await.unwrap();
    let path = format!("/api/v1/users/{}", admin.id);
    let headers = [("content-type", "application/json")];
    for change in [json!({"role": "viewer"}), json!({"disabled": true})] {
        let body = Body::from(change.to_string());
        let answer = app.send_body(Method::PATCH, &path, &headers, body).await;
        assert_eq!(answer.problem(409).0, "last_administrator");
    }
    let answer = app.send(Method::DELETE, &path, &[]).await;
    assert_eq!(answer.problem(409).0, "last_administrator");
    sign_in(&app.app, "second", Role::Admin).await;
    assert_eq!(app.send(Method::DELETE, &path, &[]).await.status, 204);
}

#[tokio::test]
async fn who_is_erased_is_nowhere_any_more_and_the_audit_is_whole() {
    let app = TestApp::empty().await;
    let invited = app.app.invite("ayse.yilmaz", Role::Viewer).await.unwrap();
    let visit = Visit::new(Some("203.0.113.77".to_owned()), Some("A Browser/1.0"), None);
    let password = Secret::new(PASSWORD);
    app.app.accept_invitation(invited.token.expose(), &password, &visit).await.unwrap();
    app.app.sign_in("ayse.yilmaz", &Secret::new("wrong"), &visit).await.unwrap_err();
    let path = format!("/api/v1/users/{}", invited.account.id);
    let exported = app.get(&format!("{path}/export")).await.ok().to_string();
    assert!(exported.contains("203.0.113.77") && exported.contains("ayse.yilmaz"), "{exported}");
    let audit = app.get("/api/v1/audit").await.ok();
    assert!(audit.to_string().contains("203.0.113.77"));
    assert_eq!(app.send(Method::DELETE, &path, &[]).await.status, 204);

    for (path, status) in [("/api/v1/users", 200), ("/api/v1/audit", 200), (path.as_str(), 405)] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, status);
        let text = answer.body.to_string();
        assert!(!text.contains("ayse") && !text.contains("203.0.113.77"), "{text}");
    }
    let audit = app.get("/api/v1/audit?action=session").await.ok();
    assert!(audit["items"].as_array().unwrap().iter().any(|record| record["erased"] == true));
    let found = app.get("/api/v1/audit/verification").await.ok();
    assert_eq!((&found["verified"], &found["broken"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn what_is_done_about_access_is_on_record_with_who_did_it() {
    let app = TestApp::empty().await;
    let headers = [("content-type", "application/json")];
    let body = Body::from(json!({"user_name": "bora", "role": "trader"}).to_string());
    let answer = app.send_body(Method::POST, "/api/v1/users", &headers, body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let link = answer.body["invitation"]["link_path"].as_str().unwrap().to_owned();
    assert!(link.starts_with("/invitation#"));
    log_in(&app, "bora", "wrong").await;
    let audit = app.get("/api/v1/audit?limit=4").await.ok();
    let records: Vec<(String, Value)> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| (record["action"].as_str().unwrap().to_owned(), record["actor_name"].clone()))
        .collect();
    assert_eq!(
        records[..3],
        [
            ("session.refused".to_owned(), Value::Null),
            ("user.invited".to_owned(), json!("admin")),
            ("user.created".to_owned(), json!("admin")),
        ]
    );
    assert!(!audit.to_string().contains(link.split('#').nth(1).unwrap()));
}

#[tokio::test]
async fn a_link_for_another_password_leaves_the_second_factor_asked_for() {
    let (app, clock) = moved().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let (_, seed) = enrol(&app.app, &signed_in.account).await;
    let answer = app.send(Method::POST, "/api/v1/users/ayse/reset", &[]).await.ok();
    assert_eq!(answer["user"]["second_factor_kinds"], json!(["authenticator"]));
    let link = answer["invitation"]["link_path"].as_str().unwrap();
    let token = link.split('#').nth(1).unwrap();
    let nobody = Opened { cookie: "a=b".to_owned(), csrf_token: String::new() };
    let body = json!({"token": token, "password": "mavi kapi uzun tren 12"});
    let owes = after(ask(&app, &nobody, Method::POST, "/api/v1/auth/invitation", body).await);
    let symbols = ask(&app, &owes, Method::GET, "/api/v1/symbols", Value::Null).await;
    assert_eq!(symbols.problem(403).0, "second_factor_required");
    clock.pass(SignedDuration::from_mins(1));
    let body = json!({"code": code_at(&seed, clock.now())});
    let answer = ask(&app, &owes, Method::POST, "/api/v1/auth/2fa/verify", body).await;
    assert_eq!(answer.ok()["stage"], "full");
}

#[tokio::test]
async fn a_second_factor_that_was_lost_is_taken_away_by_an_administrator() {
    let app = TestApp::empty().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let path = "/api/v1/users/ayse/second-factor";
    let answer = app.send(Method::DELETE, path, &[]).await;
    assert_eq!(answer.problem(409).0, "second_factor_state", "there is none");
    let (signed_in, _) = enrol(&app.app, &signed_in.account).await;
    let page = opened(&app, &signed_in).await;
    let answer = app.send(Method::DELETE, path, &[]).await;
    assert_eq!(answer.ok()["second_factor_kinds"], json!([]));
    let session = ask(&app, &page, Method::GET, "/api/v1/auth/session", Value::Null).await;
    assert_eq!(session.status, 401);
    assert_eq!(log_in(&app, "ayse", PASSWORD).await.ok()["stage"], "full");
    let audit = app.get("/api/v1/audit?action=second_factor&limit=1").await.ok();
    assert_eq!(audit["items"][0]["action"], "second_factor.disabled");
    assert_eq!(audit["items"][0]["actor_name"], "admin");
}

#[tokio::test]
async fn who_takes_more_of_the_audit_than_a_page_shows_is_on_record() {
    let app = TestApp::empty().await;
    sign_in(&app.app, "ayse", Role::Viewer).await;
    app.get("/api/v1/audit?limit=100").await.ok();
    let exported = "/api/v1/audit?action=audit.exported";
    assert_eq!(app.get(exported).await.ok()["items"], json!([]), "a page is looked at");
    let taken = app.get("/api/v1/audit?limit=101&action=user").await.ok();
    let taken = taken["items"].as_array().unwrap().len();
    let records = app.get(exported).await.ok();
    assert_eq!(records["items"][0]["actor_name"], "admin");
    let details = &records["items"][0]["details"];
    assert_eq!((&details["records_count"], &details["action"]), (&json!(taken), &json!("user")));
    // Of several pages each is on record, and what somebody did is one export.
    app.get("/api/v1/audit?limit=101&cursor=before-3").await.ok();
    assert_eq!(app.get(exported).await.ok()["items"].as_array().unwrap().len(), 2);
    let activity = app.get("/api/v1/admin/activity?kind=export").await.ok();
    let subjects: Vec<&Value> =
        activity["items"].as_array().unwrap().iter().map(|item| &item["subject"]).collect();
    assert_eq!(subjects, ["audit"]);
}
