//! CMA-ES: a normal distribution that moves to where the good trials are and takes their shape.
//!
//! The parameters that all complete trials have, numbers only, are put on lines from 0 to 1
//! (logarithmic ones by their logarithm, whole numbers with half a step beyond the ends); all others,
//! choices and what depends on them, are left to TPE, each by itself. The first trial is drawn at
//! random; then a generation is asked for, and when as many of its trials are complete as it has
//! members, the strategy learns from them.
//! Of several draws the one is tried of which a quadratic through the newest trials expects most.
//! Pruned and failed trials do not take part.
//!
//! Which generation a trial belongs to is a system attribute; the strategy itself lives in memory and
//! follows from the study, so that whoever continues it has the same one (several workers may
//! disagree on which members came first when a generation got more than it needed).

mod eigen;
mod strategy;
mod surrogate;

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::sampler::coordinate::Coordinate;
use crate::sampler::space::{Intersection, is_complete};
use crate::sampler::stream::{normal, stream};
use crate::sampler::tpe::{Joint, TpeOptions, TpeSampler};
use crate::sampler::{Proposal, Sampler};
use crate::search_space::{Distribution, SearchSpace};
use crate::study::{FrozenTrial, History, Param};
use strategy::Strategy;
use surrogate::Archive;

/// The system attribute with the generation of a trial.
const GENERATION: &str = "bist:cma_es:generation";

/// Complete trials before which nothing is proposed.
const STARTUP_TRIALS: usize = 1;

/// The standard deviation of the first generation, of the length of a line.
const SIGMA: f64 = 1.0 / 6.0;

/// Draws of which one is tried (decision 0019 tells what two, three, eight and ten did).
const CANDIDATES: usize = 5;

/// Draws inside of the ends that are tried for each parameter before the nearest ends are taken.
const DRAWS_MAX: usize = 10;

/// CMA-ES for one objective; what it does is told above.
#[derive(Clone, Debug)]
pub struct CmaEsSampler {
    seed: u64,
    others: TpeSampler,
    common: Intersection,
    seen_count: usize,
    complete_count: usize,
    evolution: Option<Evolution>,
}

/// A strategy and the parameters that it works on.
#[derive(Clone, Debug)]
struct Evolution {
    space: SearchSpace,
    lines: Vec<Coordinate>,
    strategy: Strategy,
    generation: u64,
    /// Complete trials of this generation: places and loss.
    members: Vec<(Vec<f64>, f64)>,
    /// Complete trials, whatever their generation.
    archive: Archive,
}

impl CmaEsSampler {
    /// With a seed.
    pub fn new(seed: u64) -> Self {
        let each = TpeOptions { joint: Joint::None, ..TpeOptions::default() };
        Self {
            seed,
            others: TpeSampler::with_options(seed, each),
            common: Intersection::default(),
            seen_count: 0,
            complete_count: 0,
            evolution: None,
        }
    }

    /// Learns trial by trial, as if it had seen each of them end.
    fn update(&mut self, history: &History) {
        let &[direction] = history.directions() else { return };
        self.common.update(history, is_complete);
        let seen_count = std::mem::replace(&mut self.seen_count, history.finished_count());
        for trial in history.finished(seen_count).filter(|trial| is_complete(trial)) {
            self.complete_count += 1;
            if let (Some(evolution), Some(value)) = (&mut self.evolution, trial.value()) {
                evolution.learn(trial, direction.loss(value));
            }
        }
        let mut space = self.common.space();
        space.retain(|_, distribution| !matches!(distribution, Distribution::Categorical { .. }));
        let is_other = self.evolution.as_ref().is_none_or(|evolution| evolution.space != space);
        if is_other && self.complete_count >= STARTUP_TRIALS && !space.is_empty() {
            let mut evolution = Evolution::begin(space);
            // Of the trials that were made on this space, if the study is continued.
            for trial in history.finished(0).filter(|trial| is_complete(trial)) {
                evolution.learn(trial, direction.loss(trial.value().unwrap_or(f64::NAN)));
            }
            self.evolution = Some(evolution);
        }
    }
}

impl Evolution {
    fn begin(space: SearchSpace) -> Self {
        let lines: Vec<Coordinate> = space.values().map(Coordinate::of).collect();
        let strategy = Strategy::new(vec![0.5; lines.len()], SIGMA);
        let archive = Archive::new(lines.len());
        Self { space, lines, strategy, generation: 0, members: Vec::new(), archive }
    }

    /// Takes a complete trial, also as a member if it is of the generation.
    fn learn(&mut self, trial: &FrozenTrial, loss: f64) {
        if loss.is_nan() {
            return;
        }
        let share = |(name, line): (&String, &Coordinate)| {
            let place = line.place(trial.params.get(name)?.internal);
            Some((place - line.low) / line.width())
        };
        let params = self.space.keys().zip(&self.lines);
        let Some(places) = params.map(share).collect::<Option<Vec<f64>>>() else { return };
        self.archive.push(places.clone(), loss);
        let generation = trial.system_attrs.get(GENERATION).and_then(Value::as_u64);
        if generation != Some(self.generation) {
            return;
        }
        self.members.push((places, loss));
        if self.members.len() == self.strategy.population_size() {
            self.strategy.tell(std::mem::take(&mut self.members));
            self.generation += 1;
        }
    }

    /// Of several draws inside of the lines the most promising one; the first one while the trials say
    /// too little.
    fn propose(&self, seed: u64, number: u64) -> Vec<f64> {
        let mut rng = stream(seed, number, "cma_es");
        let to_steps = |place: &[f64]| self.strategy.steps_to(place);
        let Some(quadratic) = self.archive.quadratic(to_steps) else { return self.draw(&mut rng) };
        let candidate = |_| {
            let places = self.draw(&mut rng);
            (quadratic.at(&to_steps(&places)), places)
        };
        let candidates = (0..CANDIDATES).map(candidate);
        let best = candidates.min_by(|(a, _), (b, _)| a.total_cmp(b));
        best.expect("there are candidates").1
    }

    /// A draw inside of the lines.
    fn draw(&self, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let mut places = Vec::new();
        for _ in 0..=DRAWS_MAX * self.lines.len() {
            let steps = self.lines.iter().map(|_| normal(rng)).collect::<Vec<f64>>();
            places = self.strategy.at(&steps);
            if places.iter().all(|place| (0.0..=1.0).contains(place)) {
                break;
            }
        }
        places.iter().map(|place| place.clamp(0.0, 1.0)).collect()
    }
}

impl Sampler for CmaEsSampler {
    fn propose(&mut self, history: &History, trial: &FrozenTrial) -> Proposal {
        self.update(history);
        let Some(evolution) = &self.evolution else { return Proposal::default() };
        let places = evolution.propose(self.seed, trial.number);
        let params = evolution.space.iter().zip(&evolution.lines).zip(places);
        let param = |(((name, distribution), line), share): ((_, &Coordinate), f64)| {
            let internal = line.internal(line.low + share * line.width());
            let (name, distribution): (&String, &Distribution) = (name, distribution);
            (name.clone(), Param { distribution: distribution.clone(), internal })
        };
        let generation = (GENERATION.to_owned(), Value::from(evolution.generation));
        Proposal { params: params.map(param).collect(), system_attrs: BTreeMap::from([generation]) }
    }

    fn sample(
        &mut self,
        history: &History,
        trial: &FrozenTrial,
        name: &str,
        distribution: &Distribution,
    ) -> f64 {
        self.others.sample(history, trial, name, distribution)
    }
}
