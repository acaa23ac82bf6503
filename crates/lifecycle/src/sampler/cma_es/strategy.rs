//! The evolution strategy with covariance matrix adaptation.

use crate::sampler::cma_es::eigen::eigen;

/// The least eigenvalue, so that rounding leaves no direction without width.
const EIGENVALUE_MIN: f64 = 1e-16;

/// The largest step size.
const SIGMA_MAX: f64 = 1e32;

/// A normal distribution that learns from generations.
///
/// After Hansen (2016), "The CMA Evolution Strategy: A Tutorial", appendix A, in its letters, with
/// active (negative) weights, as implemented in the Python package `cmaes` 0.13.1.
#[derive(Clone, Debug)]
pub(super) struct Strategy {
    lambda: usize,
    weights: Weights,
    mean: Vec<f64>,
    sigma: f64,
    /// Evolution path of the step size.
    p_sigma: Vec<f64>,
    /// Evolution path of the covariance.
    p_c: Vec<f64>,
    /// Row by row.
    covariance: Vec<f64>,
    /// Roots of the eigenvalues, and eigenvectors as columns.
    d: Vec<f64>,
    b: Vec<f64>,
    generation: i32,
}

/// What follows from the number of dimensions.
#[derive(Clone, Debug)]
struct Weights {
    mu: usize,
    mu_eff: f64,
    w: Vec<f64>,
    c_1: f64,
    c_mu: f64,
    c_c: f64,
    c_sigma: f64,
    d_sigma: f64,
    /// Expected length of a standard normal vector.
    chi_n: f64,
}

