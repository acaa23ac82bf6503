//! The factor of each ex-day, and of each day before it.

use jiff::civil::Date;
use serde::Serialize;

use super::unadjust::{days, share_ratio};
use super::{PriceTerms, ReturnFlavour, as_traded};
use crate::bar::Bar;
use crate::corporate_action::{CorporateAction, CorporateActionKind, Entitlement};

/// One ex-day and what it does to all earlier prices.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AdjustmentStep {
    /// The ex-day.
    pub effective_on: Date,
    /// The last price before it, as traded, lira.
    pub previous_close_lira: f64,
    /// Earlier prices times this compare with later ones, dividends left in; positive.
    pub price_factor: f64,
    /// Earlier prices times this compare with later ones, dividends taken out; positive.
    pub total_factor: f64,
    /// Shares that one share became without payment; earlier volumes times this compare with later
    /// ones.
    pub share_ratio: f64,
    /// What happened.
    pub actions: Vec<CorporateActionKind>,
}

/// Actions of a day that make no sense at the price of that day, and were left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RefusedAdjustment {
    /// The ex-day.
    pub effective_on: Date,
    /// The last price before it, as traded, lira.
    pub previous_close_lira: f64,
    /// The theoretical price, lira: zero, negative or not finite.
    pub theoretical_base_lira: f64,
    /// The flavour that is left out.
    pub flavour: ReturnFlavour,
    /// What is said to have happened.
    pub actions: Vec<CorporateActionKind>,
}

/// What the prices and volumes of a day are multiplied with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DayFactors {
    price: f64,
    total: f64,
    /// For volumes.
    pub(super) shares: f64,
}

impl DayFactors {
    const NONE: Self = Self { price: 1.0, total: 1.0, shares: 1.0 };

    /// For prices.
    pub(super) const fn price(&self, flavour: ReturnFlavour) -> f64 {
        match flavour {
            ReturnFlavour::Price => self.price,
            ReturnFlavour::Total => self.total,
        }
    }

    fn and(self, step: &AdjustmentStep) -> Self {
        Self {
            price: self.price * step.price_factor,
            total: self.total * step.total_factor,
            shares: self.shares * step.share_ratio,
        }
    }
}

/// The adjustment of one series as known on one day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AdjustmentFactors {
    /// Oldest first, one a day.
    steps: Vec<AdjustmentStep>,
    refused: Vec<RefusedAdjustment>,
}

impl AdjustmentFactors {
    /// The factors of all ex-days up to and including `as_of` that have a bar before them.
    ///
    /// `bars` are of one symbol, oldest first, on `terms`; `actions` are all of that symbol, in any
    /// order. Where no bar lies between two ex-days, the second starts from the theoretical price of
    /// the first. On [`PriceTerms::FullyAdjusted`] there is nothing to do, and no step.
    pub fn new(bars: &[Bar], actions: &[CorporateAction], terms: PriceTerms, as_of: Date) -> Self {
        let mut factors = Self { steps: Vec::new(), refused: Vec::new() };
        if terms == PriceTerms::FullyAdjusted {
            return factors;
        }
        let raw = as_traded(bars, actions, terms);
        // The day and theoretical price of the ex-day before, until a bar follows it.
        let mut carried: Option<(Date, f64)> = None;
        for (effective_on, kinds) in days(actions, as_of) {
            let before = raw.partition_point(|bar| bar.day < effective_on);
            let Some(last) = before.checked_sub(1).map(|index| &raw[index]) else { continue };
            let previous = carried
                .filter(|(day, _)| *day > last.day)
                .map_or(last.close, |(_, theoretical)| theoretical);
            let step = factors.step(effective_on, previous, kinds);
            carried = Some((effective_on, previous * step.total_factor));
            factors.steps.push(step);
        }
        factors
    }

    /// The ex-days, oldest first.
    pub fn steps(&self) -> &[AdjustmentStep] {
        &self.steps
    }

    /// The days whose actions were left out, in whole or in part, oldest first.
    pub fn refused(&self) -> &[RefusedAdjustment] {
        &self.refused
    }

    /// What a price of `day`, as traded, is multiplied with.
    pub fn on(&self, day: Date, flavour: ReturnFlavour) -> f64 {
        let later = self.steps.iter().rev().take_while(|step| step.effective_on > day);
        later.fold(DayFactors::NONE, DayFactors::and).price(flavour)
    }

    /// What the prices and volumes of each bar, as traded, are multiplied with; as long as `bars`,
    /// which are oldest first.
    pub(super) fn of_days(&self, bars: &[Bar]) -> Vec<DayFactors> {
        let mut later = self.steps.iter().rev().peekable();
        let mut factors = DayFactors::NONE;
        let mut of_days: Vec<DayFactors> = bars
            .iter()
            .rev()
            .map(|bar| {
                while let Some(step) = later.next_if(|step| step.effective_on > bar.day) {
                    factors = factors.and(step);
                }
                factors
            })
            .collect();
        of_days.reverse();
        of_days
    }

    /// The step of one ex-day; what makes no sense is noted and left out.
    fn step(
        &mut self,
        effective_on: Date,
        previous_close_lira: f64,
        actions: Vec<CorporateActionKind>,
    ) -> AdjustmentStep {
        let mut factor = |kinds: &[CorporateActionKind], flavour, instead: f64| {
            let theoretical_base_lira = Entitlement::of(kinds).ex_price(previous_close_lira);
            if theoretical_base_lira.is_finite() && theoretical_base_lira > 0.0 {
                return theoretical_base_lira / previous_close_lira;
            }
            self.refused.push(RefusedAdjustment {
                effective_on,
                previous_close_lira,
                theoretical_base_lira,
                flavour,
                actions: actions.clone(),
            });
            instead
        };
        let without_cash: Vec<_> = actions
            .iter()
            .filter(|kind| !matches!(kind, CorporateActionKind::CashDividend { .. }))
            .copied()
            .collect();
        let price_factor = factor(&without_cash, ReturnFlavour::Price, 1.0);
        let total_factor = factor(&actions, ReturnFlavour::Total, price_factor);
        let share_ratio = share_ratio(&actions);
        AdjustmentStep {
            effective_on,
            previous_close_lira,
            price_factor,
            total_factor,
            share_ratio,
            actions,
        }
    }
}
