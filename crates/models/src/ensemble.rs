//! How much each member of an ensemble counts: stacking on forecasts of unseen days.

use serde::{Deserialize, Serialize};

/// Most members: the weights are found by trying every subset of them.
pub const MEMBERS_MAX: usize = 8;

/// Weights of an ensemble's members, none negative, together one; in the order of the members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StackingWeights(Vec<f64>);

/// Why there are no weights.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StackingError {
    /// No members, or more than [`MEMBERS_MAX`].
    #[error("{0} members cannot be weighted: give 1 to {MEMBERS_MAX}")]
    MembersCount(usize),
    /// The prior has not one weight for each member.
    #[error("the prior has {0} weights for {1} members")]
    PriorCount(usize, usize),
    /// A member has not one forecast for each outcome.
    #[error("member {member} has {forecasts_count} forecasts for {outcomes_count} outcomes")]
    ForecastsCount {
        /// Which member, from zero.
        member: usize,
        /// Its forecasts.
        forecasts_count: usize,
        /// The outcomes.
        outcomes_count: usize,
    },
    /// A forecast or an outcome is NaN or infinite.
    #[error("the forecasts or outcomes of row {0} are not finite: leave the row out")]
    NotFinite(usize),
}

impl StackingWeights {
    /// Every member counts alike: what is right before anything is known of them.
    ///
    /// # Errors
    ///
    /// [`StackingError::MembersCount`] for no members and for too many.
    pub fn equal(members_count: usize) -> Result<Self, StackingError> {
        check_count(members_count)?;
        Ok(Self(vec![1.0 / count(members_count); members_count]))
    }

    /// The weights with the least squared error on rows that no member has learned from, drawn
    /// towards `prior`.
    ///
    /// `forecasts[member][row]` and `outcomes[row]` are in one unit. Minimised over `w >= 0`,
    /// `sum(w) = 1` is `|y - F w|^2 / n + prior_share * s * |w - prior|^2`, where `s` is the least
    /// mean square of a member's forecasts that is not zero, so that a member that forecasts wildly
    /// does not strengthen the prior: with `prior_share` 0 the data alone decide, and with a large
    /// one the prior. The minimum is exact, as every subset of members is tried.
    ///
    /// Source: Breiman (1996), "Stacked Regressions", section 2, with weights that sum to one.
    ///
    /// # Errors
    ///
    /// [`StackingError`] when the numbers do not go together; without outcomes the weights are the
    /// prior.
    pub fn fit(
        forecasts: &[Vec<f64>],
        outcomes: &[f64],
        prior: &Self,
        prior_share: f64,
    ) -> Result<Self, StackingError> {
        let members_count = forecasts.len();
        check_count(members_count)?;
        if prior.0.len() != members_count {
            return Err(StackingError::PriorCount(prior.0.len(), members_count));
        }
        for (member, of_member) in forecasts.iter().enumerate() {
            if of_member.len() != outcomes.len() {
                return Err(StackingError::ForecastsCount {
                    member,
                    forecasts_count: of_member.len(),
                    outcomes_count: outcomes.len(),
                });
            }
        }
        let is_finite = |row: &usize| {
            outcomes[*row].is_finite() && forecasts.iter().all(|f| f[*row].is_finite())
        };
        if let Some(row) = (0..outcomes.len()).find(|row| !is_finite(row)) {
            return Err(StackingError::NotFinite(row));
        }
        if outcomes.is_empty() {
            return Ok(prior.clone());
        }
        let problem = Problem::of(forecasts, outcomes, prior, prior_share);
        let subsets = 1..1_u32 << members_count;
        let best = subsets
            .filter_map(|subset| problem.solve(subset))
            .min_by(|a, b| problem.loss(a).total_cmp(&problem.loss(b)));
        Ok(best.map_or_else(|| prior.clone(), Self))
    }

    /// The weight of each member.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }
}

fn check_count(members_count: usize) -> Result<(), StackingError> {
    match members_count {
        1..=MEMBERS_MAX => Ok(()),
        _ => Err(StackingError::MembersCount(members_count)),
    }
}

