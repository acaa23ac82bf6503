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
            let shares = row.volume_shares().filter(|shares| *shares > 0 && row.is_sound())?;
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
