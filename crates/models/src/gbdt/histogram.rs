//! Sums of gradients for each bin of each feature, exact and in any order.
//!
//! A gradient is rounded to a fixed-point number and packed into a `u64` with its hessian, rounded
//! likewise: 32 bits and 32 bits, or 40 bits and 24 bits where all hessians are one and their sum is
//! a count. Sums of such words are exact: they do not depend on the order of addition, hence not on
//! the number of threads, and the larger child's histogram is its parent's less the smaller child's
//! without loss. The scales are chosen for each tree so that the sum of absolute gradients, and that
//! of hessians, fills its bits; with 100,000 rows a mean gradient is resolved into 2.7 million
//! steps, or 10,000 beside hessians.

use rayon::prelude::*;

use super::objective::Gradients;

/// Features that are packed and summed together.
pub(crate) const LANES: usize = 8;

/// Bits of the sum of hessians where each is one: a count.
pub(crate) const COUNT_BITS: u32 = 24;

/// Bits of the sum of hessians that differ.
pub(crate) const HESSIAN_BITS: u32 = 32;

/// Most rows whose count fits.
pub(crate) const ROWS_COUNT_MAX: usize = (1 << COUNT_BITS) - 1;

/// Below this many additions a second thread costs more than it saves.
const PARALLEL_ADDITIONS_MIN: usize = 100_000;

/// Rows whose words are fetched before they are added; they stay in the nearest cache.
const ROWS_PER_FETCH: usize = 256;

/// Packed sum of gradients and hessians of one bin, one leaf, or one row; how many bits are whose
/// is known to the [`PackedGradients`] that it comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PackedSum(u64);

impl PackedSum {
    #[expect(clippy::cast_sign_loss, reason = "two's complement is what is packed")]
    fn of_one_row(gradient: i64, hessian: u64, hessian_bits: u32) -> Self {
        Self(((gradient << hessian_bits) as u64).wrapping_add(hessian))
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }

    /// Sum of the hessians in fixed point; where each is one, the number of rows.
    pub(crate) fn hessian(self, hessian_bits: u32) -> u64 {
        self.0 & ((1 << hessian_bits) - 1)
    }

    /// Sum of the gradients in fixed point.
    #[expect(
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss,
        reason = "two's complement is what is packed, and 40 bits fit a float exactly"
    )]
    pub(crate) fn gradient(self, hessian_bits: u32) -> f64 {
        ((self.0 as i64) >> hessian_bits) as f64
    }
}

/// The gradients of all training rows in fixed point.
#[derive(Debug)]
pub(crate) struct PackedGradients {
    pub(crate) rows: Vec<PackedSum>,
    /// Fixed-point units in one unit of the gradient, a power of two.
    pub(crate) gradient_scale: f64,
    /// Fixed-point units in one unit of the hessian, a power of two; 1 where hessians are counts.
    pub(crate) hessian_scale: f64,
    /// Bits of the sum of hessians: [`COUNT_BITS`] or [`HESSIAN_BITS`].
    pub(crate) hessian_bits: u32,
}

impl PackedGradients {
    /// Rounds and packs: towards zero beside counts, else to the nearest.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounding is the purpose, and hessians are not negative"
    )]
    pub(crate) fn pack(Gradients { gradients, hessians }: &Gradients) -> Self {
        let sum_of_sizes: f64 = gradients.iter().map(|gradient| gradient.abs()).sum();
        if hessians.is_empty() {
            // Half of the signed range, so that no rounding anywhere can leave it.
            let scale = scale_to_fill(38, sum_of_sizes);
            let rows = (gradients.iter())
                .map(|g| PackedSum::of_one_row((g * scale) as i64, 1, COUNT_BITS))
                .collect();
            let (gradient_scale, hessian_scale) = (scale, 1.0);
            return Self { rows, gradient_scale, hessian_scale, hessian_bits: COUNT_BITS };
        }
        let gradient_scale = scale_to_fill(30, sum_of_sizes);
        let hessian_scale = scale_to_fill(31, hessians.iter().sum());
        // Adding and taking away brings a half up to the next whole number, without a branch.
        let rows = (gradients.par_iter().zip(hessians))
            .with_min_len(PACKED_PER_THREAD_MIN)
            .map(|(gradient, hessian)| {
                let gradient = (gradient * gradient_scale + OFFSET) as i64 - OFFSET as i64;
                let hessian = (hessian * hessian_scale + 0.5) as i64 as u64;
                PackedSum::of_one_row(gradient, hessian, HESSIAN_BITS)
            })
            .collect();
        Self { rows, gradient_scale, hessian_scale, hessian_bits: HESSIAN_BITS }
    }
}

