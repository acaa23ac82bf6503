//! `/api/v1/admin/trading`: whether paper orders are taken, and the switch that ends that at once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_access::AccountId;
use bist_app::App;
use bist_app::orders::TradingState;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::user_names;
use crate::error::ApiError;
use crate::extract::{Checked, JsonBody, NoParameters};
use crate::routes::jobs::StepRequest;
use crate::schema::Instant;
use crate::visitor::Person;

/// The routes of this resource.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(trading)).routes(routes!(halt)).routes(routes!(resume))
}

/// Whether paper orders are taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TradingState)]
struct TradingResponse {
    /// Always true: no broker is asked, and no money is at stake.
    paper: bool,
    /// Whether trading is halted: no order is taken, and none is executed.
    halted: bool,
    /// Why it was halted or resumed last; null when it never was.
    #[schema(required, example = "prices of the source are wrong")]
    reason: Option<String>,
    /// When that was.
    #[schema(required)]
    changed_at: Option<Instant>,
    /// Who did it, as the audit names them.
    #[schema(required, example = "account:u0123456789abcdef")]
    changed_by: Option<String>,
    /// Their user name; null when they have none, or were forgotten.
    #[schema(required, example = "ayse.yilmaz")]
    changed_by_name: Option<String>,
    /// How many orders of everybody are open.
    open_orders_count: u64,
}

/// Why trading is halted or resumed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TradingChange)]
struct ChangeRequest {
    /// Why; it is recorded, and shown to who trades.
    #[schema(
        example = "prices of the source are wrong",
        max_length = 500,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    reason: String,
}

impl ChangeRequest {
    /// The same as a step of `person`, whose reason can be looked at.
    fn step(self, person: &Person) -> StepRequest {
        StepRequest::new(self.reason, person.account.user_name.to_string())
    }
}

impl TradingResponse {
    /// `state` with the name of whoever changed it.
    async fn of(app: &App, state: TradingState) -> Result<Self, ApiError> {
        let TradingState { halted, reason, changed_at, changed_by, open_orders } = state;
        let names = user_names(app).await?;
        // Of a key, whose it is stands last.
        let account = changed_by.as_deref().and_then(|by| by.rsplit([':', '/']).next());
        let account = account.and_then(|text| text.parse::<AccountId>().ok());
        Ok(Self {
            paper: true,
            halted,
            reason,
            changed_at: changed_at.map(Instant),
            changed_by_name: account.and_then(|account| names.get(&account).cloned()),
            changed_by,
            open_orders_count: open_orders,
        })
    }
}

/// Whether paper orders are taken, and how many are open
#[utoipa::path(
    get, path = "/api/v1/admin/trading", tag = "admin", operation_id = "get_trading",
    responses((status = 200, description = "How it stands.", body = TradingResponse))
)]
async fn trading(
    State(app): State<Arc<App>>,
    _: Checked<NoParameters>,
) -> Result<Json<TradingResponse>, ApiError> {
    Ok(Json(TradingResponse::of(&app, app.trading_state().await?).await?))
}

/// Halt paper trading: all open orders are cancelled, and no order is taken until it is resumed
#[utoipa::path(
    post, path = "/api/v1/admin/trading/halt", tag = "admin", operation_id = "halt_trading",
    request_body(content = ChangeRequest, content_type = "application/json"),
    responses((status = 200, description = "How it stands now.", body = TradingResponse))
)]
async fn halt(
    person: Person,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<ChangeRequest>,
) -> Result<Json<TradingResponse>, ApiError> {
    let step = request.step(&person);
    let state = person.app.halt_trading(step.asked()?.reason).await?;
    Ok(Json(TradingResponse::of(&person.app, state).await?))
}

/// Resume paper trading: orders are taken again; those that were cancelled stay so
#[utoipa::path(
    post, path = "/api/v1/admin/trading/resume", tag = "admin", operation_id = "resume_trading",
    request_body(content = ChangeRequest, content_type = "application/json"),
    responses((status = 200, description = "How it stands now.", body = TradingResponse))
)]
async fn resume(
    person: Person,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<ChangeRequest>,
) -> Result<Json<TradingResponse>, ApiError> {
    let step = request.step(&person);
    let state = person.app.resume_trading(step.asked()?.reason).await?;
    Ok(Json(TradingResponse::of(&person.app, state).await?))
}
