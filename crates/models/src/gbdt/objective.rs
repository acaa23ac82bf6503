//! What trees are trained for: losses with their gradients, start and leaf answers.
//!
//! Definitions and constants are LightGBM's (`regression_objective.hpp`, `binary_objective.hpp` and
//! `rank_objective.hpp` of its 4.7.0); ranking is that of Burges (2010), "From `RankNet` to
//! `LambdaRank` to `LambdaMART`".

use jiff::civil::DateTime;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::forecaster::FitError;

/// What boosted trees are trained for, under LightGBM's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Squared error: forecasts the mean.
    #[default]
    Regression,
    /// Squared error up to `alpha` and absolute error beyond it: single wild targets weigh less.
    Huber {
        /// Where the loss becomes linear, in units of the target; positive.
        alpha: f64,
    },
    /// Pinball loss: forecasts a quantile.
    Quantile {
        /// The share of targets below the forecast, above 0 and below 1.
        alpha: f64,
    },
    /// Log loss: forecasts the probability that the target is above zero.
    Binary,
    /// `LambdaRank` over the rows of each day: the forecast is a score without units, higher for
    /// rows whose targets are in a higher fifth of their day's. Scores of different days do not
    /// compare.
    Lambdarank,
}

/// How many of the best of a day the ranking is judged by; LightGBM's
/// `lambdarank_truncation_level`.
const TRUNCATION_LEVEL: usize = 30;

/// Grades of relevance within a day.
const GRADES_COUNT: usize = 5;

/// A mean probability is kept this far from 0 and 1.
const PROBABILITY_MIN: f64 = 1e-15;

/// Rows handed to one thread at a time.
const ROWS_PER_CHUNK: usize = 16_384;

impl Objective {
    /// Says what is wrong with the parameters of the objective.
    pub(crate) fn check(self) -> Result<(), FitError> {
        let (name, value, holds, range) = match self {
            Self::Huber { alpha } => {
                ("huber alpha", alpha, alpha > 0.0 && alpha.is_finite(), "positive")
            }
            Self::Quantile { alpha } => {
                ("quantile alpha", alpha, alpha > 0.0 && alpha < 1.0, "above 0 and below 1")
            }
            Self::Regression | Self::Binary | Self::Lambdarank => return Ok(()),
        };
        if holds { Ok(()) } else { Err(FitError::Parameter { name, value, range }) }
    }

    /// LightGBM's line on a model of this objective.
    pub(crate) fn line(self) -> &'static str {
        match self {
            Self::Regression => "regression",
            Self::Huber { .. } => "huber",
            Self::Quantile { .. } => "quantile",
            Self::Binary => "binary sigmoid:1",
            Self::Lambdarank => "lambdarank",
        }
    }

    /// The best forecast, before the link, that is the same for all rows.
    #[expect(clippy::cast_precision_loss, reason = "row counts have 24 bits")]
    fn start(self, labels: &[f64]) -> f64 {
        let mean = || labels.iter().sum::<f64>() / labels.len() as f64;
        match self {
            Self::Regression | Self::Huber { .. } => mean(),
            Self::Quantile { alpha } => quantile(&mut labels.to_vec(), alpha),
            Self::Binary => {
                let share = mean().clamp(PROBABILITY_MIN, 1.0 - PROBABILITY_MIN);
                (share / (1.0 - share)).ln()
            }
            Self::Lambdarank => 0.0,
        }
    }
}

/// First and second derivatives of the loss by the forecast, a pair a row.
#[derive(Debug, Default)]
pub(crate) struct Gradients {
    pub(crate) gradients: Vec<f64>,
    /// Empty where each is one.
    pub(crate) hessians: Vec<f64>,
}

/// The rows of one day, by their positions, and the ranking's best possible value.
#[derive(Debug)]
struct Query {
    rows: Vec<usize>,
    inverse_dcg_max: f64,
}

