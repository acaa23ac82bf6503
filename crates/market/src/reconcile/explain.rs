//! Why the level of two series shifts against each other: an event that one is adjusted for.

use jiff::civil::Date;

use super::{DayVerdict, Pair, Side};
use crate::adjust::{AdjustmentFactors, AdjustmentStep, PriceTerms, ratio};
use crate::corporate_action::CorporateAction;

/// What may shift the level.
pub(super) struct Explanations {
    /// The ex-days by our own actions, from the prices of each side that allow it.
    steps: Vec<AdjustmentStep>,
}

impl Explanations {
    pub(super) fn new(a: &Side<'_>, b: &Side<'_>, actions: &[CorporateAction]) -> Self {
        let steps = [a, b].into_iter().flat_map(|side| {
            let terms = side.terms.filter(|terms| *terms != PriceTerms::FullyAdjusted);
            let last = side.bars.last().map(|bar| bar.day);
            terms.zip(last).map_or_else(Vec::new, |(terms, last)| {
                AdjustmentFactors::new(side.bars, actions, terms, last).steps().to_vec()
            })
        });
        Self { steps: steps.collect() }
    }

    /// Why the level is the same on two common days, or differs by an event between them; `None`
    /// when nothing explains the shift.
    pub(super) fn of_shift(
        &self,
        before: &Pair<'_>,
        after: &Pair<'_>,
        tolerance: f64,
    ) -> Option<DayVerdict> {
        let shift = after.level() / before.level();
        let near = |factor: f64| {
            (shift / factor - 1.0).abs() <= tolerance || (shift * factor - 1.0).abs() <= tolerance
        };
        if near(1.0) {
            return Some(DayVerdict::Agrees);
        }
        if self.factors(before.day(), after.day()).any(&near) {
            return Some(DayVerdict::ExplainedByActions);
        }
        let vendors = [(before.a, after.a), (before.b, after.b)];
        let mut adjustments = vendors.into_iter().filter_map(|(b, a)| Some(ratio(b)? / ratio(a)?));
        adjustments.any(near).then_some(DayVerdict::ExplainedByAdjustment)
    }

    /// The factors by which one side may be adjusted between two days, and the other not: for all
    /// events, for all but dividends, for dividends alone, for all but free shares.
    fn factors(&self, before: Date, after: Date) -> impl Iterator<Item = f64> {
        let between =
            self.steps.iter().filter(move |s| s.effective_on > before && s.effective_on <= after);
        between.flat_map(|step| {
            let (price, total) = (step.price_factor, step.total_factor);
            [total, price, total / price, total * step.share_ratio]
        })
    }
}
