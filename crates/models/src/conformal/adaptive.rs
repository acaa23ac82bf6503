//! A conformal band that follows its errors.

use serde::{Deserialize, Serialize};

use super::{CalibrationError, ConformalBand, SAME_LEVEL, scale};

/// How much wider than calibrated each step and level must be drawn to hold its level now.
///
/// Each day's forecasts are judged when their outcomes are known: the factor of the step and level
/// is multiplied by `exp(step_size * (level - share held))`, so that it grows by a misses and shrinks
/// by hits until the share held is the level. Outcomes known late only come later; a forecast is
/// judged by the band that was drawn for it.
///
/// Whatever the outcomes are, the share of them held in the long run is the level. Suppose that a
/// factor above `exp(b)` would have held all outcomes and one below `exp(-b)` none, and that a day's
/// outcomes are known when the band has been drawn on `h` days, that one included. Then the factor
/// stays between `exp(-b - h * step_size)` and `exp(b + h * step_size)`: once it is past `b` only
/// the `h` days before can push it on. As its logarithm is `step_size` times the sum of the daily
/// shortfalls, the mean share held on `n` days is within `(b + h * step_size) / (n * step_size)` of
/// the level. A band that holds more because a lower level is wider (see [`Self::interval`]) keeps
/// that bound from below.
///
/// It is the width that adapts, and not the level asked of the calibrated band as in Gibbs and Candès
/// (2021), "Adaptive Conformal Inference Under Distribution Shift": a level runs into 1, where the
/// band is infinite, or at any cap loses the promise, while errors that have doubled need a 95 % band
/// that no quantile of the calibration may reach.
///
/// Source: Angelopoulos, Candès, Tibshirani (2023), "Conformal PID Control for Time Series
/// Prediction": quantile tracking, here of the logarithm of `|residual| / half width`; `h` is 1
/// there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveBand {
    /// Ascending.
    levels: Vec<f64>,
    step_size: f64,
    /// `[step - 1][level]`: natural logarithm of the factor.
    log_factors: Vec<Vec<f64>>,
}

impl AdaptiveBand {
    /// A band as it was calibrated, for forecasts of 1 to `steps_count` sessions ahead.
    ///
    /// `step_size` is how far one day may move a width, as a share of it: with 0.1, a day on which
    /// everything lies outside the 95 % band widens it by some 10 %, and four fifths of a doubling
    /// of errors are caught up with in about 40 days of many symbols. Larger is quicker, and wavers
    /// more.
    ///
    /// # Errors
    ///
    /// [`CalibrationError`] for a level outside (0, 1) and a step size that is not above 0.
    pub fn new(
        levels: &[f64],
        steps_count: usize,
        step_size: f64,
    ) -> Result<Self, CalibrationError> {
        if let Some(level) = levels.iter().find(|level| !(**level > 0.0 && **level < 1.0)) {
            return Err(CalibrationError::Level(*level));
        }
        if !(step_size > 0.0 && step_size.is_finite()) {
            return Err(CalibrationError::StepSize(step_size));
        }
        let mut levels = levels.to_vec();
        levels.sort_unstable_by(f64::total_cmp);
        let log_factors = vec![vec![0.0; levels.len()]; steps_count];
        Ok(Self { levels, step_size, log_factors })
    }

    /// The levels it follows, ascending.
    pub fn levels(&self) -> &[f64] {
        &self.levels
    }

    /// By how much the calibrated half width is multiplied, above 0; `None` for a step or level that
    /// it does not follow.
    pub fn factor(&self, step: usize, level: f64) -> Option<f64> {
        let (step_index, level_index) = self.indices(step, level)?;
        Some(self.log_factors[step_index][level_index].exp())
    }

    /// The ends of the calibrated `band` around `centre`, `step` sessions ahead, as wide as it must
    /// be now, and no narrower than that of any lower level.
    ///
    /// Arguments as of [`ConformalBand::interval`]; `None` for a step or level that either does not
    /// know.
    pub fn interval(
        &self,
        band: &ConformalBand,
        step: usize,
        level: f64,
        centre: f64,
        volatility: f64,
    ) -> Option<(f64, f64)> {
        let (step_index, level_index) = self.indices(step, level)?;
        let mut widest = 0.0_f64;
        for (level, log_factor) in
            self.levels.iter().zip(&self.log_factors[step_index]).take(level_index + 1)
        {
            widest = widest.max(band.half_width(step, *level)? * log_factor.exp());
        }
        let half_width = widest * scale(volatility, step);
        Some((centre - half_width, centre + half_width))
    }

