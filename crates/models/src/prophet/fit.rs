//! The parameters of highest posterior density.
//!
//! The posterior is Stan's model of Prophet: normal noise, normal priors on slope, offset and
//! coefficients, Laplace priors on slope changes, a half-normal prior on the noise. Given the noise,
//! a model that is linear in its parameters is least squares with a ridge on the coefficients and a
//! lasso on the slope changes, and solved exactly; given the rest, the noise has a closed form. The
//! two alternate until nothing is gained. A model that is not linear (logistic growth,
//! multiplicative terms) is linearised where it stands, again and again, with damping where a step
//! would lose (Gauss-Newton after Levenberg and Marquardt); the lasso stays exact, so that slope
//! changes are zero where Stan's search only comes near it.

use super::lasso;
use super::trend::Trend;
use crate::cholesky::{Cholesky, dot};

/// Standard deviation of the priors of slope and offset.
const TREND_PRIOR_SCALE: f64 = 5.0;
/// Least standard deviation of the noise, of a series scaled to 1. A series that the model meets
/// exactly would have none, and an infinite density.
const SIGMA_MIN: f64 = 1e-6;
/// Least ridge, as a share of the diagonal, so that columns which depend on each other (three weekly
/// harmonics on five weekdays) stay solvable when there is hardly any noise.
const RIDGE_SHARE_MIN: f64 = 1e-11;
/// The search ends when a step gains less than this, in units of the logarithm of the density.
const GAIN_MIN: f64 = 1e-7;
/// Most steps, those included that were taken back. Linear models need about ten, multiplicative
/// terms as many, logistic growth of long series a hundred and more.
const STEPS_MAX: usize = 300;

/// A series and the columns that explain it, all scaled.
#[derive(Debug)]
pub(crate) struct Problem<'a> {
    /// Time of each row, 0..=1, ascending.
    pub(crate) t: &'a [f64],
    /// The series.
    pub(crate) y: &'a [f64],
    /// Columns beside the trend, with their priors' scales.
    pub(crate) terms: &'a [Term],
    /// Scale of the Laplace prior of slope changes.
    pub(crate) changepoint_prior_scale: f64,
}

/// A column beside the trend.
#[derive(Debug)]
pub(crate) struct Term {
    /// One value a row.
    pub(crate) values: Vec<f64>,
    /// Whether it multiplies the trend, or adds to it.
    pub(crate) multiplies: bool,
    /// Standard deviation of the normal prior of its coefficient.
    pub(crate) prior_scale: f64,
}

/// What is searched for.
#[derive(Clone, Debug)]
pub(crate) struct Estimate {
    pub(crate) trend: Trend,
    /// The coefficient of each term.
    pub(crate) betas: Vec<f64>,
    /// Standard deviation of the noise.
    pub(crate) sigma: f64,
}

/// What an estimate makes of each row.
#[derive(Debug)]
struct Fit {
    trend: Vec<f64>,
    /// One and the sum of the multiplicative terms.
    factor: Vec<f64>,
    residuals: Vec<f64>,
    squares_sum: f64,
}

/// The normal equations of the linearised model; parameters in the order slope, offset,
/// coefficients, slope changes.
#[derive(Debug)]
struct NormalEquations {
    /// The lower triangle.
    gram: Vec<Vec<f64>>,
    right: Vec<f64>,
}

