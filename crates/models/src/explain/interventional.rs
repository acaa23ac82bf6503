//! Exact Shapley values of boosted trees against a background, "interventional".
//!
//! An unknown feature takes its value from a row of the background, whatever the known ones are;
//! the values are the means over these rows. For one leaf and one row of the background the game is
//! simple: the leaf is reached when each feature on the way, taken from the explained row or from
//! the other, passes its tests. With `u` features that only the explained row passes and `w` that
//! only the other does, and none that neither does, each of the first is credited with
//! `(u - 1)! w! / (u + w)!` of the answer and each of the second loses `u! (w - 1)! / (u + w)!`.
//! Which features a row passes is a set of bits; rows with the same bits are counted once.
//!
//! Source: Lundberg et al. (2020), "From local explanations to global understanding with
//! explainable AI for trees", algorithm 3, here leaf by leaf.

use rayon::prelude::*;

use super::tree_paths::{LeafPath, TreePaths};
use crate::explain::{Contributions, ExplanationError};
use crate::features::FeatureMatrix;
use crate::forecaster::{FittedForecaster as _, assert_columns};
use crate::gbdt::{FittedGbdt, Tree};

/// Rows that are explained together.
const ROWS_PER_BLOCK: usize = 128;

/// Features on the way to a leaf: as many as a set has bits.
const PATH_FEATURES_MAX: usize = 64;

impl FittedGbdt {
    /// Exact Shapley values of every feature for each of `rows`, interventional.
    ///
    /// Unknown features are taken from the rows `background_rows` of `background`, one after the
    /// other, and the base is the mean raw score of these. The units are those of [`Self::contributions`], and here too `base + sum(values)` equals the
    /// raw score within 1e-9.
    ///
    /// # Errors
    ///
    /// [`ExplanationError::NoBackground`] without a row to compare with, and
    /// [`ExplanationError::LongPath`] when a tree asks for more than 64 different features on the
    /// way to a leaf.
    ///
    /// # Panics
    ///
    /// When the columns of `x` or `background` are not those of the model, or a row does not exist.
    pub fn interventional_contributions(
        &self,
        x: &FeatureMatrix,
        rows: &[usize],
        background: &FeatureMatrix,
        background_rows: &[usize],
    ) -> Result<Vec<Contributions>, ExplanationError> {
        assert_columns(self.feature_names(), x);
        assert_columns(self.feature_names(), background);
        if background_rows.is_empty() {
            return Err(ExplanationError::NoBackground);
        }
        let trees: Vec<(&Tree, &TreePaths)> = self.trees_and_paths().collect();
        let longest = trees.iter().map(|(_, paths)| paths.path_features_max).max();
        let longest = longest.unwrap_or_default();
        if longest > PATH_FEATURES_MAX {
            let features_count_max = PATH_FEATURES_MAX;
            return Err(ExplanationError::LongPath { features_count: longest, features_count_max });
        }
        let background = background.gather(background_rows);
        let width = x.columns_count();
        let trees: Vec<Compared<'_>> = trees
            .into_par_iter()
            .map(|(tree, paths)| {
                Compared::of(tree, paths, &background, width, background_rows.len())
            })
            .collect();
        let base = trees.iter().map(|tree| tree.mean).sum();
        let credits = Credits::up_to(longest);
        let explained = rows.par_chunks(ROWS_PER_BLOCK).flat_map_iter(|rows| {
            let values = x.gather(rows);
            let mut sums = vec![0.0; values.len()];
            for tree in &trees {
                tree.credit(&credits, &values, &mut sums, width);
            }
            let sums = (0..rows.len()).map(|row| sums[row * width..(row + 1) * width].to_vec());
            sums.map(|values| Contributions { base, values }).collect::<Vec<_>>()
        });
        Ok(explained.collect())
    }
}

/// What one feature is credited with, by the numbers of features that only the one row and only
/// the other passes.
struct Credits {
    /// `1 / (n choose(n + m, n))`, which is `(n - 1)! m! / (n + m)!`, in row `n` and column `m`.
    shares: Vec<f64>,
    count: usize,
}

