//! Going back to a backup while everybody goes on: it is looked whether it can be, what is there is backed up,
//! all rows are replaced in one step, and every process begins anew, for what it remembers is not so any more.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bist_access::{AuditAction, AuditRoot};
use bist_store::{AuditNote, ShownMoment, Store, StoreError};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Notify;

use super::restore::{RestoreFrom, Restored, check_audit, put_on_record};
use super::{Backup, BackupIdentities, BackupsError, subject};
use crate::secrets::MasterKeySource;
use crate::{App, blocking};

/// How often a process looks whether everything was replaced.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What is gone back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwapWish {
    /// The backup of this name in the folder of backups.
    Backup(String),
    /// What the folder has of this moment.
    Moment(Timestamp),
}

/// How far going back to a backup has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwapStage {
    /// The backup is taken apart and looked at.
    Reading,
    /// What is there now is backed up.
    BackingUp,
    /// All rows are replaced.
    Swapping,
    /// It is done, and the processes begin anew.
    Restarting,
    /// It was not done, and all is as before.
    Failed,
}

impl SwapStage {
    /// The stage in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::BackingUp => "backing_up",
            Self::Swapping => "swapping",
            Self::Restarting => "restarting",
            Self::Failed => "failed",
        }
    }
}

/// Going back to a backup, as this process does it or did it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapState {
    /// The name of the backup, or the moment.
    pub what: String,
    /// How far it has come.
    pub stage: SwapStage,
    /// Since when it goes on.
    pub since: Timestamp,
    /// The backup of what was there before, once it is made.
    pub before: Option<String>,
    /// Why it was not done.
    pub error: Option<String>,
}

/// Why going back to a backup was not begun.
#[derive(Debug, thiserror::Error)]
pub enum SwapRefused {
    /// One goes on.
    #[error("{0} is being restored; wait until that is done")]
    UnderWay(String),
    /// The process could not begin anew.
    #[error(
        "the master key was given to this server by a file descriptor, which is read once, so that it \
         cannot begin anew by itself; restore by `bist backup restore`, with the servers stopped"
    )]
    KeyReadOnce,
    /// There is no such backup, or nothing makes or opens one here.
    #[error(transparent)]
    Backups(#[from] BackupsError),
}

/// What this process knows of going back to a backup.
#[derive(Debug, Default)]
pub(crate) struct Swap {
    state: Mutex<Option<SwapState>>,
    is_done: Notify,
}

impl Swap {
    /// Begins, and forgets what failed before.
    ///
    /// # Errors
    ///
    /// [`SwapRefused::UnderWay`] while one goes on.
    fn begin(&self, what: String, since: Timestamp) -> Result<SwapState, SwapRefused> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = state.as_ref()
            && other.stage != SwapStage::Failed
        {
            return Err(SwapRefused::UnderWay(other.what.clone()));
        }
        let stage = SwapStage::Reading;
        let begun = SwapState { what, stage, since, before: None, error: None };
        Ok(state.insert(begun).clone())
    }

    fn change(&self, change: impl FnOnce(&mut SwapState)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = state.as_mut() {
            change(state);
        }
    }

    fn enter(&self, stage: SwapStage) {
        self.change(|state| state.stage = stage);
    }
}