/// Rows with what they should be forecast as, and the forecast so far.
#[derive(Debug)]
pub(crate) struct Scored {
    objective: Objective,
    /// The target; for log loss 0 or 1, for ranking the grade.
    labels: Vec<f64>,
    /// The forecast so far before the link; for squared error and its kin less the label, which
    /// keeps small errors exact.
    state: Vec<f64>,
    queries: Vec<Query>,
}

impl Scored {
    /// The rows a model is to learn from, and the forecast that it starts with. `moments`
    /// names the moment of each row; only ranking reads it.
    pub(crate) fn training(
        objective: Objective,
        targets: Vec<f64>,
        moments: &[DateTime],
    ) -> (Self, f64) {
        let mut rows = Self::of(objective, targets, moments);
        let start = objective.start(&rows.labels);
        rows.start_at(start);
        (rows, start)
    }

    /// Other rows, with the forecast that the training rows start with.
    pub(crate) fn other(
        objective: Objective,
        targets: Vec<f64>,
        moments: &[DateTime],
        start: f64,
    ) -> Self {
        let mut rows = Self::of(objective, targets, moments);
        rows.start_at(start);
        rows
    }

    fn of(objective: Objective, targets: Vec<f64>, moments: &[DateTime]) -> Self {
        let mut queries = Vec::new();
        let labels = match objective {
            Objective::Regression | Objective::Huber { .. } | Objective::Quantile { .. } => targets,
            Objective::Binary => {
                targets.iter().map(|target| if *target > 0.0 { 1.0 } else { 0.0 }).collect()
            }
            Objective::Lambdarank => {
                let mut order: Vec<usize> = (0..targets.len()).collect();
                order.sort_by_key(|&row| moments[row]);
                let mut labels = vec![0.0; targets.len()];
                for rows in order.chunk_by(|&a, &b| moments[a] == moments[b]) {
                    grade(rows, &targets, &mut labels);
                    queries.push(Query::of(rows, &labels));
                }
                labels
            }
        };
        Self { objective, labels, state: Vec::new(), queries }
    }

    fn start_at(&mut self, start: f64) {
        self.state = match self.objective {
            Objective::Regression | Objective::Huber { .. } | Objective::Quantile { .. } => {
                self.labels.iter().map(|label| start - label).collect()
            }
            Objective::Binary | Objective::Lambdarank => vec![start; self.labels.len()],
        };
    }

    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// Takes a tree's answer for a row into the forecast.
    pub(crate) fn add(&mut self, row: usize, answer: f64) {
        self.state[row] += answer;
    }

    /// For a quantile, its share and the errors of the forecast, of which leaves answer with the
    /// quantile; the other objectives' leaves answer with a step of Newton's.
    pub(crate) fn renewal(&self) -> Option<(f64, &[f64])> {
        match self.objective {
            Objective::Quantile { alpha } => Some((alpha, &self.state)),
            Objective::Regression
            | Objective::Huber { .. }
            | Objective::Binary
            | Objective::Lambdarank => None,
        }
    }

