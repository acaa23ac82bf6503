//! Hyperband: successive halvings that begin early and late, side by side.

use crate::pruner::{Pruner, SuccessiveHalving, SuccessiveHalvingPruner, Verdict};
use crate::study::{FrozenTrial, History, TrialState};

/// How a [`HyperbandPruner`] judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hyperband {
    /// The step at which the first rung of the first bracket stands, at least one.
    pub resource_min: u64,
    /// How many steps a trial has; `None` for those of the longest of the first complete trials,
    /// until when no trial is stopped.
    pub resource_max: Option<u64>,
    /// At each rung one trial in so many goes on, at least two.
    pub reduction_factor: u64,
    /// So many trials are stopped at a rung before one may go on.
    pub bootstrap_count: usize,
}

impl Default for Hyperband {
    fn default() -> Self {
        Self { resource_min: 1, resource_max: None, reduction_factor: 3, bootstrap_count: 0 }
    }
}

/// Runs a successive halving in each of several brackets, of which one leaves out more rungs than the
/// one before; a trial belongs to a bracket by a hash of its study and number.
///
/// Source: Li et al. (2018), "Hyperband: A Novel Bandit-Based Approach to Hyperparameter
/// Optimization", as Optuna 5.0 does it with the asynchronous halving.
#[derive(Clone, Debug)]
pub struct HyperbandPruner {
    rule: Hyperband,
    /// Empty until the steps of a trial are known.
    brackets: Vec<Bracket>,
}

#[derive(Clone, Debug)]
struct Bracket {
    /// How many hashes belong to it.
    budget: u64,
    pruner: SuccessiveHalvingPruner,
}

impl HyperbandPruner {
    /// With a rule.
    pub const fn new(rule: Hyperband) -> Self {
        Self { rule, brackets: Vec::new() }
    }

    fn begin(&mut self, history: &History) {
        let complete = history.trials().iter().filter(|t| t.state == TrialState::Complete);
        let steps = || complete.filter_map(|trial| trial.last_report()).map(|(step, _)| step);
        let Some(resource_max) = self.rule.resource_max.or_else(|| Some(steps().max()? + 1)) else {
            return;
        };
        let factor = self.rule.reduction_factor.max(2);
        let least = self.rule.resource_min.max(1);
        let count = brackets_count(resource_max, least, factor);
        self.brackets = (0..count)
            .map(|bracket| {
                let rule = SuccessiveHalving {
                    resource_min: Some(least),
                    reduction_factor: factor,
                    stopping_rate_min: bracket,
                    bootstrap_count: self.rule.bootstrap_count,
                };
                let rest = count - 1 - bracket;
                let budget =
                    (u64::from(count) * factor.saturating_pow(rest)).div_ceil(u64::from(rest) + 1);
                Bracket { budget, pruner: SuccessiveHalvingPruner::new(rule) }
            })
            .collect();
    }
}

/// `floor(log_factor(most / least)) + 1`, in whole numbers.
fn brackets_count(most: u64, least: u64, factor: u64) -> u32 {
    let mut count = 1;
    let mut reached = least.saturating_mul(factor);
    while reached <= most {
        count += 1;
        reached = reached.saturating_mul(factor);
        if reached == u64::MAX {
            break;
        }
    }
    count
}

/// The place of the bracket of a trial, where `budgets` are those of all brackets.
fn bracket_of(study: &str, number: u64, budgets: &[u64]) -> usize {
    let total: u64 = budgets.iter().sum();
    let mut rest = u64::from(crc32(format!("{study}_{number}").as_bytes())) % total.max(1);
    for (bracket, &budget) in budgets.iter().enumerate() {
        if rest < budget {
            return bracket;
        }
        rest -= budget;
    }
    budgets.len().saturating_sub(1)
}

/// The cyclic redundancy check of zlib and Ethernet (ISO 3309), bit by bit: trials have short names.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc >>= 1;
            if carry == 1 {
                crc ^= 0xEDB8_8320;
            }
        }
    }
    !crc
}

impl Pruner for HyperbandPruner {
    fn review(&mut self, history: &History, trial: &FrozenTrial) -> Verdict {
        if self.brackets.is_empty() {
            self.begin(history);
        }
        let budgets: Vec<u64> = self.brackets.iter().map(|bracket| bracket.budget).collect();
        if budgets.is_empty() {
            return Verdict::default();
        }
        let study = &history.study().name;
        let bracket = bracket_of(study, trial.number, &budgets);
        let takes = |other: &FrozenTrial| bracket_of(study, other.number, &budgets) == bracket;
        self.brackets[bracket].pruner.review_among(history, trial, &takes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_is_zlibs() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn there_is_a_bracket_for_each_power_of_the_factor() {
        let check = |most, least, factor, expected| {
            assert_eq!(brackets_count(most, least, factor), expected);
        };
        check(1, 1, 3, 1);
        check(2, 1, 3, 1);
        check(3, 1, 3, 2);
        check(80, 1, 3, 4);
        check(81, 1, 3, 5);
        check(100, 4, 5, 3);
        check(u64::MAX, 1, 2, 64);
    }
}
