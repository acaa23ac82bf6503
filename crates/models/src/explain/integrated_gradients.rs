//! Integrated gradients: what each number that a smooth function reads adds to its answer.
//!
//! On the straight path from a baseline to the input, number `i` adds its change times the mean of
//! the derivative by it along the path. All of them add up to the change of the answer
//! (completeness). The mean is taken by Gauss-Legendre quadrature, with twice as many nodes each
//! time until they do.
//!
//! Sources: Sundararajan, Taly and Yan (2017), "Axiomatic Attribution for Deep Networks", equation 1
//! and proposition 1; Abramowitz and Stegun (1964), 25.4.29 for the quadrature and 22.8.5 for the
//! derivative of Legendre's polynomials.

use std::f64::consts::PI;

/// Nodes of the first quadrature.
const NODES_COUNT_FIRST: u16 = 16;

/// Most nodes; a path that is not smooth enough for them keeps its residual.
const NODES_COUNT_MAX: u16 = 256;

/// The mean of a gradient along a path.
#[derive(Clone, Debug, PartialEq)]
pub struct PathGradient {
    /// The mean derivative by each number.
    pub mean: Vec<f64>,
    /// How many places of the path were looked at in the last quadrature.
    pub nodes_count: u16,
    /// The change of the answer less what all numbers together add to it.
    pub residual: f64,
}

/// The mean gradient along the straight path on which the numbers change by `changes` and the
/// answer by `answer_change`.
///
/// `gradient_at` gives the gradient where this share of the path, 0..=1, lies behind. Nodes are
/// doubled from 16 to 256, until the absolute residual is no more than `residual_max`.
pub fn along_path(
    changes: &[f64],
    answer_change: f64,
    residual_max: f64,
    gradient_at: impl Fn(f64) -> Vec<f64>,
) -> PathGradient {
    let mut nodes_count = NODES_COUNT_FIRST;
    loop {
        let mut mean = vec![0.0; changes.len()];
        for (share, weight) in gauss_legendre(nodes_count) {
            for (mean, derivative) in mean.iter_mut().zip(gradient_at(share)) {
                *mean += weight * derivative;
            }
        }
        let added: f64 = changes.iter().zip(&mean).map(|(change, mean)| change * mean).sum();
        let residual = answer_change - added;
        if residual.abs() <= residual_max || nodes_count >= NODES_COUNT_MAX {
            return PathGradient { mean, nodes_count, residual };
        }
        nodes_count *= 2;
    }
}

/// Nodes between 0 and 1 and their weights, which add up to one: with `n` of them every polynomial
/// of degree below `2 n` is integrated exactly.
///
/// The nodes are the roots of Legendre's polynomial of degree `n`, found by Newton's method from
/// the first term of their asymptotic expansion.
fn gauss_legendre(nodes_count: u16) -> Vec<(f64, f64)> {
    let n = f64::from(nodes_count);
    let node = |k: u16| {
        let mut x = (PI * (f64::from(k) + 0.75) / (n + 0.5)).cos();
        loop {
            let (value, derivative) = legendre(nodes_count, x);
            let step = value / derivative;
            x -= step;
            // Newton's method doubles the digits: the step after this one would be none.
            if step.abs() < 1e-10 {
                break;
            }
        }
        let (_, derivative) = legendre(nodes_count, x);
        (0.5 * (1.0 - x), 1.0 / ((1.0 - x * x) * derivative * derivative))
    };
    (0..nodes_count).map(node).collect()
}

/// Legendre's polynomial of `degree` and its derivative at `x`, inside -1..1.
fn legendre(degree: u16, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (0.0, 1.0);
    for k in 1..=degree {
        let k = f64::from(k);
        (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
    }
    (value, f64::from(degree) * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_below_twice_the_nodes_are_integrated_exactly() {
        for nodes_count in [1, 2, 5, 16, 64, 256] {
            let nodes = gauss_legendre(nodes_count);
            for degree in 0..i32::from(nodes_count).min(20) * 2 {
                let sum: f64 = nodes.iter().map(|(x, weight)| weight * x.powi(degree)).sum();
                let error = (sum - 1.0 / f64::from(degree + 1)).abs();
                assert!(error < 1e-13, "{nodes_count} nodes, degree {degree}: off by {error}");
            }
        }
    }

    #[test]
    fn contributions_add_up_and_nodes_are_doubled_where_they_must_be() {
        // f(x) = 1 / (1 + s (x_0^2 + 2 x_1)), steeper with a greater s.
        let check = |s: f64, nodes_count: u16| {
            let at = |share: f64| (share * 1.5, share * 0.5);
            let f = |(a, b): (f64, f64)| 1.0 / (1.0 + s * (a * a + 2.0 * b));
            let gradient = |share| {
                let (a, b) = at(share);
                let slope = -f((a, b)).powi(2) * s;
                vec![slope * 2.0 * a, slope * 2.0]
            };
            let path = along_path(&[1.5, 0.5], f(at(1.0)) - f(at(0.0)), 1e-12, gradient);
            assert_eq!(path.nodes_count, nodes_count, "s = {s}");
            assert!(path.residual.abs() <= 1e-12, "{}", path.residual);
        };
        check(1.0, 16);
        check(100.0, 128);
        check(1000.0, 256);
    }

    #[test]
    fn a_path_with_a_kink_keeps_its_residual() {
        let kink = 0.3;
        let gradient = |share| vec![if share > kink { 1.0 } else { 0.0 }];
        let path = along_path(&[1.0], 1.0 - kink, 1e-9, gradient);
        assert_eq!(path.nodes_count, NODES_COUNT_MAX);
        assert!(path.residual.abs() > 1e-9 && path.residual.abs() < 0.01, "{}", path.residual);
    }
}
