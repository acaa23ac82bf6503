//! Successive halving, asynchronous: at each rung only the best part goes on.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::pruner::{Pruner, Verdict};
use crate::study::{FrozenTrial, History, StudyDirection, TrialState};

/// How a [`SuccessiveHalvingPruner`] judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuccessiveHalving {
    /// The step at which the first rung stands, at least one; `None` for a hundredth of the steps
    /// of the longest complete trial, known once there is one.
    pub resource_min: Option<u64>,
    /// At each rung one trial in so many goes on; the next rung stands so many times as far. At
    /// least two.
    pub reduction_factor: u64,
    /// How many rungs are left out at the beginning.
    pub stopping_rate_min: u32,
    /// So many trials are stopped at a rung before one may go on.
    pub bootstrap_count: usize,
}

impl Default for SuccessiveHalving {
    fn default() -> Self {
        Self { resource_min: None, reduction_factor: 4, stopping_rate_min: 0, bootstrap_count: 0 }
    }
}

/// Stops at each rung all trials but the best part of those that came there.
///
/// Source: Li et al. (2018), "A System for Massively Parallel Hyperparameter Tuning", algorithm 2, as
/// Optuna 5.0 does it: a trial does not wait at a rung, and of the first few the best so far goes on.
#[derive(Clone, Debug)]
pub struct SuccessiveHalvingPruner {
    rule: SuccessiveHalving,
    resource_min: Option<u64>,
    rungs: Rungs,
}

/// What finished trials had when they came to each rung.
#[derive(Clone, Debug, Default)]
struct Rungs {
    seen_count: usize,
    /// Losses by rung, ascending.
    losses: BTreeMap<u32, Vec<f64>>,
}

impl SuccessiveHalvingPruner {
    /// With a rule.
    pub fn new(rule: SuccessiveHalving) -> Self {
        let resource_min = rule.resource_min.map(|step| step.max(1));
        Self { rule, resource_min, rungs: Rungs::default() }
    }

    /// The same among the trials that `takes` lets through only.
    pub(super) fn review_among(
        &mut self,
        history: &History,
        trial: &FrozenTrial,
        takes: &dyn Fn(&FrozenTrial) -> bool,
    ) -> Verdict {
        let &[direction] = history.directions() else { return Verdict::default() };
        let Some((step, value)) = trial.last_report() else { return Verdict::default() };
        self.resource_min = self.resource_min.or_else(|| {
            let complete = |trial: &&std::sync::Arc<FrozenTrial>| {
                trial.state == TrialState::Complete && takes(trial)
            };
            let steps = history.finished(0).filter(complete);
            let last = steps.filter_map(|trial| trial.last_report()).map(|(step, _)| step).max()?;
            Some((last / 100).max(1))
        });
        let Some(resource_min) = self.resource_min else { return Verdict::default() };
        self.rungs.update(history, direction, takes);

        let mut verdict = Verdict::default();
        let factor = self.rule.reduction_factor.max(2);
        let passed = |rung: &u32| trial.system_attrs.contains_key(&rung_key(*rung));
        let mut rung = (0..).find(|rung| !passed(rung)).unwrap_or_default();
        loop {
            let exponent = self.rule.stopping_rate_min.saturating_add(rung);
            if step < factor.saturating_pow(exponent).saturating_mul(resource_min) {
                return verdict;
            }
            if value.is_nan() {
                return Verdict { prune: true, ..verdict };
            }
            verdict.system_attrs.insert(rung_key(rung), value_json(value));
            let others = history.unfinished().filter(|other| {
                other.state == TrialState::Running && other.number != trial.number && takes(other)
            });
            let running: Vec<f64> =
                others.filter_map(|other| rung_loss(other, rung, direction)).collect();
            if !self.goes_on(rung, direction.loss(value), &running, factor) {
                return Verdict { prune: true, ..verdict };
            }
            rung += 1;
        }
    }

    /// Whether `loss` is among the best part at the rung, where `running` are the losses of trials
    /// that go on beyond it.
    fn goes_on(&self, rung: u32, loss: f64, running: &[f64], factor: u64) -> bool {
        let finished = self.rungs.losses.get(&rung).map_or(&[][..], Vec::as_slice);
        let count = finished.len() + running.len() + 1;
        if count <= self.rule.bootstrap_count {
            return false;
        }
        let kept = usize::try_from(count as u64 / factor).unwrap_or(usize::MAX).max(1);
        let better_finished = finished.partition_point(|&other| other < loss);
        let better_running = running.iter().filter(|&&other| other < loss).count();
        better_finished + better_running < kept
    }
}

impl Rungs {
    fn update(
        &mut self,
        history: &History,
        direction: StudyDirection,
        takes: &dyn Fn(&FrozenTrial) -> bool,
    ) {
        let seen_count = std::mem::replace(&mut self.seen_count, history.finished_count());
        for trial in history.finished(seen_count).filter(|trial| takes(trial)) {
            let losses = (0..).map_while(|rung| Some((rung, rung_loss(trial, rung, direction)?)));
            for (rung, loss) in losses {
                let sorted = self.losses.entry(rung).or_default();
                let at = sorted.partition_point(|&other| other < loss);
                sorted.insert(at, loss);
            }
        }
    }
}

impl Pruner for SuccessiveHalvingPruner {
    fn review(&mut self, history: &History, trial: &FrozenTrial) -> Verdict {
        self.review_among(history, trial, &|_| true)
    }
}

/// The system attribute that holds what a trial had at a rung, as in Optuna.
fn rung_key(rung: u32) -> String {
    format!("completed_rung_{rung}")
}

/// JSON has no infinity; the largest number stands for it.
fn value_json(value: f64) -> Value {
    Value::from(value.clamp(f64::MIN, f64::MAX))
}

fn rung_loss(trial: &FrozenTrial, rung: u32, direction: StudyDirection) -> Option<f64> {
    Some(direction.loss(trial.system_attrs.get(&rung_key(rung))?.as_f64()?))
}
