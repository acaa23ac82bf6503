//! How much: shares, and amounts of money.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::price::{Lira, Price};

/// A number of shares. The board lot of the normal market is one share.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Shares(pub u64);

impl Shares {
    /// The whole number nearest to `count`; zero for anything below, the most for anything above.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a conversion of floats saturates, and not-a-number becomes zero"
    )]
    pub fn nearest(count: f64) -> Self {
        Self(count.round() as u64)
    }

    /// The count as a float, for statistics only.
    #[expect(clippy::cast_precision_loss, reason = "volumes are far below 2^53 shares")]
    pub fn count(self) -> f64 {
        self.0 as f64
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An amount of money in units of 0.0001 TRY; negative when it is owed.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Notional(i64);

impl Notional {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// Builds an amount from ten-thousandths of a lira.
    pub const fn from_units(units: i64) -> Self {
        Self(units)
    }

    /// What `shares` cost at `price`; `None` when the amount does not fit (above 922 trillion TRY).
    pub fn of(price: Price, shares: Shares) -> Option<Self> {
        let shares = i64::try_from(shares.0).ok()?;
        price.units().checked_mul(shares).map(Self)
    }

    /// The amount in units of 0.0001 TRY.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Both together; the largest or smallest amount where the sum does not fit.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left without `other`; the largest or smallest amount where it does not fit.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Notional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Lira(self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notional_is_price_times_shares_or_nothing() {
        let price = Price::parse("312.50").unwrap();
        assert_eq!(Notional::of(price, Shares(100)).unwrap().to_string(), "31250.00");
        assert_eq!(Notional::of(price, Shares(u64::MAX)), None);
    }

    #[test]
    fn sums_of_money_stop_at_the_largest_amount() {
        let [one, most] = [1, i64::MAX].map(Notional::from_units);
        assert_eq!(most.saturating_add(one), most);
        assert_eq!(Notional::ZERO.saturating_sub(most).saturating_sub(one).units(), -i64::MAX - 1);
    }
}
