//! `/api/v1/admin/...`: how the service is used, for who looks after it; and `/api/v1/activity`, by which
//! pages tell what people do there.

mod activity;
mod api_usage;
mod csv;
mod overview;
mod rate_limits;
mod trading;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use bist_access::AccountId;
use bist_app::App;
use bist_app::telemetry::usage::UsageCounts;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::error::ApiError;
use crate::extract::{FromQuery, QueryReader};
use crate::schema::Instant;

pub(super) use activity::ActivityResponse;

/// How long the span is unless both its ends are given.
const SPAN_DEFAULT: SignedDuration = SignedDuration::from_hours(24);

/// The routes of these resources.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(overview::router())
        .merge(api_usage::router())
        .merge(activity::router())
        .merge(rate_limits::router())
        .merge(trading::router())
}

/// The span that is asked for.
#[derive(Clone, Copy, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct SpanParams {
    /// From this instant on; a day before its end unless it is given.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-23T12:00:00Z")]
    from: Option<Timestamp>,
    /// Before this instant; now unless it is given.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-24T12:00:00Z")]
    to: Option<Timestamp>,
}

impl FromQuery for SpanParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self { from: query.optional("from", instant)?, to: query.optional("to", instant)? })
    }
}

impl SpanParams {
    /// Both ends, where it is `now`.
    fn span(self, now: Timestamp) -> Result<(Timestamp, Timestamp), ApiError> {
        // What happens at this very moment is in it.
        let after_now = now.saturating_add(SignedDuration::from_micros(1)).unwrap_or(now);
        let to = self.to.unwrap_or(after_now);
        let from = self.from.map_or_else(|| to.saturating_sub(SPAN_DEFAULT), Ok);
        let from = from.unwrap_or(Timestamp::MIN);
        if from > to {
            return Err(ApiError::InvalidParameter {
                parameter: "from",
                problem: format!(
                    "{from} is after 'to', which is {to}; give an instant that is not"
                ),
            });
        }
        Ok((from, to))
    }
}

/// Reads an instant.
fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|_| format!("'{text}' is no instant; give one such as 2026-11-24T12:00:00Z"))
}

/// Reads the name of an account.
fn account(text: &str) -> Result<AccountId, String> {
    text.parse().map_err(|error| format!("{error}; give one such as u0123456789abcdef"))
}

/// How many requests there were, what came of them, and how soon they were answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageCounts)]
struct CountsResponse {
    /// All of them.
    requests_count: u64,
    /// Those that were answered with a status from 400 to 499 but 429.
    client_errors_count: u64,
    /// Those that a limit refused: 429.
    refused_count: u64,
    /// Those that the server failed at: 500 and above.
    errors_count: u64,
    /// The latency that half of them did not exceed, milliseconds; null when there were none.
    #[schema(required, minimum = 0)]
    p50_ms: Option<f64>,
    /// The latency that 95 of 100 did not exceed.
    #[schema(required, minimum = 0)]
    p95_ms: Option<f64>,
    /// The latency that 99 of 100 did not exceed.
    #[schema(required, minimum = 0)]
    p99_ms: Option<f64>,
    /// The mean latency.
    #[schema(required, minimum = 0)]
    mean_ms: Option<f64>,
}

impl From<&UsageCounts> for CountsResponse {
    fn from(counts: &UsageCounts) -> Self {
        Self {
            requests_count: counts.requests_count(),
            client_errors_count: counts.client_errors_count,
            refused_count: counts.refused_count,
            errors_count: counts.errors_count,
            p50_ms: counts.latency_ms(0.5),
            p95_ms: counts.latency_ms(0.95),
            p99_ms: counts.latency_ms(0.99),
            mean_ms: counts.latency_mean_ms(),
        }
    }
}

/// The same, and when the last of them was answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageTotals)]
struct TotalsResponse {
    #[serde(flatten)]
    counts: CountsResponse,
    /// When the last of them was answered; null when there were none.
    #[schema(required)]
    last_at: Option<Instant>,
}

impl From<&UsageCounts> for TotalsResponse {
    fn from(counts: &UsageCounts) -> Self {
        Self { counts: counts.into(), last_at: counts.last_at().map(Instant) }
    }
}

/// The user names of all accounts.
async fn user_names(app: &App) -> Result<BTreeMap<AccountId, String>, ApiError> {
    let users = app.users().await?.into_iter();
    Ok(users.map(|user| (user.id, user.user_name.to_string())).collect())
}

/// The headers of a table that is saved as a file, as `disposition` says.
fn file_headers(disposition: &'static str) -> HeaderMap {
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(disposition)),
    ])
}