/// Makes a fixed-point gradient positive, and a half more, so that dropping the fraction rounds.
const OFFSET: f64 = 2_147_483_648.5;

/// Fewer rows than this are packed by one thread.
const PACKED_PER_THREAD_MIN: usize = 16_384;

/// The power of two that brings a sum to at most `bits` bits.
fn scale_to_fill(bits: i32, sum_of_sizes: f64) -> f64 {
    (f64::from(bits).exp2() / sum_of_sizes).log2().floor().clamp(-900.0, 900.0).exp2()
}

/// Some features of all rows, eight to a word, in the order in which they were chosen.
#[derive(Debug)]
pub(crate) struct PackedFeatures {
    groups: Vec<Vec<[u8; LANES]>>,
}

impl PackedFeatures {
    pub(crate) fn pack(columns: &[Vec<u8>], features: &[usize]) -> Self {
        let rows_count = columns.first().map_or(0, Vec::len);
        let groups = features
            .par_chunks(LANES)
            .map(|chunk| {
                let mut group = vec![[0; LANES]; rows_count];
                for (lane, &feature) in chunk.iter().enumerate() {
                    for (word, bin) in group.iter_mut().zip(&columns[feature]) {
                        word[lane] = *bin;
                    }
                }
                group
            })
            .collect();
        Self { groups }
    }
}

/// The sums of a group of features.
type GroupSums = [[PackedSum; 256]; LANES];

const EMPTY: GroupSums = [[PackedSum(0); 256]; LANES];

/// For each chosen feature, the sums of its 256 bins; as many features as fill the groups.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    groups: Vec<GroupSums>,
}

impl Histogram {
    pub(crate) fn empty(features: &PackedFeatures) -> Self {
        Self { groups: vec![EMPTY; features.groups.len()] }
    }

    /// Fills the histogram with the sums over `rows`, whose gradients are `gradients`.
    pub(crate) fn fill(
        &mut self,
        features: &PackedFeatures,
        rows: &[u32],
        gradients: &[PackedSum],
    ) {
        let fill_group = |(sums, words): (&mut GroupSums, &Vec<[u8; LANES]>)| {
            *sums = EMPTY;
            // Words are fetched a block ahead of the additions: many wait for memory at a time.
            let mut fetched = [[0; LANES]; ROWS_PER_FETCH];
            let blocks = rows.chunks(ROWS_PER_FETCH).zip(gradients.chunks(ROWS_PER_FETCH));
            for (rows, gradients) in blocks {
                for (word, &row) in fetched.iter_mut().zip(rows) {
                    *word = words[row as usize];
                }
                for (word, gradient) in fetched.iter().zip(gradients) {
                    for lane in 0..LANES {
                        let sum = &mut sums[lane][usize::from(word[lane])];
                        *sum = sum.plus(*gradient);
                    }
                }
            }
        };
        if rows.len() * LANES * self.groups.len() < PARALLEL_ADDITIONS_MIN {
            self.groups.iter_mut().zip(&features.groups).for_each(fill_group);
        } else {
            self.groups.par_iter_mut().zip(&features.groups).for_each(fill_group);
        }
    }

