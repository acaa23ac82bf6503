//! Backups: everything that the product cannot make again, in one encrypted archive.
//!
//! The database as it was at one moment, the artefacts that it names, the roots of the audit and the
//! configuration. Secrets are in it as they are in the database: sealed; the master key is not. Whatever
//! database is backed up, the archive holds a file of SQLite, so that there is one form, and a backup of
//! the one can be restored into the other (docs/adr/0040-backups.md).

mod archive;
mod copies;
mod error;
mod folder;
mod keys;
mod log;
mod manifest;
mod restore;
mod retention;
mod work;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bist_access::AuditRoot;
use bist_lifecycle::model_version::ModelVersion;
use bist_market::Clock;
use tempfile::NamedTempFile;

use self::archive::{Hashed, Source};
use self::folder::name_of;
use self::manifest::{ARTIFACTS, AUDIT_ROOTS, CONFIGURATION, DATABASE, FORMAT};
use crate::artifacts::on_disk;
use crate::audit::AuditFilter;
use crate::pool::Store;

pub use copies::BackupBucket;
pub use error::BackupError;
pub use folder::{Backup, BackupFolder, BackupNote, moment_of, verify_file};
pub use keys::{BackupIdentities, BackupKeyError, BackupRecipients};
pub use log::{
    LOG_FOLDED_ABOVE_BYTES, LogFollower, LogGeneration, LogNote, LogPlan, ShownMoment, Ticked,
    VerifiedLog, generation_moment, unpack_log, unpack_moment,
};
pub use manifest::{BackupEntry, BackupManifest, BackupTable, LogPiece};
pub use restore::{Place, Unpacked, unpack};
pub use retention::Retention;

/// What a backup is made with.
#[derive(Clone, Debug)]
pub struct BackupPlan {
    /// For whom it is encrypted.
    pub recipients: BackupRecipients,
    /// The configuration file, if there is one.
    pub configuration: Option<PathBuf>,
    /// Tells the moment, once nobody else is at work in the folder: what was acknowledged before it is in
    /// the backup.
    pub clock: Arc<dyn Clock>,
}

/// The copy of a database, and what was found in it.
struct Copied {
    tables: Vec<BackupTable>,
    /// The newest step that it has; a newer program may have run it.
    schema_version: i64,
    versions: Vec<ModelVersion>,
    audit_root: Option<String>,
}

impl Copied {
    /// Reads all of `copy`.
    async fn of(copy: &Store) -> Result<Self, BackupError> {
        let newest = copy.audit_records(&AuditFilter::default(), 1).await?.pop();
        Ok(Self {
            tables: copy.tallies().await?.into_iter().map(BackupTable::from).collect(),
            schema_version: copy.standing().await?.migration,
            versions: copy.model_versions().await?,
            audit_root: newest.map(|record| AuditRoot::from(&record).to_string()),
        })
    }
}

impl Store {
    /// Makes a backup in `folder` while everybody goes on. It is there whole, on the disk, when this
    /// returns, and otherwise not at all. Another process that is at work in the folder is waited for.
    ///
    /// # Errors
    ///
    /// [`BackupError::Busy`] when that one is not done for long, and the others when something cannot be
    /// read, or the backup cannot be written.
    pub async fn create_backup(
        &self,
        folder: &BackupFolder,
        plan: BackupPlan,
    ) -> Result<(Backup, BackupManifest), BackupError> {
        let work = folder.begin().await?;
        let created_at = plan.clock.now();
        // Before the database is looked at, so that every root is one of the chain in the copy.
        let mut sources = self.small_files(work.path(), plan.configuration.as_deref())?;
        let copied = self.copy_database(work.path()).await?;
        let (artifacts, missing_artifacts) = self.artifact_files(&copied.versions).await;
        let mut files = vec![(DATABASE.to_owned(), work.path().join(DATABASE))];
        files.extend(artifacts);
        files.append(&mut sources);
        let database = if self.reader.is_postgres() { "postgresql" } else { "sqlite" };
        let folder = folder.clone();
        on_disk(move || {
            let read = |(name, path): (String, PathBuf)| {
                let failed = |source| BackupError::file(&path, source);
                Source::of(name, path.clone()).map_err(failed)
            };
            let sources = files.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
            let manifest = BackupManifest {
                format: FORMAT,
                created_at,
                program_version: env!("CARGO_PKG_VERSION").to_owned(),
                schema_version: copied.schema_version,
                database: database.to_owned(),
                tables: copied.tables,
                audit_root: copied.audit_root,
                missing_artifacts,
                log: None,
                entries: sources.iter().map(|source| source.entry.clone()).collect(),
            };
            let backup = write(&folder, work.path(), &plan.recipients, &manifest, &sources)?;
            Ok::<_, BackupError>((backup, manifest))
        })
        .await
    }

