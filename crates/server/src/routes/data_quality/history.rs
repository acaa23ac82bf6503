//! `/api/v1/data-quality/history`: the score over time.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::App;
use bist_app::quality::{QualityScope, ScoreParts};
use bist_market::{Source, Symbol};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, QueryReader};
use crate::schema::{Day, Instant};

/// The score over time, of everything, a source or a symbol.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QualityHistory)]
pub(super) struct HistoryResponse {
    /// Of what.
    #[schema(example = "overall")]
    scope: String,
    /// By month of the data, oldest first; months without a row that could be judged are left out.
    months: Vec<MonthResponse>,
    /// By check, oldest first; a check that changed nothing is left out.
    runs: Vec<RunResponse>,
}

/// What a score is made of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScoreParts)]
pub(super) struct PartsResponse {
    /// The score.
    #[schema(minimum = 0, maximum = 1, example = 0.992)]
    score_share: f64,
    /// Rows that should be there.
    #[schema(example = 21)]
    expected_count: u64,
    /// Of those, missing or with an error.
    #[schema(example = 1)]
    error_rows_count: u64,
    /// Of those, with a warning and no error.
    #[schema(example = 2)]
    warning_rows_count: u64,
}

impl From<ScoreParts> for PartsResponse {
    fn from(parts: ScoreParts) -> Self {
        Self {
            score_share: parts.score_share,
            expected_count: parts.expected_count,
            error_rows_count: parts.error_rows_count,
            warning_rows_count: parts.warning_rows_count,
        }
    }
}

/// The score of a month.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MonthScore)]
pub(super) struct MonthResponse {
    /// Its first day.
    month: Day,
    /// What it is made of.
    #[serde(flatten)]
    parts: PartsResponse,
}

/// The score at a check.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunScore)]
pub(super) struct RunResponse {
    /// When it was checked.
    recorded_at: Instant,
    /// What it is made of.
    #[serde(flatten)]
    parts: PartsResponse,
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryParams {
    /// Of what: `overall`, `source:` and a name, or `symbol:` and a ticker.
    #[param(value_type = Option<String>, pattern = "^(overall|source:[a-z0-9_-]{1,24}|symbol:[A-Z0-9]{1,12})$", default = "overall", example = "symbol:THYAO")]
    scope: QualityScope,
}

impl FromQuery for HistoryParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let scope = query.optional("scope", |text| {
            let scope = match text.split_once(':') {
                None if text == "overall" => Some(QualityScope::Overall),
                Some(("source", name)) => Source::parse(name).ok().map(QualityScope::Source),
                Some(("symbol", name)) => Symbol::parse(name).ok().map(QualityScope::Symbol),
                _ => None,
            };
            scope.ok_or_else(|| {
                format!("'{text}' is not a scope; give overall, source:NAME or symbol:TICKER")
            })
        })?;
        Ok(Self { scope: scope.unwrap_or(QualityScope::Overall) })
    }
}

/// The score over time
#[utoipa::path(
    get, path = "/api/v1/data-quality/history", tag = "data-quality", operation_id = "get_quality_history",
    params(HistoryParams),
    responses((status = 200, description = "By month of the data, and by check.", body = HistoryResponse))
)]
pub(super) async fn history(
    State(app): State<Arc<App>>,
    Checked(params): Checked<HistoryParams>,
) -> Result<Json<HistoryResponse>, ApiError> {
    let history = app.quality_history(params.scope).await?;
    let month =
        |(month, parts)| MonthResponse { month: Day(month), parts: PartsResponse::from(parts) };
    let run =
        |(at, parts)| RunResponse { recorded_at: Instant(at), parts: PartsResponse::from(parts) };
    Ok(Json(HistoryResponse {
        scope: params.scope.to_string(),
        months: history.months.into_iter().map(month).collect(),
        runs: history.runs.into_iter().map(run).collect(),
    }))
}