    /// Takes the sums of one child away, which leaves those of the other.
    pub(crate) fn subtract(&mut self, child: &Self) {
        for (sums, child_sums) in self.groups.iter_mut().zip(&child.groups) {
            for (sum, child_sum) in
                sums.as_flattened_mut().iter_mut().zip(child_sums.as_flattened())
            {
                *sum = sum.minus(*child_sum);
            }
        }
    }

    /// The sums of the `position`-th chosen feature, one a bin.
    pub(crate) fn feature(&self, position: usize) -> &[PackedSum; 256] {
        &self.groups[position / LANES][position % LANES]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_sums_add_and_subtract_exactly() {
        for bits in [COUNT_BITS, HESSIAN_BITS] {
            let minus = PackedSum::of_one_row(-7, 1, bits);
            let plus = PackedSum::of_one_row(5, 1, bits);
            let both = minus.plus(plus);
            assert_eq!((both.hessian(bits), both.gradient(bits)), (2, -2.0));
            assert_eq!(both.minus(plus), minus);
        }
    }

    fn unit_hessians(gradients: Vec<f64>) -> Gradients {
        Gradients { gradients, hessians: Vec::new() }
    }

    #[test]
    fn the_scale_keeps_every_sum_inside_forty_bits() {
        for gradients in [vec![1e9; 1000], vec![-1e-9; 1000], vec![0.0; 3]] {
            let expected: f64 = gradients.iter().sum();
            let packed = PackedGradients::pack(&unit_hessians(gradients));
            let sum = packed.rows.iter().fold(PackedSum::default(), |sum, row| sum.plus(*row));
            assert_eq!(sum.hessian(COUNT_BITS), packed.rows.len() as u64);
            let gradient = sum.gradient(COUNT_BITS);
            assert!(gradient.abs() <= (1_u64 << 38) as f64);
            let difference = gradient / packed.gradient_scale - expected;
            assert!(difference.abs() <= 1e-6 * expected.abs());
        }
    }

    #[test]
    fn gradients_and_hessians_share_a_word_without_touching() {
        let gradients: Vec<f64> = (0..1000).map(|i| f64::from(i % 7) - 4.0).collect();
        let hessians: Vec<f64> = (0..1000).map(|i| f64::from(i % 5) * 0.05 + 0.01).collect();
        let (gradient, hessian): (f64, f64) = (gradients.iter().sum(), hessians.iter().sum());
        let packed = PackedGradients::pack(&Gradients { gradients, hessians });
        let sum = packed.rows.iter().fold(PackedSum::default(), |sum, row| sum.plus(*row));
        let ours = sum.gradient(HESSIAN_BITS) / packed.gradient_scale;
        assert!((ours - gradient).abs() < 1e-5 * gradient.abs(), "{ours} and {gradient}");
        let ours = sum.hessian(HESSIAN_BITS) as f64 / packed.hessian_scale;
        assert!((ours - hessian).abs() < 1e-5 * hessian, "{ours} and {hessian}");
    }

    #[test]
    fn the_parent_less_one_child_is_the_other() {
        let columns = vec![(0..100_u8).map(|i| i % 13).collect::<Vec<u8>>()];
        let features = PackedFeatures::pack(&columns, &[0]);
        let gradients = (0..100).map(|i| f64::from(i) - 40.0).collect();
        let gradients = PackedGradients::pack(&unit_hessians(gradients));
        let fill = |rows: &[u32]| {
            let mut histogram = Histogram::empty(&features);
            let of_rows: Vec<PackedSum> =
                rows.iter().map(|&row| gradients.rows[row as usize]).collect();
            histogram.fill(&features, rows, &of_rows);
            histogram
        };
        let (odd, even): (Vec<u32>, Vec<u32>) = (0..100).partition(|row| row % 2 == 1);
        let mut rest = fill(&(0..100).collect::<Vec<u32>>());
        rest.subtract(&fill(&odd));
        assert_eq!(rest.groups, fill(&even).groups);
    }
}
