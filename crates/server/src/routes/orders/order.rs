//! How an order looks, and what became of it.

use bist_app::orders::OrderView;
use bist_market::Symbol;
use bist_trading::{CancelReason, Charges, Fill, NoFill, OrderKind, OrderStatus, Side, Validity};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema::{Amount, Day, Decimal, Instant, schema, text};

/// Whether shares are bought or sold.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct SideWord(pub(crate) Side);

schema!(
    SideWord,
    "OrderSide",
    text("Whether shares are bought or sold.", "buy")
        .enum_values(Some(Side::ALL.map(Side::as_str)))
);

/// At which price an order is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KindWord {
    /// At the open of its session.
    Market,
    /// At its limit or better.
    Limit,
}

schema!(
    KindWord,
    "OrderKind",
    text(
        "At which price it is executed: `market` at the open of its session, `limit` at its limit or \
         better.",
        "limit"
    )
    .enum_values(Some(["market", "limit"]))
);

/// How long an order waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ValidityWord {
    /// For its first session alone.
    #[default]
    Day,
    /// Through a day that is named.
    Until,
}

schema!(
    ValidityWord,
    "OrderValidity",
    text(
        "How long it waits: `day` for its first session alone, `until` through the day that is named.",
        "until"
    )
    .enum_values(Some(["day", "until"]))
);

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StatusWord {
    /// It waits, and may be filled in part.
    Open,
    /// All of it was executed.
    Filled,
    /// Somebody took it back, or trading was halted, or its portfolio was closed.
    Cancelled,
    /// Its last session went by.
    Expired,
}

schema!(
    StatusWord,
    "OrderStatus",
    text(
        "Where it stands: `open` while it waits (a part may have been filled), `filled` when all of it \
         was executed, `cancelled` or `expired` when the rest never will be.",
        "open"
    )
    .enum_values(Some(["open", "filled", "cancelled", "expired"]))
);

/// Why an order was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct CancelWord(pub(crate) CancelReason);

schema!(
    CancelWord,
    "OrderCancelReason",
    text(
        "Why it was cancelled: by its `owner`, by a `halt` of trading, or because its portfolio was \
         `closed`.",
        "owner"
    )
    .enum_values(Some(["owner", "halt", "closed"]))
);

/// Why a session executed nothing of an order, or not all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NoFillWord(pub(crate) NoFill);

schema!(
    NoFillWord,
    "OrderNoFill",
    text(
        "Why a session executed nothing of it, or not all: `no_bar` or `no_volume` of the share, `locked` at \
         its limit in the same direction, the price was `not_reached`, no larger `share_of_volume` is taken, \
         `cash_short`, `shares_short`, a corporate action was the `action_of_day`, or trading was `halted`.",
        "not_reached"
    )
    .enum_values(Some(NoFill::ALL.map(NoFill::as_str)))
);

/// What a trade costs beside its amount.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = TradeCharges)]
pub(crate) struct ChargesResponse {
    /// The broker's commission.
    commission: Amount,
    /// Banking and insurance transaction tax (BSMV) on the commission.
    bsmv: Amount,
    /// The exchange's fee.
    exchange_fee: Amount,
    /// All of them together.
    total: Amount,
}

/// A part of an order, or all of it, that was executed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderFill)]
pub(crate) struct FillResponse {
    /// The session.
    day: Day,
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// Whether shares were bought or sold.
    side: SideWord,
    /// How many shares.
    quantity_shares: u64,
    /// At which price each.
    price: Decimal,
    /// What the shares cost or brought, charges not counted.
    amount: Amount,
    /// What the trade cost beside.
    charges: ChargesResponse,
    /// When money and shares change hands: two business days later.
    settles_on: Day,
    /// Why it was not all of what remained; null when it was.
    #[schema(required)]
    limited_by: Option<NoFillWord>,
}

