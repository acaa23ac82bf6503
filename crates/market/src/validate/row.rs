//! One received row on its way through the checks.

use std::ops::Range;

use jiff::Timestamp;

use super::days::Days;
use super::limits::{Limits, SessionBounds};
use super::quiet;
use crate::bar::{Bar, Interval, RawBar};
use crate::price::{Price, UNITS_PER_LIRA};
use crate::quantity::Shares;

/// A row and what is known of it so far. Small: every row has one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) raw: &'a RawBar,
    /// The index of its day in [`Days`].
    day: u32,
    /// How many rows before it are the same, time stamp and numbers.
    pub(super) copy: u32,
    pub(super) standing: Standing,
    /// Whether something about it deserves a look.
    pub(super) warned: bool,
    /// Whether a bar can be made of it at all: positive prices, low not above high, and no other
    /// bar with its time stamp.
    pub(super) is_bar: bool,
    /// Whether an unexplained change of level lies between this row and the sound one before.
    pub(super) begins_level: bool,
    /// Whether it and the row before it are as most rows are: see [`super::quiet`].
    pub(super) is_quiet: bool,
    /// Whether it is quiet, all checks can be made, and nothing was said about it so far: it is
    /// accepted as it is, and continues the row before it if that is accepted.
    pub(super) is_plain: bool,
    pub(super) reach: Reach,
}

/// Whether a finding keeps a row out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// None does.
    Sound,
    /// One does.
    Quarantined,
}

/// How much the checks can say about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Everything.
    Whole,
    /// Everything, but the day lies before those that are learned from.
    Early,
    /// Prices are too coarse to be compared closely.
    Coarse,
}

impl<'a> Row<'a> {
    fn new(raw: &'a RawBar, day: usize, is_quiet: bool) -> Self {
        Self {
            raw,
            day: u32::try_from(day).expect("the calendar has fewer than 2^32 days"),
            copy: 0,
            standing: Standing::Sound,
            warned: false,
            is_bar: true,
            begins_level: false,
            is_quiet,
            is_plain: is_quiet,
            reach: Reach::Whole,
        }
    }

    /// The index of its day in [`Days`].
    pub(super) fn day(&self) -> usize {
        self.day as usize
    }

    /// The time stamp; for daily bars midnight of the day.
    #[inline]
    pub(super) fn opened_at(&self, interval: Interval, days: &Days) -> Timestamp {
        match interval {
            Interval::Daily => days.midnight(self.day(), self.raw.opened_at),
            Interval::Minutes(_) => self.raw.opened_at,
        }
    }

    /// Says how much the checks can say about it; `before` is the reach of the row before.
    pub(super) fn set_reach(&mut self, reach: Reach, before: Reach) {
        self.reach = reach;
        self.is_quiet &= reach != Reach::Coarse && before != Reach::Coarse;
        self.is_plain &= self.is_quiet && reach == Reach::Whole;
    }

    /// Whether its time stamp is earlier than that of `other`.
    pub(super) fn comes_before(&self, other: &Self, interval: Interval) -> bool {
        match interval {
            Interval::Daily => self.day < other.day,
            Interval::Minutes(_) => self.raw.opened_at < other.raw.opened_at,
        }
    }

    /// Whether the row is a bar that nothing speaks against.
    pub(super) fn is_sound(&self) -> bool {
        self.is_bar && self.standing == Standing::Sound
    }

    /// Whether it is accepted: sound, and all checks could be made.
    pub(super) fn is_accepted(&self) -> bool {
        self.is_sound() && self.reach == Reach::Whole
    }

    /// The low, moved to open and close where those are below it: by rounding, or because a person
    /// accepted the row.
    pub(super) fn low_units(&self) -> i64 {
        if self.is_quiet {
            return self.raw.low_units;
        }
        let low = self.raw.low_units.min(self.raw.close_units);
        self.raw.open_units.map_or(low, |open| low.min(open))
    }

    /// The high, moved to open and close where those are above it.
    pub(super) fn high_units(&self) -> i64 {
        if self.is_quiet {
            return self.raw.high_units;
        }
        let high = self.raw.high_units.max(self.raw.close_units);
        self.raw.open_units.map_or(high, |open| high.max(open))
    }

    /// Shares traded, if the source says so and the number can be.
    pub(super) fn volume_shares(&self) -> Option<i64> {
        self.raw.volume_shares.filter(|shares| *shares >= 0)
    }

