//! A hidden Markov model with Gaussian emissions: which of a few regimes a series is in.
//!
//! The forward and backward passes are scaled, and emissions enter by their logarithm less the
//! largest of the states', so that nothing underflows however long the series is. Regimes are read
//! from the forward pass alone ([`RegimeFilter`]): a smoothed probability would know the future.
//!
//! Source: Rabiner (1989), A tutorial on hidden Markov models; checked against hmmlearn.

use std::f64::consts::TAU;

/// Variances do not fall below this share of the variance of all observations, lest a state close
/// in on one of them.
const VARIANCE_SHARE_MIN: f64 = 1e-3;

/// `K` states, each with a normal distribution of `D` independent numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct GaussianHmm<const K: usize, const D: usize> {
    /// Probability of each state at the first observation.
    start: [f64; K],
    /// `[i][j]`: probability that `j` follows `i`.
    transition: [[f64; K]; K],
    means: [[f64; D]; K],
    variances: [[f64; D]; K],
}

impl<const K: usize, const D: usize> GaussianHmm<K, D> {
    /// A model to begin learning from: the observations, sorted by their last number, are cut into
    /// `K` equal parts, one a state, and a state stays with a probability of 0.9. States are in
    /// the order of that number. `None` with fewer than two observations a state.
    pub(crate) fn by_quantiles(observations: &[[f64; D]]) -> Option<Self> {
        if observations.len() < 2 * K {
            return None;
        }
        let mut sorted = observations.to_vec();
        sorted.sort_by(|a, b| {
            a.iter()
                .rev()
                .zip(b.iter().rev())
                .fold(std::cmp::Ordering::Equal, |order, (a, b)| order.then(a.total_cmp(b)))
        });
        let bounds: [usize; K] = std::array::from_fn(|k| k * sorted.len() / K);
        let part = |k: usize| {
            let end = bounds.get(k + 1).copied().unwrap_or(sorted.len());
            &sorted[bounds[k]..end]
        };
        let others = 0.1 / count(K - 1).max(1.0);
        let transition =
            std::array::from_fn(|i| std::array::from_fn(|j| if i == j { 0.9 } else { others }));
        let floor = variances(observations).map(|variance| variance * VARIANCE_SHARE_MIN);
        let spread = |k: usize| {
            let variances = variances(part(k));
            std::array::from_fn(|d| variances[d].max(floor[d]).max(f64::MIN_POSITIVE))
        };
        Some(Self {
            start: [1.0 / count(K); K],
            transition,
            means: std::array::from_fn(|k| means(part(k))),
            variances: std::array::from_fn(spread),
        })
    }

    /// Learns by at most `iterations_max` steps of Baum and Welch, fewer when a step raises the
    /// log-likelihood by less than `tolerance`.
    pub(crate) fn learned(
        mut self,
        observations: &[[f64; D]],
        iterations_max: u16,
        tolerance: f64,
    ) -> Self {
        if observations.is_empty() {
            return self;
        }
        let floor = variances(observations).map(|variance| variance * VARIANCE_SHARE_MIN);
        let mut last = f64::NEG_INFINITY;
        for _ in 0..iterations_max {
            let (next, log_likelihood) = self.step(observations, floor);
            self = next;
            if log_likelihood - last < tolerance {
                break;
            }
            last = log_likelihood;
        }
        self
    }

