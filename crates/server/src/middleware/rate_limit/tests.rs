//! Who is counted as whom, on one server and on two with one Redis.

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::IntoResponse as _;
use axum::routing::{delete, get, post};
use bist_app::rate_limits::Quotas;
use bist_app::telemetry::{ProcessLog, Telemetry};
use bist_app::{RedisLink, SharedLimiter};
use bist_market::FixedClock;
use bist_testkit::redis_server::RedisServer;
use std::net::SocketAddr;
use std::sync::Arc;
use tower::ServiceExt;

use super::*;
use crate::middleware::{Around, Limits, wrap};
use crate::settings::ServerSettings;

/// A server of some paths, and who is counted as whom there.
struct Server {
    router: Router,
}

/// What came back.
struct Answer {
    status: u16,
    headers: HeaderMap,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn limits() -> RateLimits {
    let clock = FixedClock("2026-11-24T12:00:00Z".parse().unwrap());
    RateLimits::new(Quotas::default(), Arc::new(clock))
}

/// Counts those who say in the header `x-caller` as whom.
async fn count_caller(
    State(limits): State<Arc<RateLimits>>,
    around: Around,
    request: Request,
    next: Next,
) -> Response {
    let caller = request.headers().get("x-caller").map(|caller| caller.to_str().unwrap());
    match by_caller(&limits, class_of(&request), caller, around.address()).await {
        Ok(Some(spent)) => spent.told_with(next.run(request).await),
        Ok(None) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// A handler that counts by account, as those that check codes do.
async fn check_code(around: Around) -> Result<(), ApiError> {
    let limits = around.rates();
    let (policy, quota) = (Class::Auth.to_string().into(), limits.quotas().of(Class::Auth));
    let decision = limits.check(Class::Auth, "account:u0").await;
    let spent = Spent { policy, quota, decision };
    if decision.allowed { Ok(()) } else { Err(ApiError::RateLimited(spent)) }
}

impl Server {
    fn with(limits: RateLimits) -> Self {
        let limits = Arc::new(limits);
        let settings = ServerSettings::new(Arc::clone(&limits));
        let router = Router::new()
            .route("/", get(async || "page"))
            .route("/health/live", get(async || "live"))
            .route("/api/v1/forecasts", get(async || "forecasts"))
            .route("/api/v1/signals/served", get(async || "signals"))
            .route("/api/v1/symbols", get(async || "symbols"))
            .route("/api/v1/orders", get(async || "orders").post(async || "order"))
            .route("/api/v1/orders/preview", post(async || "preview"))
            .route("/api/v1/orders/{order}", delete(async || "order"))
            .route("/api/v1/portfolios/{portfolio}", get(async || "portfolio"))
            .route("/api/v1/portfolios/{portfolio}/close", post(async || "portfolio"))
            .route("/api/v1/auth/login", post(async || "no"))
            .route("/api/v1/auth/2fa/verify", post(check_code))
            .layer(from_fn_with_state(limits, count_caller));
        let clock = FixedClock("2026-11-24T12:00:00Z".parse().unwrap());
        let telemetry = Arc::new(Telemetry::new(Arc::new(clock), ProcessLog::default()));
        Self { router: wrap(router, None, &settings, Limits::default(), telemetry) }
    }

    async fn ask(&self, method: Method, path: &str, from: &str, caller: Option<&str>) -> Answer {
        let peer = SocketAddr::new(from.parse().unwrap(), 4711);
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        if let Some(caller) = caller {
            request = request.header("x-caller", caller);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        Answer { status: response.status().as_u16(), headers: response.headers().clone() }
    }

    async fn get(&self, path: &str, from: &str) -> Answer {
        self.ask(Method::GET, path, from, None).await
    }

    async fn sign_in(&self, from: &str) -> u16 {
        self.ask(Method::POST, "/api/v1/auth/login", from, None).await.status
    }
}

#[tokio::test]
async fn every_answer_says_what_is_left_and_the_twenty_first_waits() {
    let server = Server::with(limits());
    for n in 1..=20 {
        let path = ["/api/v1/forecasts", "/api/v1/signals/served"][n % 2];
        let answer = server.get(path, "192.0.2.1").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-policy"), "\"ai\";q=20;w=60");
        assert_eq!(answer.header("ratelimit"), format!("\"ai\";r={};t=3", 20 - n));
    }
    let refused = server.get("/api/v1/forecasts", "192.0.2.1").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), "3");
    assert_eq!(refused.header("ratelimit"), "\"ai\";r=0;t=3");
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(refused.header("x-content-type-options"), "nosniff");
    // Something else, somebody else, and what is not counted.
    for (path, from) in [
        ("/api/v1/symbols", "192.0.2.1"),
        ("/api/v1/forecasts", "192.0.2.2"),
        ("/", "192.0.2.1"),
        ("/health/live", "192.0.2.1"),
    ] {
        assert_eq!(server.get(path, from).await.status, 200, "{path}");
    }
    assert_eq!(server.get("/health/live", "192.0.2.1").await.header("ratelimit"), "");
}

#[tokio::test]
async fn a_hundred_of_anything_else_and_ten_orders_a_minute() {
    let server = Server::with(limits());
    for _ in 0..10 {
        let order = server.ask(Method::POST, "/api/v1/orders", "192.0.2.1", None).await;
        assert_eq!(order.status, 200);
    }
    let order = server.ask(Method::POST, "/api/v1/orders", "192.0.2.1", None).await;
    assert_eq!((order.status, order.header("ratelimit-policy")), (429, "\"trading\";q=10;w=60"));
    for n in 0..100 {
        let path = ["/api/v1/orders", "/api/v1/symbols", "/api/v1/nothing"][n % 3];
        assert_ne!(server.get(path, "192.0.2.1").await.status, 429);
    }
    assert_eq!(server.get("/api/v1/symbols", "192.0.2.1").await.status, 429);
}

#[tokio::test]
async fn what_changes_orders_and_portfolios_is_counted_together_and_looking_at_them_is_not() {
    let server = Server::with(limits());
    let changes = [
        (Method::POST, "/api/v1/orders"),
        (Method::DELETE, "/api/v1/orders/o1"),
        (Method::POST, "/api/v1/portfolios/f1/close"),
    ];
    let looks = [
        (Method::GET, "/api/v1/orders"),
        (Method::HEAD, "/api/v1/portfolios/f1"),
        (Method::GET, "/api/v1/portfolios/f1"),
        (Method::POST, "/api/v1/orders/preview"),
    ];
    let policy = async |(method, path): &(Method, &str)| {
        let answer = server.ask(method.clone(), path, "192.0.2.1", None).await;
        assert!([200, 429].contains(&answer.status), "{method} {path}: {}", answer.status);
        (answer.status, answer.header("ratelimit-policy").to_owned())
    };
    let trading = |status| (status, "\"trading\";q=10;w=60".to_owned());
    for n in 0..10 {
        assert_eq!(policy(&changes[n % changes.len()]).await, trading(200));
    }
    for change in &changes {
        assert_eq!(policy(change).await, trading(429));
    }
    for look in &looks {
        assert_eq!(policy(look).await, (200, "\"default\";q=100;w=60".to_owned()), "{look:?}");
    }
}

#[tokio::test]
async fn each_caller_has_a_count_of_their_own_and_their_address_one_for_all() {
    let server = Server::with(limits());
    let ask = async |caller: &str| {
        server.ask(Method::GET, "/api/v1/forecasts", "192.0.2.1", Some(caller)).await
    };
    for caller in 0..10 {
        for _ in 0..20 {
            assert_eq!(ask(&format!("account:u{caller}")).await.status, 200);
        }
    }
    let refused = ask("account:u10").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("ratelimit-policy"), "\"ai-address\";q=200;w=60");
    let elsewhere = async |caller| {
        server.ask(Method::GET, "/api/v1/forecasts", "192.0.2.2", Some(caller)).await.status
    };
    assert_eq!(elsewhere("account:u1").await, 429, "the caller is the same wherever they are");
    assert_eq!(elsewhere("account:u11").await, 200);
}

