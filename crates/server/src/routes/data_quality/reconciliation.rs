//! `/api/v1/data-quality/{symbol}/reconciliation`: two sources of a symbol beside each other.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::App;
use bist_app::reconciliation::Compared;
use bist_market::reconcile::{DayComparison, DayVerdict, SideName};
use bist_market::{Source, Symbol};
use serde::Serialize;
use utoipa::ToSchema;

use super::source;
use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, QueryReader, SymbolPath};
use crate::openapi::NoSecondSource;
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::schema::Day;

/// Two sources of the daily bars of a symbol.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reconciliation)]
pub(super) struct ReconciliationResponse {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// The one source.
    #[schema(value_type = String, example = "csv")]
    a: Source,
    /// The other.
    #[schema(value_type = String, example = "yahoo")]
    b: Source,
    /// First day compared.
    #[schema(required)]
    from: Option<Day>,
    /// Last day compared.
    #[schema(required)]
    to: Option<Day>,
    /// Days on which both have a return.
    #[schema(example = 812)]
    compared_count: u64,
    /// Of those, on which the returns agree.
    #[schema(example = 809)]
    agreeing_count: u64,
    /// The one as a share of the other; null when nothing could be compared.
    #[schema(required, minimum = 0, maximum = 1, example = 0.9963)]
    agreement_share: Option<f64>,
    /// Correlation of the returns; null when it is not defined.
    #[schema(required, minimum = -1, maximum = 1, example = 0.9998)]
    return_correlation: Option<f64>,
    /// Median of the volume of the one over that of the other; null without volumes.
    #[schema(required, example = 1.0)]
    volume_ratio_median: Option<f64>,
    /// Days that only the one has.
    #[schema(example = 0)]
    only_a_count: u64,
    /// Days that only the other has.
    #[schema(example = 3)]
    only_b_count: u64,
    /// The days on which they say something else, newest first.
    items: Vec<DayResponse>,
    /// Give this as `cursor` to get the next page; null at the end of the list.
    #[schema(required, example = "from-100")]
    next: Option<String>,
}

/// A day on which two sources do not agree.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ComparedDay)]
pub(super) struct DayResponse {
    /// The session.
    day: Day,
    /// Return by the one.
    #[schema(example = -0.0721)]
    return_share_a: f64,
    /// Return by the other.
    #[schema(example = -0.0312)]
    return_share_b: f64,
    /// Shares traded by the one.
    #[schema(required, example = 31250000)]
    volume_a: Option<u64>,
    /// Shares traded by the other.
    #[schema(required, example = 31250000)]
    volume_b: Option<u64>,
    /// What is to be said about it: `differs`, `early_close_a`, `early_close_b`, `wrong_close` when
    /// it is not known whose, `after_wrong_close`, `explained_by_actions`,
    /// `explained_by_adjustment`, `volume_differs`.
    #[schema(example = "early_close_b")]
    verdict: &'static str,
}

impl From<DayComparison> for DayResponse {
    fn from(day: DayComparison) -> Self {
        Self {
            day: Day(day.day),
            return_share_a: day.return_share_a,
            return_share_b: day.return_share_b,
            volume_a: day.volume_a.map(|shares| shares.0),
            volume_b: day.volume_b.map(|shares| shares.0),
            verdict: verdict(&day),
        }
    }
}

/// The word for a day.
const fn verdict(day: &DayComparison) -> &'static str {
    match day.verdict {
        DayVerdict::Agrees => "volume_differs",
        DayVerdict::ExplainedByActions => "explained_by_actions",
        DayVerdict::ExplainedByAdjustment => "explained_by_adjustment",
        DayVerdict::EarlyClose { side: SideName::A } => "early_close_a",
        DayVerdict::EarlyClose { side: SideName::B } => "early_close_b",
        DayVerdict::WrongClose => "wrong_close",
        DayVerdict::AfterWrongClose => "after_wrong_close",
        DayVerdict::Differs => "differs",
    }
}

/// Whether the two say something else of a day, for whatever reason.
fn is_worth_a_line(day: &DayComparison) -> bool {
    day.verdict != DayVerdict::Agrees || day.volume_agrees == Some(false)
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReconciliationParams {
    /// The one source; without it, the one that models and charts use.
    #[param(value_type = Option<String>, pattern = "^[a-z0-9_-]{1,24}$", example = "csv")]
    a: Option<Source>,
    /// The other source; without it, the next that there is.
    #[param(value_type = Option<String>, pattern = "^[a-z0-9_-]{1,24}$", example = "yahoo")]
    b: Option<Source>,
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^from-[0-9]{1,18}$", example = "from-100")]
    cursor: u64,
}

impl FromQuery for ReconciliationParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self {
            a: query.optional("a", source)?,
            b: query.optional("b", source)?,
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor_from(query)?,
        })
    }
}

/// How two sources of a symbol compare: returns, not levels, and volumes
#[utoipa::path(
    get, path = "/api/v1/data-quality/{symbol}/reconciliation", tag = "data-quality", operation_id = "get_reconciliation",
    params(
        ("symbol" = String, Path, description = "The ticker; case does not matter.", pattern = "^[A-Za-z0-9]{1,12}([.]([Ii][Ss]|[Ee]))?$", example = "THYAO"),
        ReconciliationParams,
    ),
    responses(
        (status = 200, description = "Overall, and the days on which they do not agree.", body = ReconciliationResponse),
        NoSecondSource,
    )
)]
pub(super) async fn reconciliation(
    State(app): State<Arc<App>>,
    SymbolPath(symbol): SymbolPath,
    Checked(params): Checked<ReconciliationParams>,
) -> Result<Json<ReconciliationResponse>, ApiError> {
    let (a, b, compared) = match app.reconciliation(symbol, params.a, params.b).await? {
        Compared::Two { a, b, reconciliation } => (a, b, *reconciliation),
        Compared::OneSource(source) => return Err(ApiError::NoSecondSource(symbol, source)),
        Compared::NoSuchSeries => return Err(ApiError::SymbolNotFound(symbol)),
    };
    let (from, to) = (compared.days.first(), compared.days.last());
    let (from, to) = (from.map(|day| Day(day.day)), to.map(|day| Day(day.day)));
    let differing: Vec<DayComparison> =
        compared.days.iter().rev().filter(|day| is_worth_a_line(day)).copied().collect();
    let page = paging::page(differing, params.cursor, params.limit);
    let Page { items, next } = page.map(DayResponse::from);
    Ok(Json(ReconciliationResponse {
        symbol,
        a,
        b,
        from,
        to,
        compared_count: compared.compared_count,
        agreeing_count: compared.agreeing_count,
        agreement_share: compared.agreement_share,
        return_correlation: compared.return_correlation,
        volume_ratio_median: compared.volume_ratio_median,
        only_a_count: compared.only_a_count,
        only_b_count: compared.only_b_count,
        items,
        next,
    }))
}
