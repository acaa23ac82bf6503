//! Many rows through many trees at once.
//!
//! A tree's thresholds cut each feature's numbers into intervals; a row's values are replaced by the
//! numbers of their intervals, one byte each, once for all trees. The leaves of a tree are numbered
//! from left to right and are bits. Every node is asked about every row: where a row goes right, the
//! leaves on the left are out, and the first that remains is the one in which a walk ends. Nothing
//! depends on an earlier answer, so a node is asked about 64 rows in a few instructions on wide
//! registers; and it is exact, whatever the kinds of tests and of missing values.
//!
//! The idea of leaves as bits is that of Lucchese et al. (2015), "`QuickScorer`".

use std::collections::BTreeMap;

use pulp::{Arch, Simd, WithSimd};

use super::tree::{Child, Missing, Node, Test, Tree};
use crate::features::FeatureMatrix;

/// Intervals of one feature, the one for NaN included.
const CODES_COUNT_MAX: usize = 256;

/// Leaves of a tree: the number of one is a byte.
const LEAVES_COUNT_MAX: usize = 256;

/// Leaves whose bits are held together.
const LEAVES_PER_BYTE: usize = 8;

/// Rows that a node is asked about at once.
const LANES: usize = 64;

/// Rows that are coded and scored together: their codes stay in the nearest cache.
pub(crate) const ROWS_PER_BLOCK: usize = 4 * LANES;

/// The code of NaN where it is above all intervals.
const NAN_ABOVE: u8 = u8::MAX;

/// One code for each of some rows.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Codes([u8; LANES]);

/// The intervals of one feature.
#[derive(Debug)]
struct Coding {
    feature: usize,
    /// The highest number of each interval but the last, ascending, and then infinity.
    cuts: Box<[f64; CODES_COUNT_MAX]>,
    cuts_count: usize,
    /// Where its codes go when NaN is below the intervals, which then count from 1.
    column_nan_below: Option<usize>,
    /// Where they go when NaN is above them, as [`NAN_ABOVE`].
    column_nan_above: Option<usize>,
}

impl Coding {
    /// `None` when there are too many intervals.
    fn of(feature: usize, mut cuts: Vec<f64>) -> Option<Self> {
        cuts.sort_unstable_by(f64::total_cmp);
        cuts.dedup();
        // One interval above all cuts, and one code for NaN.
        if cuts.len() + 2 > CODES_COUNT_MAX {
            return None;
        }
        let mut padded = Box::new([f64::INFINITY; CODES_COUNT_MAX]);
        padded[..cuts.len()].copy_from_slice(&cuts);
        let cuts_count = cuts.len();
        Some(Self {
            feature,
            cuts: padded,
            cuts_count,
            column_nan_below: None,
            column_nan_above: None,
        })
    }

    /// The number of the interval in which a number lies.
    #[expect(clippy::cast_possible_truncation, reason = "there are at most 255 intervals")]
    fn interval(&self, number: f64) -> u8 {
        self.cuts[..self.cuts_count].partition_point(|cut| *cut < number) as u8
    }

    /// A number of the interval.
    fn representative(&self, interval: usize) -> f64 {
        self.cuts[interval]
    }

    /// Writes the codes of `rows` into their columns.
    #[inline(always)]
    fn code(&self, column: &[f64], rows: &[usize], columns: &mut [Codes]) {
        let mut values = [f64::NAN; LANES];
        for (value, &row) in values.iter_mut().zip(rows) {
            *value = column[row];
        }
        // Halving without a branch; what is compared is always inside the array.
        let mut below = [0_usize; LANES];
        for power in (0..(self.cuts_count + 1).next_power_of_two().ilog2()).rev() {
            for (below, value) in below.iter_mut().zip(&values) {
                let is_above = self.cuts[(*below + (1 << power) - 1) & 255] < *value;
                *below |= usize::from(is_above) << power;
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "there are at most 255 intervals")]
        let interval = |lane: usize| below[lane] as u8;
        if let Some(column) = self.column_nan_below {
            columns[column].0 =
                std::array::from_fn(
                    |lane| {
                        if values[lane].is_nan() { 0 } else { interval(lane) + 1 }
                    },
                );
        }
        if let Some(column) = self.column_nan_above {
            columns[column].0 =
                std::array::from_fn(
                    |lane| {
                        if values[lane].is_nan() { NAN_ABOVE } else { interval(lane) }
                    },
                );
        }
    }
}

/// What a node does to eight leaves.
#[derive(Clone, Copy, Debug)]
struct Question {
    /// The codes that it asks for.
    column: u16,
    /// The highest code that goes left.
    left_max: u8,
    /// The leaves that remain possible for a row that goes right.
    kept: u8,
}

/// A node whose left side is not all intervals up to one.
#[derive(Debug)]
struct OddNode {
    /// Where the codes of its feature are, NaN above.
    column: usize,
    /// Where its own go.
    own: usize,
    /// For each code, 0 where it goes left and 1 where it goes right.
    side: Box<[u8; CODES_COUNT_MAX]>,
}

