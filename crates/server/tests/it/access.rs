//! Who gets in, how far, and what is on record of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::Method;
use bist_access::{KeyRequest, Role, Scope};
use bist_app::AuditFilter;
use bist_app::access::Visit;
use bist_app::rate_limits::Quotas;
use bist_market::Clock as _;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::page::{after, ask, log_in, moved, opened};
use crate::test_app::{Opened, PASSWORD, TestApp, code_at, enrol, settings, sign_in, unbounded};

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
            // Who asks does not matter there, but from where.
            let refused = if needs == "watcher" { Some("not_signed_in") } else { refused(needs) };
            assert_eq!(code, refused, "{method} {path} needs {needs}: {}", answer.body);
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
