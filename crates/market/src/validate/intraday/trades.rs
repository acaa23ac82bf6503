//! Bars without trades, bars that do not move, and volumes far from the usual.

use super::{Session, Slot};
use crate::validate::rolling_median::RollingMedian;
use crate::validate::{FindingKind, Remark, ValidationPolicy, count};

/// Names bars without volume, flat bars, runs of equal closes and outliers of the volume.
///
/// Volumes and closes are compared from bar to bar over all `slots`, as the bars of one share come
/// one after the other; what depends on the hours is said of the days that are in place.
pub(super) fn check(
    slots: &[Slot<'_>],
    in_place: &[Session<'_>],
    policy: ValidationPolicy,
    remarks: &mut Vec<Remark>,
) {
    let first_bars_are_empty = first_bars_are_empty(in_place);
    for day in in_place {
        let auction_from_s = day.continuous().map(|(_, ends_s)| ends_s).max();
        for (index, slot) in day.slots.iter().enumerate() {
            let in_auction = auction_from_s.is_some_and(|from_s| slot.begins_s >= from_s);
            let kind = match slot.raw.volume_shares {
                None => FindingKind::MissingVolume,
                Some(0) if index == 0 && first_bars_are_empty => {
                    FindingKind::OpeningBarWithoutVolume
                }
                Some(0) => FindingKind::ZeroVolume,
                // An auction has one price.
                Some(1..) if is_flat(slot) && !in_auction => FindingKind::FlatBar,
                Some(_) => continue,
            };
            remarks.push(slot.remark(kind));
        }
    }
    outliers(slots, policy, remarks);
    stale_runs(slots, policy, remarks);
}

/// Whether the source gives the first bar of a day no volume: nine of ten have none.
fn first_bars_are_empty(days: &[Session<'_>]) -> bool {
    let whole = days.get(1..).unwrap_or_default();
    let is_empty = |day: &&Session<'_>| day.slots[0].raw.volume_shares == Some(0);
    whole.len() > 1 && whole.iter().filter(is_empty).count() * 10 >= whole.len() * 9
}

/// Four equal prices.
fn is_flat(slot: &Slot<'_>) -> bool {
    slot.raw.low_units == slot.raw.high_units
        && slot.raw.close_units == slot.raw.high_units
        && slot.raw.open_units.is_none_or(|open| open == slot.raw.high_units)
}

/// Volumes far from the median of the bars before.
fn outliers(slots: &[Slot<'_>], policy: ValidationPolicy, remarks: &mut Vec<Remark>) {
    let Ok(window) = usize::try_from(policy.volume_window_rows) else { return };
    let usual = 1.0 / policy.volume_multiple_max..=policy.volume_multiple_max;
    let mut before = RollingMedian::new(window);
    for slot in slots {
        let Some(volume_shares) = slot.raw.volume_shares.and_then(|v| u64::try_from(v).ok()) else {
            continue;
        };
        let median = before.median().filter(|median| *median > 0.0);
        if let Some(median_shares) = median.filter(|_| volume_shares > 0) {
            let multiple = crate::quantity::Shares(volume_shares).count() / median_shares;
            if !usual.contains(&multiple) {
                let kind = FindingKind::VolumeOutlier { volume_shares, median_shares, multiple };
                remarks.push(slot.remark(kind));
            }
        }
        before.push(volume_shares);
    }
}

/// Runs of equal closes, over the end of a day as well.
fn stale_runs(slots: &[Slot<'_>], policy: ValidationPolicy, remarks: &mut Vec<Remark>) {
    let runs = slots.chunk_by(|a, b| a.raw.close_units == b.raw.close_units);
    for run in runs.filter(|run| count(run.len()) >= u64::from(policy.stale_rows_min.max(2))) {
        let (first, last) = (&run[0], &run[run.len() - 1]);
        remarks.push(first.remark(FindingKind::StaleCloseRun {
            rows_count: count(run.len()),
            to: last.day,
            close_units: first.raw.close_units,
        }));
    }
}
