//! What one order and one position may be at most.

use bist_market::Notional;
use serde::{Deserialize, Serialize};

/// The lowest bound of an order, 100 TRY.
pub const ORDER_NOTIONAL_MIN: Notional = Notional::from_units(1_000_000);

/// The highest bound of an order, 1,000,000,000 TRY.
pub const ORDER_NOTIONAL_MAX: Notional = Notional::from_units(10_000_000_000_000);

/// The limits that a portfolio sets itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskLimits {
    /// What one order may be worth at most, without charges; 100 to 1,000,000,000 TRY.
    pub order_notional_max: Notional,
    /// The most of the portfolio's value that one share may be after a purchase; above 0, at most 1.
    pub position_share_max: f64,
}

/// Why something is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RiskLimitsError {
    /// The limit of an order.
    #[error(
        "order_notional_max: give an amount from {ORDER_NOTIONAL_MIN} to {ORDER_NOTIONAL_MAX} TRY"
    )]
    OrderNotional,
    /// The limit of a position.
    #[error("position_share_max: give a share above 0 and at most 1")]
    PositionShare,
}

impl Default for RiskLimits {
    /// An order of at most 1,000,000 TRY, and at most a quarter of the value in one share.
    fn default() -> Self {
        Self { order_notional_max: Notional::from_units(10_000_000_000), position_share_max: 0.25 }
    }
}

impl RiskLimits {
    /// Limits within their bounds.
    ///
    /// # Errors
    ///
    /// [`RiskLimitsError`] names the field and its bounds.
    pub fn new(
        order_notional_max: Notional,
        position_share_max: f64,
    ) -> Result<Self, RiskLimitsError> {
        if !(ORDER_NOTIONAL_MIN..=ORDER_NOTIONAL_MAX).contains(&order_notional_max) {
            return Err(RiskLimitsError::OrderNotional);
        }
        if !(position_share_max > 0.0 && position_share_max <= 1.0) {
            return Err(RiskLimitsError::PositionShare);
        }
        Ok(Self { order_notional_max, position_share_max })
    }

    /// The same, if they are within their bounds.
    pub(crate) fn checked(self) -> Result<Self, RiskLimitsError> {
        Self::new(self.order_notional_max, self.position_share_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_name_the_field_that_is_out_of_bounds() {
        let lira = |lira: i64| Notional::from_units(lira * 10_000);
        let new = |amount, share| RiskLimits::new(amount, share).map_err(|e| e.to_string());
        assert!(new(lira(100), 1.0).is_ok() && new(lira(1_000_000_000), 0.01).is_ok());
        let amount = "order_notional_max: give an amount from 100.00 to 1000000000.00 TRY";
        assert_eq!(new(lira(99), 0.5), Err(amount.to_owned()));
        assert_eq!(new(lira(1_000_000_001), 0.5), Err(amount.to_owned()));
        for share in [0.0, -0.1, 1.1, f64::NAN] {
            let expected = "position_share_max: give a share above 0 and at most 1";
            assert_eq!(new(lira(1_000), share), Err(expected.to_owned()));
        }
        assert_eq!(RiskLimits::default().checked(), Ok(RiskLimits::default()));
    }
}
