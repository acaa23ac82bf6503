//! Least squares with a penalty on absolute values, solved exactly.

use crate::cholesky::{Cholesky, dot};

/// Minimises `x' S x / 2 - g' x + penalty * sum |x|` by an active set, starting at `x`.
///
/// `s` is the full symmetric positive definite matrix. Within a choice of signs the minimum is a
/// linear system; a coefficient that would change its sign on the way there leaves, and the one
/// that gains most enters, until nothing gains. Each step lowers the objective, so that no choice
/// of signs comes twice.
///
/// Source: Lee, Battle, Raina, Ng (2007), "Efficient sparse coding algorithms", feature-sign
/// search; a step ends at the first change of sign.
pub(crate) fn minimise(s: &[Vec<f64>], g: &[f64], penalty: f64, x: &mut [f64]) {
    let mut active: Vec<(usize, f64)> =
        (0..x.len()).filter(|i| x[*i].abs() > 0.0).map(|i| (i, x[i].signum())).collect();
    // Far more steps than there are ever changes of sign; rounding could make two points change
    // places for ever.
    for _ in 0..100 * (x.len() + 1) {
        if !active.is_empty() && !step(s, g, penalty, &mut active, x) {
            continue;
        }
        let gains = (0..x.len())
            .filter(|i| active.iter().all(|(used, _)| used != i))
            .map(|i| (i, g[i] - dot(&s[i], x)))
            .filter(|(_, slope)| slope.abs() > penalty * (1.0 + 1e-9));
        match gains.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())) {
            Some((i, slope)) => active.push((i, slope.signum())),
            None => return,
        }
    }
}

/// Goes towards the minimum over the active coefficients with the signs they have; whether it got
/// there. The coefficient that became zero first has left otherwise.
fn step(
    s: &[Vec<f64>],
    g: &[f64],
    penalty: f64,
    active: &mut Vec<(usize, f64)>,
    x: &mut [f64],
) -> bool {
    let rows = (active.iter().enumerate())
        .map(|(a, (i, _))| active[..=a].iter().map(|(j, _)| s[*i][*j]).collect())
        .collect();
    let mut target: Vec<f64> = active.iter().map(|(i, sign)| g[*i] - penalty * sign).collect();
    Cholesky::of(rows).expect("the caller gives a positive definite matrix").solve(&mut target);

    let mut share = 1.0;
    let mut leaves = None;
    for (a, ((i, sign), target)) in active.iter().zip(&target).enumerate() {
        if target * sign <= 0.0 {
            let until_zero = if x[*i].abs() > 0.0 { x[*i] / (x[*i] - target) } else { 0.0 };
            if leaves.is_none() || until_zero < share {
                (share, leaves) = (until_zero, Some(a));
            }
        }
    }
    for ((i, _), target) in active.iter().zip(&target) {
        x[*i] += share * (target - x[*i]);
    }
    if let Some(a) = leaves {
        x[active.remove(a).0] = 0.0;
    }
    leaves.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix `B B' + I / 10` and a vector of pseudo-random numbers.
    fn problem(width: usize, seed: u64) -> (Vec<Vec<f64>>, Vec<f64>) {
        let mut state = seed;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1_u32 << 31) - 0.5
        };
        let b: Vec<Vec<f64>> = (0..width).map(|_| (0..width).map(|_| draw()).collect()).collect();
        let entry = |i: usize, j: usize| dot(&b[i], &b[j]) + if i == j { 0.1 } else { 0.0 };
        let s = (0..width).map(|i| (0..width).map(|j| entry(i, j)).collect()).collect();
        (s, (0..width).map(|_| draw()).collect())
    }

    #[test]
    fn the_minimum_meets_the_optimality_conditions_wherever_the_search_begins() {
        for seed in 0..50 {
            let (s, g) = problem(12, seed);
            for penalty in [0.0, 0.02, 0.1, 10.0] {
                let mut x = vec![0.0; 12];
                minimise(&s, &g, penalty, &mut x);
                for i in 0..12 {
                    let slope = g[i] - dot(&s[i], &x);
                    if x[i].abs() > 0.0 {
                        assert!((slope - penalty * x[i].signum()).abs() < 1e-9, "seed {seed}");
                    } else {
                        assert!(slope.abs() <= penalty * (1.0 + 1e-6), "seed {seed}");
                    }
                }
                let mut other = vec![1.0; 12];
                minimise(&s, &g, penalty, &mut other);
                let differ = x.iter().zip(&other).any(|(a, b)| (a - b).abs() > 1e-9);
                assert!(!differ, "seed {seed}, penalty {penalty}: {x:?} and {other:?}");
            }
        }
    }
}
