//! A few bad rows in each sample market, one kind or two a symbol, so that the validator has
//! something to find.

use jiff::civil::{Date, Weekday, date};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::companies::Company;
use super::factors::{Purpose, rng};
use crate::bar::{RawBar, midnight_of};
use crate::calendar::{Calendar, DayKind};
use crate::instrument::Symbol;
use crate::price::Price;

/// Each kind is planted in every fifteenth company: twice among thirty.
const COMPANIES_PERIOD: usize = 15;

/// Rows between two defects, and between a defect and a corporate action or an end of the history,
/// so that each can be judged by itself.
const DISTANCE_ROWS: usize = 30;

/// The session of 8 February 2023, whose trades were all cancelled.
const CANCELLED_SESSION: Date = date(2023, 2, 8);

/// Rows taken out for a gap; one more than the validator takes for single missing sessions.
const GAP_ROWS: usize = 21;

/// A history must be this long to lose a gap and keep its score.
const GAP_HISTORY_ROWS: usize = 1_000;

/// Rows with one close in a stale run.
const STALE_ROWS: usize = 5;

/// A defect that was planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlantedDefect {
    /// In whose rows.
    pub symbol: Symbol,
    /// On which day; the first one for a run or a gap, the last row's for an order of rows.
    pub day: Date,
    /// What it is.
    pub kind: DefectKind,
}

/// A kind of defect, named as the validator's finding about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefectKind {
    /// A low of zero.
    NonPositivePrice,
    /// Low and high exchanged.
    LowAboveHigh,
    /// An open above the high.
    OpenOutOfRange,
    /// A close below the low.
    CloseOutOfRange,
    /// A volume below zero.
    NegativeVolume,
    /// An adjusted close below zero.
    NonPositiveAdjustedClose,
    /// An adjusted close above the close.
    AdjustedCloseAboveClose,
    /// A row on a Saturday.
    WeekendRow,
    /// A row on a weekday without a session.
    HolidayRow,
    /// A row on 8 February 2023.
    CancelledSessionRow,
    /// A row twice.
    DuplicateTimestamp,
    /// A row twice with different numbers.
    ConflictingTimestamp,
    /// The numbers of the day before.
    RepeatedBar,
    /// A close of nearly half as much again, for one day.
    MoveBeyondLimit,
    /// A row left out.
    MissingSession,
    /// Two rows exchanged.
    OutOfOrder,
    /// A volume of zero.
    ZeroVolume,
    /// No volume.
    MissingVolume,
    /// A volume of hundreds of days at once.
    VolumeOutlier,
    /// A close that does not move for a week.
    StaleCloseRun,
    /// An open below the low by a rounding error.
    OpenRounding,
    /// A close above the high by a rounding error.
    CloseRounding,
    /// Many rows left out.
    SessionGap,
    /// All rows in the reverse order.
    NewestFirst,
}

impl DefectKind {
    /// In the order in which companies get them.
    const ALL: [Self; 24] = [
        Self::NonPositivePrice,
        Self::LowAboveHigh,
        Self::OpenOutOfRange,
        Self::CloseOutOfRange,
        Self::NegativeVolume,
        Self::NonPositiveAdjustedClose,
        Self::AdjustedCloseAboveClose,
        Self::WeekendRow,
        Self::HolidayRow,
        Self::CancelledSessionRow,
        Self::DuplicateTimestamp,
        Self::ConflictingTimestamp,
        Self::RepeatedBar,
        Self::MoveBeyondLimit,
        Self::MissingSession,
        Self::OutOfOrder,
        Self::ZeroVolume,
        Self::MissingVolume,
        Self::VolumeOutlier,
        Self::StaleCloseRun,
        Self::OpenRounding,
        Self::CloseRounding,
        Self::SessionGap,
        Self::NewestFirst,
    ];

    /// How many rows in a row it touches.
    const fn rows(self) -> usize {
        if matches!(self, Self::SessionGap) {
            GAP_ROWS
        } else if matches!(self, Self::StaleCloseRun) {
            STALE_ROWS
        } else {
            1
        }
    }
}

