//! TPE: parameters are drawn where good trials are dense and the others are not.
//!
//! The results are parted into the best tenth (at most 25) and the others; of each side a
//! Parzen estimator is made, candidates are drawn from that of the good side, and the one
//! with the largest ratio of the densities is proposed. Pruned trials count after the complete ones,
//! by the last step and what they reported there; trials that run count among the others, so that
//! parallel workers do not propose the same twice ("constant liar"); of several objectives the good
//! trials are chosen by fronts and hypervolume (MOTPE). The defaults mean what they do in Optuna 5.0's
//! `TPESampler`, with two exceptions on the good side, which find better values in as many trials
//! (ADR 0019): a good trial weighs as much as it improves on the best of the others, and its kernel
//! may become narrower.
//!
//! The cost of a trial does not grow with the study: the good trials are taken from an ordered set,
//! and of the others at most [`ABOVE_MAX`] have a kernel: the latest half by themselves, and of the
//! older ones one for each of as many equal strata, with the weight of its stratum. Up to that number
//! nothing is left out.

mod front;
mod normal;
#[cfg(test)]
mod optuna_golden;
mod parzen;
mod split;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sampler::random::RandomSampler;
use crate::sampler::space::{Groups, Intersection, is_result};
use crate::sampler::stream::stream;
use crate::sampler::{Proposal, Sampler};
use crate::search_space::{Distribution, ParamValue, SearchSpace};
use crate::study::{FrozenTrial, History, Param, TrialState};
use parzen::{Column, Parzen};
use split::{Good, Results};

/// The most trials of the bad side that have a kernel of their own.
pub const ABOVE_MAX: usize = 512;

/// The most trials of the good side: with one objective, and with several.
const BELOW_MAX: (usize, usize) = (25, 100);

/// How fast the least width of a kernel of the good side falls with the number of kernels, where
/// parameters are drawn together. With Optuna's 1 a study of a hundred trials tells places apart no
/// better than a twelfth of the range; parameters drawn each by itself need that, because each goes
/// straight to its own best.
const GOOD_CLIP_EXPONENT: f64 = 1.5;
const PLAIN_CLIP_EXPONENT: f64 = 1.0;

/// The latest trials of the bad side that all have weight one; before them it falls to the oldest.
const FLAT_COUNT: usize = 25;

/// Under which system attribute others find what a running trial was proposed, as in Optuna.
const RELATIVE_PARAMS: &str = "tpe:relative_params";

/// The longest text of an attribute that Optuna keeps in one piece.
const ATTR_CHARS_MAX: usize = 2_045;

/// Which parameters are drawn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// None: each by itself, as it is asked for.
    None,
    /// Those that all trials have; the others each by itself.
    Common,
    /// Those that always occur together, also if they are conditional; one by one for the first trial
    /// that has them.
    Groups,
}

/// How a [`TpeSampler`] works.
#[derive(Clone, Debug, PartialEq)]
pub struct TpeOptions {
    /// Results before which it draws at random.
    pub startup_trials: usize,
    /// How many candidates are drawn for each proposal, at least one.
    pub candidates_count: usize,
    /// Which parameters are drawn together.
    pub joint: Joint,
    /// Whether trials that run count as bad, for parallel workers.
    pub constant_liar: bool,
}

impl Default for TpeOptions {
    fn default() -> Self {
        Self { startup_trials: 10, candidates_count: 24, joint: Joint::Groups, constant_liar: true }
    }
}

/// The tree-structured Parzen estimator; what it does is told above.
#[derive(Clone, Debug)]
pub struct TpeSampler {
    seed: u64,
    options: TpeOptions,
    random: RandomSampler,
    results: Results,
    groups: Groups,
    common: Intersection,
}

impl TpeSampler {
    /// With the defaults.
    pub fn new(seed: u64) -> Self {
        Self::with_options(seed, TpeOptions::default())
    }

    /// With options.
    pub fn with_options(seed: u64, options: TpeOptions) -> Self {
        Self {
            seed,
            options,
            random: RandomSampler::new(seed),
            results: Results::default(),
            groups: Groups::default(),
            common: Intersection::default(),
        }
    }

    fn update(&mut self, history: &History) {
        let groups = &mut self.groups;
        self.results.update(history, |trial| groups.learn(trial));
        self.common.update(history, is_result);
    }

    fn is_startup(&self, history: &History) -> bool {
        history.results_count() < self.options.startup_trials as u64
    }

    /// The good trials.
    fn below(&self, history: &History) -> Good {
        let results = usize::try_from(history.results_count()).unwrap_or(usize::MAX);
        let count_max = if history.directions().len() == 1 { BELOW_MAX.0 } else { BELOW_MAX.1 };
        self.results.best(results.div_ceil(10).min(count_max))
    }

