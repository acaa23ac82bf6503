//! Restoring a backup: taken apart beside its place, looked at, put on record, and put in place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bist_access::{Actor, AuditAction, SealedSecrets};
use bist_market::Clock;
use bist_market::validate::ValidationPolicy;
use bist_store::{
    AuditNote, BackupIdentities, DatabaseSettings, Existing, Place, ShownMoment, Store, StoreError,
    Unpacked, unpack, unpack_moment,
};
use jiff::Timestamp;
use serde_json::json;

use super::{BackupError, BackupFolder, BackupManifest, BackupsError, subject};
use crate::App;
use crate::jobs::Job;
use crate::secrets::{KEY_FILE_DEFAULT, MasterKeySource, SecretStoreError, generate_key_file};

/// What is restored.
#[derive(Clone, Debug)]
pub enum RestoreFrom {
    /// The file of a backup.
    Backup(PathBuf),
    /// What the folder of backups has of a moment: the newest backup, or the newest piece of a shipped
    /// log, that shows nothing after it.
    Moment {
        /// The folder of backups.
        folder: BackupFolder,
        /// The moment.
        at: Timestamp,
    },
}

/// Where a backup is restored to, by whom.
#[derive(Clone, Debug)]
pub struct RestorePlace {
    /// The data directory.
    pub directory: PathBuf,
    /// The database.
    pub database: DatabaseSettings,
    /// What becomes of a database of SQLite that is there: it stays, and nothing is restored, or it is
    /// moved aside. One of PostgreSQL must be empty; [`App::swap_in`] replaces what is in one.
    pub existing: Existing,
    /// Where the master key is; in the data directory unless told otherwise. It is in no backup.
    pub master_key: Option<MasterKeySource>,
    /// Who restores.
    pub actor: Actor,
}

/// A backup that was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Which.
    pub name: String,
    /// What it says about itself.
    pub manifest: BackupManifest,
    /// Files that were moved aside for it.
    pub aside: Vec<PathBuf>,
    /// The backup of what was there before, where one was made.
    pub before: Option<String>,
    /// What was found damaged, and could not have shown more of the moment that was asked for.
    pub damaged: Vec<String>,
}

/// Restores what `from` names to `place`: all of it, or nothing.
///
/// It is taken apart in the data directory under a name that nobody looks at. There its hashes and its
/// rows are compared with what was counted, the audit is gone over, and the restore is put on record.
/// Only then it takes its place: a file of SQLite by being renamed, a database of PostgreSQL in one
/// transaction.
///
/// # Errors
///
/// [`BackupsError`] when the place is in use, the backup is not what was written, a key is wrong, or
/// the disk is full; the place is as before then.
pub async fn restore_backup(
    from: &RestoreFrom,
    identities: &BackupIdentities,
    place: RestorePlace,
    clock: Arc<dyn Clock>,
) -> Result<Restored, BackupsError> {
    let file_place = Place::of(&place.directory, &place.database.address);
    if let Some(file_place) = &file_place {
        file_place.check(place.existing).await?;
    }
    let taken = from.take_apart(identities, &place.directory).await?;
    let ShownMoment { name, unpacked, damaged } = taken;
    let app = App::open(unpacked.directory(), clock, ValidationPolicy::default()).await?;
    let recorded = async {
        let source = master_key(&app, &place).await?;
        let app = app.clone().with_master_key(source).with_actor(place.actor.clone());
        check_audit(&app, &name).await?;
        put_on_record(&app, &unpacked, &name).await
    };
    let recorded = recorded.await;
    app.close().await;
    recorded?;
    let manifest = unpacked.manifest().clone();
    let aside = match file_place {
        Some(file_place) => unpacked.put_in_place(&file_place, place.existing).await?,
        None => move_to_server(&unpacked, &place).await?,
    };
    Ok(Restored { name, manifest, aside, before: None, damaged })
}