/// One tree.
#[derive(Debug)]
struct ScoredTree {
    /// For each eight leaves the nodes that have some of them on the left.
    questions: Vec<Vec<Question>>,
    odd_nodes: Vec<OddNode>,
    /// Where its answers begin.
    answers_begin: usize,
}

/// Trees prepared for many rows.
#[derive(Debug)]
pub(crate) struct BatchScorer {
    /// The features that any tree reads.
    codings: Vec<Coding>,
    /// Columns of codes, those of the odd nodes of one tree at the end.
    columns_count: usize,
    trees: Vec<ScoredTree>,
    /// Tree after tree, from the left leaf to the right one; then so many more that each of them
    /// begins 256.
    answers: Vec<f64>,
}

impl BatchScorer {
    /// Prepares the trees; `None` when a feature is cut into too many intervals, or a tree has too
    /// many leaves.
    pub(crate) fn prepare(trees: &[Tree]) -> Option<Self> {
        if trees.iter().any(|tree| tree.leaves.len() > LEAVES_COUNT_MAX) {
            return None;
        }
        let mut cuts: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for node in trees.iter().flat_map(|tree| &tree.nodes) {
            node.test.add_cuts(cuts.entry(node.feature).or_default());
        }
        let codings: Option<Vec<Coding>> =
            cuts.into_iter().map(|(feature, cuts)| Coding::of(feature, cuts)).collect();
        let mut columns = Columns { codings: codings?, count: 0 };
        for node in trees.iter().flat_map(|tree| &tree.nodes) {
            columns.of(node);
        }
        let mut answers = Vec::new();
        let trees: Option<Vec<ScoredTree>> =
            trees.iter().map(|tree| ScoredTree::of(tree, &mut columns, &mut answers)).collect();
        let trees = trees?;
        let odd_nodes_max = trees.iter().map(|tree| tree.odd_nodes.len()).max();
        answers.resize(answers.len() + LEAVES_COUNT_MAX, 0.0);
        Some(Self {
            codings: columns.codings,
            columns_count: columns.count + odd_nodes_max.unwrap_or_default(),
            trees,
            answers,
        })
    }

    /// The sum of the trees' answers for each of `rows`, added in the order of the trees.
    pub(crate) fn sums(&self, x: &FeatureMatrix, rows: &[usize]) -> Vec<f64> {
        let mut sums = vec![0.0; rows.len().next_multiple_of(LANES)];
        Arch::new().dispatch(Score { scorer: self, x, rows, sums: &mut sums });
        sums.truncate(rows.len());
        sums
    }
}

/// Gives columns to the codes that nodes ask for.
struct Columns {
    codings: Vec<Coding>,
    count: usize,
}

impl Columns {
    /// The column that `node` asks for, and the highest code that goes left; `None` for an odd node,
    /// which asks for its own.
    fn of(&mut self, node: &Node) -> (usize, Option<u8>) {
        let position = self.codings.binary_search_by_key(&node.feature, |coding| coding.feature);
        let coding = &mut self.codings[position.expect("each feature of a node has intervals")];
        let new = || {
            self.count += 1;
            self.count - 1
        };
        match &node.test {
            Test::Threshold { threshold, missing: Missing::None | Missing::NaN, .. } => {
                let interval = coding.interval(*threshold);
                if node.test.goes_left(f64::NAN) {
                    (*coding.column_nan_below.get_or_insert_with(new), Some(interval + 1))
                } else {
                    (*coding.column_nan_above.get_or_insert_with(new), Some(interval))
                }
            }
            Test::Threshold { missing: Missing::Zero, .. } | Test::Categories { .. } => {
                (*coding.column_nan_above.get_or_insert_with(new), None)
            }
        }
    }

    /// On which side of `node` each code falls when NaN is above.
    fn sides(&self, node: &Node) -> Box<[u8; CODES_COUNT_MAX]> {
        let position = self.codings.binary_search_by_key(&node.feature, |coding| coding.feature);
        let coding = &self.codings[position.expect("each feature of a node has intervals")];
        let mut side = Box::new([0; CODES_COUNT_MAX]);
        for (code, side) in side.iter_mut().enumerate() {
            let is_nan = code == usize::from(NAN_ABOVE);
            let value = if is_nan { f64::NAN } else { coding.representative(code) };
            *side = u8::from(!node.test.goes_left(value));
        }
        side
    }
}

