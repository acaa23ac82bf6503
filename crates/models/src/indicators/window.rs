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
        if self.position == self.slots.len() {
            self.turn();
        }
        self.block = if self.position == 0 { value } else { self.block.then(value) };
        self.slots[self.position] = value;
        self.position += 1;
        match self.slots.get(self.position) {
            None => Some(self.block),
            Some(older) if self.full => Some(older.then(self.block)),
            Some(_) => None,
        }
    }

    /// Makes a complete block the block before.
    fn turn(&mut self) {
        let mut newer: Option<T> = None;
        for slot in self.slots.iter_mut().rev() {
            if let Some(newer) = newer {
                *slot = slot.then(newer);
            }
            newer = Some(*slot);
        }
        self.position = 0;
        self.full = true;
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

/// Mean and squared deviations. Equal values have a deviation of exactly zero.
///
/// Source: Chan, Golub, `LeVeque` (1979), updating formulae for pairs of samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moments {
    count: f64,
    pub(crate) mean: f64,
    /// The sum of the squared deviations from the mean.
    pub(crate) squared_deviations: f64,
}

impl Moments {
    #[inline]
    pub(crate) fn of(value: f64) -> Self {
        Self { count: 1.0, mean: value, squared_deviations: 0.0 }
    }

    /// Standard deviation with `n` in the denominator.
    #[inline]
    pub(crate) fn population_deviation(&self) -> f64 {
        (self.squared_deviations / self.count).sqrt()
    }

    /// Variance with `n - 1` in the denominator; NaN of one value.
    #[inline]
    pub(crate) fn sample_variance(&self) -> f64 {
        self.squared_deviations / (self.count - 1.0)
    }
}

impl Fold for Moments {
    #[inline]
    fn then(self, newer: Self) -> Self {
        let count = self.count + newer.count;
        let step = newer.mean - self.mean;
        let share = newer.count / count;
        Self {
            count,
            mean: self.mean + step * share,
            squared_deviations: self.squared_deviations
                + newer.squared_deviations
                + step * step * (self.count * share),
        }
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
    }

    #[test]
    fn equal_values_have_no_deviation_and_far_ones_lose_none() {
        let mut moments = Window::new(20, Moments::of(f64::NAN));
        for t in 0..100 {
            // A level a million times the spread, then a standstill.
            let value = if t < 60 { 1e6 + f64::from(t % 2) } else { 0.1 };
            let Some(moments) = moments.push(Moments::of(value)) else { continue };
            if t < 60 {
                assert!((moments.population_deviation() - 0.5).abs() < 1e-9);
            } else if t >= 79 {
                assert_eq!((moments.mean, moments.squared_deviations), (0.1, 0.0));
            }
        }
    }
}
