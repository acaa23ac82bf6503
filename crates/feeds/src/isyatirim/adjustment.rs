//! Whether the vendor has adjusted its history again since we fetched it.

use std::collections::BTreeMap;

use bist_market::RawBar;

/// Ratios that differ by less are equal; as long as nothing happened, the vendor repeats its digits.
const TOLERANCE_SHARE: f64 = 1e-6;

/// Whether the adjusted closes of `fetched` stand in another ratio to the closes than those of
/// `stored` on a day that both have.
///
/// After a dividend or an issue the vendor adjusts all earlier days. The years that were fetched
/// before then are of another adjustment than the new ones, and must all be fetched again, lest the
/// join of two years looks like an event.
pub fn adjustment_changed(stored: &[RawBar], fetched: &[RawBar]) -> bool {
    let stored: BTreeMap<_, f64> =
        stored.iter().filter_map(|bar| Some((bar.opened_at, ratio_of(bar)?))).collect();
    fetched.iter().any(|bar| match (stored.get(&bar.opened_at), ratio_of(bar)) {
        (Some(before), Some(now)) => (now / before - 1.0).abs() > TOLERANCE_SHARE,
        _ => false,
    })
}

/// The adjusted close in units of the close; `None` unless both are positive.
#[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53 units")]
fn ratio_of(bar: &RawBar) -> Option<f64> {
    let adjusted = bar.adjusted_close.filter(|adjusted| *adjusted > 0.0)?;
    (bar.close_units > 0).then(|| adjusted * 10_000.0 / bar.close_units as f64)
}

#[cfg(test)]
mod tests {
    use bist_market::bar::midnight_of;
    use jiff::civil::date;

    use super::*;

    fn bar(day: i8, close_units: i64, adjusted_close: Option<f64>) -> RawBar {
        RawBar {
            opened_at: midnight_of(date(2025, 10, day)),
            open_units: None,
            high_units: close_units,
            low_units: close_units,
            close_units,
            adjusted_close,
            volume_shares: None,
        }
    }

    #[test]
    fn another_ratio_on_a_common_day_is_a_new_adjustment() {
        let stored = [bar(29, 1_000_000, Some(100.0)), bar(30, 1_010_000, Some(101.0))];
        assert!(!adjustment_changed(&stored, &stored));
        assert!(adjustment_changed(&stored, &[bar(30, 1_010_000, Some(98.5))]));
        // Rounding, a corrected price with its adjusted one, and other days say nothing.
        assert!(!adjustment_changed(&stored, &[bar(30, 1_010_000, Some(101.000_000_1))]));
        assert!(!adjustment_changed(&stored, &[bar(30, 1_020_000, Some(102.0))]));
        assert!(!adjustment_changed(&stored, &[bar(31, 1_010_000, Some(90.0))]));
        assert!(!adjustment_changed(&stored, &[bar(30, 1_010_000, None)]));
        assert!(!adjustment_changed(&stored, &[bar(30, 0, Some(1.0))]));
    }
}
