//! `/api/v1/api-keys`: what programs show instead of a password.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use bist_access::api_key::{KEY_DAYS_DEFAULT, parse_networks};
use bist_access::token::api_key_prefix;
use bist_access::{AccountId, ApiKey, KeyRequest, KeyState, Role, Scope, UserName};
use bist_app::App;
use bist_app::access::AccessError;
use bist_app::access::api_keys::MadeKey;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, JsonBody, NoParameters, QueryReader, TextPath};
use crate::middleware::authenticate::require_key;
use crate::openapi::{KeyConflict, NoSuchKey};
use crate::paging::Page;
use crate::schema::{Instant, schema, text};
use crate::visitor::Asking;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(collect_successor))
        .routes(routes!(revoke))
        .routes(routes!(rotate))
        .routes(routes!(collect))
}

/// Whether a key is good.
#[derive(Clone, Copy, Debug, Serialize)]
struct StateWord(&'static str);

schema!(
    StateWord,
    "ApiKeyState",
    text(
        "Whether a key is good: `active`; `grace` for a while after another took its place; \
         `expired`; `revoked`.",
        "active"
    )
    .enum_values(Some(KeyState::ALL.map(KeyState::as_str)))
);

/// What a key may do.
#[derive(Clone, Copy, Debug, Serialize)]
struct ScopeWord(&'static str);

schema!(
    ScopeWord,
    "ApiKeyScope",
    text(
        "What a key may do, and never more than its owner: `read` what a viewer may; `trade`, \
         `analyse` and `admin` what traders, analysts and administrators may besides.",
        "read"
    )
    .enum_values(Some(Scope::ALL.map(Scope::as_str)))
);

/// A key, without what proves that one has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct KeyResponse {
    /// Its name for programs.
    #[schema(example = "k0123456789abcdef")]
    id: String,
    /// The account in whose name it acts.
    #[schema(example = "u0123456789abcdef")]
    account: String,
    /// The user name of its owner.
    #[schema(example = "ayse.yilmaz")]
    user_name: String,
    /// What its owner calls it.
    #[schema(example = "nightly report")]
    name: String,
    /// What every text of it begins with.
    #[schema(example = "bist_k0123456789abcdef_")]
    prefix: String,
    /// What it may do.
    scopes: Vec<ScopeWord>,
    /// From which networks it may be used; empty for everywhere.
    #[schema(example = json!(["203.0.113.0/24"]))]
    addresses: Vec<String>,
    /// When it was made.
    created_at: Instant,
    /// When its time is over.
    expires_at: Instant,
    /// When it was last used, to the minute.
    #[schema(required)]
    last_used_at: Option<Instant>,
    /// Whether it is good.
    state: StateWord,
    /// What took its place.
    #[schema(required)]
    replaced_by: Option<String>,
    /// Whether it gets a successor seven days before its end.
    auto_rotate: bool,
    /// Whether it is such a successor, and nobody has collected it yet.
    is_uncollected: bool,
    /// Days to its end, of which the last one has begun, when there are seven or fewer: rotate it, or
    /// collect its successor.
    #[schema(required, example = 6)]
    ends_in_days: Option<i64>,
}

impl KeyResponse {
    /// `key` of `owner` as it stands at `now`.
    pub(crate) fn of(key: &ApiKey, owner: &UserName, now: Timestamp) -> Self {
        Self {
            id: key.id.to_string(),
            account: key.account.to_string(),
            user_name: owner.to_string(),
            name: key.name.clone(),
            prefix: api_key_prefix(&key.id),
            scopes: key.scopes.iter().map(|scope| ScopeWord(scope.as_str())).collect(),
            addresses: key.networks.iter().map(ToString::to_string).collect(),
            created_at: Instant(key.created_at),
            expires_at: Instant(key.expires_at),
            last_used_at: key.last_used_at.map(Instant),
            state: StateWord(key.state(now).as_str()),
            replaced_by: key.replaced_by.as_ref().map(ToString::to_string),
            auto_rotate: key.auto_rotate,
            is_uncollected: key.is_uncollected,
            ends_in_days: key.ends_soon(now).then(|| key.days_left(now)),
        }
    }
}

/// A new key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewApiKey)]
struct NewKeyRequest {
    /// What to call it.
    #[schema(example = "nightly report", min_length = 1, max_length = 80)]
    name: String,
    /// What it may do.
    #[schema(example = json!(["read"]), min_items = 1, max_items = 4)]
    scopes: Vec<String>,
    /// From which networks it may be used; everywhere when none is given.
    #[serde(default)]
    #[schema(example = json!(["203.0.113.0/24"]), max_items = 32)]
    addresses: Vec<String>,
    /// How many days it is good for; 90 when none is given.
    #[schema(minimum = 1, maximum = 365, example = 90)]
    expires_in_days: Option<u16>,
    /// Whether it gets a successor seven days before its end, which it or its owner collects.
    #[serde(default)]
    #[schema(example = false)]
    auto_rotate: bool,
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeApiKey)]
struct MadeKeyResponse {
    /// The key.
    key: KeyResponse,
    /// What a program sends as `authorization: Bearer ...`; nobody sees it again.
    #[schema(example = "bist_k0123456789abcdef_...")]
    token: String,
}

