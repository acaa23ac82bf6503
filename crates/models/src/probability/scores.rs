//! How good probabilities were.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::{ProbabilityError, check_counts, check_probabilities, count};

/// How good probability forecasts were, by what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbabilityScores {
    /// Forecasts judged.
    pub rows_count: usize,
    /// Share of true outcomes.
    pub base_rate: f64,
    /// Mean forecast: above the base rate when chances were overrated on the whole.
    pub mean_forecast: f64,
    /// Mean squared distance of the forecast from the outcome, 1 for true and 0 for false; 0 is
    /// best.
    ///
    /// Source: Brier (1950), "Verification of Forecasts Expressed in Terms of Probability", halved
    /// as is usual for two outcomes.
    pub brier: f64,
    /// Share by which `brier` is below that of always forecasting the base rate: 1 is best, 0 as
    /// good as that, negative worse. Absent when all outcomes are the same, as the base rate is then
    /// perfect.
    pub brier_skill: Option<f64>,
    /// Mean of `-ln` of the probability given to what happened, nats; 0 is best. A forecast of 0 or
    /// 1 counts as 2.2e-16 off, as in scikit-learn, so that one surprise stays finite.
    pub log_loss: f64,
    /// Expected calibration error over `bins`: the mean distance between mean forecast and share of
    /// true outcomes, weighted by the bins' counts; 0 is best. Grows with the number of bins, and
    /// is above zero by chance alone: of a bin of `n` forecasts at `p` by
    /// `sqrt(2 p (1 - p) / (pi n))` or so.
    ///
    /// Source: Naeini, Cooper, Hauskrecht (2015), "Obtaining Well Calibrated Probabilities Using
    /// Bayesian Binning", section "Calibration measures".
    pub ece: f64,
    /// Forecasts against outcomes, the lowest forecasts first.
    pub bins: Vec<ReliabilityBin>,
}

/// A point of the reliability diagram: forecasts that are near each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReliabilityBin {
    /// The lowest forecast in the bin.
    pub low: f64,
    /// The highest forecast in the bin.
    pub high: f64,
    /// Forecasts in the bin.
    pub count: usize,
    /// Their mean.
    pub mean_forecast: f64,
    /// Share of true outcomes among them.
    pub observed_share: f64,
}

impl ProbabilityScores {
    /// Judges `forecasts`, probabilities in 0..=1 that the outcome is true, row by row in any order.
    ///
    /// The bins hold equally many forecasts as far as forecasts differ: equal ones share a bin, so
    /// that there may be fewer bins than `bins_count`.
    ///
    /// # Errors
    ///
    /// [`ProbabilityError`] when there are no rows, not as many outcomes as forecasts, or a forecast
    /// outside 0..=1.
    pub fn of(
        forecasts: &[f64],
        outcomes: &[bool],
        bins_count: NonZeroUsize,
    ) -> Result<Self, ProbabilityError> {
        check_counts(forecasts, outcomes)?;
        check_probabilities(forecasts)?;
        let mut rows: Vec<(f64, bool)> =
            forecasts.iter().copied().zip(outcomes.iter().copied()).collect();
        // Sums in one order give the same bits for any order of the rows.
        rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));

        let bins = reliability_bins(&rows, bins_count.get());
        let n = count(rows.len());
        let of_bins = |value: fn(&ReliabilityBin) -> f64| {
            bins.iter().map(|bin| count(bin.count) / n * value(bin)).sum()
        };
        let brier = mean(&rows, |(p, outcome)| (p - indicator(outcome)).powi(2));
        let base_rate = mean(&rows, |(_, outcome)| indicator(outcome));
        let of_base_rate = base_rate * (1.0 - base_rate);
        Ok(Self {
            rows_count: rows.len(),
            base_rate,
            mean_forecast: mean(&rows, |(p, _)| p),
            brier,
            brier_skill: (of_base_rate > 0.0).then(|| 1.0 - brier / of_base_rate),
            log_loss: mean(&rows, |(p, outcome)| log_loss(p, outcome)),
            ece: of_bins(|bin| (bin.mean_forecast - bin.observed_share).abs()),
            bins,
        })
    }
}

/// `-ln` of the probability `p` of true, or of its complement, whichever happened.
pub(super) fn log_loss(p: f64, outcome: bool) -> f64 {
    let p = p.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
    if outcome { -p.ln() } else { -(1.0 - p).ln() }
}

/// Bins between the quantiles of the forecasts; `rows` ascend.
///
/// A bin ends after the last forecast that is not above its quantile, interpolated as scikit-learn's
/// `calibration_curve(strategy="quantile")` does: that is after all equals of the row at or below it.
fn reliability_bins(rows: &[(f64, bool)], bins_count: usize) -> Vec<ReliabilityBin> {
    let end_of = |bin: usize| {
        let quantile = rows[bin * (rows.len() - 1) / bins_count].0;
        rows.partition_point(|(forecast, _)| *forecast <= quantile)
    };
    let ends = (1..bins_count).map(end_of).chain([rows.len()]);
    let mut bins = Vec::new();
    let mut start = 0;
    for end in ends {
        let of_bin = &rows[start..end];
        start = end;
        if let (Some(first), Some(last)) = (of_bin.first(), of_bin.last()) {
            bins.push(ReliabilityBin {
                low: first.0,
                high: last.0,
                count: of_bin.len(),
                mean_forecast: mean(of_bin, |(p, _)| p),
                observed_share: mean(of_bin, |(_, outcome)| indicator(outcome)),
            });
        }
    }
    bins
}

const fn indicator(outcome: bool) -> f64 {
    if outcome { 1.0 } else { 0.0 }
}

fn mean(rows: &[(f64, bool)], value: impl Fn((f64, bool)) -> f64) -> f64 {
    rows.iter().map(|row| value(*row)).sum::<f64>() / count(rows.len())
}
