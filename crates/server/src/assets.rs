//! The web app, embedded in the binary.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};

use crate::error::ApiError;

/// The files of the web build.
#[derive(Embed)]
#[folder = "../../web/dist"]
struct WebApp;

/// The page of the web app; every address of the app is answered with it.
const INDEX: &str = "index.html";

/// What stands in for the web app in a binary that was built without it.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <title>BIST AI Smart Trader</title></head><body><h1>The web app is not in this binary</h1>\
    <p>Build it with <code>make web</code>, then build bist again. The API is served all the same: \
    <a href=\"/api/openapi.json\">/api/openapi.json</a>.</p></body></html>\n";

/// Files that name their content in their file name; such a file never changes.
const IMMUTABLE_FOLDER: &str = "assets/";

/// Paths that are not pages of the web app.
const NOT_PAGES: [&str; 4] = ["api", "health", "metrics", "assets"];

/// Whether the binary has the web app.
pub(crate) fn built() -> bool {
    has(INDEX)
}

/// Whether the web app has a file of this name.
pub(crate) fn has(name: &str) -> bool {
    WebApp::get(name).is_some()
}

/// Answers a request for a file or a page of the web app.
pub(crate) async fn answer(request: Request) -> Response {
    answer_from::<WebApp>(request.method(), request.uri().path(), request.headers())
}

fn answer_from<Files: Embed>(method: &Method, path: &str, headers: &HeaderMap) -> Response {
    let name = path.trim_start_matches('/');
    let name = if name.is_empty() { INDEX } else { name };
    let name = match Files::get(name).filter(|_| is_public(name)) {
        Some(_) => name,
        None if is_page(name, headers) => INDEX,
        None => return ApiError::NotFound.into_response(),
    };
    if !matches!(*method, Method::GET | Method::HEAD) {
        let allow = [(header::ALLOW, HeaderValue::from_static("GET,HEAD"))];
        return (allow, ApiError::MethodNotAllowed).into_response();
    }
    if Files::get(INDEX).is_none() {
        let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        return (StatusCode::SERVICE_UNAVAILABLE, html, NOT_BUILT).into_response();
    }
    file::<Files>(name, headers)
}

/// Whether a file may be asked for by its own name: not the build's notes, and not the compressed
/// variants, which are chosen by `accept-encoding`.
fn is_public(name: &str) -> bool {
    !name.split('/').any(|part| part.starts_with('.'))
        && !VARIANTS.iter().any(|(_, suffix)| name.ends_with(suffix))
}

/// Whether `name`, which is no file, is a page of the web app that a browser wants to show.
fn is_page(name: &str, headers: &HeaderMap) -> bool {
    let first = name.split('/').next().unwrap_or_default();
    let wants_html = listed(headers, &header::ACCEPT).any(|(kind, _)| kind == "text/html");
    name == INDEX || (wants_html && !NOT_PAGES.contains(&first))
}

/// The file `name`, in the smallest encoding that the caller takes and the build has.
fn file<Files: Embed>(name: &str, headers: &HeaderMap) -> Response {
    let variants: Vec<(&str, EmbeddedFile)> = VARIANTS
        .iter()
        .filter_map(|(encoding, suffix)| Some((*encoding, Files::get(&format!("{name}{suffix}"))?)))
        .collect();
    let mut answer = HeaderMap::new();
    if !variants.is_empty() {
        answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    let chosen = variants.into_iter().find(|(encoding, _)| takes(headers, encoding));
    let file = match chosen {
        Some((encoding, file)) => {
            answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            file
        }
        None => match Files::get(name) {
            Some(file) => file,
            None => return ApiError::NotFound.into_response(),
        },
    };
    let caching = if name.starts_with(IMMUTABLE_FOLDER) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    let hash: String =
        file.metadata.sha256_hash().iter().map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{hash}\"");
    let known = is_known(headers, &hash);
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        answer.insert(header::ETAG, etag);
    }
    if known {
        answer.remove(header::CONTENT_ENCODING);
        return (StatusCode::NOT_MODIFIED, answer).into_response();
    }
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    (answer, Body::from(file.data)).into_response()
}

/// Whether the caller has what bears `tag` already.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let is_it = |known: &str| {
        let quoted = known.strip_prefix("W/").unwrap_or(known);
        quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(tag)
    };
    listed(headers, &header::IF_NONE_MATCH).any(|(known, _)| known == "*" || is_it(known))
}

/// Encodings that the build may have beside a file, the smallest first, with their suffix.
const VARIANTS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Whether the caller takes an encoding: it is listed, and not with the weight zero.
fn takes(headers: &HeaderMap, encoding: &str) -> bool {
    listed(headers, &header::ACCEPT_ENCODING).any(|(name, parameters)| {
        let refused = parameters
            .split(';')
            .filter_map(|parameter| parameter.trim().strip_prefix("q="))
            .any(|weight| weight.trim().parse().is_ok_and(|weight: f32| weight <= 0.0));
        name.eq_ignore_ascii_case(encoding) && !refused
    })
}

