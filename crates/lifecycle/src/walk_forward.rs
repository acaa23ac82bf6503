//! Walk-forward folds: learn from the past, stop on what follows, be judged on what follows that.
//!
//! ```text
//! training | purge | validation | purge + embargo | test block
//! ```
//!
//! The training window begins with the history and expands from fold to fold; the test blocks
//! follow each other without gap over roughly the last half of the days.
//!
//! Source: López de Prado (2018), "Advances in Financial Machine Learning", chapter 7 (purging and
//! embargo), applied forward in time only.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A row with a known label: the day of its features, and the day at whose close its label became
/// known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelledRow {
    /// Its index in the panel.
    pub row: usize,
    /// The session whose close is the last thing its features know.
    pub day: Date,
    /// The last session of its label; not before `day`.
    pub known_on: Date,
}

/// How the folds are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalkForward {
    /// Test blocks.
    pub folds_count: u32,
    /// The share of all days that the test blocks cover together.
    pub test_share: f64,
    /// The share of a fold's days before its test block that decide when to stop.
    pub validation_share: f64,
    /// Fewest training days of the first fold.
    pub training_days_min: u32,
    /// Fewest days of a test block.
    pub test_days_min: u32,
}

impl Default for WalkForward {
    fn default() -> Self {
        Self {
            folds_count: 6,
            test_share: 0.5,
            validation_share: 0.15,
            training_days_min: 250,
            test_days_min: 20,
        }
    }
}

impl WalkForward {
    /// The layout for hourly bars, of which sources keep half a year to two: a month to learn from at
    /// least, and test blocks of a week or more.
    pub const HOURLY: Self = Self {
        folds_count: 4,
        test_share: 0.5,
        validation_share: 0.15,
        training_days_min: 20,
        test_days_min: 5,
    };
}

/// One fold. The rows are indices into the panel, in the order in which they were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Rows to learn from: their labels were known before the first validation day.
    pub train_rows: Vec<usize>,
    /// Rows that decide when to stop: their labels were known before the embargo began.
    pub validation_rows: Vec<usize>,
    /// Rows to be judged on.
    pub test_rows: Vec<usize>,
    /// First and last day of the training rows.
    pub train_days: (Date, Date),
    /// First and last day of the validation rows.
    pub validation_days: (Date, Date),
    /// First and last day of the test block.
    pub test_days: (Date, Date),
}

impl Fold {
    /// The rows to learn from and those that decide when to stop, sorted.
    pub(crate) fn seen_rows(&self) -> Vec<usize> {
        let mut seen = [self.train_rows.as_slice(), &self.validation_rows].concat();
        seen.sort_unstable();
        seen
    }
}

/// Why there are no folds.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WalkForwardError {
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
    /// The history is too short for the layout.
    #[error(
        "the history is too short: {days_count} days have known outcomes, and {folds_count} test \
         blocks of {test_days_min} days or more after {training_days_min} training days need about \
         {days_count_min}"
    )]
    TooShort {
        /// Days with known outcomes.
        days_count: usize,
        /// Test blocks asked for.
        folds_count: u32,
        /// Fewest days of a test block.
        test_days_min: u32,
        /// Fewest training days of the first fold.
        training_days_min: u32,
        /// Days that would do if no session were missing.
        days_count_min: usize,
    },
}

impl WalkForward {
    /// Lays the folds over the days of `rows`, which are sorted by day.
    ///
    /// For the test block that begins on day `b`, only rows whose label was known before the day
    /// `embargo_days` of the rows' days before `b` may be seen at all. The last `validation_share`
    /// of their days is the validation block, and the training rows are those whose label was
    /// known before it begins.
    ///
    /// # Errors
    ///
    /// [`WalkForwardError`] when a parameter is out of range, or the history is too short.
    pub fn folds(
        &self,
        rows: &[LabelledRow],
        embargo_days: usize,
    ) -> Result<Vec<Fold>, WalkForwardError> {
        self.folds_over(&days_of(rows), rows, embargo_days)
    }

