//! The artefacts of model versions: files named after the SHA-256 of their bytes.
//!
//! They lie in the data directory and, where one is configured, in an object store too. There the
//! artefact is what another machine, or a data directory that lost its copy, gets it back from.

use std::path::PathBuf;

use bist_lifecycle::model_version::ModelVersion;
use bist_market::breaker::BreakerState;

use crate::bucket::{Bucket, BucketSettings, Keys};
use crate::error::StoreError;
use crate::pool::Store;
use crate::whole_file::{Existing, write_whole};

/// Folder of the artefacts in the data directory, and below the prefix of the bucket.
const FOLDER: &str = "models";

/// The largest artefact that is taken in from outside, bytes; true ones have a few million.
pub const ARTIFACT_BYTES_MAX: u64 = 256 << 20;

impl Store {
    /// The same with an object store that keeps artefacts beside the data directory.
    ///
    /// # Errors
    ///
    /// [`StoreError::Bucket`] when no client can be made; nothing is asked of the network yet.
    pub fn with_bucket(
        mut self,
        settings: &BucketSettings,
        keys: &Keys,
    ) -> Result<Self, StoreError> {
        self.bucket = Some(Bucket::new(settings, keys)?);
        Ok(self)
    }

    /// Whether the object store is being asked; `None` without one.
    pub fn bucket_state(&self) -> Option<BreakerState> {
        self.bucket.as_ref().map(Bucket::state)
    }

    /// The bytes of the artefact of `version`, which are the ones that it was trained to.
    ///
    /// The copy in the data directory is taken when it is right. Otherwise the one in the bucket is,
    /// and takes its place.
    ///
    /// # Errors
    ///
    /// [`StoreError::Artifact`] or [`StoreError::ArtifactChanged`] when the file is not there or is
    /// another one and there is no bucket, [`StoreError::ObjectAway`] when the bucket does not give it
    /// either, and [`StoreError::ObjectChanged`] when what it gives is another one.
    pub async fn artifact(&self, version: &ModelVersion) -> Result<Vec<u8>, StoreError> {
        let local = match self.local_artifact(version).await {
            Ok(bytes) => return Ok(bytes),
            Err(error) => error,
        };
        let Some(bucket) = &self.bucket else { return Err(local) };
        let name = object_name(version);
        let bytes = bucket.get(&name, ARTIFACT_BYTES_MAX).await;
        let bytes =
            bytes.map_err(|error| StoreError::ObjectAway { error, local: Box::new(local) })?;
        if !version.owns(&bytes) {
            let object = bucket.address(&name);
            return Err(StoreError::ObjectChanged { id: version.id.clone(), object });
        }
        self.write_local_artifact(version, bytes.clone()).await?;
        Ok(bytes)
    }

    /// Keeps `artifact`, the bytes of `version`: when this returns they are on the disk, and in the
    /// bucket if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when one of them cannot be written.
    pub async fn keep_artifact(
        &self,
        version: &ModelVersion,
        artifact: &[u8],
    ) -> Result<(), StoreError> {
        self.write_local_artifact(version, artifact.to_vec()).await?;
        if let Some(bucket) = &self.bucket {
            bucket.put_once(&object_name(version), artifact).await?;
        }
        Ok(())
    }

    async fn local_artifact(&self, version: &ModelVersion) -> Result<Vec<u8>, StoreError> {
        let (path, version) = (self.artifact_path(version), version.clone());
        on_disk(move || match std::fs::read(&path) {
            Ok(bytes) if version.owns(&bytes) => Ok(bytes),
            Ok(_) => Err(StoreError::ArtifactChanged { id: version.id, path }),
            Err(source) => Err(StoreError::Artifact { path, source }),
        })
        .await
    }

    async fn write_local_artifact(
        &self,
        version: &ModelVersion,
        artifact: Vec<u8>,
    ) -> Result<(), StoreError> {
        let (folder, path) = (self.directory().join(FOLDER), self.artifact_path(version));
        on_disk(move || {
            let written = std::fs::create_dir_all(folder).and_then(|()| {
                write_whole(&path, Existing::Replace, |file| file.write_all(&artifact))
            });
            written.map_err(|source| StoreError::Artifact { path, source })
        })
        .await
    }

    pub(crate) fn artifact_path(&self, version: &ModelVersion) -> PathBuf {
        self.directory().join(FOLDER).join(format!("{}.json", version.artifact_sha256))
    }
}

/// The object of the artefact below the prefix of the bucket.
fn object_name(version: &ModelVersion) -> String {
    format!("{FOLDER}/{}.json", version.artifact_sha256)
}

/// Runs `work` on a thread that may wait for the disk.
pub(crate) async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
