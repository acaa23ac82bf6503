//! `/api/v1/users`: accounts, for who looks after them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bist_access::{Account, AccountState};
use bist_app::App;
use bist_app::access::Invited;
use bist_app::access::users::{AccountStep, PersonalData, PersonalUsage};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::admin::ActivityResponse;
use super::alerts::{AlertResponse, ChannelResponse, RuleResponse};
use super::api_keys::KeyResponse;
use super::audit::RecordResponse;
use super::auth::{
    EndedResponse, FactorWord, OwnSessionResponse, PasskeyResponse, RoleWord, SignInResponse,
};
use super::portfolios::KeptPortfolioResponse;
use super::user_settings::SettingsResponse;
use super::watchlists::WatchlistResponse;
use crate::error::ApiError;
use crate::extract::{Checked, JsonBody, NoParameters, TextPath};
use crate::openapi::{NoSuchUser, SecondFactorStates, UserConflict};
use crate::paging::Page;
use crate::schema::{Instant, schema, text};
use crate::visitor::Asking;

/// The page of the web app that a link of an invitation opens.
const INVITATION_PAGE: &str = "/invitation";

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, invite))
        .routes(routes!(change, erase))
        .routes(routes!(reset))
        .routes(routes!(remove_second_factor))
        .routes(routes!(sign_out))
        .routes(routes!(export))
}

/// Where an account stands.
#[derive(Clone, Copy, Debug, Serialize)]
struct StateWord(&'static str);

schema!(
    StateWord,
    "UserState",
    text(
        "Where an account stands: `invited` before its owner has set a password, `active`, or \
         `disabled`.",
        "active"
    )
    .enum_values(Some(AccountState::ALL.map(AccountState::as_str)))
);

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
struct UserResponse {
    /// Its name for programs.
    #[schema(example = "u0123456789abcdef")]
    id: String,
    /// The user name.
    #[schema(example = "ayse.yilmaz")]
    user_name: String,
    /// What its owner may do.
    role: RoleWord,
    /// Where it stands.
    state: StateWord,
    /// What is asked for beside the password; nothing when there are none.
    second_factor_kinds: Vec<FactorWord>,
    /// When it was made.
    created_at: Instant,
    /// When its owner last signed in.
    #[schema(required)]
    last_signed_in_at: Option<Instant>,
}

impl From<&Account> for UserResponse {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id.to_string(),
            user_name: account.user_name.to_string(),
            role: account.role.into(),
            state: StateWord(account.state.as_str()),
            second_factor_kinds: FactorWord::all(account.second_factor),
            created_at: Instant(account.created_at),
            last_signed_in_at: account.last_signed_in_at.map(Instant),
        }
    }
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser)]
struct InviteRequest {
    /// By what its owner will sign in.
    #[schema(example = "ayse.yilmaz", max_length = 200)]
    user_name: String,
    /// What its owner may do.
    #[schema(pattern = "^(viewer|trader|analyst|admin)$", example = "viewer")]
    role: String,
}

/// What an account is to become; what is not given stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserChange)]
struct ChangeRequest {
    /// What its owner may do.
    #[schema(pattern = "^(viewer|trader|analyst|admin)$", example = "trader")]
    role: Option<String>,
    /// Whether its owner is kept out.
    disabled: Option<bool>,
}

/// A link by which the owner of an account sets a password; nobody sees it again.
#[derive(Serialize, ToSchema)]
#[schema(as = InvitationLink)]
struct LinkResponse {
    /// The path of the link, with what only its owner may know behind the `#`.
    #[schema(example = "/invitation#mYz0QWJ1...")]
    link_path: String,
    /// Until when it can be used.
    expires_at: Instant,
}

/// An account with the link for its owner.
#[derive(Serialize, ToSchema)]
#[schema(as = InvitedUser)]
struct InvitedResponse {
    /// The account.
    user: UserResponse,
    /// The link.
    invitation: LinkResponse,
}

impl From<&Invited> for InvitedResponse {
    fn from(invited: &Invited) -> Self {
        Self {
            user: UserResponse::from(&invited.account),
            invitation: LinkResponse {
                link_path: format!("{INVITATION_PAGE}#{}", invited.token.expose()),
                expires_at: Instant(invited.expires_at),
            },
        }
    }
}

