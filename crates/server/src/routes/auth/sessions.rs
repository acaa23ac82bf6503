//! The sessions of who asks, and the history of their sign-ins.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use bist_access::{Account, Session, SessionId};
use bist_app::App;
use bist_app::access::AccessError;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, NoParameters, QueryReader, TextPath};
use crate::openapi::NoSuchSession;
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::schema::{Instant, schema, text};
use crate::visitor::{Coming, Person};

/// The routes of this part.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, end_others))
        .routes(routes!(end))
        .routes(routes!(history))
}

/// A session, as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnSession)]
pub(crate) struct OwnSessionResponse {
    /// Its name.
    #[schema(example = "s0123456789abcdef")]
    id: String,
    /// Whether it is the one that asks.
    current: bool,
    /// When the password was given.
    signed_in_at: Instant,
    /// When it was last used, to the minute.
    last_seen_at: Instant,
    /// When it is over whatever is done.
    expires_at: Instant,
    /// From where, as the network tells.
    #[schema(required)]
    address: Option<String>,
    /// With what, as the browser tells.
    #[schema(required)]
    user_agent: Option<String>,
}

impl OwnSessionResponse {
    /// The session `other` of `account`, seen from the session `current`.
    pub(crate) fn of(other: Session, account: &Account, current: Option<&SessionId>) -> Self {
        Self {
            current: current == Some(&other.id),
            id: other.id.to_string(),
            signed_in_at: Instant(other.signed_in_at),
            last_seen_at: Instant(other.last_seen_at),
            expires_at: Instant(other.expires_at(account)),
            address: other.address,
            user_agent: other.user_agent,
        }
    }
}

/// How many sessions ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EndedSessions)]
pub(crate) struct EndedResponse {
    /// How many.
    pub(crate) ended_count: u64,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, Serialize)]
struct OutcomeWord(&'static str);

schema!(
    OutcomeWord,
    "SignInOutcome",
    text(
        "What came of an attempt to sign in. `code_owed`: the password was right, and a code was \
         asked for; `not_open`: the account is disabled, or has no password yet.",
        "signed_in"
    )
    .enum_values(Some(bist_app::SignInOutcome::ALL.map(bist_app::SignInOutcome::as_str)))
);

/// An attempt to sign in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignIn)]
pub(crate) struct SignInResponse {
    /// When it was.
    at: Instant,
    /// What came of it.
    outcome: OutcomeWord,
    /// From where, as the network tells.
    #[schema(required)]
    address: Option<String>,
    /// With what, as the browser tells.
    #[schema(required)]
    user_agent: Option<String>,
}

impl From<bist_app::SignIn> for SignInResponse {
    fn from(sign_in: bist_app::SignIn) -> Self {
        Self {
            at: Instant(sign_in.at),
            outcome: OutcomeWord(sign_in.outcome.as_str()),
            address: sign_in.origins.address,
            user_agent: sign_in.origins.user_agent,
        }
    }
}

/// Which attempts are wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct HistoryParams {
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^before-[0-9]{1,15}$", example = "before-120")]
    cursor: Option<i64>,
}

impl FromQuery for HistoryParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self {
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor(query, "before-", |text| text.parse().ok())?,
        })
    }
}

/// Your sessions that are not over, the one used last first
#[utoipa::path(
    get, path = "/api/v1/auth/sessions", tag = "auth", operation_id = "list_sessions",
    responses((status = 200, description = "The sessions.", body = Page<OwnSessionResponse>))
)]
async fn list(
    Person { account, session, app }: Person,
    _: Checked<NoParameters>,
) -> Result<Json<Page<OwnSessionResponse>>, ApiError> {
    let shown = |other| OwnSessionResponse::of(other, &account, Some(&session.id));
    let items = app.sessions(&account).await?.into_iter().map(shown).collect();
    Ok(Json(Page { items, next: None }))
}

/// End all your sessions but this one. Needs a fresh proof
#[utoipa::path(
    delete, path = "/api/v1/auth/sessions", tag = "auth", operation_id = "end_other_sessions",
    responses((status = 200, description = "How many ended.", body = EndedResponse))
)]
async fn end_others(
    Coming(visit): Coming,
    person: Person,
    _: Checked<NoParameters>,
) -> Result<Json<EndedResponse>, ApiError> {
    person.require_fresh_proof()?;
    let Person { account, session, app } = person;
    let ended_count = app.sign_out_elsewhere(&account, &session.id, &visit).await?;
    Ok(Json(EndedResponse { ended_count }))
}

/// End one of your sessions. Another than this one needs a fresh proof
#[utoipa::path(
    delete, path = "/api/v1/auth/sessions/{session}", tag = "auth", operation_id = "end_session",
    params(("session" = String, Path, description = "The name of the session.", example = "s0123456789abcdef")),
    responses((status = 204, description = "It ended."), NoSuchSession)
)]
async fn end(
    Coming(visit): Coming,
    person: Person,
    TextPath(id): TextPath,
    _: Checked<NoParameters>,
) -> Result<StatusCode, ApiError> {
    let id = id.parse().map_err(|_| AccessError::NoSuchSession(id))?;
    if id != person.session.id {
        person.require_fresh_proof()?;
    }
    person.app.sign_out(&person.account, &id, &visit).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Attempts to sign in to your account, the newest first
#[utoipa::path(
    get, path = "/api/v1/auth/history", tag = "auth", operation_id = "list_sign_ins",
    params(HistoryParams),
    responses((status = 200, description = "The attempts.", body = Page<SignInResponse>))
)]
async fn history(
    Person { account, app, .. }: Person,
    Checked(params): Checked<HistoryParams>,
) -> Result<Json<Page<SignInResponse>>, ApiError> {
    let HistoryParams { limit, cursor } = params;
    let mut sign_ins = app.sign_ins(&account, cursor, limit + 1).await?;
    let more = sign_ins.len() > limit as usize;
    sign_ins.truncate(limit as usize);
    let next = sign_ins.last().filter(|_| more).map(|last| format!("before-{}", last.number));
    Ok(Json(Page { items: sign_ins.into_iter().map(Into::into).collect(), next }))
}
