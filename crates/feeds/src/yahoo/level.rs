//! Whether the whole history of an adjusted series has moved to another level.

use std::collections::BTreeMap;

use bist_market::RawBar;

/// Common rows from which the change is read: the earliest ones, which every later split moves.
const ROWS_MAX: usize = 9;

/// Factors nearer to one than this are corrections of single prices, not new levels.
const CHANGE_MIN: f64 = 0.01;

/// With a single common row the factor must be larger than any correction or daily limit.
const CHANGE_OF_ONE_ROW_MIN: f64 = 0.25;

/// Whether the closes of the rows that `stored` and `fetched` have in common differ by one factor.
///
/// The vendor has then divided its history by a split that was not known when `stored` was fetched.
/// All of it must be fetched again, for the days before the common ones have moved as well.
///
/// Only the first rows in common are compared, because a split that is applied late leaves the
/// newest rows as they were. Two thirds of them must agree, so that one corrected price neither
/// hides a split nor looks like one.
pub fn level_changed(stored: &[RawBar], fetched: &[RawBar]) -> bool {
    let closes: BTreeMap<_, _> =
        stored.iter().map(|bar| (bar.opened_at, bar.close_units)).collect();
    let mut common: Vec<_> = fetched
        .iter()
        .filter_map(|bar| Some((bar.opened_at, *closes.get(&bar.opened_at)?, bar.close_units)))
        .filter(|(_, before, after)| *before > 0 && *after > 0)
        .collect();
    common.sort_unstable();
    common.truncate(ROWS_MAX);

    let mut factors: Vec<f64> =
        common.iter().map(|(_, before, after)| factor(*before, *after)).collect();
    factors.sort_unstable_by(f64::total_cmp);
    let Some(median) = factors.get(factors.len() / 2).copied() else { return false };
    let change_min = if common.len() == 1 { CHANGE_OF_ONE_ROW_MIN } else { CHANGE_MIN };
    let agreeing =
        common.iter().filter(|(_, before, after)| agrees(*before, *after, median)).count();
    // As a multiple, so that a halving counts as much as a doubling.
    median.ln().abs() > change_min.ln_1p() && agreeing * 3 >= common.len() * 2
}

#[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53 units")]
fn factor(before: i64, after: i64) -> f64 {
    after as f64 / before as f64
}

/// Whether `before` times `factor` is `after`, but for the rounding of both to whole units and of
/// the vendor's single-precision numbers.
#[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53 units")]
fn agrees(before: i64, after: i64, factor: f64) -> bool {
    let expected = before as f64 * factor;
    let rounding = 1.0 + factor + 1e-4 * expected;
    (after as f64 - expected).abs() <= rounding
}

#[cfg(test)]
mod tests {
    use bist_market::bar::midnight_of;
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    fn bars(first_day: i32, closes: &[i64]) -> Vec<RawBar> {
        let days = (first_day..).map(|day| date(2024, 3, 1).saturating_add(day.days()));
        days.zip(closes)
            .map(|(day, close_units)| RawBar {
                opened_at: midnight_of(day),
                open_units: None,
                high_units: *close_units,
                low_units: *close_units,
                close_units: *close_units,
                adjusted_close: None,
                volume_shares: None,
            })
            .collect()
    }

    #[track_caller]
    fn check(stored: &[i64], fetched: &[i64], expected: bool) {
        assert_eq!(level_changed(&bars(0, stored), &bars(0, fetched)), expected);
    }

    #[test]
    fn a_constant_factor_is_a_new_level() {
        check(&[1_000_000, 1_010_000, 990_000], &[500_000, 505_000, 495_000], true);
        check(&[500_000, 505_000, 495_000], &[1_000_000, 1_010_000, 990_000], true);
        // A bonus issue of 5 %, rounded to units.
        check(&[1_003, 1_051, 997, 1_021], &[955, 1_001, 950, 972], true);
        // Applied two days late: the newest rows already had the new level.
        check(&[900_000, 910_000, 920_000, 46_000], &[45_000, 45_500, 46_000, 46_000], true);
        check(&[900_000], &[300_000], true);
    }

    #[test]
    fn corrections_and_equal_rows_are_no_new_level() {
        check(&[1_000_000, 1_010_000, 990_000], &[1_000_000, 1_010_000, 990_000], false);
        check(&[1_000_000, 1_010_000, 990_000], &[500_000, 1_010_000, 990_000], false);
        check(&[1_000_000, 1_010_000, 990_000], &[700_000, 510_000, 890_000], false);
        check(&[1_000_000], &[1_100_000], false);
        check(&[], &[1], false);
        check(&[0, -5], &[7, 8], false);
        assert!(!level_changed(&bars(0, &[100, 100]), &bars(5, &[10, 10])));
    }
}
