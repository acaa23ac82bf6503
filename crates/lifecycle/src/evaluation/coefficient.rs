//! The information coefficients of the days, and what they say together.

use bist_models::Horizon;
use bist_trading::Estimate;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{LEVEL, OutOfFold, SYMBOLS_PER_DAY_MIN, symbols};
use crate::bootstrap::{StationaryBootstrap, optimal_block_length};
use crate::rank_ic::{Correlation, DependentMean, count, lag_days, mean};

/// Series that the bootstrap draws.
const RESAMPLES_COUNT: u32 = 1000;

/// Fewest days that are drawn from.
const BOOTSTRAP_DAYS_MIN: usize = 20;

/// What the rank information coefficient correlates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RankIcMethod {
    /// Mean over days of Spearman's correlation across the symbols of a day, of which there are
    /// five or more; of hourly forecasts the coefficient of a day is the mean of that of its hours.
    /// What moves all symbols alike does not count.
    CrossSectional,
    /// There are too few symbols for that: mean over days of the symbols' parts of their own
    /// correlation over time.
    TimeSeries,
}

/// A coefficient over all days: how well forecasts match what came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InformationCoefficient {
    /// The coefficient with its 95 % interval; absent when there are too few days.
    pub estimate: Option<Estimate>,
    /// What is correlated.
    pub method: RankIcMethod,
    /// Always `newey_west_student_t`: the standard error allows for labels that overlap, and the
    /// degrees of freedom are the effective days less one.
    pub interval_method: String,
    /// Lag of the standard error, days: twice the horizon.
    pub lag_days: u32,
    /// Days measured.
    pub days_count: u64,
    /// How many independent days would tell as much.
    pub effective_days_count: f64,
    /// The same by drawing days anew, which supposes no distribution; absent when there are too few
    /// days.
    pub bootstrap: Option<Bootstrapped>,
}

/// What the stationary bootstrap of the daily coefficients says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bootstrapped {
    /// The coefficient with its 95 % interval.
    pub coefficient: Estimate,
    /// The information ratio of the coefficient (ICIR): its mean over its standard deviation over
    /// days, not annualised, with the 95 % interval; absent when no day differs, and where the
    /// coefficients are not those of single days.
    pub information_ratio: Option<Estimate>,
    /// Always `stationary_bootstrap_percentile`: the quantiles of the statistic over the series
    /// drawn.
    pub interval_method: String,
    /// Mean length of the blocks drawn, days: the best by Politis and White, and not below the
    /// horizon, over which labels overlap.
    pub mean_block_days: f64,
    /// Series drawn.
    pub resamples_count: u32,
}

/// The coefficient of one day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DailyCoefficient {
    pub(crate) day: Date,
    pub(crate) fold: usize,
    pub(crate) value: f64,
}

/// The coefficient of each day that can be measured.
#[derive(Debug)]
pub(crate) struct DailyCoefficients {
    pub(crate) method: RankIcMethod,
    /// In the order of the days.
    pub(crate) days: Vec<DailyCoefficient>,
}

impl DailyCoefficients {
    /// The coefficients of `forecast` on `records`, sorted by moment and symbol: across symbols when
    /// half of the moments have symbols enough, and over time otherwise.
    pub(crate) fn of(
        records: &[OutOfFold],
        correlation: Correlation,
        forecast: impl Fn(&OutOfFold) -> f64,
    ) -> Self {
        let moments: Vec<&[OutOfFold]> =
            records.chunk_by(|a, b| a.moment() == b.moment()).collect();
        let of_day = |day: &[OutOfFold], value| DailyCoefficient {
            day: day[0].day,
            fold: day[0].fold,
            value,
        };
        let wide = moments.iter().copied().filter(|moment| moment.len() >= SYMBOLS_PER_DAY_MIN);
        let wide: Vec<&[OutOfFold]> = wide.collect();
        if 2 * wide.len() >= moments.len() {
            let across = |moment: &&[OutOfFold]| {
                let predicted: Vec<f64> = moment.iter().map(&forecast).collect();
                let realised: Vec<f64> = moment.iter().map(OutOfFold::realised).collect();
                correlation.of(&predicted, &realised)
            };
            let days = wide.chunk_by(|a, b| a[0].day == b[0].day).map(|moments| {
                of_day(moments[0], mean(&moments.iter().map(across).collect::<Vec<_>>()))
            });
            return Self { method: RankIcMethod::CrossSectional, days: days.collect() };
        }
        let predicted: Vec<f64> = records.iter().map(&forecast).collect();
        let realised: Vec<f64> = records.iter().map(OutOfFold::realised).collect();
        let parts = symbols::correlation_parts(records, correlation, &predicted, &realised);
        let mut parts = parts.as_slice();
        let over_time = |day: &[OutOfFold]| {
            let (of_this_day, later) = parts.split_at(day.len());
            parts = later;
            of_day(day, mean(of_this_day))
        };
        let days = records.chunk_by(|a, b| a.day == b.day).map(over_time);
        Self { method: RankIcMethod::TimeSeries, days: days.collect() }
    }

    pub(super) fn values(&self) -> Vec<f64> {
        self.days.iter().map(|day| day.value).collect()
    }

    /// The coefficient over all days with its interval by Newey and West; `None` when there are too
    /// few days.
    pub(crate) fn estimate(&self, horizon: Horizon, level: f64) -> Option<Estimate> {
        DependentMean::newey_west(&self.values(), lag_days(horizon.sessions()))?.estimate(level)
    }

    /// The coefficient over all days, with every interval.
    pub(super) fn judge(&self, horizon: Horizon, seed: u64) -> InformationCoefficient {
        let (values, lag) = (self.values(), lag_days(horizon.sessions()));
        let mean = DependentMean::newey_west(&values, lag);
        InformationCoefficient {
            estimate: mean.and_then(|mean| mean.estimate(LEVEL)),
            method: self.method,
            interval_method: "newey_west_student_t".to_owned(),
            lag_days: u32::try_from(lag).unwrap_or(u32::MAX),
            days_count: values.len() as u64,
            effective_days_count: mean.map_or(0.0, |mean| mean.effective_count),
            bootstrap: self.bootstrap(horizon, seed),
        }
    }

    fn bootstrap(&self, horizon: Horizon, seed: u64) -> Option<Bootstrapped> {
        let values = self.values();
        if values.len() < BOOTSTRAP_DAYS_MIN {
            return None;
        }
        let mean_block_days = optimal_block_length(&values).max(f64::from(horizon.sessions()));
        let bootstrap = StationaryBootstrap {
            mean_block_length: mean_block_days,
            resamples_count: RESAMPLES_COUNT,
            seed,
        };
        let information_ratio = match self.method {
            RankIcMethod::CrossSectional => bootstrap.estimate(&values, information_ratio, LEVEL),
            RankIcMethod::TimeSeries => None,
        };
        Some(Bootstrapped {
            coefficient: bootstrap.estimate(&values, mean, LEVEL)?,
            information_ratio,
            interval_method: "stationary_bootstrap_percentile".to_owned(),
            mean_block_days,
            resamples_count: RESAMPLES_COUNT,
        })
    }
}

/// Mean over standard deviation, with the correction `n / (n - 1)` for small samples; not finite
/// when no value differs.
fn information_ratio(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    mean / (squares / (count(values.len()) - 1.0)).sqrt()
}
