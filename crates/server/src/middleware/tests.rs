//! The way in and out as a whole: failures, bounds, and what is logged of a request.

use std::io;
use std::panic;
use std::sync::{Mutex, OnceLock};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::routing::{get, post};
use bist_app::rate_limits::{Quotas, RateLimits};
use bist_app::telemetry::ProcessLog;
use bist_app::telemetry::errors::{ErrorLayer, is_wanted, tell_panics};
use bist_app::telemetry::log_format::WithRequest;
use bist_app::telemetry::request_log::{LineForm, RequestLog};
use bist_app::{DatabaseSettings, ErrorFilter, ErrorKind, PoolSizes};
use bist_market::FixedClock;
use bist_market::validate::ValidationPolicy;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use super::*;

fn service() -> Router {
    let router = Router::new()
        .route("/fine", get(async || "fine"))
        .route("/never", get(std::future::pending::<&str>))
        .route("/panics", get(async || -> &str { panic!("the tree fell over") }))
        .route("/takes", post(async |body: String| body));
    let limits = Limits { body_size_bytes_max: 10, answer_time_max: Duration::from_millis(20) };
    let (_, log) = Log::of_this_process();
    wrap(router, None, &settings(), limits, Arc::new(Telemetry::new(clock(), log)))
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock("2026-11-24T12:00:00Z".parse().unwrap()))
}

fn settings() -> ServerSettings {
    ServerSettings::new(Arc::new(RateLimits::new(Quotas::default(), clock())))
}

async fn ask(
    request: axum::http::request::Builder,
    body: &'static str,
) -> (StatusCode, HeaderMap, Value) {
    let request = request.header(header::HOST, "localhost").body(Body::from(body)).unwrap();
    let response = service().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_panic_becomes_a_problem_that_keeps_its_secret() {
    let request = Request::get("/panics").header("x-request-id", "abc-1");
    let (status, headers, body) = ask(request, "").await;
    assert_eq!(status, 500);
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(
        body,
        json!({
            "type": "urn:bist:problem:internal", "title": "internal", "status": 500,
            "detail": "the server failed; its log has the cause under the request id",
            "code": "internal", "request_id": "abc-1",
        })
    );
}

#[tokio::test]
async fn a_request_is_one_line_of_the_log_and_a_failure_another() {
    let (log, ours) = Log::of_this_process();
    ask(Request::get("/fine?password=hunter2").header("x-request-id", "log-1"), "").await;
    ask(Request::get("/panics").header("x-request-id", "log-2"), "").await;
    ask(Request::get("/someone@example.com").header("x-request-id", "log-3"), "").await;
    ask(Request::get("/never").header("x-request-id", "log-4"), "").await;
    let lines = log.lines("log-");
    let [fine, panicked, failed, unmatched, slow, given_up] = lines.try_into().unwrap();
    let mut fields = fine["fields"].clone();
    let latency_ms = fields["latency_ms"].take().as_f64().unwrap();
    assert!((0.0..10_000.0).contains(&latency_ms));
    assert_eq!(fine["level"], "INFO");
    assert_eq!(
        fields,
        json!({
            "message": "request answered",
            "http.method": "GET", "http.route": "/fine", "http.status": 200,
            "latency_ms": null, "request.id": "log-1",
        })
    );
    assert_eq!(
        json!([panicked["level"], panicked["fields"]["error"], panicked["span"]["request.id"]]),
        json!(["ERROR", "the tree fell over", "log-2"])
    );
    let told = ["http.status", "problem.code"].map(|name| &failed["fields"][name]);
    assert_eq!((&failed["level"], json!(told)), (&json!("INFO"), json!([500, "internal"])));
    assert_eq!(unmatched["fields"]["http.route"], "(no route)");
    assert_eq!(
        json!([slow["level"], slow["span"]["http.route"], given_up["fields"]["http.status"]]),
        json!(["ERROR", "/never", 503])
    );
    let text = json!([fine, panicked, failed, unmatched, slow, given_up]).to_string();
    assert!(!text.contains("hunter2") && !text.contains("someone"), "{text}");

    // Each failure is one error in the list, and what the caller did wrong is none.
    let directory = tempfile::tempdir().unwrap();
    let policy = ValidationPolicy::default();
    let app = App::open(directory.path(), clock(), policy).await.unwrap();
    let app = app.with_log(ours.clone());
    ours.errors.close();
    app.keep_errors().await;
    let mut kept = Vec::new();
    for group in app.error_groups(&ErrorFilter::default(), 100).await.unwrap() {
        let (group, events) = app.error_group(&group.id).await.unwrap().unwrap();
        let ours = |id: &str| id.starts_with("log-");
        let ids = events.into_iter().filter_map(|event| event.request_id);
        kept.extend(ids.filter(|id| ours(id)).map(|id| (id, group.kind, group.place.clone())));
    }
    kept.sort();
    let [panic, internal] = kept.try_into().unwrap();
    assert_eq!((panic.0.as_str(), panic.1), ("log-2", ErrorKind::Panic));
    assert!(panic.2.starts_with("crates/server/src/middleware/tests.rs:"), "{}", panic.2);
    assert_eq!(internal, ("log-4".to_owned(), ErrorKind::Internal, "/never".to_owned()));
}

#[tokio::test]
async fn what_the_database_is_asked_is_logged_within_the_request_and_without_its_values() {
    let (log, ours) = Log::of_this_process();
    let directory = tempfile::tempdir().unwrap();
    let pool_sizes = PoolSizes { readers_max: 1, ..PoolSizes::default() };
    let database = DatabaseSettings { pool_sizes, ..DatabaseSettings::default() };
    let policy = ValidationPolicy::default();
    let app = App::open_at(directory.path(), &database, clock(), policy).await.unwrap();
    let asks = async move |State(app): State<App>| {
        app.error_group("hunter2").await.map(|found| found.is_some().to_string()).unwrap()
    };
    let router = Router::new().route("/asks", get(asks)).with_state(app.clone());
    let telemetry = Arc::new(Telemetry::new(clock(), ours));
    let service = wrap(router, None, &settings(), Limits::default(), telemetry);
    let request = Request::get("/asks").header("x-request-id", "sql-1");
    let request = request.header(header::HOST, "localhost").body(Body::empty()).unwrap();
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
    // The same connection logs one statement before it begins the next.
    app.error_group("x").await.unwrap();
    let lines = log.lines("sql-");
    assert_eq!(lines.len(), 2, "{lines:?}");
    let statement = lines.iter().find(|line| line["target"] == "sqlx::query").unwrap();
    assert_eq!(statement["span"]["request.id"], "sql-1");
    let text = statement.to_string();
    assert!(text.contains("FROM error_groups") && !text.contains("hunter2"), "{text}");
}

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The log of all tests, and what comes of it: a subscriber for one thread would miss lines whose call
    /// site another thread has met first.
    fn of_this_process() -> (Self, ProcessLog) {
        static LOG: OnceLock<(Log, ProcessLog)> = OnceLock::new();
        let install = || {
            let log = Self::default();
            let requests = RequestLog::new(LineForm::Json, log.clone());
            let ours = ProcessLog { requests: Some(Arc::new(requests)), ..ProcessLog::default() };
            // Statements are logged as slow ones are, but for the level.
            let shown = EnvFilter::new("info,sqlx::query=debug");
            let taken = ErrorLayer::new(ours.errors.clone(), clock());
            let lines = fmt::layer().json().map_event_format(WithRequest::json);
            tracing_subscriber::registry()
                .with(lines.with_writer(log.clone()).with_filter(shown))
                .with(taken.with_filter(filter_fn(is_wanted)))
                .init();
            // What tests say when they fail is still told.
            let before = panic::take_hook();
            tell_panics();
            let our_hook = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                our_hook(info);
                before(info);
            }));
            (log, ours)
        };
        LOG.get_or_init(install).clone()
    }

    /// The lines of the requests whose ids begin with `prefix`, and whose service is gone, which has
    /// handed on its last line then.
    fn lines(&self, prefix: &str) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let is_theirs = |line: &Value| {
            [&line["fields"], &line["span"]]
                .iter()
                .any(|part| part["request.id"].as_str().is_some_and(|id| id.starts_with(prefix)))
        };
        text.lines().map(|line| serde_json::from_str(line).unwrap()).filter(is_theirs).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let (status, headers, body) = ask(Request::get("/never"), "").await;
    assert_eq!((status.as_u16(), &body["code"]), (503, &json!("timed_out")));
    assert_eq!(headers["retry-after"], "5");
}

