//! The Parzen estimator: a mixture with one kernel for each trial and one for the prior.

use rand_chacha::ChaCha8Rng;

use crate::sampler::coordinate::Coordinate;
use crate::sampler::stream::{normal, uniform};
use crate::sampler::tpe::normal::{ln_mass, phi};
use crate::search_space::Distribution;

/// Draws that are tried before the nearest end is taken; each is accepted with a probability of a
/// third or more, so that the end is taken once in 10^30.
const DRAWS_MAX: usize = 200;

/// The weight of the prior, where a trial has one.
const PRIOR_WEIGHT: f64 = 1.0;

/// The places of one parameter in the trials of one side, in the order of the trials.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) coordinate: Coordinate,
    pub(super) places: Vec<f64>,
    /// How many choices there are, if it is a category.
    choices_count: Option<usize>,
}

impl Column {
    /// Of a parameter, without trials yet.
    pub(super) fn of(distribution: &Distribution) -> Self {
        let choices_count = match distribution {
            Distribution::Categorical { choices } => Some(choices.len()),
            Distribution::Float { .. } | Distribution::Int { .. } => None,
        };
        let coordinate = Coordinate::of(distribution);
        Self { coordinate, places: Vec::new(), choices_count }
    }

    /// Takes the internal value of one more trial; one from outside the range, which may have been
    /// another then, counts as the nearest end.
    pub(super) fn push(&mut self, internal: f64) {
        let place = self.coordinate.place(internal);
        self.places.push(place.clamp(self.coordinate.low, self.coordinate.high));
    }
}

/// A mixture of products of kernels.
///
/// Of a number the kernels are normal, truncated to the line of the parameter, as wide as the
/// farther of the two neighbours is away, but no narrower than `1 / min(100, (1 + kernels)^a)` of the
/// line ("magic clip"); of stepped parameters they have the mass of each cell. Of a category the
/// kernel of a trial has weight one on its choice and `1 / kernels` on each. The prior is a kernel in
/// the middle, as wide as the line.
///
/// Source: Watanabe (2023), "Tree-Structured Parzen Estimator: Understanding Its Algorithm
/// Components and Their Roles for Better Empirical Performance", and the defaults of Optuna 5.0, where
/// the exponent `a` is 1.
#[derive(Debug)]
pub(super) struct Parzen {
    /// Sums of the weights, from the first kernel on.
    cumulative: Vec<f64>,
    /// The logarithm of the weight of each kernel over its truncation, up to a constant.
    ln_scales: Vec<f64>,
    kernels: Vec<Kernels>,
}

#[derive(Debug)]
struct Kernels {
    coordinate: Coordinate,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Normal {
        means: Vec<f64>,
        /// One over the standard deviations.
        precisions: Vec<f64>,
        is_stepped: bool,
    },
    Categorical {
        /// The choice of each kernel but the prior's.
        observed: Vec<usize>,
        choices_count: usize,
        /// Probability of the observed choice, and of each other.
        observed_share: f64,
        other_share: f64,
    },
}

impl Parzen {
    /// Of trials with `weights`, whose parameters are `columns`; both empty but for the parameters
    /// when there is no trial.
    pub(super) fn new(columns: Vec<Column>, weights: &[f64], clip_exponent: f64) -> Self {
        let prior = if weights.is_empty() { 1.0 } else { PRIOR_WEIGHT };
        let total = weights.iter().sum::<f64>() + prior;
        let shares = || weights.iter().chain([&prior]).map(|weight| weight / total);
        let mut sum = 0.0;
        let cumulative = shares()
            .map(|share| {
                sum += share;
                sum
            })
            .collect();
        let mut scales: Vec<f64> = shares().collect();
        let mut ln_scales = vec![0.0; scales.len()];
        let mut kernels = Vec::with_capacity(columns.len());
        for (number, column) in (1..).zip(columns) {
            kernels.push(Kernels::new(column, &mut scales, clip_exponent));
            // One logarithm for several parameters, and no underflow.
            if number % 8 == 0 {
                take_logarithms(&mut scales, &mut ln_scales);
            }
        }
        take_logarithms(&mut scales, &mut ln_scales);
        Self { cumulative, ln_scales, kernels }
    }