    /// The row as a bar; `None` when a price is not positive. What a bar cannot hold, an adjusted
    /// close that is not positive or a negative volume, is left away where a person accepted it.
    pub(super) fn bar(&self, interval: Interval, days: &Days) -> Option<Bar> {
        let price = |units| Price::from_units(units).ok();
        Some(Bar {
            day: days.date(self.day()),
            opened_at: self.opened_at(interval, days),
            open: match self.raw.open_units {
                Some(units) => Some(price(units)?),
                None => None,
            },
            high: price(self.high_units())?,
            low: price(self.low_units())?,
            close: price(self.raw.close_units)?,
            adjusted_close: self.raw.adjusted_close.filter(|lira| *lira > 0.0 && lira.is_finite()),
            volume: self.volume_shares().map(|shares| Shares(shares.unsigned_abs())),
        })
    }

    /// The bar of a quiet row, whose prices are positive and whose time stamp is midnight.
    #[inline]
    pub(super) fn quiet_bar(&self, days: &Days) -> Bar {
        let raw = self.raw;
        let price = |units| Price::from_units(units).expect("a quiet row has positive prices");
        Bar {
            day: days.date(self.day()),
            opened_at: raw.opened_at,
            open: raw.open_units.map(price),
            high: price(raw.high_units),
            low: price(raw.low_units),
            close: price(raw.close_units),
            adjusted_close: raw.adjusted_close,
            volume: raw.volume_shares.map(|shares| Shares(shares.unsigned_abs())),
        }
    }

    /// The smallest positive price of the row.
    pub(super) fn lowest_positive_units(&self) -> Option<i64> {
        let RawBar { open_units, high_units, low_units, close_units, .. } = *self.raw;
        let prices = open_units.into_iter().chain([high_units, low_units, close_units]);
        prices.filter(|units| *units > 0).min()
    }
}

/// The bars of a series, sorted.
pub(super) struct Sorted<'a> {
    /// The rows on days of the calendar, by time.
    pub(super) rows: Vec<Row<'a>>,
    /// Which of them are not quiet, in order.
    pub(super) loud: Vec<usize>,
    /// The bars on other days, in the order of input.
    pub(super) outside: Vec<&'a RawBar>,
    /// Whether no two rows have one time stamp.
    pub(super) distinct: bool,
    /// How many bars come before a bar that is older.
    pub(super) falls_count: u64,
    /// Whether any bar comes before a bar that is newer.
    pub(super) rises: bool,
    /// The least price of all rows, units.
    pub(super) least_units: i64,
}

/// Finds the day of each bar and sorts by time, if the bars are not in order; rows with one time
/// stamp are put in an order that does not depend on the order of input. Marks the quiet rows where
/// it is given the limits to tell them by, `quiet`.
#[inline(never)]
pub(super) fn sorted<'a>(
    bars: &'a [RawBar],
    interval: Interval,
    days: &Days,
    quiet: Option<&Limits<'_>>,
) -> Sorted<'a> {
    let mut sorted = Sorted {
        rows: Vec::with_capacity(bars.len()),
        loud: Vec::new(),
        outside: Vec::new(),
        distinct: true,
        falls_count: 0,
        rises: false,
        least_units: i64::MAX,
    };
    let Some(mut before) = bars.first() else { return sorted };
    let mut quiet_bounds = quiet.map(SessionBounds::new);
    let mut rest = bars.iter();
    while let Some(raw) = rest.next() {
        let last = sorted.rows.last().filter(|last| std::ptr::eq(last.raw, before));
        match last.and_then(|last| days.next_session_at(last.day(), raw.opened_at)) {
            Some(day) => {
                sorted.rises = true;
                sorted.push(Row::new(raw, day, false));
            }
            None => sorted.add(raw, before, interval, days),
        }
        before = raw;
        if let Some(bounds) = &mut quiet_bounds {
            let quiet_count = sorted.add_quiet(rest.as_slice(), before, days, bounds);
            if let Some(last) = quiet_count.checked_sub(1) {
                before = rest.nth(last).unwrap_or(before);
            }
        }
    }
    if !sorted.distinct {
        let rows = &mut sorted.rows;
        rows.sort_by_cached_key(|row| (row.opened_at(interval, days), numbers(row.raw)));
        sorted.distinct = rows.windows(2).all(|pair| pair[0].comes_before(&pair[1], interval));
        if let Some(limits) = quiet {
            quiet::mark(rows, days, limits);
            sorted.find_loud();
        }
    }
    sorted
}

impl<'a> Sorted<'a> {
    /// Takes in a bar that came behind `before`, wherever it belongs.
    #[inline(never)]
    fn add(&mut self, raw: &'a RawBar, before: &RawBar, interval: Interval, days: &Days) {
        self.falls_count += u64::from(raw.opened_at < before.opened_at);
        self.rises |= raw.opened_at > before.opened_at;
        let Some(day) = days.index_at(raw.opened_at) else {
            self.outside.push(raw);
            return;
        };
        let row = Row::new(raw, day, false);
        let last = self.rows.last();
        self.distinct &= last.is_none_or(|last| last.comes_before(&row, interval));
        self.push(row);
    }

