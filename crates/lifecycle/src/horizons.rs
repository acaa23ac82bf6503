//! How far ahead the product forecasts.

use bist_market::Interval;
use bist_models::Horizon;

/// The horizons of daily bars, sessions; there is a model in force for each.
pub const HORIZONS: [Horizon; 3] = [
    Horizon::from_sessions(1).unwrap(),
    Horizon::from_sessions(5).unwrap(),
    Horizon::from_sessions(20).unwrap(),
];

/// The horizons of hourly bars; there may be a model in force for each.
pub const HORIZONS_HOURLY: [Horizon; 2] = [Horizon::NextHour, Horizon::EndOfDay];

/// The one of [`HORIZONS`] that is meant where none is named.
pub const HORIZON_DEFAULT: Horizon = HORIZONS[1];

/// A text that names none of [`HORIZONS`] and [`HORIZONS_HOURLY`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a horizon; give {short}, {middle} or {long} sessions, {hour} or {end}",
    short = HORIZONS[0], middle = HORIZONS[1], long = HORIZONS[2],
    hour = HORIZONS_HOURLY[0], end = HORIZONS_HOURLY[1]
)]
pub struct UnknownHorizon(pub String);

/// Those of [`HORIZONS`] and [`HORIZONS_HOURLY`] that look ahead from bars of `interval`.
pub fn horizons_of(interval: Interval) -> Vec<Horizon> {
    let all = HORIZONS.into_iter().chain(HORIZONS_HOURLY);
    all.filter(|horizon| horizon.interval() == interval).collect()
}

/// The one of [`HORIZONS`] and [`HORIZONS_HOURLY`] that `text` names.
///
/// # Errors
///
/// [`UnknownHorizon`] when there is none.
pub fn parse_horizon(text: &str) -> Result<Horizon, UnknownHorizon> {
    let mut all = HORIZONS.into_iter().chain(HORIZONS_HOURLY);
    let known = all.find(|horizon| horizon.to_string() == text);
    known.ok_or_else(|| UnknownHorizon(text.to_owned()))
}
