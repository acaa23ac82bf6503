//! The limiter, breakers, the database, jobs, backups, and people.

use std::collections::BTreeMap;

use bist_access::{Account, AccountState, Class, KeyState, Role};
use bist_market::breaker::BreakerState;
use bist_store::jobs::PART_SUFFIX;
use bist_store::{ErrorKind, JobTally};

use super::super::readings::{Readings, number, seconds};
use super::Cause;
use crate::App;
use crate::jobs::{Job, job_of};
use crate::rate_limits::RateLimits;
use crate::telemetry::errors::SentryOutcome;

impl App {
    /// What is known without asking anybody.
    pub(super) fn service_readings(&self, limits: &RateLimits) -> Readings {
        let mut told = Readings::default();
        for class in Class::ALL {
            let (allowed, refused) = limits.decided(class);
            let name = "bist_rate_limit_decisions_total";
            told.tell(name, [class.as_str(), "allowed"], number(allowed));
            told.tell(name, [class.as_str(), "refused"], number(refused));
        }
        if let Some(is_shared) = limits.is_shared_now() {
            told.tell_fact("bist_rate_limit_shared", [], is_shared);
        }
        // A source may be asked for bars and for prices of this moment, by a breaker each.
        let mut breakers: BTreeMap<String, usize> = BTreeMap::new();
        for part in self.outside() {
            let worst = breakers.entry(part.name).or_default();
            *worst = place_of(&part.breaker).max(*worst);
        }
        for (target, place) in breakers {
            for (index, state) in BREAKER_STATES.into_iter().enumerate() {
                told.tell_fact("bist_breaker_state", [&target, state], index == place);
            }
        }
        let errors = self.telemetry.errors().counts();
        for kind in ErrorKind::ALL {
            let count = number(errors.errors(*kind));
            told.tell("bist_errors_total", [kind.as_str()], count);
        }
        for outcome in SentryOutcome::ALL {
            let count = number(errors.sentry_events(outcome));
            told.tell("bist_sentry_events_total", [outcome.as_str()], count);
        }
        let dropped = [
            ("errors", errors.dropped()),
            ("activity", self.telemetry.activities().dropped_count()),
            ("usage", self.telemetry.usage().others_count()),
        ];
        for (part, count) in dropped {
            told.tell("bist_telemetry_dropped_total", [part], number(count));
        }
        for pool in self.store.pools() {
            let name = "bist_database_connections";
            told.tell(name, [pool.name, "used"], number(pool.used_count));
            told.tell(name, [pool.name, "idle"], number(pool.idle_count));
        }
        told
    }

    pub(super) async fn database_readings(&self) -> Result<Readings, Cause> {
        let mut told = Readings::default();
        let size_bytes = self.store.size_bytes().await?;
        told.tell("bist_database_size_bytes", [], number(size_bytes));
        Ok(told)
    }

    pub(super) async fn jobs_readings(&self) -> Result<Readings, Cause> {
        let mut told = Readings::default();
        let tallies: BTreeMap<String, JobTally> =
            (self.store.job_tallies().await?.into_iter()).map(|of| (of.name.clone(), of)).collect();
        let parts =
            [Job::Retraining, Job::Tuning].map(|job| format!("{}{PART_SUFFIX}", job.as_str()));
        let names = Job::ALL.iter().map(|job| job.as_str().to_owned()).chain(parts);
        for name in names {
            let tally = tallies.get(&name);
            let waiting_count = tally.map_or(0, |tally| tally.waiting_count);
            let running_count = tally.map_or(0, |tally| tally.running_count);
            told.tell("bist_jobs_waiting", [&name], number(waiting_count));
            told.tell("bist_jobs_running", [&name], number(running_count));
            let is_run = job_of(&name) == name;
            if let Some(at) = tally.and_then(|tally| tally.last_done_at).filter(|_| is_run) {
                told.tell("bist_job_last_success_timestamp_seconds", [&name], seconds(at));
            }
        }
        Ok(told)
    }

    pub(super) async fn backups_readings(&self) -> Result<Readings, Cause> {
        let mut told = Readings::default();
        let state = self.backups_state().await?;
        if let Some(newest) = state.backups.first() {
            let at = seconds(newest.created_at);
            told.tell("bist_backup_last_success_timestamp_seconds", [], at);
            told.tell("bist_backup_size_bytes", [], number(newest.size_bytes));
        }
        let notes = state.backups.iter().filter_map(|backup| backup.note.as_ref());
        if let Some(at) = notes.filter_map(|note| note.verified_at).max() {
            told.tell("bist_backup_last_verified_timestamp_seconds", [], seconds(at));
        }
        if state.is_enabled {
            told.tell_fact("bist_backup_overdue", [], state.is_overdue);
        }
        Ok(told)
    }

    pub(super) async fn people_readings(&self) -> Result<Readings, Cause> {
        let (mut told, now) = (Readings::default(), self.now());
        let accounts = self.store.accounts().await?;
        for role in Role::ALL {
            let is_one =
                |account: &&Account| account.role == role && account.state == AccountState::Active;
            let count = accounts.iter().filter(is_one).count() as u64;
            told.tell("bist_users", [role.as_str()], number(count));
        }
        let sessions = self.store.recent_sessions(now).await?;
        let in_force = sessions.iter().filter(|(session, account)| !session.is_over(account, now));
        told.tell("bist_sessions_active", [], number(in_force.count() as u64));
        let (mut active, mut ending, mut ended) = (0, 0, 0);
        for key in self.store.api_keys(None).await? {
            match key.state(now) {
                KeyState::Active if !key.ends_soon(now) => active += 1,
                KeyState::Active | KeyState::Grace => ending += 1,
                KeyState::Expired | KeyState::Revoked => ended += 1,
            }
        }
        for (state, count) in [("active", active), ("ending", ending), ("ended", ended)] {
            told.tell("bist_api_keys", [state], number(count));
        }
        let records_count = self.store.audit_head().await?.map_or(0, |head| head.records_count);
        told.tell("bist_audit_records", [], number(records_count));
        Ok(told)
    }
}

/// The states of breakers, the best first.
const BREAKER_STATES: [&str; 3] = ["closed", "half_open", "open"];

/// The place of a state among them.
const fn place_of(breaker: &BreakerState) -> usize {
    match breaker {
        BreakerState::Closed { .. } => 0,
        BreakerState::HalfOpen => 1,
        BreakerState::Open { .. } => 2,
    }
}
