//! The registry: which model stands where, and how it comes to stand elsewhere.

use bist_lifecycle::model_version::former_champion;
use bist_lifecycle::{FittedModel, ModelState, ModelVersion, Signed, StateChange};
use bist_models::Horizon;
use bist_store::{Registration, StoreError};
use serde::Serialize;

use crate::App;
use crate::reason::{ReasonError, checked_reason};
use crate::training::TrainingError;

/// Fewest characters by which a version may be named in short.
const SHORT_NAME_MIN: usize = 4;

/// Why the registry did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The short name stands for several versions.
    #[error("'{name}' may be {}; write more of the name", .versions.join(" or "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// What it may be.
        versions: Vec<String>,
    },
    /// No version is being tried beside the champion.
    #[error(
        "no version that looks {} is being tried beside the champion; `bist models stage VERSION` \
         names one",
        .0.in_words()
    )]
    NoChallenger(Horizon),
    /// There is nothing to go back to.
    #[error(
        "no model that looks {} was in force before {current}, or it is gone; `bist models list` \
         names what could be put in force",
        .horizon.in_words()
    )]
    NoFormerChampion {
        /// For what.
        horizon: Horizon,
        /// What is in force.
        current: String,
    },
    /// The reason is none.
    #[error(transparent)]
    Reason(#[from] ReasonError),
    /// There is no champion, or the file of a model is not the one that was trained.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// There is no such version, it cannot go there, or the database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A version and how it came to stand where it stands.
#[derive(Clone, Debug, Serialize)]
pub struct VersionWithHistory {
    /// The version.
    #[serde(flatten)]
    pub version: ModelVersion,
    /// Its changes of state, the first first.
    pub changes: Vec<StateChange>,
}

/// What a step in the registry changed.
#[derive(Clone, Debug, Serialize)]
pub struct Moved {
    /// The version that was asked for, as it stands now.
    pub version: ModelVersion,
    /// The changes of state; none when it stood there.
    pub changes: Vec<StateChange>,
}

/// Who asks for a change, and why.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
}

impl App {
    /// The version called `name`: its name, the beginning of it or of the digits in it, `champion` or
    /// `challenger` (the version staged last) for `horizon`.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when there is none, or several.
    pub async fn find_model(
        &self,
        name: &str,
        horizon: Horizon,
    ) -> Result<ModelVersion, RegistryError> {
        match name {
            "champion" => return Ok(self.champion(horizon).await?),
            "challenger" => return self.challenger(horizon).await,
            _ => {}
        }
        let mut versions = self.store.model_versions().await?;
        let digits = |id: &str| id.rsplit_once('-').map_or(String::new(), |(_, d)| d.to_owned());
        let is_meant = |version: &ModelVersion| {
            version.id == name
                || name.len() >= SHORT_NAME_MIN
                    && (version.id.starts_with(name) || digits(&version.id).starts_with(name))
        };
        if !versions.iter().any(|version| version.id == name) {
            versions.retain(is_meant);
        } else {
            versions.retain(|version| version.id == name);
        }
        match versions.len() {
            0 => Err(StoreError::NoSuchVersion(name.to_owned()).into()),
            1 => Ok(versions.remove(0)),
            _ => Err(RegistryError::Ambiguous {
                name: name.to_owned(),
                versions: versions.into_iter().map(|version| version.id).collect(),
            }),
        }
    }

    /// The version that was staged last of those that are staged.
    async fn challenger(&self, horizon: Horizon) -> Result<ModelVersion, RegistryError> {
        let changes = self.store.state_changes(Some(horizon)).await?;
        for change in changes.iter().rev().filter(|change| change.to == ModelState::Staged) {
            let version = self.store.model_version(&change.version).await?;
            if let Some(version) = version.filter(|version| version.state == ModelState::Staged) {
                return Ok(version);
            }
        }
        Err(RegistryError::NoChallenger(horizon))
    }

