//! One received row on its way through the checks.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::days::Days;
use crate::bar::{Bar, Interval, RawBar};
use crate::price::{Price, UNITS_PER_LIRA};
use crate::quantity::Shares;

/// A row and what is known of it so far. Small: every row has one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) raw: &'a RawBar,
    /// The time stamp; for daily bars midnight of the day.
    pub(super) opened_at: Timestamp,
    /// The index of its day in [`Days`].
    pub(super) day: usize,
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
    fn new(raw: &'a RawBar, opened_at: Timestamp, day: usize) -> Self {
        Self {
            raw,
            opened_at,
            day,
            copy: 0,
            standing: Standing::Sound,
            warned: false,
            is_bar: true,
            begins_level: false,
            reach: Reach::Whole,
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
        let low = self.raw.low_units.min(self.raw.close_units);
        self.raw.open_units.map_or(low, |open| low.min(open))
    }

    /// The high, moved to open and close where those are above it.
    pub(super) fn high_units(&self) -> i64 {
        let high = self.raw.high_units.max(self.raw.close_units);
        self.raw.open_units.map_or(high, |open| high.max(open))
    }

    /// Shares traded, if the source says so and the number can be.
    pub(super) fn volume_shares(&self) -> Option<u64> {
        self.raw.volume_shares.and_then(|shares| u64::try_from(shares).ok())
    }

    /// The row as a bar; `None` when a price is not positive. What a bar cannot hold, an adjusted
    /// close that is not positive or a negative volume, is left away where a person accepted it.
    pub(super) fn bar(&self, days: &Days) -> Option<Bar> {
        let price = |units| Price::from_units(units).ok();
        Some(Bar {
            day: days.day(self.day).date,
            opened_at: self.opened_at,
            open: match self.raw.open_units {
                Some(units) => Some(price(units)?),
                None => None,
            },
            high: price(self.high_units())?,
            low: price(self.low_units())?,
            close: price(self.raw.close_units)?,
            adjusted_close: self.raw.adjusted_close.filter(|lira| *lira > 0.0 && lira.is_finite()),
            volume: self.volume_shares().map(Shares),
        })
    }

    /// The smallest positive price of the row.
    pub(super) fn lowest_positive_units(&self) -> Option<i64> {
        let RawBar { open_units, high_units, low_units, close_units, .. } = *self.raw;
        let prices = open_units.into_iter().chain([high_units, low_units, close_units]);
        prices.filter(|units| *units > 0).min()
    }

    /// By time, rows with one time stamp in an order that does not depend on the order of input.
    fn order(&self, other: &Self) -> Ordering {
        let by_time = self.opened_at.cmp(&other.opened_at);
        by_time.then_with(|| numbers(self.raw).cmp(&numbers(other.raw)))
    }
}

/// The rows on days of the calendar, by time, and the bars on other days in the order of input.
pub(super) fn sorted<'a>(
    bars: &'a [RawBar],
    interval: Interval,
    days: &Days,
) -> (Vec<Row<'a>>, Vec<&'a RawBar>) {
    let (mut rows, mut outside) = (Vec::with_capacity(bars.len()), Vec::new());
    let (mut in_order, mut last) = (true, Timestamp::MIN);
    for raw in bars {
        let Some(day) = days.index_at(raw.opened_at) else {
            outside.push(raw);
            continue;
        };
        let opened_at = match interval {
            Interval::Daily => days.day(day).opened_at,
            Interval::Minutes(_) => raw.opened_at,
        };
        in_order &= last < opened_at;
        last = opened_at;
        rows.push(Row::new(raw, opened_at, day));
    }
    if !in_order {
        rows.sort_by(Row::order);
    }
    (rows, outside)
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
