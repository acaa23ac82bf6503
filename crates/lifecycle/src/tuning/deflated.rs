//! What the best of many trials is worth, given that it is the best of many.

use bist_trading::distribution::normal_quantile;
use serde::{Deserialize, Serialize};

use crate::rank_ic::{count, mean};

/// Euler and Mascheroni's constant.
const EULER_MASCHERONI: f64 = 0.577_215_664_901_532_9;

/// The largest of `trials_count` values of mean zero and this variance that is expected of noise
/// alone; zero for fewer than two.
///
/// With `N` trials and variance `V` it is
/// `sqrt(V) ((1 - g) Z^-1(1 - 1/N) + g Z^-1(1 - 1/(N e)))`, with `g` Euler and Mascheroni's
/// constant and `Z^-1` the quantile of the normal distribution.
///
/// Source: Bailey and López de Prado (2014), "The Deflated Sharpe Ratio", the expected maximum of
/// independent trials; here of rank coefficients instead of Sharpe ratios.
pub fn expected_maximum_of_noise(trials_count: usize, variance: f64) -> f64 {
    if trials_count < 2 {
        return 0.0;
    }
    let n = count(trials_count);
    let (g, e) = (EULER_MASCHERONI, std::f64::consts::E);
    let largest =
        (1.0 - g) * normal_quantile(1.0 - 1.0 / n) + g * normal_quantile(1.0 - 1.0 / (n * e));
    variance.sqrt() * largest
}

/// The best value of a study, and what is left of it when the trials are allowed for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeflatedScore {
    /// The best value.
    pub best: f64,
    /// Values that it is the best of.
    pub trials_count: u64,
    /// The largest that as many trials of noise would be expected to show, by the variance of the
    /// values of the trials.
    pub noise_maximum: f64,
    /// The best less that. Trials that resemble each other are counted as if they did not, which
    /// takes away more than is needed.
    pub deflated: f64,
}

impl DeflatedScore {
    /// Of the values of the trials that have one, more being better; `None` when there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let best = values.iter().copied().reduce(f64::max)?;
        let centre = mean(values);
        let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
        let variance = if values.len() < 2 { 0.0 } else { squares / (count(values.len()) - 1.0) };
        let noise_maximum = expected_maximum_of_noise(values.len(), variance);
        Some(Self {
            best,
            trials_count: values.len() as u64,
            noise_maximum,
            deflated: best - noise_maximum,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `SciPy` 1.17.1: `(1 - np.euler_gamma) * norm.ppf(1 - 1/n) + np.euler_gamma * norm.ppf(1 -
    /// 1/(n * np.e))`.
    #[test]
    fn the_largest_of_noise_is_scipys() {
        for (trials_count, expected) in SCIPY {
            let actual = expected_maximum_of_noise(trials_count, 1.0);
            assert!((actual - expected).abs() < 1e-9, "{trials_count}: {actual}");
        }
        assert!(expected_maximum_of_noise(1, 1.0).abs() < 1e-15);
        let narrow = expected_maximum_of_noise(100, 0.0001);
        assert!((narrow - 0.01 * expected_maximum_of_noise(100, 1.0)).abs() < 1e-12);
    }

    const SCIPY: [(usize, f64); 3] =
        [(2, 0.519755344281), (10, 1.574598301346), (1000, 3.255121513653)];

    #[test]
    fn the_best_of_noise_is_deflated_to_about_nothing_and_a_find_is_not() {
        let noise: Vec<f64> = (1..100).map(|k| 0.01 * normal_scores(k)).collect();
        let of_noise = DeflatedScore::of(&noise).unwrap();
        assert!(of_noise.best > 0.02 && of_noise.deflated.abs() < 0.003, "{of_noise:?}");
        let found = DeflatedScore::of(&[noise.as_slice(), &[0.08]].concat()).unwrap();
        assert!(found.deflated > 0.04, "{found:?}");
        assert_eq!(DeflatedScore::of(&[]), None);
        let alone = DeflatedScore::of(&[0.03]).unwrap();
        assert_eq!((alone.best, alone.noise_maximum, alone.deflated), (0.03, 0.0, 0.03));
    }

    /// The `k`-th of 99 values as the normal distribution spreads them.
    fn normal_scores(k: u32) -> f64 {
        let p = f64::from(k) / 100.0;
        if p < 0.5 { -normal_quantile(1.0 - p) } else { normal_quantile(p) }
    }
}
