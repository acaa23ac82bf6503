//! Prices as integers, so that money is never rounded by accident.

use std::fmt;
use std::num::NonZeroI64;

use serde::{Deserialize, Serialize};

/// Units of 0.0001 TRY in one lira.
pub const UNITS_PER_LIRA: i64 = 10_000;

/// By how much a price of a source may have been rounded, lira: half of the last decimal we keep.
pub(crate) const ROUNDING_LIRA: f64 = 0.000_05;

/// A price in Turkish lira, exact to four decimal places.
///
/// Held as an integer number of 0.0001 TRY. Always positive, and an option of one takes no more
/// room. In JSON a decimal string such as `"312.50"`, so that no reader takes it for a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Price(NonZeroI64);

/// Why a number is not a price.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Zero or negative, in units of 0.0001 TRY.
    #[error("a price must be positive, and this is {} TRY", Lira(*.0))]
    NotPositive(i64),
    /// Not a decimal number of at most four decimal places.
    #[error("'{0}' is not a price: expected a number such as 312.50 with at most 4 decimals")]
    NotANumber(String),
}

impl Price {
    /// Builds a price from ten-thousandths of a lira.
    ///
    /// # Errors
    ///
    /// [`PriceError::NotPositive`] when `units` is zero or negative.
    pub const fn from_units(units: i64) -> Result<Self, PriceError> {
        match NonZeroI64::new(units) {
            Some(positive) if units > 0 => Ok(Self(positive)),
            _ => Err(PriceError::NotPositive(units)),
        }
    }

    /// Reads a decimal such as `312.50`, the form in which the API writes prices.
    ///
    /// # Errors
    ///
    /// [`PriceError::NotANumber`] for anything else, [`PriceError::NotPositive`] for zero.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let wrong = || PriceError::NotANumber(text.to_owned());
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 4 {
            return Err(wrong());
        }
        let whole: i64 = whole.parse().map_err(|_| wrong())?;
        let part: i64 = format!("{part:0<4}").parse().map_err(|_| wrong())?;
        let units = whole
            .checked_mul(UNITS_PER_LIRA)
            .and_then(|u| u.checked_add(part))
            .ok_or_else(wrong)?;
        Self::from_units(units)
    }

    /// The price nearest to `lira`; `None` when that is zero, negative, or beyond any price.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "the range is checked, and the bound needs no last digit"
    )]
    pub fn nearest(lira: f64) -> Option<Self> {
        let units = (lira * UNITS_PER_LIRA as f64).round();
        if !(1.0..i64::MAX as f64).contains(&units) {
            return None;
        }
        Self::from_units(units as i64).ok()
    }

    /// The price in units of 0.0001 TRY.
    pub const fn units(self) -> i64 {
        self.0.get()
    }

    /// The price in lira, for statistics only; money stays in units.
    #[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53 units")]
    pub fn lira(self) -> f64 {
        self.units() as f64 / 10_000.0
    }
}

/// A number of 0.0001 TRY written as a decimal: at least two places, four when needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lira(pub(crate) i64);

impl fmt::Display for Lira {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, units) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let (whole, part) = (units / 10_000, units % 10_000);
        let text = match part {
            p if p % 100 == 0 => format!("{sign}{whole}.{:02}", p / 100),
            p if p % 10 == 0 => format!("{sign}{whole}.{:03}", p / 10),
            p => format!("{sign}{whole}.{p:04}"),
        };
        f.pad(&text)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Lira(self.units()).fmt(f)
    }
}

impl TryFrom<String> for Price {
    type Error = PriceError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Price> for String {
    fn from(price: Price) -> Self {
        price.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zero_is_not_a_price() {
        assert_eq!(Price::from_units(0), Err(PriceError::NotPositive(0)));
        assert_eq!(
            Price::from_units(-5_000).unwrap_err().to_string(),
            "a price must be positive, and this is -0.50 TRY"
        );
    }

    #[test]
    fn a_price_shows_two_decimals_and_four_when_it_has_them() {
        let show = |units| Price::from_units(units).unwrap().to_string();
        assert_eq!(show(3_125_000), "312.50");
        assert_eq!(show(19_658), "1.9658");
        assert_eq!(show(12_340), "1.234");
        assert_eq!(show(1), "0.0001");
    }

    #[test]
    fn text_that_is_not_a_price_is_refused() {
        for text in ["", "abc", "1,5", "1.23456", "-3", "1e3", ".5", "5.", "99999999999999999999"] {
            assert!(Price::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn price_to_text_to_price_is_identity(units in 1_i64..=i64::MAX) {
            let price = Price::from_units(units).unwrap();
            prop_assert_eq!(Price::parse(&price.to_string()).unwrap(), price);
        }
    }
}