/// A key that takes the place of another.
#[derive(Serialize, ToSchema)]
#[schema(as = RotatedApiKey)]
struct RotatedKeyResponse {
    /// The new key.
    key: KeyResponse,
    /// What a program sends as `authorization: Bearer ...`; nobody sees it again.
    #[schema(example = "bist_k0123456789abcdef_...")]
    token: String,
    /// The key before, and until when it is good.
    old: KeyResponse,
}

/// Whose keys are wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Whether those of everybody are wanted; administrators only.
    #[param(value_type = Option<bool>, default = false)]
    all: bool,
}

impl FromQuery for ListParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let parse = |text: &str| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(format!("'{other}' is neither; give true or false")),
        };
        Ok(Self { all: query.optional("all", parse)?.unwrap_or(false) })
    }
}

/// Your API keys, or those of everybody, the newest first
#[utoipa::path(
    get, path = "/api/v1/api-keys", tag = "api-keys", operation_id = "list_api_keys",
    params(ListParams),
    responses((status = 200, description = "The keys.", body = Page<KeyResponse>))
)]
async fn list(
    asking: Asking,
    Checked(ListParams { all }): Checked<ListParams>,
) -> Result<Json<Page<KeyResponse>>, ApiError> {
    let account = &asking.caller.account;
    if all {
        asking.require(Role::Admin)?;
    }
    let keys = asking.app.api_keys((!all).then_some(&account.id)).await?;
    let users = asking.app.users().await?.into_iter().map(|user| (user.id, user.user_name));
    let names: BTreeMap<AccountId, UserName> = users.collect();
    let now = asking.app.now();
    let shown = |key: &ApiKey| Some(KeyResponse::of(key, names.get(&key.account)?, now));
    Ok(Json(Page { items: keys.iter().filter_map(shown).collect(), next: None }))
}

/// Make an API key of your own
#[utoipa::path(
    post, path = "/api/v1/api-keys", tag = "api-keys", operation_id = "make_api_key",
    request_body(content = NewKeyRequest, content_type = "application/json"),
    responses((status = 201, description = "The key.", body = MadeKeyResponse))
)]
async fn make(
    asking: Asking,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<NewKeyRequest>,
) -> Result<(StatusCode, Json<MadeKeyResponse>), ApiError> {
    let NewKeyRequest { name, scopes, addresses, expires_in_days, auto_rotate } = request;
    let scopes: Result<BTreeSet<Scope>, _> = scopes.iter().map(|scope| scope.parse()).collect();
    let scopes = scopes.map_err(|error| ApiError::Malformed(format!("scopes: {error}")))?;
    let networks = parse_networks(&addresses).map_err(AccessError::from)?;
    let days = expires_in_days.unwrap_or(KEY_DAYS_DEFAULT);
    let request = KeyRequest { name, scopes, networks, days, auto_rotate };
    let owner = &asking.caller.account;
    let MadeKey { key, token } = asking.app.make_key(owner, &request).await?;
    let key = KeyResponse::of(&key, &owner.user_name, asking.app.now());
    Ok((StatusCode::CREATED, Json(MadeKeyResponse { key, token: token.expose().to_owned() })))
}

