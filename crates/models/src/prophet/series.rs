//! One series: fitted, forecast, taken apart.

use bist_market::Calendar;
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use super::changepoints::changepoint_rows;
use super::fit::{Estimate, Problem, Term};
use super::holidays::{self, closure_columns};
use super::params::{Effect, Growth, Mode, ProphetParams, Seasonality};
use super::seasonality::fourier_columns;
use super::trend::Trend;
use crate::forecaster::FitError;

/// Standard deviation of the noise of a constant series, as Python prophet sets it.
const CONSTANT_SIGMA: f64 = 1e-9;

/// Name of the closures' term in decompositions.
const HOLIDAYS: &str = "holidays";

/// By how much the logarithm of the density must rise for the search to leave the peak to which
/// Python prophet's start leads: a density 20 times as high. Lower ones are as likely as each
/// other, and ours is to be the model that Python's users know.
const PEAK_GAIN_MIN: f64 = 3.0;

/// A number known for each day of a series and each day that will be forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct Regressor<'a> {
    /// Its name in decompositions.
    pub name: &'a str,
    /// How it joins the trend, and the prior of its coefficient.
    pub effect: Effect,
    /// One value a day, finite. They are standardised, unless they are all 0 or 1.
    pub values: &'a [f64],
}

/// A Prophet model of one series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedProphetSeries {
    first_day: Date,
    /// Days from the first to the last row.
    span_days: f64,
    /// What was taken from the values before they were divided by `scale`.
    floor: f64,
    scale: f64,
    pub(crate) trend: Trend,
    params: ProphetParams,
    regressors: Vec<Standardised>,
    /// The coefficients of seasonalities, closures and regressors, in this order.
    pub(crate) betas: Vec<f64>,
    /// The mean over the fitted rows of each term, scaled as the series if it is additive: what
    /// decompositions count to the trend. Zero but for seasonalities.
    centres: Vec<f64>,
    /// Standard deviation of the noise, of the scaled series.
    pub(crate) sigma: f64,
}

/// What one term amounts to before it is joined with the trend.
#[derive(Debug)]
struct Curve<'a> {
    name: &'a str,
    multiplies: bool,
    /// One value a day.
    values: Vec<f64>,
}

/// How a regressor was scaled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Standardised {
    name: String,
    effect: Effect,
    mean: f64,
    std_dev: f64,
}

/// A forecast and what it is made of.
///
/// On weekdays alone a weekly curve may stand anywhere, if the trend makes up for it: here every
/// seasonality is counted from its mean over the fitted rows, and the trend has the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct ProphetForecast {
    /// The days.
    pub days: Vec<Date>,
    /// The trend of each day, in units of the series.
    pub trend: Vec<f64>,
    /// Each seasonality, the closures and each regressor.
    pub terms: Vec<ForecastTerm>,
    /// The forecast of each day: the trend and what all terms add to it.
    pub yhat: Vec<f64>,
    /// By how much the forecast of each day rises with its trend: one and the shares of the
    /// multiplicative terms.
    pub(crate) trend_factors: Vec<f64>,
}

/// What one term adds to the trend.
#[derive(Clone, Debug, PartialEq)]
pub struct ForecastTerm {
    /// The term's name.
    pub name: String,
    /// One value a day, in units of the series; a multiplicative term's share is multiplied by the
    /// trend already.
    pub values: Vec<f64>,
}

