//! Whoever asks too often waits.
//!
//! Twice: [`by_address`] before anything is looked up, so that guessing passwords or keys and flooding
//! cost an attacker and not the server, and [`by_caller`] once it is known who asks. A caller has the
//! quota of the class of the path; an address has a multiple of it for all callers behind it, and of
//! the class `auth` just as much, because there nobody is known yet. Whoever shows no account or key is
//! counted by their address. Paths outside of `/api/`, the checks of health and `OPTIONS` are free.

use std::borrow::Cow;
use std::net::IpAddr;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::response::Response;
use bist_app::rate_limits::RateLimits;
use bist_app::{Class, Decision, Quota};

use crate::error::ApiError;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The classes of paths as they are registered, with all below them; of two that fit, the first. All
/// others are in the class `default`.
const CLASSES: [(&str, Class); 8] = [
    ("/api/v1/auth/invitation", Class::Auth),
    ("/api/v1/auth/login", Class::Auth),
    ("/api/v1/explanations", Class::Ai),
    ("/api/v1/forecasts", Class::Ai),
    // What is asked again while a ticket is filled in, and changes nothing.
    ("/api/v1/orders/preview", Class::Default),
    ("/api/v1/orders", Class::Trading),
    ("/api/v1/portfolios", Class::Trading),
    ("/api/v1/signals", Class::Ai),
];

/// Counts a request of `class` among those of its address. What is returned, the answer tells.
pub(super) async fn by_address(
    limits: &RateLimits,
    class: Class,
    address: IpAddr,
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

/// Counts a request of `class` among those of its caller, such as `account:u0123456789abcdef`, or of the
/// address of a stranger. What is returned, the answer tells.
pub(super) async fn by_caller(
    limits: &RateLimits,
    class: Option<Class>,
    caller: Option<&str>,
    address: IpAddr,
) -> Result<Option<Spent>, ApiError> {
    // Who signs in was counted before.
    let Some(class) = class.filter(|class| *class != Class::Auth) else { return Ok(None) };
    let decision = match caller {
        Some(caller) => limits.check(class, caller).await,
        None => limits.check_stranger(class, address).await,
    };
    let (policy, quota) = (class.as_str().into(), limits.quotas().of(class));
    let spent = Spent { policy, quota, decision };
    if spent.decision.allowed { Ok(Some(spent)) } else { Err(ApiError::RateLimited(spent)) }
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
            (POLICY, item(policy, (";q=", q.into()), (";w=", w))),
            (LIMIT, item(policy, (";r=", r.into()), (";t=", t))),
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

/// What is told of `policy`, without the machinery of formats: every answer tells it twice.
fn item(policy: &str, first: (&str, u64), second: (&str, u64)) -> String {
    let mut digits = [itoa::Buffer::new(), itoa::Buffer::new()];
    let [one, two] = &mut digits;
    ["\"", policy, "\"", first.0, one.format(first.1), second.0, two.format(second.1)].concat()
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

#[cfg(test)]
mod tests;
