//! Sending requests away before all of them get slow.

use axum::extract::Request;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::ApiError;

/// Whoever watches the process is answered however busy it is, and streams, which wait, have limits of
/// their own.
const EXEMPT: [&str; 3] = ["/health/", "/metrics", "/api/v1/live"];

/// Takes one of the places, of which as many requests may be under way; `None` for one that needs none.
pub(super) fn take_place<'a>(
    places: &'a Semaphore,
    request: &Request,
) -> Result<Option<SemaphorePermit<'a>>, ApiError> {
    if EXEMPT.iter().any(|path| request.uri().path().starts_with(path)) {
        return Ok(None);
    }
    places.try_acquire().map(Some).map_err(|_| ApiError::Overloaded)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::http::header;
    use axum::routing::get;
    use bist_app::rate_limits::{Quotas, RateLimits};
    use bist_app::telemetry::{ProcessLog, Telemetry};
    use bist_market::FixedClock;
    use tokio::sync::Notify;
    use tower::ServiceExt as _;

    use crate::middleware::{Limits, wrap};
    use crate::settings::ServerSettings;

    #[tokio::test]
    async fn who_comes_when_all_places_are_taken_is_sent_away_and_whoever_watches_is_not() {
        let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (says_begun, waits) = (Arc::clone(&begun), Arc::clone(&finish));
        let slow = async move || {
            says_begun.notify_one();
            waits.notified().await;
        };
        let routes = Router::new()
            .route("/slow", get(slow))
            .route("/fine", get(async || ()))
            .route("/health/live", get(async || ()));
        let clock = Arc::new(FixedClock("2026-11-24T12:00:00Z".parse().unwrap()));
        let rates = RateLimits::new(Quotas::default(), Arc::clone(&clock) as _);
        let telemetry = Arc::new(Telemetry::new(clock, ProcessLog::default()));
        let mut settings = ServerSettings::new(Arc::new(rates));
        settings.connections.requests_max = 1;
        let service = wrap(routes, None, &settings, Limits::default(), telemetry);
        let ask = |path: &'static str| {
            let request = Request::get(path).header(header::HOST, "localhost");
            service.clone().oneshot(request.body(Body::empty()).unwrap())
        };
        let under_way = tokio::spawn(ask("/slow"));
        begun.notified().await;
        let refused = ask("/fine").await.unwrap();
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.headers()["retry-after"], "5");
        assert_eq!(ask("/health/live").await.unwrap().status(), 200);
        finish.notify_one();
        assert_eq!(under_way.await.unwrap().unwrap().status(), 200);
        assert_eq!(ask("/fine").await.unwrap().status(), 200);
    }
}
