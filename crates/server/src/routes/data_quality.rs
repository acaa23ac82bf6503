//! `/api/v1/data-quality`: what the validator found in the data.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::App;
use bist_app::FindingPage;
use bist_app::quality::{FindingCount, SeriesQuality};
use bist_market::validate::DataQuality;
use bist_market::{Finding, Interval, Severity, Symbol};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, QueryReader, SymbolPath};
use crate::openapi::NoSuchQuality;
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::schema::{Day, Instant, OriginWord, schema, text};

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one))
}

/// The quality of everything in the store.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DataQuality)]
struct OverviewResponse {
    /// When the validator ran last; null when it never did.
    #[schema(required)]
    as_of: Option<Instant>,
    /// Below this share training is refused.
    #[schema(minimum = 0, maximum = 1, example = 0.95)]
    threshold_share: f64,
    /// Overall share of sound rows; null when nothing was validated.
    #[schema(required, minimum = 0, maximum = 1, example = 0.992)]
    score_share: Option<f64>,
    /// By symbol and interval.
    items: Vec<SeriesResponse>,
    /// Give this as `cursor` to get the next page; null at the end of the list.
    #[schema(required, example = "from-100")]
    next: Option<String>,
}

/// The quality of one series.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SeriesQuality)]
struct SeriesResponse {
    /// The series and its counts.
    #[serde(flatten)]
    summary: SummaryResponse,
    /// What was found how often.
    findings: Vec<FindingCountResponse>,
}

/// A series and how many of its rows are sound.
///
/// `accepted_count + quarantined_count + unverifiable_count` is `received_count`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QualitySummary)]
struct SummaryResponse {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// Whether the data are real.
    origin: OriginWord,
    /// What each bar covers.
    #[schema(value_type = String, example = "1d")]
    interval: Interval,
    /// Rows received.
    #[schema(example = 1500)]
    received_count: u64,
    /// Rows that became bars.
    #[schema(example = 1497)]
    accepted_count: u64,
    /// Rows kept out because something is wrong with them.
    #[schema(example = 3)]
    quarantined_count: u64,
    /// Rows about which nothing can be said.
    #[schema(example = 0)]
    unverifiable_count: u64,
    /// Sessions without a row.
    #[schema(example = 2)]
    missing_sessions_count: u64,
    /// Accepted rows as a share of what should be there.
    #[schema(minimum = 0, maximum = 1, example = 0.9967)]
    score_share: f64,
    /// Day of the first accepted bar.
    #[schema(required)]
    first_day: Option<Day>,
    /// Day of the last accepted bar.
    #[schema(required)]
    last_day: Option<Day>,
}

/// How often something was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FindingCount)]
struct FindingCountResponse {
    /// What, as a stable code.
    #[schema(example = "missing_session")]
    code: String,
    /// How bad it is.
    #[schema(value_type = SeverityWord)]
    severity: String,
    /// How often.
    #[schema(example = 2)]
    count: u64,
}

/// How bad a finding is.
#[derive(Debug, Serialize)]
struct SeverityWord(Severity);

schema!(
    SeverityWord,
    "Severity",
    text(
        "How bad a finding is: an `error` counts against the score, a `warning` deserves a look, `info` is good to know.",
        "error"
    )
    .enum_values(Some([Severity::Error, Severity::Warning, Severity::Info].map(Severity::as_str)))
);

/// The quality of the daily series of one symbol, with what was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SymbolQuality)]
struct SymbolQualityResponse {
    /// The series and its counts.
    #[serde(flatten)]
    summary: SummaryResponse,
    /// What was found: about the whole series first, then by day.
    findings: Page<FindingResponse>,
}

/// Something that the validator found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
struct FindingResponse {
    /// The day it is about; null when it is about the whole series or the day is not known.
    #[schema(required)]
    day: Option<Day>,
    /// What it is, as a stable code.
    #[schema(example = "missing_session")]
    code: &'static str,
    /// How bad it is.
    severity: SeverityWord,
    /// Whether the row is kept out of the bars.
    quarantined: bool,
    /// The same in an English sentence.
    #[schema(example = "a session without a row")]
    text: String,
}

