//! Bars beside the session, and bars that begin at a time at which none begins.

use std::collections::BTreeMap;

use super::{Session, Slot, seconds};
use crate::calendar::SessionKind;
use crate::exchange_rules::{Phase, PhaseKind};
use crate::validate::{FindingKind, OffHours, Remark};

/// How much later than ours a half day may end: sources differ between 12:40 and 12:50.
const HALF_DAY_GRACE_S: i32 = 600;

/// Names the bars of a day that no phase of its session touches.
pub(super) fn outside(day: &Session<'_>, remarks: &mut Vec<Remark>) {
    remarks.extend(day.slots.iter().filter_map(|slot| {
        let phase = off_hours(day, slot)?;
        Some(slot.remark(FindingKind::OutsideSession { phase }))
    }));
}

/// Where a bar lies that is not in the session; `None` when it is.
pub(super) fn off_hours(day: &Session<'_>, slot: &Slot<'_>) -> Option<OffHours> {
    let grace_s = match day.kind {
        SessionKind::Full => 0,
        SessionKind::Half => HALF_DAY_GRACE_S,
    };
    let (first, last) = (day.hours.phases.first()?, day.hours.phases.last()?);
    let ends_s = seconds(last.ends) + grace_s;
    if slot.ends_s <= seconds(first.begins) {
        return Some(OffHours::BeforeSession);
    }
    if slot.begins_s >= ends_s {
        return Some(OffHours::AfterSession);
    }
    let in_break = |phase: &Phase| {
        phase.phase == PhaseKind::Break
            && slot.begins_s >= seconds(phase.begins)
            && slot.ends_s <= seconds(phase.ends)
    };
    day.hours.phases.iter().any(in_break).then_some(OffHours::Break)
}

/// Names the bars that begin neither as far into an interval as most bars of the series, nor with
/// a phase of the session.
pub(super) fn misaligned(days: &[Session<'_>], minutes: u16, remarks: &mut Vec<Remark>) {
    let interval_s = i32::from(minutes) * 60;
    let offset = |slot: &Slot<'_>| slot.begins_s.rem_euclid(interval_s);
    let mut counts: BTreeMap<i32, usize> = BTreeMap::new();
    for slot in days.iter().flat_map(|day| day.slots) {
        *counts.entry(offset(slot)).or_default() += 1;
    }
    let Some((usual, _)) = counts.into_iter().max_by_key(|(_, count)| *count) else { return };
    for day in days {
        let with_a_phase =
            |slot: &Slot<'_>| day.hours.phases.iter().any(|p| seconds(p.begins) == slot.begins_s);
        for slot in day.slots.iter().filter(|s| offset(s) != usual && !with_a_phase(s)) {
            let off_by_s = (offset(slot) - usual).rem_euclid(interval_s).unsigned_abs();
            remarks.push(slot.remark(FindingKind::MisalignedTime { off_by_s }));
        }
    }
}
