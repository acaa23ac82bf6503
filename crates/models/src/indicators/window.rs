//! The last values of a series: folded, looked back to, or as a slice.

/// Values of which many can be made one, in the order of time.
pub(crate) trait Fold: Copy {
    /// The fold of no values.
    const NONE: Self;

    /// What makes every fold that holds it unknown, that is NaN.
    const UNKNOWN: Self;

    /// This, and then `newer`.
    fn then(self, newer: Self) -> Self;
}

/// The fold of the last `period` values, at three folds a value whatever the period.
///
/// Two stacks in one buffer: up to `position` the values of the current block of `period`, from
/// there on the folds of the block before, each over its value and all after it. Nothing is ever
/// taken away again, so a window holds the rounding, and the NaN, of its own values and no other.
/// The block before the first is unknown, and so is each fold until there are `period` values.
///
/// Source: van Herk (1992) and Gil and Werman (1993) for extremes; it serves any associative fold.
#[derive(Clone, Debug)]
pub(crate) struct Window<T> {
    /// One more than `period`: the last is the fold of no values.
    slots: Box<[T]>,
    position: usize,
    /// The fold of the current block.
    block: T,
}

impl<T: Fold> Window<T> {
    #[track_caller]
    pub(crate) fn new(period: u16) -> Self {
        assert!(period > 0, "a window of no values has no fold: give a period of 1 or more");
        let mut slots = vec![T::UNKNOWN; usize::from(period) + 1].into_boxed_slice();
        slots[usize::from(period)] = T::NONE;
        Self { slots, position: 0, block: T::NONE }
    }

    /// The fold of the last `period` values, `value` the last of them; unknown until there are as
    /// many.
    #[inline]
    pub(crate) fn push(&mut self, value: T) -> T {
        self.block = self.block.then(value);
        self.slots[self.position] = value;
        self.position += 1;
        let fold = self.slots[self.position].then(self.block);
        if self.position + 1 == self.slots.len() {
            self.turn();
        }
        fold
    }

    /// Makes the complete block the block before.
    fn turn(&mut self) {
        let mut newer = T::NONE;
        for slot in self.slots.iter_mut().rev() {
            newer = slot.then(newer);
            *slot = newer;
        }
        self.position = 0;
        self.block = T::NONE;
    }
}

/// A sum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sum(pub(crate) f64);

impl Fold for Sum {
    // Not 0.0, to which -0.0 would be lost.
    const NONE: Self = Self(-0.0);
    const UNKNOWN: Self = Self(f64::NAN);

    #[inline]
    fn then(self, newer: Self) -> Self {
        Self(self.0 + newer.0)
    }
}

/// Two folds at once.
impl<A: Fold, B: Fold> Fold for (A, B) {
    const NONE: Self = (A::NONE, B::NONE);
    const UNKNOWN: Self = (A::UNKNOWN, B::UNKNOWN);

    #[inline]
    fn then(self, newer: Self) -> Self {
        (self.0.then(newer.0), self.1.then(newer.1))
    }
}

/// The largest of known values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Highest(pub(crate) f64);

impl Fold for Highest {
    const NONE: Self = Self(f64::NEG_INFINITY);
    const UNKNOWN: Self = Self(f64::NAN);

    #[inline]
    fn then(self, newer: Self) -> Self {
        Self(if newer.0 > self.0 { newer.0 } else { self.0 })
    }
}

/// The smallest of known values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lowest(pub(crate) f64);

impl Fold for Lowest {
    const NONE: Self = Self(f64::INFINITY);
    const UNKNOWN: Self = Self(f64::NAN);

    #[inline]
    fn then(self, newer: Self) -> Self {
        Self(if newer.0 < self.0 { newer.0 } else { self.0 })
    }
}

/// Mean and squared deviations of the last `period` values, by the two stacks of [`Window`].
///
/// Sums are of distances from a pivot, the newest value of the block before, which is in the window
/// until the next block is complete. So the mean deviates from the pivot no further than the values
/// do, no digits cancel, and equal values have a deviation of exactly zero.
#[derive(Clone, Debug)]
pub(crate) struct Deviations {
    /// Values up to `position`; from there on the sums of the distances, and of their squares, of
    /// the values of the block before.
    slots: Box<[(f64, f64)]>,
    position: usize,
    pivot: f64,
    block: (f64, f64),
    share: f64,
}

/// What [`Deviations`] gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) mean: f64,
    /// The sum of the squared deviations from the mean.
    pub(crate) squares: f64,
}

impl Deviations {
    #[track_caller]
    pub(crate) fn new(period: u16) -> Self {
        assert!(period > 0, "a window of no values has no mean: give a period of 1 or more");
        let slots = vec![(f64::NAN, f64::NAN); usize::from(period)].into_boxed_slice();
        let share = 1.0 / f64::from(period);
        Self { slots, position: 0, pivot: 0.0, block: (0.0, 0.0), share }
    }

