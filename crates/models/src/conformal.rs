//! Conformal bands: how wide a forecast must be drawn to hold what it promises.
//!
//! [`ConformalBand`] is calibrated once, on the errors of a record, and holds its level while errors
//! stay what they were. [`AdaptiveBand`] follows them when they change.

mod adaptive;

use serde::{Deserialize, Serialize};

pub use adaptive::AdaptiveBand;

/// Half widths of a forecast's band for each step and level, in units of `volatility * sqrt(step)`.
///
/// Split conformal prediction with the finite-sample quantile: of `n` absolute residuals that took
/// no part in fitting, the half width is the `ceil((n + 1) * level)`-th smallest. When residuals
/// are exchangeable, a new one lies inside with probability at least `level` and at most
/// `level + 1 / (n + 1)`.
///
/// Between its levels a band is drawn with the quantiles of whole percents and of 0.001, 0.005, 0.995
/// and 0.999, and with straight lines between these: where large residuals are ever rarer that is a
/// little wider than the quantile itself.
///
/// Source: Lei, G'Sell, Rinaldo, Tibshirani, Wasserman (2018), "Distribution-Free Predictive
/// Inference for Regression", algorithm 2 and theorem 2; residuals scaled as in its section 5.2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConformalBand {
    levels: Vec<f64>,
    /// The levels of `half_widths`, ascending: `levels` and those between.
    grid: Vec<f64>,
    /// `[step - 1][level of the grid]`.
    half_widths: Vec<Vec<f64>>,
    residuals_counts: Vec<usize>,
}

/// Levels nearer than this are the same.
const SAME_LEVEL: f64 = 1e-9;

/// Why a band cannot be calibrated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// A level outside the open interval from 0 to 1.
    #[error("the level {0} is not between 0 and 1")]
    Level(f64),
    /// A step size that is not a positive number.
    #[error("the step size {0} is not above 0")]
    StepSize(f64),
    /// Too few residuals for the level.
    #[error(
        "{residuals_count} residuals of step {step} are too few for the level {level}: \
         {residuals_count_min} are needed"
    )]
    TooFewResiduals {
        /// Sessions ahead.
        step: usize,
        /// The level asked for.
        level: f64,
        /// Residuals given.
        residuals_count: usize,
        /// Residuals needed.
        residuals_count_min: usize,
    },
    /// A residual is NaN or infinite.
    #[error("residual {index} of step {step} is {value}: leave unknown outcomes out")]
    ResidualNotFinite {
        /// Sessions ahead.
        step: usize,
        /// Which residual.
        index: usize,
        /// Its value.
        value: f64,
    },
}

impl ConformalBand {
    /// Calibrates the band on residuals of forecasts for rows that were not fitted on.
    ///
    /// `step_residuals[k - 1]` holds [`normalised_residual`] for the forecasts `k` sessions ahead,
    /// in any order. `levels` are shares such as 0.8.
    ///
    /// # Errors
    ///
    /// [`CalibrationError`] for a level outside (0, 1), a residual that is not finite, and when
    /// `ceil((n + 1) * level)` exceeds the number `n` of residuals.
    pub fn calibrate(
        step_residuals: &[Vec<f64>],
        levels: &[f64],
    ) -> Result<Self, CalibrationError> {
        if let Some(level) = levels.iter().find(|level| !(**level > 0.0 && **level < 1.0)) {
            return Err(CalibrationError::Level(*level));
        }
        let grid = grid(levels);
        let half_widths = step_residuals
            .iter()
            .zip(1..)
            .map(|(residuals, step)| step_half_widths(residuals, levels, &grid, step))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            levels: levels.to_vec(),
            grid,
            half_widths,
            residuals_counts: step_residuals.iter().map(Vec::len).collect(),
        })
    }

    /// The levels it was calibrated for, in the order given.
    pub fn levels(&self) -> &[f64] {
        &self.levels
    }

    /// How many steps ahead it reaches.
    pub fn steps_count(&self) -> usize {
        self.half_widths.len()
    }

    /// How many residuals each step was calibrated on.
    pub fn residuals_counts(&self) -> &[usize] {
        &self.residuals_counts
    }

    /// The ends of the band around `centre`, `step` sessions ahead.
    ///
    /// `volatility` is the standard deviation of daily log-returns known at the time of the
    /// forecast; NaN gives NaN. `level` is one of [`Self::levels`], which the band promises, or any
    /// from 0.001 to 0.999, above `n / (n + 1)` of `n` residuals with the width of the largest.
    /// `None` for other levels, and when the step was not calibrated.
    pub fn interval(
        &self,
        step: usize,
        level: f64,
        centre: f64,
        volatility: f64,
    ) -> Option<(f64, f64)> {
        let half_width = self.half_width(step, level)? * scale(volatility, step);
        Some((centre - half_width, centre + half_width))
    }

    /// The half width in units of `volatility * sqrt(step)`.
    fn half_width(&self, step: usize, level: f64) -> Option<f64> {
        let widths = self.half_widths.get(step.checked_sub(1)?)?;
        let after = self.grid.partition_point(|known| *known < level - SAME_LEVEL);
        let above = *self.grid.get(after)?;
        if above <= level + SAME_LEVEL {
            return Some(widths[after]);
        }
        let before = after.checked_sub(1)?;
        let share = (level - self.grid[before]) / (above - self.grid[before]);
        Some(widths[before] + share * (widths[after] - widths[before]))
    }
}

