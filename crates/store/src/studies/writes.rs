//! Making, changing and removing studies, and the lock that every change begins with.

use bist_lifecycle::study::{StudyDirection, StudyId, StudyStorageError};
use serde_json::Value;

use super::AttributeKind;
use crate::columns::{impossible, json};
use crate::db::{Connection, query};
use crate::error::StoreError;
use crate::pool::Store;

impl Store {
    /// Makes a study.
    ///
    /// # Errors
    ///
    /// [`StoreError::Study`] when there is one of that name or no direction, and the others as the
    /// database gives them.
    pub async fn create_study(
        &self,
        name: &str,
        directions: &[StudyDirection],
    ) -> Result<StudyId, StoreError> {
        if directions.is_empty() {
            return Err(StudyStorageError::NoDirections(name.to_owned()).into());
        }
        let mut transaction = self.writer.begin_alone().await?;
        let made = query(
            "INSERT INTO studies (id, name, directions)
             VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM studies), $1, $2)
             ON CONFLICT (name) DO NOTHING
             RETURNING id",
        )
        .bind(name)
        .bind(json("direction", &directions)?)
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let duplicated = || StudyStorageError::DuplicatedStudy(name.to_owned());
        Ok(StudyId(made.ok_or_else(duplicated)?.try_get("id")?))
    }

    /// Removes a study with its trials.
    ///
    /// # Errors
    ///
    /// [`StoreError::Study`] when there is no such study, and the others as the database gives them.
    pub async fn delete_study(&self, study: StudyId) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        lock(&mut transaction, study).await?;
        for statement in [
            "DELETE FROM study_trial_attributes WHERE study_id = $1",
            "DELETE FROM study_trial_reports WHERE study_id = $1",
            "DELETE FROM study_trial_params WHERE study_id = $1",
            "DELETE FROM study_trial_values WHERE study_id = $1",
            "DELETE FROM study_trials WHERE study_id = $1",
            "DELETE FROM study_attributes WHERE study_id = $1",
            "UPDATE studies SET name = NULL WHERE id = $1",
        ] {
            query(statement).bind(study.0).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Remembers something of a study.
    ///
    /// # Errors
    ///
    /// As [`Self::delete_study`].
    pub async fn set_study_attribute(
        &self,
        study: StudyId,
        kind: AttributeKind,
        key: &str,
        value: &Value,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        lock(&mut transaction, study).await?;
        query(
            "INSERT INTO study_attributes (study_id, kind, attribute, document)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (study_id, kind, attribute) DO UPDATE SET document = EXCLUDED.document",
        )
        .bind(study.0)
        .bind(kind.as_str())
        .bind(key)
        .bind(json("attribute", value)?)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Keeps everybody else from changing the study until the end of the transaction, of which this is
/// the first statement; returns the directions.
pub(super) async fn lock(
    connection: &mut Connection,
    study: StudyId,
) -> Result<Vec<StudyDirection>, StoreError> {
    // Writing the row is what locks it, in SQLite and in PostgreSQL.
    let row = query(
        "UPDATE studies SET name = name WHERE id = $1 AND name IS NOT NULL RETURNING directions",
    )
    .bind(study.0)
    .fetch_optional(connection)
    .await?
    .ok_or(StudyStorageError::UnknownStudy(study))?;
    serde_json::from_str(row.try_get("directions")?).map_err(impossible)
}
