//! What was said besides the return, beside saying the same of every row.

use std::num::NonZeroUsize;

use bist_models::{BarrierOutcome, CalibrationMethod, MethodLogLoss, ProbabilityScores};
use bist_trading::Estimate;
use serde::{Deserialize, Serialize};

use super::{LEVEL, OutOfFold};
use crate::direction::CalibratedDirection;
use crate::outlook::{BarrierShares, Outlook};
use crate::rank_ic::{DependentMean, mean};

/// Points of the reliability diagram.
const BINS_COUNT: NonZeroUsize = NonZeroUsize::new(10).unwrap();

/// What was said of a row besides the return, and what came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutlookRecord {
    /// What was said.
    pub said: Outlook,
    /// What was so on average among the rows learned from.
    pub average: Outlook,
    /// Whether the price was higher at the end of the horizon; absent when it had not moved.
    pub rose: Option<bool>,
    /// Daily volatility of the sessions of the horizon; NaN when unknown.
    pub realised_volatility: f64,
    /// The barrier that was touched first; absent when unknown.
    pub barrier: Option<BarrierOutcome>,
}

/// What was said besides the return; absent where there was nothing to learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutlookEvaluation {
    /// Of the direction; absent when no price moved.
    pub direction: Option<DirectionEvaluation>,
    /// Of the volatility.
    pub volatility: Option<VolatilityEvaluation>,
    /// Of the barriers.
    pub barriers: Option<BarrierEvaluation>,
}

/// Calibrated probabilities of a rise, those of each fold by a calibration that knew the blocks
/// before it only, beside the share of rises among the rows learned from. Rows without a move do not
/// count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DirectionEvaluation {
    /// How good the calibrated probabilities were, with the points of the reliability diagram.
    pub calibrated: ProbabilityScores,
    /// How good the probabilities were before calibration.
    pub uncalibrated: ProbabilityScores,
    /// The score of Brier of saying the share of rises among the rows learned from.
    pub average_brier: f64,
    /// By how much the score of the calibrated probabilities is below that: mean over days, with its
    /// 95 % interval by Newey and West; absent when there are too few days.
    pub brier_gain: Option<Estimate>,
    /// The method of the calibration in force.
    pub method: CalibrationMethod,
    /// What each method lost on blocks it had not learned from; the least decided.
    pub log_losses: Vec<MethodLogLoss>,
}

/// Forecasts of the volatility over the horizon beside persistence: that of the last 20 sessions
/// times its mean ratio to what followed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VolatilityEvaluation {
    /// Forecasts judged.
    pub rows_count: u64,
    /// Root mean squared error of the logarithm of the volatility.
    pub log_rmse: f64,
    /// The same of persistence.
    pub persistence_log_rmse: f64,
    /// Mean of `r - ln r - 1`, where `r` is the realised over the forecast variance: the loss QLIKE
    /// of Patton (2011), "Volatility forecast comparison using imperfect volatility proxies".
    pub qlike: f64,
    /// The same of persistence.
    pub persistence_qlike: f64,
    /// By how much QLIKE is below that of persistence: mean over days, with its 95 % interval by
    /// Newey and West; absent when there are too few days.
    pub qlike_gain: Option<Estimate>,
}

/// Probabilities of the barriers beside the shares among the rows learned from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BarrierEvaluation {
    /// Forecasts judged.
    pub rows_count: u64,
    /// How often each outcome came.
    pub observed: BarrierShares,
    /// Mean over rows of the squared distance between probabilities and outcome, 0..=2: the score of
    /// Brier (1950), "Verification of forecasts expressed in terms of probability".
    pub brier: f64,
    /// The same of the shares among the rows learned from.
    pub average_brier: f64,
    /// By how much the score is below that: mean over days, with its 95 % interval by Newey and
    /// West; absent when there are too few days.
    pub brier_gain: Option<Estimate>,
}

/// Judges `records`, sorted by day; `lag` is that of the standard errors.
pub(super) fn evaluate(
    records: &[OutOfFold],
    direction: Option<&CalibratedDirection>,
    lag: usize,
) -> OutlookEvaluation {
    let direction = direction.and_then(|calibrated| self::direction(records, calibrated, lag));
    OutlookEvaluation {
        direction,
        volatility: volatility(records, lag),
        barriers: barriers(records, lag),
    }
}

/// One number of each of `records` that has it, by day.
pub(super) fn by_day<T>(
    records: &[OutOfFold],
    mut value: impl FnMut(&OutOfFold) -> Option<T>,
) -> Vec<Vec<T>> {
    records
        .chunk_by(|a, b| a.day == b.day)
        .map(|day| day.iter().filter_map(&mut value).collect::<Vec<T>>())
        .filter(|day| !day.is_empty())
        .collect()
}

/// The mean over days of the daily means of `gain`.
pub(super) fn daily_gain<T>(
    days: &[Vec<T>],
    gain: impl Fn(&T) -> f64,
    lag: usize,
) -> Option<Estimate> {
    let daily: Vec<f64> =
        days.iter().map(|day| mean(&day.iter().map(&gain).collect::<Vec<_>>())).collect();
    DependentMean::newey_west(&daily, lag)?.estimate(LEVEL)
}