    /// The same over given days, which ascend; there may be days without rows among them.
    pub(crate) fn folds_over(
        &self,
        days: &[Date],
        rows: &[LabelledRow],
        embargo_days: usize,
    ) -> Result<Vec<Fold>, WalkForwardError> {
        self.check()?;
        debug_assert!(rows.is_sorted_by_key(|row| row.day), "rows are sorted by day");
        let folds_count = self.folds_count as usize;
        let first = self.test_begins(days.len());
        let begin = |fold: usize| first + (days.len() - first) * fold / folds_count;
        let folds = (0..folds_count)
            .map(|fold| self.fold(rows, days, begin(fold), begin(fold + 1), embargo_days))
            .collect::<Option<Vec<_>>>();
        folds.ok_or_else(|| WalkForwardError::TooShort {
            days_count: days.len(),
            folds_count: self.folds_count,
            test_days_min: self.test_days_min,
            training_days_min: self.training_days_min,
            days_count_min: self.days_count_min(label_days(rows, days), embargo_days),
        })
    }

    /// The fewest of the newest days that hold one test block and the block before it.
    pub(crate) fn unseen_days_min(&self) -> usize {
        2 * self.test_days_min.max(1) as usize
    }

    /// The same with all test blocks, and the block before the first, on the newest `newest_count`
    /// of `days_count` days; with fewer blocks where there are few. `None` when there is no room.
    pub(crate) fn within_newest(self, newest_count: usize, days_count: usize) -> Option<Self> {
        let blocks_count = newest_count / self.test_days_min.max(1) as usize;
        let folds_count = blocks_count.saturating_sub(1).min(self.folds_count as usize);
        if folds_count == 0 {
            return None;
        }
        let most = share_of(self.test_share, days_count) / folds_count;
        let block_days = (newest_count / (folds_count + 1)).min(most);
        let folds_count = u32::try_from(folds_count).ok()?;
        let test_share = share_for(block_days * folds_count as usize, days_count);
        Some(Self { folds_count, test_share, ..self })
    }

    /// The fold before the first: a test block as long as the others, right before theirs. What is
    /// forecast there is judged by nobody, and teaches how to weight the members on the first fold.
    /// `None` when the history is too short for it.
    pub(crate) fn warm_up(
        &self,
        days: &[Date],
        rows: &[LabelledRow],
        embargo_days: usize,
    ) -> Option<Fold> {
        let end = self.test_begins(days.len());
        let length = (days.len() - end) / self.folds_count as usize;
        self.fold(rows, days, end.checked_sub(length)?, end, embargo_days)
    }

    /// The fold whose test block is `days[begin..end]`, if there is enough before and in it.
    fn fold(
        &self,
        rows: &[LabelledRow],
        days: &[Date],
        begin: usize,
        end: usize,
        embargo_days: usize,
    ) -> Option<Fold> {
        if end - begin < self.test_days_min.max(1) as usize {
            return None;
        }
        let seen_before = *days.get(begin.checked_sub(embargo_days)?)?;
        let seen: Vec<_> = rows.iter().filter(|row| row.known_on < seen_before).copied().collect();
        let (train, validation) = self.newest_apart(&seen)?;
        if days_of(&train).len() < self.training_days_min.max(1) as usize {
            return None;
        }
        let test: Vec<_> = rows
            .iter()
            .filter(|row| (days[begin]..=days[end - 1]).contains(&row.day))
            .copied()
            .collect();
        Some(Fold {
            train_days: ends(&train)?,
            validation_days: ends(&validation)?,
            test_days: ends(&test)?,
            train_rows: indices(&train),
            validation_rows: indices(&validation),
            test_rows: indices(&test),
        })
    }

