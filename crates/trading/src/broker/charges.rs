//! What a trade costs besides its amount.

use bist_market::Notional;
use serde::{Deserialize, Serialize};

use crate::costs::CostModel;
use crate::money::share_of;

/// The charges of one fill, each rounded to the nearest kuruş, half a kuruş up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charges {
    /// The broker's commission.
    pub commission: Notional,
    /// Banking and insurance transaction tax: of the rounded commission, not of the amount.
    pub bsmv: Notional,
    /// The exchange's fee.
    pub exchange_fee: Notional,
}

impl Charges {
    /// The charges of a trade of `amount`. The slippage is in its price and no charge.
    pub fn of(amount: Notional, costs: &CostModel) -> Self {
        let commission = share_of(amount, costs.commission_share);
        Self {
            commission,
            bsmv: share_of(commission, costs.bsmv_share_of_commission),
            exchange_fee: share_of(amount, costs.exchange_fee_share),
        }
    }

    /// All of them.
    pub const fn total(&self) -> Notional {
        self.commission.saturating_add(self.bsmv).saturating_add(self.exchange_fee)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(amount_units: i64, expected_units: [i64; 3]) {
        let charges = Charges::of(Notional::from_units(amount_units), &CostModel::default());
        let actual = [charges.commission, charges.bsmv, charges.exchange_fee].map(Notional::units);
        assert_eq!(actual, expected_units);
        assert_eq!(charges.total().units(), expected_units.iter().sum::<i64>());
    }

    #[test]
    fn charges_are_those_worked_out_by_hand() {
        // 31,250.00: 0.04 % is 12.50, 5 % of it 0.625 and so 0.63, 0.003 % is 0.9375 and so 0.94.
        check(312_500_000, [125_000, 6_300, 9_400]);
        // 1,000.00: 0.40, 0.02 and 0.03.
        check(10_000_000, [4_000, 200, 300]);
        // 12.50: 0.005 and so 0.01, 0.0005 and so nothing, 0.000375 and so nothing.
        check(125_000, [100, 0, 0]);
        check(0, [0, 0, 0]);
    }

    #[test]
    fn the_largest_amount_has_charges_too() {
        let all = CostModel {
            commission_share: 1.0,
            bsmv_share_of_commission: 1.0,
            exchange_fee_share: 1.0,
            slippage_share: 0.0,
        };
        let most = Notional::from_units(i64::MAX);
        assert_eq!(Charges::of(most, &all).total(), most);
    }
}
