//! Volumes far from the median of the rows before, without sorting for every row.

use crate::quantity::Shares;
use crate::validate::ValidationPolicy;
use crate::validate::finding::FindingKind;

/// The volumes of the rows so far.
pub(super) struct Volumes {
    multiple_max: f64,
    window: usize,
    /// All volumes so far, `None` where a row has none.
    seen: Vec<Option<u64>>,
    /// The least and largest volume of the last full block of rows, and of those since.
    earlier: Extremes,
    latest: Extremes,
    latest_count: usize,
}

/// Bounds of some volumes.
#[derive(Clone, Copy)]
struct Extremes {
    least: u64,
    largest: u64,
}

impl Extremes {
    const NONE: Self = Self { least: u64::MAX, largest: 0 };

    fn with(self, shares: u64) -> Self {
        Self { least: self.least.min(shares), largest: self.largest.max(shares) }
    }
}

impl Volumes {
    pub(super) fn new(policy: ValidationPolicy) -> Self {
        Self {
            multiple_max: policy.volume_multiple_max,
            // A window that does not fit in memory is one that never fills.
            window: usize::try_from(policy.volume_window_rows).unwrap_or(usize::MAX),
            seen: Vec::new(),
            earlier: Extremes::NONE,
            latest: Extremes::NONE,
            latest_count: 0,
        }
    }

    /// The next row has this volume.
    pub(super) fn push(&mut self, shares: u64) {
        self.seen.push(Some(shares));
        self.latest = self.latest.with(shares);
        self.end_block();
    }

    /// The next row has no volume.
    pub(super) fn push_missing(&mut self) {
        self.seen.push(None);
        self.end_block();
    }

    /// The two blocks together hold at least the rows of one window.
    fn end_block(&mut self) {
        self.latest_count += 1;
        if self.latest_count >= self.window {
            self.earlier = self.latest;
            self.latest = Extremes::NONE;
            self.latest_count = 0;
        }
    }

    /// What is to be said of a positive volume, against the median of the rows before.
    pub(super) fn outlier(&self, shares: u64) -> Option<FindingKind> {
        // The median lies between the least and the largest, so a volume that is usual against both
        // is usual against it, whatever it is.
        let least = Shares(self.earlier.least.min(self.latest.least)).count();
        let largest = Shares(self.earlier.largest.max(self.latest.largest)).count();
        let volume = Shares(shares).count();
        if volume <= least * self.multiple_max && volume * self.multiple_max >= largest {
            return None;
        }
        let median_shares = self.median()?;
        let multiple = volume / median_shares;
        let usual = 1.0 / self.multiple_max..=self.multiple_max;
        (!usual.contains(&multiple)).then_some(FindingKind::VolumeOutlier {
            volume_shares: shares,
            median_shares,
            multiple,
        })
    }

    /// The median of the window, if each of its rows has a volume and it is positive.
    fn median(&self) -> Option<f64> {
        let begin = self.seen.len().checked_sub(self.window)?;
        let mut volumes: Vec<u64> = self.seen[begin..].iter().copied().collect::<Option<_>>()?;
        volumes.sort_unstable();
        let (low, high) =
            (volumes.get((self.window.checked_sub(1)?) / 2)?, volumes.get(self.window / 2)?);
        let median = f64::midpoint(Shares(*low).count(), Shares(*high).count());
        (median > 0.0).then_some(median)
    }
}
