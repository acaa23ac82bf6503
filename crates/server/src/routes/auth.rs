//! `/api/v1/auth`: signing in and out, and what belongs to who has.

mod invitation;
mod passkeys;
mod second_factor;
mod sessions;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use bist_access::session::SESSION_TIME_MAX;
use bist_access::{Account, FactorKind, Role, SecondFactor, Secret, Session, Stage};
use bist_app::App;
use bist_app::access::second_factor::FirstFactor;
use bist_app::access::{AccessError, SignedIn};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, JsonBody, NoParameters};
use crate::middleware::authenticate::{SESSION_COOKIE, session_token};
use crate::openapi::{Refused, WeakPasswords};
use crate::schema::{Instant, schema, text};
use crate::visitor::{Attempts, Coming, Person, Site};

pub(crate) use passkeys::PasskeyResponse;
pub(crate) use sessions::{EndedResponse, OwnSessionResponse, SignInResponse};

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(login))
        .routes(routes!(logout))
        .routes(routes!(session))
        .routes(routes!(password))
        .merge(invitation::router())
        .merge(passkeys::router())
        .merge(second_factor::router())
        .merge(sessions::router())
}

/// A role.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct RoleWord(&'static str);

impl From<Role> for RoleWord {
    fn from(role: Role) -> Self {
        Self(role.as_str())
    }
}

schema!(
    RoleWord,
    "Role",
    text("What somebody may do; each role may do what those before it may.", "viewer")
        .enum_values(Some(Role::ALL.map(Role::as_str)))
);

/// How far somebody has come in signing in.
#[derive(Clone, Copy, Debug, Serialize)]
struct StageWord(&'static str);

schema!(
    StageWord,
    "SessionStage",
    text(
        "How far its owner has come: `second_factor` while the code is owed, `enrolment` for an \
         administrator without a second factor, `full` otherwise.",
        "full"
    )
    .enum_values(Some([Stage::SecondFactor, Stage::Enrolment, Stage::Full].map(Stage::as_str)))
);

/// A kind of second factor.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct FactorWord(&'static str);

impl FactorWord {
    /// The kinds that an account has.
    pub(crate) fn all(second_factor: SecondFactor) -> Vec<Self> {
        second_factor.kinds().into_iter().map(|kind| Self(kind.as_str())).collect()
    }
}

schema!(
    FactorWord,
    "SecondFactorKind",
    text("What somebody shows beside the password.", "authenticator")
        .enum_values(Some(FactorKind::ALL.map(FactorKind::as_str)))
);

/// Somebody who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Credentials)]
struct LoginRequest {
    /// The user name; case does not matter.
    #[schema(example = "ayse.yilmaz", max_length = 200)]
    user_name: String,
    /// The password.
    #[schema(format = Password, max_length = 1000)]
    password: String,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordChange)]
struct PasswordRequest {
    /// The password that is in force.
    #[schema(format = Password, max_length = 1000)]
    current_password: String,
    /// The password that takes its place: at least 12 characters, and hard to guess.
    #[schema(format = Password, max_length = 1000)]
    new_password: String,
}

/// The owner of a session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionAccount)]
struct AccountResponse {
    /// The name of the account for programs.
    #[schema(example = "u0123456789abcdef")]
    id: String,
    /// The user name.
    #[schema(example = "ayse.yilmaz")]
    user_name: String,
    /// What the owner may do.
    role: RoleWord,
}

/// The second factor of an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SecondFactor)]
struct SecondFactorResponse {
    /// Whether it is asked for.
    enabled: bool,
    /// Whether the role needs it.
    required: bool,
    /// The kinds that the account has; any of them will do.
    kinds: Vec<FactorWord>,
    /// The host for which passkeys are made; `null` where the page has no host name, so that there can
    /// be none.
    #[schema(required, example = "bist.example")]
    passkey_host: Option<String>,
    /// How many recovery codes were not used.
    recovery_codes_left: u64,
}

/// A session, as its page needs it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionResponse {
    /// Whose it is.
    account: AccountResponse,
    /// How far its owner has come.
    stage: StageWord,
    /// The second factor.
    second_factor: SecondFactorResponse,
    /// Until when a fresh code opens what needs one.
    #[schema(required)]
    stepped_up_until: Option<Instant>,
    /// What a page sends as `x-csrf-token` with every change.
    csrf_token: String,
    /// When the password was given.
    signed_in_at: Instant,
    /// When it is over unless it is used before.
    idle_expires_at: Instant,
    /// When it is over whatever is done.
    expires_at: Instant,
}

