//! One regression tree, with LightGBM's meaning of its parts.

/// Values this near to zero count as zero where zero means missing; LightGBM's constant.
const ZERO: f64 = 1e-35;

/// What a node takes for a missing value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Nothing: NaN is read as zero.
    None,
    /// Zero, and NaN with it.
    Zero,
    /// NaN.
    NaN,
}

/// Where a branch leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Child {
    /// To this node.
    Node(usize),
    /// To this leaf.
    Leaf(usize),
}

/// A branching point: values up to the threshold go left.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) feature: usize,
    pub(crate) threshold: f64,
    pub(crate) missing: Missing,
    pub(crate) missing_goes_left: bool,
    pub(crate) left: Child,
    pub(crate) right: Child,
    pub(crate) gain: f64,
    /// What the node would answer if it were a leaf.
    pub(crate) value: f64,
    /// Sum of the hessians; for squared error, the number of rows.
    pub(crate) weight: f64,
    /// Training rows that came through.
    pub(crate) rows_count: u64,
}

/// An end: what the tree answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leaf {
    pub(crate) value: f64,
    /// Sum of the hessians; for squared error, the number of rows.
    pub(crate) weight: f64,
    /// Training rows that ended here.
    pub(crate) rows_count: u64,
}

/// A binary tree: a node's children that are nodes come later in `nodes`; without nodes there is
/// one leaf.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) leaves: Vec<Leaf>,
    /// The learning rate that is already inside the values; for information.
    pub(crate) shrinkage: f64,
}

impl Node {
    /// The side on which `value` falls.
    pub(crate) fn child(&self, value: f64) -> Child {
        if self.goes_left(value) { self.left } else { self.right }
    }

    fn goes_left(&self, value: f64) -> bool {
        match self.missing {
            Missing::NaN if value.is_nan() => self.missing_goes_left,
            Missing::NaN => value <= self.threshold,
            Missing::None => zero_for_nan(value) <= self.threshold,
            Missing::Zero if zero_for_nan(value).abs() <= ZERO => self.missing_goes_left,
            Missing::Zero => value <= self.threshold,
        }
    }
}

impl Tree {
    /// A tree that answers the same for all rows.
    pub(crate) fn constant(value: f64, rows_count: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let weight = rows_count as f64;
        let leaf = Leaf { value, weight, rows_count };
        Self { nodes: Vec::new(), leaves: vec![leaf], shrinkage: 1.0 }
    }

    /// Where a walk begins.
    pub(crate) fn root(&self) -> Child {
        if self.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) }
    }

    /// The tree's answer for a row of feature values.
    pub(crate) fn predict(&self, row: &[f64]) -> f64 {
        let mut at = self.root();
        loop {
            match at {
                Child::Node(node) => {
                    let node = &self.nodes[node];
                    at = node.child(row[node.feature]);
                }
                Child::Leaf(leaf) => return self.leaves[leaf].value,
            }
        }
    }

    /// Adds `bias` to every answer. The values are then no longer shrunk answers alone, and
    /// LightGBM notes a shrinkage of 1.
    pub(crate) fn add_bias(&mut self, bias: f64) {
        for leaf in &mut self.leaves {
            leaf.value += bias;
        }
        for node in &mut self.nodes {
            node.value += bias;
        }
        self.shrinkage = 1.0;
    }
}

fn zero_for_nan(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_value_goes_where_its_kind_says() {
        let node = |missing| Node {
            feature: 0,
            threshold: -1.0,
            missing,
            missing_goes_left: true,
            left: Child::Leaf(0),
            right: Child::Leaf(1),
            gain: 0.0,
            value: 0.0,
            weight: 0.0,
            rows_count: 0,
        };
        let lefts = |missing| {
            [f64::NAN, 0.0, -2.0, 1.0].map(|value| node(missing).child(value) == Child::Leaf(0))
        };
        assert_eq!(lefts(Missing::None), [false, false, true, false]);
        assert_eq!(lefts(Missing::Zero), [true, true, true, false]);
        assert_eq!(lefts(Missing::NaN), [true, false, true, false]);
    }
}
