//! Stops a trial that is worse than a share of the complete ones were at the same step.

use std::collections::BTreeMap;

use crate::pruner::{Pruner, Sorted, Verdict};
use crate::study::{FrozenTrial, History, StudyDirection, TrialState};

/// How a [`PercentilePruner`] judges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percentile {
    /// The share of the complete trials, the best ones, that a trial has to reach, 0 to 1.
    pub kept_share: f64,
    /// Complete trials before which none is stopped.
    pub startup_trials: u64,
    /// Steps below which none is stopped.
    pub warmup_steps: u64,
    /// A trial is looked at once in so many steps, counted from `warmup_steps`; at least one.
    pub interval_steps: u64,
    /// Complete trials that must have reported at the same step.
    pub trials_min: usize,
}

impl Default for Percentile {
    /// The median rule.
    fn default() -> Self {
        Self {
            kept_share: 0.5,
            startup_trials: 5,
            warmup_steps: 0,
            interval_steps: 1,
            trials_min: 1,
        }
    }
}

/// Stops a trial whose best report so far is worse than the percentile of what the complete trials
/// reported at the same step.
#[derive(Clone, Debug)]
pub struct PercentilePruner {
    rule: Percentile,
    seen_count: usize,
    complete_count: u64,
    /// What complete trials reported, by step; reports that are NaN are counted only.
    reports: BTreeMap<u64, (Sorted, usize)>,
}

impl PercentilePruner {
    /// With a rule.
    pub const fn new(rule: Percentile) -> Self {
        Self { rule, seen_count: 0, complete_count: 0, reports: BTreeMap::new() }
    }

    /// The median rule with its defaults.
    pub fn median() -> Self {
        Self::new(Percentile::default())
    }

    fn update(&mut self, history: &History) {
        let seen_count = std::mem::replace(&mut self.seen_count, history.finished_count());
        let complete = |trial: &&std::sync::Arc<FrozenTrial>| trial.state == TrialState::Complete;
        for trial in history.finished(seen_count).filter(complete) {
            self.complete_count += 1;
            for (&step, &value) in &trial.intermediate_values {
                let (sorted, count) = self.reports.entry(step).or_default();
                *count += 1;
                if !value.is_nan() {
                    sorted.insert(value);
                }
            }
        }
    }

    /// The value that a trial has to reach at `step`; `None` when too few have come there.
    fn bar(&self, direction: StudyDirection, step: u64) -> Option<f64> {
        let (Sorted(sorted), count) = self.reports.get(&step)?;
        if *count < self.rule.trials_min || sorted.is_empty() {
            return None;
        }
        let share = match direction {
            StudyDirection::Minimize => self.rule.kept_share,
            StudyDirection::Maximize => 1.0 - self.rule.kept_share,
        };
        Some(quantile(sorted, share)).filter(|bar| !bar.is_nan())
    }
}

/// The value below which a share of the numbers lies, between two neighbours on the straight line, as
/// numpy computes it: NaN at a number whose next one is infinite, and where that one is nearer.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among the numbers"
)]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len() - 1;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let at = place.floor() as usize;
    let (low, high) = (sorted[at], sorted[(at + 1).min(last)]);
    let rest = place.fract();
    if rest < 0.5 { low + (high - low) * rest } else { high - (high - low) * (1.0 - rest) }
}

/// Whether `step` is the first report of the trial since its rule last looked.
fn is_first_of_interval(trial: &FrozenTrial, step: u64, rule: &Percentile) -> bool {
    let interval = rule.interval_steps.max(1);
    let looked_at = (step - rule.warmup_steps) / interval * interval + rule.warmup_steps;
    let before = trial.intermediate_values.range(..step).next_back();
    before.is_none_or(|(&before, _)| before < looked_at)
}

/// The best of what a trial reported; NaN when all of it is.
pub(super) fn best_report<'a>(
    direction: StudyDirection,
    reports: impl Iterator<Item = &'a f64>,
) -> f64 {
    let better = match direction {
        StudyDirection::Minimize => f64::min,
        StudyDirection::Maximize => f64::max,
    };
    reports.copied().fold(f64::NAN, better)
}

impl Pruner for PercentilePruner {
    fn review(&mut self, history: &History, trial: &FrozenTrial) -> Verdict {
        self.update(history);
        let &[direction] = history.directions() else { return Verdict::default() };
        let Some((step, _)) = trial.last_report() else { return Verdict::default() };
        if self.complete_count == 0
            || self.complete_count < self.rule.startup_trials
            || step < self.rule.warmup_steps
            || !is_first_of_interval(trial, step, &self.rule)
        {
            return Verdict::default();
        }
        let best = best_report(direction, trial.intermediate_values.values());
        if best.is_nan() {
            return Verdict::of(true);
        }
        let bar = self.bar(direction, step);
        Verdict::of(bar.is_some_and(|bar| direction.loss(best) > direction.loss(bar)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_on_the_line_between_neighbours() {
        let check = |sorted: &[f64], share, expected: f64| {
            let found = quantile(sorted, share);
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        };
        check(&[1.0, 2.0, 4.0], 0.5, 2.0);
        check(&[1.0, 2.0, 4.0], 0.25, 1.5);
        check(&[1.0, 2.0, 4.0], 1.0, 4.0);
        assert!(quantile(&[1.0, f64::INFINITY], 0.0).is_nan());
        assert!(quantile(&[1.0, f64::INFINITY], 0.25).is_infinite());
        assert!(quantile(&[1.0, f64::INFINITY], 0.75).is_nan());
    }
}
