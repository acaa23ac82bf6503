//! What the service does when it is asked as an attacker would ask.
//!
//! The very router that serves is put around a scratch directory, with the settings of the operator and
//! a clock that can be moved, and asked: without a session, with too little, from other sites, too
//! often. Each protection is judged by the answers, not by the settings, so that one that is configured
//! and does not work is found too. Nothing is asked of the data, the limits or the audit of the operator.

mod access;
mod limits;
mod sign_in;
mod web;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, Method, header};
use bist_access::{Role, Secret, SecurityCheck, TotpSeed};
use bist_app::App;
use bist_app::access::AccessError;
use bist_app::rate_limits::{Quotas, RateLimits};
use bist_market::Clock;
use bist_market::validate::ValidationPolicy;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::middleware::authenticate::SESSION_COOKIE;
use crate::origin::Origin;
use crate::settings::ServerSettings;

/// The largest answer that is read; longer ones are none of those that are looked at.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The first address that asks: of a network that is set aside for measurements (RFC 2544).
const ADDRESS_FIRST: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);

/// What was seen: that a protection works, or that it does not.
type Found = Result<String, String>;

/// Puts the protections of a service with these settings to the test.
///
/// It works on a scratch database that is made in the empty directory `scratch`, begins at the instant
/// `now`, and takes a few seconds, most of them for hashing passwords.
///
/// # Errors
///
/// [`AccessError`] when the scratch database cannot be made.
pub async fn self_test(
    settings: &ServerSettings,
    scratch: &Path,
    now: Timestamp,
) -> Result<Vec<SecurityCheck>, AccessError> {
    test(&crate::router, settings, scratch, now).await
}

/// The same of the service that `build` makes.
async fn test(
    build: &(dyn Fn(Arc<App>, &ServerSettings) -> Router + Sync),
    settings: &ServerSettings,
    scratch: &Path,
    now: Timestamp,
) -> Result<Vec<SecurityCheck>, AccessError> {
    let probe = Probe::new(build, settings, scratch, now).await?;
    let mut checks = web::checks(&probe, settings).await;
    checks.extend(access::checks(&probe).await);
    checks.extend(sign_in::checks(&probe).await);
    checks.extend(limits::checks(&probe, settings).await);
    drop((probe.wide, probe.limited));
    Ok(checks)
}

/// Quotas that nobody here uses up.
fn unbounded(quotas: Quotas) -> Quotas {
    let many = quotas.default.times(u32::MAX);
    Quotas { ai: many, auth: many, trading: many, default: many, ..quotas }
}

/// A clock that is moved while the service is asked.
#[derive(Debug)]
struct MovedClock(Mutex<Timestamp>);

impl MovedClock {
    fn pass(&self, time: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += time;
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service under test, and who asks it.
struct Probe {
    app: Arc<App>,
    clock: Arc<MovedClock>,
    /// The service as it is, but that one may ask as often as one likes.
    wide: Router,
    /// The service as it is.
    limited: Router,
    /// The name by which it is asked.
    host: String,
    addresses: AtomicU32,
    names: AtomicU32,
}

/// A session as its page has it.
#[derive(Clone, Debug)]
struct Page {
    user_name: String,
    password: String,
    cookie: String,
    csrf_token: String,
}

/// What the service answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    /// The body as JSON; as a text when it is none.
    body: Value,
}

/// A request that is being made up.
struct Asking {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
    address: IpAddr,
}

impl Probe {
    async fn new(
        build: &(dyn Fn(Arc<App>, &ServerSettings) -> Router + Sync),
        settings: &ServerSettings,
        scratch: &Path,
        now: Timestamp,
    ) -> Result<Self, AccessError> {
        let clock = Arc::new(MovedClock(Mutex::new(now)));
        let clock_of_app: Arc<dyn Clock> = Arc::<MovedClock>::clone(&clock);
        let app = App::open(scratch, clock_of_app, ValidationPolicy::default()).await?;
        let app = Arc::new(app);
        let quotas = *settings.limits.quotas();
        let with = |quotas| {
            let limits = Arc::new(RateLimits::new(quotas, app.clock()));
            let settings = ServerSettings { limits, tls: None, ..settings.clone() };
            build(Arc::clone(&app), &settings)
        };
        Ok(Self {
            wide: with(unbounded(quotas)),
            limited: with(quotas),
            host: settings.public_url.as_ref().map_or("localhost", Origin::host).to_owned(),
            app,
            clock,
            addresses: AtomicU32::new(0),
            names: AtomicU32::new(0),
        })
    }

    /// An address from which nobody has asked.
    fn another_address(&self) -> IpAddr {
        let count = self.addresses.fetch_add(1, Ordering::Relaxed);
        Ipv4Addr::from_bits(ADDRESS_FIRST.to_bits() + count).into()
    }

    fn now_s(&self) -> u64 {
        u64::try_from(self.clock.now().as_second()).unwrap_or(0)
    }

    /// A request without a body by nobody, from an address of its own.
    fn asking(&self, method: Method, path: &str) -> Asking {
        let (path, headers, body) = (path.to_owned(), Vec::new(), String::new());
        Asking { method, path, headers, body, address: self.another_address() }
    }

    /// A request that signs in.
    fn signing_in(&self, user_name: &str, password: &str) -> Asking {
        let credentials = json!({"user_name": user_name, "password": password});
        self.asking(Method::POST, "/api/v1/auth/login").document(&credentials)
    }

    /// Asks, as often as one likes.
    async fn ask(&self, asking: Asking) -> Answer {
        self.send(&self.wide, asking).await
    }

