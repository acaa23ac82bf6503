//! Who gets in, how far, and what is on record of it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Method;
use bist_access::{AuditAction, KeyRequest, Role, Scope, Secret};
use bist_app::access::api_keys::MadeKey;
use bist_app::access::key_care::KeysCared;
use bist_app::access::{AccessError, SignedIn, Visit};
use bist_app::jobs::Job;
use bist_app::rate_limits::Quotas;
use bist_app::{App, AuditFilter};
use bist_market::Clock;
use bist_market::validate::ValidationPolicy;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::test_app::{
    Answer, NOW, Opened, PASSWORD, TestApp, code_at, enrol, settings, sign_in, unbounded,
};

/// A clock that a test moves.
#[derive(Debug)]
pub(crate) struct MovedClock(Mutex<Timestamp>);

impl MovedClock {
    fn at(instant: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(instant.parse().unwrap())))
    }

    pub(crate) fn pass(&self, time: SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now += time;
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A service whose clock is moved.
pub(crate) async fn moved() -> (TestApp, Arc<MovedClock>) {
    let clock = MovedClock::at(NOW);
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

/// What of the document is needed here: method, path and need of each operation.
async fn operations(app: &TestApp) -> Vec<(Method, String, String)> {
    let document = app.get("/api/openapi.json").await.ok();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(|(method, operation)| {
            let method = method.to_uppercase().parse().unwrap();
            (method, path.clone(), operation["x-needs"].as_str().unwrap().to_owned())
        })
    });
    operations.collect()
}

