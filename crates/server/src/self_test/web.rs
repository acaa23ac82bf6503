//! What browsers are told, and what pages of other sites may do.

use axum::http::Method;
use bist_access::{Role, SecurityCheck};
use serde_json::json;

use super::{All, Found, Probe};
use crate::origin::Origin;
use crate::settings::ServerSettings;

/// What the policy of a page must say, directive by directive.
const CSP: [(&str, &str); 6] = [
    ("default-src", "'none'"),
    ("script-src", "'self'"),
    ("style-src", "'self'"),
    ("base-uri", "'none'"),
    ("form-action", "'self'"),
    ("frame-ancestors", "'none'"),
];

/// What every answer must carry.
const HEADERS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=()"),
];

/// The shortest time for which browsers are told to come over TLS only, seconds: a year.
const HSTS_S_MIN: u64 = 31_536_000;

const SENT_BY_SERVER: &str =
    "the server sends it by itself: look for a proxy or a change of the program that takes it away";

pub(super) async fn checks(probe: &Probe, settings: &ServerSettings) -> Vec<SecurityCheck> {
    let of_https = settings.public_url.as_ref().is_some_and(Origin::is_https);
    let hsts = if of_https {
        let advice = SENT_BY_SERVER;
        SecurityCheck::judged("web.hsts", 3, hsts(probe).await, advice)
    } else {
        let reason = "no server.public_url of https is set: only this machine is answered";
        SecurityCheck::not_applicable("web.hsts", 3, reason)
    };
    let judged = SecurityCheck::judged;
    vec![
        judged("web.content_security_policy", 4, policy(probe).await, SENT_BY_SERVER),
        judged("web.headers", 2, headers(probe).await, SENT_BY_SERVER),
        hsts,
        judged("web.caching", 1, caching(probe).await, SENT_BY_SERVER),
        judged(
            "web.other_origins",
            3,
            other_origins(probe).await,
            "list no more in server.cors_origins than the pages that must read answers",
        ),
        judged(
            "web.cross_site",
            4,
            cross_site(probe).await,
            "report it: a page of another site must change nothing",
        ),
        judged(
            "web.own_pages",
            3,
            own_pages(probe).await,
            "report it: a change by a session must show the token of its page",
        ),
        judged(
            "web.host",
            2,
            host(probe).await,
            "report it: only this machine and the host of server.public_url may be answered",
        ),
        judged(
            "web.problems",
            1,
            problems(probe).await,
            "report it: an error must say what went wrong and nothing of the inside",
        ),
    ]
}

async fn policy(probe: &Probe) -> Found {
    let mut all = All::of("directives of the policy hold on pages and answers");
    for path in ["/", "/api/v1/symbols", "/health/live"] {
        let answer = probe.ask(probe.asking(Method::GET, path)).await;
        let policy = answer.header("content-security-policy").unwrap_or_default().to_owned();
        let says = |name: &str| {
            let mut directives = policy.split(';').map(str::trim);
            directives.find_map(|directive| directive.strip_prefix(name)).map(str::trim)
        };
        for (name, value) in CSP {
            all.take(says(name) == Some(value), || {
                format!("{name} of {path}, which is '{}'", says(name).unwrap_or_default())
            });
        }
        let is_strict = !["unsafe", "*", "http:", "blob:"].iter().any(|word| policy.contains(word));
        all.take(is_strict, || format!("{path}, which allows more than its own files"));
    }
    all.found()
}

async fn headers(probe: &Probe) -> Found {
    let mut all = All::of("headers are there on pages, answers and refusals");
    for path in ["/", "/health/live", "/api/v1/symbols", "/api/v1/nothing"] {
        let answer = probe.ask(probe.asking(Method::GET, path)).await;
        for (name, value) in HEADERS {
            let is_there = answer.header(name).is_some_and(|header| header.contains(value));
            all.take(is_there, || format!("{name} of {path}"));
        }
    }
    all.found()
}

