//! The market as a whole: where each share stands, breadth, sectors, the regime, and what a move of
//! the market has meant for each share.
//!
//! Everything is as of one day, which is an argument, and knows nothing later. Prices are adjusted
//! for splits and dividends (total return) unless their name says otherwise, and no figure reaches
//! across a break of a series.

mod breadth;
mod episodes;
mod history;
mod least_squares;
mod regime_history;
mod scenario;
mod sectors;
mod standing;

pub use breadth::{AboveMean, Breadth};
pub use episodes::{Episode, worst_windows};
pub use history::{History, MarketReturns};
pub use least_squares::LeastSquares;
pub use regime_history::{RegimeDay, RegimeHistory, RegimeSpell, RegimeStatistics};
pub use scenario::{
    BLOCK_SESSIONS, Exposure, ExposureError, MoveDistribution, OBSERVATIONS_MIN, PATHS_COUNT,
    exposures, move_distribution,
};
pub use sectors::{SectorStrength, SectorWindow, sector_strength};
pub use standing::{CHANGE_SESSIONS, MEAN_SESSIONS, SessionMarks, Standing, YEAR_SESSIONS};

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "counts of symbols and sessions are small")]
const fn count(count: usize) -> f64 {
    count as f64
}

/// The mean of `values`; `None` of none.
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / count(values.len()))
}

/// The value below which `share` of the sorted `values` lie, interpolated linearly; `None` of none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among the values"
)]
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * count(sorted.len().checked_sub(1)?);
    let below = place.floor() as usize;
    let (low, high) = (sorted[below], sorted[(below + 1).min(sorted.len() - 1)]);
    Some(low + (place - place.floor()) * (high - low))
}

/// The middle of `values`; `None` of none.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    quantile(&values, 0.5)
}