impl Problem<'_> {
    /// The estimate of highest density that the search reaches from `start`, whose trend gives
    /// growth and changepoints.
    pub(crate) fn maximise(&self, start: Estimate) -> Estimate {
        let linear = start.trend.cap.is_none() && self.terms.iter().all(|term| !term.multiplies);
        let mut best = start;
        let mut fit = self.evaluate(&best);
        best.sigma = self.best_sigma(fit.squares_sum);
        let mut density = self.log_density(&best, fit.squares_sum);
        let mut equations = self.linearise(&best, &fit);
        let mut damping = 0.0;
        for _ in 0..STEPS_MAX {
            let mut next = self.solve(&equations, &best, damping);
            let next_fit = self.evaluate(&next);
            next.sigma = self.best_sigma(next_fit.squares_sum);
            let next_density = self.log_density(&next, next_fit.squares_sum);
            if next_density.is_nan() || next_density < density {
                // The last digits of a minimum, or a step too far.
                if linear || damping > 1e6 {
                    break;
                }
                damping = f64::max(1e-4, damping * 10.0);
                continue;
            }
            let gain = next_density - density;
            (best, fit, density) = (next, next_fit, next_density);
            if gain < GAIN_MIN {
                break;
            }
            damping = if damping > 1e-5 { damping / 10.0 } else { 0.0 };
            if !linear {
                equations = self.linearise(&best, &fit);
            }
        }
        best
    }

    /// The logarithm of the posterior density without its constants, as Stan's `lp__`.
    pub(crate) fn log_posterior(&self, estimate: &Estimate) -> f64 {
        self.log_density(estimate, self.evaluate(estimate).squares_sum)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    fn log_density(&self, estimate: &Estimate, squares_sum: f64) -> f64 {
        let Estimate { trend, betas, sigma } = estimate;
        let changes: f64 = trend.deltas.iter().map(|delta| delta.abs()).sum();
        let coefficients: f64 = (betas.iter().zip(self.terms))
            .map(|(beta, term)| (beta / term.prior_scale).powi(2))
            .sum();
        -(self.y.len() as f64) * sigma.ln()
            - squares_sum / (2.0 * sigma * sigma)
            - (trend.k * trend.k + trend.m * trend.m) / (2.0 * TREND_PRIOR_SCALE.powi(2))
            - changes / self.changepoint_prior_scale
            - coefficients / 2.0
            // The half-normal prior of scale 0.5.
            - 2.0 * sigma * sigma
    }

    /// Where the density of the noise is highest: the root of `4 s^4 + n s^2 - sum of squares`.
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    fn best_sigma(&self, squares_sum: f64) -> f64 {
        let n = self.y.len() as f64;
        (2.0 * squares_sum / (n + (n * n + 16.0 * squares_sum).sqrt())).sqrt().max(SIGMA_MIN)
    }

    fn evaluate(&self, estimate: &Estimate) -> Fit {
        let trend: Vec<f64> = (self.t.iter())
            .map(|&t| estimate.trend.value(estimate.trend.piecewise_linear(t)))
            .collect();
        let mut factor = vec![1.0; trend.len()];
        let mut sum = vec![0.0; trend.len()];
        for (term, beta) in self.terms.iter().zip(&estimate.betas) {
            let target = if term.multiplies { &mut factor } else { &mut sum };
            for (target, value) in target.iter_mut().zip(&term.values) {
                *target += beta * value;
            }
        }
        let residuals: Vec<f64> = (0..trend.len())
            .map(|row| self.y[row] - (trend[row] * factor[row] + sum[row]))
            .collect();
        let squares_sum = dot(&residuals, &residuals);
        Fit { trend, factor, residuals, squares_sum }
    }

    /// The normal equations for the parameters themselves, not for their change.
    fn linearise(&self, at: &Estimate, fit: &Fit) -> NormalEquations {
        let Trend { k, m, changepoints, deltas, cap } = &at.trend;
        let rises: Vec<f64> = (fit.trend.iter().zip(&fit.factor))
            .map(|(value, factor)| at.trend.slope(*value) * factor)
            .collect();
        let of_time = |derivative: &dyn Fn(f64) -> f64| -> Vec<f64> {
            self.t.iter().zip(&rises).map(|(t, rise)| derivative(*t) * rise).collect()
        };
        let mut columns = match cap {
            None => vec![of_time(&|t| t), of_time(&|_| 1.0)],
            Some(_) => vec![of_time(&|t| t - m), of_time(&|_| -k)],
        };
        columns.extend(self.terms.iter().map(|term| match term.multiplies {
            true => {
                term.values.iter().zip(&fit.trend).map(|(value, trend)| value * trend).collect()
            }
            false => term.values.clone(),
        }));
        columns.extend(changepoints.iter().map(|at| of_time(&|t| (t - at).max(0.0))));

        let mut target = fit.residuals.clone();
        let parameters = [*k, *m].into_iter().chain(at.betas.iter().chain(deltas).copied());
        for (column, parameter) in columns.iter().zip(parameters) {
            for (target, value) in target.iter_mut().zip(column) {
                *target += parameter * value;
            }
        }
        let gram = (0..columns.len())
            .map(|i| columns[..=i].iter().map(|column| dot(&columns[i], column)).collect())
            .collect();
        NormalEquations { gram, right: columns.iter().map(|c| dot(c, &target)).collect() }
    }

    /// The best parameters of the linearised model at the noise of `from`; with damping, nearer to
    /// those of `from`.
    ///
    /// Slope, offset and coefficients are eliminated, which leaves a lasso over the slope changes.
    fn solve(&self, equations: &NormalEquations, from: &Estimate, damping: f64) -> Estimate {
        let free_count = 2 + self.terms.len();
        let variance = from.sigma * from.sigma;
        let trend_scales = [TREND_PRIOR_SCALE; 2].into_iter();
        let scales = trend_scales.chain(self.terms.iter().map(|term| term.prior_scale));
        let mut right = equations.right.clone();
        let current = [from.trend.k, from.trend.m];
        let current = current.iter().chain(&from.betas).chain(&from.trend.deltas);
        for ((right, current), row) in right.iter_mut().zip(current).zip(&equations.gram) {
            *right += damping * row[row.len() - 1] * current;
        }

        let (free_rows, change_rows) = equations.gram.split_at(free_count);
        let mut free_rows = free_rows.to_vec();
        for (row, scale) in free_rows.iter_mut().zip(scales) {
            let diagonal = row.last_mut().expect("row i has i + 1 values");
            // A column of zeros is held by its prior alone.
            let ridge = (variance / (scale * scale)).max(RIDGE_SHARE_MIN * *diagonal);
            *diagonal += ridge + damping * *diagonal;
        }
        let free = Cholesky::of(free_rows).expect("every diagonal has a ridge above rounding");

        let (free_right, mut change_right) =
            (&mut right[..free_count].to_vec(), right[free_count..].to_vec());
        free.solve_lower(free_right);
        let couplings: Vec<Vec<f64>> = (change_rows.iter())
            .map(|row| {
                let mut coupling = row[..free_count].to_vec();
                free.solve_lower(&mut coupling);
                coupling
            })
            .collect();
        let mut schur = vec![vec![0.0; couplings.len()]; couplings.len()];
        for (i, row) in change_rows.iter().enumerate() {
            for j in 0..=i {
                let value = row[free_count + j] - dot(&couplings[i], &couplings[j]);
                (schur[i][j], schur[j][i]) = (value, value);
            }
            schur[i][i] += (RIDGE_SHARE_MIN + damping) * row[free_count + i];
            change_right[i] -= dot(&couplings[i], free_right);
        }
        let mut deltas = from.trend.deltas.clone();
        lasso::minimise(
            &schur,
            &change_right,
            variance / self.changepoint_prior_scale,
            &mut deltas,
        );

        for (coupling, delta) in couplings.iter().zip(&deltas) {
            for (value, coupling) in free_right.iter_mut().zip(coupling) {
                *value -= delta * coupling;
            }
        }
        free.solve_upper(free_right);
        let trend = Trend { k: free_right[0], m: free_right[1], deltas, ..from.trend.clone() };
        Estimate { trend, betas: free_right[2..].to_vec(), sigma: from.sigma }
    }
}
