//! What the newest trials say about places that nobody has tried.

use std::collections::VecDeque;

use crate::sampler::cma_es::eigen::eigen;

/// How many trials are kept for each coefficient of the full quadratic.
const KEPT_PER_COEFFICIENT: usize = 2;

/// How many trials there must be for each coefficient that is fitted.
const TRIALS_PER_COEFFICIENT: f64 = 1.1;

/// How much more than the worst trial the best one weighs.
const WEIGHT_MAX: f64 = 20.0;

/// Eigenvalues below this share of the largest one count as zero.
const EIGENVALUE_SHARE_MIN: f64 = 1e-12;

/// The newest complete trials: places and losses.
#[derive(Clone, Debug)]
pub(super) struct Archive {
    trials: VecDeque<(Vec<f64>, f64)>,
    trials_max: usize,
}

impl Archive {
    /// For places of so many dimensions.
    pub(super) fn new(dimensions: usize) -> Self {
        let trials_max = KEPT_PER_COEFFICIENT * Terms::Products.count(dimensions);
        Self { trials: VecDeque::new(), trials_max }
    }

    /// Takes a trial; one without a finite loss says nothing.
    pub(super) fn push(&mut self, place: Vec<f64>, loss: f64) {
        if !loss.is_finite() {
            return;
        }
        if self.trials.len() == self.trials_max {
            self.trials.pop_front();
        }
        self.trials.push_back((place, loss));
    }

    /// The quadratic through the trials, in the coordinates that `to_steps` gives of a place; `None`
    /// while there are too few of them.
    pub(super) fn quadratic(&self, to_steps: impl Fn(&[f64]) -> Vec<f64>) -> Option<Quadratic> {
        let dimensions = self.trials.front()?.0.len();
        let terms = Terms::affordable(self.trials.len(), dimensions)?;
        let rows: Vec<Vec<f64>> =
            self.trials.iter().map(|(place, _)| terms.of(&to_steps(place))).collect();
        let losses: Vec<f64> = self.trials.iter().map(|&(_, loss)| loss).collect();
        let coefficients = least_squares(&rows, &losses, &weights(&losses));
        Some(Quadratic { terms, coefficients })
    }
}

/// A loss as a polynomial of degree one or two.
///
/// After Hansen (2019), "A Global Surrogate Assisted CMA-ES" (GECCO), as implemented in the Python
/// package `cma` as `LQModel`: linear at first, then with squares, then with products, each when there
/// are 1.1 trials for each coefficient; better trials weigh more, linearly by rank up to 20 times; the
/// pseudo-inverse decides where the trials do not. The coordinates are those of the strategy's own
/// distribution here, so that early and late generations are fitted equally well.
#[derive(Clone, Debug)]
pub(super) struct Quadratic {
    terms: Terms,
    coefficients: Vec<f64>,
}

