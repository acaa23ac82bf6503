//! `/api/v1/admin/activity`: what people do; `/api/v1/activity`: by which pages tell it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use bist_access::AccountId;
use bist_app::App;
use bist_app::telemetry::activity::{
    Activity, ActivityKind, ActivityPlace, ActivityPoint, ActivityQuery, Subject,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::csv::{self, Csv};
use super::{SpanParams, account, file_headers, user_names};
use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, JsonBody, NoParameters, QueryReader};
use crate::openapi::NoSuchSymbol;
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::schema::{Instant, schema, text};
use crate::visitor::{Asking, Person};

/// What pages tell.
const TOLD: [ActivityKind; 3] = [ActivityKind::View, ActivityKind::Search, ActivityKind::Export];

/// The routes of this resource.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(summary))
        .routes(routes!(file))
        .routes(routes!(tell))
}

/// What somebody did.
#[derive(Clone, Copy, Debug, Serialize)]
struct KindWord(&'static str);

schema!(
    KindWord,
    "ActivityKind",
    text(
        "What somebody did: signed in, looked at a share or a page, found a share by searching, took data \
         away, placed a paper order; or that a rule of theirs fired.",
        "view"
    )
    .enum_values(Some(ActivityKind::ALL.map(ActivityKind::as_str)))
);

/// What somebody did, or was told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Activity)]
pub(in crate::routes) struct ActivityResponse {
    /// When.
    at: Instant,
    /// What.
    kind: KindWord,
    /// Who.
    #[schema(example = "u0123456789abcdef")]
    account: String,
    /// Their user name, unless they were forgotten.
    #[schema(required, example = "ayse.yilmaz")]
    account_name: Option<String>,
    /// A symbol, also of what was ordered, a page by its path, what was exported, or the rule; null for
    /// signing in.
    #[schema(required, example = "THYAO")]
    subject: Option<String>,
    /// The request by which it was noted; null where it was by none.
    #[schema(required)]
    request_id: Option<String>,
}

impl ActivityResponse {
    pub(in crate::routes) fn of(activity: Activity, account_name: Option<String>) -> Self {
        Self {
            at: Instant(activity.place.at),
            kind: KindWord(activity.kind.as_str()),
            account: activity.account.to_string(),
            account_name,
            subject: activity.subject,
            request_id: activity.request_id,
        }
    }

    fn named(activity: Activity, names: &BTreeMap<AccountId, String>) -> Self {
        let name = names.get(&activity.account).cloned();
        Self::of(activity, name)
    }
}

/// How often something was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActivityKindCount)]
struct KindCountResponse {
    /// What.
    kind: KindWord,
    /// How often.
    count: u64,
}

/// A step of the chart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActivityPoint)]
struct PointResponse {
    /// Its begin.
    at: Instant,
    /// People who did something.
    active_count: u64,
    /// How often somebody signed in.
    sign_ins_count: u64,
    /// How often shares and pages were looked at.
    views_count: u64,
    /// How often shares were found by searching.
    searches_count: u64,
    /// How often data were taken away.
    exports_count: u64,
    /// How often rules fired.
    alerts_count: u64,
    /// How often paper orders were placed.
    orders_count: u64,
}

impl From<ActivityPoint> for PointResponse {
    fn from(point: ActivityPoint) -> Self {
        let ActivityPoint { at, counts } = point;
        Self {
            at: Instant(at),
            active_count: counts.active_count,
            sign_ins_count: counts.of(ActivityKind::SignIn),
            views_count: counts.of(ActivityKind::View),
            searches_count: counts.of(ActivityKind::Search),
            exports_count: counts.of(ActivityKind::Export),
            alerts_count: counts.of(ActivityKind::Alert),
            orders_count: counts.of(ActivityKind::Order),
        }
    }
}

/// How often what was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActivitySummary)]
struct SummaryResponse {
    /// From this instant on: what was asked for, as far back as anything is kept.
    from: Instant,
    /// Before this instant.
    to: Instant,
    /// How long each step is, seconds.
    step_s: i64,
    /// All kinds, also those that there were none of.
    kinds: Vec<KindCountResponse>,
    /// All steps, also those in which nothing was done.
    points: Vec<PointResponse>,
}

/// What somebody did on a page.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewActivity)]
struct TellRequest {
    /// What.
    #[schema(pattern = "^(view|search|export)$", example = "view")]
    kind: String,
    /// The symbol; or, where it is not about a share, the path of the page. Of a search, the symbol that
    /// was found: never what was typed.
    #[schema(
        max_length = 80,
        pattern = "^(/|(/[a-z0-9-]+)+|[A-Za-z0-9]{1,12}([.]([Ii][Ss]|[Ee]))?)$",
        example = "THYAO"
    )]
    subject: String,
}

/// Which activities are wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct FilterParams {
    /// Only those of this account.
    #[param(value_type = Option<String>, pattern = "^u[0-9a-f]{16}$", example = "u0123456789abcdef")]
    account: Option<AccountId>,
    /// Only those of this kind.
    #[param(value_type = Option<String>, pattern = "^(sign_in|view|search|export|alert|order)$", example = "view")]
    kind: Option<ActivityKind>,
}

/// Which page of them is wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct PageParams {
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^before-[0-9]{1,17}-[a-z][0-9a-f]{1,16}$", example = "before-1764000000000000-n17")]
    cursor: Option<ActivityPlace>,
}

