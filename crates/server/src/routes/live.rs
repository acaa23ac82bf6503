//! `/api/v1/live`: what has just changed, by WebSocket, by server-sent events or by asking again.
//!
//! The three doors lead to one stream and give the same envelopes (docs/API.md#live).

mod closing;
mod entrance;
mod envelope;
mod events;
mod poll;
mod seats;
mod socket;
mod topics;

use std::sync::Arc;

use bist_app::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use seats::Seats;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(socket::converse))
        .routes(routes!(events::stream))
        .routes(routes!(poll::poll))
}
