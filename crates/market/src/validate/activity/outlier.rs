//! Volumes far from the median of the rows before, without sorting for every row.

use crate::validate::ValidationPolicy;
use crate::validate::finding::FindingKind;
use crate::validate::row::{Row, as_float};

/// What is known of the volumes so far.
pub(super) struct Volumes {
    multiple_max: f64,
    window: usize,
    /// Bounds of the volumes of the last full block of rows, as long as the window, and of the rows
    /// since: together they hold at least the rows of the window.
    earlier: Extremes,
    latest: Extremes,
    latest_count: usize,
}

/// Bounds of some volumes.
#[derive(Clone, Copy)]
struct Extremes {
    least: i64,
    largest: i64,
}

impl Extremes {
    const NONE: Self = Self { least: i64::MAX, largest: 0 };

    fn add(&mut self, shares: i64) {
        self.least = self.least.min(shares);
        self.largest = self.largest.max(shares);
    }
}

impl Volumes {
    pub(super) fn new(policy: ValidationPolicy) -> Self {
        Self {
            multiple_max: policy.volume_multiple_max,
            // A window that does not fit in memory is one that never fills.
            window: usize::try_from(policy.volume_window_rows).unwrap_or(usize::MAX),
            earlier: Extremes::NONE,
            latest: Extremes::NONE,
            latest_count: 0,
        }
    }

    /// Takes the first rows of `rest`, as many as a block has, as [`Volumes::push`] would one by one,
    /// if nothing is to be said of any of their volumes at a glance; gives the index of the last.
    pub(super) fn pass_usual(&mut self, rest: &[Row<'_>]) -> Option<usize> {
        let last = self.window.checked_sub(1)?;
        if self.latest_count > 0 {
            return None;
        }
        let mut block = Extremes::NONE;
        for row in rest.get(..self.window)? {
            let shares = row.raw.volume_shares.filter(|shares| *shares > 0)?;
            if !row.is_plain && !row.is_sound() {
                return None;
            }
            block.add(shares);
        }
        let least = as_float(self.earlier.least.min(block.least));
        let largest = as_float(self.earlier.largest.max(block.largest));
        let usual = largest <= least * self.multiple_max;
        usual.then(|| {
            self.earlier = block;
            last
        })
    }

    /// The next sound row has this volume, if it has one.
    pub(super) fn push(&mut self, shares: Option<i64>) {
        if let Some(shares) = shares {
            self.latest.add(shares);
        }
        self.latest_count += 1;
        if self.latest_count >= self.window {
            self.earlier = std::mem::replace(&mut self.latest, Extremes::NONE);
            self.latest_count = 0;
        }
    }

    /// What is to be said of a positive volume, against the median of the sound rows in `before`.
    pub(super) fn outlier(&self, shares: i64, before: &[Row<'_>]) -> Option<FindingKind> {
        // The median lies between the least and the largest, so a volume that is usual against both
        // is usual against it, whatever it is.
        let least = as_float(self.earlier.least.min(self.latest.least));
        let largest = as_float(self.earlier.largest.max(self.latest.largest));
        let volume = as_float(shares);
        if volume <= least * self.multiple_max && volume * self.multiple_max >= largest {
            return None;
        }
        let median_shares = self.median(before)?;
        let multiple = volume / median_shares;
        let usual = 1.0 / self.multiple_max..=self.multiple_max;
        (!usual.contains(&multiple)).then_some(FindingKind::VolumeOutlier {
            volume_shares: shares.unsigned_abs(),
            median_shares,
            multiple,
        })
    }

    /// The median of the window, if it is full, each of its rows has a volume, and it is positive.
    fn median(&self, before: &[Row<'_>]) -> Option<f64> {
        let window = before.iter().rev().filter(|row| row.is_sound()).take(self.window);
        let mut volumes: Vec<i64> = window.map(Row::volume_shares).collect::<Option<_>>()?;
        if volumes.len() < self.window {
            return None;
        }
        volumes.sort_unstable();
        let middle = self.window / 2;
        let below = volumes.get(self.window.checked_sub(1)? / 2)?;
        let median = f64::midpoint(as_float(*below), as_float(*volumes.get(middle)?));
        (median > 0.0).then_some(median)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::bar::{Interval, RawBar};
    use crate::sample::{SampleSpec, generate};
    use crate::validate::days::Days;
    use crate::validate::row;
    use crate::{Calendar, ExchangeRules};

    /// Rows of the sample with other volumes.
    fn bars(volumes: &[i64]) -> Vec<RawBar> {
        let spec = SampleSpec { symbols_count: 1, years: 2, seed: 1, until: date(2025, 6, 30) };
        let market = generate(&spec).unwrap();
        let with_volume =
            |(bar, volume): (&RawBar, &i64)| RawBar { volume_shares: Some(*volume), ..*bar };
        market.series[0].bars.iter().zip(volumes).map(with_volume).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 200,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(17),
            ..ProptestConfig::default()
        })]

        #[test]
        fn nothing_is_to_be_said_of_a_block_that_is_passed(
            volumes in prop::collection::vec(
                prop_oneof![300 => 1_000..3_000_i64, 1 => 0..2_i64, 1 => 1..1_000_000_i64],
                100..400,
            ),
        ) {
            let bars = bars(&volumes);
            let days = Days::of(Calendar::bist(), ExchangeRules::bist());
            let rows = row::sorted(&bars, Interval::Daily, days, None).rows;
            let policy = ValidationPolicy::default();
            let (mut by_blocks, mut by_rows) = (Volumes::new(policy), Volumes::new(policy));
            let mut passed_count = 0;
            let mut from = 0;
            while from < rows.len() {
                let passed = by_blocks.pass_usual(&rows[from..]).map_or(0, |last| last + 1);
                passed_count += passed;
                for index in from..from + passed.max(1) {
                    let volume = rows[index].volume_shares();
                    let shares = volume.filter(|shares| *shares > 0);
                    let said = shares.and_then(|shares| by_rows.outlier(shares, &rows[..index]));
                    if passed == 0 {
                        let same = shares.and_then(|s| by_blocks.outlier(s, &rows[..index]));
                        prop_assert_eq!(&said, &same);
                        by_blocks.push(volume);
                    } else {
                        prop_assert_eq!(&said, &None, "of row {}", index);
                    }
                    by_rows.push(volume);
                }
                from += passed.max(1);
            }
            let all_usual = volumes.iter().all(|volume| (1_000..3_000).contains(volume));
            prop_assert!(!all_usual || passed_count > 0, "no block was passed");
        }
    }
}
