//! The checks of a row that need no other price than its own.

use super::days::Days;
use super::finding::{FindingKind, PriceField};
use super::notes::Notes;
use super::row::{Row, lira};
use crate::bar::RawBar;
use crate::calendar::{DayKind, SESSION_CANCELLED, WEEKEND};
use crate::corporate_action::CorporateAction;
use crate::instrument::InstrumentClass;

/// How far outside low and high an open or close may be: one unit and this share of it.
const ROUNDING_SHARE: f64 = 1e-4;

/// How far above the close an adjusted close may be: one unit, as closes are rounded to one and
/// adjusted closes are not, and this share of it.
const ADJUSTED_ABOVE_SHARE: f64 = 1e-6;

/// Checks one row.
pub(super) fn check(
    row: &mut Row<'_>,
    class: InstrumentClass,
    days: &Days,
    actions: &[CorporateAction],
    notes: &mut Notes,
) {
    check_day(row, class, days, notes);
    check_prices(row, notes);
    if let Some(volume_shares) = row.raw.volume_shares.filter(|shares| *shares < 0) {
        notes.row(row, FindingKind::NegativeVolume { volume_shares });
    }
    if let Some(adjusted_close) = row.raw.adjusted_close {
        check_adjusted_close(row, adjusted_close, days, actions, notes);
    }
}

/// The day must be a session; rates of exchange are made on every weekday.
fn check_day(row: &mut Row<'_>, class: InstrumentClass, days: &Days, notes: &mut Notes) {
    let day = days.day(row.day);
    if class == InstrumentClass::Fx {
        if day.weekend {
            notes.row(row, FindingKind::WeekendRow);
        }
        return;
    }
    match day.kind {
        DayKind::Session { .. } | DayKind::Unknown => {}
        DayKind::Closed { name: WEEKEND } => notes.row(row, FindingKind::WeekendRow),
        DayKind::Closed { name: SESSION_CANCELLED } => {
            notes.row(row, FindingKind::CancelledSessionRow);
        }
        DayKind::Closed { name } => notes.row(row, FindingKind::HolidayRow { name: name.into() }),
    }
}

/// The prices must be positive and consistent.
fn check_prices(row: &mut Row<'_>, notes: &mut Notes) {
    let RawBar { open_units, high_units, low_units, close_units, .. } = *row.raw;
    // A bar without an open is judged as one that opened where it closed.
    let open_units = open_units.unwrap_or(close_units);
    let (least, most) = (open_units.min(close_units), open_units.max(close_units));
    if low_units > 0 && low_units <= least && most <= high_units {
        return;
    }
    let fields = [
        (PriceField::Open, open_units),
        (PriceField::High, high_units),
        (PriceField::Low, low_units),
        (PriceField::Close, close_units),
    ];
    if fields.iter().any(|(_, price_units)| *price_units <= 0) {
        row.is_bar = false;
        let given = |field| field != PriceField::Open || row.raw.open_units.is_some();
        let bad = fields.into_iter().filter(|(field, units)| *units <= 0 && given(*field));
        for (field, price_units) in bad.collect::<Vec<_>>() {
            notes.row(row, FindingKind::NonPositivePrice { field, price_units });
        }
        return;
    }
    if low_units > high_units {
        row.is_bar = false;
        notes.row(row, FindingKind::LowAboveHigh { low_units, high_units });
        return;
    }
    match outside(open_units, low_units, high_units) {
        Outside::No => {}
        Outside::ByRounding(by_units) => notes.row(row, FindingKind::OpenRounding { by_units }),
        Outside::Really => {
            notes.row(row, FindingKind::OpenOutOfRange { open_units, low_units, high_units });
        }
    }
    match outside(close_units, low_units, high_units) {
        Outside::No => {}
        Outside::ByRounding(by_units) => notes.row(row, FindingKind::CloseRounding { by_units }),
        Outside::Really => {
            notes.row(row, FindingKind::CloseOutOfRange { close_units, low_units, high_units });
        }
    }
}

/// The adjusted close must be positive and not above the close, unless shares were cancelled
/// later, for which vendors raise the older prices.
fn check_adjusted_close(
    row: &mut Row<'_>,
    adjusted_close: f64,
    days: &Days,
    actions: &[CorporateAction],
    notes: &mut Notes,
) {
    if !adjusted_close.is_finite() || adjusted_close <= 0.0 {
        let adjusted_close = Some(adjusted_close).filter(|lira| lira.is_finite());
        notes.row(row, FindingKind::NonPositiveAdjustedClose { adjusted_close });
        return;
    }
    let close_units = row.raw.close_units;
    let highest = lira(close_units) * (1.0 + ADJUSTED_ABOVE_SHARE) + lira(1);
    if close_units <= 0 || adjusted_close <= highest {
        return;
    }
    let day = days.day(row.day).date;
    let reduced = actions.iter().any(|a| a.effective_on > day && a.kind.reduces_shares());
    if !reduced {
        notes.row(row, FindingKind::AdjustedCloseAboveClose { adjusted_close, close_units });
    }
}

/// Where a price lies against low and high.
enum Outside {
    No,
    ByRounding(i64),
    Really,
}

fn outside(price_units: i64, low_units: i64, high_units: i64) -> Outside {
    // Saturating: a source may hold any number.
    let by_units =
        low_units.saturating_sub(price_units).max(price_units.saturating_sub(high_units));
    match by_units {
        ..=0 => Outside::No,
        _ if lira(by_units) <= lira(1) + ROUNDING_SHARE * lira(price_units) => {
            Outside::ByRounding(by_units)
        }
        _ => Outside::Really,
    }
}