    /// Takes in the bars at the beginning of `bars` that are quiet, if the one before them, `before`,
    /// is the last row; gives how many.
    #[inline(always)]
    fn add_quiet(
        &mut self,
        bars: &'a [RawBar],
        before: &RawBar,
        days: &Days,
        bounds: &mut SessionBounds<'_>,
    ) -> usize {
        let last = self.rows.last().filter(|last| std::ptr::eq(last.raw, before));
        let Some(last) = last.filter(|last| days.is_session(last.day())) else { return 0 };
        let (mut day, mut base_units) = (last.day(), before.close_units);
        let rows_count = self.rows.len();
        let mut least_units = self.least_units;
        self.rows.extend(bars.iter().map_while(|raw| {
            let next = days.next_session_at(day, raw.opened_at)?;
            if !quiet::follows(base_units, raw, bounds.of(next)) {
                return None;
            }
            (day, base_units) = (next, raw.close_units);
            least_units = least_units.min(raw.low_units);
            Some(Row::new(raw, next, true))
        }));
        let added = self.rows.len() - rows_count;
        self.least_units = least_units;
        self.rises |= added > 0;
        added
    }

    /// Takes in a row that is not quiet.
    #[inline]
    fn push(&mut self, row: Row<'a>) {
        self.least_units = self.least_units.min(row.low_units()).min(row.raw.high_units);
        self.loud.push(self.rows.len());
        self.rows.push(row);
    }

    /// Looks anew which rows are not quiet.
    pub(super) fn find_loud(&mut self) {
        let loud = self.rows.iter().enumerate().filter(|(_, row)| !row.is_quiet);
        self.loud = loud.map(|(index, _)| index).collect();
    }
}

/// Finds the plain rows that stand side by side, for one walk over the rows.
#[derive(Clone, Copy)]
pub(super) struct PlainRuns<'a> {
    /// The rows still to come that are not quiet.
    loud: &'a [usize],
}

impl<'a> PlainRuns<'a> {
    pub(super) fn new(loud: &'a [usize]) -> Self {
        Self { loud }
    }

    /// How many plain rows there are from `from` on, which is not before the last place that was
    /// asked about; `all_quiet_plain` is whether every quiet row is plain.
    #[inline]
    pub(super) fn count(&mut self, rows: &[Row<'_>], from: usize, all_quiet_plain: bool) -> usize {
        if !all_quiet_plain {
            let rest = &rows[from..];
            return rest.iter().position(|row| !row.is_plain).unwrap_or(rest.len());
        }
        while let Some((first, later)) = self.loud.split_first() {
            if *first >= from {
                return first - from;
            }
            self.loud = later;
        }
        rows.len() - from
    }
}

/// Where the rows with one key lie among rows that are sorted by it.
pub(super) fn range_of<'a, K: Ord>(
    rows: &[Row<'a>],
    key: impl Fn(&Row<'a>) -> K,
    wanted: &K,
) -> Range<usize> {
    let from = rows.partition_point(|row| key(row) < *wanted);
    let length = rows[from..].iter().take_while(|row| key(row) == *wanted).count();
    from..from + length
}

/// Which of the rows with one time stamp, at least one, is judged for all: the one that can become
/// a bar, which is never more than one once duplicates were looked for, or else the first.
pub(super) fn candidate(of_time: &[Row<'_>]) -> usize {
    of_time.iter().position(|row| row.is_bar).unwrap_or(0)
}

/// What makes two rows with the same time stamp the same.
type Numbers = ([i64; 4], Option<u64>, Option<i64>);

/// Everything but the time.
fn numbers(raw: &RawBar) -> Numbers {
    let RawBar { open_units, high_units, low_units, close_units, .. } = *raw;
    let open_units = open_units.unwrap_or_default();
    let prices = [open_units, high_units, low_units, close_units];
    (prices, raw.adjusted_close.map(f64::to_bits), raw.volume_shares)
}

/// Whether two rows have the same numbers, whatever their time stamps.
pub(super) fn same_numbers(a: &RawBar, b: &RawBar) -> bool {
    // The volume differs most often.
    a.volume_shares == b.volume_shares && numbers(a) == numbers(b)
}

/// Units as a float, for comparisons.
#[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53 units")]
pub(super) fn as_float(units: i64) -> f64 {
    units as f64
}

/// Units of 0.0001 TRY as lira, for comparisons.
pub(super) fn lira(units: i64) -> f64 {
    as_float(units) / as_float(UNITS_PER_LIRA)
}
