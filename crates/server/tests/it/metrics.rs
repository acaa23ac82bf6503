//! `/metrics`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request};
use bist_access::{Role, Secret};
use bist_app::rate_limits::Quotas;
use bist_app::telemetry::metrics::{FAMILIES, Kind};
use bist_app::{App, ProcessRole};
use bist_server::ServerSettings;
use http_body_util::BodyExt as _;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::page::{ask, log_in, moved, opened};
use crate::test_app::{PASSWORD, TestApp, settings, sign_in, unbounded};

const LOOPBACK: &str = "127.0.0.1";
const ELSEWHERE: &str = "192.0.2.7";

/// Asks for metrics over a connection from `peer`.
async fn from(
    app: &TestApp,
    peer: Option<&str>,
    headers: &[(&str, &str)],
) -> (u16, HeaderMap, String) {
    let mut request = Request::get("/metrics");
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "localhost:8080");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    if let Some(peer) = peer {
        let peer = SocketAddr::new(peer.parse::<IpAddr>().unwrap(), 50_000);
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    let (parts, body) = app.router().oneshot(request).await.unwrap().into_parts();
    let text = body.collect().await.unwrap().to_bytes();
    (parts.status.as_u16(), parts.headers, String::from_utf8(text.to_vec()).unwrap())
}

/// The page as this machine reads it.
async fn page(app: &TestApp) -> String {
    let (status, _, page) = from(app, Some(LOOPBACK), &[]).await;
    assert_eq!(status, 200, "{page}");
    page
}

/// Each series with its value.
fn series(page: &str) -> BTreeMap<String, f64> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

/// The series of one family, by their labels.
fn of_family(page: &str, name: &str) -> BTreeMap<String, f64> {
    let own = |(series, value): (String, f64)| {
        let rest = series.strip_prefix(name)?;
        let is_own = rest.is_empty() || rest.starts_with('{');
        is_own.then(|| (rest.trim_matches(['{', '}']).to_owned(), value))
    };
    series(page).into_iter().filter_map(own).collect()
}

#[track_caller]
fn value(page: &str, series_name: &str) -> f64 {
    let all = series(page);
    *all.get(series_name).unwrap_or_else(|| panic!("there is no {series_name} in {page}"))
}

/// The value of a series that is a count.
#[track_caller]
fn count(page: &str, series_name: &str) -> u64 {
    whole(value(page, series_name))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of tests are small, and a test fails where they are not"
)]
#[track_caller]
fn whole(value: f64) -> u64 {
    assert!(value >= 0.0 && value.fract() == 0.0, "{value} is no count");
    value as u64
}