impl SessionResponse {
    /// The document of `session`.
    async fn of(
        app: &App,
        account: &Account,
        session: &Session,
        site: &Site,
    ) -> Result<Self, AccessError> {
        let now = app.now();
        Ok(Self {
            account: AccountResponse {
                id: account.id.to_string(),
                user_name: account.user_name.to_string(),
                role: account.role.into(),
            },
            stage: StageWord(session.stage(account).as_str()),
            second_factor: SecondFactorResponse {
                enabled: account.has_second_factor(),
                required: account.needs_second_factor(),
                kinds: FactorWord::all(account.second_factor),
                passkey_host: site.passkey_host().map(str::to_owned),
                recovery_codes_left: app.recovery_codes_left(account).await?,
            },
            stepped_up_until: session.stepped_up_until.filter(|until| now < *until).map(Instant),
            csrf_token: app.csrf_token(session).await?.expose().to_owned(),
            signed_in_at: Instant(session.signed_in_at),
            idle_expires_at: Instant(session.idle_expires_at(account)),
            expires_at: Instant(session.expires_at(account)),
        })
    }
}

/// The document of a session that was just begun, with the cookie that opens it.
async fn begun(
    app: &App,
    signed_in: &SignedIn,
    site: &Site,
) -> Result<impl IntoResponse + use<>, ApiError> {
    let SignedIn { account, session, .. } = signed_in;
    let document = SessionResponse::of(app, account, session, site).await?;
    Ok((cookie_of(signed_in)?, Json(document)))
}

/// The recovery codes that come with the first second factor.
fn shown_codes(first: Option<&FirstFactor>) -> Vec<String> {
    let codes = first.map(|first| first.recovery_codes.as_slice()).unwrap_or_default();
    codes.iter().map(|code| code.expose().to_owned()).collect()
}

/// The header that sets the cookie of a session that was just begun.
fn cookie_of(
    signed_in: &SignedIn,
) -> Result<AppendHeaders<[(header::HeaderName, HeaderValue); 1]>, ApiError> {
    let time_max = Duration::seconds(SESSION_TIME_MAX.as_secs());
    Ok(AppendHeaders([cookie(signed_in.token.expose(), time_max)?]))
}

/// The header that sets the cookie of a session for a while; for no time, it takes it away.
fn cookie(token: &str, time_max: Duration) -> Result<(header::HeaderName, HeaderValue), ApiError> {
    let cookie = Cookie::build((SESSION_COOKIE, token))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .max_age(time_max);
    let value = HeaderValue::from_str(&cookie.build().to_string());
    let value = value.map_err(|_| ApiError::Internal("a token is no cookie".to_owned()))?;
    Ok((header::SET_COOKIE, value))
}

/// Sign in with user name and password; a second factor, if there is one, is owed then
///
/// The session that the browser had before ends.
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "auth", operation_id = "sign_in",
    request_body(content = LoginRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "The session; its cookie is set.", body = SessionResponse),
        Refused,
    )
)]
async fn login(
    State(app): State<Arc<App>>,
    Coming(visit): Coming,
    site: Site,
    headers: HeaderMap,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<LoginRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let LoginRequest { user_name, password } = request;
    let signed_in = app.sign_in(&user_name, &Secret::new(password), &visit).await?;
    if let Some(token) = session_token(&headers) {
        app.leave_behind(&token, &visit).await?;
    }
    begun(&app, &signed_in, &site).await
}

/// Sign out: the session ends, and its cookie goes
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "auth", operation_id = "sign_out",
    responses((status = 204, description = "Signed out."))
)]
async fn logout(
    Coming(visit): Coming,
    Person { account, session, app }: Person,
    _: Checked<NoParameters>,
) -> Result<impl IntoResponse, ApiError> {
    app.sign_out(&account, &session.id, &visit).await?;
    let mut headers = HeaderMap::new();
    let (name, value) = cookie("", Duration::ZERO)?;
    headers.insert(name, value);
    // A browser forgets what it kept of this host.
    headers.insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    Ok((StatusCode::NO_CONTENT, headers))
}

/// Who is signed in, and how far
#[utoipa::path(
    get, path = "/api/v1/auth/session", tag = "auth", operation_id = "get_session",
    responses((status = 200, description = "The session.", body = SessionResponse))
)]
async fn session(
    Person { account, session, app }: Person,
    site: Site,
    _: Checked<NoParameters>,
) -> Result<Json<SessionResponse>, ApiError> {
    Ok(Json(SessionResponse::of(&app, &account, &session, &site).await?))
}

/// Change the password; all other sessions end
#[utoipa::path(
    post, path = "/api/v1/auth/password", tag = "auth", operation_id = "change_password",
    request_body(content = PasswordRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "The session that takes the place of this one.", body = SessionResponse),
        WeakPasswords,
    )
)]
async fn password(
    Coming(visit): Coming,
    Person { account, session, app }: Person,
    attempts: Attempts,
    site: Site,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<PasswordRequest>,
) -> Result<impl IntoResponse, ApiError> {
    attempts.count(&account).await?;
    let current = Secret::new(request.current_password);
    let new = Secret::new(request.new_password);
    let signed_in = app.change_password(&account, &session, &current, &new, &visit).await?;
    begun(&app, &signed_in, &site).await
}
