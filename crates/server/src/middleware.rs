//! What every request passes through.
//!
//! [`pass`] is the way in and out, in the order in which it is written there: a layer for each step would
//! be copied with all within it at every other one, for each request.

pub(crate) mod authenticate;
pub(crate) mod cross_site;
mod host;
mod log;
mod options;
mod panic;
mod problem;
pub(crate) mod rate_limit;
pub(crate) mod real_ip;
pub(crate) mod request_id;
pub(crate) mod security_headers;
mod shed;

use std::future::poll_fn;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use bist_access::Actor;
use bist_app::rate_limits::RateLimits;
use bist_app::telemetry::{Telemetry, traces};
use bist_app::{App, Class, ProcessRole};
use futures_util::FutureExt as _;
use http_body_util::Limited;
use ipnet::IpNet;
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use crate::error::ApiError;
use crate::origin::Origin;
use crate::routes::live::Seats;
use crate::settings::ServerSettings;
use crate::tls::Tls;
use cross_site::OwnPages;
use request_id::RequestId;
use security_headers::Transport;

/// How much a request may ask of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Largest body of a request.
    pub(crate) body_size_bytes_max: usize,
    /// How long making an answer may take.
    pub(crate) answer_time_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_size_bytes_max: 64 * 1024, answer_time_max: Duration::from_secs(30) }
    }
}

/// What [`pass`] goes by.
#[derive(Debug)]
struct Way {
    limits: Limits,
    transport: Transport,
    /// What those are asked who may be anybody; nothing at the doors of health, where nothing else is
    /// answered.
    door: Option<Door>,
    role: ProcessRole,
    own: OwnPages,
    rates: Arc<RateLimits>,
    body_time_max: Duration,
    seats: Seats,
    telemetry: Arc<Telemetry>,
    trusted_proxies: Vec<IpNet>,
    /// The certificate, where TLS ends here.
    tls: Option<Tls>,
}

/// What is asked of people and programs.
#[derive(Debug)]
struct Door {
    places: Semaphore,
    public_url: Option<Origin>,
    /// Origins whose pages may read answers.
    listed: Vec<Origin>,
    /// What knows who may ask; without it, as in tests of the way itself, everybody may, and only
    /// addresses are counted.
    app: Option<Arc<App>>,
}

/// What handlers know of a request, and of the server that they answer for; in the extensions of every
/// request.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    way: Arc<Way>,
    id: RequestId,
    address: IpAddr,
}

impl Around {
    /// The name of the request.
    pub(crate) fn id(&self) -> &RequestId {
        &self.id
    }

    /// The address of who asks.
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// What the process does.
    pub(crate) fn role(&self) -> ProcessRole {
        self.way.role
    }

    /// Whose pages may change something.
    pub(crate) fn own_pages(&self) -> &OwnPages {
        &self.way.own
    }

    /// What counts attempts.
    pub(crate) fn rates(&self) -> &RateLimits {
        &self.way.rates
    }

    /// How long a body may take to come.
    pub(crate) fn body_time_max(&self) -> Duration {
        self.way.body_time_max
    }

    /// The certificate, where TLS ends here.
    pub(crate) fn tls(&self) -> Option<&Tls> {
        self.way.tls.as_ref()
    }

    /// The seats of those who listen.
    pub(crate) fn seats(&self) -> &Seats {
        &self.way.seats
    }
}

impl<S: Sync> FromRequestParts<S> for Around {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let around = parts.extensions.get::<Self>().cloned();
        around.ok_or_else(|| ApiError::Internal("the request came by no way in".to_owned()))
    }
}

/// Puts around the doors of health what they need where nothing else is answered. Whoever watches
/// processes asks by their address, so that no host is another one's.
pub(crate) fn wrap_health(
    router: Router,
    settings: &ServerSettings,
    limits: Limits,
    telemetry: Arc<Telemetry>,
) -> Router {
    router.layer(from_fn_with_state(Arc::new(Way::of(settings, limits, None, telemetry)), pass))
}

/// Puts the way in and out around all routes and fallbacks of `router`; `app` knows who may ask.
pub(crate) fn wrap(
    router: Router,
    app: Option<Arc<App>>,
    settings: &ServerSettings,
    limits: Limits,
    telemetry: Arc<Telemetry>,
) -> Router {
    let door = Door {
        places: Semaphore::new(settings.connections.requests_max),
        public_url: settings.public_url.clone(),
        listed: settings.cors_origins.clone(),
        app,
    };
    let way = Way::of(settings, limits, Some(door), telemetry);
    router.layer(from_fn_with_state(Arc::new(way), pass))
}

/// The way of a request in, and of its answer out. On the heap at once: a future of some kilobytes would
/// be moved by what awaits it, for each request; the futures within stay where they are made, too.
fn pass(
    State(way): State<Arc<Way>>,
    request: Request,
    next: Next,
) -> Pin<Box<dyn Future<Output = Response> + Send>> {
    Box::pin(pass_through(way, request, next))
}

