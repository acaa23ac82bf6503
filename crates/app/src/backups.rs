//! Backups: made, kept for a while, read again, restored, also into what runs, and tried out.

mod job;
mod moments;
mod restore;
mod shipping;
mod swap;
mod trouble;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bist_access::{AuditAction, AuditRecord, Secret, SecretName};
use bist_store::backup::moment_of;
use bist_store::{
    AuditFilter, AuditNote, BackupBucket, BackupPlan, BucketSettings, Keys, StoreError,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::audit::KeptRootsError;
use crate::jobs::{Job, JobState};
use crate::secrets::{KeyFileError, ReadKeyError, SecretStoreError, write_new_private};
use crate::{App, blocking};

pub use bist_store::backup::generation_moment;
pub use bist_store::{
    Backup, BackupError, BackupFolder, BackupIdentities, BackupKeyError, BackupManifest,
    BackupNote, BackupRecipients, Existing, LogGeneration, Retention, VerifiedLog, verify_file,
};
pub(crate) use job::{next_drill, next_due};
pub use moments::LogSpan;
pub use restore::{RestoreFrom, RestorePlace, Restored, restore_backup};
pub(crate) use swap::Swap;
pub use swap::{SwapRefused, SwapStage, SwapState, SwapWish};

/// The folder of backups in the data directory.
const FOLDER_DEFAULT: &str = "backups";

/// A backup that is older than this is told to be missing: a night and its retries have passed.
const AGE_MAX: SignedDuration = SignedDuration::from_hours(30);

/// How long the backup is kept besides that was made before going back to another one.
const BEFORE_KEPT_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Times that somebody went back to a backup among which those are looked for.
const RESTORES_LOOKED_AT: u32 = 100;

/// Runs among which one that was done is looked for.
const RUNS_LOOKED_AT: u32 = 20;

/// The largest file of identities that is read.
const IDENTITIES_BYTES_MAX: u64 = 1 << 16;

/// How backups are made and read.
#[derive(Clone, Debug, Default)]
pub struct BackupSettings {
    /// Where they are; `backups` of the data directory unless told otherwise.
    pub directory: Option<PathBuf>,
    /// For whom they are encrypted; without any, none are made.
    pub recipients: Option<BackupRecipients>,
    /// What opens them, where this machine has it.
    pub identity: Option<IdentitySource>,
    /// The configuration file, which is part of them.
    pub configuration: Option<PathBuf>,
    /// Which are kept.
    pub retention: Retention,
    /// How often the log of SQLite is shipped, if it is.
    pub ship_every: Option<Duration>,
}

/// Where the identity is that opens backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentitySource {
    /// A file, as `bist backup generate-key` and `age-keygen` write it.
    File(PathBuf),
    /// A secret.
    Stored(SecretName),
}

/// Why a backup was not made, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupsError {
    /// Nobody could open it.
    #[error(
        "backups are encrypted, and for whom is not configured; make a key by `bist backup \
         generate-key --out FILE`, keep that file elsewhere, and name what it tells as \
         backup.recipients"
    )]
    NoRecipient,
    /// Nothing here opens it.
    #[error(
        "backups are encrypted, and no identity is configured; give --identity FILE, or name it as \
         backup.identity"
    )]
    NoIdentity,
    /// The identity cannot be read.
    #[error("the identity {path} cannot be read: {source}")]
    IdentityFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The identity is none.
    #[error("the identity of backups: {0}")]
    Key(#[from] BackupKeyError),
    /// The identity is a secret that cannot be had, or the master key cannot.
    #[error(transparent)]
    Secret(#[from] SecretStoreError),
    /// The audit in the backup is not what was written.
    #[error(
        "the audit in {backup} is not what was written: {problem}; take another backup, or open this \
         one by age, zstd and tar for whoever looks into it"
    )]
    AuditBroken {
        /// The backup.
        backup: String,
        /// What is wrong.
        problem: String,
    },
    /// A model in the backup is not the one that was trained.
    #[error("the model in {backup}: {error}")]
    Model {
        /// The backup.
        backup: String,
        /// Why it cannot be used.
        error: String,
    },
    /// The roots of the audit cannot be read.
    #[error(transparent)]
    Roots(#[from] KeptRootsError),
    /// The backup cannot be made, read or put in place.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReadKeyError> for BackupsError {
    fn from(error: ReadKeyError) -> Self {
        Self::Secret(error.into())
    }
}

impl From<KeyFileError> for BackupsError {
    fn from(error: KeyFileError) -> Self {
        Self::Secret(error.into())
    }
}

/// What was done about the copies of backups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedBackups {
    /// Those that were copied.
    pub copied: Vec<String>,
    /// Those whose copies were removed.
    pub removed: Vec<String>,
}

/// How backups stand.
#[derive(Clone, Debug)]
pub struct BackupsState {
    /// Where they are.
    pub directory: PathBuf,
    /// Whether they are made each night.
    pub is_enabled: bool,
    /// Whether this machine can open them.
    pub has_identity: bool,
    /// Whether the newest is older than it should be, where they are made.
    pub is_overdue: bool,
    /// How many are kept.
    pub retention: Retention,
    /// All of them, the newest first.
    pub backups: Vec<Backup>,
    /// When the database became what a backup had, the last time.
    pub restored_at: Option<Timestamp>,
}