/// A forecast's error `step` sessions ahead in units of the volatility known when it was made.
pub fn normalised_residual(actual: f64, centre: f64, volatility: f64, step: usize) -> f64 {
    (actual - centre) / scale(volatility, step)
}

/// Standard deviation of the sum of `step` independent daily returns.
#[expect(clippy::cast_precision_loss, reason = "steps are at most 255")]
fn scale(volatility: f64, step: usize) -> f64 {
    volatility * (step as f64).sqrt()
}

/// The `levels` and those between them that a band can be drawn with, ascending.
fn grid(levels: &[f64]) -> Vec<f64> {
    let percents = (1..100).map(|percent| f64::from(percent) / 100.0);
    let mut grid: Vec<f64> =
        percents.chain([0.001, 0.005, 0.995, 0.999]).chain(levels.iter().copied()).collect();
    grid.sort_unstable_by(f64::total_cmp);
    grid.dedup_by(|above, below| *above <= *below + SAME_LEVEL);
    grid
}

/// The half widths at the levels of `grid`, when there are enough residuals for `levels`.
fn step_half_widths(
    residuals: &[f64],
    levels: &[f64],
    grid: &[f64],
    step: usize,
) -> Result<Vec<f64>, CalibrationError> {
    if let Some(index) = residuals.iter().position(|residual| !residual.is_finite()) {
        let value = residuals[index];
        return Err(CalibrationError::ResidualNotFinite { step, index, value });
    }
    let scarce =
        levels.iter().find(|level| quantile_rank(residuals.len(), **level) > residuals.len());
    if let Some(&level) = scarce {
        return Err(CalibrationError::TooFewResiduals {
            step,
            level,
            residuals_count: residuals.len(),
            residuals_count_min: residuals_count_min(level),
        });
    }
    let mut sizes: Vec<f64> = residuals.iter().map(|residual| residual.abs()).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let rank = |level: &f64| quantile_rank(sizes.len(), *level).min(sizes.len());
    Ok(grid.iter().map(|level| sizes[rank(level) - 1]).collect())
}

/// `ceil((n + 1) * level)`, where a product within 1e-9 of a whole number counts as that number:
/// ten times 0.7 is 7, though in binary it is a little more.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are far below 2^53, and the level is positive"
)]
fn quantile_rank(residuals_count: usize, level: f64) -> usize {
    (((residuals_count + 1) as f64 * level - 1e-9).ceil() as usize).max(1)
}

