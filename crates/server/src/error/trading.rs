//! What goes wrong in paper trading: its codes, and the numbers by which an order was denied.

use bist_app::StoreError;
use bist_app::portfolios::TradingError;
use bist_trading::Denial;
use serde_json::{Map, Value, json};

use super::{ApiError, ProblemCode};
use crate::schema::Amount;

impl From<TradingError> for ApiError {
    fn from(error: TradingError) -> Self {
        Self::Trading(error)
    }
}

/// What a failure of paper trading is called.
pub(super) fn code_of(error: &TradingError) -> ProblemCode {
    match error {
        TradingError::NoSuchPortfolio(_) => ProblemCode::PortfolioNotFound,
        TradingError::NoSuchOrder(_) => ProblemCode::OrderNotFound,
        TradingError::NoSuchSymbol(_) => ProblemCode::SymbolNotFound,
        TradingError::NotOpen(_) => ProblemCode::OrderNotOpen,
        TradingError::PortfolioClosed(_) => ProblemCode::PortfolioClosed,
        TradingError::TooManyPortfolios => ProblemCode::LimitReached,
        TradingError::Portfolio(_) | TradingError::Limits(_) => ProblemCode::MalformedRequest,
        TradingError::Denied(_) => ProblemCode::OrderDenied,
        TradingError::KeyReused => ProblemCode::OrderKeyReused,
        TradingError::NoSession => ProblemCode::NoSession,
        TradingError::Busy => ProblemCode::ChangedMeanwhile,
        TradingError::Store(StoreError::Busy | StoreError::Unreachable(_)) => {
            ProblemCode::StoreBusy
        }
        TradingError::Store(_) => ProblemCode::Internal,
    }
}

/// The numbers that an order was denied by, by name: prices and amounts as decimal strings, days as
/// dates.
pub(super) fn numbers(denial: &Denial) -> Map<String, Value> {
    let numbers = match *denial {
        Denial::Stale { last_day, expected_day } => {
            json!({"last_day": last_day, "expected_day": expected_day})
        }
        Denial::OffTick { price, below, above } => {
            json!({"price": price, "below": below, "above": above})
        }
        Denial::OutsideLimits { price, lower, upper } => {
            json!({"price": price, "lower": lower, "upper": upper})
        }
        Denial::NotionalAboveLimit { notional, limit } => {
            json!({"notional": Amount(notional), "limit": Amount(limit)})
        }
        Denial::PositionAboveLimit { share, limit } => json!({"share": share, "limit": limit}),
        Denial::CashShort { needed, available } => {
            json!({"needed": Amount(needed), "available": Amount(available)})
        }
        Denial::SharesShort { ordered, free } => json!({"ordered": ordered, "free": free}),
        Denial::TooManyOpen { max } => json!({"max": max}),
        Denial::EndsTooEarly { first_session } => json!({"first_session": first_session}),
        Denial::EndsTooLate { latest } => json!({"latest": latest}),
        Denial::Halted
        | Denial::Closed
        | Denial::NoBars
        | Denial::NothingOrdered
        | Denial::LimitsUnknown
        | Denial::MarketLasts
        | Denial::TooLarge => json!({}),
    };
    if let Value::Object(numbers) = numbers { numbers } else { Map::new() }
}

#[cfg(test)]
mod tests {
    use bist_market::{Notional, Price, Shares};
    use jiff::civil::date;

    use super::*;

    #[track_caller]
    fn check(denial: Denial, expected: &Value) {
        let problem = ApiError::from(TradingError::Denied(denial)).problem();
        let document = serde_json::to_value(problem).unwrap();
        assert_eq!((&document["code"], &document["status"]), (&json!("order_denied"), &json!(422)));
        assert_eq!(document["denial"], denial.code());
        assert_eq!(document["detail"], denial.to_string());
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&document[name], value, "{document}");
        }
        assert_eq!(document.as_object().unwrap().len(), 7 + expected.as_object().unwrap().len());
    }

    #[test]
    fn the_numbers_of_a_denial_are_members_of_its_problem() {
        let price = |text| Price::parse(text).unwrap();
        let lira = |lira: i64| Notional::from_units(lira * 10_000);
        check(Denial::Halted, &json!({}));
        check(
            Denial::Stale { last_day: date(2026, 11, 20), expected_day: date(2026, 11, 23) },
            &json!({"last_day": "2026-11-20", "expected_day": "2026-11-23"}),
        );
        check(
            Denial::OffTick { price: price("101.05"), below: Some(price("101.00")), above: None },
            &json!({"price": "101.05", "below": "101.00", "above": null}),
        );
        check(
            Denial::CashShort { needed: lira(1_000), available: lira(-5) },
            &json!({"needed": "1000.00", "available": "-5.00"}),
        );
        check(
            Denial::NotionalAboveLimit { notional: lira(2), limit: lira(1) },
            &json!({"notional": "2.00", "limit": "1.00"}),
        );
        check(
            Denial::PositionAboveLimit { share: 0.5, limit: 0.25 },
            &json!({"share": 0.5, "limit": 0.25}),
        );
        check(
            Denial::SharesShort { ordered: Shares(10), free: Shares(3) },
            &json!({"ordered": 10, "free": 3}),
        );
    }

    #[test]
    fn what_the_database_said_is_not_told() {
        let error = ApiError::from(TradingError::Store(StoreError::Damaged("page 7".to_owned())));
        assert!(!error.detail().contains("page 7"), "{}", error.detail());
        let busy = ApiError::from(TradingError::Store(StoreError::Busy));
        assert_eq!(serde_json::to_value(busy.problem()).unwrap()["code"], "store_busy");
    }
}
