//! What a model is before it has seen data, and after.

use std::fmt;

use crate::artifact::Artifact;
use crate::features::{FeatureMatrix, Known};

/// A model before it has seen data: hyperparameters and a seed, nothing learned.
pub trait Forecaster: fmt::Debug + Send + Sync {
    /// The model's name in the store, the API and the files.
    fn kind(&self) -> &'static str;

    /// Learns from the rows `train_rows` of `known` and returns the fitted model; `self` is
    /// unchanged.
    ///
    /// `y` is aligned with the rows of `known` (log-return over the horizon); only its values at the
    /// given rows are read. `validation_rows` decide when to stop, for models that stop early; the
    /// others do not look at them. They may be empty.
    ///
    /// # Errors
    ///
    /// [`FitError`] when the rows cannot support the model.
    fn fit(
        &self,
        known: &Known,
        y: &[f64],
        train_rows: &[usize],
        validation_rows: &[usize],
    ) -> Result<Box<dyn FittedForecaster>, FitError>;
}

/// A model that has learned; the only kind that can predict.
pub trait FittedForecaster: fmt::Debug + Send + Sync {
    /// The model's name in the store, the API and the files.
    fn kind(&self) -> &'static str;

    /// The columns it was fitted on, in their order.
    fn feature_names(&self) -> &[String];

    /// Predicted log-return over the horizon for each of `rows`, in their order; always finite.
    ///
    /// # Panics
    ///
    /// When the columns of `known` are not [`Self::feature_names`], or it has no such row.
    fn predict(&self, known: &Known, rows: &[usize]) -> Vec<f64>;

    /// The model in the form in which it is kept.
    fn artifact(&self) -> Artifact;
}

/// Why a model cannot be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// Too few rows to learn from.
    #[error("{rows_count} training rows are too few: {rows_count_min} are needed")]
    TooFewRows {
        /// Rows given.
        rows_count: usize,
        /// Rows needed.
        rows_count_min: usize,
    },
    /// More rows than the model can count.
    #[error("{rows_count} training rows are too many: at most {rows_count_max}")]
    TooManyRows {
        /// Rows given.
        rows_count: usize,
        /// Rows allowed.
        rows_count_max: usize,
    },
    /// The target has another length than the matrix.
    #[error("{targets_count} targets for {rows_count} rows: give one target for each row")]
    TargetsCount {
        /// Targets given.
        targets_count: usize,
        /// Rows of the matrix.
        rows_count: usize,
    },
    /// A row index is outside the matrix.
    #[error("row {row} does not exist: the matrix has {rows_count} rows")]
    RowOutside {
        /// The index.
        row: usize,
        /// Rows of the matrix.
        rows_count: usize,
    },
    /// A target is NaN or infinite.
    #[error("the target of row {row} is {value}: leave rows without a known target out")]
    TargetNotFinite {
        /// The row.
        row: usize,
        /// Its target.
        value: f64,
    },
    /// A regressor is NaN or infinite.
    #[error("the regressor '{name}' is {value} in row {row}: fill it, or leave the row out")]
    RegressorNotFinite {
        /// Its name.
        name: String,
        /// The row.
        row: usize,
        /// Its value.
        value: f64,
    },
    /// The days of a series do not ascend.
    #[error("the day of row {row} is not after the one before it: give one row a day, in order")]
    DaysOutOfOrder {
        /// The row.
        row: usize,
    },
    /// A column that the model reads is absent.
    #[error("the matrix has no column '{0}'")]
    NoColumn(String),
    /// Rows are to be ranked within their days, and no days are given.
    #[error(
        "lambdarank compares the rows of a day, and these rows have no days: fit it to what was known"
    )]
    NoDays,
    /// A hyperparameter is outside its range.
    #[error("{name} is {value}, and must be {range}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The range in words.
        range: &'static str,
    },
    /// The normal equations have no unique solution.
    #[error("the features depend on each other and alpha is {alpha}: raise alpha")]
    Singular {
        /// The penalty.
        alpha: f64,
    },
}

/// Checks what every model asks of its rows: that they exist and have a finite target.
pub(crate) fn check_rows(
    x: &FeatureMatrix,
    y: &[f64],
    rows: &[usize],
    rows_count_min: usize,
) -> Result<(), FitError> {
    if y.len() != x.rows_count() {
        return Err(FitError::TargetsCount { targets_count: y.len(), rows_count: x.rows_count() });
    }
    if rows.len() < rows_count_min {
        return Err(FitError::TooFewRows { rows_count: rows.len(), rows_count_min });
    }
    for &row in rows {
        match y.get(row) {
            None => return Err(FitError::RowOutside { row, rows_count: x.rows_count() }),
            Some(value) if !value.is_finite() => {
                return Err(FitError::TargetNotFinite { row, value: *value });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Stops a model from reading a matrix whose columns mean something else than in training.
#[track_caller]
pub(crate) fn assert_columns(expected: &[String], x: &FeatureMatrix) {
    assert!(
        expected == x.names(),
        "the model was fitted on {} columns that are not the {} columns of this matrix",
        expected.len(),
        x.names().len()
    );
}