/// Minimise `w' G w - 2 b' w`.
struct Problem {
    gram: Vec<Vec<f64>>,
    linear: Vec<f64>,
}

impl Problem {
    fn of(
        forecasts: &[Vec<f64>],
        outcomes: &[f64],
        prior: &StackingWeights,
        prior_share: f64,
    ) -> Self {
        let n = count(outcomes.len());
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / n;
        let mut gram: Vec<Vec<f64>> =
            forecasts.iter().map(|a| forecasts.iter().map(|b| product(a, b)).collect()).collect();
        let mut linear: Vec<f64> = forecasts.iter().map(|f| product(f, outcomes)).collect();
        let squares = (0..forecasts.len()).map(|i| gram[i][i]).filter(|square| *square > 0.0);
        let least = squares.reduce(f64::min).unwrap_or_default();
        // Keeps members that forecast the same apart, by less than any rounding shows.
        let strength = least * prior_share.max(1e-9);
        for (i, row) in gram.iter_mut().enumerate() {
            row[i] += strength;
            linear[i] += strength * prior.0[i];
        }
        Self { gram, linear }
    }

    fn loss(&self, weights: &[f64]) -> f64 {
        let quadratic: f64 = weights
            .iter()
            .zip(&self.gram)
            .map(|(w, row)| w * row.iter().zip(weights).map(|(g, v)| g * v).sum::<f64>())
            .sum();
        quadratic - 2.0 * self.linear.iter().zip(weights).map(|(b, w)| b * w).sum::<f64>()
    }

    /// The weights of the members in `subset` that sum to one with the least loss; `None` when one
    /// of them is not positive.
    ///
    /// With the multiplier `l` they solve `G w = b + l`, `sum(w) = 1`.
    fn solve(&self, subset: u32) -> Option<Vec<f64>> {
        let members: Vec<usize> =
            (0..self.linear.len()).filter(|member| subset >> member & 1 == 1).collect();
        let mut rows: Vec<Vec<f64>> = members
            .iter()
            .map(|&i| {
                let row = members.iter().map(|&j| self.gram[i][j]);
                row.chain([self.linear[i], 1.0]).collect()
            })
            .collect();
        eliminate(&mut rows)?;
        let last = members.len();
        let (at_zero, slope): (Vec<f64>, Vec<f64>) =
            rows.iter().map(|row| (row[last], row[last + 1])).unzip();
        let multiplier = (1.0 - at_zero.iter().sum::<f64>()) / slope.iter().sum::<f64>();
        let mut weights = vec![0.0; self.linear.len()];
        for (index, &member) in members.iter().enumerate() {
            weights[member] = at_zero[index] + multiplier * slope[index];
        }
        members.iter().all(|&member| weights[member] > 0.0).then_some(weights)
    }
}

