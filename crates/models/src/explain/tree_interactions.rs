//! Shapley interaction values of boosted trees: how much of a forecast two features make together.
//!
//! The game is that of [`super::tree_shap`]. In the game of one leaf the interaction of features
//! `i` and `j` is the integral of the product over all others times `(o_i - z_i) (o_j - z_j)`, by
//! the same quadrature.
//!
//! Source: Lundberg et al. (2020), "From local explanations to global understanding with
//! explainable AI for trees", for the index and its halves on either side of the diagonal.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use serde::Serialize;

use super::quadrature::{Block, Lanes};
use super::tree_paths::{LeafPath, TreePaths};
use super::tree_shap::{Factors, Scratch};
use crate::explain::Contributions;
use crate::features::FeatureMatrix;
use crate::forecaster::{FittedForecaster as _, assert_columns};
use crate::gbdt::FittedGbdt;

/// Rows for which the factors of a tree are computed once.
const ROWS_PER_BLOCK: usize = 32;

/// How the features make one forecast, alone and in pairs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Interactions {
    /// The forecast for a row of which nothing is known.
    pub base: f64,
    /// A symmetric table in the order of the model's feature names: beside the diagonal half of
    /// what the two features make together, on it what a feature makes alone. Each row of the table
    /// sums to the feature's Shapley value, and the base and the whole table to the raw score.
    pub values: Vec<Vec<f64>>,
}

impl FittedGbdt {
    /// Shapley interaction values of every pair of features, path-dependent, for each of `rows`.
    ///
    /// The values have the units of [`Self::contributions`], whose game this is.
    ///
    /// # Panics
    ///
    /// When the columns of `x` are not those of the model, or it has no such row.
    pub fn interactions(&self, x: &FeatureMatrix, rows: &[usize]) -> Vec<Interactions> {
        assert_columns(self.feature_names(), x);
        rows.par_chunks(ROWS_PER_BLOCK)
            .flat_map_iter(|rows| self.interactions_of_block(x, rows))
            .collect()
    }

    fn interactions_of_block(&self, x: &FeatureMatrix, rows: &[usize]) -> Vec<Interactions> {
        let width = x.columns_count();
        let values = x.gather(rows);
        let mut tables = vec![0.0; rows.len() * width * width];
        let mut pairs = Vec::new();
        self.visit_trees(&values, |(tree, paths), block, scratch| {
            let leaves = &paths.leaves(tree);
            pairs.resize(paths.features.len() * paths.features.len(), Lanes::default());
            let (pairs, tables) = (pairs.as_mut_slice(), tables.as_mut_slice());
            Arch::new().dispatch(CreditPairs {
                paths,
                leaves,
                block,
                scratch,
                pairs,
                tables,
                width,
            });
        });
        let alone = self.contributions_batch(x, rows);
        let mut tables = tables.chunks_exact((width * width).max(1));
        alone
            .into_iter()
            .map(|Contributions { base, values }| {
                let table = tables.next().unwrap_or_default();
                let mut table: Vec<Vec<f64>> =
                    table.chunks_exact(width.max(1)).map(<[f64]>::to_vec).collect();
                for (feature, value) in values.into_iter().enumerate() {
                    table[feature][feature] = value - table[feature].iter().sum::<f64>();
                }
                Interactions { base, values: table }
            })
            .collect()
    }
}

/// Credits the pairs of features of one tree for all rows at the nodes of one block.
struct CreditPairs<'a> {
    paths: &'a TreePaths,
    leaves: &'a [LeafPath],
    block: &'a Block,
    scratch: &'a mut Scratch,
    /// For each two features of the tree, the earlier first, what they are credited with.
    pairs: &'a mut [Lanes],
    /// For each row a table of the features of the model.
    tables: &'a mut [f64],
    width: usize,
}

impl WithSimd for CreditPairs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { paths, leaves, block, scratch, pairs, tables, width } = self;
        let (states, factors) = (scratch.states.as_slice(), scratch.factors.as_slice());
        let products = scratch.products.as_mut_slice();
        let (edges_count, slots_count) = (paths.answers.len(), paths.features.len());
        // For each edge: o - z over the factor.
        let mut excesses = vec![Lanes::default(); edges_count];
        let rows = states.chunks_exact(edges_count).zip(tables.chunks_exact_mut(width * width));
        for (states, table) in rows {
            products[0] = block.weights;
            for (index, branch) in paths.branches.iter().enumerate() {
                let (product, excess) = (products[branch.into], excesses[branch.above]);
                for edge in [1 + 2 * index, 2 + 2 * index] {
                    let Factors { down, up } = &factors[edge][usize::from(states[edge])];
                    products[edge] = product.times(down);
                    excesses[edge] = excess.plus(up);
                }
            }
            pairs.fill(Lanes::default());
            for leaf in leaves {
                let product = products[leaf.edge].scaled(paths.answers[leaf.edge]);
                for (position, &(first, first_edge)) in leaf.lowest.iter().enumerate() {
                    let credit = product.times(&excesses[first_edge]);
                    for &(second, second_edge) in &leaf.lowest[position + 1..] {
                        let pair = &mut pairs[first * slots_count + second];
                        *pair = pair.plus(&credit.times(&excesses[second_edge]));
                    }
                }
            }
            for first in 0..slots_count {
                for second in first + 1..slots_count {
                    let half = 0.5 * pairs[first * slots_count + second].sum();
                    let (i, j) = (paths.features[first], paths.features[second]);
                    table[i * width + j] += half;
                    table[j * width + i] += half;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::explain::definition::{models, path_dependent_worth, shapley_interactions};

    #[test]
    fn interactions_are_those_of_the_definition() {
        for (index, (fitted, x)) in models().iter().enumerate() {
            let mut largest = 0.0_f64;
            for (explained, row) in fitted.interactions(x, &[0, 3, 5]).iter().zip([0, 3, 5]) {
                let worth = path_dependent_worth(fitted, &x.row(row));
                assert!((explained.base - worth[0]).abs() < 1e-12, "model {index}");
                let expected = shapley_interactions(&worth);
                for (ours, expected) in
                    explained.values.iter().flatten().zip(expected.iter().flatten())
                {
                    assert!((ours - expected).abs() < 1e-12, "{index} {row}: {ours} {expected}");
                }
                let pairs = explained.values.iter().enumerate().flat_map(|(i, row)| &row[..i]);
                largest = pairs.map(|pair| pair.abs()).fold(largest, f64::max);
            }
            assert!(largest > 1e-3, "features of model {index} act together: {largest}");
        }
    }

    #[test]
    fn each_row_of_the_table_sums_to_the_contribution() {
        let (fitted, x) = models().remove(1);
        for (row, explained) in fitted.interactions(&x, &[7, 8]).into_iter().enumerate() {
            let alone = fitted.contributions(&x, row + 7);
            for (shares, value) in explained.values.iter().zip(alone.values) {
                assert!((shares.iter().sum::<f64>() - value).abs() < 1e-12);
            }
        }
    }
}
