//! Drift of a daily series: its newest sessions against those before.

use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use super::{DriftSketch, KsTest, PSI_SIGNIFICANT, ks, psi};
use crate::bar::Bar;
use crate::calendar::Calendar;
use crate::statistics::{count, share};
use crate::validate::{FindingKind, Remark};

/// What is measured of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftMeasure {
    /// Logarithm of close over the close of the session before.
    LogReturn,
    /// Logarithm of volume over the volume of the session before.
    LogVolumeChange,
    /// Logarithm of high over low.
    Range,
}

impl DriftMeasure {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::LogReturn, Self::LogVolumeChange, Self::Range];

    /// The smallest population stability index and the smallest distance of distribution functions
    /// that together are drift.
    ///
    /// Chosen by looking at 487 windows of 45 real series of Borsa Istanbul, 2010 to 2026, so that
    /// few raise an alarm: returns 1.6 %, volume changes 0.0 %, ranges 4.5 %. Ranges come in calm and
    /// wild years, so that the usual 0.25 would find drift in every other window; the p-value alone
    /// would in 63 %, as days are not independent.
    pub const fn thresholds(self) -> (f64, f64) {
        match self {
            Self::LogReturn | Self::LogVolumeChange => (PSI_SIGNIFICANT, 0.2),
            Self::Range => (1.0, 0.4),
        }
    }

    /// The word used in the store, the API and the reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LogReturn => "log_return",
            Self::LogVolumeChange => "log_volume_change",
            Self::Range => "range",
        }
    }

    /// The measure of a bar; `before` is the bar of the session before, if there is one.
    fn of(self, before: Option<&Bar>, bar: &Bar) -> Option<f64> {
        match self {
            Self::LogReturn => Some((bar.close.lira() / before?.close.lira()).ln()),
            Self::LogVolumeChange => Some((bar.volume?.count() / before?.volume?.count()).ln()),
            Self::Range => Some((bar.high.lira() / bar.low.lira()).ln()),
        }
    }
}

impl fmt::Display for DriftMeasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is compared with what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriftPolicy {
    /// How many of the newest bars are looked at.
    pub recent_bars: usize,
    /// How many bars before them they are compared with.
    pub reference_bars: usize,
    /// Less than this share of values in one of the two, and nothing is said; 0..=1.
    pub values_share_min: f64,
}

impl Default for DriftPolicy {
    fn default() -> Self {
        Self { recent_bars: 120, reference_bars: 500, values_share_min: 0.8 }
    }
}

/// How one measure of a series has moved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SeriesDrift {
    /// The newest day.
    pub day: Date,
    /// What was measured.
    pub measure: DriftMeasure,
    /// The population stability index of the recent values against those before.
    pub psi: f64,
    /// The test of Kolmogorov and Smirnov of the two.
    pub ks: KsTest,
    /// How many recent values.
    pub recent_count: u64,
    /// How many values before.
    pub reference_count: u64,
    /// Whether both are beyond the [`DriftMeasure::thresholds`].
    pub drifted: bool,
}

impl SeriesDrift {
    /// The finding, if it is one.
    pub fn remark(&self) -> Option<Remark> {
        self.drifted.then(|| Remark {
            opened_at: None,
            day: Some(self.day),
            kind: FindingKind::DistributionDrift {
                what: self.measure.as_str().to_owned(),
                psi: self.psi,
                ks: self.ks.statistic,
            },
        })
    }
}

/// Compares the newest bars with those before, for each measure that has enough values.
///
/// `bars` are daily, of one symbol, oldest first. A change from one bar to the next counts only when
/// no session lies between them, and a volume of zero is no value.
pub fn series_drift(bars: &[Bar], calendar: &Calendar, policy: DriftPolicy) -> Vec<SeriesDrift> {
    let recent_from = bars.len().saturating_sub(policy.recent_bars);
    let reference_from = recent_from.saturating_sub(policy.reference_bars);
    let sketch = |measure: DriftMeasure, from: usize, to: usize| {
        let mut sketch = DriftSketch::new();
        for index in from..to {
            let bar = &bars[index];
            let before = index
                .checked_sub(1)
                .map(|before| &bars[before])
                .filter(|before| calendar.sessions_between(before.day, bar.day) == Some(1));
            if let Some(value) = measure.of(before, bar) {
                sketch.observe(value);
            }
        }
        let enough = policy.values_share_min * share(count(from..to), 1);
        (share(sketch.count(), 1) >= enough).then_some(sketch)
    };
    if reference_from + policy.reference_bars > recent_from {
        return Vec::new();
    }
    let drift = |measure| {
        let reference = sketch(measure, reference_from, recent_from)?;
        let recent = sketch(measure, recent_from, bars.len())?;
        let (psi, ks) = (psi(&reference, &recent)?, ks(&reference, &recent)?);
        let (psi_min, ks_min) = measure.thresholds();
        Some(SeriesDrift {
            day: bars.last()?.day,
            measure,
            psi,
            ks,
            recent_count: recent.count(),
            reference_count: reference.count(),
            drifted: psi >= psi_min && ks.statistic >= ks_min,
        })
    };
    DriftMeasure::ALL.into_iter().filter_map(drift).collect()
}
