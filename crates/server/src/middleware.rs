//! What every request passes through, outermost first.

pub(crate) mod authenticate;
pub(crate) mod cross_site;
mod host;
mod log;
mod options;
mod panic;
mod problem;
pub(crate) mod rate_limit;
pub(crate) mod real_ip;
pub(crate) mod request_id;
mod security_headers;
mod shed;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::{Extension, Router};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use bist_app::App;

use crate::extract::BodyTimeMax;
use crate::origin::Origin;
use crate::settings::ServerSettings;
use cross_site::OwnPages;
use security_headers::Transport;

/// How much a request may ask of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Largest body of a request.
    pub(crate) body_size_bytes_max: usize,
    /// How long making an answer may take.
    pub(crate) answer_time_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_size_bytes_max: 64 * 1024, answer_time_max: Duration::from_secs(30) }
    }
}

/// Lets those through to the routes of `router` who may, and counts what they ask by who they are.
///
/// [`wrap`] goes around it, which counts what addresses ask before anybody is looked up.
pub(crate) fn guard(router: Router, app: Arc<App>, settings: &ServerSettings) -> Router {
    router.layer((
        from_fn_with_state(app, authenticate::authorise),
        from_fn_with_state(Arc::clone(&settings.limits), rate_limit::by_caller),
    ))
}

/// Puts around the doors of health what they need where nothing else is answered. Whoever watches
/// processes asks by their address, so that no host is another one's.
pub(crate) fn wrap_health(router: Router, limits: Limits) -> Router {
    router.layer((
        from_fn(request_id::assign),
        from_fn(log::record),
        from_fn_with_state(Transport::Any, security_headers::add),
        from_fn(problem::write),
        CatchPanicLayer::custom(panic::answer),
        TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limits.answer_time_max),
    ))
}

/// Puts the middleware around all routes and fallbacks of `router`.
pub(crate) fn wrap(router: Router, settings: &ServerSettings, limits: Limits) -> Router {
    let ServerSettings { limits: rates, public_url, trusted_proxies, cors_origins, .. } = settings;
    let is_https = public_url.as_ref().is_some_and(Origin::is_https);
    let transport = if is_https { Transport::Tls } else { Transport::Any };
    let own = OwnPages {
        public_url: public_url.clone(),
        listed: cors_origins.clone(),
        scheme: if settings.tls.is_some() { "https" } else { "http" },
    };
    let own = Arc::new(own);
    let places = Arc::new(Semaphore::new(settings.connections.requests_max));
    let inner = router.layer((
        from_fn_with_state(Arc::clone(&own), cross_site::refuse),
        from_fn_with_state(Arc::clone(rates), rate_limit::by_address),
        RequestBodyLimitLayer::new(limits.body_size_bytes_max),
        TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limits.answer_time_max),
        Extension(BodyTimeMax(settings.connections.body_time_max)),
        // For handlers that count attempts by themselves.
        Extension(Arc::clone(rates)),
        // For handlers that ask for passkeys, and for streams.
        Extension(own),
    ));
    inner.layer((
        from_fn(request_id::assign),
        from_fn(log::record),
        from_fn_with_state(transport, security_headers::add),
        from_fn_with_state(Arc::from(cors_origins.as_slice()), options::share),
        from_fn(problem::write),
        CatchPanicLayer::custom(panic::answer),
        from_fn_with_state(places, shed::take_place),
        from_fn_with_state(Arc::from(trusted_proxies.as_slice()), real_ip::find),
        from_fn_with_state(Arc::new(public_url.clone()), host::require_own),
        from_fn(options::answer),
    ))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Mutex, OnceLock};

    use axum::body::Body;
    use axum::http::{HeaderMap, Method, Request, header};
    use axum::routing::{get, post};
    use bist_app::rate_limits::{Quotas, RateLimits};
    use bist_market::FixedClock;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;

    fn service() -> Router {
        let router = Router::new()
            .route("/fine", get(async || "fine"))
            .route("/never", get(std::future::pending::<&str>))
            .route("/panics", get(async || -> &str { panic!("the tree fell over") }))
            .route("/takes", post(async |body: String| body));
        let limits = Limits { body_size_bytes_max: 10, answer_time_max: Duration::from_millis(20) };
        wrap(router, &settings(), limits)
    }

    fn settings() -> ServerSettings {
        let clock = FixedClock("2026-11-24T12:00:00Z".parse().unwrap());
        ServerSettings::new(Arc::new(RateLimits::new(Quotas::default(), Arc::new(clock))))
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
        let log = Log::of_this_process();
        ask(Request::get("/fine?password=hunter2").header("x-request-id", "log-1"), "").await;
        ask(Request::get("/panics").header("x-request-id", "log-2"), "").await;
        ask(Request::get("/someone@example.com").header("x-request-id", "log-3"), "").await;
        let [fine, panicked, failed, unmatched] = log.lines().try_into().unwrap();
        let mut fields = fine["fields"].clone();
        let latency_ms = fields["latency_ms"].take().as_f64().unwrap();
        assert!((0.0..10_000.0).contains(&latency_ms));
        assert_eq!(fine["level"], "INFO");
        assert_eq!(
            fields,
            json!({
                "message": format!("GET /fine answered 200 in {latency_ms:.1} ms"),
                "http.method": "GET", "http.route": "/fine", "http.status": 200,
                "latency_ms": null, "request.id": "log-1",
            })
        );
        assert_eq!(
            json!([panicked["level"], panicked["fields"]["error"], panicked["span"]["request.id"]]),
            json!(["ERROR", "a handler panicked: the tree fell over", "log-2"])
        );
        let told = ["http.status", "problem.code"].map(|name| &failed["fields"][name]);
        assert_eq!((&failed["level"], json!(told)), (&json!("INFO"), json!([500, "internal"])));
        assert_eq!(unmatched["fields"]["http.route"], "(no route)");
        let text = json!([fine, panicked, failed, unmatched]).to_string();
        assert!(!text.contains("hunter2") && !text.contains("someone"), "{text}");
    }

    /// A log in memory.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Log {
        /// The log of all tests: a subscriber for one thread would miss lines whose call site
        /// another thread has met first.
        fn of_this_process() -> Self {
            static LOG: OnceLock<Log> = OnceLock::new();
            let install = || {
                let log = Self::default();
                tracing_subscriber::fmt().json().with_writer(log.clone()).init();
                log
            };
            LOG.get_or_init(install).clone()
        }

        /// The lines of the requests whose ids begin with `log-`.
        fn lines(&self) -> Vec<Value> {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            let ours = |line: &Value| {
                [&line["fields"], &line["span"]].iter().any(|part| {
                    part["request.id"].as_str().is_some_and(|id| id.starts_with("log-"))
                })
            };
            text.lines().map(|line| serde_json::from_str(line).unwrap()).filter(ours).collect()
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

    impl tracing_subscriber::fmt::MakeWriter<'_> for Log {
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
}