/// A list, and which page of it.
struct ListParams(SpanParams, FilterParams, PageParams);

/// A list as a whole.
struct FileParams(SpanParams, FilterParams);

impl FromQuery for FilterParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let kind = |text: &str| {
            let known = ActivityKind::ALL.map(ActivityKind::as_str).join(", ");
            let none = || format!("'{text}' is none; give one of {known}");
            ActivityKind::parse(text).ok_or_else(none)
        };
        Ok(Self {
            account: query.optional("account", account)?,
            kind: query.optional("kind", kind)?,
        })
    }
}

impl FromQuery for ListParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let FileParams(span, filter) = FileParams::from_query(query)?;
        let limit = paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?;
        let cursor = paging::cursor(query, "before-", |text| text.parse().ok())?;
        Ok(Self(span, filter, PageParams { limit, cursor }))
    }
}

impl FromQuery for FileParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self(SpanParams::from_query(query)?, FilterParams::from_query(query)?))
    }
}

/// What people did, the newest first
#[utoipa::path(
    get, path = "/api/v1/admin/activity", tag = "admin", operation_id = "list_activity",
    params(SpanParams, FilterParams, PageParams),
    responses((status = 200, description = "What they did.", body = Page<ActivityResponse>))
)]
async fn list(
    State(app): State<Arc<App>>,
    Checked(ListParams(span, filter, page)): Checked<ListParams>,
) -> Result<Json<Page<ActivityResponse>>, ApiError> {
    let FilterParams { account, kind } = filter;
    let PageParams { limit, cursor: before } = page;
    let query = ActivityQuery { account, kind, before };
    let mut found = app.activities(span.span(app.now())?, query, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| format!("before-{}", last.place));
    let names = user_names(&app).await?;
    let items = found.into_iter().map(|one| ActivityResponse::named(one, &names)).collect();
    Ok(Json(Page { items, next }))
}

/// How often people did what, altogether and step by step
#[utoipa::path(
    get, path = "/api/v1/admin/activity/summary", tag = "admin", operation_id = "get_activity_summary",
    params(SpanParams),
    responses((status = 200, description = "How often.", body = SummaryResponse))
)]
async fn summary(
    State(app): State<Arc<App>>,
    Checked(params): Checked<SpanParams>,
) -> Result<Json<SummaryResponse>, ApiError> {
    let summary = app.activity_summary(params.span(app.now())?).await?;
    let kind = |kind: ActivityKind| KindCountResponse {
        kind: KindWord(kind.as_str()),
        count: summary.whole.of(kind),
    };
    Ok(Json(SummaryResponse {
        from: Instant(summary.from),
        to: Instant(summary.to),
        step_s: summary.step_s,
        kinds: ActivityKind::ALL.map(kind).into(),
        points: summary.points.into_iter().map(PointResponse::from).collect(),
    }))
}

/// All of what people did as a file; that it was given out is put on record
#[utoipa::path(
    get, path = "/api/v1/admin/activity.csv", tag = "admin", operation_id = "export_activity",
    params(SpanParams, FilterParams),
    responses((status = 200, description = "What they did.", body = String, content_type = "text/csv"))
)]
async fn file(
    Asking { app, .. }: Asking,
    Checked(FileParams(span, filter)): Checked<FileParams>,
) -> Result<impl IntoResponse, ApiError> {
    let FilterParams { account, kind } = filter;
    let query = ActivityQuery { account, kind, before: None };
    let found = app.export_activities(span.span(app.now())?, query).await?;
    let names = user_names(&app).await?;
    let columns = ["at", "kind", "account", "account_name", "subject", "request_id"];
    let mut table = Csv::with(&columns);
    for activity in found {
        let line = ActivityResponse::named(activity, &names);
        let optional = |text: Option<String>| csv::text(&text.unwrap_or_default());
        table.line(&[
            line.at.0.to_string(),
            line.kind.0.to_owned(),
            line.account,
            optional(line.account_name),
            optional(line.subject),
            optional(line.request_id),
        ]);
    }
    Ok((file_headers("attachment; filename=\"activity.csv\""), table.into_text()))
}

/// Tell what somebody did on a page
#[utoipa::path(
    post, path = "/api/v1/activity", tag = "personal", operation_id = "tell_activity",
    request_body(content = TellRequest, content_type = "application/json"),
    responses((status = 202, description = "It is noted, where such things are."), NoSuchSymbol)
)]
async fn tell(
    person: Person,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<TellRequest>,
) -> Result<StatusCode, ApiError> {
    let kind = TOLD.into_iter().find(|kind| kind.as_str() == request.kind);
    let kind = kind
        .ok_or_else(|| ApiError::Malformed("kind: give one of view, search, export".to_owned()))?;
    let subject = Subject::parse(&request.subject);
    let subject = subject.map_err(|error| ApiError::Malformed(error.to_string()))?;
    if kind == ActivityKind::Search && !matches!(subject, Subject::Symbol(_)) {
        let problem = "subject: give the symbol that was found, such as THYAO";
        return Err(ApiError::Malformed(problem.to_owned()));
    }
    let symbol = match &subject {
        Subject::Symbol(symbol) => Some(*symbol),
        Subject::Page(_) => None,
    };
    match (person.app.note_activity(kind, subject).await?, symbol) {
        (false, Some(symbol)) => Err(ApiError::SymbolNotFound(symbol)),
        (true, _) | (false, None) => Ok(StatusCode::ACCEPTED),
    }
}
