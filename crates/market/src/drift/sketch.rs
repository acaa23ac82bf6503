//! A sketch of a distribution: few values that stand for many.
//!
//! Why not a crate: the Kolmogorov-Smirnov statistic is a difference of ranks, so the error that
//! matters is that of a rank. `DDSketch` bounds the error of a value, t-digest bounds nothing in the
//! worst case, and the KLL crates either wrap C++ or draw coins, so that the same stream gives other
//! bits. This one is deterministic and knows its own error.

use crate::statistics::{count, share};

/// How many values a level holds; a stream of up to this many is kept whole.
pub const CAPACITY: usize = 1024;

/// Values of a stream in bounded memory, for questions about ranks and quantiles.
///
/// **Method.** The hierarchy of compactors of Munro and Paterson (1980) as in Karnin, Lang and
/// Liberty (2016), "Optimal quantile approximation in streams", with alternating instead of random
/// offsets: values enter level zero; a full level is sorted, every second value moves one level up,
/// where it counts twice, and the rest are dropped.
///
/// **Error.** One compaction at level `h` moves the rank of anything by at most `2^h`, upwards or
/// downwards as the offset alternates; both sums are kept, so [`DriftSketch::rank_error_share`] is a
/// bound that holds for this very stream: zero up to [`CAPACITY`] values, about
/// `log2(n / CAPACITY) / (2 * CAPACITY)` beyond, which is half a percent for a million.
///
/// **Memory.** At most [`CAPACITY`] values for each of `log2(n / CAPACITY) + 2` levels: 100 kB for a
/// million values, half a megabyte for 2^64.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DriftSketch {
    /// Level `h` holds values that count `2^h` times.
    levels: Vec<Level>,
    count: u64,
    not_finite_count: u64,
    /// By how much ranks can be too high and too low.
    too_high: u64,
    too_low: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Level {
    values: Vec<f64>,
    /// Whether the next compaction keeps the second of each pair; the first otherwise.
    keeps_second: bool,
}

impl DriftSketch {
    /// A sketch that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one value. What is not a finite number is counted apart and otherwise left out.
    pub fn observe(&mut self, value: f64) {
        if !value.is_finite() {
            self.not_finite_count += 1;
            return;
        }
        self.count += 1;
        self.level(0).values.push(value);
        self.compact();
    }

    /// Takes all that another sketch has seen; the errors add up.
    pub fn merge(&mut self, other: &Self) {
        for (height, level) in other.levels.iter().enumerate() {
            self.level(height).values.extend_from_slice(&level.values);
        }
        self.count += other.count;
        self.not_finite_count += other.not_finite_count;
        self.too_high += other.too_high;
        self.too_low += other.too_low;
        self.compact();
    }

    /// How many values it has seen, without those that are not finite.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// How many values were not finite.
    pub const fn not_finite_count(&self) -> u64 {
        self.not_finite_count
    }

    /// How many values it keeps.
    pub fn kept_count(&self) -> usize {
        self.levels.iter().map(|level| level.values.len()).sum()
    }

    /// No rank that it gives is further than this from the truth, a share of the values; zero when
    /// all are kept.
    pub fn rank_error_share(&self) -> f64 {
        share(self.too_high.max(self.too_low), self.count.max(1))
    }

    /// The share of values that are at most `value`; zero for an empty sketch.
    pub fn rank_share(&self, value: f64) -> f64 {
        let weighed = self.levels.iter().enumerate().map(|(height, level)| {
            count(level.values.iter().filter(|kept| **kept <= value)) << height
        });
        share(weighed.sum(), self.count.max(1))
    }

    /// The smallest kept value whose rank is at least `share` (0..=1); `None` for an empty sketch.
    pub fn quantile(&self, share_below: f64) -> Option<f64> {
        let weighed = self.weighed();
        let mut seen = 0;
        let reached = weighed.iter().find(|(_, weight)| {
            seen += weight;
            share(seen, self.count) >= share_below
        });
        reached.or(weighed.last()).map(|(value, _)| *value)
    }

    /// The kept values in order, each with how many it stands for; the weights add up to the count.
    pub(super) fn weighed(&self) -> Vec<(f64, u64)> {
        let of_level = |(height, level): (usize, &Level)| {
            level.values.iter().map(move |value| (*value, 1_u64 << height)).collect::<Vec<_>>()
        };
        let mut weighed: Vec<_> = self.levels.iter().enumerate().flat_map(of_level).collect();
        weighed.sort_by(|a, b| a.0.total_cmp(&b.0));
        weighed
    }

    /// The level of a height, which is at most one above the highest.
    fn level(&mut self, height: usize) -> &mut Level {
        if height == self.levels.len() {
            self.levels.push(Level::default());
        }
        &mut self.levels[height]
    }

    /// Halves every level that is over its capacity, from the lowest up.
    fn compact(&mut self) {
        let mut height = 0;
        while height < self.levels.len() {
            if self.levels[height].values.len() > CAPACITY {
                let moved = self.levels[height].halve();
                let error = 1_u64 << height;
                if self.levels[height].keeps_second {
                    // The offset has just flipped: this time the first of each pair was kept.
                    self.too_high += error;
                } else {
                    self.too_low += error;
                }
                self.level(height + 1).values.extend(moved);
            }
            height += 1;
        }
    }
}

impl Level {
    /// Takes an even number of values out, and returns every second of them in order.
    fn halve(&mut self) -> Vec<f64> {
        self.values.sort_unstable_by(f64::total_cmp);
        let even = self.values.len() - self.values.len() % 2;
        let offset = usize::from(self.keeps_second);
        self.keeps_second = !self.keeps_second;
        let halved = self.values[..even].iter().skip(offset).step_by(2).copied().collect();
        self.values.drain(..even);
        halved
    }
}
