//! How much each parameter of a study mattered.
//!
//! Functional analysis of variance: a forest of regression trees learns the value from the
//! parameters; of what its predictions vary over the whole space, the share that one parameter alone
//! explains, averaged over all others, is its importance. It is a statement on the space that was
//! searched, not on the best trials, and on main effects only.
//!
//! Source: Hutter, Hoos and Leyton-Brown (2014), "An Efficient Approach for Assessing Hyperparameter
//! Importance".

mod forest;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use crate::search_space::Distribution;
use crate::study::{FrozenTrial, TrialState};
use forest::Forest;
use tree::Axis;

/// So many trials are looked at, evenly spaced, when there are more.
const TRIALS_MAX: usize = 2_000;

/// The importance of each parameter for the value at `objective`, which counts from zero.
///
/// They sum to one, or are all zero when there is nothing to explain: fewer than two complete trials
/// with a finite value, or all alike.
///
/// The parameters that all trials have are judged over all trials. A conditional parameter is judged
/// over the trials that have it, beside those that all have, and its share is multiplied by the share
/// of trials that have it.
#[expect(clippy::cast_precision_loss, reason = "studies have fewer than 2^53 trials")]
pub fn fanova<T: AsRef<FrozenTrial>>(
    trials: &[T],
    objective: usize,
    seed: u64,
) -> BTreeMap<String, f64> {
    let value = |trial: &FrozenTrial| {
        let value = trial.values.as_ref()?.get(objective).copied()?;
        (trial.state == TrialState::Complete && value.is_finite()).then_some(value)
    };
    let mut rows: Vec<(&FrozenTrial, f64)> =
        trials.iter().filter_map(|t| Some((t.as_ref(), value(t.as_ref())?))).collect();
    if rows.len() > TRIALS_MAX {
        let count = rows.len();
        rows = (0..TRIALS_MAX).map(|at| rows[at * count / TRIALS_MAX]).collect();
    }
    let names: BTreeSet<&str> =
        rows.iter().flat_map(|(trial, _)| trial.params.keys().map(String::as_str)).collect();
    let has = |name: &str| rows.iter().filter(|(t, _)| t.params.contains_key(name)).count();
    let common: Vec<&str> = names.iter().copied().filter(|name| has(name) == rows.len()).collect();

    let mut shares = BTreeMap::new();
    for (&name, share) in common.iter().zip(judged(&rows, &common, seed)) {
        shares.insert(name.to_owned(), share);
    }
    for name in names.iter().copied().filter(|name| has(name) < rows.len()) {
        let those: Vec<(&FrozenTrial, f64)> =
            rows.iter().copied().filter(|(t, _)| t.params.contains_key(name)).collect();
        let beside: Vec<&str> = common.iter().copied().chain([name]).collect();
        let share = judged(&those, &beside, seed).last().copied().unwrap_or(0.0);
        shares.insert(name.to_owned(), share * those.len() as f64 / rows.len() as f64);
    }
    let total: f64 = shares.values().sum();
    if total > 0.0 {
        for share in shares.values_mut() {
            *share /= total;
        }
    }
    shares
}

/// The share of the variance that each of the parameters, which all rows have, explains alone.
fn judged(rows: &[(&FrozenTrial, f64)], names: &[&str], seed: u64) -> Vec<f64> {
    let mut axes: Vec<Option<Axis>> = Vec::new();
    for name in names {
        let distributions = rows.iter().map(|(trial, _)| &trial.params[*name].distribution);
        axes.push(axis(distributions));
    }
    let used: Vec<usize> = (0..names.len()).filter(|&at| axes[at].is_some()).collect();
    let columns: Vec<Vec<f64>> = used
        .iter()
        .map(|&at| rows.iter().map(|(trial, _)| trial.params[names[at]].internal).collect())
        .collect();
    let values: Vec<f64> = rows.iter().map(|(_, value)| *value).collect();
    let mut shares = vec![0.0; names.len()];
    if rows.len() < 2 || used.is_empty() {
        return shares;
    }
    let used_axes: Vec<Axis> = used.iter().filter_map(|&at| axes[at].take()).collect();
    let forest = Forest::grow(&used_axes, &columns, &values, seed);
    for (&at, share) in used.iter().zip(forest.shares()) {
        shares[at] = share;
    }
    shares
}

/// The range over which a parameter was searched; `None` when it has one value only. Ranges that
/// changed are joined.
#[expect(clippy::cast_precision_loss, reason = "whole numbers of parameters are below 2^53")]
fn axis<'a>(distributions: impl Iterator<Item = &'a Distribution>) -> Option<Axis> {
    let mut joined: Option<(f64, f64)> = None;
    for distribution in distributions {
        let (low, high) = match distribution {
            Distribution::Categorical { choices } if choices.len() > 1 => {
                return Some(Axis::Choices(choices.len()));
            }
            Distribution::Categorical { .. } => return None,
            Distribution::Float { low, high, .. } => (*low, *high),
            Distribution::Int { low, high, .. } => (*low as f64, *high as f64),
        };
        let (lowest, highest) = joined.unwrap_or((low, high));
        joined = Some((lowest.min(low), highest.max(high)));
    }
    joined.filter(|(low, high)| low < high).map(|(low, high)| Axis::Range(low, high))
}
