//! What is counted and noted, and how long it is kept.

use bist_store::Resolution;
use jiff::{SignedDuration, Timestamp};

/// What is counted and noted, and how long it is kept, days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelemetrySettings {
    /// Whether answers are counted for `/metrics`.
    pub metrics: bool,
    /// Whether answers are counted.
    pub usage: bool,
    /// Whether it is noted what people look at, search for and take away.
    pub activity: bool,
    /// Counts by minute.
    pub minutes_kept_days: u32,
    /// Counts by hour.
    pub hours_kept_days: u32,
    /// Counts by day.
    pub days_kept_days: u32,
    /// What was viewed and searched for.
    pub views_kept_days: u32,
    /// Who signed in.
    pub sign_ins_kept_days: u32,
    /// What was exported.
    pub exports_kept_days: u32,
    /// What rules fired, as far as it is told here.
    pub alerts_kept_days: u32,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            metrics: true,
            usage: true,
            activity: true,
            minutes_kept_days: 2,
            hours_kept_days: 60,
            days_kept_days: 2 * 365,
            views_kept_days: 90,
            sign_ins_kept_days: 365,
            exports_kept_days: 365,
            alerts_kept_days: 365,
        }
    }
}

impl TelemetrySettings {
    /// From when on rows of `resolution` are kept: whole rows of the next coarser one, and one of those
    /// more, so that a span of as many days is there whenever it is asked for.
    pub fn usage_kept_from(self, resolution: Resolution, now: Timestamp) -> Timestamp {
        let days = match resolution {
            Resolution::Minute => self.minutes_kept_days,
            Resolution::Hour => self.hours_kept_days,
            Resolution::Day => self.days_kept_days,
        };
        let coarser = resolution.coarser();
        let more = SignedDuration::from_secs(coarser.length_s());
        let oldest = days_before(now, days).saturating_sub(more);
        coarser.begin(oldest.unwrap_or(Timestamp::MIN))
    }

    /// From when on all is kept of what people do.
    pub(super) fn people_kept_from(self, now: Timestamp) -> Timestamp {
        let days = self.views_kept_days.min(self.sign_ins_kept_days).min(self.exports_kept_days);
        days_before(now, days)
    }

    /// Before when nothing is kept of what people do and are told.
    pub(super) fn activities_kept_from(self, now: Timestamp) -> Timestamp {
        let noted_days = self.views_kept_days.max(self.exports_kept_days);
        days_before(now, noted_days.max(self.sign_ins_kept_days).max(self.alerts_kept_days))
    }
}

/// The instant before which nothing is kept of what is kept for `days`.
pub(crate) fn days_before(now: Timestamp, days: u32) -> Timestamp {
    let time = SignedDuration::from_hours(24 * i64::from(days));
    now.saturating_sub(time).unwrap_or(Timestamp::MIN)
}
