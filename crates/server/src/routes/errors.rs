//! `/api/v1/admin/errors`: what went wrong, for who looks after the server; `/api/v1/errors`: what a page
//! of the web app says went wrong in a browser.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use bist_app::telemetry::errors::PageError;
use bist_app::{App, Class, ErrorBreadcrumb, ErrorEvent, ErrorFilter, ErrorGroup};
use bist_app::{ErrorKind, ErrorState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, JsonBody, NoParameters, QueryReader, TextPath};
use crate::middleware::Around;
use crate::middleware::rate_limit::Spent;
use crate::middleware::request_id::RequestId;
use crate::openapi::NoSuchErrorGroup;
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::schema::{Instant, schema, text};
use crate::visitor::{Asking, Person};

/// Bytes of all that a page reports of one error.
const REPORT_BYTES_MAX: usize = 8 * 1024;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(set_state))
        .routes(routes!(report))
}

/// What kind of error it is.
#[derive(Clone, Copy, Debug, Serialize)]
struct KindWord(ErrorKind);

schema!(
    KindWord,
    "ErrorKind",
    text(
        "What kind of error it is: a `panic`, an `internal` failure of a request, a failed `job`, a \
         `page` in a browser, or any `other` that someone should act on.",
        "internal"
    )
    .enum_values(Some(ErrorKind::ALL.iter().copied().map(ErrorKind::as_str)))
);

/// What people have said about a group.
#[derive(Clone, Copy, Debug, Serialize)]
struct StateWord(ErrorState);

schema!(
    StateWord,
    "ErrorState",
    text(
        "What people have said about it: `open` until then, `resolved` until it happens again, `muted` \
         where nobody wants to hear of it.",
        "open"
    )
    .enum_values(Some(ErrorState::ALL.iter().copied().map(ErrorState::as_str)))
);

/// Errors that are the same.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ErrorGroup)]
struct GroupResponse {
    /// Its name for programs.
    #[schema(pattern = "^e[0-9a-f]{16}$", example = "e0123456789abcdef")]
    id: String,
    /// What kind they are.
    kind: KindWord,
    /// One line that names them.
    #[schema(example = "the store failed: the disk is full")]
    title: String,
    /// Where they happened: a route, a job, a part of the program or of the web app.
    #[schema(example = "/api/v1/bars")]
    place: String,
    /// What people have said about them.
    state: StateWord,
    /// When the first one happened.
    first_at: Instant,
    /// When the newest one happened.
    last_at: Instant,
    /// How many there were.
    events_count: u64,
    /// The newest request in which one happened; null when there was none.
    #[schema(required)]
    last_request_id: Option<String>,
    /// The version of the program that met it last.
    #[schema(example = "bist@0.1.0")]
    release: String,
}

impl From<ErrorGroup> for GroupResponse {
    fn from(group: ErrorGroup) -> Self {
        Self {
            id: group.id,
            kind: KindWord(group.kind),
            title: group.title,
            place: group.place,
            state: StateWord(group.state),
            first_at: Instant(group.first_at),
            last_at: Instant(group.last_at),
            events_count: group.events_count,
            last_request_id: group.last_request_id,
            release: group.release,
        }
    }
}

/// Something that was logged before an error, in the same request or run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ErrorBreadcrumb)]
struct BreadcrumbResponse {
    /// When.
    at: Instant,
    /// How important it was.
    #[schema(pattern = "^(info|warn|error)$", example = "info")]
    level: String,
    /// What was said.
    message: String,
}

impl From<ErrorBreadcrumb> for BreadcrumbResponse {
    fn from(kept: ErrorBreadcrumb) -> Self {
        Self { at: Instant(kept.at), level: kept.level, message: kept.message }
    }
}

/// One time that it happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ErrorEvent)]
struct EventResponse {
    /// When.
    at: Instant,
    /// What was said; of a page, with the stack.
    message: String,
    /// The request that was being answered, or that reported it; null when there was none.
    #[schema(required)]
    request_id: Option<String>,
    /// The path of that request as it is registered; of a page, where the page was.
    #[schema(required)]
    route: Option<String>,
    /// The version of the program.
    release: String,
    /// What was logged before in the same request or run, the oldest first.
    #[schema(max_items = 20)]
    breadcrumbs: Vec<BreadcrumbResponse>,
}

