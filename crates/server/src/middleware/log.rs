//! Every request is told to whatever counts and logs them.
//!
//! The route as it is registered, never the path or the query as they came: those may hold what a
//! log must not (docs/LOGGING.md).

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::response::Response;
use bist_access::Actor;
use bist_app::telemetry::traces;
use bist_app::telemetry::trail::Trail;
use bist_app::telemetry::{Answered, METHODS, NO_ROUTE, Telemetry};
use tracing::Span;

use super::rate_limit::LimitClass;
use super::request_id::RequestId;
use crate::error::ProblemCode;

/// A request that is told of once it is answered.
#[derive(Debug)]
pub(super) struct Record {
    begun_at: Instant,
    method: &'static str,
    /// The path as it is registered.
    route: Option<Arc<str>>,
}

impl Record {
    pub(super) fn begin(request: &Request) -> Self {
        Self {
            begun_at: Instant::now(),
            method: method_name(request.method()),
            route: request.extensions().get::<MatchedPath>().map(|path| path.as_str().into()),
        }
    }

    /// What carries the id and the route of the request to all that is logged for it.
    pub(super) fn trail(&self, id: &RequestId) -> Arc<Trail> {
        let route = self.route.clone().unwrap_or_else(|| NO_ROUTE.into());
        Trail::of_request(id.shared(), route)
    }

    /// The span of the request, for a collector.
    pub(super) fn span(&self, id: &RequestId) -> Span {
        traces::of_request(self.method, self.route.as_deref().unwrap_or(NO_ROUTE), id.as_str())
    }

    /// Tells `telemetry` that the request of `asked_by` was answered with `response`.
    pub(super) fn end(
        self,
        response: &Response,
        asked_by: Option<Actor>,
        id: &RequestId,
        telemetry: &Telemetry,
    ) {
        let status = response.status().as_u16();
        let extensions = response.extensions();
        let code = extensions.get::<ProblemCode>();
        telemetry.answered(Answered {
            method: self.method,
            route: self.route,
            status,
            took: self.begun_at.elapsed(),
            at: telemetry.now(),
            problem_code: code.map(|code| code.name_and_status().0),
            limit_class: extensions.get::<LimitClass>().map(|LimitClass(class)| *class),
            caller: asked_by,
            request_id: id.shared(),
        });
    }
}

/// The name of a method, of a few.
fn method_name(method: &Method) -> &'static str {
    let known = METHODS.into_iter().find(|known| *known == method.as_str());
    known.unwrap_or(METHODS[METHODS.len() - 1])
}
