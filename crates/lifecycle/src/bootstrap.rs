//! The stationary bootstrap: drawing a series anew in blocks, so that what depends on its neighbours
//! still does.
//!
//! Source: Politis and Romano (1994), "The Stationary Bootstrap".

use bist_trading::Estimate;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::rank_ic::{count, mean};

/// Draws series of the same length in blocks of random length, geometrically distributed; a block
/// that passes the end goes on at the beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StationaryBootstrap {
    /// Mean length of a block, 1 or more.
    pub mean_block_length: f64,
    /// Series that are drawn, 1 or more.
    pub resamples_count: u32,
    /// The seed of the draws.
    pub seed: u64,
}

impl StationaryBootstrap {
    /// `statistic` of `series` with its percentile interval over the series drawn: the quantiles
    /// `(1 - level) / 2` and `(1 + level) / 2`, interpolated linearly.
    ///
    /// `None` when the series is empty or the statistic is not finite, of it or of a series drawn.
    pub fn estimate(
        &self,
        series: &[f64],
        statistic: impl Fn(&[f64]) -> f64,
        level: f64,
    ) -> Option<Estimate> {
        if series.is_empty() {
            return None;
        }
        let value = statistic(series);
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut drawn = vec![0.0; series.len()];
        let mut statistics: Vec<f64> = (0..self.resamples_count)
            .map(|_| {
                self.draw(series, &mut drawn, &mut rng);
                statistic(&drawn)
            })
            .collect();
        if !value.is_finite() || statistics.iter().any(|drawn| !drawn.is_finite()) {
            return None;
        }
        statistics.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        let (low, high) = (quantile(&statistics, tail)?, quantile(&statistics, 1.0 - tail)?);
        Some(Estimate { value, low, high, level })
    }

    /// Fills `drawn` with values of `series`, which is not empty and as long.
    fn draw(&self, series: &[f64], drawn: &mut [f64], rng: &mut ChaCha8Rng) {
        let new_block_probability = 1.0 / self.mean_block_length;
        let mut at = index_below(series.len(), rng);
        for value in drawn {
            *value = series[at];
            at = if uniform(rng) < new_block_probability {
                index_below(series.len(), rng)
            } else {
                (at + 1) % series.len()
            };
        }
    }
}

/// The mean block length that makes the variance of the mean of `series` by the stationary bootstrap
/// most exact, 1 or more; 1 when it cannot be told, as for a series without variance.
///
/// The autocovariances up to twice the first lag after which five autocorrelations in a row are
/// insignificant (`< 2 sqrt(log10(n) / n)`) enter with the flat-top weights of Politis and Romano:
/// with `G = sum |k| w(k) R(k)` and `g = sum w(k) R(k)`, the length is `(G^2 / g^2)^(1/3) n^(1/3)`,
/// at most `min(3 sqrt(n), n / 3)` rounded up.
///
/// Source: Politis and White (2004), "Automatic Block-Length Selection for the Dependent Bootstrap",
/// with the correction of Patton, Politis and White (2009).
pub fn optimal_block_length(series: &[f64]) -> f64 {
    let n = count(series.len());
    let runs_count = RUN_LENGTH_MIN.max(floor(n.log10()));
    let lag_max = floor(n.sqrt().ceil()) + runs_count;
    if lag_max + 1 >= series.len() {
        return 1.0;
    }
    let errors = {
        let mean = mean(series);
        series.iter().map(|value| value - mean).collect::<Vec<_>>()
    };
    let lag = lag_of_dependence(&errors, runs_count, lag_max);
    let (mut weighted_lags, mut long_run) = (0.0, products_sum(&errors, &errors) / n);
    for k in 1..=lag {
        let weight = (2.0 * (1.0 - count(k) / count(lag))).min(1.0);
        let autocovariance = products_sum(&errors[k..], &errors) / n;
        weighted_lags += 2.0 * weight * count(k) * autocovariance;
        long_run += 2.0 * weight * autocovariance;
    }
    let length = ((weighted_lags / long_run).powi(2) * n).cbrt();
    if length.is_finite() { length.min((3.0 * n.sqrt()).min(n / 3.0).ceil()).max(1.0) } else { 1.0 }
}

