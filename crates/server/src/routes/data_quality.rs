//! `/api/v1/data-quality`: what the validator found in the data.

mod findings;
mod freshness;
mod history;
mod reconciliation;
mod sources;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::App;
use bist_app::quality::{FindingCount, FindingFilter, SeriesQuality, SourceQuality};
use bist_market::validate::{DataQuality, QualityBand};
use bist_market::{Interval, Severity, Source, Symbol};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::findings::FindingResponse;
use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, QueryReader, SymbolPath};
use crate::openapi::NoSuchQuality;
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::schema::{Day, Instant, OriginWord, schema, text};

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(findings::findings))
        .routes(routes!(freshness::freshness))
        .routes(routes!(history::history))
        .routes(routes!(sources::sources))
        .routes(routes!(one))
        .routes(routes!(reconciliation::reconciliation))
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
    /// From this share on the data are good; in between is the warning band.
    #[schema(minimum = 0, maximum = 1, example = 0.97)]
    good_share: f64,
    /// Overall score of the series that models may see; null when nothing was validated.
    #[schema(required, minimum = 0, maximum = 1, example = 0.992)]
    score_share: Option<f64>,
    /// The band of the overall score.
    #[schema(required)]
    band: Option<BandWord>,
    /// By source.
    sources: Vec<SourceResponse>,
    /// By symbol, interval and source.
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

/// The score of one source.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SourceScore)]
struct SourceResponse {
    /// Its name.
    #[schema(value_type = String, example = "csv")]
    source: Source,
    /// The score of all its series together.
    #[schema(minimum = 0, maximum = 1, example = 0.992)]
    score_share: f64,
    /// Its band.
    band: BandWord,
    /// Rows that should be there.
    #[schema(example = 125000)]
    expected_count: u64,
    /// Of those, missing or with an error.
    #[schema(example = 800)]
    error_rows_count: u64,
    /// Of those, with a warning and no error.
    #[schema(example = 1500)]
    warning_rows_count: u64,
    /// Symbols that it has.
    #[schema(example = 44)]
    symbols_count: u64,
}

impl From<SourceQuality> for SourceResponse {
    fn from(quality: SourceQuality) -> Self {
        Self {
            source: quality.source,
            score_share: quality.parts.score_share,
            band: BandWord(quality.band),
            expected_count: quality.parts.expected_count,
            error_rows_count: quality.parts.error_rows_count,
            warning_rows_count: quality.parts.warning_rows_count,
            symbols_count: quality.symbols_count,
        }
    }
}

/// Where a score lies.
#[derive(Debug)]
struct BandWord(QualityBand);

impl Serialize for BandWord {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

schema!(
    BandWord,
    "QualityBand",
    text(
        "Where a score lies: `good`, in the `warning` band above the gate of training, or below it and `refused`.",
        "good"
    )
    .enum_values(Some(
        [QualityBand::Good, QualityBand::Warning, QualityBand::Refused].map(QualityBand::as_str)
    ))
);

/// A series and how many of its rows are sound.
///
/// `accepted_count + quarantined_count + unverifiable_count` is `received_count`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QualitySummary)]
struct SummaryResponse {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// Which source.
    #[schema(value_type = String, example = "csv")]
    source: Source,
    /// What its prices mean: `raw`, `split_adjusted`, `fully_adjusted` or `unknown`.
    #[schema(example = "unknown")]
    basis: &'static str,
    /// Whether models and charts use this source of the symbol.
    is_primary: bool,
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
    /// Accepted rows with a warning.
    #[schema(example = 4)]
    warning_rows_count: u64,
    /// The score: what should be there, less one for each row that is missing or has an error and a
    /// tenth for each with a warning, as a share.
    #[schema(minimum = 0, maximum = 1, example = 0.9967)]
    score_share: f64,
    /// Where it lies.
    band: BandWord,
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

impl From<&SeriesQuality> for SummaryResponse {
    fn from(series: &SeriesQuality) -> Self {
        let quality: &DataQuality = &series.quality;
        Self {
            symbol: quality.symbol,
            source: quality.source,
            basis: quality.basis.as_str(),
            is_primary: series.is_primary,
            origin: OriginWord(series.origin),
            interval: quality.interval,
            received_count: quality.received_count,
            accepted_count: quality.accepted_count,
            quarantined_count: quality.quarantined_count,
            unverifiable_count: quality.unverifiable_count,
            missing_sessions_count: quality.missing_sessions_count,
            warning_rows_count: quality.warning_rows_count,
            score_share: quality.score_share(),
            band: BandWord(series.band),
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

/// Reads the name of a source.
fn source(text: &str) -> Result<Source, String> {
    Source::parse(text).map_err(|error| format!("{error}; give one such as csv or yahoo"))
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
        good_share: overview.good_share,
        score_share: overview.score_share,
        band: overview.band.map(BandWord),
        sources: overview.sources.into_iter().map(SourceResponse::from).collect(),
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
    let Some(series) = app.primary_quality(symbol).await? else {
        return Err(match app.symbol(symbol).await? {
            Some(_) => ApiError::NotValidated(symbol),
            None => ApiError::SymbolNotFound(symbol),
        });
    };
    let filter = FindingFilter {
        symbol: Some(symbol),
        interval: Some(Interval::Daily),
        source: Some(series.quality.source),
        from: params.cursor,
        limit: params.limit,
        ..FindingFilter::default()
    };
    let page = app.finding_page(&filter).await?;
    let items = page.items.into_iter().map(FindingResponse::from).collect();
    let findings = Page { items, next: page.next.map(paging::from) };
    Ok(Json(SymbolQualityResponse { summary: SummaryResponse::from(&series), findings }))
}
