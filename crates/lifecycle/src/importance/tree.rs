//! A regression tree over boxes, and what its predictions vary by.

/// What one parameter can be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Axis {
    /// A number between two ends.
    Range(f64, f64),
    /// One of so many choices.
    Choices(usize),
}

impl Axis {
    /// How much of it there is: the length, or the number of choices.
    #[expect(clippy::cast_precision_loss, reason = "few choices")]
    fn size(&self) -> f64 {
        match self {
            Self::Range(low, high) => high - low,
            Self::Choices(count) => *count as f64,
        }
    }
}

/// Where a node parts its rows: those with the choice, or at most the number, go left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Split {
    pub(super) column: usize,
    pub(super) at: f64,
}

impl Split {
    /// Whether `value` goes left.
    #[expect(clippy::float_cmp, reason = "choices are whole numbers")]
    pub(super) fn takes(self, axes: &[Axis], value: f64) -> bool {
        match axes[self.column] {
            Axis::Range(..) => value <= self.at,
            Axis::Choices(_) => value == self.at,
        }
    }
}

/// A node, after which its left child stands at once.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// Where it parts, and the place of its right child.
    Inner(Split, usize),
    /// What it predicts.
    Leaf(f64),
}

/// A regression tree; the root is the first node.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
}

/// A leaf's part of each axis, as a share of it, and its prediction.
struct Region {
    /// By column: the part in elementary intervals or choices, by their places.
    parts: Vec<Vec<usize>>,
    value: f64,
}

impl Tree {
    /// The share of the variance over the whole space that each column explains alone; zeros when
    /// there is none.
    ///
    /// Each axis is cut where the tree splits it; within such a cell nothing changes. The average
    /// prediction for a cell of one column, over all others, is the mean of the leaves that reach into
    /// it, by their share of the other axes.
    pub(super) fn shares(&self, axes: &[Axis]) -> Vec<f64> {
        let cells: Vec<Vec<(f64, f64)>> =
            (0..axes.len()).map(|column| self.cells(column, &axes[column])).collect();
        let mut regions = Vec::new();
        let all = cells.iter().map(|cells| (0..cells.len()).collect()).collect();
        self.collect(0, axes, &cells, all, &mut regions);
        let size = |column: usize, parts: &[usize]| -> f64 {
            parts.iter().map(|&part| cells[column][part].1).sum()
        };
        let volume = |region: &Region| -> f64 {
            region.parts.iter().enumerate().map(|(column, parts)| size(column, parts)).product()
        };
        let volumes: Vec<f64> = regions.iter().map(volume).collect();
        let mean: f64 = regions.iter().zip(&volumes).map(|(r, volume)| r.value * volume).sum();
        let deviation = |value: f64| (value - mean).powi(2);
        let variance: f64 =
            regions.iter().zip(&volumes).map(|(r, volume)| deviation(r.value) * volume).sum();
        if variance <= 0.0 {
            return vec![0.0; axes.len()];
        }
        (0..axes.len())
            .map(|column| {
                let mut marginal = vec![0.0; cells[column].len()];
                for (region, volume) in regions.iter().zip(&volumes) {
                    let parts = &region.parts[column];
                    let others = volume / size(column, parts);
                    for &part in parts {
                        marginal[part] += region.value * others;
                    }
                }
                let cells = cells[column].iter();
                let explained: f64 =
                    marginal.iter().zip(cells).map(|(m, cell)| deviation(*m) * cell.1).sum();
                explained / variance
            })
            .collect()
    }

    /// The cells of an axis: a value inside, and the share of the axis.
    #[expect(clippy::cast_precision_loss, reason = "few choices")]
    fn cells(&self, column: usize, axis: &Axis) -> Vec<(f64, f64)> {
        let &Axis::Range(low, high) = axis else {
            let count = axis.size();
            return (0..)
                .map(|choice: usize| choice as f64)
                .take_while(|c| *c < count)
                .map(|choice| (choice, 1.0 / count))
                .collect();
        };
        let mut ends = vec![low, high];
        for node in &self.nodes {
            match node {
                Node::Inner(split, _) if split.column == column => ends.push(split.at),
                Node::Inner(..) | Node::Leaf(_) => {}
            }
        }
        ends.sort_by(f64::total_cmp);
        ends.dedup_by(|a, b| a.total_cmp(b).is_eq());
        let cell =
            |pair: &[f64]| (f64::midpoint(pair[0], pair[1]), (pair[1] - pair[0]) / (high - low));
        ends.windows(2).map(cell).collect()
    }

    fn collect(
        &self,
        node: usize,
        axes: &[Axis],
        cells: &[Vec<(f64, f64)>],
        parts: Vec<Vec<usize>>,
        regions: &mut Vec<Region>,
    ) {
        match self.nodes[node] {
            Node::Leaf(value) => regions.push(Region { parts, value }),
            Node::Inner(split, right) => {
                let goes_left = |part: &usize| split.takes(axes, cells[split.column][*part].0);
                let (taken, rest): (Vec<usize>, Vec<usize>) =
                    parts[split.column].iter().partition(|part| goes_left(part));
                for (child, part) in [(node + 1, taken), (right, rest)] {
                    // Between two values that no cell lies between, a child has no room.
                    if !part.is_empty() {
                        let mut parts = parts.clone();
                        parts[split.column] = part;
                        self.collect(child, axes, cells, parts, regions);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_computed_by_hand() {
        // 0 for x <= 1 of 0..4; else 2 for choice 1 of two, and 4 for the other.
        let tree = Tree {
            nodes: vec![
                Node::Inner(Split { column: 0, at: 1.0 }, 2),
                Node::Leaf(0.0),
                Node::Inner(Split { column: 1, at: 1.0 }, 4),
                Node::Leaf(2.0),
                Node::Leaf(4.0),
            ],
        };
        let shares = tree.shares(&[Axis::Range(0.0, 4.0), Axis::Choices(2)]);
        // Mean 9/4; variance 1/4 * 81/16 + 3/8 * 1/16 + 3/8 * 49/16 = 39/16.
        // x alone: 0 and 3, variance 27/16. The choice alone: 3/2 and 3, variance 9/16.
        assert!((shares[0] - 27.0 / 39.0).abs() < 1e-12, "{shares:?}");
        assert!((shares[1] - 9.0 / 39.0).abs() < 1e-12, "{shares:?}");
    }

    #[test]
    fn a_tree_that_says_one_thing_explains_nothing() {
        let tree = Tree { nodes: vec![Node::Leaf(3.0)] };
        assert_eq!(tree.shares(&[Axis::Range(0.0, 1.0)]), [0.0]);
    }
}