#[tokio::test]
async fn the_sixth_sign_in_waits_and_so_does_the_sixth_code_of_an_account() {
    let server = Server::with(limits());
    for _ in 0..5 {
        assert_eq!(server.sign_in("192.0.2.1").await, 200);
    }
    assert_eq!(server.sign_in("192.0.2.1").await, 429);
    assert_eq!(server.sign_in("192.0.2.2").await, 200);
    let verify = "/api/v1/auth/2fa/verify";
    for n in 0..5 {
        let from = format!("198.51.100.{n}");
        assert_eq!(server.ask(Method::POST, verify, &from, None).await.status, 200);
    }
    let refused = server.ask(Method::POST, verify, "198.51.100.9", None).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "180"));
    assert_eq!(refused.header("ratelimit-policy"), "\"auth\";q=5;w=900");
}

#[tokio::test]
async fn two_servers_with_one_redis_count_as_one_and_losing_it_opens_no_sign_in() {
    let Some(mut redis) = RedisServer::start() else { return };
    let shared = || {
        let link = RedisLink::new(&redis.url().parse().unwrap(), None).unwrap();
        SharedLimiter::new(link)
    };
    // Slow enough that nothing comes back while the test runs.
    let quotas = Quotas { ai: "20/h".parse().unwrap(), ..Quotas::default() };
    let clock = || Arc::new(FixedClock("2026-11-24T12:00:00Z".parse().unwrap()));
    let servers =
        [(); 2].map(|()| Server::with(RateLimits::new(quotas, clock()).with_shared(shared())));

    for n in 0..20 {
        assert_eq!(servers[n % 2].get("/api/v1/forecasts", "192.0.2.1").await.status, 200, "{n}");
    }
    for server in &servers {
        assert_eq!(server.get("/api/v1/forecasts", "192.0.2.1").await.status, 429);
    }
    for n in 0..5 {
        assert_eq!(servers[n % 2].sign_in("192.0.2.1").await, 200, "{n}");
    }
    for server in &servers {
        assert_eq!(server.sign_in("192.0.2.1").await, 429);
    }
    // Somebody else has tried three times when Redis dies.
    for n in 0..3 {
        assert_eq!(servers[n % 2].sign_in("192.0.2.2").await, 200);
    }
    redis.kill();
    for server in &servers {
        assert_eq!(server.sign_in("192.0.2.1").await, 429, "what was refused stays refused");
    }
    let mut left = [0, 0];
    for (server, left) in servers.iter().zip(&mut left) {
        while server.sign_in("192.0.2.2").await == 200 {
            *left += 1;
        }
        assert_eq!(server.sign_in("192.0.2.2").await, 429);
    }
    // The first has heard of three, the second of two; a stranger has the quota of each.
    assert_eq!(left, [2, 3]);
    for server in &servers {
        for _ in 0..5 {
            assert_eq!(server.sign_in("192.0.2.3").await, 200);
        }
        assert_eq!(server.sign_in("192.0.2.3").await, 429);
    }
}
