//! Exact Shapley values of boosted trees, "path-dependent".
//!
//! What a tree answers when only some features are known is the mean over the training rows that
//! agree with the known ones at each branch. For one leaf that is a product over the features on
//! the way to it: `o` (1 or 0: does the row pass the feature's tests?) for a known feature, the share
//! `z` of the training rows that pass for an unknown one. The Shapley value of feature `i` in such
//! a game is an integral over the diagonal of its multilinear extension,
//!
//! `answer * (o_i - z_i) * integral over t in 0..1 of the product over j != i of (z_j + (o_j - z_j) t)`,
//!
//! a polynomial in `t`, which Gauss-Legendre quadrature integrates exactly. At one node `t` the
//! product is a number, so all leaves below an edge are credited at once: one way down for the
//! products, one way up for their sums. The cost is edges times nodes, and eight nodes lie in a
//! register.
//!
//! Sources: Lundberg et al. (2020), "From local explanations to global understanding with
//! explainable AI for trees", for the game; Owen (1972), "Multilinear extensions of games", for the
//! integral; Yu et al. (2022), "Linear TreeSHAP", for crediting the edges on the way up.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::quadrature::{self, Block, LANES, Lanes};
use super::tree_paths::TreePaths;
use crate::explain::Contributions;
use crate::features::FeatureMatrix;
use crate::forecaster::{FittedForecaster as _, assert_columns};
use crate::gbdt::{FittedGbdt, Tree};

/// Rows for which the factors of a tree are computed once.
const ROWS_PER_BLOCK: usize = 128;

impl FittedGbdt {
    /// Exact Shapley values of every feature for one row, by the tree path method.
    ///
    /// What a tree answers when only some features are known is the mean over the training rows
    /// that agree with the known ones at each branch ("path-dependent"). A missing value takes the
    /// branch chosen for missing values in training. The values have the units of the raw score
    /// ([`Self::raw_scores`]: the forecast itself for regression, the logarithm of the odds for log
    /// loss), and `base + sum(values)` equals it within 1e-9.
    ///
    /// # Panics
    ///
    /// When the columns of `x` are not those of the model, or `row` is outside `x`.
    pub fn contributions(&self, x: &FeatureMatrix, row: usize) -> Contributions {
        assert_columns(self.feature_names(), x);
        self.row_contributions(&x.row(row))
    }

    /// The same for one row of feature values in the order of the columns.
    ///
    /// # Panics
    ///
    /// When there are not as many values as columns.
    pub fn row_contributions(&self, row: &[f64]) -> Contributions {
        assert_eq!(row.len(), self.feature_names().len(), "there is a value for each column");
        self.explain_block(row, 1).remove(0)
    }

    /// The same for many rows, in their order; the bits of [`Self::row_contributions`].
    ///
    /// # Panics
    ///
    /// When the columns of `x` are not those of the model, or it has no such row.
    pub fn contributions_batch(&self, x: &FeatureMatrix, rows: &[usize]) -> Vec<Contributions> {
        assert_columns(self.feature_names(), x);
        rows.par_chunks(ROWS_PER_BLOCK)
            .flat_map_iter(|rows| self.explain_block(&x.gather(rows), rows.len()))
            .collect()
    }

    /// Explains rows that lie one after the other in `values`.
    fn explain_block(&self, values: &[f64], rows_count: usize) -> Vec<Contributions> {
        let width = self.feature_names().len();
        let mut sums = vec![0.0; values.len()];
        let base = self.visit_trees(values, |(_, paths), block, scratch| {
            let sums = sums.as_mut_slice();
            Arch::new().dispatch(Credit { paths, block, scratch, sums, width });
        });
        let mut rows = sums.chunks_exact(width.max(1));
        (0..rows_count)
            .map(|_| Contributions { base, values: rows.next().unwrap_or_default().to_vec() })
            .collect()
    }

