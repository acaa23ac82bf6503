//! An order as it is sent, and what it would come to.

use bist_app::orders::OrderPreview;
use bist_market::{Price, PriceLimits, Shares};
use bist_trading::{OrderIntent, OrderKind, Validity};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::order::{ChargesResponse, KindWord, SideWord, ValidityWord};
use crate::error::ApiError;
use crate::extract::{day, symbol};
use crate::schema::{Amount, Day, Decimal, Instant, OriginWord};

/// A new order.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrder)]
pub(super) struct OrderRequest {
    /// The portfolio that it is for.
    #[schema(pattern = "^f[0-9a-f]{16}$", example = "f0123456789abcdef")]
    pub(super) portfolio: String,
    /// The ticker; case does not matter.
    #[schema(pattern = "^[A-Za-z0-9]{1,12}([.]([Ii][Ss]|[Ee]))?$", example = "THYAO")]
    symbol: String,
    /// Whether shares are bought or sold.
    side: SideWord,
    /// How many shares.
    #[schema(minimum = 1, example = 100)]
    quantity_shares: u64,
    /// At which price it is executed.
    kind: KindWord,
    /// The price of a limit order, lira as a decimal string; not for a market order.
    #[schema(pattern = "^[0-9]{1,9}(\\.[0-9]{1,4})?$", example = "300.00")]
    limit_price: Option<String>,
    /// How long it waits; its first session alone when it is not given.
    #[serde(default)]
    validity: ValidityWord,
    /// The day through which it waits, where `validity` is `until`; 30 days ahead at most.
    #[schema(format = Date, example = "2026-12-04")]
    until: Option<String>,
}

impl OrderRequest {
    /// What is wanted.
    ///
    /// # Errors
    ///
    /// [`ApiError::Malformed`] when a field cannot be read, or fields do not agree with each other.
    pub(super) fn intent(&self) -> Result<OrderIntent, ApiError> {
        let malformed =
            |field: &str, problem: &str| Err(ApiError::Malformed(format!("{field}: {problem}")));
        let kind = match (self.kind, &self.limit_price) {
            (KindWord::Market, None) => OrderKind::Market,
            (KindWord::Limit, Some(text)) => OrderKind::Limit { price: price(text)? },
            (KindWord::Market, Some(_)) => {
                return malformed("limit_price", "a market order has none; leave it out");
            }
            (KindWord::Limit, None) => {
                return malformed(
                    "limit_price",
                    "a limit order needs one; give one such as 300.00",
                );
            }
        };
        let validity = match (self.validity, &self.until) {
            (ValidityWord::Day, None) => Validity::Day,
            (ValidityWord::Until, Some(text)) => Validity::Until { day: until(text)? },
            (ValidityWord::Day, Some(_)) => {
                return malformed("until", "an order of one session has none; leave it out");
            }
            (ValidityWord::Until, None) => {
                return malformed("until", "give the day through which it waits");
            }
        };
        let symbol = symbol(&self.symbol)
            .map_err(|problem| ApiError::Malformed(format!("symbol: {problem}")))?;
        let quantity = Shares(self.quantity_shares);
        Ok(OrderIntent { symbol, side: self.side.0, quantity, kind, validity })
    }
}

fn price(text: &str) -> Result<Price, ApiError> {
    Price::parse(text).map_err(|error| ApiError::Malformed(format!("limit_price: {error}")))
}

fn until(text: &str) -> Result<Date, ApiError> {
    day(text).map_err(|problem| ApiError::Malformed(format!("until: {problem}")))
}

