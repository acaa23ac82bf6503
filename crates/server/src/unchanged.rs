//! Answers that are asked for again and again: whoever has the last one is told that nothing changed.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bist_app::answers::Tag;
use serde::Serialize;

use crate::assets::is_known;
use crate::error::ApiError;
use crate::middleware::security_headers::HEADERS_ABOUT;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What the caller has already, by its tag.
#[derive(Debug)]
pub(crate) struct Known(HeaderMap);

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let mut tags = HeaderMap::new();
        for tag in parts.headers.get_all(header::IF_NONE_MATCH) {
            tags.append(header::IF_NONE_MATCH, tag.clone());
        }
        Ok(Self(tags))
    }
}

impl Known {
    /// `body` as JSON with its tag, or only the tag when the caller has the same.
    ///
    /// # Errors
    ///
    /// [`ApiError::Internal`] when it cannot be written as JSON.
    pub(crate) fn or_json(&self, body: &impl Serialize) -> Result<Response, ApiError> {
        let json = document(body)?;
        self.or_document(&Tag::of(&json), json)
    }

    /// A JSON document with its tag, or only the tag when the caller has the same.
    ///
    /// # Errors
    ///
    /// [`ApiError::Internal`] when the tag is no header.
    pub(crate) fn or_document(
        &self,
        tag: &Tag,
        document: impl Into<Body>,
    ) -> Result<Response, ApiError> {
        let etag = HeaderValue::from_maybe_shared(tag.weak())
            .map_err(|error| ApiError::Internal(error.to_string()))?;
        let mut response = if is_known(&self.0, tag.as_str()) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut response = Response::new(document.into());
            // Room for what the way out adds.
            response.headers_mut().reserve(HEADERS_ABOUT);
            response.headers_mut().insert(header::CONTENT_TYPE, JSON);
            response
        };
        response.headers_mut().insert(header::ETAG, etag);
        Ok(response)
    }
}

/// `body` as JSON.
pub(crate) fn document(body: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(body).map_err(|error| ApiError::Internal(error.to_string()))
}
