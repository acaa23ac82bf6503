//! Many rows through many trees at once.
//!
//! A tree's thresholds cut each feature's numbers into intervals; a row's values are replaced by the
//! numbers of their intervals, once for all trees. For each tree and each of its features a table
//! says which leaves an interval leaves possible; the intersection over the features is the leaf.
//! That is a handful of independent look-ups instead of a chain of dependent branches, and exact:
//! it ends in the same leaf as a walk, whatever the kinds of tests and of missing values.
//!
//! Source: the idea of leaves as bits is that of Lucchese et al. (2015), "`QuickScorer`".

use super::tree::{Child, Tree};
use crate::features::FeatureMatrix;

/// Intervals of one feature, the one for NaN included.
const CODES_COUNT_MAX: usize = 256;

/// Rows that are coded and scored together: their codes stay in the cache.
pub(crate) const ROWS_PER_BLOCK: usize = 1_024;

/// A set of leaves as bits.
pub(crate) trait LeafSet: Copy + Send + Sync {
    /// All leaves.
    const ALL: Self;
    fn of(bits: u64) -> Self;
    fn and(self, other: Self) -> Self;
    /// The lowest leaf.
    fn first(self) -> usize;
}

impl LeafSet for u32 {
    const ALL: Self = Self::MAX;

    #[expect(clippy::cast_possible_truncation, reason = "chosen for trees of up to 32 leaves")]
    fn of(bits: u64) -> Self {
        bits as Self
    }

    fn and(self, other: Self) -> Self {
        self & other
    }

    fn first(self) -> usize {
        self.trailing_zeros() as usize
    }
}

impl LeafSet for u64 {
    const ALL: Self = Self::MAX;

    fn of(bits: u64) -> Self {
        bits
    }

    fn and(self, other: Self) -> Self {
        self & other
    }

    fn first(self) -> usize {
        self.trailing_zeros() as usize
    }
}

/// The intervals of one feature.
#[derive(Debug)]
struct Coding {
    /// The highest number of each interval but the last, ascending, and then infinity.
    cuts: Box<[f64; CODES_COUNT_MAX]>,
    cuts_count: usize,
}

impl Coding {
    fn code_of_nan(&self) -> usize {
        self.cuts_count + 1
    }

    /// A number of the interval, NaN for that of NaN.
    fn representative(&self, code: usize) -> f64 {
        if code == self.code_of_nan() { f64::NAN } else { self.cuts[code] }
    }

    fn code(&self, value: f64) -> u8 {
        // Eight steps of halving without a branch; what is compared is always inside the array.
        let mut below = 0_usize;
        for step in [128, 64, 32, 16, 8, 4, 2, 1] {
            below += if self.cuts[(below + step - 1) & 255] < value { step } else { 0 };
        }
        let code = if value.is_nan() { self.code_of_nan() } else { below };
        #[expect(clippy::cast_possible_truncation, reason = "there are at most 256 codes")]
        let code = code as u8;
        code
    }
}

/// The tables of one tree: for each feature that it reads, the leaves that each code leaves.
struct Tables<S> {
    features: Vec<(usize, Box<[S; CODES_COUNT_MAX]>)>,
    answers: [f64; 64],
}

/// Trees prepared for many rows.
pub(crate) struct BatchScorer<S> {
    /// The features that any tree reads, with their intervals.
    codings: Vec<(usize, Coding)>,
    trees: Vec<Tables<S>>,
}

impl<S: LeafSet> BatchScorer<S> {
    /// Prepares the trees; `None` when a feature is cut into too many intervals.
    ///
    /// No tree may have more leaves than `S` has bits.
    pub(crate) fn prepare(trees: &[Tree], features_count: usize) -> Option<Self> {
        let mut cuts = vec![Vec::new(); features_count];
        for node in trees.iter().flat_map(|tree| &tree.nodes) {
            node.test.add_cuts(&mut cuts[node.feature]);
        }
        let mut codings = Vec::new();
        for (feature, mut cuts) in cuts.into_iter().enumerate() {
            if cuts.is_empty() {
                continue;
            }
            cuts.sort_unstable_by(f64::total_cmp);
            cuts.dedup();
            // One interval above all cuts, and one code for NaN.
            if cuts.len() + 2 > CODES_COUNT_MAX {
                return None;
            }
            let mut padded = Box::new([f64::INFINITY; CODES_COUNT_MAX]);
            padded[..cuts.len()].copy_from_slice(&cuts);
            codings.push((feature, Coding { cuts: padded, cuts_count: cuts.len() }));
        }
        let trees = trees.iter().map(|tree| Tables::of(tree, &codings)).collect();
        Some(Self { codings, trees })
    }