impl From<ErrorEvent> for EventResponse {
    fn from(event: ErrorEvent) -> Self {
        Self {
            at: Instant(event.at),
            message: event.message,
            request_id: event.request_id,
            route: event.route,
            release: event.release,
            breadcrumbs: event.breadcrumbs.into_iter().map(Into::into).collect(),
        }
    }
}

/// Errors that are the same, and the newest of them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ErrorGroupDetails)]
struct DetailsResponse {
    /// What is known of all of them.
    #[serde(flatten)]
    group: GroupResponse,
    /// The newest of them, the newest first.
    #[schema(max_items = 20)]
    events: Vec<EventResponse>,
}

/// What is said about a group.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ErrorStateChange)]
struct StateRequest {
    /// What it is from now on: `open`, `resolved` or `muted`.
    #[schema(pattern = "^(open|resolved|muted)$", example = "resolved")]
    state: String,
}

/// What a page says of an error that it met. It is cut to what is kept, and what looks like a secret is
/// taken out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PageError)]
struct ReportRequest {
    /// What was said.
    #[schema(example = "TypeError: bars is undefined", min_length = 1, max_length = 4096)]
    message: String,
    /// Which part of the web app met it.
    #[schema(example = "charts/PriceChart", min_length = 1, max_length = 4096)]
    place: String,
    /// Where in its code.
    #[schema(nullable = false, max_length = 8192)]
    #[serde(default)]
    stack: Option<String>,
    /// The path of the page.
    #[schema(nullable = false, example = "/symbols/THYAO", max_length = 4096)]
    #[serde(default)]
    page: Option<String>,
}

/// Which groups are wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only those of which this was said.
    #[param(value_type = Option<String>, pattern = "^(open|resolved|muted)$", example = "open")]
    state: Option<ErrorState>,
    /// Only those of this kind.
    #[param(value_type = Option<String>, pattern = "^(panic|internal|job|page|other)$", example = "internal")]
    kind: Option<ErrorKind>,
    /// Only those of which one is kept that happened in this request, by the `x-request-id` of its answer.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9._-]{1,64}$", example = "0e2d667361b00932891ec9221506b02e")]
    request_id: Option<String>,
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^before-[0-9]{1,17}-e[0-9a-f]{16}$", example = "before-1795521600000000-e0123456789abcdef")]
    cursor: Option<(i64, String)>,
}

impl FromQuery for ListParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let kind = |text: &str| {
            ErrorKind::parse(text).ok_or_else(|| {
                format!("'{text}' is no kind of error; give panic, internal, job, page or other")
            })
        };
        Ok(Self {
            state: query.optional("state", state)?,
            kind: query.optional("kind", kind)?,
            request_id: query.optional("request_id", request_id)?,
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor(query, "before-", mark)?,
        })
    }
}

fn request_id(text: &str) -> Result<String, String> {
    if RequestId::is_one(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("'{text}' is no id of a request; give the x-request-id of an answer"))
    }
}

fn state(text: &str) -> Result<ErrorState, String> {
    ErrorState::parse(text)
        .ok_or_else(|| format!("'{text}' is no state of an error; give open, resolved or muted"))
}

/// Where the list goes on, as a cursor says it.
fn mark(text: &str) -> Option<(i64, String)> {
    let (at_us, id) = text.split_once('-')?;
    let is_number = (1..=17).contains(&at_us.len()) && at_us.bytes().all(|b| b.is_ascii_digit());
    let is_name = id.len() == 17
        && id.starts_with('e')
        && id[1..].bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if is_number && is_name { Some((at_us.parse().ok()?, id.to_owned())) } else { None }
}

