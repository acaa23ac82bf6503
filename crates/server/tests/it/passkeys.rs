//! Passkeys in the place of codes: who gets in by one, and what is refused.

use std::sync::Arc;

use axum::http::Method;
use bist_access::{Account, Role};
use bist_app::rate_limits::Quotas;
use bist_market::Clock as _;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::authenticator::Authenticator;
use crate::page::{after, ask, log_in, moved, opened};
use crate::test_app::{
    Answer, Opened, PASSWORD, TestApp, code_at, enrol, settings, sign_in, unbounded,
};

const ASSERTION: &str = "/api/v1/auth/passkeys/assertion";
const REGISTRATION: &str = "/api/v1/auth/passkeys/registration";
const STEP_UP: &str = "/api/v1/auth/step-up";
const VERIFY: &str = "/api/v1/auth/2fa/verify";

/// Somebody whose only second factor is a passkey.
struct Owner {
    account: Account,
    page: Opened,
    device: Authenticator,
    passkey: String,
    recovery_codes: Vec<Value>,
}

async fn post(app: &TestApp, page: &Opened, path: &str, body: Value) -> Answer {
    ask(app, page, Method::POST, path, body).await
}

async fn get(app: &TestApp, page: &Opened, path: &str) -> Answer {
    ask(app, page, Method::GET, path, json!({})).await
}

/// Asks for a new passkey, and hands the answer of `device` in.
async fn add(app: &TestApp, page: &Opened, device: &Authenticator) -> Answer {
    let options = post(app, page, REGISTRATION, json!({})).await.ok();
    let body = json!({"name": "phone", "credential": device.create(&options)});
    post(app, page, "/api/v1/auth/passkeys", body).await
}

/// Asks for a signature, and hands that of `device` in at `path`.
async fn sign(app: &TestApp, page: &Opened, device: &mut Authenticator, path: &str) -> Answer {
    let options = post(app, page, ASSERTION, json!({})).await.ok();
    post(app, page, path, json!({"passkey": device.sign(&options)})).await
}

