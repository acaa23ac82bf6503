//! Every combination of a few values, each once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::sampler::coordinate::Coordinate;
use crate::sampler::random::RandomSampler;
use crate::sampler::stream::{below, stream};
use crate::sampler::{Proposal, Sampler};
use crate::search_space::{Distribution, ParamValue};
use crate::study::{FrozenTrial, History, Param, TrialState};

/// The system attributes of a trial, as in Optuna: its cell, and the grid.
const CELL: &str = "grid_id";
const GRID: &str = "search_space";

/// `count` values of a distribution at equal distances, logarithmic ones at equal ratios, the ends
/// included; fewer when it has fewer (categories have all of theirs).
#[expect(clippy::cast_precision_loss, reason = "few points")]
pub fn grid_values(distribution: &Distribution, count: usize) -> Vec<f64> {
    if let Distribution::Categorical { choices } = distribution {
        return (0..choices.len()).map(|choice| choice as f64).collect();
    }
    let line = Coordinate::of(distribution);
    let (first, last) = (line.place(line.internal(line.low)), line.place(line.internal(line.high)));
    let share = |point: usize| point as f64 / (count.max(2) - 1) as f64;
    let mut values: Vec<f64> =
        (0..count).map(|point| line.internal(first + share(point) * (last - first))).collect();
    values.dedup_by(|a, b| a.total_cmp(b).is_eq());
    values
}

/// Tries each cell of a grid once, over all workers, in an order that the seed decides, and then says
/// that nothing is left.
///
/// A trial whose number is below the number of cells has the cell of that number, so that workers
/// need not agree; cells that are left, because a trial with that number was enqueued by somebody,
/// are taken by later trials. A cell whose trial failed counts as tried. Parameters that are not of
/// the grid are drawn at random; with conditional parameters, cells that differ in a parameter that
/// is not asked for are trials of their own.
#[derive(Clone, Debug)]
pub struct GridSampler {
    seed: u64,
    random: RandomSampler,
    grid: BTreeMap<String, Axis>,
    /// The cells in the order in which they are tried.
    order: Vec<usize>,
    seen_count: usize,
    /// Cells whose trials finished.
    tried: BTreeSet<usize>,
}

/// The values of one parameter.
#[derive(Clone, Debug)]
struct Axis {
    distribution: Distribution,
    internals: Vec<f64>,
}

impl GridSampler {
    /// A grid of so many [values](grid_values) for each parameter.
    pub fn new(seed: u64, space: &BTreeMap<String, Distribution>, values_count: usize) -> Self {
        let axis = |distribution: &Distribution| Axis {
            distribution: distribution.clone(),
            internals: grid_values(distribution, values_count.max(1)),
        };
        let grid: BTreeMap<String, Axis> =
            space.iter().map(|(name, distribution)| (name.clone(), axis(distribution))).collect();
        let cells_count = grid.values().map(|axis| axis.internals.len()).product();
        Self {
            seed,
            random: RandomSampler::new(seed),
            grid,
            order: shuffled(seed, cells_count),
            seen_count: 0,
            tried: BTreeSet::new(),
        }
    }

    /// How many cells there are.
    pub const fn cells_count(&self) -> usize {
        self.order.len()
    }

    fn update(&mut self, history: &History) {
        let seen_count = std::mem::replace(&mut self.seen_count, history.finished_count());
        self.tried.extend(history.finished(seen_count).filter_map(|trial| cell_of(trial)));
    }

    /// The cells that nobody tried or is at, `trial` apart.
    fn left(&self, history: &History, trial: Option<&FrozenTrial>) -> Vec<usize> {
        let number = trial.map(|trial| trial.number);
        let running: BTreeSet<usize> = history
            .unfinished()
            .filter(|other| Some(other.number) != number)
            .filter_map(|other| self.reserved(other))
            .collect();
        let is_left = |cell: &usize| !self.tried.contains(cell) && !running.contains(cell);
        self.order.iter().copied().filter(is_left).collect()
    }

    /// The cell of an unfinished trial: told, or, if it has just been made, by its number.
    fn reserved(&self, trial: &FrozenTrial) -> Option<usize> {
        let by_number = || {
            let is_new = trial.state == TrialState::Running && trial.params.is_empty();
            usize::try_from(trial.number).ok().filter(|_| is_new && !is_enqueued(trial))
        };
        cell_of(trial).or_else(|| self.order.get(by_number()?).copied())
    }

    /// The internal values at a cell.
    fn params(&self, mut cell: usize) -> BTreeMap<String, Param> {
        let mut params = BTreeMap::new();
        for (name, Axis { distribution, internals }) in &self.grid {
            let internal = internals[cell % internals.len()];
            cell /= internals.len();
            params.insert(name.clone(), Param { distribution: distribution.clone(), internal });
        }
        params
    }

    /// The grid as people see it.
    fn seen(&self) -> Value {
        let values = |axis: &Axis| -> Vec<ParamValue> {
            axis.internals.iter().filter_map(|&value| axis.distribution.value(value)).collect()
        };
        let grid: BTreeMap<&String, Vec<ParamValue>> =
            self.grid.iter().map(|(name, axis)| (name, values(axis))).collect();
        json!(grid)
    }
}

/// Every order equally likely.
///
/// Source: Knuth, "The Art of Computer Programming", volume 2, section 3.4.2, algorithm P.
fn shuffled(seed: u64, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut rng = stream(seed, 0, "grid");
    for last in (1..count).rev() {
        order.swap(last, below(&mut rng, last + 1));
    }
    order
}

fn cell_of(trial: &FrozenTrial) -> Option<usize> {
    usize::try_from(trial.system_attrs.get(CELL)?.as_u64()?).ok()
}

fn is_enqueued(trial: &FrozenTrial) -> bool {
    trial.system_attrs.contains_key("fixed_params")
}

impl Sampler for GridSampler {
    fn propose(&mut self, history: &History, trial: &FrozenTrial) -> Proposal {
        self.update(history);
        if is_enqueued(trial) && cell_of(trial).is_none() {
            return Proposal::default();
        }
        let own =
            cell_of(trial).or_else(|| self.order.get(usize::try_from(trial.number).ok()?).copied());
        let cell = own.or_else(|| {
            let left = self.left(history, Some(trial));
            let mut rng = stream(self.seed, trial.number, "grid");
            // Exhausted while this trial was made: one that was tried is tried again.
            let left = if left.is_empty() { &self.order } else { &left };
            (!left.is_empty()).then(|| left[below(&mut rng, left.len())])
        });
        let Some(cell) = cell else { return Proposal::default() };
        let system_attrs =
            BTreeMap::from([(CELL.to_owned(), json!(cell)), (GRID.to_owned(), self.seen())]);
        Proposal { params: self.params(cell), system_attrs }
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

    fn is_exhausted(&mut self, history: &History) -> bool {
        self.update(history);
        let taken_count = self.tried.len() + history.unfinished().count();
        taken_count >= self.order.len() && self.left(history, None).is_empty()
    }
}
