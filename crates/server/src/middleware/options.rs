//! `OPTIONS` is answered with the methods that a path takes, and origins that the operator has listed
//! may read answers.
//!
//! To any other origin nothing is said, so that a browser lets none of its pages read an answer.
//! Cookies are never sent along: pages of other origins show an API key.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::origin::Origin;

/// What pages of other origins may ask; a path refuses what it does not take.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");

/// Headers of requests that pages of other origins may set.
const REQUEST_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, if-none-match, x-request-id");

/// Headers of answers that they may read besides the harmless ones.
const ANSWER_HEADERS: HeaderValue = HeaderValue::from_static(
    "etag, ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id",
);

/// How long a browser need not ask again, seconds.
const ASKED_AGAIN_AFTER_S: HeaderValue = HeaderValue::from_static("600");

/// Turns the refusal of `OPTIONS` into an answer, to which the router adds the methods of the path.
pub(super) async fn answer(request: Request, next: Next) -> Response {
    let asked = request.method() == Method::OPTIONS;
    let response = next.run(request).await;
    if asked && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        return StatusCode::NO_CONTENT.into_response();
    }
    response
}

/// Lets pages of the listed origins read answers.
pub(super) async fn share(
    State(listed): State<Arc<[Origin]>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(header::ORIGIN);
    let origin = origin.filter(|origin| listed.iter().any(|listed| listed.is(origin))).cloned();
    let is_preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if !listed.is_empty() {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    let Some(origin) = origin else { return response };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if is_preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, ASKED_AGAIN_AFTER_S);
    } else {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
    }
    response
}
