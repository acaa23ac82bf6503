//! Who asks, and whether they may: by the cookie of a session or by an API key, and the access table.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::extract::{MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bist_access::{Actor, ApiKey, Role, Session, Stage};
use bist_app::App;
use bist_app::access::{Caller, Means};
use cookie::Cookie;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::access_table::{Needs, needs};
use crate::error::ApiError;

/// The cookie of a session. Its prefix makes browsers refuse it from anything but an encrypted page of
/// this very host (RFC 6265bis, section 4.1.3.2); those count a page of this machine as encrypted.
pub(crate) const SESSION_COOKIE: &str = "__Host-bist-session";

/// The header in which a page shows that it is one of ours.
const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");

/// The header that tells a program when its key ends (RFC 8594).
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// What an API key stands behind in the header `authorization`.
pub(crate) const BEARER: &str = "Bearer ";

/// Lets `answer` answer who may ask, whose [`Caller`] is in the extensions of the request then. It is told
/// as whom they are counted; nobody where it is for everybody. Who is known is `asked_by`, let in or not.
pub(super) async fn authorise(
    app: &App,
    address: IpAddr,
    asked_by: &OnceLock<Actor>,
    request: Request,
    answer: impl AsyncFnOnce(Request, Option<String>) -> Response,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let now = app.now();
    let caller = match caller(app, &parts, address, asked_by, now).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return answer(Request::from_parts(parts, body), None).await,
        Err(error) => return error.into_response(),
    };
    // A key has a count of its own, so that programs do not take what its owner may ask.
    let counted_as = match &caller.means {
        Means::Session(_) => ["account:", caller.account.id.as_str()].concat(),
        Means::Key(key) => ["key:", key.id.as_str()].concat(),
    };
    let sunset = sunset(&caller, now);
    parts.extensions.insert(caller);
    let mut response = answer(Request::from_parts(parts, body), Some(counted_as)).await;
    if let Some(sunset) = sunset {
        response.headers_mut().insert(SUNSET, sunset);
    }
    response
}

/// When nothing answers any more to whoever goes on asking with a key that ends soon.
fn sunset(caller: &Caller, now: Timestamp) -> Option<HeaderValue> {
    let key = require_key(caller).ok().filter(|key| key.ends_soon(now))?;
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&key.expires_at).ok()?;
    HeaderValue::from_str(&date).ok()
}

/// Who asks; `None` when it is for everybody.
async fn caller(
    app: &App,
    parts: &Parts,
    address: IpAddr,
    asked_by: &OnceLock<Actor>,
    now: Timestamp,
) -> Result<Option<Caller>, ApiError> {
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let Some(needs) = needs(&parts.method, path) else {
        // A method that the path does not take is refused by the router in its own words.
        return Ok(None);
    };
    if matches!(needs, Needs::Nothing | Needs::Watcher) {
        return Ok(None);
    }
    let caller = identified(app, parts, address, now).await?.ok_or(ApiError::NotSignedIn)?;
    asked_by.get_or_init(|| caller.actor());
    require_allowed(app, &caller, needs, parts, now).await?;
    Ok(Some(caller))
}

/// Refuses what a page elsewhere asks for, and what the caller may not do.
async fn require_allowed(
    app: &App,
    caller: &Caller,
    needs: Needs,
    parts: &Parts,
    now: Timestamp,
) -> Result<(), ApiError> {
    if let Means::Session(session) = &caller.means
        && !parts.method.is_safe()
    {
        require_own_page(app, session, &parts.headers).await?;
    }
    check(caller, needs, now)
}

/// Who shows a key or a session that is in force.
async fn identified(
    app: &App,
    parts: &Parts,
    address: IpAddr,
    now: Timestamp,
) -> Result<Option<Caller>, ApiError> {
    let headers = &parts.headers;
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let Some(key) = text.strip_prefix(BEARER) else { return Err(ApiError::NotSignedIn) };
        return Ok(app.caller_with_key(key.trim(), Some(address), now).await?);
    }
    match session_token(headers) {
        Some(token) => Ok(app.caller_with_session(&token, now).await?),
        None => Ok(None),
    }
}

/// What the cookie of the session holds.
pub(crate) fn session_token(headers: &HeaderMap) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).into_iter().filter_map(|text| text.to_str().ok());
    let mut cookies = texts.flat_map(Cookie::split_parse).filter_map(Result::ok);
    cookies.find(|cookie| cookie.name() == SESSION_COOKIE).map(|cookie| cookie.value().to_owned())
}

/// Refuses a change that no page of this session asks for: a page elsewhere cannot know its token.
async fn require_own_page(
    app: &App,
    session: &Session,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    let token = headers.get(CSRF_HEADER).and_then(|token| token.to_str().ok()).unwrap_or_default();
    if app.is_csrf_token(session, token).await? { Ok(()) } else { Err(ApiError::CsrfToken) }
}

/// Refuses a caller who may not do what needs `needs`.
pub(crate) fn check(caller: &Caller, needs: Needs, now: Timestamp) -> Result<(), ApiError> {
    match needs {
        Needs::Nothing => Ok(()),
        // That somebody has signed in, or has a key, does not matter.
        Needs::Watcher => Err(ApiError::NotWatching),
        Needs::Session => require_session(caller).map(drop),
        Needs::Person => {
            require_session(caller)?;
            require_code(caller)
        }
        Needs::Role(role) => require_role(caller, role),
        Needs::Key => {
            require_code(caller)?;
            require_key(caller).map(drop)
        }
        Needs::FreshCode(role) => {
            let session = require_session(caller)?;
            require_role(caller, role)?;
            if !caller.account.has_second_factor() {
                Err(ApiError::EnrolmentRequired)
            } else if !session.is_stepped_up(now) {
                Err(ApiError::StepUpRequired)
            } else {
                Ok(())
            }
        }
    }
}

/// Refuses a caller who may not do what is for `role`.
pub(crate) fn require_role(caller: &Caller, role: Role) -> Result<(), ApiError> {
    require_code(caller)?;
    if !caller.may(role) {
        return Err(ApiError::Forbidden(role));
    }
    // Also of a key: what is for administrators stays shut until its owner has a second factor.
    if role == Role::Admin && !caller.account.has_second_factor() {
        return Err(ApiError::EnrolmentRequired);
    }
    Ok(())
}

/// Refuses a caller who owes the code.
fn require_code(caller: &Caller) -> Result<(), ApiError> {
    match caller.stage() {
        Stage::SecondFactor => Err(ApiError::SecondFactorRequired),
        Stage::Enrolment | Stage::Full => Ok(()),
    }
}

/// The session of `caller`; a key has none.
pub(crate) fn require_session(caller: &Caller) -> Result<&Arc<Session>, ApiError> {
    match &caller.means {
        Means::Session(session) => Ok(session),
        Means::Key(_) => Err(ApiError::NotForKeys),
    }
}

/// The key of `caller`; who has signed in has none.
pub(crate) fn require_key(caller: &Caller) -> Result<&ApiKey, ApiError> {
    match &caller.means {
        Means::Session(_) => Err(ApiError::KeyNeeded),
        Means::Key(key) => Ok(key),
    }
}