impl App {
    /// Going back to a backup, where this process does it or failed to.
    pub fn swap_state(&self) -> Option<SwapState> {
        self.swap.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins to go back to what `wish` says, for `reason`; [`App::swap_state`] tells what comes of it.
    ///
    /// # Errors
    ///
    /// [`SwapRefused`] when it cannot be begun here.
    pub async fn begin_swap(&self, wish: SwapWish, reason: &str) -> Result<SwapState, SwapRefused> {
        if self.backups.recipients.is_none() {
            return Err(BackupsError::NoRecipient.into());
        }
        if let Some(MasterKeySource::Descriptor(_)) = &self.master_key.source {
            return Err(SwapRefused::KeyReadOnce);
        }
        let identities = self.backup_identities().await?;
        let folder = self.backup_folder();
        let from = match wish {
            SwapWish::Backup(name) => {
                let path = folder.file_of(&name).map_err(BackupsError::from)?;
                blocking(move || folder.backup(&name)).await.map_err(BackupsError::from)?;
                RestoreFrom::Backup(path)
            }
            SwapWish::Moment(at) => RestoreFrom::Moment { folder, at },
        };
        let state = self.swap.begin(told(&from), self.now())?;
        let (app, reason) = (self.clone(), reason.to_owned());
        drop(tokio::spawn(async move { app.swap_and_tell(&from, &identities, &reason).await }));
        Ok(state)
    }

    /// Goes back, tells what came of it, and has this process begin anew.
    async fn swap_and_tell(&self, from: &RestoreFrom, identities: &BackupIdentities, reason: &str) {
        match self.swap_in(from, identities, reason).await {
            Ok(Restored { name, before, damaged, .. }) => {
                for damage in damaged {
                    tracing::warn!(
                        "{name} was restored, which shows as much as this would: {damage}"
                    );
                }
                let before = before.as_deref();
                tracing::warn!(before, "{name} was restored; every process begins anew");
                self.swap.enter(SwapStage::Restarting);
                self.swap.is_done.notify_one();
            }
            Err(error) => {
                let error = error.to_string();
                tracing::error!(%error, "{} was not restored, and all is as before: {error}", told(from));
                self.swap.change(|state| {
                    (state.stage, state.error) = (SwapStage::Failed, Some(error));
                });
            }
        }
    }

    /// Replaces everything by what `from` names, as it runs, after that was looked at as a whole and what is
    /// there was backed up. Every process of the installation begins anew afterwards, by
    /// [`App::until_replaced`].
    ///
    /// # Errors
    ///
    /// [`BackupsError`] when a backup cannot be made, what is restored is not what was written, a key is
    /// wrong, or the database does not take it; all is as before then, and that is on record.
    pub async fn swap_in(
        &self,
        from: &RestoreFrom,
        identities: &BackupIdentities,
        reason: &str,
    ) -> Result<Restored, BackupsError> {
        let swapped = self.try_swap(from, identities, reason).await;
        if let Err(error) = &swapped {
            let details = [("reason", json!(reason)), ("error", json!(error.to_string()))];
            let action = AuditAction::BackupRestoreFailed;
            let note = AuditNote::new(action, subject(&told(from)), details);
            if let Err(error) = self.put_on_record(note).await {
                tracing::error!(%error, "that could not be put on record: {error}");
            }
        }
        swapped
    }

    async fn try_swap(
        &self,
        from: &RestoreFrom,
        identities: &BackupIdentities,
        reason: &str,
    ) -> Result<Restored, BackupsError> {
        // The key that is in force opens what is restored.
        self.master_key().await?;
        let asked = |before: Option<&str>| {
            let details = [("reason", json!(reason)), ("before", json!(before))];
            AuditNote::new(AuditAction::BackupRestoreAsked, subject(&told(from)), details)
        };
        self.put_on_record(asked(None)).await?;
        let taken = from.take_apart(identities, self.directory()).await?;
        let ShownMoment { name, unpacked, damaged } = taken;
        let restored = self.open_beside(unpacked.directory()).await?;
        let prepared = async {
            // For what cannot be restored nothing is made.
            check_audit(&restored, &name).await?;
            self.swap.enter(SwapStage::BackingUp);
            let (Backup { name: before, .. }, _) = self.create_backup().await?;
            self.swap.change(|state| state.before = Some(before.clone()));
            restored.put_on_record(asked(Some(&before))).await?;
            put_on_record(&restored, &unpacked, &name).await?;
            Ok::<_, BackupsError>(before)
        };
        let prepared = prepared.await;
        restored.close().await;
        let before = prepared?;
        self.swap.enter(SwapStage::Swapping);
        let directory = self.directory().to_owned();
        let (unpacked, aside) = blocking(move || {
            let aside = unpacked.put_files(&directory);
            (unpacked, aside)
        })
        .await;
        let aside = aside?;
        let replaced = async {
            let rows = Store::open(unpacked.directory()).await?;
            let replaced = self.store.replace_all(&rows).await;
            rows.close().await;
            replaced
        };
        if let Err(error) = replaced.await {
            self.put_roots_back(&aside);
            return Err(error.into());
        }
        let manifest = unpacked.manifest().clone();
        Ok(Restored { name, manifest, aside, before: Some(before), damaged })
    }

    /// Opens the data directory `directory`, which is not in force yet, for whoever acts here and by the
    /// master key that is known here, which may have been read once and for all.
    async fn open_beside(&self, directory: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            master_key: Arc::clone(&self.master_key),
            actor: self.actor.clone(),
            request_id: self.request_id.clone(),
            ..Self::open(directory, self.clock(), self.policy()).await?
        })
    }

    /// Puts the noted roots back that were moved to `aside`, for the records that they are of stay.
    fn put_roots_back(&self, aside: &[PathBuf]) {
        for old in aside {
            if let Err(error) = std::fs::rename(old, self.noted_roots_file()) {
                tracing::error!(%error, "{} holds the noted roots: {error}", old.display());
            }
        }
    }

    /// Waits until a backup was put in the place of everything in the database, by whichever process;
    /// `known` is the root of the audit as it was when nothing else had been read of it.
    pub async fn until_replaced(&self, mut known: AuditRoot) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = self.swap.is_done.notified() => {}
            }
            let looked = async {
                // First, so that nothing is replaced between what is known and what comes after it.
                let newest = self.audit_root(None).await?;
                Ok::<_, StoreError>((newest, self.store.was_replaced_since(&known).await?))
            };
            match looked.await {
                Ok((_, true)) => return,
                Ok((newest, false)) => known = newest.unwrap_or(known),
                Err(error) => {
                    tracing::debug!(%error, "whether all was replaced is not known: {error}");
                }
            }
        }
    }
}

/// What `from` names, as people are told.
fn told(from: &RestoreFrom) -> String {
    match from {
        RestoreFrom::Backup(path) => {
            path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
        RestoreFrom::Moment { at, .. } => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_at_a_time_and_one_that_failed_does_not_keep_the_next() {
        let (swap, at) = (Swap::default(), Timestamp::UNIX_EPOCH);
        let begun = swap.begin("a".to_owned(), at).unwrap();
        assert_eq!((begun.stage, begun.error), (SwapStage::Reading, None));
        for stage in [SwapStage::BackingUp, SwapStage::Swapping, SwapStage::Restarting] {
            swap.enter(stage);
            let refused = swap.begin("b".to_owned(), at).unwrap_err();
            assert!(refused.to_string().starts_with("a is being restored"), "{refused}");
        }
        swap.enter(SwapStage::Failed);
        assert_eq!(swap.begin("b".to_owned(), at).unwrap().what, "b");
    }
}
