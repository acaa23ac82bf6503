//! One tree, grown leaf by leaf: the split with the highest gain comes next, wherever it is.

use rayon::prelude::*;

use super::GbdtParams;
use super::binning::{BinnedRows, FeatureBins};
use super::histogram::{Histogram, PackedFeatures, PackedGradients, PackedSum};
use super::objective::{Gradients, quantile};
use super::split::{Bounds, Cut, Direction, SET_LAMBDA_L2, Split, SplitRules, shrink};
use super::tree::{CategorySet, Child, Leaf, Missing, Node, Test, Tree};

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
    /// Which way the forecast may go with each feature of the table.
    pub(crate) directions: &'a [Direction],
    /// Of each training row.
    pub(crate) gradients: &'a Gradients,
    /// A share and the error of each training row, where leaves answer with a quantile.
    pub(crate) renewal: Option<(f64, &'a [f64])>,
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
    /// Nodes above.
    depth: u32,
    /// Penalty on the square of its answer.
    lambda_l2: f64,
    /// Lowest and highest answer, before shrinking.
    bounds: Bounds,
}

struct Growth<'a> {
    ground: &'a Ground<'a>,
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
    let packed_gradients = PackedGradients::pack(ground.gradients);
    let mut growth = Growth {
        ground,
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
        let mut root = Open {
            start: 0,
            end: self.rows.len(),
            sum,
            best: None,
            histogram: None,
            parent: None,
            depth: 0,
            lambda_l2: self.ground.params.lambda_l2,
            bounds: Bounds::NONE,
        };
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
        let depth = leaf.depth;
        let (left_bounds, right_bounds) =
            self.bounds_of_children(&self.leaves[index], &split, position);

        let node_index = self.nodes.len();
        if let Some((above, is_left)) = parent {
            let node = &mut self.nodes[above];
            *(if is_left { &mut node.left } else { &mut node.right }) = Child::Node(node_index);
        }
        let feature = self.ground.features[position];
        self.nodes.push(Node {
            feature,
            test: self.test(feature, split.cut),
            left: Child::Leaf(index),
            right: Child::Leaf(self.leaves.len()),
            gain: split.gain / self.gain_scale(),
            value: 0.0,
            weight: 0.0,
            rows_count: 0,
        });

        let middle = self.partition(start, end, &split, position);
        let right_sum = sum.minus(split.left);
        let lambda_l2 = self.ground.params.lambda_l2
            + if matches!(split.cut, Cut::Set(_)) { SET_LAMBDA_L2 } else { 0.0 };
        let child = |start, end, sum, is_left, bounds| Open {
            start,
            end,
            sum,
            best: None,
            histogram: None,
            parent: Some((node_index, is_left)),
            depth: depth + 1,
            lambda_l2,
            bounds,
        };
        let mut left = child(start, middle, split.left, true, left_bounds);
        let mut right = child(middle, end, right_sum, false, right_bounds);
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
        let params = self.ground.params;
        let deep = params.max_depth > 0 && leaf.depth >= params.max_depth;
        !deep && leaf.end - leaf.start >= 2 * params.min_data_in_leaf as usize
    }

    /// What the splits of a leaf must satisfy.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts have 24 bits and sums of hessians 32"
    )]
    fn rules(&self, leaf: &Open) -> SplitRules {
        let (params, packed) = (self.ground.params, &self.packed_gradients);
        let hessian = leaf.sum.hessian(packed.hessian_bits) as f64;
        let rows_per_hessian = (leaf.end - leaf.start) as f64 / hessian.max(1.0);
        // Half a row less, because the rows of a side are known from its hessians only nearly;
        // where hessians are counts that rounds up again.
        let rows_min = (f64::from(params.min_data_in_leaf) - 0.5) / rows_per_hessian;
        let hessian_min = rows_min.max(params.min_sum_hessian_in_leaf * packed.hessian_scale);
        SplitRules {
            hessian_bits: packed.hessian_bits,
            hessian_min: hessian_min.max(1.0).ceil() as u64,
            lambda_l1: params.lambda_l1 * packed.gradient_scale,
            lambda_l2: params.lambda_l2 * packed.hessian_scale,
            hessian_scale: packed.hessian_scale,
            rows_per_hessian,
            bounds: leaf.bounds.times(packed.gradient_scale / packed.hessian_scale),
        }
    }

    /// What a gain of one is in fixed point.
    fn gain_scale(&self) -> f64 {
        let PackedGradients { gradient_scale, hessian_scale, .. } = self.packed_gradients;
        gradient_scale * (gradient_scale / hessian_scale)
    }

    /// Between which answers the children of a leaf stay. Where the feature must not turn the
    /// forecast the wrong way, the middle of their present answers parts them for good (LightGBM's
    /// "basic" method).
    fn bounds_of_children(&self, leaf: &Open, split: &Split, position: usize) -> (Bounds, Bounds) {
        let direction = self.ground.directions[self.ground.features[position]];
        let (mut left, mut right) = (leaf.bounds, leaf.bounds);
        if direction == Direction::Any {
            return (left, right);
        }
        let rules = self.rules(leaf);
        let PackedGradients { gradient_scale, hessian_scale, .. } = self.packed_gradients;
        let answer = |sum| rules.answer(sum) * (hessian_scale / gradient_scale);
        let middle = f64::midpoint(answer(split.left), answer(leaf.sum.minus(split.left)));
        if direction == Direction::Up {
            (left.high, right.low) = (left.high.min(middle), right.low.max(middle));
        } else {
            (left.low, right.high) = (left.low.max(middle), right.high.min(middle));
        }
        (left, right)
    }

    /// The test on values that does what `cut` does to bins.
    fn test(&self, feature: usize, cut: Cut) -> Test {
        match (&self.ground.binned.bins[feature], cut) {
            (FeatureBins::Numbers(bins), Cut::Upto { bin, missing_goes_left }) => Test::Threshold {
                threshold: bins.limit(usize::from(bin)),
                missing: Missing::NaN,
                missing_goes_left,
            },
            (FeatureBins::Categories(bins), Cut::One(chosen) | Cut::Set(chosen)) => {
                let mut set = CategorySet::default();
                for bin in (0..=u8::MAX).filter(|bin| chosen.contains(*bin)) {
                    set.insert(bins.category(usize::from(bin)));
                }
                Test::Categories { set, missing: Missing::NaN }
            }
            (bins, cut) => unreachable!("{cut:?} does not cut {bins:?}"),
        }
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
        let rules = self.rules(leaf);
        let best_of = |position: usize| {
            let feature = self.ground.features[position];
            let sums = histogram.feature(position);
            let split = match &self.ground.binned.bins[feature] {
                FeatureBins::Numbers(bins) => {
                    let direction = self.ground.directions[feature];
                    rules.best(sums, bins.known_count(), leaf.sum, direction)
                }
                bins @ FeatureBins::Categories(_) => {
                    rules.best_categories(sums, bins.known_count(), leaf.sum)
                }
            };
            split.map(|split| (split, position))
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
        let gain_min = self.ground.params.min_gain_to_split * self.gain_scale();
        // Sums are exact, so that a gain above rounding is a gain.
        let noise = 1e-12 * rules.leaf_score(leaf.sum);
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
        match split.cut {
            Cut::Upto { bin: last, missing_goes_left } => {
                self.partition_by(start, end, feature, |bin| {
                    if usize::from(bin) == missing { missing_goes_left } else { bin <= last }
                })
            }
            Cut::One(set) | Cut::Set(set) => {
                self.partition_by(start, end, feature, |bin| set.contains(bin))
            }
        }
    }

    fn partition_by(
        &mut self,
        start: usize,
        end: usize,
        feature: usize,
        goes_left: impl Fn(u8) -> bool,
    ) -> usize {
        // A column of bytes stays in the cache where packed features do not.
        let column = self.ground.binned.columns[feature].as_slice();
        let rows = &mut self.rows[start..end];
        let right_rows = &mut self.scratch_rows[..rows.len()];
        let (mut left, mut right) = (0, 0);
        for i in 0..rows.len() {
            let row = rows[i];
            let goes_left = goes_left(column[row as usize]);
            // Written to both sides, counted on one: no branch to mispredict.
            rows[left] = row;
            right_rows[right] = row;
            left += usize::from(goes_left);
            right += usize::from(!goes_left);
        }
        rows[left..].copy_from_slice(&right_rows[..right]);
        start + left
    }

    /// Gives leaves and nodes their values, from the gradients themselves and not from their
    /// fixed-point sums.
    #[expect(clippy::cast_precision_loss, reason = "counts have 24 bits")]
    fn finish(self) -> GrownTree {
        let Self { ground, rows, mut nodes, leaves, .. } = self;
        let Gradients { gradients, hessians } = ground.gradients;
        let learning_rate = ground.params.learning_rate;
        let sums_of = |rows: &[u32]| {
            let sum = |values: &[f64]| rows.iter().map(|&row| values[row as usize]).sum();
            let rows_count = rows.len() as u64;
            let gradient = sum(gradients);
            let hessian = if hessians.is_empty() { rows_count as f64 } else { sum(hessians) };
            Sums { gradient, hessian, rows_count }
        };
        let answer = |sums: &Sums, lambda_l2: f64| {
            let gradient = shrink(sums.gradient, ground.params.lambda_l1);
            -learning_rate * gradient / (sums.hessian + lambda_l2)
        };
        let leaf_sums: Vec<Sums> =
            leaves.iter().map(|leaf| sums_of(&rows[leaf.start..leaf.end])).collect();
        let of_leaf = |(open, sums): (&Open, &Sums)| {
            let value = match ground.renewal {
                None => answer(sums, open.lambda_l2),
                Some((share, errors)) => {
                    let rows = &rows[open.start..open.end];
                    let mut needed: Vec<f64> =
                        rows.iter().map(|&row| -errors[row as usize]).collect();
                    learning_rate * quantile(&mut needed, share)
                }
            };
            let bounds = open.bounds.times(learning_rate);
            Leaf {
                value: value.clamp(bounds.low, bounds.high),
                weight: sums.hessian,
                rows_count: sums.rows_count,
            }
        };
        let tree_leaves = leaves.iter().zip(&leaf_sums).map(of_leaf).collect();

        let mut node_sums = vec![Sums::default(); nodes.len()];
        for index in (0..nodes.len()).rev() {
            let of_child = |child| match child {
                Child::Node(node) => node_sums[node],
                Child::Leaf(leaf) => leaf_sums[leaf],
            };
            let sums = of_child(nodes[index].left).plus(of_child(nodes[index].right));
            node_sums[index] = sums;
            let node = &mut nodes[index];
            node.value = answer(&sums, ground.params.lambda_l2);
            (node.weight, node.rows_count) = (sums.hessian, sums.rows_count);
        }
        let tree = Tree { nodes, leaves: tree_leaves, shrinkage: learning_rate };
        GrownTree { tree, rows, ranges: leaves.iter().map(|leaf| (leaf.start, leaf.end)).collect() }
    }
}

/// Sums over the rows of a leaf or node.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    gradient: f64,
    hessian: f64,
    rows_count: u64,
}

impl Sums {
    fn plus(self, other: Self) -> Self {
        Self {
            gradient: self.gradient + other.gradient,
            hessian: self.hessian + other.hessian,
            rows_count: self.rows_count + other.rows_count,
        }
    }
}
