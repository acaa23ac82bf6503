//! One tree, grown leaf by leaf: the split with the highest gain comes next, wherever it is.

use rayon::prelude::*;

use super::GbdtParams;
use super::binning::BinnedRows;
use super::histogram::{Histogram, PackedFeatures, PackedGradients, PackedSum};
use super::split::{Split, SplitRules};
use super::tree::{Child, Leaf, Missing, Node, Tree};

/// Leaves with fewer rows are looked at by one thread: their bins are mostly empty.
const PARALLEL_ROWS_MIN: usize = 4_000;

/// A tree and the training rows in each of its leaves.
#[derive(Debug)]
pub(crate) struct GrownTree {
    pub(crate) tree: Tree,
    /// Rows, those of the first leaf first.
    rows: Vec<u32>,
    /// Where the rows of each leaf are.
    ranges: Vec<(usize, usize)>,
}

impl GrownTree {
    /// The rows the tree was grown on, with the tree's answer for each.
    pub(crate) fn answers(&self) -> impl Iterator<Item = (usize, f64)> {
        self.ranges.iter().zip(&self.tree.leaves).flat_map(|(&(start, end), leaf)| {
            self.rows[start..end].iter().map(|&row| (row as usize, leaf.value))
        })
    }
}

/// What a tree is grown from.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) params: &'a GbdtParams,
    pub(crate) binned: &'a BinnedRows,
    /// The features the tree may use, in the order in which they are packed.
    pub(crate) features: &'a [usize],
    pub(crate) packed: &'a PackedFeatures,
    /// Error of the forecast so far for each training row.
    pub(crate) gradients: &'a [f64],
}

/// A leaf while the tree grows.
#[derive(Debug)]
struct Open {
    start: usize,
    end: usize,
    sum: PackedSum,
    /// Best split and the position of its feature.
    best: Option<(Split, usize)>,
    histogram: Option<Histogram>,
    /// The node above, and whether this is its left child.
    parent: Option<(usize, bool)>,
}

struct Growth<'a> {
    ground: &'a Ground<'a>,
    rules: SplitRules,
    packed_gradients: PackedGradients,
    rows: Vec<u32>,
    scratch_rows: Vec<u32>,
    scratch_gradients: Vec<PackedSum>,
    nodes: Vec<Node>,
    leaves: Vec<Open>,
    spare: Vec<Histogram>,
}

/// Grows a tree on `rows`; its leaves' values are shrunk by the learning rate.
///
/// Without any split worth making, the tree is one leaf.
pub(crate) fn grow(ground: &Ground<'_>, rows: Vec<u32>) -> GrownTree {
    let rules = SplitRules {
        rows_count_min: ground.params.min_data_in_leaf as usize,
        lambda_l2: ground.params.lambda_l2,
    };
    let packed_gradients = PackedGradients::pack(ground.gradients);
    let mut growth = Growth {
        ground,
        rules,
        scratch_rows: vec![0; rows.len()],
        scratch_gradients: Vec::with_capacity(rows.len()),
        packed_gradients,
        rows,
        nodes: Vec::new(),
        leaves: Vec::new(),
        spare: Vec::new(),
    };
    growth.plant();
    while growth.leaves.len() < ground.params.num_leaves as usize {
        let Some(leaf) = growth.best_leaf() else { break };
        growth.split(leaf);
    }
    growth.finish()
}