/// What somebody asked for on a day.
#[derive(Serialize, ToSchema)]
#[schema(as = PersonalUsage)]
struct UsageResponse {
    /// The begin of the day, of UTC.
    day: Instant,
    /// The method.
    #[schema(example = "GET")]
    method: String,
    /// The path as it is registered.
    #[schema(example = "/api/v1/bars")]
    route: String,
    /// By which API key; null when by none.
    #[schema(required, example = "k0123456789abcdef")]
    key: Option<String>,
    /// How often.
    requests_count: u64,
}

impl From<PersonalUsage> for UsageResponse {
    fn from(usage: PersonalUsage) -> Self {
        let PersonalUsage { day, key, counts } = usage;
        Self {
            day: Instant(day),
            requests_count: counts.requests_count(),
            key: key.caller.key().map(ToString::to_string),
            method: key.method,
            route: key.route,
        }
    }
}

/// Everything that is kept about the owner of an account.
#[derive(Serialize, ToSchema)]
#[schema(as = PersonalData)]
struct PersonalDataResponse {
    /// The account.
    user: UserResponse,
    /// Sessions that are not over.
    sessions: Vec<OwnSessionResponse>,
    /// Attempts to sign in.
    sign_ins: Vec<SignInResponse>,
    /// Passkeys.
    passkeys: Vec<PasskeyResponse>,
    /// API keys.
    api_keys: Vec<KeyResponse>,
    /// Watchlists.
    watchlists: Vec<WatchlistResponse>,
    /// What they have set; null before they have.
    #[schema(required)]
    settings: Option<SettingsResponse>,
    /// Where they are told of alerts.
    alert_channels: Vec<ChannelResponse>,
    /// Their rules of alerts.
    alert_rules: Vec<RuleResponse>,
    /// What those fired, as far as it is kept.
    alerts: Vec<AlertResponse>,
    /// Their paper portfolios, with everything about them.
    portfolios: Vec<KeptPortfolioResponse>,
    /// What they did with the product, as far as it is kept.
    activities: Vec<ActivityResponse>,
    /// What they asked for by day, as far as it is kept.
    usage: Vec<UsageResponse>,
    /// What the audit holds about the person.
    audit: Vec<RecordResponse>,
}

fn role(text: &str) -> Result<bist_access::Role, ApiError> {
    text.parse().map_err(|error| ApiError::Malformed(format!("role: {error}")))
}

/// All accounts, by name
#[utoipa::path(
    get, path = "/api/v1/users", tag = "users", operation_id = "list_users",
    responses((status = 200, description = "The accounts.", body = Page<UserResponse>))
)]
async fn list(
    State(app): State<Arc<App>>,
    _: Checked<NoParameters>,
) -> Result<Json<Page<UserResponse>>, ApiError> {
    let users = app.users().await?;
    Ok(Json(Page { items: users.iter().map(UserResponse::from).collect(), next: None }))
}

/// Make an account; its owner sets the password by the link
#[utoipa::path(
    post, path = "/api/v1/users", tag = "users", operation_id = "invite_user",
    request_body(content = InviteRequest, content_type = "application/json"),
    responses(
        (status = 201, description = "The account and the link.", body = InvitedResponse),
        UserConflict,
    )
)]
async fn invite(
    asking: Asking,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<InviteRequest>,
) -> Result<(StatusCode, Json<InvitedResponse>), ApiError> {
    let InviteRequest { user_name, role: text } = request;
    let invited = asking.app.invite(&user_name, role(&text)?).await?;
    Ok((StatusCode::CREATED, Json(InvitedResponse::from(&invited))))
}

/// Give an account another role, keep its owner out, or let them in again; their sessions end
#[utoipa::path(
    patch, path = "/api/v1/users/{user}", tag = "users", operation_id = "change_user",
    params(("user" = String, Path, description = "The name of the account for programs, or the user name.", example = "u0123456789abcdef")),
    request_body(content = ChangeRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "The account as it is now.", body = UserResponse),
        NoSuchUser,
        UserConflict,
    )
)]
async fn change(
    asking: Asking,
    TextPath(user): TextPath,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<ChangeRequest>,
) -> Result<Json<UserResponse>, ApiError> {
    let role = request.role.as_deref().map(role).transpose()?;
    let step = AccountStep { role, disabled: request.disabled };
    let account = asking.app.change_user(&user, step).await?;
    Ok(Json(UserResponse::from(&account)))
}