/// Gauss and Jordan with the largest pivot: the left part of `rows` becomes the identity; `None`
/// when it is singular.
fn eliminate(rows: &mut [Vec<f64>]) -> Option<()> {
    for pivot in 0..rows.len() {
        let largest = (pivot..rows.len())
            .max_by(|&a, &b| rows[a][pivot].abs().total_cmp(&rows[b][pivot].abs()))?;
        rows.swap(pivot, largest);
        let divisor = rows[pivot][pivot];
        if !(divisor.abs() > 0.0 && divisor.is_finite()) {
            return None;
        }
        rows[pivot].iter_mut().for_each(|value| *value /= divisor);
        let of_pivot = rows[pivot].clone();
        for (index, row) in rows.iter_mut().enumerate() {
            if index != pivot {
                let factor = row[pivot];
                row.iter_mut().zip(&of_pivot).for_each(|(value, p)| *value -= factor * p);
            }
        }
    }
    Some(())
}

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn count(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(forecasts: &[Vec<f64>], outcomes: &[f64], prior_share: f64) -> Vec<f64> {
        let equal = StackingWeights::equal(forecasts.len()).unwrap();
        StackingWeights::fit(forecasts, outcomes, &equal, prior_share).unwrap().0
    }

    /// Three members, the second twice as noisy as the first, the third of the wrong sign.
    fn members() -> (Vec<Vec<f64>>, Vec<f64>) {
        let mut state = 1_u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1_u32 << 31) - 0.5
        };
        let truth: Vec<f64> = (0..4000).map(|_| noise()).collect();
        let a = truth.iter().map(|t| t + noise()).collect();
        let b = truth.iter().map(|t| t + 2.0 * noise()).collect();
        let c = truth.iter().map(|t| noise() - t).collect();
        (vec![a, b, c], truth)
    }

    #[test]
    fn weights_go_with_the_inverse_of_the_error() {
        let (forecasts, truth) = members();
        let weights = fit(&forecasts[..2], &truth, 0.0);
        // Of errors with variances 1 and 4 the mean with least variance has weights 4/5 and 1/5.
        assert!((weights[0] - 0.8).abs() < 0.03, "{weights:?}");
        assert!((weights[1] - 0.2).abs() < 0.03, "{weights:?}");
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        // The member of the wrong sign serves to shrink the others, and counts least.
        let weights = fit(&forecasts, &truth, 0.0);
        assert!(weights[2] < weights[1] && weights[1] < weights[0], "{weights:?}");
    }

    #[test]
    fn no_other_weights_on_a_fine_grid_are_better() {
        let (forecasts, truth) = members();
        let equal = StackingWeights::equal(3).unwrap();
        let problem = Problem::of(&forecasts, &truth, &equal, 0.3);
        let best = problem.loss(&fit(&forecasts, &truth, 0.3));
        for i in 0..=50_u32 {
            for j in 0..=50 - i {
                let (a, b) = (f64::from(i) / 50.0, f64::from(j) / 50.0);
                assert!(problem.loss(&[a, b, 1.0 - a - b]) >= best - 1e-12);
            }
        }
    }

    #[test]
    fn a_strong_prior_and_no_data_make_members_alike() {
        let (forecasts, truth) = members();
        for weight in fit(&forecasts, &truth, 1e6) {
            assert!((weight - 1.0 / 3.0).abs() < 1e-4);
        }
        assert_eq!(fit(&[vec![], vec![]], &[], 0.0), [0.5, 0.5]);
        let same = vec![vec![1.0, 2.0], vec![1.0, 2.0]];
        for weight in fit(&same, &[1.0, 2.0], 0.0) {
            assert!((weight - 0.5).abs() < 1e-6);
        }
        assert_eq!(fit(&[vec![0.0; 3], vec![0.0; 3]], &[1.0; 3], 0.0), [0.5, 0.5]);
    }

    #[test]
    fn weights_are_drawn_towards_the_prior_that_is_given() {
        let (forecasts, truth) = members();
        let prior = StackingWeights(vec![0.1, 0.2, 0.7]);
        let fit = |share| StackingWeights::fit(&forecasts, &truth, &prior, share).unwrap();
        for (weight, drawn_to) in fit(1e6).0.iter().zip([0.1, 0.2, 0.7]) {
            assert!((weight - drawn_to).abs() < 1e-4);
        }
        assert!(fit(10.0).0[2] > fit(0.1).0[2]);
        let nothing = vec![vec![]; 3];
        assert_eq!(StackingWeights::fit(&nothing, &[], &prior, 0.0).unwrap(), prior);
    }

    #[test]
    fn numbers_that_do_not_go_together_are_refused() {
        let refused = |forecasts: &[Vec<f64>], outcomes: &[f64]| {
            let prior = StackingWeights(vec![1.0]);
            StackingWeights::fit(forecasts, outcomes, &prior, 0.0).unwrap_err()
        };
        assert_eq!(refused(&[], &[]), StackingError::MembersCount(0));
        assert_eq!(refused(&vec![vec![]; 2], &[]), StackingError::PriorCount(1, 2));
        assert_eq!(refused(&vec![vec![]; 9], &[]), StackingError::MembersCount(9));
        let error =
            StackingError::ForecastsCount { member: 0, forecasts_count: 0, outcomes_count: 1 };
        assert_eq!(refused(&[vec![]], &[1.0]), error);
        assert_eq!(refused(&[vec![1.0, f64::NAN]], &[1.0, 1.0]), StackingError::NotFinite(1));
    }
}
