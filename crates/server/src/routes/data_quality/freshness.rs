//! `/api/v1/data-quality/freshness`: the last sessions of each series.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::App;
use bist_app::freshness::{FreshnessRow, SessionCell};
use bist_market::{Source, Symbol};
use serde::Serialize;
use utoipa::ToSchema;

use super::source;
use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, QueryReader};
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::schema::{Day, Instant, schema, text};

/// Sessions shown unless the caller asks for another number.
const SESSIONS_DEFAULT: u32 = 20;

/// Most sessions: a quarter.
const SESSIONS_MAX: u32 = 65;

/// The last sessions of each daily series.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Freshness)]
pub(super) struct FreshnessResponse {
    /// Now.
    as_of: Instant,
    /// The sessions, oldest first; the last may be going on.
    sessions: Vec<Day>,
    /// By symbol and source.
    items: Vec<RowResponse>,
    /// Give this as `cursor` to get the next page; null at the end of the list.
    #[schema(required, example = "from-100")]
    next: Option<String>,
}

/// The last sessions of one series.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FreshnessRow)]
pub(super) struct RowResponse {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// Which source.
    #[schema(value_type = String, example = "csv")]
    source: Source,
    /// Day of the newest bar that passed the checks.
    #[schema(required)]
    newest_day: Option<Day>,
    /// Sessions that have ended since; null without a bar, or beyond the calendar.
    #[schema(required, example = 0)]
    lag_sessions: Option<u32>,
    /// One word a session.
    cells: Vec<CellWord>,
}

/// What there is of a session.
#[derive(Debug)]
pub(super) struct CellWord(SessionCell);

impl Serialize for CellWord {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

schema!(
    CellWord,
    "SessionCell",
    text(
        "What there is of a session: a `bar`, a row in quarantine, a bar that was `accepted_by_hand`, nothing although it is due (`missing`), or `not_yet`.",
        "bar"
    )
    .enum_values(Some(
        [
            SessionCell::Bar,
            SessionCell::Quarantined,
            SessionCell::AcceptedByHand,
            SessionCell::Missing,
            SessionCell::NotYet
        ]
        .map(SessionCell::as_str)
    ))
);

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FreshnessParams {
    /// How many sessions.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 65, default = 20)]
    sessions: u32,
    /// Only this source.
    #[param(value_type = Option<String>, pattern = "^[a-z0-9_-]{1,24}$", example = "csv")]
    source: Option<Source>,
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^from-[0-9]{1,18}$", example = "from-100")]
    cursor: u64,
}

impl FromQuery for FreshnessParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let sessions = query.optional("sessions", |text| match text.parse() {
            Ok(count) if (1..=SESSIONS_MAX).contains(&count) => Ok(count),
            _ => Err(format!(
                "'{text}' is not a number of sessions; give one from 1 to {SESSIONS_MAX}"
            )),
        })?;
        Ok(Self {
            sessions: sessions.unwrap_or(SESSIONS_DEFAULT),
            source: query.optional("source", source)?,
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor_from(query)?,
        })
    }
}

/// What there is of the last sessions, by symbol and source
#[utoipa::path(
    get, path = "/api/v1/data-quality/freshness", tag = "data-quality", operation_id = "get_freshness",
    params(FreshnessParams),
    responses((status = 200, description = "One row a series, one cell a session.", body = FreshnessResponse))
)]
pub(super) async fn freshness(
    State(app): State<Arc<App>>,
    Checked(params): Checked<FreshnessParams>,
) -> Result<Json<FreshnessResponse>, ApiError> {
    let freshness = app.freshness(params.sessions, params.source).await?;
    let page = paging::page(freshness.rows, params.cursor, params.limit);
    let Page { items, next } = page.map(RowResponse::from);
    Ok(Json(FreshnessResponse {
        as_of: Instant(freshness.as_of),
        sessions: freshness.sessions.into_iter().map(Day).collect(),
        items,
        next,
    }))
}

impl From<FreshnessRow> for RowResponse {
    fn from(row: FreshnessRow) -> Self {
        Self {
            symbol: row.symbol,
            source: row.source,
            newest_day: row.newest_day.map(Day),
            lag_sessions: row.lag_sessions,
            cells: row.cells.into_iter().map(CellWord).collect(),
        }
    }
}
