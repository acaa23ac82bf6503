//! Has the distribution of a series changed? Sketches of bounded memory, and two measures on them.
//!
//! [`DriftSketch`] takes values one at a time and keeps few of them; [`psi`] (population stability
//! index) says how much of the mass lies elsewhere, [`ks`] (Kolmogorov and Smirnov) how far apart
//! two distribution functions are and how likely that is by chance. [`series_drift`] asks both about
//! the returns, volumes and ranges of a daily series.

mod ks;
mod psi;
mod series;
mod sketch;

pub use ks::{KsTest, ks};
pub use psi::{PSI_MODERATE, PSI_SIGNIFICANT, psi};
pub use series::{DriftMeasure, DriftPolicy, SeriesDrift, series_drift};
pub use sketch::{CAPACITY, DriftSketch};