async fn pass_through(way: Arc<Way>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let address = real_ip::find(&way.trusted_proxies, &request);
    request.extensions_mut().insert(Around { way: Arc::clone(&way), id: id.clone(), address });
    let _under_way = way.telemetry.metrics().under_way();
    let record = log::Record::begin(&request);
    let shared = way.door.as_ref().map(|door| options::Shared::with(&door.listed, &request));
    let asked_by = OnceLock::new();
    let traced = record.span(&id);
    let mut response = {
        let answering = pin!(async {
            let answering = pin!(way.answer(request, address, &asked_by, next));
            let made = match AssertUnwindSafe(answering).catch_unwind().await {
                Ok(made) => made.unwrap_or_else(ApiError::into_response),
                Err(payload) => panic::answer(&*payload),
            };
            problem::described(made, &id)
        });
        record.trail(&id).around(answering).instrument(traced.clone()).await
    };
    if let Some(shared) = shared {
        shared.tell(response.headers_mut());
    }
    security_headers::add(way.transport, response.headers_mut());
    traces::note_status(&traced, response.status().as_u16());
    record.end(&response, asked_by.into_inner(), &id, &way.telemetry);
    id.tell(response.headers_mut());
    response
}

impl Way {
    fn of(
        settings: &ServerSettings,
        limits: Limits,
        door: Option<Door>,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        let public_url = &settings.public_url;
        let is_https = door.is_some() && public_url.as_ref().is_some_and(Origin::is_https);
        Self {
            limits,
            transport: if is_https { Transport::Tls } else { Transport::Any },
            door,
            role: settings.role,
            own: OwnPages {
                public_url: public_url.clone(),
                listed: settings.cors_origins.clone(),
                scheme: if settings.tls.is_some() { "https" } else { "http" },
            },
            rates: Arc::clone(&settings.limits),
            body_time_max: settings.connections.body_time_max,
            seats: Seats::new(settings.live),
            telemetry,
            trusted_proxies: settings.trusted_proxies.clone(),
            tls: settings.tls.clone(),
        }
    }

    /// What is answered to who may be let in. What addresses ask is counted before anybody is looked up.
    async fn answer(
        &self,
        request: Request,
        address: IpAddr,
        asked_by: &OnceLock<Actor>,
        next: Next,
    ) -> Result<Response, ApiError> {
        let Some(door) = &self.door else {
            return self.limits.in_time(next.run(request)).await;
        };
        let _place = shed::take_place(&door.places, &request)?;
        host::require_own(door.public_url.as_ref(), &request)?;
        let method = request.method().clone();
        cross_site::refuse(&self.own, &request)?;
        let class = rate_limit::class_of(&request);
        let spent = match class {
            Some(class) => rate_limit::by_address(&self.rates, class, address).await?,
            None => None,
        };
        let made = match self.limits.bounded(request) {
            Ok(request) => {
                let answering =
                    pin!(self.answer_by_caller(door, class, address, asked_by, request, next));
                self.limits.in_time(answering).await
            }
            Err(error) => Err(error),
        };
        let response = options::answer(&method, made.unwrap_or_else(ApiError::into_response));
        Ok(match spent {
            Some(spent) => spent.told_with(response),
            None => response,
        })
    }

    /// What the routes answer to who may ask, counted by who they are.
    async fn answer_by_caller(
        &self,
        door: &Door,
        class: Option<Class>,
        address: IpAddr,
        asked_by: &OnceLock<Actor>,
        request: Request,
        next: Next,
    ) -> Response {
        let Some(app) = &door.app else { return next.run(request).await };
        let answer = async |request, counted_as: Option<String>| match rate_limit::by_caller(
            &self.rates,
            class,
            counted_as.as_deref(),
            address,
        )
        .await
        {
            Ok(Some(spent)) => spent.told_with(next.run(request).await),
            Ok(None) => next.run(request).await,
            Err(error) => error.into_response(),
        };
        authenticate::authorise(app, address, asked_by, request, answer).await
    }
}

impl Limits {
    /// `request` with a body that ends with an error where it gets too large.
    fn bounded(self, request: Request) -> Result<Request, ApiError> {
        let said = request.headers().get(header::CONTENT_LENGTH);
        let said: Option<u64> = said.and_then(|length| length.to_str().ok()?.parse().ok());
        if said.is_some_and(|length| length > self.body_size_bytes_max as u64) {
            return Err(ApiError::BodyTooLarge);
        }
        if request.body().is_end_stream() {
            return Ok(request);
        }
        Ok(request.map(|body| Body::new(Limited::new(body, self.body_size_bytes_max))))
    }

    async fn in_time(
        self,
        answering: impl Future<Output = Response>,
    ) -> Result<Response, ApiError> {
        let mut answering = pin!(answering);
        // Most answers are there at once, and need no timer.
        let at_once = poll_fn(|context| Poll::Ready(answering.as_mut().poll(context))).await;
        if let Poll::Ready(answer) = at_once {
            return Ok(answer);
        }
        let answering = tokio::time::timeout(self.answer_time_max, answering);
        answering.await.map_err(|_| ApiError::TimedOut)
    }
}

#[cfg(test)]
mod tests;
