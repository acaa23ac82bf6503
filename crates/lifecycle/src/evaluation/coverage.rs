//! Whether the bands around forecasts held what they promised, fold after fold.

use bist_models::Horizon;
use bist_models::conformal::{ConformalBand, normalised_residual};
use bist_trading::Estimate;
use serde::{Deserialize, Serialize};

use super::{BAND_LEVELS, FoldLayout, LEVEL, OutOfFold};
use crate::rank_ic::{DependentMean, count, lag_days, mean};

/// How often a band held the outcome, one level and step.
///
/// The band of each fold is calibrated on the forecasts of earlier folds, and of the block before the
/// first, whose outcomes were known before its test block began; where there are too few of them, the
/// fold is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Sessions ahead.
    pub step: u32,
    /// What the band promises.
    pub level: f64,
    /// The share of outcomes inside: mean over days, with the 95 % interval by Newey and West;
    /// absent when there are too few days.
    pub covered: Option<Estimate>,
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

/// Coverage by step, and within it by level.
pub(super) fn evaluate(
    warm_up: &[OutOfFold],
    records: &[OutOfFold],
    layouts: &[FoldLayout],
    horizon: Horizon,
) -> Vec<Coverage> {
    let bands: Vec<Option<ConformalBand>> = layouts
        .iter()
        .map(|layout| {
            let all = warm_up.iter().chain(records);
            let earlier = all.filter(|record| record.known_on < layout.test_from);
            ConformalBand::calibrate(&step_residuals(earlier, horizon), &BAND_LEVELS).ok()
        })
        .collect();
    let steps = 1..=usize::from(horizon.sessions());
    steps
        .flat_map(|step| BAND_LEVELS.map(|level| (step, level)))
        .map(|(step, level)| of_step(records, &bands, step, level, horizon))
        .collect()
}

fn of_step(
    records: &[OutOfFold],
    bands: &[Option<ConformalBand>],
    step: usize,
    level: f64,
    horizon: Horizon,
) -> Coverage {
    let (mut daily, mut widths) = (Vec::new(), Vec::new());
    for day in records.chunk_by(|a, b| a.day == b.day) {
        let mut covered = Vec::new();
        for record in day {
            let actual = record.step_returns[step - 1];
            let centre = centre(record.predicted.model, step, horizon);
            let band = bands.get(record.fold).and_then(Option::as_ref);
            let interval = band.and_then(|b| b.interval(step, level, centre, record.volatility));
            if let (Some((low, high)), true) = (interval, actual.is_finite()) {
                covered.push(if low <= actual && actual <= high { 1.0 } else { 0.0 });
                widths.push(high - low);
            }
        }
        if !covered.is_empty() {
            daily.push(mean(&covered));
        }
    }
    Coverage {
        step: u32::try_from(step).unwrap_or(u32::MAX),
        level,
        covered: DependentMean::newey_west(&daily, lag_days(horizon.sessions()))
            .and_then(|mean| mean.estimate(LEVEL)),
        rows_count: widths.len() as u64,
        mean_width_share: mean(&widths),
    }
}
