//! Errors to a server that speaks Sentry's protocol, when there is one.
//!
//! The crate `sentry` makes the events and says where they go; how they go is ours: one at a time from a
//! bounded queue, with a limit of time, and not at all while the server fails. Without a DSN nothing of
//! this happens.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bist_access::{Secret, SecretName, SecretsError};
use bist_market::breaker::BreakerState;
use bist_store::{ErrorBreadcrumb, ErrorKind, NewError, NotAsked, OutsidePart};
use jiff::Timestamp;
use sentry::protocol::{Breadcrumb, Event, Exception, Level};
use sentry::types::Dsn;
use sentry::{Client, ClientOptions, Envelope, Transport};
use tokio::sync::mpsc::{Receiver, Sender};

use super::errors::{ErrorQueue, SentryOutcome};
use crate::App;
use crate::alerts::outside_client;
use crate::secrets::SecretStoreError;

/// The secret that is the DSN.
const DSN_SECRET: &str = "sentry.dsn";

/// Failures in a row after which the server is left alone.
const FAILURES_MAX: u32 = 3;

/// For how long; what happens meanwhile is in the product's own list alone.
const LEFT_ALONE_FOR: Duration = Duration::from_secs(60);

/// How long sending one event may take.
const SENDING_TIME_MAX: Duration = Duration::from_secs(5);

/// What the environment is called unless the configuration says otherwise.
pub const ENVIRONMENT_DEFAULT: &str = "production";

/// How errors go to Sentry.
#[derive(Clone, Debug)]
pub struct SentrySettings {
    /// Where to, and with which key; the secret `sentry.dsn` holds before it.
    pub dsn: Option<Secret>,
    /// What this installation is called there.
    pub environment: String,
    /// The share of errors that is sent, 0..=1; all of them are in the product's own list.
    pub sample_rate: f32,
}

impl Default for SentrySettings {
    fn default() -> Self {
        Self { dsn: None, environment: ENVIRONMENT_DEFAULT.to_owned(), sample_rate: 1.0 }
    }
}

/// Why a text is no DSN. The text is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no DSN of Sentry; give one such as https://KEY@sentry.example/1")]
pub struct DsnError;

impl SentrySettings {
    /// Shows that `text` is a DSN.
    ///
    /// # Errors
    ///
    /// [`DsnError`] when it is not.
    pub fn check_dsn(text: &str) -> Result<(), DsnError> {
        text.parse::<Dsn>().map(drop).map_err(|_| DsnError)
    }
}

/// The server of Sentry, as this process knows it.
#[derive(Debug)]
pub(crate) struct Sentry {
    settings: SentrySettings,
    part: OutsidePart,
    is_configured: AtomicBool,
}

impl Default for Sentry {
    fn default() -> Self {
        Self::new(SentrySettings::default())
    }
}

impl Sentry {
    pub(crate) fn new(settings: SentrySettings) -> Self {
        let is_configured = AtomicBool::new(settings.dsn.is_some());
        Self { settings, part: OutsidePart::new(FAILURES_MAX, LEFT_ALONE_FOR), is_configured }
    }

    /// Whether it is being asked; `None` without a DSN.
    pub(crate) fn state(&self) -> Option<BreakerState> {
        self.is_configured.load(Ordering::Relaxed).then(|| self.part.state())
    }
}

/// An event on its way.
pub(crate) struct Parcel {
    url: String,
    auth: String,
    body: Vec<u8>,
}

/// Hands events over to be sent, with the DSN as it is at the moment.
pub(crate) struct SentryLink<'a> {
    app: &'a App,
    outbox: Sender<Parcel>,
    /// The client, and the DSN that it was made for.
    client: Option<(Secret, Client)>,
    /// Whether it was said that the DSN cannot be had.
    is_told: bool,
}

impl<'a> SentryLink<'a> {
    pub(crate) fn new(app: &'a App, outbox: Sender<Parcel>) -> Self {
        Self { app, outbox, client: None, is_told: false }
    }

    /// Puts `error` among those that are to be sent, if there is anybody to send it to.
    pub(crate) async fn send(&mut self, error: &NewError) {
        self.renew().await;
        if let Some((_, client)) = &self.client {
            client.capture_event(event(error), None);
        }
    }

    /// Has the DSN as it is now: one that was rotated needs no new start.
    async fn renew(&mut self) {
        let settings = &self.app.sentry.settings;
        let dsn = match self.app.sentry_dsn().await {
            Ok(dsn) => dsn.or_else(|| settings.dsn.clone()),
            Err(error) => {
                // What was known before is as good as any.
                if !std::mem::replace(&mut self.is_told, true) {
                    tracing::warn!(%error, "the DSN of Sentry cannot be had: {error}");
                }
                return;
            }
        };
        self.app.sentry.is_configured.store(dsn.is_some(), Ordering::Relaxed);
        if self.client.as_ref().map(|(known, _)| known) == dsn.as_ref() {
            return;
        }
        self.client = dsn.and_then(|dsn| match dsn.expose().parse::<Dsn>() {
            Ok(parsed) => Some((dsn, self.client_for(&parsed))),
            Err(_) => {
                tracing::warn!("the secret {DSN_SECRET}: {DsnError}");
                None
            }
        });
    }

    fn client_for(&self, dsn: &Dsn) -> Client {
        let settings = &self.app.sentry.settings;
        let outbox = Outbox {
            url: dsn.envelope_api_url().to_string(),
            dsn: dsn.clone(),
            outbox: self.outbox.clone(),
            queue: self.app.telemetry.errors().clone(),
        };
        let mut options = ClientOptions::new()
            .default_integrations(false)
            .environment(settings.environment.clone())
            .sample_rate(settings.sample_rate)
            .transport(Arc::new(outbox));
        options.dsn = Some(dsn.clone());
        Client::with_options(options)
    }
}