    /// Copies of the files that may change while a backup is made, as entries.
    fn small_files(
        &self,
        work: &Path,
        configuration: Option<&Path>,
    ) -> Result<Vec<(String, PathBuf)>, BackupError> {
        let roots = self.directory().join(AUDIT_ROOTS);
        let mut copies = Vec::new();
        for (name, from) in [(AUDIT_ROOTS, Some(roots.as_path())), (CONFIGURATION, configuration)] {
            let Some(from) = from else { continue };
            let to = work.join(name);
            match std::fs::copy(from, &to) {
                Ok(_) => copies.push((name.to_owned(), to)),
                // Before a server has noted one; a configuration that was named is there.
                Err(error) if error.kind() == io::ErrorKind::NotFound && name == AUDIT_ROOTS => {}
                Err(error) => return Err(BackupError::file(from, error)),
            }
        }
        Ok(copies)
    }

    /// Writes the database as it is at one moment to a file in `work`, and reads all of it again there.
    async fn copy_database(&self, work: &Path) -> Result<Copied, BackupError> {
        let file = work.join(DATABASE);
        let copy = match self.reader.copy_file(&file).await {
            Some(copied) => {
                copied?;
                Store::open(work).await?
            }
            None => {
                let copy = Store::open(work).await?;
                self.copy_view_to(&copy).await?;
                copy
            }
        };
        let found = Copied::of(&copy).await;
        copy.close().await;
        found
    }

    /// The artefacts of `versions` as entries, and the versions that have none any more. Each was read
    /// once and is the one that was trained; one that only the bucket had is in the data directory now.
    async fn artifact_files(
        &self,
        versions: &[ModelVersion],
    ) -> (BTreeMap<String, PathBuf>, Vec<String>) {
        let (mut files, mut missing) = (BTreeMap::new(), Vec::new());
        for version in versions {
            match self.artifact(version).await {
                Ok(_) => {
                    let name = format!("{ARTIFACTS}{}.json", version.artifact_sha256);
                    files.insert(name, self.artifact_path(version));
                }
                Err(_) => missing.push(version.id.clone()),
            }
        }
        (files, missing)
    }
}

/// Writes the archive below `work`, moves it to its name in `folder` when it is whole, and notes it.
fn write(
    folder: &BackupFolder,
    work: &Path,
    recipients: &BackupRecipients,
    manifest: &BackupManifest,
    sources: &[Source],
) -> Result<Backup, BackupError> {
    let name = name_of(manifest.created_at);
    let path = folder.path().join(&name);
    let (sha256, size_bytes) = write_archive(work, &path, recipients, manifest, sources)?;
    let note = BackupNote::of(manifest, sha256);
    folder.write_note(&name, &note)?;
    Ok(Backup { name, created_at: manifest.created_at, size_bytes, note: Some(note) })
}

/// Writes the archive `path`: it has its name only when it is whole, and lies below `work` until then.
/// Returns its SHA-256 and its bytes.
fn write_archive(
    work: &Path,
    path: &Path,
    recipients: &BackupRecipients,
    manifest: &BackupManifest,
    sources: &[Source],
) -> Result<(String, u64), BackupError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let failed = |source| BackupError::file(folder, source);
    let mut part = NamedTempFile::new_in(work).map_err(failed)?;
    let mut hashed = Hashed::new(io::BufWriter::new(part.as_file_mut()));
    archive::write(&mut hashed, folder, recipients, manifest, sources)?;
    let sha256 = hashed.sha256();
    part.as_file().sync_all().map_err(failed)?;
    let size_bytes = part.as_file().metadata().map_err(failed)?.len();
    part.persist_noclobber(path).map_err(|error| {
        if error.error.kind() == io::ErrorKind::AlreadyExists {
            BackupError::Exists(path.to_owned())
        } else {
            failed(error.error)
        }
    })?;
    restore::sync_folder(folder)?;
    Ok((sha256, size_bytes))
}
