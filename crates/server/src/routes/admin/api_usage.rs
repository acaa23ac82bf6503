//! `/api/v1/admin/api-usage`: who asked for what, how often, with what result, and how soon.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use bist_access::{AccountId, KeyId};
use bist_app::App;
use bist_app::telemetry::METHODS;
use bist_app::telemetry::usage::{
    SKETCH_ERROR, UsageBy, UsageFilter, UsageItem, UsageName, UsagePoint,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::csv::{self, Csv};
use super::{CountsResponse, SpanParams, TotalsResponse, account, file_headers, user_names};
use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, QueryReader};
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX};
use crate::schema::Instant;
use crate::visitor::Asking;

/// Most characters of a path.
const ROUTE_CHARS_MAX: usize = 200;

/// The columns of the file.
const COLUMNS: [&str; 13] = [
    "name",
    "method",
    "account",
    "key",
    "requests_count",
    "client_errors_count",
    "refused_count",
    "errors_count",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "mean_ms",
    "last_at",
];

/// The routes of this resource.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(table)).routes(routes!(series)).routes(routes!(file))
}

/// What people and keys are called.
#[derive(Debug)]
pub(super) struct Names {
    accounts: BTreeMap<AccountId, String>,
    keys: BTreeMap<KeyId, String>,
}

impl Names {
    /// Nothing is called anything: there are only paths.
    pub(super) const fn none() -> Self {
        Self { accounts: BTreeMap::new(), keys: BTreeMap::new() }
    }

    async fn of(app: &App, by: UsageBy) -> Result<Self, ApiError> {
        Ok(match by {
            UsageBy::Route => Self::none(),
            UsageBy::Account | UsageBy::Key => {
                Self { accounts: user_names(app).await?, keys: app.key_names().await? }
            }
        })
    }
}

/// Requests that have something in common.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageItem)]
pub(super) struct ItemResponse {
    #[serde(flatten)]
    totals: TotalsResponse,
    /// What they have in common: the path as it is registered, the user name, or what the key is called.
    /// `(no route)` are files and pages of the web app and paths that do not exist, `(nobody)` those where
    /// nobody had to say who asks or the person was forgotten, `(no key)` those of people, `(other)`
    /// those of callers that were too many at a time to be told apart.
    #[schema(example = "/api/v1/bars")]
    name: String,
    /// The method, by path; null otherwise.
    #[schema(required, example = "GET")]
    method: Option<String>,
    /// The account, where they are one's.
    #[schema(required, example = "u0123456789abcdef")]
    account: Option<String>,
    /// The API key, where they are by one.
    #[schema(required, example = "k0123456789abcdef")]
    key: Option<String>,
}

impl ItemResponse {
    pub(super) fn of(item: &UsageItem, names: &Names) -> Self {
        let named = |name: Option<&String>, id: &str| name.map_or(id, String::as_str).to_owned();
        let (name, method, account, key) = match &item.name {
            UsageName::Route { method, route } => (route.clone(), Some(method.clone()), None, None),
            UsageName::Account(id) => {
                (named(names.accounts.get(id), id.as_str()), None, Some(id), None)
            }
            UsageName::Key { key, account } => {
                (named(names.keys.get(key), key.as_str()), None, Some(account), Some(key))
            }
            UsageName::NoKey => ("(no key)".to_owned(), None, None, None),
            UsageName::Nobody => ("(nobody)".to_owned(), None, None, None),
            UsageName::Others => ("(other)".to_owned(), None, None, None),
        };
        Self {
            totals: TotalsResponse::from(&item.counts),
            name,
            method,
            account: account.map(ToString::to_string),
            key: key.map(ToString::to_string),
        }
    }