    /// One step of Baum and Welch, and the log-likelihood before it.
    fn step(&self, observations: &[[f64; D]], variance_min: [f64; D]) -> (Self, f64) {
        let mut log_likelihood = 0.0;
        let (mut emissions, mut forward) = (Vec::new(), Vec::<[f64; K]>::new());
        let mut scales = Vec::new();
        for observation in observations {
            let (emission, largest) = self.emissions(observation);
            let predicted = forward.last().map_or(self.start, |last| self.predicted(last));
            let (filtered, scale) = weighed(&predicted, &emission);
            log_likelihood += scale.ln() + largest;
            emissions.push(emission);
            forward.push(filtered);
            scales.push(scale);
        }

        let mut weights = [0.0; K];
        let mut sums = [[0.0; D]; K];
        let mut followed = [[0.0; K]; K];
        let mut posteriors = vec![[0.0; K]; observations.len()];
        let mut backward = [1.0; K];
        for (t, observation) in observations.iter().enumerate().rev() {
            posteriors[t] = std::array::from_fn(|k| forward[t][k] * backward[k]);
            for k in 0..K {
                weights[k] += posteriors[t][k];
                for d in 0..D {
                    sums[k][d] += posteriors[t][k] * observation[d];
                }
            }
            let Some(before) = t.checked_sub(1) else { break };
            let seen: [f64; K] = std::array::from_fn(|k| emissions[t][k] * backward[k] / scales[t]);
            for i in 0..K {
                let mut sum = 0.0;
                for j in 0..K {
                    let flow = self.transition[i][j] * seen[j];
                    followed[i][j] += forward[before][i] * flow;
                    sum += flow;
                }
                backward[i] = sum;
            }
        }

        let mut next = *self;
        let start_sum: f64 = posteriors[0].iter().sum();
        next.start = posteriors[0].map(|weight| weight / start_sum);
        for k in 0..K {
            let left: f64 = followed[k].iter().sum();
            if left > 0.0 {
                next.transition[k] = followed[k].map(|flow| flow / left);
            }
            // A state that explains nothing stays what it was.
            if weights[k] > 0.0 {
                next.means[k] = sums[k].map(|sum| sum / weights[k]);
                let mut squares = [0.0; D];
                for (observation, posterior) in observations.iter().zip(&posteriors) {
                    for d in 0..D {
                        squares[d] += posterior[k] * (observation[d] - next.means[k][d]).powi(2);
                    }
                }
                next.variances[k] = std::array::from_fn(|d| {
                    (squares[d] / weights[k]).max(variance_min[d]).max(f64::MIN_POSITIVE)
                });
            }
        }
        (next, log_likelihood)
    }

    /// The states in ascending order of mean `d`.
    pub(crate) fn sorted_by_mean(self, d: usize) -> Self {
        let mut order: [usize; K] = std::array::from_fn(|k| k);
        order.sort_by(|&a, &b| self.means[a][d].total_cmp(&self.means[b][d]));
        Self {
            start: order.map(|k| self.start[k]),
            transition: order.map(|i| order.map(|j| self.transition[i][j])),
            means: order.map(|k| self.means[k]),
            variances: order.map(|k| self.variances[k]),
        }
    }

    /// The density of each state at an observation as a share of the largest, and the logarithm of
    /// that one.
    fn emissions(&self, observation: &[f64; D]) -> ([f64; K], f64) {
        let logarithms: [f64; K] = std::array::from_fn(|k| {
            let terms = (0..D).map(|d| {
                let (distance, variance) =
                    (observation[d] - self.means[k][d], self.variances[k][d]);
                (TAU * variance).ln() + distance * distance / variance
            });
            -0.5 * terms.sum::<f64>()
        });
        let largest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (logarithms.map(|logarithm| (logarithm - largest).exp()), largest)
    }

    /// The probabilities one step after `filtered`.
    fn predicted(&self, filtered: &[f64; K]) -> [f64; K] {
        std::array::from_fn(|j| (0..K).map(|i| filtered[i] * self.transition[i][j]).sum())
    }
}

/// The probability of each state given the observations so far, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct RegimeFilter<const K: usize, const D: usize> {
    model: GaussianHmm<K, D>,
    filtered: Option<[f64; K]>,
}

impl<const K: usize, const D: usize> RegimeFilter<K, D> {
    /// Before the first observation.
    pub(crate) fn new(model: GaussianHmm<K, D>) -> Self {
        Self { model, filtered: None }
    }

    /// The probabilities as of `observation`.
    pub(crate) fn push(&mut self, observation: &[f64; D]) -> [f64; K] {
        let predicted = self.filtered.map_or(self.model.start, |last| self.model.predicted(&last));
        let (emission, _) = self.model.emissions(observation);
        let (filtered, _) = weighed(&predicted, &emission);
        self.filtered = Some(filtered);
        filtered
    }
}

/// `prior` times `likelihood` as probabilities, and their sum before; the prior where no state with
/// a chance has a likelihood.
fn weighed<const K: usize>(prior: &[f64; K], likelihood: &[f64; K]) -> ([f64; K], f64) {
    let joint: [f64; K] = std::array::from_fn(|k| prior[k] * likelihood[k]);
    let sum: f64 = joint.iter().sum();
    if sum > 0.0 { (joint.map(|value| value / sum), sum) } else { (*prior, f64::MIN_POSITIVE) }
}

