//! With what a portfolio is opened: its money, what trading costs, and what an order may not go beyond.

use bist_app::portfolios::PortfolioTerms;
use bist_market::{Notional, Price};
use bist_trading::{CostModel, RiskLimits};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::ApiError;

/// What trading costs; each a share of one.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TradingCosts)]
pub(super) struct CostsDocument {
    /// The broker's commission, of the amount.
    #[schema(minimum = 0, maximum = 0.05, example = 0.0004)]
    commission_share: f64,
    /// Banking and insurance transaction tax (BSMV), of the commission.
    #[schema(minimum = 0, maximum = 1, example = 0.05)]
    bsmv_share_of_commission: f64,
    /// The exchange's fee, of the amount.
    #[schema(minimum = 0, maximum = 0.05, example = 0.00003)]
    exchange_fee_share: f64,
    /// How much worse than the open a market order is filled, of the price.
    #[schema(minimum = 0, maximum = 0.05, example = 0.0005)]
    slippage_share: f64,
}

/// What an order may not go beyond.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RiskLimits)]
pub(super) struct LimitsDocument {
    /// The largest amount of one order, lira as a decimal string.
    #[schema(pattern = "^[0-9]{1,12}(\\.[0-9]{1,4})?$", example = "250000.00")]
    order_notional_max: String,
    /// The largest share of the value of the portfolio that one ticker may be after a purchase.
    #[schema(exclusive_minimum = 0, maximum = 1, example = 0.25)]
    position_share_max: f64,
}

/// A new portfolio.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPortfolio)]
pub(super) struct OpenRequest {
    /// What it is called.
    #[schema(example = "Deneme", min_length = 1, max_length = 60)]
    name: String,
    /// With how much paper money it is opened, lira as a decimal string: 1,000 to 1,000,000,000.
    #[schema(pattern = "^[0-9]{4,10}(\\.[0-9]{1,4})?$", example = "100000.00")]
    opening_cash: String,
    /// What trading costs; what an online broker asks when it is not given.
    costs: Option<CostsDocument>,
    /// What an order may not go beyond; the usual limits when it is not given.
    limits: Option<LimitsDocument>,
}

impl From<CostModel> for CostsDocument {
    fn from(costs: CostModel) -> Self {
        let CostModel {
            commission_share,
            bsmv_share_of_commission,
            exchange_fee_share,
            slippage_share,
        } = costs;
        Self { commission_share, bsmv_share_of_commission, exchange_fee_share, slippage_share }
    }
}

impl From<CostsDocument> for CostModel {
    fn from(document: CostsDocument) -> Self {
        let CostsDocument {
            commission_share,
            bsmv_share_of_commission,
            exchange_fee_share,
            slippage_share,
        } = document;
        Self { commission_share, bsmv_share_of_commission, exchange_fee_share, slippage_share }
    }
}

impl From<RiskLimits> for LimitsDocument {
    fn from(limits: RiskLimits) -> Self {
        let RiskLimits { order_notional_max, position_share_max } = limits;
        Self { order_notional_max: order_notional_max.to_string(), position_share_max }
    }
}

impl LimitsDocument {
    /// The limits, within whose bounds they need not be yet.
    fn limits(&self) -> Result<RiskLimits, ApiError> {
        let order_notional_max = lira("limits.order_notional_max", &self.order_notional_max)?;
        Ok(RiskLimits { order_notional_max, position_share_max: self.position_share_max })
    }
}

impl OpenRequest {
    /// What is wanted.
    ///
    /// # Errors
    ///
    /// [`ApiError::Malformed`] when an amount cannot be read.
    pub(super) fn terms(self) -> Result<PortfolioTerms, ApiError> {
        Ok(PortfolioTerms {
            name: self.name,
            opening_cash: lira("opening_cash", &self.opening_cash)?,
            costs: self.costs.map(CostModel::from),
            limits: self.limits.as_ref().map(LimitsDocument::limits).transpose()?,
        })
    }
}

/// An amount of lira above zero.
fn lira(field: &str, text: &str) -> Result<Notional, ApiError> {
    let price = Price::parse(text).map_err(|_| {
        ApiError::Malformed(format!(
            "{field}: '{text}' is no amount of lira; give one such as 100000.00"
        ))
    })?;
    Ok(Notional::from_units(price.units()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(document: Value) -> Result<PortfolioTerms, String> {
        let request: OpenRequest =
            serde_json::from_value(document).map_err(|error| error.to_string())?;
        request.terms().map_err(|error| error.detail())
    }

    #[test]
    fn costs_and_limits_need_not_be_given() {
        let terms = read(json!({"name": "Deneme", "opening_cash": "100000.5"})).unwrap();
        assert_eq!((terms.name.as_str(), terms.opening_cash.units()), ("Deneme", 1_000_005_000));
        assert_eq!((terms.costs, terms.limits), (None, None));
        let limits = json!({"order_notional_max": "5000", "position_share_max": 0.5});
        let document = json!({"name": "Deneme", "opening_cash": "100000", "limits": limits});
        let limits = read(document).unwrap().limits.unwrap();
        assert_eq!(limits.order_notional_max.units(), 50_000_000);
    }

    #[test]
    fn an_amount_that_is_none_is_refused_by_the_name_of_its_field() {
        let refused = |document| read(document).unwrap_err();
        for amount in ["-1", "0", "1e6", "1.23456", "", "bin lira"] {
            let problem = refused(json!({"name": "Deneme", "opening_cash": amount}));
            assert!(problem.starts_with("opening_cash: "), "{problem}");
        }
        let limits = json!({"order_notional_max": "x", "position_share_max": 0.5});
        let document = json!({"name": "Deneme", "opening_cash": "100000", "limits": limits});
        assert!(refused(document).starts_with("limits.order_notional_max: 'x' is no amount"));
        assert!(refused(json!({"name": "Deneme"})).contains("missing field `opening_cash`"));
    }
}
