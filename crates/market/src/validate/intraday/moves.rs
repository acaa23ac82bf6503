//! Moves beyond the daily limit, reckoned from the last bar of the session before.
//!
//! Within a day a price may go from one limit to the other, so bars are never compared with each
//! other but with the base of the day: the last price of the session before, or what corporate
//! actions make of it.

use jiff::civil::Date;

use super::{Session, Slot};
use crate::corporate_action::CorporateAction;
use crate::validate::days::Days;
use crate::validate::limits::{Allowed, Limits};
use crate::validate::row::{as_float, lira};
use crate::validate::{FindingKind, MoveOutcome, PriceField, Remark};

/// The last price of an earlier session.
struct Base {
    day: Date,
    close_units: i64,
}

/// Names the bars that no price of the session before allows.
pub(super) fn check(
    days: &[Session<'_>],
    table: &Days,
    limits: &Limits<'_>,
    actions: &[CorporateAction],
    remarks: &mut Vec<Remark>,
) {
    let sound: Vec<&Slot<'_>> =
        days.iter().flat_map(|day| day.slots).filter(|slot| is_sound(slot)).collect();
    let mut before: Option<Base> = None;
    let mut rest: &[&Slot<'_>] = &sound;
    for day in sound.chunk_by(|a, b| a.day == b.day) {
        rest = &rest[day.len()..];
        let mut last = None;
        let base =
            before.as_ref().map(|base| (base, Room::on(day[0].day, base, table, limits, actions)));
        // Whether the price is at a level that nothing explains: the day has no base for it.
        let mut level_began = false;
        for (index, slot) in day.iter().enumerate() {
            let Some((base, room)) = base.as_ref().filter(|_| !level_began) else {
                last = Some(slot.raw.close_units);
                continue;
            };
            let Some((field, price_units)) = room.breach(slot) else {
                last = Some(slot.raw.close_units);
                continue;
            };
            let outcome = match (day.get(index + 1), rest.first()) {
                _ if room.admits(slot.raw.close_units) => MoveOutcome::CameBack,
                (Some(next), _) if room.admits(next.raw.close_units) => MoveOutcome::CameBack,
                (Some(_), _) => MoveOutcome::StayedThere,
                (None, Some(next)) => {
                    let room = Room::on(next.day, base, table, limits, actions);
                    if room.admits(next.raw.close_units) {
                        MoveOutcome::CameBack
                    } else {
                        MoveOutcome::StayedThere
                    }
                }
                (None, None) => MoveOutcome::LastRow,
            };
            level_began = outcome == MoveOutcome::StayedThere;
            if level_began || room.admits(slot.raw.close_units) {
                last = Some(slot.raw.close_units);
            }
            let move_share = lira(price_units) / lira(base.close_units) - 1.0;
            remarks.push(slot.remark(FindingKind::MoveBeyondLimit {
                field,
                price_units,
                base_units: base.close_units,
                base_day: base.day,
                move_share,
                allowed_share: if move_share > 0.0 { room.allowed.up } else { room.allowed.down },
                outcome,
            }));
        }
        if let Some(close_units) = last {
            before = Some(Base { day: day[0].day, close_units });
        }
    }
}

/// Whether all of high, low and close are prices.
const fn is_sound(slot: &Slot<'_>) -> bool {
    slot.raw.low_units > 0 && slot.raw.high_units >= slot.raw.low_units && slot.raw.close_units > 0
}

/// The prices that are possible on a day.
struct Room {
    /// The prices from which the limits may be reckoned, units: the last one, and what the corporate
    /// actions since then make of it.
    bases: Vec<f64>,
    allowed: Allowed,
}

impl Room {
    fn on(
        day: Date,
        base: &Base,
        table: &Days,
        limits: &Limits<'_>,
        actions: &[CorporateAction],
    ) -> Self {
        let close = lira(base.close_units);
        let mut between: Vec<_> =
            actions.iter().filter(|a| a.effective_on > base.day && a.effective_on <= day).collect();
        between.sort_by_key(|action| action.effective_on);
        let ex_price = between.iter().fold(close, |price, action| action.kind.ex_price(price));
        let close_units = as_float(base.close_units);
        let bases = if between.is_empty() {
            vec![close_units]
        } else {
            vec![close_units, close_units * ex_price / close]
        };
        // Only days of the table have sessions.
        let allowed = match (table.index_of(base.day), table.index_of(day)) {
            (Some(base), Some(day)) => limits.over(base, day),
            _ => Allowed::ANYTHING,
        };
        Self { bases, allowed }
    }

    /// Whether any of the bases allows a price.
    fn admits(&self, units: i64) -> bool {
        self.bases.iter().any(|base| self.allowed.admits(*base, as_float(units)))
    }

    /// The first of close, high and low of a bar that the base does not allow; `None` when some
    /// base allows all of them.
    fn breach(&self, slot: &Slot<'_>) -> Option<(PriceField, i64)> {
        let breaches: Option<Vec<_>> =
            self.bases.iter().map(|base| self.breach_of(slot, *base)).collect();
        breaches?.first().copied()
    }

    /// The first of close, high and low that may not follow `base`.
    fn breach_of(&self, slot: &Slot<'_>, base: f64) -> Option<(PriceField, i64)> {
        [
            (PriceField::Close, slot.raw.close_units),
            (PriceField::High, slot.raw.high_units),
            (PriceField::Low, slot.raw.low_units),
        ]
        .into_iter()
        .find(|(_, units)| !self.allowed.admits(base, as_float(*units)))
    }
}
