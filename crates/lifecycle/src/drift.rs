//! Drift: whether the market still looks like what a model learned from, and whether the model still
//! does what its record says.
//!
//! Twenty sessions never look like years, and what is unusual differs from feature to feature: the
//! month of the year is always that of the window, while the size of returns comes and goes. A
//! distance therefore has two thresholds, and an alarm passes both: one by convention, below which a
//! difference is too small to matter, and one by history, the 99th percentile of the same distance
//! over windows of as many sessions among the days that the model learned from.

mod distance;
mod inputs;
mod performance;
mod sentence;

use bist_market::Calendar;
use bist_models::{Horizon, Panel};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::evaluation::{Evaluation, Sentence};
use crate::retraining::{Champion, judge_champion};

pub use distance::{Distances, PSI_BINS_COUNT, Reference};
pub use inputs::{FeatureDrift, InputDrift};
pub use performance::{PerformanceCheck, PerformanceMeasure};

/// What is looked at, and how unusual it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftPolicy {
    /// Sessions of the window that is compared with what the model learned from.
    pub window_sessions: usize,
    /// The share of the windows of history below whose distances nothing is unusual.
    pub history_quantile: f64,
    /// Fewest windows of history that tell it.
    pub windows_min: usize,
    /// The population stability index below which a shift is not called large, by convention.
    pub psi_min: f64,
    /// The Kolmogorov-Smirnov distance below which a shift does not matter.
    pub ks_min: f64,
    /// The Wasserstein distance below which a shift does not matter, standard deviations.
    pub wasserstein_min: f64,
    /// The share of features that must have drifted before the inputs as a whole have.
    pub drifted_share_min: f64,
    /// By how much the coverage of the 80 % band may be off.
    pub coverage_tolerance: f64,
}

impl Default for DriftPolicy {
    fn default() -> Self {
        Self {
            window_sessions: 20,
            history_quantile: 0.99,
            windows_min: 20,
            psi_min: 0.25,
            ks_min: 0.1,
            wasserstein_min: 0.1,
            drifted_share_min: 0.1,
            coverage_tolerance: 0.05,
        }
    }
}

/// What has drifted of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    /// How far ahead the model looks.
    pub horizon: Horizon,
    /// The version.
    pub model_version: String,
    /// The last day that it learned from.
    pub learned_to: Date,
    /// What was looked at.
    pub policy: DriftPolicy,
    /// The features; absent when too little history tells what is unusual.
    pub inputs: Option<InputDrift>,
    /// The outcome, the log-return over the horizon; absent when too little history tells it.
    pub label: Option<FeatureDrift>,
    /// Whether the model still does what its record says.
    pub performance: Vec<PerformanceCheck>,
    /// Whether any of it is alarming.
    pub is_alarm: bool,
    /// The same in words.
    pub sentence: Sentence,
}

impl DriftReport {
    /// Looks at `panel`, whose newest days are now, for `champion` with its record out of sample.
    ///
    /// # Panics
    ///
    /// When the panel has other features or another horizon than the model.
    pub fn of(
        model_version: &str,
        champion: Champion<'_>,
        record: &Evaluation,
        panel: &Panel,
        policy: DriftPolicy,
        calendar: &Calendar,
    ) -> Self {
        let (horizon, learned_to) = (champion.model.horizon, champion.learned_to);
        let inputs = InputDrift::of(panel, learned_to, &policy);
        let label = inputs::label(panel, learned_to, &policy);
        let judged = judge_champion(champion, panel, calendar);
        let performance = performance::checks(&judged, record, horizon, &policy);
        let is_alarm = inputs.as_ref().is_some_and(|inputs| inputs.is_alarm)
            || label.as_ref().is_some_and(|label| label.has_drifted)
            || performance.iter().any(|check| check.is_alarm);
        let sentence = sentence::of(inputs.as_ref(), label.as_ref(), &performance);
        Self {
            horizon,
            model_version: model_version.to_owned(),
            learned_to,
            policy,
            inputs,
            label,
            performance,
            is_alarm,
            sentence,
        }
    }
}
