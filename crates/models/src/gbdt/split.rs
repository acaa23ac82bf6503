//! The best split of a leaf by one feature.

use super::histogram::PackedSum;

/// Up to so many categories, each is tried against all others; LightGBM's `max_cat_to_onehot`.
const ONE_AGAINST_ALL_MAX: usize = 4;

/// Most categories on the side that names them; LightGBM's `max_cat_threshold`.
const CATEGORIES_MAX: usize = 32;

/// Rows of a category below which it is not told from the others, and the weight of the mean that
/// its own is drawn to when categories are put in order; LightGBM's `cat_smooth`.
const CATEGORY_SMOOTHING: f64 = 10.0;

/// Fewest rows that a split may be moved by; LightGBM's `min_data_per_group`.
const ROWS_PER_GROUP_MIN: f64 = 100.0;

/// What is added to the penalty on leaf values behind a set of categories; LightGBM's `cat_l2`.
pub(crate) const SET_LAMBDA_L2: f64 = 10.0;

/// Lowest and highest answer that a leaf may give, before shrinking.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Bounds {
    pub(crate) const NONE: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    pub(crate) fn times(self, factor: f64) -> Self {
        if self == Self::NONE {
            self
        } else {
            Self { low: self.low * factor, high: self.high * factor }
        }
    }
}

/// Which way the forecast may go when a feature rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Any,
    Up,
    Down,
}

/// What the splits of one leaf must satisfy, in the fixed point of gradients and hessians.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SplitRules {
    /// Bits of the sum of hessians.
    pub(crate) hessian_bits: u32,
    /// Least sum of hessians of a side; stands for the fewest rows too.
    pub(crate) hessian_min: u64,
    pub(crate) lambda_l1: f64,
    pub(crate) lambda_l2: f64,
    /// One unit of the hessian.
    pub(crate) hessian_scale: f64,
    /// Rows of the leaf for each fixed-point unit of its hessians.
    pub(crate) rows_per_hessian: f64,
    /// Lowest and highest answer of the leaf.
    pub(crate) bounds: Bounds,
}

/// A way to cut a leaf in two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Split {
    /// Gain in fixed-point units; positive.
    pub(crate) gain: f64,
    pub(crate) cut: Cut,
    pub(crate) left: PackedSum,
}

/// Which bins go left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cut {
    /// Those up to `bin`.
    Upto { bin: u8, missing_goes_left: bool },
    /// One category.
    One(BinSet),
    /// Several categories.
    Set(BinSet),
}

/// A set of bins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BinSet([u64; 4]);

impl BinSet {
    pub(crate) fn insert(&mut self, bin: usize) {
        self.0[bin / 64] |= 1 << (bin % 64);
    }

    pub(crate) fn contains(&self, bin: u8) -> bool {
        self.0[usize::from(bin / 64)] >> (bin % 64) & 1 == 1
    }
}

/// The best of the splits found so far, as a fraction so that candidates need no division.
struct Best {
    numerator: f64,
    denominator: f64,
    split: Option<Split>,
}

impl Best {
    fn none_above(parent: f64) -> Self {
        Self { numerator: parent, denominator: 1.0, split: None }
    }

    fn split(self, parent: f64) -> Option<Split> {
        let gain = self.numerator / self.denominator - parent;
        self.split.map(|split| Split { gain, ..split })
    }
}

impl SplitRules {
    /// The score of a leaf: the square of its gradient over its regularised size.
    pub(crate) fn leaf_score(&self, sum: PackedSum) -> f64 {
        let size = self.size(sum);
        let gradient = self.shrunk(sum);
        if size > 0.0 { gradient * gradient / size } else { 0.0 }
    }

    /// What a leaf would answer, within its bounds, in units of the gradient over the hessian.
    pub(crate) fn answer(&self, sum: PackedSum) -> f64 {
        let size = self.size(sum);
        let answer = if size > 0.0 { -self.shrunk(sum) / size } else { 0.0 };
        answer.clamp(self.bounds.low, self.bounds.high)
    }

