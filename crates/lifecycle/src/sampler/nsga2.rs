//! NSGA-II: generations of parents and children, chosen by fronts and by how much room they have.
//!
//! A generation is as many complete trials as the population has members. The parents of the next
//! are the best of it and of its own parents: whole fronts of trials that none of the rest is better
//! than, and of the last one those with the most room around them. A child takes each parameter from
//! one of two parents, or, once for each child on average, anew at random. The defaults are those of
//! Optuna 5.0. Which generation a trial belongs to is a system attribute; the rest follows from the
//! study.
//!
//! Source: Deb et al. (2002), "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II".

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::sampler::random::RandomSampler;
use crate::sampler::space::{Intersection, is_complete};
use crate::sampler::stream::{below, stream, uniform};
use crate::sampler::{Proposal, Sampler};
use crate::search_space::{Distribution, SearchSpace};
use crate::study::history::dominates;
use crate::study::{FrozenTrial, History, Param};

/// The system attribute with the generation of a trial.
const GENERATION: &str = "bist:nsga2:generation";

/// Members of a population.
const POPULATION_SIZE: usize = 50;

/// How often a child has two parents.
const CROSSOVER_SHARE: f64 = 0.9;

/// How often a parameter comes from the second of two parents.
const SWAPPING_SHARE: f64 = 0.5;

/// NSGA-II for one or more objectives; what it does is told above.
#[derive(Clone, Debug)]
pub struct Nsga2Sampler {
    seed: u64,
    random: RandomSampler,
    common: Intersection,
    seen_count: usize,
    generation: u64,
    /// Complete trials of this generation.
    population: Vec<Individual>,
    /// What it descends from; empty in the first.
    parents: Vec<Individual>,
}

/// A complete trial.
#[derive(Clone, Debug)]
struct Individual {
    number: u64,
    losses: Vec<f64>,
}

impl Nsga2Sampler {
    /// With a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            random: RandomSampler::new(seed),
            common: Intersection::default(),
            seen_count: 0,
            generation: 0,
            population: Vec::new(),
            parents: Vec::new(),
        }
    }

    fn update(&mut self, history: &History) {
        self.common.update(history, is_complete);
        let seen_count = std::mem::replace(&mut self.seen_count, history.finished_count());
        for trial in history.finished(seen_count).filter(|trial| is_complete(trial)) {
            let generation = trial.system_attrs.get(GENERATION).and_then(Value::as_u64);
            // A study that others began makes up the first generation.
            if generation.unwrap_or_default() < self.generation {
                continue;
            }
            let losses = history.losses(trial);
            self.population.push(Individual { number: trial.number, losses });
            if self.population.len() == POPULATION_SIZE {
                let mut all = std::mem::take(&mut self.population);
                all.append(&mut self.parents);
                self.parents = elite(all);
                self.generation += 1;
            }
        }
    }

    fn child(
        &self,
        history: &History,
        space: &SearchSpace,
        number: u64,
    ) -> BTreeMap<String, Param> {
        let mut rng = stream(self.seed, number, "nsga2");
        let first = self.parent(None, &mut rng);
        let second = if uniform(&mut rng) < CROSSOVER_SHARE {
            self.parent(Some(first), &mut rng)
        } else {
            first
        };
        let of = |parent: usize, name: &str| {
            Some(history.trial(self.parents[parent].number)?.params.get(name)?.internal)
        };
        let mut child = BTreeMap::new();
        for (name, distribution) in space {
            let mut rng = stream(self.seed, number, &format!("nsga2:{name}"));
            let (swapped, mutated) = (uniform(&mut rng), uniform(&mut rng));
            let parent = if swapped < SWAPPING_SHARE { second } else { first };
            let inherited = of(parent, name).filter(|_| mutated >= mutation_share(space.len()));
            // What is left out is drawn at random when the objective asks for it.
            if let Some(internal) = inherited.filter(|&internal| distribution.contains(internal)) {
                child.insert(name.clone(), Param { distribution: distribution.clone(), internal });
            }
        }
        child
    }

    /// The better of two parents drawn at random, other than `taken`.
    fn parent(&self, taken: Option<usize>, rng: &mut ChaCha8Rng) -> usize {
        let count = self.parents.len() - usize::from(taken.is_some());
        let mut draw = || {
            let at = below(rng, count);
            if taken.is_some_and(|taken| at >= taken) { at + 1 } else { at }
        };
        let (first, second) = (draw(), draw());
        let of = |at: usize| self.parents[at].losses.as_slice();
        if dominates(of(first), of(second)) { first } else { second }
    }
}