/// Writes a new identity to `path`, which only its owner may read; returns the recipient that belongs
/// to it.
///
/// # Errors
///
/// [`KeyFileError`] when there is a file already or none can be written.
pub async fn generate_identity_file(path: &Path) -> Result<String, KeyFileError> {
    let identity = BackupIdentities::generate();
    write_new_private(path, identity.to_file()).await?;
    Ok(identity.recipients().to_string())
}

impl IdentitySource {
    /// The identities in the file `path`.
    ///
    /// # Errors
    ///
    /// [`BackupsError::IdentityFile`] and [`BackupsError::Key`].
    pub async fn read_file(path: PathBuf) -> Result<BackupIdentities, BackupsError> {
        let file = path.clone();
        let read = move || {
            let size = std::fs::metadata(&file)?.len();
            if size > IDENTITIES_BYTES_MAX {
                return Err(io::Error::other(format!("it has {size} bytes, and is no identity")));
            }
            std::fs::read_to_string(&file).map(Secret::new)
        };
        let text = blocking(read).await;
        let text = text.map_err(|source| BackupsError::IdentityFile { path, source })?;
        Ok(BackupIdentities::parse(&text)?)
    }
}

impl App {
    /// The same with backups by `settings`.
    #[must_use]
    pub fn with_backups(self, settings: BackupSettings) -> Self {
        Self { backups: settings.into(), ..self }
    }

    /// The folder of backups.
    pub fn backup_folder(&self) -> BackupFolder {
        folder_of(&self.backups, self.directory())
    }

    /// How backups stand.
    ///
    /// # Errors
    ///
    /// [`BackupError`] when the folder cannot be read, or the database fails.
    pub async fn backups_state(&self) -> Result<BackupsState, BackupError> {
        let folder = self.backup_folder();
        let directory = folder.path().to_owned();
        let backups = blocking(move || folder.list()).await?;
        let is_enabled = self.backups.recipients.is_some();
        // Another machine may have made one where this one does not look.
        let runs = self.store.jobs(Some(Job::Backup.as_str()), None, RUNS_LOOKED_AT).await?;
        let done = runs.iter().filter(|run| run.state == JobState::Done);
        let made = done.filter_map(|run| run.finished_at);
        let newest = backups.iter().map(|backup| backup.created_at).chain(made).max();
        let restored = self.newest_restore().await?;
        Ok(BackupsState {
            directory,
            is_enabled,
            restored_at: restored.map(|record| record.at),
            has_identity: self.backups.identity.is_some(),
            is_overdue: is_enabled && is_overdue(newest, self.now()),
            retention: self.backups.retention,
            backups,
        })
    }

    /// The newest record of a restore.
    pub(crate) async fn newest_restore(&self) -> Result<Option<AuditRecord>, StoreError> {
        let action = Some(AuditAction::BackupRestored.as_str().to_owned());
        let filter = AuditFilter { action, ..AuditFilter::default() };
        Ok(self.store.audit_records(&filter, 1).await?.pop())
    }

    /// Makes a backup while everybody goes on, and puts that on record.
    ///
    /// # Errors
    ///
    /// [`BackupsError`] when nobody is named who could open it, it cannot be made, or it cannot be put
    /// on record.
    pub async fn create_backup(&self) -> Result<(Backup, BackupManifest), BackupsError> {
        let recipients = self.backups.recipients.clone().ok_or(BackupsError::NoRecipient)?;
        self.check_audit().await?;
        let configuration = self.backups.configuration.clone();
        let plan = BackupPlan { recipients, configuration, clock: self.clock() };
        let (backup, manifest) = self.store.create_backup(&self.backup_folder(), plan).await?;
        for version in &manifest.missing_artifacts {
            tracing::warn!(
                backup = %backup.name,
                "the artefact of {version} is nowhere, so that the backup does not have it"
            );
        }
        let details = [
            ("sha256", json!(backup.note.as_ref().map(|note| &note.sha256))),
            ("size_bytes", json!(backup.size_bytes)),
            ("rows_count", json!(manifest.rows_count())),
            ("audit_root", json!(manifest.audit_root)),
        ];
        let note = AuditNote::new(AuditAction::BackupCreated, subject(&backup.name), details);
        self.put_on_record(note).await?;
        Ok((backup, manifest))
    }

    /// Removes the backups that are not to be kept, each on record; returns their names.
    ///
    /// # Errors
    ///
    /// [`BackupsError`] when one cannot be removed or put on record.
    pub async fn remove_old_backups(&self) -> Result<Vec<String>, BackupsError> {
        let (folder, retention) = (self.backup_folder(), self.backups.retention);
        let (audit, besides) = (self.audit().await?, self.kept_besides().await?);
        let looked_at = folder.clone();
        let backups = blocking(move || looked_at.list()).await?;
        let made: Vec<Timestamp> = backups.iter().map(|backup| backup.created_at).collect();
        let kept = &retention.kept(&made) | &besides;
        let old = backups.into_iter().filter(|backup| !kept.contains(&backup.created_at));
        let removed: Vec<String> = old.map(|backup| backup.name).collect();
        folder.remove(removed.clone()).await?;
        for name in &removed {
            let note = AuditNote::new(AuditAction::BackupRemoved, subject(name), []);
            self.store.put_on_record(&audit, note).await?;
        }
        Ok(removed)
    }