    /// Draws kernels for so many candidates.
    pub(super) fn draw_kernels(&self, count: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
        let last = self.cumulative.len() - 1;
        let draw = |_| {
            let share = uniform(rng);
            self.cumulative.partition_point(|&sum| sum <= share).min(last)
        };
        (0..count).map(draw).collect()
    }

    /// Draws the internal values of the parameter at `column` from the kernels of the candidates.
    pub(super) fn draw_values(
        &self,
        column: usize,
        kernels: &[usize],
        rng: &mut ChaCha8Rng,
    ) -> Vec<f64> {
        kernels.iter().map(|&kernel| self.kernels[column].draw(kernel, rng)).collect()
    }

    /// The logarithm of the density of each candidate up to a constant; `values` are internal, by
    /// parameter and candidate.
    pub(super) fn ln_densities(&self, values: &[Vec<f64>]) -> Vec<f64> {
        let count = values.first().map_or(0, Vec::len);
        let kernels_count = self.ln_scales.len();
        let mut terms: Vec<f64> = Vec::with_capacity(count * kernels_count);
        for _ in 0..count {
            terms.extend_from_slice(&self.ln_scales);
        }
        for (kernels, values) in self.kernels.iter().zip(values) {
            kernels.add_ln_densities(values, &mut terms, kernels_count);
        }
        terms.chunks_exact(kernels_count).map(ln_sum_exp).collect()
    }
}

fn take_logarithms(scales: &mut [f64], ln_scales: &mut [f64]) {
    for (scale, ln_scale) in scales.iter_mut().zip(ln_scales) {
        *ln_scale += scale.ln();
        *scale = 1.0;
    }
}

fn ln_sum_exp(terms: &[f64]) -> f64 {
    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    // What is 40 below the largest does not change its 16 digits.
    let above = terms.iter().map(|term| term - largest).filter(|&term| term > -40.0);
    above.map(f64::exp).sum::<f64>().ln() + largest
}

impl Kernels {
    /// Divides `scales` by what the kernels are truncated by.
    #[expect(clippy::cast_precision_loss, reason = "a few hundred kernels and choices")]
    fn new(column: Column, scales: &mut [f64], clip_exponent: f64) -> Self {
        let Column { coordinate, places, choices_count } = column;
        if let Some(choices_count) = choices_count {
            let prior = PRIOR_WEIGHT / (places.len() + 1) as f64;
            let total = 1.0 + prior * choices_count as f64;
            let choice = |place: &f64| as_choice(*place);
            let kind = Kind::Categorical {
                observed: places.iter().map(choice).collect(),
                choices_count,
                observed_share: (1.0 + prior) / total,
                other_share: prior / total,
            };
            return Self { coordinate, kind };
        }
        let Coordinate { low, high, .. } = coordinate;
        let width = coordinate.width();
        let mut deviations = bandwidths(&places, &coordinate, clip_exponent);
        deviations.push(width);
        let mut means = places;
        means.push(f64::midpoint(low, high));
        let is_stepped = coordinate.is_stepped();
        for ((scale, mean), deviation) in scales.iter_mut().zip(&means).zip(&deviations) {
            let inside = phi((high - mean) / deviation) - phi((low - mean) / deviation);
            // The mass of a cell is a share already; a density is one over the deviation.
            *scale /= if is_stepped { inside } else { inside * deviation };
        }
        let precisions = deviations.iter().map(|deviation| 1.0 / deviation).collect();
        Self { coordinate, kind: Kind::Normal { means, precisions, is_stepped } }
    }