    fn cells(&self) -> [String; COLUMNS.len()] {
        let TotalsResponse { counts, last_at } = &self.totals;
        let optional = |text: &Option<String>| csv::text(text.as_deref().unwrap_or_default());
        [
            csv::text(&self.name),
            optional(&self.method),
            optional(&self.account),
            optional(&self.key),
            counts.requests_count.to_string(),
            counts.client_errors_count.to_string(),
            counts.refused_count.to_string(),
            counts.errors_count.to_string(),
            csv::value(counts.p50_ms),
            csv::value(counts.p95_ms),
            csv::value(counts.p99_ms),
            csv::value(counts.mean_ms),
            csv::value(last_at.map(|Instant(at)| at)),
        ]
    }
}

/// How the API was used.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiUsage)]
struct UsageResponse {
    /// When it was looked at.
    as_of: Instant,
    /// From this instant on: what was asked for, to whole steps.
    from: Instant,
    /// Before this instant.
    to: Instant,
    /// How exact both ends are, seconds: a minute, an hour or a day, the finest that is kept for all of
    /// the span.
    step_s: i64,
    /// How far a latency may be from the exact one, as a share of it.
    #[schema(minimum = 0, maximum = 1)]
    sketch_error: f64,
    /// All requests.
    total: TotalsResponse,
    /// The lines of this page, the one with the most requests first. Each page is counted when it is asked
    /// for: those of all pages add up to the total where nothing is asked between them.
    items: Vec<ItemResponse>,
    /// Give this as `cursor` to get the next page; null at the end.
    #[schema(required)]
    next: Option<String>,
}

/// A step of a chart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsagePoint)]
struct PointResponse {
    /// Its begin.
    at: Instant,
    #[serde(flatten)]
    counts: CountsResponse,
}

/// A chart of how the API was used.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageSeries)]
struct SeriesResponse {
    /// From this instant on, as in the table.
    from: Instant,
    /// Before this instant.
    to: Instant,
    /// How long each step is, seconds; at its ends the span may have parts of steps.
    step_s: i64,
    /// All steps, also those without requests; together they are what the table of the same moment counts.
    points: Vec<PointResponse>,
}

/// Which table is wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ByParams {
    /// What each line has in common.
    #[param(value_type = Option<String>, pattern = "^(route|account|key)$", default = "route")]
    by: UsageBy,
}

/// Which page of it is wanted.
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

/// A table, and which page of it.
struct TableParams(SpanParams, ByParams, PageParams);

/// A table as a whole.
struct FileParams(SpanParams, ByParams);

/// Which requests a chart shows.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct FilterParams {
    /// Only those of this path, as it is registered.
    #[param(value_type = Option<String>, max_length = 200, pattern = "^[!-~ ]{1,200}$", example = "/api/v1/bars")]
    route: Option<String>,
    /// Only those with this method.
    #[param(value_type = Option<String>, pattern = "^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|other)$", example = "GET")]
    method: Option<String>,
    /// Only those of this account.
    #[param(value_type = Option<String>, pattern = "^u[0-9a-f]{16}$", example = "u0123456789abcdef")]
    account: Option<AccountId>,
    /// Only those by this API key.
    #[param(value_type = Option<String>, pattern = "^k[0-9a-f]{16}$", example = "k0123456789abcdef")]
    key: Option<KeyId>,
}

/// A chart.
struct SeriesParams(SpanParams, FilterParams);

impl FromQuery for ByParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let by = query.optional("by", |text| {
            let by = UsageBy::ALL.into_iter().find(|by| by.as_str() == text);
            by.ok_or_else(|| format!("'{text}' is none; give route, account or key"))
        })?;
        Ok(Self { by: by.unwrap_or(UsageBy::Route) })
    }
}

impl FromQuery for TableParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let (span, by) = (SpanParams::from_query(query)?, ByParams::from_query(query)?);
        let limit = paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?;
        Ok(Self(span, by, PageParams { limit, cursor: paging::cursor_from(query)? }))
    }
}

impl FromQuery for FileParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self(SpanParams::from_query(query)?, ByParams::from_query(query)?))
    }
}

