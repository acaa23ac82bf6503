//! `/api/v1/admin/rate-limits`: which limits there are, and whom they refused.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::telemetry::usage::{RefusedItem, RefusedPoint, UsageCaller};
use bist_app::{App, Class};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{SpanParams, user_names};
use crate::error::ApiError;
use crate::extract::Checked;
use crate::middleware::Around;
use crate::schema::Instant;

/// The routes of this resource.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(rate_limits))
}

/// How often a class of requests may be asked by one caller.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RateLimitPolicy)]
struct PolicyResponse {
    /// The class.
    #[schema(example = "ai")]
    class: &'static str,
    /// How many requests.
    requests: u32,
    /// In how many seconds.
    period_s: u64,
}

/// Whom a limit refused, and how often.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LimitHit)]
struct ItemResponse {
    /// The class of the quota; `all` for a limit that is not that of a class, such as how many live
    /// streams one account may have.
    #[schema(example = "ai")]
    class: &'static str,
    /// Whom; null when it was not known yet who asks, or the person was forgotten.
    #[schema(required, example = "u0123456789abcdef")]
    account: Option<String>,
    /// Their user name.
    #[schema(required, example = "ayse.yilmaz")]
    account_name: Option<String>,
    /// By which key they asked; null when by none.
    #[schema(required, example = "k0123456789abcdef")]
    key: Option<String>,
    /// Whether these are callers that were too many at a time to be told apart; `account` is null then.
    is_other: bool,
    /// How often.
    refused_count: u64,
    /// When last.
    #[schema(required)]
    last_at: Option<Instant>,
}

/// A step of the chart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LimitsPoint)]
struct PointResponse {
    /// Its begin.
    at: Instant,
    /// How often limits refused in it.
    refused_count: u64,
}

/// The chart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LimitsSeries)]
struct SeriesResponse {
    /// How long each step is, seconds.
    step_s: i64,
    /// All steps.
    points: Vec<PointResponse>,
}

/// Which limits there are, and whom they refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RateLimits)]
struct LimitsResponse {
    /// From this instant on: what was asked for, to whole steps.
    from: Instant,
    /// Before this instant.
    to: Instant,
    /// The limits.
    policies: Vec<PolicyResponse>,
    /// Whom they refused, the one who was refused most first.
    items: Vec<ItemResponse>,
    /// When they refused; the steps add up to what the items do.
    series: SeriesResponse,
}

/// Which limits there are, and whom they refused
#[utoipa::path(
    get, path = "/api/v1/admin/rate-limits", tag = "admin", operation_id = "get_rate_limits",
    params(SpanParams),
    responses((status = 200, description = "The limits.", body = LimitsResponse))
)]
async fn rate_limits(
    State(app): State<Arc<App>>,
    around: Around,
    Checked(params): Checked<SpanParams>,
) -> Result<Json<LimitsResponse>, ApiError> {
    let hit = app.limits_hit(params.span(app.now())?).await?;
    let names = user_names(&app).await?;
    let policy = |class: Class| {
        let quota = around.rates().quotas().of(class);
        PolicyResponse {
            class: class.as_str(),
            requests: quota.requests(),
            period_s: quota.period_s(),
        }
    };
    let item = |item: &RefusedItem| ItemResponse {
        class: item.refused_by.as_str(),
        account: item.caller.account().map(ToString::to_string),
        account_name: item.caller.account().and_then(|account| names.get(account).cloned()),
        key: item.caller.key().map(ToString::to_string),
        is_other: item.caller == UsageCaller::Other,
        refused_count: item.refused_count,
        last_at: Some(Instant(item.last_at)),
    };
    let point = |point: &RefusedPoint| PointResponse {
        at: Instant(point.at),
        refused_count: point.refused_count,
    };
    Ok(Json(LimitsResponse {
        from: Instant(hit.span.from),
        to: Instant(hit.span.to),
        policies: Class::ALL.map(policy).into(),
        items: hit.items.iter().map(item).collect(),
        series: SeriesResponse {
            step_s: hit.step.length_s,
            points: hit.points.iter().map(point).collect(),
        },
    }))
}
