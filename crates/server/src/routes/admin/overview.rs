//! `/api/v1/admin/overview`: how everything stands at a glance, and how it was before.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::App;
use bist_app::telemetry::usage::{UsageCounts, UsagePoint};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::SpanParams;
use super::api_usage::{ItemResponse, Names};
use crate::error::ApiError;
use crate::extract::Checked;
use crate::schema::Instant;

/// How many paths are shown.
const ENDPOINTS_MAX: usize = 10;

/// The routes of this resource.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(overview))
}

/// How many requests there were.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewRequests)]
struct RequestsResponse {
    /// In the span.
    count: u64,
    /// In the span before; null where not all of that is kept.
    #[schema(required)]
    before_count: Option<u64>,
}

/// Which share of requests the server failed at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewErrors)]
struct ErrorsResponse {
    /// In the span; null without requests.
    #[schema(required, minimum = 0, maximum = 1)]
    share: Option<f64>,
    /// In the span before; null where not all of that is kept, too.
    #[schema(required, minimum = 0, maximum = 1)]
    before_share: Option<f64>,
}

/// How soon requests were answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewLatency)]
struct LatencyResponse {
    /// The latency that 95 of 100 did not exceed, milliseconds; null without requests.
    #[schema(required, minimum = 0)]
    p95_ms: Option<f64>,
    /// The same of the span before; null where not all of that is kept, too.
    #[schema(required, minimum = 0)]
    before_p95_ms: Option<f64>,
}

/// How many people did something.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewPeople)]
struct PeopleResponse {
    /// In the span.
    active_count: u64,
    /// In the span before; null where not all of that is kept.
    #[schema(required)]
    before_active_count: Option<u64>,
}

/// How often limits refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewLimits)]
struct LimitsResponse {
    /// In the span.
    refused_count: u64,
    /// In the span before; null where not all of that is kept.
    #[schema(required)]
    before_refused_count: Option<u64>,
}

/// A step of the chart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewPoint)]
struct PointResponse {
    /// Its begin.
    at: Instant,
    /// How many requests there were.
    requests_count: u64,
    /// How many of them a limit refused.
    refused_count: u64,
    /// How many of them the server failed at.
    errors_count: u64,
    /// The latency that 95 of 100 did not exceed, milliseconds; null without requests.
    #[schema(required, minimum = 0)]
    p95_ms: Option<f64>,
}

/// The chart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewSeries)]
struct SeriesResponse {
    /// How long each step is, seconds.
    step_s: i64,
    /// All steps.
    points: Vec<PointResponse>,
}

/// How jobs stand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewJobs)]
struct JobsResponse {
    /// Runs that nobody has begun.
    waiting_count: u64,
    /// Runs that were begun and have not ended.
    running_count: u64,
    /// Runs that failed in the span.
    failed_count: u64,
}

/// How everything stands at a glance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdminOverview)]
struct OverviewResponse {
    /// When it was looked at.
    as_of: Instant,
    /// From this instant on: what was asked for, to whole minutes, or hours or days where no finer counts
    /// are kept.
    from: Instant,
    /// Before this instant. The span before is as long, and ends where this one begins.
    to: Instant,
    /// Requests.
    requests: RequestsResponse,
    /// Requests that the server failed at.
    errors: ErrorsResponse,
    /// How soon requests were answered.
    latency: LatencyResponse,
    /// People who did something.
    people: PeopleResponse,
    /// Requests that limits refused.
    limits: LimitsResponse,
    /// Sessions that are not over.
    sessions_count: u64,
    /// The chart.
    series: SeriesResponse,
    /// The paths with the most requests, at most ten.
    endpoints: Vec<ItemResponse>,
    /// Groups of errors that are open.
    errors_open_count: u64,
    /// Jobs.
    jobs: JobsResponse,
}

impl From<UsagePoint> for PointResponse {
    fn from(point: UsagePoint) -> Self {
        let UsagePoint { at, counts } = point;
        Self {
            at: Instant(at),
            requests_count: counts.requests_count(),
            refused_count: counts.refused_count,
            errors_count: counts.errors_count,
            p95_ms: counts.latency_ms(0.95),
        }
    }
}

/// How everything stands at a glance, and how it was in the span before
#[utoipa::path(
    get, path = "/api/v1/admin/overview", tag = "admin", operation_id = "get_admin_overview",
    params(SpanParams),
    responses((status = 200, description = "How everything stands.", body = OverviewResponse))
)]
async fn overview(
    State(app): State<Arc<App>>,
    Checked(params): Checked<SpanParams>,
) -> Result<Json<OverviewResponse>, ApiError> {
    let view = app.admin_overview(params.span(app.now())?, ENDPOINTS_MAX).await?;
    let names = Names::none();
    let endpoints = view.endpoints.iter().map(|item| ItemResponse::of(item, &names)).collect();
    let (total, before) = (&view.total, view.before.as_ref());
    Ok(Json(OverviewResponse {
        as_of: Instant(view.as_of),
        from: Instant(view.span.from),
        to: Instant(view.span.to),
        requests: RequestsResponse {
            count: total.requests_count(),
            before_count: before.map(UsageCounts::requests_count),
        },
        errors: ErrorsResponse {
            share: total.errors_share(),
            before_share: before.and_then(UsageCounts::errors_share),
        },
        latency: LatencyResponse {
            p95_ms: total.latency_ms(0.95),
            before_p95_ms: before.and_then(|before| before.latency_ms(0.95)),
        },
        people: PeopleResponse {
            active_count: view.people.active_count,
            before_active_count: view.people_before.map(|people| people.active_count),
        },
        limits: LimitsResponse {
            refused_count: total.refused_count,
            before_refused_count: before.map(|before| before.refused_count),
        },
        sessions_count: view.tallies.sessions_count,
        endpoints,
        errors_open_count: view.errors_open_count,
        jobs: JobsResponse {
            waiting_count: view.tallies.jobs_waiting_count,
            running_count: view.tallies.jobs_running_count,
            failed_count: view.tallies.jobs_failed_count,
        },
        series: SeriesResponse {
            step_s: view.step.length_s,
            points: view.points.into_iter().map(PointResponse::from).collect(),
        },
    }))
}
