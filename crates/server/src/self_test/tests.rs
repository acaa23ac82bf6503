//! The service as it is passes; a service that lacks a protection fails the check of that one.

use std::collections::BTreeSet;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use bist_access::{Quota, security_score};
use bist_market::FixedClock;

use super::*;

const NOW: &str = "2026-11-24T12:00:00Z";

/// The settings of a service in production, by default.
fn settings() -> ServerSettings {
    let clock = Arc::new(FixedClock(NOW.parse().unwrap()));
    ServerSettings {
        public_url: Some("https://bist.example".parse().unwrap()),
        trusted_proxies: vec!["10.0.0.7/32".parse().unwrap()],
        ..ServerSettings::new(Arc::new(RateLimits::new(Quotas::default(), clock)))
    }
}

/// The checks that fail for a service whose answers are changed by `tamper`.
async fn failed(
    settings: &ServerSettings,
    tamper: fn(&Sent, Response) -> Response,
) -> BTreeSet<&'static str> {
    let scratch = tempfile::tempdir().unwrap();
    let build = move |app: Arc<App>, settings: &ServerSettings| {
        crate::router(app, settings).layer(from_fn(
            move |request: Request, next: Next| async move {
                let sent = Sent {
                    path: request.uri().path().to_owned(),
                    origin: request.headers().get("origin").cloned(),
                };
                tamper(&sent, next.run(request).await)
            },
        ))
    };
    let checks = test(&build, settings, scratch.path(), NOW.parse().unwrap()).await.unwrap();
    checks.iter().filter(|check| check.is_failed()).map(|check| check.id).collect()
}

/// What of a request a tampered service looks at.
struct Sent {
    path: String,
    origin: Option<HeaderValue>,
}

/// The same with another status.
fn instead(mut response: Response, of: u16, status: StatusCode) -> Response {
    if response.status() == of {
        *response.status_mut() = status;
    }
    response
}

/// The same without a header.
fn without(mut response: Response, name: &'static str) -> Response {
    response.headers_mut().remove(name);
    response
}

/// The same with a part of a header replaced.
fn replaced(mut response: Response, name: &'static str, from: &str, to: &str) -> Response {
    if let Some(value) = response.headers().get(name) {
        let value = value.to_str().unwrap().replace(from, to).parse().unwrap();
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}

#[tokio::test]
async fn the_service_as_it_is_passes() {
    let scratch = tempfile::tempdir().unwrap();
    let checks = self_test(&settings(), scratch.path(), NOW.parse().unwrap()).await.unwrap();
    let failed: Vec<_> = checks.iter().filter(|check| check.is_failed()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(security_score(&checks), Some(10.0));
    assert!(checks.len() > 25, "{}", checks.len());
    let ids: BTreeSet<_> = checks.iter().map(|check| check.id).collect();
    assert_eq!(ids.len(), checks.len(), "a check stands twice");
}

#[tokio::test]
async fn what_browsers_are_not_told_is_missed() {
    let failed = async |tamper| failed(&settings(), tamper).await;
    let told = failed(|_, response| {
        let response = replaced(
            response,
            "content-security-policy",
            "script-src 'self'",
            "script-src 'self' 'unsafe-inline'",
        );
        let response = without(without(response, "x-frame-options"), "strict-transport-security");
        let response = without(response, "cache-control");
        replaced(response, "set-cookie", "; HttpOnly", "")
    });
    assert_eq!(
        told.await,
        BTreeSet::from([
            "web.content_security_policy",
            "web.headers",
            "web.hsts",
            "web.caching",
            "sign_in.cookie"
        ])
    );
    let echoed = failed(|sent, mut response| {
        if let Some(origin) = &sent.origin {
            response.headers_mut().insert("access-control-allow-origin", origin.clone());
        }
        response.headers_mut().insert("server", HeaderValue::from_static("bist"));
        response
    });
    assert_eq!(echoed.await, BTreeSet::from(["web.other_origins", "web.problems"]));
}

#[tokio::test]
async fn whoever_is_let_in_too_far_is_seen() {
    let failed = async |tamper| failed(&settings(), tamper).await;
    let nobody_refused = failed(|sent, response| {
        // Signing in goes on as it is, so that there is somebody to ask.
        let is_read =
            !sent.path.starts_with("/api/v1/auth/2fa") && sent.path != "/api/v1/auth/login";
        if is_read { instead(response, 401, StatusCode::OK) } else { response }
    });
    assert_eq!(
        nobody_refused.await,
        BTreeSet::from(["access.nobody", "access.keys", "access.session_end", "web.problems"])
    );
    let anybody = failed(|_, response| instead(response, 403, StatusCode::OK));
    assert_eq!(
        anybody.await,
        BTreeSet::from([
            "access.fresh_code",
            "access.keys",
            "access.roles",
            "access.second_factor",
            "sign_in.codes",
            "web.cross_site",
            "web.own_pages",
        ])
    );
    let any_host = failed(|_, response| instead(response, 421, StatusCode::OK));
    assert_eq!(any_host.await, BTreeSet::from(["web.host"]));
    let any_password = failed(|sent, response| match sent.path.as_str() {
        "/api/v1/auth/invitation" => instead(response, 422, StatusCode::OK),
        "/api/v1/auth/2fa/verify" => instead(response, 401, StatusCode::OK),
        "/api/v1/auth/login" => instead(response, 401, StatusCode::NOT_FOUND),
        _ => response,
    });
    assert_eq!(
        any_password.await,
        BTreeSet::from([
            "access.nobody",
            "sign_in.codes",
            "sign_in.one_answer",
            "sign_in.weak_passwords"
        ])
    );
}

#[tokio::test]
async fn limits_that_are_wide_or_do_not_work_are_seen() {
    let wide = Quota::new(100_000, 60).unwrap();
    let quotas = Quotas { ai: wide, auth: wide, default: wide, ..Quotas::default() };
    let clock = Arc::new(FixedClock(NOW.parse().unwrap()));
    let configured = ServerSettings {
        limits: Arc::new(RateLimits::new(quotas, clock)),
        trusted_proxies: vec!["0.0.0.0/0".parse().unwrap()],
        connections: crate::ConnectionLimits {
            head_time_max: std::time::Duration::from_secs(300),
            ..settings().connections
        },
        ..settings()
    };
    let seen = failed(&configured, |_, response| instead(response, 413, StatusCode::OK)).await;
    let all = [
        "limits.bodies",
        "limits.codes",
        "limits.connections",
        "limits.forecasts",
        "limits.made_up_addresses",
        "limits.passwords",
        "limits.proxies",
        "limits.requests",
    ];
    assert_eq!(seen, BTreeSet::from(all));
    // The word of everybody about addresses is what opens the door, with limits as they should be.
    let believing =
        ServerSettings { trusted_proxies: vec!["0.0.0.0/0".parse().unwrap()], ..settings() };
    let seen = failed(&believing, |_, response| response).await;
    assert!(seen.contains("limits.made_up_addresses"), "{seen:?}");
}
