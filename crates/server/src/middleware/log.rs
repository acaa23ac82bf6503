//! Every request is told to whatever counts and logs them.
//!
//! The route as it is registered, never the path or the query as they came: those may hold what a
//! log must not (docs/LOGGING.md).

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::response::Response;
use bist_app::telemetry::traces;
use bist_app::telemetry::trail::Trail;
use bist_app::telemetry::{Answered, METHODS, NO_ROUTE, Telemetry};
use tracing::Span;

use super::authenticate::AskedBy;
use super::rate_limit::LimitClass;
use super::request_id::RequestId;
use crate::error::ProblemCode;

/// A request that is told of once it is answered.
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

    /// What carries the id and the route of the request to all that is logged for it.
    pub(super) fn trail(&self, id: &RequestId) -> Arc<Trail> {
        let route = self.matched.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
        Trail::of_request(id.shared(), route)
    }

    /// The span of the request, for a collector.
    pub(super) fn span(&self, id: &RequestId) -> Span {
        let route = self.matched.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
        traces::of_request(method_name(&self.method), route, id.as_str())
    }

    /// Tells `telemetry` that the request was answered with `response`.
    pub(super) fn end(self, response: &Response, id: &RequestId, telemetry: &Telemetry) {
        let took = self.begun_at.elapsed();
        let matched = self.matched.as_ref().map(MatchedPath::as_str);
        let asked_by = response.extensions().get::<AskedBy>();
        let code = response.extensions().get::<ProblemCode>().map(|code| code.name_and_status().0);
        telemetry.answered(&Answered {
            method: method_name(&self.method),
            route: matched,
            status: response.status().as_u16(),
            took,
            caller: asked_by.map(|AskedBy(actor)| actor),
            problem_code: code,
            limit_class: response.extensions().get::<LimitClass>().map(|LimitClass(class)| *class),
            request_id: id.as_str(),
        });
    }
}

/// The name of a method, of a few.
fn method_name(method: &Method) -> &'static str {
    let known = METHODS.into_iter().find(|known| *known == method.as_str());
    known.unwrap_or(METHODS[METHODS.len() - 1])
}
