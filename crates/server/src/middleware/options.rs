//! `OPTIONS` is answered with the methods that a path takes.
//!
//! Nothing is said about other origins, so a browser lets no page of another origin read an answer.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Turns the refusal of `OPTIONS` into an answer.
pub(super) async fn answer(request: Request, next: Next) -> Response {
    let asked = request.method() == Method::OPTIONS;
    let response = next.run(request).await;
    if !asked || response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let allowed = response.headers().get(header::ALLOW).and_then(|value| value.to_str().ok());
    let allowed = format!("{},OPTIONS", allowed.unwrap_or("GET,HEAD"));
    let value = HeaderValue::from_str(&allowed).unwrap_or(HeaderValue::from_static("OPTIONS"));
    (StatusCode::NO_CONTENT, [(header::ALLOW, value)]).into_response()
}
