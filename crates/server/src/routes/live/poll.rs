//! `/api/v1/live/poll`: asking again, and waiting a while for the answer.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bist_app::live::Position;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::entrance::Entrance;
use super::envelope::{Envelope, LiveData, Told};
use super::topics::ListenParams;
use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, QueryReader};
use crate::openapi::NoStream;

/// The longest that a poll may be told to wait, seconds.
const WAIT_S_MAX: u64 = 25;

/// What has happened since a position.
#[derive(Debug, ToSchema)]
#[schema(as = LivePage)]
#[expect(dead_code, reason = "its texts are there already; this is its description")]
struct PageResponse {
    /// How far this reaches: the `since` of the next request.
    #[schema(example = "0123456789abcdef-42")]
    position: String,
    /// What has happened, in order; empty when nothing has in time.
    items: Vec<Envelope<LiveData>>,
}

/// What is listened to, and how long.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WaitParams {
    /// How long to wait for something to happen, seconds.
    #[param(value_type = Option<u64>, minimum = 0, maximum = 25, default = 25)]
    wait: Duration,
}

impl FromQuery for (ListenParams, WaitParams) {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let wait = |text: &str| match text.parse() {
            Ok(seconds @ 0..=WAIT_S_MAX) => Ok(Duration::from_secs(seconds)),
            _ => Err(format!("'{text}' is no wait; give whole seconds from 0 to {WAIT_S_MAX}")),
        };
        let listen = ListenParams::from_query(query)?;
        let wait = query.optional("wait", wait)?.unwrap_or(Duration::from_secs(WAIT_S_MAX));
        Ok((listen, WaitParams { wait }))
    }
}

/// Ask what has happened since a position, and wait a while when nothing has
///
/// Without `since` the answer is how everything stands, at once.
#[utoipa::path(
    get, path = "/api/v1/live/poll", tag = "live", operation_id = "live_poll",
    params(ListenParams, WaitParams),
    responses(
        (status = 200, description = "What has happened.", body = PageResponse),
        NoStream,
    )
)]
pub(super) async fn poll(
    Checked(params): Checked<(ListenParams, WaitParams)>,
    mut entrance: Entrance,
) -> Result<Response, ApiError> {
    let (ListenParams { topics, since }, WaitParams { wait }) = params;
    entrance.require(&topics)?;
    let gap = |gap| ApiError::Internal(format!("a place that was just taken is lost: {gap}"));
    let told = match since {
        None => entrance.subscribe(&topics).map_err(gap)?,
        Some(since) => {
            let first = entrance.resume(&since, &topics);
            // Who goes on where they were is told what has happened, and nothing else.
            if entrance.listener.position() == since {
                waited(&mut entrance, wait).await
            } else {
                vec![first]
            }
        }
    };
    entrance.counted.sent(told.len());
    Ok(page(&entrance.listener.position(), &told))
}

/// What happens within `wait`; nothing when the server stops.
async fn waited(entrance: &mut Entrance, wait: Duration) -> Vec<Told> {
    let wait = wait.min(entrance.limits.poll_time_max);
    match timeout(wait, entrance.news()).await {
        Ok(Ok(news)) => entrance.told(&news),
        // Whoever lost something learns of it by the next request.
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

/// The answer; the envelopes are there as texts already.
fn page(position: &Position, told: &[Told]) -> Response {
    let mut text = format!(r#"{{"position":"{position}","items":["#).into_bytes();
    for (index, Told { text: item, .. }) in told.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(item);
    }
    text.extend_from_slice(b"]}");
    ([(header::CONTENT_TYPE, "application/json")], Bytes::from(text)).into_response()
}
