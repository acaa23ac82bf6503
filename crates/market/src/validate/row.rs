//! One received row on its way through the checks that need no other price than its own.

use jiff::Timestamp;
use jiff::civil::Date;

use super::finding::{Finding, FindingKind, PriceField};
use crate::bar::{Bar, BarSeries, Interval, RawBar, midnight_of};
use crate::calendar::{Calendar, DayKind, SESSION_CANCELLED, WEEKEND};
use crate::corporate_action::CorporateAction;
use crate::price::{Price, UNITS_PER_LIRA};
use crate::quantity::Shares;

/// How far outside low and high an open or close may be: one unit and this share of it.
const ROUNDING_SHARE: f64 = 1e-4;

/// How far above the close an adjusted close may be: one unit, as closes are rounded to one and
/// adjusted closes are not, and this share of it.
const ADJUSTED_ABOVE_SHARE: f64 = 1e-6;

/// A row, what was found about it, and its prices.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The numbers, low and high moved to open and close where those were outside by rounding.
    pub(super) raw: RawBar,
    pub(super) day: Date,
    pub(super) findings: Vec<Finding>,
    /// Whether an unexplained change of level lies between this row and the accepted one before.
    pub(super) begins_level: bool,
}

/// The rows of a series by time, rows with one time stamp in an order that does not depend on the
/// order of input.
pub(super) fn sorted(series: &BarSeries) -> Vec<Row> {
    let mut rows: Vec<Row> = series
        .bars
        .iter()
        .map(|bar| {
            let day = bar.day();
            let opened_at = match series.interval {
                Interval::Daily => midnight_of(day),
                Interval::Minutes(_) => bar.opened_at,
            };
            let raw = RawBar { opened_at, ..*bar };
            Row { raw, day, findings: Vec::new(), begins_level: false }
        })
        .collect();
    rows.sort_by_key(|row| (row.raw.opened_at, row.numbers()));
    rows
}

/// What makes two rows with the same time stamp the same.
type Numbers = ([i64; 4], Option<u64>, Option<i64>);

impl Row {
    /// Whether any finding keeps the row out.
    pub(super) fn quarantined(&self) -> bool {
        self.findings.iter().any(Finding::quarantines)
    }

    /// Notes a finding about the row.
    pub(super) fn note(&mut self, kind: FindingKind) {
        let opened_at: Option<Timestamp> = Some(self.raw.opened_at);
        self.findings.push(Finding::new(opened_at, Some(self.day), kind));
    }

    /// The row as a bar; `None` when a price is not positive or the volume is negative.
    pub(super) fn bar(&self) -> Option<Bar> {
        let price = |units| Price::from_units(units).ok();
        let volume = match self.raw.volume_shares {
            Some(shares) => Some(Shares(u64::try_from(shares).ok()?)),
            None => None,
        };
        Some(Bar {
            day: self.day,
            opened_at: self.raw.opened_at,
            open: match self.raw.open_units {
                Some(units) => Some(price(units)?),
                None => None,
            },
            high: price(self.raw.high_units)?,
            low: price(self.raw.low_units)?,
            close: price(self.raw.close_units)?,
            adjusted_close: self.raw.adjusted_close,
            volume,
        })
    }

    /// The smallest positive price of the row.
    pub(super) fn lowest_positive_units(&self) -> Option<i64> {
        let RawBar { open_units, high_units, low_units, close_units, .. } = self.raw;
        let prices = open_units.into_iter().chain([high_units, low_units, close_units]);
        prices.filter(|units| *units > 0).min()
    }

    /// Everything but the time.
    fn numbers(&self) -> Numbers {
        let RawBar { open_units, high_units, low_units, close_units, .. } = self.raw;
        let adjusted = self.raw.adjusted_close.map(f64::to_bits);
        let open_units = open_units.unwrap_or_default();
        ([open_units, high_units, low_units, close_units], adjusted, self.raw.volume_shares)
    }

    /// The checks that need no other row.
    pub(super) fn check(&mut self, calendar: &Calendar, actions: &[CorporateAction]) {
        self.check_day(calendar);
        self.check_prices();
        if let Some(volume_shares) = self.raw.volume_shares.filter(|shares| *shares < 0) {
            self.note(FindingKind::NegativeVolume { volume_shares });
        }
        self.check_adjusted_close(actions);
    }

    /// The day must be a session.
    fn check_day(&mut self, calendar: &Calendar) {
        match calendar.day(self.day) {
            DayKind::Closed { name: WEEKEND } => self.note(FindingKind::WeekendRow),
            DayKind::Closed { name: SESSION_CANCELLED } => {
                self.note(FindingKind::CancelledSessionRow);
            }
            DayKind::Closed { name } => {
                self.note(FindingKind::HolidayRow { name: name.into() });
            }
            // Rows outside the calendar were split off before.
            DayKind::Session { .. } | DayKind::Unknown => {}
        }
    }

