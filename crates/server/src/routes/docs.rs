//! `/api/docs`: the page of the web app that shows the API.

use axum::extract::Request;
use axum::http::Uri;
use axum::response::Response;

use crate::assets;

/// Answers with the page that the web build made for it, or with the web app itself.
pub(crate) async fn page(mut request: Request) -> Response {
    let page = if assets::has("api-docs/index.html") { "/api-docs/index.html" } else { "/" };
    *request.uri_mut() = Uri::from_static(page);
    assets::answer(request).await
}
