//! `/api/v1/orders`: paper orders of who asks, placed, looked at and taken back.

mod order;
mod ticket;

use std::sync::Arc;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use bist_access::{OrderId, PortfolioId};
use bist_app::App;
use bist_app::orders::OrdersWanted;
use bist_app::portfolios::TradingError;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::portfolios::HaltResponse;
use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, JsonBody, NoParameters, QueryReader, TextPath};
use crate::openapi::{NoSuchOrder, NoSuchPortfolio, OrderConflict, OrderDenied, OrderRefused};
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX};
use crate::visitor::Asking;

use ticket::{OrderRequest, PreviewResponse};

pub(super) use order::{ChargesResponse, NoFillWord, OrderResponse, SideWord};

/// The header by which an order that is sent again is placed once.
const CLIENT_KEY: &str = "idempotency-key";

/// Most characters of it.
const CLIENT_KEY_CHARS_MAX: usize = 64;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, place))
        .routes(routes!(preview))
        .routes(routes!(read, cancel))
}

/// A page of orders.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderPage)]
struct ListResponse {
    /// Always true: no broker is asked, and no money is at stake.
    paper: bool,
    /// Whether orders are taken.
    trading: HaltResponse,
    /// The orders of this page, the newest first.
    items: Vec<OrderResponse>,
    /// Give this as `cursor` to get the next page; null at the end of the list.
    #[schema(required)]
    next: Option<String>,
}

/// Which orders are wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only those of this portfolio.
    #[param(value_type = Option<String>, pattern = "^f[0-9a-f]{16}$", example = "f0123456789abcdef")]
    portfolio: Option<PortfolioId>,
    /// Only those that are open, or only those that are not; all when it is not given.
    #[param(value_type = Option<bool>, example = true)]
    open: Option<bool>,
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^before-o[0-9a-f]{16}$", example = "before-o0123456789abcdef")]
    cursor: Option<OrderId>,
}

impl FromQuery for ListParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let open = |text: &str| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(format!("'{other}' is neither; give true or false")),
        };
        let portfolio = |text: &str| {
            let parsed = text.parse::<PortfolioId>();
            parsed.map_err(|error| format!("{error}; give one such as f0123456789abcdef"))
        };
        Ok(Self {
            portfolio: query.optional("portfolio", portfolio)?,
            open: query.optional("open", open)?,
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor(query, "before-", |text| text.parse().ok())?,
        })
    }
}

/// The key under which who asks places an order once, if they give one.
#[derive(Debug)]
struct ClientKey(Option<String>);

impl<S: Sync> FromRequestParts<S> for ClientKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut given = parts.headers.get_all(CLIENT_KEY).iter();
        let Some(key) = given.next() else { return Ok(Self(None)) };
        let key = key.to_str().unwrap_or_default();
        let is_key = (1..=CLIENT_KEY_CHARS_MAX).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_key || given.next().is_some() {
            return Err(ApiError::Malformed(format!(
                "{CLIENT_KEY}: give it once, with 1 to {CLIENT_KEY_CHARS_MAX} visible ASCII characters"
            )));
        }
        Ok(Self(Some(key.to_owned())))
    }
}

/// Your paper orders, the newest first
#[utoipa::path(
    get, path = "/api/v1/orders", tag = "orders", operation_id = "list_orders",
    params(ListParams),
    responses((status = 200, description = "The orders.", body = ListResponse), NoSuchPortfolio)
)]
async fn list(
    asking: Asking,
    Checked(params): Checked<ListParams>,
) -> Result<Json<ListResponse>, ApiError> {
    let ListParams { portfolio, open, limit, cursor } = params;
    let wanted = OrdersWanted {
        portfolio: portfolio.map(|id| id.to_string()),
        open,
        before: cursor.map(|id| id.to_string()),
    };
    let page = asking.app.orders(&asking.caller.account, &wanted, limit).await;
    let page = page.map_err(|error| {
        if !matches!(error, TradingError::NoSuchOrder(_)) {
            return error.into();
        }
        let problem = "names no order of yours; give the `next` of the page before".to_owned();
        ApiError::InvalidParameter { parameter: "cursor", problem }
    })?;
    Ok(Json(ListResponse {
        paper: true,
        trading: HaltResponse::of(&asking.app.trading_state().await?),
        items: page.items.into_iter().map(OrderResponse::from).collect(),
        next: page.next_before.map(|id| format!("before-{id}")),
    }))
}

/// Place a paper order; it is reviewed first, and executed on sessions that open afterwards
#[utoipa::path(
    post, path = "/api/v1/orders", tag = "orders", operation_id = "place_order",
    params(("idempotency-key" = Option<String>, Header, description = "The same order under the same key is placed once.", pattern = "^[!-~]{1,64}$", example = "2b0c6f0e-7d5b-4a53-9a0e-0f6f0f2b7c11")),
    request_body(content = OrderRequest, content_type = "application/json"),
    responses(
        (status = 201, description = "The order.", body = OrderResponse),
        (status = 200, description = "The order that was placed under the same key before.", body = OrderResponse),
        OrderRefused,
    )
)]
async fn place(
    asking: Asking,
    ClientKey(key): ClientKey,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<OrderRequest>,
) -> Result<(StatusCode, Json<OrderResponse>), ApiError> {
    let (account, intent) = (&asking.caller.account, request.intent()?);
    let placed =
        asking.app.place_order(account, &request.portfolio, intent, key.as_deref()).await?;
    let status = if placed.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(placed.order.into())))
}

/// What a paper order would come to; nothing of it is kept
#[utoipa::path(
    post, path = "/api/v1/orders/preview", tag = "orders", operation_id = "preview_order",
    request_body(content = OrderRequest, content_type = "application/json"),
    responses((status = 200, description = "What it would come to.", body = PreviewResponse), OrderDenied)
)]
async fn preview(
    asking: Asking,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<OrderRequest>,
) -> Result<Json<PreviewResponse>, ApiError> {
    let (account, intent) = (&asking.caller.account, request.intent()?);
    let preview = asking.app.preview_order(account, &request.portfolio, intent).await?;
    Ok(Json(preview.into()))
}

/// A paper order of yours, with what was executed of it
#[utoipa::path(
    get, path = "/api/v1/orders/{order}", tag = "orders", operation_id = "get_order",
    params(("order" = String, Path, description = "The name of the order.", example = "o0123456789abcdef")),
    responses((status = 200, description = "The order.", body = OrderResponse), NoSuchOrder)
)]
async fn read(
    asking: Asking,
    TextPath(order): TextPath,
    _: Checked<NoParameters>,
) -> Result<Json<OrderResponse>, ApiError> {
    Ok(Json(asking.app.order(&asking.caller.account, &order).await?.into()))
}

/// Take back what was not executed of a paper order
#[utoipa::path(
    delete, path = "/api/v1/orders/{order}", tag = "orders", operation_id = "cancel_order",
    params(("order" = String, Path, description = "The name of the order.", example = "o0123456789abcdef")),
    responses((status = 200, description = "The order as it is now.", body = OrderResponse), OrderConflict)
)]
async fn cancel(
    asking: Asking,
    TextPath(order): TextPath,
    _: Checked<NoParameters>,
) -> Result<Json<OrderResponse>, ApiError> {
    Ok(Json(asking.app.cancel_order(&asking.caller.account, &order).await?.into()))
}
