//! `/api/v1/watchlists`: lists of shares that who asks watches.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use bist_app::{App, Revised, StoredWatchlist};
use bist_market::Symbol;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, JsonBody, NoParameters, TextPath, symbol};
use crate::openapi::WatchlistStates;
use crate::paging::Page;
use crate::schema::Instant;
use crate::visitor::{Asking, Person};

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(change, remove))
}

/// A list of shares.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Watchlist)]
pub(crate) struct WatchlistResponse {
    /// Its name for programs.
    #[schema(example = "w0123456789abcdef")]
    id: String,
    /// How often it was written; a change names the one that was seen.
    revision: u64,
    /// What its owner calls it.
    #[schema(example = "Bankalar")]
    name: String,
    /// The shares, in the order of its owner.
    #[schema(value_type = Vec<String>, example = json!(["GARAN", "AKBNK"]))]
    symbols: Vec<Symbol>,
    /// When it was made.
    created_at: Instant,
    /// When it was written last.
    updated_at: Instant,
}

impl From<StoredWatchlist> for WatchlistResponse {
    fn from(stored: StoredWatchlist) -> Self {
        let StoredWatchlist { id, created_at, list } = stored;
        let Revised { value, revision, updated_at } = list;
        Self {
            id: id.to_string(),
            revision,
            name: value.name,
            symbols: value.symbols,
            created_at: Instant(created_at),
            updated_at: Instant(updated_at),
        }
    }
}

/// A new list of shares.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWatchlist)]
struct AddRequest {
    /// What it is called.
    #[schema(example = "Bankalar", min_length = 1, max_length = 60)]
    name: String,
    /// The shares, each once.
    #[schema(example = json!(["GARAN", "AKBNK"]), max_items = 200)]
    symbols: Vec<String>,
}

/// What a list becomes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WatchlistChange)]
struct ChangeRequest {
    /// The revision that was seen; when another one stands, nothing is changed.
    #[schema(minimum = 1)]
    revision: u64,
    /// What it is called.
    #[schema(example = "Bankalar", min_length = 1, max_length = 60)]
    name: String,
    /// The shares, each once.
    #[schema(example = json!(["GARAN", "AKBNK"]), max_items = 200)]
    symbols: Vec<String>,
}

fn symbols(texts: &[String]) -> Result<Vec<Symbol>, ApiError> {
    let read = |text: &String| {
        symbol(text).map_err(|problem| ApiError::Malformed(format!("symbols: {problem}")))
    };
    texts.iter().map(read).collect()
}

/// The lists of who asks, the oldest first
#[utoipa::path(
    get, path = "/api/v1/watchlists", tag = "personal", operation_id = "list_watchlists",
    responses((status = 200, description = "The lists.", body = Page<WatchlistResponse>))
)]
async fn list(
    asking: Asking,
    _: Checked<NoParameters>,
) -> Result<Json<Page<WatchlistResponse>>, ApiError> {
    let lists = asking.app.watchlists(&asking.caller.account).await?;
    Ok(Json(Page { items: lists.into_iter().map(Into::into).collect(), next: None }))
}

/// Make a list
#[utoipa::path(
    post, path = "/api/v1/watchlists", tag = "personal", operation_id = "add_watchlist",
    request_body(content = AddRequest, content_type = "application/json"),
    responses((status = 201, description = "The list.", body = WatchlistResponse), WatchlistStates)
)]
async fn add(
    person: Person,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<AddRequest>,
) -> Result<(StatusCode, Json<WatchlistResponse>), ApiError> {
    let symbols = symbols(&request.symbols)?;
    let added = person.app.add_watchlist(&person.account, &request.name, symbols).await?;
    Ok((StatusCode::CREATED, Json(added.into())))
}

/// Give a list another name and other shares
#[utoipa::path(
    patch, path = "/api/v1/watchlists/{watchlist}", tag = "personal", operation_id = "change_watchlist",
    params(("watchlist" = String, Path, description = "The name of the list for programs.", example = "w0123456789abcdef")),
    request_body(content = ChangeRequest, content_type = "application/json"),
    responses((status = 200, description = "The list as it is now.", body = WatchlistResponse), WatchlistStates)
)]
async fn change(
    person: Person,
    TextPath(watchlist): TextPath,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<ChangeRequest>,
) -> Result<Json<WatchlistResponse>, ApiError> {
    let ChangeRequest { revision, name, symbols: texts } = request;
    let to = (name.as_str(), symbols(&texts)?);
    let changed = person.app.change_watchlist(&person.account, &watchlist, revision, to).await?;
    Ok(Json(changed.into()))
}

/// Remove a list
#[utoipa::path(
    delete, path = "/api/v1/watchlists/{watchlist}", tag = "personal", operation_id = "remove_watchlist",
    params(("watchlist" = String, Path, description = "The name of the list for programs.", example = "w0123456789abcdef")),
    responses((status = 204, description = "It is gone."), WatchlistStates)
)]
async fn remove(
    person: Person,
    TextPath(watchlist): TextPath,
    _: Checked<NoParameters>,
) -> Result<StatusCode, ApiError> {
    person.app.remove_watchlist(&person.account, &watchlist).await?;
    Ok(StatusCode::NO_CONTENT)
}