impl Growth<'_> {
    fn plant(&mut self) {
        let sum = self.rows.iter().fold(PackedSum::default(), |sum, &row| {
            sum.plus(self.packed_gradients.rows[row as usize])
        });
        let mut root =
            Open { start: 0, end: self.rows.len(), sum, best: None, histogram: None, parent: None };
        if self.may_split(&root) {
            let histogram = self.fill(root.start, root.end);
            self.look_for_split(&mut root, histogram);
        }
        self.leaves.push(root);
    }

    /// The leaf whose best split gains most; of equals, the oldest.
    fn best_leaf(&self) -> Option<usize> {
        let mut best: Option<(usize, f64)> = None;
        for (index, leaf) in self.leaves.iter().enumerate() {
            if let Some((split, _)) = &leaf.best
                && best.is_none_or(|(_, gain)| split.gain > gain)
            {
                best = Some((index, split.gain));
            }
        }
        best.map(|(index, _)| index)
    }

    /// Makes the best split of leaf `index`: it becomes the left child, a new leaf the right one.
    fn split(&mut self, index: usize) {
        let leaf = &mut self.leaves[index];
        let (split, position) = leaf.best.take().expect("only leaves with a split are split");
        let histogram = leaf.histogram.take().expect("a leaf with a split has a histogram");
        let (start, end, sum, parent) = (leaf.start, leaf.end, leaf.sum, leaf.parent);

        let node_index = self.nodes.len();
        if let Some((above, is_left)) = parent {
            let node = &mut self.nodes[above];
            *(if is_left { &mut node.left } else { &mut node.right }) = Child::Node(node_index);
        }
        let feature = self.ground.features[position];
        let scale = self.packed_gradients.scale;
        self.nodes.push(Node {
            feature,
            threshold: self.ground.binned.bins[feature].limit(usize::from(split.bin)),
            missing: Missing::NaN,
            missing_goes_left: split.missing_goes_left,
            left: Child::Leaf(index),
            right: Child::Leaf(self.leaves.len()),
            gain: split.gain / scale / scale,
            value: 0.0,
            weight: 0.0,
            rows_count: 0,
        });

        let middle = self.partition(start, end, &split, position);
        let right_sum = sum.minus(split.left);
        let child = |start, end, sum, is_left| Open {
            start,
            end,
            sum,
            best: None,
            histogram: None,
            parent: Some((node_index, is_left)),
        };
        let mut left = child(start, middle, split.left, true);
        let mut right = child(middle, end, right_sum, false);
        self.look_at_children(&mut left, &mut right, histogram);
        self.leaves[index] = left;
        self.leaves.push(right);
    }

    /// Looks for the best splits of two new leaves; `histogram` is that of their parent.
    fn look_at_children(&mut self, left: &mut Open, right: &mut Open, mut histogram: Histogram) {
        let last = self.leaves.len() + 1 >= self.ground.params.num_leaves as usize;
        let (smaller, larger) = if left.end - left.start <= right.end - right.start {
            (left, right)
        } else {
            (right, left)
        };
        if last || !self.may_split(larger) {
            self.spare.push(histogram);
            return;
        }
        let of_smaller = self.fill(smaller.start, smaller.end);
        histogram.subtract(&of_smaller);
        self.look_for_split(larger, histogram);
        if self.may_split(smaller) {
            self.look_for_split(smaller, of_smaller);
        } else {
            self.spare.push(of_smaller);
        }
    }

    fn may_split(&self, leaf: &Open) -> bool {
        leaf.end - leaf.start >= 2 * self.rules.rows_count_min
    }

    fn fill(&mut self, start: usize, end: usize) -> Histogram {
        let mut histogram =
            self.spare.pop().unwrap_or_else(|| Histogram::empty(self.ground.packed));
        let rows = &self.rows[start..end];
        self.scratch_gradients.clear();
        self.scratch_gradients
            .extend(rows.iter().map(|&row| self.packed_gradients.rows[row as usize]));
        histogram.fill(self.ground.packed, rows, &self.scratch_gradients);
        histogram
    }

    /// Finds the best split over all features; of equals, the first feature's.
    fn look_for_split(&mut self, leaf: &mut Open, histogram: Histogram) {
        let best_of = |position: usize| {
            let bins = &self.ground.binned.bins[self.ground.features[position]];
            self.rules
                .best(histogram.feature(position), bins.known_count(), leaf.sum)
                .map(|split| (split, position))
        };
        let better = |a: Option<(Split, usize)>, b: Option<(Split, usize)>| match (&a, &b) {
            (Some((first, _)), Some((second, _))) if second.gain > first.gain => b,
            (Some(_), _) => a,
            (None, _) => b,
        };
        let features_count = self.ground.features.len();
        let best = if leaf.end - leaf.start < PARALLEL_ROWS_MIN {
            (0..features_count).map(best_of).fold(None, better)
        } else {
            let found: Vec<_> = (0..features_count).into_par_iter().map(best_of).collect();
            found.into_iter().fold(None, better)
        };
        let scale = self.packed_gradients.scale;
        let gain_min = self.ground.params.min_gain_to_split * scale * scale;
        // Sums are exact, so that a gain above rounding is a gain.
        let noise = 1e-12 * self.rules.leaf_score(leaf.sum);
        leaf.best = best.filter(|(split, _)| split.gain > gain_min.max(noise));
        if leaf.best.is_some() {
            leaf.histogram = Some(histogram);
        } else {
            self.spare.push(histogram);
        }
    }

    /// Moves the rows that go right behind those that go left, each in their order; returns where
    /// the right ones begin.
    fn partition(&mut self, start: usize, end: usize, split: &Split, position: usize) -> usize {
        let feature = self.ground.features[position];
        let missing = self.ground.binned.bins[feature].missing();
        let (mut left, mut right) = (start, 0);
        for i in start..end {
            let row = self.rows[i];
            let bin = self.ground.packed.bin(position, row);
            let goes_left = if usize::from(bin) == missing {
                split.missing_goes_left
            } else {
                bin <= split.bin
            };
            // Written to both sides, counted on one: no branch to mispredict.
            self.rows[left] = row;
            self.scratch_rows[right] = row;
            left += usize::from(goes_left);
            right += usize::from(!goes_left);
        }
        self.rows[left..end].copy_from_slice(&self.scratch_rows[..right]);
        debug_assert_eq!(left - start, split.left.rows_count());
        left
    }

    /// Gives leaves and nodes their values, from the gradients themselves and not from their
    /// fixed-point sums.
    #[expect(clippy::cast_precision_loss, reason = "counts have 24 bits")]
    fn finish(self) -> GrownTree {
        let Self { ground, rules, rows, mut nodes, leaves, .. } = self;
        let mut leaf_sums: Vec<(f64, u64)> = Vec::with_capacity(leaves.len());
        for leaf in &leaves {
            let rows = &rows[leaf.start..leaf.end];
            let sum = rows.iter().map(|&row| ground.gradients[row as usize]).sum();
            leaf_sums.push((sum, rows.len() as u64));
        }
        let answer = |(sum, count): (f64, u64)| {
            -ground.params.learning_rate * sum / (count as f64 + rules.lambda_l2)
        };
        let mut node_sums = vec![(0.0, 0); nodes.len()];
        for index in (0..nodes.len()).rev() {
            let of_child = |child| match child {
                Child::Node(node) => node_sums[node],
                Child::Leaf(leaf) => leaf_sums[leaf],
            };
            let (left, right) = (of_child(nodes[index].left), of_child(nodes[index].right));
            let sums = (left.0 + right.0, left.1 + right.1);
            node_sums[index] = sums;
            let node = &mut nodes[index];
            (node.value, node.weight, node.rows_count) = (answer(sums), sums.1 as f64, sums.1);
        }
        let tree = Tree {
            nodes,
            leaves: leaf_sums
                .iter()
                .map(|&sums| Leaf {
                    value: answer(sums),
                    weight: sums.1 as f64,
                    rows_count: sums.1,
                })
                .collect(),
            shrinkage: ground.params.learning_rate,
        };
        GrownTree { tree, rows, ranges: leaves.iter().map(|leaf| (leaf.start, leaf.end)).collect() }
    }
}
