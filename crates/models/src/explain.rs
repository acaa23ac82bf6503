//! Why a model forecasts what it does: shares of the features in one forecast.

pub mod integrated_gradients;
pub mod plot;
pub mod tree_shap;
pub mod words;

/// What each feature adds to one forecast, in units of the forecast (log-return).
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    /// The forecast for a row of which nothing is known: the mean over the training rows.
    pub base: f64,
    /// One value a feature, in the order of the model's feature names. Together with the base they
    /// sum to the forecast within 1e-9.
    pub values: Vec<f64>,
}