    /// Shows `visit` every tree at every block of nodes, with the factors of the rows that lie one
    /// after the other in `values`; returns the sum of the trees' means.
    pub(super) fn visit_trees(
        &self,
        values: &[f64],
        mut visit: impl FnMut((&Tree, &TreePaths), &Block, &mut Scratch),
    ) -> f64 {
        let width = self.feature_names().len();
        let mut base = 0.0;
        let mut scratch = Scratch::default();
        let mut rule = quadrature::blocks(1);
        for (tree, paths) in self.trees_and_paths() {
            base += paths.mean;
            if paths.branches.is_empty() {
                continue;
            }
            scratch.follow(tree, paths, values, width);
            // One feature is left out of the product.
            let degree = paths.path_features_max - 1;
            if rule.len() * 2 * LANES <= degree {
                rule = quadrature::blocks(degree);
            }
            for block in &rule {
                Arch::new().dispatch(FillFactors { paths, block, scratch: &mut scratch });
                visit((tree, paths), block, &mut scratch);
            }
        }
        base
    }
}

/// What becomes known at an edge: the row had failed the feature's tests before, fails the last,
/// or passes all.
const STATES_COUNT: usize = 3;

/// What an edge does to the products at the nodes of a block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Factors {
    /// The feature's factor after the edge over that before it.
    pub(super) down: Lanes,
    /// `o - z` over the factor, after the edge less before it: the way up credits the feature with
    /// the sum below times this.
    pub(super) up: Lanes,
}

/// What is known of the rows in one tree; the memory is used again for the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    passes: Vec<bool>,
    /// For each row the state of each edge.
    pub(super) states: Vec<u8>,
    /// For each edge the states that occur, as bits.
    states_used: Vec<u8>,
    /// For each edge the factors of each state; only those that occur are filled.
    pub(super) factors: Vec<[Factors; STATES_COUNT]>,
    /// For each edge the product on the way down, and then the sum on the way up.
    pub(super) products: Vec<Lanes>,
    /// For each feature of the tree what it is credited with.
    credits: Vec<Lanes>,
}

impl Scratch {
    /// Finds the states of all edges for all rows.
    fn follow(&mut self, tree: &Tree, paths: &TreePaths, values: &[f64], width: usize) {
        let edges_count = paths.answers.len();
        self.passes.resize(edges_count, false);
        self.states_used.clear();
        self.states_used.resize(edges_count, 0);
        self.states.resize(values.len() / width * edges_count, 0);
        for (row, states) in
            values.chunks_exact(width).zip(self.states.chunks_exact_mut(edges_count))
        {
            paths.follow(tree, row, &mut self.passes);
            for (index, branch) in paths.branches.iter().enumerate() {
                let before = u8::from(self.passes[branch.above]);
                for edge in [1 + 2 * index, 2 + 2 * index] {
                    states[edge] = before + u8::from(self.passes[edge]);
                    self.states_used[edge] |= 1 << states[edge];
                }
            }
        }
        self.factors.resize(edges_count, [Factors::default(); STATES_COUNT]);
        self.products.resize(edges_count, Lanes::default());
        self.credits.resize(paths.features.len(), Lanes::default());
    }
}

/// Computes the factors of the states that occur, at the nodes of one block.
struct FillFactors<'a> {
    paths: &'a TreePaths,
    block: &'a Block,
    scratch: &'a mut Scratch,
}

impl WithSimd for FillFactors<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { paths, block, scratch } = self;
        for (index, branch) in paths.branches.iter().enumerate() {
            for edge in [1 + 2 * index, 2 + 2 * index] {
                let shares = (paths.zero_shares[branch.above], paths.zero_shares[edge]);
                for state in 0..STATES_COUNT {
                    if scratch.states_used[edge] >> state & 1 == 1 {
                        scratch.factors[edge][state] = Factors::of(shares, state, &block.nodes);
                    }
                }
            }
        }
    }
}

impl Factors {
    /// From the zero shares before and after the edge.
    #[inline(always)]
    fn of((before, after): (f64, f64), state: usize, nodes: &Lanes) -> Self {
        let excess_before = f64::from(u8::from(state > 0)) - before;
        let excess_after = f64::from(u8::from(state == 2)) - after;
        let factor_before = Lanes::of(|lane| before + excess_before * nodes.0[lane]);
        let factor_after = Lanes::of(|lane| after + excess_after * nodes.0[lane]);
        // No node is 0 or 1, so a factor is zero only where the share is and the row fails: then
        // the leaves below are never reached, and nothing is credited.
        let inverse = |factor: &Lanes, is_zero: bool| {
            if is_zero { Lanes::default() } else { Lanes(factor.0.map(|factor| 1.0 / factor)) }
        };
        let inverse_before = inverse(&factor_before, before == 0.0 && state == 0);
        let inverse_after = inverse(&factor_after, after == 0.0 && state < 2);
        let up_before = inverse_before.scaled(-excess_before);
        Self {
            down: factor_after.times(&inverse_before),
            up: inverse_after.scaled(excess_after).plus(&up_before),
        }
    }
}

