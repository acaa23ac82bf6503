//! What the process counts, for Prometheus (docs/METRICS.md).
//!
//! For those who ask from this machine, and for others with the token of the secret `metrics.token`.
//! From this machine is a connection of this machine that no proxy has made for somebody else.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use bist_app::App;
use bist_app::telemetry::metrics::{Edge, Format};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::health;
use crate::error::ApiError;
use crate::extract::{Checked, NoParameters};
use crate::middleware::Around;
use crate::middleware::authenticate::BEARER;
use crate::origin::is_loopback;

/// Headers by which proxies say that they ask for somebody else.
const FORWARDED: [&str; 6] =
    ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via"];

/// The media type of OpenMetrics.
const OPEN_METRICS: &str = "application/openmetrics-text";

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// Who may read metrics.
struct Watcher;

impl FromRequestParts<Arc<App>> for Watcher {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        if is_of_this_machine(parts) {
            return Ok(Self);
        }
        let shown = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token =
            shown.and_then(|text| text.strip_prefix(BEARER)).ok_or(ApiError::NotWatching)?;
        if app.is_metrics_token(token.trim()).await { Ok(Self) } else { Err(ApiError::NotWatching) }
    }
}

/// Whether a program of this machine asks, for itself.
fn is_of_this_machine(parts: &Parts) -> bool {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|connected| connected.0.ip());
    let client = parts.extensions.get::<Around>().map(Around::address);
    let is_local = |address: Option<IpAddr>| {
        address.is_some_and(|address| address.to_canonical().is_loopback())
    };
    let is_forwarded = FORWARDED.iter().any(|name| parts.headers.contains_key(*name));
    is_local(peer) && is_local(client) && !is_forwarded && is_asked_as_this_machine(parts)
}

/// Whether the request names this machine, and not the service as others reach it: a page elsewhere may
/// let its own name lead here, and a proxy pass on the name by which it was asked.
fn is_asked_as_this_machine(parts: &Parts) -> bool {
    let in_header = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = parts.uri.authority().map(Authority::as_str).or(in_header);
    host.and_then(|host| host.parse::<Authority>().ok()).is_some_and(|it| is_loopback(it.host()))
}

/// What the process counts
///
/// As OpenMetrics 1.0 with exemplars for who accepts `application/openmetrics-text`, otherwise in the
/// text format 0.0.4 of Prometheus. For those who ask from this machine, and for others with the secret
/// `metrics.token` of the server as a bearer token; no session and no API key will do.
#[utoipa::path(
    get, path = "/metrics", tag = "health", operation_id = "metrics",
    responses(
        (status = 200, description = "All that is counted.", content(
            (String = "text/plain"),
            (String = "application/openmetrics-text"),
        )),
    )
)]
async fn metrics(
    _: Checked<NoParameters>,
    _: Watcher,
    State(app): State<Arc<App>>,
    around: Around,
    headers: HeaderMap,
) -> Response {
    let format = wanted(&headers);
    let edge = async {
        let (is_ready, checks) = health::readiness(&app, around.role()).await;
        let validity = around.tls().and_then(|tls| tls.validity());
        Edge {
            is_ready,
            checks,
            certificate_not_after: validity.map(|validity| validity.not_after),
        }
    };
    let page = app.metrics(around.rates(), edge, format).await;
    ([(header::CONTENT_TYPE, format.content_type())], page).into_response()
}

/// The format that is asked for: OpenMetrics where it is named, unless something else is liked better.
fn wanted(headers: &HeaderMap) -> Format {
    let lines = headers.get_all(header::ACCEPT).into_iter().filter_map(|line| line.to_str().ok());
    let (mut open_metrics, mut text) = (0.0, 0.0_f32);
    for kind in lines.flat_map(|line| line.split(',')) {
        let mut parts = kind.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse().ok());
        let quality = quality.unwrap_or(1.0_f32);
        if name.eq_ignore_ascii_case(OPEN_METRICS) {
            open_metrics = quality.max(open_metrics);
        } else if ["text/plain", "text/*"].iter().any(|known| name.eq_ignore_ascii_case(known)) {
            text = quality.max(text);
        }
    }
    if open_metrics > 0.0 && open_metrics >= text { Format::OpenMetrics } else { Format::Text }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(accept: &'static str, expected: Format) {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        assert_eq!(wanted(&headers), expected, "{accept}");
    }

    #[test]
    fn open_metrics_are_for_who_likes_them_best() {
        // As Prometheus 2.42 asks.
        check(
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            Format::OpenMetrics,
        );
        check("application/openmetrics-text", Format::OpenMetrics);
        check("text/plain", Format::Text);
        check("text/html,*/*;q=0.8", Format::Text);
        check("application/openmetrics-text;q=0", Format::Text);
        check("application/openmetrics-text;q=0.2,text/plain", Format::Text);
        check("", Format::Text);
    }
}
