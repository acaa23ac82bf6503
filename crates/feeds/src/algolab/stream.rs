//! The WebSocket: opened while a session is on, listened to, and opened again whatever happens to it.

use std::sync::Arc;
use std::time::Duration;

use bist_access::Secret;
use bist_market::{Clock, QuoteRefusal, Source, Symbol, TradingTimes};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::frame::{self, Frame};
use super::keys::AlgoLabKeys;
use super::sign_in::SignIn;
use crate::credential::Credential;
use crate::fetch_error::FetchError;
use crate::http::retry::backoff_max;
use crate::http::socket::Socket;
use crate::http::{BreakerState, Expects, HttpClient, Request, Waits, shown};
use crate::live_source::{Following, Heard, LiveSource, NobodyListens};
use crate::settings::SourceSettings;

/// The longest message that is read.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// How often we say that we are there, and keep the session from running out.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15 * 60);

/// The longest wait at once, so that the end of a session and a machine that slept are seen.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// How the broker is listened to.
#[derive(Clone, Debug)]
pub struct AlgoLabSettings {
    /// How the source is asked, with the keys as its credential.
    pub source: SourceSettings,
    /// The session that a person has signed in to.
    pub session: Credential,
    /// How long nothing may be said while prices move before the connection is made anew.
    pub silence_max: Duration,
}

/// The live prices of `AlgoLab`.
#[derive(Debug)]
pub struct AlgoLab {
    client: HttpClient,
    session: Credential,
    silence_max: Duration,
    waits: Arc<dyn Waits>,
    clock: Arc<dyn Clock>,
}

/// How a connection ended that is not to be made anew at once.
enum Ended {
    /// The session of the exchange is over.
    SessionOver,
    /// Nobody takes what is heard any more.
    NobodyListens,
}

/// How a connection was lost.
struct Lost {
    error: FetchError,
    /// Whether something was heard before.
    was_heard: bool,
}

impl AlgoLab {
    /// One that listens as `settings` say; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// [`FetchError::NotOffered`] when no HTTP client can be made of the settings.
    pub fn new(
        settings: &AlgoLabSettings,
        waits: Arc<dyn Waits>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, FetchError> {
        let client = HttpClient::new(Source::ALGOLAB, &settings.source, Arc::clone(&waits))?;
        let AlgoLabSettings { session, silence_max, .. } = settings.clone();
        Ok(Self { client, session, silence_max, waits, clock })
    }

    /// Listens again and again, while there is somebody to tell.
    async fn follow_on(&self, wanted: &[Symbol], heard: &Heard) {
        // Counted as the attempts of a request are: the second waits for the first time.
        let mut attempt = 1;
        loop {
            self.wait_for_session().await;
            let began = self.waits.now();
            let lost = match self.connection(wanted, heard).await {
                Ok(Ended::NobodyListens) => return,
                Ok(Ended::SessionOver) => {
                    heard.left();
                    attempt = 1;
                    continue;
                }
                Err(lost) => lost,
            };
            heard.lost(&lost.error);
            let SourceSettings { backoff_first, backoff_max: longest, .. } = self.client.settings();
            if self.waits.now().saturating_sub(began) > *longest {
                attempt = 1;
            }
            attempt += 1;
            let wait = if let FetchError::BreakerOpen { retry_in, .. } = &lost.error {
                *retry_in
            } else {
                if !lost.was_heard {
                    self.client.is_lost(&lost.error);
                }
                self.waits.any_up_to(backoff_max(attempt, *backoff_first, *longest))
            };
            self.waits.sleep(wait).await;
        }
    }

    async fn wait_for_session(&self) {
        loop {
            let now = self.clock.now();
            let times = TradingTimes::bist();
            if times.is_open(now) {
                return;
            }
            let left = times.opens_at(now).map(|at| at.duration_since(now));
            let left = left.and_then(|left| Duration::try_from(left).ok());
            self.waits.sleep(left.unwrap_or(WAIT_MAX).min(WAIT_MAX)).await;
        }
    }

    /// One connection, from the handshake until it is lost or not wanted any more.
    async fn connection(&self, wanted: &[Symbol], heard: &Heard) -> Result<Ended, Lost> {
        let unheard = |error| Lost { error, was_heard: false };
        let (keys, session) = self.credentials().map_err(unheard)?;
        let mut socket = self.open(&keys, &session).await.map_err(unheard)?;
        let subscription = frame::subscription(&session, wanted);
        let sent = socket.send(Message::text(subscription)).await;
        sent.map_err(|error| unheard(self.broken(&error)))?;
        heard.connected();
        let mut was_heard = false;
        let mut connection = Connection {
            algolab: self,
            socket,
            heard,
            was_heard: &mut was_heard,
            heard_at: self.waits.now(),
            heartbeat_at: self.waits.now() + HEARTBEAT_EVERY,
        };
        let ended = connection.listen(&keys, &session).await;
        ended.map_err(|error| Lost { error, was_heard })
    }

    /// The keys and the session as they are now.
    fn credentials(&self) -> Result<(AlgoLabKeys, Secret), FetchError> {
        let missing = |what, advice| FetchError::CredentialMissing {
            source_name: Source::ALGOLAB,
            what,
            advice,
        };
        let text = self.client.settings().credential.get().ok_or_else(|| {
            missing("the key of a contract", "name a secret in credentials.algolab")
        })?;
        let keys = AlgoLabKeys::parse(&text).map_err(|error| FetchError::NotOffered {
            source_name: Source::ALGOLAB,
            reason: format!("its credential is of no use: {error}"),
        })?;
        let session = self
            .session
            .get()
            .ok_or_else(|| missing("a session", "sign in with `bist secrets sign-in`"))?;
        Ok((keys, session))
    }

    async fn open(&self, keys: &AlgoLabKeys, session: &Secret) -> Result<Socket, FetchError> {
        let request = Request::get(self.url(), Expects::Any)
            .secret_header("APIKEY", keys.api_key.clone())
            .secret_header("Authorization", session.clone())
            .secret_header("Checker", keys.checker("/ws", ""));
        let opened = self.client.open_socket(&request, MESSAGE_BYTES_MAX).await;
        if let Err(FetchError::Status { status: 401, .. }) = opened {
            return Err(FetchError::CredentialMissing {
                source_name: Source::ALGOLAB,
                what: "another session, for this one is not in force any more",
                advice: "sign in with `bist secrets sign-in`",
            });
        }
        opened
    }

    fn url(&self) -> String {
        format!("{}/ws", self.client.settings().base_url("api"))
    }

    fn broken(&self, error: &Error) -> FetchError {
        FetchError::Truncated { url: shown(&self.url()), reason: error.to_string() }
    }
}

/// A connection that is open.
struct Connection<'a> {
    algolab: &'a AlgoLab,
    socket: Socket,
    heard: &'a Heard,
    was_heard: &'a mut bool,
    /// When something was understood last, while prices move.
    heard_at: Duration,
    /// When we say next that we are there.
    heartbeat_at: Duration,
}