    /// Internal values of the parameters of `space`, in its order.
    fn draw(
        &self,
        history: &History,
        trial: &FrozenTrial,
        space: &SearchSpace,
        below: &Good,
    ) -> Vec<f64> {
        let mut good: Vec<Column> = space.values().map(Column::of).collect();
        let mut weights = Vec::new();
        for (number, weight) in below {
            if push(&mut good, space, &history.trials()[place(*number)]) {
                weights.push(*weight);
            }
        }
        let clip_exponent = match self.options.joint {
            Joint::None => PLAIN_CLIP_EXPONENT,
            Joint::Common | Joint::Groups => GOOD_CLIP_EXPONENT,
        };
        let good = Parzen::new(good, &weights, clip_exponent);
        let bad = self.others(history, trial, space, below);

        let names: Vec<&str> = space.keys().map(String::as_str).collect();
        let mut rng = stream(self.seed, trial.number, &format!("tpe:{}", names.join(",")));
        let kernels = good.draw_kernels(self.options.candidates_count, &mut rng);
        let draw = |(at, name): (usize, &&str)| {
            good.draw_values(at, &kernels, &mut stream(self.seed, trial.number, name))
        };
        let values: Vec<Vec<f64>> = names.iter().enumerate().map(draw).collect();
        let ratios = good.ln_densities(&values).into_iter().zip(bad.ln_densities(&values));
        let mut best = (f64::NEG_INFINITY, 0);
        for (candidate, (good, bad)) in ratios.enumerate() {
            if good - bad > best.0 {
                best = (good - bad, candidate);
            }
        }
        values.iter().map(|candidates| candidates[best.1]).collect()
    }

    /// The estimator of the bad side.
    #[expect(clippy::cast_precision_loss, reason = "studies have fewer than 2^53 trials")]
    fn others(
        &self,
        history: &History,
        trial: &FrozenTrial,
        space: &SearchSpace,
        below: &Good,
    ) -> Parzen {
        let numbers = self.results.having(space.keys());
        let running: Vec<&FrozenTrial> = history
            .unfinished()
            .map(AsRef::as_ref)
            .filter(|other| {
                self.options.constant_liar
                    && other.state == TrialState::Running
                    && other.number != trial.number
            })
            .collect();
        let mut columns: Vec<Column> = space.values().map(Column::of).collect();
        let is_good =
            |number: &u64| below.binary_search_by_key(number, |&(number, _)| number).is_ok();

        let latest_from =
            if numbers.len() <= ABOVE_MAX { 0 } else { numbers.len() - ABOVE_MAX / 2 };
        // What a kernel stands for: how many trials, and the place of the middle one.
        let mut stands_for: Vec<(f64, f64)> = Vec::new();
        if latest_from > 0 {
            let strata = ABOVE_MAX / 2;
            let depth = latest_from as f64 / strata as f64;
            for stratum in 0..strata {
                let at = (2 * stratum + 1) * latest_from / (2 * strata);
                let number = numbers[at];
                if !is_good(&number) && push(&mut columns, space, &history.trials()[place(number)])
                {
                    stands_for.push((depth, at as f64));
                }
            }
        }
        let older_count = latest_from;
        let mut at = older_count as f64;
        for number in numbers[latest_from..].iter().filter(|number| !is_good(number)) {
            if push(&mut columns, space, &history.trials()[place(*number)]) {
                stands_for.push((1.0, at));
                at += 1.0;
            }
        }
        for running in running {
            if push_running(&mut columns, space, running) {
                stands_for.push((1.0, at));
                at += 1.0;
            }
        }
        let weights: Vec<f64> =
            stands_for.iter().map(|&(depth, place)| depth * recency(place, at)).collect();
        Parzen::new(columns, &weights, PLAIN_CLIP_EXPONENT)
    }
}

/// The weight of the trial at `place` (from zero, the oldest first) among `count`.
///
/// Source: `default_weights` of Optuna 5.0, after Bergstra et al. (2011), "Algorithms for
/// Hyper-Parameter Optimization": the latest 25 weigh one, the others from `1 / count` up to one.
#[expect(clippy::cast_precision_loss, reason = "a small constant")]
fn recency(place: f64, count: f64) -> f64 {
    let ramp = count - FLAT_COUNT as f64;
    if place >= ramp {
        return 1.0;
    }
    let least = 1.0 / count;
    if ramp > 1.0 { least + (1.0 - least) * place / (ramp - 1.0) } else { least }
}

fn place(number: u64) -> usize {
    usize::try_from(number).expect("as many trials as there are in memory")
}

/// Takes the parameters of a trial, if it has all of `space`.
fn push(columns: &mut [Column], space: &SearchSpace, trial: &FrozenTrial) -> bool {
    if !space.keys().all(|name| trial.params.contains_key(name)) {
        return false;
    }
    for (column, name) in columns.iter_mut().zip(space.keys()) {
        column.push(trial.params[name].internal);
    }
    true
}