/// The entries of a header that is a list, each with its parameters.
fn listed<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|entry| entry.split_once(';').unwrap_or((entry, "")))
        .map(|(entry, parameters)| (entry.trim(), parameters))
}

/// The media type of a file, by its name.
fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml; charset=utf-8",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use axum::http::request;
    use http_body_util::BodyExt;

    use super::*;

    /// A small web build.
    #[derive(Embed)]
    #[folder = "tests/web"]
    struct Built;

    /// A folder without a web build.
    #[derive(Embed)]
    #[folder = "tests/web/assets"]
    struct NotBuilt;

    const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

    async fn ask<Files: Embed>(path: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, String) {
        let mut request = request::Builder::new();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).unwrap();
        let response = answer_from::<Files>(&Method::GET, path, request.headers());
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), parts.headers, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn a_page_of_the_app_is_its_index_for_those_who_want_html() {
        for path in ["/", "/index.html", "/s/THYAO", "/models/gbdt-1"] {
            let (status, headers, body) = ask::<Built>(path, &[HTML]).await;
            assert_eq!(
                (status, body.trim_end()),
                (200, "<!doctype html><title>t</title>"),
                "{path}"
            );
            assert_eq!(headers["content-type"], "text/html; charset=utf-8");
            assert_eq!(headers["cache-control"], "no-cache");
        }
        assert_eq!(ask::<Built>("/", &[]).await.0, 200);
        assert_eq!(ask::<Built>("/s/THYAO", &[("accept", "*/*")]).await.0, 404);
    }

    #[tokio::test]
    async fn what_is_not_a_page_is_not_answered_with_one() {
        for path in ["/api/v1/nothing", "/api", "/health/nothing", "/metrics", "/assets/gone-1.js"]
        {
            assert_eq!(ask::<Built>(path, &[HTML]).await.0, 404, "{path}");
        }
        assert_eq!(ask::<Built>("/apiary", &[HTML]).await.0, 200);
    }

    #[tokio::test]
    async fn files_with_their_hash_in_the_name_are_kept_for_ever() {
        let (status, headers, body) = ask::<Built>("/assets/app-1a2b.js", &[]).await;
        assert_eq!((status, body.trim_end()), (200, "console.log('plain');"));
        assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
        assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(headers["vary"], "accept-encoding");
        assert!(!headers.contains_key("content-encoding"));
    }

    #[tokio::test]
    async fn the_smallest_encoding_that_the_caller_takes_is_sent() {
        let check = async |accepted: &str, encoding: Option<&str>, body: &str| {
            let (status, headers, sent) =
                ask::<Built>("/assets/app-1a2b.js", &[("accept-encoding", accepted)]).await;
            let got = headers.get("content-encoding").map(|value| value.to_str().unwrap());
            assert_eq!((status, got, sent.trim_end()), (200, encoding, body), "{accepted}");
            assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
        };
        check("gzip, deflate, br, zstd", Some("br"), "stands for brotli").await;
        check("gzip, br;q=0", Some("gzip"), "stands for gzip").await;
        check("GZIP", Some("gzip"), "stands for gzip").await;
        check("identity", None, "console.log('plain');").await;
    }

    #[tokio::test]
    async fn a_file_that_the_caller_has_is_not_sent_again() {
        let (_, headers, _) = ask::<Built>("/assets/app-1a2b.js", &[]).await;
        let etag = headers["etag"].to_str().unwrap().to_owned();
        assert_eq!(etag.len(), 66, "a SHA-256 in quotes: {etag}");
        for known in [etag.clone(), format!("\"other\", W/{etag}"), "*".to_owned()] {
            let (status, headers, body) =
                ask::<Built>("/assets/app-1a2b.js", &[("if-none-match", &known)]).await;
            assert_eq!((status, body.as_str()), (304, ""), "{known}");
            assert_eq!(headers["etag"], etag);
        }
        let brotli = [("if-none-match", etag.as_str()), ("accept-encoding", "br")];
        assert_eq!(ask::<Built>("/assets/app-1a2b.js", &brotli).await.0, 200);
    }

    #[tokio::test]
    async fn notes_of_the_build_and_raw_variants_are_not_served() {
        for path in
            ["/.vite/manifest.json", "/assets/app-1a2b.js.br", "/../Cargo.toml", "//etc/passwd"]
        {
            assert_eq!(ask::<Built>(path, &[]).await.0, 404, "{path}");
        }
    }

    #[test]
    fn the_web_app_is_only_read() {
        let check = |path, status| {
            let response = answer_from::<Built>(&Method::POST, path, &HeaderMap::new());
            assert_eq!(response.status(), status);
        };
        check("/", StatusCode::METHOD_NOT_ALLOWED);
        check("/nothing", StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn without_the_web_build_the_root_says_how_to_make_it() {
        let (status, headers, body) = ask::<NotBuilt>("/", &[]).await;
        assert_eq!((status, body.contains("make web")), (503, true));
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(ask::<NotBuilt>("/api/v1/nothing", &[HTML]).await.0, 404);
    }
}
