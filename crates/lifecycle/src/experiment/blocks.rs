//! Means of days that do not depend on each other.

use bist_models::Horizon;

/// Takes a value a day and gives the mean of `h` days in a row, leaving out `h - 1` days between two
/// of them, where `h` is the number of sessions over which outcomes reach.
///
/// Outcomes of `h` sessions overlap when they begin fewer than `h` sessions apart, so no outcome of
/// a block overlaps one of another. With `h` of one every day is a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blocks {
    length: u32,
    /// Days since the block began, the ones left out after it included.
    days_count: u32,
    sum: f64,
}

impl Blocks {
    /// For a horizon.
    pub fn new(horizon: Horizon) -> Self {
        Self { length: u32::from(horizon.sessions()), days_count: 0, sum: 0.0 }
    }

    /// Adds a day; the mean of the block that it completes.
    pub fn push(&mut self, value: f64) -> Option<f64> {
        if self.days_count == 2 * self.length - 1 {
            *self = Self { days_count: 0, sum: 0.0, ..*self };
        }
        self.days_count += 1;
        if self.days_count <= self.length {
            self.sum += value;
        }
        (self.days_count == self.length).then(|| self.sum / f64::from(self.length))
    }

    /// How many blocks so many days complete.
    pub fn in_days(horizon: Horizon, days_count: u32) -> u32 {
        let length = u32::from(horizon.sessions());
        days_count.saturating_add(length - 1) / (2 * length - 1)
    }

    /// How many days complete so many blocks, of which there is at least one.
    pub fn days_of(horizon: Horizon, blocks_count: u32) -> u32 {
        let length = u32::from(horizon.sessions());
        blocks_count * (2 * length - 1) - (length - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_leave_out_the_days_over_which_outcomes_overlap() {
        let horizon = Horizon::from_sessions(3).unwrap();
        let mut blocks = Blocks::new(horizon);
        let means: Vec<Option<f64>> = (1..=13).map(|day| blocks.push(f64::from(day))).collect();
        let complete: Vec<(usize, f64)> =
            (1..).zip(means).filter_map(|(day, mean)| Some((day, mean?))).collect();
        assert_eq!(complete, [(3, 2.0), (8, 7.0), (13, 12.0)]);
        for (days, expected) in [(0, 0), (2, 0), (3, 1), (7, 1), (8, 2), (13, 3)] {
            assert_eq!(Blocks::in_days(horizon, days), expected, "{days}");
        }
        assert_eq!([1, 2, 3].map(|count| Blocks::days_of(horizon, count)), [3, 8, 13]);
    }

    #[test]
    fn with_one_session_every_day_is_a_block() {
        let mut blocks = Blocks::new(Horizon::NextHour);
        assert_eq!([0.5, 1.5].map(|value| blocks.push(value)), [Some(0.5), Some(1.5)]);
    }
}