async fn owner(app: &TestApp, user_name: &str, role: Role) -> Owner {
    let signed_in = sign_in(&app.app, user_name, role).await;
    let page = opened(app, &signed_in).await;
    let device = Authenticator::new();
    let added = add(app, &page, &device).await;
    assert_eq!(added.status, 201, "{}", added.body);
    let passkey = added.body["passkey"]["id"].as_str().unwrap().to_owned();
    let recovery_codes = added.body["recovery_codes"].as_array().unwrap().clone();
    let cookie = added.headers["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let page = Opened { cookie, csrf_token: String::new() };
    let session = get(app, &page, "/api/v1/auth/session").await.ok();
    let csrf_token = session["csrf_token"].as_str().unwrap().to_owned();
    let account = app.app.user(user_name).await.unwrap();
    Owner { account, page: Opened { csrf_token, ..page }, device, passkey, recovery_codes }
}

/// The newest actions on record, the newest first, with what is said of them.
async fn recorded(app: &TestApp, count: usize) -> Vec<(String, Value)> {
    let audit = app.get(&format!("/api/v1/audit?limit={count}")).await.ok();
    let records = audit["items"].as_array().unwrap().iter();
    records
        .map(|record| (record["action"].as_str().unwrap().to_owned(), record["details"].clone()))
        .collect()
}

#[tokio::test]
async fn the_first_passkey_is_a_second_factor_for_administrators_too() {
    let app = TestApp::empty().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Admin).await;
    let before = opened(&app, &signed_in).await;
    let elsewhere = after(log_in(&app, "ayse", PASSWORD).await);
    assert_eq!(get(&app, &before, "/api/v1/users").await.problem(403).0, "enrolment_required");

    let options = post(&app, &before, REGISTRATION, json!({})).await.ok();
    let asked = &options["public_key"];
    assert_eq!(asked["rp"], json!({"name": "BIST AI Smart Trader", "id": "localhost"}));
    assert_eq!(asked["user"]["name"], "ayse");
    assert_eq!(asked["attestation"], "none");
    assert_eq!(
        asked["authenticatorSelection"],
        json!({
            "residentKey": "discouraged",
            "requireResidentKey": false,
            "userVerification": "preferred",
        })
    );
    assert!(asked.get("hints").is_none() && asked.get("extensions").is_none(), "{asked}");

    let device = Authenticator::new();
    let body = json!({"name": " phone ", "credential": device.create(&options)});
    let added = post(&app, &before, "/api/v1/auth/passkeys", body).await;
    assert_eq!(added.status, 201, "{}", added.body);
    assert_eq!(added.body["passkey"]["name"], "phone");
    assert_eq!(added.body["recovery_codes"].as_array().unwrap().len(), 10);
    for page in [&before, &elsewhere] {
        assert_eq!(get(&app, page, "/api/v1/auth/session").await.status, 401);
    }
    let cookie = added.headers["set-cookie"].to_str().unwrap();
    let page =
        Opened { cookie: cookie.split(';').next().unwrap().to_owned(), csrf_token: String::new() };
    let session = get(&app, &page, "/api/v1/auth/session").await.ok();
    assert_eq!(session["stage"], "full");
    assert_eq!(
        session["second_factor"],
        json!({
            "enabled": true,
            "required": true,
            "kinds": ["passkey"],
            "passkey_host": "localhost",
            "recovery_codes_left": 10,
        })
    );
    let users = get(&app, &page, "/api/v1/users").await.ok();
    let kinds: Vec<&Value> = users["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| &user["second_factor_kinds"])
        .collect();
    assert_eq!(kinds, [&json!(["authenticator"]), &json!(["passkey"])]);
    let listed = get(&app, &page, "/api/v1/auth/passkeys").await.ok();
    assert_eq!(listed["items"], json!([added.body["passkey"]]));
    let actions: Vec<String> =
        recorded(&app, 4).await.into_iter().map(|(action, _)| action).collect();
    assert_eq!(
        actions,
        ["session.began", "recovery_codes.made", "second_factor.enabled", "passkey.added"]
    );
}

#[tokio::test]
async fn a_passkey_signs_in_and_steps_up() {
    let (app, clock) = moved().await;
    let Owner { mut device, passkey, .. } = owner(&app, "ayse", Role::Trader).await;
    let owes = after(log_in(&app, "ayse", PASSWORD).await);
    let session = get(&app, &owes, "/api/v1/auth/session").await.ok();
    assert_eq!(session["stage"], "second_factor");
    let options = post(&app, &owes, ASSERTION, json!({})).await.ok();
    assert_eq!(options["public_key"]["rpId"], "localhost");
    assert_eq!(options["public_key"]["allowCredentials"].as_array().unwrap().len(), 1);
    assert_eq!(options["public_key"]["userVerification"], "preferred");
    let signed = post(&app, &owes, VERIFY, json!({"passkey": device.sign(&options)})).await;
    let page = after(signed);
    assert_eq!(get(&app, &page, "/api/v1/auth/session").await.ok()["stage"], "full");
    assert_eq!(get(&app, &owes, "/api/v1/auth/session").await.status, 401);
    assert_eq!(
        recorded(&app, 2).await,
        [
            (
                "session.began".to_owned(),
                json!({"by": "passkey", "passkey": passkey, "stage": "full"})
            ),
            ("second_factor.passed".to_owned(), json!({})),
        ]
    );
    let listed = get(&app, &page, "/api/v1/auth/passkeys").await.ok();
    assert_eq!(listed["items"][0]["last_used_at"], "2026-11-24T12:00:00Z");

    clock.pass(SignedDuration::from_mins(10));
    let make = async |page: &Opened| {
        let body = json!({"name": "report", "scopes": ["read"]});
        post(&app, page, "/api/v1/api-keys", body).await
    };
    assert_eq!(make(&page).await.problem(403).0, "step_up_required");
    let answer = sign(&app, &page, &mut device, STEP_UP).await;
    assert_eq!(answer.body["stepped_up_until"], "2026-11-24T12:20:00Z");
    assert_eq!(make(&after(answer)).await.status, 201);
}

#[tokio::test]
async fn a_signature_counts_once_in_its_own_session_and_for_five_minutes() {
    let (app, clock) = moved().await;
    let Owner { page, mut device, .. } = owner(&app, "ayse", Role::Viewer).await;
    let refused = |answer: &Answer| answer.problem(401).0 == "wrong_credentials";

    let options = post(&app, &page, ASSERTION, json!({})).await.ok();
    let signed = json!({"passkey": device.sign(&options)});
    let page = after(post(&app, &page, STEP_UP, signed.clone()).await);
    assert!(refused(&post(&app, &page, STEP_UP, signed).await));

    // What was asked for in one session is signed for another, which has asked too.
    let owes = after(log_in(&app, "ayse", PASSWORD).await);
    let options = post(&app, &page, ASSERTION, json!({})).await.ok();
    post(&app, &owes, ASSERTION, json!({})).await.ok();
    let signed = json!({"passkey": device.sign(&options)});
    assert!(refused(&post(&app, &owes, VERIFY, signed.clone()).await));
    // It was the challenge of the other that is used up.
    let page = after(post(&app, &page, STEP_UP, signed).await);

    // The challenge of a new passkey is none for a signature.
    let options = post(&app, &page, REGISTRATION, json!({})).await.ok();
    let signed = json!({"passkey": device.sign(&options)});
    assert!(refused(&post(&app, &page, STEP_UP, signed).await));

    let options = post(&app, &page, ASSERTION, json!({})).await.ok();
    clock.pass(SignedDuration::from_mins(5));
    let signed = json!({"passkey": device.sign(&options)});
    assert!(refused(&post(&app, &page, STEP_UP, signed).await));
    assert_eq!(sign(&app, &page, &mut device, STEP_UP).await.status, 200);
}

#[tokio::test]
async fn what_was_made_for_another_page_or_by_another_key_is_refused() {
    let app = TestApp::empty().await;
    let Owner { page, mut device, .. } = owner(&app, "ayse", Role::Viewer).await;
    let code = |answer: &Answer| answer.problem(401).0.to_owned();

    for origin in
        ["http://localhost:8081", "https://localhost:8080", "http://localhost.evil.example"]
    {
        device.origin = origin.to_owned();
        let answer = sign(&app, &page, &mut device, STEP_UP).await;
        assert_eq!(code(&answer), "wrong_credentials", "{origin}");
    }
    device.origin = Authenticator::new().origin;
    device.host = "evil.example".to_owned();
    assert_eq!(code(&sign(&app, &page, &mut device, STEP_UP).await), "wrong_credentials");
    device.host = "localhost".to_owned();
    let mut stranger = Authenticator::new();
    assert_eq!(code(&sign(&app, &page, &mut stranger, STEP_UP).await), "wrong_credentials");
    let options = post(&app, &page, ASSERTION, json!({})).await.ok();
    let mut forged = stranger.sign(&options);
    forged["rawId"] = device.sign(&options)["rawId"].clone();
    let answer = post(&app, &page, STEP_UP, json!({"passkey": forged})).await;
    assert_eq!(code(&answer), "wrong_credentials");
    // The passkey of somebody else is none of this account.
    let mut bora = owner(&app, "bora", Role::Viewer).await;
    assert_eq!(code(&sign(&app, &page, &mut bora.device, STEP_UP).await), "wrong_credentials");
    let page = after(sign(&app, &page, &mut device, STEP_UP).await);

    let mut elsewhere = Authenticator::new();
    elsewhere.origin = "http://localhost:8081".to_owned();
    let options = post(&app, &page, REGISTRATION, json!({})).await.ok();
    let body = json!({"name": "phone", "credential": elsewhere.create(&options)});
    let answer = post(&app, &page, "/api/v1/auth/passkeys", body).await;
    assert_eq!(answer.problem(422).0, "passkey_refused");
    // The challenge is used up by that, and one that an account has is not added again.
    let body = json!({"name": "phone", "credential": Authenticator::new().create(&options)});
    let answer = post(&app, &page, "/api/v1/auth/passkeys", body).await;
    assert_eq!(answer.problem(422).0, "passkey_refused");
    for known in [&device, &bora.device] {
        assert_eq!(add(&app, &page, known).await.problem(422).0, "passkey_refused");
    }
}

#[tokio::test]
async fn a_counter_that_does_not_go_up_is_refused_and_on_record() {
    let app = TestApp::empty().await;
    let Owner { page, mut device, passkey, .. } = owner(&app, "ayse", Role::Viewer).await;
    device.counter = 7;
    let page = after(sign(&app, &page, &mut device, STEP_UP).await);
    for counter in [7, 3, 0] {
        device.counter = counter;
        let signed = sign(&app, &page, &mut device, STEP_UP).await;
        assert_eq!(signed.problem(401).0, "wrong_credentials", "{counter}");
        let details = json!({"by": "passkey", "passkey": passkey, "reason": "counter_not_raised"});
        assert_eq!(recorded(&app, 1).await, [("step_up.refused".to_owned(), details)]);
    }
    // Two sessions have asked at the same time; the one who signs last has the lower number.
    let other = after(log_in(&app, "ayse", PASSWORD).await);
    let here = post(&app, &page, ASSERTION, json!({})).await.ok();
    let there = post(&app, &other, ASSERTION, json!({})).await.ok();
    device.counter = 19;
    let late = json!({"passkey": device.sign(&there)});
    let first = json!({"passkey": device.sign(&here)});
    assert_eq!(post(&app, &page, STEP_UP, first).await.status, 200);
    assert_eq!(post(&app, &other, VERIFY, late).await.problem(401).0, "wrong_credentials");
}

#[tokio::test]
async fn the_last_second_factor_goes_with_the_password_and_a_removed_passkey_is_no_use() {
    let app = TestApp::empty().await;
    let Owner { page, mut device, passkey, .. } = owner(&app, "ayse", Role::Viewer).await;
    let mut spare = Authenticator::new();
    let added = add(&app, &page, &spare).await;
    assert_eq!((added.status, &added.body["recovery_codes"]), (201, &json!([])));
    assert!(added.headers.get("set-cookie").is_none());
    let other = added.body["passkey"]["id"].as_str().unwrap().to_owned();
    let remove = async |id: &str, body: Value| {
        post(&app, &page, &format!("/api/v1/auth/passkeys/{id}/remove"), body).await
    };
    assert_eq!(remove("p0123456789abcdef", json!({})).await.problem(404).0, "passkey_not_found");
    assert_eq!(remove(&passkey, json!({})).await.ok()["second_factor"]["enabled"], true);
    let owes = after(log_in(&app, "ayse", PASSWORD).await);
    let refused = sign(&app, &owes, &mut device, VERIFY).await;
    assert_eq!(refused.problem(401).0, "wrong_credentials");
    assert_eq!(sign(&app, &owes, &mut spare, VERIFY).await.status, 200);

    let elsewhere = after(log_in(&app, "ayse", PASSWORD).await);
    assert_eq!(remove(&other, json!({})).await.problem(409).0, "second_factor_state");
    let wrong = remove(&other, json!({"password": "wrong"})).await;
    assert_eq!(wrong.problem(401).0, "wrong_credentials");
    let removed = remove(&other, json!({"password": PASSWORD})).await.ok();
    assert_eq!(removed["second_factor"]["kinds"], json!([]));
    assert_eq!(removed["second_factor"]["recovery_codes_left"], 0);
    assert_eq!(get(&app, &elsewhere, "/api/v1/auth/session").await.status, 401);
    let actions: Vec<String> =
        recorded(&app, 2).await.into_iter().map(|(action, _)| action).collect();
    assert_eq!(actions, ["second_factor.disabled", "passkey.removed"]);
}

#[tokio::test]
async fn codes_and_passkeys_stand_beside_each_other() {
    let (app, clock) = moved().await;
    let Owner { account, page, mut device, recovery_codes, .. } =
        owner(&app, "ayse", Role::Viewer).await;
    clock.pass(SignedDuration::from_mins(10));
    // Another second factor is for who has shown the one there is a moment ago.
    for path in ["/api/v1/auth/2fa/setup", REGISTRATION] {
        let answer = post(&app, &page, path, json!({})).await;
        assert_eq!(answer.problem(403).0, "step_up_required", "{path}");
    }
    let page = after(sign(&app, &page, &mut device, STEP_UP).await);
    let setup = post(&app, &page, "/api/v1/auth/2fa/setup", json!({})).await.ok();
    let seed = bist_access::Secret::new(setup["secret"].as_str().unwrap());
    let code = json!({"code": code_at(&seed, clock.now())});
    let confirmed = post(&app, &page, "/api/v1/auth/2fa/confirm", code).await;
    assert_eq!(confirmed.ok()["recovery_codes"], json!([]));
    let session = get(&app, &page, "/api/v1/auth/session").await.ok();
    assert_eq!(session["second_factor"]["kinds"], json!(["authenticator", "passkey"]));
    assert_eq!(session["second_factor"]["recovery_codes_left"], 10);
    // Who has lost the authenticator switches it off by a passkey; the passkey stays.
    let options = post(&app, &page, ASSERTION, json!({})).await.ok();
    let body = json!({"password": PASSWORD, "passkey": device.sign(&options)});
    let disabled = post(&app, &page, "/api/v1/auth/2fa/disable", body).await.ok();
    assert_eq!(disabled["second_factor"]["kinds"], json!(["passkey"]));
    let both = json!({"code": "123456", "recovery_code": recovery_codes[0]});
    assert_eq!(post(&app, &page, STEP_UP, both).await.problem(400).0, "malformed_request");
    let lost = json!({"recovery_code": recovery_codes[0]});
    let page = after(post(&app, &page, STEP_UP, lost).await);
    let code = json!({"code": code_at(&seed, clock.now())});
    assert_eq!(post(&app, &page, STEP_UP, code).await.problem(401).0, "wrong_credentials");

    app.app.remove_second_factor("ayse").await.unwrap();
    assert!(app.app.passkeys(&account).await.unwrap().is_empty());
    let account = app.app.user("ayse").await.unwrap();
    assert!(!account.has_second_factor());
}

#[tokio::test]
async fn an_account_has_ten_passkeys_at_most_and_none_once_its_owner_is_forgotten() {
    let app = TestApp::empty().await;
    let Owner { account, page, .. } = owner(&app, "ayse", Role::Viewer).await;
    for _ in 1..10 {
        assert_eq!(add(&app, &page, &Authenticator::new()).await.status, 201);
    }
    let full = post(&app, &page, REGISTRATION, json!({})).await;
    assert_eq!(full.problem(409).0, "second_factor_state");
    let export = app.get(&format!("/api/v1/users/{}/export", account.id)).await.ok();
    assert_eq!(export["passkeys"].as_array().unwrap().len(), 10);
    app.app.erase_user("ayse").await.unwrap();
    assert!(app.app.passkeys(&account).await.unwrap().is_empty());
}

#[tokio::test]
async fn signatures_are_counted_as_codes_are() {
    let app = TestApp::empty().await;
    let Owner { page, mut device, .. } = owner(&app, "ayse", Role::Viewer).await;
    let app_of = Arc::clone(&app.app);
    let app = app.behind(&settings(&app_of, Quotas::default()));
    for _ in 0..5 {
        let refused = sign(&app, &page, &mut Authenticator::new(), STEP_UP).await;
        assert_eq!(refused.problem(401).0, "wrong_credentials");
    }
    let right = sign(&app, &page, &mut device, STEP_UP).await;
    assert_eq!(right.problem(429).0, "rate_limited");
}

#[tokio::test]
async fn passkeys_are_made_for_the_host_that_people_open() {
    let app = TestApp::empty().await;
    let page = opened(&app, &sign_in(&app.app, "ayse", Role::Viewer).await).await;
    let begin = async |app: &TestApp, host: &str| {
        let headers = [
            ("host", host),
            ("cookie", page.cookie.as_str()),
            ("x-csrf-token", page.csrf_token.as_str()),
        ];
        app.send(Method::POST, REGISTRATION, &headers).await
    };
    for host in ["127.0.0.1:8080", "[::1]:8080"] {
        let answer = begin(&app, host).await;
        let (code, detail) = answer.problem(409);
        assert_eq!(code, "passkeys_unavailable");
        assert!(detail.contains("localhost") && detail.contains("server.public_url"), "{detail}");
    }
    assert_eq!(begin(&app, "LOCALHOST:8080").await.ok()["public_key"]["rp"]["id"], "localhost");
    let app_of = Arc::clone(&app.app);
    let with = |public_url: &str| {
        let mut settings = settings(&app_of, unbounded());
        settings.public_url = Some(public_url.parse().unwrap());
        settings
    };
    let app = app.behind(&with("https://192.0.2.7"));
    assert_eq!(begin(&app, "192.0.2.7").await.problem(409).0, "passkeys_unavailable");
    let app = app.behind(&with("https://bist.example"));
    let options = begin(&app, "bist.example").await.ok();
    assert_eq!(options["public_key"]["rp"]["id"], "bist.example");
    let mut device = Authenticator::new();
    device.host = "bist.example".to_owned();
    for (origin, status) in [("https://bist.example:8443", 422), ("https://bist.example", 201)] {
        device.origin = origin.to_owned();
        assert_eq!(add(&app, &page, &device).await.status, status, "{origin}");
    }
}

#[tokio::test]
async fn an_account_without_passkeys_is_asked_for_none() {
    let app = TestApp::empty().await;
    let signed_in = sign_in(&app.app, "ayse", Role::Viewer).await;
    let (signed_in, _) = enrol(&app.app, &signed_in.account).await;
    let page = opened(&app, &signed_in).await;
    let answer = post(&app, &page, ASSERTION, json!({})).await;
    assert_eq!(answer.problem(409).0, "second_factor_state");
    for body in [
        json!({"passkey": {"rawId": "", "response": {}}}),
        json!({"passkey": "x"}),
        json!({"passkey": {"rawId": "?", "response": {
            "authenticatorData": "?", "clientDataJSON": "?", "signature": "?",
        }}}),
    ] {
        let answer = post(&app, &page, STEP_UP, body.clone()).await;
        let code = answer.body["code"].as_str().unwrap();
        assert!(["malformed_request", "wrong_credentials"].contains(&code), "{body}: {code}");
    }
}
