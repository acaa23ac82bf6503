//! Dates that are days, each worked out once for a file.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::moment::{DateOrder, Moment};

/// Bytes of a date such as `2024-03-01` or `01.03.2024`.
const LENGTH: usize = 10;

/// The midnights of the days of a file, in one of two spellings.
///
/// A date is eight bytes for its month and two for its day. Rows mostly follow each other within a
/// month, so the month is compared with the latest, and the day is looked up in its table.
#[derive(Debug)]
pub(super) struct Days {
    delimiter: u8,
    spelling: Spelling,
    /// The latest month as it is written, and its place in `months`.
    latest: ([u8; 8], usize),
    /// For each day of a month its midnight, once it was asked for.
    months: Vec<[Option<Timestamp>; 32]>,
    month_of: BTreeMap<[u8; 8], usize>,
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
            latest: ([0; 8], 0),
            months: vec![[None; 32]],
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
        if month != self.latest.0 || !ones.is_ascii_digit() {
            return self.turn_to(cell, month, day).map(|midnight| (midnight, at + LENGTH));
        }
        match self.months[self.latest.1].get(day)? {
            Some(midnight) => Some((*midnight, at + LENGTH)),
            None => self.turn_to(cell, month, day).map(|midnight| (midnight, at + LENGTH)),
        }
    }

    /// The midnight of a day in a month that is not the latest, or that was not asked for yet.
    #[inline(never)]
    fn turn_to(
        &mut self,
        cell: &[u8; LENGTH + 1],
        month: [u8; 8],
        day: usize,
    ) -> Option<Timestamp> {
        let Spelling { mark, marks_at, .. } = self.spelling;
        if marks_at.iter().any(|at| cell[*at] != mark) {
            return None;
        }
        let known = self.month_of.get(&month).copied();
        if let Some(known) = known
            && let Some(midnight) = *self.months[known].get(day)?
            && cell[self.spelling.day_at + 1].is_ascii_digit()
        {
            self.latest = (month, known);
            return Some(midnight);
        }
        let date = std::str::from_utf8(&cell[..LENGTH]).ok()?;
        // Without slashes the order of day and month does not matter.
        let moment = Moment::parse(date, DateOrder::DayFirst)?;
        let Moment::Day(_) = moment else { return None };
        let midnight = moment.instant()?;
        let known = known.unwrap_or_else(|| {
            self.months.push([None; 32]);
            self.month_of.insert(month, self.months.len() - 1);
            self.months.len() - 1
        });
        self.latest = (month, known);
        *self.months[known].get_mut(day)? = Some(midnight);
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
