//! `/api/v1/live/events`: server-sent events.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bist_app::live::Position;
use futures_util::stream::unfold;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::entrance::Entrance;
use super::envelope::Told;
use super::socket::heartbeats;
use super::topics::ListenParams;
use crate::error::ApiError;
use crate::extract::Checked;
use crate::openapi::NoStream;

/// The header with which a browser says how far it has come.
const LAST_EVENT_ID: &str = "last-event-id";

/// What a browser is told of when to come back, milliseconds.
const RETRY_MS: u32 = 3000;

/// Listen by server-sent events
///
/// Each event is a `LiveEnvelope`, and its id is the position after it; whoever comes back with the
/// header `last-event-id`, as browsers do, or with `since`, goes on from there.
#[utoipa::path(
    get, path = "/api/v1/live/events", tag = "live", operation_id = "live_events",
    params(ListenParams),
    responses(
        (status = 200, description = "Events without an end, each a LiveEnvelope.", content_type = "text/event-stream", body = String),
        NoStream,
    )
)]
pub(super) async fn stream(
    headers: HeaderMap,
    Checked(params): Checked<ListenParams>,
    entrance: Entrance,
) -> Result<Response, ApiError> {
    let ListenParams { topics, since } = params;
    entrance.require(&topics)?;
    let known = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()?.parse().ok());
    let mut telling = Telling { entrance, told: Vec::new() };
    telling.told = match known.or(since) {
        Some(position) => vec![telling.entrance.resume(&position, &topics)],
        None => telling.entrance.subscribe(&topics).map_err(|gap| {
            ApiError::Internal(format!("a place that was just taken is lost: {gap}"))
        })?,
    };
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(telling.tell(sender));
    let chunks = unfold(receiver, async |mut receiver: mpsc::Receiver<Bytes>| {
        let chunk = receiver.recv().await?;
        Some((Ok::<_, Infallible>(chunk), receiver))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        // Proxies that would collect answers are told to pass these on.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

/// What is told to somebody, and what of it is to be sent now.
struct Telling {
    entrance: Entrance,
    told: Vec<Told>,
}

impl Telling {
    /// Tells what happens until either side ends it. Whoever does not read in time is cut off.
    async fn tell(mut self, chunks: mpsc::Sender<Bytes>) {
        let mut heartbeats = heartbeats(self.entrance.limits.heartbeat_every);
        let mut chunk = format!("retry: {RETRY_MS}\n\n").into_bytes();
        let closing = loop {
            let epoch = self.entrance.listener.position().epoch;
            self.entrance.counted.sent(self.told.len());
            self.told.drain(..).for_each(|told| {
                write_event(&mut chunk, &Position { epoch: epoch.clone(), seq: told.seq }, &told);
            });
            let sending = chunks.send(std::mem::take(&mut chunk).into());
            match timeout(self.entrance.limits.write_time_max, sending).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => {
                    self.entrance.cut_off();
                    self.entrance.line.cut();
                    return;
                }
            }
            tokio::select! {
                () = chunks.closed() => return,
                news = self.entrance.news() => match news {
                    Ok(news) => self.told = self.entrance.told(&news),
                    Err(closing) => break closing,
                },
                _ = heartbeats.tick() => {
                    if let Err(closing) = self.entrance.require_still().await {
                        break closing;
                    }
                    chunk.extend_from_slice(b": still here\n");
                    self.told.push(self.entrance.heartbeat());
                }
            }
        };
        let position = self.entrance.listener.position();
        write_event(&mut chunk, &position, &self.entrance.closing(closing));
        drop(timeout(self.entrance.limits.write_time_max, chunks.send(chunk.into())).await);
    }
}

/// Adds an envelope with the position after it.
fn write_event(chunk: &mut Vec<u8>, position: &Position, told: &Told) {
    chunk.extend_from_slice(format!("id: {position}\ndata: ").as_bytes());
    chunk.extend_from_slice(&told.text);
    chunk.extend_from_slice(b"\n\n");
}
