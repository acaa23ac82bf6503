//! A number with the interval in which the truth may lie.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::distribution::{normal_quantile, student_t_quantile};

pub use crate::distribution::student_t_p_value;

/// An estimate and its two-sided confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// How often such an interval holds the truth, 0.95 for instance.
    pub level: f64,
}

impl Estimate {
    /// The interval `value +- t * standard_error` with the quantile `t` of Student's distribution.
    ///
    /// `None` when the standard error is negative or a number is not finite, `degrees_of_freedom`
    /// is not positive or `level` is not between 0 and 1.
    pub fn from_student_t(
        value: f64,
        standard_error: f64,
        degrees_of_freedom: f64,
        level: f64,
    ) -> Option<Self> {
        let finite = value.is_finite() && standard_error.is_finite();
        let possible = standard_error >= 0.0 && degrees_of_freedom > 0.0 && is_level(level);
        if !finite || !possible || !degrees_of_freedom.is_finite() {
            return None;
        }
        let half =
            standard_error * student_t_quantile(f64::midpoint(1.0, level), degrees_of_freedom);
        Some(Self { value, low: value - half, high: value + half, level })
    }

    /// The mean of independent `values` with Student's interval; `None` for fewer than two values.
    pub fn of_mean(values: &[f64], level: f64) -> Option<Self> {
        if values.len() < 2 {
            return None;
        }
        let n = count(values.len());
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self::from_student_t(mean, (squares / (n - 1.0) / n).sqrt(), n - 1.0, level)
    }

    /// The share of successes among independent trials with Wilson's interval.
    ///
    /// `trials_count` may be a fraction: dependent trials count as fewer independent ones. `None`
    /// when it is not positive, `share` is outside 0..=1 or `level` is not between 0 and 1.
    ///
    /// Source: Wilson (1927), "Probable Inference, the Law of Succession, and Statistical
    /// Inference".
    pub fn of_share(share: f64, trials_count: f64, level: f64) -> Option<Self> {
        let possible = trials_count > 0.0 && (0.0..=1.0).contains(&share) && is_level(level);
        if !possible || !trials_count.is_finite() {
            return None;
        }
        let z2 = normal_quantile(f64::midpoint(1.0, level)).powi(2);
        let scale = 1.0 + z2 / trials_count;
        let centre = (share + z2 / (2.0 * trials_count)) / scale;
        let spread = share * (1.0 - share) / trials_count + z2 / (4.0 * trials_count.powi(2));
        let half = (z2 * spread).sqrt() / scale;
        let (low, high) = ((centre - half).max(0.0), (centre + half).min(1.0));
        Some(Self { value: share, low, high, level })
    }
}

impl fmt::Display for Estimate {
    /// `0.0312 (95 %: 0.0101 to 0.0523)`; the precision asked for is that of the numbers. The level
    /// has a decimal where it needs one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(4);
        let Self { value, low, high, level } = self;
        let percent = (level * 1000.0).round() / 10.0;
        write!(f, "{value:.digits$} ({percent} %: {low:.digits$} to {high:.digits$})")
    }
}

fn is_level(level: f64) -> bool {
    level > 0.0 && level < 1.0
}

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) fn count(count: usize) -> f64 {
    count as f64
}
