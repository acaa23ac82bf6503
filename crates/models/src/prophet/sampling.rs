//! How far a forecast may be off: changes of the trend that are still to come, and noise.

use jiff::civil::Date;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::normal_quantile::normal_quantile;
use super::series::{FittedProphetSeries, ProphetForecast};

/// How the bands of a forecast are sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandSampling {
    /// The share of outcomes that a band is to hold, between 0 and 1; Python prophet's default is
    /// 0.8.
    pub level: f64,
    /// How many futures of the trend are drawn, 2 or more; Python prophet's default is 1000.
    pub samples_count: u32,
    /// Decides what is drawn.
    pub seed: u64,
}

/// The bands of a forecast, one value a day in units of the series.
#[derive(Clone, Debug, PartialEq)]
pub struct ProphetBands {
    /// The days.
    pub days: Vec<Date>,
    /// Lower end for the trend.
    pub trend_lower: Vec<f64>,
    /// Upper end for the trend.
    pub trend_upper: Vec<f64>,
    /// Lower end for the series.
    pub yhat_lower: Vec<f64>,
    /// Upper end for the series.
    pub yhat_upper: Vec<f64>,
}

impl FittedProphetSeries {
    /// Bands around a forecast of this model.
    ///
    /// After the last fitted row the slope goes on changing as often as there were changepoints,
    /// by amounts from a Laplace distribution with the mean size of the fitted changes. Up to that
    /// row the trend is taken for known, so that its band has no width and that of the series is
    /// the normal distribution of the noise, without sampling. The uncertainty of the coefficients
    /// is left out, as in Python prophet without MCMC.
    ///
    /// Source: Taylor and Letham (2018), "Forecasting at Scale", section 3.1.4.
    ///
    /// # Panics
    ///
    /// When the level is not between 0 and 1, or fewer than two samples are asked for.
    pub fn bands(&self, forecast: &ProphetForecast, sampling: BandSampling) -> ProphetBands {
        let BandSampling { level, samples_count, seed } = sampling;
        assert!(level > 0.0 && level < 1.0, "the level {level} is not between 0 and 1");
        assert!(samples_count >= 2, "{samples_count} samples have no quantiles");
        let (lower, upper) = ((1.0 - level) / 2.0, (1.0 + level) / 2.0);
        let noise = self.noise_std_dev();
        let reach = noise * normal_quantile(upper);
        let mut bands = ProphetBands {
            days: forecast.days.clone(),
            trend_lower: forecast.trend.clone(),
            trend_upper: forecast.trend.clone(),
            yhat_lower: forecast.yhat.iter().map(|value| value - reach).collect(),
            yhat_upper: forecast.yhat.iter().map(|value| value + reach).collect(),
        };

        let mut future: Vec<(f64, usize)> = (forecast.days.iter().enumerate())
            .map(|(row, day)| (self.time(*day), row))
            .filter(|(t, _)| *t > 1.0)
            .collect();
        future.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut trends = vec![Vec::new(); future.len()];
        let mut values = vec![Vec::new(); future.len()];
        for _ in 0..samples_count {
            let mut path = TrendPath::new(self, &mut rng);
            for (i, (t, row)) in future.iter().enumerate() {
                let bend = path.bend_at(*t, &mut rng);
                let trend = self.trend_value(*t, bend);
                trends[i].push(trend);
                let known = forecast.trend[*row];
                let centre = forecast.yhat[*row] + (trend - known) * forecast.trend_factors[*row];
                values[i].push(centre + noise * normal_quantile(open_uniform(&mut rng)));
            }
        }
        for (i, (_, row)) in future.iter().enumerate() {
            (bands.trend_lower[*row], bands.trend_upper[*row]) =
                (quantile(&mut trends[i], lower), quantile(&mut trends[i], upper));
            (bands.yhat_lower[*row], bands.yhat_upper[*row]) =
                (quantile(&mut values[i], lower), quantile(&mut values[i], upper));
        }
        bands
    }
}

/// One future of the trend: slope changes at the times of a Poisson process.
#[derive(Debug)]
struct TrendPath {
    changes_per_time: f64,
    change_scale: f64,
    next_change_at: f64,
    slope: f64,
    offset: f64,
}

impl TrendPath {
    fn new(fitted: &FittedProphetSeries, rng: &mut ChaCha8Rng) -> Self {
        let (changes_per_time, change_scale) = fitted.trend_changes();
        let next_change_at = 1.0 + exponential(rng) / changes_per_time;
        Self { changes_per_time, change_scale, next_change_at, slope: 0.0, offset: 0.0 }
    }

    /// What the changes up to `t` add to the piecewise linear function there; `t` ascends.
    fn bend_at(&mut self, t: f64, rng: &mut ChaCha8Rng) -> f64 {
        while self.next_change_at < t {
            let size = self.change_scale * exponential(rng);
            let change = if rng.next_u64() >> 63 == 0 { size } else { -size };
            self.slope += change;
            self.offset -= change * self.next_change_at;
            self.next_change_at += exponential(rng) / self.changes_per_time;
        }
        self.slope * t + self.offset
    }
}

/// A number from the exponential distribution with mean 1.
fn exponential(rng: &mut ChaCha8Rng) -> f64 {
    -open_uniform(rng).ln()
}

/// A uniform number above 0 and below 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
fn open_uniform(rng: &mut ChaCha8Rng) -> f64 {
    ((rng.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

/// The quantile between the two nearest of `values`, as numpy's percentile.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the position lies among the values"
)]
fn quantile(values: &mut [f64], share: f64) -> f64 {
    let position = share * (values.len() - 1) as f64;
    let below = position.floor() as usize;
    let (_, lower, rest) = values.select_nth_unstable_by(below, f64::total_cmp);
    let upper = rest.iter().copied().fold(f64::INFINITY, f64::min);
    let part = position - position.floor();
    if part > 0.0 { *lower + part * (upper - *lower) } else { *lower }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_the_nearest_values() {
        let mut values = vec![4.0, 1.0, 3.0, 2.0];
        for (share, expected) in [(0.5, 2.5), (0.0, 1.0), (1.0, 4.0), (0.1, 1.3)] {
            assert!((quantile(&mut values, share) - expected).abs() < 1e-12, "{share}");
        }
    }
}
