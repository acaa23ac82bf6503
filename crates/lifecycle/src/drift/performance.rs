//! Whether a model still does what its record says, on days that it has not learned from.

use bist_models::Horizon;
use bist_trading::Estimate;
use serde::{Deserialize, Serialize};

use super::DriftPolicy;
use crate::evaluation::{Evaluation, SYMBOLS_PER_DAY_MIN};
use crate::rank_ic::{Correlation, DependentMean, count, lag_days, mean};
use crate::retraining::{Judged, RetrainingRule};

/// Level of the intervals.
const LEVEL: f64 = 0.95;

/// What the 80 % band promises.
const COVERAGE: f64 = 0.8;

/// The Brier score of saying one half.
const COIN: f64 = 0.25;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PerformanceMeasure {
    /// The mean daily rank information coefficient: alarming when it is told to be below the lower
    /// end of the record out of sample.
    RankIc,
    /// The Brier score of the probability of a rise: alarming when it is told to be above that of
    /// saying one half.
    Brier,
    /// The share of returns within the 80 % band: alarming when it is told to be further from 0.8
    /// than is tolerated.
    Coverage,
}

/// A measure with its interval by Newey and West, and the bounds within which it should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerformanceCheck {
    /// What is measured.
    pub measure: PerformanceMeasure,
    /// Its mean over days; absent when there are too few.
    pub estimate: Option<Estimate>,
    /// Days measured.
    pub days_count: u64,
    /// Fewest days by which anything is said.
    pub days_min: u32,
    /// It should not be told to be below this; absent when it may be as low as it likes.
    pub low: Option<f64>,
    /// It should not be told to be above this; absent when it may be as high as it likes.
    pub high: Option<f64>,
    /// Whether it is.
    pub is_alarm: bool,
}

/// All checks of the forecasts `judged`, sorted by moment.
pub(super) fn checks(
    judged: &[Judged],
    record: &Evaluation,
    horizon: Horizon,
    policy: &DriftPolicy,
) -> Vec<PerformanceCheck> {
    let days: Vec<&[Judged]> = judged.chunk_by(|a, b| a.key.day == b.key.day).collect();
    let of_each = |value: fn(&Judged) -> f64| -> Vec<f64> {
        let of_day = |day: &&[Judged]| mean(&day.iter().map(value).collect::<Vec<_>>());
        days.iter().map(of_day).collect()
    };
    let coefficients: Vec<f64> = days.iter().filter_map(|day| rank_ic(day)).collect();
    let brier = of_each(|judged| {
        let rose = f64::from(judged.realised > 0.0);
        (judged.forecast.probability_up - rose).powi(2)
    });
    let covered = of_each(|judged| {
        let band = judged.forecast.last_step().interval_80;
        f64::from(band.low <= judged.realised && judged.realised <= band.high)
    });
    let tolerance = policy.coverage_tolerance;
    let check = |measure, values: &[f64], low, high| {
        PerformanceCheck::of(measure, values, horizon, (low, high))
    };
    vec![
        check(
            PerformanceMeasure::RankIc,
            &coefficients,
            record.rank_ic.estimate.map(|estimate| estimate.low),
            None,
        ),
        check(PerformanceMeasure::Brier, &brier, None, Some(COIN)),
        check(
            PerformanceMeasure::Coverage,
            &covered,
            Some(COVERAGE - tolerance),
            Some(COVERAGE + tolerance),
        ),
    ]
}

/// The mean over the moments of a day that have symbols enough to be compared.
fn rank_ic(day: &[Judged]) -> Option<f64> {
    let moments = day.chunk_by(|a, b| a.key.moment() == b.key.moment());
    let wide = moments.filter(|moment| moment.len() >= SYMBOLS_PER_DAY_MIN);
    let of_moment = |moment: &[Judged]| {
        let said: Vec<f64> =
            moment.iter().map(|judged| judged.forecast.expected_log_return).collect();
        let came: Vec<f64> = moment.iter().map(|judged| judged.realised).collect();
        Correlation::Spearman.of(&said, &came)
    };
    let values: Vec<f64> = wide.map(of_moment).collect();
    (!values.is_empty()).then(|| mean(&values))
}

impl PerformanceCheck {
    fn of(
        measure: PerformanceMeasure,
        daily: &[f64],
        horizon: Horizon,
        (low, high): (Option<f64>, Option<f64>),
    ) -> Self {
        let days_min = RetrainingRule::default().days_min_for(horizon);
        let estimate = (count(daily.len()) >= f64::from(days_min))
            .then(|| DependentMean::newey_west(daily, lag_days(horizon.sessions())))
            .flatten()
            .and_then(|mean| mean.estimate(LEVEL));
        let is_alarm = estimate.is_some_and(|estimate| {
            low.is_some_and(|low| estimate.high < low)
                || high.is_some_and(|high| estimate.low > high)
        });
        Self { measure, estimate, days_count: daily.len() as u64, days_min, low, high, is_alarm }
    }
}
