//! One line in the log for every request.
//!
//! The route as it is registered, never the path or the query as they came: those may hold what a
//! log must not (docs/LOGGING.md).

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::authenticate::AskedBy;
use super::request_id::RequestId;
use crate::error::ProblemCode;

/// What stands for the route when the path matched none.
const UNMATCHED: &str = "(no route)";

/// Logs the request once it is answered. What is logged in between carries its id too.
pub(super) async fn record(request: Request, next: Next) -> Response {
    let begun_at = Instant::now();
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let id = request.extensions().get::<RequestId>().cloned();
    let id = id.as_ref().map_or("", RequestId::as_str);
    let span = tracing::info_span!("request", request.id = id);
    let response = next.run(request).instrument(span).await;
    let route = matched.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    let status = response.status().as_u16();
    // Fields without a value are left out.
    let caller = response.extensions().get::<AskedBy>().map(AskedBy::as_str);
    let code = response.extensions().get::<ProblemCode>().map(|code| code.name_and_status().0);
    let latency_ms = begun_at.elapsed().as_secs_f64() * 1000.0;
    tracing::info!(
        http.method = %method,
        http.route = route,
        http.status = status,
        latency_ms,
        request.id = id,
        caller,
        problem.code = code,
        "{method} {route} answered {status} in {latency_ms:.1} ms"
    );
    response
}
