//! What has happened to a portfolio, and what it was worth.

use std::sync::Arc;

use axum::Json;
use bist_app::{App, PaperEventRecord};
use bist_market::Symbol;
use bist_trading::{DayValue, Fill, PaperEvent};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, NoParameters, QueryReader, TextPath};
use crate::openapi::NoSuchPortfolio;
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX};
use crate::routes::orders::{ChargesResponse, NoFillWord, SideWord};
use crate::schema::{Amount, Day, Decimal, document, schema};
use crate::visitor::Asking;

/// The routes of this resource.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(events)).routes(routes!(days))
}

/// What happened.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum EventDocument {
    /// An order was executed, or a part of it.
    Filled { fill: FillDocument },
    /// An order ended before all of it was executed.
    Expired { symbol: Option<Symbol>, unfilled: u64, why: NoFillWord },
    /// A dividend was paid.
    Dividend { symbol: Symbol, shares: u64, per_share: Decimal, gross: Amount, withheld: Amount },
    /// Shares became more or fewer.
    Shares { symbol: Symbol, kind: &'static str, before: u64, after: u64, paid_instead: Amount },
    /// Rights to new shares were sold.
    RightsSold { symbol: Symbol, shares: u64, amount: Amount },
}

/// What was executed.
#[derive(Debug, Serialize)]
struct FillDocument {
    day: Day,
    symbol: Symbol,
    side: SideWord,
    shares: u64,
    price: Decimal,
    amount: Amount,
    charges: ChargesResponse,
    settles_on: Day,
    limited_by: Option<NoFillWord>,
}

schema!(
    EventDocument,
    "PaperEvent",
    document(
        "What happened: `event`, and the members of that kind. `filled` has `fill`, with `day`, `symbol`, \
         `side`, `shares`, `price`, `amount`, `charges`, `settles_on` and `limited_by`; `expired` has \
         `symbol`, `unfilled` shares and `why`; `dividend` `symbol`, `shares`, `per_share`, `gross` and \
         `withheld`; `shares` `symbol`, `kind` (`bonus_issue`, `split` or `capital_decrease`), `before`, \
         `after` and `paid_instead`; `rights_sold` `symbol`, `shares` and `amount`. Prices and amounts are \
         decimal strings. More may come."
    )
);

/// A line of the record of a portfolio.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PortfolioEvent)]
pub(super) struct EventResponse {
    /// Its place in the record, from one.
    number: u64,
    /// In which session.
    day: Day,
    /// The order that it is about, if it is about one.
    #[schema(required, example = "o0123456789abcdef")]
    order: Option<String>,
    /// What happened.
    event: EventDocument,
}

/// A page of the record of a portfolio.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PortfolioEventPage)]
struct EventsResponse {
    /// Always true: no broker is asked, and no money is at stake.
    paper: bool,
    /// The lines of this page, the newest first.
    items: Vec<EventResponse>,
    /// Give this as `cursor` to get the next page; null at the end of the list.
    #[schema(required)]
    next: Option<String>,
}

/// What a portfolio was worth after a session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PortfolioDay)]
pub(super) struct DayResponse {
    /// The session.
    day: Day,
    /// Money and shares together, at the closes.
    value: Amount,
    /// The money in it.
    cash: Amount,
    /// Shares without a bar of the session, which count with an older close.
    #[schema(value_type = Vec<String>, example = json!([]))]
    stale: Vec<Symbol>,
}

/// What a portfolio was worth, session by session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PortfolioDays)]
struct DaysResponse {
    /// Always true: no broker is asked, and no money is at stake.
    paper: bool,
    /// All sessions since it was opened, the oldest first.
    items: Vec<DayResponse>,
    /// Always null: all are in one answer.
    #[schema(required)]
    next: Option<String>,
}

impl From<&Fill> for FillDocument {
    fn from(fill: &Fill) -> Self {
        Self {
            day: Day(fill.day),
            symbol: fill.symbol,
            side: SideWord(fill.side),
            shares: fill.shares.0,
            price: Decimal(fill.price),
            amount: Amount(fill.amount),
            charges: fill.charges.into(),
            settles_on: Day(fill.settles_on),
            limited_by: fill.limited_by.map(NoFillWord),
        }
    }
}

