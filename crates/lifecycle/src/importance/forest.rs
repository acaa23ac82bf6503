//! A forest of regression trees.

use rand_chacha::ChaCha8Rng;

use crate::importance::tree::{Axis, Node, Split, Tree};
use crate::sampler::stream::{below, stream};

/// Trees of the forest, and levels of a tree, as in Optuna's evaluator.
const TREES_COUNT: u64 = 64;
const DEPTH_MAX: usize = 64;

/// Trees, each grown on a sample of the rows with replacement until its leaves are pure.
#[derive(Debug)]
pub(super) struct Forest {
    axes: Vec<Axis>,
    trees: Vec<Tree>,
}

/// What a tree learns from.
struct Rows<'a> {
    axes: &'a [Axis],
    columns: &'a [Vec<f64>],
    values: &'a [f64],
}

impl Forest {
    /// Of `columns`, each with one internal value a row, and the values of the rows.
    ///
    /// Source: Breiman (2001), "Random Forests", with all columns tried at each split.
    pub(super) fn grow(axes: &[Axis], columns: &[Vec<f64>], values: &[f64], seed: u64) -> Self {
        let rows = Rows { axes, columns, values };
        let tree = |number| {
            let mut rng: ChaCha8Rng = stream(seed, number, "importance");
            let mut sample: Vec<usize> =
                values.iter().map(|_| below(&mut rng, values.len())).collect();
            let mut tree = Tree::default();
            rows.grow(&mut tree, &mut sample, 0);
            tree
        };
        Self { axes: axes.to_vec(), trees: (0..TREES_COUNT).map(tree).collect() }
    }

    /// The mean over the trees of the share that each column explains alone.
    #[expect(clippy::cast_precision_loss, reason = "few trees")]
    pub(super) fn shares(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.axes.len()];
        let mut count = 0_usize;
        for tree in self.trees.iter().filter(|tree| tree.nodes.len() > 1) {
            for (sum, share) in sums.iter_mut().zip(tree.shares(&self.axes)) {
                *sum += share;
            }
            count += 1;
        }
        sums.iter().map(|sum| sum / count.max(1) as f64).collect()
    }
}

impl Rows<'_> {
    fn grow(&self, tree: &mut Tree, sample: &mut [usize], depth: usize) {
        let Some(split) = self.best_split(sample).filter(|_| depth < DEPTH_MAX) else {
            tree.nodes.push(Node::Leaf(self.mean(sample)));
            return;
        };
        let column = &self.columns[split.column];
        sample.sort_by_key(|&row| !split.takes(self.axes, column[row]));
        let left_count = sample.partition_point(|&row| split.takes(self.axes, column[row]));
        let (left, right) = sample.split_at_mut(left_count);
        let node = tree.nodes.len();
        tree.nodes.push(Node::Inner(split, 0));
        self.grow(tree, left, depth + 1);
        let right_at = tree.nodes.len();
        tree.nodes[node] = Node::Inner(split, right_at);
        self.grow(tree, right, depth + 1);
    }

    #[expect(clippy::cast_precision_loss, reason = "few rows")]
    fn mean(&self, sample: &[usize]) -> f64 {
        sample.iter().map(|&row| self.values[row]).sum::<f64>() / sample.len() as f64
    }

    /// The split after which the squared distances to the means are least; `None` when there is
    /// nothing to part.
    fn best_split(&self, sample: &[usize]) -> Option<Split> {
        let first = self.values[*sample.first()?];
        if sample.iter().all(|&row| self.values[row].total_cmp(&first).is_eq()) {
            return None;
        }
        // Sums of centred values lose no digits to a common level.
        let mean = self.mean(sample);
        let mut best: Option<(f64, Split)> = None;
        let mut order: Vec<(f64, f64)> = Vec::with_capacity(sample.len());
        for (column, values) in self.columns.iter().enumerate() {
            order.clear();
            order.extend(sample.iter().map(|&row| (values[row], self.values[row] - mean)));
            order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            let found = match self.axes[column] {
                Axis::Range(..) => best_threshold(&order),
                Axis::Choices(_) => best_choice(&order),
            };
            if let Some((gain, at)) = found
                && best.is_none_or(|(other, _)| gain > other)
            {
                best = Some((gain, Split { column, at }));
            }
        }
        best.map(|(_, split)| split)
    }
}

/// What a part of a centred sample takes from the squared distances: its sum squared, by its count.
#[expect(clippy::cast_precision_loss, reason = "few rows")]
fn gain(sum: f64, count: usize, all_count: usize) -> f64 {
    sum * sum * (1.0 / count as f64 + 1.0 / (all_count - count) as f64)
}

/// The best place between two different numbers, in ascending `order`.
fn best_threshold(order: &[(f64, f64)]) -> Option<(f64, f64)> {
    let mut best: Option<(f64, f64)> = None;
    let mut sum = 0.0;
    for (count, pair) in (1..).zip(order.windows(2)) {
        sum += pair[0].1;
        let at = f64::midpoint(pair[0].0, pair[1].0);
        let is_between = pair[0].0 < pair[1].0 && at < pair[1].0;
        let gain = gain(sum, count, order.len());
        if is_between && best.is_none_or(|(other, _)| gain > other) {
            best = Some((gain, at));
        }
    }
    best
}

/// The best choice to part from the others.
fn best_choice(order: &[(f64, f64)]) -> Option<(f64, f64)> {
    let groups = order.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq());
    let mut best: Option<(f64, f64)> = None;
    for group in groups.filter(|group| group.len() < order.len()) {
        let gain = gain(group.iter().map(|row| row.1).sum(), group.len(), order.len());
        if best.is_none_or(|(other, _)| gain > other) {
            best = Some((gain, group[0].0));
        }
    }
    best
}