/// Forget who the owner of an account is: everything personal goes
#[utoipa::path(
    delete, path = "/api/v1/users/{user}", tag = "users", operation_id = "erase_user",
    params(("user" = String, Path, description = "The name of the account for programs, or the user name.", example = "u0123456789abcdef")),
    responses((status = 204, description = "It is gone."), NoSuchUser, UserConflict)
)]
async fn erase(
    asking: Asking,
    TextPath(user): TextPath,
    _: Checked<NoParameters>,
) -> Result<StatusCode, ApiError> {
    asking.app.erase_user(&user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take the password and all sessions away; the owner sets another password by the link
#[utoipa::path(
    post, path = "/api/v1/users/{user}/reset", tag = "users", operation_id = "reset_user",
    params(("user" = String, Path, description = "The name of the account for programs, or the user name.", example = "u0123456789abcdef")),
    responses(
        (status = 200, description = "The account and the link.", body = InvitedResponse),
        NoSuchUser,
    )
)]
async fn reset(
    asking: Asking,
    TextPath(user): TextPath,
    _: Checked<NoParameters>,
) -> Result<Json<InvitedResponse>, ApiError> {
    let invited = asking.app.reset_user(&user).await?;
    Ok(Json(InvitedResponse::from(&invited)))
}

/// Take the second factor away, of which the owner has lost all ways; the sessions end
#[utoipa::path(
    delete, path = "/api/v1/users/{user}/second-factor", tag = "users", operation_id = "remove_second_factor",
    params(("user" = String, Path, description = "The name of the account for programs, or the user name.", example = "u0123456789abcdef")),
    responses(
        (status = 200, description = "The account.", body = UserResponse),
        NoSuchUser,
        SecondFactorStates,
    )
)]
async fn remove_second_factor(
    asking: Asking,
    TextPath(user): TextPath,
    _: Checked<NoParameters>,
) -> Result<Json<UserResponse>, ApiError> {
    let account = asking.app.remove_second_factor(&user).await?;
    Ok(Json(UserResponse::from(&account)))
}

/// End all sessions of an account
#[utoipa::path(
    delete, path = "/api/v1/users/{user}/sessions", tag = "users", operation_id = "sign_user_out",
    params(("user" = String, Path, description = "The name of the account for programs, or the user name.", example = "u0123456789abcdef")),
    responses(
        (status = 200, description = "How many ended.", body = EndedResponse),
        NoSuchUser,
    )
)]
async fn sign_out(
    asking: Asking,
    TextPath(user): TextPath,
    _: Checked<NoParameters>,
) -> Result<Json<EndedResponse>, ApiError> {
    let ended_count = asking.app.sign_user_out(&user).await?;
    Ok(Json(EndedResponse { ended_count }))
}

/// Everything that is kept about the owner of an account
#[utoipa::path(
    get, path = "/api/v1/users/{user}/export", tag = "users", operation_id = "export_user",
    params(("user" = String, Path, description = "The name of the account for programs, or the user name.", example = "u0123456789abcdef")),
    responses(
        (status = 200, description = "The data.", body = PersonalDataResponse),
        NoSuchUser,
    )
)]
async fn export(
    asking: Asking,
    TextPath(user): TextPath,
    _: Checked<NoParameters>,
) -> Result<Json<PersonalDataResponse>, ApiError> {
    let data = asking.app.personal_data(&user).await?;
    let PersonalData { account, sessions, sign_ins, passkeys, api_keys, records, .. } = data;
    let now = asking.app.now();
    Ok(Json(PersonalDataResponse {
        sessions: sessions
            .into_iter()
            .map(|session| OwnSessionResponse::of(session, &account, None))
            .collect(),
        sign_ins: sign_ins.into_iter().map(Into::into).collect(),
        passkeys: passkeys.into_iter().map(Into::into).collect(),
        api_keys: api_keys
            .iter()
            .map(|key| KeyResponse::of(key, &account.user_name, now))
            .collect(),
        watchlists: data.watchlists.into_iter().map(Into::into).collect(),
        settings: data.settings.map(Into::into),
        alert_channels: data.alert_channels.into_iter().map(Into::into).collect(),
        alert_rules: data.alert_rules.iter().map(|rule| RuleResponse::of(rule, now)).collect(),
        alerts: data.alerts.into_iter().map(AlertResponse::of).collect::<Result<_, _>>()?,
        portfolios: data.portfolios.into_iter().map(Into::into).collect(),
        activities: data
            .activities
            .into_iter()
            .map(|activity| ActivityResponse::of(activity, Some(account.user_name.to_string())))
            .collect(),
        usage: data.usage.into_iter().map(Into::into).collect(),
        audit: records.into_iter().map(|record| RecordResponse::of(record, None)).collect(),
        user: UserResponse::from(&account),
    }))
}
