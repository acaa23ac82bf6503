//! Sums of gradients for each bin of each feature, exact and in any order.
//!
//! A gradient is rounded to a fixed-point number and packed with a count of one into a `u64`
//! (40 bits and 24 bits). Sums of such words are exact: they do not depend on the order of
//! addition, hence not on the number of threads, and the larger child's histogram is its parent's
//! less the smaller child's without loss. The scale is chosen for each tree so that the sum of
//! absolute gradients fills the 40 bits; with 100,000 rows that resolves a mean gradient into 2.7
//! million steps.

use rayon::prelude::*;

/// Features that are packed and summed together.
pub(crate) const LANES: usize = 8;

/// Bits of the count.
const COUNT_BITS: u32 = 24;

/// Most rows whose count fits.
pub(crate) const ROWS_COUNT_MAX: usize = (1 << COUNT_BITS) - 1;

/// Below this many additions a second thread costs more than it saves.
const PARALLEL_ADDITIONS_MIN: usize = 100_000;

/// Packed sum of gradients and count of rows of one bin, one leaf, or one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PackedSum(u64);

impl PackedSum {
    #[expect(clippy::cast_sign_loss, reason = "two's complement is what is packed")]
    fn of_one_row(gradient: i64) -> Self {
        Self(((gradient << COUNT_BITS) as u64).wrapping_add(1))
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }

    /// Rows counted.
    #[expect(clippy::cast_possible_truncation, reason = "the mask leaves 24 bits")]
    pub(crate) fn rows_count(self) -> usize {
        (self.0 & ROWS_COUNT_MAX as u64) as usize
    }

    /// Sum of the gradients in fixed point.
    #[expect(
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss,
        reason = "two's complement is what is packed, and 40 bits fit a float exactly"
    )]
    pub(crate) fn gradient(self) -> f64 {
        ((self.0 as i64) >> COUNT_BITS) as f64
    }
}

/// The gradients of all training rows in fixed point.
#[derive(Debug)]
pub(crate) struct PackedGradients {
    pub(crate) rows: Vec<PackedSum>,
    /// Fixed-point units in one unit of the target, a power of two.
    pub(crate) scale: f64,
}

impl PackedGradients {
    /// Rounds (towards zero) and packs.
    #[expect(clippy::cast_possible_truncation, reason = "rounding is the purpose")]
    pub(crate) fn pack(gradients: &[f64]) -> Self {
        let sum_of_sizes: f64 = gradients.iter().map(|gradient| gradient.abs()).sum();
        // Half of the signed range, so that no rounding anywhere can leave it.
        let room = f64::from(1_u32 << 31) * f64::from(1_u32 << (38 - 31));
        let exponent = (room / sum_of_sizes).log2().floor().clamp(-900.0, 900.0);
        let scale = exponent.exp2();
        let rows = gradients.iter().map(|g| PackedSum::of_one_row((g * scale) as i64)).collect();
        Self { rows, scale }
    }
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

    /// The bin of a row in the `position`-th of the chosen features.
    pub(crate) fn bin(&self, position: usize, row: u32) -> u8 {
        self.groups[position / LANES][row as usize][position % LANES]
    }
}

/// For each chosen feature, the sums of its 256 bins; as many features as fill the groups.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    groups: Vec<[[u64; 256]; LANES]>,
}

impl Histogram {
    pub(crate) fn empty(features: &PackedFeatures) -> Self {
        Self { groups: vec![[[0; 256]; LANES]; features.groups.len()] }
    }

    /// Fills the histogram with the sums over `rows`, whose gradients are `gradients`.
    pub(crate) fn fill(
        &mut self,
        features: &PackedFeatures,
        rows: &[u32],
        gradients: &[PackedSum],
    ) {
        let fill_group = |(sums, words): (&mut [[u64; 256]; LANES], &Vec<[u8; LANES]>)| {
            *sums = [[0; 256]; LANES];
            for (&row, gradient) in rows.iter().zip(gradients) {
                let word = words[row as usize];
                for lane in 0..LANES {
                    let sum = &mut sums[lane][usize::from(word[lane])];
                    *sum = sum.wrapping_add(gradient.0);
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
                *sum = sum.wrapping_sub(*child_sum);
            }
        }
    }

    /// The sums of the `position`-th chosen feature, one a bin.
    pub(crate) fn feature(&self, position: usize) -> impl Fn(usize) -> PackedSum {
        let sums = &self.groups[position / LANES][position % LANES];
        |bin| PackedSum(sums[bin])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_sums_add_and_subtract_exactly() {
        let (minus, plus) = (PackedSum::of_one_row(-7), PackedSum::of_one_row(5));
        let both = minus.plus(plus);
        assert_eq!((both.rows_count(), both.gradient()), (2, -2.0));
        assert_eq!(both.minus(plus), minus);
    }

    #[test]
    fn the_scale_keeps_every_sum_inside_forty_bits() {
        for gradients in [vec![1e9; 1000], vec![-1e-9; 1000], vec![0.0; 3]] {
            let packed = PackedGradients::pack(&gradients);
            let sum = packed.rows.iter().fold(PackedSum::default(), |sum, row| sum.plus(*row));
            assert_eq!(sum.rows_count(), gradients.len());
            let expected: f64 = gradients.iter().sum();
            assert!(sum.gradient().abs() <= (1_u64 << 38) as f64);
            assert!((sum.gradient() / packed.scale - expected).abs() <= 1e-6 * expected.abs());
        }
    }

    #[test]
    fn the_parent_less_one_child_is_the_other() {
        let columns = vec![(0..100_u8).map(|i| i % 13).collect::<Vec<u8>>()];
        let features = PackedFeatures::pack(&columns, &[0]);
        let gradients =
            PackedGradients::pack(&(0..100).map(|i| f64::from(i) - 40.0).collect::<Vec<_>>());
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