/// One parameter of a child on average.
#[expect(clippy::cast_precision_loss, reason = "few parameters")]
fn mutation_share(params_count: usize) -> f64 {
    1.0 / params_count.max(1) as f64
}

/// The best of `rest`: whole fronts, and of the last those with the most room.
fn elite(mut rest: Vec<Individual>) -> Vec<Individual> {
    rest.sort_by_key(|individual| individual.number);
    let mut elite = Vec::with_capacity(POPULATION_SIZE);
    while elite.len() < POPULATION_SIZE && !rest.is_empty() {
        let is_beaten: Vec<bool> = rest
            .iter()
            .map(|one| rest.iter().any(|other| dominates(&other.losses, &one.losses)))
            .collect();
        let mut beaten = is_beaten.iter();
        let (others, mut front): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|_| *beaten.next().expect("one for each"));
        let room = POPULATION_SIZE - elite.len();
        if front.len() > room {
            front = with_most_room(&front, room);
        }
        elite.append(&mut front);
        rest = others;
    }
    elite
}

/// The `count` of a front with the largest crowding distances, by number.
fn with_most_room(front: &[Individual], count: usize) -> Vec<Individual> {
    let distances = crowding_distances(front);
    let mut order: Vec<usize> = (0..front.len()).collect();
    order.sort_by(|&a, &b| distances[b].total_cmp(&distances[a]).then(a.cmp(&b)));
    order.truncate(count);
    order.sort_unstable();
    order.into_iter().map(|at| front[at].clone()).collect()
}

/// How far apart the neighbours of each individual are, summed over the objectives, each divided by
/// its range; infinite at the ends.
fn crowding_distances(front: &[Individual]) -> Vec<f64> {
    let mut distances = vec![0.0; front.len()];
    let objectives_count = front.first().map_or(0, |individual| individual.losses.len());
    for objective in 0..objectives_count {
        let loss = |at: usize| front[at].losses[objective];
        let mut order: Vec<usize> = (0..front.len()).collect();
        order.sort_by(|&a, &b| loss(a).total_cmp(&loss(b)));
        let finite = || order.iter().map(|&at| loss(at)).filter(|loss| loss.is_finite());
        let width =
            finite().fold(f64::NEG_INFINITY, f64::max) - finite().fold(f64::INFINITY, f64::min);
        let width = if width > 0.0 { width } else { 1.0 };
        if loss(order[0]).total_cmp(&loss(order[order.len() - 1])).is_eq() {
            continue;
        }
        for (rank, &at) in order.iter().enumerate() {
            let low = rank.checked_sub(1).map_or(f64::NEG_INFINITY, |rank| loss(order[rank]));
            let high = order.get(rank + 1).map_or(f64::INFINITY, |&next| loss(next));
            if low < high {
                distances[at] += (high - low) / width;
            }
        }
    }
    distances
}

impl Sampler for Nsga2Sampler {
    fn propose(&mut self, history: &History, trial: &FrozenTrial) -> Proposal {
        self.update(history);
        let params = if self.parents.is_empty() {
            BTreeMap::new()
        } else {
            self.child(history, &self.common.space(), trial.number)
        };
        let generation = (GENERATION.to_owned(), Value::from(self.generation));
        Proposal { params, system_attrs: BTreeMap::from([generation]) }
    }

    fn sample(
        &mut self,
        _: &History,
        trial: &FrozenTrial,
        name: &str,
        distribution: &Distribution,
    ) -> f64 {
        self.random.draw(trial.number, name, distribution)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn individuals(losses: &[[f64; 2]]) -> Vec<Individual> {
        let of =
            |(number, losses): (u64, &[f64; 2])| Individual { number, losses: losses.to_vec() };
        (0..).zip(losses).map(of).collect()
    }

    #[test]
    fn the_ends_of_a_front_have_all_the_room() {
        let front = individuals(&[[0.0, 4.0], [1.0, 2.0], [1.5, 1.5], [4.0, 0.0]]);
        let distances = crowding_distances(&front);
        assert!(distances[0].is_infinite() && distances[3].is_infinite());
        assert!((distances[1] - (1.5 / 4.0 + 2.5 / 4.0)).abs() < 1e-12);
        assert!((distances[2] - (3.0 / 4.0 + 2.0 / 4.0)).abs() < 1e-12);
        let kept = with_most_room(&front, 3);
        assert_eq!(kept.iter().map(|one| one.number).collect::<Vec<_>>(), [0, 2, 3]);
        assert_eq!(crowding_distances(&individuals(&[[1.0, 1.0]; 3])), [0.0; 3]);
    }
}