/// What an order would come to, before it is sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderPreview)]
pub(super) struct PreviewResponse {
    /// Always true: no broker is asked, and no money is at stake.
    paper: bool,
    /// Whether the share is real; null without data of it.
    #[schema(required)]
    origin: Option<OriginWord>,
    /// The price that is reckoned with: the limit, or the last close.
    estimated_price: Decimal,
    /// What the shares cost or bring at that price, charges not counted.
    amount: Amount,
    /// What the trade costs beside.
    charges: ChargesResponse,
    /// What the order binds of the money until it ends, at most; zero for a sale.
    reserve: Amount,
    /// The first session that may execute it.
    first_session: Day,
    /// When the opening auction of that session begins.
    executes_from: Instant,
    /// The money that there would be after it was filled at that price.
    cash_after: Amount,
    /// Between which prices the first session trades, reckoned from the last close; null where that is
    /// not known.
    #[schema(required)]
    price_limits: Option<PriceLimitsResponse>,
    /// How far valid prices are from each other, at the price that is reckoned with.
    price_step: Decimal,
}

/// The prices between which a session trades.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PriceLimits)]
struct PriceLimitsResponse {
    /// The lowest (taban).
    lower: Decimal,
    /// The highest (tavan).
    upper: Decimal,
}

impl From<OrderPreview> for PreviewResponse {
    fn from(preview: OrderPreview) -> Self {
        Self {
            paper: true,
            origin: preview.origin.map(OriginWord),
            estimated_price: Decimal(preview.estimated_price),
            amount: Amount(preview.amount),
            charges: preview.charges.into(),
            reserve: Amount(preview.reserve),
            first_session: Day(preview.first_session),
            executes_from: Instant(preview.executes_from),
            cash_after: Amount(preview.cash_after),
            price_limits: preview.price_limits.map(|PriceLimits { lower, upper }| {
                PriceLimitsResponse { lower: Decimal(lower), upper: Decimal(upper) }
            }),
            price_step: Decimal(preview.price_step),
        }
    }
}

#[cfg(test)]
mod tests {
    use bist_trading::Side;
    use jiff::civil::date;
    use serde_json::{Value, json};

    use super::*;

    fn read(document: Value) -> Result<OrderIntent, String> {
        let request: OrderRequest =
            serde_json::from_value(document).map_err(|error| error.to_string())?;
        request.intent().map_err(|error| error.detail())
    }

    fn limit() -> Value {
        json!({
            "portfolio": "f0123456789abcdef", "symbol": "thyao", "side": "buy",
            "quantity_shares": 100, "kind": "limit", "limit_price": "300.00",
        })
    }

    #[test]
    fn an_order_is_of_one_session_unless_it_says_through_which_day() {
        let intent = read(limit()).unwrap();
        assert_eq!((intent.symbol.as_str(), intent.quantity), ("THYAO", Shares(100)));
        assert_eq!((intent.side, intent.validity), (Side::Buy, Validity::Day));
        let mut waits = limit();
        waits["validity"] = json!("until");
        waits["until"] = json!("2026-12-04");
        let day = date(2026, 12, 4);
        assert_eq!(read(waits).unwrap().validity, Validity::Until { day });
    }

    #[test]
    fn fields_that_do_not_agree_with_each_other_are_refused_by_name() {
        for (change, expected) in [
            (json!({"kind": "market"}), "limit_price: a market order has none"),
            (json!({"limit_price": null}), "limit_price: a limit order needs one"),
            (json!({"limit_price": "0"}), "limit_price: a price must be positive"),
            (json!({"limit_price": "3,5"}), "limit_price: '3,5' is not a price"),
            (json!({"until": "2026-12-04"}), "until: an order of one session has none"),
            (json!({"validity": "until"}), "until: give the day through which it waits"),
            (json!({"validity": "until", "until": "soon"}), "until: 'soon' is not a day"),
            (json!({"symbol": "?"}), "symbol: "),
            (json!({"side": "short"}), "unknown variant `short`"),
            (json!({"quantity_shares": -1}), "invalid value: integer `-1`"),
            (json!({"quantity_shares": 1.5}), "invalid type: floating point `1.5`"),
        ] {
            let mut document = limit();
            for (field, value) in change.as_object().unwrap() {
                document[field] = value.clone();
            }
            let problem = read(document).unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
        }
    }
}