    /// `version` with its changes of state.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn with_history(
        &self,
        version: ModelVersion,
    ) -> Result<VersionWithHistory, StoreError> {
        let mut changes = self.store.state_changes(Some(version.evaluation.horizon)).await?;
        changes.retain(|change| change.version == version.id);
        Ok(VersionWithHistory { version, changes })
    }

    /// The changes of state of all versions, or of those for `horizon`, the first first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn state_changes(
        &self,
        horizon: Option<Horizon>,
    ) -> Result<Vec<StateChange>, StoreError> {
        self.store.state_changes(horizon).await
    }

    /// Puts `version` in force, after its file was found to be the one that was trained.
    ///
    /// # Errors
    ///
    /// [`RegistryError`]; the champion before then stays.
    pub async fn promote_model(
        &self,
        version: &ModelVersion,
        asked: Asked<'_>,
    ) -> Result<Moved, RegistryError> {
        let signed = self.signed(asked)?;
        self.fitted_model(version).await?;
        let changes = self.store.promote(&version.id, &signed, &self.audit().await?).await?;
        self.live.stir();
        self.moved(&version.id, changes).await
    }

    /// Puts the champion before the present one of `horizon` in force again.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NoFormerChampion`] without one, and as [`Self::promote_model`].
    pub async fn roll_back_model(
        &self,
        horizon: Horizon,
        asked: Asked<'_>,
    ) -> Result<Moved, RegistryError> {
        let current = self.champion(horizon).await?;
        let changes = self.store.state_changes(Some(horizon)).await?;
        let versions = self.store.model_versions().await?;
        let may_return = |id: &str| {
            versions.iter().any(|version| version.id == id && version.origin == current.origin)
        };
        let former = former_champion(&changes, may_return);
        let Some(former) = versions.iter().find(|version| Some(version.id.as_str()) == former)
        else {
            return Err(RegistryError::NoFormerChampion { horizon, current: current.id });
        };
        self.promote_model(former, asked).await
    }

    /// Moves `version` to `to`, which is staged, candidate or retired.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when it cannot go there.
    pub async fn move_model(
        &self,
        version: &ModelVersion,
        to: ModelState,
        asked: Asked<'_>,
    ) -> Result<Moved, RegistryError> {
        let signed = self.signed(asked)?;
        if to == ModelState::Staged {
            self.fitted_model(version).await?;
        }
        let change =
            self.store.move_version(&version.id, to, &signed, &self.audit().await?).await?;
        self.moved(&version.id, change.into_iter().collect()).await
    }

    /// The bytes of `version`, which are the ones that it was trained to.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they cannot be had.
    pub async fn artifact(&self, version: &ModelVersion) -> Result<Vec<u8>, StoreError> {
        self.store.artifact(version).await
    }

    /// Registers `version`, which was trained in another data directory, with its bytes, as every
    /// training does, and loads its model, as everything that forecasts does: to measure both.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when it cannot be registered, or what comes back is not what was.
    pub async fn register_and_load(
        &self,
        version: ModelVersion,
        artifact: Vec<u8>,
        asked: Asked<'_>,
    ) -> Result<FittedModel, RegistryError> {
        let signed = self.signed(asked)?;
        let versions = [(version, artifact)];
        let kept = self
            .store
            .register(&versions, Registration::Candidates, &signed, &self.audit().await?)
            .await?;
        Ok(self.fitted_model(&kept[0]).await?)
    }

    async fn moved(&self, id: &str, changes: Vec<StateChange>) -> Result<Moved, RegistryError> {
        let version = self.store.model_version(id).await?;
        let version = version.ok_or_else(|| StoreError::NoSuchVersion(id.to_owned()))?;
        Ok(Moved { version, changes })
    }

    pub(crate) fn signed(&self, asked: Asked<'_>) -> Result<Signed, ReasonError> {
        let reason = checked_reason(asked.reason)?.to_owned();
        Ok(Signed { at: self.now(), by: asked.by.to_owned(), reason })
    }
}
