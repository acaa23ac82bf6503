//! What each row costs, over the whole series and month by month.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::coverage::Refused;
use super::days::Days;
use super::quality::{MonthQuality, score_share};
use super::row::{Reach, Row, Standing};
use super::{ValidationPolicy, count};

/// The counts that make the score.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    pub(super) quarantined: u64,
    pub(super) missing: u64,
    pub(super) warned: u64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.quarantined += other.quarantined;
        self.missing += other.missing;
        self.warned += other.warned;
    }

    /// Counts a row.
    #[inline]
    fn count(&mut self, row: &Row<'_>) {
        if row.is_plain {
            self.accepted += 1;
            return;
        }
        match (row.reach, row.standing) {
            (Reach::Early | Reach::Coarse, _) => {}
            (Reach::Whole, Standing::Quarantined) => self.quarantined += 1,
            (Reach::Whole, Standing::Sound) if row.is_bar => {
                self.accepted += 1;
                self.warned += u64::from(row.warned);
            }
            // Accepted by a person, and still no bar.
            (Reach::Whole, Standing::Sound) => {}
        }
    }

    fn expected(self) -> u64 {
        self.accepted + self.quarantined + self.missing
    }
}

/// The counts of all verifiable rows and sessions, and those of each month.
#[inline(never)]
pub(super) fn tally(
    rows: &[Row<'_>],
    refused: &Refused,
    missing: &[Date],
    days: &Days,
    policy: ValidationPolicy,
) -> (Counts, Vec<MonthQuality>) {
    // Rows come by day, and so do their months.
    let mut of_rows = Vec::new();
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let month = days.date(first.day()).first_of_month();
        let last = days.month_end(first.day());
        let mut counts = Counts::default();
        let mut length = 0;
        for row in rest.iter().take_while(|row| row.day() <= last) {
            counts.count(row);
            length += 1;
        }
        of_rows.push((month, counts));
        rest = &rest[length..];
    }
    let mut months = BTreeMap::from_iter(of_rows);
    for (day, quarantined) in &refused.wrong {
        if let Some(day) = day {
            months.entry(day.first_of_month()).or_default().quarantined += quarantined;
        }
    }
    for day in missing {
        months.entry(day.first_of_month()).or_default().missing += 1;
    }

    let mut all = Counts::default();
    months.values().for_each(|counts| all.add(*counts));
    all.quarantined += refused.wrong.get(&None).copied().unwrap_or_default();
    debug_assert_eq!(all.missing, count(missing.len()), "every missing session has a month");
    let months = months.into_iter().filter(|(_, counts)| counts.expected() > 0);
    (all, months.map(|(month, counts)| month_quality(month, counts, policy)).collect())
}

fn month_quality(month: Date, counts: Counts, policy: ValidationPolicy) -> MonthQuality {
    let (expected_count, error_rows_count) =
        (counts.expected(), counts.quarantined + counts.missing);
    let warning_cost = policy.warning_weight * super::quality::as_float(counts.warned);
    MonthQuality {
        month,
        expected_count,
        error_rows_count,
        warning_rows_count: counts.warned,
        score_share: score_share(expected_count, error_rows_count, warning_cost),
    }
}