/// Plants the defects of one company into its rows, away from the days in `protected`.
///
/// A kind for which the history has no fitting place is left out.
pub(super) fn plant(
    seed: u64,
    company: &Company,
    bars: &mut Vec<RawBar>,
    protected: &[Date],
    calendar: &Calendar,
) -> Vec<PlantedDefect> {
    let mut rng = rng(seed, Purpose::Defects(company.index));
    let mut used: Vec<usize> =
        (0..bars.len()).filter(|index| protected.contains(&bars[*index].day())).collect();
    let mut rows = Planting { bars, extra: Vec::new(), removed: Vec::new(), exchanged: None };
    let mut planted = Vec::new();
    for (place, kind) in DefectKind::ALL.into_iter().enumerate() {
        if company.index % COMPANIES_PERIOD as u64 != (place % COMPANIES_PERIOD) as u64 {
            continue;
        }
        let Some(index) = rows.place_for(kind, &used, calendar, &mut rng) else { continue };
        if let Some(day) = rows.apply(kind, index, calendar) {
            used.extend(index..index + kind.rows());
            planted.push(PlantedDefect { symbol: company.symbol, day, kind });
        }
    }
    rows.finish(planted.iter().any(|defect| defect.kind == DefectKind::NewestFirst));
    planted.sort_unstable();
    planted
}

/// The rows of one symbol while defects go in; indices stay those of the sound rows to the end.
struct Planting<'a> {
    bars: &'a mut Vec<RawBar>,
    extra: Vec<RawBar>,
    removed: Vec<usize>,
    /// This row and the next one change places.
    exchanged: Option<usize>,
}