/// What a client puts its events into.
struct Outbox {
    url: String,
    dsn: Dsn,
    outbox: Sender<Parcel>,
    queue: ErrorQueue,
}

impl Transport for Outbox {
    fn send_envelope(&self, envelope: Envelope) {
        let mut body = Vec::new();
        let auth = self.dsn.to_auth(Some(crate::alerts::USER_AGENT)).to_string();
        let is_put = envelope.to_writer(&mut body).is_ok()
            && self.outbox.try_send(Parcel { url: self.url.clone(), auth, body }).is_ok();
        if !is_put {
            self.queue.counts().note_sentry(SentryOutcome::Dropped);
        }
    }
}

/// Why an event was not taken.
#[derive(Debug)]
enum NotTaken {
    Unreachable(reqwest::Error),
    Refused(u16),
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The address holds the key.
            Self::Unreachable(_) => f.write_str("Sentry cannot be asked"),
            Self::Refused(status) => write!(f, "Sentry refused with the status {status}"),
        }
    }
}

impl App {
    /// The same with errors that go to Sentry in this way.
    #[must_use]
    pub fn with_sentry(self, settings: SentrySettings) -> Self {
        Self { sentry: Arc::new(Sentry::new(settings)), ..self }
    }

    /// The DSN, when it is among the secrets.
    async fn sentry_dsn(&self) -> Result<Option<Secret>, SecretStoreError> {
        let Ok(name) = DSN_SECRET.parse::<SecretName>() else { return Ok(None) };
        match self.secret(&name).await {
            Ok(dsn) => Ok(Some(dsn)),
            Err(SecretStoreError::Secrets(SecretsError::NoSuchSecret(_))) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends what clients put into their outbox until all of them are gone.
    pub(crate) async fn deliver_to_sentry(&self, mut parcels: Receiver<Parcel>) {
        let client = outside_client();
        let counts = self.telemetry.errors().counts();
        while let Some(parcel) = parcels.recv().await {
            let Ok(client) = &client else {
                counts.note_sentry(SentryOutcome::Failed);
                continue;
            };
            let asked = self.sentry.part.ask(SENDING_TIME_MAX, post(client, parcel)).await;
            counts.note_sentry(match asked {
                Ok(()) => SentryOutcome::Sent,
                Err(NotAsked::LeftAlone(_)) => SentryOutcome::Dropped,
                Err(error) => {
                    let why = told(&error);
                    tracing::warn!(error = %why, "an error did not reach Sentry: {why}");
                    SentryOutcome::Failed
                }
            });
        }
    }
}

async fn post(client: &reqwest::Client, parcel: Parcel) -> Result<(), NotTaken> {
    let sent = client
        .post(parcel.url)
        .header("content-type", "application/x-sentry-envelope")
        .header("x-sentry-auth", parcel.auth)
        .body(parcel.body)
        .send()
        .await;
    let answer = sent.map_err(|error| NotTaken::Unreachable(error.without_url()))?;
    match answer.status().as_u16() {
        200..=299 => Ok(()),
        status => Err(NotTaken::Refused(status)),
    }
}

fn told(error: &NotAsked<NotTaken>) -> String {
    match error {
        NotAsked::LeftAlone(_) => "it is left alone".to_owned(),
        NotAsked::Slow(budget) => format!("no answer within {} s", budget.as_secs()),
        NotAsked::Failed(NotTaken::Unreachable(error)) => error.to_string(),
        NotAsked::Failed(refused) => refused.to_string(),
    }
}

/// `error` as Sentry has it. Nothing but what is kept of it, so nothing of the machine, of who asked, or
/// of what they sent.
fn event(error: &NewError) -> Event<'static> {
    let kept = &error.event;
    let name = match error.kind {
        ErrorKind::Panic => "Panic",
        ErrorKind::Internal => "InternalError",
        ErrorKind::Job => "JobFailure",
        ErrorKind::Page => "PageError",
        ErrorKind::Other => "Error",
    };
    let exception = Exception {
        ty: name.to_owned(),
        value: Some(kept.message.clone()),
        ..Exception::default()
    };
    let mut tags = vec![("kind".to_owned(), error.kind.as_str().to_owned())];
    tags.extend(kept.request_id.clone().map(|id| ("request_id".to_owned(), id)));
    tags.extend(kept.route.clone().map(|route| ("route".to_owned(), route)));
    let platform = if error.kind == ErrorKind::Page { "javascript" } else { "native" };
    Event {
        level: Level::Error,
        fingerprint: Cow::Owned(vec![Cow::Owned(error.group())]),
        transaction: Some(error.place.clone()),
        platform: platform.into(),
        timestamp: system_time(kept.at),
        release: Some(kept.release.clone().into()),
        exception: vec![exception].into(),
        breadcrumbs: kept.breadcrumbs.iter().map(breadcrumb).collect::<Vec<_>>().into(),
        tags: tags.into_iter().collect(),
        ..Event::default()
    }
}

fn breadcrumb(kept: &ErrorBreadcrumb) -> Breadcrumb {
    Breadcrumb {
        timestamp: system_time(kept.at),
        ty: "log".to_owned(),
        level: match kept.level.as_str() {
            "error" => Level::Error,
            "warn" => Level::Warning,
            _ => Level::Info,
        },
        message: Some(kept.message.clone()),
        ..Breadcrumb::default()
    }
}

/// `at` as the standard library has it, in whole microseconds; the beginning of Unix time for what was
/// before.
fn system_time(at: Timestamp) -> SystemTime {
    let microseconds = u64::try_from(at.as_microsecond()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_micros(microseconds)
}