/// Credits the features of one tree for all rows at the nodes of one block.
struct Credit<'a> {
    paths: &'a TreePaths,
    block: &'a Block,
    scratch: &'a mut Scratch,
    /// Row after row, a number for each feature of the model.
    sums: &'a mut [f64],
    width: usize,
}

impl WithSimd for Credit<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { paths, block, scratch, sums, width } = self;
        let (states, factors) = (scratch.states.as_slice(), scratch.factors.as_slice());
        let (products, credits) = (scratch.products.as_mut_slice(), scratch.credits.as_mut_slice());
        let (branches, answers) = (paths.branches.as_slice(), paths.answers.as_slice());
        for (states, sums) in states.chunks_exact(answers.len()).zip(sums.chunks_exact_mut(width)) {
            let factors_of = |edge: usize| &factors[edge][usize::from(states[edge])];
            products[0] = block.weights;
            for (index, branch) in branches.iter().enumerate() {
                let product = products[branch.into];
                products[1 + 2 * index] = product.times(&factors_of(1 + 2 * index).down);
                products[2 + 2 * index] = product.times(&factors_of(2 + 2 * index).down);
            }
            credits.fill(Lanes::default());
            for (index, branch) in branches.iter().enumerate().rev() {
                let below = |edge: usize| products[edge].scaled(answers[edge]);
                let (left, right) = (below(1 + 2 * index), below(2 + 2 * index));
                let left_credit = left.times(&factors_of(1 + 2 * index).up);
                let right_credit = right.times(&factors_of(2 + 2 * index).up);
                let credit = &mut credits[branch.slot];
                *credit = credit.plus(&left_credit.plus(&right_credit));
                products[branch.into] = left.plus(&right);
            }
            for (credit, feature) in credits.iter().zip(&paths.features) {
                sums[*feature] += credit.sum();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::definition::{models, path_dependent_worth, shapley_values};

    #[test]
    fn contributions_are_the_shapley_values_of_the_definition() {
        for (index, (fitted, x)) in models().iter().enumerate() {
            let mut largest = 0.0_f64;
            for row in 0..12 {
                let explained = fitted.contributions(x, row);
                let worth = path_dependent_worth(fitted, &x.row(row));
                assert!((explained.base - worth[0]).abs() < 1e-12, "model {index}");
                for (value, expected) in explained.values.iter().zip(shapley_values(&worth)) {
                    assert!((value - expected).abs() < 1e-12, "{index} {row}: {value} {expected}");
                    largest = largest.max(value.abs());
                }
            }
            assert!(largest > 0.1, "model {index} must say something");
        }
    }

    #[test]
    fn base_and_values_add_up_to_the_raw_score() {
        for (fitted, x) in models() {
            let rows: Vec<usize> = (0..x.rows_count()).rev().collect();
            let explained = fitted.contributions_batch(&x, &rows);
            for ((explained, raw), &row) in
                explained.iter().zip(fitted.raw_scores(&x, &rows)).zip(&rows)
            {
                let sum = explained.base + explained.values.iter().sum::<f64>();
                assert!((sum - raw).abs() < 1e-9, "row {row}: {sum} and {raw}");
            }
        }
    }

    #[test]
    fn a_row_has_the_same_bits_alone_in_a_batch_and_on_any_number_of_threads() {
        let (fitted, x) = models().remove(0);
        let rows: Vec<usize> = (0..x.rows_count()).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fitted.contributions_batch(&x, &rows))
        };
        let batch = on(1);
        assert_eq!(batch, on(3));
        for (row, explained) in batch.iter().enumerate().step_by(7) {
            assert_eq!(fitted.contributions(&x, row), *explained);
        }
    }

    #[test]
    fn a_way_of_more_features_than_a_block_of_nodes_can_integrate_is_exact_too() {
        // A chain of nodes, each of another feature; every leaf answers its number.
        let width = 40;
        let columns: Vec<Vec<f64>> = (0..width).map(|j| vec![f64::from(j % 3 != 1)]).collect();
        let names: Vec<String> = (0..width).map(|j| format!("Column_{j}")).collect();
        let fitted = chain(&names);
        let x = FeatureMatrix::from_columns(names, columns).unwrap();
        let explained = fitted.contributions(&x, 0);
        let sum = explained.base + explained.values.iter().sum::<f64>();
        let raw = fitted.raw_scores(&x, &[0])[0];
        assert!((sum - raw).abs() < 1e-12, "{sum} and {raw}");
        let expected = chain_values(&x.row(0));
        for (value, expected) in explained.values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-12, "{value} and {expected}");
        }
    }

    /// A tree whose node `n` sends zeros of feature `n` to leaf `n`, which answers `n + 1`, half of
    /// the rows at a time; the last leaf answers 100.
    fn chain(names: &[String]) -> FittedGbdt {
        let width = names.len();
        let join =
            |values: &mut dyn Iterator<Item = String>| values.collect::<Vec<String>>().join(" ");
        let numbers = |of: &dyn Fn(usize) -> String, count| join(&mut (0..count).map(of));
        let right = |n: usize| {
            if n + 1 < width { (n + 1).to_string() } else { format!("-{}", width + 1) }
        };
        let leaf = |n: usize| if n < width { (n + 1).to_string() } else { "100".to_owned() };
        let rows_at = |n: usize| (1_u64 << (width - n)).to_string();
        let leaf_rows = |n: usize| if n < width { rows_at(n + 1) } else { rows_at(width) };
        let tree = format!(
            "Tree=0\nnum_leaves={}\nnum_cat=0\nsplit_feature={}\nsplit_gain={}\nthreshold={}\n\
             decision_type={}\nleft_child={}\nright_child={}\nleaf_value={}\nleaf_weight={}\n\
             leaf_count={}\ninternal_value={}\ninternal_weight={}\ninternal_count={}\n\
             is_linear=0\nshrinkage=1\n\n\n",
            width + 1,
            numbers(&|n| n.to_string(), width),
            numbers(&|_| "1".to_owned(), width),
            numbers(&|_| "0.5".to_owned(), width),
            numbers(&|_| "2".to_owned(), width),
            numbers(&|n| format!("-{}", n + 1), width),
            numbers(&right, width),
            numbers(&leaf, width + 1),
            numbers(&leaf_rows, width + 1),
            numbers(&leaf_rows, width + 1),
            numbers(&|_| "0".to_owned(), width),
            numbers(&rows_at, width),
            numbers(&rows_at, width),
        );
        let text = format!(
            "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n\
             max_feature_idx={}\nobjective=regression\nfeature_names={}\nfeature_infos={}\n\
             tree_sizes={}\n\n{tree}end of trees\n",
            width - 1,
            names.join(" "),
            numbers(&|_| "none".to_owned(), width),
            tree.len(),
        );
        FittedGbdt::from_lightgbm_text(&text).unwrap()
    }

    /// The Shapley values of [`chain`]: for each leaf a product, whose features are of two kinds
    /// only, so that sets are counted by their sizes.
    fn chain_values(row: &[f64]) -> Vec<f64> {
        let width = row.len();
        let mut values = vec![0.0; width];
        for leaf in 0..=width {
            let features = 0..(leaf + 1).min(width);
            let answer = if leaf < width { (leaf + 1) as f64 } else { 100.0 };
            let passes: Vec<bool> = features.map(|j| (row[j] > 0.5) == (j < leaf)).collect();
            for (i, &passes_i) in passes.iter().enumerate() {
                let others = passes.len() - 1;
                let passing = passes.iter().filter(|&&p| p).count() - usize::from(passes_i);
                // Any failing feature that is known makes the product zero.
                let mut expected = 0.0;
                for known in 0..=passing {
                    let mut weight = 1.0 / passes.len() as f64;
                    for k in 0..known {
                        weight *= (passing - k) as f64 / (others - k) as f64;
                    }
                    expected += weight * 0.5_f64.powi(i32::try_from(others - known).unwrap());
                }
                values[i] += answer * (f64::from(u8::from(passes_i)) - 0.5) * expected;
            }
        }
        values
    }
}
