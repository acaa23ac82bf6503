//! One tree, with LightGBM's meaning of its parts.

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

/// Which values of a feature go left at a node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// Values up to the threshold.
    Threshold { threshold: f64, missing: Missing, missing_goes_left: bool },
    /// The categories of a set; all others and missing values go right. `missing` is LightGBM's
    /// note on the feature, and decides nothing here.
    Categories { set: CategorySet, missing: Missing },
}

/// Categories, which are whole numbers from zero, as LightGBM keeps them: bit `c % 32` of word
/// `c / 32` stands for category `c`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CategorySet {
    pub(crate) words: Vec<u32>,
}

/// A branching point.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) feature: usize,
    pub(crate) test: Test,
    pub(crate) left: Child,
    pub(crate) right: Child,
    pub(crate) gain: f64,
    /// What the node would answer if it were a leaf.
    pub(crate) value: f64,
    /// Sum of the hessians; the number of rows where each row's is one.
    pub(crate) weight: f64,
    /// Training rows that came through.
    pub(crate) rows_count: u64,
}

/// An end: what the tree answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leaf {
    pub(crate) value: f64,
    /// Sum of the hessians; the number of rows where each row's is one.
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
        if self.test.goes_left(value) { self.left } else { self.right }
    }
}

impl Test {
    pub(crate) fn goes_left(&self, value: f64) -> bool {
        match self {
            Self::Threshold { threshold, missing, missing_goes_left } => match missing {
                Missing::NaN if value.is_nan() => *missing_goes_left,
                Missing::NaN => value <= *threshold,
                Missing::None => zero_for_nan(value) <= *threshold,
                Missing::Zero if zero_for_nan(value).abs() <= ZERO => *missing_goes_left,
                Missing::Zero => value <= *threshold,
            },
            Self::Categories { set, .. } => set.contains(value),
        }
    }

    /// Adds values to `cuts` such that all numbers above one of them and up to the next go the
    /// same way.
    pub(crate) fn add_cuts(&self, cuts: &mut Vec<f64>) {
        match self {
            Self::Threshold { threshold, missing, .. } => {
                cuts.push(*threshold);
                if *missing == Missing::Zero {
                    cuts.extend([(-ZERO).next_down(), ZERO]);
                }
            }
            Self::Categories { set, .. } => {
                cuts.push(-1.0);
                cuts.extend((1..=set.end()).map(|category| f64::from(category).next_down()));
            }
        }
    }
}

impl CategorySet {
    pub(crate) fn insert(&mut self, category: u32) {
        let word = category as usize / 32;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (category % 32);
    }

    /// Whether a value belongs to a category of the set; its fraction is ignored.
    fn contains(&self, value: f64) -> bool {
        // Above -1 the whole part is zero or more; NaN is not above.
        if !(value > -1.0 && value < f64::from(i32::MAX)) {
            return false;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range was just checked, and the fraction is to be dropped"
        )]
        let category = value as u32;
        self.words.get(category as usize / 32).is_some_and(|word| word >> (category % 32) & 1 == 1)
    }

    /// A category above all of the set.
    fn end(&self) -> u32 {
        u32::try_from(32 * self.words.len()).unwrap_or(u32::MAX)
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
            test: Test::Threshold { threshold: -1.0, missing, missing_goes_left: true },
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

    #[test]
    fn a_category_is_the_whole_part_and_nothing_below_zero_is_one() {
        let mut set = CategorySet::default();
        [0, 3, 70].into_iter().for_each(|category| set.insert(category));
        for (value, expected) in [
            (0.0, true),
            (-0.5, true),
            (-1.0, false),
            (1.0, false),
            (3.9, true),
            (4.0, false),
            (70.0, true),
            (1e300, false),
            (f64::NAN, false),
        ] {
            assert_eq!(set.contains(value), expected, "{value}");
        }
    }
}
