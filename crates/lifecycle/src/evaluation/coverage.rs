//! Whether the bands around forecasts held what they promised, fold after fold.

use bist_models::conformal::normalised_residual;
use bist_models::{AdaptiveBand, CalibrationError, ConformalBand, Horizon};
use bist_trading::Estimate;
use serde::{Deserialize, Serialize};

use super::{BAND_LEVELS, FoldLayout, LEVEL, OutOfFold};
use crate::rank_ic::{DependentMean, count, lag_days, mean};

/// How far one day may move the width of a band, see [`AdaptiveBand::new`]: half of what is proposed
/// there, because the symbols of a day share its move. Not chosen by looking at records.
const STEP_SIZE: f64 = 0.05;

/// How often a band held the outcome, one level and step.
///
/// The band of each fold is calibrated on the forecasts of earlier folds, and of the block before the
/// first, whose outcomes were known before its test block began; where there are too few of them, the
/// fold is not counted. From then on it is adapted each day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Sessions ahead.
    pub step: u32,
    /// What the band promises.
    pub level: f64,
    /// The share of outcomes inside: mean over days, with the 95 % interval by Newey and West;
    /// absent when there are too few days.
    pub covered: Option<Estimate>,
    /// The same of the band as it was calibrated, not adapted since.
    pub covered_unadapted: Option<Estimate>,
    /// Outcomes judged.
    pub rows_count: u64,
    /// Mean width of the band, log-return.
    pub mean_width_share: f64,
}

/// The centre of the forecast `step` sessions ahead: the forecast over the horizon, in proportion.
pub(crate) fn centre(predicted: f64, step: usize, horizon: Horizon) -> f64 {
    predicted * count(step) / f64::from(horizon.sessions())
}

/// The normalised residuals of `records` for each step, unknown outcomes left out.
pub(crate) fn step_residuals<'a>(
    records: impl Iterator<Item = &'a OutOfFold>,
    horizon: Horizon,
) -> Vec<Vec<f64>> {
    let mut residuals = vec![Vec::new(); usize::from(horizon.sessions())];
    for record in records {
        for (step, (actual, residuals)) in (1..).zip(record.step_returns.iter().zip(&mut residuals))
        {
            let centre = centre(record.predicted.model, step, horizon);
            let residual = normalised_residual(*actual, centre, record.volatility, step);
            if residual.is_finite() {
                residuals.push(residual);
            }
        }
    }
    residuals
}

/// What the bands said of each record in the order of time, and the state they have come to.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowedBands {
    /// By how much a band must be widened now.
    pub(crate) adaptive: AdaptiveBand,
    /// By step, and within it by level.
    tallies: Vec<Tally>,
}

/// What the bands of one step and level held.
#[derive(Clone, Debug, PartialEq)]
struct Tally {
    step: usize,
    level: f64,
    /// The share held on each day that was judged.
    held: Vec<f64>,
    /// The same of the band as it was calibrated.
    held_unadapted: Vec<f64>,
    widths: Vec<f64>,
}

/// Draws the bands of `records` as they would have been drawn at the time.
///
/// They are calibrated for each fold on what was known when its block began, the `warm_up` before
/// the first included, and adapted each day to how the forecasts of earlier days had fared by then.
///
/// # Errors
///
/// [`CalibrationError`] when there are too few records to draw any band.
pub fn follow_bands(
    warm_up: &[OutOfFold],
    records: &[OutOfFold],
    layouts: &[FoldLayout],
    horizon: Horizon,
) -> Result<FollowedBands, CalibrationError> {
    let bands: Vec<Option<ConformalBand>> = layouts
        .iter()
        .map(|layout| {
            let all = warm_up.iter().chain(records);
            let earlier = all.filter(|record| record.known_on < layout.test_from);
            ConformalBand::calibrate(&step_residuals(earlier, horizon), &BAND_LEVELS).ok()
        })
        .collect();
    let steps_count = usize::from(horizon.sessions());
    let mut adaptive = AdaptiveBand::new(&BAND_LEVELS, steps_count, STEP_SIZE)?;
    let days: Vec<&[OutOfFold]> = records.chunk_by(|a, b| a.day == b.day).collect();
    let mut tallies = Vec::with_capacity(steps_count * BAND_LEVELS.len());
    for step in 1..=steps_count {
        for level in BAND_LEVELS {
            let mut tally = Tally::new(step, level);
            let mut drawn: Vec<Vec<bool>> = Vec::with_capacity(days.len());
            for (t, day) in days.iter().enumerate() {
                // The outcomes of the day `step` days ago are known since the close of this one.
                if let Some(ago) = t.checked_sub(step) {
                    adaptive.observe(step, level, &drawn[ago]);
                }
                let band = bands.get(day[0].fold).and_then(Option::as_ref);
                drawn.push(
                    band.map_or_else(Vec::new, |band| tally.take(day, band, &adaptive, horizon)),
                );
            }
            let unseen = days.len().saturating_sub(step);
            drawn[unseen..].iter().for_each(|held| adaptive.observe(step, level, held));
            tallies.push(tally);
        }
    }
    Ok(FollowedBands { adaptive, tallies })
}

impl Tally {
    fn new(step: usize, level: f64) -> Self {
        Self { step, level, held: Vec::new(), held_unadapted: Vec::new(), widths: Vec::new() }
    }

    /// Draws the bands of one day's records; tells which held, outcomes unknown left out.
    fn take(
        &mut self,
        day: &[OutOfFold],
        band: &ConformalBand,
        adaptive: &AdaptiveBand,
        horizon: Horizon,
    ) -> Vec<bool> {
        let Self { step, level, .. } = *self;
        let (mut held, mut held_unadapted) = (Vec::new(), Vec::new());
        for record in day {
            let actual = record.step_returns[step - 1];
            let centre = centre(record.predicted.model, step, horizon);
            let adapted = adaptive.interval(band, step, level, centre, record.volatility);
            let unadapted = band.interval(step, level, centre, record.volatility);
            if let (Some((low, high)), Some(unadapted), true) =
                (adapted, unadapted, actual.is_finite())
            {
                held.push(low <= actual && actual <= high);
                held_unadapted.push(unadapted.0 <= actual && actual <= unadapted.1);
                self.widths.push(high - low);
            }
        }
        if !held.is_empty() {
            self.held.push(share(&held));
            self.held_unadapted.push(share(&held_unadapted));
        }
        held
    }
}

/// Coverage by step, and within it by level.
pub(super) fn evaluate(bands: &FollowedBands, horizon: Horizon) -> Vec<Coverage> {
    let estimate = |daily: &[f64]| {
        DependentMean::newey_west(daily, lag_days(horizon.sessions()))
            .and_then(|mean| mean.estimate(LEVEL))
    };
    let of_tally = |tally: &Tally| Coverage {
        step: u32::try_from(tally.step).unwrap_or(u32::MAX),
        level: tally.level,
        covered: estimate(&tally.held),
        covered_unadapted: estimate(&tally.held_unadapted),
        rows_count: tally.widths.len() as u64,
        mean_width_share: mean(&tally.widths),
    };
    bands.tallies.iter().map(of_tally).collect()
}

fn share(held: &[bool]) -> f64 {
    count(held.iter().filter(|held| **held).count()) / count(held.len())
}
