//! Where the slope of the trend may change.

/// The rows before which the trend may bend: at most `count_max`, evenly spread over the first
/// `range` of `rows_count` rows, without the first row.
///
/// Source: `set_changepoints` of Python prophet 1.5.0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "counts of rows are far below 2^52, and the range is within 0..=1"
)]
pub(crate) fn changepoint_rows(rows_count: usize, range: f64, count_max: u16) -> Vec<usize> {
    let last = ((rows_count as f64 * range).floor() as usize).saturating_sub(1);
    let count = usize::from(count_max).min(last);
    (1..=count)
        .map(|i| match i == count {
            true => last,
            // Halves go to the even row, as numpy rounds.
            false => (i as f64 * (last as f64 / count as f64)).round_ties_even() as usize,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changepoints_are_spread_over_the_first_rows() {
        // numpy: linspace(0, 15, 7).round()[1:] = [2.5, 5, 7.5, 10, 12.5, 15] rounded to even.
        assert_eq!(changepoint_rows(20, 0.8, 6), [2, 5, 8, 10, 12, 15]);
        let rows = changepoint_rows(2520, 0.8, 25);
        assert_eq!((rows.len(), rows[0], rows[24]), (25, 81, 2015));
    }

    #[test]
    fn few_rows_have_few_changepoints() {
        assert_eq!(changepoint_rows(10, 0.8, 25), [1, 2, 3, 4, 5, 6, 7]);
        assert!(changepoint_rows(2, 0.8, 25).is_empty());
        assert!(changepoint_rows(100, 0.8, 0).is_empty());
    }
}