impl Credits {
    #[expect(clippy::cast_precision_loss, reason = "there are few features on a way")]
    fn up_to(longest: usize) -> Self {
        let count = longest + 1;
        let mut shares = vec![0.0; count * count];
        for n in 1..count {
            // Choosing n of n + m, for m = 0, 1, ...
            let mut choices = 1.0;
            for m in 0..count {
                shares[n * count + m] = 1.0 / (n as f64 * choices);
                choices *= (n + m + 1) as f64 / (m + 1) as f64;
            }
        }
        Self { shares, count }
    }

    fn share(&self, own: u32, other: u32) -> f64 {
        self.shares[own as usize * self.count + other as usize]
    }
}

/// A tree and what the background passes in it.
struct Compared<'a> {
    tree: &'a Tree,
    paths: &'a TreePaths,
    /// The mean of its answers over the background.
    mean: f64,
    leaves: Vec<ComparedLeaf>,
}

/// A leaf.
struct ComparedLeaf {
    path: LeafPath,
    answer: f64,
    /// Sets of the features that rows of the background pass, in order, and the share of the rows.
    background: Vec<(u64, f64)>,
}

/// The features of the way that a row passes, one bit each, in the order of the path.
fn passed(path: &LeafPath, passes: &[bool]) -> u64 {
    let bits = path.lowest.iter().enumerate();
    bits.fold(0, |set, (bit, &(_, edge))| set | u64::from(passes[edge]) << bit)
}

/// All features of a way.
fn all(path: &LeafPath) -> u64 {
    u64::MAX >> (PATH_FEATURES_MAX - path.lowest.len())
}

impl<'a> Compared<'a> {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn of(
        tree: &'a Tree,
        paths: &'a TreePaths,
        background: &[f64],
        width: usize,
        rows_count: usize,
    ) -> Self {
        if paths.branches.is_empty() {
            return Self { tree, paths, mean: paths.mean, leaves: Vec::new() };
        }
        let mut leaves: Vec<ComparedLeaf> = Vec::new();
        let mut mean = 0.0;
        for (path, mut sets) in sets_of_leaves(tree, paths, background, width) {
            sets.sort_unstable();
            let shares = sets.chunk_by(|a, b| a == b);
            let background: Vec<(u64, f64)> =
                shares.map(|same| (same[0], same.len() as f64 / rows_count as f64)).collect();
            let answer = paths.answers[path.edge];
            // The set of all features is the highest.
            if let Some((_, share)) = background.last().filter(|(set, _)| *set == all(&path)) {
                mean += share * answer;
            }
            leaves.push(ComparedLeaf { path, answer, background });
        }
        Self { tree, paths, mean, leaves }
    }

    /// Adds the tree's credits for rows that lie one after the other in `values`.
    fn credit(&self, credits: &Credits, values: &[f64], sums: &mut [f64], width: usize) {
        let mut passes = vec![false; self.paths.answers.len()];
        let mut sets: Vec<Vec<(u64, usize)>> = vec![Vec::new(); self.leaves.len()];
        if self.leaves.is_empty() {
            return;
        }
        for (row, values) in values.chunks_exact(width).enumerate() {
            self.paths.follow(self.tree, values, &mut passes);
            for (leaf, sets) in self.leaves.iter().zip(&mut sets) {
                sets.push((passed(&leaf.path, &passes), row));
            }
        }
        for (leaf, mut sets) in self.leaves.iter().zip(sets) {
            sets.sort_unstable();
            for same in sets.chunk_by(|a, b| a.0 == b.0) {
                let values = leaf.values(credits, same[0].0);
                for ((slot, _), value) in leaf.path.lowest.iter().zip(values) {
                    let feature = self.paths.features[*slot];
                    for (_, row) in same {
                        sums[row * width + feature] += value;
                    }
                }
            }
        }
    }
}