    /// Of the last `period` values, `value` the last of them; NaN until there are as many.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Spread {
        let distance = value - self.pivot;
        self.block.0 += distance;
        self.block.1 += distance * distance;
        self.slots[self.position].0 = value;
        self.position += 1;
        let (sum, squares) = match self.slots.get(self.position) {
            None => self.turn(value),
            Some(older) => (older.0 + self.block.0, older.1 + self.block.1),
        };
        let step = sum * self.share;
        let squares = squares - sum * step;
        // Not `max`, which would make zero of NaN.
        Spread { mean: self.pivot + step, squares: if squares < 0.0 { 0.0 } else { squares } }
    }

    /// Makes the complete block the block before, `newest` the pivot, and gives its sums.
    fn turn(&mut self, newest: f64) -> (f64, f64) {
        // An unknown value must not outlive its window as the pivot.
        let known = self.slots.iter().rev().map(|slot| slot.0).find(|value| !value.is_nan());
        self.pivot = if newest.is_nan() { known.unwrap_or(0.0) } else { newest };
        let mut sums = (0.0, 0.0);
        for slot in self.slots.iter_mut().rev() {
            let distance = slot.0 - self.pivot;
            sums = (sums.0 + distance, sums.1 + distance * distance);
            *slot = sums;
        }
        self.block = (0.0, 0.0);
        self.position = 0;
        sums
    }
}

/// What was pushed `period` values ago.
#[derive(Clone, Debug)]
pub(crate) struct Lag {
    slots: Box<[f64]>,
    position: usize,
}

impl Lag {
    #[track_caller]
    pub(crate) fn new(period: u16) -> Self {
        assert!(period > 0, "a lag of no values is the value itself: give a period of 1 or more");
        Self { slots: vec![f64::NAN; usize::from(period)].into_boxed_slice(), position: 0 }
    }

    /// The value `period` before `value`; NaN until there is one.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> f64 {
        let slot = &mut self.slots[self.position];
        let before = std::mem::replace(slot, value);
        self.position += 1;
        if self.position == self.slots.len() {
            self.position = 0;
        }
        before
    }
}

/// The last `period` values as a slice, for what has no fold.
#[derive(Clone, Debug)]
pub(crate) struct Recent {
    period: usize,
    values: Vec<f64>,
}

impl Recent {
    #[track_caller]
    pub(crate) fn new(period: u16) -> Self {
        assert!(period > 0, "a window of no values is empty: give a period of 1 or more");
        let period = usize::from(period);
        Self { period, values: Vec::with_capacity(2 * period) }
    }

    /// The last `period` values, oldest first; `None` until there are as many.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<&[f64]> {
        if self.values.len() == 2 * self.period {
            self.values.copy_within(self.period + 1.., 0);
            self.values.truncate(self.period - 1);
        }
        self.values.push(value);
        self.values.len().checked_sub(self.period).map(|start| &self.values[start..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values in no order, with equal ones among them.
    fn values() -> Vec<f64> {
        (0..200).map(|t| f64::from(t * 37 % 23)).collect()
    }

    #[test]
    fn a_window_folds_its_last_values_and_no_other() {
        for period in [1, 2, 3, 7, 50] {
            let length = usize::from(period);
            let mut highest = Window::<Highest>::new(period);
            let mut sum = Window::<Sum>::new(period);
            let mut recent = Recent::new(period);
            let mut lag = Lag::new(period);
            for (t, value) in values().into_iter().enumerate() {
                let last = t.checked_sub(length - 1).map(|start| values()[start..=t].to_vec());
                let folded = (highest.push(Highest(value)), sum.push(Sum(value)));
                let expected = last.as_ref().map(|last| {
                    (last.iter().copied().fold(0.0, f64::max), last.iter().sum::<f64>())
                });
                let folded = (folded.0.0, folded.1.0);
                assert_eq!((!folded.0.is_nan()).then_some(folded), expected);
                assert_eq!(folded.0.is_nan(), folded.1.is_nan());
                assert_eq!(recent.push(value).map(<[f64]>::to_vec), last);
                let before = lag.push(value);
                match t.checked_sub(length) {
                    Some(t) => assert_eq!(before.to_bits(), values()[t].to_bits()),
                    None => assert!(before.is_nan()),
                }
            }
        }
    }

    #[test]
    fn an_unknown_value_leaves_with_its_window() {
        let mut sum = Window::<Sum>::new(5);
        for t in 0..40 {
            let value = if t == 13 { f64::NAN } else { 1.0 };
            let is_unknown = sum.push(Sum(value)).0.is_nan();
            assert_eq!(is_unknown, t < 4 || (13..18).contains(&t), "{t}");
        }
        // The last and the first of a block, for the last is the pivot of the next.
        for unknown in [14, 15] {
            let mut deviations = Deviations::new(5);
            for t in 0..40 {
                let value = if t == unknown { f64::NAN } else { f64::from(t) };
                let squares = deviations.push(value).squares;
                if t < 4 || (unknown..unknown + 5).contains(&t) {
                    assert!(squares.is_nan(), "{t}");
                } else {
                    assert!((squares - 10.0).abs() < 1e-12, "{t}");
                }
            }
        }
    }

    #[test]
    fn equal_values_have_no_deviation_and_far_ones_lose_none() {
        let mut deviations = Deviations::new(20);
        for t in 0..100 {
            // A level a million times the spread, then a standstill.
            let value = if t < 60 { 1e6 + f64::from(t % 2) } else { 0.1 };
            let spread = deviations.push(value);
            if t < 19 {
                assert!(spread.mean.is_nan() && spread.squares.is_nan());
            } else if t < 60 {
                assert!((spread.squares - 20.0 * 0.25).abs() < 1e-9);
            } else if t >= 79 {
                assert_eq!(spread.mean.to_bits(), 0.1_f64.to_bits());
                assert_eq!(spread.squares.to_bits(), 0.0_f64.to_bits());
            }
        }
    }
}
