//! A portfolio as it is kept, with everything about it: what its owner may take along.

use bist_app::access::users::PersonalPortfolio;
use bist_app::orders::OrderView;
use bist_app::{PaperEventRecord, StoredPortfolio};
use bist_market::Symbol;
use serde::Serialize;
use utoipa::ToSchema;

use super::record::{DayResponse, EventResponse};
use super::terms::{CostsDocument, LimitsDocument};
use super::view::PendingResponse;
use crate::routes::orders::OrderResponse;
use crate::schema::{Amount, Day, Instant};

/// Shares that are held, and what they cost.
#[derive(Serialize, ToSchema)]
#[schema(as = KeptPosition)]
struct KeptPositionResponse {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// How many.
    #[schema(example = 100)]
    quantity_shares: u64,
    /// What they cost, charges counted.
    cost: Amount,
}

/// A portfolio of paper money with its orders and its record.
#[derive(Serialize, ToSchema)]
#[schema(as = KeptPortfolio)]
pub(crate) struct KeptPortfolioResponse {
    /// Always true: no broker is asked, and no money is at stake.
    paper: bool,
    /// Its name for programs.
    #[schema(example = "f0123456789abcdef")]
    id: String,
    /// What its owner calls it.
    name: String,
    /// When it was opened.
    opened_at: Instant,
    /// When it was closed; null while it is open.
    #[schema(required)]
    closed_at: Option<Instant>,
    /// The last session that was applied to it.
    through: Day,
    /// With how much it was opened.
    opening_cash: Amount,
    /// The money, with what has not settled.
    cash: Amount,
    /// What was gained by sales and dividends, after charges.
    realised: Amount,
    /// Commissions, taxes on them and fees that were paid.
    charges: Amount,
    /// Dividends that were received, after tax.
    dividends: Amount,
    /// What was traded for and has not changed hands.
    pending: Vec<PendingResponse>,
    /// What is held, by ticker.
    positions: Vec<KeptPositionResponse>,
    /// What trading costs.
    costs: CostsDocument,
    /// What an order may not go beyond.
    limits: LimitsDocument,
    /// Its orders, the newest first, as far as they are kept.
    orders: Vec<OrderResponse>,
    /// What sessions did to it, the newest first.
    events: Vec<EventResponse>,
    /// What it was worth after each session, the oldest first.
    days: Vec<DayResponse>,
}

impl From<PersonalPortfolio> for KeptPortfolioResponse {
    fn from(kept: PersonalPortfolio) -> Self {
        let PersonalPortfolio { stored, orders, events, days } = kept;
        let StoredPortfolio { id, opened_at, closed_at, portfolio, .. } = stored;
        let events = events.iter().map(|record| EventResponse::of(record, share(record, &orders)));
        let events = events.collect();
        let positions = portfolio.positions.into_iter().map(|(symbol, position)| {
            let (quantity_shares, cost) = (position.shares.0, Amount(position.cost));
            KeptPositionResponse { symbol, quantity_shares, cost }
        });
        Self {
            paper: true,
            id: id.to_string(),
            name: portfolio.name,
            opened_at: Instant(opened_at),
            closed_at: closed_at.map(Instant),
            through: Day(portfolio.through),
            opening_cash: Amount(portfolio.opening_cash),
            cash: Amount(portfolio.cash),
            realised: Amount(portfolio.realised),
            charges: Amount(portfolio.charges),
            dividends: Amount(portfolio.dividends),
            pending: portfolio.pending.into_iter().map(PendingResponse::from).collect(),
            positions: positions.collect(),
            costs: portfolio.costs.into(),
            limits: portfolio.limits.into(),
            events,
            orders: orders.into_iter().map(OrderResponse::from).collect(),
            days: days.into_iter().map(DayResponse::from).collect(),
        }
    }
}

/// The share that the order of `record` is for, if it is about one of `orders`.
fn share(record: &PaperEventRecord, orders: &[OrderView]) -> Option<Symbol> {
    let order = orders.iter().find(|order| Some(&order.id) == record.order.as_ref())?;
    Some(order.order.intent.symbol)
}
