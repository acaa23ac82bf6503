//! How far two arms differ by the units that fell to them.

use std::collections::BTreeMap;

use bist_trading::Estimate;

use super::mixture::Moments;
use crate::rank_ic::count;

/// The uncertainty of a difference of arms that more days do not take away: an arm whose units are
/// easier to forecast looks better every day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnitError {
    /// Standard error of the difference of the means of the units of two arms.
    pub standard_error: f64,
    /// Degrees of freedom: units of the smaller arm less one.
    pub degrees_of_freedom: f64,
}

impl UnitError {
    /// Half the width of Student's interval; `None` when an arm has fewer than two units.
    pub fn half_width(&self, error_level: f64) -> Option<f64> {
        let Self { standard_error, degrees_of_freedom } = *self;
        Estimate::from_student_t(0.0, standard_error, degrees_of_freedom, 1.0 - error_level)
            .map(|estimate| estimate.high)
    }
}

/// The values of the units of an arm over the days so far.
#[derive(Clone, Debug, Default)]
pub(super) struct ArmUnits<'a> {
    by_unit: BTreeMap<&'a str, Moments>,
}

impl<'a> ArmUnits<'a> {
    /// Adds what a unit had on a day.
    pub(super) fn push(&mut self, unit: &'a str, value: f64) {
        self.by_unit.entry(unit).or_default().push(value);
    }

    /// The error of the difference to another arm.
    pub(super) fn error_beside(&self, other: &Self) -> UnitError {
        let means = |arm: &Self| -> Moments { arm.by_unit.values().map(Moments::mean).collect() };
        let (one, other) = (means(self), means(other));
        let square = |units: Moments| units.variance().unwrap_or(0.0) / count(units.count().max(1));
        UnitError {
            standard_error: (square(one) + square(other)).sqrt(),
            degrees_of_freedom: count(one.count().min(other.count())) - 1.0,
        }
    }
}
