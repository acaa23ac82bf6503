//! Distances between what was and what is: PSI, Kolmogorov-Smirnov, Wasserstein.

use serde::{Deserialize, Serialize};

use crate::rank_ic::{count, mean};

/// Bins of the population stability index, without that of values that are missing.
pub const PSI_BINS_COUNT: usize = 10;

/// Most values of a reference that are kept, evenly spread over its order: the distances are off by a
/// thousandth at most.
const KEPT_MAX: usize = 2_000;

/// The least share of a bin: an empty one would be infinitely far away.
const SHARE_MIN: f64 = 1e-4;

/// How far some values are from a reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distances {
    /// The population stability index over ten bins with equally many values of the reference, and
    /// one of the values that are missing.
    pub psi: f64,
    /// The largest distance between the two distribution functions, 0..=1; missing values apart.
    pub ks: f64,
    /// The area between the two distribution functions in standard deviations of the reference;
    /// missing values apart.
    pub wasserstein: f64,
}

/// What values are compared with.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Ascending and finite.
    values: Vec<f64>,
    standard_deviation: f64,
    /// Inner edges of the bins, ascending and distinct: a bin holds what is at most its edge.
    edges: Vec<f64>,
    /// The share of the reference in each bin, the missing last.
    shares: Vec<f64>,
}

impl Reference {
    /// Of `values`, of which NaN is missing; `None` when fewer than two are there or all are equal.
    pub fn of(values: &[f64]) -> Option<Self> {
        let sorted = finite_sorted(values);
        let (first, last) = (sorted.first()?, sorted.last()?);
        if first >= last {
            return None;
        }
        let standard_deviation = {
            let mean = mean(&sorted);
            let squares = sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
            (squares / count(sorted.len())).sqrt()
        };
        let mut edges: Vec<f64> =
            (1..PSI_BINS_COUNT).map(|bin| sorted[bin * sorted.len() / PSI_BINS_COUNT]).collect();
        edges.dedup();
        let shares = shares(&sorted, &edges, values.len());
        let kept = match sorted.len() {
            0..=KEPT_MAX => sorted,
            length => (0..KEPT_MAX)
                .map(|place| sorted[(2 * place + 1) * length / (2 * KEPT_MAX)])
                .collect(),
        };
        Some(Self { values: kept, standard_deviation, edges, shares })
    }

    /// How far `values`, of which NaN is missing, are from it; `None` when all are missing.
    pub fn distances(&self, values: &[f64]) -> Option<Distances> {
        let sorted = finite_sorted(values);
        if sorted.is_empty() {
            return None;
        }
        let actual = shares(&sorted, &self.edges, values.len());
        let (ks, area) = between(&self.values, &sorted);
        Some(Distances {
            psi: psi(&self.shares, &actual),
            ks,
            wasserstein: area / self.standard_deviation,
        })
    }
}

fn finite_sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The share of each bin of all values, of which those that are not among `sorted` are missing.
fn shares(sorted: &[f64], edges: &[f64], all_count: usize) -> Vec<f64> {
    let ends = edges.iter().map(|edge| sorted.partition_point(|value| value <= edge));
    let mut begin = 0;
    let mut shares: Vec<f64> = ends
        .chain([sorted.len()])
        .map(|end| {
            let share = count(end - begin) / count(all_count);
            begin = end;
            share
        })
        .collect();
    shares.push(count(all_count - sorted.len()) / count(all_count));
    shares
}

/// The population stability index: the sum over bins of `(actual - expected) ln(actual / expected)`,
/// the divergences of Kullback and Leibler in both directions.
fn psi(expected: &[f64], actual: &[f64]) -> f64 {
    let of_bin = |(expected, actual): (&f64, &f64)| {
        let (expected, actual) = (expected.max(SHARE_MIN), actual.max(SHARE_MIN));
        (actual - expected) * (actual / expected).ln()
    };
    expected.iter().zip(actual).map(of_bin).sum()
}

/// The largest distance between the distribution functions of two ascending samples, and the area
/// between them.
fn between(a: &[f64], b: &[f64]) -> (f64, f64) {
    let (mut i, mut j) = (0, 0);
    let (mut largest, mut area, mut before) = (0.0_f64, 0.0, a[0].min(b[0]));
    while i < a.len() || j < b.len() {
        let next = match (a.get(i), b.get(j)) {
            (Some(a), Some(b)) => a.min(*b),
            (Some(value), None) | (None, Some(value)) => *value,
            (None, None) => break,
        };
        let apart = (count(i) / count(a.len()) - count(j) / count(b.len())).abs();
        area += apart * (next - before);
        i += a[i..].partition_point(|value| *value <= next);
        j += b[j..].partition_point(|value| *value <= next);
        let apart = (count(i) / count(a.len()) - count(j) / count(b.len())).abs();
        largest = largest.max(apart);
        before = next;
    }
    (largest, area)
}
