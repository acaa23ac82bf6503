//! Shares of amounts of money, with the rounding in the open.
//!
//! A share such as 0.0004 is taken to the nearest billionth and is an integer from there on, so that
//! the same amounts come out on every machine.

use bist_market::Notional;

/// The parts of one.
pub(crate) const BILLION: i128 = 1_000_000_000;

/// Units of 0.0001 TRY in one kuruş.
const KURUS_UNITS: i128 = 100;

/// The largest share that is told apart: a thousand new shares for an old one.
const SHARE_MAX: f64 = 1_000.0;

/// `share` in billionths, the nearest; 0 for what is below zero or no number, and the most for what
/// is above a thousand.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is bounded, and not-a-number becomes zero"
)]
pub(crate) fn billionths(share: f64) -> i128 {
    (share.clamp(0.0, SHARE_MAX) * 1e9).round() as i128
}

/// `share` of `amount`, to the nearest kuruş, half a kuruş up.
pub(crate) fn share_of(amount: Notional, share: f64) -> Notional {
    kurus(i128::from(amount.units()) * billionths(share), BILLION)
}

/// `numerator / denominator` units of 0.0001 TRY to the nearest kuruş, half a kuruş up; the largest
/// or smallest amount where it does not fit. The denominator is positive.
pub(crate) fn kurus(numerator: i128, denominator: i128) -> Notional {
    let step = denominator * KURUS_UNITS;
    notional(numerator.saturating_add(step / 2).div_euclid(step).saturating_mul(KURUS_UNITS))
}

/// An amount of so many units of 0.0001 TRY, or the largest or smallest there is.
pub(crate) fn notional(units: i128) -> Notional {
    let nearest = if units < 0 { i64::MIN } else { i64::MAX };
    Notional::from_units(i64::try_from(units).unwrap_or(nearest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(amount_units: i64, share: f64, expected_units: i64) {
        assert_eq!(share_of(Notional::from_units(amount_units), share).units(), expected_units);
    }

    #[test]
    fn a_share_is_rounded_to_the_kurus_and_half_a_kurus_up() {
        // 0.04 % of 31,250.00 is 12.50, of 12.50 it is 0.005, and of 12.49 a little less.
        check(312_500_000, 0.0004, 125_000);
        check(125_000, 0.0004, 100);
        check(124_900, 0.0004, 0);
    }

    #[test]
    fn no_share_and_no_amount_panics() {
        check(i64::MAX, 1.0, i64::MAX - 7);
        check(i64::MAX, 1e300, i64::MAX);
        check(i64::MIN, 1e300, i64::MIN);
        check(i64::MAX, f64::NAN, 0);
        check(i64::MAX, -1.0, 0);
    }
}
