//! The best split of a leaf by one feature.

use super::histogram::PackedSum;

/// What a split must satisfy, in the fixed point of the gradients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SplitRules {
    pub(crate) rows_count_min: usize,
    pub(crate) lambda_l2: f64,
}

/// A way to cut a leaf in two: bins up to `bin` go left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Split {
    /// Gain in squared fixed-point units; positive.
    pub(crate) gain: f64,
    pub(crate) bin: u8,
    pub(crate) missing_goes_left: bool,
    pub(crate) left: PackedSum,
}

/// The best of the splits found so far, as a fraction so that candidates need no division.
struct Best {
    numerator: f64,
    denominator: f64,
    split: Option<Split>,
}

impl SplitRules {
    /// The score of a leaf: the square of its gradient over its regularised size.
    pub(crate) fn leaf_score(&self, sum: PackedSum) -> f64 {
        let size = self.size(sum);
        if size > 0.0 { sum.gradient() * sum.gradient() / size } else { 0.0 }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts have 24 bits")]
    fn size(&self, sum: PackedSum) -> f64 {
        sum.rows_count() as f64 + self.lambda_l2
    }

    /// The split with the highest gain, if any has one; of equals, the lowest bin, and missing
    /// values to the right.
    ///
    /// `sums` gives the sums of a bin; the bins `0..known_count` hold known values, the next one
    /// missing values. Where the leaf has no missing value to learn from, later ones go with the
    /// larger side.
    pub(crate) fn best(
        &self,
        sums: impl Fn(usize) -> PackedSum,
        known_count: usize,
        total: PackedSum,
    ) -> Option<Split> {
        let parent = self.leaf_score(total);
        let missing = sums(known_count);
        let any_missing = missing.rows_count() > 0;
        let mut best = Best { numerator: parent, denominator: 1.0, split: None };
        let mut known_left = PackedSum::default();
        for bin in 0..known_count {
            let sum = sums(bin);
            if sum.rows_count() == 0 {
                continue;
            }
            known_left = known_left.plus(sum);
            if !any_missing {
                if total.rows_count() - known_left.rows_count() < self.rows_count_min {
                    break;
                }
                let larger_left = 2 * known_left.rows_count() >= total.rows_count();
                self.consider(&mut best, bin, larger_left, known_left, total);
            } else {
                self.consider(&mut best, bin, false, known_left, total);
                self.consider(&mut best, bin, true, known_left.plus(missing), total);
            }
        }
        best.split.map(|split| Split { gain: best.numerator / best.denominator - parent, ..split })
    }

    #[inline]
    fn consider(
        &self,
        best: &mut Best,
        bin: usize,
        missing_goes_left: bool,
        left: PackedSum,
        total: PackedSum,
    ) {
        let right = total.minus(left);
        if left.rows_count() < self.rows_count_min || right.rows_count() < self.rows_count_min {
            return;
        }
        let (left_size, right_size) = (self.size(left), self.size(right));
        let (left_gradient, right_gradient) = (left.gradient(), right.gradient());
        let numerator = left_gradient * left_gradient * right_size
            + right_gradient * right_gradient * left_size;
        let denominator = left_size * right_size;
        if numerator * best.denominator > best.numerator * denominator {
            best.numerator = numerator;
            best.denominator = denominator;
            let bin = u8::try_from(bin).expect("there are at most 255 bins");
            best.split = Some(Split { gain: 0.0, bin, missing_goes_left, left });
        }
    }
}
