//! Which backups are kept: the newest of each of the last days, weeks and months that have one.

use std::collections::BTreeSet;

use bist_market::bar::day_of;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

/// How many backups are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// Days (in Istanbul) whose newest backup is kept, at least 1.
    pub daily: usize,
    /// Weeks, from Monday on, whose newest backup is kept.
    pub weekly: usize,
    /// Months whose newest backup is kept.
    pub monthly: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Self { daily: 7, weekly: 4, monthly: 12 }
    }
}

impl Retention {
    /// Those of the backups made at `made` that are kept; the newest always is. Days, weeks and months
    /// without a backup do not count, so that a server that stood still loses none.
    pub fn kept(&self, made: &[Timestamp]) -> BTreeSet<Timestamp> {
        let newest_first: BTreeSet<Timestamp> = made.iter().copied().collect();
        let mut kept = BTreeSet::new();
        kept.extend(newest_first.last());
        let begins: [fn(Date) -> Date; 3] = [|day| day, monday_of, |day| day.first_of_month()];
        for (count, period_of) in [self.daily, self.weekly, self.monthly].into_iter().zip(begins) {
            let mut seen = BTreeSet::new();
            for at in newest_first.iter().rev() {
                if seen.len() == count {
                    break;
                }
                if seen.insert(period_of(day_of(*at))) {
                    kept.insert(*at);
                }
            }
        }
        kept
    }
}

/// The Monday of the week of `day`.
fn monday_of(day: Date) -> Date {
    day.saturating_sub(i32::from(day.weekday().to_monday_zero_offset()).days())
}

#[cfg(test)]
mod tests {
    use bist_market::bar::midnight_of;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    /// Two in the night of `days` days from the first of January 2026 on.
    fn nights(days: i32) -> Vec<Timestamp> {
        let first = date(2026, 1, 1);
        (0..days).map(|day| midnight_of(first + day.days()) + 2.hours()).collect()
    }

    #[test]
    fn two_years_of_nights_leave_days_weeks_and_months() {
        let kept = Retention::default().kept(&nights(730));
        let days: Vec<String> = kept.iter().map(|at| day_of(*at).to_string()).collect();
        // 730 days end on 31 December 2027, a Friday.
        let months = [
            "2027-01-31",
            "2027-02-28",
            "2027-03-31",
            "2027-04-30",
            "2027-05-31",
            "2027-06-30",
            "2027-07-31",
            "2027-08-31",
            "2027-09-30",
            "2027-10-31",
            "2027-11-30",
        ];
        let weeks = ["2027-12-12", "2027-12-19"];
        // The last Sunday is among the days.
        let newest = [
            "2027-12-25",
            "2027-12-26",
            "2027-12-27",
            "2027-12-28",
            "2027-12-29",
            "2027-12-30",
            "2027-12-31",
        ];
        assert_eq!(days, [&months[..], &weeks, &newest].concat());
    }

    #[test]
    fn of_several_of_a_day_the_newest_stays() {
        let morning = nights(1)[0];
        let made = [morning, morning + 1.hour(), morning + 5.hours()];
        let kept: Vec<Timestamp> = Retention::default().kept(&made).into_iter().collect();
        assert_eq!(kept, [morning + 5.hours()]);
        assert_eq!(Retention::default().kept(&[]), BTreeSet::new());
    }

    proptest! {
        #[test]
        fn the_newest_stays_and_no_more_than_were_asked_for(
            hours in proptest::collection::vec(0_i64..20_000, 1..200),
            daily in 1_usize..9, weekly in 0_usize..6, monthly in 0_usize..14,
        ) {
            let first = nights(1)[0];
            let made: Vec<Timestamp> = hours.iter().map(|hour| first + (*hour).hours()).collect();
            let retention = Retention { daily, weekly, monthly };
            let kept = retention.kept(&made);
            prop_assert!(kept.contains(made.iter().max().unwrap()));
            prop_assert!(kept.iter().all(|at| made.contains(at)));
            prop_assert!(kept.len() <= daily + weekly + monthly);
            // Looking again removes nothing more.
            let rest: Vec<Timestamp> = kept.iter().copied().collect();
            prop_assert_eq!(&retention.kept(&rest), &kept);
            // The newest of each of the last days with a backup.
            let days: BTreeSet<Date> = made.iter().map(|at| day_of(*at)).collect();
            for day in days.iter().rev().take(daily) {
                let newest = made.iter().filter(|at| day_of(**at) == *day).max().unwrap();
                prop_assert!(kept.contains(newest));
            }
        }

        #[test]
        fn what_is_removed_night_by_night_is_what_would_be_removed_at_once(days in 1_i32..500) {
            let retention = Retention::default();
            let mut held: Vec<Timestamp> = Vec::new();
            for night in nights(days) {
                held.push(night);
                held = retention.kept(&held).into_iter().collect();
            }
            let at_once: Vec<Timestamp> = retention.kept(&nights(days)).into_iter().collect();
            prop_assert_eq!(held, at_once);
        }
    }
}
