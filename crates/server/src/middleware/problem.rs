//! Every error leaves as a problem document with the id of its request.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::request_id::RequestId;
use crate::error::{ApiError, PROBLEM_JSON, Problem};

/// The answer with the document of the error that a handler, an extractor or a layer has answered with.
/// Its code stays in the extensions of the answer, for the log.
pub(super) fn described(mut response: Response, id: &RequestId) -> Response {
    if let Some(error) = undescribed(&response) {
        let mut described = error.into_response();
        // What the layer said besides, such as the methods of a path, stays.
        for (name, value) in response.headers() {
            if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
                described.headers_mut().insert(name.clone(), value.clone());
            }
        }
        response = described;
    }
    let Some(mut problem) = response.extensions_mut().remove::<Problem>() else { return response };
    id.as_str().clone_into(&mut problem.request_id);
    response.extensions_mut().insert(problem.code);
    let Ok(body) = serde_json::to_vec(&problem) else { return response };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = Body::from(body);
    response
}

/// The error of a response that has neither a problem nor a document of its own.
fn undescribed(response: &Response) -> Option<ApiError> {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let bare = content_type.is_none_or(|value| value.as_bytes().starts_with(b"text/plain"));
    let described = response.extensions().get::<Problem>().is_some();
    if bare && !described { ApiError::of_bare(response.status()) } else { None }
}
