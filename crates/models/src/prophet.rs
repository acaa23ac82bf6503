//! Prophet: a bending trend, seasonal curves and the exchange's closures, added up.
//!
//! The model of Python prophet with a solver of its own (see `prophet/fit.rs`).
//! [`ProphetParams::fit_series`] fits any series of days, [`FittedProphetSeries::forecast`] extends
//! it and takes it apart, [`FittedProphetSeries::bands`] says how far it may be off; [`Prophet`]
//! does the first two for the closes of every symbol. The terms are what the model has to say: it
//! looks at no feature.
//!
//! Where we differ from Python prophet: a multiplicative term multiplies the trend counted from its
//! floor in the forecast as it did in the fit, where Python multiplies the floor too; the bands of
//! fitted days and the times of future trend changes are exact, where Python's fast path samples the
//! one and rounds the other to days. Left out: flat growth, conditional seasonalities, models of
//! regressors, and MCMC.
//!
//! Source: Taylor and Letham (2018), "Forecasting at Scale"; Python prophet 1.5.0.

mod changepoints;
mod fit;
mod holidays;
mod lasso;
pub(crate) mod normal_quantile;
mod params;
#[cfg(test)]
mod python_golden;
mod sampling;
mod seasonality;
mod series;
mod trend;

use std::collections::BTreeMap;

use bist_market::{Calendar, Symbol};
use jiff::civil::Date;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::features::Known;
use crate::forecaster::{FitError, FittedForecaster, Forecaster, assert_columns, check_rows};
use crate::horizon::Horizon;

pub use params::{Effect, Growth, Mode, ProphetParams, Seasonality};
pub use sampling::{BandSampling, ProphetBands};
pub use series::{FittedProphetSeries, ForecastTerm, ProphetForecast, Regressor};

/// Fewest training rows of an unbroken stretch for which it gets a model: about three months.
const STRETCH_ROWS_MIN: usize = 60;

/// A Prophet model for each unbroken stretch of each symbol, fitted on the logarithm of the close.
///
/// The forecast of a row is what the fitted components make of the day `horizon` sessions later, less
/// what they make of the row's day: it is decided by the training rows alone, and moves with the
/// calendar only. A stretch without 60 training rows is forecast to stand still, and so is a row
/// whose horizon ends after the calendar. A seasonality of which a stretch has less than two turns
/// is dropped there, as Python prophet drops the yearly one below two years.
#[derive(Clone, Debug, PartialEq)]
pub struct Prophet {
    /// How far a forecast looks ahead.
    pub horizon: Horizon,
    /// The hyperparameters, the same for all symbols.
    pub params: ProphetParams,
}

/// A fitted [`Prophet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct FittedProphet {
    feature_names: Vec<String>,
    horizon: Horizon,
    /// Ordered by symbol, then by stretch.
    stretches: Vec<FittedStretch>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FittedStretch {
    symbol: Symbol,
    stretch: u32,
    series: FittedProphetSeries,
}

impl Prophet {
    /// The model's name in the store, the API and the files.
    pub const KIND: &str = "prophet";

    /// Learns, and returns the concrete type.
    ///
    /// # Errors
    ///
    /// As [`Forecaster::fit`]; at least 60 rows are needed.
    pub fn fit_closes(
        &self,
        known: &Known,
        y: &[f64],
        train_rows: &[usize],
    ) -> Result<FittedProphet, FitError> {
        self.params.check()?;
        check_rows(&known.features, y, train_rows, STRETCH_ROWS_MIN)?;
        let stretches: Vec<_> = known
            .rows_by_stretch(train_rows)
            .into_iter()
            .filter(|(_, rows)| rows.len() >= STRETCH_ROWS_MIN)
            .collect();
        let stretches = stretches
            .into_par_iter()
            .map(|((symbol, stretch), mut rows)| {
                rows.sort_unstable();
                let days: Vec<Date> = rows.iter().map(|&row| known.keys[row].day).collect();
                // Only differences of the logarithms mean something.
                let first = known.log_close[rows[0]];
                let values: Vec<f64> =
                    rows.iter().map(|&row| known.log_close[row] - first).collect();
                let series = self.params_for(&days).fit_series(&days, &values, &[])?;
                Ok(FittedStretch { symbol, stretch, series })
            })
            .collect::<Result<_, FitError>>()?;
        let feature_names = known.features.names().to_vec();
        Ok(FittedProphet { feature_names, horizon: self.horizon, stretches })
    }

    /// The hyperparameters without the seasonalities for which `days` are too short.
    fn params_for(&self, days: &[Date]) -> ProphetParams {
        let mut params = self.params.clone();
        let hours = days[days.len() - 1].duration_since(days[0]).as_secs_f64() / 3600.0;
        params.seasonalities.retain(|seasonality| hours >= 2.0 * 24.0 * seasonality.period_days);
        params
    }
}

