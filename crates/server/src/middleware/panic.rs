//! A panic in a handler costs its request and nothing else.

use std::any::Any;

use axum::response::{IntoResponse, Response};
use bist_app::telemetry::errors::{are_panics_told, message_of};

use crate::error::ApiError;

/// The answer to a request whose handler panicked.
pub(super) fn answer(payload: &(dyn Any + Send)) -> Response {
    let error = ApiError::Internal(format!("a handler panicked: {}", message_of(payload)));
    // Where panics are logged as they happen, this one was.
    if are_panics_told() { error.into_untold_response() } else { error.into_response() }
}
