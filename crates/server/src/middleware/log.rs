//! One line in the log for every request.
//!
//! The route as it is registered, never the path or the query as they came: those may hold what a
//! log must not (docs/LOGGING.md).

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::response::Response;
use tracing::Span;

use super::authenticate::AskedBy;
use super::request_id::RequestId;
use crate::error::ProblemCode;

/// What stands for the route when the path matched none.
const UNMATCHED: &str = "(no route)";

/// What carries the id of a request to all that is logged for it.
pub(super) fn span(id: &RequestId) -> Span {
    tracing::info_span!("request", request.id = id.as_str())
}

/// A request that is logged once it is answered.
#[derive(Debug)]
pub(super) struct Record {
    begun_at: Instant,
    method: Method,
    matched: Option<MatchedPath>,
}

impl Record {
    pub(super) fn begin(request: &Request) -> Self {
        Self {
            begun_at: Instant::now(),
            method: request.method().clone(),
            matched: request.extensions().get::<MatchedPath>().cloned(),
        }
    }

    /// Logs the request that was answered with `response`.
    pub(super) fn end(self, response: &Response, id: &RequestId) {
        let method = self.method;
        let route = self.matched.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
        let status = response.status().as_u16();
        // Fields without a value are left out.
        let caller = response.extensions().get::<AskedBy>().map(tracing::field::display);
        let code = response.extensions().get::<ProblemCode>().map(|code| code.name_and_status().0);
        let latency_ms = self.begun_at.elapsed().as_secs_f64() * 1000.0;
        tracing::info!(
            http.method = %method,
            http.route = route,
            http.status = status,
            latency_ms,
            request.id = id.as_str(),
            caller,
            problem.code = code,
            "{method} {route} answered {status} in {latency_ms:.1} ms"
        );
    }
}
