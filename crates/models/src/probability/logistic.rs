//! Logistic regression of a share on a few numbers, by Newton's method.

use super::count;
use crate::cholesky::Cholesky;

/// Half of it times the squares of the slopes is added to the loss: too little to be seen, and
/// enough for a minimum to exist when a score tells all outcomes apart. That of betacal.
const PENALTY: f64 = 1e-11;
/// Share by which the diagonal of the Hessian is raised, lest it be singular where scores are alike.
const DAMPING_SHARE: f64 = 1e-10;
/// A step that can gain no more than this, in nats over all rows, is the last.
const GAIN_MIN: f64 = 1e-10;
/// Most steps. Ten are usual; outcomes that a score tells apart need some forty.
const STEPS_MAX: usize = 100;
/// A step is halved at most so often.
const HALVINGS_MAX: usize = 40;

/// `1 / (1 + exp(-x))`.
pub(super) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

/// The logarithm of the odds of the mean of `targets`.
pub(super) fn log_odds(targets: &[f64]) -> f64 {
    let sum: f64 = targets.iter().sum();
    (sum / (count(targets.len()) - sum)).ln()
}

/// The weights `w` for which `sigmoid(w . row)` has the least cross entropy to the `targets`, shares
/// in 0..=1 with a mean between 0 and 1, one a row. The last number of a row stands for the intercept
/// and is 1; it alone has a weight where the search begins, that of the targets' mean.
///
/// Source: Lin, Lin, Weng (2007), "A Note on Platt's Probabilistic Outputs for Support Vector
/// Machines", section 3: Newton's method with backtracking, on a loss that does not overflow.
pub(super) fn fit<const N: usize>(rows: &[[f64; N]], targets: &[f64]) -> [f64; N] {
    let mut weights = [0.0; N];
    weights[N - 1] = log_odds(targets);
    for _ in 0..STEPS_MAX {
        let (gradient, hessian) = derivatives(rows, targets, &weights);
        let Some(factor) = Cholesky::of(hessian) else { break };
        let mut step = gradient;
        factor.solve(&mut step);
        // How far the loss would fall if it were quadratic, twice.
        let gain: f64 = step.iter().zip(&gradient).map(|(s, g)| s * g).sum();
        if gain <= GAIN_MIN {
            weights = moved(&weights, &step, 1.0);
            break;
        }
        let before = loss(rows, targets, &weights);
        let next = (0..HALVINGS_MAX)
            .map(|halvings| 0.5_f64.powi(i32::try_from(halvings).unwrap_or(i32::MAX)))
            .map(|share| (share, moved(&weights, &step, share)))
            .find(|(share, next)| loss(rows, targets, next) < before - 1e-4 * share * gain);
        match next {
            Some((_, next)) => weights = next,
            None => break,
        }
    }
    weights
}

fn moved<const N: usize>(weights: &[f64; N], step: &[f64; N], share: f64) -> [f64; N] {
    std::array::from_fn(|i| weights[i] - share * step[i])
}

fn dot<const N: usize>(weights: &[f64; N], row: &[f64; N]) -> f64 {
    weights.iter().zip(row).map(|(w, x)| w * x).sum()
}

fn loss<const N: usize>(rows: &[[f64; N]], targets: &[f64], weights: &[f64; N]) -> f64 {
    let of_row = |(row, target): (&[f64; N], &f64)| {
        let x = dot(weights, row);
        (-x.abs()).exp().ln_1p() + if x >= 0.0 { (1.0 - target) * x } else { -target * x }
    };
    let penalty = weights[..N - 1].iter().map(|w| w * w).sum::<f64>() * PENALTY / 2.0;
    rows.iter().zip(targets).map(of_row).sum::<f64>() + penalty
}

/// The gradient, and the lower triangle of the Hessian.
fn derivatives<const N: usize>(
    rows: &[[f64; N]],
    targets: &[f64],
    weights: &[f64; N],
) -> ([f64; N], Vec<Vec<f64>>) {
    let mut gradient = [0.0; N];
    let mut hessian: Vec<Vec<f64>> = (0..N).map(|i| vec![0.0; i + 1]).collect();
    for (row, target) in rows.iter().zip(targets) {
        let p = sigmoid(dot(weights, row));
        for i in 0..N {
            gradient[i] += (p - target) * row[i];
            for j in 0..=i {
                hessian[i][j] += p * (1.0 - p) * row[i] * row[j];
            }
        }
    }
    for i in 0..N {
        if i + 1 < N {
            gradient[i] += PENALTY * weights[i];
            hessian[i][i] += PENALTY;
        }
        hessian[i][i] *= 1.0 + DAMPING_SHARE;
    }
    (gradient, hessian)
}
