//! Whoever asks too often waits.
//!
//! Twice: [`by_address`] before anything is looked up, so that guessing passwords or keys and flooding
//! cost an attacker and not the server, and [`by_caller`] once it is known who asks. A caller has the
//! quota of the class of the path; an address has a multiple of it for all callers behind it, and of
//! the class `auth` just as much, because there nobody is known yet. Whoever shows no account or key is
//! counted by their address. Paths outside of `/api/`, the checks of health and `OPTIONS` are free.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bist_app::rate_limits::RateLimits;
use bist_app::{Class, Decision, Quota};

use super::real_ip::ClientAddress;
use crate::error::ApiError;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The paths that are not in the class `default`, as they are registered, with all below them.
const CLASSES: [(&str, Class); 7] = [
    ("/api/v1/auth/invitation", Class::Auth),
    ("/api/v1/auth/login", Class::Auth),
    ("/api/v1/explanations", Class::Ai),
    ("/api/v1/forecasts", Class::Ai),
    ("/api/v1/orders", Class::Trading),
    ("/api/v1/portfolios", Class::Trading),
    ("/api/v1/signals", Class::Ai),
];

/// As whom a caller is counted, such as `account:u0123456789abcdef`; put into the extensions of a
/// request by whoever finds out who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LimitedAs(pub(crate) Arc<str>);

/// Counts a request of `class` among those of its address. What is returned, the answer tells.
pub(super) async fn by_address(
    limits: &RateLimits,
    class: Class,
    ClientAddress(address): ClientAddress,
) -> Result<Option<Spent>, ApiError> {
    let decision = limits.check_address(class, address).await;
    if decision.allowed && class != Class::Auth {
        // How much is left, the caller is told of their own quota.
        return Ok(None);
    }
    let policy: Cow<'static, str> = match class {
        Class::Auth => class.as_str().into(),
        Class::Ai | Class::Trading | Class::Default => format!("{class}-address").into(),
    };
    let spent = Spent { policy, quota: limits.quotas().of_address(class), decision };
    if spent.decision.allowed { Ok(Some(spent)) } else { Err(ApiError::RateLimited(spent)) }
}

/// Counts the request among those of its caller.
pub(super) async fn by_caller(
    State(limits): State<Arc<RateLimits>>,
    request: Request,
    next: Next,
) -> Response {
    // Who signs in was counted before.
    let class = class_of(&request).filter(|class| *class != Class::Auth);
    let Some(class) = class else { return next.run(request).await };
    let decision = match request.extensions().get::<LimitedAs>() {
        Some(LimitedAs(caller)) => limits.check(class, caller).await,
        None => limits.check_stranger(class, address_of(&request)).await,
    };
    let (policy, quota) = (class.as_str().into(), limits.quotas().of(class));
    let spent = Spent { policy, quota, decision };
    if !spent.decision.allowed {
        return ApiError::RateLimited(spent).into_response();
    }
    spent.told_with(next.run(request).await)
}

/// A request that was counted, and what is left of its quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spent {
    /// The name of the quota.
    pub(crate) policy: Cow<'static, str>,
    /// The quota.
    pub(crate) quota: Quota,
    /// What was decided.
    pub(crate) decision: Decision,
}

/// The class whose quota refused a request; in the extensions of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LimitClass(pub(crate) Class);

impl Spent {
    /// The class whose quota it is, of callers or of addresses.
    pub(crate) fn class(&self) -> Option<LimitClass> {
        let name = self.policy.strip_suffix("-address").unwrap_or(&self.policy);
        Class::ALL.into_iter().find(|class| class.as_str() == name).map(LimitClass)
    }

    /// The answer with what is left.
    pub(super) fn told_with(self, mut response: Response) -> Response {
        // A handler that has counted by itself, such as one that checks codes, has the last word.
        if !response.headers().contains_key(LIMIT) {
            self.tell(response.headers_mut());
        }
        response
    }

    /// Says how much may be asked, and how much is left, by draft-ietf-httpapi-ratelimit-headers-11:
    /// `q` requests in `w` seconds; `r` of them could come at once, and no more within `t` seconds.
    /// Whoever is refused is told to wait as long.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let Self { policy, quota, decision } = self;
        let (q, w) = (quota.requests(), quota.period_s());
        let (r, t) = (decision.remaining, self.wait_s());
        let told = [
            (POLICY, format!("\"{policy}\";q={q};w={w}")),
            (LIMIT, format!("\"{policy}\";r={r};t={t}")),
        ];
        for (name, value) in told {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        if !decision.allowed {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(t));
        }
    }

    /// Whole seconds after which there is more for certain.
    pub(crate) fn wait_s(&self) -> u64 {
        self.decision.next_after_us.div_ceil(1_000_000).max(1)
    }
}

/// What kind of request this is; `None` when it is not counted.
pub(super) fn class_of(request: &Request) -> Option<Class> {
    if request.method() == Method::OPTIONS || !request.uri().path().starts_with("/api/") {
        return None;
    }
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let is_below = |prefix: &str| {
        route.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let class = CLASSES.iter().find(|(prefix, _)| is_below(prefix)).map(|(_, class)| *class);
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    match class {
        // To look at orders is nothing special.
        Some(Class::Trading) if reads => Some(Class::Default),
        Some(class) => Some(class),
        None => Some(Class::Default),
    }
}

/// The address of who asks; where it is not known, all are one.
fn address_of(request: &Request) -> IpAddr {
    let address = request.extensions().get::<ClientAddress>();
    address.map_or(Ipv4Addr::UNSPECIFIED.into(), |address| address.0)
}

#[cfg(test)]
mod tests;
