//! What API keys open, and their end.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::Method;
use bist_access::{AuditAction, KeyRequest, Role, Scope, Secret};
use bist_app::AuditFilter;
use bist_app::access::AccessError;
use bist_app::access::api_keys::MadeKey;
use bist_app::access::key_care::KeysCared;
use bist_app::jobs::Job;
use jiff::SignedDuration;

use crate::page::moved;
use crate::test_app::{Answer, TestApp, sign_in};

#[tokio::test]
async fn a_key_does_what_its_scopes_say_from_where_they_say_until_it_is_taken_back() {
    let (app, clock) = moved().await;
    let owner = app.app.user("admin").await.unwrap();
    let make = async |scopes: BTreeSet<Scope>, networks: &[&str]| {
        let networks: Vec<String> = networks.iter().map(|text| (*text).to_owned()).collect();
        let networks = bist_access::api_key::parse_networks(&networks).unwrap();
        let request = KeyRequest {
            name: "report".to_owned(),
            scopes,
            networks,
            days: 90,
            auto_rotate: false,
        };
        app.app.make_key(&owner, &request).await.unwrap()
    };
    let get = async |token: &Secret, path: &str| {
        let value = format!("Bearer {}", token.expose());
        app.send(Method::GET, path, &[("authorization", &value)]).await
    };
    let read = make([Scope::Read].into(), &[]).await;
    assert_eq!(get(&read.token, "/api/v1/symbols").await.status, 200);
    assert_eq!(get(&read.token, "/api/v1/users").await.problem(403).0, "forbidden");
    assert_eq!(get(&read.token, "/api/v1/auth/session").await.problem(403).0, "forbidden");
    let admin = make([Scope::Admin].into(), &[]).await;
    assert_eq!(get(&admin.token, "/api/v1/users").await.status, 200);
    assert_eq!(get(&admin.token, "/api/v1/symbols").await.problem(403).0, "forbidden");
    // Requests of tests come from no address, which is in no network.
    let elsewhere = make([Scope::Read].into(), &["203.0.113.0/24"]).await;
    assert_eq!(get(&elsewhere.token, "/api/v1/symbols").await.problem(401).0, "not_signed_in");

    let (rotated, old) = app.app.rotate_key(read.key.id.as_str(), None).await.unwrap();
    assert_eq!(old.expires_at, app.app.now() + SignedDuration::from_hours(7 * 24));
    assert_eq!(get(&read.token, "/api/v1/symbols").await.status, 200);
    assert_eq!(get(&rotated.token, "/api/v1/symbols").await.status, 200);
    clock.pass(SignedDuration::from_hours(7 * 24));
    assert_eq!(get(&read.token, "/api/v1/symbols").await.status, 401);
    assert_eq!(get(&rotated.token, "/api/v1/symbols").await.status, 200);
    app.app.revoke_key(rotated.key.id.as_str(), None).await.unwrap();
    assert_eq!(get(&rotated.token, "/api/v1/symbols").await.status, 401);
}

/// A key of the administrator that is good for 90 days.
async fn key(app: &TestApp, auto_rotate: bool) -> MadeKey {
    let owner = app.app.user("admin").await.unwrap();
    let (name, scopes) = ("report".to_owned(), [Scope::Read].into());
    let request = KeyRequest { name, scopes, networks: Vec::new(), days: 90, auto_rotate };
    app.app.make_key(&owner, &request).await.unwrap()
}

/// Asks by the key that `token` opens.
async fn by_key(app: &TestApp, token: &Secret, method: Method, path: &str) -> Answer {
    let value = format!("Bearer {}", token.expose());
    app.send(method, path, &[("authorization", &value)]).await
}

const SUCCESSOR: &str = "/api/v1/api-keys/successor";

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

#[tokio::test]
async fn the_owner_of_a_key_is_reminded_of_its_end_once() {
    let (app, clock) = moved().await;
    let made = key(&app, false).await;
    let look = async || app.app.look_after_keys().await.unwrap();
    let symbols = async || by_key(&app, &made.token, Method::GET, "/api/v1/symbols").await;
    clock.pass(days(82));
    assert_eq!(look().await, KeysCared::default());
    assert_eq!(symbols().await.headers.get("sunset"), None);
    clock.pass(days(1));
    assert_eq!(look().await, KeysCared { reminded_count: 1, ..KeysCared::default() });
    assert_eq!(look().await, KeysCared::default(), "once is enough");
    clock.pass(days(1));
    assert_eq!(look().await, KeysCared::default());
    let answer = symbols().await;
    let until = made.key.expires_at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    assert_eq!((answer.status, answer.headers["sunset"].to_str().unwrap()), (200, until.as_str()));
    let owner = app.app.user("admin").await.unwrap();
    let listed = app.app.api_keys(Some(&owner.id)).await.unwrap();
    assert_eq!(listed[0].days_left(app.app.now()), 6);
    let records = on_record(&app, AuditAction::KeyExpiring).await;
    assert_eq!(records, [format!("key:{}", made.key.id)]);
}