    /// Asks within the limits.
    async fn ask_limited(&self, asking: Asking) -> Answer {
        self.send(&self.limited, asking).await
    }

    async fn send(&self, router: &Router, asking: Asking) -> Answer {
        let Asking { method, path, headers, body, address } = asking;
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header(header::HOST, &self.host);
        }
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        let Ok(mut request) = request.body(Body::from(body)) else {
            return Answer::none("this cannot be asked");
        };
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((address, 40_000))));
        let Ok(response) = router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let Ok(bytes) = to_bytes(body, ANSWER_BYTES_MAX).await else {
            return Answer::none("the answer cannot be read");
        };
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Makes an account, and signs its owner in.
    async fn account(&self, role: Role) -> Result<Page, String> {
        let name = format!("user{}", self.names.fetch_add(1, Ordering::Relaxed));
        let invited = self.app.invite(&name, role).await.map_err(|error| error.to_string())?;
        // Nobody guesses what opened a link once.
        let password = format!("{}-tested", &invited.token.expose()[..24]);
        let document = json!({"token": invited.token.expose(), "password": password});
        let asking = self.asking(Method::POST, "/api/v1/auth/invitation").document(&document);
        self.ask(asking).await.page(&name, &password)
    }

    /// The page of an administrator who has a second factor and has just given its code, and the seed.
    async fn administrator(&self) -> Result<(Page, TotpSeed), String> {
        let page = self.account(Role::Admin).await?;
        let asking = self.asking(Method::POST, "/api/v1/auth/2fa/setup").of(&page);
        let answer = self.ask(asking).await;
        let seed = Secret::new(answer.body["secret"].as_str().unwrap_or_default());
        let seed = TotpSeed::from_base32(&seed)
            .map_err(|_| format!("setting up a second factor answered {}", answer.status))?;
        let asking = self.asking(Method::POST, "/api/v1/auth/2fa/confirm").of(&page);
        let answer = self.ask(asking.code(&seed.code_at(self.now_s()))).await;
        let cookie = answer.cookie().ok_or_else(|| {
            format!("confirming a second factor answered {} without a session", answer.status)
        })?;
        let page = Page { cookie, ..page };
        let session = self.ask(self.asking(Method::GET, "/api/v1/auth/session").of(&page)).await;
        let csrf_token = session.body["csrf_token"].as_str().unwrap_or_default().to_owned();
        Ok((Page { csrf_token, ..page }, seed))
    }
}

impl Asking {
    /// The same with one more header.
    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same with a document.
    fn document(self, document: &Value) -> Self {
        let this = self.header("content-type", "application/json");
        Self { body: document.to_string(), ..this }
    }

    /// The same with the code of an authenticator.
    fn code(self, code: &Secret) -> Self {
        self.document(&json!({"code": code.expose()}))
    }

    /// The same from the page of a session.
    fn of(self, page: &Page) -> Self {
        self.header("cookie", &page.cookie).header("x-csrf-token", &page.csrf_token)
    }

    /// The same from this address.
    fn from(self, address: IpAddr) -> Self {
        Self { address, ..self }
    }
}

impl Answer {
    /// Something went wrong before there was an answer.
    fn none(what: &str) -> Self {
        Self { status: 0, headers: HeaderMap::new(), body: Value::String(what.to_owned()) }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The whole line that sets the cookie of the session.
    fn cookie_line(&self) -> Option<&str> {
        self.header("set-cookie").filter(|line| line.starts_with(SESSION_COOKIE))
    }

    /// What a page sends after that.
    fn cookie(&self) -> Option<String> {
        Some(self.cookie_line()?.split(';').next()?.to_owned())
    }

    /// The page of the session that the answer begins.
    fn page(&self, user_name: &str, password: &str) -> Result<Page, String> {
        let cookie = self.cookie();
        let csrf_token = self.body["csrf_token"].as_str();
        match (cookie, csrf_token) {
            (Some(cookie), Some(csrf_token)) => Ok(Page {
                user_name: user_name.to_owned(),
                password: password.to_owned(),
                cookie,
                csrf_token: csrf_token.to_owned(),
            }),
            _ => Err(format!("signing in answered {} without a session", self.status)),
        }
    }

    /// The code of a problem, or the bare status.
    fn what(&self) -> String {
        match self.body["code"].as_str() {
            Some(code) => format!("{} {code}", self.status),
            None => self.status.to_string(),
        }
    }
}

/// What must all be so: how many there were, or those that were not.
struct All {
    what: &'static str,
    count: usize,
    wrong: Vec<String>,
}

impl All {
    /// Nothing yet of `what`.
    fn of(what: &'static str) -> Self {
        Self { what, count: 0, wrong: Vec::new() }
    }

    /// Takes one in; `wrong` describes it in case it is not as it must be.
    fn take(&mut self, is_right: bool, wrong: impl FnOnce() -> String) {
        self.count += 1;
        if !is_right {
            self.wrong.push(wrong());
        }
    }

    /// That all were right, of which there must be some, or the first few that were wrong.
    fn found(self) -> Found {
        let Self { what, count, wrong } = self;
        if wrong.is_empty() && count > 0 {
            return Ok(format!("{count} of {count} {what}"));
        }
        let mut text = format!("{} of {count} {what}", count - wrong.len());
        for (n, one) in wrong.iter().take(3).enumerate() {
            let before = if n == 0 { "; not" } else { "," };
            write!(text, "{before} {one}").ok();
        }
        if wrong.len() > 3 {
            write!(text, " and {} more", wrong.len() - 3).ok();
        }
        Err(text)
    }
}

#[cfg(test)]
mod tests;