impl Forecaster for Prophet {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn fit(
        &self,
        known: &Known,
        y: &[f64],
        train_rows: &[usize],
        _validation_rows: &[usize],
    ) -> Result<Box<dyn FittedForecaster>, FitError> {
        Ok(Box::new(self.fit_closes(known, y, train_rows)?))
    }
}

impl FittedProphet {
    /// What each component adds to the forecasts of `rows`, in units of log-return over the horizon:
    /// the trend, then each seasonality and the closures. They add up to the forecasts.
    ///
    /// `rows` are of one stretch of one symbol; without a model of it there are no components.
    ///
    /// # Panics
    ///
    /// As [`FittedForecaster::predict`], and when the rows are of more than one stretch.
    pub fn component_returns(&self, known: &Known, rows: &[usize]) -> Vec<ForecastTerm> {
        assert_columns(&self.feature_names, &known.features);
        let stretch_of = |row: usize| (known.keys[row].symbol, known.stretch[row]);
        let Some(&first) = rows.first() else { return Vec::new() };
        assert!(
            rows.iter().all(|&row| stretch_of(row) == stretch_of(first)),
            "the rows are of one stretch"
        );
        let days: Vec<Date> = rows.iter().map(|&row| known.keys[row].day).collect();
        self.components_of_days(stretch_of(first), &days)
    }

    /// What each component adds to the forecast for a row of `day`, which looks at nothing else; as
    /// [`Self::component_returns`]. Added up in their order they are the bits of
    /// [`FittedForecaster::predict`].
    pub fn components_of_day(&self, symbol: Symbol, stretch: u32, day: Date) -> Vec<(String, f64)> {
        let components = self.components_of_days((symbol, stretch), &[day]).into_iter();
        components.map(|ForecastTerm { name, values }| (name, values[0])).collect()
    }

    fn components_of_days(&self, stretch: (Symbol, u32), days: &[Date]) -> Vec<ForecastTerm> {
        let Some(series) = self.series_of(stretch) else { return Vec::new() };
        let calendar = Calendar::bist();
        let sessions = u32::from(self.horizon.sessions());
        // A day without a known successor is compared with itself.
        let later = days.iter().map(|&day| calendar.session_after(day, sessions).unwrap_or(day));
        let ProphetForecast { trend, terms, .. } =
            series.forecast(&days.iter().copied().chain(later).collect::<Vec<_>>(), &[]);
        [ForecastTerm { name: "trend".to_owned(), values: trend }]
            .into_iter()
            .chain(terms)
            .map(|ForecastTerm { name, values }| {
                let (now, later) = values.split_at(days.len());
                ForecastTerm { name, values: later.iter().zip(now).map(|(b, a)| b - a).collect() }
            })
            .collect()
    }

    fn series_of(&self, stretch: (Symbol, u32)) -> Option<&FittedProphetSeries> {
        let key = |fitted: &FittedStretch| (fitted.symbol, fitted.stretch);
        let index = self.stretches.binary_search_by_key(&stretch, key).ok()?;
        Some(&self.stretches[index].series)
    }
}

impl FittedForecaster for FittedProphet {
    fn kind(&self) -> &'static str {
        Prophet::KIND
    }

    fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    fn predict(&self, known: &Known, rows: &[usize]) -> Vec<f64> {
        assert_columns(&self.feature_names, &known.features);
        let stretches = known.rows_by_stretch(rows);
        let forecasts: Vec<(usize, f64)> = (stretches.par_iter())
            .flat_map_iter(|(_, rows)| {
                let components = self.component_returns(known, rows);
                rows.iter().enumerate().map(move |(i, &row)| (row, sum_at(&components, i)))
            })
            .collect();
        let forecasts: BTreeMap<usize, f64> = forecasts.into_iter().collect();
        rows.iter().map(|row| forecasts[row]).collect()
    }

    fn artifact(&self) -> Artifact {
        Artifact::Prophet(self.clone())
    }
}

/// [`FittedProphet`] as it was written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    feature_names: Vec<String>,
    horizon: Horizon,
    stretches: Vec<FittedStretch>,
}

impl TryFrom<Unchecked> for FittedProphet {
    type Error = &'static str;

    fn try_from(written: Unchecked) -> Result<Self, Self::Error> {
        let Unchecked { feature_names, horizon, stretches } = written;
        let key = |fitted: &FittedStretch| (fitted.symbol, fitted.stretch);
        if !stretches.is_sorted_by(|a, b| key(a) < key(b)) {
            return Err("the stretches are not in their order, each once");
        }
        if !stretches.iter().all(|fitted| fitted.series.is_sound_alone()) {
            return Err("the terms of a series and its coefficients do not go together");
        }
        Ok(Self { feature_names, horizon, stretches })
    }
}

/// What the components add up to on day `i`.
fn sum_at(components: &[ForecastTerm], i: usize) -> f64 {
    components.iter().map(|component| component.values[i]).sum()
}