/// What went wrong, what happened last first
#[utoipa::path(
    get, path = "/api/v1/admin/errors", tag = "errors", operation_id = "list_errors",
    params(ListParams),
    responses((status = 200, description = "The groups.", body = Page<GroupResponse>))
)]
async fn list(
    Asking { app, .. }: Asking,
    Checked(params): Checked<ListParams>,
) -> Result<Json<Page<GroupResponse>>, ApiError> {
    let ListParams { state, kind, request_id, limit, cursor } = params;
    let filter = ErrorFilter { state, kind, request_id, before: cursor };
    let mut groups = app.error_groups(&filter, limit + 1).await?;
    let more = groups.len() > limit as usize;
    groups.truncate(limit as usize);
    let next = groups.last().filter(|_| more).map(|last| {
        let (at_us, id) = last.mark();
        format!("before-{at_us}-{id}")
    });
    Ok(Json(Page { items: groups.into_iter().map(Into::into).collect(), next }))
}

/// One group, with the newest of what happened
#[utoipa::path(
    get, path = "/api/v1/admin/errors/{id}", tag = "errors", operation_id = "error_details",
    params(("id" = String, Path, description = "The name of the group.", example = "e0123456789abcdef")),
    responses((status = 200, description = "The group.", body = DetailsResponse), NoSuchErrorGroup)
)]
async fn one(
    Asking { app, .. }: Asking,
    TextPath(id): TextPath,
    _: Checked<NoParameters>,
) -> Result<Json<DetailsResponse>, ApiError> {
    let Some((group, events)) = app.error_group(&id).await? else {
        return Err(ApiError::ErrorGroupNotFound(id));
    };
    let events = events.into_iter().map(Into::into).collect();
    Ok(Json(DetailsResponse { group: group.into(), events }))
}

/// Say that a group was dealt with, is not to be heard of, or is open again; that goes on record
#[utoipa::path(
    post, path = "/api/v1/admin/errors/{id}/state", tag = "errors", operation_id = "set_error_state",
    params(("id" = String, Path, description = "The name of the group.", example = "e0123456789abcdef")),
    request_body(content = StateRequest, content_type = "application/json"),
    responses((status = 200, description = "The group as it is now.", body = GroupResponse), NoSuchErrorGroup)
)]
async fn set_state(
    Asking { app, .. }: Asking,
    TextPath(id): TextPath,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<StateRequest>,
) -> Result<Json<GroupResponse>, ApiError> {
    let state = state(&request.state)
        .map_err(|problem| ApiError::Malformed(format!("state: {problem}")))?;
    match app.set_error_state(&id, state).await? {
        Some(group) => Ok(Json(group.into())),
        None => Err(ApiError::ErrorGroupNotFound(id)),
    }
}

/// Report an error that a page met; it is looked at by who looks after the server
#[utoipa::path(
    post, path = "/api/v1/errors", tag = "errors", operation_id = "report_error",
    request_body(content = ReportRequest, content_type = "application/json"),
    responses((status = 202, description = "It was taken in."))
)]
async fn report(
    person: Person,
    around: Around,
    _: Checked<NoParameters>,
    JsonBody(report): JsonBody<ReportRequest>,
) -> Result<StatusCode, ApiError> {
    let ReportRequest { message, place, stack, page } = report;
    if message.trim().is_empty() || place.trim().is_empty() {
        return Err(ApiError::Malformed("message and place: give some characters".to_owned()));
    }
    let optional = [&stack, &page].into_iter().flatten();
    let size_bytes: usize = [&message, &place].into_iter().chain(optional).map(String::len).sum();
    if size_bytes > REPORT_BYTES_MAX {
        return Err(ApiError::BodyTooLarge);
    }
    count(&around, &person).await?;
    person.app.report_page_error(&PageError { message, place, stack, page });
    Ok(StatusCode::ACCEPTED)
}

/// Counts a report of this person: a page that fails again and again says so a few times. Reports have as
/// much room as orders, and are not among them.
async fn count(around: &Around, person: &Person) -> Result<(), ApiError> {
    let limits = around.rates();
    let key = format!("page-error:{}", person.account.id);
    let decision = limits.check_beside(Class::Trading, &key).await;
    let quota = limits.quotas().of(Class::Trading);
    if decision.allowed {
        return Ok(());
    }
    Err(ApiError::RateLimited(Spent { policy: "page-errors".into(), quota, decision }))
}