impl RestoreFrom {
    /// Takes it apart below `directory`.
    ///
    /// # Errors
    ///
    /// [`BackupError`] when nothing is as old as that, what shows the moment is damaged, a key is wrong,
    /// or it is not what was written.
    pub(super) async fn take_apart(
        &self,
        identities: &BackupIdentities,
        directory: &Path,
    ) -> Result<ShownMoment, BackupError> {
        match self {
            Self::Backup(path) => {
                let unpacked = unpack(path, identities, directory).await?;
                let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
                Ok(ShownMoment { name: name.into_owned(), unpacked, damaged: Vec::new() })
            }
            Self::Moment { folder, at } => unpack_moment(folder, *at, identities, directory).await,
        }
    }
}

/// Goes over the audit of `app`, which was opened where the backup `name` was taken apart.
pub(super) async fn check_audit(app: &App, name: &str) -> Result<(), BackupsError> {
    match app.verify_audit(&[]).await?.broken {
        None => Ok(()),
        Some(broken) => {
            let (backup, problem) = (name.to_owned(), broken.to_string());
            Err(BackupsError::AuditBroken { backup, problem })
        }
    }
}

/// Puts the restore on record in `app`, which was opened where `unpacked` was taken apart, after the backups
/// that went on then were ended.
pub(super) async fn put_on_record(
    app: &App,
    unpacked: &Unpacked,
    name: &str,
) -> Result<(), BackupsError> {
    let manifest = unpacked.manifest();
    let ended_runs = end_backups(app, manifest, name).await?;
    let details = [
        ("created_at", json!(manifest.created_at)),
        ("program_version", json!(manifest.program_version)),
        ("rows_count", json!(manifest.rows_count())),
        ("audit_root", json!(manifest.audit_root)),
        ("ended_runs", json!(ended_runs)),
    ];
    let note = AuditNote::new(AuditAction::BackupRestored, subject(name), details);
    Ok(app.put_on_record(note).await?)
}

/// Ends the runs that made a backup at the moment that is restored, that of `name` among them: whoever goes on
/// with one would make another backup. Returns their numbers.
async fn end_backups(
    app: &App,
    manifest: &BackupManifest,
    name: &str,
) -> Result<Vec<i64>, StoreError> {
    let at = manifest.created_at;
    let told = format!("it went on at {at}, which {name} shows; that was restored, and ended it");
    let ended = app.store.end_left_jobs(Job::Backup.as_str(), app.now(), &told).await?;
    for id in &ended {
        app.store.say_in_job(*id, app.now(), false, &told).await?;
    }
    Ok(ended)
}

/// Where the master key is that opens the secrets of what was taken apart as `app`. Where there are none
/// yet, it is made in the data directory, as at a first start.
async fn master_key(app: &App, place: &RestorePlace) -> Result<MasterKeySource, BackupsError> {
    if let Some(source) = &place.master_key {
        return Ok(source.clone());
    }
    let path = place.directory.join(KEY_FILE_DEFAULT);
    if !path.exists() {
        if app.store.sealed_secrets().await? != SealedSecrets::default() {
            return Err(SecretStoreError::NoKey(path).into());
        }
        generate_key_file(&path).await?;
    }
    Ok(MasterKeySource::File(path))
}

/// Moves what was taken apart to the empty database of PostgreSQL of `place`.
async fn move_to_server(
    unpacked: &Unpacked,
    place: &RestorePlace,
) -> Result<Vec<PathBuf>, BackupsError> {
    let target = Store::open_at(&place.directory, &place.database).await?;
    let from = Store::open(unpacked.directory()).await;
    let moved = async {
        let from = from?;
        target.check_empty().await.map_err(|error| {
            if let StoreError::NotEmpty(table) = error {
                BackupError::ServerNotEmpty(table)
            } else {
                error.into()
            }
        })?;
        // Nobody looks at the artefacts before the database names them.
        let aside = unpacked.put_files(&place.directory)?;
        let copied = from.copy_to(&target, |_| {}).await;
        from.close().await;
        copied?;
        Ok(aside)
    };
    let moved = moved.await;
    target.close().await;
    moved
}