impl Weights {
    /// Equations 48 to 58.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "few dimensions"
    )]
    fn new(dimensions: usize) -> (usize, Self) {
        let n = dimensions as f64;
        let lambda = 4 + (3.0 * n.ln()).floor() as usize;
        let mu = lambda / 2;
        let raw: Vec<f64> =
            (1..=lambda).map(|i| ((lambda as f64 + 1.0) / 2.0).ln() - (i as f64).ln()).collect();
        let effective =
            |w: &[f64]| w.iter().sum::<f64>().powi(2) / w.iter().map(|w| w * w).sum::<f64>();
        let (mu_eff, mu_eff_minus) = (effective(&raw[..mu]), effective(&raw[mu..]));
        let c_1 = 2.0 / ((n + 1.3).powi(2) + mu_eff);
        let c_mu = (2.0 * (mu_eff - 2.0 + 1.0 / mu_eff) / ((n + 2.0).powi(2) + mu_eff))
            .min(1.0 - c_1 - 1e-8);
        let alpha_minus = (1.0 + c_1 / c_mu)
            .min(1.0 + 2.0 * mu_eff_minus / (mu_eff + 2.0))
            .min((1.0 - c_1 - c_mu) / (n * c_mu));
        let positive: f64 = raw.iter().filter(|w| **w > 0.0).sum();
        let negative: f64 = raw.iter().filter(|w| **w < 0.0).map(|w| -w).sum();
        let scaled = |w: &f64| if *w >= 0.0 { w / positive } else { w * alpha_minus / negative };
        let c_sigma = (mu_eff + 2.0) / (n + mu_eff + 5.0);
        let weights = Self {
            mu,
            mu_eff,
            w: raw.iter().map(scaled).collect(),
            c_1,
            c_mu,
            c_c: (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n),
            c_sigma,
            d_sigma: 1.0 + 2.0 * (((mu_eff - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + c_sigma,
            chi_n: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
        };
        (lambda, weights)
    }
}

impl Strategy {
    /// A round distribution around `mean` with the standard deviation `sigma`.
    pub(super) fn new(mean: Vec<f64>, sigma: f64) -> Self {
        let size = mean.len();
        let (lambda, weights) = Weights::new(size);
        let mut identity = vec![0.0; size * size];
        for row in 0..size {
            identity[row * size + row] = 1.0;
        }
        Self {
            lambda,
            weights,
            mean,
            sigma,
            p_sigma: vec![0.0; size],
            p_c: vec![0.0; size],
            covariance: identity.clone(),
            d: vec![1.0; size],
            b: identity,
            generation: 0,
        }
    }

    /// How many members a generation has.
    pub(super) const fn population_size(&self) -> usize {
        self.lambda
    }

    /// The place that a standard normal vector stands for.
    pub(super) fn at(&self, z: &[f64]) -> Vec<f64> {
        let size = self.mean.len();
        let stretched: Vec<f64> = z.iter().zip(&self.d).map(|(z, d)| z * d).collect();
        let y = |row: usize| dot(&self.b[row * size..(row + 1) * size], &stretched);
        (0..size).map(|row| self.mean[row] + self.sigma * y(row)).collect()
    }

    /// The standard normal vector that stands for a place.
    pub(super) fn steps_to(&self, place: &[f64]) -> Vec<f64> {
        let y: Vec<f64> = place.iter().zip(&self.mean).map(|(x, m)| (x - m) / self.sigma).collect();
        self.along_axes(&y)
    }

    /// Learns from a generation: places and losses.
    pub(super) fn tell(&mut self, mut members: Vec<(Vec<f64>, f64)>) {
        let size = self.mean.len();
        let Weights { mu, mu_eff, c_1, c_mu, c_c, c_sigma, d_sigma, chi_n, .. } = self.weights;
        self.generation += 1;
        members.sort_by(|a, b| a.1.total_cmp(&b.1));
        let step = |place: &[f64]| -> Vec<f64> {
            place.iter().zip(&self.mean).map(|(x, m)| (x - m) / self.sigma).collect()
        };
        let steps: Vec<Vec<f64>> = members.iter().map(|(place, _)| step(place)).collect();
        let good = || self.weights.w[..mu].iter().zip(&steps);
        let y_w: Vec<f64> =
            (0..size).map(|at| good().map(|(w, y)| w * y[at]).sum::<f64>()).collect();

        let whitened = self.whiten(&y_w);
        let scale = (c_sigma * (2.0 - c_sigma) * mu_eff).sqrt();
        for (p, y) in self.p_sigma.iter_mut().zip(&whitened) {
            *p = (1.0 - c_sigma) * *p + scale * y;
        }
        let length = dot(&self.p_sigma, &self.p_sigma).sqrt();
        let memory = (1.0 - c_sigma).powi(2 * (self.generation + 1));
        let is_steady =
            length / (1.0 - memory).sqrt() < (1.4 + 2.0 / (dimensions(size) + 1.0)) * chi_n;
        let h_sigma = f64::from(u8::from(is_steady));
        let scale = h_sigma * (c_c * (2.0 - c_c) * mu_eff).sqrt();
        for (p, y) in self.p_c.iter_mut().zip(&y_w) {
            *p = (1.0 - c_c) * *p + scale * y;
        }
        let ranked: Vec<f64> = self
            .weights
            .w
            .iter()
            .zip(&steps)
            .map(|(&w, y)| {
                let z = self.whiten(y);
                if w >= 0.0 { w } else { w * dimensions(size) / (dot(&z, &z) + 1e-8) }
            })
            .collect();
        let lost = (1.0 - h_sigma) * c_c * (2.0 - c_c);
        let kept = 1.0 + c_1 * lost - c_1 - c_mu * self.weights.w.iter().sum::<f64>();
        for row in 0..size {
            for column in 0..size {
                let rank_mu: f64 =
                    ranked.iter().zip(&steps).map(|(w, y)| w * y[row] * y[column]).sum();
                let at = &mut self.covariance[row * size + column];
                *at = kept * *at + c_1 * self.p_c[row] * self.p_c[column] + c_mu * rank_mu;
            }
        }
        for (m, y) in self.mean.iter_mut().zip(&y_w) {
            *m += self.sigma * y;
        }
        self.sigma *= ((c_sigma / d_sigma) * (length / chi_n - 1.0)).exp();
        self.sigma = self.sigma.min(SIGMA_MAX);
        let (values, vectors) = eigen(&self.covariance, size);
        self.d = values.iter().map(|value| value.max(EIGENVALUE_MIN).sqrt()).collect();
        self.b = vectors;
    }

    /// `D^(-1) B' y`.
    fn along_axes(&self, y: &[f64]) -> Vec<f64> {
        let size = y.len();
        let along = |k: usize| (0..size).map(|row| self.b[row * size + k] * y[row]).sum::<f64>();
        (0..size).map(|k| along(k) / self.d[k]).collect()
    }

    /// `C^(-1/2) y`.
    fn whiten(&self, y: &[f64]) -> Vec<f64> {
        let size = y.len();
        let turned = self.along_axes(y);
        (0..size).map(|row| dot(&self.b[row * size..(row + 1) * size], &turned)).collect()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[expect(clippy::cast_precision_loss, reason = "few dimensions")]
fn dimensions(size: usize) -> f64 {
    size as f64
}