    /// The moments of backups that were made before somebody went back to another one: no other has what was
    /// there then.
    async fn kept_besides(&self) -> Result<BTreeSet<Timestamp>, StoreError> {
        let filter = AuditFilter {
            from: self.now().checked_sub(BEFORE_KEPT_FOR).ok(),
            action: Some(AuditAction::BackupRestoreAsked.as_str().to_owned()),
            ..AuditFilter::default()
        };
        let records = self.store.audit_records(&filter, RESTORES_LOOKED_AT).await?;
        let before = |record: &AuditRecord| {
            let details: Value = serde_json::from_str(&record.details).ok()?;
            moment_of(details["before"].as_str()?)
        };
        Ok(records.iter().filter_map(before).collect())
    }

    /// The same with copies of backups in a bucket.
    ///
    /// # Errors
    ///
    /// [`BackupsError::Backup`] when no client can be made; nothing is asked of the network yet.
    pub fn with_backup_copies(
        self,
        settings: &BucketSettings,
        keys: &Keys,
    ) -> Result<Self, BackupsError> {
        let bucket = BackupBucket::new(settings, keys).map_err(BackupError::from)?;
        Ok(Self { backup_copies: Some(bucket), ..self })
    }

    /// Copies every backup to the bucket that is not there yet, and removes the copies that are not to
    /// be kept; returns the names of both. Nothing is done without a bucket.
    ///
    /// # Errors
    ///
    /// [`BackupError`] when the bucket does not take a copy; those that it took are there.
    pub async fn copy_backups(&self) -> Result<CopiedBackups, BackupError> {
        let Some(bucket) = &self.backup_copies else { return Ok(CopiedBackups::default()) };
        let folder = self.backup_folder();
        let looked_at = folder.clone();
        let here = blocking(move || looked_at.list()).await?;
        let mut there = bucket.names().await?;
        let mut copied = CopiedBackups::default();
        for backup in here {
            if there.insert(backup.name.clone()) {
                bucket.put(&folder, &backup.name).await?;
                copied.copied.push(backup.name);
            }
        }
        let made: Vec<Timestamp> = there.iter().filter_map(|name| moment_of(name)).collect();
        let kept = &self.backups.retention.kept(&made) | &self.kept_besides().await?;
        for name in there {
            if moment_of(&name).is_some_and(|at| !kept.contains(&at)) {
                bucket.remove(&name).await?;
                copied.removed.push(name);
            }
        }
        Ok(copied)
    }

    /// What opens backups, where this machine has it.
    ///
    /// # Errors
    ///
    /// [`BackupsError::NoIdentity`] when it does not, and the others when it cannot be read.
    pub async fn backup_identities(&self) -> Result<BackupIdentities, BackupsError> {
        match &self.backups.identity {
            None => Err(BackupsError::NoIdentity),
            Some(IdentitySource::File(path)) => IdentitySource::read_file(path.clone()).await,
            Some(IdentitySource::Stored(name)) => {
                Ok(BackupIdentities::parse(&self.secret(name).await?)?)
            }
        }
    }

    /// Reads the whole backup `name` without writing anything of it, and notes that it is right.
    ///
    /// # Errors
    ///
    /// [`BackupError`] when it is not what was written.
    pub async fn verify_backup(
        &self,
        name: &str,
        identities: BackupIdentities,
    ) -> Result<BackupManifest, BackupError> {
        verify_in(self.backup_folder(), name, identities, self.now()).await
    }
}

/// The folder of backups by `settings`, beside the data directory `directory` that they are of.
pub fn folder_of(settings: &BackupSettings, directory: &Path) -> BackupFolder {
    let given = settings.directory.clone();
    BackupFolder::new(given.unwrap_or_else(|| directory.join(FOLDER_DEFAULT)))
}

/// Reads the whole backup `name` of `folder` without writing anything of it, and notes that it was
/// right at `now`.
///
/// # Errors
///
/// [`BackupError`] when it is not what was written.
pub async fn verify_in(
    folder: BackupFolder,
    name: &str,
    identities: BackupIdentities,
    now: Timestamp,
) -> Result<BackupManifest, BackupError> {
    let name = name.to_owned();
    blocking(move || {
        folder.compare(&name)?;
        let manifest = folder.verify(&name, &identities)?;
        folder.note(&name, |note| note.verified_at = Some(now))?;
        Ok(manifest)
    })
    .await
}

/// Whether the newest backup is older than it should be.
fn is_overdue(newest: Option<Timestamp>, now: Timestamp) -> bool {
    newest.is_none_or(|newest| now.duration_since(newest) > AGE_MAX)
}

/// A backup as the audit calls it.
fn subject(name: &str) -> String {
    format!("backup:{name}")
}