impl Connection<'_> {
    async fn listen(&mut self, keys: &AlgoLabKeys, session: &Secret) -> Result<Ended, FetchError> {
        let AlgoLab { waits, clock, silence_max, .. } = self.algolab;
        loop {
            let (now, times) = (clock.now(), TradingTimes::bist());
            if !times.is_open(now) {
                self.socket.close(None).await.ok();
                return Ok(Ended::SessionOver);
            }
            let elapsed = waits.now();
            // Nothing has to be said while nothing moves.
            if times.moved_until(now) != Some(now) {
                self.heard_at = elapsed;
            }
            let silent_at = self.heard_at + *silence_max;
            if elapsed >= silent_at {
                let url = shown(&self.algolab.url());
                return Err(FetchError::Silent { url, silence: elapsed - self.heard_at });
            }
            if elapsed >= self.heartbeat_at {
                self.heartbeat_at = elapsed + HEARTBEAT_EVERY;
                self.keep_alive(keys, session).await?;
            }
            let wake_at = silent_at.min(self.heartbeat_at).min(elapsed + WAIT_MAX);
            tokio::select! {
                message = self.socket.next() => {
                    if self.take(message).await?.is_err() {
                        return Ok(Ended::NobodyListens);
                    }
                }
                () = waits.sleep(wake_at.saturating_sub(elapsed)) => {}
            }
        }
    }

    /// Takes a message.
    async fn take(
        &mut self,
        message: Option<Result<Message, Error>>,
    ) -> Result<Result<(), NobodyListens>, FetchError> {
        let closed =
            |reason: String| FetchError::Truncated { url: shown(&self.algolab.url()), reason };
        let text = match message {
            None => return Err(closed("the connection is closed".to_owned())),
            Some(Err(error)) => {
                if matches!(error, Error::Capacity(_)) {
                    self.heard.refused(QuoteRefusal::Unreadable);
                }
                return Err(self.algolab.broken(&error));
            }
            Some(Ok(Message::Close(frame))) => {
                let code = frame.map_or(1005, |frame| u16::from(frame.code));
                return Err(closed(format!("it was closed with {code}")));
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return Ok(Ok(())),
            Some(Ok(Message::Binary(_))) => {
                self.heard.refused(QuoteRefusal::Unreadable);
                return Ok(Ok(()));
            }
            Some(Ok(Message::Text(text))) => text,
        };
        let frame = match frame::read(&text) {
            Ok(frame) => frame,
            Err(why) => {
                self.heard.refused(why);
                return Ok(Ok(()));
            }
        };
        self.heard_at = self.algolab.waits.now();
        if !std::mem::replace(self.was_heard, true) {
            self.algolab.client.is_well();
        }
        Ok(match frame {
            Frame::Trade(quote) => self.heard.quotes(vec![quote]).await,
            Frame::Other => Ok(()),
        })
    }

    /// Says that we are there, and keeps the session from running out.
    async fn keep_alive(&mut self, keys: &AlgoLabKeys, session: &Secret) -> Result<(), FetchError> {
        let sent = self.socket.send(Message::text(frame::heartbeat(session))).await;
        sent.map_err(|error| self.algolab.broken(&error))?;
        if let Err(error) = SignIn::new(&self.algolab.client, keys).refresh(session).await {
            // The WebSocket tells when the session is over in fact.
            self.heard.noted(&error);
        }
        Ok(())
    }
}

impl LiveSource for AlgoLab {
    fn source(&self) -> Source {
        Source::ALGOLAB
    }

    fn follow<'a>(&'a self, wanted: &'a [Symbol], heard: &'a Heard) -> Following<'a> {
        Box::pin(self.follow_on(wanted, heard))
    }

    fn breaker(&self) -> Option<BreakerState> {
        Some(self.client.breaker())
    }
}
