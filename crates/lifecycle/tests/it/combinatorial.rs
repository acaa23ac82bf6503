//! Splits on both sides of what they test, and the paths that they make.

use std::collections::{BTreeMap, BTreeSet};

use bist_lifecycle::combinatorial_purged::{
    CombinatorialPurged, CombinatorialPurgedError, CombinatorialSplits,
};
use bist_lifecycle::evaluation::{ByBaseline, OutOfFold, PathsEvaluation, Predicted};
use bist_lifecycle::walk_forward::LabelledRow;
use jiff::civil::{Date, Time};
use proptest::prelude::*;

use crate::folds::rows;
use crate::panels::{no_outlook, sessions, symbol};

/// The forecasts of each split for its test rows; `model` gives them by split, day and symbol.
fn records(
    splits: &CombinatorialSplits,
    rows: &[LabelledRow],
    model: impl Fn(usize, usize) -> f64,
) -> Vec<Vec<OutOfFold>> {
    let record = |split: usize, row: usize| {
        let realised = (row * 7_919 % 101) as f64 / 101.0 - 0.5;
        OutOfFold {
            symbol: symbol(row % 5),
            day: rows[row].day,
            time: Time::midnight(),
            known_on: rows[row].known_on,
            fold: split,
            predicted: Predicted {
                model: model(split, row) * realised,
                baselines: ByBaseline::of(|_| 0.0),
            },
            members: Vec::new(),
            turbulence: 0.0,
            drift: 0.0,
            learned: realised,
            step_returns: vec![realised],
            tradable_return: realised,
            volatility: 0.02,
            outlook: no_outlook(),
        }
    };
    let of_split =
        |(split, rows): (usize, &Vec<usize>)| rows.iter().map(|&row| record(split, row)).collect();
    splits.splits.iter().map(|split| &split.fold.test_rows).enumerate().map(of_split).collect()
}

#[test]
fn six_groups_of_which_two_are_tested_make_fifteen_splits_and_five_paths() {
    let rows = rows(&sessions(305), 5, 5, &[true]);
    let splits = CombinatorialPurged::default().splits(&rows).unwrap();
    assert_eq!((splits.splits.len(), splits.groups.len(), splits.embargo_days), (15, 6, 5));
    assert_eq!(splits.splits[0].test_groups, [0, 1]);
    assert_eq!(splits.splits[14].test_groups, [4, 5]);

    // The forecasts of the first split alone are wrong.
    let records = records(&splits, &rows, |split, _| if split == 0 { -1.0 } else { 1.0 });
    let paths = splits.paths(&records);
    assert_eq!(paths.len(), 5);
    let evaluation = PathsEvaluation::of(&paths).unwrap();
    let expected = [1.0 - 2.0 * 2.0 / 6.0, 1.0, 1.0, 1.0, 1.0];
    for (actual, expected) in evaluation.rank_ics.iter().zip(expected) {
        assert!((actual - expected).abs() < 1e-12, "{:?}", evaluation.rank_ics);
    }
    assert!((evaluation.mean - (4.0 + 1.0 / 3.0) / 5.0).abs() < 1e-12);
    // Four at one and one at a third: squares of 4 * (2/15)^2 + (8/15)^2 over four.
    let expected = ((4.0 * 4.0 + 64.0) / 225.0 / 4.0_f64).sqrt();
    assert!((evaluation.standard_deviation - expected).abs() < 1e-12);
    assert!((evaluation.share_positive - 1.0).abs() < 1e-12);
    assert_eq!(PathsEvaluation::of(&[]), None);
}

#[test]
fn what_cannot_be_laid_out_is_refused_with_a_reason() {
    let rows = rows(&sessions(65), 1, 5, &[true]);
    let refused = |layout: CombinatorialPurged| layout.splits(&rows).unwrap_err();
    let layout = CombinatorialPurged::default();
    assert_eq!(
        refused(CombinatorialPurged { groups_count: 13, ..layout }).to_string(),
        "groups_count is 13, and must be 2 to 12"
    );
    assert_eq!(
        refused(CombinatorialPurged { test_groups_count: 6, ..layout }).to_string(),
        "test_groups_count is 6, and must be 1 or more, and below the number of groups"
    );
    let share = CombinatorialPurged { validation_share: 0.0, ..layout };
    assert!(matches!(refused(share), CombinatorialPurgedError::Parameter { .. }));
    assert_eq!(
        refused(CombinatorialPurged { groups_count: 12, test_groups_count: 6, ..layout })
            .to_string(),
        "the history is too short: 60 days in 12 groups, with 5 days and the labels that overlap \
         left out beside the groups tested, leave nothing to learn from"
    );
    assert!(layout.splits(&rows[..4]).is_err());
}