/// Somebody who asks, and for which needs they are refused with which code.
struct Asker {
    headers: Vec<(&'static str, String)>,
    refused: fn(&str) -> Option<&'static str>,
}

#[tokio::test]
async fn every_operation_lets_in_whom_the_table_names_and_nobody_else() {
    let app = TestApp::with_files().await;
    let viewer = opened(&app, &sign_in(&app.app, "viewer", Role::Viewer).await).await;
    let trader = opened(&app, &sign_in(&app.app, "trader", Role::Trader).await).await;
    let unenrolled = opened(&app, &sign_in(&app.app, "fresh", Role::Admin).await).await;
    let owes = sign_in(&app.app, "owes", Role::Analyst).await;
    enrol(&app.app, &owes.account).await;
    let owes = after(log_in(&app, "owes", PASSWORD).await);
    let request = KeyRequest {
        name: "all".to_owned(),
        scopes: Scope::ALL.into(),
        networks: Vec::new(),
        days: 90,
        auto_rotate: false,
    };
    let admin = app.app.user("admin").await.unwrap();
    let key = app.app.make_key(&admin, &request).await.unwrap().token;
    let by_session = |opened: &Opened| {
        vec![("cookie", opened.cookie.clone()), ("x-csrf-token", opened.csrf_token.clone())]
    };
    let askers = [
        Asker {
            headers: vec![("cookie", "a=b".to_owned())],
            refused: |needs| (needs != "nothing").then_some("not_signed_in"),
        },
        Asker {
            headers: vec![("authorization", "Bearer bist_k0123456789abcdef_x".to_owned())],
            refused: |needs| (needs != "nothing").then_some("not_signed_in"),
        },
        Asker {
            headers: by_session(&owes),
            refused: |needs| match needs {
                "nothing" | "session" => None,
                _ => Some("second_factor_required"),
            },
        },
        Asker {
            headers: by_session(&viewer),
            refused: |needs| match needs {
                "nothing" | "session" | "person" | "viewer" => None,
                "viewer with a fresh code" => Some("enrolment_required"),
                _ => Some("forbidden"),
            },
        },
        Asker {
            headers: by_session(&trader),
            refused: |needs| match needs {
                "nothing" | "session" | "person" | "viewer" | "trader" => None,
                "viewer with a fresh code" => Some("enrolment_required"),
                _ => Some("forbidden"),
            },
        },
        Asker {
            headers: by_session(&unenrolled),
            refused: |needs| match needs {
                "nothing" | "session" | "person" | "viewer" | "trader" | "analyst" => None,
                "key" => Some("forbidden"),
                _ => Some("enrolment_required"),
            },
        },
        Asker {
            headers: vec![("authorization", format!("Bearer {}", key.expose()))],
            refused: |needs| match needs {
                "nothing" | "viewer" | "trader" | "analyst" | "admin" | "key" => None,
                _ => Some("forbidden"),
            },
        },
    ];
    let guards = [
        "not_signed_in",
        "second_factor_required",
        "enrolment_required",
        "forbidden",
        "step_up_required",
        "cross_site",
    ];
    // Who signs out asks for nothing afterwards.
    let last = |operation: &(Method, String, String)| operation.1 == "/api/v1/auth/logout";
    let mut operations = operations(&app).await;
    operations.sort_by_key(last);
    assert!(operations.len() > 60, "{} operations", operations.len());
    for Asker { headers, refused } in &askers {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for (method, path, needs) in &operations {
            // An operation that ends the sessions of who asks would spoil the rest.
            if path == "/api/v1/auth/sessions" && *method == Method::DELETE {
                continue;
            }
            let answer = app.send(method.clone(), path, &headers).await;
            let code = answer.body["code"].as_str().filter(|code| guards.contains(code));
            assert_eq!(code, refused(needs), "{method} {path} needs {needs}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn an_account_that_there_is_not_answers_as_a_wrong_password_does() {
    let app = TestApp::empty().await;
    sign_in(&app.app, "ayse", Role::Viewer).await;
    let mut answers = Vec::new();
    for (name, password) in
        [("ayse", "wrong"), ("nobody", PASSWORD), ("", ""), ("ayşe\u{0}", PASSWORD), ("AYSE", "x")]
    {
        let mut answer = log_in(&app, name, password).await;
        assert!(answer.headers.get("set-cookie").is_none());
        answer.body["request_id"] = Value::Null;
        answers.push((answer.status, answer.body.to_string()));
    }
    let different: BTreeSet<_> = answers.into_iter().collect();
    assert_eq!(different.len(), 1, "{different:?}");
    assert_eq!(different.first().unwrap().0, 401);
    assert_eq!(log_in(&app, "Ayse", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn the_cookie_is_for_this_host_alone_and_is_no_use_to_whoever_reads_the_database() {
    let app = TestApp::empty().await;
    sign_in(&app.app, "ayse", Role::Viewer).await;
    let answer = log_in(&app, "ayse", PASSWORD).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    let attributes: BTreeSet<&str> = attributes.split("; ").collect();
    let expected = ["HttpOnly", "SameSite=Strict", "Secure", "Path=/", "Max-Age=43200"];
    assert_eq!(attributes, expected.into());
    let token = pair.strip_prefix("__Host-bist-session=").unwrap();
    let kept = std::fs::read(app.app.directory().join("bist.sqlite-wal")).unwrap_or_default();
    let all = [std::fs::read(app.app.directory().join("bist.sqlite")).unwrap(), kept].concat();
    assert!(!all.windows(token.len()).any(|bytes| bytes == token.as_bytes()));
    let opened = after(answer);
    assert_eq!(
        ask(&app, &opened, Method::GET, "/api/v1/auth/session", json!({})).await.status,
        200
    );
}

#[tokio::test]
async fn a_change_without_the_token_of_the_page_is_refused() {
    let app = TestApp::empty().await;
    let viewer = opened(&app, &sign_in(&app.app, "viewer", Role::Viewer).await).await;
    let other = opened(&app, &sign_in(&app.app, "other", Role::Viewer).await).await;
    for csrf_token in ["", "AAAA", other.csrf_token.as_str()] {
        let forged = Opened { csrf_token: csrf_token.to_owned(), ..viewer.clone() };
        let answer = ask(&app, &forged, Method::POST, "/api/v1/auth/logout", json!({})).await;
        assert_eq!(answer.problem(403).0, "cross_site");
    }
    let answer = ask(&app, &viewer, Method::POST, "/api/v1/auth/logout", json!({})).await;
    assert_eq!(answer.status, 204);
    let answer = ask(&app, &viewer, Method::GET, "/api/v1/auth/session", json!({})).await;
    assert_eq!(answer.problem(401).0, "not_signed_in");
}

#[tokio::test]
async fn a_code_counts_once_and_only_around_its_half_minute() {
    let (app, clock) = moved().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Trader).await;
    let (_, seed) = enrol(&app.app, &signed_in.account).await;
    let verify = async |opened: &Opened, code: &str| {
        ask(&app, opened, Method::POST, "/api/v1/auth/2fa/verify", json!({"code": code})).await
    };
    let owes = after(log_in(&app, "ayse", PASSWORD).await);
    // The code of the enrolment was used there.
    let used = code_at(&seed, clock.now());
    assert_eq!(verify(&owes, &used).await.problem(401).0, "wrong_credentials");
    let half_minutes = |count: i64| SignedDuration::from_secs(30 * count);
    for (steps, taken) in [(-3_i64, false), (3, false), (2, false), (1, true)] {
        let code = code_at(&seed, clock.now() + half_minutes(steps));
        let answer = verify(&owes, &code).await;
        assert_eq!(answer.status == 200, taken, "{steps}: {}", answer.body);
        if taken {
            let full = after(answer);
            let session = ask(&app, &full, Method::GET, "/api/v1/auth/session", json!({})).await;
            assert_eq!(session.ok()["stage"], "full");
            // The session that owed the code is no more.
            let before = ask(&app, &owes, Method::GET, "/api/v1/auth/session", json!({})).await;
            assert_eq!(before.problem(401).0, "not_signed_in");
        }
    }
    clock.pass(half_minutes(1));
    let again = after(log_in(&app, "ayse", PASSWORD).await);
    // The same code is the current one by now, and was used.
    let replayed = code_at(&seed, clock.now());
    assert_eq!(verify(&again, &replayed).await.problem(401).0, "wrong_credentials");
    clock.pass(half_minutes(1));
    assert_eq!(verify(&again, &code_at(&seed, clock.now())).await.status, 200);
}

#[tokio::test]
async fn codes_are_not_found_by_trying_and_nobody_is_locked_out_by_others() {
    let app = TestApp::empty().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Trader).await;
    let (_, seed) = enrol(&app.app, &signed_in.account).await;
    let owes = after(log_in(&app, "ayse", PASSWORD).await);
    // The product's own limits from here on.
    let app_of = Arc::clone(&app.app);
    let app = app.behind(&settings(&app_of, Quotas::default()));
    let verify = async |code: &str| {
        ask(&app, &owes, Method::POST, "/api/v1/auth/2fa/verify", json!({"code": code})).await
    };
    for _ in 0..5 {
        assert_eq!(verify("000000").await.problem(401).0, "wrong_credentials");
    }
    let right = code_at(&seed, app_of.now() + SignedDuration::from_secs(30));
    let refused = verify(&right).await;
    assert_eq!(refused.problem(429).0, "rate_limited");
    assert!(refused.headers.contains_key("retry-after"));
    // A right password does not help either after five calls, and that is told of the address alone.
    for _ in 0..5 {
        assert_eq!(log_in(&app, "bora", "wrong").await.status, 401);
    }
    assert_eq!(log_in(&app, "ayse", PASSWORD).await.problem(429).0, "rate_limited");
    let open = app.behind(&settings(&app_of, unbounded()));
    assert_eq!(log_in(&open, "ayse", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn the_password_of_a_session_is_not_found_by_trying() {
    let app = TestApp::empty().await;
    let page = opened(&app, &sign_in(&app.app, "ayse", Role::Viewer).await).await;
    let app_of = Arc::clone(&app.app);
    let app = app.behind(&settings(&app_of, Quotas::default()));
    let change = async |current: &str| {
        let body = json!({"current_password": current, "new_password": "mavi kapi uzun tren 12"});
        ask(&app, &page, Method::POST, "/api/v1/auth/password", body).await
    };
    for _ in 0..5 {
        assert_eq!(change("wrong").await.problem(401).0, "wrong_credentials");
    }
    assert_eq!(change(PASSWORD).await.problem(429).0, "rate_limited");
}

#[tokio::test]
async fn a_recovery_code_takes_the_place_of_a_code_once() {
    let app = TestApp::empty().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let enrolment = app.app.set_up_second_factor(&signed_in.account).await.unwrap();
    let code = code_at(&enrolment.secret, app.app.now());
    let visit = Visit::default();
    let first = app.app.confirm_second_factor(&signed_in.account, &code, &visit).await.unwrap();
    let codes = first.unwrap().recovery_codes;
    assert_eq!(codes.len(), 10);
    for expected in [200, 401] {
        let owes = after(log_in(&app, "ayse", PASSWORD).await);
        let typed = codes[3].expose().to_uppercase().replace('-', " ");
        let body = json!({"recovery_code": typed});
        let answer = ask(&app, &owes, Method::POST, "/api/v1/auth/2fa/verify", body).await;
        assert_eq!(answer.status, expected);
        if expected == 200 {
            assert_eq!(answer.body["second_factor"]["recovery_codes_left"], 9);
        }
    }
}

#[tokio::test]
async fn a_fresh_code_opens_what_changes_access_for_ten_minutes() {
    let (app, clock) = moved().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let (signed_in, seed) = enrol(&app.app, &signed_in.account).await;
    let page = opened(&app, &signed_in).await;
    let make = async || {
        let body = json!({"name": "report", "scopes": ["read"]});
        ask(&app, &page, Method::POST, "/api/v1/api-keys", body).await
    };
    assert_eq!(make().await.status, 201);
    clock.pass(SignedDuration::from_mins(10));
    assert_eq!(make().await.problem(403).0, "step_up_required");
    let body = json!({"code": code_at(&seed, clock.now())});
    let answer = ask(&app, &page, Method::POST, "/api/v1/auth/step-up", body).await;
    assert_eq!(answer.ok()["stepped_up_until"], "2026-11-24T12:20:00Z");
    assert_eq!(make().await.status, 201);
}

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
async fn another_password_role_or_second_factor_ends_the_sessions_that_were_begun_with_less() {
    let app = TestApp::empty().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let here = opened(&app, &signed_in).await;
    let elsewhere = after(log_in(&app, "ayse", PASSWORD).await);
    let is_open = async |page: &Opened| {
        ask(&app, page, Method::GET, "/api/v1/auth/session", json!({})).await.status == 200
    };
    let body = json!({"current_password": PASSWORD, "new_password": "mavi kapi uzun tren 12"});
    let answer = ask(&app, &here, Method::POST, "/api/v1/auth/password", body).await;
    let here_then = after(answer);
    assert_eq!(
        (is_open(&here).await, is_open(&elsewhere).await, is_open(&here_then).await),
        (false, false, true)
    );
    let path = format!("/api/v1/users/{}", signed_in.account.id);
    let headers = [("content-type", "application/json")];
    let body = Body::from(json!({"role": "trader"}).to_string());
    let answer = app.send_body(Method::PATCH, &path, &headers, body).await;
    assert_eq!(answer.ok()["role"], "trader");
    assert!(!is_open(&here_then).await);
}

#[tokio::test]
async fn a_session_ends_when_nobody_uses_it() {
    let (app, clock) = moved().await;
    let page = opened(&app, &sign_in(&app.app, "ayse", Role::Viewer).await).await;
    let is_open = async || {
        ask(&app, &page, Method::GET, "/api/v1/auth/session", json!({})).await.status == 200
    };
    for _ in 0..12 {
        clock.pass(SignedDuration::from_mins(59));
        assert!(is_open().await);
    }
    // Twelve hours after the password, whatever was done.
    clock.pass(SignedDuration::from_mins(12));
    assert!(!is_open().await);
    let visit = Visit::default();
    let signed_in = app.app.sign_in("ayse", &Secret::new(PASSWORD), &visit).await.unwrap();
    let page = opened(&app, &signed_in).await;
    clock.pass(SignedDuration::from_mins(60));
    let answer = ask(&app, &page, Method::GET, "/api/v1/auth/session", json!({})).await;
    assert_eq!(answer.problem(401).0, "not_signed_in");
}

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
    let run = async || app.app.run_job(Job::KeyCare, Arc::new(|_| {})).await.unwrap();
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
async fn what_is_wrong_while_something_is_changed_is_on_record() {
    let (app, clock) = moved().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let page = opened(&app, &signed_in).await;
    let wrong = async |path: &str, body: Value| {
        let answer = ask(&app, &page, Method::POST, path, body).await;
        assert_eq!(answer.problem(401).0, "wrong_credentials", "{path}");
        let newest = app.app.audit_records(&AuditFilter::default(), 1).await.unwrap();
        newest[0].action.to_string()
    };
    let change = json!({"current_password": "not the one", "new_password": "yesil kayik ruzgar 8"});
    assert_eq!(wrong("/api/v1/auth/password", change).await, "password.refused");
    app.app.set_up_second_factor(&signed_in.account).await.unwrap();
    let code = json!({"code": "000000"});
    assert_eq!(wrong("/api/v1/auth/2fa/confirm", code).await, "second_factor.refused");

    let (signed_in, seed) = enrol(&app.app, &signed_in.account).await;
    clock.pass(SignedDuration::from_mins(1));
    let page = opened(&app, &signed_in).await;
    let off = async |password: &str, code: String| {
        let body = json!({"password": password, "code": code});
        let answer = ask(&app, &page, Method::POST, "/api/v1/auth/2fa/disable", body).await;
        // The seed is forgotten after that.
        let newest = app.app.audit_records(&AuditFilter::default(), 2).await.unwrap();
        let about = newest.iter().find(|record| !record.subject.starts_with("secret:"));
        (answer.status, about.unwrap().action.to_string())
    };
    let right = code_at(&seed, clock.now());
    assert_eq!(off("not the one", right.clone()).await, (401, "password.refused".to_owned()));
    assert_eq!(off(PASSWORD, "000000".to_owned()).await, (401, "second_factor.refused".to_owned()));
    assert_eq!(off(PASSWORD, right).await, (200, "second_factor.disabled".to_owned()));
}

#[tokio::test]
async fn who_signs_in_again_leaves_no_session_behind() {
    let app = TestApp::empty().await;
    let before = opened(&app, &sign_in(&app.app, "ayse", Role::Viewer).await).await;
    let body = json!({"user_name": "ayse", "password": PASSWORD});
    let page = after(ask(&app, &before, Method::POST, "/api/v1/auth/login", body).await);
    let status = async |page: &Opened| {
        ask(&app, page, Method::GET, "/api/v1/auth/session", Value::Null).await.status
    };
    assert_eq!((status(&before).await, status(&page).await), (401, 200));
}