/// Put a key that can do the same in the place of one of yours; the old one is good for seven days more
#[utoipa::path(
    post, path = "/api/v1/api-keys/{key}/rotate", tag = "api-keys", operation_id = "rotate_api_key",
    params(("key" = String, Path, description = "The name of the key.", example = "k0123456789abcdef")),
    responses(
        (status = 201, description = "The new key.", body = RotatedKeyResponse),
        NoSuchKey,
        KeyConflict,
    )
)]
async fn rotate(
    asking: Asking,
    TextPath(id): TextPath,
    _: Checked<NoParameters>,
) -> Result<(StatusCode, Json<RotatedKeyResponse>), ApiError> {
    let owner = &asking.caller.account;
    let (made, old) = asking.app.rotate_key(&id, Some(&owner.id)).await?;
    let (name, now) = (&owner.user_name, asking.app.now());
    let answer = RotatedKeyResponse {
        key: KeyResponse::of(&made.key, name, now),
        token: made.token.expose().to_owned(),
        old: KeyResponse::of(&old, name, now),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Take a key back, at once and everywhere; an administrator may take back anybody's
#[utoipa::path(
    delete, path = "/api/v1/api-keys/{key}", tag = "api-keys", operation_id = "revoke_api_key",
    params(("key" = String, Path, description = "The name of the key.", example = "k0123456789abcdef")),
    responses((status = 204, description = "It is good for nothing now."), NoSuchKey)
)]
async fn revoke(
    asking: Asking,
    TextPath(id): TextPath,
    _: Checked<NoParameters>,
) -> Result<StatusCode, ApiError> {
    let account = &asking.caller.account;
    let owner = (account.role != Role::Admin).then_some(&account.id);
    asking.app.revoke_key(&id, owner).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Collect the successor of the API key with which you ask; once
#[utoipa::path(
    post, path = "/api/v1/api-keys/successor", tag = "api-keys",
    operation_id = "collect_successor_of_api_key",
    responses(
        (status = 200, description = "The successor.", body = MadeKeyResponse),
        NoSuchKey,
        KeyConflict,
    )
)]
async fn collect_successor(
    asking: Asking,
    _: Checked<NoParameters>,
) -> Result<Json<MadeKeyResponse>, ApiError> {
    let old = require_key(&asking.caller)?;
    let made = asking.app.collect_successor(old).await?;
    Ok(Json(collected(&asking, made)))
}

/// Collect a successor of one of your API keys; once
#[utoipa::path(
    post, path = "/api/v1/api-keys/{key}/collect", tag = "api-keys", operation_id = "collect_api_key",
    params(("key" = String, Path, description = "The name of the successor.", example = "k0123456789abcdef")),
    responses(
        (status = 200, description = "The successor.", body = MadeKeyResponse),
        NoSuchKey,
        KeyConflict,
    )
)]
async fn collect(
    asking: Asking,
    TextPath(id): TextPath,
    _: Checked<NoParameters>,
) -> Result<Json<MadeKeyResponse>, ApiError> {
    let made = asking.app.collect_key(&id, Some(&asking.caller.account.id)).await?;
    Ok(Json(collected(&asking, made)))
}

fn collected(asking: &Asking, MadeKey { key, token }: MadeKey) -> MadeKeyResponse {
    let key = KeyResponse::of(&key, &asking.caller.account.user_name, asking.app.now());
    MadeKeyResponse { key, token: token.expose().to_owned() }
}
