//! Sending requests away before all of them get slow.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Whoever watches the process is answered however busy it is, and streams, which wait, have limits of
/// their own.
const EXEMPT: [&str; 2] = ["/health/", "/api/v1/live"];

/// Lets as many requests be under way as there are places.
pub(super) async fn take_place(
    State(places): State<Arc<Semaphore>>,
    request: Request,
    next: Next,
) -> Response {
    if EXEMPT.iter().any(|path| request.uri().path().starts_with(path)) {
        return next.run(request).await;
    }
    match places.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_) => ApiError::Overloaded.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tokio::sync::Notify;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn who_comes_when_all_places_are_taken_is_sent_away_and_whoever_watches_is_not() {
        let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (says_begun, waits) = (Arc::clone(&begun), Arc::clone(&finish));
        let slow = async move || {
            says_begun.notify_one();
            waits.notified().await;
        };
        let service = Router::new()
            .route("/slow", get(slow))
            .route("/fine", get(async || ()))
            .route("/health/live", get(async || ()))
            .layer(from_fn_with_state(Arc::new(Semaphore::new(1)), take_place));
        let ask = |path: &'static str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            service.clone().oneshot(request)
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