    /// Takes in a day: for each of the forecasts `step` sessions ahead that were made on it, whether
    /// the interval drawn for `level` held the outcome. Their order does not matter, and a day
    /// without outcomes changes nothing.
    ///
    /// # Panics
    ///
    /// For a step or level that it does not follow.
    pub fn observe(&mut self, step: usize, level: f64, held: &[bool]) {
        let (step_index, level_index) =
            self.indices(step, level).expect("the band was made for this step and level");
        if !held.is_empty() {
            let shortfall = self.levels[level_index] - share(held);
            self.log_factors[step_index][level_index] += self.step_size * shortfall;
        }
    }

    fn indices(&self, step: usize, level: f64) -> Option<(usize, usize)> {
        let step_index = step.checked_sub(1).filter(|index| *index < self.log_factors.len())?;
        let same = |known: &f64| (known - level).abs() < SAME_LEVEL;
        Some((step_index, self.levels.iter().position(same)?))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn share(held: &[bool]) -> f64 {
    held.iter().filter(|held| **held).count() as f64 / held.len() as f64
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    const LEVELS: [f64; 3] = [0.5, 0.8, 0.95];

    /// Uniform in 0..1.
    fn uniform(rng: &mut ChaCha8Rng) -> f64 {
        (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Mean 0 and standard deviation 1, nearly normal.
    fn normal(rng: &mut ChaCha8Rng) -> f64 {
        (0..12).map(|_| uniform(rng)).sum::<f64>() - 6.0
    }

    /// A band whose half width is 1 at every level.
    fn unit_band(steps_count: usize) -> ConformalBand {
        ConformalBand::calibrate(&vec![vec![1.0; 100]; steps_count], &LEVELS).unwrap()
    }

    /// The mean share held when the residuals of each day become known `delay` days after it.
    fn mean_held(
        adaptive: &mut AdaptiveBand,
        band: &ConformalBand,
        level: f64,
        delay: usize,
        days: &[Vec<f64>],
    ) -> f64 {
        let mut unknown: VecDeque<Vec<bool>> = VecDeque::new();
        let mut sum = 0.0;
        for day in days {
            let (low, high) = adaptive.interval(band, 1, level, 0.0, 1.0).unwrap();
            let held: Vec<bool> = day.iter().map(|r| low <= *r && *r <= high).collect();
            sum += share(&held);
            unknown.push_back(held);
            if unknown.len() == delay {
                adaptive.observe(1, level, &unknown.pop_front().unwrap());
            }
        }
        sum / days.len() as f64
    }

    #[test]
    fn misses_widen_and_hits_narrow_by_the_step() {
        let mut adaptive = AdaptiveBand::new(&[0.8, 0.5], 2, 0.1).unwrap();
        assert_eq!(adaptive.levels(), [0.5, 0.8]);
        adaptive.observe(2, 0.8, &[false, false]);
        adaptive.observe(2, 0.8, &[true, false]);
        adaptive.observe(2, 0.5, &[true]);
        adaptive.observe(1, 0.5, &[]);
        let log_factor = |step, level| adaptive.factor(step, level).unwrap().ln();
        assert!((log_factor(2, 0.8) - (0.08 + 0.03)).abs() < 1e-12);
        assert!((log_factor(2, 0.5) + 0.05).abs() < 1e-12);
        assert!(log_factor(1, 0.5).abs() < 1e-12 && log_factor(1, 0.8).abs() < 1e-12);
        assert_eq!((adaptive.factor(3, 0.5), adaptive.factor(1, 0.6)), (None, None));
        let (low, high) = adaptive.interval(&unit_band(2), 2, 0.8, 1.0, 0.5).unwrap();
        let half_width = 0.11_f64.exp() * 0.5 * 2.0_f64.sqrt();
        assert!((high - 1.0 - half_width).abs() < 1e-12 && (1.0 - low - half_width).abs() < 1e-12);
        let json = serde_json::to_string(&adaptive).unwrap();
        assert_eq!(serde_json::from_str::<AdaptiveBand>(&json).unwrap(), adaptive);
    }

    #[test]
    fn a_higher_level_is_never_drawn_narrower() {
        let mut adaptive = AdaptiveBand::new(&LEVELS, 1, 0.5).unwrap();
        adaptive.observe(1, 0.5, &[false]);
        adaptive.observe(1, 0.95, &[true]);
        let half_width = |level| adaptive.interval(&unit_band(1), 1, level, 0.0, 1.0).unwrap().1;
        assert!(adaptive.factor(1, 0.95) < adaptive.factor(1, 0.8));
        assert!(LEVELS.iter().all(|level| (half_width(*level) - 0.25_f64.exp()).abs() < 1e-12));
    }

    /// Errors double after 200 of 1000 days, 40 symbols a day, outcomes known five sessions later.
    #[test]
    fn under_a_shift_of_volatility_the_level_is_held_and_by_the_fixed_band_it_is_not() {
        let mut rng = ChaCha8Rng::seed_from_u64(20_261_128);
        let calibration: Vec<f64> = (0..4000).map(|_| normal(&mut rng)).collect();
        let band = ConformalBand::calibrate(&[calibration], &LEVELS).unwrap();
        let days: Vec<Vec<f64>> = (0..1000)
            .map(|day| if day < 200 { 1.0 } else { 2.0 })
            .map(|sigma| (0..40).map(|_| sigma * normal(&mut rng)).collect())
            .collect();
        for level in LEVELS {
            let mut adaptive = AdaptiveBand::new(&LEVELS, 1, 0.1).unwrap();
            let held = mean_held(&mut adaptive, &band, level, 5, &days);
            assert!((held - level).abs() < 0.02, "{held} at {level}");
            // The last quarter, when it has caught up.
            let held = mean_held(&mut adaptive, &band, level, 5, &days[750..]);
            assert!((held - level).abs() < 0.01, "{held} at {level} after the shift");
            let (low, high) = band.interval(1, level, 0.0, 1.0).unwrap();
            let fixed: Vec<bool> = days.iter().flatten().map(|r| low <= *r && *r <= high).collect();
            assert!((share(&fixed) - level).abs() > 0.15, "{} at {level}", share(&fixed));
        }
    }

    /// Residuals between `exp(-b)` and `exp(b)` of every kind: constant, drifting, jumping, drawn
    /// against the band.
    #[test]
    fn the_share_held_in_the_long_run_is_within_its_bound_for_any_outcomes() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let band = unit_band(1);
        for case in 0..400 {
            let b = 0.2 + 2.0 * uniform(&mut rng);
            let step_size = 0.02 + 0.5 * uniform(&mut rng);
            let level = LEVELS[case % 3];
            let delay = 1 + case % 20;
            let days_count = 20 + case * 3;
            let (slope, period) = (uniform(&mut rng), 1.0 + 60.0 * uniform(&mut rng));
            let size = |day: usize, u: f64| match case % 4 {
                0 => b,
                1 => b * (2.0 * slope * day as f64 / days_count as f64 - 1.0),
                2 => b * (day as f64 / period).sin().signum(),
                _ => b * (2.0 * u - 1.0),
            };
            let days: Vec<Vec<f64>> = (0..days_count)
                .map(|day| (0..1 + case % 5).map(|_| size(day, uniform(&mut rng)).exp()).collect())
                .collect();
            let mut adaptive = AdaptiveBand::new(&[level], 1, step_size).unwrap();
            let held = mean_held(&mut adaptive, &band, level, delay, &days);
            let bound = (b + delay as f64 * step_size) / (days_count as f64 * step_size);
            assert!((held - level).abs() <= bound, "case {case}: {held} of {level} +- {bound}");
        }
    }

    #[test]
    fn the_order_within_a_day_does_not_matter() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut held: Vec<bool> = (0..97).map(|_| uniform(&mut rng) < 0.7).collect();
        let observed = |held: &[bool]| {
            let mut adaptive = AdaptiveBand::new(&LEVELS, 1, 0.1).unwrap();
            adaptive.observe(1, 0.8, held);
            adaptive
        };
        let expected = observed(&held);
        held.sort_unstable();
        assert_eq!(observed(&held), expected);
        held.reverse();
        assert_eq!(observed(&held), expected);
    }

    #[test]
    fn levels_and_step_sizes_without_meaning_are_refused() {
        let error = |levels: &[f64], step_size| {
            AdaptiveBand::new(levels, 1, step_size).unwrap_err().to_string()
        };
        assert_eq!(error(&[0.5, 1.0], 0.1), "the level 1 is not between 0 and 1");
        assert_eq!(error(&[0.5], 0.0), "the step size 0 is not above 0");
        assert_eq!(error(&[0.5], f64::NAN), "the step size NaN is not above 0");
    }
}