impl ProphetParams {
    /// Finds the model of highest posterior density for a series with one value a day.
    ///
    /// Time is scaled to 0..=1 and the values by the largest absolute one (counted from the floor,
    /// with logistic growth), as Python prophet does. A constant series gets a constant model. The
    /// density of linear growth with additive terms has one peak; of others the best is kept that
    /// the search finds from one or two starts.
    ///
    /// # Errors
    ///
    /// [`FitError`] when a hyperparameter is outside its range, there are fewer than two rows, a
    /// value or a regressor is not finite, or the days do not ascend.
    ///
    /// # Panics
    ///
    /// When `values` or a regressor have another length than `days`.
    pub fn fit_series(
        &self,
        days: &[Date],
        values: &[f64],
        regressors: &[Regressor<'_>],
    ) -> Result<FittedProphetSeries, FitError> {
        self.check()?;
        assert_eq!(values.len(), days.len(), "there is one value for each day");
        for Regressor { name, values, .. } in regressors {
            assert_eq!(values.len(), days.len(), "{name} has a value a day");
            if let Some(row) = values.iter().position(|value| !value.is_finite()) {
                let (name, value) = ((*name).to_owned(), values[row]);
                return Err(FitError::RegressorNotFinite { name, row, value });
            }
        }
        if days.len() < 2 {
            return Err(FitError::TooFewRows { rows_count: days.len(), rows_count_min: 2 });
        }
        if let Some(row) = values.iter().position(|value| !value.is_finite()) {
            return Err(FitError::TargetNotFinite { row, value: values[row] });
        }
        if let Some(row) = days.windows(2).position(|pair| pair[0] >= pair[1]) {
            return Err(FitError::DaysOutOfOrder { row: row + 1 });
        }

        let (lowest, highest) = values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
        let (floor, cap) = match self.growth {
            Growth::Linear => (0.0, None),
            Growth::Logistic { headroom } => {
                let room = headroom * (highest - lowest);
                (lowest - room, Some(highest + room))
            }
        };
        let largest = values.iter().map(|value| (value - floor).abs()).fold(0.0, f64::max);
        let scale = if largest > 0.0 { largest } else { 1.0 };
        let mut fitted = FittedProphetSeries {
            first_day: days[0],
            span_days: epoch_day(days[days.len() - 1]) - epoch_day(days[0]),
            floor,
            scale,
            trend: Trend {
                k: 0.0,
                m: (values[0] - floor) / scale,
                changepoints: Vec::new(),
                deltas: Vec::new(),
                cap: cap.map(|cap| (cap - floor) / scale),
            },
            params: self.clone(),
            regressors: regressors.iter().map(Standardised::of).collect(),
            betas: Vec::new(),
            centres: vec![0.0; self.seasonalities.len()],
            sigma: CONSTANT_SIGMA,
        };
        let regressor_values: Vec<&[f64]> = regressors.iter().map(|r| r.values).collect();
        let terms = fitted.terms(days, &regressor_values);
        fitted.betas = vec![0.0; terms.len()];
        if highest <= lowest {
            fitted.trend.cap = None;
            return Ok(fitted);
        }

        let t: Vec<f64> = days.iter().map(|day| fitted.time(*day)).collect();
        let y: Vec<f64> = values.iter().map(|value| (value - floor) / scale).collect();
        let rows = changepoint_rows(days.len(), self.changepoint_range, self.n_changepoints);
        let changepoints: Vec<f64> = rows.iter().map(|&row| t[row]).collect();
        let problem = Problem {
            t: &t,
            y: &y,
            terms: &terms,
            changepoint_prior_scale: self.changepoint_prior_scale,
        };
        let betas = &fitted.betas;
        let mut peaks =
            starts(&problem, &changepoints, fitted.trend.cap).into_iter().map(|trend| {
                let found = problem.maximise(Estimate { trend, betas: betas.clone(), sigma: 1.0 });
                (problem.log_posterior(&found), found)
            });
        let pythons = peaks.next().expect("Python prophet's start comes first");
        let (_, found) = peaks
            .fold(pythons, |best, peak| if peak.0 > best.0 + PEAK_GAIN_MIN { peak } else { best });
        (fitted.trend, fitted.betas, fitted.sigma) = (found.trend, found.betas, found.sigma);
        let curves = fitted.curves(days, &regressor_values);
        fitted.centres = (curves.iter().take(self.seasonalities.len()))
            .map(|curve| mean(&curve.values))
            .collect();
        Ok(fitted)
    }
}

impl FittedProphetSeries {
    /// The logarithm of the posterior density of the model's parameters given a series, without the
    /// constants of the density: the same number as Stan's `lp__` for Python prophet's model.
    ///
    /// # Panics
    ///
    /// When `values` or the regressors do not have the lengths that the fit asks for.
    pub fn log_posterior(&self, days: &[Date], values: &[f64], regressors: &[&[f64]]) -> f64 {
        let t: Vec<f64> = days.iter().map(|day| self.time(*day)).collect();
        let y: Vec<f64> = values.iter().map(|value| (value - self.floor) / self.scale).collect();
        assert_eq!(t.len(), y.len(), "there is one value for each day");
        let problem = Problem {
            t: &t,
            y: &y,
            terms: &self.terms(days, regressors),
            changepoint_prior_scale: self.params.changepoint_prior_scale,
        };
        let (trend, betas, sigma) = (self.trend.clone(), self.betas.clone(), self.sigma);
        problem.log_posterior(&Estimate { trend, betas, sigma })
    }