impl EventResponse {
    /// `record`, which is about an order for shares of `symbol` if it is about one.
    pub(super) fn of(record: &PaperEventRecord, symbol: Option<Symbol>) -> Self {
        Self {
            number: record.seq,
            day: Day(record.day),
            order: record.order.as_ref().map(ToString::to_string),
            event: EventDocument::of(&record.event, symbol),
        }
    }
}

impl EventDocument {
    /// `event`, of an order for shares of `symbol` if it is about one.
    fn of(event: &PaperEvent, symbol: Option<Symbol>) -> Self {
        match *event {
            PaperEvent::Filled { ref fill, .. } => Self::Filled { fill: fill.into() },
            PaperEvent::Expired { unfilled, why, .. } => {
                Self::Expired { symbol, unfilled: unfilled.0, why: NoFillWord(why) }
            }
            PaperEvent::Dividend { symbol, shares, per_share, gross, withheld } => Self::Dividend {
                symbol,
                shares: shares.0,
                per_share: Decimal(per_share),
                gross: Amount(gross),
                withheld: Amount(withheld),
            },
            PaperEvent::Shares { symbol, kind, before, after, paid_instead } => Self::Shares {
                symbol,
                kind: kind.as_str(),
                before: before.0,
                after: after.0,
                paid_instead: Amount(paid_instead),
            },
            PaperEvent::RightsSold { symbol, shares, amount } => {
                Self::RightsSold { symbol, shares: shares.0, amount: Amount(amount) }
            }
        }
    }
}

impl From<DayValue> for DayResponse {
    fn from(day: DayValue) -> Self {
        let DayValue { day, value, cash, stale } = day;
        Self { day: Day(day), value: Amount(value), cash: Amount(cash), stale }
    }
}

/// Which part of the record is wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct EventsParams {
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^before-[0-9]{1,18}$", example = "before-42")]
    cursor: Option<u64>,
}

impl FromQuery for EventsParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self {
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor(query, "before-", |text| text.parse().ok())?,
        })
    }
}

/// What sessions did to a paper portfolio, the newest first
#[utoipa::path(
    get, path = "/api/v1/portfolios/{portfolio}/events", tag = "portfolios",
    operation_id = "list_portfolio_events",
    params(
        ("portfolio" = String, Path, description = "The name of the portfolio for programs.", example = "f0123456789abcdef"),
        EventsParams,
    ),
    responses((status = 200, description = "The record.", body = EventsResponse), NoSuchPortfolio)
)]
async fn events(
    asking: Asking,
    TextPath(portfolio): TextPath,
    Checked(params): Checked<EventsParams>,
) -> Result<Json<EventsResponse>, ApiError> {
    let EventsParams { limit, cursor } = params;
    let (app, account) = (&asking.app, &asking.caller.account);
    let page = app.portfolio_events(account, &portfolio, cursor, limit).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for record in page.items {
        // An expiry says nothing of the share, which its order does.
        let symbol = match (&record.event, &record.order) {
            (PaperEvent::Expired { .. }, Some(order)) => {
                Some(app.order(account, order.as_str()).await?.order.intent.symbol)
            }
            _ => None,
        };
        items.push(EventResponse::of(&record, symbol));
    }
    let next = page.next_before.map(|number| format!("before-{number}"));
    Ok(Json(EventsResponse { paper: true, items, next }))
}

/// What a paper portfolio was worth, session by session
#[utoipa::path(
    get, path = "/api/v1/portfolios/{portfolio}/days", tag = "portfolios",
    operation_id = "list_portfolio_days",
    params(("portfolio" = String, Path, description = "The name of the portfolio for programs.", example = "f0123456789abcdef")),
    responses((status = 200, description = "The values.", body = DaysResponse), NoSuchPortfolio)
)]
async fn days(
    asking: Asking,
    TextPath(portfolio): TextPath,
    _: Checked<NoParameters>,
) -> Result<Json<DaysResponse>, ApiError> {
    let days = asking.app.portfolio_days(&asking.caller.account, &portfolio).await?;
    let items = days.into_iter().map(DayResponse::from).collect();
    Ok(Json(DaysResponse { paper: true, items, next: None }))
}
