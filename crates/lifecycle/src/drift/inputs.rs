//! Whether features and outcomes are as they were when a model learned.

use bist_models::{Panel, RowKey};
use jiff::civil::Date;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::DriftPolicy;
use super::distance::{Distances, Reference};
use crate::rank_ic::count;
use crate::training::horizon_returns;

/// The distance of one feature, or of the outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureDrift {
    /// Its name.
    pub name: String,
    /// How far the window is from what was learned from.
    pub distances: Distances,
    /// From where on that is unusual: the larger of convention and history.
    pub thresholds: Distances,
    /// Whether all three are at or above their thresholds.
    pub has_drifted: bool,
}

/// The distances of all features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputDrift {
    /// First day of the window.
    pub from: Date,
    /// Its last day.
    pub to: Date,
    /// Windows of history that the thresholds are of.
    pub windows_count: u64,
    /// The features, the one furthest above its thresholds first. A feature that is always the same,
    /// or missing in the whole window, is left out.
    pub features: Vec<FeatureDrift>,
    /// How many of them have drifted.
    pub drifted_count: u64,
    /// The share of features from which on the inputs as a whole have drifted: the larger of
    /// convention and the same share over the windows of history.
    pub drifted_share_threshold: f64,
    /// Whether the share of features that have drifted is above that.
    pub is_alarm: bool,
}

/// Rows of a window and of its history.
struct Windows {
    /// Rows learned from.
    reference: std::ops::Range<usize>,
    /// Windows among them.
    history: Vec<std::ops::Range<usize>>,
    /// The window that is looked at.
    current: std::ops::Range<usize>,
}

impl Windows {
    /// Of the rows `keys`, sorted by day, up to `end`; `None` with too little history.
    fn of(keys: &[RowKey], learned_to: Date, end: usize, policy: &DriftPolicy) -> Option<Self> {
        let days: Vec<usize> = {
            let mut begins = vec![0];
            begins.extend((1..end).filter(|&row| keys[row].day != keys[row - 1].day));
            begins
        };
        let sessions = policy.window_sessions;
        let begin = *days.get(days.len().checked_sub(sessions)?)?;
        let learned = keys[..begin].partition_point(|key| key.day <= learned_to);
        let learned_days = days.partition_point(|&row| row < learned);
        let at = |day: usize| days.get(day).copied().unwrap_or(end).min(learned);
        // Half of each window is in the next one, so that none that is unusual falls between two.
        let history: Vec<_> = (0..)
            .map(|window| window * (sessions / 2).max(1))
            .take_while(|first| first + sessions <= learned_days)
            .map(|first| at(first)..at(first + sessions))
            .collect();
        (history.len() >= policy.windows_min).then_some(Self {
            reference: 0..learned,
            history,
            current: begin..end,
        })
    }
}

/// What is known of one column: its distance now, and those of history.
struct Column {
    name: String,
    now: Distances,
    history: Vec<Distances>,
    thresholds: Distances,
}

impl Column {
    fn of(name: &str, values: &[f64], windows: &Windows, policy: &DriftPolicy) -> Option<Self> {
        let reference = Reference::of(&values[windows.reference.clone()])?;
        let now = reference.distances(&values[windows.current.clone()])?;
        let history: Vec<Distances> = (windows.history.iter())
            .filter_map(|rows| reference.distances(&values[rows.clone()]))
            .collect();
        let usual = |of: fn(&Distances) -> f64, least: f64| {
            let past = history.iter().map(of).collect();
            quantile(past, policy.history_quantile).map_or(least, |past| past.max(least))
        };
        let thresholds = Distances {
            psi: usual(|of| of.psi, policy.psi_min),
            ks: usual(|of| of.ks, policy.ks_min),
            wasserstein: usual(|of| of.wasserstein, policy.wasserstein_min),
        };
        Some(Self { name: name.to_owned(), now, history, thresholds })
    }

    /// By how much the least of the three exceeds its threshold, as a ratio.
    fn excess(&self) -> f64 {
        let Self { now, thresholds, .. } = self;
        (now.psi / thresholds.psi)
            .min(now.ks / thresholds.ks)
            .min(now.wasserstein / thresholds.wasserstein)
    }

    fn into_feature(self) -> FeatureDrift {
        let has_drifted = exceeds(&self.now, &self.thresholds);
        let Self { name, now: distances, thresholds, .. } = self;
        FeatureDrift { name, distances, thresholds, has_drifted }
    }
}

fn exceeds(distances: &Distances, thresholds: &Distances) -> bool {
    distances.psi >= thresholds.psi
        && distances.ks >= thresholds.ks
        && distances.wasserstein >= thresholds.wasserstein
}

/// The value below which the share `q` of `values` lies, by linear interpolation.
fn quantile(mut values: Vec<f64>, q: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let place = q * count(last);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place among the values"
    )]
    let low = (place.floor() as usize).min(last);
    let high = (low + 1).min(last);
    Some(values[low] + (place - place.floor()) * (values[high] - values[low]))
}

impl InputDrift {
    /// Compares the newest days of `panel` with those up to `learned_to`; `None` when too little
    /// history tells what is unusual.
    pub fn of(panel: &Panel, learned_to: Date, policy: &DriftPolicy) -> Option<Self> {
        let keys = &panel.known.keys;
        let windows = Windows::of(keys, learned_to, keys.len(), policy)?;
        let features = &panel.known.features;
        let mut columns: Vec<Column> = (0..features.columns_count())
            .into_par_iter()
            .filter_map(|j| Column::of(&features.names()[j], features.column(j), &windows, policy))
            .collect();
        let share_at = |window: usize| {
            let drifted = columns.iter().filter(|column| {
                let past = column.history.get(window);
                past.is_some_and(|past| exceeds(past, &column.thresholds))
            });
            count(drifted.count()) / count(columns.len().max(1))
        };
        let past = (0..windows.history.len()).map(share_at).collect();
        let usual = quantile(past, policy.history_quantile).unwrap_or(0.0);
        let drifted_share_threshold = usual.max(policy.drifted_share_min);
        columns.sort_by(|a, b| b.excess().total_cmp(&a.excess()));
        let features: Vec<FeatureDrift> = columns.into_iter().map(Column::into_feature).collect();
        let drifted_count = features.iter().filter(|feature| feature.has_drifted).count();
        Some(Self {
            from: keys[windows.current.start].day,
            to: keys[windows.current.end - 1].day,
            windows_count: windows.history.len() as u64,
            is_alarm: count(drifted_count) / count(features.len().max(1)) > drifted_share_threshold,
            features,
            drifted_count: drifted_count as u64,
            drifted_share_threshold,
        })
    }
}

/// The same of the outcome, over the newest days whose outcome is known.
pub(super) fn label(panel: &Panel, learned_to: Date, policy: &DriftPolicy) -> Option<FeatureDrift> {
    let returns = horizon_returns(panel);
    let end = returns.iter().rposition(|value| value.is_finite())? + 1;
    let windows = Windows::of(&panel.known.keys, learned_to, end, policy)?;
    Some(Column::of("return", returns, &windows, policy)?.into_feature())
}