#[tokio::test]
async fn metrics_are_for_this_machine_and_for_the_token() {
    let (app, clock) = moved().await;
    let settings = ServerSettings {
        public_url: Some("https://bist.example".parse().unwrap()),
        trusted_proxies: vec!["127.0.0.2/32".parse().unwrap()],
        ..settings(&app.app, unbounded())
    };
    let app = app.behind(&settings);
    let check = async |peer: Option<&str>, headers: &[(&str, &str)], expected: u16| {
        let (status, headers_back, body) = from(&app, peer, headers).await;
        assert_eq!(status, expected, "{peer:?} {headers:?}: {body}");
        if status == 401 {
            let problem: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(headers_back["content-type"], "application/problem+json");
            assert_eq!(problem["code"], "not_signed_in");
        }
    };
    for peer in [LOOPBACK, "127.0.0.2", "::1", "::ffff:127.0.0.1"] {
        check(Some(peer), &[], 200).await;
    }
    check(Some(LOOPBACK), &[("host", "127.0.0.1:8080")], 200).await;
    check(Some(ELSEWHERE), &[], 401).await;
    check(None, &[], 401).await;
    // Through a proxy, whether it is trusted or not, and whatever a client says through it.
    for header in ["x-forwarded-for", "x-real-ip", "forwarded", "via"] {
        check(Some(LOOPBACK), &[(header, "198.51.100.4")], 401).await;
        check(Some("127.0.0.2"), &[(header, LOOPBACK)], 401).await;
    }
    check(Some(LOOPBACK), &[("host", "bist.example")], 401).await;
    check(Some(LOOPBACK), &[("host", "evil.example")], 401).await;
    check(Some(LOOPBACK), &[("host", "localhost"), ("host", "bist.example")], 400).await;

    // Without a token nothing is one; neither a session nor a key of the API is.
    let bearer = |token: &str| format!("Bearer {token}");
    let (right, wrong) = (bearer("a-long-random-token"), bearer("a-long-random-tokem"));
    check(Some(ELSEWHERE), &[("authorization", &right)], 401).await;
    check(Some(ELSEWHERE), &[("authorization", "Bearer ")], 401).await;
    check(Some(ELSEWHERE), &[("cookie", &app.administrator.cookie)], 401).await;
    let name = "metrics.token".parse().unwrap();
    app.app.add_secret(&name, &Secret::new("a-long-random-token")).await.unwrap();
    // What was looked up holds for 15 s, for the token too.
    check(Some(ELSEWHERE), &[("authorization", &right)], 401).await;
    clock.pass(SignedDuration::from_secs(15));
    check(Some(ELSEWHERE), &[("authorization", &right)], 200).await;
    check(Some(ELSEWHERE), &[("authorization", &right), ("x-forwarded-for", "x")], 200).await;
    // As Prometheus asks a container, by its address; nothing else is answered by it.
    let by_address = ("host", "10.89.0.11:8080");
    check(Some(ELSEWHERE), &[by_address], 401).await;
    check(Some(ELSEWHERE), &[by_address, ("authorization", &right)], 200).await;
    let other = app.send(Method::GET, "/health/ready", &[by_address]).await;
    assert_eq!(other.problem(421).0, "host_not_local");
    for shown in [wrong.as_str(), "Bearer a-long-random-token2", "Basic a-long-random-token", ""] {
        check(Some(ELSEWHERE), &[("authorization", shown)], 401).await;
    }
    app.app.rotate_secret(&name, &Secret::new("another")).await.unwrap();
    clock.pass(SignedDuration::from_secs(15));
    check(Some(ELSEWHERE), &[("authorization", &right)], 401).await;
    check(Some(ELSEWHERE), &[("authorization", &bearer("another"))], 200).await;
    check(Some(LOOPBACK), &[("authorization", &wrong)], 200).await;
}

