//! How many bars a day has, and how many it should have.
//!
//! The bars a day should have are those that nine full days of ten with the same hours have, or all
//! but one; so a share that trades seldom is not asked for more than it has, nor a source for
//! auctions that it leaves out. A half day should have those of them that lie in its continuous
//! trading. The first and the last day of a series may be cut, so they are asked only for the bars
//! between.

use std::collections::{BTreeMap, BTreeSet};

use super::Session;
use crate::calendar::SessionKind;
use crate::validate::{FindingKind, Remark};

/// From how many whole full days on there is a usual day.
const FULL_DAYS_MIN: usize = 3;

/// Names days with missing bars and with an unusual number of bars.
pub(super) fn check(days: &[Session<'_>], remarks: &mut Vec<Remark>) {
    let whole = 1..days.len().saturating_sub(1);
    let eras = days.chunk_by(|a, b| full_hours(a) == full_hours(b));
    let mut first_index = 0;
    for era in eras {
        let indices = first_index..first_index + era.len();
        first_index = indices.end;
        let full: Vec<&Session<'_>> = indices
            .clone()
            .zip(era)
            .filter(|(index, day)| whole.contains(index) && day.kind == SessionKind::Full)
            .map(|(_, day)| day)
            .collect();
        let Some(usual) = Usual::of(&full) else { continue };
        for (index, day) in indices.zip(era) {
            let is_whole = whole.contains(&index);
            usual.missing(day, is_whole, remarks);
            if is_whole {
                usual.unusual(day, remarks);
            }
        }
    }
}

/// What tells one era of hours from another: the beginning of continuous trading in the day, as
/// half days keep it too.
fn full_hours(day: &Session<'_>) -> Option<i32> {
    day.continuous().next().map(|(begins_s, _)| begins_s)
}

/// What most full days look like.
struct Usual {
    count: usize,
    begins_s: BTreeSet<i32>,
}

impl Usual {
    fn of(full: &[&Session<'_>]) -> Option<Self> {
        if full.len() < FULL_DAYS_MIN {
            return None;
        }
        let (mut counts, mut begins) = (BTreeMap::new(), BTreeMap::new());
        for day in full {
            *counts.entry(day.slots.len()).or_insert(0_usize) += 1;
            let distinct: BTreeSet<i32> = day.slots.iter().map(|slot| slot.begins_s).collect();
            for begins_s in distinct {
                *begins.entry(begins_s).or_insert(0_usize) += 1;
            }
        }
        let (count, _) = counts.into_iter().max_by_key(|(_, days)| *days)?;
        let often = |days: &usize| days * 10 >= full.len() * 9 || days + 1 >= full.len();
        let begins_s = begins.into_iter().filter(|(_, days)| often(days)).map(|(b, _)| b).collect();
        Some(Self { count, begins_s })
    }

    /// Names a day on which bars are missing.
    fn missing(&self, day: &Session<'_>, is_whole: bool, remarks: &mut Vec<Remark>) {
        if day.kind == SessionKind::Half && !day.hours_known {
            return;
        }
        let (first, last) = (day.slots[0].begins_s, day.slots[day.slots.len() - 1].begins_s);
        let due = |begins_s: &i32| match day.kind {
            SessionKind::Full => true,
            SessionKind::Half => day.continuous().any(|(from, to)| (from..to).contains(begins_s)),
        };
        let expected = self
            .begins_s
            .iter()
            .filter(|begins_s| due(begins_s))
            .filter(|begins_s| is_whole || (first..=last).contains(*begins_s));
        let (mut expected_count, mut found_count) = (0, 0);
        for begins_s in expected {
            expected_count += 1;
            found_count += u32::from(day.slots.iter().any(|slot| slot.begins_s == *begins_s));
        }
        if found_count < expected_count {
            let kind = FindingKind::MissingIntradayBars { expected_count, found_count };
            remarks.push(day.remark(kind));
        }
    }

    /// Names a day with another number of bars than most.
    fn unusual(&self, day: &Session<'_>, remarks: &mut Vec<Remark>) {
        if day.slots.len() != self.count {
            let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
            let (bars_count, usual_count) = (count(day.slots.len()), count(self.count));
            remarks.push(day.remark(FindingKind::BarCountUnusual { bars_count, usual_count }));
        }
    }
}
