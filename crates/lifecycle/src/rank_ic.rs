//! The information coefficients: how well forecasts, or their order, match what came, and how sure
//! one can be of it when labels overlap.

use bist_trading::Estimate;

/// A correlation coefficient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correlation {
    /// Pearson's: of the values themselves.
    Pearson,
    /// Spearman's: of their ranks, ties averaged.
    Spearman,
}

impl Correlation {
    /// The correlation of `x` and `y`, -1..=1.
    ///
    /// Zero when there are fewer than two values, and when all of `x` or all of `y` are equal: a
    /// forecast that says the same of everything tells nothing apart.
    ///
    /// # Panics
    ///
    /// When the lengths differ.
    pub fn of(self, x: &[f64], y: &[f64]) -> f64 {
        mean(&products(&self.standardised(x), &self.standardised(y)))
    }

    /// The parts that make up a correlation over time, one for each pair; their mean is the
    /// correlation.
    ///
    /// With standardised values (or ranks) `r` and `s` and their correlation `rho`, the part of a
    /// pair is `rho + r s - rho (r^2 + s^2) / 2`: the influence of the pair on the correlation, so
    /// that the standard error of the mean of the parts is that of the correlation, ranks taken as
    /// given.
    ///
    /// # Panics
    ///
    /// When the lengths differ.
    pub fn parts(self, x: &[f64], y: &[f64]) -> Vec<f64> {
        let (r, s) = (self.standardised(x), self.standardised(y));
        let rho = mean(&products(&r, &s));
        r.iter().zip(&s).map(|(r, s)| rho + r * s - 0.5 * rho * (r * r + s * s)).collect()
    }

    /// What is multiplied: mean 0 and mean square 1; zeros when all values are equal.
    fn standardised(self, values: &[f64]) -> Vec<f64> {
        match self {
            Self::Pearson => scaled(centred(values)),
            Self::Spearman => scaled(centred_ranks(values)),
        }
    }
}

/// The mean of a series whose neighbours depend on each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DependentMean {
    /// The mean.
    pub mean: f64,
    /// Its standard error by Newey and West.
    pub standard_error: f64,
    /// How many independent values would give the same standard error; at most the number of
    /// values.
    pub effective_count: f64,
}

impl DependentMean {
    /// The mean of `series` with the standard error of Newey and West: weights `1 - j / (lag + 1)`
    /// on the autocovariances up to `lag`, and the correction `n / (n - 1)` for small samples.
    ///
    /// `None` for fewer than two values.
    ///
    /// Source: Newey and West (1987), "A Simple, Positive Semi-Definite, Heteroskedasticity and
    /// Autocorrelation Consistent Covariance Matrix".
    pub fn newey_west(series: &[f64], lag: usize) -> Option<Self> {
        if series.len() < 2 {
            return None;
        }
        let n = count(series.len());
        let mean = mean(series);
        let errors: Vec<f64> = series.iter().map(|value| value - mean).collect();
        let autocovariance = |j: usize| {
            errors.iter().zip(&errors[j.min(errors.len())..]).map(|(a, b)| a * b).sum::<f64>() / n
        };
        let variance = autocovariance(0);
        let long_run = variance
            + (1..=lag)
                .map(|j| 2.0 * (1.0 - count(j) / (count(lag) + 1.0)) * autocovariance(j))
                .sum::<f64>();
        // The weights keep the sum above zero but for rounding.
        let long_run = long_run.max(0.0);
        let standard_error = (long_run / (n - 1.0)).sqrt();
        let effective_count = if long_run > variance { n * variance / long_run } else { n };
        Some(Self { mean, standard_error, effective_count })
    }

    /// The interval by Student's t with one degree of freedom less than there are effective values;
    /// `None` when there is not more than one.
    pub fn estimate(&self, level: f64) -> Option<Estimate> {
        let freedom = self.effective_count - 1.0;
        Estimate::from_student_t(self.mean, self.standard_error, freedom, level)
    }
}

/// The lag for a series of daily values whose labels reach `horizon_sessions` ahead: twice the
/// horizon.
///
/// Labels of `h` sessions make neighbours dependent up to lag `h - 1`. Weights that reach zero
/// right there would take away half of that dependence; at twice the horizon they leave most of it.
pub fn lag_days(horizon_sessions: u8) -> usize {
    2 * usize::from(horizon_sessions)
}