impl From<&SeriesQuality> for SummaryResponse {
    fn from(series: &SeriesQuality) -> Self {
        let quality: &DataQuality = &series.quality;
        Self {
            symbol: quality.symbol,
            origin: OriginWord(series.origin),
            interval: quality.interval,
            received_count: quality.received_count,
            accepted_count: quality.accepted_count,
            quarantined_count: quality.quarantined_count,
            unverifiable_count: quality.unverifiable_count,
            missing_sessions_count: quality.missing_sessions_count,
            score_share: quality.score_share(),
            first_day: quality.first_day.map(Day),
            last_day: quality.last_day.map(Day),
        }
    }
}

impl From<SeriesQuality> for SeriesResponse {
    fn from(series: SeriesQuality) -> Self {
        let summary = SummaryResponse::from(&series);
        let count =
            |FindingCount { code, severity, count }| FindingCountResponse { code, severity, count };
        Self { summary, findings: series.counts.into_iter().map(count).collect() }
    }
}

impl From<Finding> for FindingResponse {
    fn from(finding: Finding) -> Self {
        Self {
            day: finding.day.map(Day),
            code: finding.kind.code(),
            severity: SeverityWord(finding.severity()),
            quarantined: finding.kind.quarantines(),
            text: finding.kind.to_string(),
        }
    }
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct PageParams {
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^from-[0-9]{1,18}$", example = "from-100")]
    cursor: u64,
}

impl FromQuery for PageParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self {
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor_from(query)?,
        })
    }
}

/// The quality of everything in the store, by symbol
#[utoipa::path(
    get, path = "/api/v1/data-quality", tag = "data-quality", operation_id = "list_data_quality",
    params(PageParams),
    responses((status = 200, description = "The reports of the validator.", body = OverviewResponse))
)]
async fn list(
    State(app): State<Arc<App>>,
    Checked(params): Checked<PageParams>,
) -> Result<Json<OverviewResponse>, ApiError> {
    let overview = app.quality_overview().await?;
    let page = paging::page(overview.series, params.cursor, params.limit);
    let Page { items, next } = page.map(SeriesResponse::from);
    Ok(Json(OverviewResponse {
        as_of: overview.validated_at.map(Instant),
        threshold_share: overview.threshold_share,
        score_share: overview.score_share,
        items,
        next,
    }))
}

/// What was found in the daily series of one symbol
#[utoipa::path(
    get, path = "/api/v1/data-quality/{symbol}", tag = "data-quality", operation_id = "get_data_quality",
    params(
        ("symbol" = String, Path, description = "The ticker; case does not matter.", pattern = "^[A-Za-z0-9]{1,12}([.]([Ii][Ss]|[Ee]))?$", example = "THYAO"),
        PageParams,
    ),
    responses(
        (status = 200, description = "The report of the validator.", body = SymbolQualityResponse),
        NoSuchQuality,
    )
)]
async fn one(
    State(app): State<Arc<App>>,
    SymbolPath(symbol): SymbolPath,
    Checked(params): Checked<PageParams>,
) -> Result<Json<SymbolQualityResponse>, ApiError> {
    let Some((series, page)) = app.findings(symbol, params.cursor, params.limit).await? else {
        return Err(match app.symbol(symbol).await? {
            Some(_) => ApiError::NotValidated(symbol),
            None => ApiError::SymbolNotFound(symbol),
        });
    };
    let FindingPage { findings, next } = page;
    let items = findings.into_iter().map(FindingResponse::from).collect();
    let findings = Page { items, next: next.map(paging::from) };
    Ok(Json(SymbolQualityResponse { summary: SummaryResponse::from(&series), findings }))
}
