//! Model versions, and why each stands where it stands.

use bist_access::AuditAction;
use bist_lifecycle::Horizon;
use bist_lifecycle::model_version::{ModelState, ModelVersion, Signed, StateChange};
use serde_json::json;

use crate::audit::{Audit, AuditNote, append};
use crate::columns::{document, impossible, instant_us, json as text};
use crate::db::{Connection, Row, query};
use crate::error::StoreError;
use crate::pool::Store;

/// What becomes of versions that are registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// They are candidates; one that was there before stays where it stands.
    Candidates,
    /// They are put in force, all or none.
    Champions,
}

impl Store {
    /// Keeps `versions`, each with its artefact, and returns them as they are kept: one that was
    /// registered before is not written again.
    ///
    /// The artefacts are on disk, and in the bucket if there is one, before the versions are in the
    /// database, so that a version never lacks its own.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when an artefact cannot be written, to the disk or to the bucket, or the database
    /// cannot; no version is registered then.
    pub async fn register(
        &self,
        versions: &[(ModelVersion, Vec<u8>)],
        registration: Registration,
        signed: &Signed,
        audit: &Audit,
    ) -> Result<Vec<ModelVersion>, StoreError> {
        for (version, artifact) in versions {
            self.keep_artifact(version, artifact).await?;
        }
        let versions: Vec<&ModelVersion> = versions.iter().map(|(version, _)| version).collect();
        self.register_kept(&versions, registration, signed, audit).await
    }

    /// The same where the artefacts are kept already, as those are that came with the parts of a run.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when an artefact is not there or the database fails; no version is registered
    /// then.
    pub async fn register_kept(
        &self,
        versions: &[&ModelVersion],
        registration: Registration,
        signed: &Signed,
        audit: &Audit,
    ) -> Result<Vec<ModelVersion>, StoreError> {
        for version in versions {
            self.artifact(version).await?;
        }
        let mut kept = Vec::with_capacity(versions.len());
        let mut transaction = self.writer.begin_alone().await?;
        for version in versions {
            insert(&mut transaction, version, signed, audit).await?;
            if registration == Registration::Champions {
                put_in_force(&mut transaction, &version.id, signed, audit).await?;
            }
            kept.push(version_of(&mut transaction, &version.id).await?);
        }
        transaction.commit().await?;
        Ok(kept)
    }

    /// Puts the version `id` in force; the champion before it for the same horizon retires. Nothing
    /// changes when it is the champion. Returns what changed.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchVersion`], [`StoreError::StateMove`] when it cannot become champion from
    /// where it stands, and the others when the database fails.
    pub async fn promote(
        &self,
        id: &str,
        signed: &Signed,
        audit: &Audit,
    ) -> Result<Vec<StateChange>, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let changes = put_in_force(&mut transaction, id, signed, audit).await?;
        transaction.commit().await?;
        Ok(changes)
    }

    /// Moves the version `id` to `to`, which is not champion: see [`Store::promote`]. Nothing changes
    /// when it stands there.
    ///
    /// # Errors
    ///
    /// As [`Store::promote`].
    pub async fn move_version(
        &self,
        id: &str,
        to: ModelState,
        signed: &Signed,
        audit: &Audit,
    ) -> Result<Option<StateChange>, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let version = version_of(&mut transaction, id).await?;
        if to == ModelState::Champion || version.state == ModelState::Champion {
            return Err(StoreError::StateMove { id: id.to_owned(), from: version.state, to });
        }
        let change = change_state(&mut transaction, &version, to, signed, audit).await?;
        transaction.commit().await?;
        Ok(change)
    }

    /// All versions, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn model_versions(&self) -> Result<Vec<ModelVersion>, StoreError> {
        query("SELECT state, document FROM model_versions ORDER BY trained_at_us DESC, id")
            .fetch_all(&self.reader)
            .await?
            .iter()
            .map(model_version)
            .collect()
    }

    /// The version named `id`, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn model_version(&self, id: &str) -> Result<Option<ModelVersion>, StoreError> {
        query("SELECT state, document FROM model_versions WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.reader)
            .await?
            .as_ref()
            .map(model_version)
            .transpose()
    }

    /// The version in force for `horizon`, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn champion(&self, horizon: Horizon) -> Result<Option<ModelVersion>, StoreError> {
        query("SELECT state, document FROM model_versions WHERE state = $1 AND horizon = $2")
            .bind(ModelState::Champion.as_str())
            .bind(horizon.to_string())
            .fetch_optional(&self.reader)
            .await?
            .as_ref()
            .map(model_version)
            .transpose()
    }

    /// The changes of state of the versions for `horizon`, or of all, in their order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn state_changes(
        &self,
        horizon: Option<Horizon>,
    ) -> Result<Vec<StateChange>, StoreError> {
        query(
            "SELECT model_version, horizon, from_state, to_state, changed_at_us, changed_by, reason
             FROM model_state_changes WHERE $1 IS NULL OR horizon = $1 ORDER BY number",
        )
        .bind(horizon.map(|horizon| horizon.to_string()))
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(state_change)
        .collect()
    }
}

