//! Whether one forecast has smaller losses than another, or only seems to.

use bist_trading::Estimate;
use bist_trading::estimate::student_t_p_value;

use crate::rank_ic::{count, mean};

/// The test of Diebold and Mariano with the correction for small samples of Harvey, Leybourne and
/// Newbold.
///
/// Sources: Diebold and Mariano (1995), "Comparing Predictive Accuracy"; Harvey, Leybourne and
/// Newbold (1997), "Testing the Equality of Prediction Mean Squared Errors".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DieboldMariano {
    /// The mean difference of losses.
    pub mean: f64,
    /// Its standard error, the correction included.
    pub standard_error: f64,
    /// The mean over its standard error.
    pub statistic: f64,
    /// The probability of a statistic as far from zero or farther when the forecasts are equally
    /// good: two-sided, by Student's t with one degree of freedom less than there are differences.
    pub p_value: f64,
    degrees_of_freedom: f64,
}

impl DieboldMariano {
    /// Tests a series of differences of losses, one a day, of forecasts `horizon_sessions` ahead.
    ///
    /// The variance of the mean counts all autocovariances up to lag `h - 1` fully, as forecasts of
    /// `h` sessions are dependent so far and no farther. Where that sum is not positive, which full
    /// weights do not exclude, they are `1 - k / h` (Bartlett's).
    ///
    /// `None` when there are fewer than `2 h` differences, or no two that differ.
    pub fn of(loss_differences: &[f64], horizon_sessions: u8) -> Option<Self> {
        let (n, h) = (count(loss_differences.len()), f64::from(horizon_sessions));
        if n < 2.0 * h || n < 2.0 {
            return None;
        }
        let mean = mean(loss_differences);
        let errors: Vec<f64> = loss_differences.iter().map(|value| value - mean).collect();
        let autocovariance =
            |k: usize| errors[k..].iter().zip(&errors).map(|(a, b)| a * b).sum::<f64>() / n;
        let long_run = |weight: &dyn Fn(usize) -> f64| {
            let later = 1..usize::from(horizon_sessions);
            autocovariance(0) + later.map(|k| 2.0 * weight(k) * autocovariance(k)).sum::<f64>()
        };
        let full = long_run(&|_| 1.0);
        let variance = if full > 0.0 { full } else { long_run(&|k| 1.0 - count(k) / h) } / n;
        let correction = (n + 1.0 - 2.0 * h + h * (h - 1.0) / n) / n;
        let standard_error = (variance / correction).sqrt();
        if !(standard_error > 0.0 && standard_error.is_finite()) {
            return None;
        }
        let (statistic, degrees_of_freedom) = (mean / standard_error, n - 1.0);
        Some(Self {
            mean,
            standard_error,
            statistic,
            p_value: student_t_p_value(statistic, degrees_of_freedom),
            degrees_of_freedom,
        })
    }

    /// The mean with the interval that leaves out zero when the p-value is below `1 - level`.
    pub fn estimate(&self, level: f64) -> Option<Estimate> {
        Estimate::from_student_t(self.mean, self.standard_error, self.degrees_of_freedom, level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_days_and_equal_losses_are_not_tested() {
        assert_eq!(DieboldMariano::of(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.1, 0.2, 0.3, 0.4], 5), None);
        assert_eq!(DieboldMariano::of(&[0.0; 50], 5), None);
        assert_eq!(DieboldMariano::of(&[1.0], 1), None);
    }

    #[test]
    fn the_interval_and_the_p_value_agree() {
        for shift in [0.0, 0.1, 0.2, 0.4] {
            let series: Vec<f64> =
                (0..60).map(|i| shift + f64::from((i * 37) % 17) / 17.0 - 0.5).collect();
            let test = DieboldMariano::of(&series, 3).unwrap();
            let estimate = test.estimate(0.95).unwrap();
            let outside = estimate.low > 0.0 || estimate.high < 0.0;
            assert_eq!(outside, test.p_value < 0.05, "{test:?}");
        }
    }
}