proptest! {
    #[test]
    fn no_label_reaches_into_a_test_group_or_its_embargo_and_every_day_is_tested_equally_often(
        gaps in prop::collection::vec(prop::bool::weighted(0.9), 150..400),
        kept in prop::collection::vec(prop::bool::weighted(0.8), 1..97),
        symbols_count in 1_usize..5,
        horizon in 1_usize..8,
        (groups_count, test_groups_count) in (2_u32..8).prop_flat_map(|n| (Just(n), 1..n)),
    ) {
        let days: Vec<Date> = sessions(gaps.len())
            .into_iter()
            .zip(&gaps)
            .filter_map(|(day, open)| open.then_some(day))
            .collect();
        let rows = rows(&days, symbols_count, horizon, &kept);
        let layout =
            CombinatorialPurged { groups_count, test_groups_count, ..CombinatorialPurged::default() };
        let Ok(splits) = layout.splits(&rows) else { return Ok(()) };
        let mut row_days: Vec<Date> = rows.iter().map(|row| row.day).collect();
        row_days.dedup();

        let mut tested: BTreeMap<Date, usize> = BTreeMap::new();
        for split in &splits.splits {
            let learned: Vec<LabelledRow> = [&split.fold.train_rows, &split.fold.validation_rows]
                .into_iter()
                .flatten()
                .map(|&row| rows[row])
                .collect();
            let test: BTreeSet<usize> = split.fold.test_rows.iter().copied().collect();
            for &group in &split.test_groups {
                let (first, last) = splits.groups[group];
                let of_group: Vec<_> =
                    rows.iter().filter(|row| (first..=last).contains(&row.day)).collect();
                prop_assert!(of_group.iter().all(|row| test.contains(&row.row)));
                let known = of_group.iter().map(|row| row.known_on).max().unwrap();
                for row in &learned {
                    // Between the label and the group, or the group's last label and the row, lie
                    // as many days as the longest label takes.
                    let (from, to) =
                        if row.day < first { (row.known_on, first) } else { (known, row.day) };
                    let between =
                        row_days.iter().filter(|day| from < **day && **day < to).count();
                    prop_assert!(between >= splits.embargo_days, "{between} days of embargo");
                    prop_assert!(from < to, "labels overlap");
                }
            }
            let validation_first =
                split.fold.validation_rows.iter().map(|&row| rows[row].day).min().unwrap();
            for &row in &split.fold.train_rows {
                prop_assert!(rows[row].known_on < validation_first);
            }
            let mut days: Vec<Date> = test.iter().map(|&row| rows[row].day).collect();
            days.dedup();
            for day in days {
                *tested.entry(day).or_default() += 1;
            }
        }
        // Each group is in C(n - 1, k - 1) of the C(n, k) splits.
        let expected = binomial(groups_count - 1, test_groups_count - 1);
        prop_assert_eq!(splits.splits.len(), binomial(groups_count, test_groups_count));
        prop_assert_eq!(tested.len(), row_days.len());
        prop_assert!(tested.values().all(|count| *count == expected));

        let paths = splits.paths(&records(&splits, &rows, |split, _| split as f64 + 1.0));
        prop_assert_eq!(paths.len(), expected);
        let mut used = BTreeSet::new();
        for path in &paths {
            let path_rows: Vec<(Date, _)> = path.iter().map(|r| (r.day, r.known_on)).collect();
            let all_rows: Vec<(Date, _)> = rows.iter().map(|r| (r.day, r.known_on)).collect();
            prop_assert_eq!(path_rows, all_rows, "every row of the history, once and in order");
            for record in path.iter().filter(|record| record.learned.abs() > 0.0) {
                let number = record.predicted.model / record.learned;
                let split = (0..splits.splits.len())
                    .find(|split| (*split as f64 + 1.0 - number).abs() < 0.5)
                    .unwrap();
                prop_assert!(splits.splits[split].test_groups.contains(&record.fold));
                used.insert((split, record.fold));
            }
        }
        prop_assert_eq!(used.len(), expected * groups_count as usize, "every test in one path");
    }
}

fn binomial(n: u32, k: u32) -> usize {
    (0..k).fold(1, |product, i| product * (n - i) as usize / (i + 1) as usize)
}