/// The same of a trial that runs, with what it was proposed and has not asked for yet.
fn push_running(columns: &mut [Column], space: &SearchSpace, trial: &FrozenTrial) -> bool {
    let proposed = proposed(trial);
    let internal = |(name, distribution): (&String, &Distribution)| {
        trial.params.get(name).map(|param| param.internal).or_else(|| {
            let value = serde_json::from_value::<ParamValue>(proposed.get(name)?.clone()).ok()?;
            distribution.internal(&value)
        })
    };
    let Some(internals) = space.iter().map(internal).collect::<Option<Vec<f64>>>() else {
        return false;
    };
    for (column, internal) in columns.iter_mut().zip(internals) {
        column.push(internal);
    }
    true
}

/// What people see of the parameters that a running trial was proposed.
fn proposed(trial: &FrozenTrial) -> BTreeMap<String, Value> {
    let piece = |at: usize| trial.system_attrs.get(&format!("{RELATIVE_PARAMS}:{at}"))?.as_str();
    let text: String = (0..).map_while(piece).collect();
    serde_json::from_str(&text).unwrap_or_default()
}

/// The attributes under which others find what is proposed, in pieces that Optuna can keep.
fn attributes(params: &BTreeMap<String, Param>) -> BTreeMap<String, Value> {
    let values: BTreeMap<&String, ParamValue> =
        params.iter().filter_map(|(name, param)| Some((name, param.value()?))).collect();
    let text = serde_json::to_string(&values).expect("parameters are plain data");
    let chars: Vec<char> = text.chars().collect();
    let pieces = (0..).zip(chars.chunks(ATTR_CHARS_MAX));
    let attribute = |(at, piece): (usize, &[char])| {
        (format!("{RELATIVE_PARAMS}:{at}"), Value::String(piece.iter().collect()))
    };
    pieces.map(attribute).collect()
}

impl Sampler for TpeSampler {
    fn propose(&mut self, history: &History, trial: &FrozenTrial) -> Proposal {
        self.update(history);
        if self.is_startup(history) {
            return Proposal::default();
        }
        let spaces: Vec<SearchSpace> = match self.options.joint {
            Joint::None => Vec::new(),
            Joint::Common => vec![self.common.space()],
            Joint::Groups => self.groups.spaces().collect(),
        };
        let below = self.below(history);
        let mut proposal = Proposal::default();
        for space in spaces.into_iter().filter(|space| !space.is_empty()) {
            let internals = self.draw(history, trial, &space, &below);
            for ((name, distribution), internal) in space.into_iter().zip(internals) {
                proposal.params.insert(name, Param { distribution, internal });
            }
        }
        if self.options.constant_liar && !proposal.params.is_empty() {
            proposal.system_attrs = attributes(&proposal.params);
        }
        proposal
    }

    fn sample(
        &mut self,
        history: &History,
        trial: &FrozenTrial,
        name: &str,
        distribution: &Distribution,
    ) -> f64 {
        self.update(history);
        if self.is_startup(history) {
            return self.random.draw(trial.number, name, distribution);
        }
        let space = SearchSpace::from([(name.to_owned(), distribution.clone())]);
        self.draw(history, trial, &space, &self.below(history))[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_are_optunas() {
        // optuna.samplers._tpe.sampler.default_weights(30), Optuna 5.0.0.
        let expected = [1.0 / 30.0, 0.275, 0.516_666_666_666_666_6, 0.758_333_333_333_333_3, 1.0];
        for (place, expected) in (0..).map(f64::from).zip(expected) {
            assert!((recency(place, 30.0) - expected).abs() < 1e-15);
        }
        assert!((0..30).map(f64::from).skip(4).all(|place| recency(place, 30.0) >= 1.0));
        assert!((recency(0.0, 26.0) - 1.0 / 26.0).abs() < 1e-15);
        assert!((0..25).map(f64::from).all(|place| recency(place, 25.0) >= 1.0));
    }

    #[test]
    fn what_is_proposed_is_found_again_in_pieces() {
        let long = |n: usize| format!("{}{n}", "ğ".repeat(900));
        let params: BTreeMap<String, Param> = (0..4)
            .map(|n| (long(n), Param { distribution: Distribution::int(0, 9), internal: 3.0 }))
            .collect();
        let attrs = attributes(&params);
        assert_eq!(attrs.len(), 2);
        let mut trial = crate::study::NewTrial::Running.begin(
            crate::study::TrialId(0),
            0,
            jiff::Timestamp::UNIX_EPOCH,
        );
        trial.system_attrs = attrs;
        assert_eq!(proposed(&trial).get(&long(2)), Some(&Value::from(3)));
    }
}
