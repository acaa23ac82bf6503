//! The two-sample test of Kolmogorov and Smirnov.

use serde::Serialize;

use super::sketch::DriftSketch;
use crate::statistics::share;

/// Up to this many paths the p-value is counted, not approximated: a millisecond.
const PATHS_MAX: u64 = 1_000_000;

/// The outcome of a two-sided test whether two samples come from one distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KsTest {
    /// The largest distance of the two distribution functions, 0..=1.
    pub statistic: f64,
    /// How far the statistic can be from that of the whole samples, because sketches were compared.
    pub statistic_error: f64,
    /// How often chance alone gives this statistic or a larger one, 0..=1, for independent values.
    /// Financial series are not independent, so this is too small for them.
    pub p_value: f64,
}

/// Compares two samples; `None` when one is empty.
///
/// The p-value is exact up to a million pairs, by counting the lattice paths that stay within the
/// statistic (Hodges 1957, "The significance probability of the Smirnov two-sample test"), with the
/// bounds of ties as if they were none; beyond, it is that of the limiting distribution with the
/// correction of Stephens (1970): `lambda = (sqrt(e) + 0.12 + 0.11 / sqrt(e)) * D`,
/// `e = n * m / (n + m)`.
pub fn ks(reference: &DriftSketch, current: &DriftSketch) -> Option<KsTest> {
    let (n, m) = (reference.count(), current.count());
    if n == 0 || m == 0 {
        return None;
    }
    let statistic = distance(reference, current);
    let p_value = match n.checked_mul(m) {
        Some(paths) if paths <= PATHS_MAX => exact_p_value(statistic, n, m),
        _ => limiting_p_value(statistic, share(n, 1), share(m, 1)),
    };
    let statistic_error = reference.rank_error_share() + current.rank_error_share();
    Some(KsTest { statistic, statistic_error, p_value })
}

/// The largest distance of the two distribution functions.
fn distance(a: &DriftSketch, b: &DriftSketch) -> f64 {
    let (left, right) = (a.weighed(), b.weighed());
    let (mut i, mut j, mut below_a, mut below_b) = (0, 0, 0, 0);
    let mut largest: f64 = 0.0;
    while i < left.len() && j < right.len() {
        let value = if left[i].0 <= right[j].0 { left[i].0 } else { right[j].0 };
        while i < left.len() && left[i].0 <= value {
            below_a += left[i].1;
            i += 1;
        }
        while j < right.len() && right[j].0 <= value {
            below_b += right[j].1;
            j += 1;
        }
        largest = largest.max((share(below_a, a.count()) - share(below_b, b.count())).abs());
    }
    largest
}

/// The share of all orders of `n` and `m` values with at least this distance.
fn exact_p_value(statistic: f64, n: u64, m: u64) -> f64 {
    let pairs = share(n * m, 1);
    // The largest distance that is smaller than the statistic; both are multiples of 1 / (n m).
    let within = ((statistic * pairs - 1e-7).floor() + 0.5) / pairs;
    let apart = |i: u64, j: u64| (share(i, n) - share(j, m)).abs() > within;
    let mut inside: Vec<f64> = (0..=m).map(|j| if apart(0, j) { 0.0 } else { 1.0 }).collect();
    // A path that has left does not come back: what follows on the first row is outside too.
    for i in 1..=n {
        let weight = share(i, i + m);
        let mut before = if apart(i, 0) { 0.0 } else { weight * inside[0] };
        inside[0] = before;
        for (j, kept) in (1..=m).zip(&mut inside[1..]) {
            before = if apart(i, j) { 0.0 } else { weight.mul_add(*kept, before) };
            *kept = before;
        }
    }
    let none = inside.last().copied().unwrap_or(1.0);
    (1.0 - none).clamp(0.0, 1.0)
}

/// The upper tail of the Kolmogorov distribution.
fn limiting_p_value(statistic: f64, n: f64, m: f64) -> f64 {
    let root = (n * m / (n + m)).sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * statistic;
    // The series converges in a few terms unless lambda is near zero, where the tail is one.
    if lambda < 0.2 {
        return 1.0;
    }
    let (mut sum, mut sign) = (0.0, 1.0);
    for k in 1..=100_u32 {
        let term = (-2.0 * (f64::from(k) * lambda).powi(2)).exp();
        sum += sign * term;
        if term < 1e-16 {
            break;
        }
        sign = -sign;
    }
    (2.0 * sum).clamp(0.0, 1.0)
}
