//! `/api/v1/portfolios`: paper money and the shares that it bought.

mod kept;
mod record;
mod terms;
mod view;

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use bist_app::App;
use bist_app::orders::TradingState;
use bist_app::portfolios::PortfolioView;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, JsonBody, NoParameters, TextPath};
use crate::openapi::{NoMorePortfolios, NoSuchPortfolio, PortfolioConflict};
use crate::visitor::Asking;

use terms::OpenRequest;
use view::PortfolioResponse;

pub(super) use kept::KeptPortfolioResponse;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, open))
        .routes(routes!(read))
        .routes(routes!(close))
        .merge(record::router())
}

/// Whether paper orders are taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TradingHalt)]
pub(crate) struct HaltResponse {
    /// Whether an administrator has halted trading: no order is taken, and none is executed.
    halted: bool,
    /// Why; null while it is not halted.
    #[schema(required, example = "prices of the source are wrong")]
    reason: Option<String>,
}

/// The portfolios of who asks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PortfolioPage)]
struct ListResponse {
    /// Always true: no broker is asked, and no money is at stake.
    paper: bool,
    /// Whether orders are taken.
    trading: HaltResponse,
    /// The portfolios, the oldest first, closed ones too.
    items: Vec<PortfolioResponse>,
    /// Always null: all are in one answer.
    #[schema(required)]
    next: Option<String>,
}

impl HaltResponse {
    /// How the switch stands, as far as it is for everybody who trades.
    pub(crate) fn of(state: &TradingState) -> Self {
        Self { halted: state.halted, reason: state.reason.clone().filter(|_| state.halted) }
    }
}

/// Your paper portfolios, the oldest first
#[utoipa::path(
    get, path = "/api/v1/portfolios", tag = "portfolios", operation_id = "list_portfolios",
    responses((status = 200, description = "The portfolios.", body = ListResponse))
)]
async fn list(asking: Asking, _: Checked<NoParameters>) -> Result<Json<ListResponse>, ApiError> {
    let trading = HaltResponse::of(&asking.app.trading_state().await?);
    let mut items = Vec::new();
    for view in asking.app.portfolios(&asking.caller.account).await? {
        items.push(shown(&asking, view).await?);
    }
    Ok(Json(ListResponse { paper: true, trading, items, next: None }))
}

/// Open a paper portfolio
#[utoipa::path(
    post, path = "/api/v1/portfolios", tag = "portfolios", operation_id = "open_portfolio",
    request_body(content = OpenRequest, content_type = "application/json"),
    responses(
        (status = 201, description = "The portfolio.", body = PortfolioResponse),
        NoMorePortfolios,
    )
)]
async fn open(
    asking: Asking,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<OpenRequest>,
) -> Result<(StatusCode, Json<PortfolioResponse>), ApiError> {
    let opened = asking.app.open_portfolio(&asking.caller.account, request.terms()?).await?;
    Ok((StatusCode::CREATED, Json(shown(&asking, opened).await?)))
}

/// A paper portfolio of yours: what is in it, what it is worth, and what may be lost
#[utoipa::path(
    get, path = "/api/v1/portfolios/{portfolio}", tag = "portfolios", operation_id = "get_portfolio",
    params(("portfolio" = String, Path, description = "The name of the portfolio for programs.", example = "f0123456789abcdef")),
    responses(
        (status = 200, description = "The portfolio.", body = PortfolioResponse),
        NoSuchPortfolio,
    )
)]
async fn read(
    asking: Asking,
    TextPath(portfolio): TextPath,
    _: Checked<NoParameters>,
) -> Result<Json<PortfolioResponse>, ApiError> {
    let view = asking.app.portfolio(&asking.caller.account, &portfolio).await?;
    Ok(Json(shown(&asking, view).await?))
}

/// Close a paper portfolio and cancel its open orders; it stays readable
#[utoipa::path(
    post, path = "/api/v1/portfolios/{portfolio}/close", tag = "portfolios",
    operation_id = "close_portfolio",
    params(("portfolio" = String, Path, description = "The name of the portfolio for programs.", example = "f0123456789abcdef")),
    responses(
        (status = 200, description = "The portfolio as it is now.", body = PortfolioResponse),
        PortfolioConflict,
    )
)]
async fn close(
    asking: Asking,
    TextPath(portfolio): TextPath,
    _: Checked<NoParameters>,
) -> Result<Json<PortfolioResponse>, ApiError> {
    let closed = asking.app.close_portfolio(&asking.caller.account, &portfolio).await?;
    Ok(Json(shown(&asking, closed).await?))
}

/// A portfolio with the days between which its value fell, where it ever did.
async fn shown(asking: &Asking, view: PortfolioView) -> Result<PortfolioResponse, ApiError> {
    let has_fallen = view.risk.drawdown.is_some_and(|fall| fall.share > 0.0);
    let days = if has_fallen {
        asking.app.portfolio_days(&asking.caller.account, view.id.as_str()).await?
    } else {
        Vec::new()
    };
    Ok(PortfolioResponse::of(view, &days))
}