/// Values less their mean; zeros when all are equal, whatever the mean is rounded to.
fn centred(values: &[f64]) -> Vec<f64> {
    #[expect(clippy::float_cmp, reason = "equal values, not close ones, have no deviation")]
    if values.iter().all(|value| *value == values[0]) {
        return vec![0.0; values.len()];
    }
    let mean = mean(values);
    values.iter().map(|value| value - mean).collect()
}

/// Ranks less their mean, ties averaged.
fn centred_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let middle = (count(values.len()) - 1.0) / 2.0;
    let mut ranks = vec![0.0; values.len()];
    let mut begin = 0;
    // Zero and minus zero are a tie, though total_cmp orders them.
    #[expect(clippy::float_cmp, reason = "ties are equal values, not close ones")]
    for ties in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = count(2 * begin + ties.len() - 1) / 2.0 - middle;
        for &index in ties {
            ranks[index] = rank;
        }
        begin += ties.len();
    }
    ranks
}

/// Brings `values` to mean square 1; zeros stay.
fn scaled(mut values: Vec<f64>) -> Vec<f64> {
    let scale = mean(&products(&values, &values)).sqrt();
    if scale > 0.0 {
        for value in &mut values {
            *value /= scale;
        }
    }
    values
}

fn products(x: &[f64], y: &[f64]) -> Vec<f64> {
    assert_eq!(x.len(), y.len(), "a correlation needs pairs");
    x.iter().zip(y).map(|(a, b)| a * b).collect()
}

/// The mean of `values`; zero when there are none.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len().max(1))
}

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) fn count(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Correlation; 2] = [Correlation::Pearson, Correlation::Spearman];

    #[test]
    fn a_constant_forecast_tells_nothing_apart() {
        for correlation in BOTH {
            // The mean of three times 0.1 is not 0.1.
            assert!(correlation.of(&[0.1, 0.1, 0.1], &[3.0, 1.0, 2.0]).abs() < 1e-15);
            assert!(correlation.of(&[], &[]).abs() < 1e-15);
            assert!(correlation.of(&[1.0], &[2.0]).abs() < 1e-15);
        }
    }

    #[test]
    fn only_the_order_counts_for_ranks() {
        let spearman = |x: &[f64], y: &[f64]| Correlation::Spearman.of(x, y);
        assert!((spearman(&[1.0, 2.0, 3.0], &[0.1, 50.0, 51.0]) - 1.0).abs() < 1e-15);
        assert!((spearman(&[1.0, 2.0, 3.0], &[9.0, 0.0, -9.0]) + 1.0).abs() < 1e-15);
        assert!((spearman(&[0.0, -0.0, 1.0], &[1.0, 1.0, 2.0]) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn the_parts_of_a_correlation_have_it_as_their_mean() {
        let (x, y) = ([0.3, -1.0, 2.0, 0.3, 5.0, 1.0], [1.0, -2.0, 0.5, 3.0, 4.0, -1.0]);
        for correlation in BOTH {
            assert!((mean(&correlation.parts(&x, &y)) - correlation.of(&x, &y)).abs() < 1e-14);
        }
    }

    #[test]
    fn dependence_lowers_the_effective_count_and_its_absence_does_not_raise_it() {
        let blocks: Vec<f64> = (0..200).map(|i| f64::from((i / 10) % 2)).collect();
        let dependent = DependentMean::newey_west(&blocks, 5).unwrap();
        assert!(dependent.effective_count < 60.0, "{dependent:?}");
        let alternating: Vec<f64> = (0..200).map(|i| f64::from(i % 2)).collect();
        let alternating = DependentMean::newey_west(&alternating, 5).unwrap();
        assert!((alternating.effective_count - 200.0).abs() < 1e-9);
    }

    #[test]
    fn one_value_has_no_interval() {
        assert_eq!(DependentMean::newey_west(&[1.0], 3), None);
        let two = DependentMean::newey_west(&[1.0, 2.0], 3).unwrap();
        assert!(two.standard_error.is_finite());
    }
}