#[tokio::test]
async fn a_large_body_is_refused_whether_or_not_it_says_so() {
    let said = Request::post("/takes").header(header::CONTENT_LENGTH, 11);
    let (status, _, body) = ask(said, "01234567890").await;
    assert_eq!((status.as_u16(), &body["code"]), (413, &json!("body_too_large")));
    let (status, _, body) = ask(Request::post("/takes"), "01234567890").await;
    assert_eq!((status.as_u16(), &body["code"]), (413, &json!("body_too_large")));
    let (status, ..) = ask(Request::post("/takes"), "0123456789").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn another_method_is_refused_with_those_that_are_taken() {
    let (status, headers, body) = ask(Request::delete("/fine"), "").await;
    assert_eq!((status.as_u16(), &body["code"]), (405, &json!("method_not_allowed")));
    assert_eq!(headers["allow"], "GET,HEAD");
}

#[tokio::test]
async fn options_are_answered_with_the_methods_and_nothing_for_other_origins() {
    let request = Request::builder()
        .method(Method::OPTIONS)
        .uri("/fine")
        .header("origin", "https://elsewhere.example")
        .header("access-control-request-method", "GET");
    let (status, headers, _) = ask(request, "").await;
    assert_eq!((status.as_u16(), &headers["allow"]), (204, &"GET,HEAD".parse().unwrap()));
    assert!(headers.keys().all(|name| !name.as_str().starts_with("access-control-")));
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let request = Request::head("/fine").header(header::HOST, "localhost");
    let response = service().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-length"], "4");
    assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
}
