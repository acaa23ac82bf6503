//! The interval of an improvement that holds at all times together.

use bist_models::Horizon;
use bist_trading::Estimate;

use super::blocks::Blocks;
use super::cuped::Cuped;
use super::mixture::{Moments, TMixture};
use super::observation::Improvement;
use super::unit_error::UnitError;

/// The largest level at which an interval is asked for.
const LEVEL_MAX: f64 = 1.0 - f64::EPSILON;

/// Steps by which the p-value is found where it has no formula.
const BISECTIONS: u32 = 40;

/// The interval of a mean improvement, day after day, and its p-value.
///
/// However often one looks, the true mean ever leaves the interval with probability `error_level` at
/// most. See [`crate::experiment`] for what of this is exact.
///
/// Where an improvement has a [`UnitError`], the days and the units may each err with half of the
/// level.
#[derive(Clone, Debug)]
pub struct ConfidenceSequence {
    blocks: Blocks,
    covariates: Blocks,
    cuped: Option<Cuped>,
    means: Moments,
    unit_error: Option<UnitError>,
    mixture: TMixture,
    error_level: f64,
    null: f64,
    p_value: f64,
}

impl ConfidenceSequence {
    /// A sequence for up to `days_max` days, whose p-value is that of a mean improvement of `null`.
    ///
    /// The interval is tightest when half of the blocks of `days_max` days are there.
    pub fn new(horizon: Horizon, days_max: u32, error_level: f64, null: f64) -> Self {
        let blocks_count = f64::from(Blocks::in_days(horizon, days_max));
        Self {
            blocks: Blocks::new(horizon),
            covariates: Blocks::new(horizon),
            cuped: None,
            means: Moments::default(),
            unit_error: None,
            mixture: TMixture::tightest_at(blocks_count / 2.0, error_level),
            error_level,
            null,
            p_value: 1.0,
        }
    }

    /// The same with the covariates of improvements taken off, see [`Cuped`].
    #[must_use]
    pub fn with_cuped(self) -> Self {
        Self { cuped: Some(Cuped::default()), ..self }
    }

    /// Adds a day.
    pub fn push(&mut self, improvement: &Improvement) {
        let covariate = self.covariates.push(improvement.covariate);
        let Some((mean, covariate)) = self.blocks.push(improvement.value).zip(covariate) else {
            return;
        };
        let adjusted = self.cuped.as_mut().map(|cuped| cuped.adjust(mean, covariate));
        self.means.push(adjusted.unwrap_or(mean));
        self.unit_error = improvement.unit_error;
        self.p_value = self.p_value_now().min(self.p_value);
    }

    /// Blocks that are complete.
    pub const fn blocks_count(&self) -> usize {
        self.means.count()
    }

    /// The mean improvement of the blocks; `None` before the first.
    pub fn mean(&self) -> Option<f64> {
        (self.means.count() > 0).then(|| self.means.mean())
    }

    /// The mean improvement with its interval; `None` while there are too few blocks for one.
    pub fn estimate(&self) -> Option<Estimate> {
        let (value, half) = (self.means.mean(), self.half_width(self.error_level)?);
        Some(Estimate {
            value,
            low: value - half,
            high: value + half,
            level: 1.0 - self.error_level,
        })
    }

    /// The p-value by all looks so far, two-sided and valid at any time; one when there is nothing.
    pub const fn p_value(&self) -> f64 {
        self.p_value
    }

    /// The share of the variance that the covariate took away; `None` where none was declared.
    pub fn variance_removed_share(&self) -> Option<f64> {
        self.cuped.map(|cuped| cuped.variance_removed_share())
    }

    fn half_width(&self, error_level: f64) -> Option<f64> {
        match self.unit_error {
            None => self.mixture.half_width(&self.means, error_level),
            Some(unit_error) => {
                let of_days = self.mixture.half_width(&self.means, error_level / 2.0)?;
                Some(of_days + unit_error.half_width(error_level / 2.0)?)
            }
        }
    }

    /// The least level at which the interval leaves out the null; the p-value so far when that is not
    /// less.
    fn p_value_now(&self) -> f64 {
        if self.unit_error.is_none() {
            return (-self.mixture.log_e_value(&self.means, self.null)).exp().min(1.0);
        }
        let distance = (self.means.mean() - self.null).abs();
        let left_out =
            |level: f64| self.half_width(level.min(LEVEL_MAX)).is_some_and(|half| half < distance);
        if !left_out(self.p_value) {
            return self.p_value;
        }
        let (mut low, mut high) = (0.0, self.p_value);
        for _ in 0..BISECTIONS {
            let middle = f64::midpoint(low, high);
            if left_out(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }
}
