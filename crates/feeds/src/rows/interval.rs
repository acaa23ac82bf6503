//! How long the bars of a file are.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bist_market::{Interval, RawBar};

use super::Group;
use crate::error::{Broken, Fault};

/// How long bars with times are: the most frequent step between two of one symbol; the file's name
/// helps only when there is no step.
pub(super) fn most_frequent_step(
    groups: &[Group],
    hint: Option<Interval>,
) -> Result<Interval, Broken> {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for group in groups {
        let mut bars: Cow<'_, [RawBar]> = Cow::Borrowed(&group.bars);
        if !group.is_ascending {
            bars.to_mut().sort_by_key(|bar| bar.opened_at);
        }
        for pair in bars.windows(2).filter(|pair| pair[0].opened_at != pair[1].opened_at) {
            let step_s = pair[1].opened_at.as_second() - pair[0].opened_at.as_second();
            *counts.entry(step_s).or_default() += 1;
        }
    }
    // Of equally frequent steps the shortest: the longer ones run over a night.
    let mut best: Option<(i64, usize)> = None;
    for (step_s, count) in counts {
        if best.is_none_or(|(_, most)| count > most) {
            best = Some((step_s, count));
        }
    }
    let unknown = || Broken::from(Fault::UnknownInterval);
    let Some((step_s, _)) = best else { return hint.ok_or_else(unknown) };
    if step_s >= 24 * 3600 {
        return Ok(Interval::Daily);
    }
    match u16::try_from(step_s / 60) {
        Ok(minutes @ 1..) if step_s % 60 == 0 => Ok(Interval::Minutes(minutes)),
        _ => Err(unknown()),
    }
}
