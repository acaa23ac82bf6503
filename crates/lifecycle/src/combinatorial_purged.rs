//! Combinatorial purged cross-validation: many histories out of one.
//!
//! The days are cut into groups that follow each other. Each split tests a few groups and learns from
//! the others, on both sides of the test groups; all choices of test groups are splits. Every group
//! is tested equally often, and taking each of its tests once gives several whole paths through the
//! history, each out of sample from first day to last:
//!
//! ```text
//!              groups     a  b  c  d        paths
//! split 1      test       T  T  .  .        1: a1 b1 c2 d3
//! split 2      test       T  .  T  .        2: a2 b4 c4 d5
//! ...
//! ```
//!
//! A path learns from later days too. What it tells is how far the record depends on which days were
//! the test; it is no record that could have been had, which the walk-forward is.
//!
//! Source: López de Prado (2018), "Advances in Financial Machine Learning", chapter 12, with the
//! purging and the embargo of chapter 7.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::evaluation::OutOfFold;
use crate::walk_forward::{Fold, LabelledRow, days_of, ends, indices, label_days, newest_apart};

/// Most groups: the splits of twelve with six tested are 924.
const GROUPS_COUNT_MAX: u32 = 12;

/// How the splits are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CombinatorialPurged {
    /// Groups of days of equal length, but for rounding; 2 to 12.
    pub groups_count: u32,
    /// Groups that a split tests; fewer than there are.
    pub test_groups_count: u32,
    /// The share of a split's other days, the newest, that decide when to stop.
    pub validation_share: f64,
}

impl Default for CombinatorialPurged {
    /// 15 splits and 5 paths.
    fn default() -> Self {
        Self { groups_count: 6, test_groups_count: 2, validation_share: 0.15 }
    }
}

/// One split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// What is learned from and what is tested. Training and validation rows lie on both sides of the
    /// test rows, and the test rows may lie apart.
    pub fold: Fold,
    /// The groups that are tested, ascending, from zero.
    pub test_groups: Vec<usize>,
}

/// All splits of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CombinatorialSplits {
    /// The splits, by their test groups.
    pub splits: Vec<Split>,
    /// First and last day of each group.
    pub groups: Vec<(Date, Date)>,
    /// Days left out on both sides of a test group beside those whose labels overlap: as many as the
    /// longest label takes.
    pub embargo_days: usize,
}

/// Why there are no splits.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CombinatorialPurgedError {
    /// A number of the layout is outside its range.
    #[error("{name} is {value}, and must be {range}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The range in words.
        range: &'static str,
    },
    /// A split has nothing to test or nothing to learn from.
    #[error(
        "the history is too short: {days_count} days in {groups_count} groups, with {embargo_days} \
         days and the labels that overlap left out beside the groups tested, leave nothing to learn \
         from"
    )]
    TooShort {
        /// Days with known outcomes.
        days_count: usize,
        /// Groups asked for.
        groups_count: u32,
        /// Days left out on each side of a test group.
        embargo_days: usize,
    },
}

impl CombinatorialPurged {
    /// Lays the splits over the days of `rows`, which are sorted by day.
    ///
    /// From a split that tests a group is left out every row whose label was not known before the
    /// embargo in front of the group, and every row that is not after the last label of the group
    /// was known and the embargo behind it. The embargo is as many days as the longest label takes;
    /// there is no way to ask for less.
    ///
    /// # Errors
    ///
    /// [`CombinatorialPurgedError`] when a parameter is out of range, or the history is too short.
    pub fn splits(
        &self,
        rows: &[LabelledRow],
    ) -> Result<CombinatorialSplits, CombinatorialPurgedError> {
        self.check()?;
        debug_assert!(rows.is_sorted_by_key(|row| row.day), "rows are sorted by day");
        let days = days_of(rows);
        let embargo_days = label_days(rows, &days);
        let groups_count = self.groups_count as usize;
        let too_short = || CombinatorialPurgedError::TooShort {
            days_count: days.len(),
            groups_count: self.groups_count,
            embargo_days,
        };
        if days.len() < groups_count {
            return Err(too_short());
        }
        let begin = |group: usize| days.len() * group / groups_count;
        let groups: Vec<(Date, Date)> = (0..groups_count)
            .map(|group| (days[begin(group)], days[begin(group + 1) - 1]))
            .collect();
        let splits = subsets(groups_count, self.test_groups_count)
            .into_iter()
            .map(|test_groups| {
                let tested: Vec<_> = test_groups.iter().map(|&group| groups[group]).collect();
                let fold = self.fold(rows, &days, &tested, embargo_days)?;
                Some(Split { fold, test_groups })
            })
            .collect::<Option<Vec<_>>>();
        Ok(CombinatorialSplits { splits: splits.ok_or_else(too_short)?, groups, embargo_days })
    }

