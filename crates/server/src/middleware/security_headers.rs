//! Headers that keep a browser from doing more with an answer than is meant.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Set on every answer. Looked at for what may not stand in a header when this is compiled, and not for
/// each answer.
const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
             font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// Headers that an answer has in the end, about.
pub(crate) const HEADERS_ABOUT: usize = 16;

/// Whether browsers are told to come over TLS only, and always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// The address under which people reach the service is one of https.
    Tls,
    /// There is no such address.
    Any,
}

/// Two years, for all names below as well.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Sets the headers; an answer that says nothing about caching is not to be kept.
pub(super) fn add(transport: Transport, headers: &mut HeaderMap) {
    headers.reserve(HEADERS_ABOUT.saturating_sub(headers.len()));
    for (name, value) in HEADERS {
        headers.insert(name, value);
    }
    if transport == Transport::Tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
}
