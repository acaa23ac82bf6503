//! Which trials are the good ones, kept in order while results come in.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::sampler::space::is_result;
use crate::sampler::tpe::front::Front;
use crate::study::{FrozenTrial, History, TrialState};

/// Results whose trials take part, in the order that decides which are good.
#[derive(Clone, Debug, Default)]
pub(super) struct Results {
    seen_count: usize,
    /// Complete trials of a study with one objective, the best first.
    complete: BTreeSet<(Loss, u64)>,
    /// Complete trials of a study with several.
    front: Front,
    /// Pruned trials, those first that came far, then those that did well.
    pruned: BTreeSet<(ReportedLoss, u64)>,
    /// The numbers of the results that have a parameter, ascending.
    having: BTreeMap<String, Vec<u64>>,
}

/// A loss by its size; NaN is the largest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loss(pub(super) f64);

/// The numbers of good trials, ascending, with their weights, whose mean is one.
pub(super) type Good = Vec<(u64, f64)>;

/// How a pruned trial is ranked: further steps first, then smaller losses; without a report, last.
type ReportedLoss = (std::cmp::Reverse<Option<u64>>, Loss);

impl Ord for Loss {
    fn cmp(&self, other: &Self) -> Ordering {
        let of = |loss: f64| if loss.is_nan() { f64::NAN } else { loss + 0.0 };
        of(self.0).total_cmp(&of(other.0))
    }
}

impl PartialOrd for Loss {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Loss {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Loss {}

impl Results {
    /// Learns of the results since the last time; `told` gets each of them.
    pub(super) fn update(&mut self, history: &History, mut told: impl FnMut(&FrozenTrial)) {
        let seen_count = std::mem::replace(&mut self.seen_count, history.finished_count());
        for trial in history.finished(seen_count).filter(|trial| is_result(trial)) {
            self.learn(history, trial);
            told(trial);
        }
    }

    fn learn(&mut self, history: &History, trial: &Arc<FrozenTrial>) {
        let number = trial.number;
        match (trial.state, history.directions()) {
            (TrialState::Complete, [direction]) => {
                let loss = direction.loss(trial.value().unwrap_or(f64::NAN));
                self.complete.insert((Loss(loss), number));
            }
            (TrialState::Complete, _) => self.front.insert(number, history.losses(trial)),
            (_, directions) => {
                let reported = trial.last_report();
                let loss = reported.map_or(0.0, |(_, value)| directions[0].loss(value));
                let step = std::cmp::Reverse(reported.map(|(step, _)| step));
                self.pruned.insert(((step, Loss(loss)), number));
            }
        }
        for name in trial.params.keys() {
            let numbers = match self.having.get_mut(name) {
                Some(numbers) => numbers,
                None => self.having.entry(name.clone()).or_default(),
            };
            let at = numbers.partition_point(|&other| other < number);
            numbers.insert(at, number);
        }
    }

    /// The `count` best results: complete trials before pruned ones.
    ///
    /// With one objective a complete trial weighs what it improves on the best complete one that is
    /// not among them ("EI" in Watanabe (2023), "Tree-Structured Parzen Estimator: Understanding Its
    /// Algorithm Components and Their Roles for Better Empirical Performance"); where that cannot be
    /// told, all weigh the same.
    pub(super) fn best(&self, count: usize) -> Good {
        let mut best: Vec<u64> = self.complete.iter().take(count).map(|&(_, n)| n).collect();
        best.extend(self.front.best(count));
        let rest = count.saturating_sub(best.len());
        best.extend(self.pruned.iter().take(rest).map(|&(_, number)| number));
        let weights = self.gains(count).unwrap_or_else(|| vec![1.0; best.len()]);
        let mut best: Good = best.into_iter().zip(weights).collect();
        best.sort_unstable_by_key(|&(number, _)| number);
        best
    }

    /// What each of the `count` best complete trials improves on the next, in units of the mean;
    /// `None` when there is no next, or nothing is improved.
    #[expect(clippy::cast_precision_loss, reason = "a few good trials")]
    fn gains(&self, count: usize) -> Option<Vec<f64>> {
        let mut losses = self.complete.iter().map(|&(Loss(loss), _)| loss);
        let good: Vec<f64> = losses.by_ref().take(count).collect();
        let next = losses.next()?;
        let total: f64 = good.iter().map(|loss| next - loss).sum();
        (total.is_normal() && total > 0.0)
            .then(|| good.iter().map(|loss| (next - loss) * count as f64 / total).collect())
    }

    /// The numbers, ascending, of the results that may have all of the parameters: those that have
    /// the rarest.
    pub(super) fn having<'a>(&self, names: impl Iterator<Item = &'a String>) -> &[u64] {
        let of = |name| self.having.get(name).map_or(&[][..], Vec::as_slice);
        names.map(of).min_by_key(|numbers| numbers.len()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_trials_weigh_what_they_improve_on_the_next() {
        let check = |losses: &[f64], expected: Option<&[f64]>| {
            let complete = losses.iter().zip(0..).map(|(&loss, number)| (Loss(loss), number));
            let results = Results { complete: complete.collect(), ..Results::default() };
            assert_eq!(results.gains(3).as_deref(), expected, "{losses:?}");
        };
        check(&[4.0, 1.0, 2.5, 4.0, 9.0], Some(&[2.0, 1.0, 0.0]));
        check(&[3.0, 3.0, 3.0, 3.0], None);
        check(&[1.0, 2.0, 3.0], None);
        check(&[f64::NEG_INFINITY, 2.0, 3.0, 4.0], None);
        check(&[1.0, f64::NAN, f64::NAN, f64::NAN], None);
    }

    #[test]
    fn pruned_trials_that_came_far_stand_before_those_that_did_well() {
        let mut pruned: BTreeSet<(ReportedLoss, u64)> = BTreeSet::new();
        let mut insert = |step, loss, number| {
            pruned.insert(((std::cmp::Reverse(step), Loss(loss)), number));
        };
        insert(None, 0.0, 0);
        insert(Some(3), f64::NAN, 1);
        insert(Some(3), 2.0, 2);
        insert(Some(1), -9.0, 3);
        insert(Some(3), f64::INFINITY, 4);
        let order: Vec<u64> = pruned.iter().map(|&(_, number)| number).collect();
        assert_eq!(order, [2, 4, 1, 3, 0]);
    }
}
