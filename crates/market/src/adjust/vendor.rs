//! Our factors against those in a vendor's adjusted close.

use jiff::civil::Date;
use serde::Serialize;

use super::{AdjustmentFactors, AdjustmentStep, PriceTerms};
use crate::bar::Bar;
use crate::corporate_action::{CorporateAction, CorporateActionKind};
use crate::price::ROUNDING_LIRA;
use crate::validate::{FindingKind, Remark};

/// How far two factors may lie apart, a share, beyond what the rounding of the prices explains, as
/// vendors round dividends per share. Measured: 49 real events of 13 symbols, own and vendor's
/// factors at most 0.00007 apart.
const FACTOR_TOLERANCE_SHARE: f64 = 2e-4;

/// What our actions and a vendor's adjusted close say about one day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VendorEvent {
    /// The later of the two bars between which something happened.
    pub day: Date,
    /// What our actions multiply the earlier prices with; one when we know of none.
    pub own_factor: f64,
    /// What the vendor multiplied them with; one, but for rounding, when it knows of nothing.
    pub vendor_factor: f64,
    /// How far the two may lie apart, a share of the vendor's.
    pub tolerance_share: f64,
    /// Our actions of these days.
    pub actions: Vec<CorporateActionKind>,
}

impl VendorEvent {
    /// Whether the two factors are the same but for rounding.
    pub fn agrees(&self) -> bool {
        (self.own_factor / self.vendor_factor - 1.0).abs() <= self.tolerance_share
    }
}

/// All days on which we, the vendor or both know of an event.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct VendorComparison {
    /// How many pairs of neighbouring bars both have an adjusted close.
    pub compared_count: u64,
    /// The events, oldest first.
    pub events: Vec<VendorEvent>,
}

impl VendorComparison {
    /// The events about which we and the vendor disagree.
    pub fn disagreements(&self) -> impl Iterator<Item = &VendorEvent> {
        self.events.iter().filter(|event| !event.agrees())
    }

    /// A finding for each disagreement, with both numbers.
    pub fn remarks(&self) -> Vec<Remark> {
        let remark = |event: &VendorEvent| Remark {
            opened_at: None,
            day: Some(event.day),
            kind: FindingKind::AdjustmentDisagreement {
                own_factor: event.own_factor,
                vendor_factor: event.vendor_factor,
                actions: event.actions.iter().map(|kind| kind.code().to_owned()).collect(),
            },
        };
        self.disagreements().map(remark).collect()
    }
}

/// Compares, from bar to bar, the factor that our actions imply with the one that the vendor's
/// adjusted close implies.
///
/// `bars` are of one symbol, oldest first, on `terms`; `actions` are all of that symbol, in any
/// order. The vendor's factor between two bars is the ratio of adjusted close to close before over
/// the ratio after; on split-adjusted prices it holds dividends and rights issues only, and ours is
/// freed of the share ratios to match. Bars without an adjusted close are passed over.
pub fn compare_with_vendor(
    bars: &[Bar],
    actions: &[CorporateAction],
    terms: PriceTerms,
) -> VendorComparison {
    let mut comparison = VendorComparison::default();
    let Some(last) = bars.last().filter(|_| terms != PriceTerms::FullyAdjusted) else {
        return comparison;
    };
    let factors = AdjustmentFactors::new(bars, actions, terms, last.day);
    let mut steps = factors.steps().iter().peekable();
    for pair in bars.windows(2) {
        let [before, after] = pair else { unreachable!("windows of two") };
        let mut between: Vec<&AdjustmentStep> = Vec::new();
        while let Some(step) = steps.next_if(|step| step.effective_on <= after.day) {
            between.push(step);
        }
        let (Some(ratio_before), Some(ratio_after)) = (ratio(before), ratio(after)) else {
            continue;
        };
        comparison.compared_count += 1;
        let event = VendorEvent {
            day: after.day,
            own_factor: between.iter().map(|step| left_in(step, terms)).product(),
            vendor_factor: ratio_before / ratio_after,
            tolerance_share: FACTOR_TOLERANCE_SHARE
                + rounding_share(before)
                + rounding_share(after),
            actions: between.iter().flat_map(|step| step.actions.iter().copied()).collect(),
        };
        if !event.actions.is_empty() || !event.agrees() {
            comparison.events.push(event);
        }
    }
    comparison
}

/// The factor of an ex-day on prices of these terms: share ratios that the source has already
/// divided by are taken out.
fn left_in(step: &AdjustmentStep, terms: PriceTerms) -> f64 {
    match terms {
        PriceTerms::SplitAdjusted { until } if step.effective_on <= until => {
            step.total_factor * step.share_ratio
        }
        PriceTerms::Raw | PriceTerms::SplitAdjusted { .. } => step.total_factor,
        PriceTerms::FullyAdjusted => 1.0,
    }
}

/// The vendor's adjusted close over the close.
pub(crate) fn ratio(bar: &Bar) -> Option<f64> {
    bar.adjusted_close.map(|adjusted| adjusted / bar.close.lira())
}

/// By what share rounding to four decimals can have moved the ratio of a bar.
fn rounding_share(bar: &Bar) -> f64 {
    let adjusted = bar.adjusted_close.unwrap_or(f64::INFINITY);
    ROUNDING_LIRA / bar.close.lira() + ROUNDING_LIRA / adjusted
}
