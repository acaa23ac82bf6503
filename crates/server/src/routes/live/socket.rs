//! `/api/v1/live` itself: a WebSocket.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use bist_app::live::Position;
use futures_util::SinkExt as _;
use serde::Deserialize;
use tokio::time::{Interval, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite;

use super::closing::Closing;
use super::entrance::Entrance;
use super::envelope::Told;
use super::topics::{TOPICS_MAX, parse};
use crate::error::ApiError;
use crate::extract::{Checked, NoParameters};
use crate::middleware::Around;
use crate::openapi::{NoStream, UpgradeNeeded};

/// How many requests of a client may come at once, and how long each takes to be free again.
const REQUESTS_MAX: u32 = 60;
const REQUEST_EVERY: Duration = Duration::from_secs(1);

/// Memory for what is read of each connection, and for what is written, bytes.
const READ_BUFFER_BYTES: usize = 2048;
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// How long a client has to answer that a stream ends.
const FAREWELL_TIME_MAX: Duration = Duration::from_secs(2);

/// What a client asks for.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    /// To hear of more.
    Subscribe { topics: Vec<String> },
    /// To hear of less.
    Unsubscribe { topics: Vec<String> },
    /// To hear of these from a position on.
    Resume { position: String, topics: Vec<String> },
}

/// Listen by WebSocket
///
/// The client sends requests (`{"op": "subscribe", "topics": ["prices"]}`, `unsubscribe`, and `resume`
/// with a `position`), the server envelopes; the guide of the API has a table of them, and of the close
/// codes. A page has to be one of this server.
#[utoipa::path(
    get, path = "/api/v1/live", tag = "live", operation_id = "live",
    responses(
        (status = 101, description = "The connection is a WebSocket from here on; each message of the server is a LiveEnvelope."),
        UpgradeNeeded,
        NoStream,
    )
)]
pub(super) async fn converse(
    around: Around,
    headers: HeaderMap,
    _: Checked<NoParameters>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    entrance: Result<Entrance, ApiError>,
) -> Result<Response, ApiError> {
    // A browser sends the cookie to whatever page opens a WebSocket.
    if !around.own_pages().is_own(&headers) {
        return Err(ApiError::CrossSite);
    }
    let upgrade = upgrade.map_err(|_| ApiError::UpgradeRequired)?;
    let entrance = entrance?;
    let size_max = entrance.limits.message_size_bytes_max;
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(size_max)
        .max_frame_size(size_max);
    Ok(upgrade.on_upgrade(move |socket| Conversation::new(socket, entrance).hold()))
}

/// A WebSocket and who is at its other end.
struct Conversation {
    socket: WebSocket,
    entrance: Entrance,
    /// Whether the client was heard of since the last heartbeat.
    is_alive: bool,
    requests: Requests,
}

/// Why a conversation ends without a word: the client is gone.
struct Gone;

/// How a conversation ends.
enum End {
    Gone,
    Closing(Closing),
}

impl From<Gone> for End {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

impl From<Closing> for End {
    fn from(closing: Closing) -> Self {
        Self::Closing(closing)
    }
}

impl Conversation {
    fn new(socket: WebSocket, entrance: Entrance) -> Self {
        Self { socket, entrance, is_alive: true, requests: Requests::new() }
    }