fn means<const D: usize>(observations: &[[f64; D]]) -> [f64; D] {
    std::array::from_fn(|d| {
        observations.iter().map(|observation| observation[d]).sum::<f64>()
            / count(observations.len())
    })
}

fn variances<const D: usize>(observations: &[[f64; D]]) -> [f64; D] {
    let means = means(observations);
    std::array::from_fn(|d| {
        let squares = observations.iter().map(|observation| (observation[d] - means[d]).powi(2));
        squares.sum::<f64>() / count(observations.len())
    })
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^53 observations")]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// What `tests/golden/hmm_hmmlearn.py` made.
    #[derive(Debug, Deserialize)]
    struct Golden {
        observations: Vec<[f64; 2]>,
        begun: Parameters,
        iterations: u16,
        learned: Parameters,
        filtered: Vec<[f64; 2]>,
    }

    #[derive(Debug, Deserialize)]
    struct Parameters {
        start: [f64; 2],
        transition: [[f64; 2]; 2],
        means: [[f64; 2]; 2],
        variances: [[f64; 2]; 2],
    }

    impl Parameters {
        fn model(&self) -> GaussianHmm<2, 2> {
            let &Self { start, transition, means, variances } = self;
            GaussianHmm { start, transition, means, variances }
        }
    }

    fn golden() -> Golden {
        serde_json::from_str(include_str!("../tests/golden/hmm_hmmlearn.json")).unwrap()
    }

    #[track_caller]
    fn assert_close(ours: &[f64], theirs: &[f64]) {
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!((ours - theirs).abs() <= 1e-8 * theirs.abs().max(1e-4), "{ours} and {theirs}");
        }
    }

    #[test]
    fn learning_ends_where_hmmlearn_ends() {
        let golden = golden();
        let ours = golden.begun.model().learned(
            &golden.observations,
            golden.iterations,
            f64::NEG_INFINITY,
        );
        let theirs = golden.learned.model();
        assert_close(&ours.start, &theirs.start);
        assert_close(ours.transition.as_flattened(), theirs.transition.as_flattened());
        assert_close(ours.means.as_flattened(), theirs.means.as_flattened());
        assert_close(ours.variances.as_flattened(), theirs.variances.as_flattened());
    }

    #[test]
    fn filtered_probabilities_are_those_of_hmmlearns_forward_pass() {
        let golden = golden();
        let mut filter = RegimeFilter::new(golden.learned.model());
        for (observation, theirs) in golden.observations.iter().zip(&golden.filtered) {
            assert_close(&filter.push(observation), theirs);
        }
    }

    #[test]
    fn a_step_never_lowers_the_likelihood() {
        let observations = golden().observations;
        let mut model = GaussianHmm::<2, 2>::by_quantiles(&observations).unwrap();
        let mut last = f64::NEG_INFINITY;
        for _ in 0..40 {
            let (next, log_likelihood) = model.step(&observations, [0.0; 2]);
            assert!(log_likelihood >= last - 1e-9, "{log_likelihood} after {last}");
            (model, last) = (next, log_likelihood);
        }
    }

    #[test]
    fn nothing_underflows_over_a_hundred_thousand_observations_or_far_from_both_states() {
        let observations: Vec<[f64; 1]> = (0..100_000)
            .map(|t| [if t / 500 % 2 == 0 { 0.0 } else { 3.0 } + f64::from(t * 7 % 11) * 0.1])
            .collect();
        let model = GaussianHmm::<2, 1>::by_quantiles(&observations).unwrap();
        let model = model.learned(&observations, 5, 0.0).sorted_by_mean(0);
        let (_, log_likelihood) = model.step(&observations, [0.0]);
        assert!(log_likelihood.is_finite());
        let mut filter = RegimeFilter::new(model);
        for observation in &observations {
            filter.push(observation);
        }
        let far = filter.push(&[1e9]);
        assert!((far.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{far:?}");
    }

    #[test]
    fn two_observations_a_state_are_the_least() {
        assert!(GaussianHmm::<2, 1>::by_quantiles(&[[1.0], [2.0], [3.0]]).is_none());
        assert!(GaussianHmm::<2, 1>::by_quantiles(&[[1.0], [2.0], [3.0], [4.0]]).is_some());
    }
}
