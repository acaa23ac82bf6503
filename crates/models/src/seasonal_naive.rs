//! The baseline to beat: the next period returns what the last one did.

use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::features::{FeatureMatrix, Known};
use crate::forecaster::{FitError, FittedForecaster, Forecaster, assert_columns, check_rows};
use crate::horizon::Horizon;

/// Seasonal naive: what the last season returned, and zero where that is unknown.
///
/// Over sessions the season is one horizon: the forecast is the log-return of the last `horizon`
/// sessions. Within a session it is one day: what the same hours of the day before returned.
///
/// Source: Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeasonalNaive {
    /// How far a forecast looks ahead; over sessions the matrix must have the column
    /// `return_<sessions>`.
    pub horizon: Horizon,
}

/// [`SeasonalNaive`] that knows its columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedSeasonalNaive {
    feature_names: Vec<String>,
    horizon: Horizon,
}

impl SeasonalNaive {
    /// The model's name in the store, the API and the files.
    pub const KIND: &str = "seasonal_naive";

    /// The column of the last season's return, for a horizon over sessions.
    fn column(self, x: &FeatureMatrix) -> Result<usize, FitError> {
        let name = format!("return_{}", self.horizon);
        x.column_index(&name).ok_or(FitError::NoColumn(name))
    }
}

impl Forecaster for SeasonalNaive {
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
        let x = &known.features;
        check_rows(x, y, train_rows, 1)?;
        if matches!(self.horizon, Horizon::Sessions(_)) {
            self.column(x)?;
        }
        let feature_names = x.names().to_vec();
        Ok(Box::new(FittedSeasonalNaive { feature_names, horizon: self.horizon }))
    }
}

impl FittedForecaster for FittedSeasonalNaive {
    fn kind(&self) -> &'static str {
        SeasonalNaive::KIND
    }

    fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    fn predict(&self, known: &Known, rows: &[usize]) -> Vec<f64> {
        let x = &known.features;
        assert_columns(&self.feature_names, x);
        let horizon = self.horizon;
        let last = match horizon {
            Horizon::Sessions(_) => {
                let column = SeasonalNaive { horizon }.column(x);
                x.column(column.expect("the columns are those of the fit")).to_vec()
            }
            Horizon::NextHour => same_hours_before(known, |rest| rest.get(1).copied()),
            Horizon::EndOfDay => same_hours_before(known, |rest| rest.last().copied()),
        };
        rows.iter().map(|&row| if last[row].is_nan() { 0.0 } else { last[row] }).collect()
    }

    fn artifact(&self) -> Artifact {
        Artifact::SeasonalNaive(self.clone())
    }
}

/// What followed the same time of the day before, for each row: the log-return from its bar to that
/// which `end` picks from the rows from there to the end of that day; NaN where there is none.
fn same_hours_before(known: &Known, end: fn(&[usize]) -> Option<usize>) -> Vec<f64> {
    let all: Vec<usize> = (0..known.keys.len()).collect();
    let mut returns = vec![f64::NAN; all.len()];
    for rows in known.rows_by_stretch(&all).values() {
        let day_of = |row: usize| known.keys[row].day;
        let days: Vec<&[usize]> = rows.chunk_by(|&a, &b| day_of(a) == day_of(b)).collect();
        for (before, day) in days.iter().zip(days.iter().skip(1)) {
            for &row in *day {
                let time = known.keys[row].time;
                let same = before.binary_search_by_key(&time, |&row| known.keys[row].time).ok();
                let rest = same.map_or(&[][..], |same| &before[same..]);
                if let (Some(from), Some(to)) = (rest.first(), end(rest)) {
                    returns[row] = known.log_close[to] - known.log_close[*from];
                }
            }
        }
    }
    returns
}