impl Quadratic {
    /// The loss that is expected at these steps.
    pub(super) fn at(&self, steps: &[f64]) -> f64 {
        dot(&self.coefficients, &self.terms.of(steps))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Terms {
    Linear,
    Squares,
    Products,
}

impl Terms {
    /// The most that so many trials can bear.
    fn affordable(trials_count: usize, dimensions: usize) -> Option<Self> {
        [Self::Products, Self::Squares, Self::Linear].into_iter().find(|terms| {
            as_f64(trials_count) >= TRIALS_PER_COEFFICIENT * as_f64(terms.count(dimensions))
        })
    }

    const fn count(self, dimensions: usize) -> usize {
        match self {
            Self::Linear => 1 + dimensions,
            Self::Squares => 1 + 2 * dimensions,
            Self::Products => (dimensions + 1) * (dimensions + 2) / 2,
        }
    }

    fn of(self, steps: &[f64]) -> Vec<f64> {
        let mut terms = vec![1.0];
        terms.extend(steps);
        if self != Self::Linear {
            terms.extend(steps.iter().map(|step| step * step));
        }
        if self == Self::Products {
            for (at, step) in steps.iter().enumerate() {
                terms.extend(steps[..at].iter().map(|other| step * other));
            }
        }
        terms
    }
}

/// Falling linearly with the rank from [`WEIGHT_MAX`] for the least loss to one for the largest.
fn weights(losses: &[f64]) -> Vec<f64> {
    let mut by_loss: Vec<usize> = (0..losses.len()).collect();
    by_loss.sort_by(|&a, &b| losses[a].total_cmp(&losses[b]));
    let mut weights = vec![WEIGHT_MAX; losses.len()];
    for (rank, &at) in by_loss.iter().enumerate().skip(1) {
        let share = as_f64(rank) / as_f64(losses.len() - 1);
        weights[at] = WEIGHT_MAX - (WEIGHT_MAX - 1.0) * share;
    }
    weights
}

/// The shortest coefficients with the least sum of weighted squared errors.
fn least_squares(rows: &[Vec<f64>], y: &[f64], weights: &[f64]) -> Vec<f64> {
    let size = rows[0].len();
    let mut gram = vec![0.0; size * size];
    let mut moments = vec![0.0; size];
    for ((row, y), weight) in rows.iter().zip(y).zip(weights) {
        for (i, a) in row.iter().enumerate() {
            moments[i] += weight * a * y;
            for (sum, b) in gram[i * size..].iter_mut().zip(row) {
                *sum += weight * a * b;
            }
        }
    }
    let (values, vectors) = eigen(&gram, size);
    let least = EIGENVALUE_SHARE_MIN * values.iter().copied().fold(0.0, f64::max);
    let mut coefficients = vec![0.0; size];
    for (k, value) in values.iter().enumerate().filter(|(_, value)| **value > least) {
        let vector = || vectors.iter().skip(k).step_by(size);
        let length = vector().zip(&moments).map(|(v, m)| v * m).sum::<f64>() / value;
        for (coefficient, v) in coefficients.iter_mut().zip(vector()) {
            *coefficient += length * v;
        }
    }
    coefficients
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[expect(clippy::cast_precision_loss, reason = "few trials")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(count: usize, loss: impl Fn(&[f64]) -> f64) -> Archive {
        let mut archive = Archive::new(2);
        for at in 0..count {
            // Points of a lattice that no conic goes through.
            let share = |prime: f64| (as_f64(at) * prime.sqrt()).fract() * 4.0 - 2.0;
            let place = vec![share(2.0), share(3.0)];
            let loss = loss(&place);
            archive.push(place, loss);
        }
        archive
    }

    #[test]
    fn a_quadratic_is_found_from_eight_trials_on_and_a_plane_from_four() {
        let quadratic = |x: &[f64]| 3.0 + x[0] - 2.0 * x[1] + x[0] * x[0] + 0.5 * x[0] * x[1];
        let plane = |x: &[f64]| 3.0 + x[0] - 2.0 * x[1];
        let expected = |archive: &Archive| {
            let quadratic = archive.quadratic(<[f64]>::to_vec).unwrap();
            quadratic.at(&[0.3, -1.1])
        };
        assert!(archive(3, plane).quadratic(<[f64]>::to_vec).is_none(), "too few for a plane");
        assert!((expected(&archive(4, plane)) - plane(&[0.3, -1.1])).abs() < 1e-9);
        assert!((expected(&archive(7, quadratic)) - quadratic(&[0.3, -1.1])).abs() < 1e-9);
        assert!((expected(&archive(6, quadratic)) - quadratic(&[0.3, -1.1])).abs() > 1e-3);
    }

    #[test]
    fn trials_on_a_line_and_losses_without_end_are_survived() {
        let mut archive = Archive::new(2);
        for at in 0..30 {
            let x = as_f64(at) / 10.0;
            archive.push(vec![x, 0.5], (x - 1.0).powi(2));
            archive.push(vec![x, 0.5], f64::INFINITY);
        }
        let quadratic = archive.quadratic(<[f64]>::to_vec).unwrap();
        assert!((quadratic.at(&[1.7, 0.5]) - 0.49).abs() < 1e-6, "{quadratic:?}");
    }

    #[test]
    fn the_newest_trials_speak() {
        let mut archive = archive(12, |x| x[0]);
        for (place, _) in archive.trials.clone() {
            archive.push(place, 7.0);
        }
        let quadratic = archive.quadratic(<[f64]>::to_vec).unwrap();
        assert!((quadratic.at(&[1.0, 1.0]) - 7.0).abs() < 1e-9, "{quadratic:?}");
    }
}