    /// Writes the gradients of all rows.
    pub(crate) fn fill(&self, out: &mut Gradients) {
        let (state, gradients) = (&self.state, &mut out.gradients);
        gradients.resize(state.len(), 0.0);
        match self.objective {
            // The gradient of half the squared error is the error itself.
            Objective::Regression => gradients.copy_from_slice(state),
            Objective::Huber { alpha } => {
                for (gradient, error) in gradients.iter_mut().zip(state) {
                    *gradient = error.clamp(-alpha, alpha);
                }
            }
            Objective::Quantile { alpha } => {
                for (gradient, error) in gradients.iter_mut().zip(state) {
                    *gradient = if *error >= 0.0 { 1.0 - alpha } else { -alpha };
                }
            }
            Objective::Binary => {
                out.hessians.resize(state.len(), 0.0);
                let rows = (gradients.par_chunks_mut(ROWS_PER_CHUNK))
                    .zip(out.hessians.par_chunks_mut(ROWS_PER_CHUNK))
                    .zip(state.par_chunks(ROWS_PER_CHUNK))
                    .zip(self.labels.par_chunks(ROWS_PER_CHUNK));
                rows.for_each(|(((gradients, hessians), state), labels)| {
                    let rows = gradients.iter_mut().zip(hessians).zip(state).zip(labels);
                    for (((gradient, hessian), score), label) in rows {
                        let probability = 1.0 / (1.0 + (-score).exp());
                        *gradient = probability - label;
                        *hessian = probability * (1.0 - probability);
                    }
                });
            }
            Objective::Lambdarank => {
                out.hessians.resize(state.len(), 0.0);
                let of_queries: Vec<Vec<(f64, f64)>> = self
                    .queries
                    .par_iter()
                    .map(|query| query.lambdas(&self.labels, state))
                    .collect();
                for (query, lambdas) in self.queries.iter().zip(of_queries) {
                    for (&row, (gradient, hessian)) in query.rows.iter().zip(lambdas) {
                        (gradients[row], out.hessians[row]) = (gradient, hessian);
                    }
                }
            }
        }
    }

    /// The loss of the forecast so far, up to a factor; lower is better. For ranking the mean over
    /// the days of the normalised discounted cumulative gain of the 30 best, negative.
    #[expect(clippy::cast_precision_loss, reason = "row counts have 24 bits")]
    pub(crate) fn loss(&self) -> f64 {
        let rows = self.state.iter().zip(&self.labels);
        match self.objective {
            Objective::Regression => self.state.iter().map(|error| error * error).sum(),
            Objective::Huber { alpha } => (self.state.iter())
                .map(|error| match error.abs() {
                    size if size <= alpha => 0.5 * size * size,
                    size => alpha * (size - 0.5 * alpha),
                })
                .sum(),
            Objective::Quantile { alpha } => (self.state.iter())
                .map(|error| if *error >= 0.0 { (1.0 - alpha) * error } else { -alpha * error })
                .sum(),
            // ln(1 + exp(z)), without overflow, of the score against the label.
            Objective::Binary => rows
                .map(|(score, label)| {
                    let z = if *label > 0.5 { -score } else { *score };
                    z.max(0.0) + (-z.abs()).exp().ln_1p()
                })
                .sum(),
            Objective::Lambdarank => {
                let gains = self.queries.iter().map(|query| query.ndcg(&self.labels, &self.state));
                -gains.sum::<f64>() / self.queries.len() as f64
            }
        }
    }
}

/// Gives the rows of a day their grades: the fifth of the day's targets that they are in. Equal
/// targets have the grade of the lowest among them.
fn grade(rows: &[usize], targets: &[f64], labels: &mut [f64]) {
    let mut order = rows.to_vec();
    order.sort_by(|&a, &b| targets[a].total_cmp(&targets[b]));
    let mut below = 0_usize;
    for equal in order.chunk_by(|&a, &b| targets[a] >= targets[b]) {
        let grade = (0..GRADES_COUNT).rfind(|grade| grade * rows.len() <= below * GRADES_COUNT);
        for &row in equal {
            labels[row] = grade.map_or(0.0, |grade| GRADES[grade]);
        }
        below += equal.len();
    }
}

/// The grades as labels.
const GRADES: [f64; GRADES_COUNT] = [0.0, 1.0, 2.0, 3.0, 4.0];

/// What having a row of this grade is worth.
fn gain(grade: f64) -> f64 {
    grade.exp2() - 1.0
}

/// What a gain counts at this place, the best being place 0.
#[expect(clippy::cast_precision_loss, reason = "a day has few rows")]
fn discount(place: usize) -> f64 {
    1.0 / (place as f64 + 2.0).log2()
}

