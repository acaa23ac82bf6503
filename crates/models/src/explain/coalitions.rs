//! Which sets of features a model is asked about, and what each counts for.

use std::collections::BTreeMap;

use super::draws::{Purpose, choose, stream, uniform};

/// Sets of features, neither empty nor whole.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Coalitions {
    /// For each set a flag for each feature.
    pub(super) sets: Vec<Vec<bool>>,
    /// What each counts for; they sum to one.
    pub(super) weights: Vec<f64>,
    /// Whether all sets are there.
    pub(super) is_complete: bool,
}

impl Coalitions {
    fn add(&mut self, set: Vec<bool>, weight: f64) {
        self.sets.push(set);
        self.weights.push(weight);
    }
}

/// Sizes of sets that are told apart: a size stands for its complement's too.
struct Sizes {
    features_count: usize,
    /// The share of the Shapley kernel that falls on sets of size 1, 2, ... and their complements.
    shares: Vec<f64>,
}

impl Sizes {
    #[expect(clippy::cast_precision_loss, reason = "a model has few features")]
    fn of(features_count: usize) -> Self {
        let m = features_count as f64;
        let mut shares: Vec<f64> = (1..=features_count / 2)
            .map(|size| {
                let kernel = (m - 1.0) / (size as f64 * (m - size as f64));
                if 2 * size == features_count { kernel } else { 2.0 * kernel }
            })
            .collect();
        let sum: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= sum);
        Self { features_count, shares }
    }

    /// Whether the complement of a set of this size has another size.
    fn is_paired(&self, size: usize) -> bool {
        2 * size != self.features_count
    }

    /// How many sets have this size, or their complements have.
    #[expect(clippy::cast_precision_loss, reason = "a model has few features")]
    fn sets_count(&self, size: usize) -> f64 {
        let factors = (0..size).map(|k| (self.features_count - k) as f64 / (k + 1) as f64);
        let choices = factors.product::<f64>().round();
        if self.is_paired(size) { 2.0 * choices } else { choices }
    }
}

/// At most `sets_count` sets of two or more features: all sets of a size as long as the budget
/// would draw each of them at least once, and then as many as are left, drawn by the Shapley
/// kernel.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn sample(features_count: usize, sets_count: usize, seed: u64) -> Coalitions {
    let sizes = Sizes::of(features_count);
    let mut found = Coalitions { sets: Vec::new(), weights: Vec::new(), is_complete: false };
    // Sizes below this one are taken whole, and this share of the kernel is left.
    let (mut size, mut share_left) = (1, 1.0);
    while let Some(share) = sizes.shares.get(size - 1) {
        let count = sizes.sets_count(size);
        let budget = (sets_count - found.sets.len()) as f64;
        if budget * share / share_left < count * (1.0 - 1e-8) {
            break;
        }
        for set in sets_of_size(features_count, size) {
            if sizes.is_paired(size) {
                found.add(complement(&set), share / count);
            }
            found.add(set, share / count);
        }
        share_left -= share;
        size += 1;
    }
    found.is_complete = size > sizes.shares.len();
    if !found.is_complete {
        draw(&mut found, &sizes, size, sets_count, seed);
    }
    found
}

/// Fills `found` up to `sets_count` with sets of `size_min` or more features, and their
/// complements; what is drawn again counts again.
fn draw(found: &mut Coalitions, sizes: &Sizes, size_min: usize, sets_count: usize, seed: u64) {
    let mut rng = stream(seed, Purpose::Coalitions, 0);
    let first_drawn = found.sets.len();
    let shares = &sizes.shares[size_min - 1..];
    let shares_sum: f64 = shares.iter().sum();
    let mut places: BTreeMap<Vec<bool>, usize> = BTreeMap::new();
    let mut features: Vec<usize> = (0..sizes.features_count).collect();
    // So that a budget near the number of all sets does not draw for long what is there already.
    for _ in 0..4 * (sets_count - first_drawn) {
        if found.sets.len() >= sets_count {
            break;
        }
        let mut at = uniform(&mut rng) * shares_sum;
        let mut size = size_min;
        for share in &shares[..shares.len() - 1] {
            if at < *share {
                break;
            }
            at -= share;
            size += 1;
        }
        choose(&mut rng, &mut features, size);
        let mut set = vec![false; sizes.features_count];
        features[..size].iter().for_each(|&feature| set[feature] = true);
        let other = sizes.is_paired(size).then(|| complement(&set));
        for set in [Some(set), other].into_iter().flatten() {
            if let Some(&place) = places.get(&set) {
                found.weights[place] += 1.0;
            } else if found.sets.len() < sets_count {
                places.insert(set.clone(), found.sets.len());
                found.add(set, 1.0);
            }
        }
    }
    // Together they count for what the kernel leaves them.
    let drawn = &mut found.weights[first_drawn..];
    let sum: f64 = drawn.iter().sum();
    drawn.iter_mut().for_each(|weight| *weight *= shares_sum / sum);
}

fn complement(set: &[bool]) -> Vec<bool> {
    set.iter().map(|member| !member).collect()
}

/// All sets of `size` of `count` features, in lexical order; of half the features too.
fn sets_of_size(count: usize, size: usize) -> Vec<Vec<bool>> {
    let mut sets = Vec::new();
    let mut chosen: Vec<usize> = (0..size).collect();
    loop {
        let mut set = vec![false; count];
        chosen.iter().for_each(|&feature| set[feature] = true);
        sets.push(set);
        let Some(place) = (0..size).rev().find(|&k| chosen[k] < count - size + k) else {
            return sets;
        };
        chosen[place] += 1;
        for k in place + 1..size {
            chosen[k] = chosen[k - 1] + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_budget_for_all_sets_takes_each_once_with_the_kernel_as_weight() {
        for features_count in 2..=9 {
            let found = sample(features_count, (1 << features_count) - 2, 1);
            assert!(found.is_complete);
            let different: BTreeSet<&Vec<bool>> = found.sets.iter().collect();
            assert_eq!(different.len(), (1 << features_count) - 2);
            assert!((found.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let kernel = |set: &[bool]| {
                let size = set.iter().filter(|&&member| member).count();
                let choices: f64 =
                    (0..size).map(|k| (features_count - k) as f64 / (k + 1) as f64).product();
                1.0 / (choices * (size * (features_count - size)) as f64)
            };
            let factor = found.weights[0] / kernel(&found.sets[0]);
            for (set, weight) in found.sets.iter().zip(&found.weights) {
                assert!((weight / kernel(set) / factor - 1.0).abs() < 1e-12, "{set:?}");
            }
        }
    }

    #[test]
    fn a_small_budget_takes_the_outer_sizes_whole_and_draws_pairs() {
        let found = sample(19, 1_800, 1);
        assert!(!found.is_complete);
        assert_eq!(found.sets.len(), 1_800);
        let of_size = |size| {
            let is = |set: &&Vec<bool>| set.iter().filter(|&&member| member).count() == size;
            found.sets.iter().filter(is).count()
        };
        assert_eq!((of_size(1), of_size(18)), (19, 19));
        assert_eq!((of_size(2), of_size(17)), (171, 171));
        let different: BTreeSet<&Vec<bool>> = found.sets.iter().collect();
        assert_eq!(different.len(), 1_800);
        let alone = found.sets.iter().filter(|set| !different.contains(&complement(set)));
        assert!(alone.count() <= 1, "only the last may lack its complement");
        assert!((found.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
