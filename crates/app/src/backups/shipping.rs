//! Shipping the log of SQLite every some seconds, so that less than a minute of what was written is lost.

use std::collections::BTreeSet;
use std::pin::pin;

use bist_store::backup::LOG_FOLDED_ABOVE_BYTES;
use bist_store::{LogFollower, LogPlan, Ticked};
use jiff::SignedDuration;
use tokio::time::MissedTickBehavior;

use super::trouble::Trouble;
use super::{BackupError, BackupsError};
use crate::health::Condition;
use crate::{App, blocking};

/// What may be lost when the machine is.
const AGE_MAX: SignedDuration = SignedDuration::from_secs(60);

/// What is kept from one look to the next.
#[derive(Debug, Default)]
struct Shipping {
    follower: Option<LogFollower>,
    /// The pieces of which the bucket has a copy, once it was asked.
    copied: Option<BTreeSet<String>>,
    /// How shipping fails, and copying.
    not_shipped: Trouble,
    not_copied: Trouble,
}

impl App {
    /// Ships the log until `ended` is over, and then what was written to the end. Nothing is done where
    /// it is not to be shipped.
    pub async fn ship_log(&self, ended: impl Future<Output = ()> + Send) {
        let Some(every) = self.backups.ship_every else { return };
        let mut looks = tokio::time::interval(every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ended = pin!(ended);
        let mut shipping = Shipping::default();
        loop {
            let is_last = tokio::select! {
                () = &mut ended => true,
                _ = looks.tick() => false,
            };
            match self.ship_once(&mut shipping).await {
                Ok(ticked) => {
                    if let Some(failed_for) = shipping.not_shipped.end(self.now()) {
                        let seconds = failed_for.as_secs();
                        tracing::warn!("the log is shipped again, and was not for {seconds} s");
                    }
                    self.copy_and_tell(&mut shipping, ticked).await;
                }
                Err(error) => {
                    let error = error.to_string();
                    if shipping.not_shipped.is_news(&error, self.now()) {
                        tracing::error!(%error, "the log could not be shipped: {error}");
                    }
                }
            }
            if is_last {
                break;
            }
        }
        if let Some(follower) = shipping.follower {
            follower.close().await;
        }
    }

    async fn ship_once(&self, shipping: &mut Shipping) -> Result<Ticked, BackupsError> {
        let follower = match shipping.follower.take() {
            Some(follower) => follower,
            None => {
                let recipients = self.backups.recipients.clone();
                let plan = LogPlan {
                    folder: self.backup_folder(),
                    recipients: recipients.ok_or(BackupsError::NoRecipient)?,
                    configuration: self.backups.configuration.clone(),
                    folded_above_bytes: LOG_FOLDED_ABOVE_BYTES,
                };
                self.store.follow_log(plan, self.clock()).await?
            }
        };
        Ok(shipping.follower.insert(follower).tick().await?)
    }

    /// Copies what was shipped, and tells of a failure.
    async fn copy_and_tell(&self, shipping: &mut Shipping, ticked: Ticked) {
        match self.copy_log(shipping, ticked).await {
            Ok(()) => {
                if let Some(failed_for) = shipping.not_copied.end(self.now()) {
                    let seconds = failed_for.as_secs();
                    tracing::warn!("the shipped log is copied again, and was not for {seconds} s");
                }
            }
            Err(error) => {
                let error = error.to_string();
                if shipping.not_copied.is_news(&error, self.now()) {
                    tracing::warn!(%error, "the shipped log could not be copied: {error}");
                }
            }
        }
    }

    /// Copies the pieces to the bucket that are not there yet. What it does not take now is tried with the
    /// next look.
    async fn copy_log(&self, shipping: &mut Shipping, ticked: Ticked) -> Result<(), BackupError> {
        let Some(bucket) = &self.backup_copies else { return Ok(()) };
        let mut there = match shipping.copied.take() {
            Some(there) => there,
            None => bucket.log_pieces().await?,
        };
        let put = bucket.put_log_pieces(&self.backup_folder(), &mut there).await;
        let removed = match ticked {
            Ticked::Begun => bucket.remove_old_logs(&mut there, self.now()).await,
            Ticked::Shipped | Ticked::Nothing => Ok(()),
        };
        shipping.copied = Some(there);
        put?;
        Ok(removed?)
    }

    /// How old what can be restored is; `None` where the log is not shipped.
    pub(crate) async fn recovery_point(&self) -> Option<Result<(Condition, String), BackupError>> {
        self.backups.ship_every?;
        let folder = self.backup_folder();
        let looked_at = match blocking(move || folder.log_looked_at()).await {
            Ok(looked_at) => looked_at,
            Err(error) => return Some(Err(error)),
        };
        let age = looked_at.map(|looked_at| self.now().duration_since(looked_at));
        Some(Ok(match age {
            None => (Condition::Degraded, "no log was shipped yet".to_owned()),
            Some(age) => {
                let condition = if age > AGE_MAX { Condition::Degraded } else { Condition::Well };
                let seconds = age.as_secs().max(0);
                (condition, format!("everything up to {seconds} s ago can be restored"))
            }
        }))
    }
}