impl Query {
    fn of(rows: &[usize], labels: &[f64]) -> Self {
        let mut gains: Vec<f64> = rows.iter().map(|&row| gain(labels[row])).collect();
        gains.sort_by(|a, b| b.total_cmp(a));
        let dcg_max = dcg(gains.into_iter());
        let inverse_dcg_max = if dcg_max > 0.0 { 1.0 / dcg_max } else { 0.0 };
        Self { rows: rows.to_vec(), inverse_dcg_max }
    }

    /// Positions in `rows`, the highest score first; of equals, the first.
    fn ranked(&self, scores: &[f64]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.sort_by(|&a, &b| scores[self.rows[b]].total_cmp(&scores[self.rows[a]]));
        order
    }

    /// 1 for the best ranking; also where all are equal and no ranking is wrong.
    fn ndcg(&self, labels: &[f64], scores: &[f64]) -> f64 {
        if self.inverse_dcg_max <= 0.0 {
            return 1.0;
        }
        let ranked = self.ranked(scores);
        dcg(ranked.into_iter().map(|at| gain(labels[self.rows[at]]))) * self.inverse_dcg_max
    }

    /// Gradient and hessian of each of the query's rows.
    fn lambdas(&self, labels: &[f64], scores: &[f64]) -> Vec<(f64, f64)> {
        let mut lambdas = vec![(0.0, 0.0); self.rows.len()];
        let ranked = self.ranked(scores);
        let score = |place: usize| scores[self.rows[ranked[place]]];
        let label = |place: usize| labels[self.rows[ranked[place]]];
        let last = ranked.len() - 1;
        let spread = score(0) > score(last);
        let mut sum = 0.0;
        for first in 0..last.min(TRUNCATION_LEVEL) {
            for second in first + 1..=last {
                let (label_first, label_second) = (label(first), label(second));
                let (high, low) = match label_first.total_cmp(&label_second) {
                    std::cmp::Ordering::Equal => continue,
                    std::cmp::Ordering::Greater => (first, second),
                    std::cmp::Ordering::Less => (second, first),
                };
                let difference = score(high) - score(low);
                let mut ndcg_change = (gain(label(high)) - gain(label(low)))
                    * (discount(first) - discount(second))
                    * self.inverse_dcg_max;
                if spread {
                    ndcg_change /= 0.01 + difference.abs();
                }
                let wrong = 1.0 / (1.0 + difference.exp());
                let (gradient, hessian) =
                    (wrong * ndcg_change, wrong * (1.0 - wrong) * ndcg_change);
                lambdas[ranked[high]].0 -= gradient;
                lambdas[ranked[low]].0 += gradient;
                lambdas[ranked[high]].1 += hessian;
                lambdas[ranked[low]].1 += hessian;
                sum += 2.0 * gradient;
            }
        }
        if sum > 0.0 {
            let factor = (1.0 + sum).log2() / sum;
            for (gradient, hessian) in &mut lambdas {
                *gradient *= factor;
                *hessian *= factor;
            }
        }
        lambdas
    }
}

fn dcg(gains: impl Iterator<Item = f64>) -> f64 {
    gains.take(TRUNCATION_LEVEL).enumerate().map(|(place, gain)| gain * discount(place)).sum()
}