    /// As the function [`newest_apart`], with the share of this layout.
    pub(crate) fn newest_apart(
        &self,
        rows: &[LabelledRow],
    ) -> Option<(Vec<LabelledRow>, Vec<LabelledRow>)> {
        newest_apart(rows, self.validation_share)
    }

    /// The index of the first test day among `days_count` days.
    fn test_begins(&self, days_count: usize) -> usize {
        days_count - share_of(self.test_share, days_count)
    }

    /// The shortest history without gaps that suffices, when labels become known after
    /// `label_days` days.
    fn days_count_min(&self, label_days: usize, embargo_days: usize) -> usize {
        let suffices = |days_count: usize| {
            let first = self.test_begins(days_count);
            let test_days = (days_count - first) / self.folds_count as usize;
            let seen = first.saturating_sub(embargo_days + label_days);
            let train = (seen - validation_days_count(self.validation_share, seen))
                .saturating_sub(label_days);
            test_days >= self.test_days_min.max(1) as usize
                && train >= self.training_days_min.max(1) as usize
        };
        (1..).find(|days_count| suffices(*days_count)).unwrap_or(usize::MAX)
    }

    fn check(&self) -> Result<(), WalkForwardError> {
        let inside = |share: f64| share > 0.0 && share < 1.0;
        let rules = [
            ("folds_count", f64::from(self.folds_count), self.folds_count >= 1, "1 or more"),
            ("test_share", self.test_share, inside(self.test_share), "between 0 and 1"),
            (
                "validation_share",
                self.validation_share,
                inside(self.validation_share),
                "between 0 and 1",
            ),
        ];
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            Some((name, value, _, range)) => {
                Err(WalkForwardError::Parameter { name, value, range })
            }
            None => Ok(()),
        }
    }
}

/// The days of `rows`, which are sorted by day.
pub(crate) fn days_of(rows: &[LabelledRow]) -> Vec<Date> {
    let mut days: Vec<Date> = rows.iter().map(|row| row.day).collect();
    days.dedup();
    days
}

/// The rows that are learned from and, apart from them, those of the last `validation_share` of the
/// days.
///
/// Between the two are left out those whose label was not known before the validation began. `rows`
/// are sorted by day; `None` when there are none.
pub(crate) fn newest_apart(
    rows: &[LabelledRow],
    validation_share: f64,
) -> Option<(Vec<LabelledRow>, Vec<LabelledRow>)> {
    let days = days_of(rows);
    let begin = days.len() - validation_days_count(validation_share, days.len());
    let first = *days.get(begin)?;
    let (validation, earlier): (Vec<_>, Vec<_>) =
        rows.iter().copied().partition(|row| row.day >= first);
    Some((earlier.into_iter().filter(|row| row.known_on < first).collect(), validation))
}

/// The number of validation days among `days_count` days; at least one if there are any.
fn validation_days_count(validation_share: f64, days_count: usize) -> usize {
    share_of(validation_share, days_count).clamp(1.min(days_count), days_count)
}

/// How many of the rows' days a label takes, where it takes the most.
pub(crate) fn label_days(rows: &[LabelledRow], days: &[Date]) -> usize {
    let index = |day: Date| days.partition_point(|other| *other < day);
    rows.iter().map(|row| index(row.known_on) - index(row.day)).max().unwrap_or(0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a count is a count"
)]
fn share_of(share: f64, count: usize) -> usize {
    (count as f64 * share).floor() as usize
}

/// The share whose [`share_of`] `whole` is `count`.
#[expect(clippy::cast_precision_loss, reason = "days are few")]
fn share_for(count: usize, whole: usize) -> f64 {
    (count as f64 + 0.5) / whole as f64
}

pub(crate) fn ends(rows: &[LabelledRow]) -> Option<(Date, Date)> {
    Some((rows.first()?.day, rows.last()?.day))
}

pub(crate) fn indices(rows: &[LabelledRow]) -> Vec<usize> {
    rows.iter().map(|row| row.row).collect()
}
