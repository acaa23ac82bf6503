//! Dates that are days, their months each worked out once for a file.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use crate::moment::{DateOrder, Moment};

/// Bytes of a date such as `2024-03-01` or `01.03.2024`.
const LENGTH: usize = 10;

/// The midnights of the days of a file, in one of two spellings.
///
/// A date is eight bytes for its month and two for its day. Rows mostly follow each other within a
/// month, and months as they did for the symbol before, so the month is compared with the latest
/// and with the one that followed it, and the day is looked up in its table.
#[derive(Debug)]
pub(super) struct Days {
    delimiter: u8,
    spelling: Spelling,
    /// The place of the latest month in `months`.
    latest: usize,
    months: Vec<Month>,
    month_of: BTreeMap<[u8; 8], usize>,
}

/// A month of the file.
#[derive(Debug)]
struct Month {
    /// As it is written.
    text: [u8; 8],
    /// For each day that it has its midnight.
    midnights: [Option<Timestamp>; 32],
    /// The month that came after this one the last time.
    next: usize,
}

impl Month {
    /// No month, and before any.
    const NONE: Self = Self { text: [0; 8], midnights: [None; 32], next: 0 };

    /// The month of `day`, written `text`; the next is not known.
    fn of(day: Date, text: [u8; 8], next: usize) -> Self {
        let mut midnights = [None; 32];
        let days =
            day.first_of_month().series(1.day()).take_while(|other| other.month() == day.month());
        for (midnight, day) in midnights[1..].iter_mut().zip(days) {
            *midnight = Moment::Day(day).instant();
        }
        Self { text, midnights, next }
    }
}

/// Where the parts of a date stand.
#[derive(Clone, Copy, Debug)]
struct Spelling {
    /// Where the month begins, with its year and both marks: `2024-03-` or `.03.2024`.
    month_at: usize,
    day_at: usize,
    mark: u8,
    marks_at: [usize; 2],
}

const YEAR_FIRST: Spelling = Spelling { month_at: 0, day_at: 8, mark: b'-', marks_at: [4, 7] };
const DAY_FIRST: Spelling = Spelling { month_at: 2, day_at: 0, mark: b'.', marks_at: [2, 5] };

impl Days {
    /// For a file whose first date is `sample`.
    pub(super) fn like(sample: &str, delimiter: u8) -> Self {
        let day_first = sample.as_bytes().get(2) == Some(&DAY_FIRST.mark);
        Self {
            delimiter,
            spelling: if day_first { DAY_FIRST } else { YEAR_FIRST },
            latest: 0,
            months: vec![Month::NONE],
            month_of: BTreeMap::new(),
        }
    }

    /// The midnight of the day at `at`, and where its cell ends; `None` when the cell there is not a
    /// day in this spelling.
    #[inline]
    pub(super) fn find(&mut self, bytes: &[u8], at: usize) -> Option<(Timestamp, usize)> {
        let cell = bytes.get(at..)?.first_chunk::<{ LENGTH + 1 }>()?;
        let behind = cell[LENGTH];
        if behind != self.delimiter && !matches!(behind, b'\n' | b'\r') {
            return None;
        }
        let month = *cell[self.spelling.month_at..].first_chunk::<8>()?;
        let [tens, ones] = *cell[self.spelling.day_at..].first_chunk::<2>()?;
        // What is no digit makes a day past the table, except in the last place.
        let day = usize::from(tens.wrapping_sub(b'0')) * 10 + usize::from(ones.wrapping_sub(b'0'));
        let latest = &self.months[self.latest];
        let likely = if month == latest.text { self.latest } else { latest.next };
        let known = &self.months[likely];
        if month == known.text
            && ones.is_ascii_digit()
            && let Some(Some(midnight)) = known.midnights.get(day)
        {
            self.latest = likely;
            return Some((*midnight, at + LENGTH));
        }
        self.look_up(cell, month, day).map(|midnight| (midnight, at + LENGTH))
    }

    /// The midnight of a day in a month that is new, or comes unexpectedly.
    #[inline(never)]
    fn look_up(
        &mut self,
        cell: &[u8; LENGTH + 1],
        month: [u8; 8],
        day: usize,
    ) -> Option<Timestamp> {
        let Spelling { mark, marks_at, .. } = self.spelling;
        if marks_at.iter().any(|at| cell[*at] != mark) {
            return None;
        }
        let date = std::str::from_utf8(&cell[..LENGTH]).ok()?;
        // Without slashes the order of day and month does not matter.
        let Moment::Day(date) = Moment::parse(date, DateOrder::DayFirst)? else { return None };
        let known = *self.month_of.entry(month).or_insert_with(|| {
            self.months.push(Month::of(date, month, self.months.len()));
            self.months.len() - 1
        });
        let midnight = (*self.months[known].midnights.get(day)?)?;
        if known != self.latest {
            self.months[self.latest].next = known;
            self.latest = known;
        }
        Some(midnight)
    }
}

#[cfg(test)]
mod tests {
    use bist_market::bar::midnight_of;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_is_found_in_either_spelling_however_often_it_is_asked_for() {
        for sample in ["2024-03-01", "01.03.2024"] {
            let mut days = Days::like(sample, b',');
            for day in [date(2024, 3, 1), date(2024, 3, 29), date(2024, 4, 1), date(2024, 3, 29)] {
                let text = match sample.as_bytes()[2] {
                    b'.' => day.strftime("x%d.%m.%Y,").to_string(),
                    _ => day.strftime("x%Y-%m-%d,").to_string(),
                };
                assert_eq!(days.find(text.as_bytes(), 1), Some((midnight_of(day), 11)), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_day_of_this_spelling_is_left_alone() {
        let mut days = Days::like("2024-03-01", b',');
        assert!(days.find(b"2024-03-20,", 0).is_some());
        assert!(days.find(b"2024-03-30,", 0).is_some());
        for text in [
            "2024-03-2:,",
            "2024-03-1",
            "2024-03-01 10:00,",
            "2024-03-00,",
            "2024-03-32,",
            "2024-02-30,",
            "2024-13-01,",
            "01.03.2024,",
            "12/03/2024,",
            "2024/03/01,",
            "1899-12-31,",
        ] {
            assert_eq!(days.find(text.as_bytes(), 0), None, "{text}");
        }
        assert_eq!(Days::like("01.03.2024", b',').find(b"2024-03-01,", 0), None);
    }
}
