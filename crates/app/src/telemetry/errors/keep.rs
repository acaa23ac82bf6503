//! Keeps errors: in the store, and at Sentry where one is configured.

use std::time::Duration;

use bist_store::{ErrorEvent, ErrorFilter, ErrorGroup, ErrorState, KeptMax, NewError, StoreError};
use tokio::sync::mpsc;

use super::WAITING_MAX;
use crate::App;
use crate::telemetry::sentry::SentryLink;

/// How much is kept of errors, of each kind.
const KEPT: KeptMax = KeptMax { groups_max: 1_000, events_max: 20 };

/// The wait before an error is kept again when the database did not take it.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How often that is tried; errors of a database that is away for longer go to Sentry alone.
const TRIES_MAX: u32 = 30;

/// Events that wait for Sentry.
const WAITING_FOR_SENTRY_MAX: usize = 64;

impl App {
    /// Keeps errors until their queue is closed, and what waits then. While the database is away they
    /// still go to Sentry, and while Sentry is away they are still kept.
    pub async fn keep_errors(&self) {
        let (outbox, parcels) = mpsc::channel(WAITING_FOR_SENTRY_MAX);
        let (to_store, mut stored) = mpsc::channel::<NewError>(WAITING_MAX);
        let hand_on = async move {
            let mut link = SentryLink::new(self, outbox);
            let queue = self.telemetry.errors();
            while let Some(error) = queue.next().await {
                link.send(&error).await;
                if to_store.try_send(error).is_err() {
                    queue.note_dropped();
                }
            }
        };
        let keep = async {
            while let Some(error) = stored.recv().await {
                self.keep_error(&error).await;
            }
        };
        tokio::join!(hand_on, keep, self.deliver_to_sentry(parcels));
    }

    async fn keep_error(&self, error: &NewError) {
        for attempt in 1..=TRIES_MAX {
            match self.store.keep_error(error, KEPT).await {
                Ok(()) => return,
                Err(problem) if attempt == TRIES_MAX => {
                    self.telemetry.errors().note_dropped();
                    tracing::warn!(error = %problem, "an error could not be kept: {problem}");
                }
                Err(_) => tokio::time::sleep(AGAIN_AFTER).await,
            }
        }
    }

    /// The groups of errors that `filter` wants, at most `limit`, the one that happened last first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn error_groups(
        &self,
        filter: &ErrorFilter,
        limit: u32,
    ) -> Result<Vec<ErrorGroup>, StoreError> {
        self.store.error_groups(filter, limit).await
    }

    /// The group `id` and what is kept of it, the newest first; `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn error_group(
        &self,
        id: &str,
    ) -> Result<Option<(ErrorGroup, Vec<ErrorEvent>)>, StoreError> {
        let Some(group) = self.store.error_group(id).await? else { return Ok(None) };
        let events = self.store.error_events(id).await?;
        Ok(Some((group, events)))
    }

    /// Puts the group `id` into `state`, on record; the group as it is then, `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or nothing can be put on record.
    pub async fn set_error_state(
        &self,
        id: &str,
        state: ErrorState,
    ) -> Result<Option<ErrorGroup>, StoreError> {
        self.store.set_error_state(id, state, &self.audit().await?).await
    }
}