impl ScoredTree {
    /// Appends the answers of `tree` to `answers`; `None` when there are too many columns.
    fn of(tree: &Tree, columns: &mut Columns, answers: &mut Vec<f64>) -> Option<Self> {
        let answers_begin = answers.len();
        answers.extend(tree.leaves.iter().map(|leaf| leaf.value));
        let answers = &mut answers[answers_begin..];
        let mut counts = vec![0; tree.nodes.len()];
        let count = |child, counts: &[usize]| match child {
            Child::Node(node) => counts[node],
            Child::Leaf(_) => 1,
        };
        for (index, node) in tree.nodes.iter().enumerate().rev() {
            counts[index] = count(node.left, &counts) + count(node.right, &counts);
        }
        let mut questions = vec![Vec::new(); tree.leaves.len().div_ceil(LEAVES_PER_BYTE)];
        let mut odd_nodes = Vec::new();
        let mut begins = vec![0; tree.nodes.len()];
        for (index, node) in tree.nodes.iter().enumerate() {
            let begin = begins[index];
            let end = begin + count(node.left, &counts);
            for (child, begin) in [(node.left, begin), (node.right, end)] {
                match child {
                    Child::Node(node) => begins[node] = begin,
                    Child::Leaf(leaf) => answers[begin] = tree.leaves[leaf].value,
                }
            }
            let (mut column, left_max) = columns.of(node);
            if left_max.is_none() {
                let own = columns.count + odd_nodes.len();
                odd_nodes.push(OddNode { column, own, side: columns.sides(node) });
                column = own;
            }
            let (column, left_max) = (u16::try_from(column).ok()?, left_max.unwrap_or(0));
            for leaf in begin..end {
                let of_byte: &mut Vec<Question> = &mut questions[leaf / LEAVES_PER_BYTE];
                let bit = 1_u8 << (leaf % LEAVES_PER_BYTE);
                if leaf == begin || leaf % LEAVES_PER_BYTE == 0 {
                    of_byte.push(Question { column, left_max, kept: u8::MAX });
                }
                if let Some(question) = of_byte.last_mut() {
                    question.kept &= !bit;
                }
            }
        }
        Some(Self { questions, odd_nodes, answers_begin })
    }

    /// Asks the nodes; `columns` are the codes of 64 rows, whose leaves are returned.
    #[inline(always)]
    fn leaves(&self, columns: &mut [Codes]) -> Codes {
        for OddNode { column, own, side } in &self.odd_nodes {
            columns[*own].0 = columns[*column].0.map(|code| side[usize::from(code)]);
        }
        let mut leaves = Codes([0; LANES]);
        for (byte, questions) in self.questions.iter().enumerate().rev() {
            let mut possible = Codes([u8::MAX; LANES]);
            for &Question { column, left_max, kept } in questions {
                let codes = &columns[usize::from(column)];
                for (possible, code) in possible.0.iter_mut().zip(&codes.0) {
                    *possible &= if *code <= left_max { u8::MAX } else { kept };
                }
            }
            #[expect(clippy::cast_possible_truncation, reason = "a tree has at most 256 leaves")]
            let first = (byte * LEAVES_PER_BYTE) as u8;
            for (leaf, possible) in leaves.0.iter_mut().zip(&possible.0) {
                let lowest = possible & possible.wrapping_neg();
                // The number of the bit, from the halves in which it lies.
                let number = u8::from(lowest & 0xF0 != 0) << 2
                    | u8::from(lowest & 0xCC != 0) << 1
                    | u8::from(lowest & 0xAA != 0);
                // All bits where none of these leaves is possible; with a choice in its place the
                // compiler takes the rows one by one.
                let others = u8::from(lowest != 0).wrapping_sub(1);
                *leaf = (*leaf & others) | ((first | number) & !others);
            }
        }
        leaves
    }
}

/// Scores rows block after block.
struct Score<'a> {
    scorer: &'a BatchScorer,
    x: &'a FeatureMatrix,
    rows: &'a [usize],
    /// One for each row, and zeros up to a whole number of lanes.
    sums: &'a mut [f64],
}

impl WithSimd for Score<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { scorer, x, rows, sums } = self;
        let BatchScorer { codings, columns_count, trees, answers } = scorer;
        let (sums, _) = sums.as_chunks_mut::<LANES>();
        let lanes_count = ROWS_PER_BLOCK / LANES;
        let mut columns = vec![Codes([0; LANES]); columns_count * lanes_count];
        for (rows, sums) in rows.chunks(ROWS_PER_BLOCK).zip(sums.chunks_mut(lanes_count)) {
            let mut of_lanes = columns.chunks_exact_mut((*columns_count).max(1));
            for rows in rows.chunks(LANES) {
                let columns = of_lanes.next().unwrap_or_default();
                for coding in codings {
                    coding.code(x.column(coding.feature), rows, columns);
                }
            }
            for tree in trees {
                let answers = answers[tree.answers_begin..].first_chunk::<LEAVES_COUNT_MAX>();
                let answers = answers.expect("there are answers for any byte");
                let mut of_lanes = columns.chunks_exact_mut((*columns_count).max(1));
                for sums in &mut *sums {
                    let leaves = tree.leaves(of_lanes.next().unwrap_or_default());
                    for (sum, leaf) in sums.iter_mut().zip(&leaves.0) {
                        *sum += answers[usize::from(*leaf)];
                    }
                }
            }
        }
    }
}
