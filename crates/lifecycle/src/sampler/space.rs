//! Which parameters the trials of a study have, learned from those that finished.

use std::collections::{BTreeMap, BTreeSet};

use crate::search_space::{Distribution, SearchSpace};
use crate::study::{FrozenTrial, History, TrialState};

/// The parameters that all results have.
#[derive(Clone, Debug, Default)]
pub(super) struct Intersection {
    seen_count: usize,
    space: Option<SearchSpace>,
}

impl Intersection {
    /// The parameters with more than one value that all complete trials have, and with one
    /// distribution.
    pub(super) fn update(&mut self, history: &History, counts: fn(&FrozenTrial) -> bool) {
        for trial in history.finished(self.seen_count).filter(|trial| counts(trial)) {
            let of = |(name, param): (&String, &crate::study::Param)| {
                (name.clone(), param.distribution.clone())
            };
            let Some(space) = &mut self.space else {
                self.space = Some(trial.params.iter().map(of).collect());
                continue;
            };
            space.retain(|name, distribution| {
                trial.params.get(name).is_some_and(|param| param.distribution == *distribution)
            });
        }
        self.seen_count = history.finished_count();
    }

    /// Those of them that can vary.
    pub(super) fn space(&self) -> SearchSpace {
        let mut space = self.space.clone().unwrap_or_default();
        space.retain(|_, distribution| !distribution.is_single());
        space
    }
}

/// Whether a trial is complete.
pub(super) fn is_complete(trial: &FrozenTrial) -> bool {
    trial.state == TrialState::Complete
}

/// Whether a trial gave a result.
pub(super) fn is_result(trial: &FrozenTrial) -> bool {
    matches!(trial.state, TrialState::Complete | TrialState::Pruned)
}

/// Parameters in groups: two are in one if every result that has one of them has the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    groups: Vec<BTreeSet<String>>,
    /// The latest distribution of each.
    distributions: BTreeMap<String, Distribution>,
}

impl Groups {
    /// Learns of one more result: groups of which it has some are parted.
    pub(super) fn learn(&mut self, trial: &FrozenTrial) {
        for (name, param) in &trial.params {
            if self.distributions.get(name) != Some(&param.distribution) {
                self.distributions.insert(name.clone(), param.distribution.clone());
            }
        }
        let mut new: BTreeSet<&String> = trial.params.keys().collect();
        let mut parted = Vec::new();
        for group in &mut self.groups {
            let has = |name: &String| trial.params.contains_key(name);
            for name in group.iter() {
                new.remove(name);
            }
            if group.iter().any(has) && !group.iter().all(has) {
                let (of_trial, others) = group.iter().cloned().partition(has);
                *group = of_trial;
                parted.push(others);
            }
        }
        self.groups.extend(parted);
        if !new.is_empty() {
            self.groups.push(new.into_iter().cloned().collect());
        }
    }

    /// The groups with those of their parameters that can vary.
    pub(super) fn spaces(&self) -> impl Iterator<Item = SearchSpace> {
        self.groups.iter().map(|group| {
            let of = |name: &String| {
                let distribution = self.distributions.get(name)?;
                (!distribution.is_single()).then(|| (name.clone(), distribution.clone()))
            };
            group.iter().filter_map(of).collect()
        })
    }
}
