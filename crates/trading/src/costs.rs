//! What it costs to buy or sell, as shares of the amount traded.

use serde::{Deserialize, Serialize};

/// The costs of one trade, each a share (0..=1) of the amount traded or of another cost.
///
/// The default is what an individual pays at an online broker in Turkey; every part of it is an
/// assumption that a user may replace by the terms of their own contract.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostModel {
    /// The broker's commission, a share of the amount.
    ///
    /// Default 0.0004 (0.04 %): brokers ask 0.01 % to 0.20 %, tiered by volume; 0.04 % is a fair
    /// price online. Source: brokers' published tariffs, read 2026; one good secondary source.
    pub commission_share: f64,
    /// Banking and insurance transaction tax (BSMV), a share **of the commission**.
    ///
    /// Default 0.05. Source: Law 6802 on expenditure taxes, article 33, general rate; official.
    pub bsmv_share_of_commission: f64,
    /// The exchange's fee, a share of the amount.
    ///
    /// Default 0.00003 (0.3 basis points): 0.25 to 0.30 are published. Source: brokers' published
    /// tariffs, read 2026; one good secondary source.
    pub exchange_fee_share: f64,
    /// How much worse than the bar's price a trade is filled, a share of the amount.
    ///
    /// Default 0.0005 (5 basis points). **An assumption, not a measurement**: one price step of a
    /// share is 5 to 20 basis points of its price, and half of it is lost when one takes the other
    /// side's price.
    pub slippage_share: f64,
}

impl Default for CostModel {
    fn default() -> Self {
        Self {
            commission_share: 0.0004,
            bsmv_share_of_commission: 0.05,
            exchange_fee_share: 0.000_03,
            slippage_share: 0.0005,
        }
    }
}

impl CostModel {
    /// The cost of one purchase or one sale, a share of the amount.
    pub fn per_side_share(&self) -> f64 {
        self.commission_share * (1.0 + self.bsmv_share_of_commission)
            + self.exchange_fee_share
            + self.slippage_share
    }

    /// The cost of a purchase and the sale that ends it, a share of the amount bought.
    ///
    /// The sale is counted as if it were of the same amount; over a few sessions the difference is
    /// far below the uncertainty of the slippage.
    pub fn round_trip_share(&self) -> f64 {
        2.0 * self.per_side_share()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tax_is_a_share_of_the_commission_and_not_of_the_trade() {
        let costs = CostModel {
            commission_share: 0.002,
            bsmv_share_of_commission: 0.05,
            exchange_fee_share: 0.0,
            slippage_share: 0.0,
        };
        assert!((costs.per_side_share() - 0.0021).abs() < 1e-15);
    }

    #[test]
    fn a_round_trip_by_default_costs_nineteen_basis_points() {
        // 2 * (4 * 1.05 + 0.3 + 5) basis points.
        assert!((CostModel::default().round_trip_share() - 0.0019).abs() < 1e-12);
    }
}