    fn draw(&self, kernel: usize, rng: &mut ChaCha8Rng) -> f64 {
        let Coordinate { low, high, .. } = self.coordinate;
        match &self.kind {
            Kind::Normal { means, precisions, .. } => {
                let mut place = f64::NAN;
                for _ in 0..DRAWS_MAX {
                    place = means[kernel] + normal(rng) / precisions[kernel];
                    if (low..=high).contains(&place) {
                        break;
                    }
                }
                self.coordinate.internal(place)
            }
            Kind::Categorical { observed, observed_share, other_share, .. } => {
                let Some(&choice) = observed.get(kernel) else {
                    let share = uniform(rng);
                    return self.coordinate.internal(low + share * (high - low));
                };
                // What the observed choice has above the others, then all alike.
                let above = observed_share - other_share;
                let (is_observed, share) = (uniform(rng) < above, uniform(rng));
                let place = low + share * (high - low);
                if is_observed { as_internal(choice) } else { self.coordinate.internal(place) }
            }
        }
    }

    fn add_ln_densities(&self, values: &[f64], terms: &mut [f64], kernels_count: usize) {
        let rows = terms.chunks_exact_mut(kernels_count).zip(values);
        match &self.kind {
            Kind::Normal { means, precisions, is_stepped: false } => {
                for (row, &value) in rows {
                    let place = self.coordinate.place(value);
                    for ((term, mean), precision) in row.iter_mut().zip(means).zip(precisions) {
                        let distance = (place - mean) * precision;
                        *term -= 0.5 * distance * distance;
                    }
                }
            }
            Kind::Normal { means, precisions, is_stepped: true } => {
                let mut known: Vec<(f64, Vec<f64>)> = Vec::new();
                for (row, &value) in rows {
                    let found = known.iter().position(|(other, _)| other.total_cmp(&value).is_eq());
                    let at = found.unwrap_or_else(|| {
                        let (from, to) = self.coordinate.cell(value).expect("it is stepped");
                        let mass = |(mean, precision): (&f64, &f64)| {
                            ln_mass((from - mean) * precision, (to - mean) * precision)
                        };
                        let masses = means.iter().zip(precisions).map(mass).collect();
                        known.push((value, masses));
                        known.len() - 1
                    });
                    for (term, mass) in row.iter_mut().zip(&known[at].1) {
                        *term += mass;
                    }
                }
            }
            Kind::Categorical { observed, choices_count, observed_share, other_share } => {
                let (hit, miss) = (observed_share.ln(), other_share.ln());
                #[expect(clippy::cast_precision_loss, reason = "few choices")]
                let prior = -(*choices_count as f64).ln();
                for (row, &value) in rows {
                    let choice = as_choice(value);
                    let shares =
                        observed.iter().map(|&other| if other == choice { hit } else { miss });
                    for (term, share) in row.iter_mut().zip(shares.chain([prior])) {
                        *term += share;
                    }
                }
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the internal value of a category is its place"
)]
fn as_choice(internal: f64) -> usize {
    internal as usize
}

#[expect(clippy::cast_precision_loss, reason = "few choices")]
fn as_internal(choice: usize) -> f64 {
    choice as f64
}

/// The standard deviation of the kernel at each place.
#[expect(clippy::cast_precision_loss, reason = "a few hundred kernels")]
fn bandwidths(places: &[f64], coordinate: &Coordinate, clip_exponent: f64) -> Vec<f64> {
    let count = places.len();
    let width = coordinate.width();
    let least = width / (count as f64 + 2.0).powf(clip_exponent).min(100.0);
    let mut order: Vec<(f64, usize)> = places.iter().copied().zip(0..).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut deviations = vec![width; count];
    for (rank, &(place, at)) in order.iter().enumerate() {
        let before = (rank > 0).then(|| place - order[rank - 1].0);
        let after = order.get(rank + 1).map(|next| next.0 - place);
        let farther = match (before, after) {
            (Some(before), Some(after)) => before.max(after),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => (place - coordinate.low).max(coordinate.high - place),
        };
        deviations[at] = farther.clamp(least, width);
    }
    deviations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::stream::stream;

    fn column(distribution: &Distribution, internals: &[f64]) -> Column {
        let mut column = Column::of(distribution);
        for &internal in internals {
            column.push(internal);
        }
        column
    }

    #[test]
    fn the_bandwidth_is_the_farther_neighbour_within_the_clip() {
        let line = Coordinate::of(&Distribution::float(0.0, 10.0));
        let check = |places: &[f64], expected: &[f64]| {
            assert_eq!(bandwidths(places, &line, 1.0), expected);
        };
        check(&[], &[]);
        check(&[3.0], &[7.0]);
        // The least is 10 / 5; the ends look inwards only.
        check(&[9.0, 1.0, 4.0], &[5.0, 3.0, 5.0]);
        check(&[1.0, 1.0, 1.5], &[2.0, 2.0, 2.0]);
        // With an exponent of two it is 10 / 25.
        assert_eq!(bandwidths(&[1.0, 1.0, 1.5], &line, 2.0), [0.4, 0.5, 0.5]);
    }

    #[test]
    fn the_density_integrates_to_one_up_to_its_constant() {
        let constant = (2.0 * std::f64::consts::PI).sqrt();
        let distribution = Distribution::float(-1.0, 3.0);
        let parzen =
            Parzen::new(vec![column(&distribution, &[-1.0, 0.5, 2.9])], &[1.0, 0.5, 1.0], 1.0);
        let places: Vec<f64> = (0..4_000).map(|i| -1.0 + (f64::from(i) + 0.5) * 0.001).collect();
        let sum: f64 = parzen.ln_densities(&[places]).iter().map(|ln| ln.exp()).sum();
        assert!((sum * 0.001 / constant - 1.0).abs() < 1e-6, "{}", sum * 0.001 / constant);
    }

    #[test]
    fn the_masses_of_stepped_values_and_choices_sum_to_one() {
        let check = |distribution: &Distribution, observed: &[f64], all: Vec<f64>| {
            let weights = vec![1.0; observed.len()];
            let parzen = Parzen::new(vec![column(distribution, observed)], &weights, 1.0);
            let sum: f64 = parzen.ln_densities(&[all]).iter().map(|ln| ln.exp()).sum();
            // Narrow cells are taken as straight.
            assert!((sum - 1.0).abs() < 1e-5, "{distribution:?}: {sum}");
        };
        let to = |count: u32| (0..count).map(f64::from).collect::<Vec<f64>>();
        check(&Distribution::int(0, 9), &[0.0, 3.0, 3.0, 9.0], to(10));
        check(&Distribution::int(0, 999), &[5.0, 900.0], to(1_000));
        check(&Distribution::log_int(1, 64), &[1.0, 32.0], (1..65).map(f64::from).collect());
        check(&Distribution::categorical(["a", "b", "c"]), &[0.0, 2.0, 2.0], to(3));
        check(&Distribution::categorical(["a", "b", "c"]), &[], to(3));
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "few draws")]
    fn draws_have_the_densitys_frequencies() {
        let distribution = Distribution::int(0, 4);
        let parzen = Parzen::new(vec![column(&distribution, &[0.0, 0.0, 3.0])], &[1.0; 3], 1.0);
        let mut rng = stream(1, 2, "x");
        let kernels = parzen.draw_kernels(20_000, &mut rng);
        let values = parzen.draw_values(0, &kernels, &mut rng);
        let expected = parzen.ln_densities(&[vec![0.0, 1.0, 2.0, 3.0, 4.0]]);
        for (value, ln) in (0..).map(f64::from).zip(expected) {
            let count = values.iter().filter(|v| v.total_cmp(&value).is_eq()).count();
            let (share, expected) = (count as f64 / 20_000.0, ln.exp());
            // Four standard errors of a share of a fifth.
            assert!((share - expected).abs() < 0.012, "{value}: {share} is not {expected}");
        }
    }
}
