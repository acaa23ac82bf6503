//! Writing down what was counted and noted, and removing what was kept long enough.

use std::time::Duration;

use bist_store::{Resolution, StoreError, UsageRow};
use jiff::{SignedDuration, Timestamp};
use tokio::time::MissedTickBehavior;

use super::settings::days_before;
use crate::App;

/// How often what was counted is written down: no more than that is lost when the process is killed.
pub const FLUSH_EVERY: Duration = Duration::from_secs(10);

/// How long who looks at counts waits for the newest of them to be written down.
const READERS_WAIT_MAX: Duration = Duration::from_secs(1);

/// Activities that are kept; the oldest go, whatever their time. Some hundred bytes each.
const ACTIVITIES_MAX: u32 = 5_000_000;

/// How often it is looked what was kept long enough.
const REMOVE_EVERY: SignedDuration = SignedDuration::from_hours(1);

impl App {
    /// Writes down what this process has counted and noted; it goes to its end also where who waits for
    /// it goes away.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; what was counted is then written down the next time.
    ///
    /// # Panics
    ///
    /// When the writing does.
    pub async fn flush_telemetry(&self) -> Result<(), StoreError> {
        let app = self.clone();
        let writing = tokio::spawn(async move { app.write_telemetry().await });
        writing.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    /// Writes down what this process has counted and noted for somebody who looks at it. What cannot be
    /// written down in a second is missing there and written later: a database that only reads, or that
    /// others write to, still tells what is in it.
    pub(crate) async fn flush_for_reading(&self) {
        match tokio::time::timeout(READERS_WAIT_MAX, self.flush_telemetry()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(
                %error,
                "the newest counts are missing in an answer: {error}"
            ),
            Err(_) => tracing::warn!(
                error = "it takes too long",
                "the newest counts are missing in an answer: it takes too long"
            ),
        }
    }

    /// Writes down what is counted and noted every few seconds, and removes what was kept long enough,
    /// until it is dropped. What was counted last is written by [`App::flush_telemetry`] afterwards.
    pub async fn keep_telemetry(&self) {
        let mut ticks = tokio::time::interval(FLUSH_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut removed_at = Timestamp::MIN;
        loop {
            ticks.tick().await;
            if let Err(error) = self.flush_telemetry().await {
                tracing::warn!(
                    %error,
                    "what was counted is not written down yet: {error}"
                );
                continue;
            }
            let now = self.now();
            if now.duration_since(removed_at) < REMOVE_EVERY {
                continue;
            }
            match self.remove_old_telemetry().await {
                Ok(_) => removed_at = now,
                Err(error) => tracing::warn!(
                    %error,
                    "what was counted long ago is not removed yet: {error}"
                ),
            }
        }
    }

    /// Removes what was counted and noted so long ago that it is not kept any more; how many rows those
    /// were.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn remove_old_telemetry(&self) -> Result<u64, StoreError> {
        let (settings, now) = (self.telemetry_settings, self.now());
        let mut removed_count = 0;
        for resolution in Resolution::ALL {
            let oldest = settings.usage_kept_from(resolution, now);
            removed_count += self.store.remove_old_usage(resolution, oldest).await?;
        }
        let oldest = |days| days_before(now, days);
        let views_from = oldest(settings.views_kept_days);
        let exports_from = oldest(settings.exports_kept_days);
        let sign_ins_from = oldest(settings.sign_ins_kept_days);
        let removed = self
            .store
            .remove_old_activities(views_from, exports_from, sign_ins_from, ACTIVITIES_MAX)
            .await?;
        Ok(removed_count + removed)
    }

    /// Writes down what is held, one writing after the other.
    async fn write_telemetry(&self) -> Result<(), StoreError> {
        let telemetry = &self.telemetry;
        let _alone = telemetry.writing.lock().await;
        telemetry.count();
        let usage = telemetry.usage();
        let (counted, noted) = (usage.take(), telemetry.activities.take());
        if counted.is_empty() && noted.is_empty() {
            return Ok(());
        }
        let rows: Vec<UsageRow> =
            counted.iter().map(|(counting, counts)| counting.row(counts)).collect();
        let written = self.store.add_usage(&rows, &noted).await;
        if written.is_err() {
            usage.put_back(counted);
            telemetry.activities.put_back(noted);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bist_market::FixedClock;
    use bist_market::validate::ValidationPolicy;

    use super::*;
    use crate::telemetry::Answered;
    use crate::telemetry::usage::UsageBy;

    #[tokio::test]
    async fn who_looks_at_counts_does_not_wait_for_who_cannot_write_them() {
        let folder = tempfile::TempDir::new().unwrap();
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let policy = ValidationPolicy::default();
        let app = App::open(folder.path(), Arc::new(FixedClock(now)), policy).await.unwrap();
        app.telemetry.answered(Answered {
            method: "GET",
            route: Some("/a".into()),
            status: 200,
            took: Duration::from_millis(1),
            at: now,
            caller: None,
            problem_code: None,
            limit_class: None,
            request_id: "r".into(),
        });
        let hour = SignedDuration::from_hours(1);
        let asked = (now - hour, now + hour);
        let count = async || {
            let usage = app.api_usage(UsageBy::Route, asked).await.unwrap();
            usage.total.requests_count()
        };
        let held = app.telemetry.writing.lock().await;
        assert_eq!(count().await, 0);
        drop(held);
        assert_eq!(count().await, 1);
    }
}