/// The value below which the share `alpha` of the values lies, between the two nearest ones where it
/// is none of them. `values` are left in another order.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "row counts have 24 bits"
)]
pub(crate) fn quantile(values: &mut [f64], alpha: f64) -> f64 {
    let place = alpha * (values.len() - 1) as f64;
    let below = place as usize;
    let (_, low, higher) = values.select_nth_unstable_by(below, f64::total_cmp);
    let high = higher.iter().copied().fold(f64::INFINITY, f64::min);
    if high.is_finite() { *low + (high - *low) * (place - below as f64) } else { *low }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// Gradient and hessian against differences of the loss itself.
    #[track_caller]
    fn check_derivatives(objective: Objective, second_too: bool) {
        let targets: Vec<f64> = (0..40).map(|i| f64::from(i * 7 % 11) / 5.0 - 1.0).collect();
        let at = |shift: f64| {
            let mut rows = Scored::other(objective, targets.clone(), &[], 0.3);
            rows.add(17, shift);
            rows.loss()
        };
        let mut gradients = Gradients::default();
        Scored::other(objective, targets.clone(), &[], 0.3).fill(&mut gradients);
        let step = 1e-4;
        // The loss of squared error is summed without its factor of a half.
        let factor = if objective == Objective::Regression { 0.5 } else { 1.0 };
        let first = factor * (at(step) - at(-step)) / (2.0 * step);
        assert!((gradients.gradients[17] - first).abs() < 1e-7, "{objective:?}: {first}");
        if second_too {
            let second = factor * (at(step) - 2.0 * at(0.0) + at(-step)) / (step * step);
            let ours = gradients.hessians.get(17).copied().unwrap_or(1.0);
            assert!((ours - second).abs() < 1e-5, "{objective:?}: {ours} and {second}");
        }
    }

    #[test]
    fn gradients_are_the_derivatives_of_the_loss() {
        check_derivatives(Objective::Regression, true);
        check_derivatives(Objective::Huber { alpha: 2.0 }, true);
        check_derivatives(Objective::Huber { alpha: 0.05 }, false);
        check_derivatives(Objective::Quantile { alpha: 0.8 }, false);
        check_derivatives(Objective::Binary, true);
    }

    #[test]
    fn a_quantile_lies_where_lightgbm_places_it() {
        // What LightGBM 4.7.0 forecasts from five such targets and a feature without information.
        for (alpha, expected) in [(0.5, 3.0), (0.1, 1.4), (0.3, 2.2), (0.9, 8.8), (0.7, 6.2)] {
            let ours = quantile(&mut [3.0, 1.0, 10.0, 7.0, 2.0], alpha);
            assert!((ours - expected).abs() < 1e-12, "{alpha}: {ours}");
        }
        assert!((quantile(&mut [4.0], 0.9) - 4.0).abs() < 1e-12);
    }

    #[test]
    fn grades_are_the_fifths_of_a_day() {
        let targets = [5.0, 1.0, 2.0, 4.0, 3.0, 9.0, 9.0];
        let [one, two] = [1, 2].map(|day| date(2026, 1, day).at(0, 0, 0, 0));
        let moments = [one, one, one, one, one, two, two];
        let rows = Scored::other(Objective::Lambdarank, targets.to_vec(), &moments, 0.0);
        assert_eq!(rows.labels, [4.0, 0.0, 1.0, 3.0, 2.0, 0.0, 0.0]);
        // Day 2 cannot be ranked wrongly, day 1 is ranked in the order of its rows.
        let expected = |grades: [f64; 5]| dcg(grades.into_iter().map(gain));
        let first = expected([4.0, 0.0, 1.0, 3.0, 2.0]) / expected([4.0, 3.0, 2.0, 1.0, 0.0]);
        assert!((rows.loss() + f64::midpoint(first, 1.0)).abs() < 1e-12);
    }

    #[test]
    fn the_lambdas_of_a_day_add_up_to_nothing_and_lift_what_ranks_too_low() {
        let targets: Vec<f64> = (0..10).map(f64::from).collect();
        let mut rows = Scored::other(
            Objective::Lambdarank,
            targets,
            &[date(2026, 1, 1).at(0, 0, 0, 0); 10],
            0.0,
        );
        (0..10).for_each(|row| rows.add(row, f64::from(9 - u8::try_from(row).unwrap())));
        let mut gradients = Gradients::default();
        rows.fill(&mut gradients);
        assert!(gradients.gradients.iter().sum::<f64>().abs() < 1e-12);
        assert!(gradients.gradients[9] < 0.0 && gradients.gradients[0] > 0.0);
        assert!(gradients.hessians.iter().all(|hessian| *hessian > 0.0));
    }
}
