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
    let mut months: BTreeMap<Date, Counts> = BTreeMap::new();
    // Rows come by day, so a month is looked up once.
    let mut open = Counts::default();
    let (mut month, mut next_month) = (Date::MIN, 0);
    for row in rows.iter().filter(|row| row.reach == Reach::Whole) {
        if row.day() >= next_month {
            months.entry(month).or_default().add(std::mem::take(&mut open));
            month = days.date(row.day()).first_of_month();
            let last = days.index_of(month.last_of_month());
            next_month = last.map_or(usize::MAX, |last| last + 1);
        }
        let counts = &mut open;
        match row.standing {
            Standing::Quarantined => counts.quarantined += 1,
            Standing::Sound if row.is_bar => {
                counts.accepted += 1;
                counts.warned += u64::from(row.warned);
            }
            // Accepted by a person, and still no bar.
            Standing::Sound => {}
        }
    }
    months.entry(month).or_default().add(open);
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