#[tokio::test]
async fn the_format_is_the_one_that_is_accepted() {
    let app = TestApp::empty().await;
    // A family is told as soon as there is something to tell.
    from(&app, Some(LOOPBACK), &[]).await;
    let (_, headers, text) = from(&app, Some(LOOPBACK), &[]).await;
    assert_eq!(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert!(text.contains("# TYPE bist_http_requests_total counter\n") && !text.contains("# EOF"));
    let accept = [("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")];
    let (_, headers, text) = from(&app, Some(LOOPBACK), &accept).await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(headers["content-type"], kind);
    assert!(text.contains("# TYPE bist_http_requests counter\n") && text.ends_with("\n# EOF\n"));
    // The request before is told by its exemplar.
    assert!(text.lines().any(|line| line.contains("route=\"/metrics\"") && line.contains(" # {")));
}

#[tokio::test]
async fn a_worker_tells_the_same_by_any_name() {
    let app = TestApp::empty().await;
    let worker = ServerSettings { role: ProcessRole::Worker, ..settings(&app.app, unbounded()) };
    let app = app.behind(&worker);
    let page = page(&app).await;
    assert!(value(&page, "bist_ready") > 0.0 && value(&page, "bist_database_up") > 0.0);
    assert!(!page.contains("check=\"web_app\""));
    let name = "metrics.token".parse().unwrap();
    app.app.add_secret(&name, &Secret::new("a-long-random-token")).await.unwrap();
    let by_address = ("host", "10.0.0.7:8081");
    let shown = ("authorization", "Bearer a-long-random-token");
    assert_eq!(from(&app, Some(ELSEWHERE), &[by_address, shown]).await.0, 200);
    assert_eq!(from(&app, Some(ELSEWHERE), &[by_address]).await.0, 401);
    assert_eq!(from(&app, Some(LOOPBACK), &[by_address]).await.0, 401);
}

/// A request of the driven log: method, address, its route, and the status that it must have.
type Driven = (&'static str, &'static str, &'static str, u16);

const DRIVEN: [Driven; 14] = [
    ("GET", "/api/v1/symbols", "/api/v1/symbols", 200),
    ("HEAD", "/api/v1/symbols", "/api/v1/symbols", 200),
    ("GET", "/api/v1/symbols?colour=red", "/api/v1/symbols", 400),
    ("DELETE", "/api/v1/symbols", "/api/v1/symbols", 405),
    ("BREW", "/api/v1/symbols", "/api/v1/symbols", 405),
    ("GET", "/api/v1/symbols/TEST1", "/api/v1/symbols/{symbol}", 200),
    ("GET", "/api/v1/symbols/NONE", "/api/v1/symbols/{symbol}", 404),
    ("GET", "/api/v1/bars?symbol=TEST1", "/api/v1/bars", 200),
    ("GET", "/api/v1/jobs/17", "/api/v1/jobs/{run}", 404),
    ("POST", "/api/v1/jobs", "/api/v1/jobs", 400),
    ("GET", "/api/v1/nothing", "(no route)", 404),
    ("GET", "/health/live", "/health/live", 200),
    ("GET", "/api/openapi.json", "/api/openapi.json", 200),
    ("OPTIONS", "/api/v1/users", "/api/v1/users", 204),
];

#[tokio::test]
async fn counters_equal_the_log_of_what_was_asked() {
    let app = TestApp::with_files().await;
    let mut log: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    let mut state = 7_usize;
    for n in 0..400 {
        // Each at least once, then by a generator of Lehmer.
        state = state * 48_271 % 2_147_483_647;
        let place = if n < DRIVEN.len() { n } else { state % DRIVEN.len() };
        let (method, address, route, status) = DRIVEN[place];
        let answer = app.send(method.parse().unwrap(), address, &[]).await;
        assert_eq!(answer.status, status, "{method} {address}: {}", answer.body);
        let method = if method == "BREW" { "other" } else { method };
        let key = (method.to_owned(), route.to_owned(), status.to_string());
        *log.entry(key).or_default() += 1;
    }
    let first = page(&app).await;
    let labels = |name: &str| {
        let read = |(labels, count): (String, f64)| {
            let values = labels.split(',').map(|label| label.split('"').nth(1).unwrap().to_owned());
            (values.collect::<Vec<_>>(), whole(count))
        };
        of_family(&first, name).into_iter().map(read).collect::<BTreeMap<_, _>>()
    };
    let counted = labels("bist_http_requests_total");
    let expected: BTreeMap<Vec<String>, u64> = (log.iter())
        .map(|((method, route, status), count)| {
            (vec![method.clone(), route.clone(), status.clone()], *count)
        })
        .collect();
    assert_eq!(counted, expected, "left: told, right: asked");
    let mut durations: BTreeMap<Vec<String>, u64> = BTreeMap::new();
    for ((method, route, _), count) in log {
        *durations.entry(vec![method, route]).or_default() += count;
    }
    assert_eq!(labels("bist_http_request_duration_seconds_count"), durations);
    // The scrape itself is under way, and is counted once it is answered.
    assert_eq!(count(&first, "bist_http_requests_in_flight"), 1);
    let second = page(&app).await;
    let of_scrape = "bist_http_requests_total{method=\"GET\",route=\"/metrics\",status=\"200\"}";
    assert_eq!(count(&second, of_scrape), 1);
    let own = of_family(&second, "bist_http_requests_total");
    assert_eq!(whole(own.values().sum::<f64>()), 401);
}

#[tokio::test]
async fn nothing_that_is_asked_makes_series() {
    let app = TestApp::with_files().await;
    let mut state = 11_u64;
    let mut next = move |below: u64| {
        state = state * 48_271 % 2_147_483_647;
        state % below
    };
    let mut counts = Vec::new();
    for _ in 0..2 {
        for n in 0..1_500_u32 {
            let junk = format!("junk{}x{n}", next(1_000_000));
            let path = match next(6) {
                0 => format!("/{junk}"),
                1 => format!("/api/v1/{junk}"),
                2 => format!("/api/v1/symbols/{junk}"),
                3 => format!("/api/v1/jobs/{junk}?{junk}={junk}"),
                4 => format!("/api/v1/symbols?{junk}={junk}"),
                _ => "/api/v1/symbols".to_owned(),
            };
            let method = match next(4) {
                0 => junk.to_uppercase(),
                1 => "POST".to_owned(),
                _ => "GET".to_owned(),
            };
            let host =
                if next(5) == 0 { format!("{junk}.example") } else { "localhost".to_owned() };
            let shown = if next(2) == 0 { "authorization" } else { "cookie" };
            let token = format!("Bearer bist_k{junk}=1");
            let headers = [("host", host.as_str()), (shown, &token), ("x-request-id", &junk)];
            app.send(method.parse().unwrap(), &path, &headers).await;
        }
        let page = page(&app).await;
        let told: BTreeSet<String> = series(&page).into_keys().collect();
        // What is told in both formats, but for the examples, which name requests.
        assert!(!page.to_lowercase().contains("junk"), "{page}");
        counts.push(told);
    }
    // The first scrape is a request of its own.
    let new: Vec<&String> = counts[1].difference(&counts[0]).collect();
    assert!(new.iter().all(|series| series.contains("route=\"/metrics\"")), "{new:?}");
    let requests = |series: &&String| series.starts_with("bist_http_requests_total{");
    let of_requests = counts[0].iter().filter(requests).count();
    assert!((10..60).contains(&of_requests), "{of_requests} series of requests");
}

#[tokio::test]
async fn what_is_told_has_a_row_and_the_labels_of_its_row() {
    let app = TestApp::trained().await;
    app.get("/api/v1/symbols").await;
    let page = page(&app).await;
    let told: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let known: BTreeSet<&str> = FAMILIES.iter().map(|family| family.name).collect();
    assert_eq!(told.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new());
    // What this instance does not know: TLS, Redis, drift, backups, durations of runs.
    let absent: Vec<&&str> = known.difference(&told).collect();
    let expected = [
        "bist_backup_last_success_timestamp_seconds",
        "bist_backup_last_verified_timestamp_seconds",
        "bist_backup_overdue",
        "bist_backup_size_bytes",
        "bist_breaker_state",
        "bist_certificate_not_after_timestamp_seconds",
        "bist_job_duration_seconds",
        "bist_job_last_success_timestamp_seconds",
        "bist_model_drift",
        "bist_model_drifted_features",
        "bist_rate_limit_shared",
    ];
    assert_eq!(absent, expected.iter().collect::<Vec<_>>());
    for name in series(&page).into_keys() {
        let (family, labels) = name.split_once('{').unwrap_or((&name, ""));
        let family = FAMILIES.iter().find(|known| match known.kind {
            Kind::Histogram => family
                .strip_prefix(known.name)
                .is_some_and(|end| ["_bucket", "_sum", "_count"].contains(&end)),
            Kind::Counter | Kind::Gauge => family == known.name,
        });
        let names: BTreeSet<&str> = labels
            .split(',')
            .filter_map(|label| Some(label.split_once("=\"")?.0))
            .filter(|label| *label != "le")
            .collect();
        let family = family.unwrap_or_else(|| panic!("{name} has no row"));
        assert_eq!(names, family.labels.iter().copied().collect(), "{name}");
    }
}

#[tokio::test]
async fn the_model_in_force_is_told_as_the_pages_tell_it() {
    let app = TestApp::trained().await;
    let page = page(&app).await;
    let model = app.get("/api/v1/models").await.ok()["items"][0].clone();
    let version = model["version"].as_str().unwrap();
    let info = format!("bist_model_info{{horizon=\"5\",version=\"{version}\"}}");
    assert!((value(&page, &info) - 1.0).abs() < f64::EPSILON);
    assert_eq!(of_family(&page, "bist_model_info").len(), 1);
    let signals = app.get("/api/v1/signals").await.ok();
    let items = signals["items"].as_array().unwrap();
    assert_eq!(items.len(), 6);
    for action in ["buy", "sell", "hold"] {
        let of_action = items.iter().filter(|item| item["action"] == action).count() as u64;
        let name = format!("bist_model_signals{{horizon=\"5\",action=\"{action}\"}}");
        assert_eq!(count(&page, &name), of_action, "{action}");
    }
    let quality = app.get("/api/v1/data-quality").await.ok();
    let score = quality["score_share"].as_f64().unwrap();
    assert!((value(&page, "bist_data_quality_score") - score).abs() < 1e-12);
    // Friday's session ended at 18:10 in Istanbul, and now is Tuesday, 15:00.
    let age_s = count(&page, "bist_data_age_seconds{source=\"sample\"}");
    assert_eq!(age_s, 4 * 86_400 - (3 * 60 + 10) * 60);
    let rank_ic = value(&page, "bist_model_rank_ic{horizon=\"5\",window=\"evaluation\"}");
    assert!(rank_ic.abs() <= 1.0);
    let covered =
        value(&page, "bist_model_coverage{horizon=\"5\",level=\"80\",window=\"evaluation\"}");
    assert!((0.0..=1.0).contains(&covered));
}

#[tokio::test]
async fn the_database_is_read_once_in_fifteen_seconds_whoever_scrapes() {
    let (app, clock) = moved().await;
    let viewers = "bist_users{role=\"viewer\"}";
    assert_eq!(count(&page(&app).await, viewers), 0);
    let records = value(&page(&app).await, "bist_audit_records");
    let sessions = count(&page(&app).await, "bist_sessions_active");
    let viewer = opened(&app, &sign_in(&app.app, "ayse", Role::Viewer).await).await;
    assert_eq!(log_in(&app, "ayse", "wrong").await.status, 401);
    assert_eq!(log_in(&app, "nobody", "wrong").await.status, 401);
    assert_eq!(log_in(&app, "ayse", PASSWORD).await.status, 200);
    assert_eq!(log_in(&app, "admin", PASSWORD).await.status, 200);
    clock.pass(SignedDuration::from_secs(14));
    let before = page(&app).await;
    // What is counted is told at once, what is read is told again.
    let sign_ins = of_family(&before, "bist_sign_ins_total");
    let of = |outcome: &str| whole(sign_ins[&format!("outcome=\"{outcome}\"")]);
    assert_eq!((of("wrong_password"), of("nobody"), of("code_owed")), (1, 1, 1));
    assert_eq!(count(&before, viewers), 0);
    clock.pass(SignedDuration::from_secs(1));
    let after = page(&app).await;
    assert_eq!(count(&after, viewers), 1);
    assert_eq!(count(&after, "bist_users{role=\"admin\"}"), 1);
    assert!(value(&after, "bist_audit_records") > records);
    // The viewer has two, and the administrator one more, which owes its code.
    assert_eq!(count(&after, "bist_sessions_active"), sessions + 3);
    ask(&app, &viewer, Method::POST, "/api/v1/auth/logout", json!({})).await;
    clock.pass(SignedDuration::from_secs(15));
    assert_eq!(count(&page(&app).await, "bist_sessions_active"), sessions + 2);
    // Those that nobody has used for an hour are over.
    clock.pass(SignedDuration::from_mins(61));
    assert_eq!(count(&page(&app).await, "bist_sessions_active"), 0);
}

#[tokio::test]
async fn a_database_that_is_away_is_told_and_the_scrape_goes_on() {
    let (app, clock) = moved().await;
    assert_eq!(count(&page(&app).await, "bist_database_up"), 1);
    App::clone(&app.app).close().await;
    clock.pass(SignedDuration::from_secs(15));
    let page = page(&app).await;
    assert_eq!(count(&page, "bist_database_up"), 0);
    assert_eq!(count(&page, "bist_ready"), 0);
    assert_eq!(count(&page, "bist_health_check{check=\"database\"}"), 0);
    for absent in ["bist_users", "bist_audit_records", "bist_jobs_waiting"] {
        assert!(of_family(&page, absent).is_empty(), "{absent}");
    }
    for part in ["database", "jobs", "data", "quality", "models", "backups", "people"] {
        let failures = format!("bist_scrape_failures_total{{part=\"{part}\"}}");
        assert_eq!(count(&page, &failures), 1, "{part}");
    }
    assert!(value(&page, "process_start_time_seconds") > 0.0);
}

#[tokio::test]
async fn the_limiter_tells_each_request_once() {
    let app = TestApp::empty().await;
    let of_app = Arc::clone(&app.app);
    let app = app.behind(&settings(&of_app, Quotas::default()));
    for n in 0..7 {
        let status = log_in(&app, "nobody", "wrong").await.status;
        assert_eq!(status, if n < 5 { 401 } else { 429 });
    }
    for _ in 0..3 {
        app.get("/api/v1/symbols").await.ok();
    }
    for n in 0..21 {
        let status = app.get("/api/v1/signals").await.status;
        assert_eq!(status, if n < 20 { 200 } else { 429 });
    }
    let page = page(&app).await;
    let told = of_family(&page, "bist_rate_limit_decisions_total");
    let of = |class: &str, outcome: &str| {
        whole(told[&format!("class=\"{class}\",outcome=\"{outcome}\"")])
    };
    let both = |class: &str| (of(class, "allowed"), of(class, "refused"));
    assert_eq!(both("auth"), (5, 2));
    assert_eq!(both("default"), (3, 0));
    assert_eq!(both("ai"), (20, 1));
    assert_eq!(both("trading"), (0, 0));
    // The account and its address in two classes, and the address of who tried to sign in.
    assert_eq!(count(&page, "bist_rate_limit_keys"), 5);
}

#[tokio::test]
async fn who_is_sent_away_is_told_and_who_watches_is_not_sent_away() {
    let app = TestApp::empty().await;
    let mut settings = settings(&app.app, unbounded());
    settings.connections.requests_max = 0;
    let app = app.behind(&settings);
    for _ in 0..3 {
        assert_eq!(app.get("/api/v1/symbols").await.status, 503);
    }
    let page = page(&app).await;
    assert_eq!(count(&page, "bist_http_requests_shed_total"), 3);
}

#[tokio::test]
async fn listeners_and_kept_answers_are_told() {
    let app = TestApp::with_files().await;
    app.get("/api/v1/live/poll?topics=prices").await.ok();
    for _ in 0..3 {
        app.get("/api/v1/bars?symbol=TEST1").await.ok();
    }
    let page = page(&app).await;
    assert_eq!(count(&page, "bist_live_messages_total{transport=\"poll\"}"), 1);
    assert_eq!(count(&page, "bist_live_clients{transport=\"poll\"}"), 0);
    assert_eq!(count(&page, "bist_cache_requests_total{cache=\"bars\",outcome=\"miss\"}"), 1);
    assert_eq!(count(&page, "bist_cache_requests_total{cache=\"bars\",outcome=\"hit\"}"), 2);
}