/// A paper order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(crate) struct OrderResponse {
    /// Always true: no broker is asked, and no money is at stake.
    paper: bool,
    /// Its name.
    #[schema(example = "o0123456789abcdef")]
    id: String,
    /// Of which portfolio it is.
    #[schema(example = "f0123456789abcdef")]
    portfolio: String,
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// Whether shares are bought or sold.
    side: SideWord,
    /// How many shares.
    #[schema(example = 100)]
    quantity_shares: u64,
    /// At which price it is executed.
    kind: KindWord,
    /// The price of a limit order; null for a market order.
    #[schema(required)]
    limit_price: Option<Decimal>,
    /// How long it waits.
    validity: ValidityWord,
    /// The day through which it waits; null for an order of one session.
    #[schema(required)]
    until: Option<Day>,
    /// When it was placed.
    placed_at: Instant,
    /// The first session that may execute it: the first that opens after it was placed.
    first_session: Day,
    /// The last day that may execute it.
    last_session: Day,
    /// Where it stands.
    status: StatusWord,
    /// How many shares were executed.
    filled_shares: u64,
    /// How many were not, or not yet.
    remaining_shares: u64,
    /// The session that filled the last of it, or that it did not outlive; null while it is open, and
    /// when it was cancelled.
    #[schema(required)]
    ended_on: Option<Day>,
    /// When it was cancelled; null when it was not.
    #[schema(required)]
    cancelled_at: Option<Instant>,
    /// Why it was cancelled; null when it was not.
    #[schema(required)]
    cancel_reason: Option<CancelWord>,
    /// Why its last session executed nothing of the rest; null when it has not expired.
    #[schema(required)]
    unfilled_because: Option<NoFillWord>,
    /// What was executed, the oldest first.
    fills: Vec<FillResponse>,
}

impl From<OrderView> for OrderResponse {
    fn from(view: OrderView) -> Self {
        let OrderView { id, portfolio, order, fills, unfilled_because, .. } = view;
        let intent = order.intent;
        let until = match intent.validity {
            Validity::Day => None,
            Validity::Until { day } => Some(Day(day)),
        };
        let (ended_on, cancelled) = match order.status {
            OrderStatus::Open => (None, None),
            OrderStatus::Filled { on } | OrderStatus::Expired { on } => (Some(Day(on)), None),
            OrderStatus::Cancelled { reason, at } => (None, Some((reason, at))),
        };
        Self {
            paper: true,
            id: id.to_string(),
            portfolio: portfolio.to_string(),
            symbol: intent.symbol,
            side: SideWord(intent.side),
            quantity_shares: intent.quantity.0,
            kind: intent.kind.into(),
            limit_price: intent.kind.limit_price().map(Decimal),
            validity: intent.validity.into(),
            until,
            placed_at: Instant(order.placed_at),
            first_session: Day(order.first_session),
            last_session: Day(order.last_session()),
            status: order.status.into(),
            filled_shares: order.filled.0,
            remaining_shares: order.remaining().0,
            ended_on,
            cancelled_at: cancelled.map(|(_, at)| Instant(at)),
            cancel_reason: cancelled.map(|(reason, _)| CancelWord(reason)),
            unfilled_because: unfilled_because.map(NoFillWord),
            fills: fills.iter().map(FillResponse::from).collect(),
        }
    }
}

impl From<OrderKind> for KindWord {
    fn from(kind: OrderKind) -> Self {
        match kind {
            OrderKind::Market => Self::Market,
            OrderKind::Limit { .. } => Self::Limit,
        }
    }
}

impl From<Validity> for ValidityWord {
    fn from(validity: Validity) -> Self {
        match validity {
            Validity::Day => Self::Day,
            Validity::Until { .. } => Self::Until,
        }
    }
}

impl From<OrderStatus> for StatusWord {
    fn from(status: OrderStatus) -> Self {
        match status {
            OrderStatus::Open => Self::Open,
            OrderStatus::Filled { .. } => Self::Filled,
            OrderStatus::Cancelled { .. } => Self::Cancelled,
            OrderStatus::Expired { .. } => Self::Expired,
        }
    }
}

impl From<Charges> for ChargesResponse {
    fn from(charges: Charges) -> Self {
        Self {
            commission: Amount(charges.commission),
            bsmv: Amount(charges.bsmv),
            exchange_fee: Amount(charges.exchange_fee),
            total: Amount(charges.total()),
        }
    }
}

impl From<&Fill> for FillResponse {
    fn from(fill: &Fill) -> Self {
        Self {
            day: Day(fill.day),
            symbol: fill.symbol,
            side: SideWord(fill.side),
            quantity_shares: fill.shares.0,
            price: Decimal(fill.price),
            amount: Amount(fill.amount),
            charges: fill.charges.into(),
            settles_on: Day(fill.settles_on),
            limited_by: fill.limited_by.map(NoFillWord),
        }
    }
}