    /// The split that tests the groups with these first and last days; `None` when nothing is left to
    /// learn from.
    fn fold(
        &self,
        rows: &[LabelledRow],
        days: &[Date],
        tested: &[(Date, Date)],
        embargo_days: usize,
    ) -> Option<Fold> {
        let inside = |row: &LabelledRow, (first, last)| (first..=last).contains(&row.day);
        let (test, mut seen): (Vec<_>, Vec<_>) =
            rows.iter().copied().partition(|row| tested.iter().any(|group| inside(row, *group)));
        for group in tested {
            let of_group = test.iter().filter(|row| inside(row, *group));
            let known = of_group.map(|row| row.known_on).max()?;
            let clear = Clearance::around(days, group.0, known, embargo_days);
            seen.retain(|row| clear.lets_through(row));
        }
        let (train, validation) = newest_apart(&seen, self.validation_share)?;
        Some(Fold {
            train_days: ends(&train)?,
            validation_days: ends(&validation)?,
            test_days: ends(&test)?,
            train_rows: indices(&train),
            validation_rows: indices(&validation),
            test_rows: indices(&test),
        })
    }

    fn check(&self) -> Result<(), CombinatorialPurgedError> {
        let Self { groups_count, test_groups_count, validation_share } = *self;
        let rules = [
            (
                "groups_count",
                f64::from(groups_count),
                (2..=GROUPS_COUNT_MAX).contains(&groups_count),
                "2 to 12",
            ),
            (
                "test_groups_count",
                f64::from(test_groups_count),
                (1..groups_count).contains(&test_groups_count),
                "1 or more, and below the number of groups",
            ),
            (
                "validation_share",
                validation_share,
                validation_share > 0.0 && validation_share < 1.0,
                "between 0 and 1",
            ),
        ];
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            Some((name, value, _, range)) => {
                Err(CombinatorialPurgedError::Parameter { name, value, range })
            }
            None => Ok(()),
        }
    }
}

/// Which rows are clear of a test group.
struct Clearance {
    /// Rows before the group must have their label known before this day; `None` when no row can.
    known_before: Option<Date>,
    /// Rows behind the group must not be before this day; `None` when no row can.
    not_before: Option<Date>,
    first: Date,
}

impl Clearance {
    /// Around the group that begins on `first` and whose last label is known on `known_on`.
    fn around(days: &[Date], first: Date, known_on: Date, embargo_days: usize) -> Self {
        let begin = days.partition_point(|day| *day < first);
        let behind = days.partition_point(|day| *day <= known_on) + embargo_days;
        Self {
            known_before: begin.checked_sub(embargo_days).map(|index| days[index]),
            not_before: days.get(behind).copied(),
            first,
        }
    }

    fn lets_through(&self, row: &LabelledRow) -> bool {
        if row.day < self.first {
            self.known_before.is_some_and(|day| row.known_on < day)
        } else {
            self.not_before.is_some_and(|day| row.day >= day)
        }
    }
}

impl CombinatorialSplits {
    /// The forecasts of the splits as whole paths: each takes every group once, from a split that
    /// tests it, and every test of a group is in one path. `records[split]` are the forecasts for the
    /// test rows of that split, sorted by day and symbol, and so are those of a path; their fold is
    /// the group.
    ///
    /// # Panics
    ///
    /// When there are not as many `records` as splits.
    pub fn paths(&self, records: &[Vec<OutOfFold>]) -> Vec<Vec<OutOfFold>> {
        assert_eq!(records.len(), self.splits.len(), "every split has its forecasts");
        let tests_of = |group: usize| {
            let splits = self.splits.iter().zip(records);
            splits.filter(move |(split, _)| split.test_groups.contains(&group))
        };
        let paths_count = tests_of(0).count();
        let mut paths = vec![Vec::new(); paths_count];
        for (group, (first, last)) in self.groups.iter().enumerate() {
            for (path, (_, records)) in paths.iter_mut().zip(tests_of(group)) {
                let of_group =
                    records.iter().filter(|record| (first..=last).contains(&&record.day));
                path.extend(of_group.map(|record| OutOfFold { fold: group, ..record.clone() }));
            }
        }
        paths
    }
}

/// The subsets of `0..n` with `size` elements, in lexicographic order; `n` is small.
fn subsets(n: usize, size: u32) -> Vec<Vec<usize>> {
    let chosen = (0_u32..1 << n).filter(|bits| bits.count_ones() == size);
    let mut subsets: Vec<Vec<usize>> =
        chosen.map(|bits| (0..n).filter(|element| bits >> element & 1 == 1).collect()).collect();
    subsets.sort_unstable();
    subsets
}
