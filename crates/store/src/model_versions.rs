//! Model versions, and the artefacts that belong to them.

use std::io::Write as _;
use std::path::PathBuf;

use bist_lifecycle::Horizon;
use bist_lifecycle::model_version::{ModelState, ModelVersion};

use crate::columns::{document, json};
use crate::error::StoreError;
use crate::pool::Store;

/// Folder of the artefacts in the data directory.
const ARTIFACTS: &str = "models";

impl Store {
    /// Keeps `champions`, each with its artefact, and puts them in force, all or none; the champions
    /// before them for the same horizons retire.
    ///
    /// The artefacts are on disk before the versions are, so that a version never lacks its own.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when an artefact or the database cannot be written; the champions are then the
    /// ones before.
    pub async fn save_champions(
        &self,
        champions: &[(ModelVersion, Vec<u8>)],
    ) -> Result<(), StoreError> {
        for (version, artifact) in champions {
            self.write_artifact(version, artifact)?;
        }
        let mut transaction = self.writer.begin().await?;
        for (version, _) in champions {
            let horizon = version.evaluation.horizon.to_string();
            let before: Vec<ModelVersion> = sqlx::query(
                "SELECT document FROM model_versions
                 WHERE state = $1 AND horizon = $2 AND id <> $3",
            )
            .bind(ModelState::Champion.as_str())
            .bind(&horizon)
            .bind(&version.id)
            .fetch_all(&mut *transaction)
            .await?
            .iter()
            .map(|row| document("model version", row))
            .collect::<Result<_, _>>()?;
            let retired = before
                .into_iter()
                .map(|former| ModelVersion { state: ModelState::Retired, ..former });
            let champion = ModelVersion { state: ModelState::Champion, ..version.clone() };
            for version in retired.chain([champion]) {
                sqlx::query(
                    "INSERT INTO model_versions
                         (id, state, origin, horizon, trained_at_us, document)
                     VALUES ($1, $2, $3, $4, $5, $6)
                     ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state,
                         trained_at_us = EXCLUDED.trained_at_us, document = EXCLUDED.document",
                )
                .bind(&version.id)
                .bind(version.state.as_str())
                .bind(version.origin.as_str())
                .bind(&horizon)
                .bind(version.trained_at.as_microsecond())
                .bind(json("model version", &version)?)
                .execute(&mut *transaction)
                .await?;
            }
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Keeps `version` with its artefact as a candidate; nothing else changes. A version of that name
    /// that is there already stays as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the artefact or the database cannot be written.
    pub async fn save_candidate(
        &self,
        version: &ModelVersion,
        artifact: &[u8],
    ) -> Result<(), StoreError> {
        self.write_artifact(version, artifact)?;
        let candidate = ModelVersion { state: ModelState::Candidate, ..version.clone() };
        sqlx::query(
            "INSERT INTO model_versions (id, state, origin, horizon, trained_at_us, document)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(&candidate.id)
        .bind(candidate.state.as_str())
        .bind(candidate.origin.as_str())
        .bind(candidate.evaluation.horizon.to_string())
        .bind(candidate.trained_at.as_microsecond())
        .bind(json("model version", &candidate)?)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// All versions, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn model_versions(&self) -> Result<Vec<ModelVersion>, StoreError> {
        sqlx::query("SELECT document FROM model_versions ORDER BY trained_at_us DESC, id")
            .fetch_all(&self.reader)
            .await?
            .iter()
            .map(|row| document("model version", row))
            .collect()
    }

    /// The version in force for `horizon`, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn champion(&self, horizon: Horizon) -> Result<Option<ModelVersion>, StoreError> {
        sqlx::query("SELECT document FROM model_versions WHERE state = $1 AND horizon = $2")
            .bind(ModelState::Champion.as_str())
            .bind(horizon.to_string())
            .fetch_optional(&self.reader)
            .await?
            .as_ref()
            .map(|row| document("model version", row))
            .transpose()
    }

    /// The bytes of the artefact of `version`, as they lie on disk; the caller checks their hash.
    ///
    /// # Errors
    ///
    /// [`StoreError::Artifact`] when the file cannot be read.
    pub fn artifact(&self, version: &ModelVersion) -> Result<Vec<u8>, StoreError> {
        let path = self.artifact_path(version);
        std::fs::read(&path).map_err(|source| StoreError::Artifact { path, source })
    }

    fn artifact_path(&self, version: &ModelVersion) -> PathBuf {
        self.directory().join(ARTIFACTS).join(format!("{}.json", version.artifact_sha256))
    }

    /// Writes the artefact whole or not at all.
    fn write_artifact(&self, version: &ModelVersion, artifact: &[u8]) -> Result<(), StoreError> {
        let path = self.artifact_path(version);
        let part = path.with_extension("part");
        let write = || {
            std::fs::create_dir_all(self.directory().join(ARTIFACTS))?;
            let mut file = std::fs::File::create(&part)?;
            file.write_all(artifact)?;
            file.sync_all()?;
            std::fs::rename(&part, &path)
        };
        write().map_err(|source| StoreError::Artifact { path, source })
    }
}
