//! Copies of backups in a bucket of an S3-compatible object store.

use std::collections::BTreeSet;

use bist_market::breaker::BreakerState;
use jiff::Timestamp;

use super::error::BackupError;
use super::folder::{BackupFolder, is_name};
use super::log::{LOGS, expired, generation_in};
use crate::artifacts::on_disk;
use crate::bucket::{Bucket, BucketError, BucketSettings, Keys};

/// A place in a bucket where copies of backups are. Cloning is cheap and shares the connections.
#[derive(Clone, Debug)]
pub struct BackupBucket(Bucket);

impl BackupBucket {
    /// The place that `settings` name.
    ///
    /// # Errors
    ///
    /// [`BucketError`] when no client can be made; nothing is asked of the network yet.
    pub fn new(settings: &BucketSettings, keys: &Keys) -> Result<Self, BucketError> {
        Ok(Self(Bucket::new(settings, keys)?))
    }

    /// The names of the backups of which there is a copy.
    ///
    /// # Errors
    ///
    /// [`BucketError`] when the bucket cannot be asked.
    pub async fn names(&self) -> Result<BTreeSet<String>, BucketError> {
        Ok(self.0.names().await?.into_iter().filter(|name| is_name(name)).collect())
    }

    /// Copies the backup `name` of `folder`.
    ///
    /// # Errors
    ///
    /// [`BackupError::NoSuchBackup`] and [`BackupError::Bucket`]; no half copy is there then.
    pub async fn put(&self, folder: &BackupFolder, name: &str) -> Result<(), BackupError> {
        Ok(self.0.put_file(name, &folder.file_of(name)?).await?)
    }

    /// Removes the copy of the backup `name`.
    ///
    /// # Errors
    ///
    /// [`BucketError`] when the bucket does not do it.
    pub async fn remove(&self, name: &str) -> Result<(), BucketError> {
        self.0.remove(name).await
    }

    /// The names of the pieces of shipped logs of which there is a copy.
    ///
    /// # Errors
    ///
    /// [`BucketError`] when the bucket cannot be asked.
    pub async fn log_pieces(&self) -> Result<BTreeSet<String>, BucketError> {
        let names = self.0.names_below(LOGS).await?;
        Ok(names.into_iter().filter(|name| generation_in(name).is_some()).collect())
    }

    /// Copies the pieces of shipped logs of `folder` that are not `there`, the oldest first, and adds them.
    ///
    /// # Errors
    ///
    /// [`BackupError`] when the bucket does not take one; those that it took are there.
    pub async fn put_log_pieces(
        &self,
        folder: &BackupFolder,
        there: &mut BTreeSet<String>,
    ) -> Result<(), BackupError> {
        let folder = folder.clone();
        for (name, path) in on_disk(move || folder.log_pieces()).await? {
            if !there.contains(&name) {
                self.0.put_file(&name, &path).await?;
                there.insert(name);
            }
        }
        Ok(())
    }

    /// Removes the copies of the generations that are not to be kept at `now`, which are `there` no more.
    ///
    /// # Errors
    ///
    /// [`BucketError`] when the bucket does not do it.
    pub async fn remove_old_logs(
        &self,
        there: &mut BTreeSet<String>,
        now: Timestamp,
    ) -> Result<(), BucketError> {
        let generations = there.iter().filter_map(|name| generation_in(name)).map(str::to_owned);
        let generations: BTreeSet<String> = generations.collect();
        let old = expired(generations.into_iter().collect(), now);
        let is_old = |name: &&String| {
            generation_in(name).is_some_and(|generation| old.iter().any(|old| old == generation))
        };
        let names: Vec<String> = there.iter().filter(is_old).cloned().collect();
        for name in names {
            self.0.remove(&name).await?;
            there.remove(&name);
        }
        Ok(())
    }

    /// Whether the bucket is being asked.
    pub fn state(&self) -> BreakerState {
        self.0.state()
    }
}