    /// The sum of the gradients, drawn to zero by the penalty on the size of answers.
    #[inline]
    fn shrunk(&self, sum: PackedSum) -> f64 {
        let gradient = sum.gradient(self.hessian_bits);
        shrink(gradient, self.lambda_l1)
    }

    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "sums of hessians have 32 bits")]
    fn size(&self, sum: PackedSum) -> f64 {
        sum.hessian(self.hessian_bits) as f64 + self.lambda_l2
    }

    #[expect(clippy::cast_precision_loss, reason = "sums of hessians have 32 bits")]
    fn rows_count(&self, sum: PackedSum) -> f64 {
        sum.hessian(self.hessian_bits) as f64 * self.rows_per_hessian
    }

    /// The split of a numeric feature with the highest gain, if any has one; of equals, the lowest
    /// bin, and missing values to the right.
    ///
    /// `sums` gives the sums of a bin; the bins `0..known_count` hold known values, the next one
    /// missing values. Where the leaf has no missing value to learn from, later ones go with the
    /// larger side.
    pub(crate) fn best(
        &self,
        sums: &[PackedSum; 256],
        known_count: usize,
        total: PackedSum,
        direction: Direction,
    ) -> Option<Split> {
        let plain =
            self.lambda_l1 <= 0.0 && self.bounds == Bounds::NONE && direction == Direction::Any;
        match (self.hessian_bits, plain) {
            (24, true) => self.best_of::<24, true>(sums, known_count, total, direction),
            (24, false) => self.best_of::<24, false>(sums, known_count, total, direction),
            (_, true) => self.best_of::<32, true>(sums, known_count, total, direction),
            (_, false) => self.best_of::<32, false>(sums, known_count, total, direction),
        }
    }

    /// As [`Self::best`], compiled for the bits of the hessian and for rules without penalty on
    /// sizes, bounds and directions (`PLAIN`).
    fn best_of<const BITS: u32, const PLAIN: bool>(
        &self,
        sums: &[PackedSum; 256],
        known_count: usize,
        total: PackedSum,
        direction: Direction,
    ) -> Option<Split> {
        let parent = self.leaf_score(total);
        let missing = sums[known_count];
        let any_missing = missing != PackedSum::default();
        let mut best = Best::none_above(parent);
        let mut known_left = PackedSum::default();
        let total_hessian = total.hessian(BITS);
        let mut consider = |bin, missing_goes_left, left: PackedSum| {
            let right = total.minus(left);
            let (left_hessian, right_hessian) = (left.hessian(BITS), right.hessian(BITS));
            if left_hessian < self.hessian_min || right_hessian < self.hessian_min {
                return;
            }
            let Some((numerator, denominator)) = self.score::<BITS, PLAIN>(left, right, direction)
            else {
                return;
            };
            if numerator * best.denominator > best.numerator * denominator {
                best.numerator = numerator;
                best.denominator = denominator;
                let bin = u8::try_from(bin).expect("there are at most 255 bins");
                let cut = Cut::Upto { bin, missing_goes_left };
                best.split = Some(Split { gain: 0.0, cut, left });
            }
        };
        for (bin, sum) in sums[..known_count].iter().enumerate() {
            if *sum == PackedSum::default() {
                continue;
            }
            known_left = known_left.plus(*sum);
            if !any_missing {
                let left_hessian = known_left.hessian(BITS);
                if total_hessian - left_hessian < self.hessian_min {
                    break;
                }
                consider(bin, 2 * left_hessian >= total_hessian, known_left);
            } else {
                consider(bin, false, known_left);
                consider(bin, true, known_left.plus(missing));
            }
        }
        best.split(parent)
    }

    /// The score of two sides as a fraction; `None` where they answer against `direction`.
    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "sums of hessians have 32 bits")]
    fn score<const BITS: u32, const PLAIN: bool>(
        &self,
        left: PackedSum,
        right: PackedSum,
        direction: Direction,
    ) -> Option<(f64, f64)> {
        let left_size = left.hessian(BITS) as f64 + self.lambda_l2;
        let right_size = right.hessian(BITS) as f64 + self.lambda_l2;
        let (mut left_gradient, mut right_gradient) = (left.gradient(BITS), right.gradient(BITS));
        if !PLAIN {
            left_gradient = shrink(left_gradient, self.lambda_l1);
            right_gradient = shrink(right_gradient, self.lambda_l1);
            let answer = |gradient: f64, size: f64| {
                (-gradient / size).clamp(self.bounds.low, self.bounds.high)
            };
            let left_answer = answer(left_gradient, left_size);
            let right_answer = answer(right_gradient, right_size);
            let against = match direction {
                Direction::Any => false,
                Direction::Up => left_answer > right_answer,
                Direction::Down => left_answer < right_answer,
            };
            if against {
                return None;
            }
            if direction != Direction::Any || self.bounds != Bounds::NONE {
                // What answers within bounds gain; without bounds the same as below.
                let gain = |gradient: f64, size: f64, answer: f64| {
                    -(2.0 * gradient + size * answer) * answer
                };
                let sum = gain(left_gradient, left_size, left_answer)
                    + gain(right_gradient, right_size, right_answer);
                return Some((sum, 1.0));
            }
        }
        let numerator = left_gradient * left_gradient * right_size
            + right_gradient * right_gradient * left_size;
        Some((numerator, left_size * right_size))
    }

    /// The split of a categorical feature with the highest gain, if any has one: with few
    /// categories one against all others, else those with the lowest, or highest, mean gradients
    /// against the rest (Fisher (1958), "On grouping for maximum homogeneity", as LightGBM does
    /// it). Missing values and rare categories go right.
    pub(crate) fn best_categories(
        &self,
        sums: &[PackedSum; 256],
        known_count: usize,
        total: PackedSum,
    ) -> Option<Split> {
        let parent = self.leaf_score(total);
        let mut best = Best::none_above(parent);
        if known_count <= ONE_AGAINST_ALL_MAX {
            for (bin, left) in sums[..known_count].iter().enumerate() {
                let mut one = BinSet::default();
                one.insert(bin);
                self.consider_set(&mut best, Cut::One(one), *left, total);
            }
            return best.split(parent);
        }

        let mut bins: Vec<usize> = (0..known_count)
            .filter(|&bin| self.rows_count(sums[bin]) >= CATEGORY_SMOOTHING)
            .collect();
        let smoothing = CATEGORY_SMOOTHING * self.hessian_scale;
        #[expect(clippy::cast_precision_loss, reason = "sums of hessians have 32 bits")]
        let mean = |bin: usize| {
            let sum = sums[bin];
            sum.gradient(self.hessian_bits) / (sum.hessian(self.hessian_bits) as f64 + smoothing)
        };
        bins.sort_by(|&a, &b| mean(a).total_cmp(&mean(b)));
        let rules =
            Self { lambda_l2: self.lambda_l2 + SET_LAMBDA_L2 * self.hessian_scale, ..*self };
        let most = CATEGORIES_MAX.min(bins.len().div_ceil(2));
        for _ in 0..2 {
            let (mut set, mut left, mut group_rows) =
                (BinSet::default(), PackedSum::default(), 0.0);
            for &bin in &bins[..most] {
                set.insert(bin);
                left = left.plus(sums[bin]);
                group_rows += self.rows_count(sums[bin]);
                if self.rows_count(total.minus(left)) < ROWS_PER_GROUP_MIN {
                    break;
                }
                let enough = left.hessian(self.hessian_bits) >= self.hessian_min;
                if enough && group_rows >= ROWS_PER_GROUP_MIN {
                    group_rows = 0.0;
                    rules.consider_set(&mut best, Cut::Set(set), left, total);
                }
            }
            bins.reverse();
        }
        best.split(parent)
    }

    fn consider_set(&self, best: &mut Best, cut: Cut, left: PackedSum, total: PackedSum) {
        let right = total.minus(left);
        let bits = self.hessian_bits;
        if left.hessian(bits) < self.hessian_min || right.hessian(bits) < self.hessian_min {
            return;
        }
        let score = if bits == 24 {
            self.score::<24, false>(left, right, Direction::Any)
        } else {
            self.score::<32, false>(left, right, Direction::Any)
        };
        let Some((numerator, denominator)) = score else { return };
        if numerator * best.denominator > best.numerator * denominator {
            *best = Best { numerator, denominator, split: Some(Split { gain: 0.0, cut, left }) };
        }
    }
}

/// Draws a number to zero by `by`, and not beyond.
#[inline]
pub(crate) fn shrink(value: f64, by: f64) -> f64 {
    if by > 0.0 { (value.abs() - by).max(0.0).copysign(value) } else { value }
}