    /// Talks until one side ends it.
    async fn hold(mut self) {
        let Err(End::Closing(closing)) = self.talk().await else { return };
        let farewell = async {
            if self.socket.send(Message::Close(Some(closing.frame()))).await.is_ok() {
                // What was still under way is read, so that the close code is not lost with it.
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        if timeout(FAREWELL_TIME_MAX, farewell).await.is_err() {
            tracing::debug!("a client did not answer that its stream ends");
        }
    }

    async fn talk(&mut self) -> Result<(), End> {
        let mut heartbeats = heartbeats(self.entrance.limits.heartbeat_every);
        let hello = self.entrance.hello();
        self.send(vec![hello]).await?;
        loop {
            tokio::select! {
                message = self.socket.recv() => self.hear(message).await?,
                news = self.entrance.news() => {
                    let texts = self.entrance.told(&news?);
                    self.send(texts).await?;
                }
                _ = heartbeats.tick() => self.beat().await?,
            }
        }
    }

    /// Asks whether the client is there and still may listen.
    async fn beat(&mut self) -> Result<(), End> {
        if !std::mem::take(&mut self.is_alive) {
            return Err(Closing::Silent.into());
        }
        self.entrance.require_still().await?;
        let heartbeat = text(self.entrance.heartbeat())?;
        self.send_all([heartbeat, Message::Ping(Bytes::new())]).await?;
        self.entrance.counted.sent(1);
        Ok(())
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let message = match message {
            None | Some(Ok(Message::Close(_))) => return Err(End::Gone),
            Some(Err(error)) => {
                let closing = closing_of(error).ok_or(End::Gone)?;
                let (code, detail) = if closing == Closing::TooLarge {
                    ("message_too_large", "the message is too large")
                } else {
                    ("malformed_message", "the message is no text in UTF-8")
                };
                return Err(self.refuse(code, detail, closing).await);
            }
            Some(Ok(message)) => message,
        };
        self.is_alive = true;
        match message {
            Message::Text(text) => self.obey(&text).await,
            Message::Binary(_) => {
                let detail = "requests are JSON in text messages, not in binary ones";
                Err(self.refuse("binary_message", detail, Closing::Binary).await)
            }
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => Ok(()),
        }
    }

    /// Does what a client asks for.
    async fn obey(&mut self, text: &str) -> Result<(), End> {
        if !self.requests.may_come(Instant::now()) {
            let detail = "requests come faster than one a second";
            return Err(self.refuse("too_many_requests", detail, Closing::TooMany).await);
        }
        let request: Request = match serde_json::from_str(text) {
            Ok(request) => request,
            Err(error) => {
                let detail = format!(
                    "this is no request: {error}; send such as {{\"op\": \"subscribe\", \"topics\": \
                     [\"prices\"]}}"
                );
                return Err(self.refuse("malformed_message", &detail, Closing::Malformed).await);
            }
        };
        let texts = match self.done(request) {
            Ok(texts) => texts,
            Err(Refused::Closing(closing)) => return Err(closing.into()),
            Err(Refused::Told(code, detail)) => vec![self.entrance.error(code, &detail)],
        };
        self.send(texts).await
    }

    fn done(&mut self, request: Request) -> Result<Vec<Told>, Refused> {
        let (Request::Subscribe { topics }
        | Request::Unsubscribe { topics }
        | Request::Resume { topics, .. }) = &request;
        let topics = parse(topics.iter().map(String::as_str));
        let topics = topics.map_err(|detail| Refused::Told("unknown_topic", detail))?;
        match request {
            Request::Unsubscribe { .. } => Ok(vec![self.entrance.unsubscribe(&topics)]),
            Request::Subscribe { .. } => {
                self.require(&topics)?;
                if self.entrance.listener.topics().len() + topics.len() > TOPICS_MAX {
                    let detail = format!("nobody listens to more than {TOPICS_MAX} topics");
                    return Err(Refused::Told("too_many_topics", detail));
                }
                let texts = self.entrance.subscribe(&topics);
                texts.map_err(|gap| Refused::Closing(gap.into()))
            }
            Request::Resume { position, .. } => {
                self.require(&topics)?;
                let position = position.parse::<Position>();
                let position = position
                    .map_err(|error| Refused::Told("invalid_position", error.to_string()))?;
                Ok(vec![self.entrance.resume(&position, &topics)])
            }
        }
    }

    fn require(&self, topics: &[bist_app::live::Wanted]) -> Result<(), Refused> {
        let refused = |error: ApiError| Refused::Told("forbidden", error.detail());
        self.entrance.require(topics).map_err(refused)
    }

    /// Says what was wrong, and ends the conversation.
    async fn refuse(&mut self, code: &str, detail: &str, closing: Closing) -> End {
        let error = self.entrance.error(code, detail);
        match self.send(vec![error]).await {
            Ok(()) => End::Closing(closing),
            Err(end) => end,
        }
    }

    async fn send(&mut self, texts: Vec<Told>) -> Result<(), End> {
        let messages = texts.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
        let count = messages.len();
        self.send_all(messages).await?;
        self.entrance.counted.sent(count);
        Ok(())
    }

    /// Sends messages together. A client that does not read them in time is cut off.
    async fn send_all(&mut self, messages: impl IntoIterator<Item = Message>) -> Result<(), End> {
        let socket = &mut self.socket;
        let sending = async {
            for message in messages {
                socket.feed(message).await?;
            }
            socket.flush().await
        };
        match timeout(self.entrance.limits.write_time_max, sending).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => {
                self.entrance.cut_off();
                Err(Closing::TooSlow.into())
            }
        }
    }
}

/// A request that was not done.
enum Refused {
    /// The client is told, and may go on.
    Told(&'static str, String),
    /// It may not.
    Closing(Closing),
}

/// A text as it is sent.
fn text(told: Told) -> Result<Message, Closing> {
    Utf8Bytes::try_from(told.text).map(Message::Text).map_err(|_| Closing::Failed)
}

/// Why a message could not be read; `None` when the client is gone.
fn closing_of(error: axum::Error) -> Option<Closing> {
    let error = error.into_inner().downcast::<tungstenite::Error>().ok()?;
    if matches!(*error, tungstenite::Error::Capacity(_)) {
        Some(Closing::TooLarge)
    } else {
        matches!(*error, tungstenite::Error::Utf8(_)).then_some(Closing::Malformed)
    }
}

/// When to say how far one is, the first time after `every`.
pub(super) fn heartbeats(every: Duration) -> Interval {
    let mut heartbeats = interval_at(tokio::time::Instant::now() + every, every);
    heartbeats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeats
}

/// The requests of a client that may still come.
#[derive(Debug)]
struct Requests {
    /// When all of them will be free again.
    free_at: Instant,
}

impl Requests {
    fn new() -> Self {
        Self { free_at: Instant::now() }
    }

    /// Counts a request that comes at `now`, if it may.
    fn may_come(&mut self, now: Instant) -> bool {
        let free_at = self.free_at.max(now) + REQUEST_EVERY;
        let may = free_at <= now + REQUEST_EVERY * REQUESTS_MAX;
        if may {
            self.free_at = free_at;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_requests_may_come_at_once_and_then_one_a_second() {
        let mut requests = Requests::new();
        let now = requests.free_at;
        assert!((0..60).all(|_| requests.may_come(now)));
        assert!(!requests.may_come(now));
        let later = now + Duration::from_secs(2);
        assert!((0..2).all(|_| requests.may_come(later)));
        assert!(!requests.may_come(later));
    }
}