impl FromQuery for SeriesParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let span = SpanParams::from_query(query)?;
        let route = |text: &str| match text.len() {
            1..=ROUTE_CHARS_MAX if text.chars().all(|c| (' '..='~').contains(&c)) => {
                Ok(text.to_owned())
            }
            _ => Err("it is no path; give one such as /api/v1/bars".to_owned()),
        };
        let method = |text: &str| match METHODS.contains(&text) {
            true => Ok(text.to_owned()),
            false => Err(format!("'{text}' is none; give one of {}", METHODS.join(", "))),
        };
        let key = |text: &str| {
            text.parse::<KeyId>()
                .map_err(|error| format!("{error}; give one such as k0123456789abcdef"))
        };
        let filter = FilterParams {
            route: query.optional("route", route)?,
            method: query.optional("method", method)?,
            account: query.optional("account", account)?,
            key: query.optional("key", key)?,
        };
        Ok(Self(span, filter))
    }
}

/// How the API was used, by path, account or key
#[utoipa::path(
    get, path = "/api/v1/admin/api-usage", tag = "admin", operation_id = "list_api_usage",
    params(SpanParams, ByParams, PageParams),
    responses((status = 200, description = "The table.", body = UsageResponse))
)]
async fn table(
    State(app): State<Arc<App>>,
    Checked(TableParams(span, ByParams { by }, page)): Checked<TableParams>,
) -> Result<Json<UsageResponse>, ApiError> {
    let usage = app.api_usage(by, span.span(app.now())?).await?;
    let names = Names::of(&app, by).await?;
    let page = paging::page(&usage.items, page.cursor, page.limit);
    let page = page.map(|item| ItemResponse::of(item, &names));
    Ok(Json(UsageResponse {
        as_of: Instant(usage.as_of),
        from: Instant(usage.span.from),
        to: Instant(usage.span.to),
        step_s: usage.span.resolution.length_s(),
        sketch_error: SKETCH_ERROR,
        total: TotalsResponse::from(&usage.total),
        items: page.items,
        next: page.next,
    }))
}

/// How the API was used, step by step
#[utoipa::path(
    get, path = "/api/v1/admin/api-usage/series", tag = "admin", operation_id = "get_api_usage_series",
    params(SpanParams, FilterParams),
    responses((status = 200, description = "The chart.", body = SeriesResponse))
)]
async fn series(
    State(app): State<Arc<App>>,
    Checked(SeriesParams(span, filter)): Checked<SeriesParams>,
) -> Result<Json<SeriesResponse>, ApiError> {
    let FilterParams { route, method, account, key } = filter;
    let filter = UsageFilter { route, method, account, key };
    let (span, step, points) = app.usage_series(&filter, span.span(app.now())?).await?;
    let shown = |point: UsagePoint| PointResponse {
        at: Instant(point.at),
        counts: CountsResponse::from(&point.counts),
    };
    Ok(Json(SeriesResponse {
        from: Instant(span.from),
        to: Instant(span.to),
        step_s: step.length_s,
        points: points.into_iter().map(shown).collect(),
    }))
}

/// The whole table as a file; that it was given out is put on record
#[utoipa::path(
    get, path = "/api/v1/admin/api-usage.csv", tag = "admin", operation_id = "export_api_usage",
    params(SpanParams, ByParams),
    responses((status = 200, description = "The table.", body = String, content_type = "text/csv"))
)]
async fn file(
    Asking { app, .. }: Asking,
    Checked(FileParams(span, ByParams { by })): Checked<FileParams>,
) -> Result<impl IntoResponse, ApiError> {
    let usage = app.export_api_usage(by, span.span(app.now())?).await?;
    let names = Names::of(&app, by).await?;
    let mut table = Csv::with(&COLUMNS);
    for item in &usage.items {
        table.line(&ItemResponse::of(item, &names).cells());
    }
    Ok((file_headers("attachment; filename=\"api-usage.csv\""), table.into_text()))
}
