//! Dates that are days, their months each worked out once for a file.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::number;
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
    month_of: BTreeMap<u64, usize>,
}

/// Bytes of a date and the delimiter behind it.
pub(super) const CELL_LENGTH: usize = LENGTH + 1;

/// A month of the file.
#[derive(Debug)]
struct Month {
    /// As it is written, the first byte the lowest.
    text: u64,
    days_count: usize,
    /// The midnight of each day, from the first.
    midnights: [Timestamp; 31],
    /// The month that came after this one the last time.
    next: usize,
}

impl Month {
    /// No month, and before any.
    const NONE: Self =
        Self { text: 0, days_count: 0, midnights: [Timestamp::UNIX_EPOCH; 31], next: 0 };

    /// The month of `day`, written `text`; the next is not known. `None` when time ends in it.
    fn of(day: Date, text: u64, next: usize) -> Option<Self> {
        let mut month = Self { text, next, ..Self::NONE };
        let days =
            day.first_of_month().series(1.day()).take_while(|other| other.month() == day.month());
        for (midnight, day) in month.midnights.iter_mut().zip(days) {
            *midnight = Moment::Day(day).instant()?;
            month.days_count += 1;
        }
        Some(month)
    }

    /// The midnight of the day with these two digits, if the month has it.
    #[inline(always)]
    fn midnight(&self, [tens, ones]: [u8; 2]) -> Option<Timestamp> {
        let (tens, ones) = (usize::from(tens.wrapping_sub(b'0')), ones.wrapping_sub(b'0'));
        // What is no digit in the first place makes a day past any month.
        let index = (tens * 10 + usize::from(ones)).wrapping_sub(1);
        let is_day = ones <= 9 && index < self.days_count;
        self.midnights.get(index).copied().filter(|_| is_day)
    }
}

/// In which order the parts of a date stand.
#[derive(Clone, Copy, Debug)]
enum Spelling {
    /// `2024-03-01`.
    YearFirst,
    /// `01.03.2024`.
    DayFirst,
}

impl Spelling {
    /// The month of a date, with its year and both marks, and the two digits of its day.
    #[inline(always)]
    fn parts(self, cell: &[u8; CELL_LENGTH]) -> Option<(u64, [u8; 2])> {
        let (month_at, day_at) = match self {
            Self::YearFirst => (0, 8),
            Self::DayFirst => (2, 0),
        };
        Some((number::word_at(cell, month_at)?, *cell.get(day_at..)?.first_chunk()?))
    }

    /// Whether the marks of a date stand where this has them.
    const fn has_marks(self, cell: &[u8; CELL_LENGTH]) -> bool {
        match self {
            Self::YearFirst => cell[4] == b'-' && cell[7] == b'-',
            Self::DayFirst => cell[2] == b'.' && cell[5] == b'.',
        }
    }
}

impl Days {
    /// For a file whose first date is `sample`.
    pub(super) fn like(sample: &str, delimiter: u8) -> Self {
        let day_first = sample.as_bytes().get(2) == Some(&b'.');
        Self {
            delimiter,
            spelling: if day_first { Spelling::DayFirst } else { Spelling::YearFirst },
            latest: 0,
            months: vec![Month::NONE],
            month_of: BTreeMap::new(),
        }
    }

    /// The midnight of the day at `at`, and where its cell ends; `None` when the cell there is not a
    /// day in this spelling.
    #[inline]
    pub(super) fn find(&mut self, bytes: &[u8], at: usize) -> Option<(Timestamp, usize)> {
        let cell = bytes.get(at..)?.first_chunk()?;
        let behind = cell[LENGTH];
        if behind != self.delimiter && !matches!(behind, b'\n' | b'\r') {
            return None;
        }
        let midnight = match self.expected(cell) {
            Some(midnight) => midnight,
            None => self.look_up(cell)?,
        };
        Some((midnight, at + LENGTH))
    }

    /// The midnight of the day with which `cells` begin, and the cells behind it; `None` when its
    /// month is neither that of the row before nor the one that came next.
    #[inline(always)]
    pub(super) fn likely<'a>(&mut self, cells: &'a [u8]) -> Option<(Timestamp, &'a [u8])> {
        let (cell, behind) = cells.split_first_chunk()?;
        if cell[LENGTH] != self.delimiter {
            return None;
        }
        Some((self.expected(cell)?, behind))
    }

    /// The midnight of a day in the latest month, or in the one that followed it.
    #[inline(always)]
    fn expected(&mut self, cell: &[u8; CELL_LENGTH]) -> Option<Timestamp> {
        let (text, day) = self.spelling.parts(cell)?;
        let latest = self.months.get(self.latest)?;
        if text == latest.text {
            return latest.midnight(day);
        }
        let next = self.months.get(latest.next).filter(|next| text == next.text)?;
        self.latest = latest.next;
        next.midnight(day)
    }

    /// The midnight of a day in a month that is new, or comes unexpectedly.
    #[inline(never)]
    fn look_up(&mut self, cell: &[u8; CELL_LENGTH]) -> Option<Timestamp> {
        if !self.spelling.has_marks(cell) {
            return None;
        }
        let (text, day) = self.spelling.parts(cell)?;
        let date = std::str::from_utf8(&cell[..LENGTH]).ok()?;
        // Without slashes the order of day and month does not matter.
        let Moment::Day(date) = Moment::parse(date, DateOrder::DayFirst)? else { return None };
        let known = match self.month_of.entry(text) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(slot) => {
                let index = self.months.len();
                self.months.push(Month::of(date, text, index)?);
                *slot.insert(index)
            }
        };
        let midnight = self.months[known].midnight(day)?;
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