    /// The sum of the trees' answers for each of `rows`, added in the order of the trees.
    pub(crate) fn sums(&self, x: &FeatureMatrix, rows: &[usize]) -> Vec<f64> {
        let mut sums = vec![0.0; rows.len()];
        let mut codes = vec![0_u8; self.codings.len() * ROWS_PER_BLOCK];
        let mut possible = [S::ALL; ROWS_PER_BLOCK];
        for (rows, sums) in rows.chunks(ROWS_PER_BLOCK).zip(sums.chunks_mut(ROWS_PER_BLOCK)) {
            for ((feature, coding), codes) in
                self.codings.iter().zip(codes.chunks_exact_mut(ROWS_PER_BLOCK))
            {
                let column = x.column(*feature);
                for (code, &row) in codes.iter_mut().zip(rows) {
                    *code = coding.code(column[row]);
                }
            }
            let codes_of = |position: usize| &codes[position * ROWS_PER_BLOCK..][..rows.len()];
            for tree in &self.trees {
                tree.add_answers(codes_of, &mut possible[..rows.len()], sums);
            }
        }
        sums
    }
}

impl<S: LeafSet> Tables<S> {
    fn of(tree: &Tree, codings: &[(usize, Coding)]) -> Self {
        let mut below = vec![0_u64; tree.nodes.len()];
        let bits = |child, below: &[u64]| match child {
            Child::Node(node) => below[node],
            Child::Leaf(leaf) => 1 << leaf,
        };
        for index in (0..tree.nodes.len()).rev() {
            let node = &tree.nodes[index];
            below[index] = bits(node.left, &below) | bits(node.right, &below);
        }
        let mut features = Vec::new();
        for (position, (feature, coding)) in codings.iter().enumerate() {
            let mut table: Option<Box<[S; CODES_COUNT_MAX]>> = None;
            for node in tree.nodes.iter().filter(|node| node.feature == *feature) {
                let table = table.get_or_insert_with(|| Box::new([S::ALL; CODES_COUNT_MAX]));
                // Leaves on the other side are no longer possible.
                let (left, right) =
                    (S::of(!bits(node.right, &below)), S::of(!bits(node.left, &below)));
                for (code, leaves) in table[..=coding.code_of_nan()].iter_mut().enumerate() {
                    let goes_left = node.test.goes_left(coding.representative(code));
                    *leaves = leaves.and(if goes_left { left } else { right });
                }
            }
            features.extend(table.map(|table| (position, table)));
        }
        let mut answers = [0.0; 64];
        for (answer, leaf) in answers.iter_mut().zip(&tree.leaves) {
            *answer = leaf.value;
        }
        Self { features, answers }
    }

    fn add_answers<'a>(
        &self,
        codes_of: impl Fn(usize) -> &'a [u8],
        possible: &mut [S],
        sums: &mut [f64],
    ) {
        possible.fill(S::ALL);
        // Four features a pass, so that the sets are read and written a quarter as often.
        let (fours, rest) = self.features.as_chunks::<4>();
        for [(a, of_a), (b, of_b), (c, of_c), (d, of_d)] in fours {
            let codes = codes_of(*a).iter().zip(codes_of(*b)).zip(codes_of(*c)).zip(codes_of(*d));
            for (leaves, (((a, b), c), d)) in possible.iter_mut().zip(codes) {
                let of_two = of_a[usize::from(*a)].and(of_b[usize::from(*b)]);
                let of_others = of_c[usize::from(*c)].and(of_d[usize::from(*d)]);
                *leaves = leaves.and(of_two.and(of_others));
            }
        }
        for (position, table) in rest {
            for (leaves, code) in possible.iter_mut().zip(codes_of(*position)) {
                *leaves = leaves.and(table[usize::from(*code)]);
            }
        }
        for (sum, leaves) in sums.iter_mut().zip(&*possible) {
            *sum += self.answers[leaves.first() & 63];
        }
    }
}
