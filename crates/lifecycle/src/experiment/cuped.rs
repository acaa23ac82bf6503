//! Less variance by what was known before: CUPED, with a coefficient learned from the past alone.

use super::mixture::Moments;
use crate::rank_ic::count;

/// Fewest pairs that a coefficient is learned from; before it is zero.
const PAIRS_MIN: usize = 8;

/// Takes from each value the part that a covariate tells beforehand.
///
/// The coefficient is the slope of the values on the covariate over the pairs **before**, so that it
/// is fixed before the value is seen, and a value keeps its expectation as long as that of the
/// covariate is zero. It is on the caller to centre the covariate.
///
/// Source: Deng, Xu, Kohavi and Walker (2013), "Improving the Sensitivity of Online Controlled
/// Experiments by Utilizing Pre-Experiment Data", who estimate the coefficient once from all pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cuped {
    values: Moments,
    covariates: Moments,
    products: f64,
    /// The values for which there was a coefficient, as they came and as they were adjusted.
    raw: Moments,
    adjusted: Moments,
}

impl Cuped {
    /// `value` less what `covariate` says of it, both of which are learned from afterwards.
    pub fn adjust(&mut self, value: f64, covariate: f64) -> f64 {
        let adjusted = value - self.coefficient() * covariate;
        self.learn(value, covariate, adjusted);
        adjusted
    }

    /// The coefficient by the pairs so far; zero while there are fewer than eight, or the covariate
    /// does not vary.
    pub fn coefficient(&self) -> f64 {
        if self.values.count() < PAIRS_MIN {
            return 0.0;
        }
        let covariance = self.products / count(self.values.count() - 1);
        match self.covariates.variance() {
            Some(variance) if variance > 0.0 => covariance / variance,
            _ => 0.0,
        }
    }

    /// Learns from a value, its covariate and what it was adjusted to.
    pub(super) fn learn(&mut self, value: f64, covariate: f64, adjusted: f64) {
        if self.values.count() >= PAIRS_MIN {
            self.raw.push(value);
            self.adjusted.push(adjusted);
        }
        let before = value - self.values.mean();
        self.values.push(value);
        self.covariates.push(covariate);
        self.products += before * (covariate - self.covariates.mean());
    }

    /// The share of the variance that went, 0..=1; zero when the covariate brings nothing.
    pub fn variance_removed_share(&self) -> f64 {
        match (self.raw.variance(), self.adjusted.variance()) {
            (Some(raw), Some(adjusted)) if raw > 0.0 => (1.0 - adjusted / raw).max(0.0),
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_covariate_that_tells_everything_leaves_nothing_and_one_that_does_not_vary_changes_nothing()
    {
        let covariates = (0..60).map(|i| f64::from((i * 37) % 17) - 8.0);
        let mut cuped = Cuped::default();
        let adjusted: Vec<f64> =
            covariates.clone().map(|x| cuped.adjust(1.0 + 0.5 * x, x)).collect();
        assert!(adjusted[8..].iter().all(|value| (value - 1.0).abs() < 1e-12));
        assert!(cuped.variance_removed_share() > 0.999);

        let mut constant = Cuped::default();
        for x in covariates {
            assert!((constant.adjust(x, 0.0) - x).abs() < 1e-15);
        }
        assert!(constant.variance_removed_share().abs() < 1e-15);
    }

    #[test]
    fn the_coefficient_is_learned_before_the_value_is_seen() {
        let mut cuped = Cuped::default();
        for i in 0..20 {
            cuped.adjust(f64::from(i % 3), f64::from(i % 5) - 2.0);
        }
        let (mut one, mut other) = (cuped, cuped);
        let difference = one.adjust(5.0, 1.0) - other.adjust(3.0, 1.0);
        assert!((difference - 2.0).abs() < 1e-12);
    }
}
