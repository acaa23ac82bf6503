//! Retraining: models are trained anew, and a rule that was declared before decides what takes over.
//!
//! Due at 03:00 Istanbul time of the day after a session, when the sources have had time to correct
//! themselves; a missed run is made up, and anybody may ask for one. Whatever fails, the champions
//! stay, the run says what it was, and is begun again.

mod stages;

use std::sync::Arc;

use bist_lifecycle::retraining::RetrainingRule;
use bist_lifecycle::{HORIZONS, HORIZONS_HOURLY};
use bist_market::bar::istanbul;
use bist_market::calendar::{Calendar, DayKind};
use bist_models::Horizon;
use bist_store::{ClaimedJob, JobRun, StoreError};
use jiff::Timestamp;
use jiff::civil::{Date, Time, time};
use serde::{Deserialize, Serialize};

use crate::jobs::{Attended, plan_of};
use crate::progress::ProgressSink;
use crate::{App, due};

pub(crate) use stages::TrainingPart;

/// Local time of the run, on the day after a session.
const AT: Time = time(3, 0, 0, 0);

/// Seed of the runs that nobody gave another.
pub const SEED_DEFAULT: u64 = 7;

/// What a run is to do, put down before it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrainingPlan {
    /// For which horizons models are trained; empty for those that have a champion when the run
    /// begins, or for all of daily bars when none has.
    pub horizons: Vec<Horizon>,
    /// Seed of everything random.
    pub seed: u64,
    /// What decides.
    pub rule: RetrainingRule,
    /// Its fingerprint: a rule that was changed afterwards is refused.
    pub rule_sha256: String,
}

impl RetrainingPlan {
    /// For `horizons`, decided by the rule that we stand by.
    pub fn of(horizons: Vec<Horizon>, seed: u64) -> Self {
        let rule = RetrainingRule::default();
        Self { horizons, seed, rule_sha256: rule.sha256(), rule }
    }
}

impl App {
    /// The retraining that is due: when it was, and what it is to do. None is before there is a model,
    /// nor when all have been trained since.
    pub(crate) async fn retraining_due(
        &self,
    ) -> Result<Option<(Timestamp, RetrainingPlan)>, StoreError> {
        if !self.retraining_enabled {
            return Ok(None);
        }
        let Some(due_at) = last_due(self.now(), Calendar::bist()) else { return Ok(None) };
        let horizons = HORIZONS.iter().chain(&HORIZONS_HOURLY);
        for horizon in horizons {
            let champion = self.store.champion(*horizon).await?;
            if champion.is_some_and(|champion| champion.trained_at < due_at) {
                return Ok(Some((due_at, RetrainingPlan::of(Vec::new(), SEED_DEFAULT))));
            }
        }
        Ok(None)
    }

    /// Does the retraining `run`, and notes what became of it.
    pub(crate) async fn do_retraining(
        &self,
        run: ClaimedJob,
        progress: Arc<ProgressSink>,
    ) -> Result<JobRun, StoreError> {
        let plan: RetrainingPlan = plan_of(&run.plan)?;
        let horizons = self.horizons_of(&plan).await?;
        let attended: Attended<'_> = self.attend(run, stages::names(), progress).await?;
        let outcome = attended.watch(Box::pin(self.retrain(&attended, &plan, &horizons))).await;
        attended.finish(outcome).await
    }

    /// The horizons that a run by `plan` trains for.
    async fn horizons_of(&self, plan: &RetrainingPlan) -> Result<Vec<Horizon>, StoreError> {
        if !plan.horizons.is_empty() {
            return Ok(plan.horizons.clone());
        }
        let horizons = self.champion_horizons().await?;
        Ok(if horizons.is_empty() { HORIZONS.to_vec() } else { horizons })
    }

    /// The horizons that have a champion.
    async fn champion_horizons(&self) -> Result<Vec<Horizon>, StoreError> {
        let mut horizons = Vec::new();
        for &horizon in HORIZONS.iter().chain(&HORIZONS_HOURLY) {
            if self.store.champion(horizon).await?.is_some() {
                horizons.push(horizon);
            }
        }
        Ok(horizons)
    }
}

/// When models are trained anew on `day`; `None` when the day before had no session, or the calendar
/// does not know.
pub fn due_at(day: Date, calendar: &Calendar) -> Option<Timestamp> {
    let before = day.yesterday().ok()?;
    let DayKind::Session { .. } = calendar.day(before) else { return None };
    istanbul().to_timestamp(day.to_datetime(AT)).ok()
}

/// The newest run that is due at `now`.
pub fn last_due(now: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    due::last(now, |day| due_at(day, calendar)).map(|(_, due)| due)
}

/// The first run after `now`.
pub fn next_due(now: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    due::next(now, |day| due_at(day, calendar))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(now: &str, last: &str, next: &str) {
        let (calendar, now) = (Calendar::bist(), now.parse().unwrap());
        assert_eq!(last_due(now, calendar).unwrap().to_string(), last, "last at {now}");
        assert_eq!(next_due(now, calendar).unwrap().to_string(), next, "next at {now}");
    }

    #[test]
    fn a_run_is_at_three_in_the_night_after_each_session() {
        // A Tuesday, a second before and at three in Istanbul.
        check("2026-11-23T23:59:59Z", "2026-11-21T00:00:00Z", "2026-11-24T00:00:00Z");
        check("2026-11-24T00:00:00Z", "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z");
    }

    #[test]
    fn after_a_holiday_there_is_none() {
        // 28 October 2026 is a half day, the 29th a holiday, the 30th a Friday.
        check("2026-10-30T12:00:00Z", "2026-10-29T00:00:00Z", "2026-10-31T00:00:00Z");
        check("2026-11-02T12:00:00Z", "2026-10-31T00:00:00Z", "2026-11-03T00:00:00Z");
    }

    #[test]
    fn summer_time_before_2016_moves_the_instant_not_the_clock() {
        check("2015-07-02T12:00:00Z", "2015-07-02T00:00:00Z", "2015-07-03T00:00:00Z");
        check("2015-01-06T12:00:00Z", "2015-01-06T01:00:00Z", "2015-01-07T01:00:00Z");
    }
}
