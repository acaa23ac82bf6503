//! The normal distribution function, fast: it is asked for tens of thousands of times a trial.

use std::sync::OnceLock;

/// Nodes for each standard deviation.
const NODES: f64 = 64.0;

/// Beyond so many standard deviations the distribution function is 0 or 1 to double precision.
const END: f64 = 9.0;

const NODES_COUNT: usize = 2 * 9 * 64 + 2;

/// `Phi` and its derivative at every node.
fn table() -> &'static [(f64, f64); NODES_COUNT] {
    static TABLE: OnceLock<Box<[(f64, f64); NODES_COUNT]>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Box::new([(0.0, 0.0); NODES_COUNT]);
        for (node, at) in (0_u32..).zip(table.iter_mut()) {
            let x = f64::from(node) / NODES - END;
            *at = (by_series(x), density(x));
        }
        table
    })
}

/// `P(X < x)` of a standard normal `X`, to 1e-10.
///
/// A cubic Hermite interpolation of a table: with steps of 1/64 its error is at most
/// `(1/64)^4 / 384 * max |Phi''''|`, 2e-10.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside the table")]
pub(super) fn phi(x: f64) -> f64 {
    if x <= -END {
        return 0.0;
    }
    if x >= END {
        return 1.0;
    }
    let place = (x + END) * NODES;
    let node = place as usize;
    let t = place - place.floor();
    let ((y0, d0), (y1, d1)) = (table()[node], table()[node + 1]);
    let (d0, d1) = (d0 / NODES, d1 / NODES);
    let (a, b) = (d0 - (y1 - y0), (y1 - y0) - d1);
    let u = 1.0 - t;
    u * y0 + t * y1 + t * u * (a * u + b * t)
}

/// The density of the standard normal distribution.
pub(super) fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// The logarithm of `P(from < X < to)` of a standard normal `X`; minus infinity where nothing is
/// left in double precision.
pub(super) fn ln_mass(from: f64, to: f64) -> f64 {
    let width = to - from;
    if width < 0.02 {
        // The density is straight enough: the relative error is width^2 x^2 / 24.
        let middle = f64::midpoint(from, to);
        return -0.5 * middle * middle + (width / (2.0 * std::f64::consts::PI).sqrt()).ln();
    }
    // In the upper tail the differences of numbers near one would lose all digits.
    let mass = if from > 0.0 { phi(-from) - phi(-to) } else { phi(to) - phi(from) };
    mass.max(0.0).ln()
}

/// The normal distribution function.
///
/// Source: Marsaglia (2004), "Evaluating the Normal Distribution":
/// `1/2 + phi(x) (x + x^3/3 + x^5/(3*5) + ...)`; of negative `x` by its complement.
fn by_series(x: f64) -> f64 {
    let distance = x.abs();
    let (mut term, mut sum, mut odd) = (distance, distance, 1.0);
    while term > sum * 1e-17 {
        odd += 2.0;
        term *= distance * distance / odd;
        sum += term;
    }
    let upper = (0.5 - density(x) * sum).max(0.0);
    if x < 0.0 { upper } else { 1.0 - upper }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_function_is_that_of_pythons_normal_distribution() {
        // statistics.NormalDist().cdf, Python 3.11.
        let cases = [
            (-3.0, 0.001_349_898_031_630_094_5),
            (-1.234, 0.108_601_452_121_524_28),
            (-0.01, 0.496_010_643_685_368_4),
            (0.0, 0.5),
            (0.777, 0.781_420_614_834_724_7),
            (1.96, 0.975_002_104_851_779_5),
            (4.2, 0.999_986_654_250_984_1),
        ];
        for (x, expected) in cases {
            assert!((phi(x) - expected).abs() < 5e-10, "{x}: {} is not {expected}", phi(x));
        }
        assert!(phi(-10.0) < 1e-20 && phi(10.0) > 1.0 - 1e-15);
    }

    #[test]
    fn the_mass_of_narrow_and_wide_intervals_agree() {
        for x in [-2.0, -0.3, 0.0, 1.5] {
            let parts: f64 = (0..10)
                .map(|part| {
                    let from = x + f64::from(part) * 0.019;
                    ln_mass(from, from + 0.019).exp()
                })
                .sum();
            let whole = ln_mass(x, x + 0.19).exp();
            assert!((parts / whole - 1.0).abs() < 1e-4, "{parts} is not {whole}");
        }
    }
}
