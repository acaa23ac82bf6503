//! The population stability index.

use super::sketch::DriftSketch;
use crate::statistics::share;

/// From here on a shift is usually called moderate.
pub const PSI_MODERATE: f64 = 0.1;

/// From here on a shift is usually called significant.
pub const PSI_SIGNIFICANT: f64 = 0.25;

/// Tenths of the reference, as is usual.
const BINS: u32 = 10;

/// The population stability index of `current` against `reference`; `None` when one is empty.
///
/// `sum((c - r) * ln(c / r))` over ten bins that hold a tenth of the reference each, `c` and `r` the
/// shares of the two in a bin: the symmetric divergence of Jeffreys (1946) of the two histograms.
/// Zero or more; usually judged with [`PSI_MODERATE`] and [`PSI_SIGNIFICANT`]. A bin without a value
/// counts as half a value. Where the reference has ties over a quantile, bins are joined.
///
/// Chance alone gives about `9 * (1 / n + 1 / m)` for `n` and `m` values (Yurdakul 2018,
/// "Statistical properties of population stability index"): 0.09 for 120 against 500.
pub fn psi(reference: &DriftSketch, current: &DriftSketch) -> Option<f64> {
    if reference.count() == 0 || current.count() == 0 {
        return None;
    }
    let mut edges: Vec<f64> = (1..BINS)
        .filter_map(|tenth| reference.quantile(f64::from(tenth) / f64::from(BINS)))
        .collect();
    edges.dedup_by(|a, b| a.total_cmp(b).is_eq());
    let terms = shares(reference, &edges)
        .into_iter()
        .zip(shares(current, &edges))
        .map(|(r, c)| (c - r) * (c / r).ln());
    Some(terms.sum())
}

/// The share of a sketch in each bin, at least half a value.
fn shares(sketch: &DriftSketch, edges: &[f64]) -> Vec<f64> {
    let floor = 0.5 * share(1, sketch.count());
    let ranks = edges.iter().map(|edge| sketch.rank_share(*edge)).chain([1.0]);
    let mut below = 0.0;
    ranks.map(|rank| (rank - std::mem::replace(&mut below, rank)).max(floor)).collect()
}