    /// The prices must be positive and consistent.
    fn check_prices(&mut self) {
        let RawBar { open_units, high_units, low_units, close_units, .. } = self.raw;
        // A bar without an open is judged as one that opened where it closed.
        let open_units = open_units.unwrap_or(close_units);
        let fields = [
            (PriceField::Open, open_units),
            (PriceField::High, high_units),
            (PriceField::Low, low_units),
            (PriceField::Close, close_units),
        ];
        if fields.iter().any(|(_, price_units)| *price_units <= 0) {
            for (field, price_units) in fields.into_iter().filter(|(_, units)| *units <= 0) {
                self.note(FindingKind::NonPositivePrice { field, price_units });
            }
            return;
        }
        if low_units > high_units {
            self.note(FindingKind::LowAboveHigh { low_units, high_units });
            return;
        }
        match outside(open_units, low_units, high_units) {
            Outside::No => {}
            Outside::ByRounding(by_units) => self.note(FindingKind::OpenRounding { by_units }),
            Outside::Really => {
                self.note(FindingKind::OpenOutOfRange { open_units, low_units, high_units });
            }
        }
        match outside(close_units, low_units, high_units) {
            Outside::No => {}
            Outside::ByRounding(by_units) => self.note(FindingKind::CloseRounding { by_units }),
            Outside::Really => {
                self.note(FindingKind::CloseOutOfRange { close_units, low_units, high_units });
            }
        }
        // Of no effect unless open or close are outside; a row where they really are is quarantined.
        self.raw.low_units = low_units.min(open_units).min(close_units);
        self.raw.high_units = high_units.max(open_units).max(close_units);
    }

    /// The adjusted close must be positive and not above the close, unless shares were cancelled
    /// later, for which vendors raise the older prices.
    fn check_adjusted_close(&mut self, actions: &[CorporateAction]) {
        let Some(adjusted_close) = self.raw.adjusted_close else { return };
        if !adjusted_close.is_finite() || adjusted_close <= 0.0 {
            let adjusted_close = Some(adjusted_close).filter(|lira| lira.is_finite());
            self.note(FindingKind::NonPositiveAdjustedClose { adjusted_close });
            return;
        }
        let close_units = self.raw.close_units;
        let highest = lira(close_units) * (1.0 + ADJUSTED_ABOVE_SHARE) + lira(1);
        let reduced =
            || actions.iter().any(|a| a.effective_on > self.day && a.kind.reduces_shares());
        if close_units > 0 && adjusted_close > highest && !reduced() {
            self.note(FindingKind::AdjustedCloseAboveClose { adjusted_close, close_units });
        }
    }
}

/// Where a price lies against low and high.
enum Outside {
    No,
    ByRounding(i64),
    Really,
}

fn outside(price_units: i64, low_units: i64, high_units: i64) -> Outside {
    let by_units = (low_units - price_units).max(price_units - high_units);
    match by_units {
        ..=0 => Outside::No,
        _ if lira(by_units) <= lira(1) + ROUNDING_SHARE * lira(price_units) => {
            Outside::ByRounding(by_units)
        }
        _ => Outside::Really,
    }
}

/// Units of 0.0001 TRY as lira, for comparisons.
#[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53 units")]
pub(super) fn lira(units: i64) -> f64 {
    units as f64 / UNITS_PER_LIRA as f64
}

/// Rows with one time stamp: the same numbers are a duplicate, different ones contradict each other.
pub(super) fn check_duplicates(rows: &mut [Row]) {
    for group in rows.chunk_by_mut(|a, b| a.raw.opened_at == b.raw.opened_at) {
        if group.len() == 1 {
            continue;
        }
        let rows_count = super::count(group.len());
        let same = group.iter().all(|row| row.numbers() == group[0].numbers());
        for row in group.iter_mut().skip(usize::from(same)) {
            row.note(if same {
                FindingKind::DuplicateTimestamp
            } else {
                FindingKind::ConflictingTimestamp { rows_count }
            });
        }
    }
}

/// A row that has every number of the previous session's, with shares traded, was made up.
pub(super) fn check_repeated(rows: &mut [Row], calendar: &Calendar) {
    let sessions: Vec<usize> =
        (0..rows.len()).filter(|index| calendar.is_session(rows[*index].day)).collect();
    for pair in sessions.windows(2) {
        let (before, row) = (&rows[pair[0]], &rows[pair[1]]);
        let next_session = calendar.sessions_between(before.day, row.day) == Some(1);
        let traded = row.raw.volume_shares.is_some_and(|shares| shares > 0);
        if next_session && traded && before.numbers() == row.numbers() {
            rows[pair[1]].note(FindingKind::RepeatedBar);
        }
    }
}
