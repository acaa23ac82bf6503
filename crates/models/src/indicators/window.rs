//! The last values of a series: folded, looked back to, or as a slice.

/// Values of which many can be made one, in the order of time.
pub(crate) trait Fold: Copy {
    /// This, and then `newer`.
    fn then(self, newer: Self) -> Self;
}

/// The fold of the last `period` values, at three folds a value whatever the period.
///
/// Two stacks in one buffer: up to `position` the values of the current block of `period`, from
/// there on the folds of the block before, each over its value and all after it. Nothing is ever
/// taken away again, so a window holds the rounding, and the NaN, of its own values and no other.
///
/// Source: van Herk (1992) and Gil and Werman (1993) for extremes; it serves any associative fold.
#[derive(Clone, Debug)]
pub(crate) struct Window<T> {
    slots: Box<[T]>,
    position: usize,
    /// The fold of the current block.
    block: T,
    full: bool,
}

impl<T: Fold> Window<T> {
    /// An empty window. `blank` fills the slots and is never folded.
    #[track_caller]
    pub(crate) fn new(period: u16, blank: T) -> Self {
        assert!(period > 0, "a window of no values has no fold: give a period of 1 or more");
        let slots = vec![blank; usize::from(period)].into_boxed_slice();
        Self { slots, position: 0, block: blank, full: false }
    }

    /// The fold of the last `period` values, `value` the last of them; `None` until there are as
    /// many.
    #[inline]
    pub(crate) fn push(&mut self, value: T) -> Option<T> {
        self.block = if self.position == 0 { value } else { self.block.then(value) };
        self.slots[self.position] = value;
        self.position += 1;
        match self.slots.get(self.position) {
            None => Some(self.turn()),
            Some(older) if self.full => Some(older.then(self.block)),
            Some(_) => None,
        }
    }

    /// Makes the complete block the block before, and gives its fold.
    fn turn(&mut self) -> T {
        let mut newer: Option<T> = None;
        for slot in self.slots.iter_mut().rev() {
            if let Some(newer) = newer {
                *slot = slot.then(newer);
            }
            newer = Some(*slot);
        }
        self.position = 0;
        self.full = true;
        self.slots[0]
    }
}

/// A sum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sum(pub(crate) f64);

impl Fold for Sum {
    #[inline]
    fn then(self, newer: Self) -> Self {
        Self(self.0 + newer.0)
    }
}

/// Two folds at once.
impl<A: Fold, B: Fold> Fold for (A, B) {
    #[inline]
    fn then(self, newer: Self) -> Self {
        (self.0.then(newer.0), self.1.then(newer.1))
    }
}

/// The largest of known values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Highest(pub(crate) f64);

impl Fold for Highest {
    #[inline]
    fn then(self, newer: Self) -> Self {
        if newer.0 > self.0 { newer } else { self }
    }
}

/// The smallest of known values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lowest(pub(crate) f64);

impl Fold for Lowest {
    #[inline]
    fn then(self, newer: Self) -> Self {
        if newer.0 < self.0 { newer } else { self }
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
    full: bool,
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
        Self { slots, position: 0, pivot: f64::NAN, block: (0.0, 0.0), full: false, share }
    }

    /// Of the last `period` values, `value` the last of them; `None` until there are as many.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<Spread> {
        let distance = value - self.pivot;
        self.block.0 += distance;
        self.block.1 += distance * distance;
        self.slots[self.position].0 = value;
        self.position += 1;
        let (sum, squares) = match self.slots.get(self.position) {
            None => self.turn(value),
            Some(older) if self.full => (older.0 + self.block.0, older.1 + self.block.1),
            Some(_) => return None,
        };
        let step = sum * self.share;
        let squares = squares - sum * step;
        // Not `max`, which would make zero of NaN.
        Some(Spread { mean: self.pivot + step, squares: if squares < 0.0 { 0.0 } else { squares } })
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
        self.full = true;
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
            let mut highest = Window::new(period, Highest(f64::NAN));
            let mut sum = Window::new(period, Sum(f64::NAN));
            let mut recent = Recent::new(period);
            let mut lag = Lag::new(period);
            for (t, value) in values().into_iter().enumerate() {
                let last = t.checked_sub(length - 1).map(|start| values()[start..=t].to_vec());
                let folded = (highest.push(Highest(value)), sum.push(Sum(value)));
                let expected = last.as_ref().map(|last| {
                    (last.iter().copied().fold(0.0, f64::max), last.iter().sum::<f64>())
                });
                assert_eq!(folded.0.zip(folded.1).map(|(a, b)| (a.0, b.0)), expected);
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
        let mut sum = Window::new(5, Sum(f64::NAN));
        for t in 0..40 {
            let value = if t == 13 { f64::NAN } else { 1.0 };
            let folded = sum.push(Sum(value)).map(|sum| sum.0);
            assert_eq!(folded.is_some_and(f64::is_nan), (13..18).contains(&t), "{t}");
        }
        // The last and the first of a block, for the last is the pivot of the next.
        for unknown in [14, 15] {
            let mut deviations = Deviations::new(5);
            for t in 0..40 {
                let value = if t == unknown { f64::NAN } else { f64::from(t) };
                let spread = deviations.push(value).map(|spread| spread.squares);
                if (unknown..unknown + 5).contains(&t) {
                    assert!(spread.is_some_and(f64::is_nan), "{t}");
                } else if t >= 4 {
                    assert!(spread.is_some_and(|squares| (squares - 10.0).abs() < 1e-12), "{t}");
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
            let Some(spread) = deviations.push(value) else { continue };
            if t < 60 {
                assert!((spread.squares - 20.0 * 0.25).abs() < 1e-9);
            } else if t >= 79 {
                assert_eq!(spread.mean.to_bits(), 0.1_f64.to_bits());
                assert_eq!(spread.squares.to_bits(), 0.0_f64.to_bits());
            }
        }
    }
}
