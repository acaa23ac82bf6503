//! `OPTIONS` is answered with the methods that a path takes, and origins that the operator has listed
//! may read answers.
//!
//! To any other origin nothing is said, so that a browser lets none of its pages read an answer.
//! Cookies are never sent along: pages of other origins show an API key.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::origin::Origin;

/// What pages of other origins may ask; a path refuses what it does not take.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");

/// Headers of requests that pages of other origins may set.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, if-none-match, x-request-id",
);

/// Headers of answers that they may read besides the harmless ones.
const ANSWER_HEADERS: HeaderValue = HeaderValue::from_static(
    "age, etag, ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id",
);

/// How long a browser need not ask again, seconds.
const ASKED_AGAIN_AFTER_S: HeaderValue = HeaderValue::from_static("600");

/// Turns the refusal of `OPTIONS` into an answer, to which the router adds the methods of the path.
pub(super) fn answer(method: &Method, response: Response) -> Response {
    if method == Method::OPTIONS && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        return StatusCode::NO_CONTENT.into_response();
    }
    response
}

/// Who may read the answer to a request besides our own pages.
#[derive(Debug)]
pub(super) struct Shared {
    /// Whether it depends on who asks.
    varies: bool,
    /// The origin of the page that asks, if it is listed.
    origin: Option<HeaderValue>,
    is_preflight: bool,
}

impl Shared {
    /// What is shared with pages of the origins that are `listed`.
    pub(super) fn with(listed: &[Origin], request: &Request) -> Self {
        let headers = request.headers();
        let is_listed = |origin: &&HeaderValue| listed.iter().any(|listed| listed.is(origin));
        Self {
            varies: !listed.is_empty(),
            origin: headers.get(header::ORIGIN).filter(is_listed).cloned(),
            is_preflight: request.method() == Method::OPTIONS
                && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD),
        }
    }

    /// Lets pages of the listed origins read the answer.
    pub(super) fn tell(self, headers: &mut HeaderMap) {
        if self.varies {
            headers.append(header::VARY, HeaderValue::from_static("origin"));
        }
        let Some(origin) = self.origin else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.is_preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, ASKED_AGAIN_AFTER_S);
        } else {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
        }
    }
}