async fn hsts(probe: &Probe) -> Found {
    let answer = probe.ask(probe.asking(Method::GET, "/")).await;
    let told = answer.header("strict-transport-security").unwrap_or_default();
    let time_s = told.split(';').find_map(|part| part.trim().strip_prefix("max-age="));
    let time_s = time_s.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    if time_s >= HSTS_S_MIN {
        Ok(format!("browsers are told '{told}'"))
    } else {
        Err(format!("browsers are told '{told}'; that must be a year at least"))
    }
}

async fn caching(probe: &Probe) -> Found {
    let mut all = All::of("answers of the API are not to be kept");
    for path in ["/api/v1/symbols", "/api/v1/auth/session", "/api/v1/users"] {
        let answer = probe.ask(probe.asking(Method::GET, path)).await;
        all.take(answer.header("cache-control") == Some("no-store"), || path.to_owned());
    }
    all.found()
}

async fn other_origins(probe: &Probe) -> Found {
    let mut all = All::of("requests of pages of other origins were told nothing");
    let own = format!("https://{}.evil.example", probe.host);
    for origin in ["null", "https://evil.example", &own, "*"] {
        for method in [Method::GET, Method::OPTIONS] {
            let asking = probe.asking(method.clone(), "/api/v1/symbols").header("origin", origin);
            let answer = probe.ask(asking.header("access-control-request-method", "GET")).await;
            let is_told = answer.headers.keys().any(|name| name.as_str().starts_with("access-"));
            all.take(!is_told, || format!("{method} of '{origin}'"));
        }
    }
    all.found()
}

async fn cross_site(probe: &Probe) -> Found {
    let page = probe.account(Role::Viewer).await?;
    let mut all = All::of("changes by pages of other sites were refused");
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        for path in ["/api/v1/auth/logout", "/api/v1/auth/login"] {
            let asking = probe.asking(Method::POST, path).of(&page).header(name, value);
            let answer = probe.ask(asking.document(&json!({}))).await;
            all.take(answer.status == 403, || {
                format!("{path} with {name} '{value}', which answered {}", answer.what())
            });
        }
    }
    all.found()
}

async fn own_pages(probe: &Probe) -> Found {
    let (page, _) = probe.administrator().await?;
    let mut all = All::of("changes without the token of the page were refused");
    for token in ["", "guessed"] {
        for path in ["/api/v1/auth/logout", "/api/v1/api-keys", "/api/v1/users"] {
            let asking = probe.asking(Method::POST, path).header("cookie", &page.cookie);
            let asking = asking.header("x-csrf-token", token).document(&json!({}));
            let answer = probe.ask(asking).await;
            all.take(answer.status == 403, || format!("{path}, which answered {}", answer.what()));
        }
    }
    all.found()
}

async fn host(probe: &Probe) -> Found {
    let mut all = All::of("requests for another host were refused");
    let own = format!("{}.evil.example", probe.host);
    for host in ["evil.example", &own, "169.254.169.254", "evil.example:443"] {
        let answer = probe.ask(probe.asking(Method::GET, "/").header("host", host)).await;
        all.take(answer.status == 421, || format!("{host}, which answered {}", answer.what()));
    }
    all.found()
}

async fn problems(probe: &Probe) -> Found {
    let mut all = All::of("refusals are problem documents that name no program");
    for (method, path) in [
        (Method::GET, "/api/v1/nothing"),
        (Method::DELETE, "/health/live"),
        (Method::GET, "/api/v1/users"),
        (Method::POST, "/api/v1/auth/login"),
    ] {
        let answer = probe.ask(probe.asking(method, path)).await;
        let is_problem = answer.header("content-type") == Some("application/problem+json");
        let names =
            ["server", "x-powered-by", "via"].iter().any(|name| answer.header(name).is_some());
        let is_right = (400..500).contains(&answer.status) && is_problem && !names;
        all.take(is_right, || format!("{path}, which answered {}", answer.what()));
    }
    all.found()
}
