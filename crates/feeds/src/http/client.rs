//! The client of one source: whose turn it is, whether to ask at all, and how often.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bist_market::Source;
use bist_market::breaker::{Breaker, BreakerState, LeftAlone, Passage};
use reqwest::redirect::Policy;

use crate::fetch_error::FetchError;
use crate::http::attempt::Attempt;
use crate::http::cookies::Cookies;
use crate::http::pace::Pace;
use crate::http::request::{Answer, Request};
use crate::http::retry;
use crate::http::shown::shown;
use crate::http::socket::{self, Socket};
use crate::http::waits::Waits;
use crate::settings::SourceSettings;

/// Asks one source; requests may be sent from several tasks at once and keep one pace together.
pub struct HttpClient {
    source: Source,
    settings: SourceSettings,
    waits: Arc<dyn Waits>,
    client: reqwest::Client,
    cookies: Arc<Cookies>,
    pace: Mutex<Pace>,
    breaker: Mutex<Breaker>,
}

impl HttpClient {
    /// A client for `source`; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// [`FetchError::NotOffered`] when the system's certificates cannot be read, or the settings
    /// name no proper proxy or user agent.
    pub fn new(
        source: Source,
        settings: &SourceSettings,
        waits: Arc<dyn Waits>,
    ) -> Result<Self, FetchError> {
        let cookies = Arc::new(Cookies::default());
        let client = builder(settings, Arc::clone(&cookies))
            .and_then(reqwest::ClientBuilder::build)
            .map_err(|error| not_made(source, error))?;
        Ok(Self {
            source,
            settings: settings.clone(),
            waits,
            client,
            cookies,
            pace: Mutex::new(Pace::per_minute(settings.requests_per_minute)),
            breaker: Mutex::new(Breaker::new(
                settings.breaker_failures_max,
                settings.breaker_open_for,
            )),
        })
    }

    /// Asks, when the source's pace allows it, and again where that may help.
    ///
    /// Connections that fail or break, timeouts and the statuses 408, 425, 429, 500, 502, 503 and
    /// 504 are retried for idempotent requests, after a random time up to a limit that doubles, or
    /// after what the source asks for. When that would be after the deadline, the failure stands
    /// at once. While the circuit breaker is open nothing is sent and nothing waited for; then one
    /// request is tried once.
    ///
    /// # Errors
    ///
    /// [`FetchError`] of the last attempt. All of them leave nothing of the answer to use.
    pub async fn send(&self, request: &Request) -> Result<Answer, FetchError> {
        self.breaker_now().check(self.waits.now()).map_err(|alone| self.left_alone(alone))?;
        self.wait_for_turn().await;
        // Others may have failed meanwhile.
        let passage = self.breaker_now().pass(self.waits.now());
        let attempts_max = match passage.map_err(|alone| self.left_alone(alone))? {
            Passage::Free if request.idempotent => self.settings.attempts_max,
            Passage::Free | Passage::Probe => 1,
        };
        let outcome = self.attempts(request, attempts_max).await;
        match &outcome {
            Err(error) if retry::is_worth_retrying(error) => {
                self.breaker_now().failed(self.waits.now(), error.to_string());
            }
            // The source is there, whatever it says.
            Ok(_) | Err(_) => self.breaker_now().succeeded(),
        }
        outcome
    }

    /// Opens the WebSocket that `request` asks for, when the pace allows it and the circuit breaker is
    /// closed, and tries no more than once. Whether the source is well is not known before it has said
    /// something: [`Self::is_well`] and [`Self::is_lost`] tell the breaker.
    ///
    /// # Errors
    ///
    /// [`FetchError`] when the breaker is open, nobody answers, or with something else.
    pub(crate) async fn open_socket(
        &self,
        request: &Request,
        message_bytes_max: usize,
    ) -> Result<Socket, FetchError> {
        self.breaker_now().check(self.waits.now()).map_err(|alone| self.left_alone(alone))?;
        self.wait_for_turn().await;
        let passage = self.breaker_now().pass(self.waits.now());
        passage.map_err(|alone| self.left_alone(alone))?;
        let SourceSettings { answer_timeout, answer_bytes_max, .. } = self.settings;
        let attempt =
            Attempt { client: &self.client, source: self.source, request, answer_bytes_max };
        let headers = attempt.headers(true)?;
        // A WebSocket begins in HTTP/1.1. Connections are few, so a client for each will do.
        let client = builder(&self.settings, Arc::clone(&self.cookies))
            .and_then(|builder| builder.http1_only().build())
            .map_err(|error| not_made(self.source, error))?;
        let opening = socket::open(&client, &request.url, headers, message_bytes_max);
        let late = |_| {
            Err(FetchError::DeadlineExceeded { url: shown(&request.url), deadline: answer_timeout })
        };
        tokio::time::timeout(answer_timeout, opening).await.unwrap_or_else(late)
    }