/// Fewest insignificant autocorrelations in a row that end the dependence.
const RUN_LENGTH_MIN: usize = 5;

/// Twice the last lag before the first `run_length` insignificant autocorrelations in a row, between
/// 2 and `lag_max`; `lag_max` when there is no such run.
fn lag_of_dependence(errors: &[f64], run_length: usize, lag_max: usize) -> usize {
    let n = count(errors.len());
    let significant = 2.0 * (n.log10() / n).sqrt();
    let autocorrelation = |k: usize| {
        // The squares leave out one value more than the products, as the authors' own code does.
        let (later, earlier) = (&errors[k + 1..], &errors[..errors.len() - k - 1]);
        let scale = (products_sum(later, later) * products_sum(earlier, earlier)).sqrt();
        (products_sum(&errors[k..], errors) / scale).abs()
    };
    let insignificant: Vec<bool> = (0..lag_max).map(|k| autocorrelation(k) < significant).collect();
    let run = insignificant.windows(run_length).position(|run| run.iter().all(|small| *small));
    run.map_or(lag_max, |begin| (2 * begin.max(1)).min(lag_max))
}

/// The sum of products of `x` and `y` as far as both reach.
fn products_sum(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| a * b).sum()
}

/// The value below which a share `p`, 0..=1, of the ascending `sorted` lies, interpolated linearly;
/// `None` when there are none.
fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let position = p * count(sorted.len().checked_sub(1)?);
    let low = floor(position);
    let high = (low + 1).min(sorted.len() - 1);
    Some(sorted[low] + (position - count(low)) * (sorted[high] - sorted[low]))
}

/// The whole part of a small number that is not negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers between zero and the length of a series"
)]
fn floor(value: f64) -> usize {
    value as usize
}

/// Uniform in 0..1 with 53 bits.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Uniform in `0..length` but for a bias below 2^-50.
#[expect(clippy::cast_possible_truncation, reason = "the high half of the product is below length")]
fn index_below(length: usize, rng: &mut ChaCha8Rng) -> usize {
    ((u128::from(rng.next_u64()) * length as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_the_values() {
        let sorted = [1.0, 2.0, 4.0];
        for (p, expected) in [(0.0, 1.0), (0.25, 1.5), (0.5, 2.0), (0.75, 3.0), (1.0, 4.0)] {
            assert!((quantile(&sorted, p).unwrap() - expected).abs() < 1e-15, "{p}");
        }
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn a_series_without_variance_has_an_interval_of_no_width() {
        let constant = [0.25; 40];
        let bootstrap =
            StationaryBootstrap { mean_block_length: 5.0, resamples_count: 50, seed: 1 };
        let estimate = bootstrap.estimate(&constant, mean, 0.95).unwrap();
        assert!((estimate.high - estimate.low).abs() < 1e-15);
        assert!((optimal_block_length(&constant) - 1.0).abs() < 1e-15);
        assert_eq!(bootstrap.estimate(&constant, |_| f64::NAN, 0.95), None);
        assert_eq!(bootstrap.estimate(&[], mean, 0.95), None);
    }

    #[test]
    fn blocks_keep_neighbours_together() {
        let series: Vec<f64> = (0..100).map(f64::from).collect();
        let bootstrap =
            StationaryBootstrap { mean_block_length: 20.0, resamples_count: 200, seed: 3 };
        let followed = |drawn: &[f64]| {
            let next = |pair: &&[f64]| ((pair[0] + 1.0) % 100.0 - pair[1]).abs() < 0.5;
            count(drawn.windows(2).filter(next).count()) / count(drawn.len() - 1)
        };
        let estimate = bootstrap.estimate(&series, followed, 0.5).unwrap();
        // A block goes on with probability 0.95, and a new one may begin at the next value.
        assert!(estimate.low < 0.951 && 0.951 < estimate.high, "{estimate}");
    }
}
