//! Copies of backups in a bucket of an S3-compatible object store.

use std::collections::BTreeSet;

use bist_market::breaker::BreakerState;

use super::error::BackupError;
use super::folder::{BackupFolder, is_name};
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

    /// Whether the bucket is being asked.
    pub fn state(&self) -> BreakerState {
        self.0.state()
    }
}