    /// Tells the circuit breaker that the source said something on a WebSocket.
    pub(crate) fn is_well(&self) {
        self.breaker_now().succeeded();
    }

    /// Tells the circuit breaker that a WebSocket could not be opened, or brought nothing.
    pub(crate) fn is_lost(&self, error: &FetchError) {
        self.breaker_now().failed(self.waits.now(), error.to_string());
    }

    /// The state of the circuit breaker.
    pub fn breaker(&self) -> BreakerState {
        self.breaker_now().state(self.waits.now())
    }

    /// Forgets the cookies of the source, so that the next request begins a session.
    pub fn forget_cookies(&self) {
        self.cookies.forget();
    }

    /// The settings that the client was made with.
    pub fn settings(&self) -> &SourceSettings {
        &self.settings
    }

    async fn attempts(&self, request: &Request, attempts_max: u32) -> Result<Answer, FetchError> {
        let give_up_at = self.waits.now() + self.settings.deadline;
        let mut attempt = 1;
        loop {
            let error = match self.attempt(request, give_up_at).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            attempt += 1;
            if attempt > attempts_max || !retry::is_worth_retrying(&error) {
                return Err(error);
            }
            let SourceSettings { backoff_first, backoff_max, .. } = self.settings;
            let backoff = retry::backoff_max(attempt, backoff_first, backoff_max);
            let asked = retry::asked_wait(&error).unwrap_or_default();
            let wait = self.waits.any_up_to(backoff).max(asked);
            if self.waits.now() + wait >= give_up_at {
                return Err(error);
            }
            self.waits.sleep(wait).await;
            self.wait_for_turn().await;
        }
    }

    /// One attempt, within its own time and what is left of all.
    async fn attempt(&self, request: &Request, give_up_at: Duration) -> Result<Answer, FetchError> {
        let attempt = Attempt {
            client: &self.client,
            source: self.source,
            request,
            answer_bytes_max: self.settings.answer_bytes_max,
        };
        let left = give_up_at.saturating_sub(self.waits.now());
        let (timeout, told) = if left < self.settings.answer_timeout {
            (left, self.settings.deadline)
        } else {
            (self.settings.answer_timeout, self.settings.answer_timeout)
        };
        let late = || FetchError::DeadlineExceeded { url: shown(&request.url), deadline: told };
        tokio::time::timeout(timeout, attempt.run()).await.unwrap_or_else(|_| Err(late()))
    }

    async fn wait_for_turn(&self) {
        let wait = self.pace.lock().unwrap_or_else(PoisonError::into_inner).take(self.waits.now());
        if wait > Duration::ZERO {
            self.waits.sleep(wait).await;
        }
    }

    fn breaker_now(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn left_alone(&self, alone: LeftAlone) -> FetchError {
        FetchError::BreakerOpen {
            source_name: self.source,
            failures_count: alone.failures_count,
            retry_in: alone.retry_in,
            last: alone.last,
        }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("source", &self.source)
            .field("breaker", &self.breaker())
            .finish_non_exhaustive()
    }
}

fn not_made(source_name: Source, error: reqwest::Error) -> FetchError {
    let reason = format!("its HTTP client cannot be made: {}", error.without_url());
    FetchError::NotOffered { source_name, reason }
}

/// What clients of a source are made of.
fn builder(
    settings: &SourceSettings,
    cookies: Arc<Cookies>,
) -> reqwest::Result<reqwest::ClientBuilder> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only when another thread was faster, with the same provider.
        rustls::crypto::ring::default_provider().install_default().ok();
    }
    let builder = reqwest::Client::builder()
        .user_agent(&settings.user_agent)
        // Redirects and retries are ours, so that secrets stay and attempts are counted.
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .cookie_provider(cookies)
        .no_proxy();
    Ok(match &settings.proxy_url {
        Some(url) => builder.proxy(reqwest::Proxy::all(url)?),
        None => builder,
    })
}