#[tokio::test]
async fn a_successor_is_collected_once_by_the_key_before_it() {
    let (app, clock) = moved().await;
    let (made, other) = (key(&app, true).await, key(&app, false).await);
    clock.pass(days(82));
    app.app.look_after_keys().await.unwrap();
    let early = by_key(&app, &made.token, Method::POST, SUCCESSOR).await;
    assert_eq!(early.problem(409).0, "api_key_collection");
    clock.pass(days(1));
    let cared = KeysCared { reminded_count: 1, replaced_count: 1, withdrawn_count: 0 };
    assert_eq!(app.app.look_after_keys().await.unwrap(), cared);
    assert_eq!(app.app.look_after_keys().await.unwrap(), KeysCared::default());
    let next = app.app.api_keys(None).await.unwrap().into_iter().find(|key| key.is_uncollected);
    let next = next.unwrap();
    assert_eq!(next.expires_at, app.app.now() + days(90));

    // What opens it is sealed, and goes to nobody else.
    let name = format!("bist.successor.{}", next.id).parse().unwrap();
    let sealed = app.app.secret(&name).await.unwrap();
    let directory = app.app.directory();
    for file in ["bist.sqlite", "bist.sqlite-wal"] {
        let bytes = std::fs::read(directory.join(file)).unwrap_or_default();
        let text = sealed.expose().as_bytes();
        assert!(!bytes.windows(text.len()).any(|window| window == text), "{file}");
    }
    let refused = by_key(&app, &other.token, Method::POST, SUCCESSOR).await;
    assert_eq!(refused.problem(409).0, "api_key_collection");
    let stranger = sign_in(&app.app, "ayse", Role::Viewer).await.account.id;
    let theirs = app.app.collect_key(next.id.as_str(), Some(&stranger)).await;
    assert!(matches!(theirs, Err(AccessError::NoSuchKey(_))), "{theirs:?}");

    let collected = by_key(&app, &made.token, Method::POST, SUCCESSOR).await.ok();
    assert_eq!(collected["token"], sealed.expose());
    assert_eq!(collected["key"]["is_uncollected"], false);
    let again = by_key(&app, &made.token, Method::POST, SUCCESSOR).await;
    assert_eq!(again.problem(409).0, "api_key_collection");
    assert!(app.app.secret(&name).await.is_err(), "the sealed copy is gone");
    // Both are good until the old one ends, when it would have ended anyway.
    for token in [&made.token, &sealed] {
        assert_eq!(by_key(&app, token, Method::GET, "/api/v1/symbols").await.status, 200);
    }
    clock.pass(days(7));
    assert_eq!(by_key(&app, &made.token, Method::GET, "/api/v1/symbols").await.status, 401);
    assert_eq!(by_key(&app, &sealed, Method::GET, "/api/v1/symbols").await.status, 200);
    assert_eq!(on_record(&app, AuditAction::KeyCollected).await, [format!("key:{}", next.id)]);
}

#[tokio::test]
async fn a_successor_that_nobody_collects_ends_with_the_key_before_it() {
    let (app, clock) = moved().await;
    let (expired, revoked) = (key(&app, true).await, key(&app, true).await);
    clock.pass(days(84));
    assert_eq!(app.app.look_after_keys().await.unwrap().replaced_count, 2);
    let next_of = async |made: &MadeKey| {
        let keys = app.app.api_keys(None).await.unwrap();
        let old = keys.into_iter().find(|key| key.id == made.key.id).unwrap();
        old.replaced_by.unwrap()
    };
    let (of_expired, of_revoked) = (next_of(&expired).await, next_of(&revoked).await);
    // Who takes a key back takes its successor back with it.
    app.app.revoke_key(revoked.key.id.as_str(), None).await.unwrap();
    assert_eq!(by_key(&app, &revoked.token, Method::POST, SUCCESSOR).await.status, 401);
    let gone = app.app.collect_key(of_revoked.as_str(), None).await;
    assert!(matches!(gone, Err(AccessError::NothingToCollect(_))), "{gone:?}");
    assert_eq!(app.app.look_after_keys().await.unwrap(), KeysCared::default());

    clock.pass(days(6));
    assert_eq!(by_key(&app, &expired.token, Method::POST, SUCCESSOR).await.status, 401);
    let late = app.app.collect_key(of_expired.as_str(), None).await;
    assert!(matches!(late, Err(AccessError::KeyNotActive { .. })), "{late:?}");
    let cared = app.app.look_after_keys().await.unwrap();
    assert_eq!(cared, KeysCared { withdrawn_count: 1, ..KeysCared::default() });
    let secrets = app.app.secrets().await.unwrap();
    let waiting = secrets.iter().filter(|secret| secret.name.as_str().contains("successor"));
    assert_eq!(waiting.count(), 0);
    app.app.check_secrets().await.unwrap();
}

#[tokio::test]
async fn the_care_of_keys_is_a_job_of_each_day() {
    let (app, clock) = moved().await;
    let made = key(&app, true).await;
    clock.pass(days(83));
    let run = async || {
        app.app.schedule_job(Job::KeyCare).await.unwrap();
        app.app.run_waiting_job(Job::KeyCare, Arc::new(|_| {})).await.unwrap()
    };
    let told = run().await.unwrap().detail.unwrap();
    assert_eq!(told, "reminded of: 0, given a successor: 1, successors that nobody collected: 0");
    assert!(run().await.is_none(), "once a day");
    // The owner may collect it too, once.
    let keys = app.app.api_keys(None).await.unwrap();
    let next = keys.into_iter().find(|key| key.is_uncollected).unwrap();
    let collect = async || app.app.collect_key(next.id.as_str(), Some(&made.key.account)).await;
    let token = collect().await.unwrap().token;
    assert_eq!(by_key(&app, &token, Method::GET, "/api/v1/symbols").await.status, 200);
    let again = collect().await;
    assert!(matches!(again, Err(AccessError::NothingToCollect(_))), "{again:?}");
}

/// The subjects of the records of `action`.
async fn on_record(app: &TestApp, action: AuditAction) -> Vec<String> {
    let records = app.app.audit_records(&AuditFilter::default(), 200).await.unwrap();
    let of_action = records.into_iter().filter(|record| record.action == action.as_str());
    of_action.map(|record| record.subject).collect()
}