impl Planting<'_> {
    /// A random row that suits the kind and is far from everything else.
    fn place_for(
        &self,
        kind: DefectKind,
        used: &[usize],
        calendar: &Calendar,
        rng: &mut ChaCha8Rng,
    ) -> Option<usize> {
        let length = kind.rows();
        let last = self.bars.len().checked_sub(DISTANCE_ROWS + length)?;
        let far = |index: usize| {
            used.iter().all(|u| u + DISTANCE_ROWS < index || index + length + DISTANCE_ROWS < *u)
        };
        let places: Vec<usize> = (DISTANCE_ROWS..last)
            .filter(|index| far(*index) && self.suits(kind, *index, calendar))
            .collect();
        (!places.is_empty()).then(|| places[rng.random_range(0..places.len())])
    }

    fn suits(&self, kind: DefectKind, index: usize, calendar: &Calendar) -> bool {
        let bar = &self.bars[index];
        match kind {
            DefectKind::LowAboveHigh => self.is_quiet(index) && bar.low_units < bar.high_units,
            DefectKind::OpenRounding => {
                bar.open_units == Some(bar.low_units) && bar.low_units < bar.high_units
            }
            DefectKind::CloseRounding => {
                bar.close_units == bar.high_units && bar.low_units < bar.high_units
            }
            DefectKind::HolidayRow => holiday_after(bar.day(), calendar).is_some(),
            DefectKind::CancelledSessionRow => {
                calendar.next_session(bar.day()) == calendar.next_session(CANCELLED_SESSION)
            }
            DefectKind::StaleCloseRun => {
                (index..=index + STALE_ROWS).all(|row| self.is_near(row, bar.close_units))
            }
            DefectKind::SessionGap => self.bars.len() >= GAP_HISTORY_ROWS,
            DefectKind::NonPositivePrice
            | DefectKind::OpenOutOfRange
            | DefectKind::CloseOutOfRange
            | DefectKind::NegativeVolume
            | DefectKind::NonPositiveAdjustedClose
            | DefectKind::AdjustedCloseAboveClose
            | DefectKind::WeekendRow
            | DefectKind::DuplicateTimestamp
            | DefectKind::ConflictingTimestamp
            | DefectKind::RepeatedBar
            | DefectKind::MoveBeyondLimit
            | DefectKind::MissingSession
            | DefectKind::OutOfOrder
            | DefectKind::ZeroVolume
            | DefectKind::MissingVolume
            | DefectKind::VolumeOutlier
            | DefectKind::NewestFirst => self.is_quiet(index),
        }
    }

    /// Whether this row and the next one stay within a few percent of the row before, so that a
    /// small change of a price breaks no other rule.
    fn is_quiet(&self, index: usize) -> bool {
        let base_units = self.bars[index - 1].close_units;
        self.is_near(index, base_units) && self.is_near(index + 1, base_units)
    }

    /// Whether all prices of a row lie within four percent of `base_units`.
    fn is_near(&self, index: usize, base_units: i64) -> bool {
        let bar = &self.bars[index];
        let margin = base_units / 25;
        bar.high_units <= base_units + margin && bar.low_units >= base_units - margin
    }

    /// Puts the defect in and says on which day.
    fn apply(&mut self, kind: DefectKind, index: usize, calendar: &Calendar) -> Option<Date> {
        let sound = self.bars[index];
        let before = self.bars[index - 1];
        let bar = &mut self.bars[index];
        let adjusted_close = sound.adjusted_close?;
        match kind {
            DefectKind::NonPositivePrice => bar.low_units = 0,
            DefectKind::LowAboveHigh => {
                (bar.low_units, bar.high_units) = (sound.high_units, sound.low_units);
            }
            DefectKind::OpenOutOfRange => {
                bar.open_units = Some(sound.high_units + sound.high_units / 50);
            }
            DefectKind::CloseOutOfRange => bar.close_units = sound.low_units - sound.low_units / 50,
            DefectKind::NegativeVolume => bar.volume_shares = sound.volume_shares.map(|v| -v),
            DefectKind::NonPositiveAdjustedClose => bar.adjusted_close = Some(-adjusted_close),
            // Twice the close, however much later actions have taken off.
            DefectKind::AdjustedCloseAboveClose => {
                let close = Price::from_units(sound.close_units).ok()?;
                bar.adjusted_close = Some(2.0 * close.lira());
            }
            DefectKind::WeekendRow => {
                let saturday = sound.day().nth_weekday(1, Weekday::Saturday).ok()?;
                self.extra.push(flat(sound, saturday));
                return Some(saturday);
            }
            DefectKind::HolidayRow => {
                let holiday = holiday_after(sound.day(), calendar)?;
                self.extra.push(flat(sound, holiday));
                return Some(holiday);
            }
            DefectKind::CancelledSessionRow => {
                self.extra.push(flat(sound, CANCELLED_SESSION));
                return Some(CANCELLED_SESSION);
            }
            DefectKind::DuplicateTimestamp => self.extra.push(sound),
            DefectKind::ConflictingTimestamp => self
                .extra
                .push(RawBar { volume_shares: sound.volume_shares.map(|v| v + 1), ..sound }),
            DefectKind::RepeatedBar => *bar = RawBar { opened_at: sound.opened_at, ..before },
            DefectKind::MoveBeyondLimit => {
                bar.close_units += sound.close_units * 2 / 5;
                bar.high_units = bar.close_units;
            }
            DefectKind::MissingSession => self.removed.push(index),
            DefectKind::OutOfOrder => self.exchanged = Some(index),
            DefectKind::ZeroVolume => bar.volume_shares = Some(0),
            DefectKind::MissingVolume => bar.volume_shares = None,
            DefectKind::VolumeOutlier => bar.volume_shares = sound.volume_shares.map(|v| v * 500),
            DefectKind::StaleCloseRun => self.hold_close(index),
            DefectKind::OpenRounding => bar.low_units += 1,
            DefectKind::CloseRounding => bar.high_units -= 1,
            DefectKind::SessionGap => self.removed.extend(index..index + GAP_ROWS),
            DefectKind::NewestFirst => return self.bars.last().map(RawBar::day),
        }
        Some(sound.day())
    }

    /// Repeats one close over a stale run, with its adjusted close.
    fn hold_close(&mut self, index: usize) {
        let RawBar { close_units, adjusted_close, .. } = self.bars[index];
        for bar in &mut self.bars[index + 1..index + STALE_ROWS] {
            bar.close_units = close_units;
            bar.adjusted_close = adjusted_close;
            bar.high_units = bar.high_units.max(close_units);
            bar.low_units = bar.low_units.min(close_units);
        }
    }

    fn finish(self, newest_first: bool) {
        let exchanged = self.exchanged.map(|index| self.bars[index].opened_at);
        let mut kept = Vec::with_capacity(self.bars.len() + self.extra.len());
        for (index, bar) in self.bars.iter().enumerate() {
            if !self.removed.contains(&index) {
                kept.push(*bar);
            }
        }
        kept.extend(self.extra);
        kept.sort_by_key(|bar| bar.opened_at);
        if let Some(index) = exchanged.and_then(|at| kept.iter().position(|b| b.opened_at == at)) {
            kept.swap(index, index + 1);
        }
        if newest_first {
            kept.reverse();
        }
        *self.bars = kept;
    }
}

/// A row as vendors fill in for days without trading: the last close, and no volume.
fn flat(last: RawBar, day: Date) -> RawBar {
    RawBar {
        opened_at: midnight_of(day),
        open_units: Some(last.close_units),
        high_units: last.close_units,
        low_units: last.close_units,
        volume_shares: Some(0),
        ..last
    }
}

/// The first weekday after `day`, before the next session, on which the exchange is closed for a
/// holiday.
fn holiday_after(day: Date, calendar: &Calendar) -> Option<Date> {
    let next = day.tomorrow().ok()?;
    let weekday = !matches!(next.weekday(), Weekday::Saturday | Weekday::Sunday);
    let closed = matches!(calendar.day(next), DayKind::Closed { .. });
    (weekday && closed && next != CANCELLED_SESSION).then_some(next)
}
