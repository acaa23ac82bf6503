//! The ways through one tree, arranged for Shapley values.
//!
//! Edge 0 is the way into the root; edges `1 + 2 n` and `2 + 2 n` lead left and right from node
//! `n`. A node comes after the node above it, so an edge has a higher number than those on the way
//! to it.

use crate::gbdt::{Child, Tree};

/// What one node adds to the ways through it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Branch {
    /// The edge that leads to it.
    pub(crate) into: usize,
    /// The nearest edge on the way to it that was decided by the same feature; 0 where there is
    /// none.
    pub(crate) above: usize,
    /// Position of its feature in [`TreePaths::features`].
    pub(crate) slot: usize,
}

/// The ways through one tree.
#[derive(Debug)]
pub(crate) struct TreePaths {
    /// One for each node.
    pub(crate) branches: Vec<Branch>,
    /// For each edge: the share of the training rows that pass all tests of its feature down to it,
    /// when nothing else of the row is known.
    pub(crate) zero_shares: Vec<f64>,
    /// For each edge: what the leaf at its end answers, and 1 where it ends in a node.
    pub(crate) answers: Vec<f64>,
    /// The features that the tree reads.
    pub(crate) features: Vec<usize>,
    /// The mean of the answers over the training rows.
    pub(crate) mean: f64,
    /// The most different features on the way to a leaf.
    pub(crate) path_features_max: usize,
}

/// The way to a leaf.
#[derive(Debug)]
pub(crate) struct LeafPath {
    /// The edge that ends in it.
    pub(crate) edge: usize,
    /// The features on the way, each with its lowest edge, by their positions in
    /// [`TreePaths::features`].
    pub(crate) lowest: Vec<(usize, usize)>,
}

impl TreePaths {
    /// Arranges `tree`, whose answers count for `share`.
    pub(crate) fn of(tree: &Tree, share: f64) -> Self {
        let edges_count = 1 + 2 * tree.nodes.len();
        let mut paths = Self {
            branches: Vec::with_capacity(tree.nodes.len()),
            zero_shares: vec![1.0; edges_count],
            answers: vec![1.0; edges_count],
            features: Vec::new(),
            mean: 0.0,
            path_features_max: 0,
        };
        if tree.nodes.is_empty() {
            paths.answers[0] = share * tree.leaves[0].value;
            paths.mean = paths.answers[0];
            return paths;
        }
        // For each edge: the share of all training rows that come along it, and how many different
        // features the way has.
        let mut reached = vec![1.0; edges_count];
        let mut features_counts = vec![0; edges_count];
        let mut edge_into = vec![0; tree.nodes.len()];
        for (index, node) in tree.nodes.iter().enumerate() {
            let into = edge_into[index];
            let mut above = into;
            while above != 0 && tree.nodes[(above - 1) / 2].feature != node.feature {
                above = edge_into[(above - 1) / 2];
            }
            let slot = match paths.features.iter().position(|&feature| feature == node.feature) {
                Some(slot) => slot,
                None => {
                    paths.features.push(node.feature);
                    paths.features.len() - 1
                }
            };
            paths.branches.push(Branch { into, above, slot });
            for (edge, child) in [(1 + 2 * index, node.left), (2 + 2 * index, node.right)] {
                let share_of_node = rows_share(tree, child, index);
                reached[edge] = reached[into] * share_of_node;
                paths.zero_shares[edge] = paths.zero_shares[above] * share_of_node;
                features_counts[edge] = features_counts[into] + usize::from(above == 0);
                match child {
                    Child::Node(below) => edge_into[below] = edge,
                    Child::Leaf(leaf) => {
                        paths.answers[edge] = share * tree.leaves[leaf].value;
                        paths.mean += reached[edge] * paths.answers[edge];
                        let most = &mut paths.path_features_max;
                        *most = features_counts[edge].max(*most);
                    }
                }
            }
        }
        paths
    }

    /// Writes for each edge of `tree` whether `row` passes all tests of the edge's feature down to
    /// it.
    pub(crate) fn follow(&self, tree: &Tree, row: &[f64], passes: &mut [bool]) {
        passes[0] = true;
        for ((index, branch), node) in self.branches.iter().enumerate().zip(&tree.nodes) {
            let goes_left = node.test.goes_left(row[node.feature]);
            let before = passes[branch.above];
            passes[1 + 2 * index] = before & goes_left;
            passes[2 + 2 * index] = before & !goes_left;
        }
    }

    /// Every leaf of `tree`, which has nodes.
    pub(crate) fn leaves(&self, tree: &Tree) -> Vec<LeafPath> {
        let nodes = tree.nodes.iter().enumerate();
        let ends = nodes.flat_map(|(n, node)| [(1 + 2 * n, node.left), (2 + 2 * n, node.right)]);
        ends.filter(|(_, child)| matches!(child, Child::Leaf(_)))
            .map(|(leaf_edge, _)| {
                let mut lowest: Vec<(usize, usize)> = Vec::new();
                let mut edge = leaf_edge;
                while edge != 0 {
                    let Branch { into, slot, .. } = self.branches[(edge - 1) / 2];
                    if lowest.iter().all(|&(other, _)| other != slot) {
                        lowest.push((slot, edge));
                    }
                    edge = into;
                }
                lowest.sort_unstable();
                LeafPath { edge: leaf_edge, lowest }
            })
            .collect()
    }
}

/// The share of the training rows at node `index` that go on to `child`.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn rows_share(tree: &Tree, child: Child, index: usize) -> f64 {
    let rows_count = match child {
        Child::Node(node) => tree.nodes[node].rows_count,
        Child::Leaf(leaf) => tree.leaves[leaf].rows_count,
    };
    // A model of another program may have a node that no row came to.
    rows_count as f64 / tree.nodes[index].rows_count.max(1) as f64
}