    /// The forecast of `days`, in any order, inside the fitted rows or not.
    ///
    /// `regressors` are those of the fit, in their order, with a value for each of `days`.
    ///
    /// # Panics
    ///
    /// When there are more or fewer regressors, or values, than that.
    pub fn forecast(&self, days: &[Date], regressors: &[&[f64]]) -> ProphetForecast {
        let times = days.iter().map(|day| self.time(*day));
        let trend: Vec<f64> = times.clone().map(|t| self.trend_value(t, 0.0)).collect();
        let heights: Vec<f64> = times.map(|t| self.height(t, 0.0)).collect();
        let (centre_factor, _) = self.centre();
        let mut yhat = trend.clone();
        let mut trend_factors = vec![1.0; days.len()];
        let mut terms = Vec::new();
        let centres = self.centres.iter().copied().chain(std::iter::repeat(0.0));
        for (Curve { name, multiplies, mut values }, centre) in
            self.curves(days, regressors).into_iter().zip(centres)
        {
            for (row, value) in values.iter_mut().enumerate() {
                *value -= centre;
                if multiplies {
                    trend_factors[row] += *value / centre_factor;
                }
                *value *= if multiplies { heights[row] } else { self.scale };
                yhat[row] += *value;
            }
            terms.push(ForecastTerm { name: name.to_owned(), values });
        }
        ProphetForecast { days: days.to_vec(), trend, terms, yhat, trend_factors }
    }

    /// Whether it can forecast without regressors: there are as many coefficients as columns, and as many
    /// bends as places for them.
    pub(super) fn is_sound_alone(&self) -> bool {
        let columns_count: usize = self.term_widths().map(|(_, columns_count)| columns_count).sum();
        self.regressors.is_empty()
            && self.betas.len() == columns_count
            && self.centres.len() == self.params.seasonalities.len()
            && self.trend.changepoints.len() == self.trend.deltas.len()
    }

    /// Standard deviation of the noise, in units of the series.
    pub(crate) fn noise_std_dev(&self) -> f64 {
        self.sigma * self.scale
    }

    /// How many slope changes there are in the time from the first to the last row, and the mean of
    /// their sizes. The smallest number keeps the rate of a model without changepoints from
    /// dividing by zero.
    #[expect(clippy::cast_precision_loss, reason = "there are at most 65535 changepoints")]
    pub(crate) fn trend_changes(&self) -> (f64, f64) {
        let count = self.trend.deltas.len() as f64;
        let sizes: f64 = self.trend.deltas.iter().map(|delta| delta.abs()).sum();
        (count.max(f64::MIN_POSITIVE), sizes / count.max(1.0))
    }

    /// The trend at a time in units of the series, when `bend` is added to its piecewise linear
    /// function; with what the seasonalities add to it on the average.
    pub(crate) fn trend_value(&self, t: f64, bend: f64) -> f64 {
        let (factor, shift) = self.centre();
        self.height(t, bend) * factor + shift * self.scale + self.floor
    }

    /// What multiplicative terms multiply: the trend by itself, counted from its floor.
    fn height(&self, t: f64, bend: f64) -> f64 {
        self.trend.value(self.trend.piecewise_linear(t) + bend) * self.scale
    }

    /// What the seasonalities multiply the trend by, and add to it, on the average of the fitted
    /// rows.
    fn centre(&self) -> (f64, f64) {
        let centres = self.params.seasonalities.iter().map(|s| s.effect.mode).zip(&self.centres);
        centres.fold((1.0, 0.0), |(factor, shift), (mode, centre)| match mode {
            Mode::Additive => (factor, shift + centre),
            Mode::Multiplicative => (factor + centre, shift),
        })
    }

    /// The sum of the columns of each term, scaled as the series, or as a share of the trend.
    fn curves(&self, days: &[Date], regressors: &[&[f64]]) -> Vec<Curve<'_>> {
        let columns = self.terms(days, regressors);
        let mut weighted = columns.iter().zip(&self.betas);
        self.term_widths()
            .map(|(name, columns_count)| {
                let mut curve = Curve { name, multiplies: false, values: vec![0.0; days.len()] };
                for (column, beta) in weighted.by_ref().take(columns_count) {
                    curve.multiplies = column.multiplies;
                    for (sum, value) in curve.values.iter_mut().zip(&column.values) {
                        *sum += beta * value;
                    }
                }
                curve
            })
            .collect()
    }

    /// Name and number of columns of each term.
    fn term_widths(&self) -> impl Iterator<Item = (&str, usize)> {
        let seasonalities = self
            .params
            .seasonalities
            .iter()
            .map(|s| (s.name.as_str(), 2 * usize::from(s.fourier_order)));
        let holidays = self.params.holidays.iter().map(|_| (HOLIDAYS, holidays::COLUMNS_COUNT));
        let regressors = self.regressors.iter().map(|regressor| (regressor.name.as_str(), 1));
        seasonalities.chain(holidays).chain(regressors)
    }