/// For each leaf, the sets of features that the rows pass.
fn sets_of_leaves(
    tree: &Tree,
    paths: &TreePaths,
    values: &[f64],
    width: usize,
) -> Vec<(LeafPath, Vec<u64>)> {
    let mut passes = vec![false; paths.answers.len()];
    let mut leaves: Vec<(LeafPath, Vec<u64>)> =
        paths.leaves(tree).into_iter().map(|path| (path, Vec::new())).collect();
    for row in values.chunks_exact(width) {
        paths.follow(tree, row, &mut passes);
        for (path, sets) in &mut leaves {
            sets.push(passed(path, &passes));
        }
    }
    leaves
}

impl ComparedLeaf {
    /// What each feature of the way is credited with, for a row that passes `own`.
    fn values(&self, credits: &Credits, own: u64) -> Vec<f64> {
        let mut values = vec![0.0; self.path.lowest.len()];
        let needed = all(&self.path) & !own;
        for &(other, share) in self.background.iter().filter(|(other, _)| other & needed == needed)
        {
            let (only_own, only_other) = (own & !other, needed);
            let (u, w) = (only_own.count_ones(), only_other.count_ones());
            for (set, credit) in
                [(only_own, credits.share(u, w)), (only_other, -credits.share(w, u))]
            {
                let mut set = set;
                while set != 0 {
                    values[set.trailing_zeros() as usize] += share * self.answer * credit;
                    set &= set - 1;
                }
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use crate::explain::ExplanationError;
    use crate::explain::definition::{models, shapley_values};
    use crate::features::FeatureMatrix;
    use crate::gbdt::FittedGbdt;

    /// What every set of known features is worth: the mean raw score of the background with these
    /// features of the row.
    fn worth(fitted: &FittedGbdt, x: &FeatureMatrix, row: usize, background: &[usize]) -> Vec<f64> {
        let width = x.columns_count();
        let of = |known: usize| {
            let columns = (0..width).map(|j| {
                let value =
                    |&other: &usize| x.value(if known >> j & 1 == 1 { row } else { other }, j);
                background.iter().map(value).collect()
            });
            let mixed = FeatureMatrix::from_columns(x.names().to_vec(), columns.collect()).unwrap();
            let rows: Vec<usize> = (0..background.len()).collect();
            fitted.raw_scores(&mixed, &rows).iter().sum::<f64>() / background.len() as f64
        };
        (0..1 << width).map(of).collect()
    }

    #[test]
    fn interventional_contributions_are_the_shapley_values_of_the_definition() {
        let background = [20, 21, 33, 47, 50, 51, 52];
        for (index, (fitted, x)) in models().iter().enumerate() {
            let rows = [0, 1, 2, 21];
            let explained = fitted.interventional_contributions(x, &rows, x, &background).unwrap();
            for (row, explained) in rows.into_iter().zip(explained) {
                let worth = worth(fitted, x, row, &background);
                assert!((explained.base - worth[0]).abs() < 1e-12, "model {index}");
                let sum = explained.base + explained.values.iter().sum::<f64>();
                assert!((sum - fitted.raw_scores(x, &[row])[0]).abs() < 1e-9, "{index} {row}");
                for (value, expected) in explained.values.iter().zip(shapley_values(&worth)) {
                    assert!((value - expected).abs() < 1e-12, "{index} {row}: {value} {expected}");
                }
            }
        }
    }

    #[test]
    fn a_row_compared_with_itself_owes_nothing_to_any_feature() {
        let (fitted, x) = models().remove(0);
        let explained = fitted.interventional_contributions(&x, &[9], &x, &[9]).unwrap().remove(0);
        assert!(explained.values.iter().all(|value| *value == 0.0));
        assert!((explained.base - fitted.raw_scores(&x, &[9])[0]).abs() < 1e-12);
    }

    #[test]
    fn nothing_to_compare_with_is_refused() {
        let (fitted, x) = models().remove(0);
        let refused = fitted.interventional_contributions(&x, &[0], &x, &[]).unwrap_err();
        assert_eq!(refused, ExplanationError::NoBackground);
    }
}