/// The fewest residuals whose rank exists: `n >= level / (1 - level)`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the level is positive, and a float beyond the range becomes its end"
)]
fn residuals_count_min(level: f64) -> usize {
    ((level / (1.0 - level) - 1e-9).ceil() as usize).max(1)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    #[track_caller]
    fn check(residuals_count: usize, level: f64, expected: Result<f64, &str>) {
        let residuals: Vec<f64> = (1..=residuals_count).rev().map(|i| -(i as f64)).collect();
        let actual = ConformalBand::calibrate(&[residuals], &[level])
            .map(|band| band.interval(1, level, 0.0, 1.0).unwrap().1)
            .map_err(|error| error.to_string());
        assert_eq!(actual, expected.map_err(str::to_owned));
    }

    #[test]
    fn the_quantile_is_the_finite_sample_one() {
        check(1, 0.5, Ok(1.0));
        check(3, 0.5, Ok(2.0));
        check(4, 0.5, Ok(3.0));
        check(4, 0.8, Ok(4.0));
        check(9, 0.7, Ok(7.0));
        check(9, 0.8, Ok(8.0));
        check(99, 0.9, Ok(90.0));
        check(100, 0.9, Ok(91.0));
    }

    #[test]
    fn too_few_residuals_for_the_level_are_refused() {
        check(0, 0.5, Err("0 residuals of step 1 are too few for the level 0.5: 1 are needed"));
        check(3, 0.8, Err("3 residuals of step 1 are too few for the level 0.8: 4 are needed"));
        check(
            18,
            0.95,
            Err("18 residuals of step 1 are too few for the level 0.95: 19 are needed"),
        );
        check(19, 0.95, Ok(19.0));
        check(19, 1.0, Err("the level 1 is not between 0 and 1"));
    }

    #[test]
    fn a_residual_that_is_not_finite_is_refused() {
        let error = ConformalBand::calibrate(&[vec![1.0], vec![0.5, f64::NAN]], &[0.5]);
        assert_eq!(
            error.unwrap_err().to_string(),
            "residual 1 of step 2 is NaN: leave unknown outcomes out"
        );
    }

    #[test]
    fn the_band_widens_with_volatility_and_the_root_of_the_step() {
        let residuals = vec![vec![0.5, -1.0, 2.0]; 4];
        let band = ConformalBand::calibrate(&residuals, &[0.5]).unwrap();
        assert_eq!(band.interval(4, 0.5, 0.01, 0.02), Some((0.01 - 0.04, 0.01 + 0.04)));
        assert_eq!(band.interval(5, 0.5, 0.01, 0.02), None);
        assert_eq!(band.interval(0, 0.5, 0.01, 0.02), None);
        let residual = normalised_residual(0.05, 0.01, 0.02, 4);
        assert!((residual - 1.0).abs() < 1e-12);
    }

    #[test]
    fn any_level_between_can_be_drawn_and_more_of_it_is_never_narrower() {
        // The quantile of |residuals| is the level, a thousand times.
        let residuals: Vec<f64> = (1..=1999).map(|i| f64::from(i) / 2.0).collect();
        let band = ConformalBand::calibrate(&[residuals], &[0.5, 0.8, 0.955]).unwrap();
        assert_eq!(band.levels(), [0.5, 0.8, 0.955]);
        let half_width = |level: f64| band.interval(1, level, 0.0, 1.0).unwrap().1;
        for level in [0.001, 0.0042, 0.123, 0.5, 0.7999, 0.8, 0.95, 0.955, 0.9567, 0.9981, 0.999] {
            assert!((half_width(level) - 1000.0 * level).abs() < 1e-9, "{level}");
        }
        let levels: Vec<f64> = (1..1000).map(|i| f64::from(i) / 1000.0).collect();
        assert!(levels.windows(2).all(|pair| half_width(pair[0]) < half_width(pair[1])));
        for level in [0.0, 0.0009, 0.9991, 1.0, f64::NAN] {
            assert_eq!(band.interval(1, level, 0.0, 1.0), None, "{level}");
        }
    }

    #[test]
    fn beyond_what_the_residuals_can_promise_the_largest_is_the_width() {
        let band = ConformalBand::calibrate(&[vec![1.0, -3.0, 2.0]], &[0.5]).unwrap();
        assert_eq!(band.interval(1, 0.75, 0.0, 1.0), Some((-3.0, 3.0)));
        assert_eq!(band.interval(1, 0.999, 0.0, 1.0), Some((-3.0, 3.0)));
    }

    /// Over many calibrations of 39 residuals each, coverage of the next one must be 0.8 exactly:
    /// (n + 1) * level is whole. 20,000 trials have a standard error of 0.0028.
    #[test]
    fn exchangeable_residuals_are_covered_at_the_level() {
        let mut rng = ChaCha8Rng::seed_from_u64(20_261_124);
        let mut draw = || (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
        let trials_count = 20_000;
        let covered = (0..trials_count)
            .filter(|_| {
                let residuals: Vec<f64> = (0..39).map(|_| draw()).collect();
                let band = ConformalBand::calibrate(&[residuals], &[0.8]).unwrap();
                let (low, high) = band.interval(1, 0.8, 0.0, 1.0).unwrap();
                let next = draw();
                low <= next && next <= high
            })
            .count();
        let coverage = covered as f64 / f64::from(trials_count);
        assert!((coverage - 0.8).abs() < 0.012, "coverage {coverage}");
    }
}
