//! The median of the last so many volumes, kept up to date from row to row.

use std::collections::VecDeque;

/// The last values in the order in which they came, and sorted.
pub(super) struct RollingMedian {
    window: usize,
    arrived: VecDeque<u64>,
    sorted: Vec<u64>,
}

impl RollingMedian {
    /// A median over `window` values; one over none never has a value.
    pub(super) fn new(window: usize) -> Self {
        Self {
            window,
            arrived: VecDeque::with_capacity(window),
            sorted: Vec::with_capacity(window),
        }
    }

    /// The median of the window; `None` until it is full.
    pub(super) fn median(&self) -> Option<f64> {
        if self.window == 0 || self.sorted.len() < self.window {
            return None;
        }
        let (low, high) = (self.sorted[(self.window - 1) / 2], self.sorted[self.window / 2]);
        Some(f64::midpoint(shares_f64(low), shares_f64(high)))
    }

    /// Takes a value in, and the oldest out when the window is full.
    pub(super) fn push(&mut self, shares: u64) {
        if self.arrived.len() == self.window
            && let Some(oldest) = self.arrived.pop_front()
        {
            let index = self.sorted.partition_point(|value| *value < oldest);
            self.sorted.remove(index);
        }
        if self.window > 0 {
            self.arrived.push_back(shares);
            let index = self.sorted.partition_point(|value| *value < shares);
            self.sorted.insert(index, shares);
        }
    }
}

/// Shares as a float.
fn shares_f64(shares: u64) -> f64 {
    crate::quantity::Shares(shares).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn there_is_no_median_until_the_window_is_full() {
        let mut median = RollingMedian::new(2);
        median.push(4);
        assert_eq!(median.median(), None);
        median.push(7);
        assert_eq!(median.median(), Some(5.5));
        assert_eq!(RollingMedian::new(0).median(), None);
    }

    proptest! {
        #[test]
        fn it_is_the_median_of_the_last_values(
            values in prop::collection::vec(0_u64..50, 1..80),
            window in 1_usize..12,
        ) {
            let mut median = RollingMedian::new(window);
            for (index, value) in values.iter().enumerate() {
                median.push(*value);
                let Some(from) = (index + 1).checked_sub(window) else { continue };
                let mut last = values[from..=index].to_vec();
                last.sort_unstable();
                let expected = f64::midpoint(
                    shares_f64(last[(window - 1) / 2]),
                    shares_f64(last[window / 2]),
                );
                prop_assert_eq!(median.median(), Some(expected));
            }
        }
    }
}
