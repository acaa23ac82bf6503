//! The sessions on which a tuned configuration is judged, and nothing before is.

use std::collections::BTreeMap;

use bist_models::{Horizon, Panel};
use bist_trading::{AfterCosts, Estimate};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::objective::follow_policy;
use crate::evaluation::{DailyCoefficients, FoldLayout, OutOfFold};
use crate::rank_ic::Correlation;
use crate::training::{OutOfFoldForecasts, TrainingSpec};

/// Fewest sessions of the hold-out: a year.
pub const HOLD_OUT_SESSIONS_MIN: usize = 250;

/// Of so many sessions, one is held out.
const ONE_OF: usize = 5;

/// Level of the intervals of either configuration by itself.
const LEVEL: f64 = 0.95;

/// The last fifth of the sessions, a year at least, which no trial sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldOut {
    /// Its first day.
    pub from: Date,
    /// Its sessions.
    pub sessions_count: u64,
    /// The sessions before it.
    pub tuning_sessions_count: u64,
}

/// Too few sessions to hold any out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the history has {sessions_count} sessions, of which the last {HOLD_OUT_SESSIONS_MIN} at least \
     are held out: give at least as many before them"
)]
pub struct HoldOutError {
    /// The sessions that there are.
    pub sessions_count: usize,
}

impl HoldOut {
    /// The hold-out of `panel`.
    ///
    /// # Errors
    ///
    /// [`HoldOutError`] when less than half of the sessions would be left before it.
    pub fn of(panel: &Panel) -> Result<Self, HoldOutError> {
        let mut days: Vec<Date> = panel.known.keys.iter().map(|key| key.day).collect();
        days.dedup();
        let held_count = (days.len() / ONE_OF).max(HOLD_OUT_SESSIONS_MIN);
        match days.len().checked_sub(held_count) {
            Some(begin) if begin >= held_count => Ok(Self {
                from: days[begin],
                sessions_count: held_count as u64,
                tuning_sessions_count: begin as u64,
            }),
            _ => Err(HoldOutError { sessions_count: days.len() }),
        }
    }

    /// What of `panel` may be tuned on: what was known before the hold-out began.
    pub fn tuning_panel(&self, panel: &Panel) -> Panel {
        panel.before(self.from)
    }
}

/// How one configuration did on the hold-out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HoldOutScore {
    /// Mean daily rank information coefficient with its 95 % interval by Newey and West; absent
    /// when there are too few days.
    pub rank_ic: Option<Estimate>,
    /// What buying by its signals would have earned.
    pub after_costs: Option<AfterCosts>,
}

impl HoldOutScore {
    /// Of the forecasts that `spec` made; those of days before `from` tell what they are worth.
    pub(super) fn of(forecasts: &OutOfFoldForecasts, spec: &TrainingSpec, from: Date) -> Self {
        let judged = held_out(&forecasts.records, from);
        let coefficients = coefficients(judged);
        // One block of its own: what is known of the slope is what was known when it began.
        let layouts = [FoldLayout {
            test_from: from,
            ..forecasts.layouts.last().copied().expect("there is a fold")
        }];
        let earlier = forecasts.records.len() - judged.len();
        let before = [forecasts.warm_up.as_slice(), &forecasts.records[..earlier]].concat();
        let judged: Vec<OutOfFold> =
            judged.iter().map(|record| OutOfFold { fold: 0, ..record.clone() }).collect();
        Self {
            rank_ic: coefficients.estimate(spec.horizon, LEVEL),
            after_costs: follow_policy(&before, &judged, &layouts, spec),
        }
    }
}

/// The records from `from` on, of those sorted by day.
fn held_out(records: &[OutOfFold], from: Date) -> &[OutOfFold] {
    &records[records.partition_point(|record| record.day < from)..]
}

fn coefficients(records: &[OutOfFold]) -> DailyCoefficients {
    DailyCoefficients::of(records, Correlation::Spearman, |record| record.predicted.model)
}

/// The rank coefficients of `tuned` less those of `other`, day by day from `from` on, as far as both
/// have one.
pub(super) fn daily_differences(
    tuned: &OutOfFoldForecasts,
    other: &OutOfFoldForecasts,
    from: Date,
) -> Vec<f64> {
    let of = |forecasts: &OutOfFoldForecasts| -> BTreeMap<Date, f64> {
        let coefficients = coefficients(held_out(&forecasts.records, from));
        coefficients.days.into_iter().map(|day| (day.day, day.value)).collect()
    };
    let other = of(other);
    let tuned = of(tuned).into_iter();
    tuned.filter_map(|(day, value)| Some(value - other.get(&day)?)).collect()
}

/// How far ahead labels overlap, days.
pub(super) fn overlap_days(horizon: Horizon) -> f64 {
    f64::from(horizon.sessions())
}
