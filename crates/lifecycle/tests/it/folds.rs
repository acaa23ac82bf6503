//! A fold never sees its future.

use std::collections::BTreeMap;

use bist_lifecycle::{LabelledRow, WalkForward, WalkForwardError};
use jiff::civil::Date;
use proptest::prelude::*;

use crate::panels::sessions;

/// Rows of several symbols on the given days, each with a label of `horizon` of all days; `kept`
/// says which rows exist.
pub(crate) fn rows(
    days: &[Date],
    symbols_count: usize,
    horizon: usize,
    kept: &[bool],
) -> Vec<LabelledRow> {
    let last = days.len() - horizon;
    let all = (0..last).flat_map(|t| (0..symbols_count).map(move |_| t));
    all.zip(kept.iter().cycle())
        .filter(|(_, kept)| **kept)
        .enumerate()
        .map(|(row, (t, _))| LabelledRow { row, day: days[t], known_on: days[t + horizon] })
        .collect()
}

fn small(folds_count: u32, training_days_min: u32) -> WalkForward {
    WalkForward { folds_count, training_days_min, test_days_min: 3, ..WalkForward::default() }
}

#[test]
fn a_short_history_is_refused_with_the_numbers() {
    let days = sessions(305);
    let error = WalkForward::default().folds(&rows(&days, 2, 5, &[true]), 5).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the history is too short: 300 days have known outcomes, and 6 test blocks of 20 days or \
         more after 250 training days need about 617"
    );
}

#[test]
fn the_number_of_days_asked_for_is_enough_and_one_fewer_is_not() {
    let days = sessions(1_000);
    for (folds_count, horizon, embargo) in [(6, 5, 5), (1, 1, 0), (4, 20, 20), (9, 10, 5)] {
        let layout = WalkForward { folds_count, ..WalkForward::default() };
        let refused = layout.folds(&rows(&days[..60], 1, horizon, &[true]), embargo).unwrap_err();
        let WalkForwardError::TooShort { days_count_min, .. } = refused else {
            panic!("{refused}")
        };
        let folds = |count: usize| {
            layout.folds(&rows(&days[..count + horizon], 1, horizon, &[true]), embargo)
        };
        assert!(folds(days_count_min).is_ok(), "{folds_count} folds, horizon {horizon}");
        assert!(folds(days_count_min - 1).is_err(), "{folds_count} folds, horizon {horizon}");
    }
}

#[test]
fn an_impossible_layout_is_refused() {
    let days = sessions(100);
    let refused =
        |layout: WalkForward| layout.folds(&rows(&days, 1, 5, &[true]), 5).unwrap_err().to_string();
    let layout = WalkForward::default();
    assert_eq!(
        refused(WalkForward { folds_count: 0, ..layout }),
        "folds_count is 0, and must be 1 or more"
    );
    assert_eq!(
        refused(WalkForward { test_share: 1.0, ..layout }),
        "test_share is 1, and must be between 0 and 1"
    );
}

proptest! {
    #[test]
    fn labels_end_before_the_next_block_begins_and_every_test_day_comes_once(
        gaps in prop::collection::vec(prop::bool::weighted(0.9), 120..400),
        kept in prop::collection::vec(prop::bool::weighted(0.8), 1..97),
        symbols_count in 1_usize..5,
        horizon in 1_usize..12,
        folds_count in 1_u32..8,
    ) {
        let days: Vec<Date> = sessions(gaps.len())
            .into_iter()
            .zip(&gaps)
            .filter_map(|(day, open)| open.then_some(day))
            .collect();
        let rows = rows(&days, symbols_count, horizon, &kept);
        let Ok(folds) = small(folds_count, 10).folds(&rows, horizon) else { return Ok(()) };
        prop_assert_eq!(folds.len(), folds_count as usize);

        let of: BTreeMap<usize, LabelledRow> = rows.iter().map(|row| (row.row, *row)).collect();
        let mut row_days: Vec<Date> = rows.iter().map(|row| row.day).collect();
        row_days.dedup();
        let mut tested = Vec::new();
        for fold in &folds {
            let validation_first = fold.validation_rows.iter().map(|row| of[row].day).min().unwrap();
            let test_first = fold.test_rows.iter().map(|row| of[row].day).min().unwrap();
            for row in &fold.train_rows {
                prop_assert!(of[row].known_on < validation_first);
                prop_assert!(of[row].known_on < test_first);
            }
            for row in &fold.validation_rows {
                // The embargo: between the last label and the test block lie `horizon` row days.
                let between = row_days
                    .iter()
                    .filter(|day| of[row].known_on < **day && **day < test_first)
                    .count();
                prop_assert!(between >= horizon, "{between} days of embargo");
            }
            prop_assert_eq!(fold.validation_days.0, validation_first);
            prop_assert_eq!(fold.test_days.0, test_first);
            let mut days: Vec<Date> = fold.test_rows.iter().map(|row| of[row].day).collect();
            days.dedup();
            tested.extend(days);
        }
        // Every day of the last half once, in order, and no row of it forgotten.
        let half = row_days.len() - row_days.len() / 2;
        prop_assert_eq!(&tested, &row_days[half..]);
        let tested_rows: usize = folds.iter().map(|fold| fold.test_rows.len()).sum();
        prop_assert_eq!(tested_rows, rows.iter().filter(|row| row.day >= tested[0]).count());
    }
}
