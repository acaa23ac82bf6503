//! How far ahead the product forecasts.

use bist_models::Horizon;

/// The horizons, sessions; there is a model in force for each.
pub const HORIZONS: [Horizon; 3] = [
    Horizon::from_sessions(1).unwrap(),
    Horizon::from_sessions(5).unwrap(),
    Horizon::from_sessions(20).unwrap(),
];

/// The one of [`HORIZONS`] that is meant where none is named.
pub const HORIZON_DEFAULT: Horizon = HORIZONS[1];

/// A text that names none of [`HORIZONS`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a horizon; give {short}, {middle} or {long} sessions",
    short = HORIZONS[0], middle = HORIZONS[1], long = HORIZONS[2]
)]
pub struct UnknownHorizon(pub String);

/// The one of [`HORIZONS`] with as many sessions as `text` says.
///
/// # Errors
///
/// [`UnknownHorizon`] when there is none.
pub fn parse_horizon(text: &str) -> Result<Horizon, UnknownHorizon> {
    let known = HORIZONS.into_iter().find(|horizon| horizon.to_string() == text);
    known.ok_or_else(|| UnknownHorizon(text.to_owned()))
}