    /// The columns beside the trend, in the order of the coefficients.
    fn terms(&self, days: &[Date], regressors: &[&[f64]]) -> Vec<Term> {
        assert_eq!(regressors.len(), self.regressors.len(), "the regressors are those of the fit");
        let epoch_days: Vec<f64> = days.iter().map(|day| epoch_day(*day)).collect();
        let mut terms = Vec::new();
        let mut add = |columns: Vec<Vec<f64>>, Effect { mode, prior_scale }: Effect| {
            let multiplies = mode == Mode::Multiplicative;
            terms.extend(columns.into_iter().map(|values| Term {
                values,
                multiplies,
                prior_scale,
            }));
        };
        for Seasonality { period_days, fourier_order, effect, .. } in &self.params.seasonalities {
            add(fourier_columns(&epoch_days, *period_days, *fourier_order), *effect);
        }
        if let Some(effect) = self.params.holidays {
            add(closure_columns(Calendar::bist(), days), effect);
        }
        for (Standardised { name, effect, mean, std_dev }, values) in
            self.regressors.iter().zip(regressors)
        {
            assert_eq!(values.len(), days.len(), "{name} has a value a day");
            add(vec![values.iter().map(|value| (value - mean) / std_dev).collect()], *effect);
        }
        terms
    }

    /// A day on the scale of the trend: 0 at the first row, 1 at the last.
    pub(crate) fn time(&self, day: Date) -> f64 {
        (epoch_day(day) - epoch_day(self.first_day)) / self.span_days
    }
}

impl Standardised {
    /// Mean and sample standard deviation; a column of zeros and ones, or of one value, stays as it
    /// is.
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    #[expect(clippy::float_cmp, reason = "marks are exactly 0 or 1, and one value is one value")]
    fn of(regressor: &Regressor<'_>) -> Self {
        let Regressor { name, effect, values } = *regressor;
        let as_is = values.iter().all(|value| *value == 0.0 || *value == 1.0)
            || values.windows(2).all(|pair| pair[0] == pair[1]);
        let n = values.len() as f64;
        let (mean, std_dev) = match as_is {
            true => (0.0, 1.0),
            false => {
                let mean = mean(values);
                let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
                (mean, (squares / (n - 1.0)).sqrt())
            }
        };
        Self { name: name.to_owned(), effect, mean, std_dev }
    }
}

/// The trends at which the search begins: without bends through the first and the last value, as
/// Python prophet begins; and with logistic growth, whose density has several peaks, also the one
/// that fits best where the curve is straight.
///
/// Source: `linear_growth_init` and `logistic_growth_init` of Python prophet 1.5.0.
fn starts(problem: &Problem<'_>, changepoints: &[f64], cap: Option<f64>) -> Vec<Trend> {
    let straight = |first: f64, last: f64| Trend {
        k: last - first,
        m: first,
        changepoints: changepoints.to_vec(),
        deltas: vec![0.0; changepoints.len()],
        cap: None,
    };
    let (first, last) = (problem.y[0], problem.y[problem.y.len() - 1]);
    let Some(cap) = cap else { return vec![straight(first, last)] };

    let logit = |value: f64| {
        let share = (value / cap).clamp(0.01, 0.99);
        (share / (1.0 - share)).ln()
    };
    let logits: Vec<f64> = problem.y.iter().map(|value| logit(*value)).collect();
    let (first, mut last) = (logits[0], logits[logits.len() - 1]);
    if (first - last).abs() < 0.01 {
        last += 0.05;
    }
    let as_logistic = |Trend { k, m, .. }: &Trend| {
        // The offset of a logistic trend is the time at which its straight line is zero.
        (*k, -m / if k.abs() > 1e-3 { *k } else { 1e-3_f64.copysign(*k) })
    };
    let linear = Problem { y: &logits, terms: &[], ..*problem };
    let start = Estimate { trend: straight(first, last), betas: Vec::new(), sigma: 1.0 };
    let best = linear.maximise(start.clone()).trend;
    [start.trend, best]
        .into_iter()
        .map(|trend| {
            let (k, m) = as_logistic(&trend);
            Trend { k, m, cap: Some(cap), ..trend }
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Days since 1 January 1970.
#[expect(clippy::cast_precision_loss, reason = "the days of ten thousand years are few")]
fn epoch_day(day: Date) -> f64 {
    (day.duration_since(date(1970, 1, 1)).as_hours() / 24) as f64
}
