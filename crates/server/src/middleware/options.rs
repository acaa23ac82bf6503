//! `OPTIONS` is answered with the methods that a path takes.
//!
//! Nothing is said about other origins, so a browser lets no page of another origin read an answer.

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Turns the refusal of `OPTIONS` into an answer, to which the router adds the methods of the path.
pub(super) async fn answer(request: Request, next: Next) -> Response {
    let asked = request.method() == Method::OPTIONS;
    let response = next.run(request).await;
    if asked && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        return StatusCode::NO_CONTENT.into_response();
    }
    response
}