fn direction(
    records: &[OutOfFold],
    calibrated: &CalibratedDirection,
    lag: usize,
) -> Option<DirectionEvaluation> {
    let mut probabilities = calibrated.out_of_fold.iter();
    let days = by_day(records, |record| {
        let calibrated = *probabilities.next()?;
        let OutlookRecord { said, average, rose, .. } = record.outlook;
        let (uncalibrated, average) = (said.up_share, average.up_share);
        Some(DirectionRow { calibrated, uncalibrated, average, rose: rose? })
    });
    let rows: Vec<&DirectionRow> = days.iter().flatten().collect();
    let outcomes: Vec<bool> = rows.iter().map(|row| row.rose).collect();
    let scores = |said: fn(&DirectionRow) -> f64| {
        let said: Vec<f64> = rows.iter().map(|row| said(row)).collect();
        ProbabilityScores::of(&said, &outcomes, BINS_COUNT).ok()
    };
    Some(DirectionEvaluation {
        calibrated: scores(|row| row.calibrated)?,
        uncalibrated: scores(|row| row.uncalibrated)?,
        average_brier: scores(|row| row.average)?.brier,
        brier_gain: daily_gain(&days, DirectionRow::gain, lag),
        method: calibrated.in_force.calibration.method(),
        log_losses: calibrated.in_force.log_losses.clone(),
    })
}

/// What was said of the direction of one row that moved.
struct DirectionRow {
    calibrated: f64,
    uncalibrated: f64,
    average: f64,
    rose: bool,
}

impl DirectionRow {
    /// By how much the squared error of the calibrated probability is below that of the average.
    fn gain(&self) -> f64 {
        let square = |said: f64| (said - f64::from(self.rose)).powi(2);
        square(self.average) - square(self.calibrated)
    }
}

fn volatility(records: &[OutOfFold], lag: usize) -> Option<VolatilityEvaluation> {
    let days = by_day(records, |record| {
        let OutlookRecord { said, average, realised_volatility, .. } = record.outlook;
        let (said, persistence) = (said.volatility?, average.volatility?);
        (realised_volatility > 0.0).then(|| {
            let log_error = |forecast: f64| (realised_volatility / forecast).ln();
            (log_error(said), log_error(persistence))
        })
    });
    let rows: Vec<(f64, f64)> = days.iter().flatten().copied().collect();
    let over = |loss: &dyn Fn((f64, f64)) -> f64| {
        mean(&rows.iter().map(|&row| loss(row)).collect::<Vec<_>>())
    };
    // With `e` the logarithm of realised over forecast volatility, the ratio of variances is exp 2e.
    let qlike = |log_error: f64| (2.0 * log_error).exp() - 2.0 * log_error - 1.0;
    (!rows.is_empty()).then(|| VolatilityEvaluation {
        rows_count: rows.len() as u64,
        log_rmse: over(&|(said, _)| said * said).sqrt(),
        persistence_log_rmse: over(&|(_, persistence)| persistence * persistence).sqrt(),
        qlike: over(&|(said, _)| qlike(said)),
        persistence_qlike: over(&|(_, persistence)| qlike(persistence)),
        qlike_gain: daily_gain(&days, |(said, other)| qlike(*other) - qlike(*said), lag),
    })
}

fn barriers(records: &[OutOfFold], lag: usize) -> Option<BarrierEvaluation> {
    let days = by_day(records, |record| {
        let OutlookRecord { said, average, barrier, .. } = record.outlook;
        Some((said.barriers?, average.barriers?, barrier?))
    });
    let rows: Vec<_> = days.iter().flatten().copied().collect();
    let observed = |wanted| {
        mean(&rows.iter().map(|(.., came)| f64::from(*came == wanted)).collect::<Vec<_>>())
    };
    let score =
        |said: &dyn Fn(&(BarrierShares, BarrierShares, BarrierOutcome)) -> BarrierShares| {
            mean(&rows.iter().map(|row| brier(said(row), row.2)).collect::<Vec<_>>())
        };
    (!rows.is_empty()).then(|| BarrierEvaluation {
        rows_count: rows.len() as u64,
        observed: BarrierShares {
            upper: observed(BarrierOutcome::Upper),
            lower: observed(BarrierOutcome::Lower),
            vertical: observed(BarrierOutcome::Vertical),
        },
        brier: score(&|row| row.0),
        average_brier: score(&|row| row.1),
        brier_gain: daily_gain(
            &days,
            |(said, average, came)| brier(*average, *came) - brier(*said, *came),
            lag,
        ),
    })
}

/// The squared distance between the probabilities and what came.
fn brier(said: BarrierShares, came: BarrierOutcome) -> f64 {
    [BarrierOutcome::Upper, BarrierOutcome::Lower, BarrierOutcome::Vertical]
        .map(|outcome| (said.share(outcome) - f64::from(outcome == came)).powi(2))
        .iter()
        .sum()
}