/// Adds `version` as a candidate, unless it is there.
async fn insert(
    connection: &mut Connection,
    version: &ModelVersion,
    signed: &Signed,
    audit: &Audit,
) -> Result<(), StoreError> {
    let candidate = ModelVersion { state: ModelState::Candidate, ..version.clone() };
    let horizon = candidate.evaluation.horizon;
    let inserted = query(
        "INSERT INTO model_versions (id, state, origin, horizon, trained_at_us, document)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(&candidate.id)
    .bind(candidate.state.as_str())
    .bind(candidate.origin.as_str())
    .bind(horizon.to_string())
    .bind(candidate.trained_at.as_microsecond())
    .bind(text("model version", &candidate)?)
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(());
    }
    let change = StateChange {
        version: candidate.id,
        horizon,
        from: None,
        to: ModelState::Candidate,
        signed: signed.clone(),
    };
    note(connection, &change, audit).await
}

/// Makes the version `id` the champion of its horizon; the one before it retires.
pub(crate) async fn put_in_force(
    connection: &mut Connection,
    id: &str,
    signed: &Signed,
    audit: &Audit,
) -> Result<Vec<StateChange>, StoreError> {
    let version = version_of(connection, id).await?;
    if version.state == ModelState::Champion {
        return Ok(Vec::new());
    }
    let before = champion_of(connection, version.evaluation.horizon).await?;
    let mut changes = Vec::new();
    if let Some(before) = before {
        changes
            .extend(change_state(connection, &before, ModelState::Retired, signed, audit).await?);
    }
    changes.extend(change_state(connection, &version, ModelState::Champion, signed, audit).await?);
    Ok(changes)
}

/// The version in force for `horizon`.
pub(crate) async fn champion_of(
    connection: &mut Connection,
    horizon: Horizon,
) -> Result<Option<ModelVersion>, StoreError> {
    query("SELECT state, document FROM model_versions WHERE state = $1 AND horizon = $2")
        .bind(ModelState::Champion.as_str())
        .bind(horizon.to_string())
        .fetch_optional(connection)
        .await?
        .as_ref()
        .map(model_version)
        .transpose()
}

/// Moves `version` from where it stands to `to`, and notes why.
pub(crate) async fn change_state(
    connection: &mut Connection,
    version: &ModelVersion,
    to: ModelState,
    signed: &Signed,
    audit: &Audit,
) -> Result<Option<StateChange>, StoreError> {
    let ModelVersion { id, state: from, .. } = version;
    if *from == to {
        return Ok(None);
    }
    if !from.may_become(to) {
        return Err(StoreError::StateMove { id: id.clone(), from: *from, to });
    }
    query("UPDATE model_versions SET state = $1 WHERE id = $2")
        .bind(to.as_str())
        .bind(id)
        .execute(&mut *connection)
        .await?;
    let change = StateChange {
        version: id.clone(),
        horizon: version.evaluation.horizon,
        from: Some(*from),
        to,
        signed: signed.clone(),
    };
    note(connection, &change, audit).await?;
    Ok(Some(change))
}

/// Keeps why a version stands where it stands, and puts it on record.
async fn note(
    connection: &mut Connection,
    change: &StateChange,
    audit: &Audit,
) -> Result<(), StoreError> {
    let StateChange { version, horizon, from, to, signed } = change;
    query(
        "INSERT INTO model_state_changes (number, model_version, horizon, from_state, to_state,
                                          changed_at_us, changed_by, reason)
         VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM model_state_changes),
                 $1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(version)
    .bind(horizon.to_string())
    .bind(from.map(ModelState::as_str))
    .bind(to.as_str())
    .bind(signed.at.as_microsecond())
    .bind(&signed.by)
    .bind(&signed.reason)
    .execute(&mut *connection)
    .await?;
    append(connection, audit, vec![audit_note(change)]).await
}

fn audit_note(change: &StateChange) -> AuditNote {
    let StateChange { version, horizon, from, to, signed } = change;
    let action = match (from, to) {
        (None, ModelState::Candidate) => AuditAction::ModelRegistered,
        (Some(_), ModelState::Candidate) => AuditAction::ModelWithdrawn,
        (_, ModelState::Staged) => AuditAction::ModelStaged,
        (_, ModelState::Champion) => AuditAction::ModelPromoted,
        (_, ModelState::Retired) => AuditAction::ModelRetired,
    };
    let details = [
        ("horizon", json!(horizon.to_string())),
        ("from", json!(from.map(ModelState::as_str))),
        ("reason", json!(signed.reason)),
    ];
    AuditNote::new(action, format!("model:{version}"), details)
}

pub(crate) async fn version_of(
    connection: &mut Connection,
    id: &str,
) -> Result<ModelVersion, StoreError> {
    let row = query("SELECT state, document FROM model_versions WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map_or_else(|| Err(StoreError::NoSuchVersion(id.to_owned())), model_version)
}

/// A version of a row with its state and its document, which tells what it was once.
fn model_version(row: &Row) -> Result<ModelVersion, StoreError> {
    let version: ModelVersion = document("model version", row)?;
    Ok(ModelVersion { state: state(row.try_get("state")?)?, ..version })
}

fn state_change(row: &Row) -> Result<StateChange, StoreError> {
    let from: Option<&str> = row.try_get("from_state")?;
    Ok(StateChange {
        version: row.try_get("model_version")?,
        horizon: row.try_get::<&str, _>("horizon")?.parse().map_err(impossible)?,
        from: from.map(state).transpose()?,
        to: state(row.try_get("to_state")?)?,
        signed: Signed {
            at: instant_us(row.try_get("changed_at_us")?)?,
            by: row.try_get("changed_by")?,
            reason: row.try_get("reason")?,
        },
    })
}

fn state(word: &str) -> Result<ModelState, StoreError> {
    word.parse().map_err(impossible)
}
