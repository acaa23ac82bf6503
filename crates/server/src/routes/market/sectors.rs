//! `/api/v1/market/sectors`: how strong the sectors are against the market.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bist_app::App;
use bist_app::answers::DataClass;
use bist_app::market_view::SectorStrength;
use bist_market::Source;
use serde::Serialize;
use utoipa::ToSchema;

use super::overview::BreadthResponse;
use super::standing::{ChangeResponse, LeftOutResponse, changes, left_out, sources};
use crate::error::ApiError;
use crate::extract::{FromQuery, QueryReader};
use crate::kept::Kept;
use crate::openapi::Unchanged;
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX};
use crate::schema::Day;

/// The sectors of the market.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sectors)]
pub(super) struct SectorsResponse {
    /// The day that everything here is of; null without a share.
    #[schema(required)]
    as_of: Option<Day>,
    /// The sources of the shares.
    #[schema(value_type = Vec<String>, example = json!(["csv"]))]
    sources: Vec<Source>,
    /// What the sectors are compared with: `XU100`, or `equal_weighted` (the mean of the shares, each
    /// counting alike) where the index is not stored up to the day.
    #[schema(example = "XU100")]
    benchmark: &'static str,
    /// What that did.
    benchmark_changes: Vec<ChangeResponse>,
    /// Shares that are not counted, and why.
    left_out: LeftOutResponse,
    /// By name; the shares of which no source names a sector come last.
    items: Vec<SectorResponse>,
    /// Give this as `cursor` to get the next page; null at the end of the list.
    #[schema(required)]
    next: Option<String>,
}

/// One sector.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sector)]
struct SectorResponse {
    /// Its name as the source gives it; null for the shares of which none does.
    #[schema(required, example = "Bankacılık")]
    sector: Option<String>,
    /// Its shares that have a bar of the day.
    members_count: usize,
    /// What they did over 1, 5, 21, 63, 126 and 252 sessions.
    windows: Vec<SectorWindowResponse>,
    /// How many of them go along.
    breadth: BreadthResponse,
}

/// What the shares of a sector did, each counting alike; adjusted changes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SectorWindow)]
struct SectorWindowResponse {
    /// Over how many sessions.
    #[schema(example = 63)]
    sessions: u32,
    /// Shares of which the change is known.
    known_count: usize,
    /// The mean of their changes, whatever each is worth.
    #[schema(required)]
    mean_share: Option<f64>,
    /// The change in the middle.
    #[schema(required)]
    median_share: Option<f64>,
    /// What the mean is above the benchmark.
    #[schema(required)]
    relative_share: Option<f64>,
}

impl From<&SectorStrength> for SectorResponse {
    fn from(strength: &SectorStrength) -> Self {
        let windows = strength.windows.iter().map(|window| SectorWindowResponse {
            sessions: window.sessions,
            known_count: window.known_count,
            mean_share: window.mean_share,
            median_share: window.median_share,
            relative_share: window.relative_share,
        });
        Self {
            sector: strength.sector.clone(),
            members_count: strength.members_count,
            windows: windows.collect(),
            breadth: strength.breadth.into(),
        }
    }
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SectorParams {
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^from-[0-9]{1,9}$", example = "from-100")]
    cursor: u64,
}

impl FromQuery for SectorParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self {
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor_from(query)?,
        })
    }
}

/// How strong the sectors are against the market
#[utoipa::path(
    get, path = "/api/v1/market/sectors", tag = "market", operation_id = "list_sectors",
    params(SectorParams),
    responses((status = 200, description = "The sectors by name.", body = SectorsResponse), Unchanged)
)]
pub(super) async fn sectors(State(app): State<Arc<App>>, kept: Kept) -> Result<Response, ApiError> {
    let make = async |params: SectorParams| {
        let view = app.market_view().await?;
        let page = paging::page(&view.sectors, params.cursor, params.limit);
        Ok(SectorsResponse {
            as_of: view.as_of.map(Day),
            sources: sources(&view),
            benchmark: view.benchmark.as_str(),
            benchmark_changes: changes(&view.benchmark_changes),
            left_out: left_out(&view),
            items: page.items.into_iter().map(SectorResponse::from).collect(),
            next: page.next,
        })
    };
    kept.or_make(&app, DataClass::Bars, make).await
}
