//! Prices as traded, from split-adjusted ones.

use jiff::civil::Date;

use super::LiraBar;
use crate::bar::Bar;
use crate::corporate_action::{CorporateAction, CorporateActionKind, Entitlement};

/// The prices at which shares were traded, from prices that a source divided by all splits, bonus
/// issues and capital decreases up to and including `until`.
///
/// `bars` are of one symbol, oldest first; `actions` are all of that symbol, in any order. Prices
/// are exact to the rounding of the source times the ratio: a split-adjusted price with four
/// decimals is known to 0.00005 TRY, and ten-for-one later to 0.0005 TRY.
pub fn unadjust(bars: &[Bar], actions: &[CorporateAction], until: Date) -> Vec<LiraBar> {
    let ratios: Vec<(Date, f64)> =
        days(actions, until).map(|(day, kinds)| (day, share_ratio(&kinds))).collect();
    let mut later = ratios.iter().rev().peekable();
    let mut ratio = 1.0;
    let mut raw: Vec<LiraBar> = bars
        .iter()
        .rev()
        .map(|bar| {
            while let Some((_, step)) = later.next_if(|(day, _)| *day > bar.day) {
                ratio *= step;
            }
            LiraBar::from(bar).scaled(ratio, 1.0 / ratio)
        })
        .collect();
    raw.reverse();
    raw
}

/// What one share became on a day, without payment; one where that makes no sense.
pub(super) fn share_ratio(kinds: &[CorporateActionKind]) -> f64 {
    let ratio = Entitlement::of(kinds).share_ratio();
    if ratio.is_finite() && ratio > 0.0 { ratio } else { 1.0 }
}

/// The actions up to `until` by ex-day, oldest first.
pub(super) fn days(
    actions: &[CorporateAction],
    until: Date,
) -> impl Iterator<Item = (Date, Vec<CorporateActionKind>)> {
    let mut effective: Vec<_> = actions.iter().filter(|a| a.effective_on <= until).collect();
    effective.sort_by_key(|action| action.effective_on);
    let days: Vec<_> = effective
        .chunk_by(|a, b| a.effective_on == b.effective_on)
        .map(|day| (day[0].effective_on, day.iter().map(|action| action.kind).collect()))
        .collect();
    days.into_iter()
}
