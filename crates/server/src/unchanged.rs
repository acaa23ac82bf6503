//! Answers that are asked for again and again: whoever has the last one is told that nothing changed.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::assets::is_known;
use crate::error::ApiError;

/// What the caller has already, by its tag.
#[derive(Debug)]
pub(crate) struct Known(HeaderMap);

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.headers.clone()))
    }
}

impl Known {
    /// `body` as JSON with its tag, or only the tag when the caller has the same.
    ///
    /// # Errors
    ///
    /// [`ApiError::Internal`] when it cannot be written as JSON.
    pub(crate) fn or_json(&self, body: &impl Serialize) -> Result<Response, ApiError> {
        let json =
            serde_json::to_vec(body).map_err(|error| ApiError::Internal(error.to_string()))?;
        let mut hasher = DefaultHasher::new();
        json.hash(&mut hasher);
        // Of what the bytes mean: on their way they may be compressed.
        let tag = format!("{:016x}", hasher.finish());
        let etag = HeaderValue::try_from(format!("W/\"{tag}\""))
            .map_err(|error| ApiError::Internal(error.to_string()))?;
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, etag);
        if is_known(&self.0, &tag) {
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok((headers, json).into_response())
    }
}
